//! A chip's memories as a loader sees them.

use ferrite_hdl::Bits;
use ferrite_hw::map::Region;

use super::Chip;
use crate::elf::in_words;

/// Addresses outside of the memories that a loader reaches.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{bytes} bytes at {address:#010x} are not in a memory of the chip, which has {memories}")]
pub struct OutsideMemory {
    /// First address.
    pub address: u32,
    /// Number of bytes.
    pub bytes: usize,
    /// The memories, in words.
    pub memories: String,
}

/// A memory.
pub(super) struct Loadable {
    pub region: Region,
    /// Its number in the engine.
    pub index: usize,
    /// Bytes of a word.
    pub word_bytes: usize,
}

/// Where bytes stand.
#[derive(Clone, Copy)]
struct Place {
    /// Number of the memory in the engine.
    memory: usize,
    word_bytes: usize,
    /// The word of the first byte, and bytes of it before that.
    word: u32,
    skip: usize,
}

impl Chip {
    fn locate(&self, address: u32, bytes: usize) -> Result<Place, OutsideMemory> {
        let found = self.memories.iter().find_map(|memory| {
            let offset = address.checked_sub(memory.region.base)?;
            let fits = u64::from(offset) + bytes as u64 <= u64::from(memory.region.size);
            let word_bytes = memory.word_bytes;
            fits.then_some(Place {
                memory: memory.index,
                word_bytes,
                word: offset / word_bytes as u32,
                skip: offset as usize % word_bytes,
            })
        });
        found.ok_or_else(|| {
            let regions: Vec<Region> = self.memories.iter().map(|memory| memory.region).collect();
            OutsideMemory { address, bytes, memories: in_words(&regions) }
        })
    }

    /// Whether bytes are in a memory.
    pub(super) fn check_place(&self, address: u32, bytes: usize) -> Result<(), OutsideMemory> {
        self.locate(address, bytes).map(|_| ())
    }

    /// Writes bytes into a memory, as a loader does before reset.
    ///
    /// # Errors
    /// A byte lies outside; nothing is written then.
    pub fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), OutsideMemory> {
        let place = self.locate(address, bytes.len())?;
        let Place { memory, word_bytes, word: first, skip } = place;
        let mut padded = vec![0; (skip + bytes.len()).next_multiple_of(word_bytes)];
        // The bytes around keep their values.
        for start in [0, padded.len().saturating_sub(word_bytes)] {
            if start < padded.len() {
                let old = self.word(place, (start / word_bytes) as u32);
                padded[start..start + word_bytes].copy_from_slice(&old);
            }
        }
        padded[skip..skip + bytes.len()].copy_from_slice(bytes);
        for (k, word) in (first..).zip(padded.chunks_exact(word_bytes)) {
            let parts: Vec<u64> = word.chunks(8).map(little_endian).collect();
            self.engine.write_memory(memory, k, &Bits::from_words(8 * word_bytes as u32, &parts));
        }
        Ok(())
    }

    /// The bytes of a memory from `address` on.
    ///
    /// # Errors
    /// A byte lies outside.
    pub fn read(&self, address: u32, bytes: usize) -> Result<Vec<u8>, OutsideMemory> {
        let place = self.locate(address, bytes)?;
        let words = (place.skip + bytes).div_ceil(place.word_bytes) as u32;
        let all: Vec<u8> = (0..words).flat_map(|k| self.word(place, k)).collect();
        Ok(all[place.skip..place.skip + bytes].to_vec())
    }

    /// The 32-bit word at `address`.
    ///
    /// # Errors
    /// A byte of it lies outside.
    pub fn read_word(&self, address: u32) -> Result<u32, OutsideMemory> {
        self.read(address, 4).map(|bytes| little_endian(&bytes) as u32)
    }

    /// The bytes of a word, counted from the place's first.
    fn word(&self, place: Place, k: u32) -> Vec<u8> {
        let parts = self.engine.read_memory(place.memory, place.word + k).to_words();
        parts.iter().flat_map(|part| part.to_le_bytes()).take(place.word_bytes).collect()
    }
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}
