//! What the engines are made of: paths, Verilog, and the same on Verilator.

use std::collections::BTreeSet;
use std::path::Path;

use ferrite_hdl::elaborate;
use ferrite_hdl::prelude::*;
use ferrite_hdl::verilog::{EmitOptions, emit};
use ferrite_hw::dma::{DmaRead, DmaWrite};
use ferrite_sim::{Interpreter, Simulator, Verilator, VerilatorError, VerilatorOptions};

use super::paths::paths;
use super::random::Random;
use super::rig::{Engine, Rig, config, system};
use super::{reads_as_plain, writes_as_plain};

#[test]
fn no_output_of_the_port_depends_on_an_input() {
    for (data_bits, word_bytes) in [(32, 32), (128, 16), (256, 8)] {
        let config = config(data_bits, word_bytes);
        assert_eq!(paths(&DmaRead { config }, "axi", ""), BTreeSet::new());
        assert_eq!(paths(&DmaWrite { config }, "axi", ""), BTreeSet::new());
    }
}

fn assert_verilog(module: &impl Module) {
    let design = elaborate(module).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    for file in emit(&design, &EmitOptions::default()).iter().filter(|file| file.is_source()) {
        insta::assert_snapshot!(file.name.trim_end_matches(".v"), file.text);
    }
}

#[test]
fn the_verilog_of_both_engines_is_as_reviewed() {
    let config = config(64, 16);
    assert_verilog(&DmaRead { config });
    assert_verilog(&DmaWrite { config });
}

fn verilator(design: &Design) -> Option<Box<dyn Simulator>> {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("verilator");
    let options = VerilatorOptions { fast_build: true, cache: Some(cache), ..VerilatorOptions::default() };
    match Verilator::new(design, &options) {
        Ok(verilator) => Some(Box::new(verilator)),
        Err(error @ VerilatorError::Missing { .. })
            if std::env::var_os("FERRITE_REQUIRE_TOOLS").is_none() =>
        {
            eprintln!("SKIPPED: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Random descriptors, and aborts, with and without stalls.
fn moves(mut rig: Rig) {
    let mut random = Random::new(77);
    for round in 0..4 {
        if round == 2 {
            rig.stall(3);
        }
        reads_as_plain(&mut rig, &mut random, 6);
        writes_as_plain(&mut rig, &mut random, 6);
        for engine in [Engine::Read, Engine::Write] {
            rig.abort(engine);
            rig.drain(engine);
            rig.clear(engine);
        }
    }
}

#[test]
fn the_engines_work_on_verilator() {
    for (data_bits, word_bytes) in [(32, 16), (128, 16), (256, 8)] {
        let mut missing = false;
        let rig = Rig::on(system(config(data_bits, word_bytes)), 6, |design| match verilator(design) {
            Some(engine) => engine,
            None => {
                missing = true;
                Box::new(Interpreter::new(design))
            }
        });
        if !missing {
            moves(rig);
        }
    }
}

#[test]
fn the_engines_work_on_the_interpreter() {
    moves(Rig::on(system(config(64, 16)), 6, |design| Box::new(Interpreter::new(design))));
}
