//! What is to be moved.

use ferrite_hdl::prelude::*;

use super::{DmaConfig, RUN_BITS};

/// `n2` times `n1` runs of `bytes` bytes. Run `(i, j)` lies at `external + i * s1 + j * s2` in external memory and begins at word
/// `local + i * d1 + j * d2` of the scratchpad, whose words it fills one after the other.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Descriptor<T> {
    /// Byte address of the first run in external memory; any alignment.
    pub external: T,
    /// Bytes of a run: 1 to 65535.
    pub bytes: T,
    /// Runs of the inner dimension: 1 to 65535.
    pub n1: T,
    /// Repetitions of the inner dimension: 1 to 65535.
    pub n2: T,
    /// Bytes from one run to the next; two's complement.
    pub s1: T,
    /// Bytes from one repetition to the next; two's complement.
    pub s2: T,
    /// Word address of the first run in the scratchpad.
    pub local: T,
    /// Words from one run to the next, modulo the scratchpad's size.
    pub d1: T,
    /// Words from one repetition to the next, modulo the scratchpad's size.
    pub d2: T,
    /// What fills up the last word of a run that is read.
    pub fill: Option<T>,
}

impl Descriptor<Shape> {
    pub(super) fn shape(config: &DmaConfig, has_fill: bool) -> Descriptor<Shape> {
        let (run, word) = (bits(RUN_BITS), bits(config.address_bits));
        Descriptor {
            external: bits(32),
            bytes: run,
            n1: run,
            n2: run,
            s1: bits(32),
            s2: bits(32),
            local: word,
            d1: word,
            d2: word,
            fill: has_fill.then(|| bits(8)),
        }
    }
}

/// A stream of descriptors.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct DescriptorStream<T> {
    /// One is offered.
    pub valid: T,
    /// It.
    pub next: Descriptor<T>,
    /// It is taken.
    #[flip]
    pub ready: T,
}

impl DescriptorStream<Shape> {
    pub(super) fn shape(config: &DmaConfig, has_fill: bool) -> DescriptorStream<Shape> {
        DescriptorStream { valid: bit(), next: Descriptor::shape(config, has_fill), ready: bit() }
    }
}

/// Bytes that follow each other in external memory.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Span<T> {
    /// Address of the first.
    pub external: T,
    /// How many, less 1.
    pub last_byte: T,
    /// They are the last of a descriptor.
    pub last: T,
}

impl Span<Shape> {
    pub(super) fn shape() -> Span<Shape> {
        Span { external: bits(32), last_byte: bits(RUN_BITS), last: bit() }
    }
}

/// One run of a descriptor.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Run<T> {
    /// Where it lies in external memory.
    pub span: Span<T>,
    /// Its first word in the scratchpad.
    pub local: T,
    /// What fills up its last word.
    pub fill: Option<T>,
}

/// A stream of runs.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct RunStream<T> {
    /// One is offered.
    pub valid: T,
    /// It.
    pub run: Run<T>,
    /// It is taken.
    #[flip]
    pub ready: T,
}

impl RunStream<Shape> {
    pub(super) fn shape(config: &DmaConfig, has_fill: bool) -> RunStream<Shape> {
        let run =
            Run { span: Span::shape(), local: bits(config.address_bits), fill: has_fill.then(|| bits(8)) };
        RunStream { valid: bit(), run, ready: bit() }
    }
}
