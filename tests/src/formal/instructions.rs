//! What every instruction does: traps, registers, addresses, where the program goes on.

use ferrite_hdl::prelude::*;
use ferrite_hw::core::{Bus, BusRequest};
use ferrite_model::isa::{Format, Op, Spec};

use super::csrs;
use super::operands::matches;
use super::record::{Record, cause};
use super::result::result;

/// Names of the claims about an instruction's result begin with this; its mnemonic follows.
pub const RESULT: &str = "result_";

/// Claims it all.
pub fn claim(r: &Record) {
    let trap = Expected::new(r);
    traps(r, &trap);
    sources_and_destination(r);
    results(r);
    successor(r);
    memory(r);
    commands(r);
    goals(r);
}

/// Every instruction takes effect in some run, every kind of exception is raised in one, and an interrupt taken: the claims speak of something.
fn goals(r: &Record) {
    for spec in r.rows().filter(|spec| !matches!(spec.op, Op::Ecall | Op::Ebreak)) {
        let name = format!("reached_{}", spec.mnemonic.replace('.', "_"));
        r.m.cover(&name, r.is(spec) & !r.rvfi.trap);
    }
    let c = r.core.config.extensions.c;
    let user = r.core.config.user_mode;
    for code in cause::ALL {
        if (code == cause::FETCH_MISALIGNED && c) || (code == cause::ECALL_USER && !user) {
            continue;
        }
        let raised = r.rvfi.valid & r.rvfi.trap & r.after.mcause.eq(code);
        r.m.cover(&format!("reached_exception_{code}"), raised);
    }
    r.m.cover("reached_interrupt", r.interrupt);
}

/// The exception that an instruction must raise.
struct Expected {
    raised: UInt,
    code: UInt,
    tval: UInt,
}

impl Expected {
    fn new(r: &Record) -> Expected {
        let m = r.m;
        let zeros = |width: u32| m.constant(Bits::zero(width));
        let (mut raised, mut code, mut tval) = (zeros(1), zeros(32), zeros(32));
        // Later ones come first.
        let mut raise = |when: UInt, number: u64, value: UInt| {
            raised = raised | when;
            code = when.mux(number, code);
            tval = when.mux(value, tval);
        };
        let (is_load, is_store) = (is_load(r), is_store(r));
        let address = r.address();
        let funct3 = r.o.insn.slice(12, 3);
        let misaligned = (funct3.bit(1) & address.slice(0, 2).any()) | (funct3.bit(0) & address.bit(0));
        raise(is_load & r.buses.data.failed, cause::LOAD_ACCESS, address);
        raise(is_store & r.buses.data.failed, cause::STORE_ACCESS, address);
        raise(is_load & misaligned, cause::LOAD_MISALIGNED, address);
        raise(is_store & misaligned, cause::STORE_MISALIGNED, address);
        if !r.core.config.extensions.c {
            let (jumps, target) = jump(r);
            raise(jumps & target.slice(0, 2).any(), cause::FETCH_MISALIGNED, target);
        }
        let is = |op: Op| r.is_any(|spec| spec.op == op);
        raise(is(Op::Ebreak), cause::BREAKPOINT, zeros(32));
        raise(is(Op::Ecall) & r.machine_mode, cause::ECALL_MACHINE, zeros(32));
        raise(is(Op::Ecall) & !r.machine_mode, cause::ECALL_USER, zeros(32));
        raise(!is_legal(r), cause::ILLEGAL, r.rvfi.insn);
        let tval = if r.core.config.mtval { tval } else { zeros(32) };
        Expected { raised, code, tval }
    }
}

/// Whether the core has the instruction, and the mode permits it.
fn is_legal(r: &Record) -> UInt {
    let is_csr = |spec: &Spec| matches!(spec.format, Format::Csr | Format::CsrImm);
    let timeout_wait = r.before.mstatus.bit(21);
    let any = r.m.constant(Bits::zero(1));
    r.rows().fold(any, |any, spec| {
        let matches = matches(r.o.insn, spec);
        let permitted = match spec.op {
            Op::Mret => matches & r.machine_mode,
            Op::Wfi => matches & (r.machine_mode | !timeout_wait),
            _ if is_csr(spec) => matches & csrs::is_legal(r, spec),
            _ => matches,
        };
        any | permitted
    })
}

fn is_load(r: &Record) -> UInt {
    r.is_any(|spec| spec.format == Format::Load)
}

fn is_store(r: &Record) -> UInt {
    r.is_any(|spec| spec.format == Format::Store)
}

