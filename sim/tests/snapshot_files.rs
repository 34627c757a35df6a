//! Snapshots as files, and what is not one: nothing that a file holds ends the program.

mod agreement;
mod designs;

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use agreement::Random;
use designs::Top;
use ferrite_hdl::{Design, elaborate};
use ferrite_sim::{
    FstOptions, FstRecorder, Interpreter, Native, NativeOptions, Simulator, Snapshot, SnapshotError,
};
use sha2::{Digest, Sha256};

/// Bytes of a file before its lengths and contents: magic, version, length.
const START_BYTES: usize = 20;
/// Bytes of the checksum at its end.
const DIGEST_BYTES: usize = 32;

fn design() -> Design {
    elaborate(&Top).expect("a good design")
}

/// The file of a state.
fn saved(folder: &Path) -> PathBuf {
    let mut sim = Interpreter::new(&design());
    sim.step(3).expect("no property fails");
    let mut snapshot = sim.save().expect("it shows its registers");
    snapshot.set_harness(b"whatever drives it".to_vec());
    let path = folder.join("top.snapshot");
    snapshot.write(&path).expect("a writable folder");
    path
}

#[test]
fn what_drives_the_design_may_add_something() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = saved(folder.path());
    let snapshot = Snapshot::read(path).expect("a good file");
    assert_eq!((snapshot.harness(), snapshot.cycle()), (&b"whatever drives it"[..], 3));
}

#[test]
fn a_file_that_is_cut_off_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = saved(folder.path());
    let bytes = fs::read(&path).expect("the file is there");
    for length in 0..bytes.len() {
        fs::write(&path, &bytes[..length]).expect("a writable folder");
        match (length, Snapshot::read(&path)) {
            (0..8, Err(SnapshotError::Foreign { .. })) => {}
            (8.., Err(SnapshotError::Truncated { found, .. })) if found == length as u64 => {}
            (_, read) => panic!("{length} bytes: {read:?}"),
        }
    }
    let longer = [&bytes[..], b"x"].concat();
    fs::write(&path, longer).expect("a writable folder");
    assert!(matches!(Snapshot::read(&path), Err(SnapshotError::Damaged { .. })), "a byte too many");
}

#[test]
fn a_file_with_any_other_bit_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = saved(folder.path());
    let bytes = fs::read(&path).expect("the file is there");
    for byte in 0..bytes.len() {
        for bit in [0, 3, 7] {
            let mut damaged = bytes.clone();
            damaged[byte] ^= 1 << bit;
            fs::write(&path, damaged).expect("a writable folder");
            let read = Snapshot::read(&path);
            let known = match byte {
                0..8 => matches!(read, Err(SnapshotError::Foreign { .. })),
                8..12 => matches!(read, Err(SnapshotError::Version { known: 1, .. })),
                12..20 => {
                    matches!(read, Err(SnapshotError::Truncated { .. } | SnapshotError::Damaged { .. }))
                }
                _ => matches!(read, Err(SnapshotError::Damaged { .. })),
            };
            assert!(known, "bit {bit} of byte {byte}: {read:?}");
        }
    }
}

/// A file with such bytes between its start and its checksum, both of which fit them.
fn write_made_up(path: &Path, start: &[u8], content: &[u8]) {
    let bytes = START_BYTES + content.len() + DIGEST_BYTES;
    let mut made_up = start[..START_BYTES - 8].to_vec();
    made_up.extend((bytes as u64).to_le_bytes());
    made_up.extend(content);
    let digest = Sha256::digest(&made_up);
    made_up.extend(digest);
    fs::write(path, made_up).expect("a writable folder");
}

/// What became of files that somebody made up.
#[derive(Debug, Default)]
struct Fates {
    unreadable: u32,
    refused: u32,
    accepted: u32,
}

/// Engines that go on from files that somebody made up.
struct Victims {
    folder: tempfile::TempDir,
    engines: [Box<dyn Simulator>; 2],
    fates: Fates,
}

