//! The chip's memories and devices, from the program's side, in lockstep with the golden model.

use ferrite_gen::error::Error;
use ferrite_gen::run::{Chip, Limits, RunError};

use ferrite_hdl::flat::FlatCheck;
use ferrite_hdl::ir::CheckKind;
use ferrite_hw::config::ChipConfig;
use ferrite_hw::map::{RAM_BASE, ROM_BASE, clint, exit, gpio, plic, uart};
use ferrite_model::isa::{Asm, csr, reg::*};
use ferrite_model::iss::{Bus, Interrupt, cause};
use ferrite_sim::{Interpreter, Native, NativeOptions, Simulator, StepError};
use ferrite_tests::bench::{Finished, LIMITS, design, on_both, run_everywhere, small_chip};

/// Where the trap handler records: cause and value, words.
const RECORD: u32 = RAM_BASE + 0x2000;

/// Interrupts are enabled.
const MSTATUS_MIE: i32 = 1 << 3;

fn run_on(chip: &ChipConfig, write: impl FnOnce(&mut Asm)) -> Finished {
    let mut asm = Asm::new(RAM_BASE);
    write(&mut asm);
    let program = asm.finish().expect("a correct program");
    run_everywhere(chip, &[(program.base, &program.bytes)])
}

fn run(write: impl FnOnce(&mut Asm)) -> Finished {
    run_on(&small_chip(), write)
}

/// Ends the run with the exit code in `a0`; overwrites `t5` and `t6`.
fn finish(asm: &mut Asm) {
    asm.slli(A0, A0, 16);
    asm.li(T5, exit::FAIL.value as i32);
    asm.or(A0, A0, T5);
    asm.li(T6, exit::REGION.base as i32);
    asm.sw(A0, 0, T6);
    let forever = asm.local_here();
    asm.j(forever);
}

/// A handler that notes `mcause` and `mtval` at `s11`, goes on behind the instruction and advances `s11`.
fn install_recorder(asm: &mut Asm) {
    let (handler, main) = (asm.local(), asm.local());
    asm.la(T0, handler);
    asm.csrw(csr::MTVEC, T0);
    asm.li(S11, RECORD as i32);
    asm.j(main);
    asm.bind(handler);
    asm.csrr(T5, csr::MCAUSE);
    asm.sw(T5, 0, S11);
    asm.csrr(T5, csr::MTVAL);
    asm.sw(T5, 4, S11);
    asm.addi(S11, S11, 8);
    // A jump into nothing returns to its caller.
    let fetch_fault = asm.local();
    asm.csrr(T5, csr::MCAUSE);
    asm.li(T6, cause::INSTRUCTION_ACCESS as i32);
    asm.beq(T5, T6, fetch_fault);
    asm.csrr(T5, csr::MEPC);
    asm.addi(T5, T5, 4);
    asm.csrw(csr::MEPC, T5);
    asm.mret();
    asm.bind(fetch_fault);
    asm.csrw(csr::MEPC, RA);
    asm.mret();
    asm.bind(main);
}

fn records(finished: &Finished, count: usize) -> Vec<(u32, u32)> {
    let bytes = finished.lockstep.iss().bus.read_memory(RECORD, 8 * count).unwrap();
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    (0..count).map(|k| (word(8 * k), word(8 * k + 4))).collect()
}

#[test]
fn a_program_starts_from_the_boot_rom_and_ends_with_its_exit_code() {
    let finished = run(|asm| {
        asm.li(A0, 0x1234);
        finish(asm);
    });
    assert_eq!(finished.ended.exit_code, 0x1234);
    // Two instructions of the ROM, then the program's up to the store.
    assert!(finished.ended.instructions >= 8, "{:?}", finished.ended);
}

#[test]
fn the_exit_device_takes_whole_words_at_its_first_address_only() {
    let finished = run(|asm| {
        asm.li(T0, exit::REGION.base as i32);
        asm.li(T1, exit::PASS.value as i32);
        asm.sh(T1, 0, T0);
        asm.sb(T1, 0, T0);
        asm.sw(T1, 4, T0);
        asm.lw(A1, 0, T0);
        asm.li(T1, 0x1111);
        asm.sw(T1, 0, T0);
        asm.addi(A0, A1, 9);
        finish(asm);
    });
    assert_eq!(finished.ended.exit_code, 9);
}

