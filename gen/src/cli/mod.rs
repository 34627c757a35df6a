//! The subcommands.

pub mod chip;
mod core;
pub mod fuzz;
pub mod generate;
mod interrupt;
pub mod network;
pub mod numbers;
pub mod program;
pub mod progress;
pub mod replay;
pub mod report;
pub mod run;
pub mod saved;
mod signature;
mod waves;
