//! One instruction: decoding, encoding and text.

use std::fmt;
use std::sync::LazyLock;

use thiserror::Error;

use super::compressed::{Compressed, decode_compressed, is_compressed};
use super::csr;
use super::format::Format;
use super::reg::Reg;
use super::table::{Op, TABLE};

/// A decoded instruction. Fields that its format does not have are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Inst {
    /// Which instruction.
    pub op: Op,
    /// Destination register.
    pub rd: Reg,
    /// First source register.
    pub rs1: Reg,
    /// Second source register.
    pub rs2: Reg,
    /// Immediate, sign-extended; for `lui` and `auipc` the 20 bits as they stand in the word.
    pub imm: i32,
    /// CSR number, 12 bits.
    pub csr: u16,
}

/// Why an [`Inst`] has no encoding.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EncodeError {
    /// The immediate does not fit its field.
    #[error(
        "`{mnemonic}`: immediate {value} is out of range; it must be from {min} to {max}, a multiple of {step}"
    )]
    Immediate {
        /// The instruction.
        mnemonic: &'static str,
        /// The immediate given.
        value: i32,
        /// Smallest possible value.
        min: i32,
        /// Largest possible value.
        max: i32,
        /// Distance between possible values.
        step: i32,
    },
    /// The CSR number has more than 12 bits.
    #[error("`{mnemonic}`: CSR number {csr:#x} is out of range; it must be below 0x1000")]
    Csr {
        /// The instruction.
        mnemonic: &'static str,
        /// The number given.
        csr: u16,
    },
    /// The register cannot be named in three bits.
    #[error("`{mnemonic}`: register {register} is out of range; it must be one of s0, s1 and a0 to a5")]
    Register {
        /// The instruction.
        mnemonic: &'static str,
        /// The register given.
        register: Reg,
    },
    /// The operands together make a code point that the specification gives another meaning, or none.
    #[error(
        "`{mnemonic}`: with these operands the code point {half:#06x} is reserved or another instruction; an \
         immediate or a register must not be 0"
    )]
    CodePoint {
        /// The instruction.
        mnemonic: &'static str,
        /// What the operands would make.
        half: u16,
    },
}

/// Rows of the table by opcode (bits 6:2) and funct3, so that a decode looks at a handful of rows.
static INDEX: LazyLock<Vec<Vec<Op>>> = LazyLock::new(|| {
    (0..256u32)
        .map(|key| {
            let word = key_word(key);
            let fits = |mask: u32, bits: u32| (word ^ bits) & mask & 0x707F == 0;
            TABLE.iter().filter(|spec| fits(spec.mask, spec.bits)).map(|spec| spec.op).collect()
        })
        .collect()
});

const fn key_word(key: u32) -> u32 {
    (key >> 5) << 12 | (key & 31) << 2 | 3
}

/// The instruction that `word` encodes, or `None` if there is none.
///
/// Reserved fields of `fence` and `fence.i` are ignored (RISC-V Unprivileged 20240411, 2.7 and chapter 6).
/// Whether a CSR exists is not judged here.
pub fn decode(word: u32) -> Option<Inst> {
    if word & 3 != 3 {
        return None;
    }
    let key = (word >> 12 & 7) << 5 | word >> 2 & 31;
    let op = *INDEX[key as usize].iter().find(|op| word & op.spec().mask == op.spec().bits)?;
    let format = op.spec().format;
    let (has_rd, has_rs1, has_rs2) = format.register_fields();
    let register = |has: bool, low: u32| if has { Reg::from_field(word, low) } else { Reg::default() };
    let csr = if matches!(format, Format::Csr | Format::CsrImm) { (word >> 20) as u16 } else { 0 };
    Some(Inst {
        op,
        rd: register(has_rd, 7),
        rs1: register(has_rs1, 15),
        rs2: register(has_rs2, 20),
        imm: format.immediate(word),
        csr,
    })
}

impl Inst {
    /// An instruction with all operands 0, to be completed with struct update syntax.
    pub fn new(op: Op) -> Inst {
        let zero = Reg::default();
        Inst { op, rd: zero, rs1: zero, rs2: zero, imm: 0, csr: 0 }
    }

