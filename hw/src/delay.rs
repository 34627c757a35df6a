//! Values some cycles later.

use ferrite_hdl::prelude::*;

/// A value some cycles later: a shift register, the newest value lowest.
pub(crate) fn late(m: &Builder, name: &str, value: UInt, cycles: u32) -> UInt {
    let width = value.width();
    match cycles {
        0 => value,
        1 => m.delay(&format!("{name}_late"), value),
        _ => {
            let late = m.reg(&format!("{name}_late"), width * cycles);
            late.set(late.truncate(width * (cycles - 1)).concat(value));
            late.slice(width * (cycles - 1), width)
        }
    }
}

/// A bit some cycles later, one at least; low after the reset.
pub(crate) fn late_bit(m: &Builder, name: &str, value: UInt, cycles: u32) -> UInt {
    let late = m.reg(&format!("{name}_late"), cycles).reset_to(0);
    late.set(if cycles == 1 { value } else { late.truncate(cycles - 1).concat(value) });
    late.msb()
}
