//! Ready/valid streams.

use crate::prelude::*;

/// A stream of words: one passes at every clock edge at which `valid` and `ready` are both high. `valid` must not wait
/// for `ready`, and stays up with the same data until the word has passed.
#[derive(Clone, Debug, Bundle)]
pub struct Stream<T> {
    /// A word is offered.
    pub valid: T,
    /// The word.
    pub data: T,
    /// The word is taken. Goes against the stream.
    #[flip]
    pub ready: T,
}

impl Stream<Shape> {
    /// A stream of words of the given shape.
    pub fn of(data: Shape) -> Stream<Shape> {
        Stream { valid: bit(), data, ready: bit() }
    }
}

impl Stream<UInt> {
    /// Whether a word passes in this cycle.
    #[track_caller]
    pub fn fires(&self) -> UInt {
        self.valid & self.ready
    }
}
