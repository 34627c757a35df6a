//! The model of the tensor unit on cases computed by hand, and its arithmetic against the reference kernels'.

use ferrite_model::kernels::{Multiplier, requantize};
use ferrite_model::unit::{Cause, ExecuteError, Outcome, Record, SizeError, Sizes, Unit};
use proptest::prelude::*;

const SIZES: Sizes = Sizes { rows: 4, cols: 4, scratchpad_bytes: 4096, accumulator_rows: 16 };

fn unit() -> Unit {
    Unit::new(SIZES, 1 << 20).unwrap()
}

/// A record of these words and zeros.
fn record(words: &[u32]) -> Record {
    let mut record = [0; 16];
    record[..words.len()].copy_from_slice(words);
    record
}

/// A load (1) or store (2) of runs.
fn transfer(code: u32, external: u32, local: u32, bytes: u32, n1: u32, s1: i32, d1: u32) -> Record {
    record(&[code, external, local, bytes, n1 | 1 << 16, s1 as u32, 0, d1])
}

/// A product of one activation row with one tile of weights.
fn product(act: u32, weights: u32, accumulators: u32) -> Record {
    record(&[3, act, weights, accumulators, 0x1_0001, 0x1_0001, 0x101, 0x1_0001, 0, 0x0101_0101, 0, 0, 0])
}

/// One accumulator row to int8, between -128 and 127.
fn requantise(parameters: u32, output: u32, accumulators: u32) -> Record {
    record(&[4, parameters, output, accumulators, 0x1_0001, 1, 0, 0, 0, 0x7F_8000])
}

fn done(unit: &mut Unit, record: &Record) {
    assert_eq!(unit.execute(record, &mut [][..]), Ok(Outcome::Done));
}

#[test]
fn loads_fill_up_words_and_later_runs_win() {
    let mut unit = unit();
    let mut memory: Vec<u8> = (0..64).collect();
    // Backwards from 20 by 5: runs of 9 bytes at 20, 15, 10, each a word further than the one before.
    let load = transfer(1, 20, 16, 9 | 0xEE << 16, 3, -5, 8);
    assert_eq!(unit.execute(&load, &mut memory[..]), Ok(Outcome::Done));
    let expected = [
        [20, 21, 22, 23, 24, 25, 26, 27],
        [15, 16, 17, 18, 19, 20, 21, 22],
        [10, 11, 12, 13, 14, 15, 16, 17],
        [18, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE],
    ];
    assert_eq!(unit.scratchpad[16..48], expected.concat());
    assert_eq!((&unit.scratchpad[..16], unit.scratchpad[48]), (&[0; 16][..], 0));
}

#[test]
fn stores_write_bytes_and_later_runs_win() {
    let mut unit = unit();
    for (byte, value) in unit.scratchpad.iter_mut().zip(1..=u8::MAX) {
        *byte = value;
    }
    let mut memory = vec![0; 8];
    let store = transfer(2, 1, 8, 3, 2, 2, 8);
    assert_eq!(unit.execute(&store, &mut memory[..]), Ok(Outcome::Done));
    assert_eq!(memory, [0, 9, 10, 17, 18, 19, 0, 0]);
}

#[test]
fn a_depthwise_convolution_keeps_channels_apart() {
    let mut unit = unit();
    // Two pixels: 1, 2, 3, 4 and -1, -2, -3, -4. The taps of a kernel of one row weigh 1, 10 and 100; what stands behind them does not count.
    unit.scratchpad[64..72].copy_from_slice(&[1, 2, 3, 4, 255, 254, 253, 252]);
    for (bytes, weight) in unit.scratchpad[128..144].chunks_mut(4).zip([1, 10, 100, 77]) {
        bytes.fill(weight);
    }
    // Outputs begin at columns -1 and 0; zero point -2; sums go to rows 2 and 3.
    let depthwise =
        [5, 64, 128, 2 | 0xFE << 24, 0x1_0002, 0x1_0000, 0, 0x1_0002, 0xFFFF, 0x0101, 4, 0, 0, 0, 0, 0];
    assert_eq!(unit.execute(&depthwise, &mut [][..]), Ok(Outcome::Done));
    assert_eq!(unit.accumulators[8..16], [-92, -182, -272, -362, -209, -218, -227, -236]);
}