impl Victims {
    fn new() -> Victims {
        let design = design();
        let native = Native::new(&design, &NativeOptions::default()).expect("this machine");
        let engines: [Box<dyn Simulator>; 2] = [Box::new(Interpreter::new(&design)), Box::new(native)];
        Victims { folder: tempfile::tempdir().expect("a folder"), engines, fates: Fates::default() }
    }

    /// Reads a file, and runs and records what is in it as far as it is taken.
    fn meet(&mut self, path: &Path) {
        let snapshot = match Snapshot::read(path) {
            Ok(snapshot) => snapshot,
            Err(SnapshotError::Damaged { .. }) => {
                self.fates.unreadable += 1;
                return;
            }
            Err(error) => panic!("its start and its checksum are right: {error}"),
        };
        let mut taken = 0;
        for engine in &mut self.engines {
            let before = engine.save().expect("it shows its registers");
            match engine.restore(&snapshot) {
                Err(SnapshotError::OtherDesign { .. } | SnapshotError::Impossible { .. }) => {
                    assert!(engine.save().expect("it shows its registers") == before, "nothing is changed");
                }
                Err(error) => panic!("{error}"),
                Ok(()) => {
                    taken += 1;
                    record(&self.folder.path().join("run.fst"), &mut **engine);
                }
            }
        }
        match taken {
            0 => self.fates.refused += 1,
            2 => self.fates.accepted += 1,
            _ => panic!("the engines do not agree"),
        }
    }
}

fn record(path: &Path, engine: &mut dyn Simulator) {
    let mut recorder = FstRecorder::create(path, engine.flat(), &FstOptions::default()).expect("a folder");
    for _ in 0..3 {
        recorder.sample(engine, &[0]).expect("a time that a waveform has");
        engine.step(1).expect("no property fails");
    }
    recorder.finish().expect("a writable file");
}

#[test]
fn a_file_that_somebody_else_made_up_is_refused_or_runs() {
    let mut victims = Victims::new();
    let path = saved(victims.folder.path());
    let bytes = fs::read(&path).expect("the file is there");
    let (start, content) = (&bytes[..START_BYTES], &bytes[START_BYTES..bytes.len() - DIGEST_BYTES]);
    let mut random = Random::new(1);
    for n in 0..3000 {
        let mut made_up = content.to_vec();
        for _ in 0..1 + n % 3 {
            let byte = (random.number() % made_up.len() as u64) as usize;
            made_up[byte] = random.number() as u8;
        }
        write_made_up(&path, start, &made_up);
        victims.meet(&path);
    }
    let Fates { unreadable, refused, accepted } = victims.fates;
    assert!(unreadable > 50 && refused > 100 && accepted > 100, "{:?}", victims.fates);
}

#[test]
fn lengths_and_counts_that_somebody_else_made_up_are_refused_before_anything_is_allocated_for_them() {
    let mut victims = Victims::new();
    let path = saved(victims.folder.path());
    let bytes = fs::read(&path).expect("the file is there");
    let (start, content) = (&bytes[..START_BYTES], &bytes[START_BYTES..bytes.len() - DIGEST_BYTES]);
    // Of 64 bits, of which some overflow when they are multiplied by the bytes of a word.
    let numbers = [0, 1, 1 << 20, 1 << 32, 1 << 61, (1 << 61) + 1, i64::MAX as u64, u64::MAX];
    for at in 0..content.len() - 7 {
        for number in numbers {
            let mut made_up = content.to_vec();
            made_up[at..at + 8].copy_from_slice(&number.to_le_bytes());
            write_made_up(&path, start, &made_up);
            victims.meet(&path);
        }
    }
    let Fates { unreadable, refused, accepted } = victims.fates;
    assert!(unreadable > 50 && refused > 100 && accepted > 100, "{:?}", victims.fates);
    // The length of the whole file, too.
    for length in numbers.into_iter().chain([u64::from(u32::MAX)]) {
        let mut made_up = bytes.clone();
        made_up[START_BYTES - 8..START_BYTES].copy_from_slice(&length.to_le_bytes());
        fs::write(&path, made_up).expect("a writable folder");
        let refused = Snapshot::read(&path).expect_err("it has another length");
        let known = matches!(refused, SnapshotError::Truncated { .. } | SnapshotError::Damaged { .. });
        assert!(known, "{length}: {refused}");
    }
    let largest = LARGEST.load(Ordering::Relaxed);
    assert!(largest < 16 << 20, "somebody has allocated {largest} bytes at once");
}

