//! The control and status registers of a machine-mode-only hart (RISC-V Privileged 20240411, 3.1).
//!
//! | CSR | what it holds here |
//! |---|---|
//! | `mstatus` | MIE (3), MPIE (7); MPP (12:11) reads 11; the rest reads 0 |
//! | `mstatush`, `mconfigptr` | 0; writes to `mstatush` are ignored |
//! | `misa`, `mvendorid`, `marchid`, `mimpid`, `mhartid` | constants of [`HartConfig`]; writes to `misa` are ignored |
//! | `mie` | MSIE (3), MTIE (7), MEIE (11) |
//! | `mip` | the interrupt lines; writes are ignored |
//! | `mtvec` | base 31:2; mode 0 or 1; bit 1 reads 0 |
//! | `mepc` | bits 31:2; the rest reads 0 |
//! | `mscratch`, `mcause`, `mtval` | 32 bits |
//! | `mcycle`, `minstret` and upper halves | 64-bit counters |
//! | `mhpmcounter3` to `31`, upper halves, `mhpmevent3` to `31` | 0; writes are ignored |
//! | `mcountinhibit` | 0; writes are ignored |
//!
//! All others do not exist: an access is an illegal instruction. So is a write to one whose number's top two bits
//! are 11 (Privileged 20240411, 2.1).

use super::bus::Reading;
use super::config::HartConfig;
use super::trap::Interrupt;
use crate::isa::csr::*;

/// `mstatus.MIE`: interrupts are enabled.
const MSTATUS_MIE: u32 = 1 << 3;
/// `mstatus.MPIE`: MIE before the trap.
const MSTATUS_MPIE: u32 = 1 << 7;
/// `mstatus.MPP`: the mode before the trap, always machine mode.
const MSTATUS_MPP: u32 = 0b11 << 11;
/// The interrupts that exist.
const INTERRUPTS: u32 = Interrupt::External.bit() | Interrupt::Software.bit() | Interrupt::Timer.bit();

/// The CSRs' state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsrFile {
    config: HartConfig,
    interrupts_enabled: bool,
    previous_interrupts_enabled: bool,
    mie: u32,
    mtvec: u32,
    mscratch: u32,
    mepc: u32,
    mcause: u32,
    mtval: u32,
    mcycle: u64,
    minstret: u64,
    cycle_written: bool,
    instret_written: bool,
}

impl CsrFile {
    pub(super) fn new(config: HartConfig) -> CsrFile {
        CsrFile {
            config,
            interrupts_enabled: false,
            previous_interrupts_enabled: false,
            mie: 0,
            mtvec: 0,
            mscratch: 0,
            mepc: 0,
            mcause: 0,
            mtval: 0,
            mcycle: 0,
            minstret: 0,
            cycle_written: false,
            instret_written: false,
        }
    }

    /// The hart's features and constants.
    pub fn config(&self) -> &HartConfig {
        &self.config
    }

    /// Reads a CSR while the interrupt lines are as in `mip`; `None` if it does not exist.
    pub fn read(&self, csr: u16, mip: u32) -> Option<Reading> {
        Some(Reading::Exact(match csr {
            MSTATUS => {
                let mie = if self.interrupts_enabled { MSTATUS_MIE } else { 0 };
                let mpie = if self.previous_interrupts_enabled { MSTATUS_MPIE } else { 0 };
                MSTATUS_MPP | mie | mpie
            }
            MISA => self.config.misa(),
            MIE => self.mie,
            MTVEC => self.mtvec,
            MSCRATCH => self.mscratch,
            MEPC => self.mepc,
            MCAUSE => self.mcause,
            MTVAL => self.mtval,
            MIP => return Some(Reading::Timing { value: mip & INTERRUPTS, uncertain: INTERRUPTS }),
            MCYCLE => return Some(Reading::timing(self.mcycle as u32)),
            MCYCLEH => return Some(Reading::timing((self.mcycle >> 32) as u32)),
            MINSTRET => self.minstret as u32,
            MINSTRETH => (self.minstret >> 32) as u32,
            MVENDORID => self.config.mvendorid,
            MARCHID => self.config.marchid,
            MIMPID => self.config.mimpid,
            MHARTID => self.config.mhartid,
            MSTATUSH | MCONFIGPTR | MCOUNTINHIBIT => 0,
            _ if is_performance_counter(csr) => 0,
            _ => return None,
        }))
    }

