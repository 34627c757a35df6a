//! Accesses that are tried, and how each must end.

use super::program::stub;
use super::region::{Entry, R, W, X, permits};
use super::{Hart, RAM};

/// What is tried at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// A load of so many bytes, with its sign or without.
    Load {
        /// 1, 2 or 4.
        bytes: u32,
        /// As the instructions without a `u` at the end.
        signed: bool,
    },
    /// A store of so many bytes, which are then loaded.
    Store {
        /// 1, 2 or 4.
        bytes: u32,
    },
    /// A jump to there.
    Jump,
}

impl Access {
    /// All of them.
    pub const ALL: [Access; 9] = [
        Access::Load { bytes: 1, signed: true },
        Access::Load { bytes: 1, signed: false },
        Access::Load { bytes: 2, signed: true },
        Access::Load { bytes: 2, signed: false },
        Access::Load { bytes: 4, signed: true },
        Access::Store { bytes: 1 },
        Access::Store { bytes: 2 },
        Access::Store { bytes: 4 },
        Access::Jump,
    ];
}

/// With which rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In user mode.
    User,
    /// In machine mode.
    Machine,
    /// In machine mode, with loads and stores as in user mode: `mstatus.MPRV` is 1, and `MPP` says user mode.
    MachineAsUser,
}

impl Mode {
    /// All of them.
    pub const ALL: [Mode; 3] = [Mode::User, Mode::Machine, Mode::MachineAsUser];

    /// `mstatus` from which `mret` goes there. After it `MPP` is user mode, so that `MPRV`, which `mret` leaves as it is on the way to machine mode,
    /// then speaks of user mode (RISC-V Privileged 20240411, 3.1.6.1 and 3.1.6.3).
    pub fn mstatus(self) -> u32 {
        match self {
            Mode::User => 0,
            Mode::Machine => 3 << 11,
            Mode::MachineAsUser => 3 << 11 | 1 << 17,
        }
    }

    fn ecall(self) -> u32 {
        if self == Mode::User { 8 } else { 11 }
    }
}

/// Something that is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    /// What.
    pub access: Access,
    /// Where.
    pub address: u32,
    /// As whom.
    pub mode: Mode,
    /// What is stored, and what a load's register holds before.
    pub data: u32,
}

/// How it ends: each does by an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// `mcause`.
    pub cause: u32,
    /// `mtval`.
    pub value: u32,
    /// `mepc`.
    pub pc: u32,
    /// The register into which was loaded.
    pub result: u32,
}

/// Codes of exceptions (RISC-V Privileged 20240411, table 14).
mod cause {
    pub const INSTRUCTION_MISALIGNED: u32 = 0;
    pub const INSTRUCTION_ACCESS: u32 = 1;
    pub const ILLEGAL: u32 = 2;
    pub const LOAD_MISALIGNED: u32 = 4;
    pub const LOAD_ACCESS: u32 = 5;
    pub const STORE_MISALIGNED: u32 = 6;
    pub const STORE_ACCESS: u32 = 7;
}

/// Memory and protection as they must be while trials go on.
pub struct Expected<'a> {
    /// The protection.
    pub entries: &'a [Entry],
    /// What the hart can do.
    pub hart: &'a Hart,
    /// The first bytes of the RAM.
    pub memory: Vec<u8>,
}

