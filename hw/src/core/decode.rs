//! Decoding: which unit an instruction is for, and with what operands (RISC-V Unprivileged 20240411, chapter 35).

use ferrite_hdl::prelude::*;

use super::alu::AluControl;
use super::bitmanip::BitmanipOp;
use super::config::{CoreConfig, Extensions};
use super::fetch::Fetched;
use super::{bitmanip_decode, csr, only};

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
    Bitmanip,
    Csr,
    Coprocessor,
    Ecall,
    Ebreak,
    Mret,
    Wfi,
    FenceI,
    /// No instruction: it could not be fetched.
    FetchFault,
    /// No instruction: a wrong prediction cut it in two, and it must be fetched again.
    Refetch,
}

/// Inputs of the decoder.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct DecodeIn<T> {
    /// The instruction.
    pub insn: T,
    /// The hart is in machine mode.
    pub machine_mode: T,
    /// `mstatus.TW`: `wfi` is illegal in user mode.
    pub timeout_wait: T,
    /// `mcounteren`.
    pub counters_allowed: T,
}

/// An instruction taken apart.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Decoded<T> {
    /// What it needs.
    pub unit: T,
    /// What the ALU computes.
    pub alu: AluControl<T>,
    /// What the bit manipulation unit computes.
    pub bitmanip: T,
    /// The immediate, extended; not that of a jump or branch relative to the pc.
    pub imm: T,
    /// How far a jump or branch relative to the pc goes.
    pub offset: T,
    /// The ALU's second operand is the immediate, else rs2 if that is read, else zero.
    pub uses_imm: T,
    /// The ALU's first operand is the instruction's address, else rs1 if that is read, else zero.
    pub uses_pc: T,
    /// The target of the jump counts from rs1, else from the pc.
    pub target_from_rs1: T,
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
            alu: AluControl::shape(),
            bitmanip: BitmanipOp::shape(),
            imm: bits(32),
            offset: bits(32),
            uses_imm: bit(),
            uses_pc: bit(),
            target_from_rs1: bit(),
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
pub(super) const BRANCH: u32 = 0x63;
pub(super) const JALR: u32 = 0x67;
pub(super) const JAL: u32 = 0x6F;
const SYSTEM: u32 = 0x73;

/// `funct7` of the custom-0 commands that return a value: `t.status`, `t.fence`, `t.counter`, `t.info` (`docs/tensor-unit.md`,
/// table of commands). All others leave `rd` alone.
const COMMANDS_WITH_RESULT: [u32; 4] = [0x00, 0x01, 0x02, 0x06];

/// The decoder. Combinational.
#[module]
pub struct Decode {
    /// The core's parameters.
    pub config: CoreConfig,
    /// Whether custom-0 instructions exist.
    pub has_coprocessor: bool,
}

impl Module for Decode {
    type In = DecodeIn<UInt>;
    type Out = Decoded<UInt>;

