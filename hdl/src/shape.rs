//! What a signal carries: a number of bits, perhaps signed, perhaps the values of an enum.

use crate::bits::Bits;

/// The names and codes of an enum, as `#[derive(Encoding)]` writes them down.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct EncodingInfo {
    /// The Rust name of the enum.
    pub name: &'static str,
    /// Bits of a code.
    pub width: u32,
    /// Every variant's name and code, in the order of the source.
    pub variants: &'static [(&'static str, u64)],
}

impl EncodingInfo {
    /// The name of the variant with this code.
    pub fn name_of(&self, code: u64) -> Option<&'static str> {
        self.variants.iter().find(|v| v.1 == code).map(|v| v.0)
    }
}

/// An enum whose variants have codes in hardware. Derive it; the names survive in Verilog (as `localparam`s) and in
/// waveforms.
///
/// ```
/// use ferrite_hdl::prelude::*;
///
/// #[derive(Clone, Copy, Encoding)]
/// enum State {
///     Idle,
///     Busy,
///     Done,
/// }
/// assert_eq!(State::INFO.width, 2);
/// assert_eq!(State::Done.code(), 2);
/// ```
pub trait Encoding: Copy + 'static {
    /// Names and codes.
    const INFO: &'static EncodingInfo;

    /// The code of this variant.
    fn code(self) -> u64;

    /// The shape of a signal that carries this enum.
    fn shape() -> Shape {
        Shape { width: Self::INFO.width, signed: false, encoding: Some(Self::INFO), clock: None }
    }
}

/// What a port, wire or register carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Bits.
    pub width: u32,
    /// Whether Verilog and waveforms show it as two's complement.
    pub signed: bool,
    /// The enum it carries.
    pub encoding: Option<&'static EncodingInfo>,
    /// For an input port: the clock its value belongs to; `None` for the module's first clock.
    pub clock: Option<&'static str>,
}

impl Shape {
    /// States to which clock of its module an input port belongs.
    pub fn in_clock(self, clock: &'static str) -> Shape {
        Shape { clock: Some(clock), ..self }
    }

    /// Text for people: `8 bits`, `signed 8 bits`, `State (2 bits)`.
    pub fn describe(&self) -> String {
        let bits = format!("{} bit{}", self.width, if self.width == 1 { "" } else { "s" });
        match self.encoding {
            Some(encoding) => format!("{} ({bits})", encoding.name),
            None if self.signed => format!("signed {bits}"),
            None => bits,
        }
    }

    /// A value as people want to read it: an enum's name, a signed number, else the unsigned number.
    pub fn show(&self, value: &Bits) -> String {
        if let Some(name) = self.encoding.zip(value.to_u64()).and_then(|(e, v)| e.name_of(v)) {
            return name.to_string();
        }
        if self.signed { value.to_bigint().to_string() } else { value.to_string() }
    }
}

/// One bit.
pub fn bit() -> Shape {
    bits(1)
}

/// An unsigned number of `width` bits.
pub fn bits(width: u32) -> Shape {
    Shape { width, signed: false, encoding: None, clock: None }
}

/// A two's complement number of `width` bits.
pub fn signed(width: u32) -> Shape {
    Shape { signed: true, ..bits(width) }
}

impl From<u32> for Shape {
    fn from(width: u32) -> Shape {
        bits(width)
    }
}

/// The bits needed to count `n` things from 0: `ceil(log2(n))`, at least 1.
pub fn index_width(n: usize) -> u32 {
    usize::BITS - n.saturating_sub(1).max(1).leading_zeros()
}