#[test]
fn a_window_beside_the_image_takes_the_zero_point() {
    let mut unit = unit();
    // Two pixels: 1, 2, 3, 4 and -1, -2, -3, -4. A kernel of three columns, whose weights are all 1, 10 and 100.
    unit.scratchpad[64..72].copy_from_slice(&[1, 2, 3, 4, 255, 254, 253, 252]);
    for (bytes, weight) in unit.scratchpad[128..176].chunks_mut(16).zip([1, 10, 100]) {
        bytes.fill(weight);
    }
    unit.accumulators[8..16].fill(1000);
    // Outputs begin at columns -1 and 0; zero point -2; sums are added to rows 2 and 3.
    let sums = 2 | 1 << 16 | 0xFE << 24;
    let convolve = [3, 64, 128, sums, 0x1_0002, 0x1_0001, 0x103, 0x1_0002, 0xFFFF, 0x0101_0101, 4, 0, 0];
    done(&mut unit, &record(&convolve));
    // Column sums of pixels are 10 and -10, and -8 beside: -8 + 10 * 10 + 100 * -10, and 10 - 10 * 10 - 100 * 8.
    assert_eq!(unit.accumulators[8..12], [1000 - 908; 4]);
    assert_eq!(unit.accumulators[12..16], [1000 - 890; 4]);
    assert_eq!(unit.accumulators[16..], [0; 48]);
}

#[test]
fn tiles_of_weights_stand_by_output_tile_and_then_by_input_tile() {
    let mut unit = unit();
    // Input tiles 1, 0, 0, 0 and 0, 1, 0, 0; the tile of weights number `w` has `16 * w + 4 * k + n`.
    unit.scratchpad[0..8].copy_from_slice(&[1, 0, 0, 0, 0, 1, 0, 0]);
    for (byte, value) in unit.scratchpad[64..128].iter_mut().zip(0..) {
        *byte = value;
    }
    let convolve = [3, 0, 64, 5, 0x1_0001, 0x2_0002, 0x101, 0x1_0001, 0, 0x0101_0101, 0, 0, 4];
    done(&mut unit, &record(&convolve));
    assert_eq!(unit.accumulators[20..24], [20, 22, 24, 26]);
    assert_eq!(unit.accumulators[24..28], [32 + 52, 33 + 53, 34 + 54, 35 + 55]);
}

#[test]
fn sums_wrap() {
    let mut unit = unit();
    unit.scratchpad[..4].copy_from_slice(&[1, 0, 0, 0]);
    unit.scratchpad[16] = 1;
    unit.accumulators[0] = i32::MAX;
    let mut accumulates = product(0, 16, 0);
    accumulates[3] |= 1 << 16;
    done(&mut unit, &accumulates);
    assert_eq!(unit.accumulators[..4], [i32::MIN, 0, 0, 0]);
}

#[test]
fn outputs_are_rounded_once_half_up_and_clamped() {
    let mut unit = unit();
    // Biases, multipliers, shifts: sums over 2 and 4, one far above the clamp, and one whose bias wraps.
    let biases: [i32; 4] = [0, 1, 0, 1];
    let multipliers: [u32; 4] = [1, 1, i32::MAX as u32, i32::MAX as u32 | 1 << 31];
    for n in 0..4 {
        unit.scratchpad[512 + 4 * n..][..4].copy_from_slice(&biases[n].to_le_bytes());
        unit.scratchpad[528 + 4 * n..][..4].copy_from_slice(&multipliers[n].to_le_bytes());
    }
    unit.scratchpad[544..548].copy_from_slice(&[1, 0xC0 | 2, 1, 62]);
    unit.accumulators[..4].copy_from_slice(&[-3, 5, 7, i32::MAX]);
    done(&mut unit, &requantise(512, 20, 0));
    // -3 / 2 becomes -1, (5 + 1) / 4 becomes 2, and -2^31 * (2^31 - 1) / 2^62 becomes -1.
    assert_eq!(unit.scratchpad[20..24], [255, 2, 127, 255]);
    // The lower clamp is looked at first.
    let mut crossed = requantise(512, 24, 0);
    crossed[9] = 1 | 5 << 8 | 0xFD << 16;
    done(&mut unit, &crossed);
    assert_eq!(unit.scratchpad[24..28], [5, 5, 253, 5]);
}

