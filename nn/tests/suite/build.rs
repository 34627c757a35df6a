//! Writes .tflite files, with the builder of the `flatbuffers` crate and the field numbers of the public
//! schema.

use flatbuffers::{FlatBufferBuilder, TableFinishedWIPOffset, VOffsetT, WIPOffset};

pub const FLOAT32: i8 = 0;
pub const INT32: i8 = 2;
pub const INT8: i8 = 9;
pub const CONV_2D: i32 = 3;
pub const FULLY_CONNECTED: i32 = 9;
pub const RESHAPE: i32 = 22;
pub const CUSTOM: i32 = 32;

/// A tensor to write. Without scales it has no quantisation.
#[derive(Clone, Debug, Default)]
pub struct TensorSpec {
    pub name: String,
    pub shape: Vec<i32>,
    pub element_type: i8,
    pub scales: Vec<f32>,
    pub zero_points: Vec<i64>,
    pub axis: i32,
    pub data: Option<Vec<u8>>,
}

/// An operator to write. Without an activation it has no options.
#[derive(Clone, Debug, Default)]
pub struct OperatorSpec {
    pub code: i32,
    pub version: i32,
    pub custom_name: String,
    pub inputs: Vec<i32>,
    pub outputs: Vec<i32>,
    pub activation: Option<i8>,
    pub weights_format: i8,
}

/// A model to write.
#[derive(Clone, Debug)]
pub struct ModelSpec {
    pub schema_version: u32,
    pub subgraphs: usize,
    pub tensors: Vec<TensorSpec>,
    pub operators: Vec<OperatorSpec>,
    pub inputs: Vec<i32>,
    pub outputs: Vec<i32>,
}

type Offset = WIPOffset<TableFinishedWIPOffset>;

/// The place in the vtable of a field.
fn slot(field: VOffsetT) -> VOffsetT {
    4 + 2 * field
}

impl ModelSpec {
    /// The file.
    pub fn write(&self) -> Vec<u8> {
        let mut fbb = FlatBufferBuilder::new();
        // Buffer 0 is the empty one; tensor i with data has buffer i + 1.
        let mut buffers = vec![write_buffer(&mut fbb, None)];
        buffers.extend(self.tensors.iter().map(|tensor| write_buffer(&mut fbb, tensor.data.as_deref())));
        let tensors: Vec<Offset> = self
            .tensors
            .iter()
            .enumerate()
            .map(|(index, tensor)| write_tensor(&mut fbb, index, tensor))
            .collect();
        let codes: Vec<Offset> =
            self.operators.iter().map(|operator| write_code(&mut fbb, operator)).collect();
        let operators: Vec<Offset> = self
            .operators
            .iter()
            .enumerate()
            .map(|(index, operator)| write_operator(&mut fbb, index, operator))
            .collect();
        let tensors = fbb.create_vector(&tensors);
        let operators = fbb.create_vector(&operators);
        let inputs = fbb.create_vector(&self.inputs);
        let outputs = fbb.create_vector(&self.outputs);
        let table = fbb.start_table();
        fbb.push_slot_always(slot(0), tensors);
        fbb.push_slot_always(slot(1), inputs);
        fbb.push_slot_always(slot(2), outputs);
        fbb.push_slot_always(slot(3), operators);
        let graph = fbb.end_table(table);
        let graphs = fbb.create_vector(&vec![graph; self.subgraphs]);
        let codes = fbb.create_vector(&codes);
        let buffers = fbb.create_vector(&buffers);
        let table = fbb.start_table();
        fbb.push_slot_always(slot(0), self.schema_version);
        fbb.push_slot_always(slot(1), codes);
        fbb.push_slot_always(slot(2), graphs);
        fbb.push_slot_always(slot(4), buffers);
        let model = fbb.end_table(table);
        fbb.finish(model, Some("TFL3"));
        fbb.finished_data().to_vec()
    }
}

fn write_buffer(fbb: &mut FlatBufferBuilder<'_>, data: Option<&[u8]>) -> Offset {
    let data = data.map(|data| fbb.create_vector(data));
    let table = fbb.start_table();
    if let Some(data) = data {
        fbb.push_slot_always(slot(0), data);
    }
    fbb.end_table(table)
}

fn write_tensor(fbb: &mut FlatBufferBuilder<'_>, index: usize, spec: &TensorSpec) -> Offset {
    let quantisation = (!spec.scales.is_empty()).then(|| {
        let scales = fbb.create_vector(&spec.scales);
        let zero_points = fbb.create_vector(&spec.zero_points);
        let table = fbb.start_table();
        fbb.push_slot_always(slot(2), scales);
        fbb.push_slot_always(slot(3), zero_points);
        fbb.push_slot(slot(6), spec.axis, 0);
        fbb.end_table(table)
    });
    let name = fbb.create_string(&spec.name);
    let shape = fbb.create_vector(&spec.shape);
    let table = fbb.start_table();
    fbb.push_slot_always(slot(0), shape);
    fbb.push_slot(slot(1), spec.element_type, 0);
    fbb.push_slot(slot(2), if spec.data.is_some() { index as u32 + 1 } else { 0 }, 0);
    fbb.push_slot_always(slot(3), name);
    if let Some(quantisation) = quantisation {
        fbb.push_slot_always(slot(4), quantisation);
    }
    fbb.end_table(table)
}

