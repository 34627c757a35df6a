//! What is shown while something takes long: on a terminal only, on standard error.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::numbers::{frequency, grouped};

/// How often the spinner turns.
const TICK: Duration = Duration::from_millis(100);

/// A spinner with a text.
pub fn spinner(text: impl Into<String>) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(text.into());
    bar.enable_steady_tick(TICK);
    bar
}

/// A bar that grows with the instructions that have retired.
pub fn instructions(of: u64) -> ProgressBar {
    let bar = ProgressBar::new(of).with_style(
        ProgressStyle::with_template(
            "{wide_bar} {human_pos} of {human_len} instructions, {per_sec}, {eta} left",
        )
        .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    bar.enable_steady_tick(TICK);
    bar
}

/// Shows how far a run is.
pub struct Cycles {
    bar: ProgressBar,
    /// The cycle from which the run goes on.
    first: u64,
    started: Instant,
}

impl Cycles {
    /// At the start of a run.
    pub fn new() -> Cycles {
        Cycles::from_cycle(0)
    }

    /// At the start of a run that goes on from a cycle.
    pub fn from_cycle(first: u64) -> Cycles {
        Cycles { bar: spinner("running"), first, started: Instant::now() }
    }

    /// So many cycles have passed.
    pub fn show(&self, cycles: u64) {
        let speed = frequency(cycles.saturating_sub(self.first), self.started.elapsed().as_secs_f64());
        self.bar.set_message(format!("{} cycles, {speed}", grouped(cycles)));
    }

    /// Does something, printing perhaps, with the spinner out of the way.
    pub fn pause<R>(&self, body: impl FnOnce() -> R) -> R {
        self.bar.suspend(body)
    }

    /// Takes the spinner away; gives the seconds since the start.
    pub fn finish(self) -> f64 {
        self.bar.finish_and_clear();
        self.started.elapsed().as_secs_f64()
    }
}
