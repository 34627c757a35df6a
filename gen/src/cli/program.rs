//! Running a program.

use std::process::ExitCode;

use ferrite_gen::elf::{self, ElfError, Loaded};
use ferrite_gen::error::Error;
use ferrite_gen::march::march;
use ferrite_gen::run::{Checkpoint, Ended, Host, RunError, Watch, golden};
use ferrite_hw::config::ChipConfig;
use ferrite_hw::map::MemoryMap;
use ferrite_model::iss::Machine;
use ferrite_model::lockstep::Lockstep;
use ferrite_sim::{FstRecorder, Snapshot};
use serde_json::json;

use super::numbers::{frequency, grouped};
use super::progress::Cycles;
use super::replay::{History, replay};
use super::report::{both, pass_on, print, say};
use super::run::{Bench, Run};
use super::{saved, signature, waves};

/// Runs an ELF program until it exits.
pub fn run(options: &Run, file: &[u8]) -> Result<ExitCode, Error> {
    let config = options.chip()?;
    let ram = *MemoryMap::of(&config).ram();
    let program = parse(options, file, &config)?;
    let signature = match &options.signature {
        Some(_) => Some(signature::place(&options.file, &program.symbols, &ram)?),
        None => None,
    };
    let state = saved::read(options)?;
    let mut bench = options.start(config)?;
    let mut lockstep = options.lockstep.then(|| Lockstep::new(golden(&bench.config)));
    bench.chip.set_program(file);
    load(&program, &mut bench, lockstep.as_mut())?;

    let mut waves = bench.waves.take();
    let course = simulate(options, &mut bench, lockstep.as_mut(), waves.as_mut(), state.as_ref())?;
    if let Err(failure) = &course.ended {
        saved::save_at_end(options, &mut bench.chip, failure);
    }
    let told = match &course.ended {
        Ok(ended) => tell(options, &bench, &course, ended),
        Err(_) => Ok(()),
    };
    let recorded = record_end(options, &bench, &course, waves);
    let signed = match (&options.signature, signature) {
        (Some(file), Some(place)) if course.ended.is_ok() => signature::write(file, &bench.chip, place),
        _ => Ok(()),
    };
    let ended = course.ended.map_err(|source| Error::Run { path: options.file.clone(), source });
    let ended = both(ended.and_then(|ended| told.and(signed).map(|()| ended)), recorded)?;
    Ok(ExitCode::from(u8::try_from(ended.exit_code).unwrap_or(u8::MAX)))
}

fn parse(options: &Run, file: &[u8], config: &ChipConfig) -> Result<Loaded, Error> {
    let path = options.file.clone();
    let program = elf::parse(file, config).map_err(|problem| ElfError { path: path.clone(), problem })?;
    if !program.lacking.is_empty() {
        say(&format!(
            "note: {} was compiled for more than the chip has: {}. Their instructions trap; -march={} leaves them out",
            path.display(),
            program.lacking.join(", "),
            march(&config.core)
        ));
    }
    // The boot ROM jumps there, and the core can start nowhere else.
    let expected = MemoryMap::of(config).ram().base;
    if program.entry != expected {
        return Err(Error::Entry { path, entry: program.entry, expected });
    }
    Ok(program)
}

/// Puts the program into the chip and into the golden model.
fn load(
    program: &Loaded,
    bench: &mut Bench,
    mut lockstep: Option<&mut Lockstep<Machine>>,
) -> Result<(), Error> {
    bench.chip.set_host(Host::of(&program.symbols))?;
    for segment in &program.segments {
        bench.chip.write(segment.address, &segment.bytes)?;
        if let Some(lockstep) = &mut lockstep {
            let copied = lockstep.iss_mut().bus.write_memory(segment.address, &segment.bytes);
            copied.expect("the golden machine has the chip's RAM");
        }
    }
    Ok(())
}

