//! A unit that is cleared at any time works as one that was reset.

use ferrite_sim::Interpreter;

use super::bench::{Bench, system};
use super::state::{MEMORY_BYTES, State};
use super::{List, SIZES, native, verilated};
use crate::random::Random;
use crate::record::{Convolve, Depthwise};

/// Gives up a random list, then runs one. Gives the cycles that clearing took.
fn clears_and_runs(bench: &mut Bench, random: &mut Random, most_cycles: u32) -> Result<u32, String> {
    let given_up = List::random(bench.sizes, random.word().into());
    bench.fill(&given_up.start);
    if random.eighths(3) {
        let beat = bench.beat_bytes();
        let beats = MEMORY_BYTES / beat;
        bench.fail_in(random.below(beats) * beat, (1 + random.below(64)) * beat);
    }
    let refuses = random.eighths(1);
    bench.run_for(&given_up.records, random.below(most_cycles))?;
    if refuses {
        bench.refuse(1 + random.below(7))?;
        bench.run_for(&given_up.records, random.below(40))?;
    }
    let mut cycles = bench.clear()?;
    if random.eighths(1) {
        cycles = cycles.max(bench.clear()?);
    }
    bench.fail_in(0, 0);
    let list = List::random(bench.sizes, random.word().into());
    bench.fill(&list.start);
    list.runs_on(bench, &list.records)?;
    bench.clear()?;
    Ok(cycles)
}

/// Rounds of that, all in a unit that is reset once only. Gives the cycles of the longest clearing.
fn clears_at_any_time(bench: &mut Bench, seed: u64, rounds: u32) -> u32 {
    let mut longest = 0;
    for round in 0..rounds {
        // The memory hesitates in every other run of rounds.
        let seed = seed << 32 | u64::from(round);
        let mut random = Random::new(seed);
        if round % 16 == 0 {
            let start = State::random(&bench.sizes, &mut random);
            bench.begin(&start, (round % 32 == 0).then(|| random.word()));
        }
        let most_cycles = [40, 400, 3000][round as usize % 3];
        match clears_and_runs(bench, &mut random, most_cycles) {
            Ok(cycles) => longest = longest.max(cycles),
            Err(what) => panic!("{:?}, seed {seed:#x}: {what}", bench.sizes),
        }
    }
    longest
}

#[test]
fn a_unit_cleared_at_any_cycle_works_as_after_reset() {
    for (k, sizes) in (1u64..).zip(SIZES) {
        let mut bench = native(sizes);
        let longest = clears_at_any_time(&mut bench, k, 200);
        println!("{sizes:?}: {longest} cycles at most");
    }
}

#[test]
fn long_convolutions_are_cut_short() {
    let mut bench = native([8, 8, 4 << 10, 1024, 64]);
    let start = State::random(&bench.sizes, &mut Random::new(1));
    // 65,536 activation rows.
    let convolve = Convolve {
        act: 0,
        weights: 0,
        accumulators: 0,
        accumulate: false,
        zero_point: 0,
        out: [1024, 1],
        in_tiles: 64,
        out_tiles: 1,
        kernel: [1, 1],
        image: [1, 1],
        first: [0, 0],
        stride: [1, 1],
        dilation: [1, 1],
        pixel_step: 0,
        line_step: 0,
        in_tile_step: 8,
    };
    // 8 times 126 lines of 128 pixels, 254 lines in each of which are read for nothing.
    let depthwise = Depthwise {
        act: 0,
        weights: 0,
        accumulators: 0,
        accumulate: false,
        zero_point: 0,
        out: [2, 64],
        tiles: 8,
        image: [65535, 65535],
        first: [0, 0],
        stride: [125, 255],
        pixel_step: 0,
        line_step: 0,
        tile_step: 8,
    };
    bench.begin(&start, None);
    for (record, most) in [(convolve.record(), 6500), (depthwise.record(), 6000)] {
        for cycles in [60, 100, 500, 1500] {
            bench.run_for(&[record, record], cycles).unwrap();
            let cycles = bench.clear().unwrap();
            println!("{cycles} cycles");
            assert!(cycles < most, "{cycles}");
            let list = List::random(bench.sizes, 3);
            bench.fill(&list.start);
            list.runs_on(&mut bench, &list.records).unwrap();
            bench.clear().unwrap();
        }
    }
}

#[test]
fn a_unit_is_cleared_on_the_interpreter_and_on_verilator_too() {
    let mut bench = Bench::on(&system(SIZES[0]), |design| Box::new(Interpreter::new(design)));
    clears_at_any_time(&mut bench, 50, 3);
    if let Some(mut bench) = verilated(SIZES[1]) {
        clears_at_any_time(&mut bench, 51, 30);
    }
}
