//! From convolutions to tiles: the outer four loops.

use ferrite_hdl::prelude::*;

use super::ComputeConfig;
use super::command::{COUNT_BITS, Convolution, Convolutions, Image, KERNEL_BITS};
use super::packed::Packing;
use crate::countdown::Countdown;

/// What the inner two loops need to know of a convolution.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Frame<T> {
    /// Columns of the output image.
    pub columns: T,
    /// Rows of the output image.
    pub rows: T,
    /// Bytes from a column of the output image to the next.
    pub column_step: T,
    /// Bytes from a row of the output image to the next.
    pub row_step: T,
    /// Columns of the input image.
    pub width: T,
    /// Rows of the input image.
    pub height: T,
    /// Input columns from a column of the output image to the next.
    pub stride_x: T,
    /// Input rows from a row of the output image to the next.
    pub stride_y: T,
    /// What stands where the image does not.
    pub zero_point: T,
    /// Each output channel has an input channel of its own.
    pub depthwise: T,
    /// Activation rows have the bytes of several taps.
    pub packing: Packing<T>,
    /// Bytes from a pixel of the image to the next.
    pub pixel_step: T,
    /// Bytes from a line of the image to the next.
    pub line_step: T,
    /// First accumulator row.
    pub accumulators: T,
}

/// Where an activation row is.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Place<T> {
    /// Its byte address.
    pub act: T,
    /// Its column in the image.
    pub x: T,
    /// Its row in the image.
    pub y: T,
}

impl Place<Shape> {
    pub(super) fn shape(config: &ComputeConfig) -> Place<Shape> {
        let place = signed(config.place_bits());
        Place { act: bits(config.address_bits()), x: place, y: place }
    }
}

/// A tile of weights and what it is multiplied with.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Tile<T> {
    /// The first activation row.
    pub place: Place<T>,
    /// The first one of an output tile: the sums go to new accumulator rows.
    pub starts: T,
    /// Its sums replace what the accumulators hold.
    pub replaces: T,
    /// The last one of the convolution.
    pub ends: T,
}

/// A stream of frames.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Frames<T> {
    /// One is offered.
    pub valid: T,
    /// It.
    pub frame: Frame<T>,
    /// It is taken.
    #[flip]
    pub ready: T,
}

/// A stream of tiles.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct TileStream<T> {
    /// One is offered.
    pub valid: T,
    /// It.
    pub tile: Tile<T>,
    /// It is taken.
    #[flip]
    pub ready: T,
}

/// A stream of the byte addresses at which tiles of weights stand.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct TileAddresses<T> {
    /// One is offered.
    pub valid: T,
    /// The tile's last weight row, which is read first.
    pub address: T,
    /// It is taken.
    #[flip]
    pub ready: T,
}

impl Frames<Shape> {
    pub(super) fn shape(config: &ComputeConfig) -> Frames<Shape> {
        let (address, image) = (bits(config.address_bits()), Image::shape(config));
        let frame = Frame {
            columns: bits(COUNT_BITS),
            rows: bits(COUNT_BITS),
            column_step: address,
            row_step: address,
            width: image.width,
            height: image.height,
            stride_x: image.stride_x,
            stride_y: image.stride_y,
            zero_point: signed(8),
            depthwise: bit(),
            packing: Packing::shape(config),
            pixel_step: address,
            line_step: address,
            accumulators: bits(config.row_bits()),
        };
        Frames { valid: bit(), frame, ready: bit() }
    }
}

impl TileStream<Shape> {
    pub(super) fn shape(config: &ComputeConfig) -> TileStream<Shape> {
        let tile = Tile { place: Place::shape(config), starts: bit(), replaces: bit(), ends: bit() };
        TileStream { valid: bit(), tile, ready: bit() }
    }
}

impl TileAddresses<Shape> {
    pub(super) fn shape(config: &ComputeConfig) -> TileAddresses<Shape> {
        TileAddresses { valid: bit(), address: bits(config.address_bits()), ready: bit() }
    }
}

/// Ports of the module.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct TilesIn<T> {
    /// What is to be computed.
    pub convolutions: Convolutions<T>,
    /// One frame for each convolution.
    #[flip]
    pub frames: Frames<T>,
    /// Its tiles.
    #[flip]
    pub tiles: TileStream<T>,
    /// Where their weights stand.
    #[flip]
    pub weights: TileAddresses<T>,
    /// A convolution ends with the tile that comes next.
    pub halt: T,
}

/// Gives the tiles of one convolution after the other: one in every cycle of a convolution if they are taken.
#[module]
pub struct Tiles {
    /// Sizes.
    pub config: ComputeConfig,
}

impl Module for Tiles {
    type In = TilesIn<UInt>;
    type Out = Empty<UInt>;

