//! Decoding: which unit an instruction is for, and with what operands (RISC-V Unprivileged 20240411, chapter 35).

use ferrite_hdl::prelude::*;

use super::alu::AluOp;
use super::csr;

/// What an instruction needs; a stage asks for the instructions that concern it.
#[derive(Clone, Copy, Debug, Encoding)]
#[allow(missing_docs)] // The instructions' own names.
pub enum Unit {
    Illegal,
    Alu,
    Jump,
    Branch,
    Load,
    Store,
    Multiply,
    Divide,
    Csr,
    Coprocessor,
    Ecall,
    Ebreak,
    Mret,
    Wfi,
    FenceI,
    /// No instruction: it could not be fetched.
    FetchFault,
}

/// The first operand of the ALU.
#[derive(Clone, Copy, Debug, Encoding)]
pub enum OperandA {
    /// Register rs1.
    Rs1,
    /// The instruction's address.
    Pc,
    /// Zero.
    Zero,
}

/// Inputs of the decoder.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct DecodeIn<T> {
    /// The instruction.
    pub insn: T,
}

/// An instruction taken apart.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Decoded<T> {
    /// What it needs.
    pub unit: T,
    /// What the ALU computes.
    pub alu_op: T,
    /// The ALU's first operand.
    pub operand_a: T,
    /// The ALU's second operand is the immediate, else rs2.
    pub uses_imm: T,
    /// The target of the jump counts from rs1, else from the pc.
    pub target_from_rs1: T,
    /// The immediate, extended.
    pub imm: T,
    /// The register written; 0 for none.
    pub rd: T,
    /// It reads rs1.
    pub reads_rs1: T,
    /// It reads rs2.
    pub reads_rs2: T,
}

impl Decoded<Shape> {
    /// The widths.
    pub fn shape() -> Decoded<Shape> {
        Decoded {
            unit: Unit::shape(),
            alu_op: AluOp::shape(),
            operand_a: OperandA::shape(),
            uses_imm: bit(),
            target_from_rs1: bit(),
            imm: bits(32),
            rd: bits(5),
            reads_rs1: bit(),
            reads_rs2: bit(),
        }
    }
}

const LOAD: u32 = 0x03;
const CUSTOM_0: u32 = 0x0B;
const MISC_MEM: u32 = 0x0F;
const OP_IMM: u32 = 0x13;
const AUIPC: u32 = 0x17;
const STORE: u32 = 0x23;
const OP: u32 = 0x33;
const LUI: u32 = 0x37;
const BRANCH: u32 = 0x63;
const JALR: u32 = 0x67;
const JAL: u32 = 0x6F;
const SYSTEM: u32 = 0x73;

/// `funct7` of the custom-0 commands that return a value: `t.status`, `t.fence`, `t.counter`, `t.read` (`docs/tensor-unit.md`,
/// table of commands). All others leave `rd` alone.
const COMMANDS_WITH_RESULT: [u32; 4] = [0x00, 0x01, 0x02, 0x0A];

/// The decoder. Combinational.
#[module]
pub struct Decode {
    /// Whether custom-0 instructions exist.
    pub has_coprocessor: bool,
}

impl Module for Decode {
    type In = DecodeIn<UInt>;
    type Out = Decoded<UInt>;

