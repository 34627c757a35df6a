//! The parts of the `ferrite` command: reading its inputs, running a chip, and writing what it generates.

pub mod atomic;
pub mod config;
pub mod elf;
pub mod error;
pub mod fuzz;
pub mod header;
pub mod linker;
pub mod march;
pub mod output;
pub mod registers;
pub mod run;
mod spelling;
pub mod svd;
