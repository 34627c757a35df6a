//! The systolic array: `R` rows by `C` columns of processing elements.

use ferrite_hdl::prelude::*;

use super::pe::{Pe, PeIn};

/// Inputs of the array.
#[derive(Clone, Debug, Bundle)]
pub struct ArrayIn<T> {
    /// An activation row: one int8 for each row of the array.
    pub act: Vec<T>,
    /// A weight row, which enters at the top while `load` is high: one int8 for each column.
    pub weight: Vec<T>,
    /// The weights move one row down.
    pub load: T,
}

/// Outputs of the array.
#[derive(Clone, Debug, Bundle)]
pub struct ArrayOut<T> {
    /// The products of the activation row that entered [`Array::latency`] cycles before with the tile: one sum for each column.
    pub sum: Vec<T>,
}

/// A weight-stationary systolic array.
///
/// ```text
///  weight     0 |     1 |
///               v       v
///  act 0 ---> [pe] -> [pe] ->       activations go east, row k entering k cycles late (the skew);
///               |       |
///  act 1 -z-> [pe] -> [pe] ->       weights and sums go south;
///               |       |
///               z       |           column c leaves c cycles late, which is made up for (the deskew).
///               v       v
///  sum        0       1
/// ```
///
/// A tile is loaded with its last row first, so that its first row ends at the top.
#[module]
pub struct Array {
    /// `R`.
    pub rows: u32,
    /// `C`.
    pub cols: u32,
}

impl Array {
    /// Bits of a column's sum: a product of int8 needs 16, and `R` of them are added.
    pub fn psum_bits(&self) -> u32 {
        16 + self.rows.ilog2()
    }

    /// Cycles from an activation row to its sums: down all rows, across all columns.
    pub fn latency(&self) -> u32 {
        self.rows + self.cols - 1
    }
}

impl Module for Array {
    type In = ArrayIn<UInt>;
    type Out = ArrayOut<UInt>;

    fn inputs(&self) -> ArrayIn<Shape> {
        ArrayIn {
            act: vec![signed(8); self.rows as usize],
            weight: vec![signed(8); self.cols as usize],
            load: bit(),
        }
    }
    fn outputs(&self) -> ArrayOut<Shape> {
        ArrayOut { sum: vec![signed(self.psum_bits()); self.cols as usize] }
    }
    fn build(&self, m: &Builder, i: ArrayIn<UInt>) -> ArrayOut<UInt> {
        let pe = Pe { psum_bits: self.psum_bits() };
        let zero = m.constant(Bits::zero(self.psum_bits()));
        // From the north come a weight and a partial sum for each column.
        let north: Vec<(UInt, UInt)> = i.weight.into_iter().map(|weight| (weight, zero)).collect();
        let south = (0u32..).zip(i.act).fold(north, |north, (row, act)| {
            let mut act = late(m, &format!("act_{row}"), act, row);
            let elements = north.into_iter().enumerate().map(|(col, (weight, psum))| {
                let inputs = PeIn { act, weight, psum, load: i.load };
                let pe = m.instance(&format!("pe_{row}_{col}"), &pe).connect(inputs);
                act = pe.act;
                (pe.weight, pe.psum)
            });
            elements.collect()
        });
        let deskewed = (0u32..)
            .zip(south)
            .map(|(col, (_, psum))| late(m, &format!("sum_{col}"), psum, self.cols - 1 - col));
        ArrayOut { sum: deskewed.collect() }
    }
}

/// A value some cycles later: a shift register, the newest value lowest.
pub(crate) fn late(m: &Builder, name: &str, value: UInt, cycles: u32) -> UInt {
    let width = value.width();
    match cycles {
        0 => value,
        1 => m.delay(&format!("{name}_late"), value),
        _ => {
            let late = m.reg(&format!("{name}_late"), width * cycles);
            late.set(late.truncate(width * (cycles - 1)).concat(value));
            late.slice(width * (cycles - 1), width)
        }
    }
}
