//! Jumps and branches: whether, where to, and whether fetch guessed it (RISC-V Unprivileged 20240411, 2.5).

use ferrite_hdl::prelude::*;

use super::decode::Unit;

/// Inputs of the branch unit.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct BranchIn<T> {
    /// Which kind of instruction.
    pub unit: T,
    /// Which branch.
    pub funct3: T,
    /// Value of rs1.
    pub rs1_value: T,
    /// Value of rs2.
    pub rs2_value: T,
    /// rs1 is less than rs2, as the branch compares.
    pub less: T,
    /// Where it goes.
    pub target: T,
    /// Fetch went on at a target.
    pub predicted: T,
    /// Where fetch went on.
    pub predicted_pc: T,
}

/// Outputs of the branch unit.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct BranchOut<T> {
    /// The instruction goes to the target.
    pub taken: T,
    /// Fetch went on elsewhere.
    pub mispredicted: T,
}

/// Compares; what it says holds for instructions of every kind. Combinational.
#[module]
pub struct Branch {
    /// Fetch predicts; else it always goes straight on.
    pub predicts: bool,
}

impl Module for Branch {
    type In = BranchIn<UInt>;
    type Out = BranchOut<UInt>;

    fn inputs(&self) -> BranchIn<Shape> {
        BranchIn {
            unit: Unit::shape(),
            funct3: bits(3),
            rs1_value: bits(32),
            rs2_value: bits(32),
            less: bit(),
            target: bits(32),
            predicted: bit(),
            predicted_pc: bits(32),
        }
    }
    fn outputs(&self) -> BranchOut<Shape> {
        BranchOut { taken: bit(), mispredicted: bit() }
    }
    fn build(&self, m: &Builder, i: BranchIn<UInt>) -> BranchOut<UInt> {
        wire!(m, equal = i.rs1_value.eq(i.rs2_value));
        wire!(m, holds = i.funct3.bit(2).mux(i.less, equal) ^ i.funct3.bit(0));
        wire!(m, taken = i.unit.is(Unit::Jump) | (i.unit.is(Unit::Branch) & holds));
        if !self.predicts {
            return BranchOut { taken, mispredicted: taken };
        }
        wire!(m, elsewhere = i.target.slice(1, 31).ne(i.predicted_pc.slice(1, 31)));
        BranchOut { taken, mispredicted: taken.mux(!i.predicted | elsewhere, i.predicted) }
    }
}
