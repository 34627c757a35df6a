//! Pseudo-instructions (RISC-V Assembly Programmer's Manual, "Pseudoinstructions").

use super::{Asm, Label, split};
use crate::isa::inst::Inst;
use crate::isa::reg::{RA, Reg, T1, ZERO};
use crate::isa::table::Op;

impl Asm {
    /// Loads a constant: `addi`, or `lui`, or both.
    pub fn li(&mut self, rd: Reg, value: i32) {
        if (-2048..2048).contains(&value) {
            return self.addi(rd, ZERO, value);
        }
        let (high, low) = split(value as u32);
        self.lui(rd, high);
        if low != 0 {
            self.addi(rd, rd, low);
        }
    }

    /// Loads a label's address: `auipc`, `addi`. Reaches every address.
    pub fn la(&mut self, rd: Reg, label: Label) {
        self.relative_pair(rd, Inst { rd, rs1: rd, ..Inst::new(Op::Addi) }, label);
    }

    /// Calls a function anywhere: `auipc ra`, `jalr ra`.
    pub fn call(&mut self, label: Label) {
        self.relative_pair(RA, Inst { rd: RA, rs1: RA, ..Inst::new(Op::Jalr) }, label);
    }

    /// Jumps anywhere: `auipc t1`, `jalr zero`. Overwrites `t1`.
    pub fn tail(&mut self, label: Label) {
        self.relative_pair(T1, Inst { rd: ZERO, rs1: T1, ..Inst::new(Op::Jalr) }, label);
    }

    /// `addi zero, zero, 0`
    pub fn nop(&mut self) {
        self.addi(ZERO, ZERO, 0);
    }

    /// Copies a register.
    pub fn mv(&mut self, rd: Reg, rs: Reg) {
        self.addi(rd, rs, 0);
    }

    /// Inverts all bits.
    pub fn not(&mut self, rd: Reg, rs: Reg) {
        self.xori(rd, rs, -1);
    }

    /// Negates.
    pub fn neg(&mut self, rd: Reg, rs: Reg) {
        self.sub(rd, ZERO, rs);
    }

    /// 1 if `rs` is 0, else 0.
    pub fn seqz(&mut self, rd: Reg, rs: Reg) {
        self.sltiu(rd, rs, 1);
    }

    /// 1 if `rs` is not 0, else 0.
    pub fn snez(&mut self, rd: Reg, rs: Reg) {
        self.sltu(rd, ZERO, rs);
    }

    /// Branches if `rs` is 0.
    pub fn beqz(&mut self, rs: Reg, target: Label) {
        self.beq(rs, ZERO, target);
    }

    /// Branches if `rs` is not 0.
    pub fn bnez(&mut self, rs: Reg, target: Label) {
        self.bne(rs, ZERO, target);
    }

    /// Branches if `rs` is negative.
    pub fn bltz(&mut self, rs: Reg, target: Label) {
        self.blt(rs, ZERO, target);
    }

    /// Branches if `rs` is 0 or positive.
    pub fn bgez(&mut self, rs: Reg, target: Label) {
        self.bge(rs, ZERO, target);
    }

    /// Branches if `rs1` is greater, signed.
    pub fn bgt(&mut self, rs1: Reg, rs2: Reg, target: Label) {
        self.blt(rs2, rs1, target);
    }

    /// Branches if `rs1` is less or equal, signed.
    pub fn ble(&mut self, rs1: Reg, rs2: Reg, target: Label) {
        self.bge(rs2, rs1, target);
    }

    /// Jumps within 1 MiB.
    pub fn j(&mut self, target: Label) {
        self.jal(ZERO, target);
    }

    /// Jumps to the address in `rs`.
    pub fn jr(&mut self, rs: Reg) {
        self.jalr(ZERO, 0, rs);
    }

    /// Returns from a function.
    pub fn ret(&mut self) {
        self.jr(RA);
    }

    /// Reads a CSR.
    pub fn csrr(&mut self, rd: Reg, csr: u16) {
        self.csrrs(rd, csr, ZERO);
    }

    /// Writes a CSR.
    pub fn csrw(&mut self, csr: u16, rs: Reg) {
        self.csrrw(ZERO, csr, rs);
    }

    /// Sets bits of a CSR.
    pub fn csrs(&mut self, csr: u16, rs: Reg) {
        self.csrrs(ZERO, csr, rs);
    }

    /// Clears bits of a CSR.
    pub fn csrc(&mut self, csr: u16, rs: Reg) {
        self.csrrc(ZERO, csr, rs);
    }
}
