//! What the output stage asks the scratchpad for.

use ferrite_hdl::prelude::*;

use super::ComputeConfig;

/// What is known of a word that is asked for.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct OperandMark<T> {
    /// Of a tile's parameters: which word it is.
    pub parameter: T,
    /// Where the row of bytes begins in the word.
    pub offset: T,
    /// Of a window: it is the first pixel.
    pub first: T,
    /// Of a window: it is the last pixel.
    pub last: T,
}

impl OperandMark<Shape> {
    pub(super) fn shape(config: &ComputeConfig) -> OperandMark<Shape> {
        let parameter = bits(index_width(config.parameter_words() as usize));
        OperandMark { parameter, offset: bits(config.offset_bits()), first: bit(), last: bit() }
    }
}

/// A word that is asked for.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct OperandRequest<T> {
    /// It is read. Pixels beside the image are not; they only take their turn.
    pub reads: T,
    /// Word address.
    pub address: T,
    /// The rest of it.
    pub mark: OperandMark<T>,
}

impl OperandRequest<Shape> {
    pub(super) fn shape(config: &ComputeConfig) -> OperandRequest<Shape> {
        let mark = OperandMark::shape(config);
        OperandRequest { reads: bit(), address: bits(config.word_address_bits()), mark }
    }
}

/// A port that asks for words.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Requests<T> {
    /// A word is asked for.
    pub valid: T,
    /// It.
    pub request: OperandRequest<T>,
    /// The request is taken; its word comes some cycles later.
    #[flip]
    pub ready: T,
}

impl Requests<Shape> {
    pub(super) fn shape(config: &ComputeConfig) -> Requests<Shape> {
        Requests { valid: bit(), request: OperandRequest::shape(config), ready: bit() }
    }
}

/// A word that was asked for.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Operand<T> {
    /// One comes.
    pub valid: T,
    /// It was read.
    pub read: T,
    /// What was known of it.
    pub mark: OperandMark<T>,
}

impl Operand<Shape> {
    pub(super) fn shape(config: &ComputeConfig) -> Operand<Shape> {
        Operand { valid: bit(), read: bit(), mark: OperandMark::shape(config) }
    }
}
