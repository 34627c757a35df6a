//! What the computing part is told to do.

use ferrite_hdl::prelude::*;

use super::ComputeConfig;
use super::packed::Packing;
use super::scale::OutputRange;

/// Bits of a count and of a coordinate's limit.
pub(super) const COUNT_BITS: u32 = 16;
/// Bits of a kernel's size: 1 to 16.
pub(super) const KERNEL_BITS: u32 = 5;
/// Bits of the first coordinate, two's complement: what is padded may lie before 0.
const FIRST_PLACE_BITS: u32 = 16;
/// Bits of a stride and of a dilation.
const STRIDE_BITS: u32 = 8;
/// The most steps from the first tap of a kernel to its last one, each way.
const MOST_KERNEL_STEPS: u32 = 15;

impl ComputeConfig {
    /// Bits of a coordinate in the image, two's complement. A walk may leave the largest image by as many strides as there are accumulator rows, and must not come back into it
    /// from below; that the largest coordinates look negative does no harm, since neither lies in the image.
    pub(crate) fn place_bits(&self) -> u32 {
        let steps = self.accumulator_rows - 1 + MOST_KERNEL_STEPS;
        let largest = (1 << (FIRST_PLACE_BITS - 1)) - 1 + steps * ((1 << STRIDE_BITS) - 1);
        (largest.ilog2() + 1).max(COUNT_BITS + 1)
    }
}

/// How often the loops of a convolution turn; each 1 or more.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Counts<T> {
    /// Columns of the output image.
    pub columns: T,
    /// Rows of the output image.
    pub rows: T,
    /// Tiles of `R` input channels.
    pub in_tiles: T,
    /// Columns of the kernel, 1 to 16.
    pub kernel_columns: T,
    /// Rows of the kernel, 1 to 16.
    pub kernel_rows: T,
    /// Tiles of `C` output channels.
    pub out_tiles: T,
}

/// Bytes in the scratchpad from one activation row to the next along each loop. Two's complement,
/// modulo the scratchpad's size; multiples of `R`.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Steps<T> {
    /// From a column of the output image to the next.
    pub column: T,
    /// From a row of the output image to the next.
    pub row: T,
    /// From a tile of input channels to the next.
    pub in_tile: T,
    /// From a column of the kernel to the next.
    pub kernel_column: T,
    /// From a row of the kernel to the next.
    pub kernel_row: T,
    /// From a tile of output channels to the next: 0 but for depthwise convolutions.
    pub out_tile: T,
    /// From a pixel of the image to the next.
    pub pixel: T,
    /// From a line of the image to the next.
    pub line: T,
}

/// Where the walk is in the input image, by which it is known what lies outside.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Image<T> {
    /// Columns of the input image.
    pub width: T,
    /// Rows of the input image.
    pub height: T,
    /// Column of the first activation row; less than 0 where columns are padded.
    pub x: T,
    /// Row of the first activation row.
    pub y: T,
    /// Input columns from a column of the output image to the next.
    pub stride_x: T,
    /// Input rows from a row of the output image to the next.
    pub stride_y: T,
    /// Input columns from a column of the kernel to the next.
    pub dilation_x: T,
    /// Input rows from a row of the kernel to the next.
    pub dilation_y: T,
}

impl Image<Shape> {
    pub(super) fn shape(config: &ComputeConfig) -> Image<Shape> {
        let (size, place, stride) = (bits(COUNT_BITS), signed(config.place_bits()), bits(STRIDE_BITS));
        Image {
            width: size,
            height: size,
            x: place,
            y: place,
            stride_x: stride,
            stride_y: stride,
            dilation_x: stride,
            dilation_y: stride,
        }
    }
}

