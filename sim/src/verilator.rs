//! The engine that runs the emitted Verilog on Verilator, the fastest one for long runs.
//!
//! A design is built once: Verilator translates it to C++, the C++ compiler makes a shared library of it, and a cache keeps that under
//! the hash of all that went into it. The cache is `$XDG_CACHE_HOME/ferrite/verilator` or `~/.cache/ferrite/verilator`, or what the
//! environment variable `FERRITE_CACHE` says. It may be deleted at any time, as a whole or in parts; what has not been used for 30 days is
//! deleted when something else is built.

mod build;
mod cache;
mod error;
mod library;
mod prepare;
mod probes;
mod shim;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use ferrite_hdl::Bits;
use ferrite_hdl::design::Design;
use ferrite_hdl::flat::{Flat, FlatMemory, FlatOp};
use ferrite_hdl::verilog::{EmitOptions, emit};

use crate::engine::{Simulator, StepError};
use crate::snapshot::{KeptStates, Snapshot, SnapshotError};
use build::{Sources, Tools};
use cache::Cache;
pub use error::VerilatorError;
use library::{Model, Shape};
use probes::{Probes, Source, Variable};

/// How a simulator is built.
#[derive(Clone)]
pub struct VerilatorOptions {
    /// Whether every named signal can be read, for waveforms; else only ports and memories can, which is fastest.
    pub signals: bool,
    /// Builds with little optimisation: for many designs that run for few cycles each.
    pub fast_build: bool,
    /// Where finished simulators are kept; `None` for `FERRITE_CACHE` or the user's folder for caches.
    pub cache: Option<PathBuf>,
    /// The program `verilator`, version 5.006 or later.
    pub verilator: PathBuf,
    /// The C++ compiler, GCC or Clang.
    pub compiler: PathBuf,
    /// Calls of the compiler at a time.
    pub jobs: usize,
    /// Called before a build that the cache does not save, so that a program can say why it takes so long.
    pub on_build: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl Default for VerilatorOptions {
    fn default() -> VerilatorOptions {
        VerilatorOptions {
            signals: false,
            fast_build: false,
            cache: None,
            verilator: PathBuf::from("verilator"),
            compiler: PathBuf::from("g++"),
            jobs: std::thread::available_parallelism().map_or(1, usize::from),
            on_build: None,
        }
    }
}

impl fmt::Debug for VerilatorOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerilatorOptions")
            .field("signals", &self.signals)
            .field("fast_build", &self.fast_build)
            .field("cache", &self.cache)
            .field("verilator", &self.verilator)
            .field("compiler", &self.compiler)
            .field("jobs", &self.jobs)
            .finish_non_exhaustive()
    }
}

/// A design on Verilator.
pub struct Verilator {
    flat: Flat,
    model: Model,
    probes: Probes,
    /// Where the value of every signal comes from.
    sources: Vec<Source>,
    /// For every clock, the properties that its edges look at.
    checks: Vec<Vec<usize>>,
    /// For every clock, the place of its failing properties.
    failing: Vec<usize>,
    first_memory: usize,
    /// For every memory, whether something reads it without a clock.
    read_at_once: Vec<bool>,
    cycle: u64,
    /// What was written since the model settled.
    written: Written,
    states: KeptStates,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Written {
    Nothing,
    Inputs,
    Memories,
}

impl Verilator {
    /// A design at power-up: registers at their initial values, inputs 0. Builds the simulator if the cache has none.
    ///
    /// # Errors
    /// A tool is missing or fails, or the cache cannot be written.
    pub fn new(design: &Design, options: &VerilatorOptions) -> Result<Verilator, VerilatorError> {
        let flat = design.flat.clone();
        let prepared = prepare::prepare(design);
        let checks = shim::checks_of_clocks(&flat);
        let mut places: Vec<(u32, u32)> =
            flat.inputs.iter().chain(&flat.outputs).map(|p| (p.shape.width, 1)).collect();
        let failing = checks
            .iter()
            .map(|checks| {
                let place = places.len();
                places.extend((!checks.is_empty()).then_some((checks.len() as u32, 1)));
                place
            })
            .collect();
        let first_memory = places.len();
        places.extend(flat.memories.iter().map(|m| (m.width, m.depth)));
        let probes = Probes::new(&flat, &prepared, options.signals, places.len());
        places.extend(probes.variables.iter().map(|v| (v.width, 1)));
        let mut read_at_once = vec![false; flat.memories.len()];
        for node in &flat.nodes {
            if let FlatOp::MemoryRead { memory, .. } = node.op {
                read_at_once[memory] = true;
            }
        }
        let memory = |(k, (scope, name)): (usize, &(usize, String))| Variable {
            scope: *scope,
            name: name.clone(),
            width: flat.memories[k].width,
            is_written: !read_at_once[k], // the others have their touch clock
        };
        let mut variables: Vec<Variable> = prepared.memories.iter().enumerate().map(memory).collect();
        variables.extend(probes.variables.iter().cloned());

        let mut verilog = vec![(format!("{}.v", shim::TOP), shim::verilog(&flat, &prepared))];
        let emitted = emit(&prepared.design, &EmitOptions::default());
        verilog.extend(emitted.into_iter().map(|file| (file.name, file.text)));
        let texts = Sources {
            verilog,
            configuration: shim::configuration(&prepared, &variables),
            cpp: shim::cpp(&flat, &prepared, &variables),
        };
        let tools = Tools {
            verilator: options.verilator.clone(),
            compiler: options.compiler.clone(),
            optimisation: if options.fast_build { "-O0" } else { "-O2" },
            jobs: options.jobs,
        };
        let cache = Cache::new(options.cache.as_deref())?;
        let on_build = || options.on_build.iter().for_each(|f| f());
        let library = tools.shared_library(&cache, &texts, &on_build)?;
        let shape = Shape { places, named: variables.len() };
        // SAFETY: built from these texts, which list places of this shape; its digest says that it is what was built.
        let model = unsafe { Model::load(&library, &shape) }?;

        let source = |signal| probes.source(&flat, signal, options.signals);
        let sources = (0..flat.signals.len()).map(source).collect();
        let mut verilator = Verilator {
            flat,
            model,
            probes,
            sources,
            checks,
            failing,
            first_memory,
            read_at_once,
            cycle: 0,
            written: Written::Nothing,
            states: KeptStates::default(),
        };
        verilator.fill_memories();
        Ok(verilator)
    }

