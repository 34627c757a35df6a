//! Which accesses to CSRs are legal, and which CSR a number means.

use std::collections::BTreeMap;

use ferrite_hdl::prelude::*;

use super::super::config::CoreConfig;
use super::numbers::{COUNTER, COUNTERH, counting, existing};

/// Numbers that differ only in so many low bits are looked up together.
const LOW_BITS: u32 = 5;

/// Whether a CSR instruction is legal (RISC-V Privileged 20240411, 2.1): the CSR exists, is not read-only if the instruction `writes`
/// (which `csrrs` and `csrrc` with `x0` or 0 do not), and the mode permits it. User mode sees no CSRs but the counters that `mcounteren`
/// (`counters_allowed`) gives it.
pub fn is_legal(
    m: &Builder,
    config: &CoreConfig,
    number: UInt,
    writes: UInt,
    machine_mode: UInt,
    counters_allowed: UInt,
) -> UInt {
    wire!(m, csr_legal_in_machine_mode = exists(m, config, number) & !(is_read_only(number) & writes));
    if !config.user_mode {
        return csr_legal_in_machine_mode;
    }
    let (high, low) = (number.slice(LOW_BITS, 12 - LOW_BITS), number.slice(0, LOW_BITS));
    let given: Vec<UInt> =
        counting(config).into_iter().map(|k| low.eq(k) & counters_allowed.bit(k)).collect();
    if given.is_empty() {
        return csr_legal_in_machine_mode & machine_mode;
    }
    let is_counter = high.eq(COUNTER >> LOW_BITS) | high.eq(COUNTERH >> LOW_BITS);
    wire!(m, csr_given = is_counter & concat(given).any());
    csr_legal_in_machine_mode & (machine_mode | csr_given)
}

/// Whether machine mode can write a CSR.
pub fn is_writable(m: &Builder, config: &CoreConfig, number: UInt) -> UInt {
    exists(m, config, number) & !is_read_only(number)
}

/// Whether a CSR can only be read, if it exists: bits 11:10 of its number are 11.
fn is_read_only(number: UInt) -> UInt {
    number.slice(10, 2).all()
}

fn exists(m: &Builder, config: &CoreConfig, number: UInt) -> UInt {
    let (high, low) = (number.slice(LOW_BITS, 12 - LOW_BITS), number.slice(0, LOW_BITS));
    let mut tables = BTreeMap::<u32, u32>::new();
    for csr in existing(config) {
        *tables.entry(csr >> LOW_BITS).or_default() |= 1 << (csr % (1 << LOW_BITS));
    }
    let groups = tables.into_iter().map(|(prefix, table)| {
        let table = m.constant(Bits::from_u64(1 << LOW_BITS, table.into()));
        high.eq(prefix) & table.bit_at(low)
    });
    concat(groups).any()
}

/// Whether a number is one of those `wanted`, provided that it is one of these or of the `others`: looks at as few bits as that takes.
pub fn recognise(number: UInt, wanted: &[u32], others: &[u32]) -> UInt {
    let test = |(mask, value): (u32, u32)| {
        let mask = Bits::from_u64(12, mask.into());
        (number & mask).eq(value)
    };
    match cube(wanted, others) {
        Some(cube) => test(cube),
        None => {
            let single = wanted.iter().filter_map(|&csr| cube(&[csr], others));
            concat(single.map(test)).any()
        }
    }
}

/// Bits, and their values, that all `wanted` numbers have and none of the `others`.
fn cube(wanted: &[u32], others: &[u32]) -> Option<(u32, u32)> {
    let first = *wanted.first()?;
    let common = wanted.iter().fold(0xFFF, |mask, csr| mask & !(csr ^ first));
    let excludes = |mask: u32| others.iter().all(|other| (other ^ first) & mask != 0);
    let without = |mask: u32, bit: u32| if excludes(mask & !(1 << bit)) { mask & !(1 << bit) } else { mask };
    let (down, up) = ((0..12).rev().fold(common, without), (0..12).fold(common, without));
    let mask = if up.count_ones() < down.count_ones() { up } else { down };
    excludes(mask).then_some((mask, first & mask))
}
