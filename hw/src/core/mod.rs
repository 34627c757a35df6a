//! The RISC-V core: RV32IM, Zicsr, Zifencei, machine mode.
//!
//! ```text
//!            +-------+     +--------+     +---------+     +--------+
//! bus <----> | fetch | --> | decode | --> | execute | --> | commit | --> RVFI
//!            +-------+     +--------+     +---------+     +--------+
//!                ^          registers      alu, branch     CSRs, traps,
//!                |             ^  ^------- muldiv          load data
//!                |             |           request --> bus --> response
//!                +-- redirect -+--------- results ------------+
//! ```
//!
//! An instruction takes effect in commit, in program order, and only there: registers, CSRs and traps. The exceptions are requests on the
//! data bus and to the coprocessor, which execute makes once nothing before them can trap any more. `fence.i` and the CSR instructions
//! let nothing into execute behind them until they have taken effect.
//!
//! Cycles: 1 per instruction; 2 more for a jump or branch taken; 1 more for the result of a load, multiplication or CSR used by the next
//! instruction; 1 more for a CSR instruction; 33 more for a division; wait states.

mod alu;
mod branch;
mod bus;
mod csr;
mod decode;
mod fetch;
mod memory;
mod muldiv;
mod pipeline;
mod regfile;
mod rvfi;
mod trap;

pub use alu::{Alu, AluIn, AluOp, AluOut};
pub use branch::{Branch, BranchIn, BranchOut};
pub use bus::{Bus, BusRequest, BusResponse};
pub use csr::{Access, Csr, CsrIn, CsrOut, Interrupts};
pub use decode::{Decode, DecodeIn, Decoded, OperandA, Unit};
pub use fetch::{Fetch, FetchIn, FetchOut, Fetched, Redirect};
pub use muldiv::{Divider, DividerIn, DividerOut, Multiplier, MultiplierIn, MultiplierOut};
pub use regfile::{RegFile, RegFileIn, RegFileOut, RegWrite};
pub use rvfi::{Report, ReportIn, Rvfi};
pub use trap::Trap;

use ferrite_hdl::Operand;
use ferrite_hdl::prelude::*;
use pipeline::{Commit, Execute};

/// A custom-0 instruction for the coprocessor. It passes at a clock edge at which `valid` and the port's `ready` are high; until then it
/// stays up unchanged.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Command<T> {
    /// A command is offered.
    pub valid: T,
    /// Which one.
    pub funct7: T,
    /// Value of rs1.
    pub rs1: T,
    /// Value of rs2.
    pub rs2: T,
}

/// The answer to a command, at the earliest in the cycle after it passed; every command gets one. The core always takes it.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct CommandResponse<T> {
    /// The command is finished as far as the core is concerned.
    pub valid: T,
    /// The value for rd, of commands that return one.
    pub data: T,
}

/// The coprocessor's port as the coprocessor sees it. There is at most one command without a response.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct CoprocessorPort<T> {
    /// What is asked.
    pub command: Command<T>,
    /// The command is taken in this cycle.
    #[flip]
    pub ready: T,
    /// The answer.
    #[flip]
    pub response: CommandResponse<T>,
}

impl CoprocessorPort<Shape> {
    /// The widths.
    pub fn shape() -> CoprocessorPort<Shape> {
        CoprocessorPort {
            command: Command { valid: bit(), funct7: bits(7), rs1: bits(32), rs2: bits(32) },
            ready: bit(),
            response: CommandResponse { valid: bit(), data: bits(32) },
        }
    }
}

/// What the core is connected to.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct CoreIn<T> {
    /// Instruction fetch.
    #[flip]
    pub ibus: Bus<T>,
    /// Loads and stores.
    #[flip]
    pub dbus: Bus<T>,
    /// Interrupt lines.
    pub interrupts: Interrupts<T>,
    /// The custom-0 instructions. Idle where the core has no coprocessor.
    #[flip]
    pub coprocessor: CoprocessorPort<T>,
}

/// What the core tells.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct CoreOut<T> {
    /// A record of every instruction.
    pub rvfi: Rvfi<T>,
}

