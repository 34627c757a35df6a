//! From the tensor unit's commands to what its parts do: each command is judged, its ranges are computed, and it begins when no older one
//! is in its way (`docs/decisions/0014`).
//!
//! ```text
//!  words   +--------+ records  +---------+ orders  +-------+     load
//!  ------> | gather | -------> | prepare | ------> | board | --> store       each with a queue of orders
//!          +--------+          +---------+         +-------+     convolve    and "done" for each
//!                                                                output
//! ```

mod board;
mod gather;
mod order;
mod prepare;
mod record;

pub use board::{Board, BoardIn, BoardOut, Held, Lane};
pub use gather::{Gather, GatherIn};
pub use order::{EXTERNAL_BLOCK_BYTES, Order, OrderStream, Region, Regions, Transfer};
pub use prepare::{Prepare, PrepareIn, PrepareOut, PrepareState};
pub use record::{Cause, Opcode, Part, RECORD_WORDS, RecordStream};
