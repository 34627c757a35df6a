//! Cores that are worth being tested.

use ferrite_hw::core::{
    CoreConfig, Extensions, Misaligned, MultiplierKind, Predictor, RegisterFile, Shifter,
};

/// A core with everything: 16 regions of memory protection, 29 counters of events.
pub const FULL: CoreConfig =
    CoreConfig { hart_id: 0x8000_0403, pmp_regions: 16, event_counters: 29, ..CoreConfig::FAST };

/// The cores that have names.
pub const PRESETS: [(&str, CoreConfig); 3] =
    [("small", CoreConfig::SMALL), ("fast", CoreConfig::FAST), ("full", FULL)];

/// Cores that differ from the presets, so that every value of every parameter is there: which one, and the core.
pub const VARIANTS: [(&str, CoreConfig); 14] = [
    (
        "RV32IM, no predictor, single-cycle multiplier, 2 bits of a quotient at once",
        CoreConfig {
            extensions: Extensions { m: true, ..Extensions::NONE },
            multiplier: MultiplierKind::SingleCycle,
            divider_bits: 2,
            counters: true,
            predictor: Predictor::None,
            ..CoreConfig::SMALL
        },
    ),
    (
        "RV32IM, pipelined multiplier, 4 bits of a quotient at once, 16 branches with a history of 1",
        CoreConfig {
            extensions: Extensions { m: true, ..Extensions::NONE },
            multiplier: MultiplierKind::Pipelined,
            divider_bits: 4,
            predictor: Predictor::Btb { entries: 16, history: 1 },
            return_stack: 4,
            user_mode: true,
            counters: true,
            ..CoreConfig::SMALL
        },
    ),
    (
        "RV32IMC, no predictor, registers in block RAM",
        CoreConfig {
            extensions: Extensions { m: true, c: true, ..Extensions::NONE },
            multiplier: MultiplierKind::Pipelined,
            register_file: RegisterFile::BlockRam,
            predictor: Predictor::None,
            ..CoreConfig::SMALL
        },
    ),
    (
        "RV32IC, 8 branches, 4 regions",
        CoreConfig {
            extensions: Extensions { c: true, ..Extensions::NONE },
            predictor: Predictor::Btb { entries: 8, history: 0 },
            return_stack: 2,
            user_mode: true,
            pmp_regions: 4,
            ..CoreConfig::SMALL
        },
    ),
    (
        "fast with iterative multiplier, registers in block RAM, 512 branches with a history of 10",
        CoreConfig {
            multiplier: MultiplierKind::Iterative,
            register_file: RegisterFile::BlockRam,
            predictor: Predictor::Btb { entries: 512, history: 10 },
            return_stack: 16,
            ..CoreConfig::FAST
        },
    ),
    (
        "fast without a predictor, single-cycle multiplier, 8 regions, 4 counters of events",
        CoreConfig {
            multiplier: MultiplierKind::SingleCycle,
            divider_bits: 4,
            predictor: Predictor::None,
            return_stack: 0,
            pmp_regions: 8,
            event_counters: 4,
            ..CoreConfig::FAST
        },
    ),
    (
        "fast without a return stack and without bit manipulation, 2 bits of a quotient at once",
        CoreConfig {
            extensions: Extensions { m: true, c: true, ..Extensions::NONE },
            divider_bits: 2,
            return_stack: 0,
            ..CoreConfig::FAST
        },
    ),
    (
        "RV32I, registers in block RAM, 16 regions without user mode",
        CoreConfig { register_file: RegisterFile::BlockRam, pmp_regions: 16, ..CoreConfig::SMALL },
    ),
    ("RV32I with misaligned accesses", CoreConfig { misaligned: Misaligned::Handle, ..CoreConfig::SMALL }),
    (
        "RV32I, no predictor, barrel shifter",
        CoreConfig { predictor: Predictor::None, shifter: Shifter::Barrel, ..CoreConfig::SMALL },
    ),
    (
        "RV32IM, static prediction with return addresses, 4 regions",
        CoreConfig {
            extensions: Extensions { m: true, ..Extensions::NONE },
            predictor: Predictor::Static,
            return_stack: 2,
            user_mode: true,
            pmp_regions: 4,
            ..CoreConfig::SMALL
        },
    ),
    (
        "RV32IC, static prediction, registers in block RAM",
        CoreConfig {
            extensions: Extensions { c: true, ..Extensions::NONE },
            predictor: Predictor::Static,
            register_file: RegisterFile::BlockRam,
            ..CoreConfig::SMALL
        },
    ),
    (
        "fast with static prediction and iterative shifter",
        CoreConfig { predictor: Predictor::Static, shifter: Shifter::Iterative, ..CoreConfig::FAST },
    ),
    (
        "fast with misaligned accesses, 8 regions, 4 counters of events",
        CoreConfig { misaligned: Misaligned::Handle, pmp_regions: 8, event_counters: 4, ..CoreConfig::FAST },
    ),
];
