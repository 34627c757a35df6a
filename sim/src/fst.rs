//! FST waveforms: what GTKWave, Surfer and other viewers open, written by any engine.

mod declare;
mod file;
mod hierarchy;

use std::io;
use std::path::{Path, PathBuf};

use ferrite_hdl::Bits;
use ferrite_hdl::flat::Flat;
use fst_writer::{FstBodyWriter, FstSignalId, FstWriteError};

use crate::engine::Simulator;
use declare::{Source, Track};
use file::SharedFile;

/// Time units, of a nanosecond each, from a clock edge to the next: waveforms look as if the clock ran at 100 MHz.
pub const TIME_PER_CYCLE: u64 = 10;

/// How long a clock stays high after its edge.
const HIGH_TIME: u64 = TIME_PER_CYCLE / 2;

/// Bytes of changes kept in memory before they are compressed and written. They are gathered signal by signal then, which is slow from
/// memory that no cache holds: with 16 MiB recording the core takes a third longer.
const FLUSH_BYTES: usize = 4 << 20;

/// Why a waveform cannot be recorded.
#[derive(Debug, thiserror::Error)]
pub enum FstError {
    /// The file cannot be written.
    #[error("cannot write the waveform {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
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
    /// Instances to record with all that lies inside them, named from the top module down: `Core`, `Core.decode`. None means
    /// everything.
    pub scopes: Vec<String>,
    /// The first cycle to record.
    pub start: u64,
    /// The cycle before which to stop, if not at the end.
    pub stop: Option<u64>,
    /// Memories of up to this many words are recorded, each word as a signal of its own. The default keeps register files
    /// and small queues, and leaves out what would make the file large.
    pub memory_words: u32,
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
/// with an error or a panic still leaves what was recorded.
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
    file: SharedFile,
    body: FstBodyWriter<SharedFile>,
    /// One per clock of the top.
    clocks: Vec<FstSignalId>,
    tracks: Vec<Track>,
    /// The value of every track, once it is known.
    last: Vec<Option<Bits>>,
    /// The digits of a value.
    digits: Vec<u8>,
    /// The cycle of the last sample.
    cycle: Option<u64>,
    /// The clocks that have an edge after the last sample.
    next_edge: Vec<usize>,
    /// The clocks that are high.
    high: Vec<usize>,
}

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
        // A link stays, and what it leads to is replaced.
        let path = path.as_ref();
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let scopes = declare::chosen_scopes(flat, &options.scopes)?;
        let begin = || -> Result<Recording, FstWriteError> {
            let file = SharedFile::beside(&path)?;
            let declared = declare::declare(flat, &scopes, options.memory_words, file.clone())?;
            Ok(Recording {
                file,
                body: declared.body,
                clocks: declared.clocks,
                last: vec![None; declared.tracks.len()],
                tracks: declared.tracks,
                digits: Vec::new(),
                cycle: None,
                next_edge: Vec::new(),
                high: Vec::new(),
            })
        };
        let recording = begin().map_err(|error| write_error(&path, error))?;
        Ok(FstRecorder { path, start: options.start, stop: options.stop, recording: Some(recording) })
    }

    /// Takes the values that hold now, before an edge of the clocks `clocks` (positions in [`Flat::clocks`]). To be called before every
    /// step.
    ///
    /// # Errors
    /// The file cannot be written, or the engine's time runs backwards.
    pub fn sample(&mut self, engine: &mut dyn Simulator, clocks: &[usize]) -> Result<(), FstError> {
        let cycle = engine.cycle();
        if cycle < self.start || self.stop.is_some_and(|stop| cycle >= stop) {
            return Ok(());
        }
        match &mut self.recording {
            None => Ok(()),
            Some(recording) => {
                recording.sample(engine, cycle, clocks).map_err(|error| write_error(&self.path, error))
            }
        }
    }

    /// Completes the file and gives it its name.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(mut self) -> Result<(), FstError> {
        self.complete()
    }

    fn complete(&mut self) -> Result<(), FstError> {
        match self.recording.take() {
            None => Ok(()),
            Some(recording) => recording.complete(&self.path).map_err(|error| write_error(&self.path, error)),
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
    fn sample(
        &mut self,
        engine: &mut dyn Simulator,
        cycle: u64,
        clocks: &[usize],
    ) -> Result<(), FstWriteError> {
        if self.cycle != Some(cycle) {
            self.clocks_fall()?;
            // The writer can only be flushed right before a new time.
            if self.body.size() > FLUSH_BYTES {
                self.body.flush()?;
            }
            self.body.time_change(cycle * TIME_PER_CYCLE)?;
            self.clocks_rise()?;
            self.cycle = Some(cycle);
        }
        self.next_edge.clear();
        self.next_edge.extend_from_slice(clocks);
        for (track, last) in self.tracks.iter().zip(&mut self.last) {
            let value = match track.source {
                Source::Signal(signal) => match engine.peek_signal(signal) {
                    Some(value) => value,
                    None => continue,
                },
                Source::Word { memory, word } => engine.read_memory(memory, word),
            };
            if last.as_ref() == Some(&value) {
                continue;
            }
            write_digits(&mut self.digits, &value);
            self.body.signal_change(track.id, &self.digits)?;
            *last = Some(value);
        }
        Ok(())
    }

    fn clocks_rise(&mut self) -> Result<(), FstWriteError> {
        let first = self.cycle.is_none();
        for (k, clock) in self.clocks.iter().enumerate() {
            if self.next_edge.contains(&k) {
                self.body.signal_change(*clock, b"1")?;
                self.high.push(k);
            } else if first {
                self.body.signal_change(*clock, b"0")?;
            }
        }
        Ok(())
    }

    fn clocks_fall(&mut self) -> Result<(), FstWriteError> {
        if let Some(cycle) = self.cycle.filter(|_| !self.high.is_empty()) {
            self.body.time_change(cycle * TIME_PER_CYCLE + HIGH_TIME)?;
            for clock in self.high.drain(..) {
                self.body.signal_change(self.clocks[clock], b"0")?;
            }
        }
        Ok(())
    }

    fn complete(mut self, path: &Path) -> Result<(), FstWriteError> {
        self.clocks_fall()?;
        if let Some(cycle) = self.cycle {
            // So that the last cycle is as long as the others.
            self.body.time_change((cycle + 1) * TIME_PER_CYCLE)?;
        }
        drop(self.body.finish()?);
        Ok(self.file.persist(path)?)
    }
}

/// Zeros and ones, the most significant first.
fn write_digits(digits: &mut Vec<u8>, value: &Bits) {
    digits.clear();
    let places = (0..value.width()).rev();
    match value.width() {
        ..=64 => {
            let word = value.low_u64();
            digits.extend(places.map(|bit| b'0' + (word >> bit & 1) as u8));
        }
        _ => digits.extend(places.map(|bit| b'0' + value.bit(bit) as u8)),
    }
}

fn write_error(path: &Path, error: FstWriteError) -> FstError {
    let source = match error {
        FstWriteError::Io(error) => error,
        other => io::Error::other(other),
    };
    FstError::Write { path: path.to_owned(), source }
}
