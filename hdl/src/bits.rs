//! Values of any width.

use std::fmt;

use num_bigint::{BigInt, BigUint, Sign};
use num_traits::{One, ToPrimitive, Zero};

/// A vector of `width` bits. Words of up to 64 bits are kept in a machine word.
///
/// A `Bits` has no sign of its own: [`Bits::to_bigint`] reads it as two's complement, [`Bits::to_biguint`] as unsigned.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Bits {
    width: u32,
    repr: Repr,
}

/// Invariant: `Small` for widths up to 64, `Big` above; no bit at or above the width is set.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    Small(u64),
    Big(Box<BigUint>),
}

/// The mask of the low `width` bits of a word (`width` up to 64).
fn mask(width: u32) -> u64 {
    if width >= 64 { u64::MAX } else { (1 << width) - 1 }
}

/// `2^width`.
fn modulus(width: u32) -> BigUint {
    BigUint::one() << width
}

impl Bits {
    /// All zeros.
    pub fn zero(width: u32) -> Bits {
        Bits::from_u64(width, 0)
    }

    /// All ones.
    pub fn ones(width: u32) -> Bits {
        if width <= 64 {
            Bits::from_u64(width, u64::MAX)
        } else {
            Bits::from_biguint(width, modulus(width) - 1u8)
        }
    }

    /// The low `width` bits of `value`, zero-extended.
    pub fn from_u64(width: u32, value: u64) -> Bits {
        let repr = if width <= 64 {
            Repr::Small(value & mask(width))
        } else {
            Repr::Big(Box::new(BigUint::from(value)))
        };
        Bits { width, repr }
    }

    /// One bit.
    pub fn from_bool(value: bool) -> Bits {
        Bits::from_u64(1, value as u64)
    }

    /// The low `width` bits of `value`.
    pub fn from_biguint(width: u32, value: BigUint) -> Bits {
        if width <= 64 {
            let low = value.iter_u64_digits().next().unwrap_or(0);
            return Bits::from_u64(width, low);
        }
        let value = if value.bits() > width as u64 { value % modulus(width) } else { value };
        Bits { width, repr: Repr::Big(Box::new(value)) }
    }

    /// The low `width` bits of `value` in two's complement.
    pub fn from_bigint(width: u32, value: &BigInt) -> Bits {
        let magnitude = Bits::from_biguint(width, value.magnitude().clone());
        if value.sign() == Sign::Minus { Bits::zero(width).sub(&magnitude) } else { magnitude }
    }

    /// The bits of little-endian words, least significant first; missing words are zero.
    pub fn from_words(width: u32, words: &[u64]) -> Bits {
        if width <= 64 {
            return Bits::from_u64(width, words.first().copied().unwrap_or(0));
        }
        let digits = words.iter().flat_map(|w| [*w as u32, (*w >> 32) as u32]).collect();
        Bits::from_biguint(width, BigUint::new(digits))
    }

    /// Little-endian words, least significant first: `ceil(width / 64)` of them.
    pub fn to_words(&self) -> Vec<u64> {
        match &self.repr {
            Repr::Small(v) => vec![*v],
            Repr::Big(v) => {
                let mut words = v.to_u64_digits();
                words.resize(self.width.div_ceil(64) as usize, 0);
                words
            }
        }
    }

    /// The number of bits.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// The unsigned value, if it fits 64 bits.
    pub fn to_u64(&self) -> Option<u64> {
        match &self.repr {
            Repr::Small(v) => Some(*v),
            Repr::Big(v) => v.to_u64(),
        }
    }

    /// The low 64 bits.
    pub fn low_u64(&self) -> u64 {
        match &self.repr {
            Repr::Small(v) => *v,
            Repr::Big(v) => v.iter_u64_digits().next().unwrap_or(0),
        }
    }

    /// The two's complement value, if it fits 64 bits.
    pub fn to_i64(&self) -> Option<i64> {
        match &self.repr {
            Repr::Small(v) => Some(sign_extend(*v, self.width)),
            Repr::Big(_) => self.to_bigint().to_i64(),
        }
    }

