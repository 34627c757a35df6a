//! The record of one executed instruction.

use super::privilege::Privilege;
use super::trap::{Interrupt, Trap};
use crate::isa::{Inst, Reg};

/// What an implementation was seen to do where the model cannot know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// The interrupt that was taken before the instruction, if one was.
    pub interrupt: Option<Interrupt>,
    /// The value written to `rd`; adopted by CSR reads and commands whose result depends on timing, and by loads
    /// for which `load_data` is not given.
    pub rd_value: Option<u32>,
    /// The bytes read by a load, zero-extended, lowest address in bits 7:0; adopted if they depend on timing.
    pub load_data: Option<u32>,
}

/// A load's or store's memory access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryAccess {
    /// Address of the first byte.
    pub address: u32,
    /// Bit `i` set: byte `address + i` was read.
    pub read_mask: u32,
    /// Bit `i` set: byte `address + i` was written.
    pub write_mask: u32,
    /// The bytes read, lowest address in bits 7:0; 0 where not read.
    pub read_data: u32,
    /// The bytes written, likewise.
    pub write_data: u32,
}

/// A CSR instruction's access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CsrAccess {
    /// CSR number.
    pub csr: u16,
    /// Value read, adopted or not.
    pub old: u32,
    /// Value written, before the CSR's own rules; `None` if the instruction writes nothing.
    pub written: Option<u32>,
}

/// One instruction executed, or refused with a trap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retired {
    /// Address of the instruction.
    pub pc: u32,
    /// The mode in which it was executed.
    pub privilege: Privilege,
    /// Its word, or its 16 bits if it is compressed; 0 if it could not be fetched.
    pub word: u32,
    /// Its meaning, for a compressed instruction that of its expansion; `None` if it could not be fetched or is
    /// undefined.
    pub inst: Option<Inst>,
    /// Address of the next instruction: after a trap, of the handler.
    pub next_pc: u32,
    /// Values of the registers in the word's rs1 and rs2 fields, or the expansion's if it is compressed.
    pub rs_values: (u32, u32),
    /// Register written and its value; `None` if none was, or x0.
    pub rd: Option<(Reg, u32)>,
    /// Memory access, if there was one that did not fault.
    pub memory: Option<MemoryAccess>,
    /// CSR access, if there was one.
    pub csr: Option<CsrAccess>,
    /// The exception that the instruction raised.
    pub trap: Option<Trap>,
    /// The interrupt that was taken before this instruction, which is then the handler's first.
    pub interrupt: Option<Interrupt>,
    /// True for the first instruction of a handler, after an exception or an interrupt (RVFI's `intr`).
    pub handler_entry: bool,
    /// True if the result depends on an implementation's timing.
    pub timing: bool,
    /// The value read after its uncertain bits were taken over from [`Observed`]; `None` if nothing was.
    pub adopted: Option<u32>,
}
