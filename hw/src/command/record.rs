//! Commands as they stand in memory: records of 16 words (`docs/tensor-unit.md`).

use ferrite_hdl::prelude::*;

/// 32-bit words of a record.
pub const RECORD_WORDS: u32 = 16;

/// What a command does: bits 7 to 0 of its first word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encoding)]
#[encoding(width = 8)]
pub enum Opcode {
    /// From external memory into the scratchpad.
    Load = 1,
    /// From the scratchpad to external memory.
    Store = 2,
    /// From the scratchpad through the array into accumulators.
    Convolve = 3,
    /// From accumulators through the output stage into the scratchpad.
    Requantise = 4,
    /// As [`Opcode::Convolve`], each output channel out of one input channel.
    Depthwise = 5,
    /// From accumulators, as they are, into the scratchpad.
    Sums = 6,
    /// Two images out of the scratchpad, and their sum into it.
    Add = 7,
    /// Windows of an image out of the scratchpad, and their average or largest value into it.
    Pool = 8,
    /// As [`Opcode::Convolve`], of few input channels.
    Packed = 9,
}

impl Opcode {
    /// All of them.
    pub const ALL: [Opcode; 9] = [
        Opcode::Load,
        Opcode::Store,
        Opcode::Convolve,
        Opcode::Requantise,
        Opcode::Depthwise,
        Opcode::Sums,
        Opcode::Add,
        Opcode::Pool,
        Opcode::Packed,
    ];

    /// The part of the unit that carries it out.
    pub(super) fn part(self) -> Part {
        match self {
            Opcode::Load => Part::Load,
            Opcode::Store => Part::Store,
            Opcode::Convolve | Opcode::Depthwise | Opcode::Packed => Part::Array,
            Opcode::Requantise | Opcode::Sums | Opcode::Add | Opcode::Pool => Part::Output,
        }
    }
}

/// What carries out commands, each part one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encoding)]
#[encoding(width = 2)]
pub enum Part {
    /// DMA into the scratchpad.
    Load = 0,
    /// DMA out of it.
    Store = 1,
    /// The array.
    Array = 2,
    /// The output stage.
    Output = 3,
}

impl Part {
    /// All of them.
    pub const ALL: [Part; 4] = [Part::Load, Part::Store, Part::Array, Part::Output];
}

/// Why the unit stops. Of a command that breaks several rules the lowest is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encoding)]
#[encoding(width = 4)]
pub enum Cause {
    /// No rule is broken.
    None = 0,
    /// There is no such command.
    Unknown = 1,
    /// A reserved bit is set, or a field is outside its range.
    Field = 2,
    /// An address or a step is not aligned.
    Alignment = 3,
    /// What is read or written lies outside: of the scratchpad, of the accumulators, or of 32-bit addresses.
    Outside = 4,
    /// External memory answered a load with an error.
    Load = 5,
    /// External memory answered a store with an error.
    Store = 6,
    /// External memory answered the fetch of a list of commands with an error.
    List = 7,
}

/// A stream of records.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct RecordStream<T> {
    /// One is offered.
    pub valid: T,
    /// Its words, the first one lowest.
    pub record: T,
    /// It is taken.
    #[flip]
    pub ready: T,
}

impl RecordStream<Shape> {
    pub(super) fn shape() -> RecordStream<Shape> {
        RecordStream { valid: bit(), record: bits(32 * RECORD_WORDS), ready: bit() }
    }
}

/// Where a field stands in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub word: u32,
    pub low: u32,
    pub bits: u32,
}

impl Field {
    pub fn of(self, record: UInt) -> UInt {
        record.slice(32 * self.word + self.low, self.bits)
    }
}

const fn field(word: u32, low: u32, bits: u32) -> Field {
    Field { word, low, bits }
}

/// Fields of loads and stores.
pub(super) mod transfer {
    use super::{Field, field};

