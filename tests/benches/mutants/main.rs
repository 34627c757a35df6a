//! Puts faults into the Verilog of the core and of the tensor unit's parts, one at a time, and shows that each is noticed. `make mutants` calls
//! it.
//!
//! Arguments restrict it to faults whose names contain one of them; the faults of parts have the names of their parts.

use std::process::ExitCode;
use std::time::Instant;

use ferrite_tests::formal::cores;
use ferrite_tests::formal::netlist::Change;
use ferrite_tests::formal::tools::Tools;
use ferrite_tests::formal::unit::{Subject, subjects};
use ferrite_tests::mutants::faults::{FAULTS, Fault};
use ferrite_tests::mutants::run::{Catch, MutantError, programs, try_fault, try_part};
use ferrite_tests::parallel::in_parallel;

/// Programs that the cores without a fault must pass.
const PROGRAMS_OF_THE_CORE: u64 = 60;

fn main() -> ExitCode {
    let names: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match run(&names) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(survivors) => {
            eprintln!("mutants: {survivors} faults are not noticed");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("mutants: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(names: &[String]) -> Result<usize, MutantError> {
    let begun = Instant::now();
    let progress = |what: String| eprintln!("[{:4} s] {what}", begun.elapsed().as_secs());
    let tools = Tools::find();
    if names.is_empty() {
        in_parallel(cores(), |(name, core)| {
            let folder = tempfile::tempdir()?;
            let caught = programs(folder.path(), &core, None, PROGRAMS_OF_THE_CORE)?;
            progress(format!(
                "{name} without a fault: {}",
                caught.as_ref().map_or("passes", |catch| &catch.said)
            ));
            assert!(caught.is_none(), "{name} fails without a fault");
            Ok::<_, MutantError>(())
        })?;
    }
    let wanted =
        |fault: &&Fault| names.is_empty() || names.iter().any(|name| fault.name.contains(name.as_str()));
    let tried = in_parallel(FAULTS.iter().filter(wanted), |fault| {
        let caught = try_fault(fault, tools.as_ref())?;
        let by = caught.as_ref().map_or("SURVIVES", |catch| &catch.test);
        progress(format!("{}: {by}", fault.name));
        Ok::<_, MutantError>((fault, caught))
    })?;
    let subjects = subjects();
    let of_parts = subjects.iter().flat_map(|subject| {
        subject.faults().enumerate().map(move |(number, (check, change))| (subject, number, check, change))
    });
    let named =
        |subject: &Subject| names.is_empty() || names.iter().any(|name| subject.name.contains(name.as_str()));
    let of_parts = of_parts.filter(|(subject, ..)| tools.is_some() && named(subject));
    let tried_parts = in_parallel(of_parts, |(subject, number, check, change)| {
        let caught = match &tools {
            Some(tools) => try_part(subject, change, check, tools)?,
            None => None,
        };
        let by = caught.as_ref().map_or("SURVIVES", |catch| &catch.said);
        progress(format!("{} {number}: {by}", subject.name));
        Ok::<_, MutantError>((subject.name, change, caught))
    })?;
    println!("| fault | file | noticed by | cycles |\n|---|---|---|---|");
    let row = |name: &str, whole: &str, change: &Change, caught: &Option<Catch>| {
        let (by, cycles) = match caught {
            Some(Catch { test, cycles, .. }) => (test.as_str(), cycles.to_string()),
            None => ("nothing", String::new()),
        };
        println!("| {name} ({whole}) | {} | {by} | {cycles} |", change.file);
    };
    for (fault, caught) in &tried {
        row(fault.name, fault.core, &fault.change, caught);
    }
    for (part, change, caught) in &tried_parts {
        row(&format!("`{}` is `{}`", change.from, change.to), part, change, caught);
    }
    let survivors = tried.iter().filter(|(_, caught)| caught.is_none()).count();
    Ok(survivors + tried_parts.iter().filter(|(.., caught)| caught.is_none()).count())
}
