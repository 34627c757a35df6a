//! The Verilator engine: the same as the interpreter, only faster.

mod agreement;
mod circuits;
mod conformance;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use agreement::assert_agreement;
use circuits::{Counter, Machine, Ripple, Rom, TwoClocks, Wide};
use conformance::{
    assert_a_run_ends_before_the_edge_at_which_a_property_fails,
    assert_a_run_ends_when_a_watched_output_changes, compare_library_modules, count, design, enable,
};
use ferrite_hdl::library::{AsyncFifo, Queue};
use ferrite_hdl::prelude::*;
use ferrite_sim::{Sim, Simulator, Verilator, VerilatorError, VerilatorOptions};

/// Builds of tests are kept beside Cargo's.
fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("verilator")
}

fn quick() -> VerilatorOptions {
    VerilatorOptions { fast_build: true, cache: Some(cache()), ..VerilatorOptions::default() }
}

/// The simulator; `None` if a tool is missing, which FERRITE_REQUIRE_TOOLS forbids.
fn build(design: &Design, options: &VerilatorOptions) -> Option<Verilator> {
    match Verilator::new(design, options) {
        Ok(verilator) => Some(verilator),
        Err(error @ VerilatorError::Missing { .. })
            if std::env::var_os("FERRITE_REQUIRE_TOOLS").is_none() =>
        {
            eprintln!("SKIPPED: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn agrees<M: Module>(module: &M, cycles: u32) -> u32 {
    agree(&design(module), cycles)
}

fn agree(design: &Design, cycles: u32) -> u32 {
    let mut failures = 0;
    for signals in [false, true] {
        let options = VerilatorOptions { signals, ..quick() };
        for seed in 0..4 {
            let Some(mut verilator) = build(design, &options) else { return u32::MAX };
            failures += assert_agreement(design, &mut verilator, signals, cycles, seed);
        }
    }
    failures
}

#[test]
fn library_modules_run_as_on_the_interpreter() {
    compare_library_modules(agree);
}

#[test]
fn clocks_may_tick_together_or_apart() {
    agrees(&AsyncFifo { width: 8, depth: 4 }, 600);
    assert!(agrees(&TwoClocks, 300) > 0, "a property of each clock fails now and then");
}

#[test]
fn every_signal_of_nested_instances_memories_bundles_and_enums_is_the_interpreters() {
    assert!(agrees(&Machine, 600) > 0, "properties fail now and then");
}

#[test]
fn ports_and_memories_of_any_width_work() {
    agrees(&Wide, 300);
}

#[test]
fn bits_made_from_lower_bits_are_read_too() {
    agrees(&Ripple { width: 130 }, 100);
}

/// A counter that counts.
fn counter(options: &VerilatorOptions, limit: u64) -> Option<Verilator> {
    let mut sim = build(&design(&Counter { limit }), options)?;
    enable(&mut sim);
    Some(sim)
}

#[test]
fn a_run_ends_when_a_watched_output_changes() {
    let Some(mut sim) = counter(&quick(), 1000) else { return };
    assert_a_run_ends_when_a_watched_output_changes(&mut sim);
}

#[test]
fn a_run_ends_before_the_edge_at_which_a_property_fails() {
    let Some(mut sim) = counter(&quick(), 50) else { return };
    assert_a_run_ends_before_the_edge_at_which_a_property_fails(&mut sim);
}

#[test]
fn without_signals_ports_can_be_read_by_their_signals() {
    let design = design(&Machine);
    let Some(mut sim) = build(&design, &quick()) else { return };
    sim.poke(1, &Bits::from_bool(true));
    let signal = |name: &str| design.flat.signals.iter().position(|s| s.name == name).expect("it exists");
    assert_eq!(sim.peek_signal(signal("words_valid")), Some(Bits::from_bool(true)));
    assert_eq!(sim.peek_signal(signal("phase_q")), Some(sim.peek(sim.output("phase").unwrap())));
    assert_eq!(sim.peek_signal(signal("stored")), None);
}

#[test]
fn models_of_one_design_share_nothing() {
    let Some(mut one) = counter(&quick(), 1000) else { return };
    let mut two = counter(&quick(), 1000).expect("built already");
    one.step(10).unwrap();
    two.step(20).unwrap();
    assert_eq!((one.peek(0), two.peek(0)), (count(10), count(20)));
    drop(one);
    assert_eq!(two.step(1).map(|()| two.peek(0)), Ok(count(21)));
}

/// Options with a cache of their own, and the number of builds so far.
fn counted(folder: &Path) -> (VerilatorOptions, Arc<AtomicU32>) {
    let builds = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&builds);
    let count = move || {
        counter.fetch_add(1, Ordering::Relaxed);
    };
    (
        VerilatorOptions { cache: Some(folder.to_path_buf()), on_build: Some(Arc::new(count)), ..quick() },
        builds,
    )
}

/// The library of the only simulator in a cache.
fn library(folder: &Path) -> PathBuf {
    let entries = std::fs::read_dir(folder).expect("the cache exists").flatten();
    let mut libraries = entries.map(|e| e.path().join("simulator.so")).filter(|file| file.exists());
    libraries.next().expect("a simulator")
}

#[test]
fn a_design_is_built_once_even_by_threads_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let (options, builds) = counted(folder.path());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| counter(&options, 77).map(|mut sim| sim.step(9).map(|()| sim.peek(0))));
        }
    });
    let Some(mut sim) = counter(&options, 77) else { return };
    assert_eq!(sim.step(5).map(|()| sim.peek(0)), Ok(count(5)));
    assert_eq!(builds.load(Ordering::Relaxed), 1);
    // Another design is another simulator; other contents of memories are not.
    counter(&options, 78);
    assert_eq!(builds.load(Ordering::Relaxed), 2);
    let scratch = std::fs::read_dir(folder.path()).unwrap().flatten();
    assert!(scratch.into_iter().all(|e| !e.file_name().to_string_lossy().contains("building")));
}

