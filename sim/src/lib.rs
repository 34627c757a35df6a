//! Simulation of designs: the [`Simulator`] trait and the interpreter, typed access through bundles ([`Sim`]), and waveforms: drawn
//! in characters for tests ([`Waves`]), as FST files for viewers ([`FstRecorder`]). The state of a run can be saved and gone on from, in any
//! engine ([`Snapshot`]).

mod engine;
mod fst;
mod interpret;
mod native;
mod new_file;
mod probes;
mod snapshot;
mod typed;
mod verilator;
mod waves;

pub use engine::{PortError, Simulator, StepError};
pub use fst::{FstError, FstOptions, FstRecorder, TIME_PER_CYCLE};
pub use interpret::Interpreter;
pub use native::{KeptSignals, Native, NativeError, NativeOptions};
pub use new_file::NewFile;
pub use probes::{Change, Probe, Probes};
pub use snapshot::{Snapshot, SnapshotError};
pub use typed::{Port, Sim};
pub use verilator::{Verilator, VerilatorError, VerilatorOptions};
pub use waves::Waves;