/// An in-order RV32IM core of four stages: fetch, decode, execute, commit.
#[module]
pub struct Core {
    /// Address of the first instruction; a multiple of 4.
    pub reset_pc: u32,
    /// `mhartid`.
    pub hart_id: u32,
    /// Whether custom-0 instructions exist.
    pub has_coprocessor: bool,
}

impl Module for Core {
    type In = CoreIn<UInt>;
    type Out = CoreOut<UInt>;

    fn inputs(&self) -> CoreIn<Shape> {
        CoreIn {
            ibus: Bus::shape(),
            dbus: Bus::shape(),
            interrupts: Interrupts::shape(),
            coprocessor: CoprocessorPort::shape(),
        }
    }
    fn outputs(&self) -> CoreOut<Shape> {
        CoreOut { rvfi: Rvfi::shape() }
    }

    fn build(&self, m: &Builder, i: CoreIn<UInt>) -> CoreOut<UInt> {
        // State: `x_` in execute, `c_` in commit.
        let x_valid = m.reg("x_valid", 1).reset_to(0);
        let x_is_new = m.reg("x_is_new", 1).reset_to(0);
        let x = m.regs("x", Execute::shape());
        let c_valid = m.reg("c_valid", 1).reset_to(0);
        let c = m.regs("c", Commit::shape());
        let d_ready = m.wire("d_ready", 1);
        let redirect = m.wires("redirect", Redirect { valid: bit(), target: bits(32) });
        let executed = m.wires("executed", RegWrite { rd: bits(5), value: bits(32) });
        let committed = m.wires("committed", RegWrite { rd: bits(5), value: bits(32) });
        let csr = m.instance("csr", &Csr { hart_id: self.hart_id });

        // Fetch and decode.
        let fetched = m.instance("fetch", &Fetch { reset_pc: self.reset_pc }).connect(FetchIn {
            bus: i.ibus,
            redirect,
            ready: d_ready,
        });
        let insn = fetched.word.insn;
        let d = m
            .instance("decode", &Decode { has_coprocessor: self.has_coprocessor })
            .connect(DecodeIn { insn });
        let registers = m.instance("regfile", &RegFile {}).connect(RegFileIn {
            rs1: insn.slice(15, 5),
            rs2: insn.slice(20, 5),
            executed,
            committed,
        });
        let d_unit = fetched.word.error.mux(Operand::from(Unit::FetchFault), d.unit);

        // Execute.
        wire!(m, x_funct3 = x.insn.slice(12, 3));
        let operand_a =
            x.d.operand_a.is(OperandA::Pc).mux(x.pc, x.d.operand_a.is(OperandA::Zero).mux(0, x.rs1_value));
        let alu = m.instance("alu", &Alu {}).connect(AluIn {
            op: x.d.alu_op,
            a: operand_a,
            b: x.d.uses_imm.mux(x.d.imm, x.rs2_value),
        });
        let branch = m.instance("branch", &Branch {}).connect(BranchIn {
            unit: x.d.unit,
            funct3: x_funct3,
            pc: x.pc,
            rs1_value: x.rs1_value,
            rs2_value: x.rs2_value,
            imm: x.d.imm,
            target_from_rs1: x.d.target_from_rs1,
        });
        let multiplier = m.instance("multiplier", &Multiplier {}).connect(MultiplierIn {
            funct3: x_funct3,
            a: x.rs1_value,
            b: x.rs2_value,
        });
        wire!(m, x_address = x.rs1_value.wrapping_add(x.d.imm));
        wire!(m, x_sequential_pc = x.pc.wrapping_add(4));

        // Commit: what the last stage waits for, and what comes of it.
        wire!(m, c_is_memory = (c.unit.is(Unit::Load) | c.unit.is(Unit::Store)) & !c.trap.valid);
        wire!(m, c_is_command = c.unit.is(Unit::Coprocessor) & !c.trap.valid);
        wire!(
            m,
            c_waits = (c_is_memory & !i.dbus.response.valid) | (c_is_command & !i.coprocessor.response.valid)
        );
        wire!(m, c_done = c_valid & !c_waits);
        wire!(m, c_refused = c_is_memory & i.dbus.response.error);
        let trap = trap::with_memory(m, c_done, c.trap, c_refused, c.unit.is(Unit::Load), c.result);
        wire!(m, c_retires = c_done & !trap.valid);
        wire!(m, c_funct3 = c.insn.slice(12, 3));
        wire!(m, c_loaded = memory::shifted(m, c.result, i.dbus.response.data));

        // Interrupts come before an instruction that has just entered execute. Not behind an access: its device may be about to
        // lower the line.
        let interrupt = csr.o.interrupt & x_is_new & !(c_valid & c_is_memory);
        wire!(m, x_interrupt = interrupt);
        let x_trap = trap::before_memory(
            m,
            trap::Suspect {
                unit: x.d.unit,
                pc: x.pc,
                insn: x.insn,
                jumps: branch.taken,
                target: branch.target,
                address: x_address,
                interrupt: x_interrupt,
                interrupt_code: csr.o.interrupt_code,
            },
        );

        // Execute goes on once nothing before it can trap or redirect any more.
        wire!(m, c_redirects = trap.valid | (c_done & (c.unit.is(Unit::Mret) | c.unit.is(Unit::FenceI))));
        wire!(m, x_goes = x_valid & (!c_valid | c_done) & !c_redirects);
        wire!(m, x_acts = x_goes & !x_trap.valid);
        wire!(m, x_asks = x_acts & (x.d.unit.is(Unit::Load) | x.d.unit.is(Unit::Store)));
        wire!(m, x_commands = x_acts & x.d.unit.is(Unit::Coprocessor));
        i.dbus.request.valid.set(x_asks);
        i.dbus.request.addr.set(x_address.slice(2, 30).concat(m.constant(Bits::zero(2))));
        i.dbus.request.write.set(x.d.unit.is(Unit::Store));
        i.dbus.request.wdata.set(memory::store_data(x_funct3, x.rs2_value));
        i.dbus.request.mask.set(memory::byte_mask(m, x_funct3, x_address));
        i.coprocessor.command.valid.set(x_commands);
        i.coprocessor.command.funct7.set(x.insn.slice(25, 7));
        i.coprocessor.command.rs1.set(x.rs1_value);
        i.coprocessor.command.rs2.set(x.rs2_value);
        let divider = m.instance("divider", &Divider {});
        let divides = x_acts & x.d.unit.is(Unit::Divide) & !divider.o.busy & !divider.o.done;
        let divider = divider.connect(DividerIn {
            start: divides,
            funct3: x_funct3,
            dividend: x.rs1_value,
            divisor: x.rs2_value,
        });
        let x_finishes = m.wire("x_finishes", 1);
        x_finishes.set(1);
        m.when(!x_trap.valid, || {
            m.switch(x.d.unit, |units| {
                units.cases([Unit::Load, Unit::Store], || x_finishes.set(i.dbus.ready));
                units.case(Unit::Coprocessor, || x_finishes.set(i.coprocessor.ready));
                units.case(Unit::Divide, || x_finishes.set(divider.done));
                units.case(Unit::Wfi, || x_finishes.set(csr.o.wakes));
            });
        });
        wire!(m, x_leaves = x_goes & x_finishes);
        wire!(m, x_jumps = x_leaves & branch.taken & !x_trap.valid);
        let x_result = m.wire("x_result", 32);
        x_result.set(alu.result);
        m.switch(x.d.unit, |units| {
            units.case(Unit::Jump, || x_result.set(x_sequential_pc));
            units.case(Unit::Divide, || x_result.set(divider.result));
            units.cases([Unit::Load, Unit::Store], || x_result.set(x_address));
        });
        executed.rd.set(x_valid.mux(x.d.rd, 0));
        executed.value.set(x_result);

        // Decode waits for operands that are not there yet.
        wire!(
            m,
            x_is_late =
                concat([Unit::Load, Unit::Multiply, Unit::Csr, Unit::Coprocessor].map(|u| x.d.unit.is(u)))
                    .any()
        );
        wire!(
            m,
            x_is_alone =
                concat([Unit::Csr, Unit::Mret, Unit::Wfi, Unit::FenceI].map(|u| x.d.unit.is(u))).any()
        );
        let reads = |rd: UInt| {
            let rs1 = d.reads_rs1 & insn.slice(15, 5).eq(rd);
            let rs2 = d.reads_rs2 & insn.slice(20, 5).eq(rd);
            rd.any() & (rs1 | rs2)
        };
        wire!(m, waits_for_x = x_valid & ((x_is_late & reads(x.d.rd)) | x_is_alone));
        wire!(m, waits_for_c = c_valid & c_waits & reads(c.rd));
        d_ready.set((!x_valid | x_leaves) & !waits_for_x & !waits_for_c);

        // Pipeline registers.
        wire!(m, d_issues = fetched.valid & d_ready & !redirect.valid);
        x_is_new.set(d_issues);
        m.when(d_issues, || {
            x_valid.set(1);
            m.connect(
                x,
                Execute {
                    pc: fetched.word.pc,
                    insn,
                    d: Decoded { unit: d_unit, ..d },
                    rs1_value: registers.rs1_value,
                    rs2_value: registers.rs2_value,
                },
            );
        })
        .otherwise_when(x_leaves | c_redirects, || x_valid.set(0));
        m.when(x_leaves, || {
            c_valid.set(1);
            m.connect(
                c,
                Commit {
                    pc: x.pc,
                    insn: x.insn,
                    unit: x.d.unit,
                    rd: x.d.rd,
                    result: x_result,
                    next_pc: branch.taken.mux(branch.target, x_sequential_pc),
                    trap: x_trap,
                    reads_rs1: x.d.reads_rs1,
                    reads_rs2: x.d.reads_rs2,
                    rs1_value: x.rs1_value,
                    rs2_value: x.rs2_value,
                },
            );
        })
        .otherwise_when(c_done, || c_valid.set(0));

        // What commit changes.
        let csr_operand = c_funct3.bit(2).mux(c.insn.slice(15, 5).extend(32), c.rs1_value);
        let csr_writes = !c_funct3.bit(1) | c.insn.slice(15, 5).any();
        let csr = csr.connect(CsrIn {
            access: Access {
                valid: c_retires & c.unit.is(Unit::Csr) & csr_writes,
                number: c.insn.slice(20, 12),
                operation: c_funct3.slice(0, 2),
                operand: csr_operand,
            },
            trap,
            pc: c.pc,
            mret: c_retires & c.unit.is(Unit::Mret),
            retires: c_retires,
            interrupts: i.interrupts,
        });
        committed.rd.set(c_retires.mux(c.rd, 0));
        committed.value.set(c.result);
        m.switch(c.unit, |units| {
            units.case(Unit::Load, || committed.value.set(memory::load_value(c_funct3, c_loaded)));
            units.case(Unit::Multiply, || committed.value.set(multiplier.result));
            units.case(Unit::Csr, || committed.value.set(csr.read));
            units.case(Unit::Coprocessor, || committed.value.set(i.coprocessor.response.data));
        });
        wire!(m, c_successor = trap.valid.mux(csr.handler, c.unit.is(Unit::Mret).mux(csr.mepc, c.next_pc)));
        redirect.valid.set(c_redirects | x_jumps);
        redirect.target.set(c_redirects.mux(c_successor, branch.target));

        // Report.
        let access_mask = |accesses: UInt| (c_retires & accesses).mux(memory::width_mask(m, c_funct3), 0);
        let rvfi = m.instance("report", &Report {}).connect(ReportIn {
            valid: c_done,
            interrupt: trap.interrupt,
            trap: trap.valid & !trap.interrupt,
            insn: c.insn,
            pc: c.pc,
            next_pc: c_successor,
            reads_rs1: c.reads_rs1,
            reads_rs2: c.reads_rs2,
            rs1_value: c.rs1_value,
            rs2_value: c.rs2_value,
            rd: committed.rd,
            rd_value: committed.value,
            address: c.result,
            read_mask: access_mask(c.unit.is(Unit::Load)),
            write_mask: access_mask(c.unit.is(Unit::Store)),
            read_data: c_loaded,
        });
        CoreOut { rvfi }
    }
}
