//! From operators to layers in integer arithmetic, refusing what the chip cannot run.

mod fully_connected;

pub use fully_connected::FullyConnected;

use crate::error::CompileError;
use crate::network::{ElementType, Network, Operator, Options, Tensor};
use crate::tflite::BuiltinOperator;

/// The operators that [`lower`] accepts.
pub const SUPPORTED: [BuiltinOperator; 2] = [BuiltinOperator::FULLY_CONNECTED, BuiltinOperator::RESHAPE];

/// A network as a chain of layers, each of which reads only what the one before made.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    /// Rows of every activation matrix.
    pub batches: usize,
    /// At least one.
    pub layers: Vec<FullyConnected>,
    /// The tensor that the user supplies.
    pub input: Tensor,
    /// The tensor that the user gets.
    pub output: Tensor,
}

/// Lowers a network.
///
/// # Errors
///
/// [`CompileError::Unsupported`], [`CompileError::Operator`] or [`CompileError::Network`].
pub fn lower(network: &Network) -> Result<Chain, CompileError> {
    // The most frequent reason first: it is of no use to repair a network's ends when an operator in it
    // cannot run.
    let all = network.operators.iter().enumerate();
    if let Some((index, operator)) = all.clone().find(|(_, operator)| !SUPPORTED.contains(&operator.kind)) {
        return Err(unsupported(index, operator));
    }
    let input = sole_end(network, &network.inputs, "input")?;
    let output = sole_end(network, &network.outputs, "output")?;

    let mut current = input;
    let mut layers: Vec<FullyConnected> = Vec::new();
    let mut batches = 0;
    for (index, operator) in all {
        let place = Place { network, index, operator };
        if operator.inputs.first() != Some(&Some(current)) {
            return Err(place.error(
                "it does not read what the operator before it made; only networks that are one chain of \
                 operators are supported",
            ));
        }
        current = place.only_output()?;
        match operator.options {
            Options::FullyConnected(options) => {
                let layer = fully_connected::lower(&place, options)?;
                let rows = network.tensors[place.data()?].elements / layer.inputs;
                match layers.last() {
                    None => batches = rows,
                    Some(before) if before.outputs == layer.inputs => {}
                    Some(before) => {
                        let problem = format!(
                            "it reads rows of {} values, but the layer before makes rows of {}; \
                             reshaping between layers is supported only if the last dimension stays",
                            layer.inputs, before.outputs
                        );
                        return Err(place.error(problem));
                    }
                }
                layers.push(layer);
            }
            // A reshape moves no data: rows stay rows, which the next layer checks.
            Options::None => place.check_reshape()?,
        }
    }
    if current != output {
        let problem = "the network's output is not what its last operator makes; only chains are supported";
        return Err(CompileError::Network { problem: problem.to_owned() });
    }
    if layers.is_empty() {
        let problem = "the network has no layer to run; it must have at least one FULLY_CONNECTED".to_owned();
        return Err(CompileError::Network { problem });
    }
    Ok(Chain {
        batches,
        layers,
        input: network.tensors[input].clone(),
        output: network.tensors[output].clone(),
    })
}

fn unsupported(index: usize, operator: &Operator) -> CompileError {
    let name = match operator.kind {
        BuiltinOperator::CUSTOM => format!("CUSTOM {:?}", operator.custom_name),
        builtin => builtin.to_string(),
    };
    CompileError::Unsupported {
        index,
        operator: name,
        version: operator.version,
        offset: operator.file_offset,
        supported: SUPPORTED.map(|kind| kind.to_string()).join(", "),
    }
}

/// The one input or output of the network: an int8 tensor.
fn sole_end(network: &Network, ends: &[usize], what: &str) -> Result<usize, CompileError> {
    let &[end] = ends else {
        let problem =
            format!("the network has {} {what}s; only networks with exactly one are supported", ends.len());
        return Err(CompileError::Network { problem });
    };
    let tensor = &network.tensors[end];
    if tensor.element_type != ElementType::Int8 {
        let problem = format!(
            "the network's {what} {:?} is {}, but must be int8; convert the network with int8 inputs \
             and outputs (full integer quantisation)",
            tensor.name, tensor.element_type
        );
        return Err(CompileError::Network { problem });
    }
    Ok(end)
}

/// An operator and where it stands.
struct Place<'a> {
    network: &'a Network,
    index: usize,
    operator: &'a Operator,
}

impl<'a> Place<'a> {
    fn error(&self, problem: impl Into<String>) -> CompileError {
        CompileError::Operator {
            index: self.index,
            operator: self.operator.kind.to_string(),
            offset: self.operator.file_offset,
            problem: problem.into(),
        }
    }

    /// The tensor in an input's position; `None` if it is left out.
    fn input(&self, position: usize) -> Option<&'a Tensor> {
        let index = self.operator.inputs.get(position).copied().flatten()?;
        Some(&self.network.tensors[index])
    }

    /// Index of the tensor that flows through the chain.
    fn data(&self) -> Result<usize, CompileError> {
        self.operator
            .inputs
            .first()
            .copied()
            .flatten()
            .ok_or_else(|| self.error("its first input is missing"))
    }

    fn only_output(&self) -> Result<usize, CompileError> {
        match self.operator.outputs.as_slice() {
            &[output] => Ok(output),
            outputs => Err(self.error(format!("it has {} outputs, but must have one", outputs.len()))),
        }
    }

    fn require_type(&self, tensor: &Tensor, role: &str, wanted: ElementType) -> Result<(), CompileError> {
        if tensor.element_type == wanted {
            return Ok(());
        }
        let (name, have) = (&tensor.name, tensor.element_type);
        Err(self.error(format!(
            "its {role} {name:?} is {have}, but must be {wanted}; convert the network with full \
             integer quantisation"
        )))
    }

    fn check_reshape(&self) -> Result<(), CompileError> {
        let from = &self.network.tensors[self.data()?];
        let to = &self.network.tensors[self.only_output()?];
        self.require_type(from, "input", ElementType::Int8)?;
        self.require_type(to, "output", ElementType::Int8)?;
        if from.elements != to.elements {
            let problem = format!(
                "it reshapes {:?} to {:?}, which has another number of elements",
                from.shape, to.shape
            );
            return Err(self.error(problem));
        }
        Ok(())
    }
}
