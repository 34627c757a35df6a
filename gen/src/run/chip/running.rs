//! From reset to the program's exit, cycle by cycle.

use ferrite_hdl::Bits;
use ferrite_hw::map::uart;
use ferrite_model::iss::Bus;

use super::Chip;
use crate::run::outcome::{Ended, RunError};
use crate::run::state::RunState;
use crate::run::watch::{Limits, Watch};

/// Cycles of one call of the engine, at most: even the slowest engine listens to an interruption after a second.
const CALL_CYCLES: u64 = 1 << 12;

/// Frames that may still be under way when the program has ended: one in the shift register, and those waiting.
const FRAMES_UNDER_WAY: u64 = 1 + uart::FIFO_DEPTH as u64;
/// Bits of a frame on the UART's line.
const FRAME_BITS: u64 = 10;
/// More cycles than pass between a store to the UART and the start bit.
const UART_START_CYCLES: u64 = 8;

/// Cycles to the next multiple of a number.
fn until_multiple(cycles: u64, of: u64) -> u64 {
    of - cycles % of
}

impl Chip {
    /// Resets everything but the memories: one cycle with `rst` up, which is the run's first.
    ///
    /// # Errors
    /// A property of the hardware that does not hold, or a waveform that cannot be written.
    pub fn reset(&mut self, watch: &mut Watch) -> Result<(), RunError> {
        self.engine.poke(self.pins.reset, &Bits::ones(1));
        self.poke_memory("memory_stall", 0);
        self.poke_memory("memory_seed", self.stalls.unwrap_or(1));
        self.record(watch)?;
        self.engine.step(1).map_err(|failure| self.failed(failure))?;
        self.engine.poke(self.pins.reset, &Bits::zero(1));
        self.poke_memory("memory_stall", self.stalls.is_some().into());
        self.state = RunState::at_reset(self.state.program, self.cycles_per_bit);
        self.state.cycles = 1;
        Ok(())
    }

    /// Resets the chip and runs it until the program ends itself. Bytes still in the UART then are waited for.
    ///
    /// # Errors
    /// The program did not end within the limits, hardware and golden model differ, or a property of the hardware does not hold. The state stays as it was
    /// then.
    pub fn run(&mut self, limits: &Limits, watch: &mut Watch) -> Result<Ended, RunError> {
        self.reset(watch)?;
        self.resume(limits, watch)
    }

    /// As [`Chip::run`], but goes on from where the chip is. Whatever a run is interrupted by, it ends as it would have.
    ///
    /// # Errors
    /// As [`Chip::run`].
    pub fn resume(&mut self, limits: &Limits, watch: &mut Watch) -> Result<Ended, RunError> {
        let start = self.state.cycles;
        let exit_code = loop {
            self.record(watch)?;
            if self.is_up(self.pins.exit_valid) {
                break self.engine.peek(self.pins.exit_code).low_u64() as u32;
            }
            if let Some(exit_code) = self.serve(watch)? {
                break exit_code;
            }
            // What is to be done in the cycle of a state has been done before it was taken.
            if self.state.cycles > start {
                self.note_progress(limits, watch)?;
                self.reach_checkpoints(watch)?;
            }
            self.check_end(limits, watch)?;
            self.compare(watch)?;
            self.advance(self.until_stop(limits, watch), watch)?;
        };
        let ended = Ended { exit_code, cycles: self.state.cycles, instructions: self.retired() };
        self.settle(watch)?;
        Ok(ended)
    }

    /// Cycles in which nobody has anything to do; at least one.
    fn until_stop(&self, limits: &Limits, watch: &Watch) -> u64 {
        if watch.lockstep.is_some() {
            return 1;
        }
        let cycles = self.state.cycles;
        let periods = watch.checkpoints.iter().map(|checkpoint| checkpoint.every.max(1));
        let periods =
            periods.chain([limits.period(), CALL_CYCLES]).map(|every| until_multiple(cycles, every));
        let others = [limits.max_cycles - cycles, self.until_served(), self.until_recorded(watch)];
        periods.chain(others).min().unwrap_or(1)
    }

