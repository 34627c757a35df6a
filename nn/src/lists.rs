//! Commands of the tensor unit and their records (`docs/commands.md`, whose names the fields have).

/// A command as it stands in memory.
pub type Record = [u32; 16];

/// Bytes of a record.
pub const RECORD_BYTES: u32 = 64;

/// A loop of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loop {
    /// How often it turns, at least once.
    pub turns: u16,
    /// From one turn to the next in external memory.
    pub external_step: i32,
    /// From one turn to the next in the scratchpad: a multiple of the scratchpad's words.
    pub local_step: u32,
}

impl Loop {
    /// A single turn.
    pub const ONCE: Loop = Loop { turns: 1, external_step: 0, local_step: 0 };
}

/// What is moved between external memory and the scratchpad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Address in external memory.
    pub external: u32,
    /// Address in the scratchpad.
    pub local: u32,
    /// Bytes of a run.
    pub bytes: u16,
    /// The runs.
    pub runs: Loop,
    /// How the runs are repeated.
    pub repetitions: Loop,
}

/// A convolution. Pairs are columns before rows.
#[allow(missing_docs)] // The reference says what the fields are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolve {
    pub act: u32,
    pub weights: u32,
    pub accumulators: u16,
    pub accumulate: bool,
    pub zero_point: i8,
    pub out: [u16; 2],
    pub in_tiles: u16,
    pub out_tiles: u16,
    pub kernel: [u8; 2],
    pub image: [u16; 2],
    pub first: [i16; 2],
    pub stride: [u8; 2],
    pub dilation: [u8; 2],
    pub pixel_step: u32,
    pub line_step: u32,
    pub in_tile_step: u32,
}

/// A requantisation.
#[allow(missing_docs)] // The reference says what the fields are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requantise {
    pub parameters: u32,
    pub output: u32,
    pub accumulators: u16,
    pub out: [u16; 2],
    pub tiles: u16,
    pub column_step: u32,
    pub row_step: u32,
    pub tile_step: u32,
    pub zero_point: i8,
    pub range: (i8, i8),
}

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// From external memory to the scratchpad; the last word of a run is filled up with 0.
    Load(Transfer),
    /// From the scratchpad to external memory.
    Store(Transfer),
    /// From the scratchpad to the accumulators.
    Convolve(Convolve),
    /// From the accumulators to the scratchpad.
    Requantise(Requantise),
}

/// Two fields of 16 bits, the lower first.
fn halves([low, high]: [u16; 2]) -> u32 {
    u32::from(low) | u32::from(high) << 16
}

impl Command {
    /// The command's record.
    pub fn encode(&self) -> Record {
        match self {
            Command::Load(transfer) => transfer.encode(1),
            Command::Store(transfer) => transfer.encode(2),
            Command::Convolve(convolve) => convolve.encode(),
            Command::Requantise(requantise) => requantise.encode(),
        }
    }
}

impl Transfer {
    fn encode(&self, code: u32) -> Record {
        let Transfer { external, local, bytes, runs, repetitions } = *self;
        [
            code,
            external,
            local,
            u32::from(bytes),
            halves([runs.turns, repetitions.turns]),
            runs.external_step as u32,
            repetitions.external_step as u32,
            runs.local_step,
            repetitions.local_step,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
        ]
    }
}

impl Convolve {
    fn encode(&self) -> Record {
        let [stride_x, stride_y] = self.stride;
        let [dilation_x, dilation_y] = self.dilation;
        [
            3,
            self.act,
            self.weights,
            u32::from(self.accumulators)
                | u32::from(self.accumulate) << 16
                | u32::from(self.zero_point as u8) << 24,
            halves(self.out),
            halves([self.in_tiles, self.out_tiles]),
            u32::from(self.kernel[0]) | u32::from(self.kernel[1]) << 8,
            halves(self.image),
            halves(self.first.map(|at| at as u16)),
            u32::from_le_bytes([stride_x, stride_y, dilation_x, dilation_y]),
            self.pixel_step,
            self.line_step,
            self.in_tile_step,
            0,
            0,
            0,
        ]
    }
}

impl Requantise {
    fn encode(&self) -> Record {
        let (min, max) = self.range;
        [
            4,
            self.parameters,
            self.output,
            u32::from(self.accumulators),
            halves(self.out),
            u32::from(self.tiles),
            self.column_step,
            self.row_step,
            self.tile_step,
            u32::from_le_bytes([self.zero_point as u8, min as u8, max as u8, 0]),
            0,
            0,
            0,
            0,
            0,
            0,
        ]
    }
}
