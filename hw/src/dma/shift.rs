//! From the bytes of a run to the beats in which it lies.

use ferrite_hdl::prelude::*;

use super::ChunkStream;
use super::chunk::bytes_to;

/// Ports of the module.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ShiftIn<T> {
    /// A run is offered.
    pub run_valid: T,
    /// Where it begins in its first beat.
    pub offset: T,
    /// It is taken.
    #[flip]
    pub run_ready: T,
    /// The bytes of the runs, in chunks as large as a beat.
    pub chunks: ChunkStream<T>,
    /// Forgets what it has.
    pub halt: T,
    /// A beat is offered.
    #[flip]
    pub beat_valid: T,
    /// The beat.
    #[flip]
    pub beat: T,
    /// The bytes of it that belong to the run.
    #[flip]
    pub strobes: T,
    /// It is taken.
    pub beat_ready: T,
}

/// Outputs of the module.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ShiftOut<T> {
    /// Bytes of a run are awaited.
    pub has_run: T,
}

/// Moves the bytes of runs to their places in beats. A beat takes its bytes from two chunks; those of a run's last chunk that do not fit
/// into its beat go in one more.
#[module]
pub struct Shift {
    /// Bytes of a beat; a power of two from 4 on.
    pub bytes: u32,
}

impl Module for Shift {
    type In = ShiftIn<UInt>;
    type Out = ShiftOut<UInt>;

    fn name(&self) -> String {
        format!("DmaShift_{}", self.bytes)
    }
    fn inputs(&self) -> ShiftIn<Shape> {
        ShiftIn {
            run_valid: bit(),
            offset: bits(self.bytes.ilog2()),
            run_ready: bit(),
            chunks: ChunkStream::shape(self.bytes, 0),
            halt: bit(),
            beat_valid: bit(),
            beat: bits(8 * self.bytes),
            strobes: bits(self.bytes),
            beat_ready: bit(),
        }
    }
    fn outputs(&self) -> ShiftOut<Shape> {
        ShiftOut { has_run: bit() }
    }
    fn build(&self, m: &Builder, i: ShiftIn<UInt>) -> ShiftOut<UInt> {
        let offset_bits = self.bytes.ilog2();
        let chunk = i.chunks.chunk;
        let has_run = m.reg("has_run", 1).reset_to(0);
        let offset = m.reg("run_offset", offset_bits);
        // Bytes of a beat from the offset on: 1 to `bytes`.
        let amount = m.reg("amount", offset_bits + 1);
        // The bytes of its next beat, were it not the last.
        let places = m.reg("places", self.bytes);
        let previous = m.reg("previous", 8 * self.bytes);
        // The last chunk has been taken; its bytes at the places of `spill` go in one more beat.
        let spills = m.reg("spills", 1).reset_to(0);
        let spill = m.reg("spill", self.bytes);

        wire!(m, last_place = offset + chunk.top);
        let exceeds = last_place.msb();
        wire!(m, ends = spills | (chunk.last & !exceeds));
        i.beat_valid.set(has_run & (spills | i.chunks.valid));
        wire!(m, fires = i.beat_valid & i.beat_ready);
        i.chunks.ready.set(has_run & !spills & i.beat_ready);
        wire!(m, needs_run = !has_run | (fires & ends));
        i.run_ready.set(needs_run);
        m.when(fires, || {
            previous.set(chunk.data);
            places.set(Bits::ones(self.bytes));
            spills.set(!ends & chunk.last);
            spill.set(bytes_to(m, last_place.truncate(offset_bits), self.bytes));
        });
        m.when(needs_run, || {
            has_run.set(i.run_valid);
            offset.set(i.offset);
            let beat = m.constant(Bits::from_u64(offset_bits + 1, self.bytes.into()));
            places.set(m.constant(Bits::ones(self.bytes)) << i.offset);
            amount.set(beat.wrapping_sub(i.offset.extend(offset_bits + 1)));
        });
        m.when(i.halt, || {
            has_run.set(0);
            spills.set(0);
        });

        let two_chunks = chunk.data.concat(previous) >> amount.concat(Bits::zero(3));
        i.beat.set(two_chunks.truncate(8 * self.bytes));
        wire!(m, all = spills | !chunk.last);
        i.strobes
            .set(spills.mux(spill, places) & (all.repeat(self.bytes) | bytes_to(m, last_place, self.bytes)));
        ShiftOut { has_run }
    }
}
