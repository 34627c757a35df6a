//! What can be wrong with a .tflite file.

use flatbuffers::InvalidFlatbuffer;
use thiserror::Error;

/// Why a file was refused. Offsets are in bytes from the start of the file; tensors and operators are
/// numbered from 0.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file is something else.
    #[error(
        "not a TensorFlow Lite file: bytes 4 to 7 are {found}, but must be \"TFL3\"; \
         export the network as a .tflite flatbuffer"
    )]
    NotTflite {
        /// The four bytes, printable; or what is there instead.
        found: String,
    },
    /// The container is damaged: an offset or a length points outside of the file, or a limit against files
    /// that would unfold to far more than their size is exceeded.
    #[error("damaged file: {what} at offset {offset}: {reason}; fetch or export the file again")]
    Damaged {
        /// Which part of the model, for example `tensor 3, shape`.
        what: String,
        /// Where that part should be.
        offset: usize,
        /// What the FlatBuffers verifier found.
        reason: String,
    },
    /// A part that every model has is not there.
    #[error("damaged file: {what} at offset {offset} is missing; fetch or export the file again")]
    Missing {
        /// Which part of the model.
        what: String,
        /// Where the table is that lacks it.
        offset: usize,
    },
    /// The schema's version is not 3.
    #[error(
        "schema version {version} is not supported, only 3; convert the network again with a current \
         converter"
    )]
    SchemaVersion {
        /// The version that the file names.
        version: u32,
    },
    /// The model has several graphs (or none), as control flow needs.
    #[error(
        "the model has {count} subgraphs, but only models of exactly one are supported; \
         export the network without control flow"
    )]
    Subgraphs {
        /// How many there are.
        count: usize,
    },
    /// An index points at something that does not exist.
    #[error("{what} at offset {offset} is {index}, but there are only {count}; the file is damaged")]
    Index {
        /// Whose index, for example `operator 2, input 0 (a tensor index)`.
        what: String,
        /// Where the table is that holds the index.
        offset: usize,
        /// The index.
        index: i64,
        /// How many things there are.
        count: usize,
    },
    /// A tensor's properties contradict each other.
    #[error("tensor {index} {name:?} at offset {offset}: {problem}")]
    Tensor {
        /// The tensor's number.
        index: usize,
        /// The tensor's name.
        name: String,
        /// Where its table is.
        offset: usize,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// An operator reads a tensor that has no value yet, or writes one that already has one.
    #[error("operator {index} ({operator}) at offset {offset}: {problem}; the file is damaged")]
    Operator {
        /// The operator's number.
        index: usize,
        /// The operator's name.
        operator: String,
        /// Where its table is.
        offset: usize,
        /// What is wrong.
        problem: String,
    },
}

impl ReadError {
    pub(super) fn damaged(what: impl Into<String>, offset: usize, reason: &InvalidFlatbuffer) -> Self {
        // The verifier's text may span several lines and end in one.
        let reason = reason.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        Self::Damaged { what: what.into(), offset, reason: reason.trim_end_matches('.').to_owned() }
    }
}