    /// The unsigned value.
    pub fn to_biguint(&self) -> BigUint {
        match &self.repr {
            Repr::Small(v) => BigUint::from(*v),
            Repr::Big(v) => (**v).clone(),
        }
    }

    /// The two's complement value.
    pub fn to_bigint(&self) -> BigInt {
        match &self.repr {
            Repr::Small(v) => BigInt::from(sign_extend(*v, self.width)),
            Repr::Big(v) => {
                let value = BigInt::from((**v).clone());
                if self.msb() { value - BigInt::from(modulus(self.width)) } else { value }
            }
        }
    }

    /// Whether any bit is set.
    pub fn is_nonzero(&self) -> bool {
        match &self.repr {
            Repr::Small(v) => *v != 0,
            Repr::Big(v) => !v.is_zero(),
        }
    }

    /// Bit `index`; bits at or above the width are zero.
    pub fn bit(&self, index: u32) -> bool {
        match &self.repr {
            Repr::Small(v) => index < 64 && v >> index & 1 == 1,
            Repr::Big(v) => v.bit(index as u64),
        }
    }

    /// The most significant bit.
    pub fn msb(&self) -> bool {
        self.width > 0 && self.bit(self.width - 1)
    }

    /// The number of set bits.
    pub fn count_ones(&self) -> u64 {
        match &self.repr {
            Repr::Small(v) => v.count_ones() as u64,
            Repr::Big(v) => v.count_ones(),
        }
    }

    fn zip(&self, other: &Bits, small: fn(u64, u64) -> u64, big: fn(&BigUint, &BigUint) -> BigUint) -> Bits {
        match (&self.repr, &other.repr) {
            (Repr::Small(a), Repr::Small(b)) => Bits::from_u64(self.width, small(*a, *b)),
            (Repr::Big(a), Repr::Big(b)) => Bits::from_biguint(self.width, big(a, b)),
            _ => Bits::from_biguint(self.width, big(&self.to_biguint(), &other.to_biguint())),
        }
    }

    /// Bitwise complement.
    #[allow(clippy::should_implement_trait)]
    pub fn not(&self) -> Bits {
        self.xor(&Bits::ones(self.width))
    }

    /// Bitwise and of two values of one width.
    pub fn and(&self, other: &Bits) -> Bits {
        self.zip(other, |a, b| a & b, |a, b| a & b)
    }

    /// Bitwise or of two values of one width.
    pub fn or(&self, other: &Bits) -> Bits {
        self.zip(other, |a, b| a | b, |a, b| a | b)
    }

    /// Bitwise exclusive or of two values of one width.
    pub fn xor(&self, other: &Bits) -> Bits {
        self.zip(other, |a, b| a ^ b, |a, b| a ^ b)
    }

    /// Sum modulo `2^width`.
    #[allow(clippy::should_implement_trait)]
    pub fn add(&self, other: &Bits) -> Bits {
        self.zip(other, u64::wrapping_add, |a, b| a + b)
    }

    /// Difference modulo `2^width`.
    #[allow(clippy::should_implement_trait)]
    pub fn sub(&self, other: &Bits) -> Bits {
        match (&self.repr, &other.repr) {
            (Repr::Small(a), Repr::Small(b)) => Bits::from_u64(self.width, a.wrapping_sub(*b)),
            _ => Bits::from_biguint(self.width, self.to_biguint() + modulus(self.width) - other.to_biguint()),
        }
    }

    /// Full product: `width + other.width` bits, as signed or unsigned numbers.
    pub fn mul(&self, other: &Bits, signed: bool) -> Bits {
        let width = self.width + other.width;
        match (&self.repr, &other.repr) {
            (Repr::Small(a), Repr::Small(b)) if width <= 64 => {
                let product = if signed {
                    sign_extend(*a, self.width).wrapping_mul(sign_extend(*b, other.width)) as u64
                } else {
                    a.wrapping_mul(*b)
                };
                Bits::from_u64(width, product)
            }
            _ if signed => Bits::from_bigint(width, &(self.to_bigint() * other.to_bigint())),
            _ => Bits::from_biguint(width, self.to_biguint() * other.to_biguint()),
        }
    }

