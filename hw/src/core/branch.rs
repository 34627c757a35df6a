//! Jumps and branches: whether, and where to (RISC-V Unprivileged 20240411, 2.5).

use ferrite_hdl::prelude::*;

use super::decode::Unit;

/// Inputs of the branch unit.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct BranchIn<T> {
    /// Which kind of instruction.
    pub unit: T,
    /// Which branch.
    pub funct3: T,
    /// Address of the instruction.
    pub pc: T,
    /// Value of rs1.
    pub rs1_value: T,
    /// Value of rs2.
    pub rs2_value: T,
    /// The distance.
    pub imm: T,
    /// The distance counts from rs1, else from the pc.
    pub target_from_rs1: T,
}

/// Outputs of the branch unit.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct BranchOut<T> {
    /// The instruction goes to the target.
    pub taken: T,
    /// Where a jump or branch goes, taken or not.
    pub target: T,
}

/// Compares and finds the target; beside the ALU, whose operand selection would come before the comparison.
/// Combinational.
#[module]
pub struct Branch {}

impl Module for Branch {
    type In = BranchIn<UInt>;
    type Out = BranchOut<UInt>;

    fn inputs(&self) -> BranchIn<Shape> {
        BranchIn {
            unit: Unit::shape(),
            funct3: bits(3),
            pc: bits(32),
            rs1_value: bits(32),
            rs2_value: bits(32),
            imm: bits(32),
            target_from_rs1: bit(),
        }
    }
    fn outputs(&self) -> BranchOut<Shape> {
        BranchOut { taken: bit(), target: bits(32) }
    }
    fn build(&self, m: &Builder, i: BranchIn<UInt>) -> BranchOut<UInt> {
        let (a, b) = (i.rs1_value, i.rs2_value);
        wire!(m, equal = a.eq(b));
        wire!(m, less = i.funct3.bit(1).mux(a.lt(b), a.signed().lt(b.signed())));
        wire!(m, holds = i.funct3.bit(2).mux(less, equal) ^ i.funct3.bit(0));
        wire!(m, sum = i.target_from_rs1.mux(a, i.pc).wrapping_add(i.imm));
        // `jalr` clears bit 0; the other distances are even.
        BranchOut {
            taken: i.unit.is(Unit::Jump) | (i.unit.is(Unit::Branch) & holds),
            target: sum.slice(1, 31).concat(m.constant(Bits::zero(1))),
        }
    }
}
