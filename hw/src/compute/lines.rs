//! Depthwise convolutions: lines of the image beside each other, so that each column of the array is a channel and each row a tap.

use ferrite_hdl::prelude::*;

use super::parts::bytes_at;
use super::tiles::{Frames, Place, TileStream};
use super::windows::RowMark;
use super::{ComputeConfig, READ_LATENCY};
use crate::countdown::Countdown;
use crate::delay::{late, late_bit};
use crate::dma::WordRead;
use crate::record::{of_word, to_word};

/// Inputs of the module.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct LinesIn<T> {
    /// One frame for each depthwise convolution.
    pub frames: Frames<T>,
    /// Its tiles.
    pub tiles: TileStream<T>,
    /// A tile may be begun.
    pub available: T,
    /// The scratchpad, which never makes this port wait; words come `READ_LATENCY` cycles after their request.
    #[flip]
    pub read: WordRead<T>,
    /// A tile ends with the first line of outputs that begins from now on.
    pub halt: T,
}

/// Outputs of the module.
#[derive(Clone, Debug, Bundle)]
pub struct LinesOut<T> {
    /// A tile is begun.
    pub claims: T,
    /// Words are read.
    pub active: T,
    /// The tile's weights are not in the array yet.
    pub waits: T,
    /// The first tap of an output is multiplied in the array's first row.
    pub valid: T,
    /// What is known of the output.
    pub mark: RowMark<T>,
    /// For each kernel row, one after the other, an int8 for each column: what the array's rows of that kernel row multiply.
    pub words: Vec<T>,
}

/// Columns of the kernel that one turn has. Kernels of more take several turns, those of less have weights of 0.
pub const TAPS: u32 = 3;
/// Most rows of the kernel that one turn has.
const MOST_GROUPS: u32 = 3;
/// Lines that are kept: those of a turn and the one that comes in.
const RING: u32 = MOST_GROUPS + 1;
/// Pixels of a line, with what is padded.
pub const LINE_PIXELS: u32 = 128;
/// Cycles from a pixel's request until it can be read as part of its line.
const KEPT: u32 = READ_LATENCY + 1;

/// Reads the image line by line, a pixel in every cycle, and keeps the last lines. A partial sum moves one row of the array south in a cycle, and
/// the taps of a kernel row stand below each other: they need the same pixel in the same cycle, and those of the next kernel row a pixel of the next line [`TAPS`]
/// cycles later. An output for each column of the array leaves in every cycle of a line but the last two.
#[module]
pub struct Lines {
    /// Sizes.
    pub config: ComputeConfig,
}

impl ComputeConfig {
    /// Rows of the kernel that one turn of a depthwise convolution has: as many as the array has rows for.
    pub fn depthwise_rows(&self) -> u32 {
        (self.rows / TAPS).min(MOST_GROUPS)
    }
}

/// A pixel of a line on its way to the array.
#[derive(Clone, Copy, Debug, Bundle)]
struct Step<T> {
    /// The line that came in with it, of the ring.
    line: T,
    /// Its place in the line.
    pixel: T,
}

impl Module for Lines {
    type In = LinesIn<UInt>;
    type Out = LinesOut<UInt>;

