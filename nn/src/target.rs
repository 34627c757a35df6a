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
    /// Whether the core has `mcycle` and `minstret`. Without them the program counts no cycles and no instructions.
    pub core_counters: bool,
}

impl Default for Target {
    /// A 16 x 16 array with 128 KiB of scratchpad and 1,024 accumulator rows, and the RAM of `docs/chip.md`.
    fn default() -> Self {
        Self {
            rows: 16,
            cols: 16,
            scratchpad_bytes: 128 << 10,
            acc_rows: 1024,
            ram_base: 0x8000_0000,
            ram_bytes: 512 << 10,
            core_counters: true,
        }
    }
}

impl Target {
    /// Whether every size is in its range (`docs/tensor-unit.md`, "Sizes").
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
        if !self.ram_base.is_multiple_of(8) {
            let allowed = "a multiple of 8".to_owned();
            return Err(CompileError::Target { parameter: "ram_base", value: self.ram_base, allowed });
        }
        if self.ram_base.checked_add(self.ram_bytes).is_none() {
            let allowed = format!("at most {}, so that the RAM ends below 4 GiB", u32::MAX - self.ram_base);
            return Err(CompileError::Target { parameter: "ram_bytes", value: self.ram_bytes, allowed });
        }
        Ok(())
    }

    /// Bytes of a weight tile.
    pub(crate) fn tile_bytes(&self) -> u32 {
        self.rows * self.cols
    }

    /// What every row of activations starts at a multiple of, so that the array can read it, the output stage
    /// can write it, and the core can do both 8 bytes at a time.
    pub(crate) fn row_alignment(&self) -> u32 {
        self.rows.max(self.cols).max(8)
    }
}
