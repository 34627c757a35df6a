//! From the file's tables to a [`Network`]. The field numbers are those of the public schema (`schema.fbs`,
//! version 3).

use std::sync::Arc;

use super::error::ReadError;
use super::operators::BuiltinOperator;
use super::table::{Reader, Table, limits};
use crate::network::{
    Activation, ElementType, FullyConnectedOptions, Network, Operator, Options, Quantisation, Tensor,
};

const IDENTIFIER: &[u8] = b"TFL3";
const SCHEMA_VERSION: u32 = 3;
/// Most elements of one tensor: TensorFlow Lite itself counts them in an `int`.
const MAX_ELEMENTS: usize = i32::MAX as usize;

mod model {
    pub(super) const VERSION: usize = 0;
    pub(super) const OPERATOR_CODES: usize = 1;
    pub(super) const SUBGRAPHS: usize = 2;
    pub(super) const BUFFERS: usize = 4;
    pub(super) type Table = super::Table<5>;
}

mod operator_code {
    pub(super) const DEPRECATED_BUILTIN_CODE: usize = 0;
    pub(super) const CUSTOM_CODE: usize = 1;
    pub(super) const VERSION: usize = 2;
    pub(super) const BUILTIN_CODE: usize = 3;
    pub(super) type Table = super::Table<4>;
}

mod subgraph {
    pub(super) const TENSORS: usize = 0;
    pub(super) const INPUTS: usize = 1;
    pub(super) const OUTPUTS: usize = 2;
    pub(super) const OPERATORS: usize = 3;
    pub(super) type Table = super::Table<4>;
}

mod tensor {
    pub(super) const SHAPE: usize = 0;
    pub(super) const TYPE: usize = 1;
    pub(super) const BUFFER: usize = 2;
    pub(super) const NAME: usize = 3;
    pub(super) const QUANTIZATION: usize = 4;
    pub(super) const IS_VARIABLE: usize = 5;
    pub(super) type Table = super::Table<6>;
}

mod quantization {
    pub(super) const SCALE: usize = 2;
    pub(super) const ZERO_POINT: usize = 3;
    pub(super) const QUANTIZED_DIMENSION: usize = 6;
    pub(super) type Table = super::Table<7>;
}

mod buffer {
    pub(super) const DATA: usize = 0;
    pub(super) const OFFSET: usize = 1;
    pub(super) const SIZE: usize = 2;
    pub(super) type Table = super::Table<3>;
}

mod operator {
    pub(super) const OPCODE_INDEX: usize = 0;
    pub(super) const INPUTS: usize = 1;
    pub(super) const OUTPUTS: usize = 2;
    pub(super) const BUILTIN_OPTIONS_TYPE: usize = 3;
    pub(super) const BUILTIN_OPTIONS: usize = 4;
    pub(super) type Table = super::Table<5>;
}

mod fully_connected_options {
    /// The number of this table in the union `BuiltinOptions`.
    pub(super) const UNION_TYPE: u8 = 8;
    pub(super) const FUSED_ACTIVATION_FUNCTION: usize = 0;
    pub(super) const WEIGHTS_FORMAT: usize = 1;
    pub(super) const KEEP_NUM_DIMS: usize = 2;
    pub(super) type Table = super::Table<3>;
}

/// Reads the bytes of a .tflite file.
///
/// # Errors
///
/// [`ReadError`] if the bytes are not a valid model of one graph: see its variants.
pub fn read(file: &[u8]) -> Result<Network, ReadError> {
    match file.get(4..8) {
        Some(IDENTIFIER) => {}
        Some(other) => return Err(ReadError::NotTflite { found: format!("\"{}\"", other.escape_ascii()) }),
        None => {
            return Err(ReadError::NotTflite {
                found: format!("not there (the file has {} bytes)", file.len()),
            });
        }
    }
    let limits = limits(file.len());
    let mut reader = Reader::new(file, &limits);
    let root: model::Table = reader.root("model")?;
    let version = reader.number(&root, model::VERSION, 0u32, "schema version")?;
    if version != SCHEMA_VERSION {
        return Err(ReadError::SchemaVersion { version });
    }
    let graphs: Vec<subgraph::Table> = reader.tables(&root, model::SUBGRAPHS, "subgraph")?;
    let [graph] = graphs.as_slice() else { return Err(ReadError::Subgraphs { count: graphs.len() }) };

    let buffers = read_buffers(&mut reader, &root)?;
    let tensors = read_tensors(&mut reader, graph, &buffers)?;
    let codes = read_operator_codes(&mut reader, &root)?;
    let operators = read_operators(&mut reader, graph, &codes, tensors.len())?;
    let ends = |reader: &mut Reader<'_, '_>, field, what| -> Result<Vec<usize>, ReadError> {
        let indices = reader.numbers::<i32, 4>(graph, field, what)?;
        indices.into_iter().map(|index| tensor_index(index, tensors.len(), what, graph.offset)).collect()
    };
    let inputs = ends(&mut reader, subgraph::INPUTS, "graph input (a tensor index)")?;
    let outputs = ends(&mut reader, subgraph::OUTPUTS, "graph output (a tensor index)")?;
    let network = Network { tensors, operators, inputs, outputs };
    check_order(&network)?;
    Ok(network)
}

