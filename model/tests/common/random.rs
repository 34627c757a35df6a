//! Random straight-line programs.

use super::{SCRATCH_BYTES, TestProgram, compressed};
use ferrite_model::isa::{Asm, Extension, Format, Inst, Op, Program, Reg, TABLE, csr, decode, reg::*};

/// An address at which nothing answers, in the chip and in QEMU's `virt` machine.
const NOWHERE: u32 = 0x0800_0000;

/// Marsaglia's xorshift64: the same numbers for the same seed, everywhere.
pub struct Random(u64);

impl Random {
    /// A stream of its own for every seed.
    pub fn new(seed: u64) -> Random {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        (0..16).for_each(|_| _ = random.word());
        random
    }

    /// 32 random bits.
    pub fn word(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) as u32
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u32) -> u32 {
        self.word() % bound
    }

    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u32) as usize]
    }

    fn immediate(&mut self) -> i32 {
        match self.below(4) {
            0 => self.pick(&[0, 1, -1, 2047, -2048]),
            _ => self.word() as i32 >> 20,
        }
    }

    /// Values at which arithmetic has its corners, more often than others.
    pub fn value(&mut self) -> i32 {
        match self.below(3) {
            0 => self.pick(&[0, 1, -1, i32::MIN, i32::MAX, 0x8000, 0xFFFF, -0x8000]),
            1 => self.immediate(),
            _ => self.word() as i32,
        }
    }

    pub fn source(&mut self) -> Reg {
        Reg::from_field(self.word(), 0)
    }

    /// Any register but the three that belong to the test program.
    pub fn destination(&mut self) -> Reg {
        loop {
            let reg = self.source();
            if ![SP, GP, T6].contains(&reg) {
                return reg;
            }
        }
    }
}

/// A program of `length` random steps: arithmetic, memory, jumps, CSRs, exceptions.
pub fn program(seed: u64, length: u32) -> Program {
    let random = &mut Random::new(seed);
    let mut test = TestProgram::new(length);
    for reg in Reg::all().filter(|reg| ![ZERO, SP, GP, T6].contains(reg)) {
        test.asm.li(reg, random.value());
    }
    let arithmetic =
        computations(|extension| matches!(extension, Extension::I | Extension::M | Extension::Zifencei));
    for _ in 0..length {
        step(&mut test.asm, random, &arithmetic);
    }
    test.finish()
}

/// The same for a hart with everything: 16-bit instructions and bit manipulation among the others, in machine mode or,
/// where every CSR access is refused, in user mode.
pub fn full_program(seed: u64, length: u32, user_mode: bool) -> Program {
    let random = &mut Random::new(seed);
    let mut test = TestProgram::with_compressed(2 * length);
    if user_mode {
        super::enter_user_mode(&mut test.asm);
    }
    for reg in Reg::all().filter(|reg| ![ZERO, SP, GP, T6].contains(reg)) {
        test.asm.li(reg, random.value());
    }
    let all = computations(|extension| extension != Extension::Tensor);
    let bits =
        computations(|extension| matches!(extension, Extension::Zba | Extension::Zbb | Extension::Zbs));
    for _ in 0..length {
        match random.below(3) {
            0 => compressed::step(&mut test.asm, random),
            1 => {
                let op = random.pick(&bits);
                simple(&mut test.asm, random, op);
            }
            _ => step(&mut test.asm, random, &all),
        }
    }
    test.finish()
}

fn step(asm: &mut Asm, random: &mut Random, arithmetic: &[Op]) {
    match random.below(100) {
        0..50 => {
            let op = random.pick(arithmetic);
            simple(asm, random, op);
        }
        50..60 => {
            let (reg, value) = (random.destination(), random.value());
            asm.li(reg, value);
        }
        60..80 => memory(asm, random),
        80..90 => jump(asm, random),
        90..94 => csr_access(asm, random),
        _ => exception(asm, random),
    }
}

/// The instructions of some extensions that only compute.
fn computations(wanted: impl Fn(Extension) -> bool) -> Vec<Op> {
    use Format::*;
    let plain = |format| matches!(format, Reg | Unary | Imm | Shift | U | Fence | FenceI);
    TABLE.iter().filter(|row| plain(row.format) && wanted(row.extension)).map(|row| row.op).collect()
}

