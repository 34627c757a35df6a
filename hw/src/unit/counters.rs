//! What the unit's cycles go into, and what it has done (`docs/commands.md`, "Counters").

use ferrite_hdl::prelude::*;

use crate::command::Held;
use crate::compute::{Activity, ComputeConfig, TAPS};
use crate::dma::{DmaConfig, Moved};

/// Bits of a counter's index.
pub const INDEX_BITS: u32 = 4;

/// What a cycle is counted as: the index of its counter. Where several hold, the first of `Compute`, `Idle` and the others in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encoding)]
#[encoding(width = 4)]
pub enum CycleKind {
    /// An activation row enters the array.
    Compute = 1,
    /// The array waits for activations.
    Activations = 2,
    /// The array waits for weights.
    Weights = 3,
    /// The array's next order is held by an older requantisation, which reads its accumulators.
    Accumulators = 4,
    /// The array's next order is held by a load.
    Load = 5,
    /// The array's next order is held by a store.
    Store = 6,
    /// The unit is not busy.
    Idle = 7,
    /// Pipelines fill and drain, or only transfers or requantisations are under way.
    Rest = 8,
}

/// Inputs of the counters.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct CountersIn<T> {
    /// All counters become 0.
    pub clear: T,
    /// The unit is not busy.
    pub idle: T,
    /// What the array does.
    pub activity: Activity<T>,
    /// What holds its next order.
    pub held: Held<T>,
    /// Bytes that come from external memory.
    pub loaded: Moved<T>,
    /// Bytes that go there.
    pub stored: Moved<T>,
    /// Which counter is read.
    pub index: T,
}

/// Output of the counters.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct CountersOut<T> {
    /// The counter at `index`; 0 if there is none.
    pub value: T,
}

/// Counters of 32 bits: 0 all cycles, 1 to 8 cycles of a [`CycleKind`], 9 and 10 bytes loaded and stored, 11 and 12 products, low and high word.
#[module]
pub struct Counters {
    /// Sizes.
    pub config: ComputeConfig,
    /// Sizes of the DMA engines.
    pub dma: DmaConfig,
}

impl Module for Counters {
    type In = CountersIn<UInt>;
    type Out = CountersOut<UInt>;

    fn name(&self) -> String {
        format!("UnitCounters_{}_{}", self.config.suffix(), self.dma.axi.data_bits)
    }
    fn inputs(&self) -> CountersIn<Shape> {
        CountersIn {
            clear: bit(),
            idle: bit(),
            activity: Activity::shape(),
            held: Held::shape(),
            loaded: Moved::shape(self.dma.word_bytes),
            stored: Moved::shape(self.dma.axi.beat_bytes()),
            index: bits(INDEX_BITS),
        }
    }
    fn outputs(&self) -> CountersOut<Shape> {
        CountersOut { value: bits(32) }
    }
    fn build(&self, m: &Builder, i: CountersIn<UInt>) -> CountersOut<UInt> {
        // What is counted comes through two registers, so that no path leads from all over the unit into an adder.
        let kind = m.reg("kind", CycleKind::shape()).reset_to(CycleKind::Idle);
        let array_is_free = !i.activity.has_rows;
        let kinds = [
            (i.activity.multiplies, CycleKind::Compute),
            (i.idle, CycleKind::Idle),
            (i.activity.waits_for_activations, CycleKind::Activations),
            (i.activity.waits_for_weights, CycleKind::Weights),
            (array_is_free & i.held.by_output, CycleKind::Accumulators),
            (array_is_free & i.held.by_load, CycleKind::Load),
            (array_is_free & i.held.by_store, CycleKind::Store),
        ];
        let at_reset = kinds.iter().position(|(_, is)| *is == CycleKind::Idle).expect("idle is one of them");
        let holds = m.reg("holds", kinds.len() as u32).reset_to(1u32 << at_reset);
        holds.set(concat(kinds.iter().rev().map(|(holds, _)| *holds)));
        kind.set(CycleKind::Rest);
        for (holds, (_, is)) in holds.to_bits().into_iter().zip(kinds).rev() {
            m.when(holds, || kind.set(is));
        }

        let count = |name: &str| m.reg(name, 32).reset_to(0);
        let cycles = count("cycles");
        cycles.set(cycles.wrapping_add(1));
        let all_kinds = [
            ("compute", CycleKind::Compute),
            ("activations", CycleKind::Activations),
            ("weights", CycleKind::Weights),
            ("accumulators", CycleKind::Accumulators),
            ("load", CycleKind::Load),
            ("store", CycleKind::Store),
            ("idle", CycleKind::Idle),
            ("rest", CycleKind::Rest),
        ];
        let by_kind = all_kinds.map(|(name, is)| {
            let counter = count(&format!("{name}_cycles"));
            m.when(kind.is(is), || counter.set(counter.wrapping_add(1)));
            counter
        });

        let bytes = [("loaded", i.loaded), ("stored", i.stored)].map(|(name, moved)| {
            let width = moved.top.width() + 1;
            let amount = m.reg(&format!("{name}_now"), width).reset_to(0);
            amount.set(moved.valid.mux(moved.top.extend(width).wrapping_add(1), 0));
            let counter = count(&format!("{name}_bytes"));
            counter.set(counter.wrapping_add(amount.extend(32)));
            counter
        });

        let products = |of_a_column: u32| {
            let products = u64::from(of_a_column * self.config.cols);
            m.constant(Bits::from_u64((self.config.rows * self.config.cols).ilog2() + 1, products))
        };
        let row = i
            .activity
            .depthwise
            .mux(products(self.config.depthwise_rows() * TAPS), products(self.config.rows));
        let amount = m.reg("products_now", row.width()).reset_to(0);
        amount.set(i.activity.multiplies.mux(row, 0));
        let (low, high) = (count("products_low"), count("products_high"));
        wire!(m, sum = low + amount.extend(32));
        let carry = m.reg("products_carry", 1).reset_to(0);
        low.set(sum.truncate(32));
        carry.set(sum.msb());
        high.set(high.wrapping_add(carry.extend(32)));

        let all = std::iter::once(cycles).chain(by_kind).chain(bytes).chain([low, high]);
        let value = m.wire("value", 32);
        value.set(0);
        m.switch(i.index, |s| {
            for (index, counter) in (0u32..).zip(all.clone()) {
                s.case(index, || value.set(counter));
            }
        });
        m.when(i.clear, || {
            all.for_each(|counter| counter.set(0));
            carry.set(0);
        });
        CountersOut { value }
    }
}