/// The contents of every buffer. Tensors share them, so that many tensors of one large buffer cost nothing.
fn read_buffers(reader: &mut Reader<'_, '_>, root: &model::Table) -> Result<Vec<Arc<[u8]>>, ReadError> {
    let tables: Vec<buffer::Table> = reader.tables(root, model::BUFFERS, "buffer")?;
    let mut buffers = Vec::with_capacity(tables.len());
    for (index, table) in tables.iter().enumerate() {
        let what = format!("buffer {index}, data");
        let offset = reader.number(table, buffer::OFFSET, 0u64, &what)?;
        // Offsets 0 and 1 mean that the data stand in the table.
        let data = if offset > 1 {
            let bytes = reader.number(table, buffer::SIZE, 0u64, &what)?;
            reader.outside(offset, bytes, &what)?
        } else {
            reader.bytes(table, buffer::DATA, &what)?
        };
        buffers.push(Arc::from(data));
    }
    Ok(buffers)
}

fn read_tensors(
    reader: &mut Reader<'_, '_>,
    graph: &subgraph::Table,
    buffers: &[Arc<[u8]>],
) -> Result<Vec<Tensor>, ReadError> {
    let tables: Vec<tensor::Table> = reader.tables(graph, subgraph::TENSORS, "tensor")?;
    tables.iter().enumerate().map(|(index, table)| read_tensor(reader, index, table, buffers)).collect()
}

fn read_tensor(
    reader: &mut Reader<'_, '_>,
    index: usize,
    table: &tensor::Table,
    buffers: &[Arc<[u8]>],
) -> Result<Tensor, ReadError> {
    let name = reader.text(table, tensor::NAME, &format!("tensor {index}, name"))?;
    let refuse =
        |problem: String| ReadError::Tensor { index, name: name.clone(), offset: table.offset, problem };

    let dimensions: Vec<i32> = reader.numbers(table, tensor::SHAPE, &format!("tensor {index}, shape"))?;
    let (shape, elements) = check_shape(&dimensions).map_err(&refuse)?;
    let code = reader.number(table, tensor::TYPE, 0i8, &format!("tensor {index}, type"))?;
    let element_type = ElementType::from_code(code);

    let buffer = reader.number(table, tensor::BUFFER, 0u32, &format!("tensor {index}, buffer"))?;
    let data = match usize::try_from(buffer).ok().and_then(|number| buffers.get(number)) {
        Some(data) => Some(data.clone()).filter(|data| !data.is_empty()),
        // Buffer 0 stands for "no data"; a model without constants need not even have it.
        None if buffer == 0 => None,
        None => {
            let what = format!("tensor {index} {name:?}, buffer");
            let (offset, index, count) = (table.offset, buffer.into(), buffers.len());
            return Err(ReadError::Index { what, offset, index, count });
        }
    };
    if let (Some(data), Some(bits)) = (&data, element_type.bits()) {
        let expected = (elements as u64 * bits as u64).div_ceil(8);
        if data.len() as u64 != expected {
            let have = data.len();
            return Err(refuse(format!(
                "its shape {shape:?} of {element_type} needs {expected} bytes, but buffer {buffer} has \
                 {have}; export the network again"
            )));
        }
    }

    let what = format!("tensor {index}, quantization");
    let quantisation = match reader.table(table, tensor::QUANTIZATION, &what)? {
        Some(parameters) => read_quantisation(reader, &parameters, &shape, element_type, &what, &refuse)?,
        None => None,
    };
    let is_variable =
        reader.number(table, tensor::IS_VARIABLE, 0u8, &format!("tensor {index}, is_variable"))? != 0;
    let file_offset = table.offset;
    Ok(Tensor { name, shape, elements, element_type, quantisation, constant: data, is_variable, file_offset })
}

