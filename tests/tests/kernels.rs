//! The kernels of `sw/bench` compute on the chip what they compute on the host, and the profiler knows where every cycle goes.

use ferrite_gen::run::Chip;
use ferrite_hw::map::RAM_BASE;
use ferrite_model::isa::{Asm, reg::*};
use ferrite_sim::{KeptSignals, Native, NativeOptions};
use ferrite_tests::bench::{design, in_lockstep, small_chip};
use ferrite_tests::hotspots::{Hotspots, table};
use ferrite_tests::kernels::{Told, build};
use ferrite_tests::stalls::{Breakdown, Cause, profile, profile_each};
use ferrite_tests::tools::{GCC, have};
use ferrite_tests::workloads::Board;

/// More than any of these programs needs.
const MAX_CYCLES: u64 = 10_000_000;

/// What the program around a kernel does between reading the counters and the marks: a few instructions, and the stalls of reading CSRs.
const AROUND_CYCLES: u64 = 20;

fn engine(signals: KeptSignals) -> Box<Native> {
    let options = NativeOptions { signals, ..NativeOptions::default() };
    Box::new(Native::new(&design(&small_chip()), &options).unwrap_or_else(|error| panic!("{error}")))
}

fn profiled(program: &[u8]) -> Breakdown {
    let mut board = Board::new(engine(KeptSignals::All), program);
    let breakdown = profile(&mut *board.engine, MAX_CYCLES).unwrap_or_else(|error| panic!("{error}"));
    breakdown.expect("the program ends")
}

#[test]
fn every_kernel_computes_on_the_chip_what_it_computes_on_the_host_and_every_cycle_has_a_reason() {
    if !have(&[GCC, "gcc"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let config = small_chip();
    let kernels = build(&config, folder.path(), 1).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(kernels.len(), 10);
    for kernel in kernels {
        let name = &kernel.name;
        let segments: Vec<_> = kernel.segments.iter().map(|(at, bytes)| (*at, bytes.as_slice())).collect();
        let finished = in_lockstep(&config, &mut Chip::new(&config, engine(KeptSignals::Needed)), &segments);
        let finished = finished.unwrap_or_else(|error| panic!("{name}: {error}"));
        let told = Told::parse(&finished.printed).unwrap_or_else(|| panic!("{name}: {}", finished.printed));
        assert_eq!((finished.ended.exit_code, &told.checksum), (0, &kernel.expected), "{name}");

        let breakdown = profiled(&kernel.image());
        let stalls: u64 = Cause::ALL.iter().map(|cause| breakdown.stalled(*cause)).sum();
        assert_eq!(breakdown.cycles, breakdown.instructions + stalls, "{name}");
        let around = told.cycles - breakdown.cycles;
        assert!(around <= AROUND_CYCLES, "{name}: {around} cycles around {breakdown:?}");
        let around = told.instructions - breakdown.instructions;
        assert!(around <= AROUND_CYCLES, "{name}: {around} instructions around {breakdown:?}");
    }
}

/// What a few instructions between the marks cost.
fn cost(body: impl FnOnce(&mut Asm)) -> Breakdown {
    let mut asm = Asm::new(RAM_BASE);
    asm.li(S0, RAM_BASE as i32 + 0x800);
    asm.li(A1, 7);
    asm.slti(ZERO, ZERO, 1);
    body(&mut asm);
    asm.slti(ZERO, ZERO, 2);
    let end = asm.here("end");
    asm.j(end);
    profiled(&asm.finish().unwrap().bytes)
}

/// Instructions, and the causes that cost cycles with how many.
fn summary(breakdown: Breakdown) -> (u64, Vec<(Cause, u64)>) {
    let stalls = Cause::ALL.map(|cause| (cause, breakdown.stalled(cause)));
    (breakdown.instructions, stalls.into_iter().filter(|(_, cycles)| *cycles > 0).collect())
}

#[test]
fn instructions_that_wait_for_nothing_cost_a_cycle_each() {
    let straight = cost(|asm| {
        for _ in 0..5 {
            asm.addi(A0, A0, 1);
            asm.sw(A0, 0, S0);
            asm.lw(A2, 0, S0);
            asm.mul(A3, A0, A1);
        }
    });
    assert_eq!(summary(straight), (20, vec![]));
}

#[test]
fn an_operand_that_is_late_costs_a_cycle_in_the_name_of_what_makes_it() {
    let late = cost(|asm| {
        for _ in 0..3 {
            asm.lw(A0, 0, S0);
            asm.add(A2, A0, A0);
        }
        for _ in 0..4 {
            asm.mul(A0, A1, A1);
            asm.add(A2, A0, A0);
        }
    });
    assert_eq!(summary(late), (14, vec![(Cause::LoadUse, 3), (Cause::Multiply, 4)]));
}

#[test]
fn a_branch_that_was_not_foreseen_costs_four_cycles_and_one_that_is_not_taken_none() {
    let jumps = cost(|asm| {
        for _ in 0..6 {
            let next = asm.local();
            asm.beqz(A1, next);
            asm.bnez(A1, next);
            asm.nop();
            asm.bind(next);
            asm.nop();
        }
    });
    assert_eq!(summary(jumps), (18, vec![(Cause::Branch, 24)]));
}

#[test]
fn a_division_costs_33_cycles_more() {
    let divisions = cost(|asm| {
        for _ in 0..2 {
            asm.div(A0, A1, A1);
        }
    });
    assert_eq!(summary(divisions), (2, vec![(Cause::Divide, 66)]));
}

#[test]
fn lost_cycles_are_put_down_to_the_branch_that_was_guessed_wrong_and_to_the_instruction_that_waited() {
    let mut asm = Asm::new(RAM_BASE);
    asm.li(S0, RAM_BASE as i32 + 0x800);
    asm.slti(ZERO, ZERO, 1);
    let begin = asm.here("begin");
    let over = asm.label("over");
    asm.lw(A0, 0, S0);
    asm.addi(A0, A0, 1);
    asm.j(over);
    asm.nop();
    asm.bind(over);
    asm.slti(ZERO, ZERO, 2);
    asm.j(begin);
    let program = asm.finish().unwrap();
    let begin = program.symbols["begin"];
    let mut board = Board::new(engine(KeptSignals::All), &program.bytes);
    let mut hotspots = Hotspots::default();
    profile_each(&mut *board.engine, MAX_CYCLES, |cycle| hotspots.count(cycle)).unwrap().unwrap();
    let worst = hotspots.worst(9);
    let found: Vec<_> = worst.iter().map(|(pc, spot)| (pc - begin, spot.times, spot.lost())).collect();
    assert_eq!(found, [(8, 1, 4), (4, 1, 1)]);
    assert_eq!((worst[0].1.stalled(Cause::Branch), worst[1].1.stalled(Cause::LoadUse)), (4, 1));
    assert!(
        table(&worst, &program.symbols).contains("| begin+0x4 | `addi a0, a0, 1` | 1 | 1 | load-use 1 |")
    );
}
