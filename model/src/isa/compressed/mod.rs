//! 16-bit instructions: decoding, encoding, text, and the 32-bit instruction that each stands for.

mod format;
mod table;

use std::fmt;
use std::sync::LazyLock;

pub use format::CFormat;
pub(super) use table::for_each_compressed;
pub use table::{COMPRESSED_TABLE, COp, CSpec, Operands};

use super::inst::{EncodeError, Inst, Target};
use super::reg::{RA, Reg, SP, ZERO};
use super::table::Op;

/// A decoded 16-bit instruction. Fields that its format does not have are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Compressed {
    /// Which instruction.
    pub op: COp,
    /// Destination register, which two-operand forms read as well.
    pub rd: Reg,
    /// First source register.
    pub rs1: Reg,
    /// Second source register.
    pub rs2: Reg,
    /// Immediate, as it is used; for `c.lui` the value of bits 31:12, sign-extended.
    pub imm: i32,
}

/// True if the half-word is an instruction or the reserved code point of one, and not the first half of a longer
/// instruction (RISC-V Unprivileged 20240411, 1.5).
pub const fn is_compressed(half: u16) -> bool {
    half & 3 != 3
}

/// What every half-word means, so that a decode is one look.
static MEANINGS: LazyLock<Vec<Option<Compressed>>> = LazyLock::new(|| (0..=u16::MAX).map(search).collect());

/// The 16-bit instruction that `half` encodes, HINTs included. `None` if the code point is reserved, designated for
/// custom use, belongs to an extension that is not there (floating point, Zcb, Zcmop), or begins a longer instruction.
pub fn decode_compressed(half: u16) -> Option<Compressed> {
    MEANINGS[usize::from(half)]
}

fn search(half: u16) -> Option<Compressed> {
    let spec = COMPRESSED_TABLE.iter().find(|spec| half & spec.mask == spec.bits)?;
    let registers = spec.format.registers();
    let read = |field: Option<format::RegField>| field.map_or(ZERO, |field| field.read(half.into()));
    let inst = Compressed {
        op: spec.op,
        rd: read(registers.rd),
        rs1: read(registers.rs1),
        rs2: read(registers.rs2),
        imm: spec.format.immediate(half.into()),
    };
    (!inst.any_of(spec.reserved)).then_some(inst)
}

impl Compressed {
    /// An instruction with all operands 0, to be completed with struct update syntax.
    pub fn new(op: COp) -> Compressed {
        Compressed { op, rd: ZERO, rs1: ZERO, rs2: ZERO, imm: 0 }
    }

    fn any_of(&self, conditions: &[Operands]) -> bool {
        conditions.iter().any(|condition| match condition {
            Operands::ZeroImm => self.imm == 0,
            Operands::NonzeroImm => self.imm != 0,
            Operands::ZeroRd => self.rd == ZERO,
            Operands::ZeroRs1 => self.rs1 == ZERO,
        })
    }

    /// True if the code point is a HINT: it changes nothing but the pc and the counters.
    pub fn is_hint(&self) -> bool {
        self.any_of(self.op.spec().hint)
    }

    /// The instruction's half-word.
    ///
    /// # Errors
    /// When an operand does not fit, or the operands together make a code point that means something else or nothing.
    pub fn encode(&self) -> Result<u16, EncodeError> {
        let spec = self.op.spec();
        let range = spec.format.range();
        let mnemonic = spec.mnemonic;
        range.check(mnemonic, self.imm)?;
        let registers = spec.format.registers();
        let mut bits = u32::from(spec.bits) | spec.format.immediate_bits(self.imm);
        for (field, reg) in [(registers.rd, self.rd), (registers.rs1, self.rs1), (registers.rs2, self.rs2)] {
            let Some(field) = field else { continue };
            if field.narrow && !(8..16).contains(&reg.number()) {
                return Err(EncodeError::Register { mnemonic, register: reg });
            }
            bits |= field.bits(reg);
        }
        let half = bits as u16;
        match decode_compressed(half) {
            Some(inst) if inst.op == self.op => Ok(half),
            _ => Err(EncodeError::CodePoint { mnemonic, half }),
        }
    }

