//! How busy the tensor unit with DMA keeps its array, by size and kind of layer. `make bench-unit` calls it, and `make bench` does.
//!
//! Every output is compared with what the layer's definition says. `--docs FOLDER` has the section `utilisation` of `commands.md` replaced, and the
//! picture beside it.

#[path = "../../../hw/tests/unit/conv.rs"]
mod conv;
#[path = "../../../hw/tests/unit/depthwise.rs"]
mod depthwise;
#[path = "../../../hw/tests/unit/first.rs"]
#[allow(dead_code)]
mod first;
#[path = "../../../hw/tests/unit/gemm.rs"]
mod gemm;
#[path = "../../../hw/tests/compute/golden.rs"]
mod golden;
#[path = "../../../hw/tests/unit/layers.rs"]
mod layers;
#[path = "../../../hw/tests/unit/parameters.rs"]
mod parameters;
mod picture;
#[path = "../../../hw/tests/harness/random.rs"]
mod random;
#[path = "../../../hw/tests/unit/record.rs"]
#[allow(dead_code)]
mod record;
#[path = "../../../hw/tests/unit/rig.rs"]
#[allow(dead_code)]
mod rig;
#[path = "../../../hw/tests/unit/system.rs"]
mod system;
mod work;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ferrite_hw::unit::UnitConfig;
use ferrite_sim::{Verilator, VerilatorOptions};
use ferrite_tests::parallel::in_parallel;
use ferrite_tests::section;
use ferrite_tests::tools::have;

use rig::{Rig, config};
use work::{Measured, Work, all};

/// Arrays of so many rows and columns, with their scratchpads in KiB.
const ARRAYS: [(u32, u32); 3] = [(8, 128), (16, 128), (32, 256)];

/// Bytes of external memory.
const MEMORY_BYTES: u32 = 2 << 20;

/// The picture's file, beside `commands.md`.
const PICTURE: &str = "utilisation.svg";

fn array((size, kilobytes): (u32, u32)) -> UnitConfig {
    let mut config = config(size, size);
    config.compute.scratchpad_bytes = kilobytes << 10;
    config
}

fn main() -> ExitCode {
    let mut docs = None;
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), arguments.next()) {
            ("--docs", Some(folder)) => docs = Some(PathBuf::from(folder)),
            (other, _) => {
                eprintln!("utilisation: unknown argument `{other}`; there is --docs FOLDER");
                return ExitCode::from(2);
            }
        }
    }
    match measure(docs.as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("utilisation: {message}");
            ExitCode::FAILURE
        }
    }
}

/// What became of a piece of work on each array; nothing where it does not fit.
struct Row {
    work: Work,
    on: Vec<Option<Measured>>,
}

fn measure(docs: Option<&Path>) -> Result<(), String> {
    let works = all();
    let columns = in_parallel(ARRAYS, |sizes| {
        let mut rig = Rig::new(array(sizes), MEMORY_BYTES);
        let measured = works.iter().map(|work| {
            let measured = work.measure(&mut rig)?;
            let says =
                measured.as_ref().map_or("does not fit".to_string(), |m| format!("{} cycles", m.cycles));
            eprintln!("{0}x{0}: {1}: {says}", sizes.0, work.name);
            Ok(measured)
        });
        measured.collect::<Result<Vec<_>, String>>()
    })?;
    let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
    let rows: Vec<Row> = works
        .into_iter()
        .map(|work| Row { work, on: columns.iter_mut().filter_map(Iterator::next).collect() })
        .collect();
    on_verilator(&rows)?;

    let report = report(&rows);
    println!("{report}");
    if let Some(docs) = docs {
        picture::draw(&docs.join(PICTURE), &rows)?;
        section::write(&docs.join("commands.md"), "utilisation", &report)
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Rows with a target take as many cycles on Verilator, on the array for which the target is.
fn on_verilator(rows: &[Row]) -> Result<(), String> {
    if !have(&["verilator", "g++"]) {
        return Ok(());
    }
    let arrays =
        (0..ARRAYS.len()).filter(|array| rows.iter().any(|row| row.work.target_on(*array).is_some()));
    in_parallel(arrays, |number| {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let options =
            VerilatorOptions { cache: Some(folder.path().to_path_buf()), ..VerilatorOptions::default() };
        let mut failure = None;
        let mut rig =
            Rig::on(array(ARRAYS[number]), MEMORY_BYTES, |design| match Verilator::new(design, &options) {
                Ok(verilator) => Box::new(verilator),
                Err(error) => {
                    failure = Some(error.to_string());
                    Box::new(ferrite_sim::Interpreter::new(design))
                }
            });
        if let Some(failure) = failure {
            return Err(failure);
        }
        for row in rows.iter().filter(|row| row.work.target_on(number).is_some()) {
            let native = row.on[number].as_ref().ok_or(format!("{} does not fit", row.work.name))?;
            let cycles = row.work.repeat(&mut rig, native)?;
            eprintln!("Verilator: {}: {cycles} cycles", row.work.name);
            if cycles != native.cycles {
                return Err(format!(
                    "{}: {} cycles, but {cycles} on Verilator",
                    row.work.name, native.cycles
                ));
            }
        }
        Ok(())
    })?;
    Ok(())
}

fn report(rows: &[Row]) -> String {
    let mut text = String::from("| |");
    for (size, kilobytes) in ARRAYS {
        text += &format!(" {size}x{size}, {kilobytes} KiB | |");
    }
    text += " target |\n|---|---|---|---|---|---|---|---|\n";
    for Row { work, on } in rows {
        text += &format!("| {} |", work.name);
        for (measured, (size, _)) in on.iter().zip(ARRAYS) {
            text += &match measured {
                Some(m) => format!(" {} | {:.1} % |", m.cycles, 100.0 * work.utilisation(m.cycles, size)),
                None => " | |".to_string(),
            };
        }
        let targets =
            work.targets.iter().map(|(array, target)| format!(" {0}x{0}: {target}", ARRAYS[*array].0));
        text += &targets.collect::<Vec<_>>().join(",");
        text += " |\n";
    }
    text
}
