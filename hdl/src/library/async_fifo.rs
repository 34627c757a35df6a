//! A queue between two clocks.

use super::{Stream, Synchroniser, SynchroniserIn};
use crate::prelude::*;

/// Ports of an asynchronous FIFO.
#[derive(Clone, Debug, Bundle)]
pub struct AsyncFifoIn<T> {
    /// Words that go in, in `wr_clk`.
    pub enq: Stream<T>,
    /// Words that come out, in `rd_clk`.
    #[flip]
    pub deq: Stream<T>,
}

/// A queue of `depth` words (a power of two from 2 on) whose ends have clocks of their own. Each side sees the other's
/// pointer as a Gray code through a synchroniser, so that it may be late but never wrong (C. E. Cummings, *Simulation and Synthesis
/// Techniques for Asynchronous FIFO Design*, SNUG 2002).
#[module]
pub struct AsyncFifo {
    /// Bits of a word.
    pub width: u32,
    /// Words; a power of two from 2 on.
    pub depth: u32,
}

impl AsyncFifo {
    fn index_bits(&self) -> u32 {
        self.depth.trailing_zeros().max(1)
    }
}

fn gray(binary: UInt) -> UInt {
    binary ^ (binary >> 1)
}

impl Module for AsyncFifo {
    type In = AsyncFifoIn<UInt>;
    type Out = Empty<UInt>;

    fn name(&self) -> String {
        format!("AsyncFifo_{}x{}", self.depth, self.width)
    }
    fn clocks(&self) -> Vec<&'static str> {
        vec!["wr_clk", "rd_clk"]
    }
    fn inputs(&self) -> AsyncFifoIn<Shape> {
        let word = bits(self.width);
        let mut deq = Stream::of(word);
        deq.ready = bit().in_clock("rd_clk");
        AsyncFifoIn { enq: Stream::of(word), deq }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: AsyncFifoIn<UInt>) -> Empty<UInt> {
        let (index, pointer) = (self.index_bits(), self.index_bits() + 1);
        let words = m.memory("words", self.depth, self.width);
        let synchroniser = Synchroniser { width: pointer, stages: 2 };
        let tail = m.reg("tail", pointer);
        let tail_gray = m.reg("tail_gray", pointer);
        let head_seen = m.instance("head_sync", &synchroniser);
        // Full: a whole round ahead, which in Gray code inverts the two highest bits.
        let round = Bits::from_u64(pointer, 0b11).shl(pointer as u64 - 2);
        let full_at = head_seen.o.data ^ round;
        wire!(m, full = tail_gray.eq(full_at));
        i.enq.ready.set(!full);
        m.when(i.enq.fires(), || {
            words.write(tail.truncate(index), i.enq.data);
            wire!(m, next_tail = tail.wrapping_add(1));
            tail.set(next_tail);
            tail_gray.set(gray(next_tail));
        });
        m.clock("rd_clk", || {
            let head = m.reg("head", pointer);
            let head_gray = m.reg("head_gray", pointer);
            let tail_seen =
                m.instance("tail_sync", &synchroniser).connect(SynchroniserIn { data: tail_gray });
            i.deq.valid.set(head_gray.ne(tail_seen.data));
            i.deq.data.set(words.read_async("front", head.truncate(index)));
            m.when(i.deq.fires(), || {
                wire!(m, next_head = head.wrapping_add(1));
                head.set(next_head);
                head_gray.set(gray(next_head));
            });
            m.connect(head_seen.i, SynchroniserIn { data: head_gray });
        });
        Empty::new()
    }
}
