//! Instruction-set simulator of one machine-mode hart: RV32IM, Zicsr, Zifencei, and the tensor commands.
//!
//! Written from the RISC-V Unprivileged ISA 20240411 and the Privileged Architecture 20240411. [`Iss`] executes,
//! a [`Bus`] answers its accesses, [`Machine`] is the chip's bus (`docs/chip.md`).

mod alu;
mod bus;
mod clint;
mod config;
mod csr_file;
mod execute;
mod hart;
mod machine;
mod retired;
mod trap;

pub use bus::{Bus, BusFault, Coprocessor, NoCoprocessor, Reading, Reply, Width};
pub use config::{Counters, HartConfig, Misaligned, PmpRegions};
pub use csr_file::CsrFile;
pub use hart::{Exit, Iss};
pub use machine::{Machine, MachineConfig, MachineError, memory_map};
pub use retired::{CsrAccess, MemoryAccess, Observed, Retired};
pub use trap::{Interrupt, Trap, cause};
