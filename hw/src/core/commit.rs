//! Commit: memory and coprocessor answer, and everything that an instruction changes is changed.

use ferrite_hdl::Operand;
use ferrite_hdl::prelude::*;

use super::CoreIn;
use super::config::{CoreConfig, Misaligned};
use super::csr::{CsrOut, Write};
use super::decode::Unit;
use super::divider::DivideOut;
use super::fetch::{BtbUpdate, Origin, Outcome};
use super::memory;
use super::multiplier::MultiplyOut;
use super::only;
use super::pipeline::Commit;
use super::regfile::RegWrite;
use super::rvfi::{Report, ReportIn, Rvfi};
use super::shifter::ShiftOut;
use super::split::Split;
use super::trap::{self, Trap};

/// The units whose results arrive in commit.
#[derive(Clone, Copy)]
pub struct Late {
    /// Products.
    pub product: MultiplyOut<UInt>,
    /// Quotients and remainders.
    pub quotient: DivideOut<UInt>,
    /// What was shifted, if it was not at once.
    pub shifted: ShiftOut<UInt>,
}

/// How far the instruction in commit is.
pub struct Progress {
    /// There is an instruction.
    pub valid: UInt,
    /// Its answer is not there yet.
    pub waits: UInt,
    /// It waits for memory or coprocessor.
    pub waits_for_bus: UInt,
    /// It takes effect in this cycle, or its trap does.
    pub done: UInt,
    /// It is done, and fetch begins anew behind it.
    pub redirects: UInt,
    /// Its trap.
    pub trap: Trap<UInt>,
    /// It takes effect in this cycle.
    pub retires: UInt,
    /// Its `funct3`.
    pub funct3: UInt,
    /// The word loaded, shifted so that the access's first byte is the lowest.
    pub loaded: UInt,
    /// The value of a load for its register, else 0.
    pub load_value: UInt,
}

/// Looks at the answers.
pub fn progress(
    m: &Builder,
    config: &CoreConfig,
    valid: UInt,
    c: Commit<UInt>,
    late: &Late,
    split: Option<Split>,
    i: &CoreIn<UInt>,
) -> Progress {
    let memory = c.asked & !i.dbus.response.valid;
    let command = c.commanded & !i.coprocessor.response.valid;
    wire!(m, c_waits_for_bus = memory | command);
    let computes =
        (c.multiplies & !late.product.ready) | (c.divides & !late.quotient.done) | late.shifted.busy;
    wire!(m, c_waits = c_waits_for_bus | computes);
    wire!(m, c_done = valid & !c_waits);
    wire!(m, c_refused = c.asked & i.dbus.response.error);
    let trap = trap::with_memory(m, config, c_done, &c, c_refused, split.map(|split| split.reached(&c)));
    wire!(m, c_redirects = c_done & (c.restarts | c.mispredicted | c_refused));
    // What was cut in two by a wrong prediction is no instruction.
    wire!(m, c_retires = c_done & !trap.valid & !c.unit.is(Unit::Refetch));
    wire!(m, c_funct3 = c.insn.slice(12, 3));
    let word = i.dbus.response.data;
    let loaded = split.map_or_else(|| memory::shifted(m, c.address, word), |split| split.loaded(m, &c, word));
    wire!(m, c_loaded = loaded);
    let load_value = match config.misaligned {
        Misaligned::Trap => {
            memory::aligned_load(m, c.source.load, c_funct3, c.address.slice(0, 2), i.dbus.response.data)
        }
        Misaligned::Handle => only(c.source.load, memory::load_value(c_funct3, c_loaded)),
    };
    Progress {
        valid,
        waits: c_waits,
        waits_for_bus: c_waits_for_bus,
        done: c_done,
        redirects: c_redirects,
        trap,
        retires: c_retires,
        funct3: c_funct3,
        loaded: c_loaded,
        load_value,
    }
}

/// What a CSR instruction writes. The ALU has passed its operand on.
pub fn csr_write(m: &Builder, c: Commit<UInt>, progress: &Progress, old: UInt) -> Write<UInt> {
    let operation = progress.funct3;
    let set_or_clear = operation.bit(0).mux(old & !c.result, old | c.result);
    wire!(m, c_written = operation.bit(1).mux(set_or_clear, c.result));
    let writes = !operation.bit(1) | c.insn.slice(15, 5).any();
    Write {
        // It waits for nothing.
        valid: progress.valid & !c.trap.valid & c.unit.is(Unit::Csr) & writes,
        number: c.insn.slice(20, 12),
        value: c_written,
    }
}

