//! A network as the reader hands it over: owned, checked, and free of the file's container format.

use std::fmt;
use std::sync::Arc;

use crate::tflite::BuiltinOperator;

/// A network: one graph of operators over tensors.
///
/// The reader guarantees that every tensor index is in range, that every operator reads only constants, graph
/// inputs and what earlier operators have produced, that no tensor is produced twice, and that constants are
/// as long as their shapes say.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Every tensor of the graph; the other fields index into this.
    pub tensors: Vec<Tensor>,
    /// The operators in the order in which they run.
    pub operators: Vec<Operator>,
    /// Indices of the tensors that the user supplies.
    pub inputs: Vec<usize>,
    /// Indices of the tensors that the user gets.
    pub outputs: Vec<usize>,
}

/// A tensor: row-major data of one element type.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Its name in the file; may be empty, and need not be unique.
    pub name: String,
    /// Number of elements along each dimension, slowest-varying first; empty for a scalar.
    pub shape: Vec<usize>,
    /// Product of `shape`; 1 for a scalar.
    pub elements: usize,
    /// The type of an element.
    pub element_type: ElementType,
    /// How integers stand for real numbers; `None` when the file does not say.
    pub quantisation: Option<Quantisation>,
    /// The tensor's little-endian bytes when they are fixed in the file.
    pub constant: Option<Arc<[u8]>>,
    /// Whether the tensor keeps its value from one inference to the next.
    pub is_variable: bool,
    /// Byte offset of the tensor's table in the file, for messages.
    pub file_offset: usize,
}

impl Tensor {
    /// The constant's elements, if this is a constant of type [`ElementType::Int8`].
    pub fn constant_i8(&self) -> Option<Vec<i8>> {
        let bytes = self.constant.as_ref().filter(|_| self.element_type == ElementType::Int8)?;
        Some(bytes.iter().map(|&byte| byte as i8).collect())
    }

    /// The constant's elements, if this is a constant of type [`ElementType::Int32`].
    pub fn constant_i32(&self) -> Option<Vec<i32>> {
        let bytes = self.constant.as_ref().filter(|_| self.element_type == ElementType::Int32)?;
        Some(
            bytes
                .chunks_exact(4)
                .map(|word| i32::from_le_bytes([word[0], word[1], word[2], word[3]]))
                .collect(),
        )
    }
}

/// Affine quantisation: `real = scale * (integer - zero_point)`.
///
/// One scale and zero point for the whole tensor, or one per index along [`Quantisation::axis`].
#[derive(Clone, Debug, PartialEq)]
pub struct Quantisation {
    /// The scales: finite and not negative; at least one.
    pub scales: Vec<f32>,
    /// The zero points, as many as scales, each within the element type's range.
    pub zero_points: Vec<i32>,
    /// The dimension that the scales go along when there are several.
    pub axis: usize,
}

/// The type of a tensor's elements (`TensorType` of the TensorFlow Lite schema, version 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ElementType {
    /// 32-bit IEEE float.
    Float32,
    /// 16-bit IEEE float.
    Float16,
    /// 32-bit signed.
    Int32,
    /// 8-bit unsigned.
    Uint8,
    /// 64-bit signed.
    Int64,
    /// Strings; no fixed size.
    String,
    /// One byte, 0 or 1.
    Bool,
    /// 16-bit signed.
    Int16,
    /// Two 32-bit floats.
    Complex64,
    /// 8-bit signed: what the tensor unit multiplies.
    Int8,
    /// 64-bit IEEE float.
    Float64,
    /// Two 64-bit floats.
    Complex128,
    /// 64-bit unsigned.
    Uint64,
    /// A handle to a resource; no fixed size.
    Resource,
    /// A value of any type; no fixed size.
    Variant,
    /// 32-bit unsigned.
    Uint32,
    /// 16-bit unsigned.
    Uint16,
    /// 4-bit signed, two to a byte.
    Int4,
    /// A type that this reader does not know, with its number in the schema.
    Other(i8),
}

