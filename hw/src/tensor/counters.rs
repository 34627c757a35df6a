//! The counters (`docs/tensor-unit.md`, "Counters").

use ferrite_hdl::prelude::*;

/// What happens in a cycle.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Activity<T> {
    /// A weight tile is being loaded.
    pub loading: T,
    /// `t.matmul` is executing.
    pub multiplying: T,
    /// `t.requant` is executing.
    pub requantising: T,
    /// No command is executing.
    pub idle: T,
    /// An activation row enters the array.
    pub row_multiplied: T,
    /// `t.write` writes its bytes.
    pub written: T,
}

impl Activity<Shape> {
    /// The widths.
    pub fn shape() -> Activity<Shape> {
        Activity {
            loading: bit(),
            multiplying: bit(),
            requantising: bit(),
            idle: bit(),
            row_multiplied: bit(),
            written: bit(),
        }
    }
}

/// Inputs of the counters.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct CountersIn<T> {
    /// All counters become 0.
    pub clear: T,
    /// What is counted.
    pub activity: Activity<T>,
    /// Which counter is read.
    pub index: T,
}

/// Output of the counters.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct CountersOut<T> {
    /// The counter at `index`; 0 if there is none.
    pub value: T,
}

/// Six counters of 32 bits.
#[module]
pub struct Counters {
    /// Multiply-accumulate operations of one activation row: `R * C`.
    pub macs_per_row: u32,
}

impl Counters {
    /// How many counters there are.
    pub const COUNT: u32 = 6;
    /// Bits of a counter's index.
    pub const INDEX_BITS: u32 = 3;
}

/// Bytes that a `t.write` writes.
const BYTES_PER_WRITE: u32 = 8;

impl Module for Counters {
    type In = CountersIn<UInt>;
    type Out = CountersOut<UInt>;

    fn inputs(&self) -> CountersIn<Shape> {
        CountersIn { clear: bit(), activity: Activity::shape(), index: bits(Counters::INDEX_BITS) }
    }
    fn outputs(&self) -> CountersOut<Shape> {
        CountersOut { value: bits(32) }
    }
    fn build(&self, m: &Builder, i: CountersIn<UInt>) -> CountersOut<UInt> {
        let counted = [
            ("cycles_loading", i.activity.loading, 1),
            ("cycles_multiplying", i.activity.multiplying, 1),
            ("cycles_requantising", i.activity.requantising, 1),
            ("cycles_idle", i.activity.idle, 1),
            ("macs", i.activity.row_multiplied, self.macs_per_row),
            ("bytes_written", i.activity.written, BYTES_PER_WRITE),
        ];
        let counters = counted.map(|(name, happens, step)| {
            let counter = m.reg(name, 32).reset_to(0);
            m.when(i.clear, || counter.set(0)).otherwise_when(happens, || {
                counter.set(counter.wrapping_add(step));
            });
            counter
        });
        let value = m.wire("value", 32);
        value.set(0);
        m.switch(i.index, |s| {
            for (index, counter) in counters.into_iter().enumerate() {
                s.case(index, || value.set(counter));
            }
        });
        CountersOut { value }
    }
}