/// The result for its register.
pub fn write_register(
    c: Commit<UInt>,
    progress: &Progress,
    committed: RegWrite<UInt>,
    late: &Late,
    csr: CsrOut<UInt>,
    i: &CoreIn<UInt>,
) {
    committed.rd.set(progress.valid.mux(c.rd, 0));
    // What is there soon is chosen first. The ALU gives 0 to all that it does not compute, but operands to CSR instructions.
    let soon = only(!c.source.csr, c.result)
        | only(c.source.csr, csr.read)
        | late.shifted.result
        | only(c.source.bitmanip, c.manipulated)
        | only(c.source.coprocessor, i.coprocessor.response.data);
    let computed = only(c.source.divide, late.quotient.result) | only(c.source.multiply, late.product.result);
    committed.value.set(soon | computed | progress.load_value);
}

/// What the branch target buffer learns: a branch that it knows or that is taken, and that what it took for a branch is none.
pub fn learn(m: &Builder, c: Commit<UInt>, progress: &Progress, origin: Origin<UInt>) -> BtbUpdate<UInt> {
    let refetch = progress.done & c.unit.is(Unit::Refetch);
    let counter = c.prediction.counter;
    let up = counter.all().mux(counter, counter.wrapping_add(1));
    let down = counter.any().mux(counter.wrapping_sub(1), counter);
    let known = c.taken.mux(up, down);
    // An entry begins as certain to be taken: a branch that is taken every other time is then foreseen every other time.
    let fresh = Operand::from(Bits::from_u64(2, 3));
    let is_jump = c.unit.is(Unit::Jump);
    wire!(m, c_counter = c.prediction.hit.mux(known, fresh));
    let learns = progress.retires & (c.prediction.hit | c.taken);
    let outcome = c.prediction.history.map(|history| Outcome {
        trains: learns & c.unit.is(Unit::Branch),
        counter: c_counter,
        history,
        taken: c.taken,
        repairs: learns & c.mispredicted,
    });
    let counter = match outcome {
        None => concat([c_counter.bit(1) | is_jump, c_counter.bit(0) | is_jump]),
        Some(_) => is_jump.concat(m.constant(Bits::ones(1))),
    };
    BtbUpdate {
        valid: refetch | learns,
        last: refetch.mux(c.pc, c.sequential_pc.wrapping_sub(2)),
        origin,
        target: c.address,
        counter: refetch.mux(0, counter),
        returns: is_return(c.insn) & is_jump,
        outcome,
    }
}

/// `jalr` from a link register that it does not write (Unprivileged 20240411, table 3). Of jumps only.
pub fn is_return(insn: UInt) -> UInt {
    !insn.bit(3) & is_link(insn.slice(15, 5)) & insn.slice(15, 5).ne(insn.slice(7, 5))
}

/// `x1` or `x5`, which calls leave their return address in.
pub fn is_link(register: UInt) -> UInt {
    concat([register.slice(3, 2), register.slice(1, 1)]).eq(0) & register.bit(0)
}

/// Reports the instruction.
pub fn report(
    m: &Builder,
    c: Commit<UInt>,
    progress: &Progress,
    committed: RegWrite<UInt>,
    successor: UInt,
    machine_mode: UInt,
) -> Rvfi<UInt> {
    let mask = |accesses: UInt| (progress.retires & accesses).mux(memory::width_mask(m, progress.funct3), 0);
    m.instance("report", &Report {}).connect(ReportIn {
        valid: progress.done & !(c.unit.is(Unit::Refetch) & !progress.trap.valid),
        interrupt: progress.trap.interrupt,
        trap: progress.trap.valid & !progress.trap.interrupt,
        insn: c.raw,
        pc: c.pc,
        next_pc: successor,
        machine_mode,
        reads_rs1: c.reads_rs1,
        reads_rs2: c.reads_rs2,
        rs1_addr: c.insn.slice(15, 5),
        rs2_addr: c.insn.slice(20, 5),
        rs1_value: c.a,
        rs2_value: c.b,
        rd: progress.retires.mux(c.rd, 0),
        rd_value: committed.value,
        address: c.address,
        read_mask: mask(c.unit.is(Unit::Load)),
        write_mask: mask(c.unit.is(Unit::Store)),
        read_data: progress.loaded,
    })
}
