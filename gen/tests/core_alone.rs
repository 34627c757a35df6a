//! The core alone: what `ferrite gen --core` writes, and random programs over each of its buses in lockstep with the golden model.

mod command;
mod detour;

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use command::{ferrite, told};
use detour::{Detour, Over};
use ferrite_gen::fuzz::presets::FULL;
use ferrite_gen::fuzz::{Fuzzer, Traits};
use ferrite_hdl::prelude::*;
use ferrite_hdl::verilog::{EmitOptions, emit};
use ferrite_hw::adapter::{Axi4LiteCore, Responses, Standalone, WishboneCore, WishboneMode};
use ferrite_hw::core::CoreConfig;
use ferrite_model::isa::reg::*;
use ferrite_model::isa::{Asm, csr};
use ferrite_sim::{Native, NativeOptions};
use ferrite_tests::tools::have;
use tempfile::TempDir;

/// Random programs for each core and bus.
const PROGRAMS: u64 = 12;

const WAYS: [Over; 5] = [
    Over::Axi4Lite(Responses::Registered),
    Over::Axi4Lite(Responses::Direct),
    Over::Wishbone(WishboneMode::Classic),
    Over::Wishbone(WishboneMode::Pipelined(Responses::Registered)),
    Over::Wishbone(WishboneMode::Pipelined(Responses::Direct)),
];

fn runs_as_the_model(config: CoreConfig) {
    // Programs begin elsewhere than on the chip.
    let config = Traits::new(config, true).core;
    for over in WAYS {
        let design = elaborate(&Detour { config, over, seed: 0xACE1 }).unwrap_or_else(|m| panic!("{m}"));
        let mut instructions = 0;
        for seed in 0..PROGRAMS {
            let engine = Native::new(&design, &NativeOptions::default()).expect("it can be compiled");
            let mut fuzzer = Fuzzer::on(Box::new(engine), config, true).expect("it can be reset");
            let ran =
                fuzzer.run(seed).unwrap_or_else(|failure| panic!("{over:?}, program {seed}: {failure}"));
            instructions += ran.instructions;
        }
        assert!(instructions > 1000 * PROGRAMS / 2, "{over:?}: {instructions}");
    }
}

#[test]
fn the_small_core_runs_random_programs_as_the_model_over_each_bus() {
    runs_as_the_model(CoreConfig::SMALL);
}

#[test]
fn the_core_with_everything_runs_random_programs_as_the_model_over_each_bus() {
    runs_as_the_model(FULL);
}

fn standalone() -> Standalone {
    Standalone {
        name: "alone".to_string(),
        config: CoreConfig::SMALL,
        has_coprocessor: false,
        has_rvfi: false,
    }
}

#[test]
fn the_verilog_of_the_adapters_is_as_reviewed() {
    let (registered, direct) = (Responses::Registered, Responses::Direct);
    let designs = [
        elaborate(&Axi4LiteCore { core: standalone(), responses: registered }),
        elaborate(&Axi4LiteCore { core: standalone(), responses: direct }),
        elaborate(&WishboneCore { core: standalone(), mode: WishboneMode::Classic }),
        elaborate(&WishboneCore { core: standalone(), mode: WishboneMode::Pipelined(registered) }),
        elaborate(&WishboneCore { core: standalone(), mode: WishboneMode::Pipelined(direct) }),
    ];
    let is_adapter = |name: &str| name.starts_with("Axi4Lite") || name.starts_with("Wishbone");
    let mut seen = Vec::new();
    for design in designs {
        let design = design.unwrap_or_else(|mistakes| panic!("{mistakes}"));
        for file in emit(&design, &EmitOptions::default()).iter().filter(|file| is_adapter(&file.name)) {
            let name = file.name.trim_end_matches(".v");
            insta::assert_snapshot!(name, file.text);
            seen.push(name.to_string());
        }
    }
    assert_eq!(seen.len(), 7, "{seen:?}");
}

fn gen_core(folder: &Path, arguments: &[&str]) {
    let output = ferrite(folder, &[&["gen", "--core"], arguments].concat());
    assert!(output.status.success(), "{:?}", told(&output));
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Runs a tool in a folder; what it says must be nothing.
fn says_nothing(tool: &str, arguments: &[&str], folder: &Path) {
    if !have(&[tool]) {
        return;
    }
    let run = Command::new(tool).args(arguments).current_dir(folder).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&run.stdout), told(&run).1);
    assert!(run.status.success() && said.is_empty(), "{tool}: {said}");
}

#[test]
fn each_core_is_accepted_by_verilator_icarus_and_yosys() {
    let folder = TempDir::new().unwrap();
    for arguments in [
        &["--bus", "native"][..],
        &["--bus", "axi4-lite"],
        &["--bus", "axi4-lite", "--direct-responses", "--coprocessor", "--rvfi"],
        &["--bus", "wishbone", "--set", "core.preset=small"],
        &["--bus", "wishbone-pipelined", "--rvfi"],
        &["--bus", "wishbone-pipelined", "--direct-responses", "--set", "core.preset=small"],
    ] {
        gen_core(folder.path(), &[&["--set", "name=my"], arguments].concat());
        let build = folder.path().join("build");
        assert_eq!(names_in(&build), [".ferrite-output", "core.toml", "rtl"]);
        let rtl = build.join("rtl");
        says_nothing(
            "verilator",
            &["--lint-only", "-Wall", "--top-module", "my_core", "-f", "my_core.f"],
            &rtl,
        );
        let null = ["-g2005", "-Wall", "-s", "my_core", "-o", "/dev/null", "-c", "my_core.f"];
        says_nothing("iverilog", &null, &rtl);
        let sources = fs::read_to_string(rtl.join("my_core.f")).unwrap().replace('\n', " ");
        let script = format!("read_verilog {sources}; hierarchy -check -top my_core; proc; check -assert");
        says_nothing("yosys", &["-q", "-p", &script], &rtl);
    }
}

