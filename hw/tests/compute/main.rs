//! The computing part of the tensor unit against layers computed from their definition.

mod golden;
#[path = "../harness/random.rs"]
mod random;
mod rig;

use ferrite_hw::compute::ComputeConfig;
use golden::{Layer, Scale};
use random::Random;
use rig::{Part, Rig};

fn config(rows: u32, cols: u32) -> ComputeConfig {
    ComputeConfig { rows, cols, scratchpad_bytes: 128 << 10, accumulator_rows: 1024 }
}

fn int8s(count: usize, random: &mut Random) -> Vec<i8> {
    let one = |_| match random.below(8) {
        0 => i8::MIN,
        1 => i8::MAX,
        _ => random.word() as i8,
    };
    (0..count).map(one).collect()
}

/// A layer with its data; its output is as large as the image is with what is padded.
struct Form {
    image: [usize; 2],
    channels: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    padding: [usize; 2],
}

impl Form {
    fn plain(image: [usize; 2], channels: [usize; 2], kernel: [usize; 2]) -> Form {
        let padding = kernel.map(|taps| (taps - 1) / 2);
        Form { image, channels, kernel, stride: [1, 1], dilation: [1, 1], padding }
    }

    fn layer(&self, random: &mut Random) -> Layer {
        let Form { image, channels, kernel, stride, dilation, padding } = *self;
        let out = [0, 1].map(|axis| {
            let reach = (kernel[axis] - 1) * dilation[axis];
            (image[axis] + 2 * padding[axis] - reach - 1) / stride[axis] + 1
        });
        Layer {
            width: image[0],
            height: image[1],
            in_channels: channels[0],
            out_channels: channels[1],
            kernel_width: kernel[0],
            kernel_height: kernel[1],
            stride,
            dilation,
            padding,
            out,
            zero_point: random.word() as i8,
            input: int8s(image[0] * image[1] * channels[0], random),
            weights: int8s(kernel[0] * kernel[1] * channels[0] * channels[1], random),
            scale: Scale::random(channels[1], random),
        }
    }
}

/// Computes all of a layer by one command of each kind and compares.
fn computes(rig: &mut Rig, layer: &Layer) {
    let place = rig.place(layer);
    let tiles = place.out_pixel / rig.config.cols;
    let part = Part { row: 0, rows: layer.out[1], tile: 0, tiles, accumulators: 0 };
    rig.convolve(layer, &place, part);
    let convolved = rig.convolved;
    rig.until(|rig| rig.convolved > convolved);
    let requantised = rig.requantised;
    rig.requantise(layer, &place, part);
    rig.until(|rig| rig.requantised > requantised);
    rig.step();
    assert_eq!(rig.outputs(layer, &place), layer.outputs(), "{:?}", rig.config);
}

#[test]
fn a_product_of_matrices_is_computed() {
    let mut random = Random::new(1);
    for (rows, cols) in [(4, 4), (8, 8), (16, 16), (4, 32), (32, 4), (8, 16), (32, 32)] {
        let mut rig = Rig::new(config(rows, cols));
        let layer = Form::plain([20, 1], [40, 36], [1, 1]).layer(&mut random);
        computes(&mut rig, &layer);
    }
}

#[test]
fn a_row_times_a_matrix_is_computed() {
    let mut random = Random::new(2);
    let mut rig = Rig::new(config(16, 16));
    let layer = Form::plain([1, 1], [320, 160], [1, 1]).layer(&mut random);
    computes(&mut rig, &layer);
}

