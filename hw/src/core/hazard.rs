//! When decode waits for an operand that is not there yet.

use ferrite_hdl::prelude::*;

use super::decode::Unit;
use super::pipeline::{Commit, Execute};

/// What is ahead of the instruction in decode.
pub struct Ahead {
    /// Execute holds an instruction.
    pub x_valid: UInt,
    /// That instruction.
    pub x: Execute<UInt>,
    /// If it goes on, it does so in this cycle. Where it does not because fetch is redirected, nothing that follows is wanted.
    pub x_makes_room: UInt,
    /// Commit holds an instruction.
    pub c_valid: UInt,
    /// That instruction.
    pub c: Commit<UInt>,
    /// Its result is not there.
    pub c_waits: UInt,
    /// An interrupt is pending.
    pub interrupt: UInt,
}

/// Why decode waits.
pub struct Hazards {
    /// For the result of an instruction ahead.
    pub operands: UInt,
    /// For an instruction ahead that must be alone, or for all of them so that an interrupt can be taken.
    pub order: UInt,
    /// Execute is empty or will be.
    pub room: UInt,
    /// The instruction can go to execute.
    pub ready: UInt,
}

/// Whether the instruction in decode can go to execute: there is room, its operands are there or will be forwarded, and nothing ahead
/// must be alone.
pub fn judge(m: &Builder, insn: UInt, ahead: Ahead) -> Hazards {
    let Ahead { x_valid, x, x_makes_room, c_valid, c, c_waits, interrupt } = ahead;
    let reads = |rd: UInt| {
        let rs1 = may_read_rs1(insn) & insn.slice(15, 5).eq(rd);
        let rs2 = may_read_rs2(insn) & insn.slice(20, 5).eq(rd);
        rs1 | rs2
    };
    wire!(m, waits_for_x = x_valid & x.kind.is_late & reads(x.d.rd));
    wire!(m, waits_for_c = c_valid & c_waits & c.rd.any() & reads(c.rd));
    // What a CSR instruction lets through is seen one cycle after it has committed, and comes before the next instruction
    // (Privileged 20240411, 3.1.9).
    wire!(m, c_is_csr = c_valid & c.unit.is(Unit::Csr));
    let c_was_csr = m.delay("c_was_csr", c_is_csr);
    wire!(m, waits_for_order = (x_valid & x.kind.is_alone) | c_is_csr | c_was_csr);
    // What lowers an interrupt's line or forbids it is seen one cycle after it has committed.
    let c_was_valid = m.delay("c_was_valid", c_valid);
    wire!(m, waits_for_interrupt = interrupt & (x_valid | c_valid | c_was_valid));
    let operands = waits_for_x | waits_for_c;
    let order = waits_for_order | waits_for_interrupt;
    wire!(m, x_has_room = !x_valid | x_makes_room);
    Hazards { operands, order, room: x_has_room, ready: x_has_room & !operands & !order }
}

/// All instructions but `lui`, `auipc`, `jal` and `fence`. Others that are taken for readers only wait in vain: few bits tell soon.
fn may_read_rs1(insn: UInt) -> UInt {
    !(insn.bit(2) & (insn.bit(3) | insn.bit(4)))
}

/// Branches, stores, register and custom-0 instructions, and those for CSRs, which do not read it.
fn may_read_rs2(insn: UInt) -> UInt {
    !insn.bit(2) & (insn.bit(3) | insn.bit(5))
}
