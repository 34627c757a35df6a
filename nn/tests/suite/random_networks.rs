//! Random chains of fully connected layers against TensorFlow Lite's arithmetic, computed here from the
//! network itself.

use ferrite_nn::lower::lower;
use ferrite_nn::network::Network;
use ferrite_nn::plan::plan;
use ferrite_nn::{Target, compile, tflite};
use proptest::prelude::*;

use crate::build::{Dense, DenseChain, OperatorSpec, RESHAPE};
use crate::machine::{bytes, run};

/// The real multiplier of a channel: with one scale for all the product is rounded to single precision, with
/// one scale each it is not (`GetQuantizedConvolutionMultipler`, `PopulateConvolutionQuantizationParams`).
fn multiplier(input_scale: f32, layer: &Dense, channel: usize) -> f64 {
    match layer.weight_scales.as_slice() {
        &[scale] => f64::from(input_scale * scale) / f64::from(layer.output_scale),
        scales => f64::from(input_scale) * f64::from(scales[channel]) / f64::from(layer.output_scale),
    }
}

/// `floor(accumulator * multiplier + 1/2)`, with the multiplier rounded to 31 significant bits: what the
/// fixed-point rule says, without its fixed point. Exact, for multipliers from 2^-31 up, as integers of 128
/// bits.
fn requantise(accumulator: i32, real: f64) -> i64 {
    if real < 2f64.powi(-32) {
        return 0;
    }
    let exponent = real.log2().floor() as i32 + 1;
    let significand = (real * 2f64.powi(31 - exponent)).round() as i128;
    let shift = 31 - exponent;
    ((i128::from(accumulator) * significand * 2 + (1 << shift)) >> (shift + 1)) as i64
}

/// Smallest and largest output (`CalculateActivationRangeQuantized`).
fn range(layer: &Dense) -> (i64, i64) {
    let at = |real: f32| i64::from(layer.output_zero_point) + (real / layer.output_scale).round() as i64;
    match layer.activation {
        1 => (at(0.0).max(-128), 127),
        2 => (at(-1.0).max(-128), at(1.0).min(127)),
        3 => (at(0.0).max(-128), at(6.0).min(127)),
        _ => (-128, 127),
    }
}

fn reference(chain: &DenseChain, input: &[i8]) -> Vec<i8> {
    let (mut values, mut width) = (input.to_vec(), chain.inputs);
    let (mut scale, mut zero_point) = (chain.input_scale, chain.input_zero_point);
    for layer in &chain.layers {
        let mut next = Vec::new();
        for row in values.chunks_exact(width) {
            for (channel, weights) in layer.weights.chunks_exact(width).enumerate() {
                let sum: i64 = row
                    .iter()
                    .zip(weights)
                    .map(|(&x, &w)| (i64::from(x) - i64::from(zero_point)) * i64::from(w))
                    .sum();
                let bias = layer.bias.as_ref().map_or(0, |bias| i64::from(bias[channel]));
                let scaled = requantise((sum + bias) as i32, multiplier(scale, layer, channel));
                let (min, max) = range(layer);
                next.push((scaled + i64::from(layer.output_zero_point)).min(max).max(min) as i8);
            }
        }
        (values, width) = (next, layer.outputs);
        (scale, zero_point) = (layer.output_scale, layer.output_zero_point);
    }
    values
}

fn dense(inputs: usize, outputs: usize) -> impl Strategy<Value = Dense> {
    let scale = || (-12.0f32..-1.0).prop_map(f32::exp2);
    let weight_scales =
        prop_oneof![prop::collection::vec(scale(), 1), prop::collection::vec(scale(), outputs),];
    let bias = prop::option::of(prop_oneof![
        prop::collection::vec(-4000i32..4000, outputs),
        prop::collection::vec(any::<i32>(), outputs),
    ]);
    let weights = prop::collection::vec(any::<i8>(), inputs * outputs);
    // Multipliers around 1/sqrt(inputs) would be usual; these reach far to both sides.
    (weights, bias, weight_scales, scale(), any::<i8>(), 0i8..4).prop_map(
        move |(weights, bias, weight_scales, output_scale, output_zero_point, activation)| Dense {
            outputs,
            weights,
            bias,
            weight_scales,
            output_scale,
            output_zero_point,
            activation,
        },
    )
}

fn chain() -> impl Strategy<Value = DenseChain> {
    let batches = prop_oneof![3 => Just(1usize), 2 => 2..9usize, 1 => 17..40usize];
    (batches, prop::collection::vec(1..70usize, 2..5)).prop_flat_map(|(batches, widths)| {
        let layers: Vec<_> = widths.windows(2).map(|pair| dense(pair[0], pair[1])).collect();
        let scale = (-12.0f32..-1.0).prop_map(f32::exp2);
        (layers, scale, any::<i8>()).prop_map(move |(layers, input_scale, input_zero_point)| DenseChain {
            batches,
            inputs: widths[0],
            input_scale,
            input_zero_point,
            layers,
        })
    })
}

