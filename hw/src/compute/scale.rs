//! From int32 sums to int8 outputs (`docs/tensor-unit.md`, "Requantisation").

use ferrite_hdl::prelude::*;

/// Bits of the lower half of a sum and of a multiplier.
const HALF_BITS: u32 = 16;
/// Bits of a half with a sign.
const FACTOR_BITS: u32 = 17;

/// What all columns share; each int8.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct OutputRange<T> {
    /// Added to the scaled sum.
    pub zero_point: T,
    /// Lower clamp.
    pub min: T,
    /// Upper clamp.
    pub max: T,
}

impl OutputRange<Shape> {
    /// The widths.
    pub fn shape() -> OutputRange<Shape> {
        OutputRange { zero_point: signed(8), min: signed(8), max: signed(8) }
    }
}

/// New parameters of one column.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ColumnSettings<T> {
    /// The bias is set.
    pub set_bias: T,
    /// The multiplier is set.
    pub set_multiplier: T,
    /// The shift is set.
    pub set_shift: T,
    /// Bias, int32.
    pub bias: T,
    /// Multiplier, 0 to 2^31-1.
    pub multiplier: T,
    /// Shift, 1 to 62.
    pub shift: T,
}

impl ColumnSettings<Shape> {
    /// The widths.
    pub fn shape() -> ColumnSettings<Shape> {
        let (bias, multiplier) = (signed(32), bits(31));
        ColumnSettings {
            set_bias: bit(),
            set_multiplier: bit(),
            set_shift: bit(),
            bias,
            multiplier,
            shift: bits(6),
        }
    }
}

/// Parameters of a column, which stay until they are set.
pub(super) struct Parameters {
    pub bias: UInt,
    pub multiplier: UInt,
    pub shift_less_1: UInt,
}

impl Parameters {
    /// Their registers.
    pub fn new(m: &Builder, settings: &ColumnSettings<UInt>) -> Parameters {
        let bias = m.reg("bias", signed(32)).reset_to(0);
        let multiplier = m.reg("multiplier", 31).reset_to(0);
        let shift_less_1 = m.reg("shift_less_1", 6).reset_to(0);
        m.when(settings.set_bias, || bias.set(settings.bias));
        m.when(settings.set_multiplier, || multiplier.set(settings.multiplier));
        m.when(settings.set_shift, || shift_less_1.set(settings.shift.wrapping_sub(1)));
        Parameters { bias, multiplier, shift_less_1 }
    }
}

/// What all columns share, as they need it: what a value is compared with before it is rounded.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct OutputBounds<T> {
    /// The zero point, doubled, and 1 for the rounding; int10.
    pub offset: T,
    /// Twice the distance from the zero point to the lower clamp, less 1; int11. What is less is below.
    pub below: T,
    /// Twice the distance from the zero point to the upper clamp, and 1; int11. What is not less is above.
    pub above: T,
}

/// Bits of twice the distance between two int8.
const BOUND_BITS: u32 = 11;
/// Bits of an int8 with what is rounded away.
const OFFSET_BITS: u32 = 10;

impl OutputBounds<Shape> {
    /// The widths.
    pub fn shape() -> OutputBounds<Shape> {
        let (offset, bound) = (signed(OFFSET_BITS), signed(BOUND_BITS));
        OutputBounds { offset, below: bound, above: bound }
    }
}

impl OutputBounds<UInt> {
    /// Those of a range of the cycle before.
    pub(super) fn new(m: &Builder, range: &OutputRange<UInt>) -> OutputBounds<UInt> {
        let bounds = m.regs("bounds", OutputBounds::shape());
        let zero_point = range.zero_point.signed();
        let doubled = |value: SInt, width: u32| value.extend(width).unsigned() << 1;
        bounds.offset.set(doubled(zero_point, OFFSET_BITS).wrapping_add(1));
        bounds.below.set(doubled(range.min.signed() - zero_point, BOUND_BITS).wrapping_sub(1));
        bounds.above.set(doubled(range.max.signed() - zero_point, BOUND_BITS).wrapping_add(1));
        bounds
    }
}

/// What becomes of a value.
pub(super) struct Scaled {
    /// The value times the multiplier, shifted but for one bit, of 3 cycles before; the half of it, rounded, is what it is scaled to.
    pub halves: UInt,
    /// With zero point and clamps, of 4 cycles before.
    pub out: UInt,
}

/// Scale, rounding, zero point and clamp of an int32 value. The multiplier is that of the same cycle, the shift that of 2 cycles later.
///
/// A product `p` is scaled to `(p + 2^(s-1)) >> s`, which is `(h + 1) >> 1` with `h = p >> (s-1)` for any integer `p`. So one shifter does, and the rounding is done where the zero point `z` is added: the
/// output is `(h + 2z + 1) >> 1`, which is less than a clamp `c` just if `h < 2(c - z) - 1`, and more just if `h >= 2(c - z) + 1`.
pub(super) fn scale(
    m: &Builder,
    value: UInt,
    multiplier: UInt,
    shift_less_1: UInt,
    range: &OutputRange<UInt>,
    bounds: &OutputBounds<UInt>,
) -> Scaled {
    // Four products of 17 by 17 bits, each one of a DSP block, and their sum in the next cycle.
    let halves_of = |value: UInt, signed: bool| {
        let high = value.slice(HALF_BITS, value.width() - HALF_BITS);
        let high = if signed { high.signed().extend(FACTOR_BITS) } else { high.extend(FACTOR_BITS).signed() };
        (value.truncate(HALF_BITS).extend(FACTOR_BITS).signed(), high)
    };
    let (sum_low, sum_high) = halves_of(value, true);
    let (factor_low, factor_high) = halves_of(multiplier, false);
    let part = |name: &str, a: SInt, b: SInt| m.delay(name, (a * b).unsigned()).signed().extend(63);
    let (low, high) = (part("low", sum_low, factor_low), part("high", sum_high, factor_high));
    let crossed = [part("crossed_low", sum_low, factor_high), part("crossed_high", sum_high, factor_low)];
    let [crossed_low, crossed_high] = crossed.map(|part| part.unsigned() << HALF_BITS);
    let crossed = crossed_low.wrapping_add(crossed_high);
    let outer = low.unsigned().wrapping_add(high.unsigned() << (2 * HALF_BITS));
    let product = m.delay("product", outer.wrapping_add(crossed));
    let halves = m.delay("shifted", (product.signed() >> shift_less_1).unsigned());
    let lowest = halves.truncate(OFFSET_BITS).wrapping_add(bounds.offset);
    wire!(m, below = halves.signed().lt(bounds.below.signed()));
    wire!(m, above = !halves.signed().lt(bounds.above.signed()));
    let clamped = below.mux(range.min, above.mux(range.max, lowest.slice(1, 8)));
    let out = m.reg("out", signed(8));
    out.set(clamped);
    Scaled { halves, out }
}
