//! The table of all parameters.

use super::{ADDRESS, ChipConfig, CoreConfig, Kind, Parameter, Range};
use crate::core::{Misaligned, MultiplierKind, Predictor, RegisterFile, Shifter};
use crate::map;

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

/// A [`Kind::Number`] of the core that matters only under a condition.
macro_rules! core_number {
    ($field:ident if $condition:expr, $range:expr) => {
        Kind::Number {
            range: $range,
            get: |chip| {
                let matters: fn(&CoreConfig) -> bool = $condition;
                matters(&chip.core).then_some(chip.core.$field)
            },
            set: |chip, value| {
                let matters: fn(&CoreConfig) -> bool = $condition;
                if matters(&chip.core) {
                    chip.core.$field = value;
                }
            },
        }
    };
}

/// A [`Kind::Switch`] of the core.
macro_rules! core_switch {
    ($($field:ident).+) => {
        Kind::Switch { get: |chip| chip.core.$($field).+, set: |chip, value| chip.core.$($field).+ = value }
    };
}

/// A [`Kind::Choice`] of the core that matters under all conditions: each word and its value.
macro_rules! core_choice {
    ($field:ident, $($word:literal => $value:path),+) => {
        Kind::Choice {
            words: &[$($word),+],
            get: |chip| Some(match chip.core.$field { $($value => $word),+ }),
            set: |chip, word| match word {
                $($word => chip.core.$field = $value,)+
                _ => {}
            },
        }
    };
}

/// The preset whose values the core has.
fn preset(chip: &ChipConfig) -> Option<&'static str> {
    let CoreConfig { reset_vector, hart_id, .. } = chip.core;
    let is = |preset: CoreConfig| CoreConfig { reset_vector, hart_id, ..preset } == chip.core;
    if is(CoreConfig::FAST) {
        Some("fast")
    } else if is(CoreConfig::SMALL) {
        Some("small")
    } else {
        None
    }
}

fn set_preset(chip: &mut ChipConfig, word: &str) {
    let CoreConfig { reset_vector, hart_id, .. } = chip.core;
    let preset = if word == "small" { CoreConfig::SMALL } else { CoreConfig::FAST };
    chip.core = CoreConfig { reset_vector, hart_id, ..preset };
}

// What belongs to something that is left out takes the values of the small preset, which has none of it: cores that do not differ are equal.

fn set_m(chip: &mut ChipConfig, m: bool) {
    chip.core.extensions.m = m;
    if !m {
        chip.core.multiplier = CoreConfig::SMALL.multiplier;
        chip.core.divider_bits = CoreConfig::SMALL.divider_bits;
    }
}

fn set_counters(chip: &mut ChipConfig, counters: bool) {
    chip.core.counters = counters;
    if !counters {
        chip.core.event_counters = CoreConfig::SMALL.event_counters;
    }
}

fn multiplier(chip: &ChipConfig) -> Option<&'static str> {
    chip.core.extensions.m.then_some(match chip.core.multiplier {
        MultiplierKind::Iterative => "iterative",
        MultiplierKind::SingleCycle => "single_cycle",
        MultiplierKind::Pipelined => "pipelined",
    })
}

fn set_multiplier(chip: &mut ChipConfig, word: &str) {
    if chip.core.extensions.m {
        chip.core.multiplier = match word {
            "iterative" => MultiplierKind::Iterative,
            "single_cycle" => MultiplierKind::SingleCycle,
            _ => MultiplierKind::Pipelined,
        };
    }
}

fn predictor(chip: &ChipConfig) -> Option<&'static str> {
    Some(match chip.core.predictor {
        Predictor::None => "none",
        Predictor::Static => "static",
        Predictor::Btb { .. } => "btb",
    })
}

/// A branch target buffer that is added has the sizes of the fast preset. The static prediction leaves the return stack as it is: a core
/// without a predictor has none.
fn set_predictor(chip: &mut ChipConfig, word: &str) {
    let core = &mut chip.core;
    match (word, core.predictor) {
        ("btb", Predictor::Btb { .. }) => {}
        ("btb", _) => {
            (core.predictor, core.return_stack) = (CoreConfig::FAST.predictor, CoreConfig::FAST.return_stack);
        }
        ("static", _) => core.predictor = Predictor::Static,
        _ => (core.predictor, core.return_stack) = (Predictor::None, CoreConfig::SMALL.return_stack),
    }
}

