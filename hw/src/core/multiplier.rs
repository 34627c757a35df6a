//! Multiplication (RISC-V Unprivileged 20240411, 13.1).

use ferrite_hdl::prelude::*;

use super::config::MultiplierKind;

/// Inputs of the multiplier.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct MultiplyIn<T> {
    /// The other inputs are those of a multiplication, which begins in this cycle. One that has not come to its end is given up.
    pub start: T,
    /// Which instruction.
    pub funct3: T,
    /// First factor.
    pub a: T,
    /// Second factor.
    pub b: T,
}

/// Outputs of the multiplier.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct MultiplyOut<T> {
    /// No multiplication is under way: low at the earliest in the cycle after `start`.
    pub ready: T,
    /// While `ready` is high, the product of the last multiplication that has begun before this cycle.
    pub result: T,
}

/// `mul`, `mulh`, `mulhsu`, `mulhu`.
///
/// | kind | cycles from `start` to the result | DSP blocks |
/// |---|---|---|
/// | pipelined | 1 for `mul`, else 2 | 4 |
/// | single-cycle | 1 | 4 |
/// | iterative | 33 | none |
#[module]
pub struct Multiply {
    /// How products are made.
    pub kind: MultiplierKind,
}

impl Module for Multiply {
    type In = MultiplyIn<UInt>;
    type Out = MultiplyOut<UInt>;

    fn inputs(&self) -> MultiplyIn<Shape> {
        MultiplyIn { start: bit(), funct3: bits(3), a: bits(32), b: bits(32) }
    }
    fn outputs(&self) -> MultiplyOut<Shape> {
        MultiplyOut { ready: bit(), result: bits(32) }
    }
    fn build(&self, m: &Builder, i: MultiplyIn<UInt>) -> MultiplyOut<UInt> {
        match self.kind {
            MultiplierKind::Iterative => iterative(m, i),
            MultiplierKind::SingleCycle => single_cycle(m, i),
            MultiplierKind::Pipelined => pipelined(m, i),
        }
    }
}

/// What `funct3` says: 0 is `mul`, 1 `mulh`, 2 `mulhsu`, 3 `mulhu`. The low half does not depend on signs.
struct Kind {
    high: UInt,
    a_signed: UInt,
    b_signed: UInt,
}

impl Kind {
    fn of(funct3: UInt) -> Kind {
        let kind = funct3.slice(0, 2);
        Kind { high: kind.any(), a_signed: !kind.all(), b_signed: !kind.bit(1) }
    }
}

/// Products of the factors' halves, by the weight of their lowest bit. A DSP block makes each; its factors have 18 bits.
struct Partial {
    /// Of both low halves: 32 bits.
    low: UInt,
    /// Of a low and a high half: 33 bits, signed.
    cross: [UInt; 2],
    /// Of both high halves: 32 bits.
    high: UInt,
}

impl Partial {
    fn of(m: &Builder, i: &MultiplyIn<UInt>) -> Partial {
        let kind = Kind::of(i.funct3);
        let low = |factor: UInt| factor.slice(0, 16).extend(17).signed();
        let high = |factor: UInt, signed: UInt| (factor.msb() & signed).concat(factor.slice(16, 16)).signed();
        wire!(m, a_low = low(i.a).unsigned());
        wire!(m, b_low = low(i.b).unsigned());
        wire!(m, a_high = high(i.a, kind.a_signed).unsigned());
        wire!(m, b_high = high(i.b, kind.b_signed).unsigned());
        let product = |a: UInt, b: UInt, width| (a.signed() * b.signed()).truncate(width);
        Partial {
            low: product(a_low, b_low, 32),
            cross: [product(a_low, b_high, 33), product(a_high, b_low, 33)],
            high: product(a_high, b_high, 32),
        }
    }
}

/// The sum of the partial products. It is taken in pieces, each of which is one carry chain; a sum of three would be made of LUTs.
struct Sum {
    /// Bits 15 to 0 of the product.
    lowest: UInt,
    /// Bits 31 to 16, below a carry into bit 32.
    second: UInt,
    /// Bits 32 and up of the products of a low and a high half: 18 bits, signed.
    crosses: UInt,
}