    /// The instruction's word.
    ///
    /// # Errors
    /// When the immediate or the CSR number does not fit.
    pub fn encode(&self) -> Result<u32, EncodeError> {
        let spec = self.op.spec();
        let format = spec.format;
        format.range().check(spec.mnemonic, self.imm)?;
        if self.csr >= 0x1000 {
            return Err(EncodeError::Csr { mnemonic: spec.mnemonic, csr: self.csr });
        }
        let (has_rd, has_rs1, has_rs2) = format.register_fields();
        let register = |has: bool, reg: Reg, low: u32| if has { reg.number() << low } else { 0 };
        let csr = if matches!(format, Format::Csr | Format::CsrImm) { u32::from(self.csr) << 20 } else { 0 };
        Ok(spec.bits
            | register(has_rd, self.rd, 7)
            | register(has_rs1, self.rs1, 15)
            | register(has_rs2, self.rs2, 20)
            | format.immediate_bits(self.imm)
            | csr)
    }

    /// Text of the instruction at address `pc`: targets of jumps and branches are shown as addresses.
    pub fn at(self, pc: u32) -> InstAt {
        InstAt { inst: self, pc }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, pc: Option<u32>) -> fmt::Result {
        use Format::*;
        let Inst { rd, rs1, rs2, imm, .. } = *self;
        let spec = self.op.spec();
        if spec.format == TensorOther {
            return write!(f, ".insn r 0x0b, 0, {imm:#04x}, {rd}, {rs1}, {rs2}");
        }
        f.write_str(spec.mnemonic)?;
        match spec.format {
            Reg => write!(f, " {rd}, {rs1}, {rs2}"),
            Imm => write!(f, " {rd}, {rs1}, {imm}"),
            Shift => write!(f, " {rd}, {rs1}, {imm:#x}"),
            Load | Jalr => write!(f, " {rd}, {imm}({rs1})"),
            Store => write!(f, " {rs2}, {imm}({rs1})"),
            Branch => write!(f, " {rs1}, {rs2}, {}", Target { pc, offset: imm }),
            U => write!(f, " {rd}, {imm:#x}"),
            Jal => write!(f, " {rd}, {}", Target { pc, offset: imm }),
            Csr => write!(f, " {rd}, {}, {rs1}", CsrName(self.csr)),
            CsrImm => write!(f, " {rd}, {}, {imm}", CsrName(self.csr)),
            Fence => write!(f, " {}, {}", FenceSet(imm >> 4), FenceSet(imm)),
            FenceI | Bare | TensorBare | TensorOther => Ok(()),
            TensorRd => write!(f, " {rd}"),
            TensorRs1 => write!(f, " {rs1}"),
            TensorRs1Rs2 => write!(f, " {rs1}, {rs2}"),
            Unary | TensorRdRs1 => write!(f, " {rd}, {rs1}"),
        }
    }
}

impl fmt::Display for Inst {
    /// Targets of jumps and branches are shown relative to the instruction: `pc+8`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, None)
    }
}

/// An instruction at an address; see [`Inst::at`].
#[derive(Clone, Copy, Debug)]
pub struct InstAt {
    inst: Inst,
    pc: u32,
}

impl fmt::Display for InstAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inst.write(f, Some(self.pc))
    }
}

/// The text of an instruction as it was fetched: 16 bits of `word`, or all 32 where bits 1:0 are 11. Targets are
/// addresses if the `pc` is given. `None` if there is no such instruction.
pub fn disassemble(word: u32, pc: Option<u32>) -> Option<String> {
    struct Text<T>(T, Option<u32>);
    impl fmt::Display for Text<Inst> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.write(f, self.1)
        }
    }
    impl fmt::Display for Text<Compressed> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.write(f, self.1)
        }
    }
    let half = word as u16;
    if is_compressed(half) {
        decode_compressed(half).map(|inst| Text(inst, pc).to_string())
    } else {
        decode(word).map(|inst| Text(inst, pc).to_string())
    }
}

/// A target of a jump or branch: its address, or its distance if the instruction's own address is not known.
pub(super) struct Target {
    pub pc: Option<u32>,
    pub offset: i32,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pc {
            Some(pc) => write!(f, "{:#x}", pc.wrapping_add_signed(self.offset)),
            None => write!(f, "pc{:+}", self.offset),
        }
    }
}

struct CsrName(u16);

impl fmt::Display for CsrName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match csr::name(self.0) {
            Some(name) => f.write_str(name),
            None => write!(f, "{:#05x}", self.0),
        }
    }
}

/// Four bits of a fence: device input, device output, memory reads, memory writes.
struct FenceSet(i32);

impl fmt::Display for FenceSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 & 15 == 0 {
            return f.write_str("0");
        }
        for (bit, letter) in [(8, "i"), (4, "o"), (2, "r"), (1, "w")] {
            if self.0 & bit != 0 {
                f.write_str(letter)?;
            }
        }
        Ok(())
    }
}
