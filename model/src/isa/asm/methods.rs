//! One method per instruction, made from the table.

use super::{Asm, Label};
use crate::isa::inst::Inst;
use crate::isa::reg::Reg;
use crate::isa::table::{Op, for_each_instruction};

macro_rules! define_method {
    ($method:ident $op:ident $mnemonic:literal Reg) => {
        define_method! { @ $method $op $mnemonic (rd: Reg, rs1: Reg, rs2: Reg) "rd, rs1, rs2" }
    };
    ($method:ident $op:ident $mnemonic:literal Unary) => {
        define_method! { @ $method $op $mnemonic (rd: Reg, rs1: Reg) "rd, rs1" }
    };
    ($method:ident $op:ident $mnemonic:literal Imm) => {
        define_method! { @ $method $op $mnemonic (rd: Reg, rs1: Reg, imm: i32) "rd, rs1, imm" }
    };
    ($method:ident $op:ident $mnemonic:literal Shift) => {
        define_method! { @ $method $op $mnemonic (rd: Reg, rs1: Reg, imm: i32) "rd, rs1, shamt" }
    };
    ($method:ident $op:ident $mnemonic:literal Load) => {
        define_method! { @ $method $op $mnemonic (rd: Reg, imm: i32, rs1: Reg) "rd, imm(rs1)" }
    };
    ($method:ident $op:ident $mnemonic:literal Jalr) => {
        define_method! { @ $method $op $mnemonic (rd: Reg, imm: i32, rs1: Reg) "rd, imm(rs1)" }
    };
    ($method:ident $op:ident $mnemonic:literal Store) => {
        define_method! { @ $method $op $mnemonic (rs2: Reg, imm: i32, rs1: Reg) "rs2, imm(rs1)" }
    };
    ($method:ident $op:ident $mnemonic:literal U) => {
        define_method! { @ $method $op $mnemonic (rd: Reg, imm: i32) "rd, imm` (bits 31:12, from 0 to 0xfffff) `" }
    };
    ($method:ident $op:ident $mnemonic:literal Csr) => {
        define_method! { @ $method $op $mnemonic (rd: Reg, csr: u16, rs1: Reg) "rd, csr, rs1" }
    };
    ($method:ident $op:ident $mnemonic:literal CsrImm) => {
        define_method! { @ $method $op $mnemonic (rd: Reg, csr: u16, imm: i32) "rd, csr, imm" }
    };
    ($method:ident $op:ident $mnemonic:literal Bare) => { define_method! { @ $method $op $mnemonic () "" } };
    ($method:ident $op:ident $mnemonic:literal FenceI) => { define_method! { @ $method $op $mnemonic () "" } };
    ($method:ident $op:ident $mnemonic:literal TensorBare) => { define_method! { @ $method $op $mnemonic () "" } };
    ($method:ident $op:ident $mnemonic:literal TensorRd) => {
        define_method! { @ $method $op $mnemonic (rd: Reg) "rd" }
    };
    ($method:ident $op:ident $mnemonic:literal TensorRs1) => {
        define_method! { @ $method $op $mnemonic (rs1: Reg) "rs1" }
    };
    ($method:ident $op:ident $mnemonic:literal TensorRs1Rs2) => {
        define_method! { @ $method $op $mnemonic (rs1: Reg, rs2: Reg) "rs1, rs2" }
    };
    ($method:ident $op:ident $mnemonic:literal TensorRdRs1) => {
        define_method! { @ $method $op $mnemonic (rd: Reg, rs1: Reg) "rd, rs1" }
    };
    ($method:ident $op:ident $mnemonic:literal TensorOther) => {
        /// Appends a tensor command with any funct7 (`imm`, 0 to 127).
        pub fn $method(&mut self, imm: i32, rd: Reg, rs1: Reg, rs2: Reg) {
            self.inst(Inst { imm, rd, rs1, rs2, ..Inst::new(Op::$op) });
        }
    };
    ($method:ident $op:ident $mnemonic:literal Fence) => {
        /// Appends a full fence, `fence iorw, iorw`.
        pub fn $method(&mut self) {
            self.inst(Inst { imm: 0xFF, ..Inst::new(Op::$op) });
        }
    };
    ($method:ident $op:ident $mnemonic:literal Branch) => {
        #[doc = concat!("Appends `", $mnemonic, " rs1, rs2, target`.")]
        pub fn $method(&mut self, rs1: Reg, rs2: Reg, target: Label) {
            self.relative(Inst { rs1, rs2, ..Inst::new(Op::$op) }, target);
        }
    };
    ($method:ident $op:ident $mnemonic:literal Jal) => {
        #[doc = concat!("Appends `", $mnemonic, " rd, target`.")]
        pub fn $method(&mut self, rd: Reg, target: Label) {
            self.relative(Inst { rd, ..Inst::new(Op::$op) }, target);
        }
    };
    (@ $method:ident $op:ident $mnemonic:literal ($($operand:ident : $type:ty),*) $text:literal) => {
        #[doc = concat!("Appends `", $mnemonic, " ", $text, "`.")]
        pub fn $method(&mut self, $($operand: $type),*) {
            self.inst(Inst { $($operand,)* ..Inst::new(Op::$op) });
        }
    };
}

macro_rules! define_methods {
    ($($variant:ident $method:ident $mnemonic:literal $format:ident $extension:ident $fixed:expr;)*) => {
        /// One method per instruction of the table.
        impl Asm {
            $(define_method! { $method $variant $mnemonic $format })*
        }
    };
}

for_each_instruction!(define_methods);
