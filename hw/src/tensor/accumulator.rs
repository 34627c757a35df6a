//! The accumulators: rows of `C` int32 sums.

use ferrite_hdl::prelude::*;

/// Inputs of the accumulators.
#[derive(Clone, Debug, Bundle)]
pub struct AccumulatorsIn<T> {
    /// Reads a row.
    pub read: T,
    /// Which row is read.
    pub row: T,
    /// Changes the row that was read in the cycle before.
    pub update: T,
    /// The sums are added to the row, modulo 2^32; else they replace it.
    pub accumulate: T,
    /// One sum for each column.
    pub sum: Vec<T>,
}

/// Outputs of the accumulators.
#[derive(Clone, Debug, Bundle)]
pub struct AccumulatorsOut<T> {
    /// The row read in the cycle before: one int32 for each column.
    pub stored: Vec<T>,
}

/// One memory of accumulator rows; one port reads, one writes. A row must not be read in the cycle in which it is updated: it
/// would give the old sums.
#[module]
pub struct Accumulators {
    /// `ACC`.
    pub rows: u32,
    /// `C`.
    pub cols: u32,
    /// Bits of the sums that come from the array.
    pub psum_bits: u32,
}

impl Module for Accumulators {
    type In = AccumulatorsIn<UInt>;
    type Out = AccumulatorsOut<UInt>;

    fn inputs(&self) -> AccumulatorsIn<Shape> {
        AccumulatorsIn {
            read: bit(),
            row: bits(self.rows.ilog2()),
            update: bit(),
            accumulate: bit(),
            sum: vec![signed(self.psum_bits); self.cols as usize],
        }
    }
    fn outputs(&self) -> AccumulatorsOut<Shape> {
        AccumulatorsOut { stored: vec![signed(32); self.cols as usize] }
    }
    fn build(&self, m: &Builder, i: AccumulatorsIn<UInt>) -> AccumulatorsOut<UInt> {
        let sums = m.memory("sums", self.rows, 32 * self.cols);
        let updated_row = m.delay("updated_row", i.row);
        let mut word = None;
        m.when(i.read, || word = Some(sums.read("word", i.row)));
        let word = word.expect("`when` has run its body");
        let stored: Vec<UInt> = (0..self.cols).map(|col| word.slice(32 * col, 32)).collect();
        let updated = stored.iter().zip(i.sum).map(|(stored, sum)| {
            i.accumulate.mux(*stored, 0).wrapping_add(sum.signed().extend(32).unsigned())
        });
        let updated: Vec<UInt> = updated.collect();
        wire!(m, updated_word = concat(updated.into_iter().rev()));
        m.when(i.update, || sums.write(updated_row, updated_word));
        AccumulatorsOut { stored }
    }
}
