//! The Verilator engine: the same as the interpreter, only faster.

mod agreement;
mod circuits;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use agreement::assert_agreement;
use circuits::{Counter, Machine, Ripple, TwoClocks, Wide};
use ferrite_hdl::library::{AsyncFifo, Queue, RoundRobinArbiter, SkidBuffer};
use ferrite_hdl::prelude::*;
use ferrite_sim::{Interpreter, Sim, Simulator, StepError, Verilator, VerilatorError, VerilatorOptions};

fn design<M: Module>(module: &M) -> Design {
    elaborate(module).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn quick() -> VerilatorOptions {
    VerilatorOptions { fast_build: true, ..VerilatorOptions::default() }
}

/// The simulator; `None` if a tool is missing, which FERRITE_REQUIRE_TOOLS forbids.
fn build(design: &Design, options: &VerilatorOptions) -> Option<Verilator> {
    match Verilator::new(design, options) {
        Ok(verilator) => Some(verilator),
        Err(error @ VerilatorError::Missing { .. })
            if std::env::var_os("FERRITE_REQUIRE_TOOLS").is_none() =>
        {
            eprintln!("SKIPPED: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn agrees<M: Module>(module: &M, cycles: u32) -> u32 {
    let design = design(module);
    let mut failures = 0;
    for signals in [false, true] {
        let options = VerilatorOptions { signals, ..quick() };
        for seed in 0..4 {
            let Some(mut verilator) = build(&design, &options) else { return u32::MAX };
            failures += assert_agreement(&design, &mut verilator, signals, cycles, seed);
        }
    }
    failures
}

#[test]
fn library_modules_run_as_on_the_interpreter() {
    agrees(&Queue { width: 8, depth: 4 }, 300);
    agrees(&SkidBuffer { width: 70 }, 300);
    agrees(&RoundRobinArbiter { requesters: 5 }, 300);
}

#[test]
fn clocks_may_tick_together_or_apart() {
    agrees(&AsyncFifo { width: 8, depth: 4 }, 600);
    assert!(agrees(&TwoClocks, 300) > 0, "a property of each clock fails now and then");
}

#[test]
fn every_signal_of_nested_instances_memories_bundles_and_enums_is_the_interpreters() {
    assert!(agrees(&Machine, 600) > 0, "properties fail now and then");
}

#[test]
fn ports_and_memories_of_any_width_work() {
    agrees(&Wide, 300);
}

#[test]
fn bits_made_from_lower_bits_are_read_too() {
    agrees(&Ripple { width: 130 }, 100);
}
