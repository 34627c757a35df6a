//! Commit: memory and coprocessor answer, and everything that an instruction changes is changed.

use ferrite_hdl::prelude::*;

use super::CoreIn;
use super::csr::{Access, Csr, CsrIn, CsrOut};
use super::decode::Unit;
use super::memory;
use super::muldiv::MultiplierOut;
use super::pipeline::Commit;
use super::regfile::RegWrite;
use super::rvfi::{Report, ReportIn, Rvfi};
use super::trap::{self, Trap};

/// How far the instruction in commit is.
pub struct Progress {
    /// It loads or stores.
    pub is_memory: UInt,
    /// Its answer is not there yet.
    pub waits: UInt,
    /// It takes effect in this cycle, or its trap does.
    pub done: UInt,
    /// Its trap.
    pub trap: Trap<UInt>,
    /// It takes effect in this cycle.
    pub retires: UInt,
    /// Its `funct3`.
    pub funct3: UInt,
    /// The word loaded, shifted so that the access's first byte is the lowest.
    pub loaded: UInt,
}

/// Looks at the answers.
pub fn progress(m: &Builder, valid: UInt, c: Commit<UInt>, i: &CoreIn<UInt>) -> Progress {
    wire!(m, c_is_memory = (c.unit.is(Unit::Load) | c.unit.is(Unit::Store)) & !c.trap.valid);
    wire!(m, c_is_command = c.unit.is(Unit::Coprocessor) & !c.trap.valid);
    wire!(
        m,
        c_waits = (c_is_memory & !i.dbus.response.valid) | (c_is_command & !i.coprocessor.response.valid)
    );
    wire!(m, c_done = valid & !c_waits);
    wire!(m, c_refused = c_is_memory & i.dbus.response.error);
    let trap = trap::with_memory(m, c_done, c.trap, c_refused, c.unit.is(Unit::Load), c.result);
    wire!(m, c_retires = c_done & !trap.valid);
    wire!(m, c_funct3 = c.insn.slice(12, 3));
    wire!(m, c_loaded = memory::shifted(m, c.result, i.dbus.response.data));
    Progress {
        is_memory: c_is_memory,
        waits: c_waits,
        done: c_done,
        trap,
        retires: c_retires,
        funct3: c_funct3,
        loaded: c_loaded,
    }
}

/// Changes CSRs.
pub fn access_csrs(
    csr: ferrite_hdl::Instance<Csr>,
    c: Commit<UInt>,
    progress: &Progress,
    i: &CoreIn<UInt>,
) -> CsrOut<UInt> {
    let operand = progress.funct3.bit(2).mux(c.insn.slice(15, 5).extend(32), c.rs1_value);
    let writes = !progress.funct3.bit(1) | c.insn.slice(15, 5).any();
    csr.connect(CsrIn {
        access: Access {
            valid: progress.retires & c.unit.is(Unit::Csr) & writes,
            number: c.insn.slice(20, 12),
            operation: progress.funct3.slice(0, 2),
            operand,
        },
        trap: progress.trap,
        pc: c.pc,
        mret: progress.retires & c.unit.is(Unit::Mret),
        retires: progress.retires,
        interrupts: i.interrupts,
    })
}

/// Writes the result to its register.
pub fn write_register(
    m: &Builder,
    c: Commit<UInt>,
    progress: &Progress,
    committed: RegWrite<UInt>,
    multiplier: MultiplierOut<UInt>,
    csr: CsrOut<UInt>,
    i: &CoreIn<UInt>,
) {
    committed.rd.set(progress.retires.mux(c.rd, 0));
    committed.value.set(c.result);
    m.switch(c.unit, |units| {
        units.case(Unit::Load, || committed.value.set(memory::load_value(progress.funct3, progress.loaded)));
        units.case(Unit::Multiply, || committed.value.set(multiplier.result));
        units.case(Unit::Csr, || committed.value.set(csr.read));
        units.case(Unit::Coprocessor, || committed.value.set(i.coprocessor.response.data));
    });
}

/// Reports the instruction.
pub fn report(
    m: &Builder,
    c: Commit<UInt>,
    progress: &Progress,
    committed: RegWrite<UInt>,
    successor: UInt,
) -> Rvfi<UInt> {
    let mask = |accesses: UInt| (progress.retires & accesses).mux(memory::width_mask(m, progress.funct3), 0);
    m.instance("report", &Report {}).connect(ReportIn {
        valid: progress.done,
        interrupt: progress.trap.interrupt,
        trap: progress.trap.valid & !progress.trap.interrupt,
        insn: c.insn,
        pc: c.pc,
        next_pc: successor,
        reads_rs1: c.reads_rs1,
        reads_rs2: c.reads_rs2,
        rs1_value: c.rs1_value,
        rs2_value: c.rs2_value,
        rd: committed.rd,
        rd_value: committed.value,
        address: c.result,
        read_mask: mask(c.unit.is(Unit::Load)),
        write_mask: mask(c.unit.is(Unit::Store)),
        read_data: progress.loaded,
    })
}
