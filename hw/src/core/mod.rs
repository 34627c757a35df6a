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
pub mod bitmanip;
mod branch;
mod bus;
mod commit;
pub mod config;
pub mod control;
mod csr;
mod decode;
pub mod divider;
mod execute;
pub mod expand;
mod fetch;
mod hazard;
mod memory;
mod muldiv;
pub mod multiplier;
mod pipeline;
pub mod pmp;
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

        let results = execute::compute(m, x);
        let now = commit::progress(m, c_valid, c, &i);

        // Interrupts come before an instruction that has just entered execute. Not behind an access: its device may be about to
        // lower the line.
        let interrupt = csr.o.interrupt & x_is_new & !(c_valid & now.is_memory);
        wire!(m, x_interrupt = interrupt);
        let x_trap = trap::before_memory(
            m,
            trap::Suspect {
                unit: x.d.unit,
                pc: x.pc,
                insn: x.insn,
                jumps: results.branch.taken,
                target: results.branch.target,
                address: results.address,
                interrupt: x_interrupt,
                interrupt_code: csr.o.interrupt_code,
            },
        );

        // Execute goes on once nothing before it can trap or redirect any more.
        let returns = now.done & (c.unit.is(Unit::Mret) | c.unit.is(Unit::FenceI));
        wire!(m, c_redirects = now.trap.valid | returns);
        wire!(m, x_goes = x_valid & (!c_valid | now.done) & !c_redirects);
        wire!(m, x_acts = x_goes & !x_trap.valid);
        execute::request(m, x, &results, x_acts, i.dbus, i.coprocessor);
        let divider = execute::divide(m, x, results.funct3, x_acts);
        let x_finishes = execute::finishes(m, x, x_trap.valid, i.dbus, i.coprocessor, divider, csr.o.wakes);
        wire!(m, x_leaves = x_goes & x_finishes);
        wire!(m, x_jumps = x_leaves & results.branch.taken & !x_trap.valid);
        let x_result = execute::result(m, x, &results, divider);
        executed.rd.set(x_valid.mux(x.d.rd, 0));
        executed.value.set(x_result);
        let ahead = hazard::Ahead { x_valid, x, x_leaves, c_valid, c, c_waits: now.waits };
        d_ready.set(hazard::ready(m, insn, d, ahead));

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
                    next_pc: results.branch.taken.mux(results.branch.target, results.sequential_pc),
                    trap: x_trap,
                    reads_rs1: x.d.reads_rs1,
                    reads_rs2: x.d.reads_rs2,
                    rs1_value: x.rs1_value,
                    rs2_value: x.rs2_value,
                },
            );
        })
        .otherwise_when(now.done, || c_valid.set(0));

        // What commit changes, where the program goes on, and the report of it.
        let csr = commit::access_csrs(csr, c, &now, &i);
        commit::write_register(m, c, &now, committed, results.multiplier, csr, &i);
        let successor = c.unit.is(Unit::Mret).mux(csr.mepc, c.next_pc);
        wire!(m, c_successor = now.trap.valid.mux(csr.handler, successor));
        redirect.valid.set(c_redirects | x_jumps);
        redirect.target.set(c_redirects.mux(c_successor, results.branch.target));
        CoreOut { rvfi: commit::report(m, c, &now, committed, c_successor) }
    }
}
