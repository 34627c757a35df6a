//! Reference kernels with TensorFlow Lite's meaning (tensorflow/lite/kernels/internal/reference, built with
//! `TFLITE_SINGLE_ROUNDING`), int8.

use thiserror::Error;

/// A multiplier that is no scale.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[error("{0} is no multiplier for requantisation; it must be finite and not negative")]
pub struct MultiplierError(
    /// The multiplier given.
    pub f64,
);

/// A real multiplier in fixed point: `q31 * 2^(exponent - 31)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Multiplier {
    /// 0, or from 2^30 to 2^31-1.
    pub q31: i32,
    /// From -31 to 30.
    pub exponent: i32,
}

impl Multiplier {
    /// The tensor unit's `shift` for this multiplier: 1 to 62.
    pub const fn shift(self) -> u32 {
        (31 - self.exponent) as u32
    }
}

/// Turns a real multiplier into fixed point (`QuantizeMultiplier`): too small becomes 0, too large the largest value.
///
/// # Errors
/// When it is negative, infinite or not a number.
pub fn quantize_multiplier(real: f64) -> Result<Multiplier, MultiplierError> {
    if !real.is_finite() || real < 0.0 {
        return Err(MultiplierError(real));
    }
    let (fraction, mut exponent) = frexp(real);
    let mut q31 = (fraction * f64::from(1u32 << 31)).round() as i64;
    if q31 == 1 << 31 {
        q31 /= 2;
        exponent += 1;
    }
    if exponent < -31 {
        return Ok(Multiplier::default());
    }
    // The rounding term is 2^(30 - exponent), so that larger exponents do not exist.
    if exponent > 30 {
        return Ok(Multiplier { q31: i32::MAX, exponent: 30 });
    }
    Ok(Multiplier { q31: q31 as i32, exponent })
}

/// C's `frexp` for finite numbers: a fraction from 0.5 to below 1 and a power of two; (0, 0) for 0.
fn frexp(value: f64) -> (f64, i32) {
    const EXPONENT_BITS: u64 = 0x7FF << 52;
    if value == 0.0 {
        return (0.0, 0);
    }
    let bits = value.to_bits();
    if bits & EXPONENT_BITS == 0 {
        let (fraction, exponent) = frexp(value * 2f64.powi(64));
        return (fraction, exponent - 64);
    }
    let exponent = (bits >> 52 & 0x7FF) as i32 - 1022;
    (f64::from_bits(bits & !EXPONENT_BITS | 1022 << 52), exponent)
}

/// `x` times the multiplier, rounded once, halves upwards (`MultiplyByQuantizedMultiplier`).
///
/// The exact result, which can exceed 32 bits when the multiplier is above 1.
///
/// ```
/// use ferrite_model::kernels::{quantize_multiplier, requantize};
/// let half = quantize_multiplier(0.5)?;
/// assert_eq!((requantize(5, half), requantize(-5, half)), (3, -2));
/// # Ok::<(), ferrite_model::kernels::MultiplierError>(())
/// ```
pub fn requantize(x: i32, multiplier: Multiplier) -> i64 {
    let shift = multiplier.exponent.clamp(-31, 30);
    (i64::from(x) * i64::from(multiplier.q31) + (1 << (30 - shift))) >> (31 - shift)
}

/// A fused activation function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// The output as it is.
    None,
    /// Below 0 becomes 0.
    Relu,
    /// Clamped to -1 to 1.
    ReluN1To1,
    /// Clamped to 0 to 6.
    Relu6,
}

/// Smallest and largest int8 output under a fused activation (`CalculateActivationRangeQuantized`).
pub fn activation_range(activation: Activation, scale: f32, zero_point: i32) -> (i8, i8) {
    let quantize = |value: f32| zero_point.saturating_add((value / scale).round() as i32);
    let clamp = |value: i32| value.clamp(-128, 127) as i8;
    let (low, high) = match activation {
        Activation::None => return (i8::MIN, i8::MAX),
        Activation::Relu => return (clamp(quantize(0.0)), i8::MAX),
        Activation::ReluN1To1 => (-1.0, 1.0),
        Activation::Relu6 => (0.0, 6.0),
    };
    (clamp(quantize(low)), clamp(quantize(high)))
}