fn write_code(fbb: &mut FlatBufferBuilder<'_>, spec: &OperatorSpec) -> Offset {
    let name = (!spec.custom_name.is_empty()).then(|| fbb.create_string(&spec.custom_name));
    let table = fbb.start_table();
    fbb.push_slot(slot(0), spec.code.min(127) as i8, 0);
    if let Some(name) = name {
        fbb.push_slot_always(slot(1), name);
    }
    fbb.push_slot(slot(2), spec.version, 1);
    fbb.push_slot(slot(3), spec.code, 0);
    fbb.end_table(table)
}

fn write_operator(fbb: &mut FlatBufferBuilder<'_>, index: usize, spec: &OperatorSpec) -> Offset {
    let options = spec.activation.map(|activation| {
        let table = fbb.start_table();
        fbb.push_slot(slot(0), activation, 0);
        fbb.push_slot(slot(1), spec.weights_format, 0);
        fbb.end_table(table)
    });
    let inputs = fbb.create_vector(&spec.inputs);
    let outputs = fbb.create_vector(&spec.outputs);
    let table = fbb.start_table();
    fbb.push_slot(slot(0), index as u32, 0);
    fbb.push_slot_always(slot(1), inputs);
    fbb.push_slot_always(slot(2), outputs);
    if let Some(options) = options {
        // 8 is FullyConnectedOptions in the union BuiltinOptions.
        fbb.push_slot(slot(3), 8u8, 0);
        fbb.push_slot_always(slot(4), options);
    }
    fbb.end_table(table)
}

/// One fully connected layer of a chain.
#[derive(Clone, Debug)]
pub struct Dense {
    pub outputs: usize,
    /// `outputs` rows of as many weights as the layer has inputs.
    pub weights: Vec<i8>,
    pub bias: Option<Vec<i32>>,
    pub weight_scales: Vec<f32>,
    pub output_scale: f32,
    pub output_zero_point: i8,
    /// Number in the schema.
    pub activation: i8,
}

/// A chain of fully connected layers.
#[derive(Clone, Debug)]
pub struct DenseChain {
    pub batches: usize,
    pub inputs: usize,
    pub input_scale: f32,
    pub input_zero_point: i8,
    pub layers: Vec<Dense>,
}

impl DenseChain {
    /// Tensor 0 is the input; layer i has weights 3i+1, bias 3i+2 and output 3i+3.
    pub fn model(&self) -> ModelSpec {
        let activations = |name: &str, width: usize, scale, zero_point: i8| TensorSpec {
            name: name.to_owned(),
            shape: vec![self.batches as i32, width as i32],
            element_type: INT8,
            scales: vec![scale],
            zero_points: vec![zero_point.into()],
            ..TensorSpec::default()
        };
        let mut tensors = vec![activations("input", self.inputs, self.input_scale, self.input_zero_point)];
        let mut operators = Vec::new();
        let mut width = self.inputs;
        for (index, layer) in self.layers.iter().enumerate() {
            let first = 3 * index as i32;
            tensors.push(TensorSpec {
                name: format!("weights {index}"),
                shape: vec![layer.outputs as i32, width as i32],
                element_type: INT8,
                scales: layer.weight_scales.clone(),
                zero_points: vec![0; layer.weight_scales.len()],
                axis: 0,
                data: Some(layer.weights.iter().map(|&weight| weight as u8).collect()),
            });
            tensors.push(TensorSpec {
                name: format!("bias {index}"),
                shape: vec![layer.outputs as i32],
                element_type: INT32,
                data: layer
                    .bias
                    .as_ref()
                    .map(|bias| bias.iter().flat_map(|word| word.to_le_bytes()).collect()),
                ..TensorSpec::default()
            });
            let (scale, zero_point) = (layer.output_scale, layer.output_zero_point);
            tensors.push(activations(&format!("layer {index}"), layer.outputs, scale, zero_point));
            operators.push(OperatorSpec {
                code: FULLY_CONNECTED,
                version: 4,
                inputs: vec![first, first + 1, if layer.bias.is_some() { first + 2 } else { -1 }],
                outputs: vec![first + 3],
                activation: Some(layer.activation),
                ..OperatorSpec::default()
            });
            width = layer.outputs;
        }
        let last = tensors.len() as i32 - 1;
        ModelSpec {
            schema_version: 3,
            subgraphs: 1,
            tensors,
            operators,
            inputs: vec![0],
            outputs: vec![last],
        }
    }
}