#[test]
fn accesses_outside_of_the_map_fault_and_say_where() {
    let chip = small_chip();
    let holes = [
        0,
        0xFFC,
        ROM_BASE + chip.soc.rom_bytes,
        0x0011_0000,
        0x0201_0000,
        0x0BFF_FFFC,
        0x0C40_0000,
        0x0FFF_FFFC,
        0x1000_1000,
        0x7FFF_FFFC,
        0xFFFF_FFFC,
    ];
    let beyond_ram = RAM_BASE + chip.soc.ram_bytes;
    let holes: Vec<u32> = holes.into_iter().chain([beyond_ram]).collect();
    let finished = run_on(&chip, |asm| {
        install_recorder(asm);
        for hole in &holes {
            asm.li(S0, *hole as i32);
            asm.lw(A0, 0, S0);
            asm.sw(A0, 0, S0);
            asm.jalr(RA, 0, S0);
        }
        asm.li(A0, 0);
        finish(asm);
    });
    let expected: Vec<(u32, u32)> = holes
        .iter()
        .flat_map(|hole| {
            [(cause::LOAD_ACCESS, *hole), (cause::STORE_ACCESS, *hole), (cause::INSTRUCTION_ACCESS, *hole)]
        })
        .collect();
    assert_eq!(records(&finished, expected.len()), expected);
}

#[test]
fn a_chip_with_all_devices_has_holes_behind_each_and_drives_its_pins() {
    let mut chip = small_chip();
    (chip.soc.gpio_pins, chip.soc.user_bytes, chip.soc.flash_bytes) = (12, 64 << 10, 1 << 20);
    let holes = [0x1001_1000, 0x1FFF_FFFC, 0x2010_0000, 0x3FFF_FFFC, 0x4001_0000];
    let finished = run_on(&chip, |asm| {
        install_recorder(asm);
        for hole in holes {
            asm.li(S0, hole as i32);
            asm.lw(A0, 0, S0);
            asm.sw(A0, 0, S0);
            asm.jalr(RA, 0, S0);
        }
        asm.li(S0, gpio::REGION.base as i32);
        asm.li(T0, 0xFF0);
        asm.sw(T0, gpio::OUT.offset as i32, S0);
        asm.li(T0, 0x55);
        asm.sw(T0, gpio::TOGGLE.offset as i32, S0);
        asm.lw(A0, gpio::OUT.offset as i32, S0);
        asm.lw(A1, gpio::IN.offset as i32, S0);
        finish(asm);
    });
    assert_eq!((finished.ended.exit_code, finished.lockstep.iss().register(A1)), (0xFA5, 0));
    let expected = holes.iter().flat_map(|hole| {
        [(cause::LOAD_ACCESS, *hole), (cause::STORE_ACCESS, *hole), (cause::INSTRUCTION_ACCESS, *hole)]
    });
    assert_eq!(records(&finished, 15), expected.collect::<Vec<_>>());
}

#[test]
fn the_rom_cannot_be_written_and_devices_cannot_be_executed() {
    let devices = [exit::REGION.base, clint::REGION.base, plic::REGION.base, uart::REGION.base];
    let finished = run(|asm| {
        install_recorder(asm);
        asm.li(S0, ROM_BASE as i32);
        asm.lw(S1, 0, S0);
        asm.sw(S0, 0, S0);
        asm.lw(S2, 0, S0);
        asm.sub(S3, S1, S2);
        for device in devices {
            asm.li(S0, device as i32);
            asm.jalr(RA, 0, S0);
        }
        asm.mv(A0, S3);
        finish(asm);
    });
    assert_eq!(finished.ended.exit_code, 0, "the ROM is unchanged");
    let mut expected = vec![(cause::STORE_ACCESS, ROM_BASE)];
    expected.extend(devices.map(|device| (cause::INSTRUCTION_ACCESS, device)));
    assert_eq!(records(&finished, expected.len()), expected);
}

