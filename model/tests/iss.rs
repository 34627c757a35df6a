//! Corner cases of the simulator, with expectations from the specification.

use ferrite_model::isa::{Asm, Inst, Op, csr, reg::*};
use ferrite_model::iss::{
    Exit, HartConfig, Interrupt, Iss, Machine, MachineConfig, Observed, Retired, Trap, cause, memory_map,
};
use ferrite_model::unit::{Port, Sizes};
use proptest::prelude::*;

const BASE: u32 = memory_map::RAM_BASE;
const HANDLER: u32 = BASE + 0x1000;

fn hart(write: impl FnOnce(&mut Asm)) -> Iss<Machine> {
    let mut asm = Asm::new(BASE);
    write(&mut asm);
    let program = asm.finish().expect("a correct program");
    let mut machine = Machine::new(MachineConfig::default());
    machine.write_memory(program.base, &program.bytes).expect("fits the RAM");
    Iss::new(machine, HartConfig { reset_pc: BASE, ..HartConfig::default() })
}

/// Executes `count` instructions and gives the last one's record.
fn steps(iss: &mut Iss<Machine>, count: u32) -> Retired {
    (0..count).map(|_| iss.step()).last().expect("at least one step")
}

fn result(op: Op, a: u32, b: u32) -> u32 {
    let mut iss = hart(|asm| asm.inst(Inst { rd: A2, rs1: A0, rs2: A1, ..Inst::new(op) }));
    iss.set_register(A0, a);
    iss.set_register(A1, b);
    iss.step();
    iss.register(A2)
}

#[test]
fn division_by_zero_and_overflow_have_the_results_that_the_specification_lists() {
    let min = i32::MIN as u32;
    for a in [0, 1, 7, min, u32::MAX] {
        assert_eq!(result(Op::Div, a, 0), u32::MAX);
        assert_eq!(result(Op::Divu, a, 0), u32::MAX);
        assert_eq!(result(Op::Rem, a, 0), a);
        assert_eq!(result(Op::Remu, a, 0), a);
    }
    assert_eq!(result(Op::Div, min, u32::MAX), min);
    assert_eq!(result(Op::Rem, min, u32::MAX), 0);
}

#[test]
fn division_rounds_towards_zero_and_the_remainder_has_the_dividends_sign() {
    let signed = |value: i32| value as u32;
    for (a, b, quotient, remainder) in [(7, 2, 3, 1), (-7, 2, -3, -1), (7, -2, -3, 1), (-7, -2, 3, -1)] {
        assert_eq!(result(Op::Div, signed(a), signed(b)), signed(quotient));
        assert_eq!(result(Op::Rem, signed(a), signed(b)), signed(remainder));
    }
}

proptest! {
    #[test]
    fn multiplications_are_parts_of_the_exact_product(a: u32, b: u32) {
        let (signed_a, signed_b) = (i128::from(a as i32), i128::from(b as i32));
        let high = |product: i128| (product >> 32) as u32;
        prop_assert_eq!(result(Op::Mul, a, b), (signed_a * signed_b) as u32);
        prop_assert_eq!(result(Op::Mulh, a, b), high(signed_a * signed_b));
        prop_assert_eq!(result(Op::Mulhsu, a, b), high(signed_a * i128::from(b)));
        prop_assert_eq!(result(Op::Mulhu, a, b), high(i128::from(a) * i128::from(b)));
    }

    #[test]
    fn dividend_is_quotient_times_divisor_plus_remainder(a: u32, b: u32) {
        for (divide, remainder) in [(Op::Div, Op::Rem), (Op::Divu, Op::Remu)] {
            let sum = result(divide, a, b).wrapping_mul(b).wrapping_add(result(remainder, a, b));
            prop_assert_eq!(sum, a);
        }
    }

    #[test]
    fn no_program_makes_the_simulator_panic(words in prop::collection::vec(any::<u32>(), 1..64), seed: u32) {
        let sizes = Sizes { rows: 4, cols: 4, scratchpad_bytes: 4096, accumulator_rows: 16 };
        let tensor = Port::new(sizes, 1 << 16).expect("sizes in range");
        let config = MachineConfig { external_bytes: 4096, ..MachineConfig::default() };
        let mut machine = Machine::with_tensor(config, tensor);
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        machine.write_memory(BASE, &bytes).expect("fits the RAM");
        for config in [HartConfig::default(), HartConfig::full()] {
            let mut iss = Iss::new(machine.clone(), HartConfig { reset_pc: BASE, ..config });
            for reg in ferrite_model::isa::Reg::all() {
                iss.set_register(reg, seed.rotate_left(reg.number()));
            }
            let retired: Vec<_> = (0..200).map(|_| iss.step()).collect();
            prop_assert!(retired.windows(2).all(|pair| pair[0].next_pc == pair[1].pc));
            let alignment = config.instruction_alignment();
            prop_assert!(retired.iter().all(|retired| retired.pc.is_multiple_of(alignment)));
        }
    }
}

