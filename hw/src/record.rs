//! Bundles as words of a queue.

use ferrite_hdl::library::{Queue, SkidBuffer, Stream};
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

/// A register for the first bundle of a stream: the next one moves in where none is there or it goes.
pub struct FrontRegister<S: Bundle<Leaf = Shape>> {
    /// One is there.
    pub valid: UInt,
    /// It.
    pub front: S::With<UInt>,
    /// It goes; to be set.
    pub takes: UInt,
    /// The next one moves in, if there is one.
    pub moves: UInt,
}

impl<S: Bundle<Leaf = Shape>> FrontRegister<S>
where
    S::With<UInt>: Bundle<Leaf = UInt> + Clone,
{
    /// The register for a stream whose next one is `next`, where `offered` is high.
    #[track_caller]
    pub fn new(m: &Builder, name: &str, shape: S, offered: UInt, next: S::With<UInt>) -> FrontRegister<S> {
        let valid = m.reg(&format!("{name}_valid"), 1).reset_to(0);
        let front = m.regs(name, shape);
        let takes = m.wire(&format!("{name}_takes"), 1);
        let moves = m.node(&format!("{name}_moves"), !valid | takes);
        m.when(moves, || {
            valid.set(offered);
            m.connect(front.clone(), next);
        });
        FrontRegister { valid, front, takes, moves }
    }
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

/// Bits of a bundle of this shape as a word.
fn word_bits<S: Bundle<Leaf = Shape> + Clone>(shape: &S) -> u32 {
    shape.clone().leaves().iter().map(|leaf| leaf.value.width).sum()
}

/// Whether a queue has room and whether there is something in it, as registers. What `offered` and `takes` say counts only where they are high.
fn counted(m: &Builder, name: &str, depth: u32, count: UInt, [offered, takes]: [UInt; 2]) -> (UInt, UInt) {
    let ready = m.reg(&format!("{name}_ready"), 1).reset_to(1);
    let valid = m.reg(&format!("{name}_valid"), 1).reset_to(0);
    ready.set((takes & valid) | (ready & !(offered & count.eq(depth - 1))));
    valid.set((offered & ready) | (valid & !(takes & count.eq(1))));
    (ready, valid)
}

impl<S: Bundle<Leaf = Shape> + Clone> RecordQueue<S> {
    /// An instance of [`Queue`] for `depth` bundles (a power of two from 2 on).
    #[track_caller]
    pub fn new(m: &Builder, name: &str, depth: u32, shape: S) -> RecordQueue<S> {
        let width = word_bits(&shape);
        let queue = m.instance(name, &Queue { width, depth }).i;
        RecordQueue {
            ready: queue.enq.ready,
            valid: queue.deq.valid,
            front: of_word(shape, queue.deq.data),
            takes: queue.deq.ready,
            enq: queue.enq,
        }
    }

    /// The same, but `ready` and `valid` are registers, found with the count before: comparing the queue's ends takes long.
    #[track_caller]
    pub fn counted(m: &Builder, name: &str, depth: u32, shape: S) -> RecordQueue<S> {
        let queue = m.instance(name, &Queue { width: word_bits(&shape), depth });
        let (enq, deq) = (queue.i.enq, queue.i.deq);
        let (ready, valid) = counted(m, name, depth, queue.o.count, [enq.valid, deq.ready]);
        RecordQueue { ready, valid, front: of_word(shape, deq.data), takes: deq.ready, enq }
    }

    /// The same, but a bundle that finds the queue empty may leave it at once.
    #[track_caller]
    pub fn passing(m: &Builder, name: &str, depth: u32, shape: S) -> RecordQueue<S> {
        let width = word_bits(&shape);
        let queue = m.instance(name, &Queue { width, depth });
        let (kept, deq) = (queue.i.enq, queue.i.deq);
        let enq = m.wires(&format!("{name}_new"), Stream::of(bits(width)));
        let takes = m.wire(&format!("{name}_takes"), 1);
        let waits = m.wire(&format!("{name}_waits"), 1);
        kept.data.set(enq.data);
        kept.valid.set(enq.valid & (waits | !takes));
        deq.ready.set(takes);
        let (ready, has_kept) = counted(m, name, depth, queue.o.count, [kept.valid, takes]);
        waits.set(has_kept);
        enq.ready.set(ready);
        let front = of_word(shape, waits.mux(deq.data, enq.data));
        RecordQueue { ready, valid: waits | enq.valid, front, takes, enq }
    }

    /// A [`SkidBuffer`]: a bundle passes at once and waits in it only if it is not taken. `ready` is a register.
    #[track_caller]
    pub fn skid(m: &Builder, name: &str, shape: S) -> RecordQueue<S> {
        let skid = m.instance(name, &SkidBuffer { width: word_bits(&shape) }).i;
        let (enq, deq) = (skid.enq, skid.deq);
        RecordQueue {
            ready: enq.ready,
            valid: deq.valid,
            front: of_word(shape, deq.data),
            takes: deq.ready,
            enq,
        }
    }

    /// A register behind a [`SkidBuffer`]: all that it tells comes from registers.
    #[track_caller]
    pub fn stage(m: &Builder, name: &str, shape: S) -> RecordQueue<S> {
        let width = word_bits(&shape);
        let skid = m.instance(&format!("{name}_skid"), &SkidBuffer { width }).i;
        let FrontRegister { valid, front, takes, moves } =
            FrontRegister::new(m, name, bits(width), skid.deq.valid, skid.deq.data);
        skid.deq.ready.set(moves);
        RecordQueue { ready: skid.enq.ready, valid, front: of_word(shape, front), takes, enq: skid.enq }
    }

    /// What goes in, where `valid` and [`RecordQueue::ready`] are high.
    #[track_caller]
    pub fn put(&self, valid: UInt, record: S::With<UInt>) {
        self.enq.valid.set(valid);
        self.enq.data.set(to_word(record));
    }
}
