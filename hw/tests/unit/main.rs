//! The tensor unit between its commands and a memory behind AXI4.

mod conv;
mod counters;
mod depthwise;
mod first;
mod gemm;
#[path = "../compute/golden.rs"]
mod golden;
mod images;
mod layers;
mod parameters;
#[path = "../harness/random.rs"]
mod random;
mod random_lists;
mod record;
mod rig;
mod system;

use conv::Conv;
use depthwise::DepthwiseLayer;
use ferrite_hw::unit::UnitConfig;
use gemm::Gemm;
use golden::Layer;
use layers::{int8s, product, same};
use random::Random;
use rig::{Rig, Run, config};

/// Computes a product and compares.
fn multiplies(config: UnitConfig, gemm: &Gemm, stall: Option<u32>) -> Run {
    let mut rig = Rig::new(config, 2 << 20);
    assert!(gemm.bytes(&rig) <= 2 << 20);
    gemm.place(&mut rig);
    if let Some(seed) = stall {
        rig.stall(seed);
    }
    let commands = gemm.commands(&rig);
    let run = rig.run(&commands);
    assert!(gemm.outputs(&mut rig) == gemm.layer.outputs(), "wrong outputs");
    run
}

#[test]
fn products_of_matrices_are_computed_out_of_memory() {
    let mut random = Random::new(1);
    for (rows, cols) in [(16, 16), (8, 8), (4, 16), (32, 8), (32, 32)] {
        for (m, k, n) in [(100, 75, 30), (1, 640, 128), (64, 64, 64), (3, 5, 7)] {
            let gemm = product(m, k, n, 32, 1, &mut random);
            let run = multiplies(config(rows, cols), &gemm, None);
            println!("{rows}x{cols}: {m}x{k}x{n} in {} cycles", run.cycles);
            multiplies(config(rows, cols), &gemm, Some(random.word()));
        }
    }
}

#[test]
fn products_keep_the_array_busy() {
    let mut random = Random::new(2);
    for (m, k, n, rows, tiles, least) in
        [(64, 64, 64, 32, 1, 0.65), (128, 128, 128, 64, 1, 0.88), (512, 512, 512, 64, 2, 0.98)]
    {
        let gemm = product(m, k, n, rows, tiles, &mut random);
        let config = config(16, 16);
        let run = multiplies(config, &gemm, None);
        let used = run.utilisation(&config, gemm.layer.products());
        println!("{m}x{k}x{n}: {} cycles, {:.1} %", run.cycles, 100.0 * used);
        assert!(used >= least);
    }
}

#[test]
fn a_larger_array_is_kept_busy_by_the_same_memory() {
    let mut random = Random::new(3);
    let gemm = product(512, 512, 512, 128, 1, &mut random);
    let mut config = config(32, 32);
    config.compute.scratchpad_bytes = 256 << 10;
    let run = multiplies(config, &gemm, None);
    let used = run.utilisation(&config, gemm.layer.products());
    println!("32x32: 512x512x512: {} cycles, {:.1} %", run.cycles, 100.0 * used);
    assert!(used >= 0.90);
}

/// Computes a convolution and compares.
fn convolves(config: UnitConfig, conv: &Conv, stall: Option<u32>) -> Run {
    let mut rig = Rig::new(config, 1 << 20);
    conv.place(&mut rig);
    if let Some(seed) = stall {
        rig.stall(seed);
    }
    let commands = conv.commands(&rig);
    let run = rig.run(&commands);
    assert!(conv.outputs(&mut rig) == conv.layer.outputs(), "wrong outputs");
    run
}

#[test]
fn convolutions_are_computed_out_of_memory() {
    let mut random = Random::new(4);
    for (rows, cols) in [(16, 16), (8, 8), (4, 16), (32, 8)] {
        for (image, channels, kernel) in [([9, 7], [20, 24], [3, 3]), ([12, 12], [3, 5], [5, 1])] {
            let layer = same(image, channels, kernel, &mut random);
            let conv = Conv { layer, rows: 4 };
            convolves(config(rows, cols), &conv, None);
            convolves(config(rows, cols), &conv, Some(random.word()));
        }
    }
}

#[test]
fn a_convolution_keeps_the_array_busy() {
    let mut random = Random::new(5);
    let conv = Conv { layer: same([32, 32], [64, 64], [3, 3], &mut random), rows: 16 };
    let config = config(16, 16);
    let run = convolves(config, &conv, None);
    let used = run.utilisation(&config, conv.layer.products());
    println!("3x3, 64 to 64 channels, 32x32: {} cycles, {:.1} %", run.cycles, 100.0 * used);
    assert!(used >= 0.92);
}

#[test]
fn a_depthwise_convolution_takes_an_eighth_of_a_columns_time() {
    let mut random = Random::new(6);
    let layer =
        Layer { weights: int8s(9 * 64, &mut random), ..same([24, 24], [64, 64], [3, 3], &mut random) };
    let depthwise = DepthwiseLayer { layer, blocks: vec![3, 4, 6, 5, 4, 2] };
    for stall in [None, Some(random.word())] {
        let mut rig = Rig::new(config(16, 16), 1 << 20);
        depthwise.place(&mut rig);
        if let Some(seed) = stall {
            rig.stall(seed);
        }
        let run = rig.run(&depthwise.commands(&rig));
        assert!(depthwise.outputs(&mut rig) == depthwise.layer.depthwise_outputs(), "wrong outputs");
        let memory = if stall.is_some() { ", a memory that hesitates" } else { "" };
        println!("3x3 depthwise, 64 channels, 24x24{memory}: {} cycles", run.cycles);
        // A lone column with nine rows busy would take 36,864.
        assert!(stall.is_some() || run.cycles <= 4600, "{} cycles", run.cycles);
    }
}
