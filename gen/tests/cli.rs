//! The `ferrite` command as a user meets it: what it writes and prints, its errors and exit codes.

mod command;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use command::{ferrite, told};
use ferrite_tests::files::microflow;
use ferrite_tests::tools::{GCC, examples, have};
use tempfile::TempDir;

/// A small chip that prints quickly.
const SMALL: [&str; 6] =
    ["--set", "tensor.rows=4", "--set", "tensor.cols=4", "--set", "soc.uart_baud=10000000"];

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn on_small_chip<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&["run"], &SMALL[..], arguments].concat()
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn wrong_usage_has_exit_code_2_and_says_what_is_right() {
    let folder = TempDir::new().unwrap();
    for arguments in [&[][..], &["run"], &["frobnicate"], &["run", "x.elf", "--engine", "abacus"]] {
        let (code, message) = told(&ferrite(folder.path(), arguments));
        assert_eq!(code, Some(2), "{arguments:?}: {message}");
        assert!(message.contains("--help"), "{message}");
    }
}

#[test]
fn help_names_every_parameter_of_a_chip() {
    let folder = TempDir::new().unwrap();
    for command in ["gen", "run"] {
        let help = stdout(&ferrite(folder.path(), &[command, "--help"]));
        for parameter in ferrite_hw::config::PARAMETERS {
            assert!(help.contains(parameter.key), "{command}: {}", parameter.key);
        }
    }
}

#[test]
fn gen_writes_a_chip_that_verilator_and_icarus_accept() {
    let folder = TempDir::new().unwrap();
    let output = ferrite(folder.path(), &["gen", "--set", "name=npu"]);
    assert!(output.status.success(), "{:?}", told(&output));
    assert!(stdout(&output).contains("top module `npu`"), "{}", stdout(&output));
    let build = folder.path().join("build");
    let expected = [".ferrite-output", "chip.toml", "npu.svd", "registers.md", "rtl", "sw"];
    assert_eq!(names_in(&build), expected);
    let list = fs::read_to_string(build.join("rtl/npu.f")).unwrap();
    let mut listed: Vec<&str> = list.lines().collect();
    listed.sort_unstable();
    let verilog: Vec<String> =
        names_in(&build.join("rtl")).into_iter().filter(|name| name.ends_with(".v")).collect();
    assert_eq!(listed, verilog);
    for (tool, arguments) in [
        ("verilator", &["--lint-only", "-Wall", "--top-module", "npu", "-f", "npu.f"][..]),
        ("iverilog", &["-g2005", "-Wall", "-s", "npu", "-o", "/dev/null", "-c", "npu.f"]),
    ] {
        if have(&[tool]) {
            let run = Command::new(tool).args(arguments).current_dir(build.join("rtl")).output().unwrap();
            let said = format!("{}{}", stdout(&run), told(&run).1);
            assert!(run.status.success() && said.is_empty(), "{tool}: {said}");
        }
    }
}

#[test]
fn gen_gives_the_same_bytes_every_time() {
    let folder = TempDir::new().unwrap();
    for name in ["a", "b"] {
        assert!(ferrite(folder.path(), &["gen", "-o", name]).status.success());
    }
    let read = |name: &str| {
        let rtl = folder.path().join(name).join("rtl");
        names_in(&rtl).into_iter().map(|file| fs::read(rtl.join(file)).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(read("a"), read("b"));
}

#[test]
fn gen_leaves_a_folder_alone_that_it_did_not_write() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("build")).unwrap();
    fs::write(folder.path().join("build/thesis.tex"), "x").unwrap();
    let (code, message) = told(&ferrite(folder.path(), &["gen"]));
    assert_eq!(code, Some(1));
    assert!(message.contains("ferrite did not write thesis.tex"), "{message}");
    assert_eq!(names_in(&folder.path().join("build")), ["thesis.tex"]);
    assert_eq!(names_in(folder.path()), ["build"]);
}

