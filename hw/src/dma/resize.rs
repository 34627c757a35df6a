//! From beats to words and from words to beats.

use ferrite_hdl::prelude::*;

use super::{Chunk, ChunkStream};
use crate::record::RecordQueue;

/// Ports of the module.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ResizeIn<T> {
    /// Chunks of one size.
    pub chunks: ChunkStream<T>,
    /// Forgets what does not make a chunk yet.
    pub halt: T,
    /// The same bytes in chunks of the other size.
    #[flip]
    pub resized: ChunkStream<T>,
}

/// Puts the bytes of runs into chunks of another size. It takes a small or gives a large chunk in every cycle.
#[module]
pub struct Resize {
    /// Bytes of a chunk that comes in; a power of two from 2 on.
    pub from: u32,
    /// Bytes of a chunk that goes out; a power of two from 2 on.
    pub to: u32,
    /// Bits of a tag; 0 for none.
    pub tag_bits: u32,
}

impl Resize {
    /// Fills a large chunk with small ones, or passes one through a register.
    fn widen(&self, m: &Builder, i: ResizeIn<UInt>) {
        let (taken, given) = (i.chunks, i.resized);
        let slots = self.to / self.from;
        let full = m.reg("full", 1).reset_to(0);
        let word = m.regs("word", Chunk::shape(self.to, self.tag_bits));
        let room = !full | given.ready;
        taken.ready.set(room);
        wire!(m, takes = taken.valid & room);

        let slot = (slots > 1).then(|| m.reg("slot", slots.ilog2()).reset_to(0));
        let is_full = slot.map_or(m.constant(Bits::ones(1)), |slot| taken.chunk.last | slot.all());
        wire!(m, completes = takes & is_full);
        m.when(room, || full.set(completes));
        m.when(takes, || {
            match slot {
                None => word.data.set(taken.chunk.data),
                Some(slot) => {
                    let width = 8 * self.from;
                    for k in 0..slots {
                        m.when(slot.eq(k), || word.data.slice(k * width, width).set(taken.chunk.data));
                    }
                    slot.set(is_full.mux(0, slot.wrapping_add(1)));
                }
            }
            word.top.set(slot.map_or(taken.chunk.top, |slot| slot.concat(taken.chunk.top)));
            word.last.set(taken.chunk.last);
            m.connect(word.tag, taken.chunk.tag);
        });
        if let Some(slot) = slot {
            m.when(i.halt, || slot.set(0));
        }
        given.valid.set(full);
        m.connect(given.chunk, word);
    }

    /// Gives a large chunk in small ones.
    fn narrow(&self, m: &Builder, i: ResizeIn<UInt>) {
        let (taken, given) = (i.chunks, i.resized);
        let part_bits = self.to.ilog2();
        let full = m.reg("full", 1).reset_to(0);
        let word = m.regs("word", Chunk::shape(self.from, self.tag_bits));
        // `word.top` counts from the first byte that has not gone.
        let left = word.top.slice(part_bits, word.top.width() - part_bits);
        wire!(m, is_last = left.eq(0));
        taken.ready.set(!full | (given.ready & is_last));
        m.when(full & given.ready, || {
            word.data.set(word.data >> (8 * self.to));
            word.top.slice(part_bits, left.width()).set(left.wrapping_sub(1));
            m.when(is_last, || full.set(0));
        });
        m.when(taken.valid & taken.ready, || {
            m.connect(word, taken.chunk);
            full.set(1);
        });
        given.valid.set(full);
        given.chunk.data.set(word.data.truncate(8 * self.to));
        given.chunk.top.set(is_last.mux(word.top.truncate(part_bits), Bits::ones(part_bits)));
        given.chunk.last.set(word.last & is_last);
        m.connect(given.chunk.tag, word.tag);
    }
}

impl Module for Resize {
    type In = ResizeIn<UInt>;
    type Out = Empty<UInt>;

    fn name(&self) -> String {
        format!("DmaResize_{}to{}t{}", self.from, self.to, self.tag_bits)
    }
    fn inputs(&self) -> ResizeIn<Shape> {
        ResizeIn {
            chunks: ChunkStream::shape(self.from, self.tag_bits),
            halt: bit(),
            resized: ChunkStream::shape(self.to, self.tag_bits),
        }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: ResizeIn<UInt>) -> Empty<UInt> {
        // The buffer parts the path of `ready`.
        let taken = RecordQueue::skid(m, "taken", Chunk::shape(self.from, self.tag_bits));
        i.chunks.ready.set(taken.ready);
        taken.put(i.chunks.valid, i.chunks.chunk);
        let chunks = ChunkStream { valid: taken.valid, chunk: taken.front, ready: taken.takes };
        let i = ResizeIn { chunks, ..i };
        if self.to >= self.from {
            self.widen(m, i)
        } else {
            self.narrow(m, i)
        }
        Empty::new()
    }
}
