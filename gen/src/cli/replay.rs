//! The end of a run, once more and with waveforms: a run at full speed keeps its last states in memory, and what happened after one of
//! them happens again.

use ferrite_gen::error::Error;
use ferrite_gen::run::{Ended, Limits, RunError, Watch};
use ferrite_sim::{FstRecorder, Snapshot};

use super::numbers::grouped;
use super::report::say;
use super::run::{Bench, Run};

/// States are taken this seldom at least, so that they cost next to nothing.
const FEWEST_CYCLES: u64 = 1 << 16;

/// The last two states of a run, each with its cycle: the older one is from before all that is to be replayed, unless the run began
/// later.
pub struct History {
    /// Cycles to be replayed.
    cycles: u64,
    older: (u64, Snapshot),
    newer: Option<(u64, Snapshot)>,
}

impl History {
    /// Of a run of which so many cycles are to be replayed, now at its first state.
    pub fn new(cycles: u64, first: u64, state: Snapshot) -> History {
        History { cycles, older: (first, state), newer: None }
    }

    /// Cycles from one state to the next.
    pub fn every(&self) -> u64 {
        self.cycles.max(FEWEST_CYCLES)
    }

    /// Takes the next state.
    pub fn keep(&mut self, cycle: u64, state: Snapshot) {
        if let Some(newer) = self.newer.replace((cycle, state)) {
            self.older = newer;
        }
    }

    /// The latest state that is not later than a cycle; the earliest there is, if all are.
    fn before(&self, cycle: u64) -> &(u64, Snapshot) {
        self.newer.as_ref().filter(|(at, _)| *at <= cycle).unwrap_or(&self.older)
    }
}

/// Whether a run that ended so ends so by itself when it runs again, and nobody who looked on has ended it.
fn is_the_chips(ended: &Result<Ended, RunError>) -> bool {
    matches!(ended, Ok(_) | Err(RunError::Budget { .. } | RunError::Hang { .. } | RunError::Check { .. }))
}

/// Records the end of a run, which has left the bench as it is: what happened after a state of its history happens again in a chip whose
/// engine shows signals.
pub fn replay(
    options: &Run,
    bench: &Bench,
    history: &History,
    ended: &Result<Ended, RunError>,
    mut waves: FstRecorder,
) -> Result<(), Error> {
    let (limits, left) = (options.limits(), bench.chip.cycle());
    let end = ended.as_ref().map_or(left, |ended| ended.cycles);
    let (earliest, state) = history.before(end.saturating_sub(history.cycles));
    let from = end.saturating_sub(history.cycles).max(*earliest);
    let failed = |found: String| Error::Replay { from: *earliest, found };

    let mut chip = options.start_recorded(bench)?;
    chip.set_host(bench.chip.host())?;
    chip.restore(state).map_err(|error| failed(format!("refused its state ({error})")))?;
    // Whoever has interrupted the run wants to see its end, and interrupts again if not.
    let was_interrupted = matches!(ended, Err(RunError::Interrupted { .. }));
    let interrupted = (!was_interrupted).then_some(&*bench.interrupted);
    let mut resume = |max_cycles, waves| {
        let mut watch = Watch { waves, interrupted, ..Watch::default() };
        match chip.resume(&Limits { max_cycles, ..limits }, &mut watch) {
            Err(RunError::Waves(error)) => Err(Error::Waves(error)),
            Err(source @ RunError::Interrupted { .. }) => {
                Err(Error::Run { path: options.file.clone(), source })
            }
            other => Ok((other, chip.cycle())),
        }
    };
    if *earliest < from {
        match resume(from, None)? {
            (Err(RunError::Budget { .. }), _) => {}
            (other, _) => return Err(failed(told(&other))),
        }
    }
    let most = if is_the_chips(ended) { limits.max_cycles } else { left };
    let (replayed, reached) = resume(most, Some(&mut waves))?;
    waves.finish()?;
    let is_same = match (ended, &replayed) {
        // The instructions behind the program's exit are compared too, in cycles that no limit counts.
        _ if !is_the_chips(ended) => reached >= left,
        // How long the last byte is waited for depends on how often the line is listened to.
        (Ok(a), Ok(b)) => a == b,
        (Err(a), Err(b)) => a.to_string() == b.to_string() && reached == left,
        _ => false,
    };
    if !is_same {
        return Err(failed(told(&replayed)));
    }
    if let Some(place) = &options.trace {
        say(&format!("waveform: {}, recorded from cycle {} on", place.display(), grouped(from)));
    }
    Ok(())
}

fn told(result: &Result<Ended, RunError>) -> String {
    match result {
        Ok(ended) => format!("exited with {} after {} cycles", ended.exit_code, ended.cycles),
        Err(error) => format!("ended so: {error}"),
    }
}