#[test]
fn bytes_and_halves_of_the_ram_stand_at_their_places() {
    let finished = run(|asm| {
        asm.li(S0, (RAM_BASE + 0x1000) as i32);
        asm.li(T0, 0x0403_0201);
        asm.sw(T0, 0, S0);
        asm.li(T0, 0xAA);
        asm.sb(T0, 1, S0);
        asm.li(T0, 0xBBCC);
        asm.sh(T0, 2, S0);
        asm.lw(A1, 0, S0);
        asm.lbu(A2, 3, S0);
        asm.lh(A3, 2, S0);
        asm.mv(A0, A2);
        finish(asm);
    });
    assert_eq!(finished.ended.exit_code, 0xBB);
    assert_eq!(finished.lockstep.iss().register(A1), 0xBBCC_AA01);
    assert_eq!(finished.lockstep.iss().register(A3), 0xFFFF_BBCC);
}

#[test]
fn the_timers_registers_can_be_read_and_written_in_parts() {
    let finished = run(|asm| {
        asm.li(S0, (clint::REGION.base + clint::MTIMECMP.offset) as i32);
        asm.lw(A1, 0, S0);
        asm.lw(A2, 4, S0);
        asm.li(T0, 0x5A);
        asm.sb(T0, 2, S0);
        asm.sh(T0, 6, S0);
        asm.lw(A3, 0, S0);
        asm.lw(A4, 4, S0);
        // `mtime` goes on from what is written.
        asm.li(S1, (clint::REGION.base + clint::MTIME.offset) as i32);
        asm.sw(ZERO, 4, S1);
        asm.li(T0, 1000);
        asm.sw(T0, 0, S1);
        asm.lw(A5, 0, S1);
        asm.lw(A6, 4, S1);
        asm.lw(A7, 0x100, S0);
        asm.li(A0, 0);
        finish(asm);
    });
    let register = |reg| finished.lockstep.iss().register(reg);
    assert_eq!((register(A1), register(A2)), (u32::MAX, u32::MAX));
    assert_eq!((register(A3), register(A4)), (0xFF5A_FFFF, 0x005A_FFFF));
    assert!((1000..1010).contains(&register(A5)), "{}", register(A5));
    assert_eq!((register(A6), register(A7)), (0, 0));
}

#[test]
fn a_timer_interrupt_comes_at_its_time_and_goes_when_the_time_is_moved() {
    let finished = run(|asm| {
        let (handler, main, wait) = (asm.local(), asm.local(), asm.local());
        asm.la(T0, handler);
        asm.csrw(csr::MTVEC, T0);
        asm.li(S0, (clint::REGION.base + clint::MTIMECMP.offset) as i32);
        asm.li(S1, (clint::REGION.base + clint::MTIME.offset) as i32);
        asm.j(main);
        asm.bind(handler);
        asm.csrr(S3, csr::MCAUSE);
        asm.addi(S2, S2, 1);
        asm.lw(S4, 0, S1);
        asm.li(T0, -1);
        asm.sw(T0, 0, S0);
        asm.mret();
        asm.bind(main);
        asm.li(S2, 0);
        asm.li(T0, 400);
        asm.sw(T0, 0, S0);
        asm.sw(ZERO, 4, S0);
        asm.li(T0, Interrupt::Timer.bit() as i32);
        asm.csrw(csr::MIE, T0);
        asm.li(T0, MSTATUS_MIE);
        asm.csrs(csr::MSTATUS, T0);
        asm.bind(wait);
        asm.lw(T1, 0, S1);
        asm.li(T0, 800);
        asm.blt(T1, T0, wait);
        asm.mv(A0, S2);
        finish(asm);
    });
    assert_eq!(finished.ended.exit_code, 1, "interrupts taken");
    let register = |reg| finished.lockstep.iss().register(reg);
    assert_eq!(register(S3), cause::INTERRUPT | Interrupt::Timer.code());
    assert!((400..420).contains(&register(S4)), "taken at {}", register(S4));
}

