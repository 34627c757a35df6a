//! The whole default chip: the native engine beside Verilator, what sleeping and waveforms cost, how soon and how large it is. `make bench` calls it.
//!
//! It prints its report as Markdown. `--output FILE` writes it there too; with `--check` it fails if a target is missed.

mod process;
mod report;
mod samples;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use ferrite_hdl::design::Design;
use ferrite_hw::config::ChipConfig;
use ferrite_sim::{
    FstOptions, FstRecorder, KeptSignals, Native, NativeOptions, Simulator, Verilator, VerilatorOptions,
};
use ferrite_tests::bench::design;
use ferrite_tests::files::elf;
use ferrite_tests::tools::have;
use ferrite_tests::workloads::{Board, asleep, core_only, gemm, idle};

use process::Ferrite;
use report::{Goal, Report};
use samples::{Samples, in_turn, repeated, seconds};

/// How often two engines take turns, and for how many cycles at a time.
const ROUNDS: usize = 9;
const ROUND_CYCLES: u64 = 500_000;
/// Cycles before anything is measured: more than a GEMM takes to fill the scratchpad.
const FIRST_CYCLES: u64 = 100_000;
/// With waveforms.
const WAVE_ROUNDS: usize = 5;
const WAVE_CYCLES: u64 = 50_000;
/// How often something short is repeated.
const REPETITIONS: usize = 9;
/// Cycles of a process whose memory is watched.
const PROCESS_CYCLES: u64 = 1_000_000;
/// Sizes of arrays, each a square.
const SIZES: [u32; 4] = [4, 8, 16, 32];

const MEGABYTE: f64 = 1e6;
const SKIPPED: &str = "SKIPPED";

struct Options {
    output: Option<PathBuf>,
    check: bool,
}

fn options() -> Result<Options, String> {
    let mut options = Options { output: None, check: false };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--bench" => {} // cargo's
            "--check" => options.check = true,
            "--output" => options.output = Some(arguments.next().ok_or("--output needs a file")?.into()),
            other => return Err(format!("unknown argument `{other}`; there are --output FILE and --check")),
        }
    }
    Ok(options)
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let folder = tempfile::tempdir().expect("a scratch folder");
    let mut bench = Bench {
        design: design(&ChipConfig::default()),
        has_verilator: have(&["verilator", "g++"]),
        folder: folder.path().to_path_buf(),
        report: Report::default(),
    };
    bench.engines_and_method();
    bench.start();
    bench.speed();
    bench.sleep();
    bench.sizes();
    bench.waves();
    let (text, missed) = bench.report.finish();
    print!("{text}");
    if let Some(file) = options.output
        && let Err(error) = fs::write(&file, &text)
    {
        eprintln!("cannot write {}: {error}", file.display());
        return ExitCode::FAILURE;
    }
    if options.check && missed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

struct Bench {
    design: Design,
    has_verilator: bool,
    folder: PathBuf,
    report: Report,
}

impl Bench {
    fn engines_and_method(&mut self) {
        let verilator = match self.has_verilator {
            false => "Verilator, which is not installed here".to_string(),
            true => format!(
                "{} (Verilog with `-O3`; C++ with g++ {}, `-O2`)",
                version("verilator", "--version"),
                version("g++", "-dumpfullversion")
            ),
        };
        self.report.paragraph(&format!(
            "The default chip (core and 16x16 array) on the native engine and on {verilator}. Every engine has one \
             thread. Engines take turns, {ROUNDS} rounds of {ROUND_CYCLES} cycles each; numbers are medians, with the \
             smallest and the largest in brackets. After the last round all outputs and all words of all memories must be \
             equal."
        ));
    }

    /// Where Verilator's builds for this run are, so that one is measured from its beginning.
    fn cache(&self) -> PathBuf {
        self.folder.join("cache")
    }

    fn native(&self, options: &NativeOptions, program: &[u8]) -> Board {
        let engine = Native::new(&self.design, options).unwrap_or_else(|error| panic!("{error}"));
        warmed_up(Box::new(engine), program)
    }

    fn verilated(&self, program: &[u8]) -> Board {
        let options = VerilatorOptions { cache: Some(self.cache()), ..VerilatorOptions::default() };
        let engine = Verilator::new(&self.design, &options).unwrap_or_else(|error| panic!("{error}"));
        warmed_up(Box::new(engine), program)
    }

