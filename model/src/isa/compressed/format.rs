//! Operand formats of the 16-bit instructions (RISC-V Unprivileged 20240411, 27.2 to 27.5).

use crate::isa::format::Range;
use crate::isa::reg::Reg;

/// The operands of a 16-bit instruction, in the order of assembly text. Narrow registers are `s0`, `s1` and `a0` to `a5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CFormat {
    /// `rd, sp, imm`: narrow `rd`; 10 bits, unsigned, a multiple of 4.
    Addi4spn,
    /// `rd, imm(rs1)`: narrow registers; 7 bits, unsigned, a multiple of 4.
    Load,
    /// `rs2, imm(rs1)`: likewise.
    Store,
    /// No operands, or an immediate of 6 bits that makes a HINT.
    Nop,
    /// `rd, imm`: 6 bits, signed.
    Imm,
    /// `rd, imm`: 6 bits, signed, for bits 31:12.
    Lui,
    /// `sp, imm`: 10 bits, signed, a multiple of 16.
    Addi16sp,
    /// `target`: 12 bits, signed, even.
    Jump,
    /// `rs1, target`: narrow `rs1`; 9 bits, signed, even.
    Branch,
    /// `rd, shamt`: narrow `rd`; 5 bits, unsigned.
    NarrowShift,
    /// `rd, imm`: narrow `rd`; 6 bits, signed.
    NarrowImm,
    /// `rd, rs2`: narrow registers.
    NarrowPair,
    /// `rd, shamt`: 5 bits, unsigned.
    Shift,
    /// `rd, imm(sp)`: 8 bits, unsigned, a multiple of 4.
    LoadSp,
    /// `rs2, imm(sp)`: likewise.
    StoreSp,
    /// `rs1`
    Register,
    /// `rd, rs2`, the latter not `x0`.
    Pair,
    /// No operands.
    Bare,
}

/// A register field: where it stands, and whether it has 3 bits for `x8` to `x15` or 5 for all.
#[derive(Clone, Copy)]
pub(super) struct RegField {
    low: u32,
    pub narrow: bool,
}

impl RegField {
    const fn wide(low: u32) -> Option<RegField> {
        Some(RegField { low, narrow: false })
    }

    const fn narrow(low: u32) -> Option<RegField> {
        Some(RegField { low, narrow: true })
    }

    pub const fn read(self, half: u32) -> Reg {
        let wide = if self.narrow { half >> self.low & 7 | 8 } else { half >> self.low };
        Reg::from_field(wide, 0)
    }

    pub const fn bits(self, reg: Reg) -> u32 {
        (if self.narrow { reg.number() & 7 } else { reg.number() }) << self.low
    }
}

/// The register fields of a format.
pub(super) struct RegFields {
    pub rd: Option<RegField>,
    pub rs1: Option<RegField>,
    pub rs2: Option<RegField>,
}

/// A stretch of the immediate: its lowest bit, its width, and its lowest bit in the instruction.
type Stretch = (u32, u32, u32);

impl CFormat {
    pub(super) const fn registers(self) -> RegFields {
        use CFormat::*;
        const NONE: RegFields = RegFields { rd: None, rs1: None, rs2: None };
        match self {
            Addi4spn => RegFields { rd: RegField::narrow(2), ..NONE },
            Load => RegFields { rd: RegField::narrow(2), rs1: RegField::narrow(7), rs2: None },
            Store => RegFields { rd: None, rs1: RegField::narrow(7), rs2: RegField::narrow(2) },
            Imm | Lui | Shift | LoadSp => RegFields { rd: RegField::wide(7), ..NONE },
            Branch => RegFields { rs1: RegField::narrow(7), ..NONE },
            NarrowShift | NarrowImm => RegFields { rd: RegField::narrow(7), ..NONE },
            NarrowPair => RegFields { rd: RegField::narrow(7), rs1: None, rs2: RegField::narrow(2) },
            StoreSp => RegFields { rs2: RegField::wide(2), ..NONE },
            Register => RegFields { rs1: RegField::wide(7), ..NONE },
            Pair => RegFields { rd: RegField::wide(7), rs1: None, rs2: RegField::wide(2) },
            Nop | Addi16sp | Jump | Bare => NONE,
        }
    }

    /// Where the immediate's bits stand, and whether it is signed.
    const fn stretches(self) -> (&'static [Stretch], bool) {
        use CFormat::*;
        match self {
            Addi4spn => (&[(4, 2, 11), (6, 4, 7), (2, 1, 6), (3, 1, 5)], false),
            Load | Store => (&[(3, 3, 10), (2, 1, 6), (6, 1, 5)], false),
            Nop | Imm | Lui | NarrowImm => (&[(5, 1, 12), (0, 5, 2)], true),
            Addi16sp => (&[(9, 1, 12), (4, 1, 6), (6, 1, 5), (7, 2, 3), (5, 1, 2)], true),
            Jump => {
                const JUMP: &[Stretch] = &[
                    (11, 1, 12),
                    (4, 1, 11),
                    (8, 2, 9),
                    (10, 1, 8),
                    (6, 1, 7),
                    (7, 1, 6),
                    (1, 3, 3),
                    (5, 1, 2),
                ];
                (JUMP, true)
            }
            Branch => (&[(8, 1, 12), (3, 2, 10), (6, 2, 5), (1, 2, 3), (5, 1, 2)], true),
            NarrowShift | Shift => (&[(0, 5, 2)], false),
            LoadSp => (&[(5, 1, 12), (2, 3, 4), (6, 2, 2)], false),
            StoreSp => (&[(2, 4, 9), (6, 2, 7)], false),
            NarrowPair | Register | Pair | Bare => (&[], false),
        }
    }

    /// Bits of the immediate, those below its step included; 0 if there is none.
    fn width(self) -> u32 {
        self.stretches().0.iter().map(|(low, width, _)| low + width).max().unwrap_or(0)
    }

    /// The values that the immediate can take; 0 alone if there is none.
    pub(in crate::isa) fn range(self) -> Range {
        let (stretches, signed) = self.stretches();
        let step = stretches.iter().map(|(low, _, _)| 1 << low).min().unwrap_or(1);
        let span = 1 << self.width();
        let min = if signed { -span / 2 } else { 0 };
        Range { min, max: min + span - step, step }
    }

    pub(super) fn immediate(self, half: u32) -> i32 {
        let (stretches, signed) = self.stretches();
        let bits =
            stretches.iter().fold(0, |imm, &(low, width, at)| imm | (half >> at & ((1 << width) - 1)) << low);
        if !signed {
            return bits as i32;
        }
        let unused = 32 - self.width();
        (bits << unused) as i32 >> unused
    }

    /// The instruction's bits that hold an immediate within [`CFormat::range`].
    pub(in crate::isa) fn immediate_bits(self, imm: i32) -> u32 {
        let bits = imm as u32;
        self.stretches()
            .0
            .iter()
            .fold(0, |half, &(low, width, at)| half | (bits >> low & ((1 << width) - 1)) << at)
    }
}
