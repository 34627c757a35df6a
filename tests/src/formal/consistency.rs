//! What holds from instruction to instruction: registers, the program's course, the mode, and both memories.

use ferrite_hdl::prelude::*;
use ferrite_hw::core::CoreConfig;

use super::record::{Record, cause};

/// Unknowns that the solver chooses once and for all.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Unknowns<T> {
    /// A register other than `x0`.
    pub register: T,
    /// Address of a word, without its two lowest bits.
    pub word: T,
    /// What is fetched there, for ever.
    pub code: T,
    /// Nothing can be fetched there, for ever.
    pub no_code: T,
}

impl Unknowns<Shape> {
    /// The widths.
    pub fn shape() -> Unknowns<Shape> {
        Unknowns { register: bits(5), word: bits(30), code: bits(32), no_code: bit() }
    }
}

/// Claims it all.
pub fn claim(r: &Record, unknowns: Unknowns<UInt>, fetched: Fetched) {
    order(r);
    registers(r, unknowns.register);
    course(r);
    code(r, unknowns, fetched);
    data(r, unknowns.word, fetched.data);
}

/// What arrives on the buses.
#[derive(Clone, Copy)]
pub struct Fetched {
    /// The word of the instruction bus.
    pub insn: UInt,
    /// It is an error.
    pub error: UInt,
    /// The word of the data bus, and whether it is an error.
    pub data: (UInt, UInt),
}

/// Instructions are numbered without gaps, from 0 on.
fn order(r: &Record) {
    let next = r.m.reg("next_order", 64).reset_to(0);
    r.m.when(r.rvfi.valid, || next.set(next.wrapping_add(1)));
    let always = r.m.constant(Bits::ones(1));
    r.claim("instructions_are_in_order", always, r.rvfi.order.eq(next));
    r.claim("core_never_halts", always, !r.rvfi.halt & r.rvfi.ixl.eq(1));
}

/// What is read is what was written last.
fn registers(r: &Record, register: UInt) {
    let m = r.m;
    let known = m.reg("register_is_known", 1).reset_to(0);
    let value = m.reg("register_value", 32);
    m.when(r.rvfi.valid & r.rvfi.rd_addr.eq(register), || {
        known.set(1);
        value.set(r.rvfi.rd_wdata);
    });
    let read = |address: UInt| known & address.eq(register) & register.any();
    r.claim("rs1_is_what_was_written", read(r.rvfi.rs1_addr), r.rvfi.rs1_rdata.eq(value));
    r.claim("rs2_is_what_was_written", read(r.rvfi.rs2_addr), r.rvfi.rs2_rdata.eq(value));
    r.claim("rs1_of_x0_is_0", r.rvfi.rs1_addr.eq(0), r.rvfi.rs1_rdata.eq(0));
    r.claim("rs2_of_x0_is_0", r.rvfi.rs2_addr.eq(0), r.rvfi.rs2_rdata.eq(0));
}

/// The program goes where each instruction sends it, or to the handler of an interrupt, which returns there; the mode changes with it.
fn course(r: &Record) {
    let m = r.m;
    let interrupt = r.interrupt;
    let next = m.reg("next_pc", 32).reset_to(u64::from(r.core.config.reset_vector));
    let handler = |csrs: ferrite_hw::core::CsrValues<UInt>| {
        let base = csrs.mtvec.slice(2, 30).concat(m.constant(Bits::zero(2)));
        let vectored = csrs.mtvec.bit(0) & csrs.mcause.bit(31);
        let offset = csrs.mcause.slice(0, 4).extend(32) << 2u32;
        base.wrapping_add(vectored.repeat(32) & offset)
    };
    m.when(r.rvfi.valid, || next.set(r.rvfi.pc_wdata))
        .otherwise_when(interrupt, || next.set(handler(r.after)));
    let at_handler = r.rvfi.intr & r.before.mcause.bit(31) & r.rvfi.pc_rdata.eq(handler(r.before));
    let always = m.constant(Bits::ones(1));
    r.claim("program_takes_its_course", always, r.rvfi.pc_rdata.eq(next) | at_handler);
    let after_reset = m.reg("any_instruction", 1).reset_to(0);
    m.when(r.rvfi.valid | interrupt, || after_reset.set(1));
    m.assert("interrupt_returns_to_the_next_instruction", !(interrupt & after_reset) | r.after.mepc.eq(next));

    let trapped = m.reg("trapped", 1).reset_to(0);
    m.when(r.rvfi.valid | interrupt, || trapped.set(interrupt | r.rvfi.trap));
    r.claim("handler_is_marked", trapped, r.rvfi.intr);

    let (mode_known, machine) = (m.reg("mode_is_known", 1).reset_to(0), m.reg("machine_mode", 1).reset_to(0));
    let returns = r.is_any(|spec| spec.op == ferrite_model::isa::Op::Mret) & !r.rvfi.trap;
    m.when(r.rvfi.valid, || {
        mode_known.set(1);
        machine.set(r.rvfi.trap | returns.mux(r.before.mstatus.bit(11), r.machine_mode));
    })
    .otherwise_when(interrupt, || {
        mode_known.set(1);
        machine.set(1);
    });
    let in_handler = r.rvfi.intr & r.machine_mode;
    r.claim("mode_changes_by_traps_and_mret", mode_known, r.machine_mode.eq(machine) | in_handler);
    m.assert("interrupt_tells_its_mode", !(interrupt & mode_known) | r.after.mstatus.bit(11).eq(machine));
    if !r.core.config.user_mode {
        r.claim("there_is_only_machine_mode", always, r.machine_mode);
    }
}

