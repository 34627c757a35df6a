//! Everything that is proved about the core. `make formal` calls it.
//!
//! `--folder FOLDER` takes what the tools read and write; `--docs FILE` has its section `formal` replaced. Other arguments restrict it to the
//! cores or to the checks whose names begin so.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ferrite_tests::formal::checks::Check;
use ferrite_tests::formal::cores;
use ferrite_tests::formal::netlist::{Netlist, ProofError, Verdict};
use ferrite_tests::formal::tools::Tools;
use ferrite_tests::parallel::in_parallel;
use ferrite_tests::section;

struct Options {
    folder: PathBuf,
    docs: Option<PathBuf>,
    names: Vec<String>,
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
                    "unknown argument `{other}`; there are --folder FOLDER, --docs FILE, and names of cores and checks"
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
    core: &'static str,
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
    #[error("no core or check begins with one of the names {0}")]
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
    let names = |wanted: &[&'static str]| -> Vec<&str> {
        options.names.iter().map(String::as_str).filter(|name| wanted.contains(name)).collect()
    };
    let core_names = cores().map(|(name, _)| name);
    let of_cores = names(&core_names);
    let of_checks: Vec<&str> =
        options.names.iter().map(String::as_str).filter(|name| !of_cores.contains(name)).collect();
    let wanted =
        |check: &Check| of_checks.is_empty() || of_checks.iter().any(|name| check.name.starts_with(name));

    let chosen = cores().into_iter().filter(|(name, _)| of_cores.is_empty() || of_cores.contains(name));
    let netlists = in_parallel(chosen, |(name, core)| {
        progress(format!("{name}: Yosys"));
        Netlist::new(&tools, &options.folder.join(name), &core, &[], wanted).map(|netlist| (name, netlist))
    })?;
    let jobs: Vec<_> = netlists
        .iter()
        .flat_map(|(name, netlist)| netlist.checks.iter().map(move |check| (*name, netlist, check)))
        .collect();
    if jobs.is_empty() {
        return Err(RunError::NoSuchName(options.names.join(", ")));
    }
    let (count, finished) = (jobs.len(), AtomicUsize::new(0));
    let done = in_parallel(jobs, |(core, netlist, check)| {
        let start = Instant::now();
        let verdict = netlist.prove(&tools, check)?;
        let time = start.elapsed();
        let number = finished.fetch_add(1, Ordering::Relaxed) + 1;
        let says = if verdict == Verdict::Holds { "holds" } else { "FAILS" };
        progress(format!("{number}/{count} {core} {}: {says}, {:.1} s", check.name, time.as_secs_f64()));
        Ok::<_, ProofError>(Done { core, check: check.clone(), verdict, time })
    })?;

    let report = report(&done);
    println!("{report}");
    let mut holds = true;
    for Done { core, check, verdict, .. } in &done {
        if let Verdict::Fails { claims, trace } = verdict {
            holds = false;
            println!("{core} {}: {} fails; the run is in {}", check.name, claims.join(", "), trace.display());
        }
    }
    if let Some(docs) = options.docs.as_ref().filter(|_| holds) {
        section::write(docs, "formal", &report)?;
    }
    Ok(holds)
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
        let of = |core: &str| done.iter().find(|one| one.check.name == name && one.core == core);
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
    let total: f64 = done.iter().map(|one| one.time.as_secs_f64()).sum();
    text += &format!(
        "\nAll {} checks together take {:.0} minutes of one processor.\n",
        done.len(),
        (total / 60.0).ceil()
    );
    text
}
