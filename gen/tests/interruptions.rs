//! Runs that signals end.
#![cfg(unix)]

mod command;
mod programs;

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use command::told;
use programs::{SMALL, ferrite, names_in, program};

const ENDLESS: &str = "puts(\"begun\"); for (volatile int k = 0; ; k++) {}";

/// A run whose program has begun to print.
fn begun(folder: &Path, arguments: &[&str]) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ferrite"))
        .args(SMALL)
        .args(arguments)
        .current_dir(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    child.stdout.as_mut().unwrap().read_exact(&mut [0]).expect("the program prints");
    child
}

fn send(child: &Child, signals: &[&str]) {
    for signal in signals {
        let sent = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
        assert!(sent.expect("kill starts").success());
    }
}

fn interrupted(folder: &Path, arguments: &[&str], signals: &[&str]) -> Output {
    let child = begun(folder, arguments);
    send(&child, signals);
    child.wait_with_output().unwrap()
}

#[test]
fn an_interrupted_run_leaves_its_waveform_and_its_state() {
    let Some(folder) = program("endless", ENDLESS) else { return };
    let last = ["--trace-last", "1000"];
    for (signal, more) in [("INT", &[][..]), ("TERM", &[]), ("INT", &last)] {
        let arguments = [&["endless.elf", "--trace", "a.fst", "--save", "state"], more].concat();
        let (code, message) = told(&interrupted(folder.path(), &arguments, &[signal]));
        assert_eq!(code, Some(130), "{message}");
        for part in ["interrupted in cycle ", "  last  8", "waveform: a.fst", "go on with --resume state"] {
            assert!(message.contains(part), "{signal}: {part}: {message}");
        }
        assert!(wellen::simple::read(folder.path().join("a.fst")).is_ok());
        let digits = message.split("interrupted in cycle ").nth(1).unwrap();
        let digits: String = digits.chars().filter(|c| *c != ',').take_while(char::is_ascii_digit).collect();
        let later = (digits.parse::<u64>().unwrap() + 5000).to_string();
        let arguments = ["endless.elf", "--resume", "state", "--max-cycles", &later];
        let (code, message) = told(&ferrite(folder.path(), &SMALL, &arguments));
        assert_eq!(code, Some(124), "the run goes on: {message}");
        for name in ["a.fst", "state"] {
            std::fs::remove_file(folder.path().join(name)).unwrap();
        }
        let is_temporary = |name: &String| name.starts_with(".");
        assert!(!names_in(folder.path()).iter().any(is_temporary), "{:?}", names_in(folder.path()));
    }
}

#[test]
fn an_interrupted_network_leaves_its_waveform() {
    // Longer than any test takes: thousands of inputs.
    let folder = tempfile::TempDir::new().unwrap();
    let network = ferrite_tests::files::microflow("sine.tflite").display().to_string();
    std::fs::write(folder.path().join("in.bin"), vec![0; 1 << 16]).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_ferrite"))
        .args(SMALL)
        .args([&network, "--input", "in.bin", "--trace", "a.fst"])
        .current_dir(folder.path())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    // Signals are listened to before the waveform is begun under its temporary name.
    while !names_in(folder.path()).iter().any(|name| name.ends_with(".fst")) {
        std::thread::yield_now();
    }
    send(&child, &["INT"]);
    let (code, message) = told(&child.wait_with_output().unwrap());
    assert_eq!((code, message.contains("interrupted in cycle ")), (Some(130), true), "{message}");
    assert_eq!(names_in(folder.path()), ["a.fst", "in.bin"]);
}

#[test]
fn a_second_signal_ends_a_run_at_once() {
    let Some(folder) = program("endless", ENDLESS) else { return };
    // Signals that arrive while the process is stopped arrive together, before it does anything else.
    let arguments = ["endless.elf", "--save", "state"];
    let output = interrupted(folder.path(), &arguments, &["STOP", "INT", "TERM", "CONT"]);
    let (code, message) = told(&output);
    assert_eq!((code, message.as_str()), (Some(130), ""));
    assert!(!folder.path().join("state").exists());
}
