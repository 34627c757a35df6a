//! Parts of the chip on Verilator: every signal as on the interpreter.

#[path = "../../sim/tests/agreement/mod.rs"]
mod agreement;

use std::path::Path;

use agreement::assert_agreement;
use ferrite_hdl::prelude::*;
use ferrite_hw::core::{Core, CoreConfig};
use ferrite_hw::soc::{FlashReader, Gpio, Plic, Uart};
use ferrite_sim::{Verilator, VerilatorError, VerilatorOptions};

fn agrees<M: Module>(module: &M, signals: bool, cycles: u32) {
    let design = elaborate(module).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("verilator");
    let options =
        VerilatorOptions { signals, fast_build: true, cache: Some(cache), ..VerilatorOptions::default() };
    for seed in 0..2 {
        let mut verilator = match Verilator::new(&design, &options) {
            Ok(verilator) => verilator,
            Err(error @ VerilatorError::Missing { .. })
                if std::env::var_os("FERRITE_REQUIRE_TOOLS").is_none() =>
            {
                return eprintln!("SKIPPED: {error}");
            }
            Err(error) => panic!("{error}"),
        };
        assert_agreement(&design, &mut verilator, signals, cycles, seed);
    }
}

#[test]
fn the_core_runs_as_on_the_interpreter() {
    for signals in [false, true] {
        agrees(&Core { config: CoreConfig::FAST, has_coprocessor: true }, signals, 1500);
    }
}

#[test]
fn the_devices_run_as_on_the_interpreter() {
    agrees(&Uart { cycles_per_bit: 4 }, true, 1000);
    agrees(&Plic { sources: vec![1, 10, 31] }, true, 500);
    agrees(&Gpio { pins: 9 }, true, 500);
    agrees(&FlashReader { bytes: 1 << 20 }, true, 1000);
}
