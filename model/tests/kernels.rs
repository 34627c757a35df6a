//! The reference kernels on numbers worked out by hand from TensorFlow Lite's definitions.

use ferrite_model::kernels::{
    Activation, FullyConnected, Multiplier, activation_range, quantize_multiplier, requantize,
};
use proptest::prelude::*;

fn multiplier(q31: i32, exponent: i32) -> Multiplier {
    Multiplier { q31, exponent }
}

#[test]
fn multipliers_are_a_fraction_and_a_power_of_two() {
    for (real, q31, exponent) in [
        (0.0, 0, 0),
        (1.0, 1 << 30, 1),
        (0.5, 1 << 30, 0),
        (0.75, 3 << 29, 0),
        (3.0, 3 << 29, 2),
        (0.1, 1_717_986_918, -3),
        // The fraction rounds up to 1: halved, with the next power of two.
        (1.0 - f64::EPSILON / 2.0, 1 << 30, 1),
        // Half a unit in the last place, rounded away from zero.
        (0.5 + 0.5 / 2f64.powi(31), (1 << 30) + 1, 0),
        (2f64.powi(-32), 1 << 30, -31),
        (2f64.powi(-33), 0, 0),
        (f64::MIN_POSITIVE / 4.0, 0, 0),
        (2f64.powi(29), 1 << 30, 30),
        (2f64.powi(30), i32::MAX, 30),
        (f64::MAX, i32::MAX, 30),
    ] {
        assert_eq!(quantize_multiplier(real), Ok(multiplier(q31, exponent)), "{real}");
    }
}

#[test]
fn a_multiplier_that_is_no_scale_is_an_error() {
    for real in [-0.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(quantize_multiplier(real).is_err(), "{real}");
    }
}

#[test]
fn rounding_happens_once_with_halves_upwards() {
    let half = multiplier(1 << 30, 0);
    let halves: Vec<i64> = (-4..=4).map(|x| requantize(x, half)).collect();
    assert_eq!(halves, [-2, -1, -1, 0, 0, 1, 1, 2, 2]);
    // Double rounding would make 1 of this: 7/16 is first rounded to 4/8.
    assert_eq!(requantize(7, multiplier(1 << 30, -3)), 0);
    assert_eq!(requantize(i32::MIN, multiplier(i32::MAX, 30)), -0x7FFF_FFFF << 30);
}

proptest! {
    #[test]
    fn requantisation_is_within_half_a_unit_of_the_real_product(x: i32, real in 1e-9f64..1.0) {
        let exact = f64::from(x) * real;
        let result = requantize(x, quantize_multiplier(real).expect("a scale")) as f64;
        // The multiplier itself is rounded to 31 bits.
        let allowed = 0.5 + exact.abs() / 2f64.powi(31) + 1e-6;
        prop_assert!((result - exact).abs() <= allowed, "{} {}", result, exact);
    }

    #[test]
    fn every_multiplier_has_a_shift_that_the_tensor_unit_takes(bits: u64) {
        if let Ok(multiplier) = quantize_multiplier(f64::from_bits(bits)) {
            prop_assert!((1..=62).contains(&multiplier.shift()));
        }
    }
}

#[test]
fn activations_clamp_to_their_quantised_bounds() {
    assert_eq!(activation_range(Activation::None, 0.1, 3), (-128, 127));
    assert_eq!(activation_range(Activation::Relu, 0.1, 3), (3, 127));
    assert_eq!(activation_range(Activation::Relu6, 0.1, -128), (-128, -68));
    assert_eq!(activation_range(Activation::Relu6, 0.01, -128), (-128, 127));
    assert_eq!(activation_range(Activation::ReluN1To1, 0.5, 1), (-1, 3));
}

const HALF: Multiplier = Multiplier { q31: 1 << 30, exponent: 0 };
const QUARTER: Multiplier = Multiplier { q31: 1 << 30, exponent: -1 };

fn layer<'a>(multipliers: &'a [Multiplier]) -> FullyConnected<'a> {
    FullyConnected {
        inputs: 3,
        outputs: 2,
        weights: &[1, 2, 3, -4, 5, -6],
        bias: Some(&[10, -20]),
        input_zero_point: -1,
        weight_zero_point: 0,
        output_zero_point: 4,
        multipliers,
        range: (-128, 127),
    }
}

#[test]
fn a_layer_is_the_scaled_product_plus_zero_point() {
    // Inputs less their zero point: 11, 21, 31 and 1, 1, 1.
    // Sums: 11 + 42 + 93 + 10 = 156; -44 + 105 - 186 - 20 = -145; 6 + 10 = 16; -5 - 20 = -25.
    let input = [10, 20, 30, 0, 0, 0];
    assert_eq!(layer(&[HALF]).run(&input), Ok(vec![78 + 4, -72 + 4, 8 + 4, -12 + 4]));
    assert_eq!(layer(&[HALF, QUARTER]).run(&input), Ok(vec![82, -36 + 4, 12, -6 + 4]));
    let clamped = FullyConnected { range: (0, 50), ..layer(&[HALF]) };
    assert_eq!(clamped.run(&input), Ok(vec![50, 0, 12, 0]));
    let no_bias = FullyConnected { bias: None, ..layer(&[HALF]) };
    assert_eq!(no_bias.run(&input[3..]), Ok(vec![3 + 4, -2 + 4]));
    let shifted_weights = FullyConnected { weight_zero_point: 1, ..layer(&[HALF]) };
    // Weights less 1: 0, 1, 2 and -5, 4, -7.
    assert_eq!(shifted_weights.run(&input[3..]), Ok(vec![7 + 4, -14 + 4]));
}

#[test]
fn tensors_of_the_wrong_length_are_errors() {
    let input = [0; 3];
    assert!(layer(&[HALF]).run(&input).is_ok());
    assert_eq!(layer(&[HALF]).run(&[0; 4]).expect_err("4 is no multiple of 3").tensor, "input");
    assert_eq!(layer(&[]).run(&input).expect_err("no multiplier").tensor, "multipliers");
    let short = FullyConnected { weights: &[1], ..layer(&[HALF]) };
    assert_eq!(short.run(&input).expect_err("one weight").tensor, "weights");
    let bias = FullyConnected { bias: Some(&[1]), ..layer(&[HALF]) };
    assert_eq!(bias.run(&input).expect_err("one bias").tensor, "bias");
    let empty = FullyConnected { inputs: 0, ..layer(&[HALF]) };
    assert_eq!(empty.run(&[]).expect_err("no inputs").tensor, "input");
}
