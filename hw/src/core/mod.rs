//! The RISC-V core: RV32I with M, C, Zba, Zbb, Zbs, Zicsr and Zifencei, machine and user mode, as [`CoreConfig`] has it.
//!
//! ```text
//!            +-------+     +--------+     +---------+     +--------+
//! bus <----> | fetch | --> | decode | --> | execute | --> | commit | --> RVFI
//!            +-------+     +--------+     +---------+     +--------+
//!             ^  predictor  registers      alu, branch     CSRs, traps,
//!             |   ^         ^  ^-------    request         load data, products
//!             |   +- learns-|--|---------- --> bus ------> response
//!             +- redirect --+--+------- results -------------+
//! ```
//!
//! An instruction takes effect in commit, in program order, and only there: registers, CSRs and traps. The exceptions are requests on the
//! data bus and to the coprocessor, which execute makes once nothing before them can trap any more. `fence.i` and the CSR instructions
//! let nothing into execute behind them until they have taken effect.
//!
//! `docs/core.md` says how many cycles instructions take.

mod alu;
pub mod bitmanip;
mod bitmanip_decode;
mod branch;
mod bus;
mod commit;
pub mod config;
pub mod csr;
mod decode;
pub mod divider;
mod events;
mod execute;
pub mod expand;
mod fetch;
mod hazard;
mod late;
mod memory;
pub mod multiplier;
mod pipeline;
pub mod pmp;
mod regfile;
mod rvfi;
mod shifter;
mod split;
mod trail;
mod trap;

pub use alu::{Alu, AluControl, AluIn, AluOut};
pub use branch::{Branch, BranchIn, BranchOut};
pub use bus::{Bus, BusRequest, BusResponse};
pub use config::{CoreConfig, Extensions, Misaligned, MultiplierKind, Predictor, RegisterFile, Shifter};
pub use csr::{Csr, CsrIn, CsrOut, CsrValues, Interrupts};
pub use decode::{Decode, DecodeIn, Decoded, Kind, Unit};
pub use fetch::{Btb, Fetch, FetchIn, FetchOut, Fetched, Gshare, Prediction, Redirect, ReturnStack};
pub use regfile::{RegFile, RegFileIn, RegFileOut, RegWrite};
pub use rvfi::{Report, ReportIn, Rvfi};
pub use shifter::{Shift, ShiftIn, ShiftOut};
pub use trap::Trap;

use ferrite_hdl::Operand;
use ferrite_hdl::prelude::*;

use late::LateUnits;
use pipeline::{Commit, Execute, Source};
use pmp::{AccessKind, Pmp, PmpIn, PmpState};
use split::Split;

/// One bundle of signals if it is chosen, else the other, leaf by leaf. Both have the same leaves.
#[track_caller]
fn choose<B: Bundle<Leaf = UInt>>(chosen: UInt, one: B, other: B) -> B::With<UInt> {
    let mut others = other.leaves().into_iter();
    one.map(|leaf| chosen.mux(leaf, others.next().expect("a bundle of the same shape").value))
}

/// The value if it is chosen, else 0.
fn only(chosen: UInt, value: UInt) -> UInt {
    chosen.repeat(value.width()) & value
}

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
    /// The CSRs after the instruction that `rvfi` reports.
    pub csrs: CsrValues<T>,
}

