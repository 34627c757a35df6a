//! Loads and stores: where bytes stand in a word (RISC-V Unprivileged 20240411, 2.6).

use ferrite_hdl::prelude::*;

use super::only;

/// One bit per byte from the access's own address on, as RVFI has it. `funct3` tells the width.
pub fn width_mask(m: &Builder, funct3: UInt) -> UInt {
    let mask = |bytes: u64| m.constant(Bits::from_u64(4, (1 << bytes) - 1));
    funct3.bit(1).mux(mask(4), funct3.bit(0).mux(mask(2), mask(1)))
}

/// Whether the address is no multiple of the width.
pub fn is_misaligned(funct3: UInt, address: UInt) -> UInt {
    (funct3.bit(1) & address.slice(0, 2).any()) | (funct3.bit(0) & address.bit(0))
}

/// The access's bytes in its word.
pub fn byte_mask(m: &Builder, funct3: UInt, address: UInt) -> UInt {
    width_mask(m, funct3) << address.slice(0, 2)
}

/// A store's bytes at their place in the word; the others hold copies.
pub fn store_data(funct3: UInt, value: UInt) -> UInt {
    let half = funct3.bit(0).mux(value.slice(0, 16), value.slice(0, 8).repeat(2));
    funct3.bit(1).mux(value, half.repeat(2))
}

/// The word shifted so that the access's first byte is the lowest.
pub fn shifted(m: &Builder, address: UInt, word: UInt) -> UInt {
    word >> address.slice(0, 2).concat(m.constant(Bits::zero(3)))
}

/// The value of a load that crosses no word's border, extended as `funct3` tells; 0 unless it is a `load`. What tells where its bytes come
/// from is joined before the word, which comes late.
pub fn aligned_load(m: &Builder, load: UInt, funct3: UInt, address: UInt, word: UInt) -> UInt {
    let byte = |k: u32| word.slice(8 * k, 8);
    let (is_word, is_half) = (funct3.bit(1), funct3.bit(0) & !funct3.bit(1));
    let is_byte = !funct3.slice(0, 2).any();
    let (low, high) = (address.bit(0), address.bit(1));
    wire!(
        m,
        load_first =
            only(load & !high, low.mux(byte(1), byte(0))) | only(load & high, low.mux(byte(3), byte(2)))
    );
    wire!(m, load_second = only(load & !is_byte & !high, byte(1)) | only(load & !is_byte & high, byte(3)));
    let sign = (load_first.msb() & is_byte) | (load_second.msb() & is_half);
    wire!(m, load_fill = sign & !funct3.bit(2));
    let upper = only(load & is_word, word.slice(16, 16)) | load_fill.repeat(16);
    concat([upper, load_second | (load_fill & is_byte).repeat(8), load_first])
}

/// A load's value from the shifted word, extended as `funct3` tells.
pub fn load_value(funct3: UInt, shifted: UInt) -> UInt {
    let is_signed = !funct3.bit(2);
    let extended = |width: u32| {
        let part = shifted.slice(0, width);
        (part.msb() & is_signed).repeat(32 - width).concat(part)
    };
    funct3.bit(1).mux(shifted, funct3.bit(0).mux(extended(16), extended(8)))
}