    fn name(&self) -> String {
        format!("Lines_{}", self.config.suffix())
    }
    fn inputs(&self) -> LinesIn<Shape> {
        LinesIn {
            frames: Frames::shape(&self.config),
            tiles: TileStream::shape(&self.config),
            available: bit(),
            read: self.config.word_read(),
            halt: bit(),
        }
    }
    fn outputs(&self) -> LinesOut<Shape> {
        let words = vec![signed(8); (self.config.depthwise_rows() * self.config.cols) as usize];
        LinesOut { claims: bit(), active: bit(), waits: bit(), valid: bit(), mark: RowMark::shape(), words }
    }
    fn build(&self, m: &Builder, i: LinesIn<UInt>) -> LinesOut<UInt> {
        let config = &self.config;
        let groups = config.depthwise_rows();
        let frame = i.frames.frame;
        let active = m.reg("active", 1).reset_to(0);
        let tile = m.regs("tile", TileStream::shape(config).tile);
        let Place { act, x, y } = m.regs("here", Place::shape(config));
        let line_act = m.reg("line_act", config.address_bits());
        // Never set back: the last line of the tile before is still read while the next tile's first one comes in.
        let line = m.reg("line", RING.ilog2()).reset_to(0);
        let pixel = m.reg("pixel", LINE_PIXELS.ilog2());
        let begins_line = m.reg("begins_line", 1);
        // Cycles until the array has the tile's weights.
        let swapping = Countdown::new(m, "swapping", index_width(config.cols as usize + 2), 0).reset_done();
        // Outputs: what is left, and how far the next one is. The first line's comes when the lines above it are there.
        let columns = Countdown::new(m, "columns", frame.columns.width(), 0);
        let column_phase = Countdown::new(m, "column_phase", frame.stride_x.width(), 0);
        let rows = Countdown::new(m, "rows", frame.rows.width(), 1);
        let row_phase = Countdown::new(m, "row_phase", frame.stride_y.width(), 0);
        let tail = Countdown::new(m, "tail", TAPS.ilog2() + 1, 0);
        let first = m.reg("first", 1);

        wire!(m, line_has_outputs = row_phase.done);
        wire!(m, is_early = line_has_outputs & begins_line & !swapping.done);
        wire!(m, fires = active & !is_early);
        wire!(m, gives = fires & !columns.done & column_phase.done);
        wire!(m, is_output = gives & line_has_outputs);
        // The tail comes behind a line's outputs. A line has one at least, so that it does not end where it begins, and what is early need not be looked at.
        const { assert!(TAPS > 2, "a line without a tail") };
        wire!(m, ends_line = active & tail.done);
        wire!(m, ends_tile = ends_line & line_has_outputs & rows.done);
        m.when(!swapping.done, || swapping.step());
        wire!(m, next_line_act = line_act.wrapping_add(frame.line_step));
        // Coordinates are compared a cycle ahead, as in `Windows`.
        let within = |place: UInt, limit: UInt| place.lt(limit.extend(place.width()));
        let [x_inside, y_inside, line_begins_inside] =
            ["x_inside", "y_inside", "line_begins_inside"].map(|name| m.reg(name, 1));
        wire!(m, next_x = x.wrapping_add(1));
        wire!(m, next_y = y.wrapping_add(1));
        let start_line = || {
            pixel.set(0);
            begins_line.set(1);
            columns.load(frame.columns);
            column_phase.load(m.constant(Bits::zero(column_phase.left.width())));
            tail.load(m.constant(Bits::from_u64(tail.left.width(), (TAPS - 2).into())));
        };
        m.when(fires, || {
            pixel.set(pixel.wrapping_add(1));
            begins_line.set(0);
            act.set(act.wrapping_add(frame.pixel_step));
            x.set(next_x);
            x_inside.set(within(next_x, frame.width));
            column_phase.turn(frame.stride_x.wrapping_sub(1));
            m.when(gives, || columns.step());
            m.when(columns.done, || tail.step());
            m.when(is_output, || first.set(0));
            m.when(ends_line, || {
                start_line();
                line.set(line.wrapping_add(1));
                act.set(next_line_act);
                line_act.set(next_line_act);
                x.set(tile.place.x);
                x_inside.set(line_begins_inside);
                y.set(next_y);
                y_inside.set(within(next_y, frame.height));
                row_phase.turn(frame.stride_y.wrapping_sub(1));
                m.when(line_has_outputs, || rows.step());
                m.when(i.halt, || {
                    rows.load(m.constant(Bits::from_u64(rows.left.width(), 1)));
                    row_phase.load(m.constant(Bits::zero(row_phase.left.width())));
                });
            });
            m.when(ends_tile, || active.set(0));
        });

        let free = !active & i.frames.valid & i.available;
        wire!(m, claims = free & i.tiles.valid);
        i.tiles.ready.set(free);
        i.frames.ready.set(ends_tile & tile.ends);
        m.when(claims, || {
            m.connect(tile, i.tiles.tile);
            let place = i.tiles.tile.place;
            m.connect(Place { act, x, y }, place);
            wire!(m, begins_inside = within(place.x, frame.width));
            x_inside.set(begins_inside);
            line_begins_inside.set(begins_inside);
            y_inside.set(within(place.y, frame.height));
            line_act.set(place.act);
            start_line();
            rows.load(frame.rows);
            row_phase.load(m.constant(Bits::from_u64(row_phase.left.width(), (groups - 1).into())));
            // The swap enters the array `NOTICE` cycles after the claim, a pixel no sooner than `KEPT + 2` after it is asked for.
            swapping.load(m.constant(Bits::from_u64(swapping.left.width(), config.cols.into())));
            first.set(1);
            active.set(1);
        });

        // Pixels come in; beside the image they are the zero point.
        i.read.valid.set(fires & x_inside & y_inside);
        i.read.address.set(config.word_of(act));
        m.assert("activations_never_wait", !i.read.valid | i.read.ready);
        let step = || Step { line: bits(RING.ilog2()), pixel: bits(LINE_PIXELS.ilog2()) };
        let delayed = |name: &str, value: Step<UInt>| {
            let next = m.regs(name, step());
            m.connect(next, value);
            next
        };
        let keeps = late_bit(m, "keeps", fires, READ_LATENCY);
        let offset = late(m, "offset", act.truncate(config.offset_bits()), READ_LATENCY);
        let found = bytes_at(i.read.data, offset, config.cols);
        // The word is 0 where none was read: a bit beside it tells of the zero point, which is put in behind the lines, for a block RAM is slow.
        wire!(m, kept = (!i.read.data_valid).concat(concat(found.into_iter().rev())));
        let kept_at = of_word(step(), late(m, "kept_at", to_word(Step { line, pixel }), READ_LATENCY));
        let address = |step: Step<UInt>| step.line.concat(step.pixel);

        // Each kernel row reads its line, with a memory of its own for it.
        let mut place = kept_at;
        let mut zero_point = late(m, "zero_point", frame.zero_point, READ_LATENCY);
        let mut lateness = READ_LATENCY;
        let words = (0..groups).flat_map(|group| {
            while lateness < KEPT + TAPS * group {
                lateness += 1;
                place = delayed(&format!("place_{lateness}"), place);
                zero_point = m.delay(&format!("zero_point_{lateness}"), zero_point);
            }
            let lines = m.memory(&format!("lines_{group}"), RING * LINE_PIXELS, 8 * config.cols + 1);
            m.when(keeps, || lines.write(address(kept_at), kept));
            let line = place.line.wrapping_sub(groups - 1 - group);
            let word = lines.read(&format!("word_{group}"), address(Step { line, ..place }));
            let word = m.delay(&format!("pixel_{group}"), word);
            let zero_point = late(m, &format!("zero_point_of_{group}"), zero_point, 2);
            let missing = word.msb().repeat(8) & zero_point;
            (0..config.cols).map(|col| word.slice(8 * col, 8) | missing).collect::<Vec<_>>()
        });
        let words: Vec<UInt> = words.collect();

        // Outputs enter with the first kernel row's pixel.
        let mark = RowMark {
            first,
            starts: first & tile.starts,
            replaces: tile.replaces,
            ends: is_output & columns.left.eq(1) & rows.done & tile.ends,
        };
        let valid = late_bit(m, "valid", is_output, KEPT + 2);
        let mark = of_word(RowMark::shape(), late(m, "mark", to_word(mark), KEPT + 2));
        LinesOut { claims, active, waits: active & is_early, valid, mark, words }
    }
}
