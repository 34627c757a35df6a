//! States that are saved and gone on from: a run that changes engines every few cycles is the run of one engine that is never interrupted.
//!
//! FERRITE_SNAPSHOTS sets how many random circuits there are (100 by default), FERRITE_SEED where to begin.

mod agreement;
mod circuits;
mod genes;
mod grid;

use std::path::Path;

use agreement::{Random, assert_agreement};
use circuits::{Counter, Machine, Ripple, Rom, TwoClocks, Wide};
use ferrite_hdl::flat::Flat;
use ferrite_hdl::library::{AsyncFifo, Queue};
use ferrite_hdl::prelude::*;
use ferrite_sim::{
    Interpreter, KeptSignals, Native, NativeOptions, Probes, Simulator, Snapshot, SnapshotError, StepError,
    Verilator, VerilatorError, VerilatorOptions,
};
use genes::{Circuit, genes};
use grid::{Element, Grid};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

fn design<M: Module>(module: &M) -> Design {
    elaborate(module).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// Lets a [`Counter`] count.
fn enable(sim: &mut dyn Simulator) {
    let enable = sim.input("enable").expect("the input exists");
    sim.poke(enable, &Bits::from_bool(true));
}

/// What a [`Counter`] shows.
fn count(value: u64) -> Bits {
    Bits::from_u64(32, value)
}

fn native(design: &Design, options: NativeOptions) -> Box<dyn Simulator> {
    Box::new(Native::new(design, &options).unwrap_or_else(|error| panic!("{error}")))
}

/// Engines of every kind, of which now one runs and now another.
struct Relay {
    engines: Vec<Box<dyn Simulator>>,
    running: usize,
    random: Random,
    /// Where states are put down on the way from one to the next.
    file: tempfile::NamedTempFile,
    changes: u32,
}

impl Relay {
    fn new(design: &Design, seed: u64) -> Relay {
        let plain = NativeOptions::default;
        let engines = vec![
            native(design, plain()),
            Box::new(Interpreter::new(design)),
            native(design, NativeOptions { signals: KeptSignals::All, ..plain() }),
            native(design, NativeOptions { never_sleep: true, ..plain() }),
            native(design, plain()),
        ];
        let file = tempfile::NamedTempFile::new().expect("a file");
        Relay { engines, running: 0, random: Random::new(seed ^ 77), file, changes: 0 }
    }

    fn change_now_and_then(&mut self) {
        if !self.random.one_in(3) {
            return;
        }
        let mut snapshot = self.engine().save().expect("it shows its registers");
        if self.random.one_in(4) {
            snapshot.write(self.file.path()).expect("a writable folder");
            assert_eq!(Snapshot::read(self.file.path()).expect("a good file"), snapshot);
            snapshot = Snapshot::read(self.file.path()).expect("a good file");
        }
        // Perhaps the same, perhaps one that has run before and holds an old state.
        self.running = (self.random.number() % self.engines.len() as u64) as usize;
        self.engine().restore(&snapshot).expect("the same design");
        assert_eq!(self.engine().save().expect("it shows its registers"), snapshot);
        self.changes += 1;
    }

    fn engine(&mut self) -> &mut dyn Simulator {
        &mut *self.engines[self.running]
    }
}

impl Simulator for Relay {
    fn flat(&self) -> &Flat {
        self.engines[self.running].flat()
    }
    fn poke(&mut self, input: usize, value: &Bits) {
        self.engine().poke(input, value);
    }
    fn peek(&mut self, output: usize) -> Bits {
        self.engine().peek(output)
    }
    fn peek_signal(&mut self, signal: usize) -> Option<Bits> {
        self.engine().peek_signal(signal)
    }
    fn step_clocks(&mut self, clocks: &[usize]) -> Result<(), StepError> {
        self.change_now_and_then();
        let stepped = self.engine().step_clocks(clocks);
        self.change_now_and_then();
        stepped
    }
    fn cycle(&self) -> u64 {
        self.engines[self.running].cycle()
    }
    fn read_memory(&self, memory: usize, word: u32) -> Bits {
        self.engines[self.running].read_memory(memory, word)
    }
    fn write_memory(&mut self, memory: usize, word: u32, value: &Bits) {
        self.engine().write_memory(memory, word, value);
    }
    fn save(&mut self) -> Result<Snapshot, SnapshotError> {
        self.engine().save()
    }
    fn restore(&mut self, snapshot: &Snapshot) -> Result<(), SnapshotError> {
        self.engine().restore(snapshot)
    }
}

/// Compares every output, signal, memory and failing property in every cycle; gives how often a property has held an edge back.
fn agree(design: &Design, cycles: u32) -> u32 {
    let agree_with = |seed| {
        let mut relay = Relay::new(design, seed);
        let failures = assert_agreement(design, &mut relay, true, cycles, seed);
        assert!(relay.changes > cycles / 4, "{} changes", relay.changes);
        failures
    };
    (0..3).map(agree_with).sum()
}

#[test]
fn a_run_goes_on_in_any_engine_as_if_it_had_never_been_interrupted() {
    for design in [
        design(&Queue { width: 70, depth: 4 }),
        design(&AsyncFifo { width: 8, depth: 4 }),
        design(&Wide),
        design(&Ripple { width: 130 }),
        design(&Rom { first: 7 }),
        design(&Grid { rows: 5, cols: 7, element: Element { narrow: 8, wide: 20 } }),
    ] {
        agree(&design, 200);
    }
    for design in [design(&Machine), design(&TwoClocks)] {
        assert!(agree(&design, 300) > 0, "properties fail now and then, before and after changes");
    }
}

fn number(name: &str, default: u64) -> u64 {
    let Ok(value) = std::env::var(name) else { return default };
    value.parse().unwrap_or_else(|_| panic!("{name} is `{value}`; it must be a number"))
}

#[test]
fn random_circuits_go_on_in_any_engine_as_if_they_had_never_been_interrupted() {
    let (circuits, seed) = (number("FERRITE_SNAPSHOTS", 100), number("FERRITE_SEED", 1));
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    for n in 0..circuits {
        let genes = genes().new_tree(&mut runner).expect("genes").current();
        let circuit = Circuit { name: format!("c{n}"), genes, depth: 2 };
        let design = design(&circuit);
        let mut relay = Relay::new(&design, seed + n);
        assert_agreement(&design, &mut relay, true, 40, seed + n);
        assert!(relay.changes > 10, "circuit {n} of seed {seed}");
    }
}

#[test]
fn what_changes_at_the_next_edge_belongs_to_the_state_that_is_restored() {
    let design = design(&Counter { limit: 1000 });
    let mut sim = native(&design, NativeOptions::default());
    let idle = sim.save().expect("it shows its registers");
    enable(&mut *sim);
    sim.step(7).expect("below the limit");
    sim.restore(&idle).expect("the same design");
    sim.step(5).expect("below the limit");
    assert_eq!((sim.peek(0), sim.cycle()), (count(0), 5), "it is not enabled");
}

#[test]
fn followed_values_change_with_the_state() {
    let design = design(&Counter { limit: 1000 });
    for signals in [KeptSignals::Needed, KeptSignals::All] {
        let mut sim = native(&design, NativeOptions { signals, ..NativeOptions::default() });
        enable(&mut *sim);
        let before = sim.save().expect("it shows its registers");
        let signals = (0..design.flat.signals.len()).map(ferrite_sim::Probe::Signal).collect::<Vec<_>>();
        let (mut probes, mut changes) = (Probes::new(&design.flat, &signals), Vec::new());
        sim.step(20).expect("below the limit");
        sim.look(&mut probes, &mut changes);
        changes.clear();
        sim.restore(&before).expect("the same design");
        sim.look(&mut probes, &mut changes);
        let count_q = design.flat.signals.iter().position(|signal| signal.name == "count_q");
        let probe = count_q.expect("the register has a name");
        assert!(changes.iter().any(|change| change.word == probes.first_word(probe)), "from 20 to 0");
    }
}

#[test]
fn another_designs_state_is_refused_and_nothing_is_changed() {
    let one = design(&Counter { limit: 1000 });
    let snapshot = Interpreter::new(&one).save().expect("it shows its registers");
    // Of the same registers and ports, but another limit.
    let other = design(&Counter { limit: 50 });
    for mut sim in [native(&other, NativeOptions::default()), Box::new(Interpreter::new(&other))] {
        enable(&mut *sim);
        sim.step(9).expect("below the limit");
        let refused = sim.restore(&snapshot);
        assert!(matches!(refused, Err(SnapshotError::OtherDesign { .. })), "{refused:?}");
        assert_eq!((sim.peek(0), sim.cycle()), (count(9), 9));
        sim.step(1).expect("below the limit");
        assert_eq!(sim.peek(0), count(10));
    }
}

#[test]
fn verilator_saves_what_other_engines_go_on_from_if_it_shows_signals() {
    let design = design(&Wide);
    let cache = Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("verilator"));
    for signals in [true, false] {
        let options = VerilatorOptions {
            signals,
            fast_build: true,
            cache: cache.clone(),
            ..VerilatorOptions::default()
        };
        let mut verilator = match Verilator::new(&design, &options) {
            Ok(verilator) => verilator,
            Err(error @ VerilatorError::Missing { .. })
                if std::env::var_os("FERRITE_REQUIRE_TOOLS").is_none() =>
            {
                eprintln!("SKIPPED: {error}");
                return;
            }
            Err(error) => panic!("{error}"),
        };
        assert_agreement(&design, &mut verilator, false, 40, 5);
        let mut interpreter = Interpreter::new(&design);
        assert_agreement(&design, &mut interpreter, false, 40, 5);
        match (signals, verilator.save()) {
            (true, saved) => assert_eq!(saved.ok(), interpreter.save().ok()),
            (false, Err(error @ SnapshotError::Unsupported { .. })) => {
                assert!(error.to_string().contains("VerilatorOptions::signals"), "{error}");
            }
            (false, saved) => panic!("{saved:?}"),
        }
        let snapshot = interpreter.save().expect("it shows its registers");
        let refused = verilator.restore(&snapshot).expect_err("it cannot");
        assert!(refused.to_string().contains("native engine or the interpreter"), "{refused}");
    }
}
