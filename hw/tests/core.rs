//! The core against the golden model, instruction by instruction.

mod harness;

use ferrite_hw::core::{Core, CoreConfig, Extensions, Misaligned, MultiplierKind, Predictor, RegisterFile};
use ferrite_model::isa::reg::*;
use ferrite_model::isa::{Asm, csr};
use ferrite_model::iss::Interrupt;
use harness::{BASE, Bench, MSIP};

const CONFIG: CoreConfig = CoreConfig {
    extensions: Extensions { m: true, ..Extensions::NONE },
    user_mode: false,
    predictor: Predictor::None,
    return_stack: 0,
    ..CoreConfig::FAST
};

fn bench(asm: Asm, waits: u32) -> Bench {
    Bench::new(&asm.finish().unwrap(), CONFIG, true, 1, waits)
}

#[test]
fn the_core_elaborates_without_mistakes() {
    for has_coprocessor in [false, true] {
        let core = Core { config: CONFIG, has_coprocessor };
        if let Err(mistakes) = ferrite_hdl::elaborate(&core) {
            panic!("{mistakes}");
        }
    }
}

#[test]
fn straight_code_takes_one_cycle_per_instruction() {
    let mut asm = Asm::new(BASE);
    for k in 0..200 {
        asm.addi(A0, A0, k);
    }
    let mut bench = bench(asm, 0);
    bench.run(1);
    let start = bench.cycle;
    bench.run(199);
    assert_eq!(bench.cycle - start, 199);
}

#[test]
fn loads_and_stores_on_end_take_one_cycle_each() {
    let mut asm = Asm::new(BASE);
    asm.li(S0, (BASE + 0x9000) as i32);
    for k in 0..50 {
        asm.sw(S0, 4 * k, S0);
        asm.lw(A0, 4 * k, S0);
    }
    let mut bench = bench(asm, 0);
    bench.run(3);
    let start = bench.cycle;
    bench.run(99);
    assert_eq!(bench.cycle - start, 99);
}

#[test]
fn a_loop_sums_up() {
    let mut asm = Asm::new(BASE);
    asm.li(A0, 0);
    asm.li(A1, 100);
    let again = asm.here("again");
    asm.add(A0, A0, A1);
    asm.addi(A1, A1, -1);
    asm.bnez(A1, again);
    asm.ebreak();
    let mut bench = bench(asm, 2);
    bench.run(2 + 300);
    assert_eq!(bench.model().register(A0), 5050);
    assert!(bench.run(1)[0].trap.is_some());
}

#[test]
fn a_written_minstret_is_read_back() {
    let mut asm = Asm::new(BASE);
    asm.li(A0, 77);
    asm.csrw(csr::MINSTRET, A0);
    asm.csrr(A1, csr::MINSTRET);
    asm.csrr(A2, csr::MINSTRET);
    let mut bench = bench(asm, 0);
    bench.run(4);
    assert_eq!((bench.model().register(A1), bench.model().register(A2)), (77, 78));
}

#[test]
fn wfi_waits_for_an_enabled_interrupt_and_then_takes_it() {
    let mut asm = Asm::new(BASE);
    let handler = asm.local();
    asm.la(A0, handler);
    asm.csrw(csr::MTVEC, A0);
    asm.li(A0, 0x80);
    asm.csrw(csr::MIE, A0);
    asm.csrrsi(ZERO, csr::MSTATUS, 8);
    asm.wfi();
    asm.bind(handler);
    asm.csrr(A1, csr::MCAUSE);
    asm.csrr(A2, csr::MEPC);
    let mut bench = bench(asm, 0);
    bench.run(6);
    // The external interrupt is not enabled and does not wake it.
    bench.external = true;
    assert!((0..100).all(|_| bench.step().is_none()));
    bench.timer = true;
    let retired = bench.run(3);
    assert_eq!(retired[1].interrupt, Some(Interrupt::Timer));
    assert_eq!(bench.model().register(A1), 0x8000_0007);
    assert_eq!(bench.model().register(A2), retired[0].pc + 4);
}

