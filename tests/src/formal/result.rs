//! What each instruction writes to its register, as the specification says it (RISC-V Unprivileged 20240411, chapters 2, 13 and 28).

use ferrite_hdl::prelude::*;
use ferrite_model::isa::{Op, Spec};

use super::operands::Operands;
use super::units;

/// The value for rd; nothing for instructions that write none or whose value other checks know (CSRs, the coprocessor).
pub fn result(m: &Builder, spec: &Spec, o: &Operands) -> Option<UInt> {
    let (a, b) = (o.rs1, o.second(m, spec.format));
    let zeros = |width: u32| m.constant(Bits::zero(width));
    let one = || m.constant(Bits::from_u64(32, 1));
    let amount = b.slice(0, 5);
    // 32 - amount, but 0 for an amount of 0.
    let back = zeros(5).wrapping_sub(amount);
    let less = |a: UInt, b: UInt| a.signed().lt(b.signed());
    let part = |width: u32, signed: bool, of: UInt| {
        let part = of.slice(0, width);
        if signed { part.signed().extend(32).unsigned() } else { part.extend(32) }
    };
    let shifted_sum = |by: u32| (a << by).wrapping_add(b);
    Some(match spec.op {
        Op::Lui => b,
        Op::Auipc => o.pc.wrapping_add(b),
        Op::Jal | Op::Jalr => o.sequential_pc,
        Op::Lb => part(8, true, o.loaded),
        Op::Lh => part(16, true, o.loaded),
        Op::Lw => o.loaded,
        Op::Lbu => part(8, false, o.loaded),
        Op::Lhu => part(16, false, o.loaded),
        Op::Addi | Op::Add => a.wrapping_add(b),
        Op::Sub => a.wrapping_sub(b),
        Op::Slti | Op::Slt => less(a, b).extend(32),
        Op::Sltiu | Op::Sltu => a.lt(b).extend(32),
        Op::Xori | Op::Xor => a ^ b,
        Op::Ori | Op::Or => a | b,
        Op::Andi | Op::And => a & b,
        Op::Slli | Op::Sll => a << amount,
        Op::Srli | Op::Srl => a >> amount,
        Op::Srai | Op::Sra => (a.signed() >> amount).unsigned(),
        Op::Mul | Op::Mulh | Op::Mulhsu | Op::Mulhu => {
            units::instead_of_product(m, o.insn.slice(12, 3), a, b)
        }
        Op::Div | Op::Divu | Op::Rem | Op::Remu => units::instead_of_quotient(m, o.insn.slice(12, 3), a, b),
        Op::Sh1add => shifted_sum(1),
        Op::Sh2add => shifted_sum(2),
        Op::Sh3add => shifted_sum(3),
        Op::Andn => a & !b,
        Op::Orn => a | !b,
        Op::Xnor => !(a ^ b),
        Op::Clz => leading_zeros(m, a.to_bits().into_iter().rev().collect()),
        Op::Ctz => leading_zeros(m, a.to_bits()),
        Op::Cpop => a.to_bits().into_iter().fold(zeros(32), |sum, bit| sum.wrapping_add(bit.extend(32))),
        Op::SextB => part(8, true, a),
        Op::SextH => part(16, true, a),
        Op::ZextH => part(16, false, a),
        Op::Min => less(a, b).mux(a, b),
        Op::Minu => a.lt(b).mux(a, b),
        Op::Max => less(a, b).mux(b, a),
        Op::Maxu => a.lt(b).mux(b, a),
        Op::Rol => (a << amount) | (a >> back),
        Op::Ror | Op::Rori => (a >> amount) | (a << back),
        Op::OrcB => concat((0..4).rev().map(|byte| a.slice(8 * byte, 8).any().repeat(8))),
        Op::Rev8 => concat((0..4).map(|byte| a.slice(8 * byte, 8))),
        Op::Bclr | Op::Bclri => a & !(one() << amount),
        Op::Bext | Op::Bexti => (a >> amount) & one(),
        Op::Binv | Op::Binvi => a ^ (one() << amount),
        Op::Bset | Op::Bseti => a | (one() << amount),
        _ => return None,
    })
}

/// How many zeros there are before the first one.
fn leading_zeros(m: &Builder, bits: Vec<UInt>) -> UInt {
    let none = m.constant(Bits::from_u64(32, bits.len() as u64));
    bits.into_iter().enumerate().rev().fold(none, |count, (place, bit)| bit.mux(place as u64, count))
}
