//! How many cycles the kernels of `sw/bench` take on the core, and what they wait for. `make bench-core` calls it.
//!
//! `--docs FILE` has its section `bench-core` replaced; `--rounds N` says how often a kernel does its work; `--set KEY=VALUE` changes the core
//! (then the figures are not those of the documentation), as in `--set core.preset=small`.
//!
//! `--elf FILE` measures a program of yours instead, between its hints [`BEGIN`](ferrite_tests::stalls::BEGIN) and
//! [`END`](ferrite_tests::stalls::END), and names the instructions that cost the most.

mod program;

use std::path::PathBuf;
use std::process::ExitCode;

use ferrite_gen::config::parse;
use ferrite_gen::run::{Chip, Watch};
use ferrite_hdl::design::Design;
use ferrite_hw::config::ChipConfig;
use ferrite_sim::{KeptSignals, Native, NativeOptions};
use ferrite_tests::bench::{LIMITS, design, small_chip};
use ferrite_tests::kernels::{self, Kernel, Told};
use ferrite_tests::section;
use ferrite_tests::stalls::{Breakdown, Cause, profile};
use ferrite_tests::tools::{GCC, have};
use ferrite_tests::workloads::Board;

struct Options {
    docs: Option<PathBuf>,
    rounds: u32,
    elf: Option<PathBuf>,
    set: Vec<String>,
}

fn options() -> Result<Options, String> {
    let mut options = Options { docs: None, rounds: 8, elf: None, set: Vec::new() };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--bench" => {} // cargo's
            "--docs" => options.docs = Some(value()?.into()),
            "--set" => options.set.push(value()?),
            "--rounds" => {
                let number = value()?;
                let rounds = number.parse().ok().filter(|rounds| *rounds > 0);
                options.rounds =
                    rounds.ok_or(format!("--rounds is `{number}`; it must be a number above 0"))?;
            }
            "--elf" => options.elf = Some(value()?.into()),
            other => {
                return Err(format!(
                    "unknown argument `{other}`; there are --docs FILE, --rounds N, --elf FILE and --set KEY=VALUE"
                ));
            }
        }
    }
    Ok(options)
}

fn main() -> ExitCode {
    match options().and_then(|options| match &options.elf {
        Some(elf) => program::measure(elf, &options.set),
        None => measure(&options),
    }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("bench-core: {message}");
            ExitCode::FAILURE
        }
    }
}

fn measure(options: &Options) -> Result<(), String> {
    if !have(&[GCC, "gcc"]) {
        return Err("the kernels cannot be built; `make tools` installs the compilers".to_string());
    }
    let core = parse(None, &options.set).map_err(|report| report.to_string())?.core;
    let config = ChipConfig { core, ..small_chip() };
    let design = design(&config);
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let kernels = kernels::build(&config, folder.path(), options.rounds)?;
    let mut rows = Vec::new();
    for kernel in &kernels {
        eprintln!("{} ...", kernel.name);
        check(&config, &design, kernel)?;
        rows.push((kernel.name.as_str(), profiled(&design, kernel)?));
    }
    let report = report(&rows);
    println!("{report}");
    match &options.docs {
        Some(docs) => section::write(docs, "bench-core", &report).map_err(|error| error.to_string()),
        None => Ok(()),
    }
}

fn native(design: &Design, signals: KeptSignals) -> Result<Box<Native>, String> {
    let options = NativeOptions { signals, ..NativeOptions::default() };
    Native::new(design, &options).map(Box::new).map_err(|error| error.to_string())
}

/// Runs a kernel to its end: it must compute what it computes on the host.
fn check(config: &ChipConfig, design: &Design, kernel: &Kernel) -> Result<(), String> {
    let name = &kernel.name;
    let mut chip = Chip::new(config, native(design, KeptSignals::Needed)?);
    for (address, bytes) in &kernel.segments {
        chip.write(*address, bytes).map_err(|error| format!("{name}: {error}"))?;
    }
    let mut printed = Vec::new();
    let mut console = |byte| printed.push(byte);
    let mut watch = Watch { console: Some(&mut console), ..Watch::default() };
    let ended = chip.run(&LIMITS, &mut watch).map_err(|error| format!("{name}: {error}"))?;
    let printed = String::from_utf8_lossy(&printed);
    match Told::parse(&printed) {
        Some(told) if told.checksum == kernel.expected && ended.exit_code == 0 => Ok(()),
        _ => Err(format!(
            "{name} ended with code {} and printed `{}`; its checksum on the host is {}",
            ended.exit_code,
            printed.trim(),
            kernel.expected
        )),
    }
}

fn profiled(design: &Design, kernel: &Kernel) -> Result<Breakdown, String> {
    let mut board = Board::new(native(design, KeptSignals::All)?, &kernel.image());
    let breakdown = profile(&mut *board.engine, LIMITS.max_cycles).map_err(|error| error.to_string())?;
    breakdown.ok_or_else(|| format!("{} has no end within {} cycles", kernel.name, LIMITS.max_cycles))
}

fn report(kernels: &[(&str, Breakdown)]) -> String {
    let mut all = Breakdown::default();
    kernels.iter().for_each(|(_, breakdown)| all += *breakdown);
    let causes: Vec<Cause> = Cause::ALL.into_iter().filter(|cause| all.stalled(*cause) > 0).collect();
    let names: Vec<&str> = causes.iter().map(|cause| cause.name()).collect();
    let mut text = format!(
        "| kernel | instructions | cycles | CPI | {} |\n|---|---|---|---|{}\n",
        names.join(" | "),
        "---|".repeat(causes.len())
    );
    let rows = kernels.iter().map(|(name, breakdown)| (*name, breakdown)).chain([("all", &all)]);
    for (name, breakdown) in rows {
        let share = |cause: &Cause| 100.0 * breakdown.stalled(*cause) as f64 / breakdown.cycles as f64;
        let shares: Vec<String> = causes.iter().map(|cause| format!("{:.1} %", share(cause))).collect();
        let Breakdown { instructions, cycles, .. } = breakdown;
        text += &format!(
            "| {name} | {instructions} | {cycles} | {:.3} | {} |\n",
            breakdown.cpi(),
            shares.join(" | ")
        );
    }
    let logs: f64 = kernels.iter().map(|(_, breakdown)| breakdown.cpi().ln()).sum();
    text += &format!("\nGeometric mean of the kernels' CPI: {:.3}.\n", (logs / kernels.len() as f64).exp());
    text
}