/// Instructions are those that stand at their address.
fn code(r: &Record, unknowns: Unknowns<UInt>, fetched: Fetched) {
    let m = r.m;
    let port = r.buses.fetch;
    let arrives = port.port.answers & port.asked.slice(2, 30).eq(unknowns.word);
    let constant = fetched.error.eq(unknowns.no_code) & (fetched.error | fetched.insn.eq(unknowns.code));
    m.assume("code_does_not_change", !arrives | constant);

    let pc = r.rvfi.pc_rdata;
    let is_long = r.rvfi.insn.slice(0, 2).all();
    let halves = [pc, pc.wrapping_add(2)].map(|at| {
        let here = at.slice(2, 30).eq(unknowns.word);
        (here, at.bit(1).mux(unknowns.code.slice(16, 16), unknowns.code.slice(0, 16)))
    });
    let [(first_here, first), (second_here, second)] = halves;
    let fetched = !r.unfetched & !unknowns.no_code;
    r.claim("instruction_begins_as_its_memory", fetched & first_here, r.rvfi.insn.slice(0, 16).eq(first));
    let ends = r.rvfi.insn.slice(16, 16);
    r.claim("instruction_ends_as_its_memory", fetched & is_long & second_here, ends.eq(second));
    r.claim("compressed_instruction_is_short", !r.unfetched & !is_long, ends.eq(0) | (!is_compressed(r)));
    let missing = unknowns.no_code & (first_here | (second_here & is_long));
    r.claim("missing_code_is_not_run", missing, r.unfetched);
    // `mtval` tells which half could not be fetched; where there are no halves, the pc does.
    let CoreConfig { mtval, extensions, .. } = r.core.config;
    if mtval || !extensions.c {
        let missed = if mtval { r.after.mtval } else { pc };
        let there = !unknowns.no_code & missed.slice(2, 30).eq(unknowns.word);
        r.claim("code_that_is_there_is_run", there, !r.unfetched);
    }
    r.claim(
        "fetch_fault_changes_no_register",
        r.unfetched,
        r.rvfi.rd_addr.eq(0) & r.after.mcause.eq(cause::FETCH_ACCESS),
    );
}

fn is_compressed(r: &Record) -> UInt {
    r.m.constant(Bits::from_bool(r.core.config.extensions.c))
}

/// What is loaded is what was stored last, byte by byte, of a word that nobody else writes and that answers without error.
fn data(r: &Record, word: UInt, (response, error): (UInt, UInt)) {
    let m = r.m;
    let port = r.buses.data;
    let here = port.asked.addr.slice(2, 30).eq(word);
    let lanes = |mask: UInt| concat((0..4).rev().map(|lane| mask.bit(lane).repeat(8)));

    // The memory behind the bus: a store happens when it is asked for, and is answered later.
    let memory = m.reg("memory_word", 32);
    let bytes = lanes(port.asked.mask);
    let stored = (memory & !bytes) | (port.asked.wdata & bytes);
    m.when(port.port.answers & here & port.asked.write, || memory.set(stored));
    let right = !error & (port.asked.write | response.eq(memory));
    m.assume("data_word_is_memory", !(port.port.answers & here) | right);

    // The memory as instructions see it.
    let known = m.reg("bytes_are_known", 4).reset_to(0);
    let value = m.reg("bytes_value", 32);
    let place = r.rvfi.mem_addr.slice(0, 2);
    let at_word = r.rvfi.mem_addr.slice(2, 30).eq(word) & r.rvfi.valid;
    let shift = place.concat(m.constant(Bits::zero(3)));
    let (reads, writes) = (r.rvfi.mem_rmask << place, r.rvfi.mem_wmask << place);
    let (read, written) = (r.rvfi.mem_rdata << shift, r.rvfi.mem_wdata << shift);
    m.when(at_word, || {
        known.set(known | reads | writes);
        let after_read = (value & !lanes(reads)) | (read & lanes(reads));
        value.set((after_read & !lanes(writes)) | (written & lanes(writes)));
    });
    let compared = lanes(reads & known);
    r.claim("load_reads_what_was_stored", at_word, ((read ^ value) & compared).eq(0));
}
