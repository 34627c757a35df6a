//! What a user may choose about a chip, and which choices are allowed.
//!
//! [`ChipConfig`] is plain data. [`PARAMETERS`] says, once, what each of its values means, its unit, its range and
//! how to reach it: validation, `chip.toml`, `--set`, `--help` and the documentation all read this table.

use std::fmt;

pub use crate::core::CoreConfig;
use crate::map;

/// A whole chip.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ChipConfig {
    /// Name of the chip and of its top Verilog module (see [`is_legal_name`]).
    pub name: String,
    /// The RISC-V core.
    pub core: CoreConfig,
    /// The int8 tensor unit; `None` leaves it out, and its instructions become illegal.
    pub tensor: Option<TensorConfig>,
    /// Memories and devices.
    pub soc: SocConfig,
}

/// The tensor unit (`docs/tensor-unit.md`, "Sizes").
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TensorConfig {
    /// `R`: rows of the array, input channels taken at once.
    pub rows: u32,
    /// `C`: columns of the array, output channels made at once.
    pub cols: u32,
    /// `SP`: size of the scratchpad in bytes.
    pub scratchpad_bytes: u32,
    /// `ACC`: accumulator rows, each of `cols` int32.
    pub acc_rows: u32,
}

impl TensorConfig {
    /// `L`: width of a scratchpad word in bytes.
    pub fn scratchpad_word_bytes(&self) -> u32 {
        self.rows.max(self.cols).max(8)
    }

    /// Size of the accumulator memory in bytes.
    pub fn acc_bytes(&self) -> u64 {
        u64::from(self.acc_rows) * u64::from(self.cols) * 4
    }
}

/// Memories and devices.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SocConfig {
    /// Size of the RAM in bytes.
    pub ram_bytes: u32,
    /// Size of the boot ROM in bytes.
    pub rom_bytes: u32,
    /// Frequency of the chip's clock in hertz.
    pub clock_hz: u32,
    /// Speed of the UART in bits per second.
    pub uart_baud: u32,
}

impl SocConfig {
    /// Clock cycles that one bit of the UART lasts, rounded to the nearest.
    pub fn uart_cycles_per_bit(&self) -> u32 {
        let baud = u64::from(self.uart_baud.max(1));
        ((u64::from(self.clock_hz) + baud / 2) / baud) as u32
    }
}

impl Default for TensorConfig {
    fn default() -> Self {
        Self { rows: 16, cols: 16, scratchpad_bytes: 128 << 10, acc_rows: 1024 }
    }
}

impl Default for ChipConfig {
    fn default() -> Self {
        Self {
            name: "ferrite".to_string(),
            core: CoreConfig::FAST,
            tensor: Some(TensorConfig::default()),
            soc: SocConfig {
                ram_bytes: 512 << 10,
                rom_bytes: 4 << 10,
                clock_hz: 50_000_000,
                uart_baud: 115_200,
            },
        }
    }
}

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
            Kind::Name { get, .. } => Some(format!("\"{}\"", get(config))),
        }
    }
}

/// Unit of the parameters that are addresses.
pub const ADDRESS: &str = "address";

/// Longest name of a chip, in bytes.
pub const MAX_NAME_LENGTH: usize = 32;

/// Fewest clock cycles per bit that the UART can time: its shift register needs a few steps for each.
pub const MIN_UART_CYCLES_PER_BIT: u32 = 4;

