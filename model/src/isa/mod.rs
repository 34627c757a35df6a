//! The instruction set: RV32IM, Zba, Zbb, Zbs, Zicsr, Zifencei, the machine-mode instructions and the tensor commands.
//!
//! Everything derives from the one table in `table.rs`: [`decode`], [`Inst::encode`], the disassembler
//! ([`Inst`]'s `Display` and [`Inst::at`]) and the methods of [`Asm`].

mod asm;
pub mod csr;
mod format;
mod inst;
pub mod reg;
mod table;

pub use asm::{Asm, AsmError, Label, Program};
pub use format::Format;
pub use inst::{EncodeError, Inst, InstAt, decode};
pub use reg::Reg;
pub use table::{Extension, Op, Spec, TABLE};