    /// From the start of `ferrite run` to the end of its first cycle, and its memory.
    fn start(&mut self) {
        let Some(ferrite) = Ferrite::find(&self.cache()) else {
            eprintln!(
                "SKIPPED: `ferrite` is not beside this benchmark: cargo build --release --package ferrite-gen"
            );
            self.report.target("`ferrite run` until the first cycle", "s", Goal::Below(0.5), None);
            self.report.target("peak memory of `ferrite run`", "MB", Goal::Below(200.0), None);
            return;
        };
        let write = |name: &str, program: &[u8]| {
            let file = self.folder.join(name);
            fs::write(&file, elf(program)).expect("a scratch folder can be written");
            file
        };
        let (still, busy) = (write("idle.elf", &idle()), write("gemm.elf", &default_gemm()));
        let first_cycle = |engine| repeated(REPETITIONS, || ferrite.run(engine, &still, 1));
        let peak = |engine: &str| {
            ferrite.peak_bytes(engine, &busy, PROCESS_CYCLES).map(|bytes| bytes as f64 / MEGABYTE)
        };
        let megabytes =
            |peak: Option<f64>| peak.map_or("not known here".to_string(), |peak| format!("{peak:.0} MB"));

        let (soon, small) = (first_cycle("native"), peak("native"));
        let mut rows = vec![["native".to_string(), format!("{soon:.3} s"), megabytes(small)]];
        if self.has_verilator {
            eprintln!("building with Verilator");
            let build = seconds(|| ferrite.run("verilator", &still, 1));
            rows.push(["Verilator, first time".to_string(), format!("{build:.0} s"), String::new()]);
            let name = "Verilator, built before".to_string();
            rows.push([name, format!("{:.3} s", first_cycle("verilator")), megabytes(peak("verilator"))]);
        } else {
            rows.push(["Verilator", SKIPPED, SKIPPED].map(str::to_string));
        }
        let header = ["engine", "a process that runs one cycle", "peak memory of one that runs a GEMM"];
        self.report.table("The process `ferrite run`", header, &rows);
        let target = "`ferrite run` until the first cycle";
        self.report.target(target, "s", Goal::Below(0.5), Some(soon.median()));
        self.report.target("peak memory of `ferrite run`", "MB", Goal::Below(200.0), small);
    }

    /// Native and Verilator side by side.
    fn speed(&mut self) {
        let mut rows = Vec::new();
        for (name, program, goal) in [("core only", core_only(), 2.0), ("GEMM", default_gemm(), 1.0)] {
            let mut native = self.native(&NativeOptions::default(), &program);
            let before = (native.retired(), macs(&mut native));
            let (native_speed, verilator_speed, ratio) = if self.has_verilator {
                let mut verilated = self.verilated(&program);
                let (ours, theirs) =
                    in_turn(ROUNDS, || native.run(ROUND_CYCLES), || verilated.run(ROUND_CYCLES));
                assert_eq!(native.difference(&mut verilated), None, "the engines differ after `{name}`");
                (
                    kilohertz(&ours, ROUND_CYCLES),
                    Some(kilohertz(&theirs, ROUND_CYCLES)),
                    Some(theirs.over(&ours)),
                )
            } else {
                let ours = repeated(ROUNDS + 1, || native.run(ROUND_CYCLES));
                (kilohertz(&ours, ROUND_CYCLES), None, None)
            };
            let cycles = (ROUNDS as u64 + 1) * ROUND_CYCLES;
            let per_cycle = |count: u64| count as f64 / cycles as f64;
            let instructions = per_cycle(native.retired() - before.0);
            // The counter has 32 bits.
            let macs = per_cycle(u64::from(macs(&mut native).wrapping_sub(before.1)));
            let shown = |samples: &Option<Samples>, decimals| match samples {
                Some(samples) => format!("{samples:.decimals$}"),
                None => SKIPPED.to_string(),
            };
            rows.push([
                name.to_string(),
                format!("{instructions:.2}"),
                format!("{macs:.0} of 256"),
                native_speed.to_string(),
                shown(&verilator_speed, 0),
                shown(&ratio, 2),
            ]);
            let target = format!("{name}: native over Verilator");
            self.report.target(&target, "", Goal::AtLeast(goal), ratio.map(|ratio| ratio.median()));
        }
        let header = [
            "workload",
            "instructions per cycle",
            "MACs per cycle",
            "native",
            "Verilator",
            "native over Verilator",
        ];
        self.report.table("Thousands of cycles per second", header, &rows);
    }

    /// What it brings that idle parts sleep.
    fn sleep(&mut self) {
        let all = [
            ("the core sleeps (`wfi`)", asleep()),
            ("the core jumps to where it is", idle()),
            ("core only", core_only()),
            ("GEMM", default_gemm()),
        ];
        let mut rows = Vec::new();
        for (name, program) in all {
            let mut native = self.native(&NativeOptions::default(), &program);
            let mut sleepless =
                self.native(&NativeOptions { never_sleep: true, ..NativeOptions::default() }, &program);
            let (with, without) =
                in_turn(ROUNDS, || native.run(ROUND_CYCLES), || sleepless.run(ROUND_CYCLES));
            assert_eq!(native.difference(&mut sleepless), None, "sleeping changes `{name}`");
            rows.push([
                name.to_string(),
                kilohertz(&with, ROUND_CYCLES).to_string(),
                kilohertz(&without, ROUND_CYCLES).to_string(),
                format!("{:.2}", without.over(&with)),
            ]);
        }
        let heading =
            "What it brings that idle parts sleep, on the native engine: thousands of cycles per second";
        let header = ["workload", "idle parts sleep", "everything is evaluated in every cycle", "faster by"];
        self.report.table(heading, header, &rows);
    }

