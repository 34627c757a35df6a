//! FST files read back with `wellen`, the reader of Surfer, and compared with what the engine showed.

mod designs;

use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use designs::{Counters, LeafIn, Nested, Pair, Top};
use ferrite_hdl::{Bits, elaborate};
use ferrite_sim::{
    FstError, FstOptions, FstRecorder, Interpreter, KeptSignals, Native, NativeOptions, Sim, Simulator,
    TIME_PER_CYCLE, Verilator, VerilatorError, VerilatorOptions,
};
use tempfile::TempDir;
use wellen::simple::Waveform;
use wellen::{Hierarchy, ScopeRef};

const CYCLES: u64 = 60;

/// What an engine showed before every step.
struct Run {
    /// The clocks stepped after each sample.
    stepped: Vec<Vec<usize>>,
    /// Per cycle, the signals in the order of the netlist, unless the engine hides them.
    signals: Vec<Vec<Option<Bits>>>,
    /// Per cycle, the words of the first memory.
    words: Vec<Vec<Bits>>,
}

fn everything() -> FstOptions {
    FstOptions::everything(interpreter().flat())
}

fn interpreter() -> Interpreter {
    Interpreter::new(&elaborate(&Top).expect("a good design"))
}

/// Runs [`Top`] with inputs and clocks that follow a fixed pattern, recording it as `options` say.
fn record(path: &Path, engine: &mut dyn Simulator, options: &FstOptions) -> Run {
    let mut run = Run { stepped: Vec::new(), signals: Vec::new(), words: Vec::new() };
    record_beside(path, engine, options, |engine, clocks| {
        let signals = engine.flat().signals.len();
        run.signals.push((0..signals).map(|k| engine.peek_signal(k)).collect());
        let depth = engine.flat().memories[0].depth;
        run.words.push((0..depth).map(|word| engine.read_memory(0, word)).collect());
        run.stepped.push(clocks.to_vec());
    });
    run
}

/// The same; `look` sees every cycle, with the clocks that are stepped then, before it is recorded.
fn record_beside(
    path: &Path,
    engine: &mut dyn Simulator,
    options: &FstOptions,
    mut look: impl FnMut(&mut dyn Simulator, &[usize]),
) {
    let mut recorder = FstRecorder::create(path, engine.flat(), options).expect("a writable folder");
    for cycle in 0..CYCLES {
        poke(engine, cycle);
        let clocks: &[usize] = match cycle % 4 {
            3 => &[1],
            2 => &[0, 1],
            _ => &[0],
        };
        look(engine, clocks);
        recorder.sample(engine, clocks).expect("a writable file");
        engine.step_clocks(clocks).expect("no property fails");
    }
    recorder.finish().expect("a writable file");
}

/// Inputs of [`Top`] that are different in every cycle.
fn poke(engine: &mut dyn Simulator, cycle: u64) {
    let inputs = [
        ("pair_low", Bits::from_u64(8, cycle * 37)),
        ("pair_high", Bits::from_u64(8, 200 + cycle * 11)),
        ("go", Bits::from_bool(cycle % 5 == 1)),
        ("rst", Bits::from_bool(cycle % 23 == 22)),
    ];
    for (name, value) in inputs {
        let input = engine.input(name).expect("a port of the top");
        engine.poke(input, &value);
    }
}

/// [`Top`] on the native engine.
fn native(signals: KeptSignals) -> Native {
    let design = elaborate(&Top).expect("a good design");
    Native::new(&design, &NativeOptions { signals, ..NativeOptions::default() }).expect("this machine")
}