    fn inputs(&self) -> DecodeIn<Shape> {
        DecodeIn { insn: bits(32), machine_mode: bit(), timeout_wait: bit(), counters_allowed: bits(32) }
    }
    fn outputs(&self) -> Decoded<Shape> {
        Decoded::shape()
    }
    fn build(&self, m: &Builder, i: DecodeIn<UInt>) -> Decoded<UInt> {
        let insn = i.insn;
        let Extensions { m: has_m, zba, zbb, zbs, .. } = self.config.extensions;
        wire!(m, opcode = insn.slice(0, 7));
        wire!(m, funct3 = insn.slice(12, 3));
        wire!(m, funct7 = insn.slice(25, 7));
        wire!(m, rs2 = insn.slice(20, 5));
        let d = m.wires("decoded", Decoded::shape());
        let writes_rd = m.wire("writes_rd", 1);
        let zeros = |width: u32| m.constant(Bits::zero(width));
        d.unit.set(Unit::Illegal);
        for leaf in d.alu.leaves() {
            leaf.value.set(zeros(leaf.value.width()));
        }
        d.bitmanip.set(BitmanipOp::Clz);
        d.uses_imm.set(0);
        d.uses_pc.set(0);
        d.target_from_rs1.set(opcode.eq(JALR));
        // Few bits of the opcode tell the formats apart, and the immediate is wanted soon.
        let is_upper = opcode.bit(4) & opcode.bit(2);
        let is_store = opcode.bit(5) & !opcode.bit(6) & !opcode.bit(4);
        let is_system = opcode.bit(6) & opcode.bit(4);
        let short = is_store.mux(immediate_s(insn), immediate_i(insn));
        let number = insn.slice(15, 5).extend(32);
        d.imm.set(is_upper.mux(immediate_u(m, insn), is_system.mux(number, short)));
        d.offset.set(offset(m, opcode, insn));
        d.reads_rs1.set(0);
        d.reads_rs2.set(0);
        writes_rd.set(0);
        d.rd.set(writes_rd.mux(insn.slice(7, 5), 0));

        let csr_writes = !funct3.bit(1) | insn.slice(15, 5).any();
        let csr_number = insn.slice(20, 12);
        let csr_legal =
            csr::is_legal(m, &self.config, csr_number, csr_writes, i.machine_mode, i.counters_allowed);
        // Of OP and OP-IMM. What `funct7` tells of the register instructions it tells of immediate shifts alone.
        wire!(m, is_op = opcode.bit(5));
        wire!(m, has_funct7 = is_op | funct3.slice(0, 2).eq(0b01));
        wire!(m, plain = !has_funct7 | funct7.eq(0));
        wire!(m, alternate = has_funct7 & funct7.eq(0x20) & (is_op | funct3.bit(2)));
        m.switch(opcode, |s| {
            s.case(LUI, || {
                d.unit.set(Unit::Alu);
                d.alu.adds.set(1);
                d.uses_imm.set(1);
                writes_rd.set(1);
            });
            s.case(AUIPC, || {
                d.unit.set(Unit::Alu);
                if self.config.guesses_direct_targets() {
                    d.alu.links.set(1);
                } else {
                    d.alu.adds.set(1);
                    d.uses_pc.set(1);
                    d.uses_imm.set(1);
                }
                writes_rd.set(1);
            });
            s.case(JAL, || {
                d.unit.set(Unit::Jump);
                d.alu.links.set(1);
                writes_rd.set(1);
            });
            s.case(JALR, || {
                m.when(funct3.eq(0), || d.unit.set(Unit::Jump));
                d.alu.links.set(1);
                d.reads_rs1.set(1);
                writes_rd.set(1);
            });
            s.case(BRANCH, || {
                m.when(funct3.slice(1, 2).ne(0b01), || d.unit.set(Unit::Branch));
                d.alu.is_unsigned.set(funct3.bit(1));
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
                d.reads_rs1.set(1);
                d.reads_rs2.set(1);
            });
            s.cases([OP_IMM, OP], || {
                d.uses_imm.set(!is_op);
                d.reads_rs1.set(1);
                d.reads_rs2.set(is_op);
                writes_rd.set(1);
                m.when(plain, || self.base(m, d, funct3));
                m.when(alternate, || self.alternate(m, d, funct3));
                if has_m {
                    m.when(is_op & funct7.eq(0x01), || {
                        let divides = ferrite_hdl::Operand::from(Unit::Divide);
                        d.unit.set(funct3.bit(2).mux(divides, Unit::Multiply));
                    });
                }
                if zba {
                    m.when(is_op & funct7.eq(0x10) & funct3.any() & !funct3.bit(0), || {
                        d.unit.set(Unit::Alu);
                        d.alu.shift_add.set(funct3.slice(1, 2));
                    });
                }
                if zbb {
                    bitmanip_decode::zbb(m, d, is_op, funct3, funct7, rs2);
                }
                if zbs {
                    bitmanip_decode::zbs(m, d, funct3, funct7);
                }
            });
            s.case(MISC_MEM, || {
                // One hart, and every access completes before the next begins: `fence` has nothing to do.
                m.when(funct3.eq(0b000), || d.unit.set(Unit::Alu)).otherwise_when(funct3.eq(0b001), || {
                    d.unit.set(Unit::FenceI);
                });
            });
            s.case(SYSTEM, || {
                d.alu.adds.set(1);
                m.when(funct3.eq(0), || {
                    m.switch(insn.slice(7, 25), |s| {
                        s.case(0x0000_0073 >> 7, || d.unit.set(Unit::Ecall));
                        s.case(0x0010_0073 >> 7, || d.unit.set(Unit::Ebreak));
                        s.case(0x3020_0073 >> 7, || {
                            m.when(i.machine_mode, || d.unit.set(Unit::Mret));
                        });
                        s.case(0x1050_0073 >> 7, || {
                            m.when(i.machine_mode | !i.timeout_wait, || d.unit.set(Unit::Wfi));
                        });
                    });
                })
                .otherwise(|| {
                    // The ALU passes the operand on: rs1, or its number.
                    m.when(funct3.slice(0, 2).any() & csr_legal, || d.unit.set(Unit::Csr));
                    d.uses_imm.set(funct3.bit(2));
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

impl Decode {
    /// The operations that `funct3` names.
    fn base(&self, m: &Builder, d: Decoded<UInt>, funct3: UInt) {
        d.unit.set(Unit::Alu);
        d.alu.is_unsigned.set(funct3.bit(0));
        m.switch(funct3, |s| {
            s.case(0b000, || d.alu.adds.set(1));
            s.cases([0b010, 0b011], || d.alu.compares.set(1));
            s.cases([0b001, 0b101], || d.alu.shifts.set(1));
            s.cases([0b100, 0b110, 0b111], || d.alu.bitwise.set(bitwise(funct3)));
        });
        d.alu.left.set(!funct3.bit(2));
    }

    /// Those that bit 30 makes others of.
    fn alternate(&self, m: &Builder, d: Decoded<UInt>, funct3: UInt) {
        m.switch(funct3, |s| {
            s.case(0b000, || {
                d.unit.set(Unit::Alu);
                d.alu.subtracts.set(1);
            });
            s.case(0b101, || {
                d.unit.set(Unit::Alu);
                d.alu.shifts.set(1);
                d.alu.arithmetic.set(1);
            });
            if self.config.extensions.zbb {
                s.cases([0b100, 0b110, 0b111], || {
                    d.unit.set(Unit::Alu);
                    d.alu.complements.set(1);
                    d.alu.bitwise.set(bitwise(funct3));
                });
            }
        });
    }
}

/// Of xor (100), or (110) and and (111): 1, 3 and 2.
fn bitwise(funct3: UInt) -> UInt {
    funct3.bit(1).concat(!funct3.bit(0))
}

/// What later stages ask of an instruction late in a cycle, found out ahead.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Kind<T> {
    /// A load.
    pub load: T,
    /// A store.
    pub store: T,
    /// A jump.
    pub jump: T,
    /// A branch.
    pub branch: T,
    /// A multiplication.
    pub multiply: T,
    /// A division.
    pub divide: T,
    /// An instruction of the coprocessor.
    pub coprocessor: T,
    /// An instruction of the bit manipulation unit.
    pub bitmanip: T,
    /// A CSR instruction.
    pub csr: T,
    /// `wfi`.
    pub wfi: T,
    /// It traps, whatever its operands.
    pub traps: T,
    /// Fetch begins anew behind it.
    pub restarts: T,
    /// It writes a register, but what is not there at the end of execute.
    pub is_late: T,
    /// Nothing behind it may enter execute before it has left.
    pub is_alone: T,
}

impl Kind<Shape> {
    /// One bit each.
    pub fn shape() -> Kind<Shape> {
        Kind {
            load: bit(),
            store: bit(),
            jump: bit(),
            branch: bit(),
            multiply: bit(),
            divide: bit(),
            coprocessor: bit(),
            bitmanip: bit(),
            csr: bit(),
            wfi: bit(),
            traps: bit(),
            restarts: bit(),
            is_late: bit(),
            is_alone: bit(),
        }
    }
}

impl Kind<UInt> {
    /// What an instruction for `unit` is.
    pub fn of(unit: UInt) -> Kind<UInt> {
        Kind {
            load: unit.is(Unit::Load),
            store: unit.is(Unit::Store),
            jump: unit.is(Unit::Jump),
            branch: unit.is(Unit::Branch),
            multiply: unit.is(Unit::Multiply),
            divide: unit.is(Unit::Divide),
            coprocessor: unit.is(Unit::Coprocessor),
            bitmanip: unit.is(Unit::Bitmanip),
            csr: unit.is(Unit::Csr),
            wfi: unit.is(Unit::Wfi),
            traps: any_unit(unit, &TRAPS),
            restarts: any_unit(unit, &RESTARTS),
            is_late: any_unit(unit, &LATE),
            is_alone: any_unit(unit, &ALONE),
        }
    }

    /// The same unless there is no instruction, because it could not be fetched or is `broken`. What `unit` is known late.
    pub fn of_insn(self, error: UInt, broken: UInt) -> Kind<UInt> {
        let exists = !(error | broken);
        let refetches = broken & !error;
        Kind {
            load: self.load & exists,
            store: self.store & exists,
            jump: self.jump & exists,
            branch: self.branch & exists,
            multiply: self.multiply & exists,
            divide: self.divide & exists,
            coprocessor: self.coprocessor & exists,
            bitmanip: self.bitmanip & exists,
            csr: self.csr & exists,
            wfi: self.wfi & exists,
            traps: (self.traps & exists) | error,
            restarts: (self.restarts & exists) | refetches,
            is_late: self.is_late & exists,
            is_alone: (self.is_alone & exists) | refetches,
        }
    }
}

/// No instructions, and those that do nothing but trap.
const TRAPS: [Unit; 4] = [Unit::Illegal, Unit::FetchFault, Unit::Ecall, Unit::Ebreak];
/// Instructions that fetch begins anew behind.
const RESTARTS: [Unit; 3] = [Unit::Mret, Unit::FenceI, Unit::Refetch];
/// Instructions whose result comes from a later stage.
const LATE: [Unit; 6] =
    [Unit::Load, Unit::Multiply, Unit::Divide, Unit::Bitmanip, Unit::Csr, Unit::Coprocessor];
/// Instructions that change what decode reads, or that fetch begins anew behind.
const ALONE: [Unit; 5] = [Unit::Csr, Unit::Mret, Unit::Wfi, Unit::FenceI, Unit::Refetch];

fn any_unit(unit: UInt, of: &[Unit]) -> UInt {
    concat(of.iter().map(|u| unit.is(*u))).any()
}

fn immediate_i(insn: UInt) -> UInt {
    insn.slice(20, 12).signed().extend(32).unsigned()
}

fn immediate_s(insn: UInt) -> UInt {
    concat([insn.slice(25, 7), insn.slice(7, 5)]).signed().extend(32).unsigned()
}

/// What a core that [`CoreConfig::guesses_direct_targets`] adds to the address of an instruction: the way to the target of a jump or branch that is not guessed
/// to be taken, the immediate of `auipc`, and else what leads behind the instruction.
///
/// Of what could not be fetched it leads to what is missing.
pub(super) fn addend(m: &Builder, fetched: &Fetched<UInt>) -> UInt {
    let zeros = |width: u32| m.constant(Bits::zero(width));
    let Fetched { insn, halves, error, error_in_second_half, .. } = *fetched;
    let guessed = fetched.prediction.taken;
    let opcode = insn.slice(0, 7);
    let is_auipc = !opcode.bit(6) & opcode.bit(4);
    let is_jal = opcode.bit(3);
    wire!(m, goes_to_target = opcode.bit(6) & !opcode.bit(4) & (is_jal | !opcode.bit(2)) & !guessed & !error);
    wire!(m, goes_behind = !is_auipc & !goes_to_target & !error);
    only(goes_to_target, offset(m, opcode, insn))
        | only(is_auipc & !error, immediate_u(m, insn))
        | concat([zeros(30), error & error_in_second_half, zeros(1)])
        | only(goes_behind, concat([zeros(29), halves, zeros(1)]))
}

/// How far a direct jump or a branch with this opcode goes.
pub(super) fn offset(m: &Builder, opcode: UInt, insn: UInt) -> UInt {
    opcode.bit(3).mux(immediate_j(m, insn), immediate_b(m, insn))
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