    /// Tells how far the run is, and notices a core that does nothing any more.
    fn note_progress(&mut self, limits: &Limits, watch: &mut Watch) -> Result<(), RunError> {
        let cycles = self.state.cycles;
        if !cycles.is_multiple_of(limits.period()) {
            return Ok(());
        }
        if let Some(progress) = &mut watch.progress {
            progress(cycles);
        }
        let retired = self.retired();
        if retired != self.state.retired {
            (self.state.retired, self.state.busy_cycle) = (retired, cycles);
        }
        let idle = cycles - self.state.busy_cycle;
        if idle > limits.max_idle_cycles {
            return Err(RunError::Hang { idle, cycle: self.cycle(), place: self.place() });
        }
        Ok(())
    }

    fn reach_checkpoints(&mut self, watch: &mut Watch) -> Result<(), RunError> {
        for checkpoint in &mut watch.checkpoints {
            if self.state.cycles.is_multiple_of(checkpoint.every.max(1)) {
                (checkpoint.take)(self.cycle(), self.save()?);
            }
        }
        Ok(())
    }

    /// Ends a run that has no cycle left, or that somebody wants to end.
    fn check_end(&mut self, limits: &Limits, watch: &Watch) -> Result<(), RunError> {
        if self.state.cycles >= limits.max_cycles {
            return Err(RunError::Budget { cycles: limits.max_cycles, place: self.place() });
        }
        if watch.is_interrupted() {
            return Err(RunError::Interrupted { cycle: self.cycle(), place: self.place() });
        }
        Ok(())
    }

    /// Cycles until the next one that the waveform shows; at least one.
    fn until_recorded(&self, watch: &Watch) -> u64 {
        watch.waves.as_ref().map_or(u64::MAX, |waves| waves.unrecorded(self.cycle()).max(1))
    }

    /// Puts this cycle into the waveform.
    fn record(&mut self, watch: &mut Watch) -> Result<(), RunError> {
        match &mut watch.waves {
            Some(waves) => Ok(waves.sample(&mut *self.engine, &[0])?),
            None => Ok(()),
        }
    }

    /// Compares the instruction that retires in this cycle, and the CSRs after it, with the golden model's.
    fn compare(&mut self, watch: &mut Watch) -> Result<(), RunError> {
        if let Some(lockstep) = &mut watch.lockstep {
            let record = self.pins.rvfi.record(&mut *self.engine);
            if record.valid {
                let csrs = self.pins.csrs.values(&mut *self.engine);
                lockstep.check_with_csrs(self.engine.cycle(), &record, &csrs)?;
            }
        }
        Ok(())
    }

    /// Goes on for at most `cycles`, or until the UART's line changes or the program ends.
    fn advance(&mut self, cycles: u64, watch: &mut Watch) -> Result<(), RunError> {
        let level = self.is_up(self.pins.uart_tx);
        let before = self.cycle();
        let run = self.engine.run(cycles, &[self.pins.uart_tx, self.pins.exit_valid]);
        // Also of a run that a property ends.
        let passed = self.cycle() - before;
        self.state.cycles += passed;
        if let Some(byte) = self.state.line.hear(level, passed)
            && let Some(console) = &mut watch.console
        {
            console(byte);
        }
        run.map(|_| ()).map_err(|failure| self.failed(failure))
    }

    /// Waits for the bytes that are still in the UART, and for the instructions that are still in the core.
    fn settle(&mut self, watch: &mut Watch) -> Result<(), RunError> {
        let line = &self.state.line;
        let quiet = if line.heard { u64::from(self.cycles_per_bit) } else { UART_START_CYCLES };
        // The last store may have been the one before that which ended the program.
        let started = self.state.cycles + UART_START_CYCLES;
        let end = started + FRAMES_UNDER_WAY * FRAME_BITS * u64::from(self.cycles_per_bit);
        while self.state.cycles < started || self.state.line.quiet < quiet && self.state.cycles < end {
            self.record(watch)?;
            // The exit is noticed before the last instructions retire, the one that caused it among them.
            let lockstep = watch.lockstep.as_ref();
            let has_more = lockstep.is_some_and(|lockstep| lockstep.iss().bus.exit_code().is_none());
            if has_more {
                self.compare(watch)?;
            }
            let most = if has_more { 1 } else { UART_START_CYCLES };
            self.advance(most.min(self.until_recorded(watch)), watch)?;
        }
        Ok(())
    }
}
