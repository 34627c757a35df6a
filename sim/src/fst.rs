//! FST waveforms: what GTKWave, Surfer and other viewers open, written by any engine.

mod declare;
mod format;
mod hierarchy;
mod section;
mod writer;

use std::io;
use std::path::{Path, PathBuf};

use ferrite_hdl::flat::Flat;

use crate::engine::Simulator;
use crate::new_file::{NewFile, resolved};
use crate::probes::Probes;
use writer::Writer;

/// Time units, of a nanosecond each, from a clock edge to the next: waveforms look as if the clock ran at 100 MHz.
pub const TIME_PER_CYCLE: u64 = 10;

/// The last cycle that ends at a time that a file can hold.
const LAST_CYCLE: u64 = u64::MAX / TIME_PER_CYCLE - 1;

/// How long a clock stays high after its edge.
const HIGH_TIME: u64 = TIME_PER_CYCLE / 2;

/// Why a waveform cannot be recorded.
#[derive(Debug, thiserror::Error)]
pub enum FstError {
    /// The file cannot be begun.
    #[error("cannot write the waveform {}: {source}; choose another place or change its permissions", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Writing failed on the way, as it does on a full disk. The file is there, and holds all that was recorded up to some cycle.
    #[error(
        "the waveform {} could be written up to cycle {last} only: {source}; make room, or record fewer cycles or scopes",
        path.display()
    )]
    CutOff {
        /// The file.
        path: PathBuf,
        /// The last cycle in it.
        last: u64,
        /// What the system says.
        source: io::Error,
    },
    /// Writing failed before there was anything to keep. A file that was there before is still there.
    #[error(
        "cannot write the waveform {}: {source}; nothing of it is kept; make room, or record fewer cycles or scopes",
        path.display()
    )]
    Lost {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The engine went back in time, as it does when an older state is restored.
    #[error(
        "cycle {cycle} cannot be recorded after cycle {last}: a waveform goes forward only; record what follows in another file"
    )]
    WentBack {
        /// The cycle recorded last.
        last: u64,
        /// The engine's cycle now.
        cycle: u64,
    },
    /// The engine counts more cycles than a file has times.
    #[error(
        "cycle {cycle} cannot be recorded: the times of a waveform end with cycle {LAST_CYCLE}; record a run that begins at an earlier cycle"
    )]
    TooLate {
        /// The engine's cycle.
        cycle: u64,
    },
    /// [`FstOptions::scopes`] names a scope that the design has not.
    #[error("the design has no scope `{scope}` to record; it has: {known}")]
    UnknownScope {
        /// The scope asked for.
        scope: String,
        /// The scopes there are.
        known: String,
    },
}

/// What to record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FstOptions {
    /// Instances to record with all that lies inside them, named from the top module down: `Core`, `Core.decode`. The top's name means
    /// everything. None means the top's own signals and those of the instances in it, without what lies deeper: an overview that costs
    /// little.
    pub scopes: Vec<String>,
    /// The first cycle to record.
    pub start: u64,
    /// The cycle before which to stop, if not at the end.
    pub stop: Option<u64>,
    /// Memories of up to this many words are recorded, each word as a signal of its own. The default keeps register files
    /// and small queues, and leaves out what would make the file large.
    pub memory_words: u32,
}

impl FstOptions {
    /// Everything that a design has.
    pub fn everything(flat: &Flat) -> FstOptions {
        FstOptions { scopes: vec![flat.scope_path(0)], ..FstOptions::default() }
    }

    /// The signals that a recording has (positions in [`Flat::signals`]), for [`crate::KeptSignals::Chosen`].
    ///
    /// # Errors
    /// [`FstError::UnknownScope`].
    pub fn signals(&self, flat: &Flat) -> Result<Vec<usize>, FstError> {
        let chosen = declare::chosen_scopes(flat, &self.scopes)?;
        let signals = flat.signals.iter().enumerate().filter(|(_, signal)| chosen[signal.scope]);
        Ok(signals.map(|(k, _)| k).collect())
    }
}

impl Default for FstOptions {
    fn default() -> FstOptions {
        FstOptions { scopes: Vec::new(), start: 0, stop: None, memory_words: 32 }
    }
}

