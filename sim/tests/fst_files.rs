//! Where FST files are written, and what is left when that fails.

mod designs;

use std::path::{Path, PathBuf};

use designs::{Counters, Top};
use ferrite_hdl::flat::Flat;
use ferrite_hdl::{Bits, elaborate};
use ferrite_sim::{
    FstError, FstOptions, FstRecorder, Interpreter, Simulator, Snapshot, SnapshotError, StepError,
    TIME_PER_CYCLE,
};
use tempfile::TempDir;

/// A folder for one test and a file in it.
fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.fst");
    (folder, path)
}

fn create(path: &Path) -> Result<FstRecorder, FstError> {
    let engine = Interpreter::new(&elaborate(&Top).expect("a good design"));
    FstRecorder::create(path, engine.flat(), &FstOptions::default())
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn a_place_that_cannot_be_written_is_an_error_before_the_run() {
    let (folder, file) = place();
    std::fs::write(&file, "no folder").expect("a writable folder");
    let mut places = vec![file.join("run.fst"), folder.path().to_owned(), "/dev/null".into()];
    if cfg!(target_os = "linux") {
        // Not even root makes files there.
        places.push("/proc/run.fst".into());
    }
    for path in places {
        let error = create(&path).err();
        let Some(error @ FstError::Write { path: named, .. }) = &error else {
            panic!("{} was taken", path.display())
        };
        assert_eq!(*named, path);
        assert!(!error.to_string().contains(".ferrite-"), "a name that nobody has given: {error}");
    }
}

#[test]
fn folders_that_are_missing_are_made() {
    let (folder, _) = place();
    let path = folder.path().join("missing").join("too").join("run.fst");
    create(&path).expect("a writable folder").finish().expect("a writable file");
    assert!(path.is_file());
}

#[test]
fn the_file_appears_when_it_is_complete_and_nothing_is_left_beside_it() {
    let (folder, path) = place();
    let mut engine = Interpreter::new(&elaborate(&Top).expect("a good design"));
    let mut recorder = create(&path).expect("a writable folder");
    recorder.sample(&mut engine, &[0]).expect("a writable file");
    assert!(!path.exists());
    recorder.finish().expect("a writable file");
    assert_eq!(names_in(folder.path()), ["run.fst"]);
}

/// A run of 8,000 cycles, each of which changes 40 registers of 200 bits: 9 sections, of some 200 kB in the file.
const CYCLES: u64 = 8_000;
const REGISTER: &str = "counter_39";

/// In the process that has no room: records the run at `path` and tells on a line of its own what came of it.
fn record_without_room(path: &Path) {
    let mut engine = Interpreter::new(&elaborate(&Counters { count: 40 }).expect("a good design"));
    let mut recorder =
        FstRecorder::create(path, engine.flat(), &FstOptions::default()).expect("room for that");
    let record = || {
        for _ in 0..CYCLES {
            recorder.sample(&mut engine, &[0])?;
            engine.step(1).expect("no property");
        }
        recorder.finish()
    };
    println!("\n{TOLD}{}", record().map_or_else(|error| error.to_string(), |()| "recorded".to_string()));
}

/// What begins the line of [`record_without_room`].
const TOLD: &str = "told: ";

/// Records the run where files may have so many blocks only, of 512 or 1,024 bytes as the shell likes; gives what the recorder told.
/// `test` is the test that asks, which is run once more in a process of its own: a limit is one of a whole process.
#[cfg(unix)]
fn recorded_with_room_for(blocks: u32, path: &Path, test: &str) -> String {
    // What would end the process becomes an error of the write, as on a full disk.
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" --exact {test} --nocapture");
    let mut shell = std::process::Command::new("sh");
    shell.arg("-c").arg(script).arg(std::env::current_exe().expect("it runs")).env(WITHOUT_ROOM, path);
    let output = shell.output().expect("a shell");
    let text = String::from_utf8_lossy(&output.stdout);
    let told = text.lines().find_map(|line| line.strip_prefix(TOLD));
    told.unwrap_or_else(|| panic!("{text}\n{}", String::from_utf8_lossy(&output.stderr))).to_string()
}

/// Where the process that has no room records.
const WITHOUT_ROOM: &str = "FERRITE_TEST_WITHOUT_ROOM";

