//! Command lists out of external memory.

use ferrite_hdl::library::Stream;
use ferrite_hdl::prelude::*;

use crate::axi::{AxiReadBus, AxiWidths};
use crate::command::RECORD_WORDS;
use crate::countdown::Countdown;
use crate::delay::late_bit;
use crate::record::{FrontRegister, RecordQueue};

/// Bytes of a command.
pub const RECORD_BYTES: u32 = 4 * RECORD_WORDS;
/// Bits of a command's number in 32-bit addresses.
const RECORD_BITS: u32 = 32 - RECORD_BYTES.ilog2();
/// Bits of two words, which are handed on at once.
const PAIR_BITS: u32 = 64;
/// Lists that wait.
const LISTS: u32 = 4;
/// Commands that are asked for ahead.
const AHEAD: u32 = 2;

/// A command list.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct List<T> {
    /// Its first command, in commands from address 0.
    pub first: T,
    /// Its commands; 1 or more.
    pub count: T,
}

impl List<Shape> {
    /// The widths.
    pub fn shape() -> List<Shape> {
        List { first: bits(RECORD_BITS), count: bits(RECORD_BITS + 1) }
    }
}

/// Ports of the module.
#[derive(Clone, Debug, Bundle)]
pub struct ListFetchIn<T> {
    /// A list is offered.
    pub valid: T,
    /// It.
    pub list: List<T>,
    /// It is taken.
    #[flip]
    pub ready: T,
    /// All lists are forgotten, as long as this is high.
    pub drop: T,
    /// Words of commands, two at a time.
    #[flip]
    pub pairs: Stream<T>,
    /// External memory.
    #[flip]
    pub axi: AxiReadBus<T>,
}

/// Outputs of the module.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ListFetchOut<T> {
    /// A list waits or is under way, or an answer is awaited.
    pub busy: T,
    /// External memory has answered with an error. The commands before have been handed on; nothing more is, until all is dropped.
    pub failed: T,
    /// The command that could not be fetched; stays until the next one.
    pub address: T,
}

impl ListFetchOut<Shape> {
    /// The widths.
    pub fn shape() -> ListFetchOut<Shape> {
        ListFetchOut { busy: bit(), failed: bit(), address: bits(32) }
    }
}

/// Fetches lists one after the other, each command by a burst of its own (which cannot cross a border of 4 KB), the next command while the last is handed on.
#[module]
pub struct ListFetch {
    /// Widths of the port.
    pub axi: AxiWidths,
}

/// A beat that has come.
#[derive(Clone, Copy, Debug, Bundle)]
struct Beat<T> {
    data: T,
    error: T,
}

impl ListFetch {
    /// Beats of a command.
    fn beats(&self) -> u32 {
        RECORD_BYTES / self.axi.beat_bytes()
    }

    /// Hands beats on in pairs of words. Gives the offer and whether the first beat goes with it.
    fn pairs(&self, m: &Builder, waits: UInt, data: UInt, fires: UInt, restart: UInt) -> Pairs {
        if self.axi.data_bits < PAIR_BITS {
            // The first half is kept until the second one comes.
            let half = m.reg("half", self.axi.data_bits);
            let has_half = m.reg("has_half", 1).reset_to(0);
            let keeps = waits & !has_half;
            m.when(keeps, || {
                half.set(data);
                has_half.set(1);
            });
            m.when(fires | restart, || has_half.set(0));
            return Pairs { valid: waits & has_half, data: data.concat(half), takes: keeps | fires };
        }
        let count = self.axi.data_bits / PAIR_BITS;
        if count == 1 {
            return Pairs { valid: waits, data, takes: fires };
        }
        let part = m.reg("part", count.ilog2()).reset_to(0);
        m.when(fires, || part.set(part.wrapping_add(1)));
        m.when(restart, || part.set(0));
        let parts = (1..count).fold(data.truncate(PAIR_BITS), |others, k| {
            part.eq(k).mux(data.slice(PAIR_BITS * k, PAIR_BITS), others)
        });
        Pairs { valid: waits, data: parts, takes: fires & part.eq(count - 1) }
    }
}

/// Pairs of words out of beats.
struct Pairs {
    valid: UInt,
    data: UInt,
    /// The first beat is not needed any more.
    takes: UInt,
}

