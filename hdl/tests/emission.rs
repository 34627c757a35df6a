//! The emitted Verilog of every construct, and what other tools say of it.

mod designs;
mod tools;

use designs::*;
use ferrite_hdl::library::{AsyncFifo, Queue, RoundRobinArbiter, SkidBuffer, Synchroniser};
use ferrite_hdl::prelude::*;
use ferrite_hdl::verilog::{EmitOptions, emit};
use tools::{silent, written};

/// The Verilog of a design, after Verilator, Icarus Verilog and Yosys have read it without a word.
fn checked<M: Module>(module: &M) -> String {
    checked_with(module, &EmitOptions::default())
}

fn checked_with<M: Module>(module: &M, options: &EmitOptions) -> String {
    let (folder, files) = written(module, options);
    let names: Vec<&str> = files.iter().filter(|f| f.is_source()).map(|f| f.name.as_str()).collect();
    let top = names.last().and_then(|name| name.strip_suffix(".v")).expect("the top module comes last");
    for defines in [&[][..], &["-DSYNTHESIS"], &["-DFORMAL"]] {
        let lint = [&["--lint-only", "-Wall", "--top-module", top], defines, &names].concat();
        silent(folder.path(), "verilator", &lint);
    }
    let compile = [&["-g2005", "-Wall", "-o", "out", "-s", top], names.as_slice()].concat();
    silent(folder.path(), "iverilog", &compile);
    let synth = format!("read_verilog {}; synth -top {top}; check -assert", names.join(" "));
    silent(folder.path(), "yosys", &["-q", "-p", &synth]);
    let formal = format!("read_verilog -formal -DFORMAL {}; prep -top {top}; check -assert", names.join(" "));
    silent(folder.path(), "yosys", &["-q", "-p", &formal]);
    files.into_iter().map(|f| format!("// {}\n{}", f.name, f.text)).collect::<Vec<_>>().join("\n")
}

macro_rules! snapshot {
    ($($test:ident: $module:expr;)*) => {$(
        #[test]
        fn $test() {
            insta::assert_snapshot!(stringify!($test), checked(&$module));
        }
    )*};
}

snapshot! {
    a_processing_element: Pe { acc_bits: 32 };
    an_array_of_instances: Array { size: 2 };
    a_state_machine: Sender;
    a_memory_with_byte_enables: Ram { depth: 256 };
    every_operator: Operators;
    a_queue: Queue { width: 8, depth: 4 };
    a_skid_buffer: SkidBuffer { width: 8 };
    an_arbiter: RoundRobinArbiter { requesters: 4 };
    a_synchroniser: Synchroniser { width: 1, stages: 2 };
    an_asynchronous_fifo: AsyncFifo { width: 8, depth: 4 };
    unsigned_words: constructs::words::Words;
    signed_arithmetic: constructs::signs::Signs;
    words_of_200_bits: constructs::wide_words::WideWords;
    defaults_and_parts: constructs::defaults::Defaults;
    enums: constructs::encodings::Encodings;
    memories_with_contents: constructs::tables::Tables;
    memories_with_several_ports: constructs::ports::Ports;
    several_clocks_and_resets: constructs::two_clocks::TwoClocks;
    properties: constructs::properties::Properties;
    constructs_without_content: constructs::nothing_to_do::NothingToDo;
    long_lines: constructs::long_lines::LongLines;
    choices_of_the_library: constructs::choices::Choices;
    bundles_within_bundles: constructs::Nest { streams: 2, biased: true };
    bundles_without_some_leaves: constructs::Nest { streams: 0, biased: false };
    an_instance_connected_under_conditions: constructs::shared_queue::SharedQueue;
    an_external_module_with_its_verilog: external::Scaled { with_text: true };
    an_external_module_without_verilog: external::Scaled { with_text: false };
}

#[test]
fn source_lines() {
    let options = EmitOptions { source_lines: true };
    insta::assert_snapshot!("source_lines", checked_with(&placed::Placed, &options));
}

#[test]
fn an_array_of_1024_elements_is_short_and_quick() {
    let start = std::time::Instant::now();
    let design = elaborate(&Array { size: 32 }).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let files = emit(&design, &EmitOptions::default());
    let elapsed = start.elapsed();
    let lines: usize = files.iter().map(|f| f.text.lines().count()).sum();
    assert_eq!(files.iter().filter(|f| f.name == "Pe.v").count(), 1);
    assert_eq!(files.len(), 2);
    assert!(lines < 5_000, "{lines} lines");
    // 0.2 s is for an optimised build on an idle machine; tests are neither.
    assert!(elapsed.as_secs_f64() < 2.0, "{elapsed:?}");
    eprintln!("32x32: {lines} lines in {elapsed:?}");
}

#[test]
fn the_same_design_gives_the_same_text() {
    let text = || emit(&elaborate(&Array { size: 4 }).expect("a good design"), &EmitOptions::default());
    assert_eq!(text(), text());
}

#[test]
fn memories_become_block_ram() {
    let (folder, _) = written(&Ram { depth: 1024 }, &EmitOptions::default());
    for (synth, cell) in [("synth_ice40", "SB_RAM40_4K"), ("synth_ecp5", "DP16KD")] {
        let script = format!(
            "read_verilog Ram.v; {synth} -top Ram; select -assert-min 1 t:{cell}; select -assert-max 200 t:*DFF* t:TRELLIS_FF"
        );
        silent(folder.path(), "yosys", &["-q", "-p", &script]);
    }
}
