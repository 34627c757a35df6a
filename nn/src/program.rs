//! What the compiler makes.

use std::collections::BTreeMap;

use crate::network::Quantisation;

/// Codes with which a program ends the run through the exit device.
pub mod exit_code {
    /// The output is in its buffer.
    pub const DONE: u32 = 0;
    /// The core took a trap; the words at the symbol `trap_record` hold `mcause`, `mepc` and `mtval`.
    pub const TRAP: u32 = 1;
    /// The tensor unit refused a command; the words at the symbol `tensor_status` hold its status and what `t.info` 0 and 1 told.
    pub const TENSOR_ERROR: u32 = 2;
}

/// A bare-metal program that runs a network once.
///
/// Load both images, write the input tensor to [`Program::input`], start at [`Program::entry`]; when the run ends with [`exit_code::DONE`], read the output
/// tensor from [`Program::output`].
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// Code and tables, for the RAM.
    pub ram: Image,
    /// Weights, parameters and command lists, for external memory.
    pub external: Image,
    /// Address of the first instruction.
    pub entry: u32,
    /// Addresses of functions and tables by name.
    pub symbols: BTreeMap<String, u32>,
    /// Where the input tensor goes.
    pub input: Port,
    /// Where the output tensor is in the end.
    pub output: Port,
    /// The layers in the order in which they run.
    pub layers: Vec<Layer>,
    /// Address of the [`Counters`] of the input's way to the scratchpad.
    pub input_counters: u32,
    /// Address of the [`Counters`] of the output's way from the scratchpad.
    pub output_counters: u32,
}

/// Bytes and where they go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Address of the first byte.
    pub base: u32,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A stretch of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Address of the first byte.
    pub address: u32,
    /// Length.
    pub bytes: u32,
}

/// An int8 tensor in external memory, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    /// The tensor's name in the network.
    pub name: String,
    /// The tensor's shape, slowest-varying dimension first.
    pub shape: Vec<usize>,
    /// Where its elements are: as many bytes as elements.
    pub region: Region,
    /// What the integers stand for.
    pub quantisation: Option<Quantisation>,
}

/// What is known of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The name of the tensor that it makes.
    pub name: String,
    /// The TensorFlow Lite operator.
    pub operator: &'static str,
    /// Rows of input (and of output).
    pub batches: u32,
    /// Input channels.
    pub inputs: u32,
    /// Output channels.
    pub outputs: u32,
    /// Multiply-accumulate operations that the network asks for, without those of padding.
    pub macs: u64,
    /// Weights and parameters, cut into tiles, zeros included.
    pub weights: Region,
    /// Address of its [`Counters`].
    pub counters: u32,
}

/// Counters of the tensor unit that the program reads.
pub const TENSOR_COUNTERS: usize = 12;

/// What the program counts for each layer: differences between its start and its end, modulo 2^32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// `mcycle`: clock cycles; 0 where the core has no counters.
    pub cycles: u32,
    /// `minstret`: instructions that the core retired; 0 where it has no counters.
    pub instructions: u32,
    /// Counters 0 to 11 of the tensor unit (`docs/tensor-unit.md`, "Counters").
    pub tensor: [u32; TENSOR_COUNTERS],
}

impl Counters {
    /// Bytes in RAM: one word each, in the order of the fields.
    pub const BYTES: u32 = 4 * (2 + TENSOR_COUNTERS as u32);

    /// From the bytes in RAM, or `None` if there are not [`Counters::BYTES`].
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::BYTES as usize] = bytes.try_into().ok()?;
        let mut words =
            bytes.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
        let mut next = || words.next().unwrap_or_default();
        Some(Self { cycles: next(), instructions: next(), tensor: std::array::from_fn(|_| next()) })
    }
}