    pub const EXTERNAL: Field = field(1, 0, 32);
    pub const LOCAL: Field = field(2, 0, 32);
    pub const BYTES: Field = field(3, 0, 16);
    /// Of loads only.
    pub const FILL: Field = field(3, 16, 8);
    pub const N1: Field = field(4, 0, 16);
    pub const N2: Field = field(4, 16, 16);
    pub const S1: Field = field(5, 0, 32);
    pub const S2: Field = field(6, 0, 32);
    pub const D1: Field = field(7, 0, 32);
    pub const D2: Field = field(8, 0, 32);
    pub const LOAD: [Field; 10] = [EXTERNAL, LOCAL, BYTES, FILL, N1, N2, S1, S2, D1, D2];
    pub const STORE: [Field; 9] = [EXTERNAL, LOCAL, BYTES, N1, N2, S1, S2, D1, D2];
}

/// Fields of convolutions.
pub(super) mod convolve {
    use super::{Field, field};

    pub const ACT: Field = field(1, 0, 32);
    pub const WEIGHTS: Field = field(2, 0, 32);
    pub const ACCUMULATORS: Field = field(3, 0, 16);
    pub const ACCUMULATE: Field = field(3, 16, 1);
    pub const ZERO_POINT: Field = field(3, 24, 8);
    pub const COLUMNS: Field = field(4, 0, 16);
    pub const ROWS: Field = field(4, 16, 16);
    pub const IN_TILES: Field = field(5, 0, 16);
    pub const OUT_TILES: Field = field(5, 16, 16);
    pub const KERNEL_COLUMNS: Field = field(6, 0, 8);
    pub const KERNEL_ROWS: Field = field(6, 8, 8);
    pub const WIDTH: Field = field(7, 0, 16);
    pub const HEIGHT: Field = field(7, 16, 16);
    pub const X: Field = field(8, 0, 16);
    pub const Y: Field = field(8, 16, 16);
    pub const STRIDE_X: Field = field(9, 0, 8);
    pub const STRIDE_Y: Field = field(9, 8, 8);
    pub const DILATION_X: Field = field(9, 16, 8);
    pub const DILATION_Y: Field = field(9, 24, 8);
    pub const PIXEL_STEP: Field = field(10, 0, 32);
    pub const LINE_STEP: Field = field(11, 0, 32);
    pub const IN_TILE_STEP: Field = field(12, 0, 32);
    pub const ALL: [Field; 22] = [
        ACT,
        WEIGHTS,
        ACCUMULATORS,
        ACCUMULATE,
        ZERO_POINT,
        COLUMNS,
        ROWS,
        IN_TILES,
        OUT_TILES,
        KERNEL_COLUMNS,
        KERNEL_ROWS,
        WIDTH,
        HEIGHT,
        X,
        Y,
        STRIDE_X,
        STRIDE_Y,
        DILATION_X,
        DILATION_Y,
        PIXEL_STEP,
        LINE_STEP,
        IN_TILE_STEP,
    ];
}

/// Fields of depthwise convolutions.
pub(super) mod depthwise {
    pub use super::convolve::{
        ACCUMULATE, ACCUMULATORS, ACT, COLUMNS, HEIGHT, LINE_STEP, PIXEL_STEP, ROWS, STRIDE_X, STRIDE_Y,
        WEIGHTS, WIDTH, X, Y, ZERO_POINT,
    };
    use super::{Field, field};

    pub const TILES: Field = super::convolve::OUT_TILES;
    pub const TILE_STEP: Field = field(12, 0, 32);
    pub const ALL: [Field; 17] = [
        ACT,
        WEIGHTS,
        ACCUMULATORS,
        ACCUMULATE,
        ZERO_POINT,
        COLUMNS,
        ROWS,
        TILES,
        WIDTH,
        HEIGHT,
        X,
        Y,
        STRIDE_X,
        STRIDE_Y,
        PIXEL_STEP,
        LINE_STEP,
        TILE_STEP,
    ];
}

