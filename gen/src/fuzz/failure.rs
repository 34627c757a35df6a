//! What can be wrong with a core.

use ferrite_model::lockstep::Divergence;
use ferrite_sim::StepError;

/// How a core failed on a program.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// It did something else than the model.
    #[error(transparent)]
    Difference(#[from] Box<Divergence>),
    /// It does nothing any more.
    #[error(
        "cycle {cycle}: no instruction has retired for {idle} cycles; the last one goes on at {pc:#010x}"
    )]
    Hang {
        /// When that was noticed.
        cycle: u64,
        /// Cycles without an instruction.
        idle: u64,
        /// Where the program should go on.
        pc: u32,
    },
    /// A property of the hardware does not hold.
    #[error(transparent)]
    Property(#[from] StepError),
    /// It broke the rules of one of its ports.
    #[error("cycle {cycle}: {message}")]
    Protocol {
        /// When.
        cycle: u64,
        /// Which rule.
        message: String,
    },
    /// It took an interrupt that it should not have taken, or did not take one.
    #[error("cycle {cycle}: {message}")]
    Interrupt {
        /// When.
        cycle: u64,
        /// What was wrong.
        message: String,
    },
}

impl Failure {
    /// Whether another failure is of the same kind, and so probably has the same reason.
    pub fn is_like(&self, other: &Failure) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}