#[test]
fn a_shift_of_0_counts_as_64() {
    let mut unit = unit();
    unit.scratchpad[16..20].copy_from_slice(&i32::MAX.to_le_bytes());
    unit.scratchpad[32..36].fill(0x40);
    unit.accumulators[..4].fill(i32::MIN);
    let mut requantise = requantise(0, 64, 0);
    requantise[9] |= 9;
    done(&mut unit, &requantise);
    assert_eq!(unit.scratchpad[64..68], [9; 4]);
}

#[test]
fn rows_go_where_their_steps_say_and_tiles_have_their_own_parameters() {
    let mut unit = unit();
    for (tile, bias) in [(0, 1i32), (1, -1)] {
        for n in 0..4 {
            unit.scratchpad[40 * tile + 4 * n..][..4].copy_from_slice(&bias.to_le_bytes());
            unit.scratchpad[40 * tile + 16 + 4 * n] = 2;
            unit.scratchpad[40 * tile + 32 + n] = 1;
        }
    }
    for (sum, value) in unit.accumulators.iter_mut().zip(10..) {
        *sum = value / 4 * 4;
    }
    // Two columns, two rows, two tiles, from row 1 on.
    let words = [4, 0, 2048, 1, 0x2_0002, 2, 8, 32, 4, 0x7F_8000];
    done(&mut unit, &record(&words));
    let at = |unit: &Unit, o: usize, r: usize, c: usize| unit.scratchpad[2048 + 4 * o + 32 * r + 8 * c + 3];
    let mut found = vec![];
    for (o, r, c) in [(0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1), (1, 0, 0), (1, 0, 1), (1, 1, 0), (1, 1, 1)]
    {
        found.push(at(&unit, o, r, c));
    }
    assert_eq!(found, [17, 21, 25, 29, 31, 35, 39, 43]);
}

#[test]
fn the_first_broken_rule_counts_and_stops_all_that_follows() {
    let mut unit = unit();
    done(&mut unit, &product(0, 64, 3));
    let before = unit.scratchpad.clone();
    let refused = transfer(1, 0, 4092, 8, 1, 0, 0);
    assert_eq!(unit.execute(&refused, &mut [][..]), Ok(Outcome::Refused(Cause::Alignment)));
    assert_eq!(unit.execute(&product(0, 64, 3), &mut [][..]), Ok(Outcome::Dropped));
    assert_eq!(unit.execute(&record(&[]), &mut [][..]), Ok(Outcome::Dropped));
    assert_eq!((unit.accepted(), unit.error()), (1, Some(Cause::Alignment)));
    assert!(unit.scratchpad == before);
}

