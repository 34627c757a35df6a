//! `ferrite fuzz`

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use clap::{Args, ValueEnum, value_parser};
use ferrite_gen::config::parameters_help;
use ferrite_gen::error::{Error, INTERRUPTED};
use ferrite_gen::fuzz::presets::FULL;
use ferrite_gen::fuzz::{Campaign, Finding, Plan, campaign};
use ferrite_hw::core::CoreConfig;
use serde_json::{Value, json};

use super::chip::Overrides;
use super::interrupt;
use super::numbers::grouped;
use super::progress::instructions;
use super::report::print;

/// Holes of a group that are printed without --all-holes.
const SHOWN_HOLES: usize = 8;

/// Runs random programs on the core, in lockstep with the golden model.
///
/// Registers, memory, traps and CSRs are compared after every instruction. Memory and coprocessor answer late, interrupts come at any time. A program on
/// which core and model differ is made small and shown; the exit code is then 1. At the end stands what has been exercised, and what not.
///
/// The program of a seed is always the same: what is wrong with program 7 shows again with --seed 7 --instructions 1 and the same core.
#[derive(Args)]
#[command(after_long_help = parameters_help())]
pub struct Fuzz {
    /// Tests the RISC-V core, which is all that can be tested so.
    #[arg(long, required = true)]
    core: bool,
    /// A core with a name, with a coprocessor.
    #[arg(long, value_enum, conflicts_with_all = ["chip", "overrides"])]
    preset: Option<Preset>,
    /// The description of a chip whose core is tested, a TOML file; without it, the default chip.
    #[arg(long, value_name = "TOML")]
    chip: Option<PathBuf>,
    #[command(flatten)]
    overrides: Overrides,
    /// Ends when so many instructions have retired.
    #[arg(long, value_name = "N", default_value_t = 2_000_000, value_parser = value_parser!(u64).range(1..))]
    instructions: u64,
    /// Ends after so many seconds, however many instructions have retired.
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// The first program.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Cores that run at the same time; without it, one for each processor. Which programs run depends on it.
    #[arg(long, value_name = "N", value_parser = value_parser!(u32).range(1..=256))]
    threads: Option<u32>,
    /// Names all holes of the coverage.
    #[arg(long)]
    all_holes: bool,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

/// Cores with names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Preset {
    /// The fewest LUTs.
    Small,
    /// The most work per cycle.
    Fast,
    /// Everything that there is.
    Full,
}

impl Preset {
    fn core(self) -> CoreConfig {
        match self {
            Preset::Small => CoreConfig::SMALL,
            Preset::Fast => CoreConfig::FAST,
            Preset::Full => FULL,
        }
    }
}

/// Runs `ferrite fuzz`.
pub fn fuzz(options: &Fuzz) -> Result<ExitCode, Error> {
    let (core, has_coprocessor) = match options.preset {
        Some(preset) => (preset.core(), true),
        None => {
            let chip = options.overrides.load(options.chip.as_ref())?;
            (chip.core, chip.tensor.is_some())
        }
    };
    let plan = Plan {
        core,
        has_coprocessor,
        seed: options.seed,
        instructions: options.instructions,
        time: options.seconds.map(Duration::from_secs),
        threads: options
            .threads
            .unwrap_or_else(|| thread::available_parallelism().map_or(1, |n| n.get() as u32)),
    };
    let interrupted = interrupt::listen();
    let bar = instructions(options.instructions);
    let campaign = campaign(&plan, &|retired| bar.set_position(retired), &interrupted)?;
    bar.finish_and_clear();
    print(&if options.json { as_json(&plan, &campaign) } else { as_text(options, &campaign) })?;
    Ok(match campaign.finding {
        Some(_) => ExitCode::FAILURE,
        None if interrupted.load(Ordering::Relaxed) => ExitCode::from(INTERRUPTED),
        None => ExitCode::SUCCESS,
    })
}

fn as_text(options: &Fuzz, campaign: &Campaign) -> String {
    let seconds = campaign.time.as_secs_f64();
    let instructions = campaign.ran.instructions;
    let mut text = format!(
        "{} programs, {} instructions, {} cycles; {seconds:.1} s, {} instructions a second\n",
        grouped(campaign.programs),
        grouped(instructions),
        grouped(campaign.ran.cycles),
        grouped((instructions as f64 / seconds.max(1e-9)) as u64),
    );
    let Some(finding) = &campaign.finding else {
        text.push_str("core and model never differed\n\n");
        write_coverage(options, campaign, &mut text);
        return text;
    };
    let _ = write!(text, "\n{finding}\nonce more: ferrite fuzz --core");
    match options.preset.and_then(|preset| preset.to_possible_value()) {
        Some(preset) => {
            let _ = write!(text, " --preset {}", preset.get_name());
        }
        None => text.push_str(" and the options that chose the core, with"),
    }
    let _ = writeln!(text, " --seed {} --instructions 1 --threads 1", finding.seed);
    text
}

fn write_coverage(options: &Fuzz, campaign: &Campaign, text: &mut String) {
    for group in campaign.coverage.groups() {
        let holes: Vec<&str> = group.holes().collect();
        let _ = writeln!(text, "{:<48} {:>5} of {}", group.title, group.len() - holes.len(), group.len());
        let shown = if options.all_holes { holes.len() } else { SHOWN_HOLES };
        for hole in holes.iter().take(shown) {
            let _ = writeln!(text, "    never: {hole}");
        }
        if holes.len() > shown {
            let _ = writeln!(text, "    and {} more; --all-holes names them", holes.len() - shown);
        }
    }
}

fn as_json(plan: &Plan, campaign: &Campaign) -> String {
    let finding = |finding: &Finding| {
        json!({
            "seed": finding.seed,
            "failure": finding.failure.to_string(),
            "listing": finding.listing,
            "items": finding.items,
            "waits": finding.waits,
            "interrupts": finding.interrupts,
        })
    };
    let coverage: Vec<Value> = campaign
        .coverage
        .groups()
        .map(|group| {
            let holes: Vec<&str> = group.holes().collect();
            json!({ "title": group.title, "things": group.len(), "holes": holes })
        })
        .collect();
    let report = json!({
        "seed": plan.seed,
        "threads": plan.threads,
        "programs": campaign.programs,
        "instructions": campaign.ran.instructions,
        "cycles": campaign.ran.cycles,
        "seconds": campaign.time.as_secs_f64(),
        "finding": campaign.finding.as_ref().map(finding),
        "coverage": coverage,
    });
    format!("{report:#}\n")
}
