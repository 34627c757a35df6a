//! What a command may not say.

use ferrite_hdl::prelude::*;

use super::Prepare;
use crate::command::record::{
    Field, Opcode, add, convolve, depthwise, packed, pool, requantise, sums, transfer,
};

/// Shifts of a sum of two images: those of multipliers below 1.
const LEAST_SHIFT: u32 = 31;
const MOST_SHIFT: u32 = 62;

/// Input channels of a packed convolution, at most.
const MOST_PACKED_CHANNELS: u32 = 32;

/// The ways in which a command of an opcode breaks a rule, given its fields.
pub(super) type Rule = fn(&Prepare, Opcode, &dyn Fn(Field) -> UInt) -> Vec<UInt>;

impl Prepare {
    /// Fields that break their ranges.
    pub(super) fn fields_out_of_range(&self, opcode: Opcode, get: &dyn Fn(Field) -> UInt) -> Vec<UInt> {
        let zero = |field| !get(field).any();
        let far = |field| (get(field) >> self.config.address_bits()).any();
        match opcode {
            Opcode::Load | Opcode::Store => {
                use transfer::{BYTES, D1, D2, N1, N2};
                vec![zero(BYTES), zero(N1), zero(N2), far(D1), far(D2)]
            }
            Opcode::Convolve => {
                use convolve::*;
                let counts = [
                    COLUMNS,
                    convolve::ROWS,
                    IN_TILES,
                    OUT_TILES,
                    KERNEL_COLUMNS,
                    KERNEL_ROWS,
                    WIDTH,
                    HEIGHT,
                    STRIDE_X,
                    STRIDE_Y,
                    DILATION_X,
                    DILATION_Y,
                ];
                let kernels = [KERNEL_COLUMNS, KERNEL_ROWS].map(|taps| get(taps).gt(16));
                let steps = [PIXEL_STEP, LINE_STEP, IN_TILE_STEP].map(far);
                counts.into_iter().map(zero).chain(kernels).chain(steps).collect()
            }
            Opcode::Packed => {
                use packed::*;
                let counts = [
                    COLUMNS,
                    packed::ROWS,
                    IN_TILES,
                    OUT_TILES,
                    KERNEL_COLUMNS,
                    KERNEL_ROWS,
                    WIDTH,
                    HEIGHT,
                    STRIDE_X,
                    STRIDE_Y,
                    CHANNELS,
                ];
                let kernels = [KERNEL_COLUMNS, KERNEL_ROWS].map(|taps| get(taps).gt(16));
                let channels = get(CHANNELS).gt(MOST_PACKED_CHANNELS);
                counts.into_iter().map(zero).chain(kernels).chain([channels, far(LINE_STEP)]).collect()
            }
            Opcode::Depthwise => {
                use depthwise::*;
                let counts = [COLUMNS, depthwise::ROWS, TILES, WIDTH, HEIGHT, STRIDE_X, STRIDE_Y].map(zero);
                counts.into_iter().chain([PIXEL_STEP, LINE_STEP, TILE_STEP].map(far)).collect()
            }
            Opcode::Requantise => {
                use requantise::{COLUMN_STEP, COLUMNS, ROW_STEP, TILE_STEP, TILES};
                let counts = [COLUMNS, requantise::ROWS, TILES].map(zero);
                counts.into_iter().chain([COLUMN_STEP, ROW_STEP, TILE_STEP].map(far)).collect()
            }
            Opcode::Sums => {
                use sums::{COLUMN_STEP, COLUMNS, ROW_STEP, TILE_STEP, TILES};
                let counts = [COLUMNS, sums::ROWS, TILES].map(zero);
                counts.into_iter().chain([COLUMN_STEP, ROW_STEP, TILE_STEP].map(far)).collect()
            }
            Opcode::Add => {
                use add::*;
                let steps = INPUT_STEPS.into_iter().chain([COLUMN_STEP, ROW_STEP]).map(far);
                let shifts = SHIFTS.map(|shift| get(shift).lt(LEAST_SHIFT) | get(shift).gt(MOST_SHIFT));
                [COLUMNS, add::ROWS].map(zero).into_iter().chain(steps).chain(shifts).collect()
            }
            Opcode::Pool => {
                use pool::*;
                let counts = [
                    COLUMNS,
                    pool::ROWS,
                    TILES,
                    KERNEL_COLUMNS,
                    KERNEL_ROWS,
                    WIDTH,
                    HEIGHT,
                    STRIDE_X,
                    STRIDE_Y,
                ];
                let steps = [COLUMN_STEP, ROW_STEP, TILE_STEP, PIXEL_STEP, LINE_STEP, IN_TILE_STEP].map(far);
                counts.map(zero).into_iter().chain(steps).collect()
            }
        }
    }

    /// Addresses and steps that are not aligned.
    pub(super) fn misaligned(&self, opcode: Opcode, get: &dyn Fn(Field) -> UInt) -> Vec<UInt> {
        let off = |field, bytes: u32| get(field).truncate(bytes.ilog2()).any();
        let (word, rows, cols) = (self.config.word_bytes(), self.config.rows, self.config.cols);
        match opcode {
            Opcode::Load | Opcode::Store => {
                [transfer::LOCAL, transfer::D1, transfer::D2].map(|field| off(field, word)).to_vec()
            }
            Opcode::Convolve => {
                use convolve::{ACT, IN_TILE_STEP, LINE_STEP, PIXEL_STEP, WEIGHTS};
                let acts = [ACT, PIXEL_STEP, LINE_STEP, IN_TILE_STEP].map(|field| off(field, rows));
                acts.into_iter().chain([off(WEIGHTS, cols)]).collect()
            }
            Opcode::Packed => vec![off(packed::WEIGHTS, cols)],
            Opcode::Depthwise => {
                use depthwise::{ACT, LINE_STEP, PIXEL_STEP, TILE_STEP, WEIGHTS};
                [ACT, PIXEL_STEP, LINE_STEP, TILE_STEP, WEIGHTS].map(|field| off(field, cols)).to_vec()
            }
            Opcode::Requantise => {
                use requantise::{COLUMN_STEP, OUTPUT, PARAMETERS, ROW_STEP, TILE_STEP};
                let outputs = [OUTPUT, COLUMN_STEP, ROW_STEP, TILE_STEP].map(|field| off(field, cols));
                outputs.into_iter().chain([off(PARAMETERS, word)]).collect()
            }
            Opcode::Sums => {
                use sums::{COLUMN_STEP, OUTPUT, ROW_STEP, TILE_STEP};
                [OUTPUT, COLUMN_STEP, ROW_STEP, TILE_STEP].map(|field| off(field, 4 * cols)).to_vec()
            }
            Opcode::Add => {
                use add::{COLUMN_STEP, INPUT_STEPS, INPUT1, INPUT2, OUTPUT, ROW_STEP};
                let places = [INPUT1, INPUT2, OUTPUT, COLUMN_STEP, ROW_STEP];
                places.into_iter().chain(INPUT_STEPS).map(|field| off(field, cols)).collect()
            }
            Opcode::Pool => {
                use pool::*;
                let steps = [COLUMN_STEP, ROW_STEP, TILE_STEP, PIXEL_STEP, LINE_STEP, IN_TILE_STEP];
                [INPUT, OUTPUT].into_iter().chain(steps).map(|field| off(field, cols)).collect()
            }
        }
    }
}