/// The shape as sizes, and the number of elements; or what is wrong with it.
fn check_shape(dimensions: &[i32]) -> Result<(Vec<usize>, usize), String> {
    let mut shape = Vec::with_capacity(dimensions.len());
    let mut elements = 1usize;
    for &dimension in dimensions {
        let Ok(size) = usize::try_from(dimension) else {
            return Err(format!(
                "its shape {dimensions:?} has a negative size; export the network with fixed sizes (batch 1)"
            ));
        };
        elements = match elements.checked_mul(size) {
            Some(product) if product <= MAX_ELEMENTS => product,
            _ => return Err(format!("its shape {dimensions:?} has more than {MAX_ELEMENTS} elements")),
        };
        shape.push(size);
    }
    Ok((shape, elements))
}

fn read_quantisation(
    reader: &mut Reader<'_, '_>,
    table: &quantization::Table,
    shape: &[usize],
    element_type: ElementType,
    what: &str,
    refuse: &impl Fn(String) -> ReadError,
) -> Result<Option<Quantisation>, ReadError> {
    let scales: Vec<f32> = reader.numbers(table, quantization::SCALE, what)?;
    let zero_points: Vec<i64> = reader.numbers(table, quantization::ZERO_POINT, what)?;
    let axis = reader.number(table, quantization::QUANTIZED_DIMENSION, 0i32, what)?;
    if scales.is_empty() {
        return Ok(None);
    }
    if let Some(scale) = scales.iter().find(|scale| !scale.is_finite() || **scale < 0.0) {
        return Err(refuse(format!(
            "its scale {scale} is not a finite positive number; quantise the network again"
        )));
    }
    // A file that gives no zero points means 0.
    if !zero_points.is_empty() && zero_points.len() != scales.len() {
        let (points, scales) = (zero_points.len(), scales.len());
        return Err(refuse(format!(
            "it has {points} zero points for {scales} scales; quantise the network again"
        )));
    }
    // Some converters give the weights' axis to the bias, which has only one.
    let axis = if shape.len() == 1 { 0 } else { usize::try_from(axis).unwrap_or(usize::MAX) };
    if scales.len() > 1 && shape.get(axis) != Some(&scales.len()) {
        let scales = scales.len();
        return Err(refuse(format!(
            "it has {scales} scales along dimension {axis}, but its shape is {shape:?}; quantise the \
             network again"
        )));
    }
    let (min, max) = element_type.zero_point_range();
    if let Some(point) = zero_points.iter().find(|&&point| point < min || point > max) {
        return Err(refuse(format!(
            "its zero point {point} is outside of {element_type} ({min} to {max}); quantise the network again"
        )));
    }
    // Within the element type's range, hence within i32.
    let mut zero_points: Vec<i32> = zero_points.into_iter().map(|point| point as i32).collect();
    zero_points.resize(scales.len(), 0);
    Ok(Some(Quantisation { scales, zero_points, axis }))
}

/// What an operator's `opcode_index` refers to.
struct OperatorCode {
    kind: BuiltinOperator,
    custom_name: String,
    version: i32,
}

fn read_operator_codes(
    reader: &mut Reader<'_, '_>,
    root: &model::Table,
) -> Result<Vec<OperatorCode>, ReadError> {
    let tables: Vec<operator_code::Table> = reader.tables(root, model::OPERATOR_CODES, "operator code")?;
    let mut codes = Vec::with_capacity(tables.len());
    for (index, table) in tables.iter().enumerate() {
        let what = format!("operator code {index}");
        let deprecated = reader.number(table, operator_code::DEPRECATED_BUILTIN_CODE, 0i8, &what)?;
        let code = reader.number(table, operator_code::BUILTIN_CODE, 0i32, &what)?;
        codes.push(OperatorCode {
            // Files from before operators outgrew a byte have only the first; later ones may have either or
            // both.
            kind: BuiltinOperator(code.max(deprecated.into())),
            custom_name: reader.text(table, operator_code::CUSTOM_CODE, &what)?,
            version: reader.number(table, operator_code::VERSION, 1, &what)?,
        });
    }
    Ok(codes)
}

