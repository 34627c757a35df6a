//! Poolings: the windows of an image out of the scratchpad, and their sums or largest values.

use ferrite_hdl::prelude::*;

use super::ComputeConfig;
use super::command::{COUNT_BITS, Pooling};
use super::operands::{Operand, OperandMark, OperandRequest, Requests};
use super::parts::bytes_at;
use crate::countdown::Countdown;
use crate::delay::late_bit;

/// Inputs of the module.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct PoolIn<T> {
    /// A task begins.
    pub start: T,
    /// It is cut short.
    pub halt: T,
    /// Byte address of the first window's first pixel. This and what follows stays while the task is under way.
    pub first: T,
    /// Windows of a row.
    pub columns: T,
    /// Rows of windows.
    pub rows: T,
    /// Tiles of channels.
    pub tiles: T,
    /// The rest of it.
    pub pooling: Pooling<T>,
    /// Asks the scratchpad.
    #[flip]
    pub requests: Requests<T>,
    /// What comes from it in the next cycle.
    pub soon: Operand<T>,
    /// The word that comes; what was said of it the cycle before.
    pub data: T,
}

/// Outputs of the module.
#[derive(Clone, Debug, Bundle)]
pub struct PoolOut<T> {
    /// What enters the columns is a window's.
    pub enters: T,
    /// What enters the columns: one int32 for each, the sum or the largest value.
    pub value: Vec<T>,
    /// The multiplier of the next cycle's value: one over the number of the window's pixels that lie in the image, or over 1.
    pub multiplier: T,
}

/// The most pixels of a window.
pub const MOST_PIXELS: u32 = 256;
/// Bits of a window's sum.
const SUM_BITS: u32 = 17;
/// Bits of a coordinate in the image, two's complement: the first one, and 65,535 strides of 255 behind it.
const PLACE_BITS: u32 = 26;
/// What [`reciprocal`]s are shifted by.
pub const RECIPROCAL_SHIFT: u32 = 30;

/// The factor by which a window's sum is divided by `count`: `(sum * factor + 2^29) >> 30` is the quotient rounded to the nearest integer, halves away from zero.
///
/// It is a little more than `2^30 / count`. So halves are a little more than that too, above 0 and below, and since a sum of `count` int8 times the error, less than `2^7 * count / 2^30`, is less than `1 / (2 * count)`, the distance
/// of anything else from the next half, no other result changes.
pub fn reciprocal(count: u32) -> u32 {
    (1 << RECIPROCAL_SHIFT) / count + 1
}

/// Reads a pixel of a window in every cycle, with all channels of a tile, and passes those that do not lie in the image.
#[module]
pub struct Pool {
    /// Sizes.
    pub config: ComputeConfig,
}

impl Module for Pool {
    type In = PoolIn<UInt>;
    type Out = PoolOut<UInt>;

