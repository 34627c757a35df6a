//! Physical memory protection (RISC-V Privileged 20240411, 3.7.1), with a granularity of 4 bytes (G = 0).
//!
//! `pmpaddr` holds 32 bits, address bits 33:2. In `pmpcfg` bits 6:5 of every entry read 0, and W reads 0 where R is 0:
//! the combination is reserved. Entries that a hart does not have read 0 and match nothing.

use super::config::PmpRegions;
use super::privilege::{Access, Privilege};
use crate::isa::csr::{PMPADDR0, PMPCFG0};

/// Entries that have CSRs, whether they exist or read 0.
const ENTRIES: usize = 16;

const READ: u8 = 1 << 0;
const WRITE: u8 = 1 << 1;
const EXECUTE: u8 = 1 << 2;
const LOCKED: u8 = 1 << 7;
/// The bits of a configuration that exist.
const EXISTING: u8 = 0x9F;

/// How an entry's address is meant: field A of its configuration.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Off,
    TopOfRange,
    FourBytes,
    PowerOfTwo,
}

impl Mode {
    const fn of(config: u8) -> Mode {
        match config >> 3 & 3 {
            0 => Mode::Off,
            1 => Mode::TopOfRange,
            2 => Mode::FourBytes,
            _ => Mode::PowerOfTwo,
        }
    }
}

/// The PMP entries of a hart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pmp {
    entries: usize,
    config: [u8; ENTRIES],
    address: [u32; ENTRIES],
}

impl Pmp {
    /// All entries off and unlocked, as after reset.
    pub fn new(regions: PmpRegions) -> Pmp {
        Pmp { entries: regions as usize, config: [0; ENTRIES], address: [0; ENTRIES] }
    }

    /// A `pmpcfg` or `pmpaddr` register; `None` if it does not exist.
    pub fn read(&self, csr: u16) -> Option<u32> {
        if self.entries == 0 {
            return None;
        }
        if let Some(entry) = entry_of(csr, PMPADDR0, ENTRIES) {
            return Some(self.address[entry]);
        }
        let first = 4 * entry_of(csr, PMPCFG0, ENTRIES / 4)?;
        let bytes = [first, first + 1, first + 2, first + 3].map(|entry| self.config[entry]);
        Some(u32::from_le_bytes(bytes))
    }

    /// Writes a `pmpcfg` or `pmpaddr` register; what is locked stays as it is.
    pub fn write(&mut self, csr: u16, value: u32) {
        if let Some(entry) = entry_of(csr, PMPADDR0, self.entries) {
            if !self.address_is_locked(entry) {
                self.address[entry] = value;
            }
        } else if let Some(word) = entry_of(csr, PMPCFG0, ENTRIES / 4) {
            for (byte, config) in value.to_le_bytes().into_iter().enumerate() {
                let entry = 4 * word + byte;
                if entry < self.entries && self.config[entry] & LOCKED == 0 {
                    let write = if config & READ == 0 { WRITE } else { 0 };
                    self.config[entry] = config & EXISTING & !write;
                }
            }
        }
    }

    /// A locked entry locks its address, and the one below if that is its range's bottom.
    fn address_is_locked(&self, entry: usize) -> bool {
        let locked = |entry: usize| self.config[entry] & LOCKED != 0;
        let bounds_next =
            entry + 1 < self.entries && locked(entry + 1) && self.mode(entry + 1) == Mode::TopOfRange;
        locked(entry) || bounds_next
    }

    fn mode(&self, entry: usize) -> Mode {
        Mode::of(self.config[entry])
    }

    /// First address of an entry's range, and the first after it; they may lie beyond 32 bits.
    fn range(&self, entry: usize) -> Option<(u64, u64)> {
        let address = u64::from(self.address[entry]);
        match self.mode(entry) {
            Mode::Off => None,
            Mode::TopOfRange => {
                let bottom = if entry == 0 { 0 } else { u64::from(self.address[entry - 1]) };
                Some((bottom << 2, address << 2))
            }
            Mode::FourBytes => Some((address << 2, (address + 1) << 2)),
            Mode::PowerOfTwo => {
                // n ones at the low end make a range of 2^(n+3) bytes.
                let size = 8u64 << self.address[entry].trailing_ones();
                let start = address << 2 & !(size - 1);
                Some((start, start + size))
            }
        }
    }

    /// True if `privilege` may access the `bytes` bytes from `address` on.
    ///
    /// The first entry that matches any byte decides. It must match all of them; then M mode is bound by it only if it
    /// is locked. Where none matches, M mode may do everything, U mode nothing (unless there is no PMP at all).
    pub fn allows(&self, address: u32, bytes: u32, access: Access, privilege: Privilege) -> bool {
        let first = u64::from(address);
        let end = first + u64::from(bytes);
        for entry in 0..self.entries {
            let Some((start, stop)) = self.range(entry) else { continue };
            if start >= stop || end <= start || stop <= first {
                continue;
            }
            if first < start || stop < end {
                return false;
            }
            let config = self.config[entry];
            let permission = match access {
                Access::Read => READ,
                Access::Write => WRITE,
                Access::Execute => EXECUTE,
            };
            let unbound = privilege == Privilege::Machine && config & LOCKED == 0;
            return unbound || config & permission != 0;
        }
        privilege == Privilege::Machine || self.entries == 0
    }
}

/// Which of `count` registers from `first` on this one is.
fn entry_of(csr: u16, first: u16, count: usize) -> Option<usize> {
    csr.checked_sub(first).map(usize::from).filter(|&entry| entry < count)
}
