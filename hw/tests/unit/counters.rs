//! What the unit counts.

use ferrite_hdl::elaborate;
use ferrite_hw::unit::Counters;
use ferrite_sim::{Native, NativeOptions, Sim};

use super::depthwise::DepthwiseLayer;
use super::golden::Layer;
use super::random::Random;
use super::record::{Convolve, Record, Requantise, Transfer};
use super::rig::{Rig, Run, config};
use super::{int8s, product, same};

/// Indices.
const CYCLES: usize = 0;
const COMPUTE: usize = 1;
const ACTIVATIONS: usize = 2;
const WEIGHTS: usize = 3;
const ACCUMULATORS: usize = 4;
const LOAD: usize = 5;
const STORE: usize = 6;
const IDLE: usize = 7;
const LOADED: usize = 9;
const STORED: usize = 10;
const PRODUCTS: usize = 11;

/// Runs commands and checks what holds of all counters.
fn counted(rig: &mut Rig, records: &[Record]) -> (Run, [u32; 16]) {
    let before = rig.counters();
    let run = rig.run(records);
    let after = rig.counters();
    let counts: [u32; 16] = std::array::from_fn(|k| after[k].wrapping_sub(before[k]));
    assert_eq!(after[1..=8].iter().sum::<u32>(), after[CYCLES]);
    assert_eq!(u64::from(counts[COMPUTE]), run.multiplied);
    assert_eq!(after[13..], [0; 3]);
    let bytes = |code: u32| -> u32 {
        let runs = records.iter().filter(|record| record[0] == code);
        runs.map(|record| (record[3] & 0xFFFF) * (record[4] & 0xFFFF) * (record[4] >> 16)).sum()
    };
    assert_eq!([counts[LOADED], counts[STORED]], [bytes(1), bytes(2)]);
    println!("{:?}", &counts[..13]);
    (run, counts)
}

#[test]
fn products_bytes_and_cycles_of_a_product_of_matrices_are_counted_exactly() {
    let mut random = Random::new(1);
    for (size, rows, cols) in [([64, 64, 64], 16, 16), ([48, 32, 96], 8, 16), ([32, 64, 32], 32, 32)] {
        let [m, k, n] = size;
        let gemm = product(m, k, n, 16, 1, &mut random);
        for stall in [None, Some(5)] {
            let mut rig = Rig::new(config(rows, cols), 2 << 20);
            gemm.place(&mut rig);
            stall.into_iter().for_each(|seed| rig.stall(seed));
            let commands = gemm.commands(&rig);
            let (_, counts) = counted(&mut rig, &commands);
            assert_eq!(counts[PRODUCTS..PRODUCTS + 2], [m * k * n, 0]);
        }
    }
}

#[test]
fn products_of_depthwise_convolutions_are_those_of_taps() {
    let mut random = Random::new(2);
    let layer =
        Layer { weights: int8s(9 * 32, &mut random), ..same([12, 10], [32, 32], [3, 3], &mut random) };
    let depthwise = DepthwiseLayer { layer, blocks: vec![3, 4, 3] };
    let mut rig = Rig::new(config(16, 16), 1 << 20);
    depthwise.place(&mut rig);
    let commands = depthwise.commands(&rig);
    let (_, counts) = counted(&mut rig, &commands);
    assert_eq!(counts[PRODUCTS], 9 * 32 * 12 * 10);
    // The first two lines of each block and tile bring no products.
    assert!(counts[ACTIVATIONS] >= 3 * 2 * 2 * 14, "{counts:?}");
}

#[test]
fn more_products_than_a_word_counts_go_into_the_next() {
    let config = config(32, 32);
    let counters = Counters { config: config.compute, dma: config.dma() };
    let design = elaborate(&counters).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let native = Native::new(&design, &NativeOptions::default()).unwrap();
    let mut sim = Sim::on(&counters, Box::new(native));
    sim.reset();
    let (i, o) = (sim.i, sim.o);
    sim.set(i.activity.multiplies, 1);
    let rows = (1 << 32) / 1024 + 3;
    sim.engine().run(rows, &[]).unwrap();
    sim.set(i.activity.multiplies, 0);
    sim.engine().run(3, &[]).unwrap();
    let mut counted = [PRODUCTS, PRODUCTS + 1, COMPUTE].map(|index| {
        sim.set(i.index, index as u32);
        sim.get(o.value)
    });
    assert_eq!(counted, [3 * 1024, 1, rows.into()]);
    sim.set(i.clear, 1);
    sim.step();
    counted = [PRODUCTS, PRODUCTS + 1, COMPUTE].map(|index| {
        sim.set(i.index, index as u32);
        sim.get(o.value)
    });
    assert_eq!(counted, [0; 3]);
}

