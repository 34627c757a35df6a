//! Simulation of designs: the [`Simulator`] trait and the interpreter, typed access through bundles ([`Sim`]), and waveforms drawn
//! in characters ([`Waves`]).

mod engine;
mod interpret;
mod typed;
mod waves;

pub use engine::{PortError, Simulator, StepError};
pub use interpret::Interpreter;
pub use typed::{Port, Sim};
pub use waves::Waves;