/// Parameters of a fully connected layer.
#[derive(Clone, Debug, PartialEq)]
pub struct FullyConnected<'a> {
    /// Input channels.
    pub inputs: usize,
    /// Output channels.
    pub outputs: usize,
    /// `outputs` rows of `inputs` weights.
    pub weights: &'a [i8],
    /// One per output channel, or none.
    pub bias: Option<&'a [i32]>,
    /// Zero point of the input.
    pub input_zero_point: i32,
    /// Zero point of the weights; 0 in all models quantised per channel.
    pub weight_zero_point: i32,
    /// Zero point of the output.
    pub output_zero_point: i32,
    /// input scale * weight scale / output scale: one for all, or one per output channel.
    pub multipliers: &'a [Multiplier],
    /// Smallest and largest output.
    pub range: (i8, i8),
}

/// A tensor that does not fit its layer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("fully connected layer: {tensor} has {actual} elements; it must have {expected}")]
pub struct ShapeError {
    /// Which tensor.
    pub tensor: &'static str,
    /// Elements it has.
    pub actual: usize,
    /// What it should have.
    pub expected: String,
}

impl FullyConnected<'_> {
    /// Runs the layer on one or more rows of `inputs` values; gives as many rows of `outputs` values.
    ///
    /// # Errors
    /// When a tensor's length does not match the layer's shape.
    pub fn run(&self, input: &[i8]) -> Result<Vec<i8>, ShapeError> {
        self.check(input)?;
        let mut output = Vec::with_capacity(input.len() / self.inputs * self.outputs);
        for row in input.chunks_exact(self.inputs) {
            for (channel, weights) in self.weights.chunks_exact(self.inputs).enumerate() {
                output.push(self.output(channel, self.sum(row, weights)));
            }
        }
        Ok(output)
    }

    fn sum(&self, row: &[i8], weights: &[i8]) -> i32 {
        row.iter().zip(weights).fold(0i32, |sum, (&input, &weight)| {
            let input = i32::from(input) - self.input_zero_point;
            sum.wrapping_add(input.wrapping_mul(i32::from(weight) - self.weight_zero_point))
        })
    }

    fn output(&self, channel: usize, sum: i32) -> i8 {
        let biased = sum.wrapping_add(self.bias.map_or(0, |bias| bias[channel]));
        let multiplier =
            if self.multipliers.len() == 1 { self.multipliers[0] } else { self.multipliers[channel] };
        let value = requantize(biased, multiplier) + i64::from(self.output_zero_point);
        value.min(i64::from(self.range.1)).max(i64::from(self.range.0)) as i8
    }

    fn check(&self, input: &[i8]) -> Result<(), ShapeError> {
        let fail = |tensor, actual, expected: String| Err(ShapeError { tensor, actual, expected });
        if self.inputs == 0 || !input.len().is_multiple_of(self.inputs) {
            return fail("input", input.len(), format!("a multiple of the input channels, {}", self.inputs));
        }
        if Some(self.weights.len()) != self.inputs.checked_mul(self.outputs) {
            return fail("weights", self.weights.len(), format!("{} x {}", self.outputs, self.inputs));
        }
        if let Some(bias) = self.bias.filter(|bias| bias.len() != self.outputs) {
            return fail("bias", bias.len(), self.outputs.to_string());
        }
        if self.multipliers.len() != 1 && self.multipliers.len() != self.outputs {
            return fail("multipliers", self.multipliers.len(), format!("1 or {}", self.outputs));
        }
        Ok(())
    }
}