    /// The 32-bit instruction that does the same (Unprivileged 20240411, 27.2 to 27.5).
    pub fn expand(&self) -> Inst {
        let Compressed { op, rd, rs1, rs2, imm } = *self;
        let two_operands = |op| Inst { rd, rs1: rd, rs2, ..Inst::new(op) };
        let with_imm = |op, rs1| Inst { rd, rs1, imm, ..Inst::new(op) };
        match op {
            COp::CAddi4spn => with_imm(Op::Addi, SP),
            COp::CLw => with_imm(Op::Lw, rs1),
            COp::CSw => Inst { rs1, rs2, imm, ..Inst::new(Op::Sw) },
            COp::CNop | COp::CAddi => with_imm(Op::Addi, rd),
            COp::CJal => Inst { rd: RA, imm, ..Inst::new(Op::Jal) },
            COp::CLi => with_imm(Op::Addi, ZERO),
            COp::CAddi16sp => Inst { rd: SP, rs1: SP, imm, ..Inst::new(Op::Addi) },
            COp::CLui => Inst { rd, imm: imm & 0xF_FFFF, ..Inst::new(Op::Lui) },
            COp::CSrli => with_imm(Op::Srli, rd),
            COp::CSrai => with_imm(Op::Srai, rd),
            COp::CAndi => with_imm(Op::Andi, rd),
            COp::CSub => two_operands(Op::Sub),
            COp::CXor => two_operands(Op::Xor),
            COp::COr => two_operands(Op::Or),
            COp::CAnd => two_operands(Op::And),
            COp::CJ => Inst { imm, ..Inst::new(Op::Jal) },
            COp::CBeqz => Inst { rs1, imm, ..Inst::new(Op::Beq) },
            COp::CBnez => Inst { rs1, imm, ..Inst::new(Op::Bne) },
            COp::CSlli => with_imm(Op::Slli, rd),
            COp::CLwsp => with_imm(Op::Lw, SP),
            COp::CJr => Inst { rs1, ..Inst::new(Op::Jalr) },
            COp::CMv => Inst { rd, rs2, ..Inst::new(Op::Add) },
            COp::CEbreak => Inst::new(Op::Ebreak),
            COp::CJalr => Inst { rd: RA, rs1, ..Inst::new(Op::Jalr) },
            COp::CAdd => two_operands(Op::Add),
            COp::CSwsp => Inst { rs1: SP, rs2, imm, ..Inst::new(Op::Sw) },
        }
    }

    pub(super) fn write(&self, f: &mut fmt::Formatter<'_>, pc: Option<u32>) -> fmt::Result {
        use CFormat::*;
        let Compressed { rd, rs1, rs2, imm, .. } = *self;
        let spec = self.op.spec();
        f.write_str(spec.mnemonic)?;
        let target = Target { pc, offset: imm };
        match spec.format {
            Addi4spn => write!(f, " {rd}, {SP}, {imm}"),
            Load => write!(f, " {rd}, {imm}({rs1})"),
            Store => write!(f, " {rs2}, {imm}({rs1})"),
            Nop if imm == 0 => Ok(()),
            Nop => write!(f, " {imm}"),
            Imm | NarrowImm => write!(f, " {rd}, {imm}"),
            Lui => write!(f, " {rd}, {:#x}", imm & 0xF_FFFF),
            Addi16sp => write!(f, " {SP}, {imm}"),
            Jump => write!(f, " {target}"),
            Branch => write!(f, " {rs1}, {target}"),
            NarrowShift | Shift => write!(f, " {rd}, {imm:#x}"),
            NarrowPair | Pair => write!(f, " {rd}, {rs2}"),
            LoadSp => write!(f, " {rd}, {imm}({SP})"),
            StoreSp => write!(f, " {rs2}, {imm}({SP})"),
            Register => write!(f, " {rs1}"),
            Bare => Ok(()),
        }
    }
}

impl fmt::Display for Compressed {
    /// Targets of jumps and branches are shown relative to the instruction: `pc+8`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, None)
    }
}