    /// Whether `self < other`, as signed or unsigned numbers of one width.
    pub fn less(&self, other: &Bits, signed: bool) -> bool {
        match (&self.repr, &other.repr) {
            (Repr::Small(a), Repr::Small(b)) if signed => {
                sign_extend(*a, self.width) < sign_extend(*b, other.width)
            }
            (Repr::Small(a), Repr::Small(b)) => a < b,
            _ if signed => self.to_bigint() < other.to_bigint(),
            _ => self.to_biguint() < other.to_biguint(),
        }
    }

    /// Logical shift left by `amount`; everything is lost from `width` on.
    pub fn shl(&self, amount: u64) -> Bits {
        if amount >= self.width as u64 {
            return Bits::zero(self.width);
        }
        match &self.repr {
            Repr::Small(v) => Bits::from_u64(self.width, v << amount),
            Repr::Big(v) => Bits::from_biguint(self.width, &**v << amount),
        }
    }

    /// Shift right by `amount`, filling with the sign if `signed`, else with zeros.
    pub fn shr(&self, amount: u64, signed: bool) -> Bits {
        let fill = signed && self.msb();
        if amount >= self.width as u64 {
            return if fill { Bits::ones(self.width) } else { Bits::zero(self.width) };
        }
        match &self.repr {
            Repr::Small(v) if fill => {
                Bits::from_u64(self.width, (sign_extend(*v, self.width) >> amount) as u64)
            }
            Repr::Small(v) => Bits::from_u64(self.width, v >> amount),
            Repr::Big(_) if fill => Bits::from_bigint(self.width, &(self.to_bigint() >> amount)),
            Repr::Big(v) => Bits::from_biguint(self.width, &**v >> amount),
        }
    }

    /// `self` above `low`.
    pub fn concat(&self, low: &Bits) -> Bits {
        let width = self.width + low.width;
        match (&self.repr, &low.repr) {
            (Repr::Small(a), Repr::Small(b)) if width <= 64 => {
                let high = if low.width >= 64 { 0 } else { a << low.width };
                Bits::from_u64(width, high | b)
            }
            _ => Bits::from_biguint(width, (self.to_biguint() << low.width) | low.to_biguint()),
        }
    }

    /// `width` bits from bit `low` up; bits beyond the value are zero.
    pub fn slice(&self, low: u32, width: u32) -> Bits {
        match &self.repr {
            Repr::Small(v) => Bits::from_u64(width, if low >= 64 { 0 } else { v >> low }),
            Repr::Big(v) => Bits::from_biguint(width, &**v >> low),
        }
    }

    /// The value with the bits from `low` up replaced by `part`.
    pub fn with_slice(&self, low: u32, part: &Bits) -> Bits {
        let hole = Bits::ones(part.width).resize(self.width, false).shl(low as u64).not();
        self.and(&hole).or(&part.resize(self.width, false).shl(low as u64))
    }

    /// Truncated or extended (by the sign if `signed`) to `width` bits.
    pub fn resize(&self, width: u32, signed: bool) -> Bits {
        if signed && width > self.width && self.msb() {
            return Bits::from_bigint(width, &self.to_bigint());
        }
        match &self.repr {
            Repr::Small(v) => Bits::from_u64(width, *v),
            Repr::Big(v) => Bits::from_biguint(width, (**v).clone()),
        }
    }
}

/// Reads the low `width` bits as two's complement.
fn sign_extend(value: u64, width: u32) -> i64 {
    if width == 0 {
        return 0;
    }
    let shift = 64 - width.min(64);
    ((value << shift) as i64) >> shift
}

impl fmt::Display for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.repr {
            Repr::Small(v) => fmt::Display::fmt(v, f),
            Repr::Big(v) => fmt::Display::fmt(v, f),
        }
    }
}

impl fmt::LowerHex for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.repr {
            Repr::Small(v) => fmt::LowerHex::fmt(v, f),
            Repr::Big(v) => fmt::LowerHex::fmt(&**v, f),
        }
    }
}

impl fmt::Binary for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.repr {
            Repr::Small(v) => fmt::Binary::fmt(v, f),
            Repr::Big(v) => fmt::Binary::fmt(&**v, f),
        }
    }
}

impl fmt::Debug for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}'h{:x}", self.width, self)
    }
}