fn any_target() -> impl Strategy<Value = Target> {
    let side = || prop::sample::select(vec![4u32, 8, 16, 32]);
    // The smallest scratchpad makes many networks run in several passes.
    let scratchpad = prop::sample::select(vec![4u32 << 10, 8 << 10, 128 << 10]);
    let acc_rows = prop::sample::select(vec![16u32, 1024]);
    (side(), side(), scratchpad, acc_rows).prop_map(|(rows, cols, scratchpad_bytes, acc_rows)| Target {
        rows,
        cols,
        scratchpad_bytes,
        acc_rows,
        ..Target::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn random_networks_equal_the_reference(
        (chain, input) in chain().prop_flat_map(|chain| {
            let input = prop::collection::vec(any::<i8>(), chain.batches * chain.inputs);
            (Just(chain), input)
        }),
        target in any_target(),
    ) {
        let network = tflite::read(&chain.model().write()).unwrap();
        let program = compile(&network, &target).unwrap();
        let expected = reference(&chain, &input);
        prop_assert_eq!(run(&program, &target, &bytes(&input)), bytes(&expected));
        for (layer, dense) in program.layers.iter().zip(&chain.layers) {
            prop_assert_eq!(layer.macs as usize, chain.batches * dense.weights.len());
        }
    }
}

/// A layer of one input and one output channel, with weight 1.
fn identity(batches: usize) -> DenseChain {
    let layer = Dense {
        outputs: 1,
        weights: vec![1],
        bias: None,
        weight_scales: vec![1.0],
        output_scale: 1.0,
        output_zero_point: 0,
        activation: 0,
    };
    DenseChain { batches, inputs: 1, input_scale: 1.0, input_zero_point: 0, layers: vec![layer] }
}

#[test]
fn a_scale_for_all_channels_is_multiplied_in_single_precision_and_scales_for_each_in_double() {
    // 0.1 * 0.3 / 0.7, worked out by hand (with Python's fractions) from the single-precision neighbours of
    // these numbers.
    let mut chain = identity(1);
    chain.input_scale = 0.1;
    chain.layers[0].output_scale = 0.7;
    chain.layers[0].outputs = 2;
    chain.layers[0].weights = vec![1, 1];
    for (scales, q31) in [(vec![0.3], 1_472_560_299), (vec![0.3; 2], 1_472_560_321)] {
        chain.layers[0].weight_scales = scales;
        let network = tflite::read(&chain.model().write()).unwrap();
        for multiplier in &lower(&network).unwrap().layers[0].multipliers {
            assert_eq!((multiplier.q31, multiplier.exponent), (q31, -4));
        }
    }
}

/// How many passes a network takes, and of how many rows.
fn passes(network: &Network, target: &Target) -> (u32, u32) {
    let plan = plan(&lower(network).unwrap(), target).unwrap();
    (plan.passes, plan.pass_rows)
}

#[test]
fn a_batch_larger_than_the_accumulators_runs_in_passes() {
    let chain = identity(210);
    let target = Target { acc_rows: 16, ..Target::default() };
    let network = tflite::read(&chain.model().write()).unwrap();
    let input: Vec<u8> = (0..210).collect();
    let program = compile(&network, &target).unwrap();
    // Half of the accumulators for each pass; the last has two rows.
    assert_eq!(passes(&network, &target), (27, 8));
    assert_eq!(run(&program, &target, &input), input);
}

#[test]
fn a_batch_larger_than_the_scratchpad_runs_in_passes() {
    // 60 rows of 112 + 16 bytes are 7,680; half of the scratchpad holds 16.
    let mut chain = identity(60);
    chain.inputs = 100;
    chain.layers[0].weights = vec![1; 100];
    let target = Target { scratchpad_bytes: 4096, ..Target::default() };
    let network = tflite::read(&chain.model().write()).unwrap();
    let program = compile(&network, &target).unwrap();
    let input: Vec<u8> = (0..6000).map(|place| u8::from(place % 100 <= place / 100)).collect();
    let expected: Vec<u8> = (1..=60).collect();
    assert_eq!(passes(&network, &target), (4, 15));
    assert_eq!(run(&program, &target, &input), expected);
}

#[test]
fn one_place_for_weights_is_enough() {
    // 2,720 + 32 bytes of activations leave 1,344 of 4,096: a tile of 1,024 and its parameters, but not two.
    let mut chain = identity(1);
    chain.inputs = 2700;
    chain.layers[0].weights = vec![1; 2700];
    let target = Target { rows: 32, cols: 32, scratchpad_bytes: 4096, ..Target::default() };
    let network = tflite::read(&chain.model().write()).unwrap();
    let program = compile(&network, &target).unwrap();
    let input: Vec<u8> = (0..2700).map(|place| u8::from(place % 27 == 0)).collect();
    assert_eq!(run(&program, &target, &input), [100]);
}

#[test]
fn weights_larger_than_the_scratchpad_are_streamed() {
    // 300 x 300 weights are 90,000 bytes; output n sums up the inputs from n on.
    let mut chain = identity(3);
    let place = |at: usize| (at / 300, at % 300);
    chain.inputs = 300;
    chain.layers[0].outputs = 300;
    chain.layers[0].weights = (0..300 * 300).map(place).map(|(n, k)| i8::from(k >= n)).collect();
    let target = Target { scratchpad_bytes: 4096, ..Target::default() };
    let network = tflite::read(&chain.model().write()).unwrap();
    let program = compile(&network, &target).unwrap();
    let ones = |row: usize| (0..300).map(move |k| u8::from(k >= 299 - 40 * row && k % 2 == 0));
    let input: Vec<u8> = (0..3).flat_map(ones).collect();
    let expected = |row: usize| {
        let input = &input[300 * row..][..300];
        (0..300).map(|n| input[n..].iter().sum::<u8>()).collect::<Vec<_>>()
    };
    assert_eq!(run(&program, &target, &input), (0..3).flat_map(expected).collect::<Vec<_>>());
}

#[test]
fn rows_longer_than_a_run_of_a_transfer_take_several() {
    // 70,000 is above 65,535; each of two rows sums up ones.
    let mut chain = identity(2);
    chain.inputs = 70_000;
    chain.layers[0].weights = vec![1; 70_000];
    let target = Target { scratchpad_bytes: 1 << 20, ..Target::default() };
    let network = tflite::read(&chain.model().write()).unwrap();
    let program = compile(&network, &target).unwrap();
    let mut input = vec![0u8; 140_000];
    input[69_990..70_002].fill(1);
    assert_eq!(run(&program, &target, &input), [10, 2]);
    // The way out likewise, to a length that is a number of runs.
    let mut chain = identity(2);
    chain.layers[0].outputs = 1 << 16;
    chain.layers[0].weights = (0..1u32 << 16).map(|n| (n % 100) as i8).collect();
    let network = tflite::read(&chain.model().write()).unwrap();
    let program = compile(&network, &target).unwrap();
    let expected = |factor: u32| (0..1u32 << 16).map(move |n| ((n % 100) * factor) as u8);
    assert!(run(&program, &target, &[1, 0]) == expected(1).chain(expected(0)).collect::<Vec<_>>());
}

#[test]
fn the_bias_wraps_as_the_reference_kernels_does() {
    // 2^31-1 + 1 wraps to -2^31; half of it, far below the clamp.
    let mut chain = identity(1);
    chain.layers[0].bias = Some(vec![i32::MAX]);
    let network = tflite::read(&chain.model().write()).unwrap();
    let target = Target::default();
    let program = compile(&network, &target).unwrap();
    assert_eq!(run(&program, &target, &[1]), bytes(&[-128]));
    assert_eq!(run(&program, &target, &[0]), bytes(&[127]));
}

#[test]
fn reshapes_around_and_between_layers_move_nothing() {
    let mut chain = identity(6);
    chain.layers.push(chain.layers[0].clone());
    let mut model = chain.model();
    // input -> reshape -> layer 0 -> reshape -> layer 1 -> reshape
    let add = |model: &mut crate::build::ModelSpec, like: usize, shape: Vec<i32>| {
        let mut tensor = model.tensors[like].clone();
        tensor.shape = shape;
        model.tensors.push(tensor);
        model.tensors.len() as i32 - 1
    };
    let reshape = |from: i32, to: i32| OperatorSpec {
        code: RESHAPE,
        version: 1,
        inputs: vec![from],
        outputs: vec![to],
        ..OperatorSpec::default()
    };
    let first = add(&mut model, 0, vec![2, 3]);
    let middle = add(&mut model, 3, vec![3, 2, 1]);
    let last = add(&mut model, 6, vec![6]);
    model.operators[0].inputs[0] = first;
    model.operators[1].inputs[0] = middle;
    model.operators.insert(0, reshape(0, first));
    model.operators.insert(2, reshape(3, middle));
    model.operators.push(reshape(6, last));
    model.outputs = vec![last];
    let network = tflite::read(&model.write()).unwrap();
    let target = Target::default();
    let program = compile(&network, &target).unwrap();
    assert_eq!((program.input.shape.clone(), program.output.shape.clone()), (vec![6, 1], vec![6]));
    assert_eq!(run(&program, &target, &[1, 2, 3, 4, 5, 6]), [1, 2, 3, 4, 5, 6]);
}
