//! Waveforms that the `ferrite` command records.

mod command;
mod programs;

use std::fs;
use std::path::Path;

use command::told;
use ferrite_tests::files::microflow;
#[cfg(unix)]
use programs::ferrite_on_full_disk;
use programs::{SLOW, SMALL, ferrite, hello, names_in, program, report};
use tempfile::TempDir;
use wellen::simple::Waveform;

/// Nanoseconds of a waveform from a cycle to the next.
const CYCLE: u64 = ferrite_sim::TIME_PER_CYCLE;

/// Does something for a while, then nothing for ever.
const HANG: &str = "for (volatile int k = 0; k < 40000; k++) {} \
                    __asm__ volatile (\"csrci mstatus, 8\\n csrw mie, zero\\n 1: wfi\\n j 1b\");";

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
    let end = whole["cycles"].as_u64().unwrap();
    assert_eq!(span(&waves), ((end - 700) * CYCLE, span(&whole_waves).1));
    assert!(value(&waves, "rvfi_order", 0).starts_with('x'), "nothing is known before");
    for time in (end - 700..=end).map(|cycle| cycle * CYCLE) {
        for name in ["rvfi_valid", "rvfi_order", "rvfi_pc_rdata", "uart_tx", "exit_valid"] {
            assert_eq!(value(&waves, name, time), value(&whole_waves, name, time), "{name} at {time}");
        }
    }
    let exit_valid = |cycle: u64| value(&waves, "exit_valid", cycle * CYCLE);
    assert_eq!([end - 1, end].map(exit_valid), ["0", "1"], "the cycle of the exit is recorded");
}

#[test]
fn a_waveform_begins_with_the_reset_and_ends_where_the_run_was_ended() {
    let Some(folder) = hello() else { return };
    let arguments = ["hello.elf", "--max-cycles", "500", "--trace", "a.fst"];
    let (code, message) = told(&ferrite(folder.path(), &SMALL, &arguments));
    assert_eq!((code, message.contains("waveform: a.fst")), (Some(124), true), "{message}");
    let waves = waveform(&folder.path().join("a.fst"));
    assert_eq!([0, CYCLE].map(|time| value(&waves, "rst", time)), ["1", "0"]);
    assert_eq!(span(&waves).1, 501 * CYCLE, "cycle 500 is the last");
}

#[test]
fn the_clock_does_not_stand_still_between_the_inputs_of_a_network() {
    let folder = TempDir::new().unwrap();
    let network = microflow("sine.tflite").display().to_string();
    fs::write(folder.path().join("in.bin"), [0x80, 0x00]).unwrap();
    let arguments = [&network, "--input", "in.bin", "--trace", "a.fst", "--json"];
    let runs = report(&ferrite(folder.path(), &SMALL, &arguments));
    let waves = waveform(&folder.path().join("a.fst"));
    // No clock rises in cycle 0.
    let gap = waves.time_table()[1..].windows(2).find(|times| times[1] - times[0] > CYCLE / 2);
    assert_eq!(gap, None);
    let cycles = span(&waves).1 / CYCLE;
    let resets: Vec<u64> = (0..cycles).filter(|cycle| value(&waves, "rst", cycle * CYCLE) == "1").collect();
    assert!(
        matches!(resets[..], [0, second] if second > runs["runs"][0]["cycles"].as_u64().unwrap()),
        "{resets:?}"
    );
}

