//! What can stand beside a signal.

use num_bigint::BigInt;

use super::{SInt, UInt, constant};
use crate::bits::Bits;
use crate::diagnostic::{Diagnostic, Kind};
use crate::elaborate::report;
use crate::ir::Loc;
use crate::shape::{Encoding, EncodingInfo};

/// What can stand beside a signal: another signal, a number, an enum's variant.
#[derive(Clone, Debug)]
pub enum Operand {
    /// A signal.
    Signal(UInt),
    /// A number, as wide as its place asks for.
    Number(BigInt),
    /// A value with its own width.
    Bits(Bits),
    /// A variant of an enum.
    Variant(&'static EncodingInfo, u64),
}

impl Operand {
    /// A variant of an enum.
    pub fn variant<E: Encoding>(variant: E) -> Operand {
        Operand::Variant(E::INFO, variant.code())
    }

    pub(super) fn width(&self) -> Option<u32> {
        match self {
            Operand::Signal(s) => Some(s.width),
            Operand::Number(_) => None,
            Operand::Bits(bits) => Some(bits.width()),
            Operand::Variant(info, _) => Some(info.width),
        }
    }

    /// As a signal: `width` is what a number becomes. Other widths stay as they are; the caller compares.
    pub(crate) fn resolve(self, width: u32, loc: Loc) -> UInt {
        match self {
            Operand::Signal(signal) => signal.checked(loc),
            Operand::Bits(bits) => constant(bits, None, loc),
            Operand::Variant(info, code) => constant(Bits::from_u64(info.width, code), Some(info), loc),
            Operand::Number(value) => constant(fit(&value, width, false, loc), None, loc),
        }
    }
}

/// What can stand beside a signed signal.
#[derive(Clone, Debug)]
pub enum SignedOperand {
    /// A signal.
    Signal(SInt),
    /// A number, as wide as its place asks for.
    Number(BigInt),
}

macro_rules! numbers {
    ($($t:ty),*) => {$(
        impl From<$t> for Operand {
            fn from(value: $t) -> Operand { Operand::Number(BigInt::from(value)) }
        }
        impl From<$t> for SignedOperand {
            fn from(value: $t) -> SignedOperand { SignedOperand::Number(BigInt::from(value)) }
        }
    )*};
}

numbers!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize);

impl From<bool> for Operand {
    fn from(value: bool) -> Operand {
        Operand::Bits(Bits::from_bool(value))
    }
}

impl From<Bits> for Operand {
    fn from(value: Bits) -> Operand {
        Operand::Bits(value)
    }
}

impl From<UInt> for Operand {
    fn from(value: UInt) -> Operand {
        Operand::Signal(value)
    }
}

impl From<SInt> for SignedOperand {
    fn from(value: SInt) -> SignedOperand {
        SignedOperand::Signal(value)
    }
}

/// The number in `width` bits; a mistake if it does not fit.
pub(super) fn fit(value: &BigInt, width: u32, signed: bool, loc: Loc) -> Bits {
    let bits = Bits::from_bigint(width, value);
    let back = if signed { bits.to_bigint() } else { BigInt::from(bits.to_biguint()) };
    if back != *value {
        let kind = if signed { "signed " } else { "" };
        let needed = if signed { value.bits() + 1 } else { value.bits() };
        let help = match value.sign() {
            num_bigint::Sign::Minus if !signed => {
                "a negative number needs a signed operand: `.signed()`".to_string()
            }
            _ => format!("it needs {needed} bits"),
        };
        report(
            Diagnostic::new(
                Kind::LiteralTooWide,
                loc,
                format!("the number {value} does not fit {kind}{width} bits"),
            )
            .help(help),
        );
    }
    bits
}
