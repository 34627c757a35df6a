//! Interrupt lines that rise and fall at any time, and whether the core does what they ask.

use ferrite_model::iss::Interrupt;

use super::random::Random;

/// A line that is up falls once in so many cycles.
const FALL_CYCLES: u32 = 48;
/// An interrupt that is enabled and pending is taken before so many instructions have retired: those that are under way.
const MOST_DELAY: u32 = 8;

/// The lines of timer and external interrupt, and of the software interrupt as far as the program has not set it.
pub struct Lines {
    /// They rise once in so many cycles.
    rate: u32,
    /// What the program asks for.
    pub software: bool,
    raised: u32,
    is_awake: bool,
    /// Lines that were up at some time since the last instruction.
    seen: u32,
    /// Lines that were up all the time since.
    stable: u32,
    /// The lines in this cycle.
    current: u32,
    /// Instructions that have retired while an enabled interrupt was pending.
    delay: u32,
}

const ALL: u32 = Interrupt::Timer.bit() | Interrupt::Software.bit() | Interrupt::External.bit();

impl Lines {
    /// All down.
    pub fn new(rate: u32) -> Lines {
        Lines { rate, software: false, raised: 0, is_awake: false, seen: 0, stable: 0, current: 0, delay: 0 }
    }

    /// All up, from now on.
    pub fn wake(&mut self) {
        self.is_awake = true;
    }

    /// The lines in the next cycle.
    pub fn now(&mut self, random: &mut Random) -> u32 {
        if self.rate > 0 {
            for interrupt in Interrupt::BY_PRIORITY {
                let is_up = self.raised & interrupt.bit() != 0;
                if random.once_in(if is_up { FALL_CYCLES } else { 3 * self.rate }) {
                    self.raised ^= interrupt.bit();
                }
            }
        }
        let software = if self.software { Interrupt::Software.bit() } else { 0 };
        self.current = if self.is_awake { ALL } else { self.raised | software };
        self.seen |= self.current;
        self.stable &= self.current;
        self.current
    }

    /// The lines that were up at some time since the last instruction.
    pub fn seen(&self) -> u32 {
        self.seen
    }

    /// An instruction has retired; before it an interrupt was taken, or none. Which ones were enabled before and after?
    ///
    /// # Errors
    /// It should not have been taken, or another one should have.
    pub fn judge(
        &mut self,
        taken: Option<Interrupt>,
        enabled: u32,
        enabled_after: u32,
    ) -> Result<(), String> {
        let (seen, stable) = (self.seen, self.stable);
        // What is sampled for the next instruction is sampled from this cycle on.
        (self.seen, self.stable) = (self.current, self.current);
        if let Some(interrupt) = taken {
            self.delay = 0;
            // Who has had what he wanted takes his line down.
            self.raised &= !interrupt.bit();
            self.is_awake = false;
            if seen & interrupt.bit() == 0 {
                return Err(format!("the core took the {interrupt:?} interrupt while its line was down"));
            }
            let urgent = Interrupt::most_urgent(stable & enabled);
            return match urgent.filter(|urgent| rank(*urgent) < rank(interrupt)) {
                Some(urgent) => Err(format!(
                    "the core took the {interrupt:?} interrupt while the more urgent {urgent:?} interrupt was pending and enabled"
                )),
                None => Ok(()),
            };
        }
        self.delay = if stable & enabled & enabled_after != 0 { self.delay + 1 } else { 0 };
        if self.delay > MOST_DELAY {
            return Err(format!(
                "interrupts {:#x} of mip are pending and enabled, and {MOST_DELAY} instructions have retired without one being taken",
                stable & enabled
            ));
        }
        Ok(())
    }
}

/// 0 for the most urgent.
fn rank(interrupt: Interrupt) -> Option<usize> {
    Interrupt::BY_PRIORITY.iter().position(|other| *other == interrupt)
}