/// A convolution from the scratchpad into accumulators; with a kernel of one and all in one row, a product of matrices.
///
/// For each tile of output channels, each row and column of the kernel and each tile of input channels (the last turns fastest) one tile of weights, `R` weight rows of `C` bytes,
/// is multiplied with an activation row for each row and column of the output image. The tiles of weights follow each other in the scratchpad in this order. The sums
/// of a tile of output channels go to one accumulator row after the other, and those of the next tile behind them.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Convolution<T> {
    /// Byte address of the first activation row, as if what is padded lay there too; a multiple of `R`.
    pub act: T,
    /// Byte address of the first tile of weights; a multiple of `C`.
    pub weights: T,
    /// First accumulator row.
    pub accumulators: T,
    /// The sums are added to what the accumulators hold; else they replace it.
    pub accumulate: T,
    /// Each output channel has an input channel of its own. A tile of weights has the taps of a kernel of [`TAPS`](super::TAPS) columns and
    /// [`ComputeConfig::depthwise_rows`] rows in its first rows, and 0 in the others; the loops of kernel and input tiles turn once.
    pub depthwise: T,
    /// Of a convolution whose activation rows have the bytes of several taps: its loops of kernel and input tiles turn once and as often as it has tiles, and
    /// `act` and all steps are of any number of bytes. `steps.column` is that from an output to the next.
    pub packing: Packing<T>,
    /// What stands where the image does not, int8.
    pub zero_point: T,
    /// How often the loops turn.
    pub counts: Counts<T>,
    /// How they walk through the scratchpad.
    pub steps: Steps<T>,
    /// How they walk over the image.
    pub image: Image<T>,
}

impl Convolution<Shape> {
    pub(crate) fn shape(config: &ComputeConfig) -> Convolution<Shape> {
        let (address, count, kernel) = (bits(config.address_bits()), bits(COUNT_BITS), bits(KERNEL_BITS));
        Convolution {
            act: address,
            weights: address,
            accumulators: bits(config.row_bits()),
            accumulate: bit(),
            depthwise: bit(),
            packing: Packing::shape(config),
            zero_point: signed(8),
            counts: Counts {
                columns: count,
                rows: count,
                in_tiles: count,
                kernel_columns: kernel,
                kernel_rows: kernel,
                out_tiles: count,
            },
            steps: Steps {
                column: address,
                row: address,
                in_tile: address,
                kernel_column: address,
                kernel_row: address,
                out_tile: address,
                pixel: address,
                line: address,
            },
            image: Image::shape(config),
        }
    }
}

/// What the output stage does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encoding)]
pub enum OutputKind {
    /// Sums become int8 (`docs/tensor-unit.md`, "Requantisation").
    Requantise = 0,
    /// Sums are stored as they are.
    Sums = 1,
    /// Two int8 images become their sum.
    Add = 2,
    /// Windows of an int8 image become their average or their largest value.
    Pool = 3,
}

/// A task of the output stage: rows of an image go into the scratchpad, for each tile of `C` channels as many as it has pixels.
///
/// Of a requantisation a tile's parameters are whole scratchpad words: `C` int32 biases, `C` int32 multipliers, `C` shifts of one byte. Each of the three begins with a word, and the next tile's follow behind.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct OutputTask<T> {
    /// An [`OutputKind`].
    pub kind: T,
    /// First accumulator row.
    pub accumulators: T,
    /// Byte address of what is read: the first tile's parameters, a multiple of a word; or the first operand's first row, or the first pixel of the first window, as if
    /// what is padded lay there too, multiples of `C`.
    pub source: T,
    /// Byte address of the first output row; a multiple of its bytes.
    pub output: T,
    /// Columns of the image; 1 or more.
    pub columns: T,
    /// Rows of the image; 1 or more.
    pub rows: T,
    /// Tiles of `C` channels; 1 or more.
    pub tiles: T,
    /// Bytes from a column to the next.
    pub column_step: T,
    /// Bytes from a row to the next.
    pub row_step: T,
    /// Bytes from a tile to the next.
    pub tile_step: T,
    /// Zero point and clamps.
    pub range: OutputRange<T>,
    /// More of a sum of two images.
    pub addition: Addition<T>,
    /// More of a pooling.
    pub pooling: Pooling<T>,
}

/// What only sums of two images have. All is as in TensorFlow Lite's int8 ADD with a `left_shift` of 20; shifts are 31 to 62.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Addition<T> {
    /// Byte address of the second operand's first row; a multiple of `C`.
    pub input2: T,
    /// Bytes from a column of the first operand to the next.
    pub input1_column_step: T,
    /// Bytes from a row of it to the next.
    pub input1_row_step: T,
    /// Of the second operand.
    pub input2_column_step: T,
    /// Of the second operand.
    pub input2_row_step: T,
    /// int8.
    pub input1_zero_point: T,
    /// int8.
    pub input2_zero_point: T,
    /// Of 31 bits.
    pub input1_multiplier: T,
    /// Of 31 bits.
    pub input2_multiplier: T,
    /// Of 31 bits.
    pub output_multiplier: T,
    /// Less 1.
    pub input1_shift: T,
    /// Less 1.
    pub input2_shift: T,
    /// Less 1.
    pub output_shift: T,
}