fn simple(asm: &mut Asm, random: &mut Random, op: Op) {
    let (rd, rs1, rs2) = (random.destination(), random.source(), random.source());
    let imm = match op.spec().format {
        Format::Imm => random.immediate(),
        Format::Shift => random.below(32) as i32,
        Format::U => random.below(1 << 20) as i32,
        Format::Fence | Format::FenceI => {
            // The other fields are reserved.
            return asm.inst(Inst { imm: 0xFF, ..Inst::new(Op::Fence) });
        }
        _ => 0,
    };
    let has_rs2 = op.spec().format.reads_rs2();
    asm.inst(Inst { rd, rs1, rs2: if has_rs2 { rs2 } else { ZERO }, imm, ..Inst::new(op) });
}

fn memory(asm: &mut Asm, random: &mut Random) {
    let (op, bytes) = random.pick(&[
        (Op::Lb, 1),
        (Op::Lbu, 1),
        (Op::Lh, 2),
        (Op::Lhu, 2),
        (Op::Lw, 4),
        (Op::Sb, 1),
        (Op::Sh, 2),
        (Op::Sw, 4),
    ]);
    // Few places, so that loads meet earlier stores of other widths.
    let place = if random.below(2) == 0 { random.below(16) } else { random.below(SCRATCH_BYTES) };
    let imm = (place / bytes * bytes) as i32 - SCRATCH_BYTES as i32 / 2;
    let (rd, rs2) = (random.destination(), random.source());
    if op.spec().format == Format::Load {
        asm.inst(Inst { rd, rs1: GP, imm, ..Inst::new(op) });
    } else {
        asm.inst(Inst { rs1: GP, rs2, imm, ..Inst::new(op) });
    }
}

fn jump(asm: &mut Asm, random: &mut Random) {
    let target = asm.local();
    let (rs1, rs2, link) = (random.source(), random.source(), random.destination());
    match random.below(8) {
        0 => asm.beq(rs1, rs2, target),
        1 => asm.bne(rs1, rs2, target),
        2 => asm.blt(rs1, rs2, target),
        3 => asm.bge(rs1, rs2, target),
        4 => asm.bltu(rs1, rs2, target),
        5 => asm.bgeu(rs1, rs2, target),
        6 => asm.jal(link, target),
        _ => {
            let via = loop {
                let reg = random.destination();
                if reg != ZERO {
                    break reg;
                }
            };
            asm.la(via, target);
            // Bit 0 of the sum is dropped.
            asm.jalr(link, random.below(2) as i32, via);
        }
    }
    for _ in 0..random.below(4) {
        let op = random.pick(&[Op::Addi, Op::Xori, Op::Add, Op::Mul, Op::Sltu]);
        simple(asm, random, op);
    }
    asm.bind(target);
}

fn csr_access(asm: &mut Asm, random: &mut Random) {
    let op = random.pick(&[Op::Csrrw, Op::Csrrs, Op::Csrrc, Op::Csrrwi, Op::Csrrsi, Op::Csrrci]);
    let (rd, rs1) = (random.destination(), random.source());
    let by_register = op.spec().format == Format::Csr;
    let imm = if by_register { 0 } else { random.below(32) as i32 };
    // Registers that hold every value, in the chip and in QEMU; the handler overwrites the last one.
    let csr = random.pick(&[csr::MSCRATCH, csr::MTVAL]);
    asm.inst(Inst { rd, rs1: if by_register { rs1 } else { ZERO }, imm, csr, ..Inst::new(op) });
}

fn exception(asm: &mut Asm, random: &mut Random) {
    match random.below(5) {
        0 => asm.ecall(),
        1 => asm.ebreak(),
        2 => asm.word(undefined_word(random)),
        3 => {
            let (via, rd) = (A7, random.destination());
            asm.li(via, (NOWHERE + 4 * random.below(1 << 10)) as i32);
            let imm = 4 * (random.below(16) as i32);
            if random.below(2) == 0 { asm.lw(rd, imm, via) } else { asm.sb(rd, imm, via) }
        }
        _ => {
            let (via, link) = (A7, random.destination());
            let target = asm.local();
            asm.la(via, target);
            asm.bind(target);
            asm.jalr(link, 2, via);
        }
    }
}

/// A 32-bit word that is no instruction. SYSTEM is left out: QEMU has more privileged instructions and CSRs.
fn undefined_word(random: &mut Random) -> u32 {
    const SYSTEM: u32 = 0x73;
    const CUSTOM_0: u32 = 0x0B;
    loop {
        let word = random.word() | 3;
        let opcode = word & 0x7F;
        if opcode != SYSTEM && opcode != CUSTOM_0 && decode(word).is_none() {
            return word;
        }
    }
}
