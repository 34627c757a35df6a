//! `ferrite run`

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::{Args, ValueEnum, value_parser};
use ferrite_gen::atomic::{check_replaceable, check_writable};
use ferrite_gen::config::parameters_help;
use ferrite_gen::elf::MAX_FILE_BYTES;
use ferrite_gen::error::{Error, read_bounded};
use ferrite_gen::run::{Chip, Limits};
use ferrite_hdl::design::Design;
use ferrite_hw::config::ChipConfig;
use ferrite_hw::soc::MemoryTiming;
use ferrite_sim::{
    FstRecorder, Interpreter, KeptSignals, Native, NativeOptions, Simulator, Verilator, VerilatorOptions,
};

use super::chip::{Overrides, simulated};
use super::progress::spinner;
use super::report::say;
use super::{interrupt, network, program, waves};

/// Runs a program or a neural network on a simulated chip.
///
/// A program (ELF) runs until it exits, by the chip's exit device or by a variable `tohost` (HTIF); its output is printed and its exit code passed on (255 for larger ones). A network (.tflite, int8) is
/// compiled for the chip and runs once for every input tensor in the file of --input; its outputs are compared with TensorFlow Lite's reference
/// kernels.
///
/// A run that was saved goes on with the same program and chip: `ferrite run a.elf --max-cycles 1000000 --save a.state`, then `ferrite run a.elf
/// --resume a.state`. To see how a long run comes to its end: `ferrite run a.elf --trace a.fst --trace-last 10000`.
///
/// Cycles are counted as in the waveform, everywhere: cycle 0 is that of the reset. The first Ctrl-C (or SIGTERM) ends a run as running out of cycles does, with its waveform and --save;
/// the second kills it.
///
/// Exit codes of ferrite itself: 1 for wrong input and wrong results, 2 for wrong usage, 123 if the core hangs, 124 if the program did not end in time, 125 if the
/// hardware and the golden model differ (--lockstep), 126 if a property of the hardware did not hold, 130 if the run was interrupted.
#[derive(Args)]
#[command(after_long_help = parameters_help())]
pub struct Run {
    /// An ELF program or a .tflite network.
    pub file: PathBuf,
    /// The chip's description, a TOML file; without it, the default chip.
    #[arg(long, value_name = "TOML")]
    chip: Option<PathBuf>,
    #[command(flatten)]
    overrides: Overrides,
    /// How the chip is simulated.
    #[arg(long, value_enum, default_value_t = EngineKind::Native)]
    engine: EngineKind,
    /// A network's input tensors, raw int8, one after another; without it, one tensor of zero points.
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// Where a network's output tensors go, raw int8.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Output tensors that a network's must equal byte for byte.
    #[arg(long, value_name = "FILE")]
    pub expect: Option<PathBuf>,
    /// Records waveforms (FST, for GTKWave and Surfer): about 50 bytes a cycle, unless --trace-scope asks for more.
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Records all that lies inside this instance, as in ferrite.core; can be given several times. The top's name records everything, which
    /// is large and slow; without it, the top and the instances in it are recorded, without what lies deeper (and with --trace-last everything).
    #[arg(long, value_name = "SCOPE", requires = "trace")]
    pub trace_scope: Vec<String>,
    /// Records from this clock cycle on; until then the run is as fast as without waveforms.
    #[arg(long, value_name = "CYCLE", requires = "trace", default_value_t = 0, hide_default_value = true)]
    pub trace_start: u64,
    /// Records no longer than before this clock cycle.
    #[arg(long, value_name = "CYCLE", requires = "trace")]
    pub trace_stop: Option<u64>,
    /// Records only the last N cycles of a program: it runs at full speed, and when it ends, whatever the reason, its end runs once more with
    /// waveforms.
    #[arg(long, value_name = "N", requires = "trace", conflicts_with_all = ["trace_start", "trace_stop"], value_parser = value_parser!(u64).range(1..))]
    pub trace_last: Option<u64>,
    /// Saves the state of a program that is ended before it ends itself (exit codes 123, 124, 126 and 130), for --resume.
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Saves the state every N cycles too, so that a run can be resumed whatever ends it.
    #[arg(long, value_name = "N", requires = "save", value_parser = value_parser!(u64).range(1..))]
    pub save_every: Option<u64>,
    /// Goes on with the program from a saved state; cycles are counted from reset, as if there had been no interruption.
    #[arg(long, value_name = "FILE", conflicts_with = "lockstep")]
    pub resume: Option<PathBuf>,
    /// Writes what an architecture test has computed: the words from its symbol begin_signature to end_signature, in hexadecimal, one to a line.
    #[arg(long, value_name = "FILE")]
    pub signature: Option<PathBuf>,
    /// Compares every instruction with the golden model.
    #[arg(long)]
    pub lockstep: bool,
    /// Ends a run after so many clock cycles from reset; also with --resume, where the cycles before are among them.
    #[arg(long, value_name = "N", default_value_t = Limits::default().max_cycles, value_parser = value_parser!(u64).range(1..))]
    max_cycles: u64,
    /// Ends a run when no instruction has retired for so many clock cycles.
    #[arg(long, value_name = "N", default_value_t = Limits::default().max_idle_cycles, value_parser = value_parser!(u64).range(1..))]
    max_idle_cycles: u64,
    /// Cycles from an address at the port to external memory to its first data, and from the last data to the response.
    #[arg(long, value_name = "N", default_value_t = MemoryTiming::default().latency, value_parser = value_parser!(u32).range(2..=10_000))]
    memory_latency: u32,
    /// Cycles from a beat of external memory to the next, each way: 1 is the full width of the port in every cycle.
    #[arg(long, value_name = "N", default_value_t = MemoryTiming::default().beat_cycles, value_parser = value_parser!(u32).range(1..=1_000))]
    memory_beat_cycles: u32,
    /// Makes external memory hesitate at random, from this seed.
    #[arg(long, value_name = "SEED", value_parser = value_parser!(u32).range(1..))]
    memory_stalls: Option<u32>,
    /// Prints one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// How a chip is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineKind {
    /// Compiled in this process; starts at once, and is the fastest.
    Native,
    /// The emitted Verilog, compiled once per chip.
    Verilator,
    /// Directly and slowly, with no tools.
    Interpret,
}

