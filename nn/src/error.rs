//! Why a network cannot be compiled.

use ferrite_model::isa::AsmError;
use thiserror::Error;

/// Why a network cannot be compiled. Operators are numbered from 0; offsets are in bytes from the start of
/// the file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CompileError {
    /// An operator that the chip cannot run yet.
    #[error(
        "operator {index} ({operator}, version {version}) at offset {offset} is not supported yet; \
         supported are {supported}"
    )]
    Unsupported {
        /// The operator's number.
        index: usize,
        /// The operator's name; for a custom operator also its own name.
        operator: String,
        /// The version of its definition.
        version: i32,
        /// Where its table is in the file.
        offset: usize,
        /// The names of the operators that are supported.
        supported: String,
    },
    /// An operator that is supported, with a property that is not.
    #[error("operator {index} ({operator}) at offset {offset}: {problem}")]
    Operator {
        /// The operator's number.
        index: usize,
        /// The operator's name.
        operator: String,
        /// Where its table is in the file.
        offset: usize,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// The network as a whole has a property that is not supported.
    #[error("{problem}")]
    Network {
        /// What is wrong, and what to do.
        problem: String,
    },
    /// A size of the target is outside of its range.
    #[error("target: {parameter} is {value}, but must be {allowed}")]
    Target {
        /// The field of [`Target`](crate::Target).
        parameter: &'static str,
        /// Its value.
        value: u32,
        /// What it may be.
        allowed: String,
    },
    /// Even one row of each layer's input and output and one tile of weights with its parameters need more than the scratchpad.
    #[error(
        "the network needs {needed} bytes of scratchpad, but the chip has {available}; \
         the widest layer is {layer:?}; enlarge the tensor unit's scratchpad or narrow the layer"
    )]
    Scratchpad {
        /// Bytes needed.
        needed: u64,
        /// Bytes there are.
        available: u32,
        /// The layer with the longest rows.
        layer: String,
    },
    /// Weights, tensors and command lists need more than external memory.
    #[error(
        "the network needs {needed} bytes of external memory, but the chip has {available}; \
         enlarge external memory or use a smaller network"
    )]
    External {
        /// Bytes needed.
        needed: u64,
        /// Bytes there are.
        available: u32,
    },
    /// Code and tables need more than the RAM.
    #[error(
        "the program needs {needed} bytes of RAM, but the chip has {available}; \
         enlarge the RAM or use a smaller network"
    )]
    Ram {
        /// Bytes needed.
        needed: u64,
        /// Bytes there are.
        available: u32,
    },
    /// The generated code is wrong: a mistake of this crate.
    #[error("the compiler made a program that cannot be assembled; please report this with the network: {0}")]
    Assembler(#[from] AsmError),
}