/// Whether `name` can be a chip's name: it becomes the name of a Verilog module, of files and of C macros.
pub fn is_legal_name(name: &str) -> bool {
    name.len() <= MAX_NAME_LENGTH
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// A [`Kind::Number`] of the tensor unit.
macro_rules! tensor_number {
    ($field:ident, $range:expr) => {
        Kind::Number {
            range: $range,
            get: |chip| chip.tensor.as_ref().map(|tensor| tensor.$field),
            set: |chip, value| {
                if let Some(tensor) = &mut chip.tensor {
                    tensor.$field = value;
                }
            },
        }
    };
}

/// A [`Kind::Number`] of a part that every chip has.
macro_rules! number {
    ($part:ident.$field:ident, $range:expr) => {
        Kind::Number {
            range: $range,
            get: |chip| Some(chip.$part.$field),
            set: |chip, value| chip.$part.$field = value,
        }
    };
}

/// Every parameter of a chip, in the order of the documentation.
pub const PARAMETERS: &[Parameter] = &[
    Parameter {
        key: "name",
        doc: "name of the chip and of its top Verilog module",
        unit: "",
        kind: Kind::Name { get: |chip| &chip.name, set: |chip, name| chip.name = name },
    },
    Parameter {
        key: "core.reset_vector",
        doc: "address of the first instruction after reset: the start of the boot ROM or of the RAM",
        unit: ADDRESS,
        kind: number!(core.reset_vector, Range::MultipleOf { step: 4, min: 0, max: u32::MAX - 3 }),
    },
    Parameter {
        key: "tensor.present",
        doc: "whether the chip has a tensor unit",
        unit: "",
        kind: Kind::Switch {
            get: |chip| chip.tensor.is_some(),
            set: |chip, present| {
                if present {
                    chip.tensor.get_or_insert_default();
                } else {
                    chip.tensor = None;
                }
            },
        },
    },
    Parameter {
        key: "tensor.rows",
        doc: "rows of the array: input channels taken at once",
        unit: "",
        kind: tensor_number!(rows, Range::PowerOfTwo { min: 4, max: 32 }),
    },
    Parameter {
        key: "tensor.cols",
        doc: "columns of the array: output channels made at once",
        unit: "",
        kind: tensor_number!(cols, Range::PowerOfTwo { min: 4, max: 32 }),
    },
    Parameter {
        key: "tensor.scratchpad_bytes",
        doc: "size of the scratchpad",
        unit: "bytes",
        kind: tensor_number!(scratchpad_bytes, Range::PowerOfTwo { min: 4 << 10, max: 1 << 20 }),
    },
    Parameter {
        key: "tensor.acc_rows",
        doc: "accumulator rows, each of `tensor.cols` int32",
        unit: "rows",
        kind: tensor_number!(acc_rows, Range::PowerOfTwo { min: 16, max: 65_536 }),
    },
    Parameter {
        key: "soc.ram_bytes",
        doc: "size of the RAM, which holds programs and their data",
        unit: "bytes",
        kind: number!(soc.ram_bytes, Range::PowerOfTwo { min: 16 << 10, max: 16 << 20 }),
    },
    Parameter {
        key: "soc.rom_bytes",
        doc: "size of the boot ROM",
        unit: "bytes",
        kind: number!(soc.rom_bytes, Range::PowerOfTwo { min: 1 << 10, max: map::ROM_WINDOW_BYTES }),
    },
    Parameter {
        key: "soc.clock_hz",
        doc: "frequency of the chip's clock",
        unit: "Hz",
        kind: number!(soc.clock_hz, Range::MultipleOf { step: 1, min: 100_000, max: 1_000_000_000 }),
    },
    Parameter {
        key: "soc.uart_baud",
        doc: "speed of the UART; a bit lasts at least 4 clock cycles",
        unit: "bit/s",
        kind: number!(soc.uart_baud, Range::MultipleOf { step: 1, min: 300, max: 10_000_000 }),
    },
];

/// The parameter with this dotted key.
pub fn parameter(key: &str) -> Option<&'static Parameter> {
    PARAMETERS.iter().find(|parameter| parameter.key == key)
}

/// Why a configuration is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A value is outside of its parameter's range.
    #[error("{key} is {value}; allowed: {allowed}")]
    OutOfRange {
        /// The parameter.
        key: &'static str,
        /// What it was set to.
        value: String,
        /// What it may be, in words.
        allowed: String,
    },
    /// Two values, each allowed alone, do not fit together.
    #[error("{key} is {value}: {reason}")]
    Conflict {
        /// The parameter to change.
        key: &'static str,
        /// What it was set to.
        value: String,
        /// What it does not fit, and what would.
        reason: String,
    },
}

impl ConfigError {
    /// The key of the parameter at fault.
    pub fn key(&self) -> &'static str {
        match self {
            ConfigError::OutOfRange { key, .. } | ConfigError::Conflict { key, .. } => key,
        }
    }
}