/// Every parameter of a chip, in the order of the documentation, in which they are also applied: what a value belongs to comes before it.
pub const PARAMETERS: &[Parameter] = &[
    Parameter {
        key: "name",
        doc: "name of the chip and of its top Verilog module",
        unit: "",
        kind: Kind::Name { get: |chip| &chip.name, set: |chip, name| chip.name = name },
    },
    Parameter {
        key: "core.preset",
        doc: "values of all of the core's parameters but `core.reset_vector` and `core.hart_id`; those that are given beside it go first",
        unit: "",
        kind: Kind::Choice { words: &["small", "fast"], get: preset, set: set_preset },
    },
    Parameter {
        key: "core.reset_vector",
        doc: "address of the first instruction after reset: the start of the boot ROM or of the RAM",
        unit: ADDRESS,
        kind: number!(core.reset_vector, Range::MultipleOf { step: 4, min: 0, max: u32::MAX - 3 }),
    },
    Parameter {
        key: "core.hart_id",
        doc: "what `mhartid` reads",
        unit: "",
        kind: number!(core.hart_id, Range::MultipleOf { step: 1, min: 0, max: u32::MAX }),
    },
    Parameter {
        key: "core.m",
        doc: "multiplication and division (extension M)",
        unit: "",
        kind: Kind::Switch { get: |chip| chip.core.extensions.m, set: set_m },
    },
    Parameter {
        key: "core.c",
        doc: "compressed instructions (extension C)",
        unit: "",
        kind: core_switch!(extensions.c),
    },
    Parameter {
        key: "core.zba",
        doc: "shift and add (extension Zba)",
        unit: "",
        kind: core_switch!(extensions.zba),
    },
    Parameter {
        key: "core.zbb",
        doc: "basic bit manipulation (extension Zbb)",
        unit: "",
        kind: core_switch!(extensions.zbb),
    },
    Parameter {
        key: "core.zbs",
        doc: "single bits (extension Zbs)",
        unit: "",
        kind: core_switch!(extensions.zbs),
    },
    Parameter {
        key: "core.user_mode",
        doc: "user mode beside machine mode",
        unit: "",
        kind: core_switch!(user_mode),
    },
    Parameter {
        key: "core.pmp_regions",
        doc: "regions of physical memory protection",
        unit: "",
        kind: number!(core.pmp_regions, Range::OneOf(&[0, 4, 8, 16])),
    },
    Parameter {
        key: "core.counters",
        doc: "`mcycle`, `minstret` and what belongs to them",
        unit: "",
        kind: Kind::Switch { get: |chip| chip.core.counters, set: set_counters },
    },
    Parameter {
        key: "core.event_counters",
        doc: "counters of events from `mhpmcounter3` up; only with `core.counters`",
        unit: "",
        kind: core_number!(event_counters if |core| core.counters, Range::MultipleOf { step: 1, min: 0, max: 29 }),
    },
    Parameter {
        key: "core.mtval",
        doc: "`mtval` tells the address or the instruction that a trap is about; without it, it is read-only 0",
        unit: "",
        kind: core_switch!(mtval),
    },
    Parameter {
        key: "core.misaligned",
        doc: "what happens to loads and stores at addresses that are no multiple of their width: an exception, or the core carries them out, in two accesses if need be",
        unit: "",
        kind: core_choice!(misaligned, "trap" => Misaligned::Trap, "handle" => Misaligned::Handle),
    },
    Parameter {
        key: "core.shifter",
        doc: "how shifts are made: at once, or some bits in a cycle, which takes fewer LUTs",
        unit: "",
        kind: core_choice!(shifter, "barrel" => Shifter::Barrel, "iterative" => Shifter::Iterative),
    },
    Parameter {
        key: "core.multiplier",
        doc: "how products are made: bit by bit, or by DSP blocks in one or two cycles; only with `core.m`",
        unit: "",
        kind: Kind::Choice {
            words: &["iterative", "single_cycle", "pipelined"],
            get: multiplier,
            set: set_multiplier,
        },
    },
    Parameter {
        key: "core.divider_bits",
        doc: "bits of a quotient found in a cycle; only with `core.m`",
        unit: "",
        kind: core_number!(divider_bits if |core| core.extensions.m, Range::PowerOfTwo { min: 1, max: 4 }),
    },
    Parameter {
        key: "core.predictor",
        doc: "how fetch guesses where the program goes on: straight, by the instruction (jumps and branches that go back are taken), or by a branch target buffer",
        unit: "",
        kind: Kind::Choice { words: &["none", "static", "btb"], get: predictor, set: set_predictor },
    },
    Parameter {
        key: "core.btb_entries",
        doc: "branches that the branch target buffer knows; only with `core.predictor = \"btb\"`",
        unit: "",
        kind: Kind::Number {
            range: Range::PowerOfTwo { min: 8, max: 512 },
            get: |chip| match chip.core.predictor {
                Predictor::Btb { entries, .. } => Some(entries),
                _ => None,
            },
            set: |chip, value| {
                if let Predictor::Btb { entries, .. } = &mut chip.core.predictor {
                    *entries = value;
                }
            },
        },
    },
    Parameter {
        key: "core.branch_history",
        doc: "outcomes of earlier branches that choose among the counters of a branch (gshare), or 0 for a single counter each; only with `core.predictor = \"btb\"`",
        unit: "",
        kind: Kind::Number {
            range: Range::MultipleOf { step: 1, min: 0, max: 10 },
            get: |chip| match chip.core.predictor {
                Predictor::Btb { history, .. } => Some(history),
                _ => None,
            },
            set: |chip, value| {
                if let Predictor::Btb { history, .. } = &mut chip.core.predictor {
                    *history = value;
                }
            },
        },
    },
    Parameter {
        key: "core.return_stack",
        doc: "return addresses that fetch remembers; not with `core.predictor = \"none\"`",
        unit: "",
        kind: core_number!(return_stack if |core| core.predicts(), Range::OneOf(&[0, 2, 4, 8, 16])),
    },
    Parameter {
        key: "core.register_file",
        doc: "where the registers are",
        unit: "",
        kind: core_choice!(register_file, "lut_ram" => RegisterFile::LutRam, "block_ram" => RegisterFile::BlockRam),
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
        key: "tensor.axi_bits",
        doc: "width of the AXI4 port to external memory",
        unit: "bits",
        kind: tensor_number!(axi_bits, Range::PowerOfTwo { min: 32, max: 256 }),
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
    Parameter {
        key: "soc.gpio_pins",
        doc: "general-purpose pins; 0 leaves their device out",
        unit: "",
        kind: number!(soc.gpio_pins, Range::MultipleOf { step: 1, min: 0, max: 32 }),
    },
    Parameter {
        key: "soc.user_bytes",
        doc: "size of the AXI4-Lite port for a user's own peripherals; 0 leaves it out",
        unit: "bytes",
        kind: number!(soc.user_bytes, Range::OneOf(&[0, 4 << 10, 64 << 10, 1 << 20, 16 << 20, 256 << 20])),
    },
    Parameter {
        key: "soc.user_base",
        doc: "first address of that port, a multiple of its size",
        unit: ADDRESS,
        kind: number!(soc.user_base, Range::MultipleOf { step: 4 << 10, min: 0, max: 0xFFFF_F000 }),
    },
    Parameter {
        key: "soc.flash_bytes",
        doc: "bytes of SPI flash memory that can be read; 0 leaves the reader out",
        unit: "bytes",
        kind: number!(soc.flash_bytes, Range::OneOf(&[0, 1 << 20, 2 << 20, 4 << 20, 8 << 20, 16 << 20])),
    },
    Parameter {
        key: "soc.external_bytes",
        doc: "size of the external memory behind the AXI4 port, on which the tensor unit works; 0 leaves the port out",
        unit: "bytes",
        kind: number!(
            soc.external_bytes,
            Range::OneOf(&[0, 64 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20, 256 << 20, 1 << 30])
        ),
    },
];

/// The parameter with this dotted key.
pub fn parameter(key: &str) -> Option<&'static Parameter> {
    PARAMETERS.iter().find(|parameter| parameter.key == key)
}
