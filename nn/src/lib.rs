//! Compiles int8 TensorFlow Lite networks into programs for the Ferrite chip (`docs/chip.md`,
//! `docs/tensor-unit.md`, `docs/commands.md`).
//!
//! A file goes through five stages, each of which knows nothing of the later ones:
//!
//! 1. [`tflite`] reads it into a [`network::Network`], refusing what is broken;
//! 2. [`lower`] turns the operators into layers in integer arithmetic, refusing what the chip cannot run;
//! 3. [`plan`] cuts the layers into pieces and places them in the memories of one [`Target`];
//! 4. [`schedule`] says in which order the tensor unit does what, as [`lists`] of commands;
//! 5. [`codegen`] writes the data, and the machine code that hands the lists over: a [`Program`].
//!
//! ```no_run
//! let file = std::fs::read("sine.tflite")?;
//! let network = ferrite_nn::tflite::read(&file)?;
//! let program = ferrite_nn::compile(&network, &ferrite_nn::Target::default())?;
//! println!("{} bytes at {:#010x}", program.external.bytes.len(), program.external.base);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod codegen;
mod error;
pub mod lists;
pub mod lower;
pub mod network;
pub mod plan;
mod program;
pub mod reference;
pub mod schedule;
mod target;
pub mod tflite;

pub use error::CompileError;
pub use program::{Counters, Image, Layer, Port, Program, Region, TENSOR_COUNTERS, exit_code};
pub use target::Target;

/// Compiles a network for a chip.
///
/// # Errors
///
/// [`CompileError`] if the network has an operator or a property that is not supported yet, or does not fit
/// the chip.
pub fn compile(network: &network::Network, target: &Target) -> Result<Program, CompileError> {
    target.check()?;
    let chain = lower::lower(network)?;
    let plan = plan::plan(&chain, target)?;
    codegen::generate(&chain, &plan, target)
}