/// The trap that an instruction raises, and the state in the handler.
fn trap_of(write: impl FnOnce(&mut Asm)) -> (Trap, Iss<Machine>) {
    let mut iss = hart(write);
    iss.set_register(A0, HANDLER);
    iss.set_register(A1, 0x0800_0000);
    iss.set_register(A2, BASE + 1);
    steps(&mut iss, 1);
    let retired = steps(&mut iss, 1);
    assert_eq!((retired.next_pc, retired.rd, iss.pc()), (HANDLER, None, HANDLER));
    let trap = retired.trap.expect("a trap");
    assert_eq!((iss.csr(csr::MCAUSE), iss.csr(csr::MTVAL)), (Some(trap.cause), Some(trap.tval)));
    assert_eq!(iss.csr(csr::MEPC), Some(BASE + 4));
    (trap, iss)
}

#[test]
fn exceptions_have_their_cause_and_value() {
    let with_handler = |write: fn(&mut Asm)| {
        trap_of(|asm| {
            asm.csrw(csr::MTVEC, A0);
            write(asm);
        })
        .0
    };
    let trap = |cause, tval| Trap { cause, tval };
    assert_eq!(with_handler(|asm| asm.word(0xFFFF_FFFF)), trap(cause::ILLEGAL_INSTRUCTION, 0xFFFF_FFFF));
    assert_eq!(with_handler(|asm| asm.word(0)), trap(cause::ILLEGAL_INSTRUCTION, 0));
    assert_eq!(with_handler(|asm| asm.ecall()), trap(cause::ECALL_MACHINE, 0));
    assert_eq!(with_handler(|asm| asm.ebreak()), trap(cause::BREAKPOINT, 0));
    assert_eq!(with_handler(|asm| asm.lw(A3, 0, A2)), trap(cause::LOAD_MISALIGNED, BASE + 1));
    assert_eq!(with_handler(|asm| asm.lhu(A3, 0, A2)), trap(cause::LOAD_MISALIGNED, BASE + 1));
    assert_eq!(with_handler(|asm| asm.sw(A3, 1, A2)), trap(cause::STORE_MISALIGNED, BASE + 2));
    assert_eq!(with_handler(|asm| asm.lb(A3, 3, A1)), trap(cause::LOAD_ACCESS, 0x0800_0003));
    assert_eq!(with_handler(|asm| asm.sb(A3, 3, A1)), trap(cause::STORE_ACCESS, 0x0800_0003));
    assert_eq!(with_handler(|asm| asm.jalr(RA, 2, A0)), trap(cause::INSTRUCTION_MISALIGNED, HANDLER + 2));
    let jal = Inst { rd: RA, imm: 6, ..Inst::new(Op::Jal) };
    let (jal_trap, iss) = trap_of(|asm| {
        asm.csrw(csr::MTVEC, A0);
        asm.inst(jal);
    });
    assert_eq!((jal_trap, iss.register(RA)), (trap(cause::INSTRUCTION_MISALIGNED, BASE + 10), 0));
    let branch = |asm: &mut Asm| asm.inst(Inst { imm: -2, ..Inst::new(Op::Beq) });
    assert_eq!(with_handler(branch), trap(cause::INSTRUCTION_MISALIGNED, BASE + 2));
}