#[test]
fn a_file_that_is_cut_off_is_refused_though_its_length_and_its_checksum_are_right() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = saved(folder.path());
    let bytes = fs::read(&path).expect("the file is there");
    let (start, content) = (&bytes[..START_BYTES], &bytes[START_BYTES..bytes.len() - DIGEST_BYTES]);
    for length in 0..content.len() {
        write_made_up(&path, start, &content[..length]);
        let read = Snapshot::read(&path);
        assert!(matches!(read, Err(SnapshotError::Damaged { .. })), "{length} bytes: {read:?}");
    }
    write_made_up(&path, start, content);
    assert_eq!(fs::read(&path).expect("the file is there"), bytes, "whole, it is the file that was saved");
}

#[test]
fn a_cycle_that_no_run_gets_to_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = saved(folder.path());
    let bytes = fs::read(&path).expect("the file is there");
    let (start, content) = (&bytes[..START_BYTES], &bytes[START_BYTES..bytes.len() - DIGEST_BYTES]);
    let mut engine = Interpreter::new(&design());
    for (cycle, is_taken) in [(1 << 56, true), ((1 << 56) + 1, false), (u64::MAX, false)] {
        let mut made_up = content.to_vec();
        made_up[32..40].copy_from_slice(&u64::to_le_bytes(cycle));
        write_made_up(&path, start, &made_up);
        let snapshot = Snapshot::read(&path).expect("its lengths are right");
        assert_eq!(snapshot.cycle(), cycle);
        match engine.restore(&snapshot) {
            Ok(()) => assert!(is_taken, "cycle {cycle}"),
            Err(error @ SnapshotError::Impossible { .. }) => {
                assert!(
                    !is_taken && error.to_string().contains(&format!("no run gets to its cycle {cycle};")),
                    "{error}"
                );
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn places_that_cannot_be_read_or_written_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let snapshot = Interpreter::new(&design()).save().expect("it shows its registers");
    fs::write(folder.path().join("file"), "x").expect("a writable folder");
    for place in ["", "file/snapshot"] {
        let error = snapshot.write(folder.path().join(place)).expect_err("no file can be there");
        assert!(matches!(error, SnapshotError::Write { .. }), "{error}");
    }
    let error = Snapshot::read(folder.path().join("missing")).expect_err("there is none");
    assert!(matches!(&error, SnapshotError::Read { .. }) && error.to_string().contains("missing"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).expect("it is there").count(), 1, "nothing is left behind");
}

#[test]
fn folders_that_are_missing_are_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let snapshot = Interpreter::new(&design()).save().expect("it shows its registers");
    let path = folder.path().join("missing").join("too").join("top.snapshot");
    snapshot.write(&path).expect("a writable folder");
    assert_eq!(Snapshot::read(&path).expect("a good file"), snapshot);
}

/// The most bytes that were allocated at once.
static LARGEST: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, which notes how much it is asked for.
struct Noting;

// SAFETY: every request goes to the system's allocator as it came, and what that gives goes back.
unsafe impl GlobalAlloc for Noting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST.fetch_max(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract, which is the same; the system's allocator gave the place.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        LARGEST.fetch_max(bytes, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(place, layout, bytes) }
    }
}

#[global_allocator]
static ALLOCATOR: Noting = Noting;
