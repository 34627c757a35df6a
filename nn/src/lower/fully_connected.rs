//! FULLY_CONNECTED: `output = clamp(zero_point + scale(input * weights + bias))`, as TensorFlow Lite's
//! reference kernel computes it for int8 (`tensorflow/lite/kernels/fully_connected.cc`,
//! `reference_integer_ops::FullyConnected`).

use ferrite_model::kernels::{self, Multiplier};

use super::Place;
use crate::error::CompileError;
use crate::network::{Activation, ElementType, FullyConnectedOptions, Quantisation, Tensor};

/// A fully connected layer in integers. For every row `x` of the input and every output channel `n`, in
/// 32-bit arithmetic that wraps:
///
/// `output[n] = clamp(zero_point + requantise(sum over k of weights[n][k] * x[k] + bias[n], multipliers[n]))`
#[derive(Clone, Debug, PartialEq)]
pub struct FullyConnected {
    /// The name of the tensor that it makes.
    pub name: String,
    /// Input channels.
    pub inputs: usize,
    /// Output channels.
    pub outputs: usize,
    /// `outputs` rows of `inputs` weights.
    pub weights: Vec<i8>,
    /// One per output channel: the network's bias less the input's zero point times the sum of the channel's
    /// weights, so that the array may multiply the input as it is.
    pub biases: Vec<i32>,
    /// One for all output channels, or one each.
    pub multipliers: Vec<Multiplier>,
    /// The output's zero point.
    pub zero_point: i8,
    /// Smallest and largest output.
    pub range: (i8, i8),
}

pub(super) fn lower(
    place: &Place<'_>,
    options: FullyConnectedOptions,
) -> Result<FullyConnected, CompileError> {
    if options.weights_format != 0 {
        let problem = format!(
            "its weights are shuffled for another processor (format {}); convert the network without \
             that option",
            options.weights_format
        );
        return Err(place.error(problem));
    }
    let input = &place.network.tensors[place.data()?];
    let output = &place.network.tensors[place.only_output()?];
    let weights = place.input(1).ok_or_else(|| place.error("its weights are missing"))?;
    place.require_type(input, "input", ElementType::Int8)?;
    place.require_type(output, "output", ElementType::Int8)?;
    place.require_type(weights, "weights tensor", ElementType::Int8)?;
    let (outputs, inputs) = check_shapes(place, input, weights, output)?;
    let weight_values = weights.constant_i8().ok_or_else(|| {
        place.error(format!(
            "its weights {:?} are computed; only constant weights are supported",
            weights.name
        ))
    })?;

    let input_quantisation = per_tensor(place, input, "input")?;
    let output_quantisation = per_tensor(place, output, "output")?;
    let multipliers =
        multipliers(place, input_quantisation.scales[0], weights, output_quantisation.scales[0], outputs)?;
    let zero_point = output_quantisation.zero_points[0];
    let activation = match options.activation {
        Activation::None => kernels::Activation::None,
        Activation::Relu => kernels::Activation::Relu,
        Activation::ReluN1To1 => kernels::Activation::ReluN1To1,
        Activation::Relu6 => kernels::Activation::Relu6,
        other => {
            return Err(place.error(format!(
                "its fused activation {other} is not supported; supported are NONE, RELU, RELU_N1_TO_1, RELU6"
            )));
        }
    };
    Ok(FullyConnected {
        name: output.name.clone(),
        inputs,
        outputs,
        biases: fold_biases(place, outputs, &weight_values, input_quantisation.zero_points[0])?,
        weights: weight_values,
        multipliers,
        // The reader has checked it against the element type.
        zero_point: zero_point as i8,
        range: kernels::activation_range(activation, output_quantisation.scales[0], zero_point),
    })
}

/// Output and input channels, once the three shapes are found to agree.
fn check_shapes(
    place: &Place<'_>,
    input: &Tensor,
    weights: &Tensor,
    output: &Tensor,
) -> Result<(usize, usize), CompileError> {
    let &[outputs, inputs] = weights.shape.as_slice() else {
        let problem = format!(
            "its weights {:?} have shape {:?}, but must have two dimensions",
            weights.name, weights.shape
        );
        return Err(place.error(problem));
    };
    if outputs == 0 || inputs == 0 || input.elements == 0 {
        let problem = format!("it multiplies {:?} by {:?}, which is empty", input.shape, weights.shape);
        return Err(place.error(problem));
    }
    if !input.elements.is_multiple_of(inputs) {
        let problem = format!(
            "its input has shape {:?}, which is no multiple of its {inputs} input channels",
            input.shape
        );
        return Err(place.error(problem));
    }
    let batches = input.elements / inputs;
    if batches.checked_mul(outputs) != Some(output.elements) {
        let problem = format!(
            "its output has shape {:?}, but {batches} rows of {outputs} channels are computed; the file \
             is damaged",
            output.shape
        );
        return Err(place.error(problem));
    }
    Ok((outputs, inputs))
}