/// An in-order core of four stages: fetch, decode, execute, commit.
#[module]
pub struct Core {
    /// Features and pipeline.
    pub config: CoreConfig,
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
        CoreOut { rvfi: Rvfi::shape(), csrs: CsrValues::shape() }
    }

    fn build(&self, m: &Builder, i: CoreIn<UInt>) -> CoreOut<UInt> {
        // State: `x_` in execute, `c_` in commit.
        let config = &self.config;
        let x_valid = m.reg("x_valid", 1).reset_to(0);
        let x = m.regs("x", Execute::shape(config));
        let c_valid = m.reg("c_valid", 1).reset_to(0);
        let c = m.regs("c", Commit::shape(config));
        let d_ready = m.wire("d_ready", 1);
        let redirect = m.wires("redirect", Redirect::shape());
        let executed = m.wires("executed", RegWrite::shape());
        let committed = m.wires("committed", RegWrite::shape());
        let c_commits = m.wire("c_commits", 1);
        let csr = m.instance("csr", &Csr { config: *config });
        let fetch = m.instance("fetch", &Fetch { config: *config });
        let decode = Decode { config: *config, has_coprocessor: self.has_coprocessor };

        // Decode.
        let FetchOut { valid: d_valid, fetched, next_pc: d_next_pc, next_insn, asks_for } = fetch.o;
        let insn = fetched.insn;
        let d = m.instance("decode", &decode).connect(DecodeIn {
            insn,
            machine_mode: csr.o.machine_mode,
            timeout_wait: csr.o.timeout_wait,
            counters_allowed: csr.o.counters_allowed,
        });
        let mut instead_of_rs2 = only(d.uses_imm, d.imm);
        if config.predicts_indirect_jumps() {
            wire!(m, d_expected_rs1 = d_next_pc.wrapping_sub(d.imm));
            instead_of_rs2 = instead_of_rs2 | only(d.target_from_rs1, d_expected_rs1);
        }
        let operands = m.instance("regfile", &RegFile { kind: config.register_file }).connect(RegFileIn {
            rs1: insn.slice(15, 5),
            rs2: insn.slice(20, 5),
            next_rs1: next_insn.slice(15, 5),
            next_rs2: next_insn.slice(20, 5),
            reads_rs1: d.reads_rs1,
            reads_rs2: d.reads_rs2,
            instead_of_rs1: only(d.uses_pc, fetched.pc),
            instead_of_rs2,
            executed,
            committed,
            commits: c_commits,
        });
        let d_addend = match config.guesses_direct_targets() {
            true => decode::addend(m, &fetched),
            false => d.offset,
        };
        wire!(m, d_target = fetched.pc.wrapping_add(d_addend));
        // Of a target that counts from rs1 it is rs1 that is compared, in execute.
        let d_differs = match config.predictor {
            // What was guessed from the instruction itself is its target.
            Predictor::Static => m.constant(Bits::zero(1)),
            _ => branch::differ(m, d_target.slice(1, 31), d_next_pc.slice(1, 31)),
        };
        wire!(m, d_elsewhere = fetched.prediction.taken & !d.target_from_rs1 & d_differs);
        let no_insn = fetched.error.mux(Operand::from(Unit::FetchFault), Operand::from(Unit::Refetch));
        wire!(m, d_unit = (fetched.error | fetched.broken).mux(no_insn, d.unit));
        let d_kind = Kind::of(d.unit).of_insn(fetched.error, fetched.broken);
        // Of what does not exist nothing is to be computed. Besides, synthesis would make a choice between 0 and something else a reset of its
        // register that depends on `d_ready`.
        let d_alu = m.wires("d_alu", AluControl::shape());
        for (whole, part) in d_alu.leaves().into_iter().zip(d.alu.leaves()) {
            whole.value.set(only(d_valid, part.value));
        }
        // What was fetched was judged by the old regions.
        let d_changes_pmp = if config.pmp_regions > 0 {
            d_kind.csr & insn.slice(25, 7).eq(0x3A0 >> 5)
        } else {
            m.constant(Bits::zero(1))
        };

        // Execute and commit.
        let results = execute::compute(m, config, x);
        let units = LateUnits::new(m, config);
        let late = units.outputs();
        let split = Split::new(m, config);
        let now = commit::progress(m, config, c_valid, c, &late, split, &i);
        let judged = split.map_or(results.address, |split| split.judged(results.address));
        let allowed = self.data_allowed(m, x, judged, csr.o);
        let allowed = split.map_or(allowed, |split| allowed & split.goes_well());
        let misaligned = match split {
            None => memory::is_misaligned(results.funct3, execute::low_address(x)),
            Some(_) => m.constant(Bits::zero(1)),
        };
        let x_trap = trap::before_memory(
            m,
            config,
            trap::Suspect {
                x,
                jumps: results.branch.taken,
                target: results.address,
                misaligned,
                allowed,
                machine_mode: csr.o.machine_mode,
            },
        );

        // Execute goes on once nothing before it can trap or redirect any more.
        let c_redirects = now.redirects;
        wire!(m, c_takes = !c_valid | now.done);
        wire!(m, x_goes = x_valid & c_takes & !c_redirects);
        // A jump to a bad address stops nothing: its trap is taken in commit before anything else happens.
        let refused = (x.kind.load | x.kind.store) & (misaligned | !allowed);
        wire!(m, x_stops = x.kind.traps | refused);
        wire!(m, x_acts = x_goes & !x_stops);
        let part = split.map(|split| split.part(m, x, &results));
        execute::request(m, x, &results, x_acts, part, i.dbus, i.coprocessor);
        let awaited = execute::Awaited {
            dbus_ready: i.dbus.ready,
            coprocessor_ready: i.coprocessor.ready,
            wakes: csr.o.wakes,
            c_valid,
            part,
        };
        // That an access is refused is known late. If the bus is not ready for it either, its instruction leaves a cycle later.
        let x_was_refused = m.reg("x_was_refused", 1).reset_to(0);
        let x_finishes = execute::finishes(m, x, x.kind.traps | x_was_refused, awaited);
        wire!(m, x_leaves = x_goes & x_finishes);
        x_was_refused.set(x_valid & refused & !x_leaves);
        if let (Some(split), Some(part)) = (split, part) {
            let acts = x_acts & (x.kind.load | x.kind.store);
            split.advance(m, &part, &results, acts, x_leaves, i.dbus);
        }
        units.start((x, x_valid, x_leaves), (c, c_valid));
        executed.rd.set(x_valid.mux(x.d.rd, 0));
        executed.value.set(results.forwarded);
        let ahead = hazard::Ahead {
            x_valid,
            x,
            x_makes_room: c_takes & x_finishes,
            c_valid,
            c,
            c_waits: now.waits,
            interrupt: csr.o.interrupt,
        };
        let hazards = hazard::judge(m, insn, ahead);
        d_ready.set(hazards.ready);

        let mut d_is_late = d_kind.is_late;
        if config.shifter == Shifter::Iterative {
            d_is_late = d_is_late | d.alu.shifts;
        }
        if !config.guesses_direct_targets() {
            d_is_late = d_is_late | d_kind.jump;
        }

        // Pipeline registers.
        // Whether something enters execute, and whether it is still wanted, is known late, and told by `x_valid` alone.
        m.when(hazards.room, || {
            x_valid.set(d_valid & d_ready & !redirect.valid);
            m.connect(
                x,
                Execute {
                    pc: fetched.pc,
                    halves: fetched.halves,
                    checks_target: d_kind.jump & d.target_from_rs1 & fetched.prediction.taken,
                    elsewhere: d_elsewhere,
                    prediction: fetched.prediction,
                    insn,
                    raw: fetched.raw,
                    kind: Kind {
                        traps: d_kind.traps | csr.o.interrupt,
                        restarts: d_kind.restarts | d_changes_pmp,
                        is_late: d_is_late & d.rd.any(),
                        ..d_kind
                    },
                    d: Decoded {
                        unit: d_unit,
                        alu: d_alu,
                        bitmanip: only(d_valid, d.bitmanip),
                        target_from_rs1: d.target_from_rs1 & !fetched.error,
                        ..d
                    },
                    target: d_target,
                    next_pc: config.guesses_direct_targets().then_some(d_next_pc),
                    a: operands.a,
                    b: operands.b,
                    error_in_second_half: fetched.error_in_second_half,
                    interrupted: csr.o.interrupt,
                    interrupt_code: csr.o.interrupt_code,
                },
            );
        })
        .otherwise_when(c_redirects, || x_valid.set(0));
        m.when(x_leaves, || {
            c_valid.set(1);
            m.connect(
                c,
                Commit {
                    pc: x.pc,
                    sequential_pc: results.sequential_pc,
                    prediction: x.prediction,
                    insn: x.insn,
                    raw: x.raw,
                    unit: x.d.unit,
                    source: Source::of(x.kind),
                    rd: x.d.rd,
                    result: results.result,
                    manipulated: results.manipulated,
                    address: results.address,
                    next_pc: x.next_pc,
                    taken: results.branch.taken,
                    mispredicted: results.branch.mispredicted,
                    restarts: x.kind.restarts | x_trap.valid,
                    asked: (x.kind.load | x.kind.store) & !x_stops,
                    commanded: x.kind.coprocessor & !x_stops,
                    multiplies: x.kind.multiply & !x_stops,
                    divides: x.kind.divide & !x_stops,
                    trap: x_trap,
                    error_in_second_half: x.error_in_second_half,
                    reads_rs1: x.d.reads_rs1,
                    reads_rs2: x.d.reads_rs2,
                    a: x.a,
                    b: x.b,
                },
            );
        })
        .otherwise_when(now.done, || c_valid.set(0));

        c_commits.set(now.retires);

        // What commit changes, where the program goes on, and the report of it.
        commit::write_register(c, &now, committed, &late, csr.o, &i);
        let follows = match config.guesses_direct_targets() {
            true => c.address,
            false => c.taken.mux(c.address, c.sequential_pc),
        };
        let follows = c.unit.is(Unit::Mret).mux(csr.o.mepc, follows);
        wire!(m, c_leads_to = now.trap.valid.mux(csr.o.handler, follows));
        redirect.valid.set(c_redirects);
        redirect.target.set(c_leads_to);
        let c_successor = c.next_pc.map_or(c_leads_to, |next_pc| c_redirects.mux(c_leads_to, next_pc));
        let rvfi = commit::report(m, c, &now, committed, c_successor, csr.o.machine_mode);
        let trail = trail::follow(m, config, (x, x_leaves), &results, (c, c_valid));
        let learns = commit::learn(m, c, &now, trail.origin);
        // The return stack learns in the jump's first cycle in execute; whether that is its last is known late. That an access before it is
        // refused does not count.
        let x_is_new = m.delay("x_is_new", d_ready);
        let is_dropped = c_valid & (c.restarts | c.mispredicted);
        let is_jump = x_is_new & x_valid & x.kind.jump & !x.kind.traps & !is_dropped;
        let events = events::happened(
            m,
            &events::Happenings {
                taken: now.retires & c.taken,
                mispredicted: now.retires & c.mispredicted,
                operands: d_valid & hazards.operands,
                order: d_valid & hazards.order,
                starved: !d_valid,
                x_refused: x_valid & !x_finishes,
                c_valid,
                c,
                now: &now,
            },
        );
        let state = csr.o;
        csr.connect(CsrIn {
            number: x.insn.slice(20, 12),
            write: commit::csr_write(m, c, &now, state.read),
            trap: now.trap,
            pc: c.pc,
            mret: now.retires & c.unit.is(Unit::Mret),
            retires: now.retires,
            interrupts: i.interrupts,
            events,
        });
        fetch.connect(FetchIn {
            bus: i.ibus,
            redirect,
            anew: trail.anew,
            ready: d_ready,
            update: learns,
            returns: fetch::ReturnStackIn {
                push: is_jump & commit::is_link(x.d.rd),
                pop: is_jump & commit::is_return(x.insn),
                address: results.sequential_pc,
            },
            allowed: self.fetch_allowed(m, asks_for, state),
        });
        CoreOut { rvfi, csrs: state.values }
    }
}

