//! Random programs on the core, in lockstep with the golden model.
//!
//! ```text
//!   seed --> program (items) --> image --+--> core on its board -- RVFI, CSRs --> compared --> coverage
//!                 ^                      +--> model on its own board -------------^   |
//!                 +---- shrink <------------------------------------------------- failure
//! ```
//!
//! | file | what it holds |
//! |---|---|
//! | `random`, `weights`, `instructions`, `idioms`, `handler`, `program` | how programs are made |
//! | `item` | a program in pieces that can be taken away, and its bytes |
//! | `place`, `board`, `interrupts` | memory, devices, lines |
//! | `ports`, `bench`, `run`, `failure` | a core beside the model, and what can be wrong |
//! | `campaign` | many programs on several threads |
//! | `coverage` | what has been exercised, and what not |
//! | `shrink`, `listing` | a program that fails, made small and shown |
//!
//! Everything follows from a program's seed: the program, wait states, interrupts.

mod bench;
mod board;
mod campaign;
mod coverage;
mod failure;
mod handler;
mod idioms;
mod instructions;
mod interrupts;
mod item;
mod listing;
mod place;
mod ports;
pub mod presets;
mod program;
mod random;
mod run;
mod shrink;
mod traits;
mod weights;

use std::fmt;

use ferrite_hw::core::CoreConfig;
use ferrite_model::iss::HartConfig;
use ferrite_sim::Simulator;

use bench::Bench;
pub use campaign::{Campaign, Plan, campaign};
pub use coverage::{Coverage, Group};
pub use failure::Failure;
use program::Program;
pub use run::Ran;
pub use traits::Traits;

use crate::error::Error;

/// A core, and how far its test is.
pub struct Fuzzer {
    traits: Traits,
    bench: Bench,
    coverage: Coverage,
    /// Programs that have ended.
    programs: u64,
    ran: Ran,
}

/// A program on which the core failed, as small as it could be made.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The program's seed.
    pub seed: u64,
    /// How the small program fails.
    pub failure: Failure,
    /// The small program, disassembled.
    pub listing: String,
    /// Items that are left of it; an item is one instruction or a few.
    pub items: usize,
    /// Items that there were.
    pub items_before: usize,
    /// Whether it needs wait states.
    pub waits: bool,
    /// Whether it needs interrupts.
    pub interrupts: bool,
}

impl Fuzzer {
    /// A core, which is to be what the model's hart of the same configuration is.
    ///
    /// # Errors
    /// The core cannot be built or simulated.
    pub fn new(core: CoreConfig, has_coprocessor: bool) -> Result<Fuzzer, Error> {
        let traits = Traits::new(core, has_coprocessor);
        let hart = traits.hart;
        Fuzzer::with_hart(traits, hart)
    }

    /// A core, compared with some hart.
    ///
    /// # Errors
    /// The core cannot be built or simulated.
    pub fn with_hart(traits: Traits, hart: HartConfig) -> Result<Fuzzer, Error> {
        let bench = Bench::new(&traits, hart)?;
        Ok(Fuzzer::of(traits, bench))
    }

    /// A core on an engine that has not run yet. If it cannot go back to a state, one program runs on it.
    ///
    /// # Errors
    /// An assertion of the core fails during the reset.
    pub fn on(
        engine: Box<dyn Simulator + Send>,
        core: CoreConfig,
        has_coprocessor: bool,
    ) -> Result<Fuzzer, Error> {
        let traits = Traits::new(core, has_coprocessor);
        let bench = Bench::on(engine, &traits, traits.hart)?;
        Ok(Fuzzer::of(traits, bench))
    }

    fn of(traits: Traits, bench: Bench) -> Fuzzer {
        let coverage = Coverage::new(&traits);
        Fuzzer { traits, bench, coverage, programs: 0, ran: Ran::default() }
    }

    /// Runs the program of a seed.
    ///
    /// # Errors
    /// What is wrong with the core; [`Fuzzer::find`] makes the program small.
    pub fn run(&mut self, seed: u64) -> Result<Ran, Failure> {
        let program = Program::random(seed, &self.traits);
        let ran = run::run(&mut self.bench, &program, Some(&mut self.coverage))?;
        self.programs += 1;
        self.ran.instructions += ran.instructions;
        self.ran.cycles += ran.cycles;
        Ok(ran)
    }

    /// The cycle in which the core is, counted from its reset.
    pub fn cycle(&self) -> u64 {
        self.bench.cycle()
    }

    /// Makes the program of a seed small, on which the core failed.
    pub fn find(&mut self, seed: u64, failure: Failure) -> Finding {
        let program = Program::random(seed, &self.traits);
        let items_before = program.items.len();
        let (program, failure) = shrink::shrink(&mut self.bench, program, failure);
        Finding {
            seed,
            items: program.items.len(),
            items_before,
            waits: program.weights.waits > 0,
            interrupts: program.weights.interrupts > 0,
            listing: listing::listing(&program),
            failure,
        }
    }

    /// What has been exercised.
    pub fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    /// Programs that have ended.
    pub fn programs(&self) -> u64 {
        self.programs
    }

    /// Instructions and cycles of all programs.
    pub fn ran(&self) -> Ran {
        self.ran
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let needs = match (self.waits, self.interrupts) {
            (false, false) => "memory answers at once, and there are no interrupts",
            (true, false) => "memory answers late, and there are no interrupts",
            (false, true) => "memory answers at once, and there are interrupts",
            (true, true) => "memory answers late, and there are interrupts",
        };
        writeln!(f, "program {}: {}", self.seed, self.failure)?;
        writeln!(
            f,
            "the program, of which {} of {} items are left ({needs}; traps go to a handler before it, at 0x80000000):",
            self.items, self.items_before
        )?;
        f.write_str(&self.listing)
    }
}
