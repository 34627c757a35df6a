//! Everything that is proved about the core and about parts of the tensor unit. `make formal` calls it.
//!
//! `--folder FOLDER` takes what the tools read and write; `--docs FOLDER` holds `core.md` and `commands.md`, whose sections `formal` are
//! replaced. Other arguments restrict it to the cores and parts of these names, or to the checks whose names begin so.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ferrite_hw::core::Core;
use ferrite_tests::formal::checks::{Check, Kind};
use ferrite_tests::formal::cores;
use ferrite_tests::formal::netlist::{Netlist, ProofError, Verdict};
use ferrite_tests::formal::tools::Tools;
use ferrite_tests::formal::unit::{Subject, subjects};
use ferrite_tests::parallel::in_parallel;
use ferrite_tests::section;

struct Options {
    folder: PathBuf,
    docs: Option<PathBuf>,
    names: Vec<String>,
}

/// What is proved.
enum Proven {
    Core(Box<Core>),
    Part(Subject),
}

/// Cores and parts, by name.
fn all() -> Vec<(&'static str, Proven)> {
    let cores = cores().into_iter().map(|(name, core)| (name, Proven::Core(Box::new(core))));
    let parts = subjects().into_iter().map(|subject| (subject.name, Proven::Part(subject)));
    cores.chain(parts).collect()
}

fn options() -> Result<Options, String> {
    let (mut folder, mut docs, mut names) = (None, None, Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().map(PathBuf::from).ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--bench" => {} // cargo's
            "--folder" => folder = Some(value()?),
            "--docs" => docs = Some(value()?),
            other if other.starts_with('-') => {
                return Err(format!(
                    "unknown argument `{other}`; there are --folder FOLDER, --docs FOLDER, and names of cores, parts and checks"
                ));
            }
            _ => names.push(argument),
        }
    }
    let folder = folder.ok_or("--folder FOLDER is missing; `make formal` gives it")?;
    Ok(Options { folder, docs, names })
}

/// A check that is done.
struct Done {
    of: &'static str,
    check: Check,
    verdict: Verdict,
    time: Duration,
}

