//! When decode waits for an operand that is not there yet.

use ferrite_hdl::prelude::*;

use super::decode::{Decoded, Unit};
use super::pipeline::{Commit, Execute};

/// What is ahead of the instruction in decode.
pub struct Ahead {
    /// Execute holds an instruction.
    pub x_valid: UInt,
    /// That instruction.
    pub x: Execute<UInt>,
    /// It leaves execute in this cycle.
    pub x_leaves: UInt,
    /// Commit holds an instruction.
    pub c_valid: UInt,
    /// That instruction.
    pub c: Commit<UInt>,
    /// Memory or coprocessor have not answered it.
    pub c_waits: UInt,
}

/// Whether the instruction in decode can go to execute: there is room, its operands are there or will be forwarded, and nothing ahead
/// must be alone.
pub fn ready(m: &Builder, insn: UInt, d: Decoded<UInt>, ahead: Ahead) -> UInt {
    let Ahead { x_valid, x, x_leaves, c_valid, c, c_waits } = ahead;
    wire!(
        m,
        x_is_late =
            concat([Unit::Load, Unit::Multiply, Unit::Csr, Unit::Coprocessor].map(|u| x.d.unit.is(u))).any()
    );
    wire!(
        m,
        x_is_alone = concat([Unit::Csr, Unit::Mret, Unit::Wfi, Unit::FenceI].map(|u| x.d.unit.is(u))).any()
    );
    let reads = |rd: UInt| {
        let rs1 = d.reads_rs1 & insn.slice(15, 5).eq(rd);
        let rs2 = d.reads_rs2 & insn.slice(20, 5).eq(rd);
        rd.any() & (rs1 | rs2)
    };
    wire!(m, waits_for_x = x_valid & ((x_is_late & reads(x.d.rd)) | x_is_alone));
    wire!(m, waits_for_c = c_valid & c_waits & reads(c.rd));
    (!x_valid | x_leaves) & !waits_for_x & !waits_for_c
}