    /// How soon chips with larger arrays are ready.
    fn sizes(&mut self) {
        let mut rows = Vec::new();
        let (mut ready, mut per_node) = (Vec::new(), Vec::new());
        for size in SIZES {
            let mut chip = ChipConfig::default();
            let tensor = chip.tensor.get_or_insert_default();
            (tensor.rows, tensor.cols) = (size, size);
            let hardware = design(&chip);
            let nodes = hardware.flat.nodes.len();
            let elaborated = repeated(REPETITIONS, || drop(design(&chip)));
            let compiled = repeated(REPETITIONS, || drop(Native::new(&hardware, &NativeOptions::default())));
            let both = elaborated.median() + compiled.median();
            ready.push(both);
            per_node.push(both / nodes as f64);
            rows.push([
                format!("{size} x {size}"),
                nodes.to_string(),
                format!("{:.1} ms", elaborated.map(|s| 1e3 * s)),
                format!("{:.1} ms", compiled.map(|s| 1e3 * s)),
                format!("{:.2} us", 1e6 * both / nodes as f64),
            ]);
        }
        let header = ["array", "nodes of the netlist", "elaborated in", "compiled in", "both, per node"];
        self.report.table("Until a chip is ready, on the native engine", header, &rows);
        let target = "chip with a 32x32 array is ready in";
        self.report.target(target, "s", Goal::Below(2.0), ready.last().copied());
        let [.., before, last] = per_node[..] else { unreachable!("there are several sizes") };
        let target = "growth is linear: time per node, 32x32 over 16x16";
        self.report.target(target, "", Goal::Below(1.25), Some(last / before));
    }

    /// What waveforms of the default scopes cost.
    fn waves(&mut self) {
        let mut rows = Vec::new();
        for (name, program) in [("core only", core_only()), ("GEMM", default_gemm())] {
            let mut plain = self.native(&NativeOptions::default(), &program);
            let options = FstOptions::default();
            let shown = options.signals(&self.design.flat).unwrap_or_else(|error| panic!("{error}"));
            let signals = KeptSignals::Chosen(shown);
            let mut recorded = self.native(&NativeOptions { signals, ..NativeOptions::default() }, &program);
            let file = self.folder.join("waves.fst");
            let record = || {
                let flat = recorded.engine.flat();
                let recorder = FstRecorder::create(&file, flat, &options);
                let mut recorder = recorder.unwrap_or_else(|error| panic!("{error}"));
                for _ in 0..WAVE_CYCLES {
                    recorder.sample(&mut *recorded.engine, &[0]).unwrap_or_else(|error| panic!("{error}"));
                    recorded.run(1);
                }
                recorder.finish().unwrap_or_else(|error| panic!("{error}"));
            };
            let (without, with) = in_turn(WAVE_ROUNDS, || plain.run(WAVE_CYCLES), record);
            assert_eq!(plain.difference(&mut recorded), None, "recording changes `{name}`");
            let slower = with.over(&without);
            rows.push([
                name.to_string(),
                kilohertz(&without, WAVE_CYCLES).to_string(),
                kilohertz(&with, WAVE_CYCLES).to_string(),
                format!("{slower:.1}"),
                format!("{:.1}", bytes(&file) as f64 / WAVE_CYCLES as f64),
            ]);
            let target = format!("{name}: slower with waveforms by");
            self.report.target(&target, "", Goal::Below(3.0), Some(slower.median()));
        }
        let heading = "Waveforms of the default scopes, on the native engine: thousands of cycles per second";
        let header = ["workload", "without", "with", "slower by", "bytes of the file per cycle"];
        self.report.table(heading, header, &rows);
    }
}

fn default_gemm() -> Vec<u8> {
    gemm(&ChipConfig::default().tensor.unwrap_or_default())
}

fn warmed_up(engine: Box<dyn Simulator>, program: &[u8]) -> Board {
    let mut board = Board::new(engine, program);
    board.run(FIRST_CYCLES);
    board
}

fn macs(board: &mut Board) -> u32 {
    board.macs().map_or(0, |count| count as u32)
}

fn kilohertz(seconds: &Samples, cycles: u64) -> Samples {
    seconds.map(|seconds| cycles as f64 / seconds / 1e3)
}

fn bytes(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |metadata| metadata.len())
}

/// What a program says about itself: a number, or its name and a number.
fn version(program: &str, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output().map(|output| output.stdout).unwrap_or_default();
    let said = String::from_utf8_lossy(&output);
    said.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}