fn traps(r: &Record, expected: &Expected) {
    let fetched = !r.unfetched;
    r.claim("trap_is_raised_when_it_must", fetched & expected.raised, r.rvfi.trap);
    r.claim("trap_has_a_reason", fetched & r.rvfi.trap, expected.raised);
    r.claim("trap_has_its_code", fetched & r.rvfi.trap, r.after.mcause.eq(expected.code));
    r.claim("trap_has_its_value", fetched & r.rvfi.trap, r.after.mtval.eq(expected.tval));
    if !r.core.config.mtval {
        return;
    }
    let offset = r.after.mtval.wrapping_sub(r.rvfi.pc_rdata);
    let of_half = offset.eq(0) | (offset.eq(2) & r.rvfi.pc_rdata.bit(1));
    r.claim("fetch_fault_names_its_half_word", r.unfetched, of_half);
}

fn sources_and_destination(r: &Record) {
    let insn = r.o.insn;
    let registers = |at: u32, reads: fn(Format) -> bool| {
        let reads = r.is_any(|spec| reads(spec.format));
        reads.repeat(5) & insn.slice(at, 5)
    };
    let fetched = !r.unfetched;
    let rs1 = |format: Format| {
        use Format::*;
        matches!(format, Reg | Unary | Imm | Shift | Load | Store | Branch | Jalr | Csr | TensorOther)
    };
    let rs2 =
        |format: Format| matches!(format, Format::Reg | Format::Store | Format::Branch | Format::TensorOther);
    // Of an illegal instruction nothing is read that means anything.
    let legal = fetched & is_legal(r);
    r.claim("rs1_is_reported", legal, r.rvfi.rs1_addr.eq(registers(15, rs1)));
    r.claim("rs2_is_reported", legal, r.rvfi.rs2_addr.eq(registers(20, rs2)));
    let writes = r.is_any(|spec| spec.format.writes_rd()) | returns_a_value(r);
    let rd = (writes & !r.rvfi.trap).repeat(5) & insn.slice(7, 5);
    r.claim("rd_is_reported", r.m.constant(Bits::ones(1)), r.rvfi.rd_addr.eq(rd));
    r.claim("x0_stays_0", r.rvfi.rd_addr.eq(0), r.rvfi.rd_wdata.eq(0));
}

/// A command for the coprocessor that has a result (`docs/tensor-unit.md`).
fn returns_a_value(r: &Record) -> UInt {
    let funct7 = r.o.insn.slice(25, 7);
    let returns = [0x00, 0x01, 0x02, 0x06].map(|command| funct7.eq(command));
    r.is_any(|spec| spec.op == Op::TOther) & concat(returns).any()
}

fn results(r: &Record) {
    let written = !r.rvfi.trap & r.rvfi.rd_addr.any();
    for spec in r.rows() {
        if let Some(value) = result(r.m, spec, &r.o) {
            let name = format!("{RESULT}{}", spec.mnemonic.replace('.', "_"));
            r.claim(&name, r.is(spec) & written, r.rvfi.rd_wdata.eq(value));
        }
    }
}

/// Whether the program goes to a target, and to which.
fn jump(r: &Record) -> (UInt, UInt) {
    let (m, o) = (r.m, &r.o);
    let is = |op: Op| r.is_any(|spec| spec.op == op);
    let less = o.rs1.signed().lt(o.rs2.signed());
    let below = o.rs1.lt(o.rs2);
    let equal = o.rs1.eq(o.rs2);
    let branches = (is(Op::Beq) & equal)
        | (is(Op::Bne) & !equal)
        | (is(Op::Blt) & less)
        | (is(Op::Bge) & !less)
        | (is(Op::Bltu) & below)
        | (is(Op::Bgeu) & !below);
    let to = |format: Format| o.pc.wrapping_add(o.immediate(m, format));
    let even = m.constant(Bits::from_u64(32, 0xFFFF_FFFE));
    let from_rs1 = o.rs1.wrapping_add(o.immediate(m, Format::Jalr)) & even;
    let target = is(Op::Jal).mux(to(Format::Jal), is(Op::Jalr).mux(from_rs1, to(Format::Branch)));
    (branches | is(Op::Jal) | is(Op::Jalr), target)
}

fn successor(r: &Record) {
    let (jumps, target) = jump(r);
    let returns = r.is_any(|spec| spec.op == Op::Mret);
    let next = returns.mux(r.before.mepc, jumps.mux(target, r.o.sequential_pc));
    r.claim("program_goes_on_at_the_next_instruction", !r.rvfi.trap, r.rvfi.pc_wdata.eq(next));
    let base = r.before.mtvec.slice(2, 30).concat(r.m.constant(Bits::zero(2)));
    r.claim("exception_goes_to_the_handler", r.rvfi.trap, r.rvfi.pc_wdata.eq(base));
}