#[test]
fn a_misaligned_access_to_nothing_is_reported_as_misaligned() {
    let mut iss = hart(|asm| asm.lw(A0, 1, ZERO));
    assert_eq!(iss.step().trap, Some(Trap { cause: cause::LOAD_MISALIGNED, tval: 1 }));
}

#[test]
fn a_jump_to_nowhere_traps_there() {
    let mut iss = hart(|asm| asm.jalr(RA, 0x700, ZERO));
    assert_eq!(steps(&mut iss, 1).trap, None);
    let retired = steps(&mut iss, 1);
    assert_eq!((retired.pc, retired.word), (0x700, 0));
    assert_eq!(retired.trap, Some(Trap { cause: cause::INSTRUCTION_ACCESS, tval: 0x700 }));
    assert_eq!((iss.csr(csr::MEPC), iss.register(RA)), (Some(0x700), BASE + 4));
}

#[test]
fn the_boot_rom_jumps_to_the_ram_and_cannot_be_written() {
    let mut iss = Iss::new(Machine::new(MachineConfig::default()), HartConfig::default());
    assert_eq!(iss.pc(), 0x1000);
    assert_eq!(steps(&mut iss, 2).next_pc, BASE);
    let mut iss = hart(|asm| asm.sw(ZERO, 0, A0));
    iss.set_register(A0, memory_map::ROM_BASE);
    assert_eq!(iss.step().trap, Some(Trap { cause: cause::STORE_ACCESS, tval: 0x1000 }));
}

#[test]
fn the_last_byte_of_ram_can_be_used_and_the_next_not() {
    let mut iss = hart(|asm| {
        asm.lbu(A1, -1, A0);
        asm.lbu(A1, 0, A0);
    });
    iss.set_register(A0, BASE + MachineConfig::default().ram_bytes);
    assert_eq!(iss.step().trap, None);
    assert_eq!(iss.step().trap.map(|trap| trap.cause), Some(cause::LOAD_ACCESS));
}

#[test]
fn csrs_keep_what_their_rules_allow() {
    let kept = |csr: u16, value: u32| {
        let mut iss = hart(|asm| asm.csrw(csr, A0));
        iss.set_register(A0, value);
        assert_eq!(iss.step().trap, None, "{csr:#x}");
        iss.csr(csr).expect("it exists")
    };
    for (csr, when_ones, when_zeros) in [
        (csr::MSTATUS, 0x1888, 0x1800),
        (csr::MSTATUSH, 0, 0),
        (csr::MISA, 0x4000_1100, 0x4000_1100),
        (csr::MIE, 0x888, 0),
        (csr::MIP, 0, 0),
        (csr::MTVEC, 0xFFFF_FFC1, 0),
        (csr::MSCRATCH, 0xFFFF_FFFF, 0),
        (csr::MEPC, 0xFFFF_FFFC, 0),
        (csr::MCAUSE, 0x8000_000F, 0),
        (csr::MTVAL, 0xFFFF_FFFF, 0),
        (csr::MCYCLE, 0xFFFF_FFFF, 0),
        (csr::MINSTRETH, 0xFFFF_FFFF, 0),
        (csr::MCOUNTINHIBIT, 0, 0),
        (0xB03, 0, 0),
        (0x33F, 0, 0),
    ] {
        assert_eq!((kept(csr, u32::MAX), kept(csr, 0)), (when_ones, when_zeros), "{csr:#x}");
    }
}