#[test]
fn the_parameters_that_are_written_give_the_same_core_again() {
    let folder = TempDir::new().unwrap();
    let set = ["--set", "core.reset_vector=0x20400000", "--set", "core.pmp_regions=4", "-o", "a"];
    gen_core(folder.path(), &set);
    gen_core(folder.path(), &["a/core.toml", "-o", "b"]);
    let read = |name: &str| {
        let rtl = folder.path().join(name).join("rtl");
        names_in(&rtl).into_iter().map(|file| fs::read(rtl.join(file)).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(read("a"), read("b"));
}

#[test]
fn options_of_the_core_alone_are_refused_where_they_mean_nothing() {
    let folder = TempDir::new().unwrap();
    for (arguments, part) in [
        (&["--bus", "wishbone"][..], "--core"),
        (&["--rvfi"], "--core"),
        (&["--core", "--direct-responses"], "--bus"),
        (&["--core", "--bus", "ahb"], "axi4-lite"),
        (&["--core", "--bus", "wishbone", "--direct-responses"], "choose --bus wishbone-pipelined"),
        (&["--core", "--bus", "native", "--direct-responses"], "always direct"),
    ] {
        let (code, message) = told(&ferrite(folder.path(), &[&["gen"], arguments].concat()));
        assert_eq!(code, Some(2), "{message}");
        assert!(message.contains(part), "{message}");
    }
    let (code, message) = told(&ferrite(folder.path(), &["gen", "--core", "--set", "core.reset_vector=2"]));
    assert_eq!(code, Some(1));
    assert!(message.contains("a multiple of 4"), "{message}");
    assert_eq!(names_in(folder.path()), Vec::<String>::new());
}

/// Ticks until the LEDs show something.
const BENCH: &str = r#"
module bench;
    reg clk = 0, rst = 1;
    wire [7:0] leds;
    system system (.clk(clk), .rst(rst), .leds(leds));
    always #5 clk = !clk;
    initial @(negedge clk) rst = 0;
    always @(leds) if (!rst) begin
        $display("%0d", leds);
        $finish;
    end
    initial #100000 $finish;
endmodule
"#;

/// Asks for what is not there, adds the numbers up to 13 in memory and shows the sum.
fn program() -> String {
    let mut asm = Asm::new(0);
    let (handler, again) = (asm.local(), asm.local());
    asm.la(T0, handler);
    asm.csrw(csr::MTVEC, T0);
    asm.li(A0, 0x2000_0000);
    asm.lw(A1, 0, A0);
    // Only the access fault leads on.
    let here = asm.local_here();
    asm.j(here);
    while !asm.address().is_multiple_of(4) {
        asm.half(1);
    }
    asm.bind(handler);
    asm.li(A0, 0x1000);
    asm.li(A1, 13);
    asm.sw(ZERO, 0, A0);
    asm.bind(again);
    asm.lbu(A2, 0, A0);
    asm.add(A2, A2, A1);
    asm.sb(A2, 0, A0);
    asm.addi(A1, A1, -1);
    asm.bnez(A1, again);
    asm.lw(A2, 0, A0);
    asm.li(A0, 0x1000_0000);
    asm.sw(A2, 0, A0);
    let here = asm.local_here();
    asm.j(here);
    let bytes = asm.finish().expect("it is complete").bytes;
    let mut text = String::new();
    for word in bytes.chunks(4) {
        let digits: String = word.iter().rev().map(|byte| format!("{byte:02x}")).collect();
        let _ = writeln!(text, "{digits}");
    }
    text
}

#[test]
fn the_system_in_the_documentation_runs_a_program_in_icarus() {
    if !have(&["iverilog", "vvp"]) {
        return;
    }
    let page = include_str!("../../docs/core.md");
    let section = page.split("## In a system of one's own").nth(1).expect("its section");
    let call = section.lines().find_map(|line| line.strip_prefix("    ferrite ")).expect("a call of ferrite");
    let verilog = section.split("```verilog\n").nth(1).and_then(|rest| rest.split("```").next());
    let folder = TempDir::new().unwrap();
    let output = ferrite(folder.path(), &call.split(' ').collect::<Vec<_>>());
    assert!(output.status.success(), "{:?}", told(&output));
    let rtl = folder.path().join("core/rtl");
    fs::write(rtl.join("system.v"), verilog.expect("a system")).unwrap();
    fs::write(rtl.join("bench.v"), BENCH).unwrap();
    fs::write(rtl.join("program.hex"), program()).unwrap();
    for extra in ["-DAS_SIMULATED", "-DSYNTHESIS"] {
        let files = ["-c", "ferrite_core.f", "system.v", "bench.v"];
        let arguments = [&["-g2005", extra, "-s", "bench", "-o", "bench.vvp"], &files[..]].concat();
        says_nothing("iverilog", &arguments, &rtl);
        let run = Command::new("vvp").args(["-n", "bench.vvp"]).current_dir(&rtl).output().unwrap();
        let said = String::from_utf8_lossy(&run.stdout).into_owned();
        let last = said.lines().find(|line| !line.starts_with("WARNING")).unwrap_or("");
        assert_eq!(last, "91", "{extra}: {said}");
    }
}
