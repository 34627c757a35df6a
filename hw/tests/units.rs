//! The core's arithmetic units against the golden model's decoder and the formulas of the specification.

use ferrite_hw::core::bitmanip::{Bitmanip, BitmanipOp};
use ferrite_hw::core::config::MultiplierKind;
use ferrite_hw::core::divider::{Divide, DivideIn};
use ferrite_hw::core::expand::{Expand, ExpandIn};
use ferrite_hw::core::multiplier::{Multiply, MultiplyIn};
use ferrite_model::isa::{decode, decode_compressed, is_compressed};
use ferrite_sim::Sim;

const RANDOM_PAIRS: usize = 100_000;

/// Operands at which something changes: signs, carries, halves of the word.
const CORNERS: [u32; 20] = [
    0,
    1,
    2,
    3,
    5,
    0x7F,
    0x80,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x1_0000,
    0x1_0001,
    0x5555_5555,
    0x7FFF_FFFE,
    0x7FFF_FFFF,
    0x8000_0000,
    0x8000_0001,
    0xFFFF_0000,
    0xFFFF_FFFE,
    0xFFFF_FFFF,
];

/// A generator of operands (xorshift), the same ones in every run.
struct Random(u64);

impl Random {
    fn word(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as u32
    }

    /// Any magnitude is as likely as any other, and either sign.
    fn operand(&mut self) -> u32 {
        let magnitude = self.word() >> (self.word() & 31);
        if self.word() & 1 == 0 { magnitude } else { magnitude.wrapping_neg() }
    }
}

/// All pairs of corners, then random ones.
fn operands(random_pairs: usize) -> impl Iterator<Item = (u32, u32)> {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let corners = CORNERS.iter().flat_map(|&a| CORNERS.iter().map(move |&b| (a, b)));
    corners.chain((0..random_pairs).map(move |_| (random.operand(), random.operand())))
}

#[test]
fn every_compressed_instruction_expands_to_what_the_model_takes_it_for() {
    let mut sim = Sim::new(&Expand {}).unwrap();
    for half in (0..=u16::MAX).filter(|&half| is_compressed(half)) {
        sim.poke(ExpandIn { half: i128::from(half) });
        let insn = sim.peek().insn as u32;
        match decode_compressed(half) {
            Some(inst) => assert_eq!(decode(insn), Some(inst.expand()), "{half:#06x} gives {insn:#010x}"),
            None => assert_eq!(insn, u32::from(half), "{half:#06x} is no instruction"),
        }
    }
}

fn bitmanip(op: BitmanipOp, a: u32, b: u32) -> u32 {
    match op {
        BitmanipOp::Clz => a.leading_zeros(),
        BitmanipOp::Ctz => a.trailing_zeros(),
        BitmanipOp::Cpop => a.count_ones(),
        BitmanipOp::Min => (a as i32).min(b as i32) as u32,
        BitmanipOp::Minu => a.min(b),
        BitmanipOp::Max => (a as i32).max(b as i32) as u32,
        BitmanipOp::Maxu => a.max(b),
        BitmanipOp::Rev8 => a.swap_bytes(),
        BitmanipOp::OrcB => u32::from_le_bytes(a.to_le_bytes().map(|byte| if byte == 0 { 0 } else { 0xFF })),
    }
}

#[test]
fn bits_are_counted_bytes_swapped_and_minima_found() {
    use BitmanipOp::*;
    let mut sim = Sim::new(&Bitmanip {}).unwrap();
    let single_bits = (0..32).map(|k| (1 << k, 0));
    let low_zeros = (0..32).map(|k| (u32::MAX << k, 1));
    let high_zeros = (0..32).map(|k| (u32::MAX >> k, 2));
    for (a, b) in single_bits.chain(low_zeros).chain(high_zeros).chain(operands(RANDOM_PAIRS)) {
        for op in [Clz, Ctz, Cpop, Min, Minu, Max, Maxu, Rev8, OrcB] {
            sim.set(sim.i.op, op as u8);
            sim.set(sim.i.a, a);
            sim.set(sim.i.b, b);
            assert_eq!(sim.get(sim.o.result), i128::from(bitmanip(op, a, b)), "{op:?} {a:#x} {b:#x}");
        }
    }
}

fn product(funct3: u32, a: u32, b: u32) -> u32 {
    let [a_signed, b_signed] = [a, b].map(|factor| i128::from(factor as i32));
    let [a, b] = [a, b].map(i128::from);
    let product = match funct3 {
        0 => return (a * b) as u32,
        1 => a_signed * b_signed,
        2 => a_signed * b,
        _ => a * b,
    };
    (product >> 32) as u32
}

fn quotient_or_remainder(funct3: u32, a: u32, b: u32) -> u32 {
    let [a_signed, b_signed] = [a, b].map(|operand| operand as i32);
    match funct3 {
        4 | 5 if b == 0 => u32::MAX,
        6 | 7 if b == 0 => a,
        4 => a_signed.wrapping_div(b_signed) as u32,
        5 => a / b,
        6 => a_signed.wrapping_rem(b_signed) as u32,
        _ => a % b,
    }
}

