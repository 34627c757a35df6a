//! Rust's operators on signals.

use std::panic::Location;

use super::{Operand, SInt, SignedOperand, UInt, constant};
use crate::bits::Bits;
use crate::ir::{Loc, Op};

macro_rules! operator {
    ($trait:ident, $method:ident, $body:expr) => {
        impl<T: Into<Operand>> std::ops::$trait<T> for UInt {
            type Output = UInt;
            #[track_caller]
            fn $method(self, other: T) -> UInt {
                let body: fn(UInt, Operand, Loc) -> UInt = $body;
                body(self, other.into(), Location::caller())
            }
        }
    };
}

operator!(BitAnd, bitand, |a, b, loc| a.bitwise(b, "`&`", Op::And, loc));
operator!(BitOr, bitor, |a, b, loc| a.bitwise(b, "`|`", Op::Or, loc));
operator!(BitXor, bitxor, |a, b, loc| a.bitwise(b, "`^`", Op::Xor, loc));
operator!(Add, add, |a, b, loc| a.grow(b, Op::Add, loc));
operator!(Sub, sub, |a, b, loc| a.grow(b, Op::Sub, loc));
operator!(Mul, mul, |a, b, loc| {
    let a = a.checked(loc);
    let b = b.resolve(a.width, loc);
    UInt::make(Op::Mul(a.node, b.node), a.width + b.width, loc)
});
operator!(Shl, shl, |a, b, loc| {
    let a = a.checked(loc);
    let b = b.resolve(32, loc);
    UInt::make(Op::Shl(a.node, b.node), a.width, loc)
});
operator!(Shr, shr, |a, b, loc| {
    let a = a.checked(loc);
    let b = b.resolve(32, loc);
    UInt::make(Op::Shr(a.node, b.node), a.width, loc)
});

impl std::ops::Not for UInt {
    type Output = UInt;
    #[track_caller]
    fn not(self) -> UInt {
        let loc = Location::caller();
        let this = self.checked(loc);
        UInt::make(Op::Not(this.node), this.width, loc)
    }
}

impl<T: Into<SignedOperand>> std::ops::Add<T> for SInt {
    type Output = SInt;
    #[track_caller]
    fn add(self, other: T) -> SInt {
        self.grow(other.into(), Op::Add, Location::caller())
    }
}

impl<T: Into<SignedOperand>> std::ops::Sub<T> for SInt {
    type Output = SInt;
    #[track_caller]
    fn sub(self, other: T) -> SInt {
        self.grow(other.into(), Op::Sub, Location::caller())
    }
}

impl<T: Into<SignedOperand>> std::ops::Mul<T> for SInt {
    type Output = SInt;
    #[track_caller]
    #[allow(clippy::suspicious_arithmetic_impl)] // the widths of the factors add up
    fn mul(self, other: T) -> SInt {
        let loc = Location::caller();
        let a = self.here(loc);
        let b = SInt::resolve(other.into(), a.width(), loc).here(loc);
        SInt::make(Op::Mul(a.inner.node, b.inner.node), a.width() + b.width(), loc)
    }
}

impl std::ops::Neg for SInt {
    type Output = SInt;
    #[track_caller]
    fn neg(self) -> SInt {
        let loc = Location::caller();
        let zero = SInt::make(Op::Const(Bits::zero(self.width()), None), self.width(), loc);
        zero.grow(SignedOperand::Signal(self), Op::Sub, loc)
    }
}

impl std::ops::Shr<UInt> for SInt {
    type Output = SInt;
    #[track_caller]
    fn shr(self, amount: UInt) -> SInt {
        let loc = Location::caller();
        let (a, amount) = (self.here(loc), amount.checked(loc));
        SInt::make(Op::Shr(a.inner.node, amount.node), a.width(), loc)
    }
}

impl std::ops::Shr<u32> for SInt {
    type Output = SInt;
    #[track_caller]
    fn shr(self, amount: u32) -> SInt {
        let loc = Location::caller();
        let amount = constant(Bits::from_u64(32, amount as u64), None, loc);
        SInt::make(Op::Shr(self.here(loc).inner.node, amount.node), self.width(), loc)
    }
}
