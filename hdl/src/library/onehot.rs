//! Helpers for one-hot codes and priorities.

use crate::prelude::*;
use crate::signal::Operand;

/// Bit `index` of `count` set and no other; nothing set where `index >= count`.
#[track_caller]
pub fn one_hot(index: UInt, count: u32) -> UInt {
    let bits: Vec<UInt> = (0..count)
        .rev()
        .map(|k| match index.width() < 32 && k >> index.width() != 0 {
            true => index.ne(index), // an index of so few bits never gets there
            false => index.eq(k),
        })
        .collect();
    concat(bits)
}

/// The lowest set bit alone: `x & -x`.
#[track_caller]
pub fn priority_grant(requests: UInt) -> UInt {
    requests & (!requests).wrapping_add(Bits::from_u64(requests.width(), 1))
}

/// The index of the lowest set bit, 0 if there is none.
#[track_caller]
pub fn priority_encode(requests: UInt) -> UInt {
    let width = index_width(requests.width() as usize);
    let mut bits = requests.to_bits().into_iter().enumerate().rev();
    let Some((last, _)) = bits.next() else { return requests };
    let mut index: Operand = Bits::from_u64(width, last as u64).into();
    for (k, bit) in bits {
        index = bit.mux(Bits::from_u64(width, k as u64), index).into();
    }
    match index {
        Operand::Signal(signal) => signal,
        constant => requests.bit(0).mux(Bits::zero(width), constant),
    }
}

/// The item whose bit in `select` is set; 0 where none is, the or of all where several are.
#[track_caller]
pub fn one_hot_mux(select: UInt, items: &[UInt]) -> UInt {
    let mut chosen: Option<UInt> = None;
    for (bit, item) in select.to_bits().into_iter().zip(items) {
        let part = bit.repeat(item.width()) & *item;
        chosen = Some(chosen.map_or(part, |c| c | part));
    }
    chosen.unwrap_or(select)
}
