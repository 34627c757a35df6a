//! What a hart needs from its surroundings.

use crate::unit::External;

/// Bytes of a load or store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// 1 byte.
    Byte,
    /// 2 bytes.
    Half,
    /// 4 bytes.
    Word,
}

impl Width {
    /// The number of bytes.
    pub const fn bytes(self) -> u32 {
        match self {
            Width::Byte => 1,
            Width::Half => 2,
            Width::Word => 4,
        }
    }

    /// One bit per byte, as RVFI's byte masks have it.
    pub const fn mask(self) -> u32 {
        (1 << self.bytes()) - 1
    }
}

/// A value read, and whether software can foresee it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Follows from the program alone: an implementation must read the same.
    Exact(u32),
    /// Depends on an implementation's timing (a counter, a busy bit).
    Timing {
        /// One possible value.
        value: u32,
        /// The bits that depend on timing; in lockstep they are taken over from the implementation.
        uncertain: u32,
    },
}

impl Reading {
    /// A value of which any bit may depend on timing.
    pub const fn timing(value: u32) -> Reading {
        Reading::Timing { value, uncertain: u32::MAX }
    }

    /// The value.
    pub const fn value(self) -> u32 {
        match self {
            Reading::Exact(value) | Reading::Timing { value, .. } => value,
        }
    }

    /// Some of the bits: those of `mask` after a shift to the right.
    pub const fn bits(self, shift: u32, mask: u32) -> Reading {
        match self {
            Reading::Exact(value) => Reading::Exact(value >> shift & mask),
            Reading::Timing { value, uncertain } => {
                Reading::Timing { value: value >> shift & mask, uncertain: uncertain >> shift & mask }
            }
        }
    }
}

/// Nothing answers at the address, or what answers refuses: the hart takes an access-fault exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BusFault;

/// What a tensor instruction returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Nothing: `rd` is left alone.
    Nothing,
    /// A value for `rd`.
    Value(Reading),
}

/// A unit that executes the custom-0 instructions.
pub trait Coprocessor {
    /// Executes the instruction `funct7` (7 bits) with the values of its source registers; `memory` is what the unit reaches.
    fn command(&mut self, funct7: u32, rs1: u32, rs2: u32, memory: &mut dyn External) -> Reply;
}

/// No coprocessor at all; cannot be made. `Machine<NoCoprocessor>` raises illegal instruction on custom-0.
#[derive(Clone, Copy, Debug)]
pub enum NoCoprocessor {}

impl Coprocessor for NoCoprocessor {
    fn command(&mut self, _: u32, _: u32, _: u32, _: &mut dyn External) -> Reply {
        match *self {}
    }
}

/// A hart's surroundings. Addresses are multiples of the access's width.
pub trait Bus {
    /// Reads the word at `address`, a multiple of 4, to execute from it.
    ///
    /// # Errors
    /// [`BusFault`] raises an instruction access fault.
    fn fetch(&mut self, address: u32) -> Result<u32, BusFault>;

    /// Reads `width` bytes, zero-extended.
    ///
    /// # Errors
    /// [`BusFault`] raises a load access fault.
    fn load(&mut self, address: u32, width: Width) -> Result<Reading, BusFault>;

    /// Writes the low `width` bytes of `value`.
    ///
    /// # Errors
    /// [`BusFault`] raises a store access fault.
    fn store(&mut self, address: u32, width: Width, value: u32) -> Result<(), BusFault>;

    /// Executes a tensor instruction; `None` if there is no coprocessor, which makes the instruction illegal.
    fn command(&mut self, funct7: u32, rs1: u32, rs2: u32) -> Option<Reply> {
        let _ = (funct7, rs1, rs2);
        None
    }

    /// The interrupt lines, at their places in `mip` (bits 3, 7 and 11).
    fn interrupts(&self) -> u32 {
        0
    }

    /// The time that the `time` CSR shows.
    fn time(&self) -> u64 {
        0
    }

    /// Time passes: called once before every instruction.
    fn tick(&mut self) {}

    /// The exit code once the program has ended the run.
    fn exit_code(&self) -> Option<u32> {
        None
    }
}
