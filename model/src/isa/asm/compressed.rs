//! One method per 16-bit instruction, made from their table.

use super::{Asm, AsmError, Fixup, FixupKind, Label};
use crate::isa::compressed::{COp, Compressed, for_each_compressed};
use crate::isa::reg::Reg;

impl Asm {
    /// An empty program with 16-bit instructions: instructions may stand at any even address.
    pub fn with_compressed(base: u32) -> Asm {
        Asm { compressed: true, ..Asm::new(base) }
    }

    /// Appends a 16-bit instruction; a mistake unless the program was begun with [`Asm::with_compressed`].
    pub fn compressed(&mut self, inst: Compressed) {
        let address = self.address();
        if !self.compressed {
            self.fail(AsmError::NoCompressed { address, mnemonic: inst.op.spec().mnemonic });
        }
        self.check_alignment();
        match inst.encode() {
            Ok(half) => self.half(half),
            Err(source) => {
                self.fail(AsmError::Operand { address, source });
                self.half(0);
            }
        }
    }

    fn compressed_relative(&mut self, inst: Compressed, label: Label) {
        let kind = FixupKind::Compressed(inst.op);
        self.fixups.push(Fixup { offset: self.offset(), label, kind });
        self.compressed(inst);
    }
}

macro_rules! define_method {
    ($method:ident $op:ident $mnemonic:literal Addi4spn) => {
        define_method! { @ $method $op $mnemonic (rd: Reg, imm: i32) "rd, sp, imm" }
    };
    ($method:ident $op:ident $mnemonic:literal Load) => {
        define_method! { @ $method $op $mnemonic (rd: Reg, imm: i32, rs1: Reg) "rd, imm(rs1)" }
    };
    ($method:ident $op:ident $mnemonic:literal Store) => {
        define_method! { @ $method $op $mnemonic (rs2: Reg, imm: i32, rs1: Reg) "rs2, imm(rs1)" }
    };
    ($method:ident $op:ident $mnemonic:literal Imm) => {
        define_method! { @ $method $op $mnemonic (rd: Reg, imm: i32) "rd, imm" }
    };
    ($method:ident $op:ident $mnemonic:literal NarrowImm) => {
        define_method! { @ $method $op $mnemonic (rd: Reg, imm: i32) "rd, imm" }
    };
    ($method:ident $op:ident $mnemonic:literal Lui) => {
        define_method! { @ $method $op $mnemonic (rd: Reg, imm: i32) "rd, imm` (bits 31:12, from -32 to 31) `" }
    };
    ($method:ident $op:ident $mnemonic:literal Addi16sp) => {
        define_method! { @ $method $op $mnemonic (imm: i32) "sp, imm" }
    };
    ($method:ident $op:ident $mnemonic:literal NarrowShift) => {
        define_method! { @ $method $op $mnemonic (rd: Reg, imm: i32) "rd, shamt" }
    };
    ($method:ident $op:ident $mnemonic:literal Shift) => {
        define_method! { @ $method $op $mnemonic (rd: Reg, imm: i32) "rd, shamt" }
    };
    ($method:ident $op:ident $mnemonic:literal NarrowPair) => {
        define_method! { @ $method $op $mnemonic (rd: Reg, rs2: Reg) "rd, rs2" }
    };
    ($method:ident $op:ident $mnemonic:literal Pair) => {
        define_method! { @ $method $op $mnemonic (rd: Reg, rs2: Reg) "rd, rs2" }
    };
    ($method:ident $op:ident $mnemonic:literal LoadSp) => {
        define_method! { @ $method $op $mnemonic (rd: Reg, imm: i32) "rd, imm(sp)" }
    };
    ($method:ident $op:ident $mnemonic:literal StoreSp) => {
        define_method! { @ $method $op $mnemonic (rs2: Reg, imm: i32) "rs2, imm(sp)" }
    };
    ($method:ident $op:ident $mnemonic:literal Register) => {
        define_method! { @ $method $op $mnemonic (rs1: Reg) "rs1" }
    };
    ($method:ident $op:ident $mnemonic:literal Nop) => { define_method! { @ $method $op $mnemonic () "" } };
    ($method:ident $op:ident $mnemonic:literal Bare) => { define_method! { @ $method $op $mnemonic () "" } };
    ($method:ident $op:ident $mnemonic:literal Jump) => {
        #[doc = concat!("Appends `", $mnemonic, " target`.")]
        pub fn $method(&mut self, target: Label) {
            self.compressed_relative(Compressed::new(COp::$op), target);
        }
    };
    ($method:ident $op:ident $mnemonic:literal Branch) => {
        #[doc = concat!("Appends `", $mnemonic, " rs1, target`.")]
        pub fn $method(&mut self, rs1: Reg, target: Label) {
            self.compressed_relative(Compressed { rs1, ..Compressed::new(COp::$op) }, target);
        }
    };
    (@ $method:ident $op:ident $mnemonic:literal ($($operand:ident : $type:ty),*) $text:literal) => {
        #[doc = concat!("Appends `", $mnemonic, " ", $text, "`.")]
        pub fn $method(&mut self, $($operand: $type),*) {
            self.compressed(Compressed { $($operand,)* ..Compressed::new(COp::$op) });
        }
    };
}

macro_rules! define_methods {
    ($($variant:ident $method:ident $mnemonic:literal $format:ident $mask:literal $bits:literal
       [$($reserved:ident)*] [$($hint:ident)*];)*) => {
        /// One method per 16-bit instruction of the table.
        impl Asm {
            $(define_method! { $method $variant $mnemonic $format })*
        }
    };
}

for_each_compressed!(define_methods);
