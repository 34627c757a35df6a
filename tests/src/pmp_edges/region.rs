//! Regions of physical memory protection as they are meant, and what RISC-V Privileged 20240411, 3.7.1 says of them.
//!
//! What is permitted follows from the ranges as meant, byte by byte, never from the contents of `pmpaddr`: so this knows nothing of how the golden
//! model and the hardware find ranges.

use std::ops::Range;

/// To read.
pub const R: u8 = 1;
/// To write.
pub const W: u8 = 2;
/// To execute.
pub const X: u8 = 4;
/// The permissions that a region can have: W without R is reserved.
pub const LEGAL: [u8; 6] = [0, R, X, R | X, R | W, R | W | X];

/// How an entry says where its region is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Not at all: there is none, but its address is the bottom of a region of shape [`Shape::Tor`] in the next entry.
    Off,
    /// From the address of the entry below to its own.
    Tor,
    /// A word.
    Na4,
    /// A power of two of at least 8 bytes, at a multiple of its size.
    Napot,
}

/// An entry of the PMP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its bytes; those of [`Shape::Off`] begin and end at its address.
    pub range: Range<u64>,
    /// How that is said.
    pub shape: Shape,
    /// Some of [`R`], [`W`] and [`X`].
    pub permissions: u8,
    /// It cannot be changed, and binds machine mode.
    pub locked: bool,
}

impl Entry {
    /// An entry without a region.
    pub fn off(address: u64) -> Entry {
        Entry { range: address..address, shape: Shape::Off, permissions: 0, locked: false }
    }

    /// An entry with one.
    pub fn new(shape: Shape, range: Range<u64>, permissions: u8, locked: bool) -> Entry {
        Entry { range, shape, permissions, locked }
    }

    /// What `pmpaddr` must hold.
    pub fn address(&self) -> u32 {
        let size = self.range.end.saturating_sub(self.range.start);
        let address = match self.shape {
            Shape::Off | Shape::Na4 => self.range.start >> 2,
            Shape::Tor => self.range.end >> 2,
            // Bits 33:3 of the base, of which the lowest are 1 instead of 0: as many as the size is powers of two above 8.
            Shape::Napot => self.range.start >> 2 | (size / 8 - 1),
        };
        u32::try_from(address).expect("an address of 34 bits")
    }

    /// What its byte of `pmpcfg` must hold.
    pub fn config(&self) -> u8 {
        let shape = match self.shape {
            Shape::Off => 0,
            Shape::Tor => 1,
            Shape::Na4 => 2,
            Shape::Napot => 3,
        };
        u8::from(self.locked) << 7 | shape << 3 | self.permissions
    }
}

/// Checks that entries can mean what they are to mean.
///
/// # Panics
/// If they cannot.
pub fn check(entries: &[Entry]) {
    for (k, entry) in entries.iter().enumerate() {
        let Range { start, end } = entry.range;
        match entry.shape {
            Shape::Off => assert_eq!(start, end, "{entry:?}"),
            Shape::Na4 => assert!(start % 4 == 0 && end == start + 4, "{entry:?}"),
            Shape::Napot => {
                let size = end - start;
                assert!(size >= 8 && size.is_power_of_two() && start % size == 0, "{entry:?}");
            }
            Shape::Tor => {
                let bottom = k.checked_sub(1).map_or(0, |below| u64::from(entries[below].address()) << 2);
                assert!(start == bottom && end % 4 == 0, "{entry:?} on top of {bottom:#x}");
            }
        }
    }
}

/// Whether an access to these bytes is permitted, with the rights of machine mode or of user mode.
pub fn permits(entries: &[Entry], bytes: Range<u64>, permission: u8, machine: bool) -> bool {
    // The first entry that matches any byte decides.
    let first = bytes.clone().filter_map(|byte| entries.iter().position(|e| e.range.contains(&byte))).min();
    match first.map(|first| &entries[first]) {
        None => machine,
        Some(entry) => {
            let all = bytes.clone().all(|byte| entry.range.contains(&byte));
            all && (machine && !entry.locked || entry.permissions & permission != 0)
        }
    }
}
