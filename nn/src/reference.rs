//! What the reference kernels make of a network, operator by operator, straight from the file's tensors: nothing of the compiler's own
//! (lowering, tiling, code) takes part.

use ferrite_model::kernels::{self, MultiplierError, ShapeError};
use thiserror::Error;

use crate::network::{Activation, FullyConnectedOptions, Network, Operator, Options, Quantisation};

/// An operator that the reference kernels cannot run.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("operator {index} ({operator}): {problem}")]
pub struct ReferenceError {
    /// The operator's number.
    pub index: usize,
    /// Its name.
    pub operator: String,
    /// Why.
    pub problem: String,
}

/// Runs a network on its one input tensor; gives what each operator makes, in their order.
///
/// # Errors
/// An operator other than FULLY_CONNECTED and RESHAPE, one whose tensors are not constant int8 and int32 where they have to be, or an input
/// of another size.
pub fn run(network: &Network, input: &[i8]) -> Result<Vec<Vec<i8>>, ReferenceError> {
    let mut values: Vec<Option<Vec<i8>>> = vec![None; network.tensors.len()];
    if let Some(first) = network.inputs.first() {
        values[*first] = Some(input.to_vec());
    }
    let mut outputs = Vec::new();
    for (index, operator) in network.operators.iter().enumerate() {
        let read = operator.inputs.first().copied().flatten().and_then(|tensor| values[tensor].as_deref());
        let result = match (read, operator.options, operator.outputs.first()) {
            (Some(read), Options::FullyConnected(options), Some(_)) => {
                fully_connected(network, operator, options, read)
            }
            (Some(read), Options::None, Some(_)) => Ok(read.to_vec()),
            _ => Err("it reads nothing that was computed before".to_owned()),
        };
        let output = result.map_err(|problem| ReferenceError {
            index,
            operator: operator.kind.to_string(),
            problem,
        })?;
        values[operator.outputs[0]] = Some(output.clone());
        outputs.push(output);
    }
    Ok(outputs)
}

fn fully_connected(
    network: &Network,
    operator: &Operator,
    options: FullyConnectedOptions,
    read: &[i8],
) -> Result<Vec<i8>, String> {
    let tensor = |position: usize| {
        operator.inputs.get(position).copied().flatten().map(|index| &network.tensors[index])
    };
    let (Some(input), Some(weights)) = (tensor(0), tensor(1)) else {
        return Err("its input or weights are missing".to_owned());
    };
    let output = &network.tensors[operator.outputs[0]];
    let quantisation = |tensor: &crate::network::Tensor| {
        tensor.quantisation.clone().ok_or_else(|| format!("{:?} has no quantisation", tensor.name))
    };
    let (from, by, to) = (quantisation(input)?, quantisation(weights)?, quantisation(output)?);
    let &[outputs, inputs] = weights.shape.as_slice() else {
        return Err(format!("its weights have {} dimensions", weights.shape.len()));
    };
    let weight_values = weights.constant_i8().ok_or("its weights are not constant int8")?;
    let bias = match tensor(2) {
        Some(bias) => Some(bias.constant_i32().ok_or("its bias is not constant int32")?),
        None => None,
    };
    let activation = match options.activation {
        Activation::None => kernels::Activation::None,
        Activation::Relu => kernels::Activation::Relu,
        Activation::ReluN1To1 => kernels::Activation::ReluN1To1,
        Activation::Relu6 => kernels::Activation::Relu6,
        other => return Err(format!("its activation {other} has no reference kernel")),
    };
    let layer = kernels::FullyConnected {
        inputs,
        outputs,
        weights: &weight_values,
        bias: bias.as_deref(),
        input_zero_point: from.zero_points[0],
        weight_zero_point: by.zero_points[0],
        output_zero_point: to.zero_points[0],
        multipliers: &multipliers(&from, &by, &to).map_err(|error| error.to_string())?,
        range: kernels::activation_range(activation, to.scales[0], to.zero_points[0]),
    };
    layer.run(read).map_err(|error: ShapeError| error.to_string())
}

/// Input scale times weight scale over output scale: for one weight scale the product is rounded to single precision first
/// (`GetQuantizedConvolutionMultipler`), for one per channel it is not (`PopulateConvolutionQuantizationParams`).
fn multipliers(
    from: &Quantisation,
    by: &Quantisation,
    to: &Quantisation,
) -> Result<Vec<kernels::Multiplier>, MultiplierError> {
    let (input, output) = (from.scales[0], f64::from(to.scales[0]));
    match by.scales.as_slice() {
        &[scale] => Ok(vec![kernels::quantize_multiplier(f64::from(input * scale) / output)?]),
        scales => scales
            .iter()
            .map(|scale| kernels::quantize_multiplier(f64::from(input) * f64::from(*scale) / output))
            .collect(),
    }
}