#[test]
fn every_rule_has_its_cause() {
    let cause = |record: Record| SIZES.judge(&record).err();
    let with = |record: &Record, word: usize, value: u32| {
        let mut other = *record;
        other[word] = value;
        cause(other)
    };
    let load = transfer(1, 0, 4088, 8, 1, 0, 0);
    let store = transfer(2, 0, 4088, 8, 1, 0, 0);
    let (convolve, output) = (product(4092, 4080, 15), requantise(4056, 4092, 15));
    let depthwise = [5, 4092, 4080, 15, 0x1_0001, 0x1_0000, 0, 0x1_0001, 0, 0x0101, 0, 0, 0, 0, 0, 0];
    for legal in [load, store, convolve, output, depthwise] {
        assert_eq!(cause(legal), None);
        for code in [0, 10, 255] {
            assert_eq!(with(&legal, 0, code), Some(Cause::Unknown));
        }
        assert_eq!(with(&legal, 0, legal[0] | 1 << 8), Some(Cause::Field));
        assert_eq!(with(&legal, 15, 1 << 31), Some(Cause::Field));
    }
    let sums = record(&[6, 0, 4080, 15, 0x1_0001, 1]);
    let add = record(&[7, 4092, 4088, 4084, 0x1_0001, 0x1F1F_0000, 0, 0, 0, 0x1F00_0000]);
    let pool = [8, 4092, 4088, 0, 0x1_0001, 1, 0, 0, 0, 0, 0, 0, 0, 0x1_0001, 0, 0x0101_0101];
    let packed = record(&[9, 4093, 4080, 15, 0x1_0001, 0x1_0001, 0x101, 0x1_0001, 0, 0x0101, 3]);
    for legal in [sums, add, pool, packed] {
        assert_eq!(cause(legal), None);
        assert_eq!(with(&legal, 0, legal[0] | 1 << 31), Some(Cause::Field));
    }
    use Cause::{Alignment, Field, Outside};
    for (record, word, value, expected) in [
        (load, 1, u32::MAX - 7, None),
        (load, 1, u32::MAX - 6, Some(Outside)),
        (load, 2, 4087, Some(Alignment)),
        (load, 2, 4096, Some(Outside)),
        (load, 2, u32::MAX - 7, Some(Outside)),
        (load, 3, 0, Some(Field)),
        (load, 3, 9, Some(Outside)),
        (load, 3, 8 | 0xFF << 16, None),
        (load, 3, 8 | 1 << 24, Some(Field)),
        (store, 3, 8 | 1 << 16, Some(Field)),
        (load, 4, 1, Some(Field)),
        (load, 4, 1 << 16, Some(Field)),
        (load, 5, 1 << 31, None),
        (load, 7, 4088, None),
        (load, 7, 4092, Some(Alignment)),
        (load, 8, 4096, Some(Field)),
        (depthwise, 1, 4090, Some(Alignment)),
        (depthwise, 1, 4096, Some(Outside)),
        (depthwise, 2, 4084, Some(Outside)),
        (depthwise, 4, 0x1_0002, Some(Outside)),
        (depthwise, 4, 0x1_007E, Some(Outside)),
        (depthwise, 4, 0x1_007F, Some(Field)),
        (depthwise, 5, 0x1_0001, Some(Field)),
        (depthwise, 5, 0x2_0000, Some(Outside)),
        (depthwise, 6, 1, Some(Field)),
        (depthwise, 9, 0x1_0101, Some(Field)),
        (depthwise, 12, 4, None),
        (depthwise, 12, 2, Some(Alignment)),
        (depthwise, 12, 4096, Some(Field)),
        (convolve, 1, 4090, Some(Alignment)),
        (convolve, 1, 4096, Some(Outside)),
        (convolve, 2, 4082, Some(Alignment)),
        (convolve, 2, 4084, Some(Outside)),
        (convolve, 3, 16, Some(Outside)),
        (convolve, 3, 15 | 1 << 17, Some(Field)),
        (convolve, 4, 0x1_0002, Some(Outside)),
        (convolve, 4, 1, Some(Field)),
        (convolve, 5, 0x1_0002, Some(Outside)),
        (convolve, 6, 0x111, Some(Field)),
        (convolve, 6, 0x1_0101, Some(Field)),
        (convolve, 6, 0x102, Some(Outside)),
        (convolve, 7, 0xFFFF_FFFF, None),
        (convolve, 7, 0xFFFF, Some(Field)),
        (convolve, 8, 0x8000_7FFF, None),
        (convolve, 9, 0x0101_0100, Some(Field)),
        (convolve, 9, 0x00FF_FFFF, Some(Field)),
        (convolve, 10, 4092, None),
        (convolve, 10, 4093, Some(Alignment)),
        (convolve, 12, 4096, Some(Field)),
        (output, 1, 4060, Some(Alignment)),
        (output, 1, 4064, Some(Outside)),
        (output, 2, 4094, Some(Alignment)),
        (output, 2, 4096, Some(Outside)),
        (output, 3, 1 << 16, Some(Field)),
        (output, 3, 16, Some(Outside)),
        (output, 5, 0, Some(Field)),
        (output, 5, 1 << 16, Some(Field)),
        (output, 5, 2, Some(Outside)),
        (output, 7, 4092, None),
        (output, 8, 2, Some(Alignment)),
        (output, 9, 1 << 24, Some(Field)),
        (sums, 1, 1, Some(Field)),
        (sums, 2, 4088, Some(Alignment)),
        (sums, 2, 4096, Some(Outside)),
        (sums, 3, 16, Some(Outside)),
        (sums, 4, 0x2_0001, Some(Outside)),
        (sums, 5, 2, Some(Outside)),
        (sums, 6, 4080, None),
        (sums, 7, 4088, Some(Alignment)),
        (sums, 8, 4096, Some(Field)),
        (sums, 9, 1, Some(Field)),
        (add, 1, 4096, Some(Outside)),
        (add, 2, 4096, Some(Outside)),
        (add, 3, 4096, Some(Outside)),
        (add, 3, 4094, Some(Alignment)),
        (add, 4, 1, Some(Field)),
        (add, 5, 0x1F1E_0000, Some(Field)),
        (add, 5, 0x3F1F_0000, Some(Field)),
        (add, 5, 0x1F3E_FFFF, None),
        (add, 5, 0x1F5F_0000, Some(Field)),
        (add, 6, 4096, Some(Field)),
        (add, 7, 4092, None),
        (add, 8, 2, Some(Alignment)),
        (add, 9, 0x1E00_0000, Some(Field)),
        (add, 9, 0x3EFF_FFFF, None),
        (add, 9, 0x5F00_0000, Some(Field)),
        (add, 10, 4096, Some(Field)),
        (add, 11, 1, Some(Alignment)),
        (add, 12, 4096, Some(Field)),
        (add, 13, 1 << 31, Some(Field)),
        (add, 14, (1 << 31) - 1, None),
        (add, 15, 1 << 31, Some(Field)),
        (pool, 1, 4090, Some(Alignment)),
        (pool, 1, 4096, Some(Outside)),
        (pool, 2, 4096, Some(Outside)),
        (pool, 3, 1, None),
        (pool, 3, 2, Some(Field)),
        (pool, 4, 0x1_FFFF, None),
        (pool, 5, 0, Some(Field)),
        (pool, 5, 1 << 16, Some(Field)),
        (pool, 9, 1, Some(Field)),
        (pool, 9, 1 << 24, Some(Field)),
        (pool, 10, 4096, Some(Field)),
        (pool, 11, 2, Some(Alignment)),
        (pool, 12, 4096, Some(Field)),
        (pool, 13, 0xFFFF_FFFF, None),
        (pool, 13, 0xFFFF, Some(Field)),
        (pool, 14, 0x8000_7FFF, None),
        (pool, 15, 0x0101_1010, None),
        (pool, 15, 0x0101_1011, Some(Field)),
        (pool, 15, 0x0101_01FF, None),
        (pool, 15, 0x0101_0001, Some(Field)),
        (pool, 15, 0x0001_0101, Some(Field)),
        (packed, 1, 4092, None),
        (packed, 1, 4094, Some(Outside)),
        (packed, 2, 4082, Some(Alignment)),
        (packed, 2, 4084, Some(Outside)),
        (packed, 3, 16, Some(Outside)),
        (packed, 5, 0x1_0000, Some(Field)),
        (packed, 5, 0x1_0002, Some(Outside)),
        (packed, 6, 0x111, Some(Field)),
        (packed, 7, 0x1_0002, Some(Outside)),
        (packed, 7, 0xFFFF_0001, None),
        (packed, 9, 0x0101_0101, Some(Field)),
        // Lines of 127 words of 8 bytes: 338 pixels of 3, which are more than the accumulators take.
        (packed, 4, 0x1_0152, Some(Outside)),
        (packed, 4, 0x1_0153, Some(Field)),
        (packed, 10, 0, Some(Field)),
        (packed, 10, 33, Some(Field)),
        (packed, 10, 4, Some(Outside)),
        (packed, 11, 4095, None),
        (packed, 11, 4096, Some(Field)),
        (packed, 12, 1, Some(Field)),
    ] {
        assert_eq!(with(&record, word, value), expected, "word {word} is {value:#x} in {record:x?}");
    }
}