impl ElementType {
    /// The type with this number in the schema.
    pub fn from_code(code: i8) -> Self {
        match code {
            0 => Self::Float32,
            1 => Self::Float16,
            2 => Self::Int32,
            3 => Self::Uint8,
            4 => Self::Int64,
            5 => Self::String,
            6 => Self::Bool,
            7 => Self::Int16,
            8 => Self::Complex64,
            9 => Self::Int8,
            10 => Self::Float64,
            11 => Self::Complex128,
            12 => Self::Uint64,
            13 => Self::Resource,
            14 => Self::Variant,
            15 => Self::Uint32,
            16 => Self::Uint16,
            17 => Self::Int4,
            other => Self::Other(other),
        }
    }

    /// Bits of one element; `None` for types without a fixed size.
    pub fn bits(self) -> Option<usize> {
        match self {
            Self::Int4 => Some(4),
            Self::Uint8 | Self::Int8 | Self::Bool => Some(8),
            Self::Float16 | Self::Int16 | Self::Uint16 => Some(16),
            Self::Float32 | Self::Int32 | Self::Uint32 => Some(32),
            Self::Int64 | Self::Complex64 | Self::Float64 | Self::Uint64 => Some(64),
            Self::Complex128 => Some(128),
            Self::String | Self::Resource | Self::Variant | Self::Other(_) => None,
        }
    }

    /// Smallest and largest integer of the type, as far as zero points may use it (32 bits).
    pub fn zero_point_range(self) -> (i64, i64) {
        match self {
            Self::Int4 => (-8, 7),
            Self::Int8 => (i8::MIN.into(), i8::MAX.into()),
            Self::Uint8 => (0, u8::MAX.into()),
            Self::Int16 => (i16::MIN.into(), i16::MAX.into()),
            Self::Uint16 => (0, u16::MAX.into()),
            _ => (i32::MIN.into(), i32::MAX.into()),
        }
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(code) => write!(f, "element type {code}"),
            known => f.write_str(&format!("{known:?}").to_lowercase()),
        }
    }
}

/// One operator of the graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Operator {
    /// What it computes.
    pub kind: BuiltinOperator,
    /// The name of a custom operator; empty for a builtin one.
    pub custom_name: String,
    /// The version of the operator's definition.
    pub version: i32,
    /// Tensor indices; `None` for an optional input that is left out.
    pub inputs: Vec<Option<usize>>,
    /// Tensor indices.
    pub outputs: Vec<usize>,
    /// The options that the reader understands.
    pub options: Options,
    /// Byte offset of the operator's table in the file, for messages.
    pub file_offset: usize,
}

/// An operator's options, for those operators whose options the reader understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Options {
    /// No options, or options of an operator that is not supported yet.
    None,
    /// Options of FULLY_CONNECTED.
    FullyConnected(FullyConnectedOptions),
}

/// Options of FULLY_CONNECTED.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FullyConnectedOptions {
    /// Applied to the result.
    pub activation: Activation,
    /// 0 for plain row-major weights; others are shuffled for a particular processor.
    pub weights_format: i8,
    /// Whether the output keeps the leading dimensions of the input, instead of `[batch, units]`.
    pub keep_num_dims: bool,
}

/// A function fused into an operator's output (`ActivationFunctionType` of the schema).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Activation {
    /// The identity.
    #[default]
    None,
    /// `max(0, x)`
    Relu,
    /// `x` clamped to -1 and 1.
    ReluN1To1,
    /// `x` clamped to 0 and 6.
    Relu6,
    /// Another function, with its number in the schema.
    Other(i8),
}

impl Activation {
    /// The activation with this number in the schema.
    pub fn from_code(code: i8) -> Self {
        match code {
            0 => Self::None,
            1 => Self::Relu,
            2 => Self::ReluN1To1,
            3 => Self::Relu6,
            other => Self::Other(other),
        }
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("NONE"),
            Self::Relu => f.write_str("RELU"),
            Self::ReluN1To1 => f.write_str("RELU_N1_TO_1"),
            Self::Relu6 => f.write_str("RELU6"),
            Self::Other(4) => f.write_str("TANH"),
            Self::Other(5) => f.write_str("SIGN_BIT"),
            Self::Other(code) => write!(f, "activation {code}"),
        }
    }
}
