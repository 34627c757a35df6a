//! The control and status registers of a hart with machine mode, and user mode if it is configured
//! (RISC-V Privileged 20240411, 3.1).
//!
//! | CSR | what it holds here |
//! |---|---|
//! | `mstatus` | MIE (3), MPIE (7), MPP (12:11); with user mode MPRV (17), TW (21); the rest reads 0 |
//! | `mstatush`, `mconfigptr` | 0; writes to `mstatush` are ignored |
//! | `misa`, `mvendorid`, `marchid`, `mimpid`, `mhartid` | constants of [`HartConfig`]; writes to `misa` are ignored |
//! | `mie` | MSIE (3), MTIE (7), MEIE (11) |
//! | `mip` | the interrupt lines; writes are ignored |
//! | `mtvec` | base 31:2; mode 0 or 1; bit 1 reads 0; bits 5:2 too in mode 1, which needs no adder to find a handler |
//! | `mepc` | bits 31:2, with compressed instructions 31:1; the rest reads 0 |
//! | `mcause` | bit 31 and a code of 4 bits, which all codes here fit |
//! | `mscratch`, `mtval` | 32 bits |
//! | `mcycle`, `minstret` and upper halves | 64-bit counters |
//! | `mhpmcounter3` to `31`, upper halves, `mhpmevent3` to `31` | of the counters configured; the others read 0 |
//! | `mcountinhibit` | a bit for each counter that counts, if configured; else 0 |
//! | `cycle`, `time`, `instret`, `hpmcounter3` to `31` and upper halves | if configured: the same counters, and the bus's time |
//! | `mcounteren` | with user mode: a bit for each of those that counts, and for `time` |
//! | `menvcfg`, `menvcfgh` | with user mode: 0, as no extension here has a field; writes are ignored |
//! | `pmpcfg0` to `3`, `pmpaddr0` to `15` | with PMP: see [`Pmp`] |
//!
//! MPP reads 11 without user mode; with it a value that is no mode of the hart (01, 10) becomes 00, which it is after
//! reset. All other CSRs do not exist: an access is an illegal instruction, as is one that the mode does not permit, and
//! a write to one that is read-only.

use super::bus::Reading;
use super::config::HartConfig;
use super::counters::{CounterFile, unprivileged_counter};
use super::pmp::Pmp;
use super::privilege::{Access, Privilege};
use super::trap::{Interrupt, cause};
use crate::isa::csr::*;

/// `mstatus.MIE`: interrupts are enabled in machine mode.
const MSTATUS_MIE: u32 = 1 << 3;
/// `mstatus.MPIE`: MIE before the trap.
const MSTATUS_MPIE: u32 = 1 << 7;
/// Place of `mstatus.MPP`: the mode before the trap.
const MSTATUS_MPP_LOW: u32 = 11;
/// `mstatus.MPRV`: loads and stores are made with the privilege of MPP.
const MSTATUS_MPRV: u32 = 1 << 17;
/// `mstatus.TW`: `wfi` is illegal in user mode.
const MSTATUS_TW: u32 = 1 << 21;
/// `mtvec.MODE`: interrupts have a handler each.
const MTVEC_VECTORED: u32 = 1;
/// The bits of `mcause` that exist.
const MCAUSE_BITS: u32 = cause::INTERRUPT | 0xF;
/// The interrupts that exist.
const INTERRUPTS: u32 = Interrupt::External.bit() | Interrupt::Software.bit() | Interrupt::Timer.bit();

/// The fields of `mstatus` that can be more than one value.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Status {
    mie: bool,
    mpie: bool,
    mpp: Privilege,
    mprv: bool,
    tw: bool,
}

/// The CSRs' state, and the privilege mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsrFile {
    config: HartConfig,
    privilege: Privilege,
    status: Status,
    mie: u32,
    mtvec: u32,
    mcounteren: u32,
    mscratch: u32,
    mepc: u32,
    mcause: u32,
    mtval: u32,
    counters: CounterFile,
    pmp: Pmp,
}