#[test]
fn wfi_goes_on_without_a_trap_while_interrupts_are_disabled_globally() {
    let mut asm = Asm::new(BASE);
    asm.li(A0, 0x80);
    asm.csrw(csr::MIE, A0);
    asm.wfi();
    asm.li(A1, 1);
    let mut bench = bench(asm, 0);
    bench.run(2);
    assert!((0..100).all(|_| bench.step().is_none()));
    bench.timer = true;
    assert!(bench.run(2).iter().all(|record| record.interrupt.is_none()));
    assert_eq!(bench.model().register(A1), 1);
}

#[test]
fn code_written_before_fence_i_is_executed() {
    let addi_a0_1: u32 = 0x0010_0513;
    let mut asm = Asm::new(BASE);
    let patched = asm.local();
    asm.la(A1, patched);
    asm.li(A2, addi_a0_1 as i32);
    asm.sw(A2, 0, A1);
    asm.fence_i();
    asm.bind(patched);
    asm.ebreak();
    let program = asm.finish().unwrap();
    for waits in 0..4 {
        let mut bench = Bench::new(&program, CONFIG, true, 1, waits);
        bench.run(7);
        assert_eq!(bench.model().register(A0), 1);
    }
}

#[test]
fn the_most_urgent_interrupt_comes_first_and_vectored_mode_gives_each_its_handler() {
    let mut asm = Asm::new(BASE);
    let table = asm.label("table");
    asm.la(A0, table);
    asm.addi(A0, A0, 1);
    asm.csrw(csr::MTVEC, A0);
    asm.li(A0, -1);
    asm.csrw(csr::MIE, A0);
    asm.csrrsi(ZERO, csr::MSTATUS, 8);
    while !asm.address().is_multiple_of(64) {
        asm.nop();
    }
    asm.bind(table);
    // Long enough for the line to fall before interrupts are enabled again.
    for _ in 0..20 {
        asm.nop();
    }
    asm.csrrsi(ZERO, csr::MSTATUS, 8);
    asm.nop();
    let program = asm.finish().unwrap();
    let table = program.symbols["table"];
    let mut bench = Bench::new(&program, CONFIG, true, 1, 0);
    (bench.timer, bench.external) = (true, true);
    let interrupted = |bench: &mut Bench| {
        let records = std::iter::repeat_with(|| bench.run(1)[0]).take(40);
        records
            .skip_while(|record| record.interrupt.is_none())
            .map(|record| (record.interrupt, record.pc))
            .next()
    };
    assert_eq!(interrupted(&mut bench), Some((Some(Interrupt::External), table + 4 * 11)));
    bench.external = false;
    assert_eq!(interrupted(&mut bench), Some((Some(Interrupt::Timer), table + 4 * 7)));
}

#[test]
fn without_a_coprocessor_its_commands_are_illegal() {
    let mut asm = Asm::new(BASE);
    asm.t_status(A0);
    let mut bench = Bench::new(&asm.finish().unwrap(), CONFIG, false, 1, 0);
    let trap = bench.run(1)[0].trap.unwrap();
    assert_eq!((trap.cause, trap.tval), (2, 0x0000_050B));
}