/// What only poolings have.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Pooling<T> {
    /// The largest value is wanted, else the average.
    pub maximum: T,
    /// Columns of a window; 1 or more. It has no more than 256 pixels.
    pub kernel_columns: T,
    /// Rows of a window; 1 or more.
    pub kernel_rows: T,
    /// Bytes from a pixel of the image to the next.
    pub pixel_step: T,
    /// Bytes from a line of the image to the next.
    pub line_step: T,
    /// Bytes from a window to the next.
    pub column_step: T,
    /// Bytes from a row of windows to the next.
    pub row_step: T,
    /// Bytes from a tile to the next.
    pub tile_step: T,
    /// Columns of the image.
    pub width: T,
    /// Rows of the image.
    pub height: T,
    /// Column of the first window's first pixel; less than 0 where columns are padded.
    pub x: T,
    /// Row of it.
    pub y: T,
    /// Columns from a window to the next.
    pub stride_x: T,
    /// Rows from a window to the next.
    pub stride_y: T,
}

impl OutputTask<Shape> {
    pub(crate) fn shape(config: &ComputeConfig) -> OutputTask<Shape> {
        let (address, count) = (bits(config.address_bits()), bits(COUNT_BITS));
        OutputTask {
            kind: OutputKind::shape(),
            accumulators: bits(config.row_bits()),
            source: address,
            output: address,
            columns: count,
            rows: count,
            tiles: count,
            column_step: address,
            row_step: address,
            tile_step: address,
            range: OutputRange::shape(),
            addition: Addition::shape(config),
            pooling: Pooling::shape(config),
        }
    }
}

impl Addition<Shape> {
    pub(super) fn shape(config: &ComputeConfig) -> Addition<Shape> {
        let address = bits(config.address_bits());
        let (zero_point, multiplier, shift) = (signed(8), bits(31), bits(6));
        Addition {
            input2: address,
            input1_column_step: address,
            input1_row_step: address,
            input2_column_step: address,
            input2_row_step: address,
            input1_zero_point: zero_point,
            input2_zero_point: zero_point,
            input1_multiplier: multiplier,
            input2_multiplier: multiplier,
            output_multiplier: multiplier,
            input1_shift: shift,
            input2_shift: shift,
            output_shift: shift,
        }
    }
}

impl Pooling<Shape> {
    pub(super) fn shape(config: &ComputeConfig) -> Pooling<Shape> {
        let (address, count, byte) = (bits(config.address_bits()), bits(COUNT_BITS), bits(STRIDE_BITS));
        Pooling {
            maximum: bit(),
            kernel_columns: byte,
            kernel_rows: byte,
            pixel_step: address,
            line_step: address,
            column_step: address,
            row_step: address,
            tile_step: address,
            width: count,
            height: count,
            x: signed(FIRST_PLACE_BITS),
            y: signed(FIRST_PLACE_BITS),
            stride_x: byte,
            stride_y: byte,
        }
    }
}

/// Convolutions in order. One passes at a clock edge with `valid` and `ready` high.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Convolutions<T> {
    /// One is offered.
    pub valid: T,
    /// It.
    pub next: Convolution<T>,
    /// It is taken.
    #[flip]
    pub ready: T,
}

impl Convolutions<Shape> {
    pub(crate) fn shape(config: &ComputeConfig) -> Convolutions<Shape> {
        Convolutions { valid: bit(), next: Convolution::shape(config), ready: bit() }
    }
}

/// Tasks of the output stage in order. One passes at a clock edge with `valid` and `ready` high.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct OutputTasks<T> {
    /// One is offered.
    pub valid: T,
    /// It.
    pub next: OutputTask<T>,
    /// It is taken.
    #[flip]
    pub ready: T,
}

impl OutputTasks<Shape> {
    pub(crate) fn shape(config: &ComputeConfig) -> OutputTasks<Shape> {
        OutputTasks { valid: bit(), next: OutputTask::shape(config), ready: bit() }
    }
}
