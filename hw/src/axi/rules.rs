//! What AXI4 demands of both sides of a port, as assertions, written from the specification (IHI 0022) and not from any master here.

use ferrite_hdl::prelude::*;

use super::{AxiReadBus, AxiWidths, AxiWriteBus, PAGE_BYTES};
use crate::record::to_word;

/// What a design does with the rules of one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obligation {
    /// It claims that the side keeps them.
    Assert,
    /// It takes that for granted, as a proof about the other side does.
    Assume,
}

impl Obligation {
    fn state(self, m: &Builder, name: &str, condition: UInt) {
        match self {
            Obligation::Assert => m.assert(name, condition),
            Obligation::Assume => m.assume(name, condition),
        }
    }
}

/// What a design does with the rules of both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Obligations {
    /// Those of who asks.
    pub master: Obligation,
    /// Those of who answers.
    pub memory: Obligation,
}

/// Asserts the rules of the channels for reads, when all of a master's bursts have one identifier and at most `outstanding` are
/// open.
pub fn assert_read_rules(m: &Builder, axi: AxiReadBus<UInt>, widths: AxiWidths, outstanding: u32) {
    let sides = Obligations { master: Obligation::Assert, memory: Obligation::Assert };
    read_rules(m, axi, widths, outstanding, sides);
}

/// The same rules, asserted or assumed by side.
pub fn read_rules(
    m: &Builder,
    axi: AxiReadBus<UInt>,
    widths: AxiWidths,
    outstanding: u32,
    sides: Obligations,
) {
    let Obligations { master, memory } = sides;
    let burst = to_word([axi.arid, axi.araddr, axi.arlen]);
    offers(m, master, "ar", axi.arvalid, axi.arready, burst);
    offers(m, memory, "r", axi.rvalid, axi.rready, to_word([axi.rid, axi.rdata, axi.rresp, axi.rlast]));
    in_page(m, master, "ar", axi.arvalid, axi.araddr, axi.arlen, widths);
    let r_fires = axi.rvalid & axi.rready;
    let lengths =
        Lengths::new(m, "r", outstanding, axi.arvalid & axi.arready, axi.arlen, r_fires & axi.rlast);
    memory.state(m, "r_follows_ar", !axi.rvalid | lengths.open.ne(0));
    memory.state(m, "r_last_in_its_place", lengths.last_in_its_place(m, "r", axi.rvalid, r_fires, axi.rlast));
    master.state(m, "ar_outstanding", lengths.open.le(outstanding));
}

/// Asserts the rules of the channels for writes, when all of a master's bursts have one identifier, at most `outstanding` are open
/// and data come after their address is offered, though perhaps before it is taken.
pub fn assert_write_rules(m: &Builder, axi: AxiWriteBus<UInt>, widths: AxiWidths, outstanding: u32) {
    let sides = Obligations { master: Obligation::Assert, memory: Obligation::Assert };
    write_rules(m, axi, widths, outstanding, sides);
}

/// The same rules, asserted or assumed by side.
pub fn write_rules(
    m: &Builder,
    axi: AxiWriteBus<UInt>,
    widths: AxiWidths,
    outstanding: u32,
    sides: Obligations,
) {
    let Obligations { master, memory } = sides;
    let burst = to_word([axi.awid, axi.awaddr, axi.awlen]);
    let aw_waits = offers(m, master, "aw", axi.awvalid, axi.awready, burst);
    offers(m, master, "w", axi.wvalid, axi.wready, to_word([axi.wdata, axi.wstrb, axi.wlast]));
    offers(m, memory, "b", axi.bvalid, axi.bready, to_word([axi.bid, axi.bresp]));
    in_page(m, master, "aw", axi.awvalid, axi.awaddr, axi.awlen, widths);
    let aw_fires = axi.awvalid & axi.awready;
    let w_fires = axi.wvalid & axi.wready;
    let w_ends = w_fires & axi.wlast;
    let lengths = Lengths::new(m, "w", outstanding, axi.awvalid & !aw_waits, axi.awlen, w_ends);
    master.state(m, "w_follows_aw", !axi.wvalid | lengths.open.ne(0));
    master.state(m, "w_last_in_its_place", lengths.last_in_its_place(m, "w", axi.wvalid, w_fires, axi.wlast));
    // Bursts whose address has passed and that are not answered, and those whose data have passed.
    let b_fires = axi.bvalid & axi.bready;
    let open = counter(m, "b_open", aw_fires, b_fires);
    let complete = counter(m, "b_complete", w_ends, b_fires);
    master.state(m, "aw_outstanding", open.le(outstanding));
    memory.state(m, "b_follows_last_w", !axi.bvalid | complete.ne(0));
    memory.state(m, "b_follows_aw", !axi.bvalid | open.ne(0));
}

/// An offer stays as it is until it is taken (A3.2.1). Gives whether one was there before this cycle.
fn offers(m: &Builder, side: Obligation, channel: &str, valid: UInt, ready: UInt, payload: UInt) -> UInt {
    let waits = m.reg(&format!("{channel}_waits"), 1).reset_to(0);
    waits.set(valid & !ready);
    let before = m.delay(&format!("{channel}_before"), payload);
    side.state(m, &format!("{channel}_valid_stays"), !waits | valid);
    side.state(m, &format!("{channel}_is_stable"), !waits | payload.eq(before));
    waits
}

/// A burst lies in one page (A3.4.1).
fn in_page(
    m: &Builder,
    side: Obligation,
    channel: &str,
    valid: UInt,
    address: UInt,
    len: UInt,
    widths: AxiWidths,
) {
    let offset_bits = widths.offset_bits();
    let page_bits = PAGE_BYTES.ilog2() - offset_bits;
    let last_beat = address.slice(offset_bits, page_bits).extend(16) + len.extend(16);
    side.state(m, &format!("{channel}_in_a_page"), !valid | last_beat.lt(1u32 << page_bits));
}

fn counter(m: &Builder, name: &str, up: UInt, down: UInt) -> UInt {
    let count = m.reg(name, 16).reset_to(0);
    count.set(count.wrapping_add(up.extend(16)).wrapping_sub(down.extend(16)));
    count
}

/// The lengths of bursts whose data have not all passed.
struct Lengths {
    /// How many there are.
    open: UInt,
    /// The length of the first.
    first: UInt,
}

impl Lengths {
    fn new(m: &Builder, channel: &str, outstanding: u32, starts: UInt, len: UInt, ends: UInt) -> Lengths {
        // Room for one more than is allowed, so that it is seen, and for one that is only offered.
        let depth = (outstanding + 3).next_power_of_two();
        let index = depth.ilog2();
        let lengths = m.memory(&format!("{channel}_lengths"), depth, 8);
        let tail = m.reg(&format!("{channel}_tail"), index).reset_to(0);
        let head = m.reg(&format!("{channel}_head"), index).reset_to(0);
        m.when(starts, || {
            lengths.write(tail, len);
            tail.set(tail.wrapping_add(1));
        });
        m.when(ends, || head.set(head.wrapping_add(1)));
        let first = lengths.read_async(&format!("{channel}_length"), head);
        Lengths { open: m.node(&format!("{channel}_open"), tail.wrapping_sub(head)), first }
    }

    /// The last beat is marked, and no other (A3.4.1).
    fn last_in_its_place(&self, m: &Builder, channel: &str, valid: UInt, fires: UInt, last: UInt) -> UInt {
        let beat = m.reg(&format!("{channel}_beat"), 8).reset_to(0);
        m.when(fires, || beat.set(last.mux(0, beat.wrapping_add(1))));
        !valid | last.eq(beat.eq(self.first))
    }
}
