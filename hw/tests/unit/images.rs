//! Images that are added, pooled, or taken out of the accumulators as they are.

use ferrite_hw::compute::reciprocal;
use ferrite_model::kernels::{Multiplier, quantize_multiplier, requantize};

use super::int8s;
use super::random::Random;
use super::record::{Add, Convolve, Pool, Record, Rows, Sums, Transfer};
use super::rig::{Rig, Run, config};

/// Runs commands on an array of 16x16 with these bytes in external memory.
fn run(placed: &[(u32, &[i8])], commands: &[Record]) -> (Rig, Run) {
    let mut rig = Rig::new(config(16, 16), 1 << 20);
    for (address, bytes) in placed {
        rig.write(*address, bytes);
    }
    let run = rig.run(commands);
    (rig, run)
}

#[test]
fn sums_come_out_as_int32() {
    let mut random = Random::new(21);
    // 48 rows of 16 inputs, times 16x32.
    let (acts, weights) = (int8s(48 * 16, &mut random), int8s(16 * 32, &mut random));
    let convolve = Convolve {
        act: 0,
        weights: 1024,
        accumulators: 7,
        accumulate: false,
        zero_point: 0,
        out: [48, 1],
        in_tiles: 1,
        out_tiles: 2,
        kernel: [1, 1],
        image: [48, 1],
        first: [0, 0],
        stride: [1, 1],
        dilation: [1, 1],
        pixel_step: 16,
        line_step: 0,
        in_tile_step: 0,
    };
    // The 128 bytes of a row lie behind each other.
    let sums = Sums {
        output: 4096,
        accumulators: 7,
        out: [48, 1],
        tiles: 2,
        column_step: 128,
        row_step: 0,
        tile_step: 64,
    };
    let commands = [
        Transfer::run(0, 0, 48 * 16).load(),
        Transfer::run(1024, 1024, 16 * 32).load(),
        convolve.record(),
        sums.record(),
        Transfer::run(4096, 4096, 48 * 128).store(),
    ];
    let (mut rig, _) = run(&[(0, &acts), (1024, &weights)], &commands);
    let found = rig.read(4096, 48 * 128);
    let expected = (0..48).flat_map(|row| {
        let (acts, weights) = (&acts, &weights);
        (0..32).flat_map(move |n| {
            let product = |k: usize| {
                let weight = weights[n / 16 * 256 + k * 16 + n % 16];
                i32::from(acts[row * 16 + k]) * i32::from(weight)
            };
            (0..16).map(product).sum::<i32>().to_le_bytes().map(|byte| byte as i8)
        })
    });
    assert!(found == expected.collect::<Vec<_>>());
}

/// TensorFlow Lite's int8 ADD of real scales.
#[test]
fn images_are_added() {
    let mut random = Random::new(22);
    let bytes = 64 * 256;
    let operands = [int8s(bytes, &mut random), int8s(bytes, &mut random)];
    let (scales, zero_points) = ([0.0235f64, 0.0478, 0.0551], [-4, 17, -11]);
    let twice_max = 2.0 * scales[0].max(scales[1]);
    let real = [scales[0] / twice_max, scales[1] / twice_max, twice_max / (f64::from(1 << 20) * scales[2])];
    let factors: [Multiplier; 3] = real.map(|real| quantize_multiplier(real).unwrap());
    let rows = |address| Rows { address, column_step: 16, row_step: 0 };
    let add = Add {
        out: [bytes / 16, 1],
        inputs: [rows(0), rows(bytes)],
        // In the second one's place.
        output: rows(bytes),
        input_zero_points: [zero_points[0] as i8, zero_points[1] as i8],
        multipliers: factors.map(|factor| factor.q31 as u32),
        shifts: factors.map(Multiplier::shift),
        zero_point: zero_points[2] as i8,
        min: -100,
        max: 120,
    };
    let commands =
        [Transfer::run(0, 0, 2 * bytes).load(), add.record(), Transfer::run(2 * bytes, bytes, bytes).store()];
    let (mut rig, run) = run(&[(0, &operands[0]), (bytes, &operands[1])], &commands);
    let expected = operands[0].iter().zip(&operands[1]).map(|(&a, &b)| {
        let scaled = |value: i8, k: usize| requantize((i32::from(value) - zero_points[k]) << 20, factors[k]);
        let sum = (scaled(a, 0) + scaled(b, 1)) as i32;
        (requantize(sum, factors[2]) + i64::from(zero_points[2])).clamp(-100, 120) as i8
    });
    assert!(rig.read(2 * bytes, bytes) == expected.collect::<Vec<_>>());
    let words = u64::from(bytes / 16);
    println!("add: {} cycles for {words} words", run.cycles);
    // The operands come at a word a cycle, are added at one in three, and the sum goes.
    assert!(run.cycles <= words * (2 + 3 + 1) + 250, "{} cycles", run.cycles);
}

