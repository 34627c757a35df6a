//! Many programs, on several threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ferrite_hw::core::CoreConfig;

use super::{Coverage, Finding, Fuzzer, Ran, Traits};
use crate::error::Error;

/// What is to be run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The core.
    pub core: CoreConfig,
    /// Whether it has a coprocessor.
    pub has_coprocessor: bool,
    /// Seed of the first program; the others follow.
    pub seed: u64,
    /// Programs are begun until so many instructions have retired; at least one is.
    pub instructions: u64,
    /// None is begun after this time.
    pub time: Option<Duration>,
    /// Cores that run at the same time.
    pub threads: u32,
}

/// What has been run.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// Programs that have ended as on the model.
    pub programs: u64,
    /// Their instructions and cycles.
    pub ran: Ran,
    /// What they have exercised.
    pub coverage: Coverage,
    /// A program that has not, the one with the smallest seed.
    pub finding: Option<Finding>,
    /// How long it took.
    pub time: Duration,
}

/// Runs programs until one fails or the plan is done. Without a time limit, the same plan always runs the same programs. `progress` is told the
/// instructions so far; `interrupted` ends it early.
///
/// # Errors
/// The core cannot be built or simulated.
pub fn campaign(
    plan: &Plan,
    progress: &(dyn Fn(u64) + Sync),
    interrupted: &AtomicBool,
) -> Result<Campaign, Error> {
    let started = Instant::now();
    let common = Common {
        plan,
        started,
        retired: AtomicU64::new(0),
        failed: AtomicBool::new(false),
        findings: Mutex::new(Vec::new()),
        progress,
        interrupted,
    };
    let workers = plan.threads.max(1);
    let fuzzers: Vec<Result<Fuzzer, Error>> = thread::scope(|scope| {
        let work = |worker| {
            let common = &common;
            scope.spawn(move || common.work(u64::from(worker), u64::from(workers)))
        };
        let threads: Vec<_> = (0..workers).map(work).collect();
        threads.into_iter().map(|thread| thread.join().expect("a worker ends by itself")).collect()
    });
    let mut coverage = Coverage::new(&Traits::new(plan.core, plan.has_coprocessor));
    let (mut programs, mut ran) = (0, Ran::default());
    for fuzzer in fuzzers {
        let fuzzer = fuzzer?;
        programs += fuzzer.programs();
        ran.instructions += fuzzer.ran().instructions;
        ran.cycles += fuzzer.ran().cycles;
        coverage.add(fuzzer.coverage());
    }
    let findings = common.findings.into_inner().unwrap_or_default();
    let finding = findings.into_iter().min_by_key(|finding| finding.seed);
    Ok(Campaign { programs, ran, coverage, finding, time: started.elapsed() })
}

/// What the threads share.
struct Common<'a> {
    plan: &'a Plan,
    started: Instant,
    retired: AtomicU64,
    failed: AtomicBool,
    findings: Mutex<Vec<Finding>>,
    progress: &'a (dyn Fn(u64) + Sync),
    interrupted: &'a AtomicBool,
}

impl Common<'_> {
    /// Runs every so manyth program, for its share of the instructions.
    fn work(&self, worker: u64, workers: u64) -> Result<Fuzzer, Error> {
        let mut fuzzer = Fuzzer::new(self.plan.core, self.plan.has_coprocessor)?;
        let share = self.plan.instructions.div_ceil(workers);
        let mut seed = self.plan.seed.wrapping_add(worker);
        while (fuzzer.programs() == 0 && worker == 0 || fuzzer.ran().instructions < share) && self.goes_on() {
            match fuzzer.run(seed) {
                Ok(ran) => {
                    let before = self.retired.fetch_add(ran.instructions, Ordering::Relaxed);
                    (self.progress)(before + ran.instructions);
                }
                Err(failure) => {
                    self.failed.store(true, Ordering::Relaxed);
                    let finding = fuzzer.find(seed, failure);
                    if let Ok(mut findings) = self.findings.lock() {
                        findings.push(finding);
                    }
                }
            }
            seed = seed.wrapping_add(workers);
        }
        Ok(fuzzer)
    }

    fn goes_on(&self) -> bool {
        let is_late = self.plan.time.is_some_and(|time| self.started.elapsed() >= time);
        !is_late && !self.failed.load(Ordering::Relaxed) && !self.interrupted.load(Ordering::Relaxed)
    }
}
