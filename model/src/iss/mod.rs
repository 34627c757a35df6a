//! Instruction-set simulator of one hart: RV32IMC, Zba, Zbb, Zbs, Zicsr, Zifencei, machine and user mode, PMP, and the
//! tensor commands. [`HartConfig`] says which of these the hart has.
//!
//! Written from the RISC-V Unprivileged ISA 20240411 and the Privileged Architecture 20240411. [`Iss`] executes,
//! a [`Bus`] answers its accesses, [`Machine`] is the chip's bus (`docs/chip.md`).

mod alu;
mod bus;
mod clint;
mod config;
mod counters;
mod csr_file;
mod data;
mod execute;
mod fetch;
mod hart;
mod machine;
mod pmp;
mod privilege;
mod retired;
mod trap;
mod uart;

pub use bus::{Bus, BusFault, Coprocessor, NoCoprocessor, Reading, Reply, Width};
pub use config::{Counters, HartConfig, Misaligned, PmpRegions};
pub use csr_file::CsrFile;
pub use hart::{Exit, Iss};
pub use machine::{Machine, MachineConfig, MachineError, memory_map};
pub use pmp::Pmp;
pub use privilege::{Access, Privilege};
pub use retired::{CsrAccess, MemoryAccess, Observed, Retired};
pub use trap::{Interrupt, Trap, cause};
