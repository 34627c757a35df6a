//! What computes in the tensor unit: the array with its two sets of weights, the walks over convolution windows in the scratchpad, the
//! accumulators and the output stage (`docs/decisions/0014`).
//!
//! ```text
//!  convolutions   +-------+ tiles  +---------+ words  +-------+        +------+
//!  -------------> | tiles | -----> | windows | -----> |       | -----> | sums |
//!                 +-------+        +---------+        | array |        +------+
//!                     | addresses  +---------+ rows   |       |            | rows
//!                     +----------> | weights | -----> +-------+            v
//!                                  +---------+                         +--------+
//!  output tasks, operands -------------------------------------------> | output | -> scratchpad
//!                                                                      +--------+
//! ```
//!
//! Instead of `windows`, `lines` feed the array in depthwise convolutions, and `packed` in those of few input channels.
//!
//! Tiles of weights follow each other without a cycle between them as long as each is used for `R` cycles or more.

mod add;
mod array;
mod banks;
mod column;
mod command;
mod lines;
mod operands;
mod output;
mod packed;
mod parts;
mod pe;
mod pool;
mod scale;
mod sums;
mod tiles;
mod unit;
mod walk;
mod weights;
mod windows;

pub use add::{Add, AddIn, AddOut};
pub use array::{Array, ArrayIn, ArrayOut};
pub use banks::{Banks, BanksIn, WordWrite, place};
pub use column::{Column, ColumnIn, ColumnOut};
pub use command::{
    Addition, Convolution, Convolutions, Counts, Image, OutputKind, OutputTask, OutputTasks, Pooling, Steps,
};
pub use lines::{LINE_PIXELS, Lines, LinesIn, LinesOut, TAPS};
pub use operands::{Operand, OperandMark, OperandRequest, Requests};
pub use output::{Output, OutputIn, OutputOut, OutputState};
pub(crate) use packed::LINE_PLACE_BITS;
pub use packed::{Packed, PackedIn, PackedOut, PackedState, Packing, SEGMENTS};
pub use pe::{Pe, PeIn, PeOut, Shift};
pub use pool::{MOST_PIXELS, Pool, PoolIn, PoolOut, RECIPROCAL_SHIFT, reciprocal};
pub use scale::{ColumnSettings, OutputBounds, OutputRange};
pub use sums::{RowRead, Sums, SumsIn, SumsOut};
pub use tiles::{Frame, Frames, Place, Tile, TileAddresses, TileStream, Tiles, TilesIn};
pub use unit::{Activity, Compute, ComputeIn, ComputeOut};
pub use walk::{Loops, Walk, WalkIn, WalkOut};
pub use weights::{Weights, WeightsIn, WeightsOut};
pub use windows::{RowMark, Windows, WindowsIn, WindowsOut};

use crate::dma::WordRead;
use ferrite_hdl::prelude::*;

/// Sizes of the tensor unit. All are powers of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ComputeConfig {
    /// `R`: rows of the array, 4 to 32.
    pub rows: u32,
    /// `C`: columns of the array, 4 to 32.
    pub cols: u32,
    /// Bytes of the scratchpad.
    pub scratchpad_bytes: u32,
    /// Rows of the accumulators, each of `C` int32.
    pub accumulator_rows: u32,
}

/// The fewest bytes of a scratchpad word.
const MIN_WORD_BYTES: u32 = 8;

/// Cycles from a request for activations to their word: one to the scratchpad, and one in it.
const READ_LATENCY: u32 = 2;

/// Bytes of a bias and of a multiplier.
const FACTOR_BYTES: u32 = 4;

impl ComputeConfig {
    /// `L`: bytes of a scratchpad word.
    pub fn word_bytes(&self) -> u32 {
        self.rows.max(self.cols).max(MIN_WORD_BYTES)
    }

    /// Bits of a byte address in the scratchpad.
    pub fn address_bits(&self) -> u32 {
        self.scratchpad_bytes.ilog2()
    }

    /// Bits of a word address in the scratchpad.
    pub fn word_address_bits(&self) -> u32 {
        self.address_bits() - self.offset_bits()
    }

    /// Bits of a byte's place in a word.
    fn offset_bits(&self) -> u32 {
        self.word_bytes().ilog2()
    }

    /// Bits of an accumulator row's number.
    pub fn row_bits(&self) -> u32 {
        self.accumulator_rows.ilog2()
    }

    /// The array.
    pub fn array(&self) -> Array {
        Array { rows: self.rows, cols: self.cols, groups: self.depthwise_rows() }
    }

    /// A port that reads words of the scratchpad.
    pub fn word_read(&self) -> WordRead<Shape> {
        let (address, data) = (bits(self.word_address_bits()), bits(8 * self.word_bytes()));
        WordRead { valid: bit(), address, ready: bit(), data_valid: bit(), data }
    }

    /// Columns whose biases or multipliers are in one word.
    fn factors_of_word(&self) -> u32 {
        (self.word_bytes() / FACTOR_BYTES).min(self.cols)
    }

    /// Words of a tile's biases; as many are of its multipliers.
    fn factor_words(&self) -> u32 {
        self.cols / self.factors_of_word()
    }

    /// Words of a tile's parameters: biases, multipliers, shifts.
    fn parameter_words(&self) -> u32 {
        2 * self.factor_words() + 1
    }

    /// Bytes of the parameters of `C` channels; see [`OutputTask`].
    pub fn parameter_bytes(&self) -> u32 {
        self.parameter_words() * self.word_bytes()
    }

    /// Words of an accumulator row that is stored as it is; one if it is less.
    fn sums_words(&self) -> u32 {
        (4 * self.cols / self.word_bytes()).max(1)
    }

    /// The word in which a byte address lies.
    fn word_of(&self, address: UInt) -> UInt {
        address.slice(self.offset_bits(), self.word_address_bits())
    }

    /// What tells modules of different sizes apart.
    pub(crate) fn suffix(&self) -> String {
        let ComputeConfig { rows, cols, scratchpad_bytes, accumulator_rows } = self;
        format!("{rows}x{cols}_{scratchpad_bytes}_{accumulator_rows}")
    }
}