#[test]
fn sums_are_stored_as_they_are() {
    let mut unit = unit();
    unit.accumulators[4..12].copy_from_slice(&[1, -1, i32::MAX, i32::MIN, 2, 3, 4, 5]);
    // Two columns of 16 bytes, the second one before the first in the scratchpad's next 32.
    done(&mut unit, &record(&[6, 0, 64, 1, 0x1_0002, 1, 32, 0, 0]));
    let words: Vec<i32> =
        unit.scratchpad[64..112].chunks(4).map(|word| i32::from_le_bytes(word.try_into().unwrap())).collect();
    assert_eq!(words, [1, -1, i32::MAX, i32::MIN, 0, 0, 0, 0, 2, 3, 4, 5]);
}

#[test]
fn sums_of_images_are_rounded_once() {
    let mut unit = unit();
    unit.scratchpad[..4].copy_from_slice(&[10, 11, 10, 11]);
    unit.scratchpad[8..12].copy_from_slice(&[249, 249, 127, 127]);
    // Operands less 4 and 1, each halved: -1, -0.5, 66, 66.5; output zero point 5.
    let zero_points = 4 | 1 << 8;
    let half = 1 << 30;
    let add = [
        7,
        0,
        16,
        8,
        0x1_0001,
        zero_points | 31 << 16 | 31 << 24,
        0,
        0,
        0,
        0x327F_8005,
        0,
        0,
        0,
        half,
        half,
        half,
    ];
    done(&mut unit, &add);
    assert_eq!(unit.scratchpad[16..20], [4, 5, 71, 72]);
}

