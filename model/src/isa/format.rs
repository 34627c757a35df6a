//! Operand formats: which operands an instruction has, and where its immediate stands
//! (RISC-V Unprivileged 20240411, 2.2 and 2.3).

use super::inst::EncodeError;

/// The operands of an instruction, in the order of assembly text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// `rd, rs1, rs2`
    Reg,
    /// `rd, rs1`
    Unary,
    /// `rd, rs1, imm`: 12 bits, signed.
    Imm,
    /// `rd, rs1, shamt`: 5 bits, unsigned.
    Shift,
    /// `rd, imm(rs1)`: 12 bits, signed.
    Load,
    /// `rs2, imm(rs1)`: 12 bits, signed.
    Store,
    /// `rs1, rs2, target`: 13 bits, signed, even.
    Branch,
    /// `rd, imm`: 20 bits, unsigned, for bits 31:12.
    U,
    /// `rd, target`: 21 bits, signed, even.
    Jal,
    /// `rd, imm(rs1)`: 12 bits, signed.
    Jalr,
    /// `rd, csr, rs1`
    Csr,
    /// `rd, csr, imm`: 5 bits, unsigned.
    CsrImm,
    /// `pred, succ`; the other fields are reserved and ignored. The immediate is bits 31:20.
    Fence,
    /// No operands; the fields are reserved and ignored. The immediate is bits 31:20.
    FenceI,
    /// No operands, all bits fixed.
    Bare,
    /// No operands; rd, rs1 and rs2 are ignored.
    TensorBare,
    /// `rd`
    TensorRd,
    /// `rs1`
    TensorRs1,
    /// `rs1, rs2`
    TensorRs1Rs2,
    /// `rd, rs1`
    TensorRdRs1,
    /// A command that the tensor unit does not know. The immediate is its funct7.
    TensorOther,
}

/// The immediate's range: smallest, largest, and the step between values.
pub(super) struct Range {
    pub min: i32,
    pub max: i32,
    pub step: i32,
}

impl Range {
    /// An error that names the range if `value` does not lie in it.
    pub fn check(&self, mnemonic: &'static str, value: i32) -> Result<(), EncodeError> {
        let Range { min, max, step } = *self;
        if value < min || value > max || value % step != 0 {
            return Err(EncodeError::Immediate { mnemonic, value, min, max, step });
        }
        Ok(())
    }
}

impl Format {
    /// True if the instruction writes `rd`.
    pub const fn writes_rd(self) -> bool {
        use Format::*;
        matches!(
            self,
            Reg | Unary | Imm | Shift | Load | U | Jal | Jalr | Csr | CsrImm | TensorRd | TensorRdRs1
        )
    }

    /// True if the instruction reads `rs1`.
    pub const fn reads_rs1(self) -> bool {
        use Format::*;
        matches!(
            self,
            Reg | Unary
                | Imm
                | Shift
                | Load
                | Store
                | Branch
                | Jalr
                | Csr
                | TensorRs1
                | TensorRs1Rs2
                | TensorRdRs1
        )
    }

    /// True if the instruction reads `rs2`.
    pub const fn reads_rs2(self) -> bool {
        matches!(self, Format::Reg | Format::Store | Format::Branch | Format::TensorRs1Rs2)
    }

    /// Which of `rd`, `rs1`, `rs2` are fields of the word, read or not.
    pub(super) const fn register_fields(self) -> (bool, bool, bool) {
        use Format::*;
        match self {
            Reg | TensorBare | TensorRd | TensorRs1 | TensorRs1Rs2 | TensorRdRs1 | TensorOther => {
                (true, true, true)
            }
            Unary | Imm | Shift | Load | Jalr | Csr | Fence | FenceI => (true, true, false),
            Store | Branch => (false, true, true),
            U | Jal | CsrImm => (true, false, false),
            Bare => (false, false, false),
        }
    }

    /// The values that the immediate can take; 0 alone if there is none.
    pub(super) const fn range(self) -> Range {
        use Format::*;
        let (min, max, step) = match self {
            Imm | Load | Store | Jalr => (-2048, 2047, 1),
            Shift | CsrImm => (0, 31, 1),
            Branch => (-4096, 4094, 2),
            U => (0, 0xF_FFFF, 1),
            Jal => (-0x10_0000, 0xF_FFFE, 2),
            Fence | FenceI => (0, 0xFFF, 1),
            TensorOther => (0, 0x7F, 1),
            Reg | Unary | Csr | Bare | TensorBare | TensorRd | TensorRs1 | TensorRs1Rs2 | TensorRdRs1 => {
                (0, 0, 1)
            }
        };
        Range { min, max, step }
    }

    /// The immediate of a word.
    pub(super) const fn immediate(self, word: u32) -> i32 {
        use Format::*;
        let signed = word as i32;
        match self {
            Imm | Load | Jalr => signed >> 20,
            Store => signed >> 25 << 5 | field(word, 7, 5, 0) as i32,
            Branch => {
                let low = field(word, 8, 4, 1) | field(word, 25, 6, 5) | field(word, 7, 1, 11);
                signed >> 31 << 12 | low as i32
            }
            Jal => {
                let low = field(word, 21, 10, 1) | field(word, 20, 1, 11) | field(word, 12, 8, 12);
                signed >> 31 << 20 | low as i32
            }
            U => (word >> 12) as i32,
            Shift => field(word, 20, 5, 0) as i32,
            CsrImm => field(word, 15, 5, 0) as i32,
            Fence | FenceI => (word >> 20) as i32,
            TensorOther => (word >> 25) as i32,
            Reg | Unary | Csr | Bare | TensorBare | TensorRd | TensorRs1 | TensorRs1Rs2 | TensorRdRs1 => 0,
        }
    }

    /// The word's bits that hold an immediate within [`Format::range`].
    pub(super) const fn immediate_bits(self, imm: i32) -> u32 {
        use Format::*;
        let imm = imm as u32;
        match self {
            Imm | Load | Jalr | Fence | FenceI | Shift => imm << 20,
            Store => field(imm, 5, 7, 25) | field(imm, 0, 5, 7),
            Branch => {
                field(imm, 12, 1, 31) | field(imm, 5, 6, 25) | field(imm, 1, 4, 8) | field(imm, 11, 1, 7)
            }
            Jal => {
                field(imm, 20, 1, 31) | field(imm, 1, 10, 21) | field(imm, 11, 1, 20) | field(imm, 12, 8, 12)
            }
            U => imm << 12,
            CsrImm => imm << 15,
            TensorOther => imm << 25,
            Reg | Unary | Csr | Bare | TensorBare | TensorRd | TensorRs1 | TensorRs1Rs2 | TensorRdRs1 => 0,
        }
    }
}

/// `width` bits of `word` from bit `from`, moved to bit `to`.
const fn field(word: u32, from: u32, width: u32, to: u32) -> u32 {
    (word >> from & ((1 << width) - 1)) << to
}