/// [`Top`] on Verilator; `None` if a tool is missing, which FERRITE_REQUIRE_TOOLS forbids.
fn verilator(signals: bool) -> Option<Verilator> {
    let design = elaborate(&Top).expect("a good design");
    let options = VerilatorOptions { signals, fast_build: true, ..VerilatorOptions::default() };
    match Verilator::new(&design, &options) {
        Ok(engine) => Some(engine),
        Err(error @ VerilatorError::Missing { .. })
            if std::env::var_os("FERRITE_REQUIRE_TOOLS").is_none() =>
        {
            eprintln!("SKIPPED: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// A folder for one test and a file in it.
fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.fst");
    (folder, path)
}

/// A value that is not hidden, as a file shows it.
fn shown(value: &Option<Bits>) -> String {
    digits(value.as_ref().expect("a signal that the engine shows"))
}

fn digits(value: &Bits) -> String {
    (0..value.width()).rev().map(|bit| if value.bit(bit) { '1' } else { '0' }).collect()
}

/// A file with all of its signals loaded.
struct File(Waveform);

impl File {
    fn open(path: &Path) -> File {
        let mut waves = wellen::simple::read(path).expect("a readable file");
        let all: Vec<_> = waves.hierarchy().all_vars().map(|v| waves.hierarchy()[v].signal_ref()).collect();
        waves.load_signals(&all);
        File(waves)
    }

    /// A signal's value at a time; `path` are its scopes and its name. Words of a memory are `[0]`, `[1]` ... in a scope of its name.
    fn value(&self, path: &str, time: u64) -> String {
        let mut names: Vec<&str> = path.split('.').collect();
        let name = names.pop().expect("a name");
        let h = self.0.hierarchy();
        let var = h.lookup_var(&names, name).unwrap_or_else(|| panic!("no signal {path}"));
        let signal = h[var].signal_ref();
        let times = self.0.time_table();
        let changes = self.0.get_signal(signal).expect("loaded").iter_changes();
        let until = changes.take_while(|(index, _)| times[*index as usize] <= time).last();
        until.map_or("x".to_string(), |(_, value)| value.to_bit_string().expect("digits"))
    }

    /// The hierarchy as text.
    fn outline(&self) -> String {
        let h = self.0.hierarchy();
        let mut text = String::new();
        h.scopes().for_each(|scope| outline(h, scope, 0, &mut text));
        text
    }
}

fn outline(h: &Hierarchy, scope: ScopeRef, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    let (name, module) = (h[scope].name(h), h[scope].component(h).unwrap_or("-"));
    writeln!(text, "{indent}{name}: {module}").unwrap();
    for var in h[scope].vars(h).map(|var| &h[var]) {
        let (name, kind, direction) = (var.name(h), var.var_type(), var.direction());
        write!(text, "{indent}  {name} {} {kind:?} {direction:?}", var.length(h).unwrap_or(0)).unwrap();
        if let Some((name, values)) = var.enum_type(h) {
            let values: Vec<String> = values.iter().map(|(code, name)| format!("{code}={name}")).collect();
            write!(text, " {name} {{{}}}", values.join(", ")).unwrap();
        }
        text.push('\n');
    }
    h[scope].scopes(h).for_each(|inner| outline(h, inner, depth + 1, text));
}

#[test]
fn a_file_has_the_values_that_the_engine_showed_in_every_cycle() {
    let (_folder, path) = place();
    let mut engine = interpreter();
    let run = record(&path, &mut engine, &everything());
    let file = File::open(&path);
    let mut widest = 0;
    for (k, signal) in engine.flat().signals.iter().enumerate() {
        widest = widest.max(signal.shape.width);
        let path = format!("{}.{}", engine.flat().scope_path(signal.scope), signal.name);
        for (cycle, values) in run.signals.iter().enumerate() {
            // Right at the edge and just before the next one.
            let time = cycle as u64 * TIME_PER_CYCLE;
            for time in [time, time + TIME_PER_CYCLE - 1] {
                assert_eq!(file.value(&path, time), shown(&values[k]), "{path} in cycle {cycle}");
            }
        }
    }
    for (cycle, words) in run.words.iter().enumerate() {
        for (word, value) in words.iter().enumerate() {
            let path = format!("Top.store.words.[{word}]");
            assert_eq!(file.value(&path, cycle as u64 * TIME_PER_CYCLE), digits(value), "{path}, {cycle}");
        }
    }
    assert!(widest > 128, "the design has a signal of more than two words");
    assert_eq!(file.0.time_table().last(), Some(&(CYCLES * TIME_PER_CYCLE)), "the last cycle has its length");
}

#[test]
fn scopes_and_signals_are_named_as_in_rust_and_enums_have_their_names() {
    let (_folder, path) = place();
    record(&path, &mut interpreter(), &everything());
    insta::assert_snapshot!(File::open(&path).outline());
}

#[test]
fn a_clock_rises_where_it_was_stepped_and_falls_half_a_cycle_later() {
    let (_folder, path) = place();
    let run = record(&path, &mut interpreter(), &everything());
    let file = File::open(&path);
    for (k, clock) in ["Top.clk", "Top.fast_clk"].into_iter().enumerate() {
        for cycle in 0..CYCLES as usize {
            let rises = cycle > 0 && run.stepped[cycle - 1].contains(&k);
            let time = cycle as u64 * TIME_PER_CYCLE;
            assert_eq!(file.value(clock, time), digits(&Bits::from_bool(rises)), "{clock} at {time}");
            assert_eq!(file.value(clock, time + 4), digits(&Bits::from_bool(rises)), "{clock} at {time} + 4");
            assert_eq!(file.value(clock, time + 5), "0", "{clock} at {time} + 5");
        }
    }
}

#[test]
fn signals_of_one_value_share_one_trace() {
    let (_folder, path) = place();
    record(&path, &mut interpreter(), &everything());
    let file = File::open(&path);
    let h = file.0.hierarchy();
    let trace = |path: &[&str], name: &str| h[h.lookup_var(path, name).expect("a signal")].signal_ref();
    let outer = trace(&["Top"], "go");
    assert_eq!(trace(&["Top", "adder"], "go"), outer);
    assert_eq!(trace(&["Top", "subtracter"], "go"), outer);
    assert_ne!(trace(&["Top", "adder"], "sum"), trace(&["Top", "subtracter"], "sum"));
}

#[test]
fn only_the_chosen_scopes_and_cycles_are_recorded() {
    let (_folder, path) = place();
    let mut engine = interpreter();
    let options =
        FstOptions { scopes: vec!["Top.subtracter".to_string()], start: 10, stop: Some(20), ..everything() };
    let run = record(&path, &mut engine, &options);
    let file = File::open(&path);
    insta::assert_snapshot!(file.outline());
    let signals = &engine.flat().signals;
    let sum =
        signals.iter().position(|s| s.name == "sum" && engine.flat().scope_path(s.scope) == "Top.subtracter");
    let sum = sum.expect("a signal");
    assert!(file.value("Top.subtracter.sum", 99).starts_with('x'), "nothing before the start");
    assert_eq!(file.value("Top.subtracter.sum", 100), shown(&run.signals[10][sum]));
    assert_eq!(file.value("Top.subtracter.sum", 190), shown(&run.signals[19][sum]));
    assert_eq!(file.0.time_table().last(), Some(&200));
}

#[test]
fn without_a_choice_the_top_and_the_instances_in_it_are_recorded() {
    let (_folder, path) = place();
    let engine = Interpreter::new(&elaborate(&Nested).expect("a good design"));
    let recorder = FstRecorder::create(&path, engine.flat(), &FstOptions::default());
    recorder.expect("a writable folder").finish().expect("a writable file");
    let outline = File::open(&path).outline();
    assert!(outline.contains("  inner: Top"), "{outline}");
    assert!(!outline.contains("adder"), "{outline}");
}

#[test]
fn cycles_outside_of_the_options_need_no_sample() {
    let (_folder, path) = place();
    let options = FstOptions { start: 10, stop: Some(20), ..everything() };
    let recorder = FstRecorder::create(&path, interpreter().flat(), &options).expect("a writable folder");
    let unrecorded = [0, 9, 10, 19, 20].map(|cycle| recorder.unrecorded(cycle));
    assert_eq!(unrecorded, [10, 1, 0, 0, u64::MAX]);
}

#[test]
fn an_unknown_scope_is_an_error_that_lists_the_known_ones() {
    let (folder, path) = place();
    let engine = interpreter();
    let options = FstOptions { scopes: vec!["Top.middle".to_string()], ..everything() };
    let error = FstRecorder::create(&path, engine.flat(), &options).err().expect("no such scope");
    assert_eq!(
        error.to_string(),
        "the design has no scope `Top.middle` to record; it has: Top, Top.adder, Top.subtracter, Top.store"
    );
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

#[test]
fn memories_are_recorded_up_to_the_size_of_the_options() {
    let (_folder, path) = place();
    record(&path, &mut interpreter(), &FstOptions { memory_words: 15, ..everything() });
    assert!(!File::open(&path).outline().contains("words"));
    record(&path, &mut interpreter(), &FstOptions { memory_words: 16, ..everything() });
    assert!(File::open(&path).outline().contains("words"));
}

#[test]
fn a_run_that_fails_leaves_its_waveform_up_to_the_failure() {
    let (_folder, path) = place();
    let run = || {
        let mut sim = Sim::new(&Top).expect("a good design");
        sim.trace(&path).expect("a writable folder");
        sim.poke(LeafIn { pair: Pair { low: 1, high: 2 }, go: 0 });
        for _ in 0..5 {
            sim.step();
        }
        // Wider than its port: a mistake of the test.
        sim.poke(LeafIn { pair: Pair { low: 256, high: 2 }, go: 0 });
    };
    assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
    let file = File::open(&path);
    assert_eq!(file.0.time_table().last(), Some(&50));
    assert_eq!(file.value("Top.pair_high", 40), "00000010");
}

#[test]
fn the_same_run_gives_the_same_file() {
    let (folder, first) = place();
    let second = folder.path().join("second.fst");
    record(&first, &mut interpreter(), &everything());
    record(&second, &mut interpreter(), &everything());
    assert_eq!(std::fs::read(first).expect("a file"), std::fs::read(second).expect("a file"));
}

#[test]
fn every_engine_writes_the_same_file() {
    let (folder, interpreted) = place();
    let other = folder.path().join("other.fst");
    for start in [0, 7] {
        let options = FstOptions { start, ..everything() };
        record_beside(&interpreted, &mut interpreter(), &options, |_, _| {});
        let expected = std::fs::read(&interpreted).expect("a file");
        let same = |name: &str, engine: &mut dyn Simulator| {
            record_beside(&other, engine, &options, |_, _| {});
            assert!(std::fs::read(&other).expect("a file") == expected, "{name}, from cycle {start} on");
        };
        same("native", &mut native(KeptSignals::Needed));
        same("native with signals in memory", &mut native(KeptSignals::All));
        if let Some(mut verilator) = verilator(true) {
            same("verilator", &mut verilator);
        }
    }
}

#[test]
fn of_several_samples_in_one_cycle_the_last_is_seen() {
    for engine in [&mut interpreter() as &mut dyn Simulator, &mut native(KeptSignals::All)] {
        let (_folder, path) = place();
        let mut recorder = FstRecorder::create(&path, engine.flat(), &everything()).expect("a folder");
        let signals = engine.flat().signals.clone();
        let path_of =
            |k: usize| format!("{}.{}", engine.flat().scope_path(signals[k].scope), signals[k].name);
        let paths: Vec<String> = (0..signals.len()).map(path_of).collect();
        let mut seen = Vec::new();
        for cycle in 0..4 {
            // Of these values only the last are those that the edge sees.
            for (attempt, clocks) in [(10, &[0][..]), (20, &[0, 1]), (cycle, &[1])] {
                poke(engine, attempt);
                recorder.sample(engine, clocks).expect("a writable file");
            }
            seen.push((0..paths.len()).map(|k| engine.peek_signal(k)).collect::<Vec<_>>());
            engine.step_clocks(&[1]).expect("no property fails");
        }
        recorder.finish().expect("a writable file");
        let file = File::open(&path);
        for (cycle, values) in (0..).zip(&seen) {
            let time = cycle * TIME_PER_CYCLE;
            for (path, value) in paths.iter().zip(values) {
                assert_eq!(file.value(path, time), shown(value), "{path} in cycle {cycle}");
            }
            assert_eq!(file.value("Top.clk", time), "0", "it was not stepped");
            assert_eq!(file.value("Top.fast_clk", time), if cycle == 0 { "0" } else { "1" });
        }
        assert_eq!(file.0.time_table().last(), Some(&(4 * TIME_PER_CYCLE)));
    }
}

#[test]
fn an_engine_that_goes_back_in_time_is_refused_and_what_came_before_stays() {
    let (_folder, path) = place();
    let mut engine = interpreter();
    let mut recorder = FstRecorder::create(&path, engine.flat(), &everything()).expect("a writable folder");
    let earlier = engine.save().expect("it shows its registers");
    for _ in 0..5 {
        recorder.sample(&mut engine, &[1]).expect("a writable file");
        engine.step_clocks(&[1]).expect("no property fails");
    }
    engine.restore(&earlier).expect("the same design");
    let error = recorder.sample(&mut engine, &[1]).expect_err("it has gone back");
    assert!(matches!(error, FstError::WentBack { last: 4, cycle: 0 }), "{error}");
    recorder.finish().expect("a writable file");
    let file = File::open(&path);
    assert_eq!(file.0.time_table().last(), Some(&(5 * TIME_PER_CYCLE)));
    assert_eq!(file.value("Top.ticks", 4 * TIME_PER_CYCLE), "00100");
}

#[test]
fn a_signal_that_the_engine_hides_stays_unknown() {
    let (_folder, path) = place();
    let Some(mut engine) = verilator(false) else { return };
    let run = record(&path, &mut engine, &everything());
    let file = File::open(&path);
    let mut hidden = 0;
    for (k, signal) in engine.flat().signals.iter().enumerate() {
        let path = format!("{}.{}", engine.flat().scope_path(signal.scope), signal.name);
        let value = file.value(&path, 0);
        match &run.signals[0][k] {
            Some(shown) => assert_eq!(value, digits(shown), "{path}"),
            None => {
                assert!(value.chars().all(|digit| digit == 'x'), "{path} is {value}");
                hidden += 1;
            }
        }
    }
    assert!(hidden > 0);
}

#[test]
fn a_run_with_more_changes_than_the_recorder_keeps_in_memory_is_whole() {
    // Each cycle changes 40 registers of 200 bits, about 30 bytes each; 1 MiB becomes a section.
    const CYCLES: u64 = 8_000;
    let (_folder, path) = place();
    let mut sim = Sim::new(&Counters { count: 40 }).expect("a good design");
    sim.trace(&path).expect("a writable folder");
    for _ in 0..CYCLES {
        sim.step();
    }
    sim.finish_trace().expect("a writable file");
    let file = File::open(&path);
    for cycle in [0, 1, CYCLES / 2, CYCLES - 1] {
        let expected = Bits::from_u64(200, designs::counted(39, cycle));
        let value = file.value("Counters.counter_39", cycle * TIME_PER_CYCLE);
        assert_eq!(value, digits(&expected), "in cycle {cycle}");
    }
}