#[test]
fn pooling_leaves_out_what_is_beside_the_image() {
    let mut unit = unit();
    for (pixel, value) in unit.scratchpad[..12].chunks_mut(4).zip([1i8, 2, 4]) {
        pixel.copy_from_slice(&[value, -value, 0, 25 * value].map(|value| value as u8));
    }
    // Windows of two pixels from column -1 on, and one with none.
    let pool = |maximum| {
        [8, 0, 64, maximum, 0x1_0005, 1, 4, 0, 0, 0x7F_8000, 4, 0, 0, 0x1_0003, 0xFFFF, 0x0101_0102]
    };
    let pooled = |unit: &mut Unit, maximum| {
        done(unit, &pool(maximum));
        unit.scratchpad[64..84].iter().map(|&byte| byte as i8).collect::<Vec<i8>>()
    };
    let averages = [[1, -1, 0, 25], [2, -2, 0, 38], [3, -3, 0, 75], [4, -4, 0, 100], [0; 4]];
    assert_eq!(pooled(&mut unit, 0), averages.concat());
    let largest = [[1, -1, 0, 25], [2, -1, 0, 50], [4, -2, 0, 100], [4, -4, 0, 100], [-128; 4]];
    assert_eq!(pooled(&mut unit, 1), largest.concat());
}

#[test]
fn taps_are_dealt_out_to_tiles_in_order() {
    let mut unit = unit();
    // Two lines of two pixels of three channels: 1 to 12. The rows of tile i weigh 1, 10 and 100.
    for (byte, value) in unit.scratchpad[5..17].iter_mut().zip(1..) {
        *byte = value;
    }
    for (bytes, weight) in unit.scratchpad[64..112].chunks_mut(16).zip([1, 10, 100]) {
        bytes.fill(weight);
    }
    let packed =
        |tiles: u32| record(&[9, 5, 64, 0, 0x1_0001, 0x1_0000 | tiles, 0x202, 0x2_0002, 0, 0x101, 3, 6]);
    done(&mut unit, &packed(3));
    assert_eq!(unit.accumulators[..4], [10 + 260 + 4200; 4]);
    done(&mut unit, &packed(2));
    assert_eq!(unit.accumulators[..4], [10 + 260; 4]);

    // Six kernel rows of a byte: eight rows of an array are not filled by more than four of them.
    let mut unit = Unit::new(Sizes { rows: 8, ..SIZES }, 1 << 20).unwrap();
    unit.scratchpad[..6].copy_from_slice(&[1, 2, 3, 4, 5, 6]);
    unit.scratchpad[64..96].fill(1);
    unit.scratchpad[96..128].fill(10);
    done(&mut unit, &record(&[9, 0, 64, 0, 0x1_0001, 0x1_0002, 0x601, 0x6_0001, 0, 0x101, 1, 1]));
    assert_eq!(unit.accumulators[..4], [10 + 110; 4]);
}

#[test]
fn steps_to_the_past_may_not_leave_external_memory() {
    let judge = |external, s1| SIZES.judge(&transfer(1, external, 0, 1, 2, s1, 0)).err();
    assert_eq!([judge(5, -5), judge(5, -6)], [None, Some(Cause::Outside)]);
    assert_eq!([judge(u32::MAX - 5, 5), judge(u32::MAX - 5, 6)], [None, Some(Cause::Outside)]);
}

