//! The table of the 16-bit instructions of RV32 without floating point (RISC-V Unprivileged 20240411, chapter 27 and its
//! "RVC Instruction Set Listings").
//!
//! A row holds: variant of [`COp`], method of [`Asm`](crate::isa::Asm), mnemonic, operand format, the fixed bits (a mask
//! and the value under it), and which of the remaining code points are no instructions or hints.

use super::format::CFormat;

/// Hands every row of the table to the macro `$then`.
macro_rules! for_each_compressed {
    ($then:ident) => {
        $then! {
            CAddi4spn c_addi4spn "c.addi4spn" Addi4spn 0xE003 0x0000 [ZeroImm] [];
            CLw c_lw "c.lw" Load 0xE003 0x4000 [] [];
            CSw c_sw "c.sw" Store 0xE003 0xC000 [] [];

            CNop c_nop "c.nop" Nop 0xEF83 0x0001 [] [NonzeroImm];
            CAddi c_addi "c.addi" Imm 0xE003 0x0001 [] [ZeroImm];
            CJal c_jal "c.jal" Jump 0xE003 0x2001 [] [];
            CLi c_li "c.li" Imm 0xE003 0x4001 [] [ZeroRd];
            CAddi16sp c_addi16sp "c.addi16sp" Addi16sp 0xEF83 0x6101 [ZeroImm] [];
            CLui c_lui "c.lui" Lui 0xE003 0x6001 [ZeroImm] [ZeroRd];
            CSrli c_srli "c.srli" NarrowShift 0xFC03 0x8001 [] [ZeroImm];
            CSrai c_srai "c.srai" NarrowShift 0xFC03 0x8401 [] [ZeroImm];
            CAndi c_andi "c.andi" NarrowImm 0xEC03 0x8801 [] [];
            CSub c_sub "c.sub" NarrowPair 0xFC63 0x8C01 [] [];
            CXor c_xor "c.xor" NarrowPair 0xFC63 0x8C21 [] [];
            COr c_or "c.or" NarrowPair 0xFC63 0x8C41 [] [];
            CAnd c_and "c.and" NarrowPair 0xFC63 0x8C61 [] [];
            CJ c_j "c.j" Jump 0xE003 0xA001 [] [];
            CBeqz c_beqz "c.beqz" Branch 0xE003 0xC001 [] [];
            CBnez c_bnez "c.bnez" Branch 0xE003 0xE001 [] [];

            CSlli c_slli "c.slli" Shift 0xF003 0x0002 [] [ZeroRd ZeroImm];
            CLwsp c_lwsp "c.lwsp" LoadSp 0xE003 0x4002 [ZeroRd] [];
            CJr c_jr "c.jr" Register 0xF07F 0x8002 [ZeroRs1] [];
            CMv c_mv "c.mv" Pair 0xF003 0x8002 [] [ZeroRd];
            CEbreak c_ebreak "c.ebreak" Bare 0xFFFF 0x9002 [] [];
            CJalr c_jalr "c.jalr" Register 0xF07F 0x9002 [] [];
            CAdd c_add "c.add" Pair 0xF003 0x9002 [] [ZeroRd];
            CSwsp c_swsp "c.swsp" StoreSp 0xE003 0xC002 [] [];
        }
    };
}
pub(in crate::isa) use for_each_compressed;

/// A property of a 16-bit instruction's operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operands {
    /// The immediate is 0.
    ZeroImm,
    /// The immediate is not 0.
    NonzeroImm,
    /// `rd` is `x0`.
    ZeroRd,
    /// `rs1` is `x0`.
    ZeroRs1,
}

/// A row of the table of 16-bit instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CSpec {
    /// Which instruction.
    pub op: COp,
    /// Its name in assembly text.
    pub mnemonic: &'static str,
    /// Its operands and where they stand.
    pub format: CFormat,
    /// The bits that are fixed.
    pub mask: u16,
    /// The value of the fixed bits.
    pub bits: u16,
    /// Operands with which the code point is reserved.
    pub reserved: &'static [Operands],
    /// Operands with which the code point is a HINT: it is carried out and changes nothing but the pc.
    pub hint: &'static [Operands],
}

macro_rules! define_table {
    ($($variant:ident $method:ident $mnemonic:literal $format:ident $mask:literal $bits:literal
       [$($reserved:ident)*] [$($hint:ident)*];)*) => {
        /// A 16-bit instruction.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum COp {
            $(#[doc = concat!("`", $mnemonic, "`")] $variant,)*
        }

        /// Every 16-bit instruction, in the order of [`COp`]'s variants. The first row that fits is a code point's meaning.
        pub const COMPRESSED_TABLE: &[CSpec] = &[$(CSpec {
            op: COp::$variant,
            mnemonic: $mnemonic,
            format: CFormat::$format,
            mask: $mask,
            bits: $bits,
            reserved: &[$(Operands::$reserved),*],
            hint: &[$(Operands::$hint),*],
        },)*];
    };
}

for_each_compressed!(define_table);

impl COp {
    /// The instruction's row of the table.
    pub const fn spec(self) -> &'static CSpec {
        &COMPRESSED_TABLE[self as usize]
    }
}