impl Expected<'_> {
    fn byte(&self, address: u32) -> Option<u8> {
        address.checked_sub(RAM).and_then(|offset| self.memory.get(offset as usize).copied())
    }

    fn may(&self, address: u32, bytes: u32, permission: u8, machine: bool) -> bool {
        let first = u64::from(address);
        permits(self.entries, first..first + u64::from(bytes), permission, machine)
    }

    /// The bytes of a load or store that are reached, lowest address first, then the one that is refused, if any. Of a misaligned access that is handled,
    /// memory protection permits all bytes or none is reached, and memory may refuse those of the second word; any other is done as a whole or not at all.
    fn reached(&self, trial: &Trial, bytes: u32, permission: u8) -> (u32, Option<u32>) {
        let machine = trial.mode == Mode::Machine;
        let exists = |address: u32| self.byte(address).is_some();
        if trial.address.is_multiple_of(bytes) {
            let permitted = self.may(trial.address, bytes, permission, machine);
            let whole = permitted && (trial.address..trial.address + bytes).all(exists);
            return if whole { (bytes, None) } else { (0, Some(trial.address)) };
        }
        let mut places = (0..bytes).map(|k| trial.address + k);
        if let Some(denied) = places.find(|place| !self.may(*place, 1, permission, machine)) {
            return (0, Some(denied));
        }
        let reached = (0..bytes).take_while(|k| exists(trial.address + k)).count() as u32;
        (reached, (reached < bytes).then_some(trial.address + reached))
    }

    fn loaded(&self, address: u32, bytes: u32, signed: bool) -> u32 {
        let value = (0..bytes).rev().fold(0, |value, k| {
            value << 8 | u32::from(self.byte(address + k).expect("what was reached is there"))
        });
        let unused = 32 - 8 * bytes;
        if signed { ((value << unused) as i32 >> unused) as u32 } else { value }
    }

    /// Does what is tried, and says how it ends.
    pub fn take(&mut self, trial: &Trial) -> Outcome {
        let stub = stub(trial.access);
        let (bytes, permission, misaligned, refused) = match trial.access {
            Access::Load { bytes, .. } => (bytes, R, cause::LOAD_MISALIGNED, cause::LOAD_ACCESS),
            Access::Store { bytes } => (bytes, W, cause::STORE_MISALIGNED, cause::STORE_ACCESS),
            Access::Jump => return self.jump(trial, stub.first),
        };
        let fault = |cause, value| Outcome { cause, value, pc: stub.first, result: trial.data };
        if !trial.address.is_multiple_of(bytes) && !self.hart.handles_misaligned {
            return fault(misaligned, trial.address);
        }
        let (reached, stopped) = self.reached(trial, bytes, permission);
        if let Access::Store { .. } = trial.access {
            let offset = trial.address.wrapping_sub(RAM) as usize;
            for k in 0..reached as usize {
                self.memory[offset + k] = trial.data.to_le_bytes()[k];
            }
        }
        if let Some(address) = stopped {
            return fault(refused, address);
        }
        let signed = !matches!(trial.access, Access::Load { signed: false, .. });
        let result = self.loaded(trial.address, bytes, signed);
        Outcome { cause: trial.mode.ecall(), value: 0, pc: stub.ecall, result }
    }

    /// Follows the program that stands in memory: `nop`, `ecall` and the illegal instruction of 16 zeros.
    fn jump(&self, trial: &Trial, from: u32) -> Outcome {
        let machine = trial.mode != Mode::User;
        let ends = |cause, value, pc| Outcome { cause, value, pc, result: trial.data };
        let half = |address: u32| {
            let there = self.may(address, 2, X, machine);
            self.byte(address).filter(|_| there).map(|low| {
                u32::from(self.byte(address + 1).expect("memory has whole words")) << 8 | u32::from(low)
            })
        };
        let mut pc = trial.address & !1;
        if !pc.is_multiple_of(4) && !self.hart.compressed {
            return ends(cause::INSTRUCTION_MISALIGNED, pc, from);
        }
        loop {
            let Some(low) = half(pc) else { return ends(cause::INSTRUCTION_ACCESS, pc, pc) };
            if low & 3 != 3 && self.hart.compressed {
                assert_eq!(low, 0, "memory holds no other instruction of 16 bits");
                return ends(cause::ILLEGAL, 0, pc);
            }
            let Some(high) = half(pc + 2) else { return ends(cause::INSTRUCTION_ACCESS, pc + 2, pc) };
            match high << 16 | low {
                super::NOP => pc += 4,
                super::ECALL => return ends(trial.mode.ecall(), 0, pc),
                other => return ends(cause::ILLEGAL, other, pc),
            }
        }
    }
}