#[test]
fn a_damaged_simulator_is_built_again() {
    let folder = tempfile::tempdir().unwrap();
    let (options, builds) = counted(folder.path());
    if counter(&options, 79).is_none() {
        return;
    }
    let file = library(folder.path());
    let whole = std::fs::read(&file).unwrap();
    // The file itself may still be mapped.
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let mut sim = counter(&options, 79).expect("the tools are there");
    assert_eq!(sim.step(5).map(|()| sim.peek(0)), Ok(count(5)));
    std::fs::remove_file(&file).unwrap();
    counter(&options, 79).expect("the tools are there");
    assert_eq!(builds.load(Ordering::Relaxed), 3);
}

fn error(options: &VerilatorOptions) -> String {
    match Verilator::new(&design(&Counter { limit: 80 }), options) {
        Ok(_) => panic!("there is no simulator to be had"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_missing_tool_is_named_with_what_installs_it() {
    let options = VerilatorOptions { verilator: PathBuf::from("no-such-verilator"), ..quick() };
    let said = error(&options);
    assert!(
        said.contains("`no-such-verilator` was not found") && said.ends_with("apt install verilator"),
        "{said}"
    );
    let options = VerilatorOptions { compiler: PathBuf::from("no-such-compiler"), ..quick() };
    let said = error(&options);
    assert!(said.contains("no-such-compiler") || said.contains("verilator"), "{said}");
    assert!(said.contains("apt install"), "{said}");
}

/// A program that says its version, and else fails.
fn broken_tool(folder: &Path, name: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let (draft, file) = (folder.join(format!("{name}.sh")), folder.join(name));
    let script =
        "#!/bin/sh\ncase $1 in --version|--getenv) echo 1;; *) echo too old for this >&2; exit 3;; esac\n";
    std::fs::write(&draft, script).unwrap();
    std::fs::set_permissions(&draft, std::fs::Permissions::from_mode(0o755)).unwrap();
    // Another process makes the file that is started: a process that another thread starts while this one writes it would inherit the open file, which is
    // then "busy" (ETXTBSY).
    assert!(std::process::Command::new("cp").arg("-p").args([&draft, &file]).status().unwrap().success());
    file
}

#[test]
fn a_failed_build_shows_what_the_tool_says_and_leaves_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let verilator = broken_tool(folder.path(), "verilator");
    let compiler = broken_tool(folder.path(), "compiler");
    let cache = folder.path().join("cache");
    let options = VerilatorOptions { verilator, compiler, cache: Some(cache.clone()), ..quick() };
    match Verilator::new(&design(&Counter { limit: 81 }), &options) {
        Err(VerilatorError::Build { program, message, folder }) => {
            assert!(program.ends_with("verilator"));
            assert_eq!(message, "too old for this");
            assert!(folder.starts_with(&cache) && folder.join("Vferrite.v").exists());
        }
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("the tool fails"),
    }
}

#[test]
fn a_cache_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let tool = broken_tool(folder.path(), "tool");
    let cache = Some(file.join("cache"));
    let said = error(&VerilatorOptions { verilator: tool.clone(), compiler: tool, cache, ..quick() });
    assert!(said.contains("file/cache") && said.contains("FERRITE_CACHE"), "{said}");
}

#[test]
fn another_program_in_a_rom_needs_no_other_simulator() {
    let folder = tempfile::tempdir().unwrap();
    let (options, builds) = counted(folder.path());
    for first in [5, 6] {
        let Some(mut sim) = build(&design(&Rom { first }), &options) else { return };
        assert_eq!(sim.peek(0), Bits::from_u64(16, first));
        assert_eq!(sim.peek(1), Bits::from_u64(16, 0));
        sim.step(1).unwrap();
        assert_eq!(sim.peek(1), Bits::from_u64(16, first + 1));
        assert_eq!(sim.read_memory(1, 0), Bits::from_u64(16, first + 1));
    }
    assert_eq!(builds.load(Ordering::Relaxed), 1);
}

#[test]
fn tests_of_modules_run_on_it_through_their_bundles() {
    let queue = Queue { width: 8, depth: 2 };
    let Some(engine) = build(&design(&queue), &quick()) else { return };
    let mut sim = Sim::on(&queue, Box::new(engine));
    let enq = sim.i.enq.clone();
    sim.set(enq.valid, 1);
    sim.step();
    assert_eq!(sim.peek().count, 1);
}