/// Begins a multiplication and gives the product and the cycles it took. The factors are gone after the first cycle.
fn multiply(sim: &mut Sim<Multiply>, funct3: u32, a: u32, b: u32) -> (u32, u32) {
    sim.poke(MultiplyIn { start: 1, funct3, a, b });
    sim.step();
    sim.poke(MultiplyIn { start: 0, funct3: !funct3 & 7, a: !a, b: !b });
    let mut cycles = 1;
    while sim.get(sim.o.ready) == 0 {
        assert!(cycles < 100, "no product of {a:#x} and {b:#x}");
        sim.step();
        cycles += 1;
    }
    (sim.get(sim.o.result) as u32, cycles)
}

fn multiplies(kind: MultiplierKind, random_pairs: usize, cycles: impl Fn(u32) -> u32) {
    let mut sim = Sim::new(&Multiply { kind }).unwrap();
    for (a, b) in operands(random_pairs) {
        for funct3 in 0..4 {
            let result = multiply(&mut sim, funct3, a, b);
            assert_eq!(result, (product(funct3, a, b), cycles(funct3)), "funct3 {funct3} of {a:#x}, {b:#x}");
        }
    }
    // The last product stands until the next begins.
    for _ in 0..70 {
        let last = sim.get(sim.o.result);
        sim.step();
        assert_eq!((sim.get(sim.o.ready), sim.get(sim.o.result)), (1, last));
    }
}

#[test]
fn the_pipelined_multiplier_needs_one_cycle_for_low_and_two_for_high_halves() {
    multiplies(MultiplierKind::Pipelined, RANDOM_PAIRS, |funct3| if funct3 == 0 { 1 } else { 2 });
}

#[test]
fn the_single_cycle_multiplier_needs_one_cycle() {
    multiplies(MultiplierKind::SingleCycle, RANDOM_PAIRS, |_| 1);
}

#[test]
fn the_iterative_multiplier_needs_a_cycle_for_each_bit_and_one_more() {
    multiplies(MultiplierKind::Iterative, RANDOM_PAIRS / 10, |_| 33);
}

#[test]
fn a_multiplication_that_is_abandoned_leaves_no_trace_in_the_next() {
    for kind in [MultiplierKind::Pipelined, MultiplierKind::SingleCycle, MultiplierKind::Iterative] {
        let mut sim = Sim::new(&Multiply { kind }).unwrap();
        let mut random = Random(1);
        for (a, b) in operands(2_000) {
            let (abandoned, funct3) = (random.word() & 3, random.word() & 3);
            sim.poke(MultiplyIn { start: 1, funct3: abandoned, a: random.operand(), b: random.operand() });
            sim.step();
            sim.set(sim.i.start, 0);
            for _ in 0..random.word() % 36 * (random.word() & 1) {
                sim.step();
            }
            assert_eq!(
                multiply(&mut sim, funct3, a, b).0,
                product(funct3, a, b),
                "{kind:?}: funct3 {funct3} of {a:#x}, {b:#x}"
            );
        }
    }
}

/// Begins a division and gives the result and the cycles it took. The operands are gone after the first cycle.
fn divide(sim: &mut Sim<Divide>, funct3: u32, dividend: u32, divisor: u32) -> (u32, u32) {
    sim.poke(DivideIn { start: 1, funct3, dividend, divisor });
    sim.step();
    sim.poke(DivideIn { start: 0, funct3, dividend: !dividend, divisor: !divisor });
    let mut cycles = 1;
    while sim.get(sim.o.done) == 0 {
        assert!(cycles < 100, "no quotient of {dividend:#x} and {divisor:#x}");
        sim.step();
        cycles += 1;
    }
    (sim.get(sim.o.result) as u32, cycles)
}

fn divides(bits: u32, random_pairs: usize) {
    let mut sim = Sim::new(&Divide { bits }).unwrap();
    for (a, b) in operands(random_pairs) {
        for funct3 in 4..8 {
            let result = divide(&mut sim, funct3, a, b);
            let expected = (quotient_or_remainder(funct3, a, b), 32 / bits + 2);
            assert_eq!(result, expected, "funct3 {funct3} of {a:#x}, {b:#x}");
        }
    }
    for _ in 0..70 {
        sim.step();
        assert_eq!(sim.get(sim.o.done), 0, "`done` is a pulse");
    }
}

#[test]
fn quotients_and_remainders_are_right_with_one_bit_in_a_cycle() {
    divides(1, RANDOM_PAIRS / 10);
}

#[test]
fn quotients_and_remainders_are_right_with_two_bits_in_a_cycle() {
    divides(2, RANDOM_PAIRS / 5);
}

#[test]
fn quotients_and_remainders_are_right_with_four_bits_in_a_cycle() {
    divides(4, RANDOM_PAIRS / 2);
}

#[test]
fn a_division_that_is_abandoned_leaves_no_trace_in_the_next() {
    for bits in [1, 2, 4] {
        let mut sim = Sim::new(&Divide { bits }).unwrap();
        let mut random = Random(1);
        for (a, b) in operands(2_000) {
            let (abandoned, funct3) = (4 + (random.word() & 3), 4 + (random.word() & 3));
            sim.poke(DivideIn {
                start: 1,
                funct3: abandoned,
                dividend: random.operand(),
                divisor: random.operand(),
            });
            sim.step();
            sim.set(sim.i.start, 0);
            for _ in 0..random.word() % 36 * (random.word() & 1) {
                sim.step();
            }
            let result = divide(&mut sim, funct3, a, b);
            let expected = (quotient_or_remainder(funct3, a, b), 32 / bits + 2);
            assert_eq!(result, expected, "{bits} bits: funct3 {funct3} of {a:#x}, {b:#x}");
        }
    }
}
