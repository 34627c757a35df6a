//! What the memories and devices have in common as slaves of a bus.

use crate::core::Bus;
use ferrite_hdl::prelude::*;

/// Answers every request one cycle after it was asked, with `data` and without an error.
pub(super) fn answer(m: &Builder, name: &str, bus: Bus<UInt>, data: UInt) {
    let answers = m.reg(name, 1).reset_to(0);
    answers.set(bus.request.valid);
    bus.ready.set(1);
    bus.response.valid.set(answers);
    bus.response.data.set(data);
    bus.response.error.set(0);
}

/// A load is asked for.
pub(super) fn loads(bus: Bus<UInt>) -> UInt {
    bus.request.valid & !bus.request.write
}

/// A store is asked for.
pub(super) fn stores(bus: Bus<UInt>) -> UInt {
    bus.request.valid & bus.request.write
}

/// The word at `offset` bytes from the start of a device of `size` bytes is meant.
pub(super) fn at(bus: Bus<UInt>, size: u32, offset: u32) -> UInt {
    bus.request.addr.slice(2, size.ilog2() - 2).eq(offset >> 2)
}

/// The bits of the bytes that are read or written.
pub(super) fn lanes(bus: Bus<UInt>) -> UInt {
    concat(bus.request.mask.to_bits().into_iter().rev().map(|byte| byte.repeat(8)))
}

/// The word whose bytes stand the other way round.
pub(super) fn byte_swapped(word: UInt) -> UInt {
    concat((0..4).map(|byte| word.slice(8 * byte, 8)))
}

/// `old` with those bytes replaced that a store writes.
pub(super) fn merged(bus: Bus<UInt>, old: UInt) -> UInt {
    concat((0..4).rev().map(|byte| {
        let lane = |word: UInt| word.slice(8 * byte, 8);
        bus.request.mask.bit(byte).mux(lane(bus.request.wdata), lane(old))
    }))
}
