//! Random steps of 16-bit instructions.

use super::random::Random;
use ferrite_model::isa::{Asm, CFormat, Compressed, Inst, Op, decode_compressed, is_compressed, reg::*};

/// Registers that belong to the test program.
const RESERVED: [ferrite_model::isa::Reg; 3] = [SP, GP, T6];

/// One step: a computation, an access to the scratch memory, a jump, or a half-word that is no instruction.
pub fn step(asm: &mut Asm, random: &mut Random) {
    match random.below(20) {
        0..12 => {
            let half = computation(random);
            asm.half(half);
        }
        12..15 => memory(asm, random),
        15..19 => jump(asm, random),
        _ => {
            let half = undefined(random);
            asm.half(half);
        }
    }
}

/// An instruction, or a hint, that only computes.
fn computation(random: &mut Random) -> u16 {
    use CFormat::*;
    loop {
        let half = random.word() as u16;
        let computes = |inst: &Compressed| {
            !matches!(
                inst.op.spec().format,
                Load | Store | Jump | Branch | LoadSp | StoreSp | Register | Bare | Addi16sp
            )
        };
        let free = |inst: &Compressed| !RESERVED.contains(&inst.expand().rd);
        if decode_compressed(half).filter(computes).is_some_and(|inst| free(&inst)) {
            return half;
        }
    }
}

fn undefined(random: &mut Random) -> u16 {
    loop {
        let half = random.word() as u16;
        if is_compressed(half) && decode_compressed(half).is_none() {
            return half;
        }
    }
}

fn memory(asm: &mut Asm, random: &mut Random) {
    let narrow = [S0, S1, A0, A1, A2, A3, A4, A5];
    let (base, data, imm) = (random.pick(&narrow), random.pick(&narrow), 4 * random.below(32) as i32);
    asm.addi(base, GP, 4 * (random.below(8) as i32));
    match random.below(3) {
        0 => asm.c_lw(data, imm, base),
        1 => asm.c_sw(data, imm, base),
        _ => {
            let rd = random.destination();
            // The log of traps lies below the stack pointer; above it are zeros or the scratch memory.
            if rd != ZERO {
                asm.c_lwsp(rd, imm);
            }
        }
    }
}

fn jump(asm: &mut Asm, random: &mut Random) {
    let target = asm.local();
    let test = random.pick(&[S0, S1, A0, A1, A2, A3, A4, A5]);
    match random.below(6) {
        0 => asm.c_beqz(test, target),
        1 => asm.c_bnez(test, target),
        2 => asm.c_j(target),
        3 => asm.c_jal(target),
        way => {
            asm.la(A7, target);
            if way == 4 { asm.c_jr(A7) } else { asm.c_jalr(A7) }
        }
    }
    for _ in 0..random.below(4) {
        let half = computation(random);
        asm.half(half);
        if random.below(2) == 0 {
            let (rd, rs1) = (random.destination(), random.source());
            asm.inst(Inst { rd, rs1, imm: 1, ..Inst::new(Op::Addi) });
        }
    }
    asm.bind(target);
}