/// One bit for each byte that the access takes.
fn width_mask(r: &Record) -> UInt {
    let mask = |bytes: u64| r.m.constant(Bits::from_u64(4, (1 << bytes) - 1));
    let width = r.o.insn.slice(12, 2);
    width.eq(0).mux(mask(1), width.eq(1).mux(mask(2), mask(4)))
}

fn memory(r: &Record) {
    let (is_load, is_store) = (is_load(r), is_store(r));
    let mask = width_mask(r);
    let expected = |accesses: UInt| (accesses & !r.rvfi.trap).repeat(4) & mask;
    let always = r.m.constant(Bits::ones(1));
    r.claim("load_reads_its_bytes", always, r.rvfi.mem_rmask.eq(expected(is_load)));
    r.claim("store_writes_its_bytes", always, r.rvfi.mem_wmask.eq(expected(is_store)));
    r.claim("access_has_its_address", (is_load | is_store) & !r.rvfi.trap, r.rvfi.mem_addr.eq(r.address()));
    r.claim("store_writes_rs2", is_store & !r.rvfi.trap, r.rvfi.mem_wdata.eq(r.rvfi.rs2_rdata));

    // What was asked of the bus was this access.
    let refused =
        r.rvfi.trap & (r.after.mcause.eq(cause::LOAD_ACCESS) | r.after.mcause.eq(cause::STORE_ACCESS));
    let accesses = (is_load | is_store) & (!r.rvfi.trap | refused);
    let address = r.address();
    let lanes = mask << address.slice(0, 2);
    // The bus may have taken the next instruction's access in the cycle in which this one was answered.
    let asked = asked_before(r);
    r.claim("access_was_asked_for", accesses, asked.addr.eq(address & Bits::from_u64(32, 0xFFFF_FFFC)));
    r.claim("access_was_the_right_one", accesses, asked.write.eq(is_store) & asked.mask.eq(lanes));
    let bytes = concat((0..4).rev().map(|lane| lanes.bit(lane).repeat(8)));
    let shift = address.slice(0, 2).concat(r.m.constant(Bits::zero(3)));
    let stored = (r.rvfi.rs2_rdata << shift) & bytes;
    r.claim("store_was_given_to_the_bus", accesses & is_store, (asked.wdata & bytes).eq(stored));
    r.claim("access_was_answered", accesses, r.buses.data.answered);

    // Every request is an instruction's that takes effect: the requests until two cycles ago, of which the accesses are taken off.
    let open = r.m.reg("requests_without_instruction", 1).reset_to(0);
    let passed = [r.m.reg("passed", 1).reset_to(0), r.m.reg("passed_before", 1).reset_to(0)];
    passed[0].set(r.buses.data.port.passes);
    passed[1].set(passed[0]);
    let there = open | passed[1];
    let takes = r.rvfi.valid & accesses;
    open.set(there & !takes);
    r.m.assert("request_belongs_to_an_instruction", !r.rvfi.valid | there.eq(accesses));
    r.m.assert("requests_come_one_at_a_time", !(open & passed[1]));
}

/// The last request until the cycle in which the instruction took effect.
fn asked_before(r: &Record) -> BusRequest<UInt> {
    let before = r.m.regs("data_asked_before", Bus::shape().request);
    r.m.connect(before, r.buses.data.asked);
    before
}

fn commands(r: &Record) {
    if !r.core.has_coprocessor {
        r.m.assert("no_commands", !r.buses.command.port.passes);
        return;
    }
    let is_command = r.is_any(|spec| spec.op == Op::TOther) & !r.rvfi.trap;
    let [funct7, rs1, rs2] = r.buses.command.asked;
    let [funct7, rs1, rs2] = [("was_funct7", funct7), ("was_rs1", rs1), ("was_rs2", rs2)]
        .map(|(name, value)| r.m.delay(name, value));
    r.claim("command_was_answered", is_command, r.buses.command.answered);
    let same = funct7.eq(r.o.insn.slice(25, 7)) & rs1.eq(r.rvfi.rs1_rdata) & rs2.eq(r.rvfi.rs2_rdata);
    r.claim("command_was_given_to_the_coprocessor", is_command, same);
    let returned = is_command & returns_a_value(r) & r.rvfi.rd_addr.any();
    r.claim("command_result_is_the_answer", returned, r.rvfi.rd_wdata.eq(r.buses.command.data));
}