    fn name(&self) -> String {
        format!("Pool_{}", self.config.suffix())
    }
    fn inputs(&self) -> PoolIn<Shape> {
        let count = bits(COUNT_BITS);
        PoolIn {
            start: bit(),
            halt: bit(),
            first: bits(self.config.address_bits()),
            columns: count,
            rows: count,
            tiles: count,
            pooling: Pooling::shape(&self.config),
            requests: Requests::shape(&self.config),
            soon: Operand::shape(&self.config),
            data: bits(8 * self.config.word_bytes()),
        }
    }
    fn outputs(&self) -> PoolOut<Shape> {
        let value = vec![signed(32); self.config.cols as usize];
        PoolOut { enters: bit(), value, multiplier: bits(31) }
    }
    fn build(&self, m: &Builder, i: PoolIn<UInt>) -> PoolOut<UInt> {
        let config = &self.config;
        let p = i.pooling;
        let active = m.reg("active", 1).reset_to(0);
        // Where the pixel is, and where its line of the window, its window, its row of windows and its tile begin.
        let address = |name: &str| m.reg(name, config.address_bits());
        let [act, line_act, window_act, row_act, tile_act] =
            ["act", "line_act", "window_act", "row_act", "tile_act"].map(address);
        let [x, y, window_x, window_y] =
            ["x", "y", "window_x", "window_y"].map(|name| m.reg(name, PLACE_BITS));
        let [pixels_left, lines_left] =
            ["pixels", "lines"].map(|name| Countdown::new(m, name, p.kernel_columns.width(), 1));
        let [columns_left, rows_left, tiles_left] =
            ["columns", "rows", "tiles"].map(|name| Countdown::new(m, name, COUNT_BITS, 1));
        let first = m.reg("first_pixel", 1);

        // A coordinate below 0 is, without a sign, above every limit.
        let within = |place: UInt, limit: UInt| place.lt(limit.extend(PLACE_BITS));
        wire!(m, in_image = within(x, p.width) & within(y, p.height));
        i.requests.valid.set(active);
        wire!(m, fires = active & i.requests.ready);

        let ends_line = pixels_left.done;
        wire!(m, ends_window = ends_line & lines_left.done);
        wire!(m, ends_row = ends_window & columns_left.done);
        wire!(m, ends_tile = ends_row & rows_left.done);
        let chosen = |of: [UInt; 5]| {
            let ends = [ends_tile, ends_row, ends_window, ends_line];
            ends.iter().zip(of).rev().fold(of[4], |inner, (ends, outer)| ends.mux(outer, inner))
        };
        let from = chosen([tile_act, row_act, window_act, line_act, act]);
        let step = chosen([p.tile_step, p.row_step, p.column_step, p.line_step, p.pixel_step]);
        wire!(m, next_act = from.wrapping_add(step));
        let [first_x, first_y] = [p.x, p.y].map(|place| place.signed().extend(PLACE_BITS).unsigned());
        wire!(m, next_window_x = ends_row.mux(first_x, window_x.wrapping_add(p.stride_x.extend(PLACE_BITS))));
        wire!(m, next_row_y = ends_tile.mux(first_y, window_y.wrapping_add(p.stride_y.extend(PLACE_BITS))));
        m.when(fires, || {
            first.set(ends_window);
            act.set(next_act);
            x.set(ends_window.mux(next_window_x, ends_line.mux(window_x, x.wrapping_add(1))));
            pixels_left.turn(p.kernel_columns);
            m.when(ends_line, || {
                line_act.set(next_act);
                y.set(ends_row.mux(next_row_y, ends_window.mux(window_y, y.wrapping_add(1))));
                lines_left.turn(p.kernel_rows);
            });
            m.when(ends_window, || {
                window_act.set(next_act);
                window_x.set(next_window_x);
                columns_left.turn(i.columns);
            });
            m.when(ends_row, || {
                row_act.set(next_act);
                window_y.set(next_row_y);
                rows_left.turn(i.rows);
            });
            m.when(ends_tile, || {
                tile_act.set(next_act);
                tiles_left.step();
                m.when(tiles_left.done, || active.set(0));
            });
        });
        m.when(i.start, || {
            for place in [act, line_act, window_act, row_act, tile_act] {
                place.set(i.first);
            }
            for (place, value) in [(x, first_x), (window_x, first_x), (y, first_y), (window_y, first_y)] {
                place.set(value);
            }
            pixels_left.load(p.kernel_columns);
            lines_left.load(p.kernel_rows);
            columns_left.load(i.columns);
            rows_left.load(i.rows);
            tiles_left.load(i.tiles);
            first.set(1);
            active.set(1);
        });
        m.when(i.halt, || active.set(0));

        let parameter = m.constant(Bits::zero(i.soon.mark.parameter.width()));
        let mark =
            OperandMark { parameter, offset: act.truncate(config.offset_bits()), first, last: ends_window };
        m.connect(i.requests.request, OperandRequest { reads: in_image, address: config.word_of(act), mark });

        // Pixels are counted a cycle before they are there, for their number's reciprocal comes out of a memory.
        let pixel = m.reg("pixel", 1).reset_to(0);
        pixel.set(i.soon.valid);
        let [inside, is_first, is_last] =
            [("is_inside", i.soon.read), ("is_first", i.soon.mark.first), ("is_last", i.soon.mark.last)]
                .map(|(name, bit)| m.delay(name, bit));
        let found = bytes_at(i.data, m.delay("offset", i.soon.mark.offset), config.cols);
        let nothing = p.maximum.mux(0x80, m.constant(Bits::zero(8)));
        let value = found.into_iter().enumerate().map(|(col, found)| {
            let counted = inside.mux(found, nothing).signed().extend(SUM_BITS);
            let value = m.reg(&format!("pooled_{col}"), signed(SUM_BITS));
            let larger = value.signed().gt(counted).mux(value, counted.unsigned());
            let all = p.maximum.mux(larger, value.wrapping_add(counted.unsigned()));
            m.when(pixel, || value.set(is_first.mux(counted.unsigned(), all)));
            let value = m.delay(&format!("leaving_{col}"), value).signed();
            value.extend(32).unsigned()
        });
        let value = value.collect();
        let count = m.reg("count", MOST_PIXELS.ilog2());
        let before = i.soon.mark.first.mux(0, count);
        m.when(i.soon.valid, || count.set(before.wrapping_add(i.soon.read.extend(count.width()))));
        let enters = late_bit(m, "enters", pixel & is_last, 2);

        // 256 pixels are counted as 0, as are none, whose sum is 0 anyhow. A largest value is divided by 1.
        let contents = [MOST_PIXELS].into_iter().chain(1..MOST_PIXELS);
        let contents = contents.map(|count| Bits::from_u64(31, reciprocal(count).into()));
        let reciprocals = m.memory("reciprocals", MOST_PIXELS, 31).with_contents(contents);
        let multiplier = reciprocals.read("reciprocal", p.maximum.mux(1, count));
        PoolOut { enters, value, multiplier }
    }
}
