//! What AXI4 demands of both sides of a port, as assertions, written from the specification (IHI 0022) and not from any master here.

use ferrite_hdl::prelude::*;

use super::{AxiReadBus, AxiWidths, AxiWriteBus, PAGE_BYTES};
use crate::record::to_word;

/// Asserts the rules of the channels for reads, when all of a master's bursts have one identifier and at most `outstanding` are
/// open.
pub fn assert_read_rules(m: &Builder, axi: AxiReadBus<UInt>, widths: AxiWidths, outstanding: u32) {
    let burst = to_word([axi.arid, axi.araddr, axi.arlen]);
    assert_offers(m, "ar", axi.arvalid, axi.arready, burst);
    assert_offers(m, "r", axi.rvalid, axi.rready, to_word([axi.rid, axi.rdata, axi.rresp, axi.rlast]));
    assert_in_page(m, "ar", axi.arvalid, axi.araddr, axi.arlen, widths);
    let r_fires = axi.rvalid & axi.rready;
    let lengths = Lengths::new(m, "r", axi.arvalid & axi.arready, axi.arlen, r_fires & axi.rlast);
    lengths.assert_beats(m, "r", axi.rvalid, r_fires, axi.rlast, outstanding);
    m.assert("r_follows_ar", !axi.rvalid | lengths.open.ne(0));
}

/// Asserts the rules of the channels for writes, when all of a master's bursts have one identifier, at most `outstanding` are open
/// and data never come before their address.
pub fn assert_write_rules(m: &Builder, axi: AxiWriteBus<UInt>, widths: AxiWidths, outstanding: u32) {
    let burst = to_word([axi.awid, axi.awaddr, axi.awlen]);
    assert_offers(m, "aw", axi.awvalid, axi.awready, burst);
    assert_offers(m, "w", axi.wvalid, axi.wready, to_word([axi.wdata, axi.wstrb, axi.wlast]));
    assert_offers(m, "b", axi.bvalid, axi.bready, to_word([axi.bid, axi.bresp]));
    assert_in_page(m, "aw", axi.awvalid, axi.awaddr, axi.awlen, widths);
    let aw_fires = axi.awvalid & axi.awready;
    let w_fires = axi.wvalid & axi.wready;
    let w_ends = w_fires & axi.wlast;
    let lengths = Lengths::new(m, "w", aw_fires, axi.awlen, w_ends);
    lengths.assert_beats(m, "w", w_fires, w_fires, axi.wlast, outstanding);
    // Bursts whose address has passed and that are not answered, and those of them whose data have passed.
    let b_fires = axi.bvalid & axi.bready;
    let open = counter(m, "b_open", aw_fires, b_fires);
    let complete = counter(m, "b_complete", w_ends, b_fires);
    m.assert("aw_outstanding", open.le(outstanding));
    m.assert("b_follows_last_w", !axi.bvalid | complete.ne(0));
    m.assert("b_follows_aw", !axi.bvalid | open.ne(0));
}

/// An offer stays as it is until it is taken (A3.2.1).
fn assert_offers(m: &Builder, channel: &str, valid: UInt, ready: UInt, payload: UInt) {
    let waits = m.reg(&format!("{channel}_waits"), 1).reset_to(0);
    waits.set(valid & !ready);
    let before = m.delay(&format!("{channel}_before"), payload);
    m.assert(&format!("{channel}_valid_stays"), !waits | valid);
    m.assert(&format!("{channel}_is_stable"), !waits | payload.eq(before));
}

/// A burst lies in one page (A3.4.1).
fn assert_in_page(m: &Builder, channel: &str, valid: UInt, address: UInt, len: UInt, widths: AxiWidths) {
    let offset_bits = widths.offset_bits();
    let page_bits = PAGE_BYTES.ilog2() - offset_bits;
    let last_beat = address.slice(offset_bits, page_bits).extend(16) + len.extend(16);
    m.assert(&format!("{channel}_in_a_page"), !valid | last_beat.lt(1u32 << page_bits));
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
    fn new(m: &Builder, channel: &str, starts: UInt, len: UInt, ends: UInt) -> Lengths {
        let lengths = m.memory(&format!("{channel}_lengths"), 256, 8);
        let tail = m.reg(&format!("{channel}_tail"), 8).reset_to(0);
        let head = m.reg(&format!("{channel}_head"), 8).reset_to(0);
        m.when(starts, || {
            lengths.write(tail, len);
            tail.set(tail.wrapping_add(1));
        });
        m.when(ends, || head.set(head.wrapping_add(1)));
        let first = lengths.read_async(&format!("{channel}_length"), head);
        Lengths { open: m.node(&format!("{channel}_open"), tail.wrapping_sub(head)), first }
    }

    /// The last beat is marked, and no other (A3.4.1).
    fn assert_beats(
        &self,
        m: &Builder,
        channel: &str,
        valid: UInt,
        fires: UInt,
        last: UInt,
        outstanding: u32,
    ) {
        let beat = m.reg(&format!("{channel}_beat"), 8).reset_to(0);
        m.when(fires, || beat.set(last.mux(0, beat.wrapping_add(1))));
        m.assert(&format!("{channel}_last_in_its_place"), !valid | last.eq(beat.eq(self.first)));
        m.assert(&format!("{channel}_bursts_are_open"), !valid | self.open.ne(0));
        m.assert(&format!("{channel}_outstanding"), self.open.le(outstanding));
    }
}
