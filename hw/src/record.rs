//! Bundles as words of a queue.

use ferrite_hdl::library::{Queue, Stream};
use ferrite_hdl::prelude::*;

/// The leaves of a bundle side by side, the first one lowest.
pub fn to_word<B: Bundle<Leaf = UInt>>(record: B) -> UInt {
    let leaves = record.leaves();
    concat(leaves.into_iter().rev().map(|leaf| leaf.value))
}

/// The bundle of this shape in a word made by [`to_word`].
pub fn of_word<S: Bundle<Leaf = Shape>>(shape: S, word: UInt) -> S::With<UInt> {
    let mut low = 0;
    shape.map(|leaf| {
        let part = word.slice(low, leaf.width);
        low += leaf.width;
        part
    })
}

/// A queue of bundles.
pub struct RecordQueue<S: Bundle<Leaf = Shape>> {
    enq: Stream<UInt>,
    /// There is room for one more.
    pub ready: UInt,
    /// There is a first one.
    pub valid: UInt,
    /// The first one.
    pub front: S::With<UInt>,
    /// The first one goes; to be set.
    pub takes: UInt,
}

impl<S: Bundle<Leaf = Shape> + Clone> RecordQueue<S> {
    /// An instance of [`Queue`] for `depth` bundles (a power of two from 2 on).
    #[track_caller]
    pub fn new(m: &Builder, name: &str, depth: u32, shape: S) -> RecordQueue<S> {
        let width = shape.clone().leaves().iter().map(|leaf| leaf.value.width).sum();
        let queue = m.instance(name, &Queue { width, depth }).i;
        RecordQueue {
            ready: queue.enq.ready,
            valid: queue.deq.valid,
            front: of_word(shape, queue.deq.data),
            takes: queue.deq.ready,
            enq: queue.enq,
        }
    }

    /// What goes in, where `valid` and [`RecordQueue::ready`] are high.
    #[track_caller]
    pub fn put(&self, valid: UInt, record: S::With<UInt>) {
        self.enq.valid.set(valid);
        self.enq.data.set(to_word(record));
    }
}
