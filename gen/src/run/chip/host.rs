//! Answering a program that talks to its host.

use super::Chip;
use crate::run::htif::{self, Host, Request};
use crate::run::outcome::RunError;
use crate::run::watch::Watch;

/// Cycles between two looks at whether the program asks something of its host.
const LOOK_CYCLES: u64 = 64;
/// More cycles than pass between the two stores of a request's halves.
const STORE_CYCLES: u64 = 16;

impl Chip {
    /// Cycles until [`Chip::serve`] has something to do again.
    pub(super) fn until_served(&self) -> u64 {
        let cycles = self.state.cycles;
        match (self.host, self.state.asked) {
            (None, _) => u64::MAX,
            (Some(_), Some(asked)) => (asked + STORE_CYCLES).saturating_sub(cycles).max(1),
            (Some(_), None) => LOOK_CYCLES - cycles % LOOK_CYCLES,
        }
    }

    /// Does what the program asks of its host; gives the exit code of one that has ended.
    pub(super) fn serve(&mut self, watch: &mut Watch) -> Result<Option<u32>, RunError> {
        let Some(host) = self.host else { return Ok(None) };
        let cycles = self.state.cycles;
        let Some(asked) = self.state.asked else {
            if cycles.is_multiple_of(LOOK_CYCLES) && self.double_word(host.tohost) != Some(0) {
                self.state.asked = Some(cycles);
            }
            return Ok(None);
        };
        // The program may be between its two stores.
        if cycles < asked + STORE_CYCLES {
            return Ok(None);
        }
        let exit_code = self.answer(host, watch)?;
        self.state.asked = None;
        Ok(exit_code)
    }

    fn answer(&mut self, host: Host, watch: &mut Watch) -> Result<Option<u32>, RunError> {
        let value = self.double_word(host.tohost).unwrap_or(0);
        let request = htif::request(value, |address| self.double_word(address));
        let (printed, call) = match request {
            Some(Request::Exit(code)) => return Ok(Some(code)),
            Some(Request::Print(bytes)) => (Some(bytes), None),
            Some(Request::Write { call, from, bytes }) => (self.read(from, bytes as usize).ok(), Some(call)),
            None => (None, None),
        };
        let Some(printed) = printed else {
            return Err(RunError::Host { value, cycle: self.cycle(), place: self.place() });
        };
        if watch.lockstep.is_some() {
            return Err(RunError::HostInLockstep { cycle: self.cycle() });
        }
        if let Some(call) = call {
            self.set_double_word(call, printed.len() as u64);
        }
        if let Some(console) = &mut watch.console {
            printed.into_iter().for_each(console);
        }
        self.set_double_word(host.tohost, 0);
        if let Some(fromhost) = host.fromhost.filter(|_| call.is_some()) {
            self.set_double_word(fromhost, 1);
        }
        Ok(None)
    }

    fn double_word(&self, address: u32) -> Option<u64> {
        let bytes = self.read(address, 8).ok()?;
        bytes.try_into().ok().map(u64::from_le_bytes)
    }

    fn set_double_word(&mut self, address: u32, value: u64) {
        self.write(address, &value.to_le_bytes()).expect("it was read from there");
    }
}