/// How a run went.
struct Course {
    /// Its first cycle.
    first: u64,
    ended: Result<Ended, RunError>,
    seconds: f64,
    /// What the program printed, with --json.
    printed: Vec<u8>,
    /// With --trace-last.
    history: Option<History>,
}

/// Runs the program from reset, or from where it was saved, to its end.
fn simulate(
    options: &Run,
    bench: &mut Bench,
    lockstep: Option<&mut Lockstep<Machine>>,
    mut waves: Option<&mut FstRecorder>,
    state: Option<&Snapshot>,
) -> Result<Course, Error> {
    // With --trace-last the end is recorded later.
    waves = waves.filter(|_| options.trace_last.is_none());
    let chip = &mut bench.chip;
    saved::begin(options, chip, waves.as_deref_mut(), state)?;
    let first = state.map_or(0, Snapshot::cycle);
    let mut history = match options.trace_last {
        Some(cycles) => Some(History::new(cycles, chip.cycle(), chip.save()?)),
        None => None,
    };

    let cycles = Cycles::from_cycle(first);
    let mut printed = Vec::new();
    let mut console = |byte: u8| match options.json {
        true => printed.push(byte),
        false => cycles.pause(|| pass_on(byte)),
    };
    let mut write = |_, state: Snapshot| {
        if let Err(error) = saved::write(options, &state) {
            cycles.pause(|| say(&format!("warning: {error}; the run goes on without")));
        }
    };
    let every = history.as_ref().map(History::every);
    let mut keep = |cycle, state| {
        if let Some(history) = &mut history {
            history.keep(cycle, state);
        }
    };
    let mut checkpoints = Vec::new();
    checkpoints.extend(options.save_every.map(|every| Checkpoint { every, take: &mut write }));
    checkpoints.extend(every.map(|every| Checkpoint { every, take: &mut keep }));
    let mut watch = Watch {
        lockstep,
        waves,
        console: Some(&mut console),
        progress: Some(&mut |passed| cycles.show(passed)),
        checkpoints,
        interrupted: Some(&bench.interrupted),
    };
    let ended = chip.resume(&options.limits(), &mut watch);
    Ok(Course { first, ended, seconds: cycles.finish(), printed, history })
}

/// Records the end of a run with --trace-last, and completes the waveform of any other.
fn record_end(
    options: &Run,
    bench: &Bench,
    course: &Course,
    waves: Option<FstRecorder>,
) -> Result<(), Error> {
    match (waves, &course.history) {
        (Some(waves), Some(history)) => return replay(options, bench, history, &course.ended, waves),
        (Some(waves), None) => {
            // A cycle that a run could not finish is recorded too.
            let last = bench.chip.cycle() - u64::from(course.ended.is_ok());
            let is_recorded = waves::finish(options, waves, course.first, last)?;
            if let Some(place) = options.trace.as_ref().filter(|_| is_recorded && !options.json) {
                say(&format!("waveform: {}", place.display()));
            }
        }
        (None, _) => {}
    }
    Ok(())
}

/// Tells how a program has ended.
fn tell(options: &Run, bench: &Bench, course: &Course, ended: &Ended) -> Result<(), Error> {
    let Ended { exit_code, cycles, instructions } = *ended;
    if options.json {
        let report = json!({
            "program": options.file,
            "chip": bench.config.name,
            "engine": bench.engine,
            "exit_code": exit_code,
            "first_cycle": course.first,
            "cycles": cycles,
            "instructions": instructions,
            "seconds": course.seconds,
            "console": String::from_utf8_lossy(&course.printed),
            "trace": options.trace,
        });
        return print(&format!("{report:#}\n"));
    }
    say(&format!(
        "exit code {exit_code} after {} cycles, {} instructions ({:.2} cycles each); {:.2} s, {}",
        grouped(cycles),
        grouped(instructions),
        cycles as f64 / instructions.max(1) as f64,
        course.seconds,
        frequency(cycles.saturating_sub(course.first), course.seconds),
    ));
    if options.lockstep {
        say("every instruction equals the golden model's");
    }
    Ok(())
}
