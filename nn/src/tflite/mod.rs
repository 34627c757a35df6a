//! Reading .tflite files: the TensorFlow Lite schema, version 3, in its FlatBuffers container.
//!
//! The reader accepts every operator, and leaves it to the lowering to refuse those that the chip cannot run;
//! it refuses what contradicts the schema or itself. It never panics, and takes time and memory in proportion
//! to the file's length.

mod error;
mod operators;
mod reader;
mod table;

pub use error::ReadError;
pub use operators::BuiltinOperator;
pub use reader::read;