#[test]
fn convolutions_are_computed_in_place() {
    let mut random = Random::new(3);
    for case in 0..60 {
        let (rows, cols) = (4 << random.below(4), 4 << random.below(4));
        let kernel = [1 + random.below(5) as usize, 1 + random.below(4) as usize];
        let dilation = [1 + random.below(2) as usize, 1 + random.below(3) as usize];
        let reach = [0, 1].map(|axis| (kernel[axis] - 1) * dilation[axis]);
        let padding = reach.map(|reach| random.below(reach as u32 + 1) as usize);
        let image = [0, 1].map(|axis| 1 + reach[axis] + random.below(9) as usize);
        let channels = [1 + random.below(40) as usize, 1 + random.below(40) as usize];
        let stride = [1 + random.below(3) as usize, 1 + random.below(3) as usize];
        let form = Form { image, channels, kernel, stride, dilation, padding };
        let layer = form.layer(&mut random);
        let mut rig = Rig::new(config(rows, cols));
        println!("case {case}: {rows}x{cols}, image {image:?}, channels {channels:?}, kernel {kernel:?}");
        computes(&mut rig, &layer);
    }
}

#[test]
fn the_largest_kernel_is_computed() {
    let mut random = Random::new(4);
    let layer = Form::plain([18, 17], [3, 5], [16, 16]).layer(&mut random);
    computes(&mut Rig::new(config(8, 8)), &layer);
}

/// Computes a layer in parts, the output stage working on one while the array works on the next, and returns the cycles.
fn computes_in_parts(rig: &mut Rig, layer: &Layer, rows: usize) -> u64 {
    let place = rig.place(layer);
    let half = rig.config.accumulator_rows / 2;
    assert!((rows * layer.out[0]) as u32 <= half);
    let tiles = place.out_pixel / rig.config.cols;
    let parts: Vec<Part> = (0..tiles)
        .flat_map(|tile| (0..layer.out[1]).step_by(rows).map(move |row| (tile, row)))
        .enumerate()
        .map(|(k, (tile, row))| Part {
            row,
            rows: rows.min(layer.out[1] - row),
            tile,
            tiles: 1,
            accumulators: half * (k as u32 % 2),
        })
        .collect();
    let start = rig.cycle;
    let mut ordered = 0;
    for (k, part) in parts.iter().enumerate() {
        // A part's accumulators are free once the part before the last one has left them.
        while ordered < k as u64 && (ordered + 2 <= k as u64 || rig.convolved > ordered) {
            rig.until(|rig| rig.convolved > ordered);
            rig.requantise(layer, &place, parts[ordered as usize]);
            ordered += 1;
        }
        rig.until(|rig| rig.requantised + 2 > k as u64);
        rig.convolve(layer, &place, *part);
    }
    for part in ordered..parts.len() as u64 {
        rig.until(|rig| rig.convolved > part);
        rig.requantise(layer, &place, parts[part as usize]);
    }
    rig.until(|rig| rig.requantised == parts.len() as u64);
    rig.step();
    assert_eq!(rig.outputs(layer, &place), layer.outputs());
    rig.cycle - start
}

#[test]
fn tiles_follow_each_other_without_a_cycle_between_them() {
    let mut random = Random::new(5);
    let mut rig = Rig::new(config(16, 16));
    let layer = Form::plain([32, 1], [256, 64], [1, 1]).layer(&mut random);
    let place = rig.place(&layer);
    let part = Part { row: 0, rows: 1, tile: 0, tiles: 4, accumulators: 0 };
    rig.convolve(&layer, &place, part);
    let start = rig.cycle;
    rig.until(|rig| rig.convolved == 1);
    // 64 tiles of 32 rows each. What is around them: the first tile, the way to the array and that through it.
    assert_eq!(rig.multiplied, 2048);
    assert!(rig.cycle - start <= 2048 + 24 + 33, "{} cycles", rig.cycle - start);
}

#[test]
fn a_row_times_a_matrix_runs_at_the_speed_of_the_scratchpad() {
    let mut random = Random::new(6);
    let mut rig = Rig::new(config(16, 16));
    let layer = Form::plain([1, 1], [1024, 64], [1, 1]).layer(&mut random);
    let place = rig.place(&layer);
    rig.convolve(&layer, &place, Part { row: 0, rows: 1, tile: 0, tiles: 4, accumulators: 0 });
    let start = rig.cycle;
    rig.until(|rig| rig.convolved == 1);
    let words = 1024 * 64 / 16;
    assert!(rig.cycle - start <= words + words / 16 + 64, "{} cycles for {words} words", rig.cycle - start);
}

