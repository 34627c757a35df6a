//! The comparator, fed by a second simulator that plays the core.

mod common;

use common::random;
use ferrite_model::isa::{Asm, Program, csr, reg::*};
use ferrite_model::iss::{
    HartConfig, Interrupt, Iss, Machine, MachineConfig, Observed, PmpRegions, Retired, memory_map,
};
use ferrite_model::lockstep::{CsrValues, Divergence, Lockstep, Rvfi};
use ferrite_model::unit::{Port, Sizes};

const BASE: u32 = memory_map::RAM_BASE;

fn hart(program: &Program) -> Iss<Machine> {
    hart_with(program, HartConfig::default())
}

fn hart_with(program: &Program, config: HartConfig) -> Iss<Machine> {
    let mut machine = Machine::new(MachineConfig { external_bytes: 0, ..MachineConfig::default() });
    machine.write_memory(program.base, &program.bytes).expect("fits the RAM");
    Iss::new(machine, HartConfig { reset_pc: BASE, ..config })
}

fn program(write: impl FnOnce(&mut Asm)) -> Program {
    let mut asm = Asm::new(BASE);
    write(&mut asm);
    asm.finish().expect("a correct program")
}

/// What a core that did the same would report.
fn report(order: u64, retired: &Retired) -> Rvfi {
    let (rd_addr, rd_wdata) = retired.rd.map_or((0, 0), |(reg, value)| (reg.number() as u8, value));
    let format = retired.inst.map(|inst| (inst, inst.op.spec().format));
    let rs1 = format.filter(|(_, format)| format.reads_rs1()).map_or(0, |(inst, _)| inst.rs1.number() as u8);
    let rs2 = format.filter(|(_, format)| format.reads_rs2()).map_or(0, |(inst, _)| inst.rs2.number() as u8);
    let memory = retired.memory;
    Rvfi {
        valid: true,
        order,
        insn: retired.word,
        trap: retired.trap.is_some(),
        halt: false,
        intr: retired.handler_entry,
        mode: retired.privilege as u8,
        ixl: 1,
        rs1_addr: rs1,
        rs2_addr: rs2,
        rs1_rdata: if rs1 == 0 { 0 } else { retired.rs_values.0 },
        rs2_rdata: if rs2 == 0 { 0 } else { retired.rs_values.1 },
        rd_addr,
        rd_wdata,
        pc_rdata: retired.pc,
        pc_wdata: retired.next_pc,
        mem_addr: memory.map_or(0, |access| access.address),
        mem_rmask: memory.map_or(0, |access| access.read_mask as u8),
        mem_wmask: memory.map_or(0, |access| access.write_mask as u8),
        mem_rdata: memory.map_or(0, |access| access.read_data),
        mem_wdata: memory.map_or(0, |access| access.write_data),
    }
}

/// The same record with the memory access in the word's lanes, and garbage in the others.
fn in_lanes(mut rvfi: Rvfi) -> Rvfi {
    let lane = rvfi.mem_addr & 3;
    let garbage = |data: u32, mask: u8| {
        let bits =
            (0..4).filter(|byte| mask >> byte & 1 == 1).fold(0, |bits, byte| bits | 0xFF << (8 * byte));
        data << (8 * lane) & bits | 0xA5A5_A5A5 & !bits
    };
    rvfi.mem_addr &= !3;
    rvfi.mem_rmask <<= lane;
    rvfi.mem_wmask <<= lane;
    rvfi.mem_rdata = garbage(rvfi.mem_rdata, rvfi.mem_rmask);
    rvfi.mem_wdata = garbage(rvfi.mem_wdata, rvfi.mem_wmask);
    rvfi
}

/// Runs `instructions` instructions; the core's record number `order` goes through `change`.
fn compare(
    program: &Program,
    instructions: u64,
    change: impl Fn(u64, &mut Rvfi),
) -> Result<(), Box<Divergence>> {
    compare_harts(hart(program), instructions, change)
}

fn compare_harts(
    mut core: Iss<Machine>,
    instructions: u64,
    change: impl Fn(u64, &mut Rvfi),
) -> Result<(), Box<Divergence>> {
    let mut lockstep = Lockstep::new(core.clone());
    for order in 0..instructions {
        let mut rvfi = report(order, &core.step());
        change(order, &mut rvfi);
        lockstep.check(3 * order, &Rvfi { valid: false, ..rvfi })?;
        lockstep.check(3 * order + 1, &rvfi)?;
    }
    Ok(())
}

#[test]
fn a_core_that_does_the_same_never_diverges() {
    for seed in 1..=3 {
        let program = random::program(seed, 500);
        compare(&program, 3000, |_, _| {}).expect("the same steps");
        compare(&program, 3000, |_, rvfi| *rvfi = in_lanes(*rvfi)).expect("the same steps, in lanes");
    }
}

