//! The accumulators: rows of `C` int32 sums in two banks.

use ferrite_hdl::library::one_hot_mux;
use ferrite_hdl::prelude::*;

use super::ComputeConfig;
use super::windows::RowMark;
use crate::delay::late_bit;
use crate::record::{RecordQueue, of_word, to_word};

/// A port that reads accumulator rows. A row comes two cycles after its request is taken.
#[derive(Clone, Debug, Bundle)]
pub struct RowRead<T> {
    /// A row is asked for.
    pub valid: T,
    /// Which one.
    pub row: T,
    /// It is taken.
    #[flip]
    pub ready: T,
    /// One int32 for each column.
    #[flip]
    pub sum: Vec<T>,
}

impl RowRead<Shape> {
    pub(super) fn shape(config: &ComputeConfig) -> RowRead<Shape> {
        let sum = vec![signed(32); config.cols as usize];
        RowRead { valid: bit(), row: bits(config.row_bits()), ready: bit(), sum }
    }
}

/// Inputs of the module.
#[derive(Clone, Debug, Bundle)]
pub struct SumsIn<T> {
    /// An activation row enters the array.
    pub enters: T,
    /// What is known of it.
    pub mark: RowMark<T>,
    /// Each column is a channel; while it changes, the array is empty.
    pub depthwise: T,
    /// Sums of the activation row that entered [`Array::latency`](super::Array::latency) cycles before.
    pub sum: Vec<T>,
    /// A convolution is offered whose first accumulator row is told.
    pub start_valid: T,
    /// That row.
    pub start: T,
    /// It is taken.
    #[flip]
    pub start_ready: T,
    /// The output stage.
    pub read: RowRead<T>,
    /// What is under way ends as soon as it can, and sums may be anything.
    pub halt: T,
}

/// Outputs of the module.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct SumsOut<T> {
    /// Nothing is on its way through the array.
    pub empty: T,
    /// The last sums of a convolution are in.
    pub done: T,
}

/// Adds what the array gives to the accumulators, a row in every cycle. The array's accesses come first; the output stage has the
/// other bank, and the same one where sums replace what was there.
///
/// The array must not have the same row twice in two cycles that follow each other: it would add to the old sums.
#[module]
pub struct Sums {
    /// Sizes.
    pub config: ComputeConfig,
}

/// Convolutions whose first accumulator rows wait for their sums.
const STARTS: u32 = 4;

/// Banks of accumulators.
const BANKS: u32 = 2;

impl Module for Sums {
    type In = SumsIn<UInt>;
    type Out = SumsOut<UInt>;