/// Fields of convolutions of few input channels.
pub(super) mod packed {
    pub use super::convolve::{
        ACCUMULATE, ACCUMULATORS, ACT, COLUMNS, HEIGHT, IN_TILES, KERNEL_COLUMNS, KERNEL_ROWS, LINE_STEP,
        OUT_TILES, ROWS, STRIDE_X, STRIDE_Y, WEIGHTS, WIDTH, X, Y, ZERO_POINT,
    };
    use super::{Field, field};

    pub const CHANNELS: Field = field(10, 0, 8);
    pub const ALL: [Field; 19] = [
        ACT,
        WEIGHTS,
        ACCUMULATORS,
        ACCUMULATE,
        ZERO_POINT,
        COLUMNS,
        ROWS,
        IN_TILES,
        OUT_TILES,
        KERNEL_COLUMNS,
        KERNEL_ROWS,
        WIDTH,
        HEIGHT,
        X,
        Y,
        STRIDE_X,
        STRIDE_Y,
        CHANNELS,
        LINE_STEP,
    ];
}

/// Fields of requantisations.
pub(super) mod requantise {
    use super::{Field, field};

    pub const PARAMETERS: Field = field(1, 0, 32);
    pub const OUTPUT: Field = field(2, 0, 32);
    pub const ACCUMULATORS: Field = field(3, 0, 16);
    pub const COLUMNS: Field = field(4, 0, 16);
    pub const ROWS: Field = field(4, 16, 16);
    pub const TILES: Field = field(5, 0, 16);
    pub const COLUMN_STEP: Field = field(6, 0, 32);
    pub const ROW_STEP: Field = field(7, 0, 32);
    pub const TILE_STEP: Field = field(8, 0, 32);
    pub const ZERO_POINT: Field = field(9, 0, 8);
    pub const MIN: Field = field(9, 8, 8);
    pub const MAX: Field = field(9, 16, 8);
    pub const ALL: [Field; 12] = [
        PARAMETERS,
        OUTPUT,
        ACCUMULATORS,
        COLUMNS,
        ROWS,
        TILES,
        COLUMN_STEP,
        ROW_STEP,
        TILE_STEP,
        ZERO_POINT,
        MIN,
        MAX,
    ];
}

/// Fields of stored sums.
pub(super) mod sums {
    use super::Field;
    pub use super::requantise::{
        ACCUMULATORS, COLUMN_STEP, COLUMNS, OUTPUT, ROW_STEP, ROWS, TILE_STEP, TILES,
    };

    pub const ALL: [Field; 8] =
        [OUTPUT, ACCUMULATORS, COLUMNS, ROWS, TILES, COLUMN_STEP, ROW_STEP, TILE_STEP];
}

/// Fields of sums of two images.
pub(super) mod add {
    pub use super::requantise::{COLUMN_STEP, COLUMNS, MAX, MIN, OUTPUT, ROW_STEP, ROWS, ZERO_POINT};
    use super::{Field, field};

    pub const INPUT1: Field = field(1, 0, 32);
    pub const INPUT2: Field = field(3, 0, 32);
    pub const INPUT1_ZERO_POINT: Field = field(5, 0, 8);
    pub const INPUT2_ZERO_POINT: Field = field(5, 8, 8);
    pub const INPUT1_SHIFT: Field = field(5, 16, 6);
    pub const INPUT2_SHIFT: Field = field(5, 24, 6);
    pub const INPUT1_COLUMN_STEP: Field = field(8, 0, 32);
    pub const OUTPUT_SHIFT: Field = field(9, 24, 6);
    pub const INPUT1_ROW_STEP: Field = field(10, 0, 32);
    pub const INPUT2_COLUMN_STEP: Field = field(11, 0, 32);
    pub const INPUT2_ROW_STEP: Field = field(12, 0, 32);
    pub const INPUT1_MULTIPLIER: Field = field(13, 0, 31);
    pub const INPUT2_MULTIPLIER: Field = field(14, 0, 31);
    pub const OUTPUT_MULTIPLIER: Field = field(15, 0, 31);
    pub const ALL: [Field; 22] = [
        INPUT1,
        OUTPUT,
        INPUT2,
        COLUMNS,
        ROWS,
        INPUT1_ZERO_POINT,
        INPUT2_ZERO_POINT,
        INPUT1_SHIFT,
        INPUT2_SHIFT,
        COLUMN_STEP,
        ROW_STEP,
        INPUT1_COLUMN_STEP,
        ZERO_POINT,
        MIN,
        MAX,
        OUTPUT_SHIFT,
        INPUT1_ROW_STEP,
        INPUT2_COLUMN_STEP,
        INPUT2_ROW_STEP,
        INPUT1_MULTIPLIER,
        INPUT2_MULTIPLIER,
        OUTPUT_MULTIPLIER,
    ];
    /// Steps of the operands.
    pub const INPUT_STEPS: [Field; 4] =
        [INPUT1_COLUMN_STEP, INPUT1_ROW_STEP, INPUT2_COLUMN_STEP, INPUT2_ROW_STEP];
    pub const SHIFTS: [Field; 3] = [INPUT1_SHIFT, INPUT2_SHIFT, OUTPUT_SHIFT];
}

