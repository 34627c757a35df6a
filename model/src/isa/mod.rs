//! The instruction set: RV32IM, Zba, Zbb, Zbs, Zicsr, Zifencei, the machine-mode instructions and the tensor commands.
//!
//! Everything derives from the one table in `table.rs`: [`decode`], [`Inst::encode`], the disassembler
//! ([`Inst`]'s `Display` and [`Inst::at`]) and the methods of [`Asm`]. The 16-bit instructions (C) have a table of the
//! same kind, [`COMPRESSED_TABLE`]; [`disassemble`] gives the text of either.

mod asm;
mod compressed;
pub mod csr;
mod format;
mod inst;
pub mod reg;
mod table;

pub use asm::{Asm, AsmError, Label, Program};
pub use compressed::{
    CFormat, COMPRESSED_TABLE, COp, CSpec, Compressed, Operands, decode_compressed, is_compressed,
};
pub use format::Format;
pub use inst::{EncodeError, Inst, InstAt, decode, disassemble};
pub use reg::Reg;
pub use table::{Extension, Op, Spec, TABLE};