/// Records a run as an FST file.
///
/// Cycle `k` takes the time from `10 k` to `10 k + 10` nanoseconds ([`TIME_PER_CYCLE`]): the clocks that had an edge rise at its
/// beginning, together with the changes that the edge caused, and fall at `10 k + 5`. No clock rises in cycle 0, which shows the
/// values before the first edge.
///
/// Every instance is a scope with its module as component, and every signal has its Rust name; signals with one value share one
/// trace in the file. Signed signals are `integer`s, which viewers show with a sign. Enums come as the enum tables of the FST format, by
/// which viewers show `Idle` instead of `00`, rather than as a second signal of text: only tables let a viewer show names and codes of
/// one signal. A signal that the engine hides ([`Simulator::peek_signal`]) stays `x`.
///
/// The file appears under its name when it is complete, by [`FstRecorder::finish`] or when the recorder is dropped; so a run that ends
/// with an error or a panic still leaves what was recorded. So does a disk that gets full: the file then ends with the last whole MB of changes
/// that was written ([`FstError::CutOff`]).
///
/// ```
/// use ferrite_hdl::{elaborate, library::Queue};
/// use ferrite_sim::{FstOptions, FstRecorder, Interpreter, Simulator};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("queue.fst");
/// let design = elaborate(&Queue { width: 8, depth: 4 }).unwrap();
/// let mut engine = Interpreter::new(&design);
/// let mut recorder = FstRecorder::create(&path, engine.flat(), &FstOptions::default()).unwrap();
/// for _ in 0..100 {
///     recorder.sample(&mut engine, &[0]).unwrap();
///     engine.step(1).unwrap();
/// }
/// recorder.finish().unwrap();
/// assert!(path.exists());
/// ```
pub struct FstRecorder {
    path: PathBuf,
    start: u64,
    stop: Option<u64>,
    /// `None` once the file is complete.
    recording: Option<Recording>,
}

struct Recording {
    writer: Writer,
    probes: Probes,
    /// The cycle of the last sample, and the clocks that have an edge after it.
    last: Option<(u64, ClockSet)>,
}

/// A bit for every clock.
type ClockSet = u64;

impl FstRecorder {
    /// Begins a file. `flat` is the netlist of the engine whose values will be sampled.
    ///
    /// # Errors
    /// The file cannot be written there, or a scope of the options does not exist.
    pub fn create(
        path: impl AsRef<Path>,
        flat: &Flat,
        options: &FstOptions,
    ) -> Result<FstRecorder, FstError> {
        let path = resolved(path.as_ref());
        let scopes = declare::chosen_scopes(flat, &options.scopes)?;
        let declared = declare::declare(flat, &scopes, options.memory_words);
        let probes = Probes::new(flat, &declared.probes);
        let begin = || {
            let file = NewFile::beside(&path, ".fst")?;
            Writer::start(file, declared)
        };
        let recording = Recording {
            writer: begin().map_err(|source| FstError::Write { path: path.clone(), source })?,
            probes,
            last: None,
        };
        Ok(FstRecorder { path, start: options.start, stop: options.stop, recording: Some(recording) })
    }

    /// Takes the values that hold now, before an edge of the clocks `clocks` (positions in [`Flat::clocks`]). To be called before every
    /// step.
    ///
    /// # Errors
    /// The engine's time runs backwards, or is beyond that of any file; or the file cannot be written any more, and is complete ([`FstError::CutOff`], [`FstError::Lost`]):
    /// nothing more is recorded then.
    pub fn sample(&mut self, engine: &mut dyn Simulator, clocks: &[usize]) -> Result<(), FstError> {
        let cycle = engine.cycle();
        if self.unrecorded(cycle) > 0 {
            return Ok(());
        }
        let Some(recording) = &mut self.recording else { return Ok(()) };
        if let Some(last) = recording.last.map(|(last, _)| last).filter(|last| *last > cycle) {
            return Err(FstError::WentBack { last, cycle });
        }
        if cycle > LAST_CYCLE {
            return Err(FstError::TooLate { cycle });
        }
        match recording.sample(engine, cycle, clocks) {
            true => Ok(()),
            false => self.complete(),
        }
    }

    /// How many cycles from `cycle` on are not recorded, so that nothing is missed without a sample of them.
    pub fn unrecorded(&self, cycle: u64) -> u64 {
        match self.stop {
            _ if cycle < self.start => self.start - cycle,
            Some(stop) if cycle >= stop => u64::MAX,
            _ => 0,
        }
    }

    /// Completes the file and gives it its name.
    ///
    /// # Errors
    /// [`FstError::CutOff`] or [`FstError::Lost`], unless [`FstRecorder::sample`] has told so already.
    pub fn finish(mut self) -> Result<(), FstError> {
        self.complete()
    }

    fn complete(&mut self) -> Result<(), FstError> {
        match self.recording.take() {
            None => Ok(()),
            Some(recording) => recording.complete(&self.path),
        }
    }
}

impl Drop for FstRecorder {
    fn drop(&mut self) {
        // Nobody is left to hear of an error; `finish` reports it.
        let _ = self.complete();
    }
}

impl Recording {
    /// False if the file cannot be written any more.
    fn sample(&mut self, engine: &mut dyn Simulator, cycle: u64, clocks: &[usize]) -> bool {
        let next = clocks.iter().fold(0, |set, clock| set | 1 << clock);
        let goes_on = match self.last.replace((cycle, next)) {
            Some((last, edges)) if last != cycle => self.writer.cycle(cycle, edges),
            Some(_) => true,
            None => self.writer.cycle(cycle, 0),
        };
        engine.look(&mut self.probes, self.writer.changes());
        goes_on
    }

    fn complete(mut self, path: &Path) -> Result<(), FstError> {
        if let Some((cycle, _)) = self.last {
            // So that the last cycle is as long as the others.
            self.writer.end(cycle + 1);
        }
        self.writer.finish(path)
    }
}
