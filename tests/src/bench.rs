//! Chips that run in lockstep with the golden model.

use ferrite_gen::run::{Chip, Ended, Limits, RunError, Watch, golden};
use ferrite_hdl::design::Design;
use ferrite_hdl::elaborate;
use ferrite_hw::config::ChipConfig;
use ferrite_hw::soc::Soc;
use ferrite_model::iss::Machine;
use ferrite_model::lockstep::Lockstep;
use ferrite_sim::{Interpreter, Native, NativeOptions, Verilator, VerilatorOptions};

use crate::tools::have;

/// More cycles than any program of the tests needs.
pub const LIMITS: Limits = Limits { max_cycles: 100_000_000, max_idle_cycles: 1_000_000 };

/// A small chip whose UART is fast: for the interpreter.
pub fn small_chip() -> ChipConfig {
    let mut chip = ChipConfig::default();
    let tensor = chip.tensor.get_or_insert_default();
    (tensor.rows, tensor.cols, tensor.scratchpad_bytes, tensor.acc_rows) = (4, 4, 4096, 16);
    chip.soc.uart_baud = 10_000_000;
    chip
}

/// The hardware of a chip.
pub fn design(chip: &ChipConfig) -> Design {
    elaborate(&Soc { chip: chip.clone() }).expect("a chip without mistakes")
}

/// A chip on the interpreter.
pub fn interpreted(chip: &ChipConfig) -> Chip {
    Chip::new(chip, Box::new(Interpreter::new(&design(chip))))
}

/// A chip on the native engine.
pub fn native(chip: &ChipConfig) -> Chip {
    let engine = Native::new(&design(chip), &NativeOptions::default());
    Chip::new(chip, Box::new(engine.unwrap_or_else(|error| panic!("{error}"))))
}

/// A chip on Verilator, built once for all tests; `None` if that is not installed (see [`have`]).
pub fn verilated(chip: &ChipConfig) -> Option<Chip> {
    if !have(&["verilator", "g++"]) {
        return None;
    }
    let engine = Verilator::new(&design(chip), &VerilatorOptions::default());
    Some(Chip::new(chip, Box::new(engine.unwrap_or_else(|error| panic!("{error}")))))
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
    let mut printed = Vec::new();
    let mut console = |byte| printed.push(byte);
    let mut watch = Watch { lockstep: Some(&mut lockstep), console: Some(&mut console), ..Watch::default() };
    let ended = chip.run(&LIMITS, &mut watch)?;
    assert_eq!(lockstep.iss().bus.uart, printed, "the UART's pin says what the program sent");
    let printed = String::from_utf8_lossy(&printed).into_owned();
    Ok(Finished { ended, printed, lockstep })
}
