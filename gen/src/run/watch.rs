//! Who looks on while a chip runs, and for how long it may.

use std::sync::atomic::{AtomicBool, Ordering};

use ferrite_model::iss::Machine;
use ferrite_model::lockstep::Lockstep;
use ferrite_sim::{FstRecorder, Snapshot};

/// What looks on while the chip runs.
#[derive(Default)]
pub struct Watch<'a> {
    /// The golden model, which executes every instruction too.
    pub lockstep: Option<&'a mut Lockstep<Machine>>,
    /// Waveforms, from the cycle of the reset to the one in which the run ends.
    pub waves: Option<&'a mut FstRecorder>,
    /// Takes every byte that the UART has sent.
    pub console: Option<&'a mut dyn FnMut(u8)>,
    /// Is told now and then how many cycles have passed.
    pub progress: Option<&'a mut dyn FnMut(u64)>,
    /// Take the state on the way.
    pub checkpoints: Vec<Checkpoint<'a>>,
    /// True when the run shall end: with [`super::RunError::Interrupted`], soon.
    pub interrupted: Option<&'a AtomicBool>,
}

impl Watch<'_> {
    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupted.is_some_and(|interrupted| interrupted.load(Ordering::Relaxed))
    }
}

/// Takes the state now and then.
pub struct Checkpoint<'a> {
    /// At cycles that are multiples of this, and above 0.
    pub every: u64,
    /// Takes it, with the number of the cycle. What goes wrong with it is its own to tell: the run goes on.
    pub take: &'a mut dyn FnMut(u64, Snapshot),
}

/// Cycles between two calls of [`Watch::progress`], at most.
const PROGRESS_CYCLES: u64 = 1 << 16;

/// How long a run may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Clock cycles from reset to the exit, the one of the reset among them.
    pub max_cycles: u64,
    /// Clock cycles without an instruction that retires. The core is looked at that often, and every 65,536 cycles at least.
    pub max_idle_cycles: u64,
}

impl Default for Limits {
    /// Hours of simulation, and a fifth of a second of the default chip's time.
    fn default() -> Limits {
        Limits { max_cycles: 10_000_000_000, max_idle_cycles: 10_000_000 }
    }
}

impl Limits {
    /// Cycles between two looks at what the core has done.
    pub(super) fn period(&self) -> u64 {
        PROGRESS_CYCLES.min(self.max_idle_cycles.max(1))
    }
}
