//! Activation rows out of the scratchpad: the inner two loops, and what stands beside the image.

use ferrite_hdl::prelude::*;

use super::parts::bytes_at;
use super::tiles::{Frames, Place, TileStream};
use super::{ComputeConfig, READ_LATENCY};
use crate::countdown::Countdown;
use crate::delay::{late, late_bit};
use crate::dma::WordRead;
use crate::record::{of_word, to_word};

/// What is known of an activation row.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct RowMark<T> {
    /// It is the first one of its tile.
    pub first: T,
    /// It is the first one of an output tile: the sums go to new accumulator rows.
    pub starts: T,
    /// Its sums replace what the accumulators hold.
    pub replaces: T,
    /// It is the last one of the convolution.
    pub ends: T,
}

impl RowMark<Shape> {
    pub(super) fn shape() -> RowMark<Shape> {
        RowMark { first: bit(), starts: bit(), replaces: bit(), ends: bit() }
    }
}

/// Inputs of the module.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct WindowsIn<T> {
    /// One frame for each convolution of this kind.
    pub frames: Frames<T>,
    /// Its tiles.
    pub tiles: TileStream<T>,
    /// A tile may be begun.
    pub available: T,
    /// The scratchpad, which never makes this port wait; words come `READ_LATENCY` cycles after their request.
    #[flip]
    pub read: WordRead<T>,
}

/// Outputs of the module.
#[derive(Clone, Debug, Bundle)]
pub struct WindowsOut<T> {
    /// A tile is begun.
    pub claims: T,
    /// Words are read.
    pub active: T,
    /// An activation row goes into the array.
    pub valid: T,
    /// It: one int8 for each row of the array.
    pub act: Vec<T>,
    /// What is known of it.
    pub mark: RowMark<T>,
}

/// Walks over the output image once for each tile: an activation row in every cycle, without one between tiles that are available.
#[module]
pub struct Windows {
    /// Sizes.
    pub config: ComputeConfig,
}

impl Windows {
    /// Cycles from a claim to the tile's first activation row.
    pub const LATENCY: u32 = READ_LATENCY + 2;
}

impl Module for Windows {
    type In = WindowsIn<UInt>;
    type Out = WindowsOut<UInt>;

    fn name(&self) -> String {
        format!("Windows_{}", self.config.suffix())
    }
    fn inputs(&self) -> WindowsIn<Shape> {
        WindowsIn {
            frames: Frames::shape(&self.config),
            tiles: TileStream::shape(&self.config),
            available: bit(),
            read: self.config.word_read(),
        }
    }
    fn outputs(&self) -> WindowsOut<Shape> {
        let act = vec![signed(8); self.config.rows as usize];
        WindowsOut { claims: bit(), active: bit(), valid: bit(), act, mark: RowMark::shape() }
    }
    fn build(&self, m: &Builder, i: WindowsIn<UInt>) -> WindowsOut<UInt> {
        let config = &self.config;
        let frame = i.frames.frame;
        let active = m.reg("active", 1).reset_to(0);
        let tile = m.regs("tile", TileStream::shape(config).tile);
        let Place { act, x, y } = m.regs("here", Place::shape(config));
        let row_act = m.reg("row_act", config.address_bits());
        let columns = Countdown::new(m, "columns", frame.columns.width(), 1);
        let rows = Countdown::new(m, "rows", frame.rows.width(), 1);
        let first = m.reg("first", 1);

        wire!(m, ends_row = columns.done);
        wire!(m, ends_tile = active & ends_row & rows.done);
        // The frame of the convolution goes with its last row; the next one's cannot be seen in the same cycle.
        let free = !active | (ends_tile & !tile.ends);
        let may = free & i.frames.valid & i.available;
        wire!(m, claims = may & i.tiles.valid);
        i.tiles.ready.set(may);
        i.frames.ready.set(ends_tile & tile.ends);
        wire!(m, next_row_act = row_act.wrapping_add(frame.row_step));
        // Coordinates are compared a cycle ahead, for the scratchpad's grants follow. One below 0 is, without a sign, above every limit.
        let within = |place: UInt, limit: UInt| place.lt(limit.extend(place.width()));
        let [x_inside, y_inside, row_begins_inside] =
            ["x_inside", "y_inside", "row_begins_inside"].map(|name| m.reg(name, 1));
        wire!(m, next_x = x.wrapping_add(frame.stride_x.extend(x.width())));
        wire!(m, next_y = y.wrapping_add(frame.stride_y.extend(y.width())));
        m.when(active, || {
            first.set(0);
            columns.turn(frame.columns);
            act.set(act.wrapping_add(frame.column_step));
            x.set(next_x);
            x_inside.set(within(next_x, frame.width));
            m.when(ends_row, || {
                rows.step();
                act.set(next_row_act);
                row_act.set(next_row_act);
                x.set(tile.place.x);
                x_inside.set(row_begins_inside);
                y.set(next_y);
                y_inside.set(within(next_y, frame.height));
            });
            m.when(ends_tile, || active.set(0));
        });
        m.when(claims, || {
            m.connect(tile, i.tiles.tile);
            let place = i.tiles.tile.place;
            m.connect(Place { act, x, y }, place);
            wire!(m, begins_inside = within(place.x, frame.width));
            x_inside.set(begins_inside);
            row_begins_inside.set(begins_inside);
            y_inside.set(within(place.y, frame.height));
            row_act.set(place.act);
            columns.load(frame.columns);
            rows.load(frame.rows);
            first.set(1);
            active.set(1);
        });

        i.read.valid.set(active & x_inside & y_inside);
        i.read.address.set(config.word_of(act));
        m.assert("activations_never_wait", !i.read.valid | i.read.ready);

        // When the word is there its part has a cycle to stand before the array.
        let valid = late_bit(m, "valid", active, READ_LATENCY + 1);
        let offset = late(m, "offset", act.truncate(config.offset_bits()), READ_LATENCY);
        let zero_point = late(m, "zero_point", frame.zero_point, READ_LATENCY);
        let mark = RowMark {
            first,
            starts: first & tile.starts,
            replaces: tile.replaces,
            ends: ends_tile & tile.ends,
        };
        let mark = of_word(RowMark::shape(), late(m, "mark", to_word(mark), READ_LATENCY + 1));
        let found = bytes_at(i.read.data, offset, config.rows);
        // The word is 0 where none was read: the zero point is put in behind the register, for a block RAM is slow.
        let missing = m.delay("missing", (!i.read.data_valid).repeat(8) & zero_point);
        let row =
            found.into_iter().enumerate().map(|(k, found)| m.delay(&format!("found_{k}"), found) | missing);
        WindowsOut { claims, active, valid, act: row.collect(), mark }
    }
}
