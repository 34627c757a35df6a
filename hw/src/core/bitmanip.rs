//! The instructions of Zbb that the ALU does not carry out (RISC-V Unprivileged 20240411, 28.4.2): counting bits, minimum and maximum,
//! bytes.

use ferrite_hdl::prelude::*;

/// What is computed.
#[derive(Clone, Copy, Debug, Encoding)]
#[allow(missing_docs)] // The instructions' own names.
pub enum BitmanipOp {
    Min = 0b0000,
    Minu = 0b0001,
    Max = 0b0010,
    Maxu = 0b0011,
    Ctz = 0b0100,
    Clz = 0b0101,
    Cpop = 0b0110,
    OrcB = 0b1000,
    Rev8 = 0b1100,
}

/// Inputs of the unit.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct BitmanipIn<T> {
    /// What to compute.
    pub op: T,
    /// First operand.
    pub a: T,
    /// Second operand, of the minima and maxima.
    pub b: T,
}

/// Output of the unit.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct BitmanipOut<T> {
    /// The result.
    pub result: T,
}

/// `clz`, `ctz`, `cpop`, `min`, `minu`, `max`, `maxu`, `orc.b`, `rev8`. Combinational.
#[module]
pub struct Bitmanip {}

impl Module for Bitmanip {
    type In = BitmanipIn<UInt>;
    type Out = BitmanipOut<UInt>;

    fn inputs(&self) -> BitmanipIn<Shape> {
        BitmanipIn { op: BitmanipOp::shape(), a: bits(32), b: bits(32) }
    }
    fn outputs(&self) -> BitmanipOut<Shape> {
        BitmanipOut { result: bits(32) }
    }
    fn build(&self, m: &Builder, i: BitmanipIn<UInt>) -> BitmanipOut<UInt> {
        let BitmanipIn { op, a, b } = i;

        // Minimum and maximum. With the sign bits turned round, signed numbers have the order of unsigned ones.
        wire!(m, compares = !op.bit(3) & !op.bit(2));
        wire!(m, is_signed = !op.bit(0));
        let ordered = |value: UInt| (value.msb() ^ is_signed).concat(value.slice(0, 31));
        wire!(m, less = ordered(a).lt(ordered(b)));
        wire!(m, prefers_a = less ^ op.bit(1));
        wire!(m, takes_a = compares & prefers_a);
        wire!(m, takes_b = compares & !prefers_a);
        let extreme = (takes_a.repeat(32) & a) | (takes_b.repeat(32) & b);

        // Counts. Zeros are counted from the right; from the left they are the reversed word's.
        let reversed = concat(a.to_bits());
        wire!(m, word = op.is(BitmanipOp::Clz).mux(reversed, a));
        let nibbles: Vec<Zeros> = (0..8).map(|k| Zeros::of_nibble(word.slice(4 * k, 4))).collect();
        let bytes = Zeros::of_pairs(&nibbles);
        let zeros = Zeros::of_pairs(&Zeros::of_pairs(&bytes))[0];
        wire!(m, counts_zeros = op.is(BitmanipOp::Clz) | op.is(BitmanipOp::Ctz));
        wire!(m, finds_one = counts_zeros & zeros.any_one);
        wire!(m, finds_none = counts_zeros & !zeros.any_one);
        let zeros = finds_none.concat(finds_one.repeat(5) & zeros.count);
        wire!(m, ones = count_ones(a));
        let ones = op.is(BitmanipOp::Cpop).repeat(6) & ones;

        // Bytes.
        wire!(m, or_bits = op.is(BitmanipOp::OrcB));
        let or_bytes = concat(bytes.iter().rev().map(|byte| (or_bits & byte.any_one).repeat(8)));
        let swapped = concat((0..4).map(|k| a.slice(8 * k, 8)));
        let swapped = op.is(BitmanipOp::Rev8).repeat(32) & swapped;

        BitmanipOut { result: extreme | (zeros | ones).extend(32) | or_bytes | swapped }
    }
}

/// A stretch of a word.
#[derive(Clone, Copy)]
struct Zeros {
    /// Whether any of its bits is 1.
    any_one: UInt,
    /// Zeros below the lowest 1, if there is one.
    count: UInt,
}

impl Zeros {
    fn of_nibble(bits: UInt) -> Zeros {
        let [b0, b1, b2] = [0, 1, 2].map(|k| bits.bit(k));
        Zeros { any_one: bits.any(), count: (!(b0 | b1)).concat(!b0 & (b1 | !b2)) }
    }

    /// The stretches of double length.
    fn of_pairs(stretches: &[Zeros]) -> Vec<Zeros> {
        let pair = |low: Zeros, high: Zeros| Zeros {
            any_one: low.any_one | high.any_one,
            count: (!low.any_one).concat(low.any_one.mux(low.count, high.count)),
        };
        stretches.chunks_exact(2).map(|stretches| pair(stretches[0], stretches[1])).collect()
    }
}

/// How many bits of a word are 1: full adders turn three bits of a weight into one of it and one of the next, until each weight has one.
fn count_ones(word: UInt) -> UInt {
    let mut count = Vec::new();
    let mut bits = word.to_bits();
    while !bits.is_empty() {
        let mut carries = Vec::new();
        while bits.len() > 1 {
            let added: Vec<UInt> = bits.drain(..bits.len().min(3)).collect();
            carries.push(match added[..] {
                [a, b, c] => (a & b) | (c & (a | b)),
                _ => concat(added.iter().copied()).all(),
            });
            bits.push(concat(added).parity());
        }
        count.extend(bits);
        bits = carries;
    }
    count.reverse();
    concat(count)
}
