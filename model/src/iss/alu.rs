//! Register-to-register arithmetic (RISC-V Unprivileged 20240411, 2.4, chapters 13 and 28).

use crate::isa::Op;

/// The result of a computational instruction; `b` is rs2 or the immediate. `None` for any other instruction.
pub(super) fn compute(op: Op, a: u32, b: u32) -> Option<u32> {
    let (signed_a, signed_b) = (a as i32, b as i32);
    Some(match op {
        Op::Add | Op::Addi => a.wrapping_add(b),
        Op::Sub => a.wrapping_sub(b),
        Op::Sll | Op::Slli => a << (b & 31),
        Op::Srl | Op::Srli => a >> (b & 31),
        Op::Sra | Op::Srai => (signed_a >> (b & 31)) as u32,
        Op::Slt | Op::Slti => u32::from(signed_a < signed_b),
        Op::Sltu | Op::Sltiu => u32::from(a < b),
        Op::Xor | Op::Xori => a ^ b,
        Op::Or | Op::Ori => a | b,
        Op::And | Op::Andi => a & b,
        Op::Mul => a.wrapping_mul(b),
        Op::Mulh => ((i64::from(signed_a) * i64::from(signed_b)) >> 32) as u32,
        Op::Mulhsu => ((i64::from(signed_a) * i64::from(b)) >> 32) as u32,
        Op::Mulhu => ((u64::from(a) * u64::from(b)) >> 32) as u32,
        // Division by zero and overflow have results and raise nothing (13.2, "Semantics for division by zero and division overflow").
        Op::Div if b == 0 => u32::MAX,
        Op::Div => signed_a.wrapping_div(signed_b) as u32,
        Op::Divu => a.checked_div(b).unwrap_or(u32::MAX),
        Op::Rem if b == 0 => a,
        Op::Rem => signed_a.wrapping_rem(signed_b) as u32,
        Op::Remu => a.checked_rem(b).unwrap_or(a),
        _ => return bit_manipulation(op, a, b),
    })
}

/// Zba, Zbb and Zbs (Unprivileged 20240411, 28.5); `b` is rs2 or the shift amount.
fn bit_manipulation(op: Op, a: u32, b: u32) -> Option<u32> {
    let bit = 1 << (b & 31);
    Some(match op {
        Op::Sh1add => (a << 1).wrapping_add(b),
        Op::Sh2add => (a << 2).wrapping_add(b),
        Op::Sh3add => (a << 3).wrapping_add(b),
        Op::Andn => a & !b,
        Op::Orn => a | !b,
        Op::Xnor => !(a ^ b),
        Op::Clz => a.leading_zeros(),
        Op::Ctz => a.trailing_zeros(),
        Op::Cpop => a.count_ones(),
        Op::SextB => a as i8 as u32,
        Op::SextH => a as i16 as u32,
        Op::ZextH => a & 0xFFFF,
        Op::Min => (a as i32).min(b as i32) as u32,
        Op::Minu => a.min(b),
        Op::Max => (a as i32).max(b as i32) as u32,
        Op::Maxu => a.max(b),
        Op::Rol => a.rotate_left(b & 31),
        Op::Ror | Op::Rori => a.rotate_right(b & 31),
        Op::OrcB => u32::from_le_bytes(a.to_le_bytes().map(|byte| if byte == 0 { 0 } else { 0xFF })),
        Op::Rev8 => a.swap_bytes(),
        Op::Bclr | Op::Bclri => a & !bit,
        Op::Bext | Op::Bexti => u32::from(a & bit != 0),
        Op::Binv | Op::Binvi => a ^ bit,
        Op::Bset | Op::Bseti => a | bit,
        _ => return None,
    })
}

/// Whether a branch is taken; `None` for any other instruction.
pub(super) fn branch_taken(op: Op, a: u32, b: u32) -> Option<bool> {
    Some(match op {
        Op::Beq => a == b,
        Op::Bne => a != b,
        Op::Blt => (a as i32) < b as i32,
        Op::Bge => a as i32 >= b as i32,
        Op::Bltu => a < b,
        Op::Bgeu => a >= b,
        _ => return None,
    })
}