#[test]
#[cfg(unix)]
fn a_disk_that_gets_full_leaves_what_was_written_before() {
    if let Some(path) = std::env::var_os(WITHOUT_ROOM) {
        return record_without_room(Path::new(&path));
    }
    let (folder, path) = place();
    let test = "a_disk_that_gets_full_leaves_what_was_written_before";
    let told = recorded_with_room_for(1500, &path, test);
    let (before, after) = told.split_once(" up to cycle ").unwrap_or_else(|| panic!("{told}"));
    assert_eq!(before, format!("the waveform {} could be written", path.display()));
    let (last, _) = after.split_once(" only: ").unwrap_or_else(|| panic!("{told}"));
    let last: u64 = last.parse().unwrap_or_else(|_| panic!("{told}"));
    assert!((800..CYCLES - 800).contains(&last), "a good part of it: {told}");
    assert!(told.contains("large"), "what the system says: {told}");
    assert_eq!(names_in(folder.path()), ["run.fst"]);

    let mut waves = wellen::simple::read(&path).expect("a readable file");
    let var = waves.hierarchy().lookup_var(&["Counters"], REGISTER).expect("a signal");
    let signal = waves.hierarchy()[var].signal_ref();
    waves.load_signals(&[signal]);
    let times = waves.time_table();
    assert_eq!(times.last().map(|time| time / TIME_PER_CYCLE), Some(last));
    let mut cycles = 0..;
    for (time, value) in waves.get_signal(signal).expect("loaded").iter_changes() {
        let cycle = cycles.next().expect("endless");
        assert_eq!(times[time as usize], cycle * TIME_PER_CYCLE);
        let expected = format!("{:0200b}", designs::counted(39, cycle));
        assert_eq!(value.to_bit_string().expect("digits"), expected, "cycle {cycle}");
    }
    assert_eq!(cycles.start, last + 1, "the register changes in every cycle");
}

#[test]
#[cfg(unix)]
fn a_disk_without_room_for_anything_leaves_what_was_there_and_an_error_says_so() {
    if let Some(path) = std::env::var_os(WITHOUT_ROOM) {
        return record_without_room(Path::new(&path));
    }
    let (folder, path) = place();
    std::fs::write(&path, "of a run before").expect("a writable folder");
    let test = "a_disk_without_room_for_anything_leaves_what_was_there_and_an_error_says_so";
    let told = recorded_with_room_for(100, &path, test);
    let expected =
        format!("cannot write the waveform {}: File too large (os error 27); nothing ", path.display());
    assert!(told.starts_with(&expected), "{told}");
    assert_eq!(names_in(folder.path()), ["run.fst"]);
    assert_eq!(std::fs::read(&path).expect("a file"), b"of a run before");
}

/// An engine whose time somebody else has made up; a snapshot with such a cycle would be refused.
struct MadeUpTime {
    engine: Interpreter,
    cycle: u64,
}

impl Simulator for MadeUpTime {
    fn flat(&self) -> &Flat {
        self.engine.flat()
    }
    fn poke(&mut self, input: usize, value: &Bits) {
        self.engine.poke(input, value);
    }
    fn peek(&mut self, output: usize) -> Bits {
        self.engine.peek(output)
    }
    fn peek_signal(&mut self, signal: usize) -> Option<Bits> {
        self.engine.peek_signal(signal)
    }
    fn step_clocks(&mut self, clocks: &[usize]) -> Result<(), StepError> {
        self.engine.step_clocks(clocks)
    }
    fn cycle(&self) -> u64 {
        self.cycle
    }
    fn read_memory(&self, memory: usize, word: u32) -> Bits {
        self.engine.read_memory(memory, word)
    }
    fn write_memory(&mut self, memory: usize, word: u32, value: &Bits) {
        self.engine.write_memory(memory, word, value);
    }
    fn save(&mut self) -> Result<Snapshot, SnapshotError> {
        self.engine.save()
    }
    fn restore(&mut self, snapshot: &Snapshot) -> Result<(), SnapshotError> {
        self.engine.restore(snapshot)
    }
}

#[test]
fn a_cycle_beyond_the_times_of_a_file_is_refused_and_what_came_before_stays() {
    let (_folder, path) = place();
    let last = u64::MAX / TIME_PER_CYCLE - 1;
    let engine = Interpreter::new(&elaborate(&Top).expect("a good design"));
    let mut engine = MadeUpTime { engine, cycle: last - 1 };
    let mut recorder = create(&path).expect("a writable folder");
    recorder.sample(&mut engine, &[0]).expect("it has a time");
    engine.cycle = last;
    recorder.sample(&mut engine, &[0]).expect("it has a time");
    for cycle in [last + 1, u64::MAX] {
        engine.cycle = cycle;
        let error = recorder.sample(&mut engine, &[0]).expect_err("it has no time");
        assert!(matches!(error, FstError::TooLate { cycle: refused } if refused == cycle), "{error}");
        assert!(error.to_string().contains(&format!("end with cycle {last};")), "{error}");
    }
    recorder.finish().expect("a writable file");
    let waves = wellen::simple::read(&path).expect("a readable file");
    assert_eq!(waves.time_table().last(), Some(&((last + 1) * TIME_PER_CYCLE)));
}
