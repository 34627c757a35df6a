//! The emitted Verilog of every construct, and what other tools say of it.

mod designs;

use std::path::Path;
use std::process::Command;

use designs::*;
use ferrite_hdl::library::{AsyncFifo, Queue, RoundRobinArbiter, SkidBuffer, Synchroniser};
use ferrite_hdl::prelude::*;
use ferrite_hdl::verilog::{EmitOptions, emit};

/// Runs a tool; it must succeed and say nothing. Without the tool the check is left out, unless FERRITE_REQUIRE_TOOLS asks for it.
fn silent(folder: &Path, tool: &str, arguments: &[&str]) {
    let run = match Command::new(tool).args(arguments).current_dir(folder).output() {
        Ok(run) => run,
        Err(error) if std::env::var_os("FERRITE_REQUIRE_TOOLS").is_some() => panic!("{tool}: {error}"),
        Err(_) => return eprintln!("SKIPPED: {tool} is not installed"),
    };
    let said = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success() && said.trim().is_empty(), "{tool} {arguments:?}:\n{said}");
}

/// The Verilog of a design, after Verilator, Icarus Verilog and Yosys have read it without a word.
fn checked<M: Module>(module: &M) -> String {
    let design = elaborate(module).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let files = emit(&design, &EmitOptions::default());
    let folder = tempfile::tempdir().expect("a folder for the files");
    for file in &files {
        std::fs::write(folder.path().join(&file.name), &file.text).expect("the folder is writable");
    }
    let names: Vec<&str> = files.iter().map(|f| f.name.as_str()).collect();
    let top = design.top_module().name.as_str();
    silent(
        folder.path(),
        "verilator",
        &[&["--lint-only", "-Wall", "--top-module", top], names.as_slice()].concat(),
    );
    silent(
        folder.path(),
        "iverilog",
        &[&["-g2005", "-Wall", "-o", "out", "-s", top], names.as_slice()].concat(),
    );
    let script = format!("read_verilog {}; synth -top {top}; check -assert", names.join(" "));
    silent(folder.path(), "yosys", &["-q", "-p", &script]);
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
    let design = elaborate(&Ram { depth: 1024 }).expect("a good design");
    let folder = tempfile::tempdir().expect("a folder for the files");
    for file in emit(&design, &EmitOptions::default()) {
        std::fs::write(folder.path().join(&file.name), &file.text).expect("the folder is writable");
    }
    for (synth, cell) in [("synth_ice40", "SB_RAM40_4K"), ("synth_ecp5", "DP16KD")] {
        let script = format!(
            "read_verilog Ram.v; {synth} -top Ram; select -assert-min 1 t:{cell}; select -assert-max 200 t:*DFF* t:TRELLIS_FF"
        );
        silent(folder.path(), "yosys", &["-q", "-p", &script]);
    }
}
