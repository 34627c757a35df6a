//! Crossing into another clock.

use crate::prelude::*;

/// Input of a synchroniser.
#[derive(Clone, Debug, Bundle)]
pub struct SynchroniserIn<T> {
    /// A signal of another clock of which one bit changes at a time.
    pub data: T,
}

/// Output of a synchroniser.
#[derive(Clone, Debug, Bundle)]
pub struct SynchroniserOut<T> {
    /// The signal in this clock, `stages` edges later.
    pub data: T,
}

/// A chain of registers that brings a signal of `from_clk` to `clk`. The first may become metastable; the ones behind it
/// give it time to settle.
#[module]
pub struct Synchroniser {
    /// Bits; only one may change at a time (a single bit, or a Gray code).
    pub width: u32,
    /// Registers in the chain; 2 or more.
    pub stages: u32,
}

impl Module for Synchroniser {
    type In = SynchroniserIn<UInt>;
    type Out = SynchroniserOut<UInt>;

    fn name(&self) -> String {
        format!("Synchroniser_{}x{}", self.stages, self.width)
    }
    fn inputs(&self) -> SynchroniserIn<Shape> {
        SynchroniserIn { data: bits(self.width) }
    }
    fn outputs(&self) -> SynchroniserOut<Shape> {
        SynchroniserOut { data: bits(self.width) }
    }
    fn build(&self, m: &Builder, i: SynchroniserIn<UInt>) -> SynchroniserOut<UInt> {
        let first = m.synchroniser_reg("stage_0", self.width);
        first.set(i.data);
        let last = (1..self.stages.max(2)).fold(first, |before, k| m.delay(&format!("stage_{k}"), before));
        SynchroniserOut { data: last }
    }
}
