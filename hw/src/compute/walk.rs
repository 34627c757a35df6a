//! A walk over the rows of an image in the scratchpad.

use ferrite_hdl::prelude::*;

use super::command::COUNT_BITS;
use crate::countdown::Countdown;

/// Inputs of the module.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct WalkIn<T> {
    /// It begins, at the first row.
    pub start: T,
    /// Byte address of the first row.
    pub first: T,
    /// The walk goes on.
    pub next: T,
    /// How often it turns, and how far each turn is. They stay while it goes on.
    pub loops: Loops<T>,
}

/// Three loops; the first one turns fastest.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Loops<T> {
    /// Columns; 1 or more.
    pub columns: T,
    /// Rows; 1 or more.
    pub rows: T,
    /// Tiles; 1 or more.
    pub tiles: T,
    /// Bytes from a column to the next.
    pub column_step: T,
    /// Bytes from a row to the next.
    pub row_step: T,
    /// Bytes from a tile to the next.
    pub tile_step: T,
}

/// Outputs of the module.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct WalkOut<T> {
    /// Where it stands.
    pub address: T,
    /// That is the last row.
    pub ends: T,
}

/// Walks over columns, rows and tiles.
#[module]
pub struct Walk {
    /// Bits of a byte address.
    pub address_bits: u32,
}

impl Module for Walk {
    type In = WalkIn<UInt>;
    type Out = WalkOut<UInt>;

    fn name(&self) -> String {
        format!("Walk_{}", self.address_bits)
    }
    fn inputs(&self) -> WalkIn<Shape> {
        let (address, count) = (bits(self.address_bits), bits(COUNT_BITS));
        let loops = Loops {
            columns: count,
            rows: count,
            tiles: count,
            column_step: address,
            row_step: address,
            tile_step: address,
        };
        WalkIn { start: bit(), first: address, next: bit(), loops }
    }
    fn outputs(&self) -> WalkOut<Shape> {
        WalkOut { address: bits(self.address_bits), ends: bit() }
    }
    fn build(&self, m: &Builder, i: WalkIn<UInt>) -> WalkOut<UInt> {
        let Loops { columns, rows, tiles, column_step, row_step, tile_step } = i.loops;
        let [address, row_address, tile_address] =
            ["address", "row_address", "tile_address"].map(|name| m.reg(name, self.address_bits));
        let [columns_left, rows_left, tiles_left] =
            ["columns", "rows", "tiles"].map(|name| Countdown::new(m, name, COUNT_BITS, 1));

        let ends_row = columns_left.done;
        wire!(m, ends_tile = ends_row & rows_left.done);
        let from = ends_tile.mux(tile_address, ends_row.mux(row_address, address));
        let step = ends_tile.mux(tile_step, ends_row.mux(row_step, column_step));
        wire!(m, next_address = from.wrapping_add(step));
        m.when(i.next, || {
            address.set(next_address);
            columns_left.turn(columns);
            m.when(ends_row, || {
                row_address.set(next_address);
                rows_left.turn(rows);
            });
            m.when(ends_tile, || {
                tile_address.set(next_address);
                tiles_left.step();
            });
        });
        m.when(i.start, || {
            for place in [address, row_address, tile_address] {
                place.set(i.first);
            }
            columns_left.load(columns);
            rows_left.load(rows);
            tiles_left.load(tiles);
        });
        WalkOut { address, ends: ends_tile & tiles_left.done }
    }
}