    fn name(&self) -> String {
        format!("Tiles_{}", self.config.suffix())
    }
    fn inputs(&self) -> TilesIn<Shape> {
        TilesIn {
            convolutions: Convolutions::shape(&self.config),
            frames: Frames::shape(&self.config),
            tiles: TileStream::shape(&self.config),
            weights: TileAddresses::shape(&self.config),
            halt: bit(),
        }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: TilesIn<UInt>) -> Empty<UInt> {
        let offered = i.convolutions.next;
        let active = m.reg("active", 1).reset_to(0);
        let c = m.regs("current", Convolutions::shape(&self.config).next);
        // Of the tile; and where the first one of its column and of its row of the kernel is.
        let here = m.regs("tile", Place::shape(&self.config));
        let column_act = m.reg("column_act", self.config.address_bits());
        let row_act = m.reg("row_act", self.config.address_bits());
        // The loops: each is at its end in its last turn.
        let in_tile = Countdown::new(m, "in_tiles", COUNT_BITS, 1);
        let kernel_column = Countdown::new(m, "kernel_columns", KERNEL_BITS, 1);
        let kernel_row = Countdown::new(m, "kernel_rows", KERNEL_BITS, 1);
        let out_tile = Countdown::new(m, "out_tiles", COUNT_BITS, 1);
        let starts = m.reg("starts", 1);

        wire!(m, ends_column = in_tile.done);
        wire!(m, ends_row = ends_column & kernel_column.done);
        wire!(m, ends_out_tile = ends_row & kernel_row.done);
        wire!(m, ends = (ends_out_tile & out_tile.done) | i.halt);
        wire!(m, fires = active & i.tiles.ready & i.weights.ready);
        // A cycle passes between two convolutions: tiles are known further ahead than that.
        i.convolutions.ready.set(!active & i.frames.ready);
        wire!(m, takes = i.convolutions.valid & i.convolutions.ready);

        // Where the next tile is: a step from this one, or from where the loop that goes on stands.
        let steps = c.steps;
        let from = ends_row.mux(row_act, ends_column.mux(column_act, here.act));
        let step = ends_row.mux(steps.kernel_row, ends_column.mux(steps.kernel_column, steps.in_tile));
        wire!(m, next_out_tile = c.act.wrapping_add(steps.out_tile));
        wire!(m, next_act = ends_out_tile.mux(next_out_tile, from.wrapping_add(step)));
        let on = |place: UInt, ends: UInt, dilation: UInt| {
            place.wrapping_add(ends.mux(dilation.extend(self.config.place_bits()), 0))
        };
        wire!(m, next_x = ends_row.mux(c.image.x, on(here.x, ends_column, c.image.dilation_x)));
        wire!(m, next_y = ends_out_tile.mux(c.image.y, on(here.y, ends_row, c.image.dilation_y)));
        m.when(fires, || {
            in_tile.turn(c.counts.in_tiles);
            m.when(ends_column, || kernel_column.turn(c.counts.kernel_columns));
            m.when(ends_row, || kernel_row.turn(c.counts.kernel_rows));
            m.when(ends_out_tile, || out_tile.turn(c.counts.out_tiles));
            starts.set(ends_out_tile);
            c.weights.set(c.weights.wrapping_add(self.config.rows * self.config.cols));
            m.connect(here, Place { act: next_act, x: next_x, y: next_y });
            m.when(ends_column, || column_act.set(next_act));
            m.when(ends_row, || row_act.set(next_act));
            m.when(ends_out_tile, || c.act.set(next_out_tile));
            m.when(ends, || active.set(0));
        });
        m.when(takes, || {
            let weights = offered.weights.wrapping_add((self.config.rows - 1) * self.config.cols);
            m.connect(c, Convolution { weights, ..offered });
            m.connect(here, Place { act: offered.act, x: offered.image.x, y: offered.image.y });
            column_act.set(offered.act);
            row_act.set(offered.act);
            in_tile.load(offered.counts.in_tiles);
            kernel_column.load(offered.counts.kernel_columns);
            kernel_row.load(offered.counts.kernel_rows);
            out_tile.load(offered.counts.out_tiles);
            starts.set(1);
            active.set(1);
        });
        let counts = offered.counts.leaves().into_iter().map(|count| count.value.any());
        m.assume("no_loop_is_empty", !takes | concat(counts).all());

        i.frames.valid.set(takes);
        m.connect(
            i.frames.frame,
            Frame {
                columns: offered.counts.columns,
                rows: offered.counts.rows,
                column_step: offered.steps.column,
                row_step: offered.steps.row,
                width: offered.image.width,
                height: offered.image.height,
                stride_x: offered.image.stride_x,
                stride_y: offered.image.stride_y,
                zero_point: offered.zero_point,
                depthwise: offered.depthwise,
                packing: offered.packing,
                pixel_step: offered.steps.pixel,
                line_step: offered.steps.line,
                accumulators: offered.accumulators,
            },
        );
        i.tiles.valid.set(active & i.weights.ready);
        let replaces = starts & !c.accumulate;
        m.connect(i.tiles.tile, Tile { place: here, starts, replaces, ends });
        i.weights.valid.set(active & i.tiles.ready);
        i.weights.address.set(c.weights);
        Empty::new()
    }
}