#[test]
fn compressed_instructions_and_user_mode_are_compared_like_all_others() {
    let config = HartConfig { pmp_regions: PmpRegions::None, ..HartConfig::full() };
    for (seed, user_mode) in [(1, false), (2, true)] {
        let core = hart_with(&random::full_program(seed, 500, user_mode), config);
        compare_harts(core.clone(), 3000, |_, _| {}).expect("the same steps");
        compare_harts(core.clone(), 3000, |_, rvfi| *rvfi = in_lanes(*rvfi))
            .expect("the same steps, in lanes");
        let wrong_mode = compare_harts(core, 3000, |_, rvfi| rvfi.mode = 3);
        assert_eq!(wrong_mode.err().map(|divergence| divergence.reason), user_mode.then(|| "mode".into()));
    }
}

#[test]
fn the_history_shows_compressed_instructions_as_such() {
    let mut asm = Asm::with_compressed(BASE);
    asm.c_li(A0, 5);
    asm.c_addi(A0, 1);
    let program = asm.finish().expect("a correct program");
    let core = hart_with(&program, HartConfig::full());
    let divergence =
        compare_harts(core, 2, |order, rvfi| rvfi.rd_wdata += order as u32).expect_err("a wrong sum");
    let text = divergence.to_string();
    assert!(text.contains("80000000: 4515      c.li a0, 5                       a0 = 0x5"), "{text}");
    assert!(text.contains("now, by the core's insn:  0505      c.addi a0, 1"), "{text}");
}

/// A store, a load and an addition, so that every field means something.
fn short_program() -> Program {
    program(|asm| {
        asm.auipc(A0, 1);
        asm.li(A1, 0x12);
        asm.sb(A1, 3, A0);
        asm.lbu(A2, 3, A0);
        asm.add(A3, A2, A1);
        asm.nop();
    })
}

#[test]
fn every_wrong_field_is_found_and_named() {
    type Change = fn(&mut Rvfi);
    let changes: [(u64, &str, Change); 18] = [
        (1, "order", |rvfi| rvfi.order += 1),
        (1, "pc_rdata", |rvfi| rvfi.pc_rdata += 4),
        (1, "trap", |rvfi| rvfi.trap = true),
        (1, "pc_wdata", |rvfi| rvfi.pc_wdata += 4),
        (1, "mode", |rvfi| rvfi.mode = 0),
        (1, "ixl", |rvfi| rvfi.ixl = 2),
        (1, "insn", |rvfi| rvfi.insn ^= 1 << 20),
        (1, "rd_addr", |rvfi| rvfi.rd_addr = 5),
        (1, "rd_wdata", |rvfi| rvfi.rd_wdata ^= 1),
        (4, "rs1_addr", |rvfi| rvfi.rs1_addr = 1),
        (4, "rs1_rdata", |rvfi| rvfi.rs1_rdata ^= 1),
        (4, "rs2_rdata", |rvfi| rvfi.rs2_rdata ^= 1 << 31),
        (2, "mem_addr", |rvfi| rvfi.mem_addr ^= 1),
        (2, "mem_wmask", |rvfi| rvfi.mem_wmask = 0b11),
        (2, "mem_wdata", |rvfi| rvfi.mem_wdata ^= 1),
        (3, "mem_rmask", |rvfi| rvfi.mem_rmask = 0b11),
        (3, "mem_rdata", |rvfi| rvfi.mem_rdata ^= 1),
        (4, "mem_wmask", |rvfi| rvfi.mem_wmask = 1),
    ];
    for (order, name, change) in changes {
        let result = compare(&short_program(), 6, |now, rvfi| {
            if now == order {
                change(rvfi);
            }
        });
        let divergence = result.expect_err(name);
        assert!(divergence.reason.split(", ").any(|field| field == name), "{name}: {divergence}");
        assert_eq!(divergence.cycle, 3 * order + 1, "{name}");
    }
}

#[test]
fn a_write_that_is_not_reported_is_a_divergence() {
    let result = compare(&short_program(), 6, |order, rvfi| {
        if order == 1 {
            (rvfi.rd_addr, rvfi.rd_wdata) = (0, 0);
        }
    });
    assert_eq!(result.expect_err("the write is missing").reason, "rd_addr, rd_wdata");
}

#[test]
fn a_register_that_is_named_without_being_read_must_have_its_value() {
    // The first instruction is `auipc`, which reads nothing; x10 is 0 before it.
    for (value, differs) in [(0, false), (7, true)] {
        let result = compare(&short_program(), 6, |order, rvfi| {
            if order == 0 {
                (rvfi.rs1_addr, rvfi.rs1_rdata) = (10, value);
            }
        });
        assert_eq!(
            result.err().map(|divergence| divergence.reason),
            differs.then(|| "rs1_rdata".to_string())
        );
    }
}

