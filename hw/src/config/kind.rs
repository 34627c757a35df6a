//! Kinds of parameters, and which values they allow.

use std::fmt;

#[cfg(doc)]
use super::is_legal_name;
use super::{ChipConfig, MAX_NAME_LENGTH};

/// Unit of the parameters that are addresses.
pub const ADDRESS: &str = "address";

/// The numbers that a parameter may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// Powers of two from `min` to `max`, both included.
    PowerOfTwo {
        /// Smallest value.
        min: u32,
        /// Largest value.
        max: u32,
    },
    /// Multiples of `step` from `min` to `max`, both included.
    MultipleOf {
        /// What every value is a multiple of.
        step: u32,
        /// Smallest value.
        min: u32,
        /// Largest value.
        max: u32,
    },
    /// These, the smallest first.
    OneOf(&'static [u32]),
}

impl Range {
    /// Whether `value` is allowed.
    pub fn contains(self, value: u64) -> bool {
        match self {
            Range::PowerOfTwo { min, max } => {
                value.is_power_of_two() && (u64::from(min)..=u64::from(max)).contains(&value)
            }
            Range::MultipleOf { step, min, max } => {
                value.is_multiple_of(u64::from(step)) && (u64::from(min)..=u64::from(max)).contains(&value)
            }
            Range::OneOf(values) => values.iter().any(|&allowed| u64::from(allowed) == value),
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            // Few enough to be listed: the reader need not work them out.
            Range::PowerOfTwo { min, max } if max / min <= 8 => {
                let mut value = min;
                while value < max {
                    write!(f, "{value}, ")?;
                    value *= 2;
                }
                write!(f, "{max}")
            }
            Range::PowerOfTwo { min, max } => write!(f, "a power of two from {min} to {max}"),
            Range::MultipleOf { step: 1, min, max } => write!(f, "from {min} to {max}"),
            Range::OneOf(values) => {
                let values: Vec<String> = values.iter().map(u32::to_string).collect();
                f.write_str(&values.join(", "))
            }
            Range::MultipleOf { step, min, max } => write!(f, "a multiple of {step} from {min} to {max}"),
        }
    }
}

/// What kind of value a parameter has, its range, and how to reach it in a [`ChipConfig`].
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A whole number.
    Number {
        /// What it may be.
        range: Range,
        /// The value; `None` if the part that it belongs to is left out of the chip.
        get: fn(&ChipConfig) -> Option<u32>,
        /// Sets the value; does nothing if the part that it belongs to is left out.
        set: fn(&mut ChipConfig, u32),
    },
    /// Yes or no.
    Switch {
        /// The value.
        get: fn(&ChipConfig) -> bool,
        /// Sets the value.
        set: fn(&mut ChipConfig, bool),
    },
    /// One of some words.
    Choice {
        /// What it may be.
        words: &'static [&'static str],
        /// The word; `None` if the part that it belongs to is left out of the chip, or if no word says it.
        get: fn(&ChipConfig) -> Option<&'static str>,
        /// Sets the value by one of `words`; does nothing if the part that it belongs to is left out.
        set: fn(&mut ChipConfig, &str),
    },
    /// A name (see [`is_legal_name`]).
    Name {
        /// The value.
        get: fn(&ChipConfig) -> &str,
        /// Sets the value.
        set: fn(&mut ChipConfig, String),
    },
}

impl Kind {
    /// The allowed values in words, as error messages and the documentation say them.
    pub fn allowed(&self) -> String {
        match self {
            Kind::Number { range, .. } => range.to_string(),
            Kind::Switch { .. } => "true, false".to_string(),
            Kind::Choice { words, .. } => {
                words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ")
            }
            Kind::Name { .. } => {
                format!("1 to {MAX_NAME_LENGTH} of a-z, 0-9 and _, the first a letter")
            }
        }
    }
}

/// One line of the table of parameters.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Where it stands in `chip.toml`, as a dotted key.
    pub key: &'static str,
    /// What it means, in one line.
    pub doc: &'static str,
    /// Its unit, or "" if it has none; [`ADDRESS`] for addresses, which are written in hexadecimal.
    pub unit: &'static str,
    /// Its kind, range and place.
    pub kind: Kind,
}

impl Parameter {
    /// The value in `config` as `chip.toml` would write it; `None` if its part of the chip is left out.
    pub fn value_text(&self, config: &ChipConfig) -> Option<String> {
        match self.kind {
            Kind::Number { get, .. } if self.unit == ADDRESS => {
                get(config).map(|value| format!("{value:#010x}"))
            }
            Kind::Number { get, .. } => get(config).map(|value| value.to_string()),
            Kind::Switch { get, .. } => Some(get(config).to_string()),
            Kind::Choice { get, .. } => get(config).map(|word| format!("{word:?}")),
            Kind::Name { get, .. } => Some(format!("\"{}\"", get(config))),
        }
    }
}
