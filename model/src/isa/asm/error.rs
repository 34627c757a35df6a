//! Mistakes in a program under construction.

use thiserror::Error;

use crate::isa::inst::EncodeError;

/// A mistake in a program.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AsmError {
    /// An operand does not fit its field.
    #[error("at {address:#010x}: {source}")]
    Operand {
        /// Address of the instruction.
        address: u32,
        /// Which operand, and its range.
        source: EncodeError,
    },
    /// The target of a branch or jump is too far away.
    #[error(
        "at {address:#010x}: `{mnemonic}` cannot reach label `{label}`, {distance} bytes away; it reaches {min} to \
         {max}: invert the branch around a `j`, or use `tail` or `call`"
    )]
    OutOfReach {
        /// Address of the instruction.
        address: u32,
        /// The instruction.
        mnemonic: &'static str,
        /// Name of the target.
        label: String,
        /// Bytes from the instruction to the target.
        distance: i64,
        /// Most negative distance possible.
        min: i32,
        /// Largest distance possible.
        max: i32,
    },
    /// The target of a branch or jump lies between two instructions.
    #[error(
        "at {address:#010x}: `{mnemonic}` to label `{label}`, which is at an odd address; bind it after `align(4)`"
    )]
    OddTarget {
        /// Address of the instruction.
        address: u32,
        /// The instruction.
        mnemonic: &'static str,
        /// Name of the target.
        label: String,
    },
    /// An instruction would stand at an address that is not aligned for it.
    #[error(
        "at {address:#010x}: an instruction must stand at a multiple of {alignment}; put `align({alignment})` after \
         the data"
    )]
    MisalignedInstruction {
        /// Address of the instruction.
        address: u32,
        /// What the address must be a multiple of.
        alignment: u32,
    },
    /// A 16-bit instruction in a program that has none.
    #[error("at {address:#010x}: `{mnemonic}` needs a program begun with `Asm::with_compressed`")]
    NoCompressed {
        /// Address of the instruction.
        address: u32,
        /// The instruction.
        mnemonic: &'static str,
    },
    /// A label is used and never bound.
    #[error("at {address:#010x}: label `{label}` is used but never bound; call `bind`")]
    Unbound {
        /// Address of the first use.
        address: u32,
        /// Name of the label.
        label: String,
    },
    /// A label is bound a second time.
    #[error("at {address:#010x}: label `{label}` is bound already, at {first:#010x}")]
    Rebound {
        /// Address of the second binding.
        address: u32,
        /// Name of the label.
        label: String,
        /// Address of the first binding.
        first: u32,
    },
    /// Two labels have one name.
    #[error("two labels are named `{label}`; give each its own name, or none")]
    DuplicateName {
        /// The name.
        label: String,
    },
    /// An alignment is not a power of two.
    #[error("at {address:#010x}: alignment {bytes} is not a power of two")]
    Alignment {
        /// Address of the directive.
        address: u32,
        /// The alignment asked for, in bytes.
        bytes: u32,
    },
    /// The program reaches beyond the 32-bit address space.
    #[error("the program of {bytes} bytes at {base:#010x} does not fit into 32 bits of address")]
    TooLarge {
        /// Address of the first byte.
        base: u32,
        /// Length of the program.
        bytes: u64,
    },
}
