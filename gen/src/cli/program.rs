//! Running a program.

use std::io::Write;
use std::process::ExitCode;

use ferrite_gen::elf::{self, ElfError};
use ferrite_gen::error::Error;
use ferrite_gen::run::{Watch, golden};
use ferrite_hw::map::MemoryMap;
use ferrite_model::lockstep::Lockstep;
use serde_json::json;

use super::numbers::{frequency, grouped};
use super::progress::Cycles;
use super::report::{print, say};
use super::run::Run;

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
    let mut bench = options.start(config)?;
    let mut lockstep = options.lockstep.then(|| Lockstep::new(golden(&bench.config)));
    for segment in &program.segments {
        bench.chip.write(segment.address, &segment.bytes)?;
        if let Some(lockstep) = &mut lockstep {
            let copied = lockstep.iss_mut().bus.write_memory(segment.address, &segment.bytes);
            copied.expect("the golden machine has the chip's RAM");
        }
    }

    let cycles = Cycles::new();
    let mut printed = Vec::new();
    let mut console = |byte: u8| {
        printed.push(byte);
        if !options.json {
            cycles.pause(|| {
                let mut out = std::io::stdout();
                // Nobody reads any more: the run goes on for its exit code.
                let _ = out.write_all(&[byte]).and_then(|()| out.flush());
            });
        }
    };
    let ended = bench.chip.run(
        &options.limits(),
        &mut Watch {
            lockstep: lockstep.as_mut(),
            waves: bench.waves.as_mut(),
            console: Some(&mut console),
            progress: Some(&mut |passed| cycles.show(passed)),
        },
    );
    let seconds = cycles.finish();
    if let Some(waves) = bench.waves {
        waves.finish()?;
    }
    let ended = ended.map_err(|source| Error::Run { path, source })?;

    let (total, instructions) = (ended.cycles, ended.instructions);
    if options.json {
        let report = json!({
            "program": options.file,
            "chip": bench.config.name,
            "engine": bench.engine,
            "exit_code": ended.exit_code,
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
            frequency(total, seconds),
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
