//! A skid buffer: cuts the path of `ready` through a stream without losing throughput.

use super::Stream;
use crate::prelude::*;

/// Ports of a skid buffer.
#[derive(Clone, Debug, Bundle)]
pub struct SkidBufferIn<T> {
    /// Words that go in.
    pub enq: Stream<T>,
    /// Words that come out.
    #[flip]
    pub deq: Stream<T>,
}

/// Passes words through; when the receiver stops, the word already on its way is kept aside, so that `enq.ready` comes
/// from a register.
#[module]
pub struct SkidBuffer {
    /// Bits of a word.
    pub width: u32,
}

impl Module for SkidBuffer {
    type In = SkidBufferIn<UInt>;
    type Out = Empty<UInt>;

    fn name(&self) -> String {
        format!("SkidBuffer_{}", self.width)
    }
    fn inputs(&self) -> SkidBufferIn<Shape> {
        SkidBufferIn { enq: Stream::of(bits(self.width)), deq: Stream::of(bits(self.width)) }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: SkidBufferIn<UInt>) -> Empty<UInt> {
        let kept = m.reg("kept", self.width);
        let full = m.reg("full", 1).reset_to(0);
        i.enq.ready.set(!full);
        i.deq.valid.set(full | i.enq.valid);
        i.deq.data.set(full.mux(kept, i.enq.data));
        full.set(!i.deq.ready & (full | i.enq.valid));
        // Whether the word waits is known late; while none does, any may be kept.
        m.when(!full, || kept.set(i.enq.data));
        Empty::new()
    }
}
