//! The CLINT timer (`docs/chip.md`).

use super::bus::Reading;
use super::trap::Interrupt;

const MSIP: u32 = 0x0000;
const MTIMECMP: u32 = 0x4000;
const MTIME: u32 = 0xBFF8;

/// Software interrupt bit, timer and its comparator.
#[derive(Clone, Debug)]
pub(super) struct Clint {
    msip: bool,
    mtimecmp: u64,
    pub mtime: u64,
}

impl Clint {
    /// The comparator starts at its largest value, so that no interrupt is pending.
    pub fn new() -> Clint {
        Clint { msip: false, mtimecmp: u64::MAX, mtime: 0 }
    }

    /// The word at `offset`, a multiple of 4.
    pub fn read(&self, offset: u32) -> Reading {
        match offset {
            MSIP => Reading::Exact(u32::from(self.msip)),
            MTIMECMP => Reading::Exact(self.mtimecmp as u32),
            _ if offset == MTIMECMP + 4 => Reading::Exact((self.mtimecmp >> 32) as u32),
            MTIME => Reading::timing(self.mtime as u32),
            _ if offset == MTIME + 4 => Reading::timing((self.mtime >> 32) as u32),
            _ => Reading::Exact(0),
        }
    }

    /// Replaces the bits of the word at `offset` that are set in `mask`.
    pub fn write(&mut self, offset: u32, value: u32, mask: u32) {
        let merged = |counter: u64, low: u32| {
            let wide_mask = u64::from(mask) << low;
            counter & !wide_mask | u64::from(value) << low & wide_mask
        };
        match offset {
            MSIP if mask & 1 == 1 => self.msip = value & 1 == 1,
            MTIMECMP => self.mtimecmp = merged(self.mtimecmp, 0),
            _ if offset == MTIMECMP + 4 => self.mtimecmp = merged(self.mtimecmp, 32),
            MTIME => self.mtime = merged(self.mtime, 0),
            _ if offset == MTIME + 4 => self.mtime = merged(self.mtime, 32),
            _ => {}
        }
    }

    /// The interrupt lines, at their places in `mip`.
    pub fn interrupts(&self) -> u32 {
        let software = if self.msip { Interrupt::Software.bit() } else { 0 };
        let timer = if self.mtime >= self.mtimecmp { Interrupt::Timer.bit() } else { 0 };
        software | timer
    }
}
