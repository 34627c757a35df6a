//! The arithmetic and logic unit (RISC-V Unprivileged 20240411, 2.4; Zba, Zbb and Zbs: chapter 28).

use ferrite_hdl::prelude::*;

use super::config::{Extensions, Shifter};
use super::only;

/// What the ALU computes: which of its parts give the result, and how they go about it. Two parts never do at once; none gives 0.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct AluControl<T> {
    /// a + b.
    pub adds: T,
    /// a - b.
    pub subtracts: T,
    /// 1 if a < b, else 0.
    pub compares: T,
    /// Numbers are compared without sign.
    pub is_unsigned: T,
    /// A bitwise operation: 1 xor, 2 and, 3 or; 0 for none.
    pub bitwise: T,
    /// It takes the complement of b.
    pub complements: T,
    /// Its b is the one bit that b numbers.
    pub numbers_bit: T,
    /// A shift or rotation of a by b.
    pub shifts: T,
    /// To the left, else right.
    pub left: T,
    /// Copies of the sign come in, else zeros.
    pub arithmetic: T,
    /// What goes out on one side comes in on the other.
    pub rotates: T,
    /// Only the lowest bit of what was shifted.
    pub one_bit: T,
    /// b plus a shifted by `shift_add`, if that is not 0.
    pub shift_add: T,
    /// The lowest byte or half word of a, extended.
    pub extends: T,
    /// The byte, else the half word.
    pub byte: T,
    /// What the pc yields: the address of the next instruction, where execute computes `auipc` too that of `auipc`.
    pub links: T,
}

impl AluControl<Shape> {
    /// The widths.
    pub fn shape() -> AluControl<Shape> {
        AluControl {
            adds: bit(),
            subtracts: bit(),
            compares: bit(),
            is_unsigned: bit(),
            bitwise: bits(2),
            complements: bit(),
            numbers_bit: bit(),
            shifts: bit(),
            left: bit(),
            arithmetic: bit(),
            rotates: bit(),
            one_bit: bit(),
            shift_add: bits(2),
            extends: bit(),
            byte: bit(),
            links: bit(),
        }
    }
}

/// Inputs of the ALU.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct AluIn<T> {
    /// What to compute.
    pub control: AluControl<T>,
    /// First operand.
    pub a: T,
    /// Second operand.
    pub b: T,
    /// What `links` gives.
    pub links_to: T,
}

/// Outputs of the ALU.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct AluOut<T> {
    /// The result.
    pub result: T,
    /// a < b, both without sign.
    pub less_unsigned: T,
    /// With sign it is the other way round, and a comparison with sign is asked for.
    pub flips: T,
}

/// The ALU. Combinational. The sum and the difference, whose carries take longest, join last.
#[module]
pub struct Alu {
    /// Which instructions it must know.
    pub extensions: Extensions,
    /// Whether it shifts.
    pub shifter: Shifter,
}

impl Module for Alu {
    type In = AluIn<UInt>;
    type Out = AluOut<UInt>;

    fn inputs(&self) -> AluIn<Shape> {
        AluIn { control: AluControl::shape(), a: bits(32), b: bits(32), links_to: bits(32) }
    }
    fn outputs(&self) -> AluOut<Shape> {
        AluOut { result: bits(32), less_unsigned: bit(), flips: bit() }
    }
    fn build(&self, m: &Builder, i: AluIn<UInt>) -> AluOut<UInt> {
        let AluIn { control, a, b, links_to } = i;
        let Extensions { zba, zbb, zbs, .. } = self.extensions;

        // One comparison serves both kinds: numbers of different sign are the other way round.
        wire!(m, lower = a.lt(b));
        wire!(m, signs_differ = !control.is_unsigned & (a.msb() ^ b.msb()));

        let mut mask = b;
        if zbs {
            let one = m.constant(Bits::from_u64(32, 1));
            mask = control.numbers_bit.mux(one << b.slice(0, 5), mask);
        }
        if zbb || zbs {
            mask = mask ^ control.complements.repeat(32);
        }
        // What both have is no part of what differs: together they are what either has.
        wire!(m, combined = only(control.bitwise.bit(0), a ^ mask) | only(control.bitwise.bit(1), a & mask));

        let mut other =
            combined | only(control.links, links_to) | (control.compares & (lower ^ signs_differ)).extend(32);
        if self.shifter == Shifter::Barrel {
            wire!(m, shifted = self.shift(m, control, a, b.slice(0, 5)));
            other = other | shifted;
        }
        if zba {
            let by = control.shift_add;
            let zeros = |width: u32| m.constant(Bits::zero(width));
            let left = |count: u32| a.slice(0, 32 - count).concat(zeros(count));
            wire!(m, multiple = by.bit(1).mux(by.bit(0).mux(left(3), left(2)), left(1)));
            wire!(m, shifted_sum = multiple.wrapping_add(b));
            other = other | only(by.any(), shifted_sum);
        }
        if zbb {
            let part = |width: u32| {
                let sign = a.bit(width - 1) & !control.is_unsigned;
                sign.repeat(32 - width).concat(a.slice(0, width))
            };
            other = other | only(control.extends, control.byte.mux(part(8), part(16)));
        }
        wire!(m, other = other);
        wire!(m, sum = a.wrapping_add(b));
        wire!(m, difference = a.wrapping_sub(b));
        AluOut {
            result: only(control.adds, sum) | only(control.subtracts, difference) | other,
            less_unsigned: lower,
            flips: signs_differ,
        }
    }
}

impl Alu {
    /// Rotates to the right, also to the left by the opposite distance, and then puts zeros or copies of the sign in place of what came in on the
    /// wrong side. Which places these are is known before. 0 unless a shift is asked for.
    fn shift(&self, m: &Builder, control: AluControl<UInt>, a: UInt, amount: UInt) -> UInt {
        let mut below = m.constant(Bits::zero(1));
        let mut rotated = a;
        for stage in 0..5 {
            let distance = 1 << stage;
            let bit = amount.bit(stage);
            let turned = rotated.slice(0, distance).concat(rotated.slice(distance, 32 - distance));
            rotated = (bit ^ (control.left & below)).mux(turned, rotated);
            below = below | bit;
        }
        wire!(m, rotated = rotated);

        // For each place, whether it is at least `amount`.
        let mut reaches = vec![m.constant(Bits::ones(1))];
        for stage in 0..5 {
            let short = !amount.bit(stage);
            let low = reaches.iter().map(|reach| short & *reach);
            reaches = low.chain(reaches.iter().map(|reach| short | *reach)).collect();
        }
        let stays = (0..32).map(|place| {
            let mut stays = control.left.mux(reaches[place], reaches[31 - place]);
            if self.extensions.zbb {
                stays = stays | control.rotates;
            }
            if self.extensions.zbs && place > 0 {
                stays = stays & !control.one_bit;
            }
            stays
        });
        wire!(m, stays = concat(stays.collect::<Vec<_>>().into_iter().rev()));
        wire!(m, fill = control.arithmetic & a.msb());
        only(control.shifts, (rotated & stays) | (fill.repeat(32) & !stays))
    }
}
