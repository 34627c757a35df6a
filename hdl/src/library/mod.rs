//! A small standard library, written in the HDL like any user's module.
//!
//! ```
//! use ferrite_hdl::library::{Queue, Stream};
//! use ferrite_hdl::prelude::*;
//!
//! #[derive(Clone, Bundle)]
//! pub struct DoublerIn<T> {
//!     words: Stream<T>,
//!     #[flip]
//!     doubled: Stream<T>,
//! }
//!
//! /// Doubles the words of a stream, behind a queue.
//! #[module]
//! pub struct Doubler;
//!
//! impl Module for Doubler {
//!     type In = DoublerIn<UInt>;
//!     type Out = Empty<UInt>;
//!
//!     fn inputs(&self) -> DoublerIn<Shape> {
//!         DoublerIn { words: Stream::of(bits(8)), doubled: Stream::of(bits(9)) }
//!     }
//!     fn outputs(&self) -> Empty<Shape> {
//!         Empty::new()
//!     }
//!     fn build(&self, m: &Builder, i: DoublerIn<UInt>) -> Empty<UInt> {
//!         let queue = m.instance("queue", &Queue { width: 8, depth: 4 }).i;
//!         m.connect(queue.enq, i.words);
//!         // Both ends of a stream have all three signals; the sender sets `valid` and `data`, the receiver `ready`.
//!         i.doubled.valid.set(queue.deq.valid);
//!         i.doubled.data.set(queue.deq.data.concat(Bits::zero(1)));
//!         queue.deq.ready.set(i.doubled.ready);
//!         Empty::new()
//!     }
//! }
//! elaborate(&Doubler).unwrap_or_else(|mistakes| panic!("{mistakes}"));
//! ```

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