#[test]
fn csrs_that_do_not_exist_and_writes_to_read_only_ones_are_illegal() {
    let illegal = |inst: Inst| {
        let mut iss = hart(|asm| asm.inst(inst));
        iss.set_register(A0, 1);
        iss.step().trap.is_some_and(|trap| trap.cause == cause::ILLEGAL_INSTRUCTION)
    };
    let set = |csr, rs1| Inst { rd: A1, rs1, csr, ..Inst::new(Op::Csrrs) };
    // satp, sstatus, medeleg, mcounteren, pmpcfg0, tselect, cycle: none belongs to a machine-mode-only hart without Zicntr.
    for absent in [0x180, 0x100, 0x302, 0x306, 0x3A0, 0x7A0, 0xC00, 0x000, 0xFFF] {
        assert!(illegal(set(absent, ZERO)), "{absent:#x}");
    }
    for read_only in [csr::MVENDORID, csr::MARCHID, csr::MIMPID, csr::MHARTID, csr::MCONFIGPTR] {
        assert!(!illegal(set(read_only, ZERO)) && illegal(set(read_only, A0)), "{read_only:#x}");
        assert!(illegal(Inst { csr: read_only, ..Inst::new(Op::Csrrw) }), "{read_only:#x}");
        // What counts is the register's name, not that it holds 0 (Unprivileged 20240411, 7.1).
        assert!(illegal(set(read_only, A1)), "{read_only:#x}");
    }
}

#[test]
fn minstret_counts_what_retires_and_keeps_what_is_written() {
    let mut iss = hart(|asm| {
        asm.csrr(A0, csr::MINSTRET);
        asm.csrr(A1, csr::MINSTRET);
        asm.csrw(csr::MINSTRET, T0);
        asm.csrr(A2, csr::MINSTRET);
        asm.csrr(A3, csr::MINSTRETH);
        asm.csrr(A4, csr::MINSTRETH);
        asm.ecall();
    });
    iss.set_register(T0, u32::MAX - 1);
    steps(&mut iss, 6);
    assert_eq!([A0, A1, A2, A3, A4].map(|reg| iss.register(reg)), [0, 1, u32::MAX - 1, 0, 1]);
    let before = iss.csr(csr::MINSTRET);
    assert!(iss.step().trap.is_some());
    assert_eq!(iss.csr(csr::MINSTRET), before);
}

#[test]
fn a_trap_stacks_the_interrupt_enable_and_mret_restores_it() {
    let mut iss = hart(|asm| {
        asm.csrw(csr::MTVEC, A0);
        asm.csrrsi(ZERO, csr::MSTATUS, 8);
        asm.ecall();
        asm.align(4096);
        asm.mret();
    });
    iss.set_register(A0, HANDLER);
    assert!(!steps(&mut iss, 3).handler_entry);
    assert_eq!(iss.csr(csr::MSTATUS), Some(0x1880));
    let mret = iss.step();
    assert!(mret.handler_entry && mret.next_pc == BASE + 8);
    assert_eq!(iss.csr(csr::MSTATUS), Some(0x1888));
}

#[test]
fn external_comes_before_software_and_software_before_timer() {
    assert_eq!(Interrupt::most_urgent(0x888), Some(Interrupt::External));
    assert_eq!(Interrupt::most_urgent(0x088), Some(Interrupt::Software));
    assert_eq!(Interrupt::most_urgent(0x080), Some(Interrupt::Timer));
    assert_eq!(Interrupt::most_urgent(0x777), None);
}

#[test]
fn a_timer_interrupt_waits_for_its_time_and_its_enables() {
    let mut iss = hart(|asm| {
        asm.csrw(csr::MTVEC, A0);
        asm.sw(T0, 0x4, A1);
        asm.sw(T1, 0x0, A1);
        asm.csrw(csr::MIE, T2);
        asm.csrrsi(ZERO, csr::MSTATUS, 8);
        (0..20).for_each(|_| asm.nop());
    });
    iss.set_register(A0, HANDLER | 1);
    iss.set_register(A1, memory_map::CLINT_BASE + 0x4000);
    iss.set_register(T1, 10);
    iss.set_register(T2, 0x80);
    let first = (1..).map(|tick| (tick, iss.step())).find(|(_, retired)| retired.interrupt.is_some());
    let (tick, retired) = first.expect("an interrupt");
    assert_eq!((tick, retired.interrupt, retired.pc), (10, Some(Interrupt::Timer), HANDLER + 4 * 7));
    assert_eq!(iss.csr(csr::MIP).map(|mip| mip & 0x80), Some(0x80));
}

