//! Jumps and branches: whether, where to, and whether fetch guessed it (RISC-V Unprivileged 20240411, 2.5).

use ferrite_hdl::prelude::*;

/// Inputs of the branch unit.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct BranchIn<T> {
    /// The instruction is a jump.
    pub is_jump: T,
    /// The instruction is a branch.
    pub is_branch: T,
    /// Which branch.
    pub funct3: T,
    /// Value of rs1.
    pub rs1_value: T,
    /// Value of rs2.
    pub rs2_value: T,
    /// rs1 is less than rs2, both without sign.
    pub less_unsigned: T,
    /// As the branch compares, it is the other way round.
    pub flips: T,
    /// Fetch went on at a target.
    pub predicted: T,
    /// That was not the target of this instruction.
    pub elsewhere: T,
    /// It is a jump, and that was its target if the operands are equal. `funct3` is 0.
    pub checks_target: T,
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
///
/// The comparison comes last: everything else is prepared for both of its outcomes.
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
            is_jump: bit(),
            is_branch: bit(),
            funct3: bits(3),
            rs1_value: bits(32),
            rs2_value: bits(32),
            less_unsigned: bit(),
            flips: bit(),
            predicted: bit(),
            elsewhere: bit(),
            checks_target: bit(),
        }
    }
    fn outputs(&self) -> BranchOut<Shape> {
        BranchOut { taken: bit(), mispredicted: bit() }
    }
    fn build(&self, m: &Builder, i: BranchIn<UInt>) -> BranchOut<UInt> {
        let BranchIn { is_jump, is_branch, .. } = i;
        wire!(m, greater = above(m, i.rs1_value, i.rs2_value));
        wire!(m, compared = i.less_unsigned | (!i.funct3.bit(2) & greater));
        // What has been compared is "less" or "not equal"; an even `funct3` asks for "less" or "equal".
        wire!(m, inverts = (i.funct3.bit(2) & i.flips) ^ i.funct3.bit(0) ^ !i.funct3.bit(2));
        wire!(m, taken = is_jump | (is_branch & (compared ^ inverts)));
        if !self.predicts {
            return BranchOut { taken, mispredicted: taken };
        }
        wire!(m, anyhow = i.elsewhere | (!is_branch & (is_jump ^ i.predicted)));
        wire!(m, expects = inverts ^ i.predicted);
        BranchOut { taken, mispredicted: anyhow | ((is_branch | i.checks_target) & (compared ^ expects)) }
    }
}

/// Whether two numbers differ. Two carry chains tell sooner than a tree of LUTs does.
pub fn differ(m: &Builder, a: UInt, b: UInt) -> UInt {
    a.lt(b) | above(m, a, b)
}

/// Whether a > b, without sign, and with a carry chain of its own: of a plain `b < a` beside `a < b`, Yosys makes a chain and a tree. The
/// additional lowest bits change nothing, and nothing can be shared.
fn above(m: &Builder, a: UInt, b: UInt) -> UInt {
    b.concat(m.constant(Bits::ones(1))).lt(a.concat(m.constant(Bits::zero(1))))
}
