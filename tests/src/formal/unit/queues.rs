//! Queues and skid buffers.

use ferrite_hdl::library::{Queue, SkidBuffer, Stream};
use ferrite_hdl::prelude::*;
use ferrite_hw::record::RecordQueue;

use super::order::{Ends, claim_order};

/// Bits of the words. What holds of words of two bits holds of wider ones, which go the same ways.
pub const WORD_BITS: u32 = 2;

/// What is between the two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Between {
    /// The library's queue.
    Queue {
        /// Words.
        depth: u32,
    },
    /// A queue of bundles.
    RecordQueue {
        /// Bundles.
        depth: u32,
    },
    /// A skid buffer.
    Skid,
}

/// What the solver chooses in every cycle.
#[derive(Clone, Debug, Bundle)]
pub struct ProvedIn<T> {
    /// A word is offered.
    pub offered: T,
    /// It.
    pub data: T,
    /// The word at the other end is taken.
    pub taken: T,
    /// The word that enters now is watched.
    pub mark: T,
}

/// One of them with its claims.
#[module]
pub struct Proved {
    /// Which.
    pub between: Between,
}

/// A bundle of as many bits as a word.
#[derive(Clone, Debug, Bundle)]
struct Pair<T> {
    low: T,
    high: T,
}

impl Proved {
    fn record_queue(&self, m: &Builder, depth: u32, i: &ProvedIn<UInt>) -> Ends {
        let queue = RecordQueue::new(m, "dut", depth, Pair { low: bit(), high: bits(WORD_BITS - 1) });
        let high = i.data.slice(1, WORD_BITS - 1);
        queue.put(i.offered, Pair { low: i.data.bit(0), high });
        queue.takes.set(i.taken);
        let front = queue.front.high.concat(queue.front.low);
        Ends {
            enq: Stream { valid: i.offered, data: i.data, ready: queue.ready },
            deq: Stream { valid: queue.valid, data: front, ready: i.taken },
            capacity: depth,
            passes_through: false,
        }
    }
}

impl Module for Proved {
    type In = ProvedIn<UInt>;
    type Out = Empty<UInt>;

    fn inputs(&self) -> ProvedIn<Shape> {
        ProvedIn { offered: bit(), data: bits(WORD_BITS), taken: bit(), mark: bit() }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: ProvedIn<UInt>) -> Empty<UInt> {
        let (enq, deq, capacity, passes_through) = match self.between {
            Between::RecordQueue { depth } => {
                let ends = self.record_queue(m, depth, &i);
                claim_order(m, &ends, i.mark);
                return Empty::new();
            }
            Between::Queue { depth } => {
                let dut = m.instance("dut", &Queue { width: WORD_BITS, depth }).i;
                (dut.enq, dut.deq, depth, false)
            }
            Between::Skid => {
                let dut = m.instance("dut", &SkidBuffer { width: WORD_BITS }).i;
                // What is offered stays until it is taken.
                let refused = m.reg("refused", 1).reset_to(0);
                refused.set(i.offered & !dut.enq.ready);
                let before = m.delay("data_before", i.data);
                m.assume("offers_stay", !refused | (i.offered & i.data.eq(before)));
                (dut.enq, dut.deq, 1, true)
            }
        };
        enq.valid.set(i.offered);
        enq.data.set(i.data);
        deq.ready.set(i.taken);
        claim_order(m, &Ends { enq, deq, capacity, passes_through }, i.mark);
        Empty::new()
    }
}
