//! Integer registers and their ABI names (RISC-V ELF psABI 1.0, chapter 1).

use std::fmt;

/// An integer register, `x0` to `x31`. `Display` shows the ABI name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reg(u8);

impl Reg {
    /// Register `x{number}`, or `None` from 32 on.
    pub const fn new(number: u32) -> Option<Reg> {
        if number < 32 { Some(Reg(number as u8)) } else { None }
    }

    /// The register named by the five bits of `word` from bit `low` up.
    pub const fn from_field(word: u32, low: u32) -> Reg {
        Reg((word >> low & 31) as u8)
    }

    /// The register's number, 0 to 31.
    pub const fn number(self) -> u32 {
        self.0 as u32
    }

    /// The ABI name, such as `a0`.
    pub const fn name(self) -> &'static str {
        NAMES[self.0 as usize]
    }

    /// The register with this ABI name (`fp` is `s0`) or number name (`x8`).
    pub fn from_name(name: &str) -> Option<Reg> {
        if name == "fp" {
            return Some(S0);
        }
        if let Some(position) = NAMES.iter().position(|&n| n == name) {
            return Reg::new(position as u32);
        }
        Reg::new(name.strip_prefix('x')?.parse().ok()?)
    }

    /// All 32 registers in order.
    pub fn all() -> impl Iterator<Item = Reg> {
        (0..32).map(Reg)
    }
}

impl fmt::Display for Reg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

macro_rules! registers {
    ($($number:literal $constant:ident $name:literal $role:literal;)*) => {
        const NAMES: [&str; 32] = [$($name),*];
        $(#[doc = concat!("`x", $number, "`: ", $role, ".")]
        pub const $constant: Reg = Reg($number);)*
    };
}

registers! {
    0 ZERO "zero" "always 0";
    1 RA "ra" "return address";
    2 SP "sp" "stack pointer";
    3 GP "gp" "global pointer";
    4 TP "tp" "thread pointer";
    5 T0 "t0" "temporary";
    6 T1 "t1" "temporary";
    7 T2 "t2" "temporary";
    8 S0 "s0" "saved register, frame pointer";
    9 S1 "s1" "saved register";
    10 A0 "a0" "argument, return value";
    11 A1 "a1" "argument, return value";
    12 A2 "a2" "argument";
    13 A3 "a3" "argument";
    14 A4 "a4" "argument";
    15 A5 "a5" "argument";
    16 A6 "a6" "argument";
    17 A7 "a7" "argument";
    18 S2 "s2" "saved register";
    19 S3 "s3" "saved register";
    20 S4 "s4" "saved register";
    21 S5 "s5" "saved register";
    22 S6 "s6" "saved register";
    23 S7 "s7" "saved register";
    24 S8 "s8" "saved register";
    25 S9 "s9" "saved register";
    26 S10 "s10" "saved register";
    27 S11 "s11" "saved register";
    28 T3 "t3" "temporary";
    29 T4 "t4" "temporary";
    30 T5 "t5" "temporary";
    31 T6 "t6" "temporary";
}