    fn fill_memories(&mut self) {
        for (k, memory) in self.flat.memories.iter().enumerate().filter(|m| !m.1.init.is_empty()) {
            for (word, value) in memory.init.iter().enumerate() {
                self.model.write(self.first_memory + k, word as u32, value);
            }
            self.written = Written::Memories;
        }
    }

    fn settle(&mut self) {
        match std::mem::replace(&mut self.written, Written::Nothing) {
            Written::Nothing => {}
            Written::Inputs => self.model.settle(),
            Written::Memories => self.model.touch(),
        }
    }

    /// Edges of some clocks at once, as [`Simulator::run`].
    fn edges(&mut self, cycles: u64, clocks: &[usize], watched: &[usize]) -> Result<u64, StepError> {
        self.settle();
        let clocks: Vec<usize> = clocks.iter().copied().filter(|c| *c < self.flat.clocks.len()).collect();
        let (done, fails) = self.model.run(cycles, &clocks, watched);
        self.cycle += done;
        if fails { Err(self.failed(&clocks)) } else { Ok(done) }
    }

    /// The first property of these clocks that does not hold.
    fn failed(&self, clocks: &[usize]) -> StepError {
        let failing = clocks.iter().flat_map(|clock| {
            let bits = self.model.read(self.failing[*clock], 0);
            let checks = self.checks[*clock].iter().enumerate();
            checks.filter(move |(k, _)| bits.bit(*k as u32)).map(|(_, check)| *check)
        });
        StepError::check(&self.flat.checks[failing.min().unwrap_or(0)], self.cycle)
    }
}

impl Simulator for Verilator {
    fn flat(&self) -> &Flat {
        &self.flat
    }

    fn poke(&mut self, input: usize, value: &Bits) {
        let width = self.flat.inputs[input].shape.width;
        match value.width() == width {
            true => self.model.write(input, 0, value),
            false => self.model.write(input, 0, &value.resize(width, false)),
        }
        self.written = self.written.max(Written::Inputs);
    }

    fn peek(&mut self, output: usize) -> Bits {
        self.settle();
        self.model.read(self.flat.inputs.len() + output, 0)
    }

    fn peek_signal(&mut self, signal: usize) -> Option<Bits> {
        self.settle();
        match &self.sources[signal] {
            Source::Constant(value) => Some(value.clone()),
            Source::Place(place) => Some(self.model.read(*place, 0)),
            Source::Computed(node) => {
                Some(self.probes.compute(&self.flat, *node, &|place| self.model.read(place, 0)))
            }
            Source::Hidden => None,
        }
    }

    fn step_clocks(&mut self, clocks: &[usize]) -> Result<(), StepError> {
        self.edges(1, clocks, &[]).map(|_| ())
    }

    fn cycle(&self) -> u64 {
        self.cycle
    }

    fn read_memory(&self, memory: usize, word: u32) -> Bits {
        let &FlatMemory { depth, width, .. } = &self.flat.memories[memory];
        if word < depth { self.model.read(self.first_memory + memory, word) } else { Bits::zero(width) }
    }

    fn write_memory(&mut self, memory: usize, word: u32, value: &Bits) {
        let &FlatMemory { depth, width, .. } = &self.flat.memories[memory];
        if word >= depth {
            return;
        }
        self.model.write(self.first_memory + memory, word, &value.resize(width, false));
        if self.read_at_once[memory] {
            self.written = Written::Memories;
        }
    }

    fn save(&mut self) -> Result<Snapshot, SnapshotError> {
        self.settle();
        let states = self.states.of(&self.flat);
        let mut snapshot = Snapshot::zero(&states, self.cycle);
        for (node, _) in &states.nodes {
            let value = self.probes.value(&self.flat, *node, &|place| self.model.read(place, 0));
            let value = value.ok_or(SnapshotError::Unsupported {
                engine: "verilator",
                what: "save its state without access to registers",
                instead: "build it with `VerilatorOptions::signals`, or use the native engine or the interpreter",
            })?;
            snapshot.push(&value.to_words());
        }
        for (k, memory) in self.flat.memories.iter().enumerate() {
            for word in 0..memory.depth {
                snapshot.set_word(k, memory.width, word, &self.model.read(self.first_memory + k, word));
            }
        }
        Ok(snapshot)
    }

    fn restore(&mut self, _: &Snapshot) -> Result<(), SnapshotError> {
        // Making every register one that can be written from outside would have Verilator compute everything anew in every evaluation.
        Err(SnapshotError::Unsupported {
            engine: "verilator",
            what: "go on from a saved state",
            instead: "restore it in the native engine or the interpreter",
        })
    }

    fn step(&mut self, cycles: u64) -> Result<(), StepError> {
        self.edges(cycles, &[0], &[]).map(|_| ())
    }

    fn run(&mut self, cycles: u64, watched: &[usize]) -> Result<u64, StepError> {
        let first = self.flat.inputs.len();
        let places: Vec<usize> = watched.iter().map(|output| first + output).collect();
        self.edges(cycles, &[0], &places)
    }
}