fn main() -> ExitCode {
    let result = options().and_then(|options| prove(&options).map_err(|error| error.to_string()));
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("formal: {message}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error("the tools are missing: `make formal-tools` installs them")]
    NoTools,
    #[error("there is no core or part of one of the names {0}, nor a check that begins so")]
    NoSuchName(String),
    #[error(transparent)]
    Proof(#[from] ProofError),
    #[error(transparent)]
    Docs(#[from] section::SectionError),
}

fn prove(options: &Options) -> Result<bool, RunError> {
    let tools = Tools::find().ok_or(RunError::NoTools)?;
    let begun = Instant::now();
    let progress = |what: String| eprintln!("[{:4} s] {what}", begun.elapsed().as_secs());
    let all = all();
    let (of_wholes, of_checks): (Vec<&str>, Vec<&str>) =
        options.names.iter().map(String::as_str).partition(|name| all.iter().any(|(known, _)| known == name));
    let wanted =
        |check: &Check| of_checks.is_empty() || of_checks.iter().any(|name| check.name.starts_with(name));

    let chosen = all.into_iter().filter(|(name, _)| of_wholes.is_empty() || of_wholes.contains(name));
    let netlists = in_parallel(chosen, |(name, proven)| {
        progress(format!("{name}: Yosys"));
        let folder = options.folder.join(name);
        let netlist = match proven {
            Proven::Core(core) => Netlist::new(&tools, &folder, &core, &[], wanted),
            Proven::Part(subject) => Netlist::of_subject(&tools, &folder, &subject, &[], wanted),
        };
        netlist.map(|netlist| (name, netlist))
    })?;
    let jobs: Vec<_> = netlists
        .iter()
        .flat_map(|(name, netlist)| netlist.checks.iter().map(move |check| (*name, netlist, check)))
        .collect();
    if jobs.is_empty() {
        return Err(RunError::NoSuchName(options.names.join(", ")));
    }
    let (count, finished) = (jobs.len(), AtomicUsize::new(0));
    let done = in_parallel(jobs, |(of, netlist, check)| {
        let start = Instant::now();
        let verdict = netlist.prove(&tools, check)?;
        let time = start.elapsed();
        let number = finished.fetch_add(1, Ordering::Relaxed) + 1;
        let says = if verdict == Verdict::Holds { "holds" } else { "FAILS" };
        progress(format!("{number}/{count} {of} {}: {says}, {:.1} s", check.name, time.as_secs_f64()));
        Ok::<_, ProofError>(Done { of, check: check.clone(), verdict, time })
    })?;

    let core_names = cores().map(|(name, _)| name);
    let (of_cores, of_parts): (Vec<Done>, Vec<Done>) =
        done.into_iter().partition(|one| core_names.contains(&one.of));
    let reports = [("core.md", report(&of_cores)), ("commands.md", report_of_parts(&of_parts))];
    reports.iter().for_each(|(_, report)| println!("{report}"));
    let mut holds = true;
    for Done { of, check, verdict, .. } in of_cores.iter().chain(&of_parts) {
        if let Verdict::Fails { claims, trace } = verdict {
            holds = false;
            println!("{of} {}: {} fails; the run is in {}", check.name, claims.join(", "), trace.display());
        }
    }
    if let Some(docs) = options.docs.as_ref().filter(|_| holds) {
        for (file, report) in &reports {
            section::write(&docs.join(file), "formal", report)?;
        }
    }
    Ok(holds)
}

/// A row for each check of a part.
fn report_of_parts(done: &[Done]) -> String {
    let mut text = String::from("| part | check | claims | cycles | time |\n|---|---|---|---|---|\n");
    for Done { of, check, verdict, time } in done {
        let cycles = match check.kind {
            Kind::Always => "any number".to_string(),
            _ => check.depth.to_string(),
        };
        let says = match verdict {
            Verdict::Holds => format!("{:.0} s", time.as_secs_f64().ceil()),
            Verdict::Fails { .. } => "fails".to_string(),
        };
        let [of, name] = [of, check.name.as_str()].map(|name| name.replace('_', " "));
        text += &format!("| {of} | {name} | {} | {cycles} | {says} |\n", check.claims.len());
    }
    text + &total(done)
}

fn total(done: &[Done]) -> String {
    let total: f64 = done.iter().map(|one| one.time.as_secs_f64()).sum();
    format!(
        "\nAll {} checks together take {:.0} minutes of one processor.\n",
        done.len(),
        (total / 60.0).ceil()
    )
}

/// A row for each check, and columns for the cores.
fn report(done: &[Done]) -> String {
    let mut rows: Vec<&str> = Vec::new();
    for one in done {
        if !rows.contains(&one.check.name.as_str()) {
            rows.push(&one.check.name);
        }
    }
    let mut text = String::from("| check | claims | cycles | small | fast |\n|---|---|---|---|---|\n");
    for name in rows {
        let of = |core: &str| done.iter().find(|one| one.check.name == name && one.of == core);
        let cell = |core: &str| match of(core) {
            Some(Done { verdict: Verdict::Holds, time, .. }) => format!("{:.0} s", time.as_secs_f64().ceil()),
            Some(_) => "fails".to_string(),
            None => String::new(),
        };
        let claims = ["small", "fast"].map(of).into_iter().flatten().map(|one| one.check.claims.len()).max();
        let depth = ["fast", "small"].map(of).into_iter().flatten().map(|one| one.check.depth).next();
        text += &format!(
            "| {} | {} | {} | {} | {} |\n",
            name.replace('_', " "),
            claims.unwrap_or(0),
            depth.unwrap_or(0),
            cell("small"),
            cell("fast")
        );
    }
    text + &total(done)
}
