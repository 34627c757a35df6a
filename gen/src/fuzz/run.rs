//! One program from reset to its end.

use ferrite_model::isa::{Op, decode};
use ferrite_model::iss::Retired;

use super::bench::{Bench, Running};
use super::coverage::{Coverage, Observation};
use super::failure::Failure;
use super::place::{CODE, CODE_BYTES};
use super::program::Program;

/// Instructions of a program, at most.
const MOST_INSTRUCTIONS: u64 = 4000;
/// A program ends when so many instructions have retired since one did that had not before.
const STALE_INSTRUCTIONS: u32 = 400;
/// A program ends when so many instructions have trapped one behind the other: its handler is out of reach.
const MOST_TRAPS_ON_END: u32 = 12;
/// After so many cycles without an instruction all interrupt lines rise.
const WAKING_CYCLES: u64 = 300;
/// More cycles than any instruction takes.
const HANGING_CYCLES: u64 = 1500;

/// How far a program came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    /// Instructions that retired or trapped.
    pub instructions: u64,
    /// Clock cycles.
    pub cycles: u64,
}

/// Decides when a program has nothing new to show.
struct Watch {
    visited: Vec<bool>,
    stale: u32,
    traps_on_end: u32,
}

impl Watch {
    fn new() -> Watch {
        Watch { visited: vec![false; CODE_BYTES as usize / 2], stale: 0, traps_on_end: 0 }
    }

    /// Whether the program is to go on after this instruction.
    fn goes_on(&mut self, retired: &Retired) -> bool {
        self.stale += 1;
        let place = (retired.pc.wrapping_sub(CODE) / 2) as usize;
        if let Some(visited) = self.visited.get_mut(place)
            && !std::mem::replace(visited, true)
        {
            self.stale = 0;
        }
        self.traps_on_end = if retired.trap.is_some() { self.traps_on_end + 1 } else { 0 };
        self.stale < STALE_INSTRUCTIONS && self.traps_on_end < MOST_TRAPS_ON_END
    }
}

/// Runs a program.
///
/// # Errors
/// What is wrong with the core.
pub fn run(
    bench: &mut Bench,
    program: &Program,
    mut coverage: Option<&mut Coverage>,
) -> Result<Ran, Failure> {
    let image = program.image();
    let mut running = bench.start(&image, &program.weights, program.seed);
    let first = running.cycle();
    let is_immediate = program.weights.waits == 0;
    let mut watch = Watch::new();
    let mut instructions = 0;
    let mut last = first;
    let mut mode = running.model().privilege();
    if let Some(coverage) = &mut coverage {
        coverage.begin();
    }
    while instructions < MOST_INSTRUCTIONS {
        let cycle = running.cycle();
        let stepped = running.step();
        // What a program does that executes what it stored without `fence.i` between is not defined.
        if running.model().bus.executes_stored {
            break;
        }
        let Some(retired) = stepped? else {
            if is_asleep(&mut running, cycle - last)? {
                break;
            }
            continue;
        };
        instructions += 1;
        if retired.trap.is_none() && retired.inst.is_some_and(|inst| inst.op == Op::FenceI) {
            running.fence();
        }
        if let Some(coverage) = &mut coverage {
            let iss = running.model();
            let gap = is_immediate.then_some(cycle - last);
            coverage.observe(&Observation { retired: &retired, mode, gap, iss });
        }
        mode = running.model().privilege();
        last = cycle;
        if !watch.goes_on(&retired) {
            break;
        }
    }
    Ok(Ran { instructions, cycles: running.cycle() - first })
}

/// Looks after a core that has not done anything for some cycles: true if the program waits for what it has forbidden.
fn is_asleep(running: &mut Running<'_>, idle: u64) -> Result<bool, Failure> {
    if idle == WAKING_CYCLES {
        running.wake();
    }
    if idle < HANGING_CYCLES {
        return Ok(false);
    }
    let iss = running.model();
    let pc = iss.pc();
    let low = iss.bus.word(pc) >> (8 * (pc & 2));
    let word = if pc & 2 == 0 { low } else { iss.bus.word(pc.wrapping_add(2)) << 16 | low & 0xFFFF };
    let waits = decode(word).is_some_and(|inst| inst.op == Op::Wfi);
    if waits && iss.csr(ferrite_model::isa::csr::MIE) == Some(0) {
        return Ok(true);
    }
    Err(Failure::Hang { cycle: running.cycle(), idle, pc })
}
