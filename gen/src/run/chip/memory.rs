//! A chip's RAM as a loader sees it.

use ferrite_hdl::Bits;
use ferrite_hw::map::Region;

use super::Chip;

/// Addresses outside of the chip's RAM.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{bytes} bytes at {address:#010x} are not in the RAM, which goes from {:#010x} to {:#010x}", ram.base, ram.last())]
pub struct OutsideRam {
    /// First address.
    pub address: u32,
    /// Number of bytes.
    pub bytes: usize,
    /// The RAM.
    pub ram: Region,
}

impl Chip {
    pub(super) fn first_word(&self, address: u32, bytes: usize) -> Result<u32, OutsideRam> {
        let offset = address
            .checked_sub(self.ram.base)
            .filter(|offset| u64::from(*offset) + bytes as u64 <= u64::from(self.ram.size));
        let outside = OutsideRam { address, bytes, ram: self.ram };
        offset.map(|offset| offset / 4).ok_or(outside)
    }

    /// Writes bytes into the RAM, as a loader does before reset.
    ///
    /// # Errors
    /// A byte lies outside; nothing is written then.
    pub fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), OutsideRam> {
        let first = self.first_word(address, bytes.len())?;
        let skip = (address % 4) as usize;
        let mut padded = vec![0; (skip + bytes.len()).next_multiple_of(4)];
        // The bytes around keep their values.
        for word in [0, padded.len().saturating_sub(4)] {
            if word < padded.len() {
                let old = self.word(first + word as u32 / 4);
                padded[word..word + 4].copy_from_slice(&old.to_le_bytes());
            }
        }
        padded[skip..skip + bytes.len()].copy_from_slice(bytes);
        for (k, word) in padded.chunks_exact(4).enumerate() {
            let word = little_endian(word);
            self.engine.write_memory(self.words, first + k as u32, &Bits::from_u64(32, word.into()));
        }
        Ok(())
    }

    /// The bytes of the RAM from `address` on.
    ///
    /// # Errors
    /// A byte lies outside.
    pub fn read(&self, address: u32, bytes: usize) -> Result<Vec<u8>, OutsideRam> {
        let first = self.first_word(address, bytes)?;
        let skip = (address % 4) as usize;
        let words = (skip + bytes).div_ceil(4) as u32;
        let all: Vec<u8> = (first..first + words).flat_map(|word| self.word(word).to_le_bytes()).collect();
        Ok(all[skip..skip + bytes].to_vec())
    }

    /// The word of the RAM at `address`.
    ///
    /// # Errors
    /// A byte of it lies outside.
    pub fn read_word(&self, address: u32) -> Result<u32, OutsideRam> {
        self.read(address, 4).map(|bytes| little_endian(&bytes))
    }

    fn word(&self, index: u32) -> u32 {
        self.engine.read_memory(self.words, index).low_u64() as u32
    }
}

fn little_endian(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte))
}