/// What pools one tile of 16 channels.
fn pool(maximum: bool, image: [u32; 2], kernel: [u32; 2], stride: [u32; 2], padding: [u32; 2]) -> Pool {
    let out = [0, 1].map(|k| (image[k] + 2 * padding[k] - kernel[k]) / stride[k] + 1);
    Pool {
        maximum,
        out,
        tiles: 1,
        output: Rows { address: 32768, column_step: 16, row_step: 16 * out[0] },
        tile_step: 0,
        min: -128,
        max: 127,
        input: 0,
        pixel_step: 16,
        line_step: 16 * image[0],
        in_tile_step: 0,
        image,
        first: padding.map(|padding| -(padding as i32)),
        kernel,
        stride,
    }
}

#[test]
fn images_are_pooled() {
    let mut random = Random::new(23);
    for (image, kernel, stride, padding) in [
        ([24, 24], [2, 2], [2, 2], [0, 0]),
        ([24, 23], [3, 3], [2, 2], [1, 1]),
        ([13, 9], [3, 5], [1, 2], [2, 3]),
        ([16, 16], [16, 16], [1, 1], [0, 0]),
        ([12, 12], [12, 12], [1, 1], [0, 0]),
        ([7, 7], [7, 7], [1, 1], [0, 0]),
        ([5, 25], [5, 25], [1, 1], [0, 0]),
    ] {
        for maximum in [false, true] {
            let input = int8s(image[0] * image[1] * 16, &mut random);
            let pool = pool(maximum, image, kernel, stride, padding);
            let bytes = pool.out[0] * pool.out[1] * 16;
            let commands = [
                Transfer::run(0, 0, input.len() as u32).load(),
                pool.record(),
                Transfer::run(32768, 32768, bytes).store(),
            ];
            let (mut rig, run) = run(&[(0, &input)], &commands);
            let mut expected = vec![];
            for (row, column, n) in (0..pool.out[1]).flat_map(|row| {
                (0..pool.out[0]).flat_map(move |column| (0..16).map(move |n| (row, column, n)))
            }) {
                let mut values = vec![];
                for (ky, kx) in (0..kernel[1]).flat_map(|ky| (0..kernel[0]).map(move |kx| (ky, kx))) {
                    let y = (row * stride[1] + ky).checked_sub(padding[1]).filter(|y| *y < image[1]);
                    let x = (column * stride[0] + kx).checked_sub(padding[0]).filter(|x| *x < image[0]);
                    if let (Some(y), Some(x)) = (y, x) {
                        values.push(i32::from(input[((y * image[0] + x) * 16 + n) as usize]));
                    }
                }
                let average = f64::from(values.iter().sum::<i32>()) / values.len() as f64;
                // `round` takes halves away from zero.
                let pooled = if maximum { *values.iter().max().unwrap() } else { average.round() as i32 };
                expected.push(pooled as i8);
            }
            assert!(rig.read(32768, bytes) == expected, "{pool:?}");
            println!("pool {kernel:?} of {image:?}, stride {stride:?}: {} cycles", run.cycles);
        }
    }
}

#[test]
fn reciprocals_divide_all_sums_by_all_counts() {
    for count in 1..=256 {
        let factor = i64::from(reciprocal(count as u32));
        assert!(factor < 1 << 31);
        for sum in -128 * count..=128 * count {
            let away = if sum > 0 { count / 2 } else { -(count / 2) };
            assert_eq!((sum * factor + (1 << 29)) >> 30, (sum + away) / count, "{sum} by {count}");
        }
    }
}