#[test]
fn a_software_interrupt_is_raised_by_its_register() {
    let finished = run(|asm| {
        let (handler, main) = (asm.local(), asm.local());
        asm.la(T0, handler);
        asm.csrw(csr::MTVEC, T0);
        asm.li(S0, (clint::REGION.base + clint::MSIP.offset) as i32);
        asm.li(S2, 0);
        asm.j(main);
        asm.bind(handler);
        asm.sw(ZERO, 0, S0);
        asm.addi(S2, S2, 1);
        asm.mret();
        asm.bind(main);
        asm.li(T0, Interrupt::Software.bit() as i32);
        asm.csrw(csr::MIE, T0);
        asm.li(T0, MSTATUS_MIE);
        asm.csrs(csr::MSTATUS, T0);
        asm.li(T0, 3);
        for _ in 0..3 {
            asm.sw(T0, 0, S0);
            asm.nop();
            asm.nop();
            asm.nop();
        }
        asm.mv(A0, S2);
        finish(asm);
    });
    assert_eq!(finished.ended.exit_code, 3);
}

#[test]
fn the_uart_sends_what_a_polling_program_writes() {
    let text = "Ferrite\n";
    let finished = run(|asm| {
        asm.li(S0, uart::REGION.base as i32);
        for byte in text.bytes() {
            let wait = asm.local_here();
            asm.lbu(T0, uart::LSR.offset as i32, S0);
            asm.andi(T0, T0, uart::LSR_THRE.mask() as i32);
            asm.beqz(T0, wait);
            asm.li(T1, byte.into());
            asm.sb(T1, uart::THR.offset as i32, S0);
        }
        // The other registers read 0 and take writes.
        asm.sw(S0, 4, S0);
        asm.lw(A1, 0x40, S0);
        asm.mv(A0, A1);
        finish(asm);
    });
    assert_eq!((finished.printed.as_str(), finished.ended.exit_code), (text, 0));
}

#[test]
fn the_line_status_says_when_everything_is_sent() {
    let finished = run(|asm| {
        asm.li(S0, uart::REGION.base as i32);
        asm.lbu(A1, uart::LSR.offset as i32, S0);
        asm.li(T1, 'a' as i32);
        asm.sb(T1, 0, S0);
        asm.sb(T1, 0, S0);
        let wait = asm.local_here();
        asm.lbu(A2, uart::LSR.offset as i32, S0);
        asm.andi(T0, A2, uart::LSR_TEMT.mask() as i32);
        asm.beqz(T0, wait);
        asm.li(A0, 0);
        finish(asm);
    });
    let idle = (uart::LSR_THRE.mask() | uart::LSR_TEMT.mask()) as u32;
    assert_eq!(finished.lockstep.iss().register(A1), idle);
    assert_eq!(finished.lockstep.iss().register(A2), idle);
    assert_eq!(finished.printed, "aa");
    // Two frames of ten bits.
    let frames = 2 * 10 * u64::from(small_chip().soc.uart_cycles_per_bit());
    assert!((frames..frames + 60).contains(&finished.ended.cycles), "{:?}", finished.ended);
}