    /// Writes an existing CSR that is not read-only; each keeps what its rules allow.
    pub(super) fn write(&mut self, csr: u16, value: u32) {
        match csr {
            MSTATUS => {
                self.interrupts_enabled = value & MSTATUS_MIE != 0;
                self.previous_interrupts_enabled = value & MSTATUS_MPIE != 0;
            }
            MIE => self.mie = value & INTERRUPTS,
            MTVEC => self.mtvec = value & !2,
            MSCRATCH => self.mscratch = value,
            MEPC => self.mepc = value & !3,
            MCAUSE => self.mcause = value,
            MTVAL => self.mtval = value,
            MCYCLE => (self.mcycle, self.cycle_written) = (with_low(self.mcycle, value), true),
            MCYCLEH => (self.mcycle, self.cycle_written) = (with_high(self.mcycle, value), true),
            MINSTRET => (self.minstret, self.instret_written) = (with_low(self.minstret, value), true),
            MINSTRETH => (self.minstret, self.instret_written) = (with_high(self.minstret, value), true),
            _ => {}
        }
    }

    /// Counts one instruction. A counter that the instruction wrote keeps what was written: the next instruction
    /// reads exactly that (Privileged 20240411, 3.1.10).
    pub(super) fn count(&mut self, retired: bool) {
        if !std::mem::take(&mut self.cycle_written) {
            self.mcycle = self.mcycle.wrapping_add(1);
        }
        if !std::mem::take(&mut self.instret_written) && retired {
            self.minstret = self.minstret.wrapping_add(1);
        }
    }

    /// Enters a trap (Privileged 20240411, 3.1.6.1 and 3.1.7) and returns the handler's address.
    pub(super) fn enter_trap(&mut self, pc: u32, cause: u32, tval: u32) -> u32 {
        self.previous_interrupts_enabled = self.interrupts_enabled;
        self.interrupts_enabled = false;
        self.mepc = pc;
        self.mcause = cause;
        self.mtval = tval;
        self.handler(cause)
    }

    /// The address of the handler for a value of `mcause`: in vectored mode interrupts have one each.
    pub fn handler(&self, mcause: u32) -> u32 {
        let base = self.mtvec & !3;
        if self.mtvec & 1 == 1 && mcause >> 31 == 1 {
            base.wrapping_add(4 * (mcause & 0x3FFF_FFFF))
        } else {
            base
        }
    }

    /// `mret` (Privileged 20240411, 3.3.2); returns the pc to go to.
    pub(super) fn leave_trap(&mut self) -> u32 {
        self.interrupts_enabled = self.previous_interrupts_enabled;
        self.previous_interrupts_enabled = true;
        self.mepc
    }

    /// The interrupts that would be taken if their lines were up: `mie`, or 0 while `mstatus.MIE` is 0.
    pub fn enabled_interrupts(&self) -> u32 {
        if self.interrupts_enabled { self.mie } else { 0 }
    }
}

/// `mhpmcounter3` to `31`, their upper halves, and `mhpmevent3` to `31`.
fn is_performance_counter(csr: u16) -> bool {
    matches!(csr, 0xB03..=0xB1F | 0xB83..=0xB9F | 0x323..=0x33F)
}

fn with_low(counter: u64, value: u32) -> u64 {
    counter >> 32 << 32 | u64::from(value)
}

fn with_high(counter: u64, value: u32) -> u64 {
    u64::from(value) << 32 | u64::from(counter as u32)
}
