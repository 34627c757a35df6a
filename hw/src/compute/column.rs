//! A column of the output stage.

use ferrite_hdl::prelude::*;

use super::scale::{ColumnSettings, OutputRange, Parameters, Scaled, scale};

/// Inputs of a column.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ColumnIn<T> {
    /// New parameters.
    pub settings: ColumnSettings<T>,
    /// Zero point and clamps.
    pub range: OutputRange<T>,
    /// The sum of the column, int32, for which its own parameters are.
    pub sum: T,
    /// `value`, `shared_multiplier` and `shared_shift_less_1` are taken, which do not depend on the column's parameters.
    pub shared: T,
    /// int32.
    pub value: T,
    /// For the value of one cycle before.
    pub shared_multiplier: T,
    /// For the value of three cycles before.
    pub shared_shift_less_1: T,
}

/// Outputs of a column.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ColumnOut<T> {
    /// The output for the sum or value of [`Column::LATENCY`] cycles before, int8.
    pub out: T,
    /// The scaled value of four cycles before, int32 if it is no more.
    pub scaled_value: T,
}

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
            sum: signed(32),
            shared: bit(),
            value: signed(32),
            shared_multiplier: bits(31),
            shared_shift_less_1: bits(6),
        }
    }
    fn outputs(&self) -> ColumnOut<Shape> {
        ColumnOut { out: signed(8), scaled_value: signed(32) }
    }
    fn build(&self, m: &Builder, i: ColumnIn<UInt>) -> ColumnOut<UInt> {
        let own = Parameters::new(m, &i.settings);
        let biased = m.delay("biased", i.shared.mux(i.value, i.sum.wrapping_add(own.bias)));
        let multiplier = i.shared.mux(i.shared_multiplier, own.multiplier);
        let shift_less_1 = i.shared.mux(i.shared_shift_less_1, own.shift_less_1);
        let Scaled { out, scaled } = scale(m, biased, multiplier, shift_less_1, &i.range);
        ColumnOut { out, scaled_value: scaled.truncate(32) }
    }
}