#[test]
fn divisions_follow_the_table_of_the_specification() {
    // RISC-V Unprivileged 20240411, table "Semantics for division by zero and division overflow".
    const MIN: i32 = i32::MIN;
    for (a, b, div, divu, rem, remu) in [
        (7, 0, -1, -1, 7, 7),
        (-7, 0, -1, -1, -7, -7),
        (MIN, -1, MIN, 0, 0, MIN),
        (-7, 2, -3, 0x7FFF_FFFC, -1, 1),
        (7, -2, -3, 0, 1, 7),
    ] {
        let mut asm = Asm::new(BASE);
        asm.lui(A0, (a as u32).wrapping_add(0x800) as i32 >> 12 & 0xFFFFF);
        asm.addi(A0, A0, a << 20 >> 20);
        asm.addi(A1, ZERO, b);
        asm.div(A2, A0, A1);
        asm.divu(A3, A0, A1);
        asm.rem(A4, A0, A1);
        asm.remu(A5, A0, A1);
        let mut bench = bench(asm, 0);
        bench.run(7);
        let results = [A2, A3, A4, A5].map(|reg| bench.model().register(reg) as i32);
        assert_eq!(results, [div, divu, rem, remu], "{a} and {b}");
    }
}

#[test]
fn an_interrupt_never_comes_behind_the_instruction_that_disables_it() {
    let mut asm = Asm::new(BASE);
    let handler = asm.local();
    asm.la(A0, handler);
    asm.csrw(csr::MTVEC, A0);
    asm.li(A0, -1);
    asm.csrw(csr::MIE, A0);
    asm.csrrsi(ZERO, csr::MSTATUS, 8);
    for _ in 0..4 {
        asm.nop();
    }
    asm.csrrci(ZERO, csr::MSTATUS, 8);
    asm.bind(handler);
    for _ in 0..20 {
        asm.nop();
    }
    let program = asm.finish().unwrap();
    let mut outcomes = [0, 0];
    // The line rises once in every cycle of the program; the comparison with the model finds an interrupt that is too late.
    for rise in 0..30 {
        let mut bench = Bench::new(&program, CONFIG, true, 1, 0);
        let mut interrupted = false;
        for cycle in 0..40 {
            bench.timer |= cycle == rise;
            interrupted |= bench.step().is_some_and(|record| record.interrupt.is_some());
        }
        outcomes[usize::from(interrupted)] += 1;
    }
    assert!(outcomes.iter().all(|count| *count > 0), "{outcomes:?}");
}

/// A write to `mstatus` or `mie` that lets a pending interrupt through is followed by the interrupt, whatever the next instruction is
/// (Privileged 20240411, 3.1.9).
#[test]
fn a_pending_interrupt_comes_right_behind_the_write_that_enables_it() {
    for last in [csr::MSTATUS, csr::MIE] {
        let mut asm = Asm::new(BASE);
        let handler = asm.local();
        asm.la(A0, handler);
        asm.csrw(csr::MTVEC, A0);
        asm.li(A0, 0x80);
        match last {
            csr::MIE => {
                asm.csrrsi(ZERO, csr::MSTATUS, 8);
                asm.csrw(csr::MIE, A0);
            }
            _ => {
                asm.csrw(csr::MIE, A0);
                asm.csrrsi(ZERO, csr::MSTATUS, 8);
            }
        }
        asm.csrrci(ZERO, csr::MSTATUS, 8);
        asm.nop();
        asm.bind(handler);
        asm.csrr(A1, csr::MEPC);
        for _ in 0..4 {
            asm.nop();
        }
        let program = asm.finish().unwrap();
        for waits in [0, 3] {
            let mut bench = Bench::new(&program, CONFIG, true, 1, waits);
            bench.timer = true;
            let retired = bench.run(9);
            let taken = retired.iter().position(|record| record.interrupt.is_some());
            assert_eq!(taken.map(|k| retired[k - 1].pc + 4), Some(bench.model().register(A1)));
            assert_eq!(taken, Some(6), "{last:#x}, {waits} waits");
        }
    }
}

