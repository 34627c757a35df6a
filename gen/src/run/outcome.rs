//! How a run ends.

use ferrite_model::lockstep::Divergence;
use ferrite_sim::{FstError, SnapshotError, StepError};

use super::place::Place;

/// Why a run ended without the program's own doing. Cycles have the simulator's numbers, which are those of the waveform.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The program did not end in time.
    #[error("the program has not ended after {cycles} cycles; allow more with --max-cycles\n{place}")]
    Budget {
        /// Cycles that it had, the one of the reset among them.
        cycles: u64,
        /// Where it was then.
        place: Place,
    },
    /// The core does nothing any more.
    #[error(
        "no instruction has retired for {idle} cycles, noticed in cycle {cycle}: the core hangs, or waits for an interrupt that does not \
         come\n{place}"
    )]
    Hang {
        /// Cycles without an instruction.
        idle: u64,
        /// The cycle in which it was noticed.
        cycle: u64,
        /// Where the program is.
        place: Place,
    },
    /// The program asks something of its host that this one cannot do.
    #[error(
        "cycle {cycle}: the program asks its host for {value:#x} (tohost); known here are only its exit, characters for the console \
         (device 1, command 1) and the system calls write and exit\n{place}"
    )]
    Host {
        /// The value of `tohost`.
        value: u64,
        /// The cycle in which it was asked.
        cycle: u64,
        /// Where the program is.
        place: Place,
    },
    /// The program asks its host to print. Loads that are under way in the hardware then do not see the answer, those of the golden model do.
    #[error(
        "cycle {cycle}: the program asks its host to print (tohost), which cannot be answered in lockstep with the golden model; run it without \
         --lockstep"
    )]
    HostInLockstep {
        /// The cycle in which it was asked.
        cycle: u64,
    },
    /// A property of the hardware does not hold.
    #[error("{failure}\n{place}")]
    Check {
        /// Which one, and in which cycle.
        failure: Box<StepError>,
        /// Where the program was then.
        place: Place,
    },
    /// The user or the system wants the run to end.
    #[error("interrupted in cycle {cycle}\n{place}")]
    Interrupted {
        /// The cycle that was not finished.
        cycle: u64,
        /// Where the program was then.
        place: Place,
    },
    /// Chip and golden model differ.
    #[error(transparent)]
    Divergence(#[from] Box<Divergence>),
    /// The waveform cannot be written.
    #[error(transparent)]
    Waves(#[from] FstError),
    /// The engine does not give its state on the way.
    #[error(transparent)]
    Save(#[from] SnapshotError),
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// What it wrote to the exit device: 16 bits.
    pub exit_code: u32,
    /// Clock cycles from reset to the exit, the one of the reset among them.
    pub cycles: u64,
    /// Instructions that retired, those that trapped among them.
    pub instructions: u64,
}
