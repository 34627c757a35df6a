//! Running programs and networks on a simulated chip.

mod chip;
mod console;
mod golden;
mod host;
mod network;
mod place;
mod rvfi;
mod state;

pub use chip::{Checkpoint, Chip, Ended, Limits, OutsideRam, RunError, Watch};
pub use golden::golden;
pub use host::Host;
pub use network::{
    Inference, NetworkError, golden_output, load_network, run_loaded, run_network, split_inputs, target,
};
pub use place::Place;
pub use state::RestoreError;