impl Core {
    /// Whether physical memory protection lets the access in execute pass.
    fn data_allowed(&self, m: &Builder, x: Execute<UInt>, address: UInt, csr: CsrOut<UInt>) -> UInt {
        let (read, write) = (x.kind.load, x.kind.store);
        let kind = AccessKind { read, write, execute: m.constant(Bits::zero(1)) };
        self.allowed(m, "data_protection", address, csr.data_machine_mode, kind, csr.pmp)
    }

    /// Whether the word that fetch asks for may be executed.
    fn fetch_allowed(&self, m: &Builder, address: UInt, csr: CsrOut<UInt>) -> UInt {
        let (no, yes) = (m.constant(Bits::zero(1)), m.constant(Bits::ones(1)));
        let kind = AccessKind { read: no, write: no, execute: yes };
        self.allowed(m, "fetch_protection", address, csr.machine_mode, kind, csr.pmp)
    }

    fn allowed(
        &self,
        m: &Builder,
        name: &str,
        address: UInt,
        machine_mode: UInt,
        kind: AccessKind<UInt>,
        state: PmpState<UInt>,
    ) -> UInt {
        let regions = self.config.pmp_regions;
        if regions == 0 {
            return m.constant(Bits::ones(1));
        }
        m.instance(name, &Pmp { regions }).connect(PmpIn { state, address, machine_mode, kind }).allowed
    }
}
