//! Runs that are saved and resumed by the `ferrite` command.

mod command;
mod programs;

use std::fs;
use std::path::Path;

use command::told;
use ferrite_hdl::elaborate;
use ferrite_hw::config::ChipConfig;
use ferrite_hw::soc::SimulatedChip;
use ferrite_sim::{Native, NativeOptions, Simulator, Snapshot};
use ferrite_tests::files::microflow;
use ferrite_tests::tools::examples;
#[cfg(unix)]
use programs::ferrite_on_full_disk;
use programs::{SMALL, ferrite, hello, names_in, program, report};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

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

#[cfg(unix)]
#[test]
fn a_state_that_finds_no_room_on_the_way_is_told_and_the_run_goes_on() {
    let Some(folder) = hello() else { return };
    let arguments = ["hello.elf", "--save", "state", "--save-every", "250"];
    let output = ferrite_on_full_disk(folder.path(), 100, &SMALL, &arguments);
    let (code, message) = told(&output);
    assert_eq!((code, String::from_utf8_lossy(&output.stdout).as_ref()), (Some(0), "Hello from Ferrite!\n"));
    assert!(message.contains("warning: cannot write the snapshot state"), "{message}");
    assert_eq!(names_in(folder.path()), ["hello.elf"]);
}

#[cfg(unix)]
#[test]
fn a_run_whose_waveform_finds_no_room_is_saved() {
    let Some(folder) = program("endless", "for (volatile int k = 0; ; k++) {}") else { return };
    // There is room for the state, which has 717 KB, but not for such a waveform.
    let arguments = ["endless.elf", "--save", "state", "--trace", "a.fst", "--trace-scope", "ferrite"];
    let (code, message) = told(&ferrite_on_full_disk(folder.path(), 2000, &SMALL, &arguments));
    assert_eq!(code, Some(1), "{message}");
    assert!(message.contains("the waveform a.fst could be written up to cycle"), "{message}");
    assert!(message.contains("cycles is saved; go on with --resume state"), "{message}");
    let (code, message) = told(&ferrite(
        folder.path(),
        &SMALL,
        &["endless.elf", "--resume", "state", "--max-cycles", "9000000"],
    ));
    assert_eq!(code, Some(124), "{message}");
}

#[test]
fn a_state_beyond_the_cycles_of_the_run_is_refused_before_it() {
    let Some(folder) = hello() else { return };
    ferrite(folder.path(), &SMALL, &["hello.elf", "--max-cycles", "1000", "--save", "state"]);
    for most in ["100", "1000"] {
        let arguments = ["hello.elf", "--resume", "state", "--max-cycles", most, "--trace", "a.fst"];
        let (code, message) = told(&ferrite(folder.path(), &SMALL, &arguments));
        assert_eq!(code, Some(2), "{message}");
        assert!(message.contains("state was saved after 1,000 cycles"), "{message}");
    }
    assert_eq!(names_in(folder.path()), ["hello.elf", "state"]);
}

#[cfg(unix)]
#[test]
fn a_state_is_not_written_to_a_device_which_is_known_before_the_run() {
    let Some(folder) = hello() else { return };
    let output = ferrite(folder.path(), &SMALL, &["hello.elf", "--save", "/dev/null"]);
    let (code, message) = told(&output);
    assert_eq!((code, output.stdout.len()), (Some(1), 0), "{message}");
    assert!(message.contains("cannot write /dev/null: it is no ordinary file"), "{message}");
}

/// The smallest changes of a state after which a property of the chip does not hold: none that is reached from reset has that.
fn damaged(state: &Path) -> Option<Vec<u8>> {
    /// Magic, version, length, the netlist's fingerprint and the cycle; then the words, behind their number.
    const WORDS_AT: usize = 8 + 4 + 8 + 32 + 8;
    let mut chip = ChipConfig::default();
    let tensor = chip.tensor.get_or_insert_default();
    (tensor.rows, tensor.cols) = (4, 4);
    (chip.soc.uart_baud, chip.soc.external_bytes) = (10_000_000, 64 << 10);
    let design = elaborate(&SimulatedChip::new(&chip)).expect("a chip without mistakes");
    let mut engine = Native::new(&design, &NativeOptions::default()).expect("it can be compiled");
    let bytes = fs::read(state).unwrap();
    let words = u64::from_le_bytes(bytes[WORDS_AT..WORDS_AT + 8].try_into().unwrap()) as usize;
    let folder = TempDir::new().unwrap();
    (0..words).find_map(|word| {
        let mut damaged = bytes[..bytes.len() - 32].to_vec();
        damaged[WORDS_AT + 8 + 8 * word] ^= 1;
        let digest = Sha256::digest(&damaged);
        damaged.extend(digest);
        let path = folder.path().join("state");
        fs::write(&path, &damaged).unwrap();
        engine.restore(&Snapshot::read(&path).unwrap()).unwrap();
        engine.step(1).is_err_and(|error| error.to_string().contains("assertion")).then_some(damaged)
    })
}

#[test]
fn a_property_of_the_hardware_that_does_not_hold_has_its_exit_code_and_is_told_and_recorded() {
    let Some(folder) = hello() else { return };
    ferrite(folder.path(), &SMALL, &["hello.elf", "--max-cycles", "1000", "--save", "state"]);
    let damaged = damaged(&folder.path().join("state")).expect("a register that the assertions watch");
    fs::write(folder.path().join("damaged"), damaged).unwrap();
    for trace in [&["--trace", "a.fst"][..], &["--trace", "a.fst", "--trace-last", "9"]] {
        let arguments = [&["hello.elf", "--resume", "damaged", "--save", "end"], trace].concat();
        let (code, message) = told(&ferrite(folder.path(), &SMALL, &arguments));
        assert_eq!(code, Some(126), "{message}");
        for part in [
            "cycle 1000: assertion `",
            "\n  next  8",
            "go on with --resume end and --trace",
            "waveform: a.fst",
        ] {
            assert!(message.contains(part), "{part}: {message}");
        }
    }
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
        (&["hello.elf", "--max-cycles", "0"], "not in 1.."),
        (&["hello.elf", "--max-idle-cycles", "0"], "not in 1.."),
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