impl EngineKind {
    fn start(self, design: &Design, signals: KeptSignals) -> Result<Box<dyn Simulator>, Error> {
        match self {
            EngineKind::Native => {
                Ok(Box::new(Native::new(design, &NativeOptions { signals, ..NativeOptions::default() })?))
            }
            EngineKind::Interpret => Ok(Box::new(Interpreter::new(design))),
            EngineKind::Verilator => {
                let bar = spinner("");
                let shown = bar.clone();
                let on_build = move || {
                    let text = "building the simulator with Verilator (once per chip)";
                    match shown.is_hidden() {
                        true => say(text),
                        false => shown.set_message(text),
                    }
                };
                let signals = signals != KeptSignals::Needed;
                let options =
                    VerilatorOptions { signals, on_build: Some(Arc::new(on_build)), ..Default::default() };
                let engine = Verilator::new(design, &options);
                bar.finish_and_clear();
                Ok(Box::new(engine?))
            }
        }
    }
}

/// A chip on its engine, and what is recorded.
pub struct Bench {
    pub config: ChipConfig,
    pub chip: Chip,
    design: Design,
    pub engine: &'static str,
    pub waves: Option<FstRecorder>,
    /// Whether somebody wants the run to end.
    pub interrupted: Arc<AtomicBool>,
}

impl Run {
    /// The chip that the options ask for.
    pub fn chip(&self) -> Result<ChipConfig, Error> {
        self.overrides.load(self.chip.as_ref())
    }

    /// No file that is written may be one that is read or written otherwise.
    fn check_files(&self) -> Result<(), Error> {
        let given = |name, path: &Option<PathBuf>| path.clone().map(|path| (name, path));
        let read = [
            given("--chip", &self.chip),
            given("--input", &self.input),
            given("--expect", &self.expect),
            given("--resume", &self.resume),
        ];
        let mut taken: Vec<_> = read.into_iter().flatten().collect();
        taken.push(("the file to run", self.file.clone()));
        let written = [
            given("--output", &self.output),
            given("--trace", &self.trace),
            given("--save", &self.save),
            given("--signature", &self.signature),
        ];
        for (name, path) in written.into_iter().flatten() {
            // A state that was gone on from may make room for a later one.
            let may_replace = |other: &str| name == "--save" && other == "--resume";
            let mut others = taken.iter().filter(|(other, _)| !may_replace(other));
            if let Some((other, _)) = others.find(|(_, other)| is_same_file(&path, other)) {
                let place = path.display();
                return Err(Error::Usage(format!("{name} would overwrite {place}, which is also {other}")));
            }
            taken.push((name, path));
        }
        Ok(())
    }

    /// How long a run may take.
    pub fn limits(&self) -> Limits {
        Limits { max_cycles: self.max_cycles, max_idle_cycles: self.max_idle_cycles }
    }

