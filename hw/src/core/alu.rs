//! The arithmetic and logic unit (RISC-V Unprivileged 20240411, 2.4).

use ferrite_hdl::prelude::*;

/// What the ALU computes: bit 30 and `funct3` of the register instructions.
#[derive(Clone, Copy, Debug, Encoding)]
#[allow(missing_docs)] // The instructions' own names.
pub enum AluOp {
    Add = 0b0000,
    Sll = 0b0001,
    Slt = 0b0010,
    Sltu = 0b0011,
    Xor = 0b0100,
    Srl = 0b0101,
    Or = 0b0110,
    And = 0b0111,
    Sub = 0b1000,
    Sra = 0b1101,
}

/// Inputs of the ALU.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct AluIn<T> {
    /// What to compute.
    pub op: T,
    /// First operand.
    pub a: T,
    /// Second operand.
    pub b: T,
}

/// Output of the ALU.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct AluOut<T> {
    /// The result.
    pub result: T,
}

/// The ALU. Combinational.
#[module]
pub struct Alu {}

impl Module for Alu {
    type In = AluIn<UInt>;
    type Out = AluOut<UInt>;

    fn inputs(&self) -> AluIn<Shape> {
        AluIn { op: AluOp::shape(), a: bits(32), b: bits(32) }
    }
    fn outputs(&self) -> AluOut<Shape> {
        AluOut { result: bits(32) }
    }
    fn build(&self, m: &Builder, i: AluIn<UInt>) -> AluOut<UInt> {
        let AluIn { op, a, b } = i;
        wire!(m, amount = b.slice(0, 5));
        wire!(m, less = a.signed().lt(b.signed()));
        wire!(m, less_unsigned = a.lt(b));
        let result = m.wire("result", 32);
        result.set(a.wrapping_add(b));
        m.switch(op, |s| {
            s.case(AluOp::Sub, || result.set(a.wrapping_sub(b)));
            s.case(AluOp::Sll, || result.set(a << amount));
            s.case(AluOp::Slt, || result.set(less.extend(32)));
            s.case(AluOp::Sltu, || result.set(less_unsigned.extend(32)));
            s.case(AluOp::Xor, || result.set(a ^ b));
            s.case(AluOp::Srl, || result.set(a >> amount));
            s.case(AluOp::Sra, || result.set((a.signed() >> amount).unsigned()));
            s.case(AluOp::Or, || result.set(a | b));
            s.case(AluOp::And, || result.set(a & b));
        });
        AluOut { result }
    }
}
