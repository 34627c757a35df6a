//! A column of the output stage.

use ferrite_hdl::prelude::*;

use super::scale::{ColumnSettings, OutputBounds, OutputRange, Parameters, Scaled, scale};

/// Inputs of a column.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ColumnIn<T> {
    /// New parameters.
    pub settings: ColumnSettings<T>,
    /// Zero point and clamps.
    pub range: OutputRange<T>,
    /// The same as they are compared.
    pub bounds: OutputBounds<T>,
    /// The sum of the column, int32, for which its own parameters are.
    pub sum: T,
    /// `value`, `shared_multiplier` and `shared_shift_less_1` are taken, which do not depend on the column's parameters.
    pub shared: T,
    /// int32.
    pub value: T,
    /// The value's. It takes the place of the column's own, which is set again before it is used.
    pub shared_multiplier: T,
    /// For the value of two cycles before.
    pub shared_shift_less_1: T,
}

/// Outputs of a column.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ColumnOut<T> {
    /// The output for the sum or value of [`Column::LATENCY`] cycles before, int8.
    pub out: T,
    /// The value of four cycles before, scaled but for one bit, int33 if it is no more; the half of it, rounded, is the scaled value.
    pub halves: T,
}

/// Bits of a scaled value with one that is rounded away.
pub(super) const HALVES_BITS: u32 = 33;

/// Bias, scale, rounding, zero point and clamp of one column, a sum or a value in every cycle.
#[module]
pub struct Column {}

impl Column {
    /// Cycles from a sum or a value to its output.
    pub const LATENCY: u32 = 5;
}

impl Module for Column {
    type In = ColumnIn<UInt>;
    type Out = ColumnOut<UInt>;

    fn name(&self) -> String {
        "OutputColumn".into()
    }
    fn inputs(&self) -> ColumnIn<Shape> {
        ColumnIn {
            settings: ColumnSettings::shape(),
            range: OutputRange::shape(),
            bounds: OutputBounds::shape(),
            sum: signed(32),
            shared: bit(),
            value: signed(32),
            shared_multiplier: bits(31),
            shared_shift_less_1: bits(6),
        }
    }
    fn outputs(&self) -> ColumnOut<Shape> {
        ColumnOut { out: signed(8), halves: signed(HALVES_BITS) }
    }
    fn build(&self, m: &Builder, i: ColumnIn<UInt>) -> ColumnOut<UInt> {
        let own = Parameters::new(m, &i.settings);
        m.when(i.shared, || own.multiplier.set(i.shared_multiplier));
        let biased = m.delay("biased", i.shared.mux(i.value, i.sum.wrapping_add(own.bias)));
        let shift_less_1 = m.delay("shift", i.shared.mux(i.shared_shift_less_1, own.shift_less_1));
        let Scaled { halves, out } = scale(m, biased, own.multiplier, shift_less_1, &i.range, &i.bounds);
        ColumnOut { out, halves: halves.truncate(HALVES_BITS) }
    }
}
