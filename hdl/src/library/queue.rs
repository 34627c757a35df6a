//! A first-in first-out queue.

use super::Stream;
use crate::prelude::*;

/// Ports of a queue.
#[derive(Clone, Debug, Bundle)]
pub struct QueueIn<T> {
    /// Words that go in.
    pub enq: Stream<T>,
    /// Words that come out.
    #[flip]
    pub deq: Stream<T>,
}

/// State of a queue.
#[derive(Clone, Debug, Bundle)]
pub struct QueueOut<T> {
    /// Words in the queue.
    pub count: T,
}

/// A queue of `depth` words (a power of two) of `width` bits. A word can leave in the cycle after it entered; input and output have no
/// combinational path between them.
#[module]
pub struct Queue {
    /// Bits of a word.
    pub width: u32,
    /// Words; a power of two from 2 on.
    pub depth: u32,
}

impl Queue {
    fn index_bits(&self) -> u32 {
        self.depth.trailing_zeros().max(1)
    }
}

impl Module for Queue {
    type In = QueueIn<UInt>;
    type Out = QueueOut<UInt>;

    fn name(&self) -> String {
        format!("Queue_{}x{}", self.depth, self.width)
    }
    fn inputs(&self) -> QueueIn<Shape> {
        QueueIn { enq: Stream::of(bits(self.width)), deq: Stream::of(bits(self.width)) }
    }
    fn outputs(&self) -> QueueOut<Shape> {
        QueueOut { count: bits(self.index_bits() + 1) }
    }
    fn build(&self, m: &Builder, i: QueueIn<UInt>) -> QueueOut<UInt> {
        let words = m.memory("words", self.depth, self.width);
        // One bit more than an index: equal pointers mean empty, pointers a whole round apart mean full.
        let head = m.reg("head", self.index_bits() + 1).reset_to(0);
        let tail = m.reg("tail", self.index_bits() + 1).reset_to(0);
        wire!(m, count = tail.wrapping_sub(head));
        i.enq.ready.set(count.ne(self.depth));
        i.deq.valid.set(count.ne(0));
        i.deq.data.set(words.read_async("front", head.truncate(self.index_bits())));
        m.when(i.enq.fires(), || {
            words.write(tail.truncate(self.index_bits()), i.enq.data);
            tail.set(tail.wrapping_add(1));
        });
        m.when(i.deq.fires(), || head.set(head.wrapping_add(1)));
        m.assert("never_overfull", count.le(self.depth));
        QueueOut { count }
    }
}