#[test]
fn the_message_shows_both_states_and_what_came_before() {
    let divergence = compare(&short_program(), 6, |order, rvfi| {
        if order == 4 {
            rvfi.rd_wdata = 0x25;
        }
    })
    .expect_err("a wrong sum");
    let expected = "\
core and model differ in cycle 13: rd_wdata
               core         model
    order      4            4
    pc_rdata   0x80000010   0x80000010
    trap       false        false
    intr       false        false
    pc_wdata   0x80000014   0x80000014
    mode       3            3
    ixl        1            1
    insn       0x00b606b3   0x00b606b3
    rd_addr    x13          x13
  ! rd_wdata   0x00000025   0x00000024
    rs1_addr   x12          x12
    rs1_rdata  0x00000012   0x00000012
    rs2_addr   x11          x11
    rs2_rdata  0x00000012   0x00000012
last instructions on which both agreed:
  cycle        1  80000000: 00001517  auipc a0, 0x1                    a0 = 0x80001000
  cycle        4  80000004: 01200593  addi a1, zero, 18                a1 = 0x12
  cycle        7  80000008: 00b501a3  sb a1, 3(a0)
  cycle       10  8000000c: 00354603  lbu a2, 3(a0)                    a2 = 0x12
now, by the core's insn:  00b606b3  add a3, a2, a1
";
    let lines = |text: &str| text.lines().map(|line| line.trim_end().to_string()).collect::<Vec<_>>();
    assert_eq!(lines(&divergence.to_string()), lines(expected));
}

/// Enables the timer and software interrupts, then counts; both handlers of the vector table count as well.
fn interruptible() -> Program {
    program(|asm| {
        let vectors = asm.label("vectors");
        let start = asm.label("start");
        asm.j(start);
        asm.align(64);
        asm.bind(vectors);
        (0..12).for_each(|_| asm.mret());
        asm.bind(start);
        asm.la(T0, vectors);
        asm.ori(T0, T0, 1);
        asm.csrw(csr::MTVEC, T0);
        asm.li(T0, 0x88);
        asm.csrw(csr::MIE, T0);
        asm.csrrsi(ZERO, csr::MSTATUS, 8);
        (0..20).for_each(|_| asm.addi(S0, S0, 1));
    })
}

/// Steps core and model together; the core takes `interrupt` before instruction `at`.
fn interrupted(
    interrupt: Interrupt,
    at: u64,
    change: impl Fn(u64, &mut Rvfi),
) -> Result<Retired, Box<Divergence>> {
    let program = interruptible();
    let (mut core, mut lockstep) = (hart(&program), Lockstep::new(hart(&program)));
    let mut handler = None;
    for order in 0..at + 4 {
        let interrupt = (order == at).then_some(interrupt);
        let mut rvfi = report(order, &core.step_with(&Observed { interrupt, ..Observed::default() }));
        change(order, &mut rvfi);
        let retired = lockstep.check(order, &rvfi)?;
        handler = if order == at { retired } else { handler };
    }
    Ok(handler.expect("the handler's first instruction"))
}

#[test]
fn an_interrupt_that_the_core_takes_is_taken_by_the_model_too() {
    let handler = interrupted(Interrupt::Timer, 12, |_, _| {}).expect("an enabled interrupt");
    assert_eq!((handler.interrupt, handler.handler_entry), (Some(Interrupt::Timer), true));
}

#[test]
fn an_interrupt_that_cannot_be_is_a_divergence() {
    let too_early = interrupted(Interrupt::Timer, 3, |_, _| {}).expect_err("nothing is enabled yet");
    assert!(too_early.reason.contains("none was enabled"), "{too_early}");
    let not_raised = interrupted(Interrupt::Software, 12, |_, _| {}).expect_err("msip is 0");
    assert!(not_raised.reason.contains("no enabled one leads to this address"), "{not_raised}");
    let silent = interrupted(Interrupt::Timer, 12, |order, rvfi| {
        if order == 12 {
            rvfi.intr = false;
        }
    });
    assert!(silent.expect_err("intr is missing").reason.contains("pc_rdata"));
    let invented = interrupted(Interrupt::Timer, 12, |order, rvfi| {
        if order == 8 {
            rvfi.intr = true;
        }
    });
    assert!(invented.is_err());
}

#[test]
fn counters_and_the_time_may_differ_and_their_consequences_are_followed() {
    let program = program(|asm| {
        asm.li(T0, memory_map::CLINT_BASE as i32 + 0xC000);
        asm.csrr(A0, csr::MCYCLE);
        asm.lw(A1, -8, T0);
        asm.add(A2, A0, A1);
    });
    let mut core = hart(&program);
    let mut lockstep = Lockstep::new(hart(&program));
    let seen = Observed { rd_value: Some(0x1234), load_data: Some(0x4321), interrupt: None };
    for order in 0..5 {
        let retired = core.step_with(&seen);
        lockstep.check(order, &report(order, &retired)).expect("the values that the core saw");
    }
    assert_eq!(lockstep.iss().register(A2), 0x1234 + 0x4321);
}

