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
        wire!(m, counts = op.is(BitmanipOp::Ctz) | op.is(BitmanipOp::Clz));
        wire!(m, counts_ones = op.is(BitmanipOp::Cpop));
        wire!(m, swaps = op.is(BitmanipOp::Rev8));

        // Minimum and maximum. Where the first bits have signs, they order the other way round.
        wire!(m, is_signed = !op.bit(0));
        let ordered = |value: UInt| (value.msb() ^ is_signed).concat(value.slice(0, 31));
        wire!(m, less = ordered(a).lt(ordered(b)));
        wire!(m, takes_a = !op.bit(3) & !op.bit(2) & (less ^ op.bit(1)));
        wire!(m, takes_b = !op.bit(3) & !op.bit(2) & !(less ^ op.bit(1)));

        // From the right, or from the left.
        let reversed = concat(a.to_bits());
        wire!(m, from_right = op.is(BitmanipOp::Clz).mux(reversed, a));
        let nibbles: Vec<Nibble> = (0..8).map(|k| Nibble::of(from_right.slice(4 * k, 4))).collect();
        wire!(m, zeros = trailing_zeros(m, &nibbles));
        wire!(m, ones = population(m, a));
        wire!(m, count = (counts.repeat(6) & zeros) | (counts_ones.repeat(6) & ones));

        wire!(m, or_bytes = op.is(BitmanipOp::OrcB));
        let any: Vec<UInt> = nibbles.chunks(2).map(|byte| (byte[0].any | byte[1].any) & or_bytes).collect();
        let bytes: Vec<UInt> = (0..4).rev().map(|k: u32| any[k as usize].repeat(8)).collect();
        let swapped = concat((0..4).map(|k| a.slice(8 * k, 8)));
        wire!(m, chosen = (takes_a.repeat(32) & a) | (takes_b.repeat(32) & b));
        let result = chosen | concat(bytes) | (swaps.repeat(32) & swapped) | count.extend(32);
        BitmanipOut { result }
    }
}

/// Four bits: whether any is 1, and the place of the lowest.
struct Nibble {
    any: UInt,
    place: UInt,
}

impl Nibble {
    fn of(bits: UInt) -> Nibble {
        let [b0, b1, b2] = [0, 1, 2].map(|k| bits.bit(k));
        Nibble { any: bits.any(), place: (!b0 & !b1).concat(!b0 & (b1 | !b2)) }
    }
}

/// Zeros below the lowest 1; 32 where there is none.
fn trailing_zeros(m: &Builder, nibbles: &[Nibble]) -> UInt {
    // Halves of the word, pairs of nibbles.
    let any = concat(nibbles.iter().rev().map(|nibble| nibble.any));
    wire!(m, low_half = any.slice(0, 4).any());
    wire!(m, low_pair = low_half.mux(any.slice(0, 2).any(), any.slice(4, 2).any()));
    let place = |k: usize| any.bit(k as u32).mux(nibbles[k].place.concat(0), nibbles[k].place);
    let _ = place;
    let first = |k: usize| nibbles[k].any.mux(m.constant(Bits::from_u64(1, 0)).concat(nibbles[k].place), m.constant(Bits::from_u64(1, 1)).concat(nibbles[k + 1].place));
    let quarter = |k: usize| (nibbles[k].any | nibbles[k + 1].any).mux(first(k), first(k + 2));
    let low = low_half.mux(quarter(0), quarter(4));
    concat([!any.any(), any.any() & !low_half, any.any() & !low_pair, any.any() & low.bit(2), any.any() & low.bit(1), any.any() & low.bit(0)])
}

/// How many bits are 1.
fn population(m: &Builder, value: UInt) -> UInt {
    let mut columns: Vec<Vec<UInt>> = vec![value.to_bits()];
    let mut result = Vec::new();
    let mut weight = 0;
    while weight < columns.len() {
        while columns[weight].len() > 1 {
            if columns.len() == weight + 1 {
                columns.push(Vec::new());
            }
            let take = columns[weight].len().min(3);
            let inputs: Vec<UInt> = columns[weight].drain(..take).collect();
            let sum = concat(inputs.iter().copied()).parity();
            let carry = if take == 3 {
                (inputs[0] & inputs[1]) | (inputs[2] & (inputs[0] | inputs[1]))
            } else {
                inputs[0] & inputs[1]
            };
            columns[weight].push(sum);
            columns[weight + 1].push(carry);
        }
        result.push(columns[weight][0]);
        weight += 1;
    }
    let _ = m;
    result.reverse();
    concat(result)
}
