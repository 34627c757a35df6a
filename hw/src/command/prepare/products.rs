//! What is multiplied for a command.

use super::Prepare;
use crate::command::record::{
    Field, Opcode, add, convolve, depthwise, packed, pool, requantise, sums, transfer,
};

/// What a product is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// The number of tiles of weights; of a requantisation, the bytes of its parameters.
    Tiles,
    /// The number of accumulator rows.
    Rows,
    /// Bytes from the first to the last byte of the data, along one of its loops.
    Reach,
    /// The same in external memory; may be negative.
    External,
    /// Bytes from the image's first pixel to the first activation row; may be negative.
    Start,
    /// A convolution's or a pooling's step from column to column.
    Column,
    /// From row to row.
    Row,
    /// From column to column of the kernel.
    KernelColumn,
    /// From row to row of the kernel.
    KernelRow,
    /// Pixels from the first to the last output of a line.
    Pixels,
    /// Pixels of a window.
    Window,
    /// Bytes from the first to the last byte of the source, along one of its loops.
    SourceReach,
    /// The same of the second operand.
    SecondReach,
    /// Bytes of a line of the image, which its reach has too.
    LineBytes,
    /// Bytes from a line's first byte to that of the first tap, which the start has too.
    FirstByte,
    /// Bytes from the first output's first tap to the last one's.
    Span,
}

/// What is multiplied.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Operand {
    /// A field.
    Plain(Field),
    /// A field of two's complement.
    Signed(Field),
    /// The result of an earlier product.
    Result(Effect),
    /// A number.
    Constant(u32),
}

/// One of the products of a command.
#[derive(Clone, Copy)]
pub(super) struct Product {
    /// The first factor.
    pub(super) factor: Operand,
    /// The first factor is one less.
    pub(super) less_1: bool,
    /// The second factor.
    pub(super) step: Operand,
    /// What the product is for.
    pub(super) effect: Effect,
}

impl Product {
    /// A count and the distance of what is counted.
    pub(super) fn new(effect: Effect, factor: Operand, step: Operand) -> Product {
        Product { factor, less_1: false, step, effect }
    }

    /// Of two fields.
    pub(super) fn plain(effect: Effect, factor: Field, step: Field) -> Product {
        Product::new(effect, Operand::Plain(factor), Operand::Plain(step))
    }

    /// From the first of a count to the last one.
    pub(super) fn reach(effect: Effect, count: Field, step: Operand) -> Product {
        Product { less_1: true, ..Product::new(effect, Operand::Plain(count), step) }
    }

    /// A coordinate's.
    pub(super) fn signed(effect: Effect, factor: Field, step: Field) -> Product {
        Product::new(effect, Operand::Signed(factor), Operand::Plain(step))
    }
}

/// Whether each factor that is a result is there in time, and all else that a judgement needs is before the last product's effect: rules take four cycles, sums of counts one.
pub(super) fn are_in_time(products: &[Product]) -> bool {
    let is_there = |k: usize, operand: Operand| match operand {
        Operand::Result(effect) => {
            let (early, late) = products[..k].split_at(k.saturating_sub(2));
            let gives = |product: &Product| product.effect == effect;
            early.iter().any(gives) && !late.iter().any(gives)
        }
        _ => true,
    };
    let all_there = products
        .iter()
        .enumerate()
        .all(|(k, product)| is_there(k, product.factor) && is_there(k, product.step));
    let ends_with_count =
        products.last().is_none_or(|product| matches!(product.effect, Effect::Tiles | Effect::Rows));
    all_there && products.len() >= 4 && !ends_with_count
}