#[test]
fn cycles_of_an_idle_unit_are_idle_cycles() {
    let mut rig = Rig::new(config(8, 8), 1 << 16);
    rig.run(&[Transfer::run(0, 0, 64).load()]);
    // Counters show what was four cycles ago.
    for _ in 0..4 {
        rig.sim.step();
    }
    let before = rig.counters();
    for _ in 0..100 {
        rig.sim.step();
    }
    let after = rig.counters();
    let grown: Vec<u32> = (0..13).map(|k| after[k] - before[k]).collect();
    assert_eq!(grown, [100, 0, 0, 0, 0, 0, 0, 100, 0, 0, 0, 0, 0]);
    assert!(after[IDLE] >= 100);
}

/// `rows` activation rows, one after the other from byte 0 on, with `tiles` tiles of weights from byte 32768 on.
fn convolve(rows: u32, tiles: u32, accumulators: u32) -> Record {
    let convolve = Convolve {
        act: 0,
        weights: 32 << 10,
        accumulators,
        accumulate: false,
        zero_point: 0,
        out: [rows, 1],
        in_tiles: tiles,
        out_tiles: 1,
        kernel: [1, 1],
        image: [rows, 1],
        first: [0, 0],
        stride: [1, 1],
        dilation: [1, 1],
        pixel_step: 16,
        line_step: 0,
        in_tile_step: 16,
    };
    convolve.record()
}

/// Of as many accumulator rows, to byte 65536 on.
fn requantise(rows: u32, accumulators: u32) -> Record {
    let requantise = Requantise {
        parameters: 96 << 10,
        output: 64 << 10,
        accumulators,
        out: [rows, 1],
        tiles: 1,
        column_step: 16,
        row_step: 0,
        tile_step: 0,
        zero_point: 0,
        min: -128,
        max: 127,
    };
    requantise.record()
}

/// The share of a counter in all cycles of a run.
fn share(records: &[Record], counter: usize) -> f64 {
    let mut rig = Rig::new(config(16, 16), 1 << 20);
    let (_, counts) = counted(&mut rig, records);
    f64::from(counts[counter]) / f64::from(counts[CYCLES])
}

#[test]
fn an_array_that_only_waits_tells_for_what() {
    // One row for each tile of 16 weight rows.
    let weights = [convolve(1, 64, 0)];
    assert!(share(&weights, WEIGHTS) > 0.75);
    // Four KiB for each row.
    let loads: Vec<Record> =
        (0..10).flat_map(|_| [Transfer::run(0, 0, 4096).load(), convolve(1, 1, 0)]).collect();
    assert!(share(&loads, LOAD) > 0.8);
    // More loads than wait at once before the first row.
    let many: Vec<Record> = (0..10u32)
        .map(|k| Transfer::run(4096 * k, 4096 * k, 4096).load())
        .chain([convolve(1, 1, 0)])
        .collect();
    assert!(share(&many, LOAD) > 0.8);
    // The same accumulators again.
    let accumulators: Vec<Record> = (0..10).flat_map(|_| [convolve(1, 1, 0), requantise(256, 0)]).collect();
    assert!(share(&accumulators, ACCUMULATORS) > 0.7);
    // A store of single bytes out of what a requantisation writes, for whose accumulators the array waits.
    let slow = Transfer::rows(0, 64 << 10, 1, 256, 64, 16).store();
    let stores: Vec<Record> = (0..10).flat_map(|_| [convolve(1, 1, 0), requantise(16, 0), slow]).collect();
    assert!(share(&stores, STORE) > 0.7);
}