#[test]
fn the_uart_interrupts_through_the_controller() {
    let finished = run(|asm| {
        let (handler, main) = (asm.local(), asm.local());
        asm.la(T0, handler);
        asm.csrw(csr::MTVEC, T0);
        asm.li(S0, uart::REGION.base as i32);
        asm.li(S1, (plic::REGION.base + plic::CLAIM.offset) as i32);
        asm.li(S2, 0);
        asm.j(main);
        asm.bind(handler);
        asm.csrr(S3, csr::MCAUSE);
        asm.lw(S4, 0, S1);
        asm.lbu(S5, uart::IIR.offset as i32, S0);
        asm.lbu(S6, uart::RBR.offset as i32, S0);
        asm.sw(S4, 0, S1);
        asm.addi(S2, S2, 1);
        asm.mret();
        asm.bind(main);
        let source = uart::REGION.interrupt.unwrap();
        asm.li(T0, (plic::REGION.base + plic::PRIORITY.offset + 4 * source) as i32);
        asm.li(T1, 3);
        asm.sw(T1, 0, T0);
        asm.li(T0, (plic::REGION.base + plic::ENABLE.offset) as i32);
        asm.li(T1, 1 << source);
        asm.sw(T1, 0, T0);
        asm.li(T1, uart::MCR_LOOP.mask() as i32);
        asm.sb(T1, uart::MCR.offset as i32, S0);
        asm.li(T1, uart::IER_ERBI.mask() as i32);
        asm.sb(T1, uart::IER.offset as i32, S0);
        asm.li(T0, Interrupt::External.bit() as i32);
        asm.csrw(csr::MIE, T0);
        asm.li(T0, MSTATUS_MIE);
        asm.csrs(csr::MSTATUS, T0);
        for (count, byte) in [(1, b'x'), (2, b'y')] {
            asm.li(T1, byte.into());
            asm.sb(T1, uart::THR.offset as i32, S0);
            asm.li(T0, count);
            let wait = asm.local_here();
            asm.bne(S2, T0, wait);
        }
        asm.mv(A0, S6);
        finish(asm);
    });
    let register = |reg| finished.lockstep.iss().register(reg);
    assert_eq!((finished.ended.exit_code, finished.printed.as_str()), (b'y'.into(), ""));
    assert_eq!(register(S2), 2, "interrupts taken");
    assert_eq!(register(S3), cause::INTERRUPT | Interrupt::External.code());
    assert_eq!((register(S4), register(S5)), (10, uart::IIR_RECEIVED.value));
}

#[test]
fn bytes_in_the_uarts_fifo_are_printed_after_the_program_has_ended() {
    let finished = run(|asm| {
        asm.li(S0, uart::REGION.base as i32);
        asm.li(T1, uart::FCR_ENABLE.mask() as i32);
        asm.sb(T1, uart::FCR.offset as i32, S0);
        for byte in b'a'..b'a' + 16 {
            asm.li(T1, byte.into());
            asm.sb(T1, uart::THR.offset as i32, S0);
        }
        asm.li(A0, 0);
        finish(asm);
    });
    assert_eq!(finished.printed, "abcdefghijklmnop");
}

#[test]
fn a_byte_that_is_stored_right_before_the_exit_is_printed() {
    // The line has been quiet for longer than a frame takes.
    let finished = run(|asm| {
        asm.li(S0, uart::REGION.base as i32);
        asm.li(T0, 200);
        let wait = asm.local_here();
        asm.addi(T0, T0, -1);
        asm.bnez(T0, wait);
        asm.li(T1, b'a'.into());
        asm.li(T5, exit::PASS.value as i32);
        asm.li(T6, exit::REGION.base as i32);
        asm.sb(T1, 0, S0);
        asm.sw(T5, 0, T6);
        let forever = asm.local_here();
        asm.j(forever);
    });
    assert_eq!(finished.printed, "a");
    assert_eq!(finished.lockstep.iss().bus.exit_code(), Some(0), "the last instruction was compared");
}

#[test]
fn tensor_commands_are_illegal_on_a_chip_without_tensor_unit() {
    for present in [true, false] {
        let mut chip = small_chip();
        if !present {
            chip.tensor = None;
        }
        let finished = run_on(&chip, |asm| {
            install_recorder(asm);
            asm.t_status(A1);
            asm.li(A0, 0);
            finish(asm);
        });
        let count = finished.lockstep.iss().register(S11) - RECORD;
        assert_eq!(count, if present { 0 } else { 8 });
        if !present {
            assert_eq!(records(&finished, 1)[0].0, cause::ILLEGAL_INSTRUCTION);
        }
    }
}

#[test]
fn a_program_that_does_not_end_is_stopped_and_its_place_told() {
    let chip = small_chip();
    let mut asm = Asm::new(RAM_BASE);
    let forever = asm.local_here();
    asm.j(forever);
    let program = asm.finish().unwrap();
    let mut sim = on_both(&chip);
    sim.write(program.base, &program.bytes).unwrap();
    let limits = Limits { max_cycles: 500, ..LIMITS };
    let error = sim.run(&limits, &mut Default::default()).unwrap_err().to_string();
    assert!(error.contains("has not ended after 500 cycles"), "{error}");
    assert!(error.ends_with("next  80000000: 0000006f  jal zero, 0x80000000"), "{error}");
}

