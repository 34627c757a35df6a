//! Numbers of the control and status registers, and which of them a core has (RISC-V Privileged 20240411, 2.2).

use super::super::config::CoreConfig;

pub const MSTATUS: u32 = 0x300;
pub const MISA: u32 = 0x301;
pub const MIE: u32 = 0x304;
pub const MTVEC: u32 = 0x305;
pub const MCOUNTEREN: u32 = 0x306;
pub const MENVCFG: u32 = 0x30A;
pub const MSTATUSH: u32 = 0x310;
pub const MENVCFGH: u32 = 0x31A;
pub const MCOUNTINHIBIT: u32 = 0x320;
/// `mhpmevent0`, if there were one: `mhpmevent3` is the first.
pub const MHPMEVENT: u32 = 0x320;
pub const MSCRATCH: u32 = 0x340;
pub const MEPC: u32 = 0x341;
pub const MCAUSE: u32 = 0x342;
pub const MTVAL: u32 = 0x343;
pub const MIP: u32 = 0x344;
pub const PMPCFG: u32 = 0x3A0;
pub const PMPADDR: u32 = 0x3B0;
/// `mcycle`, the first of the counters.
pub const MCOUNTER: u32 = 0xB00;
/// `mcycleh`.
pub const MCOUNTERH: u32 = 0xB80;
/// `cycle`.
pub const COUNTER: u32 = 0xC00;
/// `cycleh`.
pub const COUNTERH: u32 = 0xC80;
pub const MVENDORID: u32 = 0xF11;
pub const MHARTID: u32 = 0xF14;
pub const MCONFIGPTR: u32 = 0xF15;

/// Number of the counter of cycles.
pub const CYCLES: u32 = 0;
/// Number of the counter of instructions.
pub const INSTRUCTIONS: u32 = 2;
/// Number of the first counter of events.
pub const FIRST_EVENT: u32 = 3;
/// Counters that have numbers. Those that a core lacks read 0, but for number 1, the time: reading it traps.
const COUNTERS: u32 = 32;

/// PMP entries that have numbers if there are any; those that a core lacks read 0.
const PMP_ENTRIES: u32 = 16;

/// The CSRs that do not trap, in ascending order.
pub fn existing(config: &CoreConfig) -> Vec<u32> {
    let mut csrs = vec![MSTATUS, MISA, MIE, MTVEC, MSTATUSH, MSCRATCH, MEPC, MCAUSE, MTVAL, MIP];
    csrs.extend(MVENDORID..=MCONFIGPTR);
    if config.user_mode {
        csrs.extend([MCOUNTEREN, MENVCFG, MENVCFGH]);
    }
    if config.pmp_regions > 0 {
        csrs.extend(PMPCFG..PMPCFG + PMP_ENTRIES / 4);
        csrs.extend(PMPADDR..PMPADDR + PMP_ENTRIES);
    }
    if config.counters {
        csrs.push(MCOUNTINHIBIT);
        csrs.extend(MHPMEVENT + FIRST_EVENT..MHPMEVENT + COUNTERS);
        let unprivileged = if config.user_mode { [COUNTER, COUNTERH].as_slice() } else { &[] };
        for first in [MCOUNTER, MCOUNTERH].iter().chain(unprivileged) {
            csrs.push(first + CYCLES);
            csrs.extend(first + INSTRUCTIONS..first + COUNTERS);
        }
    }
    csrs.sort_unstable();
    csrs
}

/// Whether a CSR can never be written: bits 11:10 of its number are 11.
pub const fn is_read_only(csr: u32) -> bool {
    csr >> 10 == 0b11
}

/// The counters that count: cycles, instructions, and the events of `mhpmcounter3` and following.
pub fn counting(config: &CoreConfig) -> Vec<u32> {
    if !config.counters {
        return Vec::new();
    }
    let events = FIRST_EVENT..FIRST_EVENT + config.event_counters;
    [CYCLES, INSTRUCTIONS].into_iter().chain(events).collect()
}