#[test]
fn a_waveform_without_a_cycle_is_told_with_the_cycles_there_were() {
    let Some(folder) = hello() else { return };
    let cycles =
        report(&ferrite(folder.path(), &SMALL, &["hello.elf", "--json"]))["cycles"].as_u64().unwrap();
    let arguments = ["hello.elf", "--trace", "a.fst", "--trace-start", "9000000"];
    let (code, message) = told(&ferrite(folder.path(), &SMALL, &arguments));
    assert_eq!(code, Some(0));
    assert!(message.contains("no cycle was recorded: the run took cycles 0 to 1,"), "{cycles}: {message}");
    assert!(!message.contains("waveform:"), "{message}");
    ferrite(folder.path(), &SMALL, &["hello.elf", "--max-cycles", "1000", "--save", "state"]);
    let from_1000 = ["hello.elf", "--resume", "state", "--trace", "a.fst", "--trace-stop"];
    for (stop, is_empty) in [("1000", true), ("1001", false)] {
        let (_, message) = told(&ferrite(folder.path(), &SMALL, &[&from_1000[..], &[stop]].concat()));
        assert_eq!(message.contains("the run took cycles 1,000 to"), is_empty, "{message}");
    }
    let network = microflow("sine.tflite").display().to_string();
    let arguments = [&network, "--trace", "a.fst", "--trace-start", "9000000"];
    let (_, message) = told(&ferrite(folder.path(), &SMALL, &arguments));
    assert!(message.contains("no cycle was recorded"), "{message}");
}

#[test]
fn the_folder_of_a_waveform_is_made() {
    let Some(folder) = hello() else { return };
    let (code, message) =
        told(&ferrite(folder.path(), &SMALL, &["hello.elf", "--trace", "new/folder/a.fst"]));
    assert_eq!(code, Some(0), "{message}");
    assert_eq!(names_in(&folder.path().join("new/folder")), ["a.fst"]);
}

/// Blocks of 512 bytes in which a waveform that was just recorded finds room to begin, but not to end.
#[cfg(unix)]
fn too_few_blocks(folder: &Path, message: &str) -> u32 {
    let size = fs::metadata(folder.join("a.fst")).unwrap_or_else(|error| panic!("{error}: {message}")).len();
    fs::remove_file(folder.join("a.fst")).unwrap();
    (size / 512 - 1) as u32
}

#[cfg(unix)]
#[test]
fn a_waveform_that_finds_no_room_does_not_hide_how_the_run_ended() {
    let Some(folder) = program("hang", HANG) else { return };
    fs::copy(hello().unwrap().path().join("hello.elf"), folder.path().join("hello.elf")).unwrap();
    let network = microflow("sine.tflite").display().to_string();
    let hang = ["hang.elf", "--max-idle-cycles", "5000"];
    let (last, late) = (["--trace-last", "2000"], ["--trace-start", "370000"]);
    for (arguments, expected, end) in [
        ([&hang[..], &last].concat(), 123, "no instruction has retired for"),
        ([&hang[..], &late].concat(), 123, "no instruction has retired for"),
        ([&["hello.elf"][..], &last].concat(), 1, "exit code 0 after"),
        (vec!["hello.elf"], 1, "exit code 0 after"),
        (vec!["hello.elf", "--max-cycles", "1000"], 124, "has not ended after 1000"),
        (vec![&network], 1, "1 run, "),
        (vec![&network, "--max-cycles", "1000"], 124, "has not ended after 1000"),
    ] {
        let arguments = [&arguments[..], &["--trace", "a.fst"]].concat();
        let (_, message) = told(&ferrite(folder.path(), &SLOW, &arguments));
        let blocks = too_few_blocks(folder.path(), &message);
        let output = ferrite_on_full_disk(folder.path(), blocks, &SLOW, &arguments);
        let (code, message) = told(&output);
        assert_eq!(code, Some(expected), "{arguments:?}: {message}");
        let all = String::from_utf8_lossy(&output.stdout).into_owned() + &message;
        for part in [end, "the waveform a.fst"] {
            assert!(all.contains(part), "{arguments:?}: {part}: {all}");
        }
        assert!(!message.contains("mistake of ferrite"), "{message}");
    }
}

#[test]
fn a_long_run_that_hangs_is_replayed_from_shortly_before_its_end() {
    let Some(folder) = program("hang", HANG) else { return };
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
    assert_eq!(span(&waves), ((end - 20_000) * CYCLE, (end + 1) * CYCLE));
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
    assert_eq!(span(&waves).0, 1000 * CYCLE);
}
