//! Pieces of a run on their way.

use ferrite_hdl::prelude::*;

/// Bytes of a run, the first one lowest. All pieces of a run are full but the last one.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Chunk<T> {
    /// The bytes; above the last one that counts anything may stand.
    pub data: T,
    /// Index of the last byte that counts.
    pub top: T,
    /// It is the run's last.
    pub last: T,
    /// What goes along with the run, if anything.
    pub tag: Option<T>,
}

impl Chunk<Shape> {
    /// Of so many bytes (a power of two from 2 on), with a tag of so many bits, perhaps 0.
    pub(super) fn shape(bytes: u32, tag_bits: u32) -> Chunk<Shape> {
        Chunk {
            data: bits(8 * bytes),
            top: bits(bytes.ilog2()),
            last: bit(),
            tag: (tag_bits > 0).then(|| bits(tag_bits)),
        }
    }
}

/// A stream of chunks.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ChunkStream<T> {
    /// One is offered.
    pub valid: T,
    /// It.
    pub chunk: Chunk<T>,
    /// It is taken.
    #[flip]
    pub ready: T,
}

impl ChunkStream<Shape> {
    /// Of such chunks.
    pub(super) fn shape(bytes: u32, tag_bits: u32) -> ChunkStream<Shape> {
        ChunkStream { valid: bit(), chunk: Chunk::shape(bytes, tag_bits), ready: bit() }
    }
}

/// Bytes that pass in a cycle.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Moved<T> {
    /// Some pass.
    pub valid: T,
    /// How many, less 1.
    pub top: T,
}

impl Moved<Shape> {
    /// Of chunks of so many bytes.
    pub(crate) fn shape(bytes: u32) -> Moved<Shape> {
        Moved { valid: bit(), top: bits(bytes.ilog2()) }
    }
}

/// A bit for each byte: whether its index is at most `top`. A shifted constant, since comparisons become chains of carries.
pub(super) fn bytes_to(m: &Builder, top: UInt, bytes: u32) -> UInt {
    let behind_first = m.constant(Bits::ones(bytes - 1)).concat(Bits::zero(1));
    !(behind_first << top).truncate(bytes)
}