#[test]
fn an_interrupt_never_comes_behind_the_store_that_withdraws_it() {
    let mut asm = Asm::new(BASE);
    let handler = asm.local();
    asm.la(A0, handler);
    asm.csrw(csr::MTVEC, A0);
    // Software interrupts only, as the model believes any other.
    asm.li(A0, 8);
    asm.csrw(csr::MIE, A0);
    asm.csrrsi(ZERO, csr::MSTATUS, 8);
    asm.li(A1, MSIP as i32);
    asm.li(A2, 1);
    asm.sw(A2, 0, A1);
    asm.sw(ZERO, 0, A1);
    asm.bind(handler);
    for _ in 0..20 {
        asm.nop();
    }
    let program = asm.finish().unwrap();
    for waits in 0..4 {
        // The comparison with the model finds an interrupt that is not pending any more.
        let mut bench = Bench::new(&program, CONFIG, true, waits.into(), waits);
        let withdrawn = bench.run(20).iter().filter(|record| record.memory.is_some()).count();
        assert!(withdrawn > 0);
    }
}

/// How often the pieces have been run when their cycles are counted.
#[derive(Clone, Copy)]
enum Pass {
    First,
    /// Fetch knows where they go.
    Learned,
}

/// Cycles beyond one for each instruction that a piece of `instructions` instructions takes, when it is repeated.
fn extra_cycles(config: CoreConfig, pass: Pass, instructions: u64, piece: impl Fn(&mut Asm)) -> u64 {
    const REPEATS: u64 = 20;
    const PASSES_TO_LEARN: u64 = 3;
    let mut asm = Asm::new(BASE);
    asm.li(S0, (BASE + 0x9000) as i32);
    let again = asm.local_here();
    for _ in 0..=REPEATS {
        piece(&mut asm);
    }
    asm.j(again);
    let mut bench = Bench::new(&asm.finish().unwrap(), config, true, 1, 0);
    if let Pass::Learned = pass {
        bench.run(PASSES_TO_LEARN * ((REPEATS + 1) * instructions + 1));
    }
    // Past the set-up, whose length depends on the constant.
    bench.run(2 + instructions);
    let start = bench.cycle;
    bench.run((REPEATS - 1) * instructions);
    let cycles = bench.cycle - start;
    assert_eq!(cycles % (REPEATS - 1), 0, "{cycles} cycles");
    cycles / (REPEATS - 1) - instructions
}

fn jump(asm: &mut Asm) {
    let next = asm.local();
    asm.j(next);
    asm.bind(next);
}

fn taken_branch(asm: &mut Asm) {
    let next = asm.local();
    asm.beq(ZERO, ZERO, next);
    asm.bind(next);
}

/// A jump ahead, a branch back, and a jump over it.
fn branch_back(asm: &mut Asm) {
    let [ahead, back, over] = [(); 3].map(|()| asm.local());
    asm.j(ahead);
    asm.bind(back);
    asm.j(over);
    asm.bind(ahead);
    asm.beq(ZERO, ZERO, back);
    asm.bind(over);
    asm.nop();
}

/// A call of a function that stands behind a jump over it, and does a little.
fn call(asm: &mut Asm) {
    let [function, over] = [(); 2].map(|()| asm.local());
    asm.nop();
    asm.j(over);
    asm.bind(function);
    for _ in 0..6 {
        asm.nop();
    }
    asm.ret();
    asm.bind(over);
    asm.jal(RA, function);
}

fn passed_branch(asm: &mut Asm) {
    let next = asm.local();
    asm.bne(ZERO, ZERO, next);
    asm.bind(next);
}

fn load_and_use(asm: &mut Asm) {
    asm.lw(A0, 0, S0);
    asm.addi(A1, A0, 1);
}

fn product_and_use(asm: &mut Asm) {
    asm.mul(A0, S0, S0);
    asm.addi(A1, A0, 1);
}