    fn inputs(&self) -> DecodeIn<Shape> {
        DecodeIn { insn: bits(32) }
    }
    fn outputs(&self) -> Decoded<Shape> {
        Decoded::shape()
    }
    fn build(&self, m: &Builder, i: DecodeIn<UInt>) -> Decoded<UInt> {
        let insn = i.insn;
        wire!(m, opcode = insn.slice(0, 7));
        wire!(m, funct3 = insn.slice(12, 3));
        wire!(m, funct7 = insn.slice(25, 7));
        let d = m.wires("decoded", Decoded::shape());
        let writes_rd = m.wire("writes_rd", 1);
        d.unit.set(Unit::Illegal);
        d.alu_op.set(AluOp::Add);
        d.operand_a.set(OperandA::Rs1);
        d.uses_imm.set(1);
        d.target_from_rs1.set(opcode.eq(JALR));
        d.imm.set(immediate_i(insn));
        d.reads_rs1.set(0);
        d.reads_rs2.set(0);
        writes_rd.set(0);
        d.rd.set(writes_rd.mux(insn.slice(7, 5), 0));

        m.switch(opcode, |s| {
            s.case(LUI, || {
                d.unit.set(Unit::Alu);
                d.operand_a.set(OperandA::Zero);
                d.imm.set(immediate_u(m, insn));
                writes_rd.set(1);
            });
            s.case(AUIPC, || {
                d.unit.set(Unit::Alu);
                d.operand_a.set(OperandA::Pc);
                d.imm.set(immediate_u(m, insn));
                writes_rd.set(1);
            });
            s.case(JAL, || {
                d.unit.set(Unit::Jump);
                d.imm.set(immediate_j(m, insn));
                writes_rd.set(1);
            });
            s.case(JALR, || {
                m.when(funct3.eq(0), || d.unit.set(Unit::Jump));
                d.reads_rs1.set(1);
                writes_rd.set(1);
            });
            s.case(BRANCH, || {
                m.when(funct3.slice(1, 2).ne(0b01), || d.unit.set(Unit::Branch));
                d.imm.set(immediate_b(m, insn));
                d.reads_rs1.set(1);
                d.reads_rs2.set(1);
            });
            s.case(LOAD, || {
                m.when(funct3.slice(0, 2).ne(0b11) & funct3.ne(0b110), || d.unit.set(Unit::Load));
                d.reads_rs1.set(1);
                writes_rd.set(1);
            });
            s.case(STORE, || {
                m.when(funct3.lt(0b011), || d.unit.set(Unit::Store));
                d.imm.set(immediate_s(insn));
                d.reads_rs1.set(1);
                d.reads_rs2.set(1);
            });
            s.case(OP_IMM, || {
                let left = funct3.eq(0b001);
                let right = funct3.eq(0b101);
                let legal = (!left & !right) | funct7.eq(0) | (right & funct7.eq(0x20));
                m.when(legal, || d.unit.set(Unit::Alu));
                d.alu_op.set(alu_op(funct3, right & funct7.bit(5)));
                d.reads_rs1.set(1);
                writes_rd.set(1);
            });
            s.case(OP, || {
                m.when(funct7.eq(0) | (funct7.eq(0x20) & (funct3.eq(0b000) | funct3.eq(0b101))), || {
                    d.unit.set(Unit::Alu);
                })
                .otherwise_when(funct7.eq(1), || {
                    d.unit.set(funct3.bit(2).mux(ferrite_hdl::Operand::from(Unit::Divide), Unit::Multiply));
                });
                d.alu_op.set(alu_op(funct3, funct7.bit(5)));
                d.uses_imm.set(0);
                d.reads_rs1.set(1);
                d.reads_rs2.set(1);
                writes_rd.set(1);
            });
            s.case(MISC_MEM, || {
                // One hart, and every access completes before the next begins: `fence` has nothing to do.
                m.when(funct3.eq(0b000), || d.unit.set(Unit::Alu)).otherwise_when(funct3.eq(0b001), || {
                    d.unit.set(Unit::FenceI);
                });
            });
            s.case(SYSTEM, || {
                m.when(funct3.eq(0), || {
                    m.switch(insn.slice(7, 25), |s| {
                        s.case(0x0000_0073 >> 7, || d.unit.set(Unit::Ecall));
                        s.case(0x0010_0073 >> 7, || d.unit.set(Unit::Ebreak));
                        s.case(0x3020_0073 >> 7, || d.unit.set(Unit::Mret));
                        s.case(0x1050_0073 >> 7, || d.unit.set(Unit::Wfi));
                    });
                })
                .otherwise(|| {
                    let number = insn.slice(20, 12);
                    let writes = !funct3.bit(1) | insn.slice(15, 5).any();
                    let allowed = csr::exists(number) & !(number.slice(10, 2).all() & writes);
                    m.when(funct3.slice(0, 2).any() & allowed, || d.unit.set(Unit::Csr));
                    d.reads_rs1.set(!funct3.bit(2));
                    writes_rd.set(1);
                });
            });
            if self.has_coprocessor {
                s.case(CUSTOM_0, || {
                    m.when(funct3.eq(0), || d.unit.set(Unit::Coprocessor));
                    d.reads_rs1.set(1);
                    d.reads_rs2.set(1);
                    let returns = COMMANDS_WITH_RESULT.map(|command| funct7.eq(command));
                    writes_rd.set(concat(returns).any());
                });
            }
        });
        d
    }
}

/// The operation that `funct3` names; `alternate` is bit 30 of the instruction, which tells `sub` from `add` and `sra` from `srl`.
fn alu_op(funct3: UInt, alternate: UInt) -> UInt {
    alternate.concat(funct3)
}

fn immediate_i(insn: UInt) -> UInt {
    insn.slice(20, 12).signed().extend(32).unsigned()
}

fn immediate_s(insn: UInt) -> UInt {
    concat([insn.slice(25, 7), insn.slice(7, 5)]).signed().extend(32).unsigned()
}

fn immediate_b(m: &Builder, insn: UInt) -> UInt {
    let zero = m.constant(Bits::zero(1));
    let offset = concat([insn.bit(31), insn.bit(7), insn.slice(25, 6), insn.slice(8, 4), zero]);
    offset.signed().extend(32).unsigned()
}

fn immediate_u(m: &Builder, insn: UInt) -> UInt {
    insn.slice(12, 20).concat(m.constant(Bits::zero(12)))
}

fn immediate_j(m: &Builder, insn: UInt) -> UInt {
    let zero = m.constant(Bits::zero(1));
    let offset = concat([insn.bit(31), insn.slice(12, 8), insn.bit(20), insn.slice(21, 10), zero]);
    offset.signed().extend(32).unsigned()
}
