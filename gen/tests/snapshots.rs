//! Runs that are saved, resumed and replayed by the `ferrite` command.

mod command;

use std::fs;
use std::path::Path;
use std::process::Output;

use command::told;
use ferrite_tests::files::microflow;
use ferrite_tests::tools::{GCC, examples, have, make};
use serde_json::Value;
use tempfile::TempDir;
use wellen::simple::Waveform;

/// A small chip that prints quickly.
const SMALL: [&str; 7] =
    ["run", "--set", "tensor.rows=4", "--set", "tensor.cols=4", "--set", "soc.uart_baud=10000000"];

/// A small chip that prints slowly.
const SLOW: [&str; 5] = ["run", "--set", "tensor.rows=4", "--set", "tensor.cols=4"];

/// Nanoseconds of a waveform from a cycle to the next.
const CYCLE: u64 = ferrite_sim::TIME_PER_CYCLE;

fn ferrite(folder: &Path, chip: &[&str], arguments: &[&str]) -> Output {
    command::ferrite(folder, &[chip, arguments].concat())
}

/// The object that `--json` prints.
fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {:?}", told(output)))
}

/// A folder and in it `hello.elf`, which prints a greeting; `None` without the compiler.
fn hello() -> Option<TempDir> {
    if !have(&[GCC]) {
        return None;
    }
    let folder = TempDir::new().unwrap();
    fs::copy(examples().join("hello.elf"), folder.path().join("hello.elf")).unwrap();
    Some(folder)
}