#[test]
fn what_takes_too_long_and_what_is_not_there_are_told() {
    let mut unit = unit();
    let mut load = transfer(1, 0, 0, 0xFFF, 0xFFFF, 0, 0);
    load[4] = u32::MAX;
    let work = 0xFFF * 0xFFFF * 0xFFFF;
    assert_eq!(unit.execute(&load, &mut [][..]), Err(ExecuteError::TooMuchWork { work, limit: 1 << 20 }));
    let load = transfer(1, 2, 0, 8, 1, 0, 0);
    let failed = Outcome::Failed { cause: Cause::Load, address: 4 };
    assert_eq!((unit.accepted(), unit.error()), (0, None));
    assert_eq!(unit.execute(&load, &mut [0; 4][..]), Ok(failed));
    assert_eq!((unit.accepted(), unit.error()), (0, Some(Cause::Load)));
    assert_eq!(unit.execute(&load, &mut [0; 16][..]), Ok(Outcome::Dropped));
}

#[test]
fn a_store_that_fails_has_a_cause_of_its_own() {
    let mut unit = unit();
    done(&mut unit, &product(0, 64, 3));
    let failed = Outcome::Failed { cause: Cause::Store, address: 7 };
    assert_eq!(unit.execute(&transfer(2, 3, 0, 8, 1, 0, 0), &mut [0; 7][..]), Ok(failed));
    assert_eq!((unit.accepted(), unit.error()), (1, Some(Cause::Store)));
}

#[test]
fn sizes_outside_of_their_ranges_are_refused() {
    let error = Unit::new(Sizes { cols: 64, ..SIZES }, 0).unwrap_err();
    assert_eq!(error, SizeError { parameter: "cols", value: 64, min: 4, max: 32 });
    assert!(Unit::new(Sizes { scratchpad_bytes: 5000, ..SIZES }, 0).is_err());
}

/// Words that random records are made of.
fn words() -> impl Strategy<Value = u32> {
    let edges = vec![0, 1, 4, 16, 4096, 0x1_0001, 0x101, 0x0101_0101, 0x7FFF_FFFF, 0x8000_0000, u32::MAX];
    prop_oneof![any::<u32>(), prop::sample::select(edges)]
}

proptest! {
    #[test]
    fn outputs_are_those_of_the_reference_kernels(
        sum: i32, bias: i32, multiplier in 0u32..1 << 31, shift in 1u32..=62, output in 0u32..1 << 24,
    ) {
        let mut unit = unit();
        unit.scratchpad[..4].copy_from_slice(&bias.to_le_bytes());
        unit.scratchpad[16..20].copy_from_slice(&multiplier.to_le_bytes());
        unit.scratchpad[32] = shift as u8;
        unit.accumulators[0] = sum;
        let mut requantise = requantise(0, 64, 0);
        requantise[9] = output;
        done(&mut unit, &requantise);
        let [zero_point, min, max, _] = output.to_le_bytes().map(|byte| i64::from(byte as i8));
        let scale = Multiplier { q31: multiplier as i32, exponent: 31 - shift as i32 };
        let y = requantize(sum.wrapping_add(bias), scale) + zero_point;
        let expected = if y < min { min } else if y > max { max } else { y };
        prop_assert_eq!(i64::from(unit.scratchpad[64] as i8), expected);
    }

    #[test]
    fn no_record_is_too_much(mut record in prop::array::uniform16(words()), code in 1u32..=9, end in 4usize..=16) {
        record[0] = code;
        record[end..].fill(0);
        for sizes in [SIZES, Sizes { rows: 32, cols: 32, scratchpad_bytes: 1 << 20, accumulator_rows: 1 << 16 }] {
            let mut unit = Unit::new(sizes, 1 << 16).unwrap();
            let before = unit.clone();
            if unit.execute(&record, &mut [0; 4096][..]) != Ok(Outcome::Done) {
                prop_assert_eq!(unit.accepted(), 0);
                prop_assert!(unit.error().is_none_or(|cause| cause >= Cause::Load) || unit.scratchpad == before.scratchpad);
            }
        }
    }
}
