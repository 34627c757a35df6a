//! What a user may choose about a chip, and which choices are allowed.
//!
//! [`ChipConfig`] is plain data. [`PARAMETERS`] says, once, what each of its values means, its unit, its range and
//! how to reach it: validation, `chip.toml`, `--set`, `--help` and the documentation all read this table.

mod kind;
mod parameters;

pub use crate::core::CoreConfig;
use crate::map;
pub use kind::{ADDRESS, Kind, Parameter, Range};
pub use parameters::{PARAMETERS, parameter};

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
    /// Width of the AXI4 port to external memory in bits.
    pub axi_bits: u32,
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
    /// General-purpose pins; 0 leaves their device out.
    pub gpio_pins: u32,
    /// Size of the port for a user's own peripherals in bytes; 0 leaves it out.
    pub user_bytes: u32,
    /// First address of that port, a multiple of its size.
    pub user_base: u32,
    /// Bytes of SPI flash memory that can be read; 0 leaves the reader out.
    pub flash_bytes: u32,
    /// Size of the external memory behind the AXI4 port in bytes; 0 leaves the port out.
    pub external_bytes: u32,
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
        Self { rows: 16, cols: 16, scratchpad_bytes: 128 << 10, acc_rows: 1024, axi_bits: 128 }
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
                gpio_pins: 0,
                user_bytes: 0,
                user_base: 0x4000_0000,
                flash_bytes: 0,
                external_bytes: 16 << 20,
            },
        }
    }
}

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

    /// As [`ChipConfig::validate`], for a core without the chip around it: memories and devices are not there, and its program may stand
    /// anywhere.
    ///
    /// # Errors
    /// Every value that is outside of its range.
    pub fn validate_core(&self) -> Result<(), Vec<ConfigError>> {
        let errors: Vec<ConfigError> = PARAMETERS.iter().filter_map(|p| self.out_of_range(p)).collect();
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn out_of_range(&self, parameter: &Parameter) -> Option<ConfigError> {
        let value = match parameter.kind {
            Kind::Number { range, get, .. } => {
                get(self).filter(|&value| !range.contains(u64::from(value))).map(|value| value.to_string())
            }
            Kind::Choice { words, get, .. } => {
                get(self).filter(|word| !words.contains(word)).map(|word| format!("{word:?}"))
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
        let starts = |region: &map::Region| region.is_memory() && region.base != map::EXTERNAL_BASE;
        if !map.regions().iter().any(|region| starts(region) && region.base == reset_vector) {
            errors.push(ConfigError::Conflict {
                key: "core.reset_vector",
                value: format!("{reset_vector:#x}"),
                reason: format!(
                    "no program starts there; it must be the start of the boot ROM, {:#x}, or of the RAM, {:#x}{}",
                    map::ROM_BASE,
                    map::RAM_BASE,
                    match self.soc.flash_bytes {
                        0 => String::new(),
                        _ => format!(", or of the flash memory, {:#x}", map::FLASH_BASE),
                    }
                ),
            });
        }
        errors.extend(self.misplaced_port(&map));
        if self.tensor.is_some() && self.soc.external_bytes == 0 {
            errors.push(ConfigError::Conflict {
                key: "soc.external_bytes",
                value: "0".to_string(),
                reason: "the tensor unit works on external memory; give it some, or leave the unit out with `tensor.present = false`".to_string(),
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

    /// What is wrong with the place of the port for a user's own peripherals, if there is one.
    fn misplaced_port(&self, map: &map::MemoryMap) -> Option<ConfigError> {
        let SocConfig { user_bytes, user_base, .. } = self.soc;
        let user = map::user(user_base, user_bytes);
        let reason = if user_bytes == 0 {
            None
        } else if !user_base.is_multiple_of(user_bytes) {
            Some(format!("it must be a multiple of the port's size, {user_bytes:#x}"))
        } else {
            let others = || map.regions().iter().filter(|region| region.name != user.name);
            let overlaps = |region: &&map::Region| region.base <= user.last() && user.base <= region.last();
            others().find(overlaps).map(|region| {
                format!(
                    "the port would overlap `{}`, {:#x} to {:#x}",
                    region.name,
                    region.base,
                    region.last()
                )
            })
        };
        let value = format!("{user_base:#x}");
        reason.map(|reason| ConfigError::Conflict { key: "soc.user_base", value, reason })
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
            let (min, max) = match range {
                Range::PowerOfTwo { min, max } | Range::MultipleOf { min, max, .. } => (min, max),
                Range::OneOf(values) => (values[0], values[values.len() - 1]),
            };
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
    fn a_number_between_those_of_a_list_is_refused() {
        let mut chip = ChipConfig::default();
        chip.core.pmp_regions = 5;
        assert_eq!(
            chip.validate().unwrap_err()[0].to_string(),
            "core.pmp_regions is 5; allowed: 0, 4, 8, 16"
        );
    }

    #[test]
    fn a_preset_is_a_word_for_the_values_of_all_other_parameters() {
        let preset = parameter("core.preset").unwrap();
        let Kind::Choice { words, set, .. } = preset.kind else { panic!("{preset:?}") };
        for (word, core) in [("fast", CoreConfig::FAST), ("small", CoreConfig::SMALL)] {
            let mut chip = ChipConfig::default();
            set(&mut chip, word);
            assert!(words.contains(&word));
            assert_eq!((chip.core, preset.value_text(&chip)), (core, Some(format!("{word:?}"))));
            chip.core.hart_id = 1;
            assert_eq!(
                preset.value_text(&chip),
                Some(format!("{word:?}")),
                "says nothing of the place in a system"
            );
            chip.core.extensions.zba ^= true;
            assert_eq!(preset.value_text(&chip), None);
        }
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
    fn the_users_port_stands_at_a_multiple_of_its_size_where_nothing_else_is() {
        let mut chip = ChipConfig::default();
        (chip.soc.user_base, chip.soc.user_bytes) = (0x4000_1000, 0);
        assert_eq!(chip.validate(), Ok(()), "there is none");
        chip.soc.user_bytes = 1 << 20;
        let told = |chip: &ChipConfig| chip.validate().unwrap_err()[0].to_string();
        assert!(told(&chip).contains("a multiple of the port's size, 0x100000"), "{}", told(&chip));
        for (base, bytes, name) in
            [(0x1000_0000, 4 << 10, "uart"), (0, 1 << 20, "rom"), (0x0C00_0000, 1 << 20, "plic")]
        {
            (chip.soc.user_base, chip.soc.user_bytes) = (base, bytes);
            assert!(told(&chip).contains(&format!("would overlap `{name}`")), "{}", told(&chip));
        }
        (chip.soc.user_base, chip.soc.user_bytes) = (0x4000_0000, 1 << 20);
        assert_eq!(chip.validate(), Ok(()));
    }

    #[test]
    fn a_program_can_start_in_the_flash_memory_if_there_is_one() {
        let mut chip = ChipConfig::default();
        chip.core.reset_vector = map::FLASH_BASE;
        assert_eq!(chip.validate().unwrap_err()[0].key(), "core.reset_vector");
        chip.soc.flash_bytes = 1 << 20;
        assert_eq!(chip.validate(), Ok(()));
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