fn quantisation<'a>(
    place: &Place<'_>,
    tensor: &'a Tensor,
    role: &str,
) -> Result<&'a Quantisation, CompileError> {
    tensor.quantisation.as_ref().ok_or_else(|| {
        let name = &tensor.name;
        place.error(format!(
            "its {role} {name:?} has no quantisation parameters; convert the network with full integer \
             quantisation"
        ))
    })
}

fn per_tensor<'a>(
    place: &Place<'_>,
    tensor: &'a Tensor,
    role: &str,
) -> Result<&'a Quantisation, CompileError> {
    let quantisation = quantisation(place, tensor, role)?;
    if quantisation.scales.len() != 1 {
        let (name, scales) = (&tensor.name, quantisation.scales.len());
        return Err(
            place.error(format!("its {role} {name:?} has {scales} scales, but activations must have one"))
        );
    }
    Ok(quantisation)
}

/// The factors from sums to outputs: input scale * weight scale / output scale.
fn multipliers(
    place: &Place<'_>,
    input_scale: f32,
    weights: &Tensor,
    output_scale: f32,
    outputs: usize,
) -> Result<Vec<Multiplier>, CompileError> {
    let quantisation = quantisation(place, weights, "weights tensor")?;
    if quantisation.zero_points.iter().any(|&point| point != 0) {
        let name = &weights.name;
        return Err(place.error(format!(
            "its weights {name:?} have a zero point that is not 0, which int8 weights must not have; \
             convert the network again"
        )));
    }
    let real: Vec<f64> = match quantisation.scales.as_slice() {
        // `GetQuantizedConvolutionMultipler` rounds the product to single precision.
        &[scale] => vec![f64::from(input_scale * scale) / f64::from(output_scale)],
        // `PopulateConvolutionQuantizationParams` does not.
        scales if quantisation.axis == 0 && scales.len() == outputs => {
            let product = |scale: &f32| f64::from(input_scale) * f64::from(*scale);
            scales.iter().map(|scale| product(scale) / f64::from(output_scale)).collect()
        }
        scales => {
            return Err(place.error(format!(
                "its weights {:?} have {} scales along dimension {}, but must have 1, or {outputs} \
                 along dimension 0",
                weights.name,
                scales.len(),
                quantisation.axis
            )));
        }
    };
    let fixed_point = |real: f64| {
        kernels::quantize_multiplier(real).map_err(|error| {
            place.error(format!(
                "its scales (input {input_scale}, output {output_scale}) make no multiplier: {error}"
            ))
        })
    };
    real.into_iter().map(fixed_point).collect()
}

fn fold_biases(
    place: &Place<'_>,
    outputs: usize,
    weights: &[i8],
    input_zero_point: i32,
) -> Result<Vec<i32>, CompileError> {
    let biases = match place.input(2) {
        None => vec![0; outputs],
        Some(tensor) => {
            place.require_type(tensor, "bias", ElementType::Int32)?;
            let values = tensor.constant_i32().ok_or_else(|| {
                place.error(format!(
                    "its bias {:?} is computed; only a constant bias is supported",
                    tensor.name
                ))
            })?;
            if values.len() != outputs {
                let (name, have) = (&tensor.name, values.len());
                return Err(
                    place.error(format!("its bias {name:?} has {have} values for {outputs} output channels"))
                );
            }
            values
        }
    };
    let inputs = weights.len() / outputs;
    Ok(biases
        .into_iter()
        .zip(weights.chunks_exact(inputs))
        .map(|(bias, channel)| {
            let sum = channel.iter().fold(0i32, |sum, &weight| sum.wrapping_add(weight.into()));
            bias.wrapping_sub(input_zero_point.wrapping_mul(sum))
        })
        .collect())
}