fn read_operators(
    reader: &mut Reader<'_, '_>,
    graph: &subgraph::Table,
    codes: &[OperatorCode],
    tensors: usize,
) -> Result<Vec<Operator>, ReadError> {
    let tables: Vec<operator::Table> = reader.tables(graph, subgraph::OPERATORS, "operator")?;
    let mut operators = Vec::with_capacity(tables.len());
    for (index, table) in tables.iter().enumerate() {
        let what = format!("operator {index}");
        let opcode = reader.number(table, operator::OPCODE_INDEX, 0u32, &what)?;
        let Some(code) = usize::try_from(opcode).ok().and_then(|opcode| codes.get(opcode)) else {
            let what = format!("operator {index}, opcode_index");
            let (offset, index, count) = (table.offset, opcode.into(), codes.len());
            return Err(ReadError::Index { what, offset, index, count });
        };
        let mut inputs = Vec::new();
        for (position, input) in reader.numbers(table, operator::INPUTS, &what)?.into_iter().enumerate() {
            let what = format!("operator {index} ({}), input {position} (a tensor index)", code.kind);
            // -1 stands for an optional input that is left out.
            inputs.push(match input {
                -1 => None,
                given => Some(tensor_index(given, tensors, &what, table.offset)?),
            });
        }
        let mut outputs = Vec::new();
        for (position, output) in reader.numbers(table, operator::OUTPUTS, &what)?.into_iter().enumerate() {
            let what = format!("operator {index} ({}), output {position} (a tensor index)", code.kind);
            outputs.push(tensor_index(output, tensors, &what, table.offset)?);
        }
        operators.push(Operator {
            kind: code.kind,
            custom_name: code.custom_name.clone(),
            version: code.version,
            inputs,
            outputs,
            options: read_options(reader, table, code.kind, &format!("operator {index}, options"))?,
            file_offset: table.offset,
        });
    }
    Ok(operators)
}

fn read_options(
    reader: &mut Reader<'_, '_>,
    table: &operator::Table,
    kind: BuiltinOperator,
    what: &str,
) -> Result<Options, ReadError> {
    if kind != BuiltinOperator::FULLY_CONNECTED {
        return Ok(Options::None);
    }
    let mut read = FullyConnectedOptions::default();
    let union_type = reader.number(table, operator::BUILTIN_OPTIONS_TYPE, 0u8, what)?;
    if union_type == fully_connected_options::UNION_TYPE {
        let options: Option<fully_connected_options::Table> =
            reader.table(table, operator::BUILTIN_OPTIONS, what)?;
        if let Some(options) = options {
            use fully_connected_options::{FUSED_ACTIVATION_FUNCTION, KEEP_NUM_DIMS, WEIGHTS_FORMAT};
            let activation = reader.number(&options, FUSED_ACTIVATION_FUNCTION, 0i8, what)?;
            read.activation = Activation::from_code(activation);
            read.weights_format = reader.number(&options, WEIGHTS_FORMAT, 0i8, what)?;
            read.keep_num_dims = reader.number(&options, KEEP_NUM_DIMS, 0u8, what)? != 0;
        }
    }
    Ok(Options::FullyConnected(read))
}

fn tensor_index(index: i32, count: usize, what: &str, offset: usize) -> Result<usize, ReadError> {
    usize::try_from(index).ok().filter(|&index| index < count).ok_or_else(|| ReadError::Index {
        what: what.to_owned(),
        offset,
        index: index.into(),
        count,
    })
}

/// Every value is there before it is used, and is made once.
fn check_order(network: &Network) -> Result<(), ReadError> {
    let mut has_value: Vec<bool> =
        network.tensors.iter().map(|tensor| tensor.constant.is_some() || tensor.is_variable).collect();
    for &input in &network.inputs {
        has_value[input] = true;
    }
    for (index, operator) in network.operators.iter().enumerate() {
        let refuse = |problem: String| {
            let (operator, offset) = (operator.kind.to_string(), operator.file_offset);
            ReadError::Operator { index, operator, offset, problem }
        };
        let named = |tensor: usize| format!("tensor {tensor} {:?}", network.tensors[tensor].name);
        // An empty tensor needs no value: there is nothing to read.
        let missing = |&&tensor: &&usize| !has_value[tensor] && network.tensors[tensor].elements > 0;
        if let Some(&tensor) = operator.inputs.iter().flatten().find(missing) {
            return Err(refuse(format!("it reads {} before any operator has made it", named(tensor))));
        }
        for &output in &operator.outputs {
            if std::mem::replace(&mut has_value[output], true) {
                return Err(refuse(format!("it makes {}, which already has a value", named(output))));
            }
        }
    }
    match network.outputs.iter().find(|&&output| !has_value[output]) {
        Some(&output) => {
            let (name, offset) = (network.tensors[output].name.clone(), network.tensors[output].file_offset);
            let problem =
                "it is an output of the graph, but no operator makes it; the file is damaged".to_owned();
            Err(ReadError::Tensor { index: output, name, offset, problem })
        }
        None => Ok(()),
    }
}