#[test]
fn instructions_take_as_long_as_the_chips_documentation_says() {
    let (fast, small) = (CoreConfig::FAST, CoreConfig::SMALL);
    let straight = CoreConfig { predictor: Predictor::None, ..small };
    for (name, piece) in [("a jump", jump as fn(&mut Asm)), ("a taken branch", taken_branch)] {
        assert_eq!(extra_cycles(fast, Pass::First, 1, piece), 4, "{name} that is not foreseen");
        assert_eq!(extra_cycles(fast, Pass::Learned, 1, piece), 0, "{name} that is foreseen");
        assert_eq!(
            extra_cycles(straight, Pass::Learned, 1, piece),
            3,
            "{name} of a core that foresees nothing"
        );
    }
    assert_eq!(extra_cycles(small, Pass::First, 1, jump), 1, "a jump of the small core");
    assert_eq!(extra_cycles(small, Pass::First, 1, taken_branch), 4, "a branch ahead of the small core");
    for (core, unforeseen) in [(fast, 4), (small, 3)] {
        let core = CoreConfig { predictor: Predictor::Static, return_stack: 4, ..core };
        assert_eq!(extra_cycles(core, Pass::First, 1, jump), 1, "a jump of {core:?}");
        assert_eq!(
            extra_cycles(core, Pass::First, 4, branch_back),
            3,
            "two jumps and a branch back of {core:?}"
        );
        assert_eq!(
            extra_cycles(core, Pass::First, 1, taken_branch),
            unforeseen,
            "a branch ahead of {core:?}"
        );
        assert_eq!(extra_cycles(core, Pass::First, 10, call), 3, "a jump, a call and its return of {core:?}");
    }
    let compressed = Extensions { c: true, ..Extensions::NONE };
    for core in [
        CoreConfig { extensions: compressed, ..straight },
        CoreConfig { register_file: RegisterFile::BlockRam, ..straight },
    ] {
        assert_eq!(extra_cycles(core, Pass::Learned, 1, jump), 4, "a jump of {core:?}");
    }
    for core in [fast, small] {
        assert_eq!(extra_cycles(core, Pass::First, 1, passed_branch), 0, "a branch that is not taken");
        assert_eq!(extra_cycles(core, Pass::First, 2, load_and_use), 1, "a load and its use");
    }
    for (distance, cycles) in [(0, 0), (1, 0), (2, 1), (5, 2), (16, 1), (31, 8)] {
        let shift = |asm: &mut Asm| asm.slli(A0, S0, distance);
        let use_too = |asm: &mut Asm| {
            asm.slli(A0, S0, distance);
            asm.addi(A1, A0, 1);
        };
        assert_eq!(extra_cycles(fast, Pass::First, 2, use_too), 0, "a shift by {distance} of the fast core");
        assert_eq!(extra_cycles(small, Pass::First, 1, shift), cycles, "a shift by {distance}");
        assert_eq!(
            extra_cycles(small, Pass::First, 2, use_too),
            cycles + 1,
            "a shift by {distance}, and its use"
        );
    }
    let misaligned = CoreConfig { misaligned: Misaligned::Handle, ..small };
    for (offset, cycles) in [(0, 0), (1, 0), (3, 3)] {
        let load = |asm: &mut Asm| asm.lh(A0, offset, S0);
        assert_eq!(extra_cycles(misaligned, Pass::First, 1, load), cycles, "a half word at byte {offset}");
    }
    for (multiplier, product, used) in [
        (MultiplierKind::Iterative, 32, 33),
        (MultiplierKind::SingleCycle, 0, 1),
        (MultiplierKind::Pipelined, 0, 1),
    ] {
        let core = CoreConfig { multiplier, ..fast };
        assert_eq!(extra_cycles(core, Pass::First, 1, |asm| asm.mul(A0, S0, S0)), product, "{multiplier:?}");
        assert_eq!(extra_cycles(core, Pass::First, 2, product_and_use), used, "{multiplier:?} and its use");
    }
    for (divider_bits, cycles) in [(1, 33), (2, 17), (4, 9)] {
        let core = CoreConfig { divider_bits, ..fast };
        let division = |asm: &mut Asm| asm.divu(A0, S0, S0);
        assert_eq!(extra_cycles(core, Pass::First, 1, division), cycles, "{divider_bits} bits a cycle");
    }
}