/// A folder and in it a program of so many lines of C within its `main`.
fn program(name: &str, body: &str) -> Option<TempDir> {
    if !have(&[GCC]) {
        return None;
    }
    let folder = TempDir::new().unwrap();
    let text = format!("#include <stdio.h>\nint main(void) {{ {body} return 0; }}\n");
    fs::write(folder.path().join(format!("{name}.c")), text).unwrap();
    let sources = format!("SOURCES={}", folder.path().display());
    let made = make(&folder.path().join("build"), &[&sources, &format!("{name}.elf")]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    fs::copy(folder.path().join(format!("build/{name}.elf")), folder.path().join(format!("{name}.elf")))
        .unwrap();
    Some(folder)
}

#[test]
fn a_run_that_is_interrupted_anywhere_and_resumed_is_the_uninterrupted_one() {
    let Some(folder) = hello() else { return };
    let whole = report(&ferrite(folder.path(), &SMALL, &["hello.elf", "--json"]));
    let cycles = whole["cycles"].as_u64().unwrap();
    // One after the other, in the middle of frames and of instructions, each from where the last one ended.
    let (mut printed, mut first) = (Vec::new(), 0);
    for part in 1..=5 {
        let last = part == 5;
        let until = if last { cycles + 1 } else { cycles * part / 5 + part }.to_string();
        let mut arguments = vec!["hello.elf", "--max-cycles", &until, "--save", "hello.state"];
        arguments.extend(if part > 1 { &["--resume", "hello.state"][..] } else { &[] });
        arguments.extend(if last { &["--json"][..] } else { &[] });
        let output = ferrite(folder.path(), &SMALL, &arguments);
        let (code, message) = told(&output);
        if last {
            let report = report(&output);
            printed.extend(report["console"].as_str().unwrap().bytes());
            for field in ["cycles", "instructions", "exit_code"] {
                assert_eq!(report[field], whole[field], "{field}");
            }
            assert_eq!(report["first_cycle"], first);
        } else {
            printed.extend(output.stdout);
            assert_eq!(code, Some(124), "{message}");
            assert!(
                message.contains("go on with --resume hello.state and a larger --max-cycles"),
                "{message}"
            );
            first = until.parse().unwrap();
        }
    }
    assert_eq!(String::from_utf8(printed).unwrap(), whole["console"].as_str().unwrap());
}

#[test]
fn a_long_run_is_saved_on_the_way() {
    let Some(folder) = hello() else { return };
    let arguments = ["hello.elf", "--json", "--save", "new/hello.state", "--save-every", "250"];
    let whole = report(&ferrite(folder.path(), &SMALL, &arguments));
    let arguments = ["hello.elf", "--json", "--resume", "new/hello.state"];
    let end = report(&ferrite(folder.path(), &SMALL, &arguments));
    for field in ["cycles", "instructions", "exit_code"] {
        assert_eq!(end[field], whole[field], "{field}");
    }
    let cycles = whole["cycles"].as_u64().unwrap();
    assert_eq!(end["first_cycle"].as_u64(), Some((cycles - 1) / 250 * 250), "the last one stays");
    assert!(whole["console"].as_str().unwrap().ends_with(end["console"].as_str().unwrap()));
}

#[test]
fn a_run_that_was_saved_in_one_engine_goes_on_in_another() {
    let Some(folder) = hello() else { return };
    let whole = report(&ferrite(folder.path(), &SMALL, &["hello.elf", "--json"]));
    let near = (whole["cycles"].as_u64().unwrap() - 300).to_string();
    ferrite(folder.path(), &SMALL, &["hello.elf", "--max-cycles", &near, "--save", "hello.state"]);
    let arguments = ["hello.elf", "--json", "--resume", "hello.state", "--engine", "interpret"];
    let end = report(&ferrite(folder.path(), &SMALL, &arguments));
    for field in ["cycles", "instructions", "exit_code"] {
        assert_eq!(end[field], whole[field], "{field}");
    }
}

/// A waveform with all that is in it.
fn waveform(path: &Path) -> Waveform {
    let mut waves = wellen::simple::read(path).unwrap();
    let all: Vec<_> = waves.hierarchy().all_vars().map(|v| waves.hierarchy()[v].signal_ref()).collect();
    waves.load_signals(&all);
    waves
}

/// The first and the last time that something happens at; at time 0 nothing is known yet.
fn span(waves: &Waveform) -> (u64, u64) {
    let times = waves.time_table();
    (times[1], times[times.len() - 1])
}

/// The value of an output of the chip at a time.
fn value(waves: &Waveform, name: &str, time: u64) -> String {
    let hierarchy = waves.hierarchy();
    let var = hierarchy.lookup_var(&["ferrite"], name).unwrap();
    let signal = waves.get_signal(hierarchy[var].signal_ref()).unwrap();
    let index = waves.time_table().partition_point(|at| *at <= time) - 1;
    let offset = signal.get_offset(index as u32).unwrap();
    signal.get_value_at(&offset, 0).to_bit_string().unwrap()
}

#[test]
fn the_last_cycles_are_recorded_as_if_all_had_been() {
    let Some(folder) = hello() else { return };
    let record = |arguments: &[&str]| {
        report(&ferrite(folder.path(), &SMALL, &[&["hello.elf", "--json"], arguments].concat()))
    };
    let whole = record(&["--trace", "whole.fst"]);
    let last = record(&["--trace", "last.fst", "--trace-last", "700"]);
    for field in ["cycles", "instructions", "exit_code", "console"] {
        assert_eq!(last[field], whole[field], "{field}");
    }
    let (whole_waves, waves) =
        (waveform(&folder.path().join("whole.fst")), waveform(&folder.path().join("last.fst")));
    // The waveform counts the cycle of reset too.
    let first = whole["cycles"].as_u64().unwrap() - 700 + 1;
    assert_eq!(span(&waves), (first * CYCLE, span(&whole_waves).1));
    assert!(value(&waves, "rvfi_order", 0).starts_with('x'), "nothing is known before");
    for time in (first..first + 700).map(|cycle| cycle * CYCLE) {
        for name in ["rvfi_valid", "rvfi_order", "rvfi_pc_rdata", "uart_tx", "exit_valid"] {
            assert_eq!(value(&waves, name, time), value(&whole_waves, name, time), "{name} at {time}");
        }
    }
}

#[test]
fn a_long_run_that_hangs_is_replayed_from_shortly_before_its_end() {
    let body = "for (volatile int k = 0; k < 40000; k++) {} \
                __asm__ volatile (\"csrci mstatus, 8\\n csrw mie, zero\\n 1: wfi\\n j 1b\");";
    let Some(folder) = program("hang", body) else { return };
    let arguments = [
        "hang.elf",
        "--max-idle-cycles",
        "5000",
        "--trace",
        "hang.fst",
        "--trace-last",
        "20000",
        "--save",
        "hang.state",
    ];
    let (code, message) = told(&ferrite(folder.path(), &SLOW, &arguments));
    assert_eq!(code, Some(123), "{message}");
    assert!(message.contains("recorded from cycle") && message.contains("wfi"), "{message}");
    let noticed = message.split("noticed in cycle ").nth(1).unwrap();
    let end: u64 = noticed[..noticed.find(':').unwrap()].parse().unwrap();
    assert!(end > 200_000, "long enough that states were taken on the way: {end}");
    let waves = waveform(&folder.path().join("hang.fst"));
    assert_eq!(span(&waves), ((end - 20_000 + 1) * CYCLE, (end + 1) * CYCLE));
    let valid = |cycle: u64| value(&waves, "rvfi_valid", cycle * CYCLE) == "1";
    assert!((end - 19_900..end - 9900).any(valid), "it still ran");
    assert!(!(end - 9900..=end).any(valid), "it did nothing any more");
    // What was saved hangs too, and at once.
    let resumed =
        ["hang.elf", "--resume", "hang.state", "--max-idle-cycles", "5000", "--max-cycles", "999999999"];
    let (code, message) = told(&ferrite(folder.path(), &SLOW, &resumed));
    assert_eq!(code, Some(123), "{message}");
}

#[test]
fn a_run_out_of_cycles_is_replayed_too_and_after_a_resumption() {
    let Some(folder) = hello() else { return };
    let arguments =
        ["hello.elf", "--max-cycles", "1000", "--trace", "a.fst", "--trace-last", "100", "--save", "state"];
    let (code, message) = told(&ferrite(folder.path(), &SMALL, &arguments));
    assert_eq!((code, message.contains("recorded from cycle 900 on")), (Some(124), true), "{message}");
    let arguments =
        ["hello.elf", "--max-cycles", "1050", "--trace", "b.fst", "--trace-last", "100", "--resume", "state"];
    let (code, message) = told(&ferrite(folder.path(), &SMALL, &arguments));
    assert_eq!((code, message.contains("recorded from cycle 1,000 on")), (Some(124), true), "{message}");
    let waves = waveform(&folder.path().join("b.fst"));
    assert_eq!(span(&waves).0, 1001 * CYCLE);
}

#[test]
fn states_that_do_not_fit_are_refused_with_what_is_wrong() {
    let Some(folder) = hello() else { return };
    fs::copy(examples().join("timer.elf"), folder.path().join("timer.elf")).unwrap();
    ferrite(folder.path(), &SMALL, &["hello.elf", "--max-cycles", "1000", "--save", "state"]);
    let bytes = fs::read(folder.path().join("state")).unwrap();
    fs::write(folder.path().join("cut"), &bytes[..bytes.len() / 2]).unwrap();
    let mut damaged = bytes;
    damaged[100_000] ^= 4;
    fs::write(folder.path().join("damaged"), damaged).unwrap();
    for (arguments, part) in [
        (&["hello.elf", "--resume", "hello.elf"][..], "hello.elf is no snapshot of a simulation"),
        (&["hello.elf", "--resume", "cut"], "cut is cut off"),
        (&["hello.elf", "--resume", "damaged"], "damaged is damaged"),
        (&["hello.elf", "--resume", "missing"], "cannot read the snapshot missing"),
        (&["hello.elf", "--resume", "."], "cannot read the snapshot ."),
        (&["timer.elf", "--resume", "state"], "while another program ran"),
        (&["hello.elf", "--resume", "state", "--set", "tensor.rows=8"], "of another design than `ferrite`"),
        (
            &["hello.elf", "--resume", "state", "--set", "soc.ram_bytes=262144"],
            "of another design than `ferrite`",
        ),
    ] {
        let (code, message) = told(&ferrite(folder.path(), &SMALL, arguments));
        assert_eq!(code, Some(1), "{message}");
        assert!(message.contains(part), "{part}: {message}");
    }
}

#[test]
fn options_that_contradict_each_other_are_refused_before_the_run() {
    let Some(folder) = hello() else { return };
    let network = microflow("sine.tflite").display().to_string();
    for (arguments, part) in [
        (&["hello.elf", "--resume", "x", "--lockstep"][..], "cannot be used with"),
        (&["hello.elf", "--save-every", "9"], "--save <FILE>"),
        (&["hello.elf", "--save", "x", "--save-every", "0"], "not in 1.."),
        (&["hello.elf", "--trace-last", "9"], "--trace <FILE>"),
        (&["hello.elf", "--trace", "x", "--trace-last", "0"], "not in 1.."),
        (&["hello.elf", "--trace", "x", "--trace-last", "9", "--trace-start", "5"], "cannot be used with"),
        (&["hello.elf", "--save", "hello.elf"], "also the file to run"),
        (&["hello.elf", "--save", "x", "--trace", "x"], "also --trace"),
        (&["hello.elf", "--resume", "x", "--trace", "x"], "also --resume"),
        (&[&network, "--save", "x"], "--save is for programs"),
        (&[&network, "--resume", "x"], "--resume is for programs"),
        (&[&network, "--trace", "x", "--trace-last", "9"], "--trace-last is for programs"),
        (&["hello.elf", "--save", "x", "--engine", "verilator"], "use --engine native"),
    ] {
        let arguments: Vec<&str> = arguments.to_vec();
        fs::write(folder.path().join("x"), "").unwrap();
        let (code, message) = told(&ferrite(folder.path(), &SMALL, &arguments));
        assert_eq!(code, Some(2), "{arguments:?}: {message}");
        assert!(message.contains(part), "{arguments:?}: {message}");
    }
    let (code, message) = told(&ferrite(folder.path(), &SMALL, &["hello.elf", "--save", "hello.elf/state"]));
    assert_eq!(code, Some(1));
    assert!(message.contains("cannot write hello.elf/state"), "{message}");
}
