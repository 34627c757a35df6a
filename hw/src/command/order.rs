//! A command that was judged, with what it touches.

use ferrite_hdl::prelude::*;

use super::record::{Cause, Part};
use crate::compute::ComputeConfig;
use crate::compute::{Convolution, OutputTask};

/// A range of addresses.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Region<T> {
    /// It is touched.
    pub valid: T,
    /// It is written; else read.
    pub writes: T,
    /// The first one.
    pub first: T,
    /// The last one.
    pub last: T,
}

impl Region<Shape> {
    fn shape(address_bits: u32) -> Region<Shape> {
        Region { valid: bit(), writes: bit(), first: bits(address_bits), last: bits(address_bits) }
    }
}

impl Region<UInt> {
    /// Whether the order in which the two are accessed matters.
    pub(super) fn conflicts(&self, other: &Region<UInt>) -> UInt {
        let overlap = self.first.le(other.last) & other.first.le(self.last);
        self.valid & other.valid & (self.writes | other.writes) & overlap
    }
}

/// What a command touches.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Regions<T> {
    /// Scratchpad words: of a transfer, activations, or outputs.
    pub data: Region<T>,
    /// Scratchpad words that are read: weights, parameters, or the operand of what has an image and no sums.
    pub source: Region<T>,
    /// Scratchpad words that are read: the second operand.
    pub second: Region<T>,
    /// Accumulator rows.
    pub accumulators: Region<T>,
    /// External memory, in blocks of [`EXTERNAL_BLOCK_BYTES`] bytes.
    pub external: Region<T>,
}

/// Bytes of external memory that are told apart.
pub const EXTERNAL_BLOCK_BYTES: u32 = 16;

impl Regions<Shape> {
    pub(super) fn shape(config: &ComputeConfig) -> Regions<Shape> {
        let words = Region::shape(config.word_address_bits());
        Regions {
            data: words,
            source: words,
            second: words,
            accumulators: Region::shape(config.row_bits()),
            external: Region::shape(32 - EXTERNAL_BLOCK_BYTES.ilog2()),
        }
    }
}

impl Regions<UInt> {
    /// Whether the order of two commands matters.
    pub(super) fn conflict(&self, other: &Regions<UInt>) -> UInt {
        // Sources are only read.
        let words = [
            self.data.conflicts(&other.data),
            self.data.conflicts(&other.source),
            self.data.conflicts(&other.second),
            self.source.conflicts(&other.data),
            self.second.conflicts(&other.data),
        ];
        let rest =
            [self.accumulators.conflicts(&other.accumulators), self.external.conflicts(&other.external)];
        concat(words.into_iter().chain(rest)).any()
    }
}

/// What a load or a store moves; see [`Descriptor`](crate::dma::Descriptor).
#[derive(Clone, Copy, Debug, Bundle)]
#[allow(missing_docs)] // The fields of a descriptor.
pub struct Transfer<T> {
    pub external: T,
    pub bytes: T,
    pub n1: T,
    pub n2: T,
    pub s1: T,
    pub s2: T,
    pub local: T,
    pub d1: T,
    pub d2: T,
    pub fill: T,
}

impl Transfer<Shape> {
    pub(crate) fn shape(config: &ComputeConfig) -> Transfer<Shape> {
        let (count, word) = (bits(16), bits(config.word_address_bits()));
        Transfer {
            external: bits(32),
            bytes: count,
            n1: count,
            n2: count,
            s1: bits(32),
            s2: bits(32),
            local: word,
            d1: word,
            d2: word,
            fill: bits(8),
        }
    }
}

/// A command: what it does (one of the last three, by the part that does it), what it touches, and whether it is refused.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Order<T> {
    /// What carries it out.
    pub part: T,
    /// Why it is refused, where it is.
    pub cause: T,
    /// What it touches.
    pub regions: Regions<T>,
    /// Of a load or a store.
    pub transfer: Transfer<T>,
    /// Of a convolution.
    pub convolution: Convolution<T>,
    /// Of the output stage.
    pub output: OutputTask<T>,
}

/// A stream of orders. One that is refused is offered too, but only to be looked at while it is judged.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct OrderStream<T> {
    /// One is offered.
    pub valid: T,
    /// It.
    pub order: Order<T>,
    /// It was judged and may be taken.
    pub good: T,
    /// It was judged and is refused.
    pub bad: T,
    /// It is taken.
    #[flip]
    pub ready: T,
}

impl OrderStream<Shape> {
    pub(super) fn shape(config: &ComputeConfig) -> OrderStream<Shape> {
        let order = Order {
            part: Part::shape(),
            cause: Cause::shape(),
            regions: Regions::shape(config),
            transfer: Transfer::shape(config),
            convolution: Convolution::shape(config),
            output: OutputTask::shape(config),
        };
        OrderStream { valid: bit(), order, good: bit(), bad: bit(), ready: bit() }
    }
}
