//! Compressed instructions (RISC-V Unprivileged 20240411, chapter 27): the 32-bit instruction that each stands for.

use ferrite_hdl::Operand;
use ferrite_hdl::prelude::*;

/// Inputs of the expander.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ExpandIn<T> {
    /// A 16-bit instruction: its two low bits are not `11`.
    pub half: T,
}

/// Output of the expander.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ExpandOut<T> {
    /// The instruction that does the same. Of a code point that is none, the half itself above zeros, which is no instruction either.
    pub insn: T,
}

/// Expands compressed instructions of RV32C without floating point. HINTs become what they are encoded as, which changes no register.
/// Combinational.
#[module]
pub struct Expand {}

const LOAD: u32 = 0x03;
const OP_IMM: u32 = 0x13;
const STORE: u32 = 0x23;
const OP: u32 = 0x33;
const LUI: u32 = 0x37;
const BRANCH: u32 = 0x63;
const JALR: u32 = 0x67;
const JAL: u32 = 0x6F;
const SYSTEM: u32 = 0x73;

const X0: u32 = 0;
const RA: u32 = 1;
const SP: u32 = 2;

impl Module for Expand {
    type In = ExpandIn<UInt>;
    type Out = ExpandOut<UInt>;

    fn inputs(&self) -> ExpandIn<Shape> {
        ExpandIn { half: bits(16) }
    }
    fn outputs(&self) -> ExpandOut<Shape> {
        ExpandOut { insn: bits(32) }
    }
    fn build(&self, m: &Builder, i: ExpandIn<UInt>) -> ExpandOut<UInt> {
        let half = i.half;
        let b = |index| half.bit(index);
        let s = |low, width| half.slice(low, width);
        let c = |width, value: u32| m.constant(Bits::from_u64(width, value.into()));
        let reg = |number| c(5, number);
        let narrow = |low| c(2, 0b01).concat(s(low, 3));
        wire!(m, quadrant = s(0, 2));
        wire!(m, funct3 = s(13, 3));
        wire!(m, sign = b(12));

        wire!(m, imm_6 = sign.repeat(7).concat(s(2, 5)));
        wire!(m, imm_j = concat([b(12), b(8), s(9, 2), b(6), b(7), b(2), b(11), s(3, 3), b(12)]).concat(b(12).repeat(8)));
        let branch_high = concat([b(12), b(12), b(12), b(12), s(5, 2), b(2)]);
        let branch_low = concat([s(10, 2), s(3, 2), b(12)]);

        let _ = (imm_6, imm_j);
        let rd_rs1 = s(7, 5);
        let rs2 = s(2, 5);
        let code = quadrant.concat(funct3);
        let insn = m.wire("insn", 32);
        insn.set(c(16, 0).concat(half));
        let i_type = |imm: UInt, rs1: UInt, f3: u32, rd: UInt, op: u32| concat([imm, rs1, c(3, f3), rd, c(7, op)]);
        let r_type = |f7: u32, rs2: UInt, rs1: UInt, f3: u32, rd: UInt, op: u32| {
            concat([c(7, f7), rs2, rs1, c(3, f3), rd, c(7, op)])
        };
        m.switch(code, |sw| {
            sw.case(0b00_000, || {
                m.when(s(5, 8).any(), || {
                    let imm = concat([c(2, 0), s(7, 4), s(11, 2), b(5), b(6), c(2, 0)]);
                    insn.set(i_type(imm, reg(SP), 0, narrow(2), OP_IMM));
                });
            });
            sw.case(0b00_010, || {
                let imm = concat([c(5, 0), b(5), s(10, 3), b(6), c(2, 0)]);
                insn.set(i_type(imm, narrow(7), 2, narrow(2), LOAD));
            });
            sw.case(0b00_110, || {
                insn.set(concat([c(5, 0), b(5), b(12), narrow(2), narrow(7), c(3, 2), s(10, 2), b(6), c(2, 0), c(7, STORE)]));
            });
            sw.case(0b01_000, || insn.set(i_type(imm_6, rd_rs1, 0, rd_rs1, OP_IMM)));
            sw.case(0b01_001, || insn.set(concat([imm_j, reg(RA), c(7, JAL)])));
            sw.case(0b01_010, || insn.set(i_type(imm_6, reg(X0), 0, rd_rs1, OP_IMM)));
            sw.case(0b01_011, || {
                m.when(sign | s(2, 5).any(), || {
                    insn.set(concat([sign.repeat(15), s(2, 5), rd_rs1, c(7, LUI)]));
                    m.when(rd_rs1.eq(SP), || {
                        let imm = concat([sign.repeat(3), s(3, 2), b(5), b(2), b(6), c(4, 0)]);
                        insn.set(i_type(imm, reg(SP), 0, reg(SP), OP_IMM));
                    });
                });
            });
            sw.case(0b01_100, || {
                let rd = narrow(7);
                m.switch(s(10, 2), |sw| {
                    sw.case(0, || m.when(!sign, || insn.set(r_type(0, rs2, rd, 5, rd, OP_IMM))).otherwise(|| ()));
                    sw.case(1, || m.when(!sign, || insn.set(r_type(0x20, rs2, rd, 5, rd, OP_IMM))).otherwise(|| ()));
                    sw.case(2, || insn.set(i_type(imm_6, rd, 7, rd, OP_IMM)));
                    sw.default(|| {
                        m.when(!sign, || {
                            let is_sub = !(b(5) | b(6));
                            let f3 = (b(6) | b(5)).concat(b(6)).concat(b(6) & b(5));
                            insn.set(concat([c(1, 0), is_sub, c(5, 0), narrow(2), rd, f3, rd, c(7, OP)]));
                        });
                    });
                });
            });
            sw.case(0b01_101, || insn.set(concat([imm_j, reg(X0), c(7, JAL)])));
            sw.cases([0b01_110, 0b01_111], || {
                insn.set(concat([branch_high, reg(X0), narrow(7), c(2, 0), b(13), branch_low, c(7, BRANCH)]));
            });
            sw.case(0b10_000, || m.when(!sign, || insn.set(r_type(0, rs2, rd_rs1, 1, rd_rs1, OP_IMM))).otherwise(|| ()));
            sw.case(0b10_010, || {
                m.when(rd_rs1.any(), || {
                    let imm = concat([c(4, 0), s(2, 2), b(12), s(4, 3), c(2, 0)]);
                    insn.set(i_type(imm, reg(SP), 2, rd_rs1, LOAD));
                });
            });
            sw.case(0b10_100, || {
                m.when(rs2.any(), || insn.set(r_type(0, rs2, sign.mux(rd_rs1, 0), 0, rd_rs1, OP)))
                    .otherwise_when(rd_rs1.any(), || {
                        insn.set(concat([c(12, 0), rd_rs1, c(7, 0), sign, c(7, JALR)]));
                    })
                    .otherwise_when(sign, || insn.set(c(32, 0x0010_0000 | SYSTEM)));
            });
            sw.case(0b10_110, || {
                insn.set(concat([c(4, 0), s(7, 2), b(12), rs2, reg(SP), c(3, 2), s(9, 3), c(2, 0), c(7, STORE)]));
            });
        });
        let _: Option<Operand> = None;
        ExpandOut { insn }
    }
}
