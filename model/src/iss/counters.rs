//! The counters (RISC-V Privileged 20240411, 3.1.10 to 3.1.12; Unprivileged 20240411, chapter 8).

use super::bus::Reading;
use super::config::Counters;
use crate::isa::csr::{CYCLE, CYCLEH, MCOUNTINHIBIT, MCYCLE, MCYCLEH, MHPMEVENT3};

const CYCLES: usize = 0;
const TIME: usize = 1;
const INSTRUCTIONS: usize = 2;
/// Number of the first event counter.
const FIRST_EVENT: usize = 3;

/// Which part of which counter a CSR shows.
#[derive(Clone, Copy)]
struct View {
    counter: usize,
    high: bool,
    unprivileged: bool,
}

impl View {
    fn of(csr: u16) -> Option<View> {
        let counter = usize::from(csr & 0x1F);
        let (high, unprivileged) = match csr & !0x1F {
            MCYCLE => (false, false),
            MCYCLEH => (true, false),
            CYCLE => (false, true),
            CYCLEH => (true, true),
            _ => return None,
        };
        Some(View { counter, high, unprivileged })
    }
}

/// The counter that an unprivileged counter CSR shows, which is also its bit in `mcounteren`.
pub(super) fn unprivileged_counter(csr: u16) -> Option<u32> {
    View::of(csr).filter(|view| view.unprivileged).map(|view| view.counter as u32)
}

/// The state of all counters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CounterFile {
    config: Counters,
    /// Number 0 counts cycles, 2 instructions; from 3 on events, which the model does not know and never counts.
    values: [u64; 32],
    selectors: [u32; 32],
    inhibited: u32,
    /// `inhibited` before the instruction under way: a CSR write takes effect after the instruction that makes it.
    inhibited_now: u32,
    /// One bit for each counter that the instruction under way has written.
    written: u32,
}

impl CounterFile {
    pub fn new(config: Counters) -> CounterFile {
        CounterFile {
            config,
            values: [0; 32],
            selectors: [0; 32],
            inhibited: 0,
            inhibited_now: 0,
            written: 0,
        }
    }

    /// One bit for each counter that counts.
    fn counting(&self) -> u32 {
        let events = self.config.events.min(29);
        1 << CYCLES | 1 << INSTRUCTIONS | (((1u64 << events) - 1) << FIRST_EVENT) as u32
    }

    /// The bits of `mcounteren`: the counters that U mode can be given.
    pub fn enable_mask(&self) -> u32 {
        let given = self.config.machine && self.config.unprivileged;
        if given { self.counting() | u32::from(self.config.time) << TIME } else { 0 }
    }

    /// Reads a counter, an event selector or `mcountinhibit`; `None` if it does not exist.
    pub fn read(&self, csr: u16, time: u64) -> Option<Reading> {
        if !self.config.machine {
            return None;
        }
        if csr == MCOUNTINHIBIT {
            return Some(Reading::Exact(self.inhibited));
        }
        if let Some(counter) = selector(csr) {
            return Some(Reading::Exact(self.selectors[counter]));
        }
        let View { counter, high, unprivileged } = View::of(csr)?;
        let exists = match counter {
            TIME => unprivileged && self.config.unprivileged && self.config.time,
            _ => !unprivileged || self.config.unprivileged,
        };
        if !exists {
            return None;
        }
        let wide = if counter == TIME { time } else { self.values[counter] };
        let value = if high { (wide >> 32) as u32 } else { wide as u32 };
        let foreseeable = counter == INSTRUCTIONS || counter != TIME && self.counting() >> counter & 1 == 0;
        Some(if foreseeable { Reading::Exact(value) } else { Reading::timing(value) })
    }

    /// Writes what the CSR keeps; a CSR that is not of the counters' is ignored.
    pub fn write(&mut self, csr: u16, value: u32) {
        let counting = self.counting();
        if csr == MCOUNTINHIBIT {
            self.inhibited = if self.config.inhibit { value & counting } else { 0 };
        } else if let Some(counter) = selector(csr) {
            if counting >> counter & 1 == 1 {
                self.selectors[counter] = value & self.config.event_mask;
            }
        } else if let Some(View { counter, high, unprivileged: false }) = View::of(csr)
            && counting >> counter & 1 == 1
        {
            let old = self.values[counter];
            self.values[counter] = if high {
                u64::from(value) << 32 | u64::from(old as u32)
            } else {
                old >> 32 << 32 | u64::from(value)
            };
            self.written |= 1 << counter;
        }
    }

    /// Counts one instruction. A counter that the instruction wrote keeps what was written: the next instruction reads
    /// exactly that (3.1.10).
    pub fn count(&mut self, retired: bool) {
        let stopped = self.inhibited_now | std::mem::take(&mut self.written);
        for (counter, step) in [(CYCLES, true), (INSTRUCTIONS, retired)] {
            if step && stopped >> counter & 1 == 0 {
                self.values[counter] = self.values[counter].wrapping_add(1);
            }
        }
        self.inhibited_now = self.inhibited;
    }
}

/// The counter whose event selector a CSR is.
fn selector(csr: u16) -> Option<usize> {
    let counter = usize::from(csr.checked_sub(MHPMEVENT3)?) + FIRST_EVENT;
    (counter < 32).then_some(counter)
}
