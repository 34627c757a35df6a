//! The meaning of every operation.

use ferrite_hdl::Bits;
use ferrite_hdl::ir::Op;

/// The result of an operation whose node has this width and signedness; `operand` gives an operand's value and whether
/// its node is signed. [`Op::Read`] has no meaning here and gives zero.
pub fn eval<N: Copy>(
    op: &Op<N>,
    width: u32,
    signed: bool,
    mut operand: impl FnMut(N) -> (Bits, bool),
) -> Bits {
    let mut value = |n: N| operand(n).0;
    match op {
        Op::Const(bits, _) => bits.clone(),
        Op::Read(_) => Bits::zero(width),
        Op::Not(a) => value(*a).not(),
        Op::And(a, b) => value(*a).and(&value(*b)),
        Op::Or(a, b) => value(*a).or(&value(*b)),
        Op::Xor(a, b) => value(*a).xor(&value(*b)),
        Op::Add(a, b) => value(*a).add(&value(*b)),
        Op::Sub(a, b) => value(*a).sub(&value(*b)),
        Op::Mul(a, b) => value(*a).mul(&value(*b), signed),
        Op::Eq(a, b) => Bits::from_bool(value(*a) == value(*b)),
        Op::Ne(a, b) => Bits::from_bool(value(*a) != value(*b)),
        Op::Lt(a, b) => {
            let (a, is_signed) = operand(*a);
            Bits::from_bool(a.less(&operand(*b).0, is_signed))
        }
        Op::Le(a, b) => {
            let (a, is_signed) = operand(*a);
            Bits::from_bool(!operand(*b).0.less(&a, is_signed))
        }
        // An amount beyond 64 bits is beyond any width.
        Op::Shl(a, n) => value(*a).shl(value(*n).to_u64().unwrap_or(u64::MAX)),
        Op::Shr(a, n) => value(*a).shr(value(*n).to_u64().unwrap_or(u64::MAX), signed),
        Op::Mux(c, a, b) => {
            if value(*c).is_nonzero() {
                value(*a)
            } else {
                value(*b)
            }
        }
        Op::Concat(parts) => {
            let mut parts = parts.iter();
            let Some(first) = parts.next() else { return Bits::zero(width) };
            let first = value(*first);
            parts.fold(first, |high, low| high.concat(&value(*low)))
        }
        Op::Slice(a, low) => value(*a).slice(*low, width),
        Op::Extend(a) => {
            let (a, is_signed) = operand(*a);
            a.resize(width, is_signed)
        }
        Op::Cast(a) => value(*a),
        Op::ReduceAnd(a) => {
            let a = value(*a);
            Bits::from_bool(a == Bits::ones(a.width()))
        }
        Op::ReduceOr(a) => Bits::from_bool(value(*a).is_nonzero()),
        Op::ReduceXor(a) => Bits::from_bool(value(*a).count_ones() % 2 == 1),
    }
}