#[test]
fn a_csr_that_differs_is_found_and_named() {
    type Change = fn(&mut CsrValues);
    let changes: [(&str, Change); 10] = [
        ("mstatus", |csrs| csrs.mstatus ^= 8),
        ("mie", |csrs| csrs.mie ^= 8),
        ("mtvec", |csrs| csrs.mtvec ^= 1),
        ("mscratch", |csrs| csrs.mscratch ^= 1),
        ("mepc", |csrs| csrs.mepc ^= 4),
        ("mcause", |csrs| csrs.mcause ^= 1 << 31),
        ("mtval", |csrs| csrs.mtval ^= 1),
        ("mcounteren", |csrs| csrs.mcounteren ^= 1),
        ("mcountinhibit", |csrs| csrs.mcountinhibit ^= 1),
        ("minstret", |csrs| csrs.minstret += 1 << 32),
    ];
    let core = hart_with(&random::full_program(1, 500, false), HartConfig::full());
    let run = |change: Change| {
        let (mut core, mut lockstep) = (core.clone(), Lockstep::new(core.clone()));
        for order in 0..100 {
            let rvfi = report(order, &core.step());
            let mut csrs = CsrValues::of(&core);
            if order == 50 {
                change(&mut csrs);
            }
            lockstep.check_with_csrs(order, &rvfi, &csrs)?;
        }
        Ok::<(), Box<Divergence>>(())
    };
    run(|_| {}).expect("the same values");
    for (name, change) in changes {
        let divergence = run(change).expect_err(name);
        assert_eq!((divergence.reason.as_str(), divergence.cycle), (name, 50));
    }
}

#[test]
fn the_interrupt_that_mcause_names_is_the_one_that_was_taken() {
    // Both could be meant, since they share a handler.
    let program = program(|asm| {
        let handler = asm.local();
        asm.la(T0, handler);
        asm.csrw(csr::MTVEC, T0);
        asm.li(T0, -1);
        asm.csrw(csr::MIE, T0);
        asm.csrrsi(ZERO, csr::MSTATUS, 8);
        asm.bind(handler);
        asm.nop();
    });
    for interrupt in [Interrupt::Timer, Interrupt::External] {
        let (mut core, mut lockstep) = (hart(&program), Lockstep::new(hart(&program)));
        for _ in 0..6 {
            core.step();
            lockstep.iss_mut().step();
        }
        let rvfi =
            report(6, &core.step_with(&Observed { interrupt: Some(interrupt), ..Observed::default() }));
        let retired = lockstep.check_with_csrs(6, &rvfi, &CsrValues::of(&core)).expect("the same interrupt");
        assert_eq!(retired.and_then(|retired| retired.interrupt), Some(interrupt));
    }
}

#[test]
fn what_the_tensor_units_timing_decides_is_taken_from_the_core() {
    let program = program(|asm| {
        (0..8).for_each(|_| asm.t_push(ZERO, ZERO));
        asm.t_status(A0);
        asm.t_counter(A1, ZERO);
        asm.t_fence(A2);
        asm.t_info(A3, ZERO);
    });
    let sizes = Sizes { rows: 4, cols: 4, scratchpad_bytes: 4096, accumulator_rows: 16 };
    let config = MachineConfig { external_bytes: 0, ..MachineConfig::default() };
    let mut machine = Machine::with_tensor(config, Port::new(sizes, 0).expect("sizes in range"));
    machine.write_memory(program.base, &program.bytes).expect("fits the RAM");
    let fresh = Iss::new(machine, HartConfig { reset_pc: BASE, ..HartConfig::default() });
    let run = |changed: u64, bits: u32| {
        let (mut core, mut lockstep) = (fresh.clone(), Lockstep::new(fresh.clone()));
        for order in 0..12 {
            let mut rvfi = report(order, &core.step());
            if order == changed {
                rvfi.rd_wdata ^= bits;
            }
            lockstep.check(order, &rvfi)?;
        }
        Ok::<u32, Box<Divergence>>(lockstep.iss().register(if changed == 8 { A0 } else { A1 }))
    };
    // The command has no known code. The core need not have seen that yet, and may still be busy.
    assert_eq!(run(8, 0xFF03).expect("busy, error and cause"), 0xFE01);
    assert_eq!(run(9, 0x1234_5678).expect("a counter"), 0x1234_5678);
    for (order, bits) in [(8, 0x10), (8, 0x1_0000), (10, 1), (10, 0x100), (11, 1)] {
        assert_eq!(run(order, bits).expect_err("known").reason, "rd_wdata", "{order} {bits:#x}");
    }
}
