//! Decoding of Zbb and Zbs (RISC-V Unprivileged 20240411, chapter 28).

use ferrite_hdl::prelude::*;

use super::bitmanip::BitmanipOp;
use super::decode::{Decoded, Unit};

/// Basic bit manipulation, but for the complements, which bit 30 marks. `is_op`: the instruction has two registers, else an immediate.
pub fn zbb(m: &Builder, d: Decoded<UInt>, is_op: UInt, funct3: UInt, funct7: UInt, rs2: UInt) {
    let late = |op: BitmanipOp| {
        d.unit.set(Unit::Bitmanip);
        d.bitmanip.set(op);
    };
    let rotates = funct7.eq(0x30) & (funct3.eq(0b101) | (is_op & funct3.eq(0b001)));
    m.when(rotates, || {
        d.unit.set(Unit::Alu);
        d.alu.shifts.set(1);
        d.alu.rotates.set(1);
        d.alu.left.set(!funct3.bit(2));
    });
    let extends = |byte: u64, is_unsigned: u64| {
        d.unit.set(Unit::Alu);
        d.alu.extends.set(1);
        d.alu.byte.set(byte);
        d.alu.is_unsigned.set(is_unsigned);
    };
    m.when(!is_op & funct3.eq(0b001) & funct7.eq(0x30), || {
        m.switch(rs2, |s| {
            s.case(0b00000, || late(BitmanipOp::Clz));
            s.case(0b00001, || late(BitmanipOp::Ctz));
            s.case(0b00010, || late(BitmanipOp::Cpop));
            s.case(0b00100, || extends(1, 0));
            s.case(0b00101, || extends(0, 0));
        });
    });
    m.when(!is_op & funct3.eq(0b101) & funct7.eq(0x14) & rs2.eq(0b00111), || late(BitmanipOp::OrcB));
    m.when(!is_op & funct3.eq(0b101) & funct7.eq(0x34) & rs2.eq(0b11000), || late(BitmanipOp::Rev8));
    // `zext.h` looks like Zbkb's `pack` with x0.
    m.when(is_op & funct7.eq(0x04) & funct3.eq(0b100) & rs2.eq(0), || extends(0, 1));
    m.when(is_op & funct7.eq(0x05), || {
        m.switch(funct3, |s| {
            s.case(0b100, || late(BitmanipOp::Min));
            s.case(0b101, || late(BitmanipOp::Minu));
            s.case(0b110, || late(BitmanipOp::Max));
            s.case(0b111, || late(BitmanipOp::Maxu));
        });
    });
}

/// Single bits.
pub fn zbs(m: &Builder, d: Decoded<UInt>, funct3: UInt, funct7: UInt) {
    let combines = |bitwise: u64, complements: u64| {
        d.unit.set(Unit::Alu);
        d.alu.numbers_bit.set(1);
        d.alu.bitwise.set(bitwise);
        d.alu.complements.set(complements);
    };
    m.when(funct3.eq(0b001), || {
        m.switch(funct7, |s| {
            s.case(0x24, || combines(0b10, 1));
            s.case(0x34, || combines(0b01, 0));
            s.case(0x14, || combines(0b11, 0));
        });
    });
    m.when(funct3.eq(0b101) & funct7.eq(0x24), || {
        d.unit.set(Unit::Alu);
        d.alu.shifts.set(1);
        d.alu.one_bit.set(1);
    });
}