/// Fields of poolings.
pub(super) mod pool {
    pub use super::requantise::{COLUMN_STEP, COLUMNS, MAX, MIN, OUTPUT, ROW_STEP, ROWS, TILE_STEP, TILES};
    use super::{Field, field};

    pub const INPUT: Field = field(1, 0, 32);
    pub const MAXIMUM: Field = field(3, 0, 1);
    pub const PIXEL_STEP: Field = field(10, 0, 32);
    pub const LINE_STEP: Field = field(11, 0, 32);
    pub const IN_TILE_STEP: Field = field(12, 0, 32);
    pub const WIDTH: Field = field(13, 0, 16);
    pub const HEIGHT: Field = field(13, 16, 16);
    pub const X: Field = field(14, 0, 16);
    pub const Y: Field = field(14, 16, 16);
    pub const KERNEL_COLUMNS: Field = field(15, 0, 8);
    pub const KERNEL_ROWS: Field = field(15, 8, 8);
    pub const STRIDE_X: Field = field(15, 16, 8);
    pub const STRIDE_Y: Field = field(15, 24, 8);
    pub const ALL: [Field; 22] = [
        INPUT,
        OUTPUT,
        MAXIMUM,
        COLUMNS,
        ROWS,
        TILES,
        COLUMN_STEP,
        ROW_STEP,
        TILE_STEP,
        MIN,
        MAX,
        PIXEL_STEP,
        LINE_STEP,
        IN_TILE_STEP,
        WIDTH,
        HEIGHT,
        X,
        Y,
        KERNEL_COLUMNS,
        KERNEL_ROWS,
        STRIDE_X,
        STRIDE_Y,
    ];
}

/// The code of a command, in its first word.
pub(super) const CODE: Field = field(0, 0, 8);

impl Opcode {
    /// The command's fields beside its code. All other bits of its record are 0.
    pub(super) fn fields(self) -> &'static [Field] {
        match self {
            Opcode::Load => &transfer::LOAD,
            Opcode::Store => &transfer::STORE,
            Opcode::Convolve => &convolve::ALL,
            Opcode::Requantise => &requantise::ALL,
            Opcode::Depthwise => &depthwise::ALL,
            Opcode::Sums => &sums::ALL,
            Opcode::Add => &add::ALL,
            Opcode::Pool => &pool::ALL,
            Opcode::Packed => &packed::ALL,
        }
    }

    /// The bits of its record that no field has.
    pub(super) fn reserved(self) -> Bits {
        let mut words = [u32::MAX; RECORD_WORDS as usize];
        for field in self.fields().iter().chain([&CODE]) {
            words[field.word as usize] &= !((u32::MAX >> (32 - field.bits)) << field.low);
        }
        let pairs: Vec<u64> =
            words.chunks(2).map(|pair| u64::from(pair[0]) | u64::from(pair[1]) << 32).collect();
        Bits::from_words(32 * RECORD_WORDS, &pairs)
    }
}
