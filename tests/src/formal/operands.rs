//! Where an instruction's operands stand (RISC-V Unprivileged 20240411, 2.2 and 2.3), and what decides its result.

use ferrite_hdl::Operand;
use ferrite_hdl::prelude::*;
use ferrite_model::isa::{Format, Spec};

/// What an instruction works on.
#[derive(Clone, Copy)]
pub struct Operands {
    /// The instruction, 32 bits: a compressed one expanded.
    pub insn: UInt,
    /// Its address.
    pub pc: UInt,
    /// The address behind it.
    pub sequential_pc: UInt,
    /// Value of its rs1.
    pub rs1: UInt,
    /// Value of its rs2.
    pub rs2: UInt,
    /// What a load read, its first byte lowest.
    pub loaded: UInt,
}

/// Whether the instruction is this one.
pub fn matches(insn: UInt, spec: &Spec) -> UInt {
    (insn & Bits::from_u64(32, spec.mask.into())).eq(Operand::from(Bits::from_u64(32, spec.bits.into())))
}

/// A field of the instruction, filled with zeros to a word.
pub fn field(insn: UInt, low: u32, width: u32) -> UInt {
    insn.slice(low, width).extend(32)
}

fn sign_extended(value: UInt) -> UInt {
    value.signed().extend(32).unsigned()
}

impl Operands {
    /// The immediate that instructions of a format have, a word; of those that have none, anything.
    pub fn immediate(&self, m: &Builder, format: Format) -> UInt {
        let insn = self.insn;
        let zeros = |width: u32| m.constant(Bits::zero(width));
        match format {
            Format::Store => sign_extended(insn.slice(25, 7).concat(insn.slice(7, 5))),
            Format::Branch => sign_extended(concat([
                insn.bit(31),
                insn.bit(7),
                insn.slice(25, 6),
                insn.slice(8, 4),
                zeros(1),
            ])),
            Format::U => insn.slice(12, 20).concat(zeros(12)),
            Format::Jal => sign_extended(concat([
                insn.bit(31),
                insn.slice(12, 8),
                insn.bit(20),
                insn.slice(21, 10),
                zeros(1),
            ])),
            Format::Shift => field(insn, 20, 5),
            Format::CsrImm => field(insn, 15, 5),
            _ => sign_extended(insn.slice(20, 12)),
        }
    }

    /// The second operand of an instruction that computes: rs2 or the immediate.
    pub fn second(&self, m: &Builder, format: Format) -> UInt {
        match format {
            Format::Reg => self.rs2,
            format => self.immediate(m, format),
        }
    }
}