#[test]
fn gen_says_where_a_description_is_wrong_and_writes_nothing() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("chip.toml"), "name = \"npu\"\n[tensor]\nrows = 12\n").unwrap();
    let (code, message) = told(&ferrite(folder.path(), &["gen", "chip.toml"]));
    assert_eq!(code, Some(1));
    assert!(message.contains("chip.toml:3") && message.contains("4, 8, 16, 32"), "{message}");
    let (code, message) = told(&ferrite(folder.path(), &["gen", "missing.toml"]));
    assert_eq!(code, Some(1));
    assert!(message.contains("cannot read missing.toml"), "{message}");
    assert_eq!(names_in(folder.path()), ["chip.toml"]);
}

#[test]
fn a_name_that_is_taken_is_refused_and_leaves_nothing_behind() {
    let folder = TempDir::new().unwrap();
    for name in ["alu", "csr", "module"] {
        let set = format!("name={name}");
        let (code, message) = told(&ferrite(folder.path(), &["gen", "-o", "a/b", "--set", &set]));
        assert_eq!(code, Some(1));
        assert!(message.contains(&format!("the chip cannot be called `{name}`")), "{message}");
    }
    let (code, _) = told(&ferrite(folder.path(), &["run", "missing", "--output", "a/b"]));
    assert_eq!(code, Some(1));
    assert_eq!(names_in(folder.path()), Vec::<String>::new());
}

#[test]
fn gen_reports_a_place_that_cannot_be_written() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("file"), "x").unwrap();
    let (code, message) = told(&ferrite(folder.path(), &["gen", "-o", "file/build"]));
    assert_eq!(code, Some(1));
    assert!(message.contains("cannot write file/build"), "{message}");
    assert_eq!(fs::read_to_string(folder.path().join("file")).unwrap(), "x");
}