impl Sum {
    fn of(m: &Builder, low: UInt, cross: [UInt; 2]) -> Sum {
        wire!(m, crosses = (cross[0].signed() + cross[1].signed()).unsigned());
        wire!(m, second = crosses.slice(0, 16) + low.slice(16, 16));
        Sum { lowest: low.slice(0, 16), second, crosses: crosses.slice(16, 18) }
    }

    fn low_half(&self) -> UInt {
        self.second.slice(0, 16).concat(self.lowest)
    }
}

/// The high half of the product.
fn high_half(m: &Builder, high: UInt, crosses: UInt, carry: UInt) -> UInt {
    let one = m.constant(Bits::from_u64(1, 1));
    let crosses = crosses.signed().extend(32).unsigned();
    high.concat(one).wrapping_add(crosses.concat(carry)).slice(1, 32)
}

fn pipelined(m: &Builder, i: MultiplyIn<UInt>) -> MultiplyOut<UInt> {
    let partial = Partial::of(m, &i);
    let low = m.reg("low", 32);
    let cross = [m.reg("cross_0", 33), m.reg("cross_1", 33)];
    let high = m.reg("high", 32);
    let is_high = m.reg("is_high", 1);
    m.when(i.start, || {
        low.set(partial.low);
        cross[0].set(partial.cross[0]);
        cross[1].set(partial.cross[1]);
        high.set(partial.high);
        is_high.set(Kind::of(i.funct3).high);
    });
    let is_new = m.reg("is_new", 1).reset_to(0);
    is_new.set(i.start);
    let sum = Sum::of(m, low, cross);
    let crosses = m.delay("crosses_held", sum.crosses);
    let carry = m.delay("carry", sum.second.bit(16));
    wire!(m, upper = high_half(m, high, crosses, carry));
    MultiplyOut { ready: !(is_new & is_high), result: is_high.mux(upper, sum.low_half()) }
}

fn single_cycle(m: &Builder, i: MultiplyIn<UInt>) -> MultiplyOut<UInt> {
    let partial = Partial::of(m, &i);
    let sum = Sum::of(m, partial.low, partial.cross);
    wire!(m, upper = high_half(m, partial.high, sum.crosses, sum.second.bit(16)));
    let product = m.reg("product", 32);
    m.when(i.start, || product.set(Kind::of(i.funct3).high.mux(upper, sum.low_half())));
    MultiplyOut { ready: m.constant(Bits::from_u64(1, 1)), result: product }
}

/// From the lowest bit of `b` up: it leaves `low` at the bottom while the product's low half enters at the top.
fn iterative(m: &Builder, i: MultiplyIn<UInt>) -> MultiplyOut<UInt> {
    let busy = m.reg("busy", 1).reset_to(0);
    let step = m.reg("step", 5);
    let a = m.reg("a_held", 32);
    let funct3 = m.reg("funct3_held", 3);
    let high = m.reg("high", 32);
    let low = m.reg("low", 32);

    let kind = Kind::of(funct3);
    let extended = |value: UInt| (value.msb() & kind.a_signed).concat(value);
    wire!(m, sum = extended(high).wrapping_add(extended(a)));
    wire!(m, next = low.bit(0).mux(sum, extended(high)));
    // The sign of `b` weighs -2^31. high - a = !(!high + a), so the step before stores `high` inverted.
    wire!(m, inverts = kind.b_signed & step.slice(1, 4).all());
    wire!(m, inverts_bit = inverts & step.bit(0));
    m.when(i.start, || {
        busy.set(1);
        step.set(0);
        funct3.set(i.funct3);
        a.set(i.a);
        high.set(0);
        low.set(i.b);
    })
    .otherwise_when(busy, || {
        busy.set(!step.all());
        step.set(step.wrapping_add(1));
        high.set(next.slice(1, 32) ^ inverts.repeat(32));
        low.set((next.bit(0) ^ inverts_bit).concat(low.slice(1, 31)));
    });
    MultiplyOut { ready: !busy, result: kind.high.mux(high, low) }
}