#[test]
fn a_convolution_keeps_the_array_busy() {
    let mut random = Random::new(7);
    let mut rig = Rig::new(ComputeConfig { scratchpad_bytes: 256 << 10, ..config(16, 16) });
    let layer = Form::plain([32, 32], [64, 64], [3, 3]).layer(&mut random);
    let cycles = computes_in_parts(&mut rig, &layer, 16);
    let busy = layer.products() as f64 / (256 * cycles) as f64;
    println!("{cycles} cycles, {:.1} % of the array", 100.0 * busy);
    assert!(busy > 0.98, "{cycles} cycles");
}

fn computes_depthwise(rig: &mut Rig, layer: &Layer) -> u64 {
    let (place, turns) = rig.place_depthwise(layer);
    let (start, convolved) = (rig.cycle, rig.convolved + turns.len() as u64);
    rig.convolve_depthwise(layer, &place, &turns);
    rig.until(|rig| rig.convolved == convolved);
    let cycles = rig.cycle - start;
    let requantised = rig.requantised;
    let tiles = place.out_pixel / rig.config.cols;
    rig.requantise(layer, &place, Part { row: 0, rows: layer.out[1], tile: 0, tiles, accumulators: 0 });
    rig.until(|rig| rig.requantised > requantised);
    rig.step();
    assert!(rig.outputs(layer, &place) == layer.depthwise_outputs(), "{:?}", rig.config);
    cycles
}

#[test]
fn depthwise_convolutions_are_computed_by_columns() {
    let mut random = Random::new(8);
    for case in 0..40 {
        let (rows, cols) = (4 << random.below(4), 4 << random.below(4));
        let kernel = [1 + random.below(5) as usize, 1 + random.below(5) as usize];
        let padding = kernel.map(|taps| random.below(taps as u32) as usize);
        let image = kernel.map(|taps| taps + random.below(12) as usize);
        let channels = 1 + random.below(40) as usize;
        let stride = [1 + random.below(3) as usize, 1 + random.below(3) as usize];
        println!(
            "case {case}: {rows}x{cols}, image {image:?}, {channels} channels, kernel {kernel:?}, stride {stride:?}"
        );
        let form = Form { image, channels: [channels; 2], kernel, stride, dilation: [1, 1], padding };
        let layer = form.layer(&mut random);
        computes_depthwise(&mut Rig::new(config(rows, cols)), &layer);
    }
}

#[test]
fn a_depthwise_convolution_makes_an_output_of_all_columns_in_a_cycle() {
    let mut random = Random::new(9);
    let layer = Form::plain([24, 24], [16, 16], [3, 3]).layer(&mut random);
    let cycles = computes_depthwise(&mut Rig::new(config(16, 16)), &layer);
    println!("{cycles} cycles");
    // 26 lines of 26 pixels, the first tile's weights and the way through the array.
    assert!(cycles <= 26 * 26 + 70, "{cycles} cycles");
}

/// The last line of a tile is still read while the first one of the next comes in.
#[test]
fn depthwise_convolutions_of_the_shortest_lines_are_computed() {
    let mut random = Random::new(11);
    for stride in [[1, 1], [3, 2]] {
        let form = Form {
            image: [3, 9],
            channels: [40; 2],
            kernel: [3, 3],
            stride,
            dilation: [1, 1],
            padding: [0, 0],
        };
        computes_depthwise(&mut Rig::new(config(16, 8)), &form.layer(&mut random));
    }
}

#[test]
fn both_kinds_of_convolutions_take_turns() {
    let mut random = Random::new(10);
    let mut rig = Rig::new(config(16, 16));
    for _ in 0..3 {
        let layer = Form::plain([7, 5], [20, 36], [3, 3]).layer(&mut random);
        computes(&mut rig, &layer);
        let layer = Form::plain([7, 5], [36, 36], [3, 3]).layer(&mut random);
        computes_depthwise(&mut rig, &layer);
    }
}
