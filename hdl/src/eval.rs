//! What every operation means, on values of any width.
//!
//! This is the meaning of the language that engines and emitted Verilog are compared with: one line for each
//! operation, none of them clever.

use crate::bits::Bits;
use crate::ir::Op;

/// The value of an operation. `width` and `signed` are those of the result; `value` gives an operand and whether it is signed.
///
/// # Panics
/// On [`Op::Read`], which is no operation on values: a flat netlist has none.
pub fn eval<'a, N: Copy>(
    op: &Op<N>,
    width: u32,
    signed: bool,
    value: impl Fn(N) -> (&'a Bits, bool),
) -> Bits {
    let bits = |n: N| value(n).0;
    let is_signed = |n: N| value(n).1;
    let less = |a: N, b: N| bits(a).less(bits(b), is_signed(a) && is_signed(b));
    // An amount beyond 64 bits shifts everything out, as any other that is not below the width.
    let amount = |n: N| bits(n).to_u64().unwrap_or(u64::MAX);
    match op {
        Op::Const(constant, _) => constant.clone(),
        Op::Read(signal) => panic!("{signal:?} is read where only operations on values are expected"),
        Op::Not(a) => bits(*a).not(),
        Op::And(a, b) => bits(*a).and(bits(*b)),
        Op::Or(a, b) => bits(*a).or(bits(*b)),
        Op::Xor(a, b) => bits(*a).xor(bits(*b)),
        Op::Add(a, b) => bits(*a).add(bits(*b)),
        Op::Sub(a, b) => bits(*a).sub(bits(*b)),
        Op::Mul(a, b) => bits(*a).mul(bits(*b), signed),
        Op::Eq(a, b) => Bits::from_bool(bits(*a) == bits(*b)),
        Op::Ne(a, b) => Bits::from_bool(bits(*a) != bits(*b)),
        Op::Lt(a, b) => Bits::from_bool(less(*a, *b)),
        Op::Le(a, b) => Bits::from_bool(!less(*b, *a)),
        Op::Shl(a, n) => bits(*a).shl(amount(*n)),
        Op::Shr(a, n) => bits(*a).shr(amount(*n), signed),
        Op::Mux(c, a, b) => bits(if bits(*c).is_nonzero() { *a } else { *b }).clone(),
        Op::Concat(parts) => parts.iter().fold(Bits::zero(0), |high, low| high.concat(bits(*low))),
        Op::Slice(a, low) => bits(*a).slice(*low, width),
        Op::Extend(a) => bits(*a).resize(width, is_signed(*a)),
        Op::Cast(a) => bits(*a).clone(),
        Op::ReduceAnd(a) => Bits::from_bool(bits(*a).count_ones() == bits(*a).width() as u64),
        Op::ReduceOr(a) => Bits::from_bool(bits(*a).is_nonzero()),
        Op::ReduceXor(a) => Bits::from_bool(bits(*a).count_ones() % 2 == 1),
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::{BigInt, BigUint, Sign};
    use proptest::prelude::*;

    use super::*;
    use crate::ir::Op::*;

    /// Operands are numbered; all of them are signed or none.
    fn of(op: Op<usize>, width: u32, signed: bool, operands: &[&Bits]) -> BigInt {
        let result = eval(&op, width, signed, |n| (operands[n], signed));
        assert_eq!(result.width(), width, "{op:?}");
        BigInt::from(result.to_biguint())
    }

    /// The unsigned value of the low `width` bits of a number, by division.
    fn low(value: BigInt, width: u32) -> BigInt {
        let modulus = BigInt::from(1) << width;
        ((value % &modulus) + &modulus) % modulus
    }

    /// A number of so many bits made of random bytes, and as the two's complement number that it stands for.
    fn number(bytes: &[u8], width: u32, signed: bool) -> (Bits, BigInt) {
        let value = low(BigInt::from_bytes_le(Sign::Plus, bytes), width);
        let bits = Bits::from_biguint(width, value.magnitude().clone());
        let negative = signed && value >= BigInt::from(1) << (width - 1);
        (bits, if negative { value - (BigInt::from(1) << width) } else { value })
    }

    fn truth(value: bool) -> BigInt {
        BigInt::from(value as u8)
    }

    proptest! {
        #[test]
        fn operations_agree_with_formulas_on_integers(
            (width, other_width) in (1u32..=200, 1u32..=200),
            bytes in prop::collection::vec(prop_oneof![Just(0u8), Just(255), any::<u8>()], 25),
            other_bytes in prop::collection::vec(prop_oneof![Just(0u8), Just(255), any::<u8>()], 25),
            (signed, same) in (any::<bool>(), prop::bool::weighted(0.2)),
            amount in prop_oneof![0u64..8, 0u64..220, Just(u64::MAX)],
        ) {
            let (a, x) = number(&bytes, width, signed);
            let (b, y) = number(if same { &bytes } else { &other_bytes }, width, signed);
            let (c, z) = number(&other_bytes, other_width, signed);
            let unsigned = |n: &BigInt| low(n.clone(), width);
            let binary = |op: Op<usize>, width: u32| of(op, width, signed, &[&a, &b]);

            prop_assert_eq!(of(Not(0), width, signed, &[&a]), low(-x.clone() - 1, width));
            prop_assert_eq!(binary(And(0, 1), width), low(&x & &y, width));
            prop_assert_eq!(binary(Or(0, 1), width), low(&x | &y, width));
            prop_assert_eq!(binary(Xor(0, 1), width), low(&x ^ &y, width));
            prop_assert_eq!(binary(Add(0, 1), width), low(&x + &y, width));
            prop_assert_eq!(binary(Sub(0, 1), width), low(&x - &y, width));
            prop_assert_eq!(binary(Eq(0, 1), 1), truth(x == y));
            prop_assert_eq!(binary(Ne(0, 1), 1), truth(x != y));
            prop_assert_eq!(binary(Lt(0, 1), 1), truth(x < y));
            prop_assert_eq!(binary(Le(0, 1), 1), truth(x <= y));

            let wide = width + other_width;
            prop_assert_eq!(of(Mul(0, 1), wide, signed, &[&a, &c]), low(&x * &z, wide));
            let three = vec![0, 1, 0];
            let shift = |n: BigInt, by: u32| n * (BigInt::from(1) << by);
            let threefold = shift(unsigned(&x), wide) + shift(low(z.clone(), other_width), width) + unsigned(&x);
            prop_assert_eq!(of(Concat(three), wide + width, signed, &[&a, &c]), threefold);
            let joined = unsigned(&x) * (BigInt::from(1) << other_width) + low(z.clone(), other_width);
            prop_assert_eq!(of(Concat(vec![0, 1]), wide, signed, &[&a, &c]), joined);
            prop_assert_eq!(of(Extend(0), wide, signed, &[&a]), low(x.clone(), wide));
            prop_assert_eq!(of(Cast(0), width, signed, &[&a]), unsigned(&x));

            let by = Bits::from_u64(64, amount);
            // Beyond the width nothing changes any more, so that the formula need not shift by 2^64.
            let power = BigInt::from(1) << amount.min(300);
            prop_assert_eq!(of(Shl(0, 1), width, signed, &[&a, &by]), low(&x * &power, width));
            let floor = if x.sign() == Sign::Minus { (&x - &power + 1) / &power } else { &x / &power };
            prop_assert_eq!(of(Shr(0, 1), width, signed, &[&a, &by]), low(floor, width));

            let from = (amount % width as u64) as u32;
            let part = width - from;
            prop_assert_eq!(of(Slice(0, from), part, false, &[&a]), unsigned(&x) / (BigInt::from(1) << from));
            prop_assert_eq!(of(Slice(0, from), 1, false, &[&a]), (unsigned(&x) >> from) % 2);

            let middle = (other_width - 1) % part + 1;
            let cut = (unsigned(&x) >> from) % (BigInt::from(1) << middle);
            prop_assert_eq!(of(Slice(0, from), middle, false, &[&a]), cut);

            let (yes, no) = (Bits::from_bool(true), Bits::from_bool(false));
            prop_assert_eq!(of(Mux(2, 0, 1), width, signed, &[&a, &b, &yes]), unsigned(&x));
            prop_assert_eq!(of(Mux(2, 0, 1), width, signed, &[&a, &b, &no]), unsigned(&y));

            let all = (BigInt::from(1) << width) - 1;
            let digits = unsigned(&x).to_str_radix(2);
            prop_assert_eq!(of(ReduceAnd(0), 1, false, &[&a]), truth(unsigned(&x) == all));
            prop_assert_eq!(of(ReduceOr(0), 1, false, &[&a]), truth(x != BigInt::from(0)));
            prop_assert_eq!(of(ReduceXor(0), 1, false, &[&a]), truth(digits.matches('1').count() % 2 == 1));
        }
    }

    #[test]
    fn comparison_is_unsigned_unless_both_operands_are_signed() {
        let (minus_one, one) = (Bits::from_u64(4, 15), Bits::from_u64(4, 1));
        let less = |signs: [bool; 2]| {
            let operands = [&minus_one, &one];
            eval(&Lt(0, 1), 1, false, |n: usize| (operands[n], signs[n])).is_nonzero()
        };
        assert!(less([true, true]));
        assert!(!less([true, false]));
        assert!(!less([false, false]));
    }

    #[test]
    fn an_amount_wider_than_64_bits_shifts_everything_out() {
        let value = Bits::from_u64(8, 0x80);
        let huge = Bits::from_biguint(70, BigUint::from(1u8) << 69);
        let shift = |op: Op<usize>, signed| eval(&op, 8, signed, |n| ([&value, &huge][n], signed)).to_u64();
        assert_eq!(shift(Shl(0, 1), false), Some(0));
        assert_eq!(shift(Shr(0, 1), false), Some(0));
        assert_eq!(shift(Shr(0, 1), true), Some(255));
    }
}