    fn name(&self) -> String {
        format!("Sums_{}", self.config.suffix())
    }
    fn inputs(&self) -> SumsIn<Shape> {
        SumsIn {
            enters: bit(),
            mark: RowMark::shape(),
            depthwise: bit(),
            sum: vec![signed(self.config.array().psum_bits()); self.config.cols as usize],
            start_valid: bit(),
            start: bits(self.config.row_bits()),
            start_ready: bit(),
            read: RowRead::shape(&self.config),
            halt: bit(),
        }
    }
    fn outputs(&self) -> SumsOut<Shape> {
        SumsOut { empty: bit(), done: bit() }
    }
    fn build(&self, m: &Builder, i: SumsIn<UInt>) -> SumsOut<UInt> {
        let config = &self.config;
        let starts = RecordQueue::new(m, "starts", STARTS, bits(config.row_bits()));
        starts.put(i.start_valid, i.start);
        i.start_ready.set(starts.ready);

        // Marks travel beside the array; those of two cycles before the sums tell which row is to be read.
        let cycles = config.array().latency();
        let mark_bits = 4;
        let flight = m.reg("flight", cycles - 3).reset_to(0);
        flight.set(flight.truncate(cycles - 4).concat(i.enters));
        let marks = m.reg("marks", mark_bits * (cycles - 3));
        marks.set(marks.truncate(mark_bits * (cycles - 4)).concat(to_word(i.mark)));
        // One of two places of the way is looked at; which one does not change while there is anything on it.
        let early = config.array().depthwise_latency() - 4;
        let arrives = m.reg("arrives", 1).reset_to(0);
        wire!(m, arrives_soon = i.depthwise.mux(flight.bit(early), flight.msb()));
        arrives.set(arrives_soon);
        let mark_at = |cycle: u32| marks.slice(mark_bits * cycle, mark_bits);
        wire!(m, soon = i.depthwise.mux(mark_at(early), mark_at(cycles - 4)));
        let mark = of_word(RowMark::shape(), m.delay("mark", soon));
        let soon = of_word(RowMark::shape(), soon);

        // The row: behind the one before, or where the tile's sums begin. It is found a cycle ahead, for the output stage waits to hear whether its bank is free.
        let between = m.reg("between", 1).reset_to(1);
        let row = m.reg("row", config.row_bits());
        let next_row = m.reg("next_row", config.row_bits());
        let tile_row = m.reg("tile_row", config.row_bits());
        wire!(m, between_soon = arrives.mux(mark.ends, between));
        between.set(between_soon);
        wire!(m, next_row_soon = arrives.mux(row.wrapping_add(1), next_row));
        next_row.set(next_row_soon);
        wire!(m, tile_row_soon = (arrives & mark.first).mux(row, tile_row));
        tile_row.set(tile_row_soon);
        wire!(m, begins = arrives_soon & soon.first & between_soon);
        wire!(m, again = soon.first & !soon.starts);
        row.set(begins.mux(starts.front, again.mux(tile_row_soon, next_row_soon)));
        starts.takes.set(begins);
        m.assert("a_start_waits", !begins | starts.valid);

        // A block RAM is slow: its word stands in a register before the sums are added.
        let fetched = m.reg("fetched", 1).reset_to(0);
        fetched.set(arrives);
        let fetched_row = m.delay("fetched_row", row);
        let update = m.reg("update", 1).reset_to(0);
        update.set(fetched);
        let updated_row = m.delay("updated_row", fetched_row);
        let done = late_bit(m, "done", arrives & mark.ends, 2);

        // Banks by the row's highest bit.
        let index_bits = config.row_bits() - BANKS.ilog2();
        let of = |row: UInt, bank: u32| row.msb().eq(bank);
        let index = |row: UInt| row.truncate(index_bits);
        wire!(m, reads = arrives & !mark.replaces);
        // Between the last row of a convolution and the first one of the next lies a cycle: it may be the same row, which is written right now.
        wire!(m, is_written = update & updated_row.eq(row));
        m.assert("sums_follow_each_other", i.halt | !reads | !(fetched & fetched_row.eq(row)));
        wire!(m, collides = reads & row.msb().eq(i.read.row.msb()));
        i.read.ready.set(!collides);
        let memories: Vec<Memory> = (0..BANKS)
            .map(|bank| {
                m.memory(&format!("bank_{bank}"), 1 << index_bits, 32 * config.cols).without_collisions()
            })
            .collect();
        let words: Vec<UInt> = (0u32..)
            .zip(&memories)
            .map(|(bank, memory)| {
                let mine = reads & of(row, bank);
                let theirs = i.read.valid & of(i.read.row, bank);
                let mut word = None;
                m.when(mine | theirs, || {
                    let index = mine.mux(index(row), index(i.read.row));
                    word = Some(memory.read(&format!("word_{bank}"), index));
                });
                word.expect("`when` has run its body")
            })
            .collect();
        let word_of = |bank: UInt| bank.mux(words[1], words[0]);
        let asked_bank = m.delay("asked_bank", i.read.row.msb());
        // Here a bias waits behind it.
        let asked = m.delay("asked", word_of(asked_bank));
        for (col, sum) in (0u32..).zip(&i.read.sum) {
            sum.set(asked.slice(32 * col, 32));
        }
        // One bit for each place where the old sums may be, and none if they are replaced.
        let written = m.reg("written", 32 * config.cols);
        let from_written = m.delay("from_written", reads & is_written);
        let from =
            (0..BANKS).map(|bank| m.delay(&format!("from_bank_{bank}"), reads & !is_written & of(row, bank)));
        let from: Vec<UInt> = from.chain([from_written]).collect();
        let places: Vec<UInt> = words.iter().copied().chain([written]).collect();
        let old = m.delay("old", one_hot_mux(concat(from.into_iter().rev()), &places));
        let updated = (0u32..)
            .zip(i.sum)
            .map(|(col, sum)| old.slice(32 * col, 32).wrapping_add(sum.signed().extend(32).unsigned()));
        let updated: Vec<UInt> = updated.collect();
        wire!(m, updated_word = concat(updated.into_iter().rev()));
        written.set(updated_word);
        for (bank, memory) in (0u32..).zip(&memories) {
            m.when(update & of(updated_row, bank), || memory.write(index(updated_row), updated_word));
        }
        SumsOut { empty: !(i.enters | flight.any() | arrives | fetched), done }
    }
}
