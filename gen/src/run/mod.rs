//! Running programs and networks on a simulated chip.

mod chip;
mod console;
mod golden;
mod htif;
mod network;
mod outcome;
mod place;
mod rvfi;
mod state;
mod watch;

pub use chip::{Chip, OutsideMemory};
pub use golden::{golden, hart};
pub use htif::Host;
pub use network::{
    Inference, NetworkError, golden_output, load_network, run_loaded, run_network, split_inputs, target,
};
pub use outcome::{Ended, RunError};
pub use place::Place;
pub(crate) use rvfi::{CsrPins, RvfiPins};
pub use state::RestoreError;
pub use watch::{Checkpoint, Limits, Watch};