#[test]
fn a_core_that_waits_for_ever_is_noticed_and_its_instruction_shown() {
    let chip = small_chip();
    let mut asm = Asm::new(RAM_BASE);
    asm.nop();
    asm.wfi();
    let program = asm.finish().unwrap();
    let mut sim = on_both(&chip);
    sim.write(program.base, &program.bytes).unwrap();
    let limits = Limits { max_idle_cycles: 1000, ..LIMITS };
    let error = sim.run(&limits, &mut Default::default()).unwrap_err();
    assert!(matches!(error, RunError::Hang { .. }), "{error}");
    assert!(error.to_string().contains("last  80000000: 00000013"), "{error}");
    assert!(error.to_string().ends_with("next  80000004: 10500073  wfi"), "{error}");
}

#[test]
fn a_property_of_the_hardware_that_fails_ends_the_run_and_cycle_and_instruction_are_told() {
    let chip = small_chip();
    let mut asm = Asm::new(RAM_BASE);
    asm.li(S0, uart::REGION.base as i32);
    asm.sb(ZERO, 0, S0);
    let forever = asm.local_here();
    asm.j(forever);
    let program = asm.finish().unwrap();

    // No program makes the chip's own assertions fail: one of them now says that the UART's line stays high.
    let mut design = design(&chip);
    let tx = design.flat.outputs.iter().find(|port| port.name == "uart_tx").unwrap().node;
    let checks = &mut design.flat.checks;
    let first =
        checks.iter().position(|check| check.kind == CheckKind::Assert).expect("the chip has assertions");
    checks[first] = FlatCheck { enable: None, cond: tx, ..checks[first].clone() };
    let path = checks[first].path.clone();

    let native = Native::new(&design, &NativeOptions::default()).unwrap();
    let engines: [Box<dyn Simulator>; 2] = [Box::new(native), Box::new(Interpreter::new(&design))];
    for engine in engines {
        let mut sim = Chip::new(&chip, engine);
        sim.write(program.base, &program.bytes).unwrap();
        let source = sim.run(&LIMITS, &mut Default::default()).unwrap_err();
        let RunError::Check { failure, .. } = &source else { panic!("{source}") };
        let StepError::Check { cycle, .. } = **failure;
        let message = source.to_string();
        let start = format!("cycle {cycle}: assertion `{path}` does not hold (written at ");
        assert!(cycle > 0 && message.starts_with(&start), "{message}");
        let place = "next  80000008: 0000006f  jal zero, 0x80000008";
        assert!(message.contains("\n  last  8000000") && message.ends_with(place), "{message}");
        let error = Error::Run { path: "program.elf".into(), source };
        assert_eq!(error.exit_code(), 126);
    }
}

#[test]
fn the_ram_is_loaded_and_read_at_any_address_and_nowhere_else() {
    let chip = small_chip();
    let mut sim = on_both(&chip);
    sim.write(RAM_BASE, &[0x11; 12]).unwrap();
    sim.write(RAM_BASE + 3, &[1, 2, 3]).unwrap();
    let expected = [0x11, 0x11, 0x11, 1, 2, 3, 0x11, 0x11];
    assert_eq!(sim.read(RAM_BASE, 8).unwrap(), expected);
    assert_eq!(sim.read(RAM_BASE + 2, 3).unwrap(), expected[2..5]);
    let last = RAM_BASE + chip.soc.ram_bytes - 1;
    sim.write(last, &[7]).unwrap();
    assert_eq!(sim.read(last, 1).unwrap(), [7]);
    for (address, bytes) in [(RAM_BASE - 1, 1), (last, 2), (0, 4), (u32::MAX, 1)] {
        assert!(sim.write(address, &vec![0; bytes]).is_err());
        let error = sim.read(address, bytes).unwrap_err().to_string();
        assert!(
            error.contains("`ram` from 0x80000000 to 0x8007ffff and `external` from 0xc0000000"),
            "{error}"
        );
    }
}
