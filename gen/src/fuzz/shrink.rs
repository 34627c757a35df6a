//! Makes a program that fails as small as it can be and still fail.

use super::bench::Bench;
use super::failure::Failure;
use super::program::Program;
use super::run::run;

/// Rounds over all items, at most.
const MOST_ROUNDS: u32 = 6;

/// The smallest program found, and how it fails. `failure` is how `program` fails.
pub fn shrink(bench: &mut Bench, program: Program, failure: Failure) -> (Program, Failure) {
    let mut shrinker = Shrinker { bench, best: program, failure };
    shrinker.quieten();
    for _ in 0..MOST_ROUNDS {
        let before = shrinker.best.items.len();
        shrinker.remove_items();
        shrinker.remove_parts();
        if shrinker.best.items.len() == before {
            break;
        }
    }
    shrinker.quieten();
    (shrinker.best, shrinker.failure)
}

struct Shrinker<'a> {
    bench: &'a mut Bench,
    best: Program,
    failure: Failure,
}

impl Shrinker<'_> {
    /// Takes the program if it fails in the same way.
    fn try_out(&mut self, program: Program) -> bool {
        match run(self.bench, &program, None) {
            Err(failure) if failure.is_like(&self.failure) => {
                self.best = program;
                self.failure = failure;
                true
            }
            _ => false,
        }
    }

    /// Does without wait states and without interrupts, if it can be done.
    fn quieten(&mut self) {
        for (waits, interrupts) in [(0, 0), (self.best.weights.waits, 0), (0, self.best.weights.interrupts)] {
            let mut program = self.best.clone();
            (program.weights.waits, program.weights.interrupts) = (waits, interrupts);
            if self.try_out(program) {
                return;
            }
        }
    }

    /// Removes items, many at once first, and the last ones first, as what comes behind the failure does not matter.
    fn remove_items(&mut self) {
        let mut size = self.best.items.len().next_power_of_two() / 2;
        while size > 0 {
            let mut end = self.best.items.len();
            while end > 0 {
                let begin = end.saturating_sub(size);
                let mut program = self.best.clone();
                program.items.drain(begin..end);
                self.try_out(program);
                end = begin;
            }
            size /= 2;
        }
    }

    /// Removes single instructions of the items that are left.
    fn remove_parts(&mut self) {
        for item in (0..self.best.items.len()).rev() {
            for part in (0..self.best.items[item].parts.len()).rev() {
                if self.best.items[item].parts.len() > 1 {
                    let mut program = self.best.clone();
                    program.items[item].parts.remove(part);
                    self.try_out(program);
                }
            }
        }
    }
}