impl CsrFile {
    pub(super) fn new(config: HartConfig) -> CsrFile {
        // What a trap from user mode has not set yet: the least privileged mode that there is.
        let mpp = if config.user_mode { Privilege::User } else { Privilege::Machine };
        CsrFile {
            config,
            privilege: Privilege::Machine,
            status: Status { mie: false, mpie: false, mpp, mprv: false, tw: false },
            mie: 0,
            mtvec: 0,
            mcounteren: 0,
            mscratch: 0,
            mepc: 0,
            mcause: 0,
            mtval: 0,
            counters: CounterFile::new(config.counters),
            pmp: Pmp::new(config.pmp_regions),
        }
    }

    /// The hart's features and constants.
    pub fn config(&self) -> &HartConfig {
        &self.config
    }

    /// The mode in which the next instruction is executed.
    pub fn privilege(&self) -> Privilege {
        self.privilege
    }

    /// Memory protection.
    pub fn pmp(&self) -> &Pmp {
        &self.pmp
    }

    /// Reads a CSR while the interrupt lines are as in `mip` and the time is `time`; `None` if it does not exist.
    pub fn read(&self, csr: u16, mip: u32, time: u64) -> Option<Reading> {
        Some(Reading::Exact(match csr {
            MSTATUS => self.mstatus(),
            MISA => self.config.misa(),
            MIE => self.mie,
            MTVEC => self.mtvec,
            MSCRATCH => self.mscratch,
            MEPC => self.mepc,
            MCAUSE => self.mcause,
            MTVAL => self.mtval,
            MIP => return Some(Reading::Timing { value: mip & INTERRUPTS, uncertain: INTERRUPTS }),
            MVENDORID => self.config.mvendorid,
            MARCHID => self.config.marchid,
            MIMPID => self.config.mimpid,
            MHARTID => self.config.mhartid,
            MSTATUSH | MCONFIGPTR => 0,
            MCOUNTEREN if self.config.user_mode => self.mcounteren,
            MENVCFG | MENVCFGH if self.config.user_mode => 0,
            _ => return self.pmp.read(csr).map(Reading::Exact).or_else(|| self.counters.read(csr, time)),
        }))
    }

    fn mstatus(&self) -> u32 {
        let Status { mie, mpie, mpp, mprv, tw } = self.status;
        let bit = |set: bool, bit: u32| if set { bit } else { 0 };
        (mpp as u32) << MSTATUS_MPP_LOW
            | bit(mie, MSTATUS_MIE)
            | bit(mpie, MSTATUS_MPIE)
            | bit(mprv, MSTATUS_MPRV)
            | bit(tw, MSTATUS_TW)
    }

    /// True if the current mode may access the CSR, and write it if `writes` (Privileged 20240411, 2.1): bits 9:8 of its
    /// number are the lowest mode, 11 in bits 11:10 makes it read-only. User mode reads the counters that
    /// `mcounteren` gives it (3.1.11).
    pub(super) fn permits(&self, csr: u16, writes: bool) -> bool {
        let privileged = u32::from(csr >> 8 & 3) <= self.privilege as u32;
        let read_only = csr >> 10 == 0b11;
        let given = match unprivileged_counter(csr) {
            Some(counter) => self.privilege == Privilege::Machine || self.mcounteren >> counter & 1 == 1,
            None => true,
        };
        privileged && given && !(read_only && writes)
    }

    /// Writes an existing CSR that is not read-only; each keeps what its rules allow.
    pub(super) fn write(&mut self, csr: u16, value: u32) {
        match csr {
            MSTATUS => self.write_mstatus(value),
            MIE => self.mie = value & INTERRUPTS,
            MTVEC if value & MTVEC_VECTORED != 0 => self.mtvec = value & !0x3E,
            MTVEC => self.mtvec = value & !2,
            MCOUNTEREN => self.mcounteren = value & self.counters.enable_mask(),
            MSCRATCH => self.mscratch = value,
            MEPC => self.mepc = value & !(self.config.instruction_alignment() - 1),
            MCAUSE => self.mcause = value & MCAUSE_BITS,
            MTVAL => self.write_mtval(value),
            _ => {
                self.pmp.write(csr, value);
                self.counters.write(csr, value);
            }
        }
    }

