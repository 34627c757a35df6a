//! Compressed instructions (RISC-V Unprivileged 20240411, chapter 27): the 32-bit instruction that each stands for.

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
    /// The instruction that does the same. Of a code point that is none, the half itself below zeros, which is no instruction either.
    pub insn: T,
}

/// Expands the compressed instructions of RV32C without floating point. HINTs become what they are encoded as, which changes no
/// register. Combinational.
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
        let c = |width, value: u32| m.constant(Bits::from_u64(width, value.into()));
        let reg = |number| c(5, number);
        // Bits of the half, each list the highest first.
        let pick = |places: &[u32]| concat(places.iter().map(|&place| half.bit(place)));
        let narrow = |low| c(2, 0b01).concat(half.slice(low, 3));
        let i_type = |imm, rs1, funct3, rd, opcode| concat([imm, rs1, c(3, funct3), rd, c(7, opcode)]);

        wire!(m, code = half.slice(0, 2).concat(half.slice(13, 3)));
        wire!(m, sign = half.bit(12));
        let rd = half.slice(7, 5);
        let rs2 = half.slice(2, 5);
        wire!(m, has_rd = rd.any());
        wire!(m, has_rs2 = rs2.any());
        let imm = sign.repeat(7).concat(rs2);
        let shift = |funct7| c(7, funct7).concat(rs2);
        let jump = pick(&[12, 8, 10, 9, 6, 7, 2, 11, 5, 4, 3, 12]).concat(sign.repeat(8));

        let insn = m.wire("expanded", 32);
        let legal = m.wire("legal", 1);
        insn.set(c(16, 0).concat(half));
        legal.set(1);
        m.switch(code, |s| {
            // c.addi4spn
            s.case(0b00_000, || {
                let imm = concat([c(2, 0), pick(&[10, 9, 8, 7, 12, 11, 5, 6]), c(2, 0)]);
                insn.set(i_type(imm, reg(SP), 0b000, narrow(2), OP_IMM));
                legal.set(half.slice(5, 8).any());
            });
            // c.lw
            s.case(0b00_010, || {
                let imm = concat([c(5, 0), pick(&[5, 12, 11, 10, 6]), c(2, 0)]);
                insn.set(i_type(imm, narrow(7), 0b010, narrow(2), LOAD));
            });
            // c.sw
            s.case(0b00_110, || {
                let (high, low) = (c(5, 0).concat(pick(&[5, 12])), pick(&[11, 10, 6]).concat(c(2, 0)));
                insn.set(concat([high, narrow(2), narrow(7), c(3, 0b010), low, c(7, STORE)]));
            });
            // c.nop, c.addi
            s.case(0b01_000, || insn.set(i_type(imm, rd, 0b000, rd, OP_IMM)));
            // c.jal
            s.case(0b01_001, || insn.set(concat([jump, reg(RA), c(7, JAL)])));
            // c.li
            s.case(0b01_010, || insn.set(i_type(imm, reg(X0), 0b000, rd, OP_IMM)));
            // c.lui, c.addi16sp
            s.case(0b01_011, || {
                insn.set(concat([sign.repeat(15), rs2, rd, c(7, LUI)]));
                m.when(rd.eq(SP), || {
                    let imm = concat([sign.repeat(3), pick(&[4, 3, 5, 2, 6]), c(4, 0)]);
                    insn.set(i_type(imm, reg(SP), 0b000, reg(SP), OP_IMM));
                });
                legal.set(sign | has_rs2);
            });
            // c.srli, c.srai, c.andi; c.sub, c.xor, c.or, c.and
            s.case(0b01_100, || {
                let rd = narrow(7);
                legal.set(!sign);
                m.switch(half.slice(10, 2), |s| {
                    s.case(0b00, || insn.set(i_type(shift(0x00), rd, 0b101, rd, OP_IMM)));
                    s.case(0b01, || insn.set(i_type(shift(0x20), rd, 0b101, rd, OP_IMM)));
                    s.case(0b10, || {
                        insn.set(i_type(imm, rd, 0b111, rd, OP_IMM));
                        legal.set(1);
                    });
                    s.default(|| {
                        let [low, high] = [half.bit(5), half.bit(6)];
                        let funct7 = concat([c(1, 0), !(low | high), c(5, 0)]);
                        let funct3 = concat([low | high, high, low & high]);
                        insn.set(concat([funct7, narrow(2), rd, funct3, rd, c(7, OP)]));
                    });
                });
            });
            // c.j
            s.case(0b01_101, || insn.set(concat([jump, reg(X0), c(7, JAL)])));
            // c.beqz, c.bnez
            s.cases([0b01_110, 0b01_111], || {
                let (high, low) = (pick(&[12, 12, 12, 12, 6, 5, 2]), pick(&[11, 10, 4, 3, 12]));
                let funct3 = c(2, 0b00).concat(half.bit(13));
                insn.set(concat([high, reg(X0), narrow(7), funct3, low, c(7, BRANCH)]));
            });
            // c.slli
            s.case(0b10_000, || {
                insn.set(i_type(shift(0x00), rd, 0b001, rd, OP_IMM));
                legal.set(!sign);
            });
            // c.lwsp
            s.case(0b10_010, || {
                let imm = concat([c(4, 0), pick(&[3, 2, 12, 6, 5, 4]), c(2, 0)]);
                insn.set(i_type(imm, reg(SP), 0b010, rd, LOAD));
                legal.set(has_rd);
            });
            // c.mv, c.add; c.jr, c.jalr, c.ebreak
            s.case(0b10_100, || {
                m.when(has_rs2, || {
                    insn.set(concat([c(7, 0x00), rs2, sign.repeat(5) & rd, c(3, 0b000), rd, c(7, OP)]));
                })
                .otherwise_when(has_rd, || {
                    insn.set(i_type(c(12, 0), rd, 0b000, c(4, 0).concat(sign), JALR));
                })
                .otherwise(|| {
                    insn.set(i_type(c(12, 1), reg(X0), 0b000, reg(X0), SYSTEM));
                    legal.set(sign);
                });
            });
            // c.swsp
            s.case(0b10_110, || {
                let (high, low) = (c(4, 0).concat(pick(&[8, 7, 12])), pick(&[11, 10, 9]).concat(c(2, 0)));
                insn.set(concat([high, rs2, reg(SP), c(3, 0b010), low, c(7, STORE)]));
            });
        });
        ExpandOut { insn: legal.mux(insn, c(16, 0).concat(half)) }
    }
}
