//! From the beats in which a run lies to its bytes.

use ferrite_hdl::prelude::*;

use super::{ChunkStream, RUN_BITS};

/// Ports of the aligner.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct AlignIn<T> {
    /// A run is offered.
    pub run_valid: T,
    /// Where it begins in its first beat.
    pub offset: T,
    /// Beats in which it lies, less 1.
    pub beats: T,
    /// Chunks that it makes, less 1.
    pub parts: T,
    /// Index of the last byte in its last chunk.
    pub top: T,
    /// What goes along with it.
    pub tag: T,
    /// All its beats have come.
    #[flip]
    pub run_ready: T,
    /// A beat is offered.
    pub beat_valid: T,
    /// The beat.
    pub beat: T,
    /// It is taken.
    #[flip]
    pub beat_ready: T,
    /// Forgets what it has and gives nothing.
    pub halt: T,
    /// The bytes of the runs.
    #[flip]
    pub chunks: ChunkStream<T>,
}

/// Outputs of the aligner.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct AlignOut<T> {
    /// The last bytes of a run have come and wait to go.
    pub has_tail: T,
}

/// Moves the bytes of runs to the beginning of chunks as large as a beat. A chunk takes its bytes from two beats; those that are left in
/// a run's last beat, its tail, go while the next beat comes in.
#[module]
pub struct Align {
    /// Bytes of a beat; a power of two from 4 on.
    pub bytes: u32,
    /// Bits of a tag.
    pub tag_bits: u32,
}

impl Module for Align {
    type In = AlignIn<UInt>;
    type Out = AlignOut<UInt>;

    fn name(&self) -> String {
        format!("DmaAlign_{}t{}", self.bytes, self.tag_bits)
    }
    fn inputs(&self) -> AlignIn<Shape> {
        AlignIn {
            run_valid: bit(),
            offset: bits(self.bytes.ilog2()),
            beats: bits(RUN_BITS + 1 - self.bytes.ilog2()),
            parts: bits(RUN_BITS - self.bytes.ilog2()),
            top: bits(self.bytes.ilog2()),
            tag: bits(self.tag_bits),
            run_ready: bit(),
            beat_valid: bit(),
            beat: bits(8 * self.bytes),
            beat_ready: bit(),
            halt: bit(),
            chunks: ChunkStream::shape(self.bytes, self.tag_bits),
        }
    }
    fn outputs(&self) -> AlignOut<Shape> {
        AlignOut { has_tail: bit() }
    }
    fn build(&self, m: &Builder, i: AlignIn<UInt>) -> AlignOut<UInt> {
        let offset_bits = self.bytes.ilog2();
        let previous = m.reg("previous", 8 * self.bytes);
        // Beats of the run have come; so many beats are to come and chunks to go behind the next one.
        let started = m.reg("started", 1).reset_to(0);
        let beats_left = m.reg("beats_left", i.beats.width());
        let parts_left = m.reg("parts_left", i.parts.width());
        let has_tail = m.reg("has_tail", 1).reset_to(0);
        let tail_offset = m.reg("tail_offset", offset_bits);
        let tail_top = m.reg("tail_top", offset_bits);
        let tail_tag = m.reg("tail_tag", self.tag_bits);

        wire!(m, is_aligned = i.offset.eq(0));
        wire!(m, to_come = started.mux(beats_left, i.beats));
        wire!(m, to_go = started.mux(parts_left, i.parts));
        let goes_on = to_come.any();
        let exceeds = to_go.any();
        let from_this_beat = !started | is_aligned;
        // An unaligned run's first beat alone makes no chunk, unless it has all of the run.
        wire!(m, gives = started | is_aligned | !goes_on);

        let chunks = i.chunks;
        wire!(m, free = gives.mux(!has_tail & chunks.ready, !has_tail | chunks.ready));
        wire!(m, takes = i.run_valid & i.beat_valid & free);
        i.beat_ready.set(i.run_valid & free);
        i.run_ready.set(takes & !goes_on);
        m.when(chunks.ready, || has_tail.set(0));
        m.when(takes, || {
            previous.set(i.beat);
            started.set(goes_on);
            beats_left.set(to_come.wrapping_sub(1));
            parts_left.set(gives.mux(to_go.wrapping_sub(1), to_go));
            m.when(gives & exceeds & !goes_on, || {
                has_tail.set(1);
                tail_offset.set(i.offset);
                tail_top.set(i.top);
                tail_tag.set(i.tag);
            });
        });
        m.when(i.halt, || {
            started.set(0);
            has_tail.set(0);
        });

        let low = (has_tail | !from_this_beat).mux(previous, i.beat);
        let bytes = has_tail.mux(tail_offset, i.offset).concat(Bits::zero(3));
        wire!(m, two_beats = i.beat.concat(low) >> bytes);
        chunks.valid.set(!i.halt & (has_tail | (i.run_valid & i.beat_valid & gives)));
        chunks.chunk.data.set(two_beats.truncate(8 * self.bytes));
        let top = exceeds.mux(Bits::ones(offset_bits), i.top);
        chunks.chunk.top.set(has_tail.mux(tail_top, top));
        chunks.chunk.last.set(has_tail | !exceeds);
        chunks.chunk.tag.expect("a run that is read has one").set(has_tail.mux(tail_tag, i.tag));
        AlignOut { has_tail }
    }
}