#[test]
fn a_network_runs_on_every_input_and_its_outputs_are_written() {
    let folder = TempDir::new().unwrap();
    fs::copy(microflow("sine.tflite"), folder.path().join("sine.tflite")).unwrap();
    fs::write(folder.path().join("in.bin"), [0x80, 0x00, 0x40]).unwrap();
    let arguments = ["sine.tflite", "--input", "in.bin", "--output", "out.bin", "--lockstep"];
    let output = ferrite(folder.path(), &on_small_chip(&arguments));
    assert!(output.status.success(), "{:?}", told(&output));
    let text = stdout(&output);
    for part in [
        "sine.tflite on chip `ferrite`, array of 4 x 4, engine native",
        "FULLY_CONNECTED",
        "MACs/cycle",
        "3 runs",
        "every instruction equals the golden model's",
        "output: out.bin",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(text.matches("  equal\n").count(), 3, "{text}");
    // The reference kernels' values, as LiteRT gives them: sin of 0, of a half period and of about three quarters.
    assert_eq!(fs::read(folder.path().join("out.bin")).unwrap(), [11, 7, 0x8C]);
}

#[test]
fn a_recorded_output_is_compared_byte_for_byte() {
    let folder = TempDir::new().unwrap();
    let network = microflow("sine.tflite").display().to_string();
    fs::write(folder.path().join("in.bin"), [0x80, 0x00]).unwrap();
    for (expected, code, part) in [
        (&[11, 7][..], Some(0), ""),
        (&[11, 9], Some(1), "differs from expected.bin in 1 of 2 bytes, first in byte 1: 7, not 9"),
        (&[11], Some(1), "expected.bin has 1 bytes, but the runs give 2 bytes of output"),
    ] {
        fs::write(folder.path().join("expected.bin"), expected).unwrap();
        let arguments = [network.as_str(), "--input", "in.bin", "--expect", "expected.bin"];
        let (found, message) = told(&ferrite(folder.path(), &on_small_chip(&arguments)));
        assert_eq!(found, code, "{message}");
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn no_file_is_overwritten_that_is_also_read() {
    let folder = TempDir::new().unwrap();
    fs::copy(microflow("sine.tflite"), folder.path().join("sine.tflite")).unwrap();
    fs::write(folder.path().join("in.bin"), [0]).unwrap();
    let before = fs::read(folder.path().join("sine.tflite")).unwrap();
    for (arguments, part) in [
        (&["sine.tflite", "--output", "./sine.tflite"][..], "also the file to run"),
        (&["sine.tflite", "--trace", "sine.tflite"], "also the file to run"),
        (&["sine.tflite", "--input", "in.bin", "--output", "in.bin"], "also --input"),
        (&["sine.tflite", "--output", "a", "--trace", "a"], "also --output"),
    ] {
        let (code, message) = told(&ferrite(folder.path(), &on_small_chip(arguments)));
        assert_eq!(code, Some(2), "{message}");
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(fs::read(folder.path().join("sine.tflite")).unwrap(), before);
    assert_eq!(names_in(folder.path()), ["in.bin", "sine.tflite"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_report_that_cannot_be_printed_is_an_error_and_no_panic() {
    let folder = TempDir::new().unwrap();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_ferrite"))
        .args(["gen"])
        .current_dir(folder.path())
        .stdout(full)
        .output()
        .unwrap();
    let (code, message) = told(&run);
    assert_eq!(code, Some(1));
    assert!(message.contains("cannot write to standard output"), "{message}");
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let run =
        Command::new(env!("CARGO_BIN_EXE_ferrite")).args(["run", "missing"]).stderr(full).output().unwrap();
    assert_eq!(run.status.code(), Some(1), "an error that cannot be printed");
}

#[test]
fn json_is_one_object_for_machines() {
    let folder = TempDir::new().unwrap();
    let network = microflow("sine.tflite").display().to_string();
    let output = ferrite(folder.path(), &on_small_chip(&[network.as_str(), "--json"]));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["runs"][0]["equals_reference"], true);
    assert_eq!(report["runs"].as_array().unwrap().len(), 1);
    assert_eq!(report["engine"], "native");
    let macs: u64 = report["layers"].as_array().unwrap().iter().map(|l| l["macs"].as_u64().unwrap()).sum();
    assert_eq!(macs, 16 + 256 + 16);
}

#[test]
fn an_input_of_another_size_is_refused_with_the_size_that_is_right() {
    let folder = TempDir::new().unwrap();
    let network = microflow("sine.tflite").display().to_string();
    fs::write(folder.path().join("in.bin"), []).unwrap();
    let arguments = [network.as_str(), "--input", "in.bin", "--output", "out.bin"];
    let (code, message) = told(&ferrite(folder.path(), &on_small_chip(&arguments)));
    assert_eq!(code, Some(1));
    assert!(
        message.contains("the input has 0 bytes") && message.contains("takes 1 (1 x 1 int8)"),
        "{message}"
    );
    assert_eq!(names_in(folder.path()), ["in.bin"]);
}

#[test]
fn networks_that_the_chip_cannot_run_are_refused_with_the_reason() {
    let folder = TempDir::new().unwrap();
    let speech = microflow("speech.tflite").display().to_string();
    let sine = microflow("sine.tflite").display().to_string();
    for (arguments, part) in [
        (&[speech.as_str()][..], "is not supported yet; supported are FULLY_CONNECTED"),
        (&[&sine, "--set", "tensor.present=false"], "the chip has no tensor unit"),
        (&[&sine, "--set", "tensor.rows=5"], "allowed: 4, 8, 16, 32"),
    ] {
        let arguments = [&["run", "--engine", "interpret"], arguments].concat();
        let (code, message) = told(&ferrite(folder.path(), &arguments));
        assert_eq!(code, Some(1), "{message}");
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_network_too_large_for_the_memory_is_refused_with_what_to_do() {
    let Some(network) = ferrite_tests::files::recorded("ad01_int8.tflite") else { return };
    let folder = TempDir::new().unwrap();
    let network = network.display().to_string();
    let arguments = ["run", "--engine", "interpret", &network, "--set", "soc.external_bytes=65536"];
    let (code, message) = told(&ferrite(folder.path(), &arguments));
    assert_eq!(code, Some(1));
    assert!(message.contains("65536") && message.contains("bytes"), "{message}");
}

#[test]
fn files_that_are_something_else_or_broken_are_named() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("notes.txt", b"hello");
    write("empty.tflite", b"");
    write("half.tflite", &fs::read(microflow("sine.tflite")).unwrap()[..500]);
    write("half.elf", b"\x7FELF\x01\x01");
    for (name, part) in [
        ("notes.txt", "neither an ELF program nor a .tflite network"),
        ("empty.tflite", "empty.tflite: not a TensorFlow Lite file"),
        ("half.tflite", "half.tflite: damaged file"),
        ("half.elf", "half.elf: "),
        ("missing.elf", "cannot read missing.elf"),
        (".", "cannot read ."),
    ] {
        let (code, message) = told(&ferrite(folder.path(), &["run", name]));
        assert_eq!(code, Some(1), "{name}: {message}");
        assert!(message.contains(part), "{name}: {message}");
    }
}

#[test]
fn a_place_that_cannot_be_written_is_found_before_the_run() {
    let folder = TempDir::new().unwrap();
    let network = microflow("sine.tflite").display().to_string();
    fs::write(folder.path().join("file"), "x").unwrap();
    for option in ["--output", "--trace"] {
        for place in ["file/out", "."] {
            let arguments = [network.as_str(), option, place];
            let (code, message) = told(&ferrite(folder.path(), &on_small_chip(&arguments)));
            assert_eq!(code, Some(1));
            assert!(message.contains(&format!("cannot write {place}")), "{message}");
        }
    }
    assert_eq!(names_in(folder.path()), ["file"]);
}

#[cfg(target_os = "linux")]
#[test]
fn errors_name_the_place_that_was_given_and_no_other() {
    // A folder in which nobody can make a file.
    let network = microflow("sine.tflite").display().to_string();
    let run = ["run", &network];
    for arguments in [
        &["gen", "-o", "/proc/new"][..],
        &[&run[..], &["--output", "/proc/new"]].concat(),
        &[&run[..], &["--trace", "/proc/new"]].concat(),
    ] {
        let (code, message) = told(&ferrite(Path::new("/"), arguments));
        assert_eq!(code, Some(1));
        assert!(message.contains("cannot write") && message.contains("/proc/new: "), "{message}");
        assert!(!message.contains("/.") && !message.contains("at path"), "{message}");
    }
}

#[test]
fn a_waveform_is_written_and_an_unknown_scope_is_answered_with_the_known_ones() {
    let folder = TempDir::new().unwrap();
    let network = microflow("sine.tflite").display().to_string();
    let arguments = [network.as_str(), "--trace", "sine.fst", "--trace-scope", "ferrite.core"];
    let output = ferrite(folder.path(), &on_small_chip(&arguments));
    assert!(output.status.success(), "{:?}", told(&output));
    assert!(stdout(&output).contains("waveform: sine.fst"));
    assert!(fs::metadata(folder.path().join("sine.fst")).unwrap().len() > 1000);
    let arguments = [network.as_str(), "--trace", "other.fst", "--trace-scope", "ferrite.cpu"];
    let (code, message) = told(&ferrite(folder.path(), &on_small_chip(&arguments)));
    assert_eq!(code, Some(1));
    assert!(message.contains("no scope `ferrite.cpu`") && message.contains("ferrite.core"), "{message}");
    assert_eq!(names_in(folder.path()), ["sine.fst"]);
}

#[test]
fn a_program_prints_and_its_exit_code_is_passed_on() {
    if !have(&[GCC]) {
        return;
    }
    let folder = TempDir::new().unwrap();
    let hello = examples().join("hello.elf").display().to_string();
    let output = ferrite(folder.path(), &on_small_chip(&[&hello, "--lockstep"]));
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), "Hello from Ferrite!\n"));
    let (code, message) = told(&ferrite(folder.path(), &on_small_chip(&[&hello, "--output", "out.bin"])));
    assert_eq!(code, Some(2));
    assert!(message.contains("--output is for networks"), "{message}");
    let (code, message) = told(&ferrite(folder.path(), &on_small_chip(&[&hello, "--max-cycles", "100"])));
    assert_eq!(code, Some(124));
    assert!(message.contains("has not ended after 100 cycles"), "{message}");
}

#[test]
fn verilator_that_is_missing_is_named_with_what_to_install() {
    let folder = TempDir::new().unwrap();
    let network = microflow("sine.tflite");
    let output = Command::new(env!("CARGO_BIN_EXE_ferrite"))
        .args(["run".as_ref(), "--engine=verilator".as_ref(), network.as_os_str()])
        .env("PATH", folder.path())
        .env("FERRITE_CACHE", folder.path())
        .output()
        .unwrap();
    let (code, message) = told(&output);
    assert_eq!(code, Some(1));
    assert!(message.contains("apt install verilator") && message.contains("--engine native"), "{message}");
}
