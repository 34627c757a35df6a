//! From the beats in which a run lies to its bytes.

use ferrite_hdl::prelude::*;

use super::{ChunkStream, RUN_BITS};
use crate::countdown::Countdown;

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
    /// It is taken.
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
    /// Beats of a run are awaited.
    pub has_run: T,
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
        AlignOut { has_run: bit(), has_tail: bit() }
    }
    fn build(&self, m: &Builder, i: AlignIn<UInt>) -> AlignOut<UInt> {
        let offset_bits = self.bytes.ilog2();
        let previous = m.reg("previous", 8 * self.bytes);
        // The run whose beats come: so many are to come and chunks to go behind the next one.
        let has_run = m.reg("has_run", 1).reset_to(0);
        let beats = Countdown::new(m, "beats", i.beats.width(), 0);
        let parts = Countdown::new(m, "parts", i.parts.width(), 0);
        let offset = m.reg("run_offset", offset_bits);
        let top = m.reg("run_top", offset_bits);
        let tag = m.reg("run_tag", self.tag_bits);
        let is_aligned = m.reg("is_aligned", 1);
        // A chunk begins in the next beat. An unaligned run's first beat alone makes no chunk, unless it has all of the run.
        let from_this_beat = m.reg("from_this_beat", 1);
        let gives = m.reg("gives", 1);
        let has_tail = m.reg("has_tail", 1).reset_to(0);
        let tail_offset = m.reg("tail_offset", offset_bits);
        let tail_top = m.reg("tail_top", offset_bits);
        let tail_tag = m.reg("tail_tag", self.tag_bits);
        let goes_on = !beats.done;
        let exceeds = !parts.done;

        let chunks = i.chunks;
        wire!(m, free = gives.mux(!has_tail & chunks.ready, !has_tail | chunks.ready));
        wire!(m, takes = has_run & i.beat_valid & free);
        i.beat_ready.set(has_run & free);
        wire!(m, may_end = i.beat_valid & !goes_on);
        wire!(m, needs_run = !has_run | (may_end & free));
        i.run_ready.set(needs_run);
        m.when(chunks.ready, || has_tail.set(0));
        m.when(takes, || {
            previous.set(i.beat);
            from_this_beat.set(is_aligned);
            gives.set(1);
            beats.step();
            m.when(gives, || parts.step());
            m.when(gives & exceeds & !goes_on, || {
                has_tail.set(1);
                tail_offset.set(offset);
                tail_top.set(top);
                tail_tag.set(tag);
            });
        });
        m.when(needs_run, || {
            wire!(m, begins_aligned = i.offset.eq(0));
            has_run.set(i.run_valid);
            beats.load(i.beats);
            parts.load(i.parts);
            offset.set(i.offset);
            top.set(i.top);
            tag.set(i.tag);
            is_aligned.set(begins_aligned);
            from_this_beat.set(1);
            gives.set(begins_aligned | i.beats.eq(0));
        });
        m.when(i.halt, || {
            has_run.set(0);
            has_tail.set(0);
        });

        let low = (has_tail | !from_this_beat).mux(previous, i.beat);
        let bytes = has_tail.mux(tail_offset, offset).concat(Bits::zero(3));
        wire!(m, two_beats = i.beat.concat(low) >> bytes);
        chunks.valid.set(!i.halt & (has_tail | (has_run & i.beat_valid & gives)));
        chunks.chunk.data.set(two_beats.truncate(8 * self.bytes));
        let chunk_top = exceeds.mux(Bits::ones(offset_bits), top);
        chunks.chunk.top.set(has_tail.mux(tail_top, chunk_top));
        chunks.chunk.last.set(has_tail | !exceeds);
        chunks.chunk.tag.expect("a run that is read has one").set(has_tail.mux(tail_tag, tag));
        AlignOut { has_run, has_tail }
    }
}