#[test]
fn values_that_depend_on_timing_are_adopted_and_others_not() {
    let mut iss = hart(|asm| {
        asm.csrr(A0, csr::MCYCLE);
        asm.csrr(A1, csr::MSCRATCH);
        asm.lw(A2, -8, T0);
        asm.lb(A3, 5, T1);
        asm.csrr(A4, csr::MIP);
    });
    iss.set_register(T0, memory_map::CLINT_BASE + 0xC000);
    iss.set_register(T1, memory_map::UART_BASE);
    // The UART has no parity error, bit 2.
    let observed = Observed { rd_value: Some(0xFFFF_F325), load_data: None, interrupt: None };
    let adopted: Vec<_> = (0..5).map(|_| iss.step_with(&observed)).map(|retired| retired.adopted).collect();
    assert_eq!(adopted, [Some(0xFFFF_F325), None, Some(0xFFFF_F325), Some(0x21), Some(0x220 & 0x888)]);
    assert_eq!([A0, A1, A2, A3].map(|reg| iss.register(reg)), [0xFFFF_F325, 0, 0xFFFF_F325, 0x21]);
}

#[test]
fn the_record_shows_loads_and_stores_byte_by_byte() {
    let mut iss = hart(|asm| {
        asm.sh(A0, 0x102, A1);
        asm.lb(A2, 0x103, A1);
    });
    iss.set_register(A0, 0xDEAD_BEEF);
    iss.set_register(A1, BASE);
    let store = iss.step().memory.expect("a store");
    assert_eq!((store.address, store.write_mask, store.write_data), (BASE + 0x102, 0b11, 0xBEEF));
    assert_eq!((store.read_mask, store.read_data), (0, 0));
    let load = iss.step();
    let access = load.memory.expect("a load");
    assert_eq!((access.address, access.read_mask, access.read_data), (BASE + 0x103, 1, 0xBE));
    assert_eq!(load.rd, Some((A2, 0xFFFF_FFBE)));
}

#[test]
fn x0_stays_zero_and_is_not_reported_as_written() {
    let mut iss = hart(|asm| asm.addi(ZERO, ZERO, 5));
    assert_eq!((iss.step().rd, iss.register(ZERO)), (None, 0));
}

#[test]
fn the_exit_device_takes_words_with_its_two_codes_only() {
    let exit = |value: i32, width: Op| {
        let mut iss = hart(|asm| {
            asm.li(A0, memory_map::EXIT_BASE as i32);
            asm.li(A1, value);
            asm.inst(Inst { rs1: A0, rs2: A1, ..Inst::new(width) });
            let forever = asm.local_here();
            asm.j(forever);
        });
        iss.run(100)
    };
    assert_eq!(exit(0x5555, Op::Sw), Exit::Code(0));
    assert_eq!(exit(7 << 16 | 0x3333, Op::Sw), Exit::Code(7));
    assert_eq!(exit(0x5554, Op::Sw), Exit::OutOfBudget);
    assert_eq!(exit(0x5555, Op::Sh), Exit::OutOfBudget);
}

#[test]
fn tensor_instructions_are_illegal_without_a_tensor_unit() {
    let mut iss = hart(|asm| asm.t_fence(A0));
    assert_eq!(iss.step().trap.map(|trap| trap.cause), Some(cause::ILLEGAL_INSTRUCTION));
}

#[test]
fn memory_outside_of_rom_and_ram_is_an_error_of_the_loader() {
    let mut machine = Machine::new(MachineConfig { ram_bytes: 4096, ..MachineConfig::default() });
    assert!(machine.write_memory(BASE + 4092, &[0; 4]).is_ok());
    let error = machine.write_memory(BASE + 4093, &[0; 4]).expect_err("one byte too many");
    assert_eq!((error.address, error.bytes, error.ram_bytes), (BASE + 4093, 4, 4096));
    assert!(machine.read_memory(0x1FFF, 2).is_err() && machine.read_memory(u32::MAX, 8).is_err());
}