impl Module for ListFetch {
    type In = ListFetchIn<UInt>;
    type Out = ListFetchOut<UInt>;

    fn name(&self) -> String {
        format!("ListFetch_{}", self.axi.data_bits)
    }
    fn inputs(&self) -> ListFetchIn<Shape> {
        ListFetchIn {
            valid: bit(),
            list: List::shape(),
            ready: bit(),
            drop: bit(),
            pairs: Stream::of(bits(PAIR_BITS)),
            axi: AxiReadBus::shape(self.axi),
        }
    }
    fn outputs(&self) -> ListFetchOut<Shape> {
        ListFetchOut::shape()
    }
    fn build(&self, m: &Builder, i: ListFetchIn<UInt>) -> ListFetchOut<UInt> {
        let ListFetchIn { valid, list, ready, drop, pairs, axi } = i;
        let failed = m.reg("failed", 1).reset_to(0);
        wire!(m, stops = drop | failed);
        let lists = RecordQueue::new(m, "lists", LISTS, List::shape());
        lists.put(valid, list);
        ready.set(lists.ready);

        // Asking. An address that is on the channel stays there until it is taken.
        let left = Countdown::new(m, "left", RECORD_BITS + 1, 0).reset_done();
        let next = m.reg("next", RECORD_BITS);
        let asks = m.reg("asks", 1).reset_to(0);
        let asked = m.reg("asked", RECORD_BITS);
        let open = m.reg("open", AHEAD.ilog2() + 1).reset_to(0);
        wire!(m, begins = lists.valid & left.done & open.eq(0) & !stops);
        lists.takes.set(begins | stops);
        wire!(m, goes = !left.done & open.ne(AHEAD) & (!asks | axi.arready) & !stops);
        m.when(axi.arready, || asks.set(0));
        m.when(begins, || {
            left.load(lists.front.count);
            next.set(lists.front.first);
        });
        m.when(goes, || {
            asks.set(1);
            asked.set(next);
            next.set(next.wrapping_add(1));
            left.step();
        });
        m.when(stops, || left.stop());
        axi.arvalid.set(asks);
        axi.arid.set(0);
        axi.araddr.set(asked.concat(Bits::zero(RECORD_BYTES.ilog2())));
        axi.arlen.set(self.beats() - 1);

        // What comes has room.
        let beat = Beat { data: bits(self.axi.data_bits), error: bit() };
        let beats = RecordQueue::new(m, "beats", AHEAD * self.beats(), beat);
        beats.put(axi.rvalid, Beat { data: axi.rdata, error: axi.rresp.bit(1) });
        axi.rready.set(1);
        m.assert("beats_have_room", !axi.rvalid | beats.ready);

        // Handing on. The first beat stands in registers.
        let FrontRegister { valid: has_front, front, takes, moves } =
            FrontRegister::new(m, "front", beat, beats.valid, beats.front);
        beats.takes.set(moves);
        let fires = m.wire("fires", 1);
        let out = self.pairs(m, has_front & !front.error & !stops, front.data, fires, stops);
        pairs.valid.set(out.valid);
        pairs.data.set(out.data);
        fires.set(out.valid & pairs.ready);
        takes.set(has_front & (stops | out.takes));
        let count = m.reg("count", self.beats().ilog2()).reset_to(0);
        wire!(m, ends = takes & count.eq(self.beats() - 1));
        m.when(takes, || count.set(count.wrapping_add(1)));
        let width = open.width();
        open.set(open.wrapping_add(goes.extend(width)).wrapping_sub(ends.extend(width)));

        // The command that is handed on: those behind it that have been asked for are of the same list.
        let at_fault = m.reg("at_fault", RECORD_BITS);
        let current = next.wrapping_sub(open.extend(RECORD_BITS));
        m.when(has_front & front.error & !stops, || {
            failed.set(1);
            at_fault.set(current);
        });
        m.when(drop, || failed.set(0));
        ListFetchOut {
            // Told a cycle late, but for a list that comes.
            busy: late_bit(m, "busy", (valid & lists.ready) | lists.valid | !left.done | open.ne(0), 1),
            failed,
            address: at_fault.concat(Bits::zero(RECORD_BYTES.ilog2())),
        }
    }
}
