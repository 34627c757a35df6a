//! Running a program.

use std::io::Write;
use std::process::ExitCode;

use ferrite_gen::elf::{self, ElfError};
use ferrite_gen::error::Error;
use ferrite_gen::run::{Checkpoint, Host, Watch, golden};
use ferrite_hw::map::MemoryMap;
use ferrite_model::lockstep::Lockstep;
use ferrite_sim::Snapshot;
use serde_json::json;

use super::numbers::{frequency, grouped};
use super::progress::Cycles;
use super::replay::{History, replay};
use super::report::{print, say};
use super::run::Run;
use super::{saved, signature};

/// Runs an ELF program until it exits.
pub fn run(options: &Run, file: &[u8]) -> Result<ExitCode, Error> {
    let path = options.file.clone();
    let config = options.chip()?;
    let map = MemoryMap::of(&config);
    let program = elf::parse(file, map.ram()).map_err(|problem| ElfError { path: path.clone(), problem })?;
    // The boot ROM jumps there, and the core can start nowhere else.
    let expected = map.ram().base;
    if program.entry != expected {
        return Err(Error::Entry { path, entry: program.entry, expected });
    }
    let signature = match &options.signature {
        Some(_) => Some(signature::place(&path, &program.symbols, map.ram())?),
        None => None,
    };
    let mut bench = options.start(config)?;
    let mut lockstep = options.lockstep.then(|| Lockstep::new(golden(&bench.config)));
    bench.chip.set_program(file);
    bench.chip.set_host(Host::of(&program.symbols))?;
    for segment in &program.segments {
        bench.chip.write(segment.address, &segment.bytes)?;
        if let Some(lockstep) = &mut lockstep {
            let copied = lockstep.iss_mut().bus.write_memory(segment.address, &segment.bytes);
            copied.expect("the golden machine has the chip's RAM");
        }
    }
    saved::begin(options, &mut bench.chip)?;
    let first = bench.chip.cycle();
    let mut history = match options.trace_last {
        Some(cycles) => Some(History::new(cycles, first, bench.chip.save()?)),
        None => None,
    };

    let cycles = Cycles::from_cycle(first);
    let mut printed = Vec::new();
    let mut console = |byte: u8| {
        if options.json {
            printed.push(byte);
        } else {
            cycles.pause(|| {
                let mut out = std::io::stdout();
                // Nobody reads any more: the run goes on for its exit code.
                let _ = out.write_all(&[byte]).and_then(|()| out.flush());
            });
        }
    };
    let mut checkpoints = Vec::new();
    let mut write =
        |_, state: Snapshot| options.save.as_ref().map_or(Ok(()), |path| saved::write(&state, path));
    if let Some(every) = options.save_every {
        checkpoints.push(Checkpoint { every, take: &mut write });
    }
    let every = history.as_ref().map(History::every);
    let mut keep = |cycle, state| {
        if let Some(history) = &mut history {
            history.keep(cycle, state);
        }
        Ok(())
    };
    if let Some(every) = every {
        checkpoints.push(Checkpoint { every, take: &mut keep });
    }
    let mut waves = bench.waves.take();
    let ended = bench.chip.resume(
        &options.limits(),
        &mut Watch {
            lockstep: lockstep.as_mut(),
            // With a history, its end is recorded later.
            waves: waves.as_mut().filter(|_| every.is_none()),
            console: Some(&mut console),
            progress: Some(&mut |passed| cycles.show(passed)),
            checkpoints,
        },
    );
    let seconds = cycles.finish();
    if let Err(failure) = &ended {
        saved::save_at_end(options, &mut bench.chip, failure);
    }
    match (waves, history) {
        (Some(waves), Some(history)) => replay(options, &bench, &history, &ended, waves)?,
        (Some(waves), None) => waves.finish()?,
        (None, _) => {}
    }
    let ended = ended.map_err(|source| Error::Run { path, source })?;
    if let (Some(file), Some(place)) = (&options.signature, signature) {
        signature::write(file, &bench.chip, place)?;
    }

    let (total, instructions) = (ended.cycles, ended.instructions);
    if options.json {
        let report = json!({
            "program": options.file,
            "chip": bench.config.name,
            "engine": bench.engine,
            "exit_code": ended.exit_code,
            "first_cycle": first,
            "cycles": total,
            "instructions": instructions,
            "seconds": seconds,
            "console": String::from_utf8_lossy(&printed),
            "trace": options.trace,
        });
        print(&format!("{report:#}\n"))?;
    } else {
        say(&format!(
            "exit code {} after {} cycles, {} instructions ({:.2} cycles each); {seconds:.2} s, {}",
            ended.exit_code,
            grouped(total),
            grouped(instructions),
            total as f64 / instructions.max(1) as f64,
            frequency(total.saturating_sub(first), seconds),
        ));
        if options.lockstep {
            say("every instruction equals the golden model's");
        }
        if let Some(trace) = &options.trace {
            say(&format!("waveform: {}", trace.display()));
        }
    }
    Ok(ExitCode::from(u8::try_from(ended.exit_code).unwrap_or(u8::MAX)))
}