impl Prepare {
    /// The products of a command, in order. One whose factor is a result follows three steps after it.
    pub(super) fn products(&self, opcode: Opcode) -> Vec<Product> {
        let reach = |effect, count, step| Product::reach(effect, count, Operand::Plain(step));
        let external = |count, step| Product::reach(Effect::External, count, Operand::Signed(step));
        let more = |effect, count| Product::new(effect, Operand::Plain(count), Operand::Result(effect));
        match opcode {
            Opcode::Load | Opcode::Store => {
                use transfer::{D1, D2, N1, N2, S1, S2};
                vec![
                    external(N1, S1),
                    external(N2, S2),
                    reach(Effect::Reach, N1, D1),
                    reach(Effect::Reach, N2, D2),
                ]
            }
            Opcode::Convolve => {
                use convolve::*;
                vec![
                    Product::plain(Effect::Tiles, KERNEL_COLUMNS, KERNEL_ROWS),
                    Product::plain(Effect::Rows, COLUMNS, convolve::ROWS),
                    reach(Effect::Reach, WIDTH, PIXEL_STEP),
                    more(Effect::Tiles, IN_TILES),
                    more(Effect::Rows, OUT_TILES),
                    reach(Effect::Reach, HEIGHT, LINE_STEP),
                    more(Effect::Tiles, OUT_TILES),
                    reach(Effect::Reach, IN_TILES, IN_TILE_STEP),
                    Product::signed(Effect::Start, X, PIXEL_STEP),
                    Product::signed(Effect::Start, Y, LINE_STEP),
                    Product::plain(Effect::Column, STRIDE_X, PIXEL_STEP),
                    Product::plain(Effect::Row, STRIDE_Y, LINE_STEP),
                    Product::plain(Effect::KernelColumn, DILATION_X, PIXEL_STEP),
                    Product::plain(Effect::KernelRow, DILATION_Y, LINE_STEP),
                ]
            }
            Opcode::Depthwise => {
                use depthwise::*;
                vec![
                    Product::plain(Effect::Rows, COLUMNS, depthwise::ROWS),
                    Product::new(Effect::Tiles, Operand::Plain(TILES), Operand::Constant(1)),
                    reach(Effect::Reach, WIDTH, PIXEL_STEP),
                    more(Effect::Rows, TILES),
                    reach(Effect::Reach, HEIGHT, LINE_STEP),
                    reach(Effect::Reach, TILES, TILE_STEP),
                    reach(Effect::Pixels, COLUMNS, STRIDE_X),
                    Product::signed(Effect::Start, X, PIXEL_STEP),
                    Product::signed(Effect::Start, Y, LINE_STEP),
                ]
            }
            Opcode::Packed => {
                use packed::*;
                vec![
                    Product::plain(Effect::Column, STRIDE_X, CHANNELS),
                    Product::plain(Effect::KernelColumn, KERNEL_COLUMNS, CHANNELS),
                    Product::plain(Effect::Rows, COLUMNS, packed::ROWS),
                    Product::reach(Effect::Span, COLUMNS, Operand::Result(Effect::Column)),
                    Product::plain(Effect::LineBytes, WIDTH, CHANNELS),
                    more(Effect::Rows, OUT_TILES),
                    Product::plain(Effect::Tiles, IN_TILES, OUT_TILES),
                    reach(Effect::Reach, HEIGHT, LINE_STEP),
                    Product::signed(Effect::FirstByte, X, CHANNELS),
                    Product::signed(Effect::Start, Y, LINE_STEP),
                    Product::plain(Effect::Row, STRIDE_Y, LINE_STEP),
                ]
            }
            Opcode::Requantise => {
                use requantise::{COLUMN_STEP, COLUMNS, ROW_STEP, TILE_STEP, TILES};
                vec![
                    Product::plain(Effect::Rows, COLUMNS, requantise::ROWS),
                    Product::new(
                        Effect::Tiles,
                        Operand::Plain(TILES),
                        Operand::Constant(self.config.parameter_bytes()),
                    ),
                    reach(Effect::Reach, COLUMNS, COLUMN_STEP),
                    more(Effect::Rows, TILES),
                    reach(Effect::Reach, requantise::ROWS, ROW_STEP),
                    reach(Effect::Reach, TILES, TILE_STEP),
                ]
            }
            Opcode::Sums => {
                use sums::{COLUMN_STEP, COLUMNS, ROW_STEP, TILE_STEP, TILES};
                vec![
                    Product::plain(Effect::Rows, COLUMNS, sums::ROWS),
                    reach(Effect::Reach, COLUMNS, COLUMN_STEP),
                    reach(Effect::Reach, sums::ROWS, ROW_STEP),
                    more(Effect::Rows, TILES),
                    reach(Effect::Reach, TILES, TILE_STEP),
                ]
            }
            Opcode::Add => {
                use add::*;
                vec![
                    reach(Effect::Reach, COLUMNS, COLUMN_STEP),
                    reach(Effect::Reach, add::ROWS, ROW_STEP),
                    reach(Effect::SourceReach, COLUMNS, INPUT1_COLUMN_STEP),
                    reach(Effect::SourceReach, add::ROWS, INPUT1_ROW_STEP),
                    reach(Effect::SecondReach, COLUMNS, INPUT2_COLUMN_STEP),
                    reach(Effect::SecondReach, add::ROWS, INPUT2_ROW_STEP),
                ]
            }
            Opcode::Pool => {
                use pool::*;
                vec![
                    Product::plain(Effect::Window, KERNEL_COLUMNS, KERNEL_ROWS),
                    reach(Effect::Reach, COLUMNS, COLUMN_STEP),
                    reach(Effect::Reach, pool::ROWS, ROW_STEP),
                    reach(Effect::Reach, TILES, TILE_STEP),
                    reach(Effect::SourceReach, WIDTH, PIXEL_STEP),
                    reach(Effect::SourceReach, HEIGHT, LINE_STEP),
                    reach(Effect::SourceReach, TILES, IN_TILE_STEP),
                    Product::signed(Effect::Start, X, PIXEL_STEP),
                    Product::signed(Effect::Start, Y, LINE_STEP),
                    Product::plain(Effect::Column, STRIDE_X, PIXEL_STEP),
                    Product::plain(Effect::Row, STRIDE_Y, LINE_STEP),
                ]
            }
        }
    }
}
