//! What the compiler has to know of a chip.

use crate::error::CompileError;

/// Sizes of a chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// `R`, rows of the array: input channels taken at once. A power of two from 4 to 32.
    pub rows: u32,
    /// `C`, columns of the array: output channels made at once. A power of two from 4 to 32.
    pub cols: u32,
    /// `SP`, scratchpad size: a power of two from 4 KiB to 1 MiB.
    pub scratchpad_bytes: u32,
    /// `ACC`, accumulator rows: a power of two from 16 to 65,536.
    pub acc_rows: u32,
    /// First address of the RAM, where the program starts; a multiple of 8.
    pub ram_base: u32,
    /// Size of the RAM.
    pub ram_bytes: u32,
    /// First address of external memory, in which weights, tensors and command lists stand; a multiple of 64.
    pub external_base: u32,
    /// Size of external memory; 0 if there is none.
    pub external_bytes: u32,
    /// Whether the core has `mcycle` and `minstret`. Without them the program counts no cycles and no instructions.
    pub core_counters: bool,
}

impl Default for Target {
    /// A 16 x 16 array with 128 KiB of scratchpad and 1,024 accumulator rows, and the memories of `docs/chip.md`.
    fn default() -> Self {
        Self {
            rows: 16,
            cols: 16,
            scratchpad_bytes: 128 << 10,
            acc_rows: 1024,
            ram_base: 0x8000_0000,
            ram_bytes: 512 << 10,
            external_base: 0xC000_0000,
            external_bytes: 16 << 20,
            core_counters: true,
        }
    }
}

impl Target {
    /// Whether every size is in its range (`docs/commands.md`, "Sizes").
    ///
    /// # Errors
    ///
    /// [`CompileError::Target`] for the first that is not.
    pub fn check(&self) -> Result<(), CompileError> {
        let ranges = [
            ("rows", self.rows, 4, 32),
            ("cols", self.cols, 4, 32),
            ("scratchpad_bytes", self.scratchpad_bytes, 4 << 10, 1 << 20),
            ("acc_rows", self.acc_rows, 16, 1 << 16),
        ];
        for (parameter, value, min, max) in ranges {
            if !value.is_power_of_two() || value < min || value > max {
                let allowed = format!("a power of two from {min} to {max}");
                return Err(CompileError::Target { parameter, value, allowed });
            }
        }
        let places = [
            (("ram_base", self.ram_base), ("ram_bytes", self.ram_bytes), 8),
            (("external_base", self.external_base), ("external_bytes", self.external_bytes), 64),
        ];
        for ((parameter, base), (size, bytes), alignment) in places {
            if !base.is_multiple_of(alignment) {
                let allowed = format!("a multiple of {alignment}");
                return Err(CompileError::Target { parameter, value: base, allowed });
            }
            if u64::from(base) + u64::from(bytes) > 1 << 32 {
                let most = (1u64 << 32) - u64::from(base);
                let allowed = format!("at most {most}, so that this memory ends at 4 GiB");
                return Err(CompileError::Target { parameter: size, value: bytes, allowed });
            }
        }
        Ok(())
    }

    /// Bytes of a weight tile.
    pub(crate) fn tile_bytes(&self) -> u32 {
        self.rows * self.cols
    }

    /// Bytes of a scratchpad word, at a multiple of which every row of activations starts.
    pub(crate) fn word_bytes(&self) -> u32 {
        self.rows.max(self.cols).max(8)
    }

    /// Bytes of a group of parameters of a tile of output channels: a word each.
    pub(crate) fn group_bytes(&self) -> u32 {
        (4 * self.cols).next_multiple_of(self.word_bytes())
    }

    /// Bytes of all parameters of a tile of output channels.
    pub(crate) fn parameter_bytes(&self) -> u32 {
        2 * self.group_bytes() + self.word_bytes()
    }
}