    fn write_mtval(&mut self, value: u32) {
        self.mtval = if self.config.mtval { value } else { 0 };
    }

    fn write_mstatus(&mut self, value: u32) {
        let user_mode = self.config.user_mode;
        let mpp = match value >> MSTATUS_MPP_LOW & 3 {
            mode if mode == Privilege::Machine as u32 || !user_mode => Privilege::Machine,
            _ => Privilege::User,
        };
        self.status = Status {
            mie: value & MSTATUS_MIE != 0,
            mpie: value & MSTATUS_MPIE != 0,
            mpp,
            mprv: user_mode && value & MSTATUS_MPRV != 0,
            tw: user_mode && value & MSTATUS_TW != 0,
        };
    }

    /// Counts one instruction.
    pub(super) fn count(&mut self, retired: bool) {
        self.counters.count(retired);
    }

    /// Enters a trap (Privileged 20240411, 3.1.6.1 and 3.1.7) and returns the handler's address.
    pub(super) fn enter_trap(&mut self, pc: u32, cause: u32, tval: u32) -> u32 {
        let Status { mie, mprv, tw, .. } = self.status;
        self.status = Status { mie: false, mpie: mie, mpp: self.privilege, mprv, tw };
        self.privilege = Privilege::Machine;
        self.mepc = pc;
        self.mcause = cause;
        self.write_mtval(tval);
        self.handler(cause)
    }

    /// The address of the handler for a value of `mcause`: in vectored mode interrupts have one each.
    pub fn handler(&self, mcause: u32) -> u32 {
        let base = self.mtvec & !3;
        if self.mtvec & MTVEC_VECTORED != 0 && mcause & cause::INTERRUPT != 0 {
            base.wrapping_add(4 * (mcause & 0x3FFF_FFFF))
        } else {
            base
        }
    }

    /// `mret` (Privileged 20240411, 3.1.6.1 and 3.3.2); returns the pc to go to. `None` if it is not allowed.
    pub(super) fn leave_trap(&mut self) -> Option<u32> {
        if self.privilege != Privilege::Machine {
            return None;
        }
        let Status { mpie, mpp, mprv, tw, .. } = self.status;
        self.privilege = mpp;
        let least = if self.config.user_mode { Privilege::User } else { Privilege::Machine };
        self.status =
            Status { mie: mpie, mpie: true, mpp: least, mprv: mprv && mpp == Privilege::Machine, tw };
        Some(self.mepc)
    }

    /// True if `wfi` may be executed: in user mode only while TW is 0 (Privileged 20240411, 3.1.6.5). The time limit
    /// that TW allows is 0 here.
    pub(super) fn may_wait(&self) -> bool {
        self.privilege == Privilege::Machine || !self.status.tw
    }

    /// The interrupts that would be taken if their lines were up: `mie`, or 0 while `mstatus.MIE` is 0 in machine mode.
    /// In user mode they are enabled whatever `mstatus.MIE` is (Privileged 20240411, 3.1.6.1).
    pub fn enabled_interrupts(&self) -> u32 {
        if self.status.mie || self.privilege == Privilege::User { self.mie } else { 0 }
    }

    /// True if memory protection lets the current instruction access the `bytes` bytes from `address` on. Loads and stores
    /// are judged with the privilege of MPP while MPRV is set (Privileged 20240411, 3.1.6.3).
    pub(super) fn may_access(&self, address: u32, bytes: u32, access: Access) -> bool {
        let privilege =
            if access != Access::Execute && self.status.mprv { self.status.mpp } else { self.privilege };
        self.pmp.allows(address, bytes, access, privilege)
    }
}
