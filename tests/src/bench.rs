//! Chips that run in lockstep with the golden model.

use ferrite_gen::config::parse;
use ferrite_gen::run::{Chip, Ended, Limits, RunError, Watch, golden};
use ferrite_hdl::design::Design;
use ferrite_hdl::elaborate;
use ferrite_hw::config::ChipConfig;
use ferrite_hw::soc::{SimulatedChip, Soc};
use ferrite_model::iss::Machine;
use ferrite_model::lockstep::Lockstep;
use ferrite_sim::{Native, NativeOptions, Simulator, Verilator, VerilatorOptions};

use crate::tools::have;
use crate::twin::Twin;

/// More cycles than any program of the tests needs.
pub const LIMITS: Limits = Limits { max_cycles: 100_000_000, max_idle_cycles: 1_000_000 };

/// A small chip whose UART is fast.
pub fn small_chip() -> ChipConfig {
    let mut chip = ChipConfig::default();
    let tensor = chip.tensor.get_or_insert_default();
    (tensor.rows, tensor.cols, tensor.scratchpad_bytes, tensor.acc_rows) = (4, 4, 4096, 16);
    chip.soc.uart_baud = 10_000_000;
    chip
}

/// Arrays: the smallest, two that are not square, the default and the largest.
pub const ARRAYS: [(u32, u32); 5] = [(4, 4), (4, 32), (32, 8), (16, 16), (32, 32)];

/// A small chip with an array of another size and as much memory as the tests of all sizes need.
pub fn chip_with_array(rows: u32, cols: u32) -> ChipConfig {
    let mut chip = small_chip();
    let tensor = chip.tensor.get_or_insert_default();
    (tensor.rows, tensor.cols, tensor.acc_rows) = (rows, cols, 32);
    chip.soc.ram_bytes = 32 << 10;
    chip
}

/// The presets of the core, and cores of which one part differs from that of the fast preset, as `--set` names them.
pub const CORES: [&str; 6] = [
    "core.preset=small",
    "core.preset=fast",
    "core.c=false",
    "core.register_file=block_ram",
    "core.predictor=none",
    "core.multiplier=iterative",
];

/// A small chip with such a core and as much memory as [`chip_with_array`].
///
/// # Panics
/// If there is no such core.
pub fn chip_with_core(set: &str) -> ChipConfig {
    let chip = parse(None, &[set.to_owned()]).unwrap_or_else(|report| panic!("{report}"));
    ChipConfig { core: chip.core, ..chip_with_array(4, 4) }
}

/// The hardware of a chip, as it is emitted.
///
/// # Panics
/// If it has mistakes.
pub fn emitted(chip: &ChipConfig) -> Design {
    elaborate(&Soc { chip: chip.clone() }).expect("a chip without mistakes")
}

/// The hardware of a chip with a memory at its port.
pub fn design(chip: &ChipConfig) -> Design {
    elaborate(&SimulatedChip::new(chip)).expect("a chip without mistakes")
}

fn native(design: &Design) -> Box<dyn Simulator> {
    let engine = Native::new(design, &NativeOptions::default());
    Box::new(engine.unwrap_or_else(|error| panic!("{error}")))
}

/// Built once for all tests; `None` if Verilator is not installed (see [`have`]).
fn verilated(chip: &ChipConfig, design: &Design) -> Option<Box<dyn Simulator>> {
    if !have(&["verilator", "g++"]) {
        return None;
    }
    // Only the default chip runs for so long that optimising pays.
    let options = VerilatorOptions { fast_build: *chip != ChipConfig::default(), ..Default::default() };
    Some(Box::new(Verilator::new(design, &options).unwrap_or_else(|error| panic!("{error}"))))
}

/// A chip on the native engine and on Verilator at once, which must agree on every pin in every cycle (see [`Twin`]); without Verilator,
/// on the native engine alone.
pub fn on_both(chip: &ChipConfig) -> Chip {
    let design = design(chip);
    let mut engine = native(&design);
    if let Some(verilated) = verilated(chip, &design) {
        engine = Box::new(Twin::new([("native", engine), ("Verilator", verilated)]));
    }
    Chip::new(chip, engine)
}

/// A chip on the native engine.
pub fn on_native(chip: &ChipConfig) -> Chip {
    Chip::new(chip, native(&design(chip)))
}

/// A chip on each of these engines alone.
fn on_each(chip: &ChipConfig) -> Vec<(&'static str, Chip)> {
    let design = design(chip);
    let engines = [("native", Some(native(&design))), ("Verilator", verilated(chip, &design))];
    engines.into_iter().filter_map(|(name, engine)| Some((name, Chip::new(chip, engine?)))).collect()
}

/// A program that has run.
pub struct Finished {
    /// How it ended.
    pub ended: Ended,
    /// What it printed.
    pub printed: String,
    /// The golden model after the last instruction.
    pub lockstep: Lockstep<Machine>,
}

/// Loads a program into the chip and the golden model and runs both in lockstep.
///
/// # Errors
/// They differ, or the program does not end.
pub fn in_lockstep(
    config: &ChipConfig,
    chip: &mut Chip,
    program: &[(u32, &[u8])],
) -> Result<Finished, RunError> {
    let mut iss = golden(config);
    for (address, bytes) in program {
        chip.write(*address, bytes).expect("the program fits the RAM");
        iss.bus.write_memory(*address, bytes).expect("the program fits the RAM");
    }
    let mut lockstep = Lockstep::new(iss);
    let (ended, printed) = run(chip, Some(&mut lockstep))?;
    assert_eq!(lockstep.iss().bus.uart, printed, "the UART's pin says what the program sent");
    let printed = String::from_utf8_lossy(&printed).into_owned();
    Ok(Finished { ended, printed, lockstep })
}

fn run(chip: &mut Chip, lockstep: Option<&mut Lockstep<Machine>>) -> Result<(Ended, Vec<u8>), RunError> {
    let mut printed = Vec::new();
    let mut console = |byte| printed.push(byte);
    let ended =
        chip.run(&LIMITS, &mut Watch { lockstep, console: Some(&mut console), ..Watch::default() })?;
    Ok((ended, printed))
}

/// Runs a program in lockstep with the golden model on both engines at once, where they must agree on every instruction and every pin in
/// every cycle; then on each of them alone, as `ferrite run` does: many cycles in one call, with nobody who looks on.
///
/// # Panics
/// If they differ, or the program does not end.
pub fn run_everywhere(config: &ChipConfig, program: &[(u32, &[u8])]) -> Finished {
    let finished = in_lockstep(config, &mut on_both(config), program);
    let finished = finished.unwrap_or_else(|error| panic!("{error}"));
    for (name, mut chip) in on_each(config) {
        for (address, bytes) in program {
            chip.write(*address, bytes).expect("the program fits the RAM");
        }
        let (ended, printed) = run(&mut chip, None).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((ended, &printed), (finished.ended, &finished.lockstep.iss().bus.uart), "{name}");
    }
    finished
}
