//! The systolic array: `R` rows by `C` columns of processing elements.

use ferrite_hdl::prelude::*;

use super::lines::TAPS;
use super::pe::{Pe, PeIn, Shift};
use crate::delay::late;

/// Inputs of the array.
#[derive(Clone, Debug, Bundle)]
pub struct ArrayIn<T> {
    /// An activation row: one int8 for each row of the array.
    pub act: Vec<T>,
    /// From the next cycle's activation row on the tile is used that was loaded last.
    pub swap: T,
    /// A weight row of the next tile, which enters at the top: one int8 for each column. A tile's last row comes first.
    pub weight: Vec<T>,
    /// A weight row enters, and whether the tile is complete with it.
    pub shift: Shift<T>,
    /// Each column is a channel: rows multiply `lines` instead of `act`.
    pub depthwise: T,
    /// For each group of [`TAPS`] rows, one after the other, one int8 for each column.
    pub lines: Vec<T>,
}

/// Outputs of the array.
#[derive(Clone, Debug, Bundle)]
pub struct ArrayOut<T> {
    /// The products of the activation row that entered [`Array::latency`] cycles before with its tile: one sum for each column.
    pub sum: Vec<T>,
}

/// A weight-stationary systolic array that loads the next tile while it multiplies with one.
///
/// ```text
///  weight, shift  0 |     1 -z-.
///                   v          v
///  act 0, swap --> [pe] -----> [pe] ->     activations and swaps go east, row k entering k cycles late;
///                   |           |          weights and sums go south, column c being c cycles late;
///  act 1 -z------> [pe] -----> [pe] ->     sums leave c cycles late, which is made up for.
///                   v           v
///  sum            0 z         1 |
/// ```
///
/// In depthwise mode the rows of a group take what `lines` has for their column, all columns in the same cycle, and sums are not deskewed.
///
/// A tile takes `R` weight rows, in any `R` cycles. The first may enter in the cycle of the swap to the tile before, and the swap to the
/// tile may come one cycle after its last: tiles can follow each other every `R` cycles.
#[module]
pub struct Array {
    /// `R`.
    pub rows: u32,
    /// `C`.
    pub cols: u32,
    /// Groups of rows that can multiply `lines`.
    pub groups: u32,
}

/// Cycles from an element's activation to its product.
const ELEMENT_DELAY: u32 = 2;

impl Array {
    /// Bits of a column's sum: a product of int8 needs 16, and `R` of them are added.
    pub fn psum_bits(&self) -> u32 {
        16 + self.rows.ilog2()
    }

    /// Cycles from an activation row to its sums: into an element, down all rows, across all columns.
    pub fn latency(&self) -> u32 {
        self.rows + self.cols - 1 + ELEMENT_DELAY
    }

    /// Cycles from what the first row multiplies to its sums if each column is a channel: into an element, down all rows.
    pub fn depthwise_latency(&self) -> u32 {
        self.rows + ELEMENT_DELAY
    }
}

/// What moves south into a column's next element.
#[derive(Clone, Copy)]
struct South {
    weight: UInt,
    shift: Shift<UInt>,
    psum: UInt,
}

impl Module for Array {
    type In = ArrayIn<UInt>;
    type Out = ArrayOut<UInt>;

    fn name(&self) -> String {
        format!("ComputeArray_{}x{}_{}", self.rows, self.cols, self.groups)
    }
    fn inputs(&self) -> ArrayIn<Shape> {
        ArrayIn {
            act: vec![signed(8); self.rows as usize],
            swap: bit(),
            weight: vec![signed(8); self.cols as usize],
            shift: Shift::shape(),
            depthwise: bit(),
            lines: vec![signed(8); (self.groups * self.cols) as usize],
        }
    }
    fn outputs(&self) -> ArrayOut<Shape> {
        ArrayOut { sum: vec![signed(self.psum_bits()); self.cols as usize] }
    }
    fn build(&self, m: &Builder, i: ArrayIn<UInt>) -> ArrayOut<UInt> {
        let pe = Pe { psum_bits: self.psum_bits() };
        let psum = m.constant(Bits::zero(self.psum_bits()));
        let north = (0u32..).zip(i.weight).scan(i.shift, |shift, (col, weight)| {
            // One cycle for the register in which an element keeps its activation and swap.
            let delayed = m.regs(&format!("shift_{col}"), Shift::shape()).map(|bit| bit.reset_to(0));
            m.connect(delayed, *shift);
            *shift = delayed;
            Some(South { weight: late(m, &format!("weight_{col}"), weight, col + 1), shift: *shift, psum })
        });
        let north: Vec<South> = north.collect();
        let mut swap_from_north = i.swap;
        let south = (0u32..).zip(i.act).fold(north, |north, (row, act)| {
            let mut act = late(m, &format!("act_{row}"), act, row);
            if row > 0 {
                let delayed = m.reg(&format!("swap_{row}"), 1).reset_to(0);
                delayed.set(swap_from_north);
                swap_from_north = delayed;
            }
            let mut swap = swap_from_north;
            let line = i.lines.chunks(self.cols as usize).nth((row / TAPS) as usize);
            let elements = north.into_iter().enumerate().map(|(col, South { weight, shift, psum })| {
                if let Some(line) = line {
                    // A wire of its own: Yosys takes no choice of signed values as an instance's input.
                    let chosen = m.wire(&format!("chosen_{row}_{col}"), signed(8));
                    chosen.set(i.depthwise.mux(line[col], act));
                    act = chosen;
                }
                let inputs = PeIn { act, swap, weight, shift, psum };
                let pe = m.instance(&format!("pe_{row}_{col}"), &pe).connect(inputs);
                (act, swap) = (pe.act, pe.swap);
                South { weight: pe.weight, shift, psum: pe.psum }
            });
            elements.collect()
        });
        let sums = (0u32..).zip(south).map(|(col, south)| {
            let deskewed = late(m, &format!("sum_{col}"), south.psum, self.cols - 1 - col);
            i.depthwise.mux(south.psum, deskewed)
        });
        ArrayOut { sum: sums.collect() }
    }
}