impl ChipConfig {
    /// Checks every value against its range and the values against each other.
    ///
    /// # Errors
    /// Every rule that is broken, in the order of [`PARAMETERS`]; values are compared with each other only if each
    /// is in its range.
    pub fn validate(&self) -> Result<(), Vec<ConfigError>> {
        let mut errors: Vec<ConfigError> = PARAMETERS.iter().filter_map(|p| self.out_of_range(p)).collect();
        if errors.is_empty() {
            errors.extend(self.conflicts());
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn out_of_range(&self, parameter: &Parameter) -> Option<ConfigError> {
        let value = match parameter.kind {
            Kind::Number { range, get, .. } => {
                get(self).filter(|&value| !range.contains(u64::from(value))).map(|value| value.to_string())
            }
            Kind::Switch { .. } => None,
            Kind::Name { get, .. } => (!is_legal_name(get(self))).then(|| format!("{:?}", get(self))),
        };
        let allowed = || parameter.kind.allowed();
        value.map(|value| ConfigError::OutOfRange { key: parameter.key, value, allowed: allowed() })
    }

    fn conflicts(&self) -> Vec<ConfigError> {
        let mut errors = Vec::new();
        let reset_vector = self.core.reset_vector;
        let map = map::MemoryMap::of(self);
        if !map.regions().iter().any(|region| region.is_memory() && region.base == reset_vector) {
            errors.push(ConfigError::Conflict {
                key: "core.reset_vector",
                value: format!("{reset_vector:#x}"),
                reason: format!(
                    "no program starts there; it must be the start of the boot ROM, {:#x}, or of the RAM, {:#x}",
                    map::ROM_BASE,
                    map::RAM_BASE
                ),
            });
        }
        if self.soc.uart_cycles_per_bit() < MIN_UART_CYCLES_PER_BIT {
            errors.push(ConfigError::Conflict {
                key: "soc.uart_baud",
                value: self.soc.uart_baud.to_string(),
                reason: format!(
                    "with a clock of {} Hz it can be {} at most",
                    self.soc.clock_hz,
                    self.soc.clock_hz / MIN_UART_CYCLES_PER_BIT
                ),
            });
        }
        errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_chip_is_valid_and_has_the_documented_sizes() {
        let chip = ChipConfig::default();
        assert_eq!(chip.validate(), Ok(()));
        let tensor = chip.tensor.unwrap();
        assert_eq!((tensor.rows, tensor.cols), (16, 16));
        assert_eq!((tensor.scratchpad_bytes, tensor.acc_bytes()), (131_072, 65_536));
        assert_eq!((chip.soc.ram_bytes, chip.soc.rom_bytes), (524_288, 4_096));
    }

    #[test]
    fn every_number_is_refused_just_outside_of_its_range() {
        for parameter in PARAMETERS {
            let Kind::Number { range, set, .. } = parameter.kind else { continue };
            let (Range::PowerOfTwo { min, max } | Range::MultipleOf { min, max, .. }) = range;
            for outside in [min.checked_sub(1), max.checked_add(1)].into_iter().flatten() {
                let mut chip = ChipConfig::default();
                set(&mut chip, outside);
                let errors = chip.validate().expect_err(parameter.key);
                assert_eq!(errors.len(), 1, "{errors:?}");
                assert_eq!(errors[0].key(), parameter.key);
                assert!(errors[0].to_string().contains(&range.to_string()), "{}", errors[0]);
            }
        }
    }

    #[test]
    fn a_number_between_powers_of_two_is_refused() {
        let mut chip = ChipConfig::default();
        chip.tensor.as_mut().unwrap().rows = 12;
        assert_eq!(chip.validate().unwrap_err()[0].to_string(), "tensor.rows is 12; allowed: 4, 8, 16, 32");
    }

    #[test]
    fn all_broken_rules_are_reported_at_once() {
        let mut chip = ChipConfig { name: "Chip".to_string(), ..ChipConfig::default() };
        chip.soc.ram_bytes = 3;
        chip.soc.uart_baud = 0;
        let keys: Vec<_> = chip.validate().unwrap_err().iter().map(ConfigError::key).collect();
        assert_eq!(keys, ["name", "soc.ram_bytes", "soc.uart_baud"]);
    }

    #[test]
    fn the_reset_vector_must_be_where_a_program_starts() {
        let mut chip = ChipConfig::default();
        chip.core.reset_vector = 0x1000_0000; // the UART
        assert_eq!(chip.validate().unwrap_err()[0].key(), "core.reset_vector");
        chip.core.reset_vector = map::ROM_BASE + 8; // behind the boot program
        assert_eq!(chip.validate().unwrap_err()[0].key(), "core.reset_vector");
        chip.core.reset_vector = 0x8000_0000;
        assert_eq!(chip.validate(), Ok(()));
    }

    #[test]
    fn the_uart_cannot_be_faster_than_its_clock_allows() {
        let mut chip = ChipConfig::default();
        (chip.soc.clock_hz, chip.soc.uart_baud) = (1_000_000, 400_000);
        assert!(chip.validate().unwrap_err()[0].to_string().contains("250000 at most"));
    }

    #[test]
    fn names_are_those_that_verilog_files_and_c_can_carry() {
        for name in ["a", "ferrite", "npu_16x16", &"a".repeat(MAX_NAME_LENGTH)] {
            assert!(is_legal_name(name), "{name}");
        }
        for name in ["", "1a", "_a", "A", "a-b", "a/b", "é", &"a".repeat(MAX_NAME_LENGTH + 1)] {
            assert!(!is_legal_name(name), "{name}");
        }
    }
}
