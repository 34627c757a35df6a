//! A small standard library, written in the HDL like any user's module.

mod arbiter;
mod async_fifo;
mod onehot;
mod queue;
mod skid;
mod stream;
mod synchroniser;

pub use arbiter::{ArbiterIn, ArbiterOut, RoundRobinArbiter};
pub use async_fifo::{AsyncFifo, AsyncFifoIn};
pub use onehot::{one_hot, one_hot_mux, priority_encode, priority_grant};
pub use queue::{Queue, QueueIn, QueueOut};
pub use skid::{SkidBuffer, SkidBufferIn};
pub use stream::Stream;
pub use synchroniser::{Synchroniser, SynchroniserIn, SynchroniserOut};