    /// The chip in simulation.
    pub fn start(&self, config: ChipConfig) -> Result<Bench, Error> {
        let timing = MemoryTiming { latency: self.memory_latency, beat_cycles: self.memory_beat_cycles };
        let design = simulated(&config, timing)?;
        // First, since whoever interrupts a run wants nothing to be left of what is begun here.
        let interrupted = interrupt::listen();
        let waves = waves::begin(self, &design)?;
        // Last, since it may take long.
        let signals = match self.trace.is_some() && self.trace_last.is_none() {
            true => waves::recorded(self, &design)?,
            // With --trace-last another engine records.
            false => KeptSignals::Needed,
        };
        let engine = self.engine.start(&design, signals)?;
        let name = match self.engine {
            EngineKind::Native => "native",
            EngineKind::Verilator => "verilator",
            EngineKind::Interpret => "interpret",
        };
        let chip = self.on(&config, engine);
        Ok(Bench { chip, config, design, engine: name, waves, interrupted })
    }

    fn on(&self, config: &ChipConfig, engine: Box<dyn Simulator>) -> Chip {
        let mut chip = Chip::new(config, engine);
        chip.set_memory_stalls(self.memory_stalls);
        chip
    }

    /// The same chip once more, on an engine that keeps what is recorded.
    pub fn start_recorded(&self, bench: &Bench) -> Result<Chip, Error> {
        let engine = self.engine.start(&bench.design, waves::recorded(self, &bench.design)?)?;
        Ok(self.on(&bench.config, engine))
    }

    /// Options that have a meaning for programs, or for networks, only; and engines that cannot do what is asked for.
    fn check_kind(&self, kind: &Kind) -> Result<(), Error> {
        let of_networks = [
            ("--input", self.input.is_some()),
            ("--output", self.output.is_some()),
            ("--expect", self.expect.is_some()),
        ];
        let of_programs = [
            ("--save", self.save.is_some()),
            ("--resume", self.resume.is_some()),
            ("--trace-last", self.trace_last.is_some()),
            ("--signature", self.signature.is_some()),
        ];
        let file = self.file.display();
        let (wrong, message) = match kind {
            Kind::Program => (of_networks.as_slice(), format!("is for networks, but {file} is a program")),
            Kind::Network => (of_programs.as_slice(), format!("is for programs, but {file} is a network")),
        };
        if let Some((name, _)) = wrong.iter().find(|(_, given)| *given) {
            return Err(Error::Usage(format!("{name} {message}")));
        }
        let with_state = &of_programs[..3];
        match with_state.iter().find(|(_, given)| *given && self.engine == EngineKind::Verilator) {
            Some((name, _)) => Err(Error::Usage(format!(
                "{name} needs an engine whose state can be saved and set; use --engine native or --engine interpret"
            ))),
            None => Ok(()),
        }
    }
}

/// Runs `ferrite run`.
pub fn run(options: &Run) -> Result<ExitCode, Error> {
    options.check_files()?;
    for path in [&options.output, &options.signature].into_iter().flatten() {
        check_writable(path)?;
    }
    for path in [&options.trace, &options.save].into_iter().flatten() {
        check_replaceable(path)?;
    }
    let file = read_bounded(&options.file, "a program or network", MAX_FILE_BYTES)?;
    let kind = kind(&file, &options.file).ok_or_else(|| Error::UnknownFile { path: options.file.clone() })?;
    options.check_kind(&kind)?;
    match kind {
        Kind::Program => program::run(options, &file),
        Kind::Network => network::run(options, &file),
    }
}

/// Whether two paths lead to one ordinary file, which may not be there yet.
fn is_same_file(a: &Path, b: &Path) -> bool {
    let resolved = |path: &Path| {
        path.canonicalize().ok().or_else(|| {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            Some(parent.unwrap_or(Path::new(".")).canonicalize().ok()?.join(path.file_name()?))
        })
    };
    match (resolved(a), resolved(b)) {
        (Some(a), Some(b)) => a == b && (!a.exists() || a.is_file()),
        _ => false,
    }
}

enum Kind {
    Program,
    Network,
}

/// By its first bytes; a file that lost them, by its name, so that its reader can say what is wrong with it.
fn kind(file: &[u8], path: &Path) -> Option<Kind> {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    match file {
        [0x7F, b'E', b'L', b'F', ..] => Some(Kind::Program),
        [_, _, _, _, b'T', b'F', b'L', _, ..] => Some(Kind::Network),
        _ if extension.eq_ignore_ascii_case("elf") => Some(Kind::Program),
        _ if extension.eq_ignore_ascii_case("tflite") => Some(Kind::Network),
        _ => None,
    }
}
