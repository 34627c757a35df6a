//! What can go wrong between the command line and the library crates, each with the place and what to do.

use std::io;
use std::path::PathBuf;

use ferrite_hdl::Diagnostics;
use ferrite_sim::{FstError, NativeError, SnapshotError, VerilatorError};

use crate::config::Report;
use crate::elf::ElfError;
use crate::run::{NetworkError, OutsideMemory, RestoreError, RunError};

/// The exit code of a run that Ctrl-C has ended: 128 and the number of SIGINT, as shells have it.
pub const INTERRUPTED: u8 = 130;

/// Why a command of `ferrite` failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is larger than any sensible one of its kind.
    #[error("{} has {size} bytes; {what} may have {limit} at most", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its kind, in words.
        what: &'static str,
        /// Its size in bytes.
        size: u64,
        /// The largest size allowed, in bytes.
        limit: u64,
    },
    /// A text file is not text.
    #[error("{} is not UTF-8 text: byte {offset} cannot be decoded", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// The first byte at fault.
        offset: usize,
    },
    /// A file or folder could not be written.
    #[error("cannot write {}: {source}; choose another place or change its permissions", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An output folder's place is taken by something that must not be replaced.
    #[error("cannot write the folder {}: {problem}; choose another place with -o", path.display())]
    Occupied {
        /// The place.
        path: PathBuf,
        /// What is there.
        problem: &'static str,
    },
    /// Two options of a command contradict each other.
    #[error("{0}")]
    Usage(String),
    /// The report on standard output cannot be written.
    #[error("cannot write to standard output: {0}")]
    Stdout(io::Error),
    /// An output folder holds a file that would be lost.
    #[error("cannot replace the folder {}: ferrite did not write {file} in it; move that file or choose another place", path.display())]
    ForeignFile {
        /// The folder.
        path: PathBuf,
        /// The file, by its path in the folder.
        file: String,
    },
    /// The chip's description is wrong.
    #[error(transparent)]
    Config(#[from] Report),
    /// A program cannot be loaded.
    #[error(transparent)]
    Elf(#[from] ElfError),
    /// A file is neither a program nor a network.
    #[error(
        "{} is neither an ELF program nor a .tflite network; build a program with the Makefile in sw/, or export a network as a \
         .tflite flatbuffer",
        path.display()
    )]
    UnknownFile {
        /// The file.
        path: PathBuf,
    },
    /// A program's first instruction is not where the chip starts it.
    #[error(
        "{}: the program starts at {entry:#010x}, but the chip's first instruction after booting is at {expected:#010x}; link it with \
         the linker script that `ferrite gen` wrote",
        path.display()
    )]
    Entry {
        /// The file.
        path: PathBuf,
        /// Where the program starts.
        entry: u32,
        /// Where the chip jumps to.
        expected: u32,
    },
    /// A network file is broken.
    #[error("{}: {source}", path.display())]
    Network {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ferrite_nn::tflite::ReadError,
    },
    /// A network does not run on the chip.
    #[error("{}: {source}", path.display())]
    Inference {
        /// The file.
        path: PathBuf,
        /// Why.
        source: NetworkError,
    },
    /// A program's run failed.
    #[error("{}: {source}", path.display())]
    Run {
        /// The file.
        path: PathBuf,
        /// Why.
        source: RunError,
    },
    /// A program does not say where its signature is, or says it wrongly.
    #[error(
        "{}: --signature writes the words from the symbol begin_signature to end_signature, but {problem}", path.display()
    )]
    Signature {
        /// The program.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A program does not fit the RAM.
    #[error(transparent)]
    OutsideMemory(#[from] OutsideMemory),
    /// The chip's output is not what was expected.
    #[error(
        "the chip's output differs from {expected} in {count} of {bytes} bytes, first in byte {first}: {found}, not {wanted}"
    )]
    Differs {
        /// What it was compared with.
        expected: String,
        /// Bytes that differ.
        count: usize,
        /// Bytes compared.
        bytes: usize,
        /// The first that differs.
        first: usize,
        /// The chip's value.
        found: i8,
        /// The expected value.
        wanted: i8,
    },
    /// A recorded output has another length than the chip's.
    #[error("{} has {found} bytes, but the runs give {bytes} bytes of output", path.display())]
    ExpectedSize {
        /// The file.
        path: PathBuf,
        /// Its bytes.
        found: usize,
        /// Bytes of output.
        bytes: usize,
    },
    /// There is no engine.
    #[error("{0}\n`--engine native` needs no tools")]
    Verilator(#[from] VerilatorError),
    /// The native engine does not run here.
    #[error("{0}\n`--engine interpret` runs everywhere, but slowly")]
    Native(#[from] NativeError),
    /// A waveform cannot be recorded.
    #[error(transparent)]
    Waves(#[from] FstError),
    /// A state cannot be saved or read.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A run cannot go on from a state.
    #[error("cannot resume from {}: {source}", path.display())]
    Resume {
        /// The snapshot.
        path: PathBuf,
        /// Why.
        source: RestoreError,
    },
    /// The last cycles of a run were not the same when they were run again.
    #[error(
        "the waveform does not show the end of the run: run again from cycle {from}, the chip {found}; this is a mistake of ferrite"
    )]
    Replay {
        /// The cycle from which the chip was run again.
        from: u64,
        /// How that ended.
        found: String,
    },
    /// The chip's name has another meaning in its Verilog.
    #[error(
        "the chip cannot be called `{name}`: a module inside it has that name, or Verilog keeps it for itself; choose another name"
    )]
    ChipName {
        /// The name.
        name: String,
    },
    /// The chip's description has mistakes, which a valid configuration never leads to.
    #[error("{0}")]
    Design(#[from] Diagnostics),
}

impl Error {
    /// The exit code of the command: 123 where the core hangs, 124 where a run exceeded its cycles (as `timeout` has it), 125 where hardware and golden model differ,
    /// 126 where a property of the hardware does not hold, [`INTERRUPTED`] after an interruption, 1 for everything else.
    pub fn exit_code(&self) -> u8 {
        let run = match self {
            Error::Usage(_) => return 2,
            Error::Run { source, .. } | Error::Inference { source: NetworkError::Run(source), .. } => source,
            _ => return 1,
        };
        match run {
            RunError::Hang { .. } => 123,
            RunError::Budget { .. } => 124,
            RunError::Divergence(_) => 125,
            RunError::Check { .. } => 126,
            RunError::Interrupted { .. } => INTERRUPTED,
            RunError::Host { .. }
            | RunError::HostInLockstep { .. }
            | RunError::Waves(_)
            | RunError::Save(_) => 1,
        }
    }
}

/// Reads a whole file that may have `limit` bytes at most.
///
/// # Errors
/// [`Error::Read`] and [`Error::TooLarge`]. `what` is the kind of file, in words with an article.
pub fn read_bounded(path: &std::path::Path, what: &'static str, limit: u64) -> Result<Vec<u8>, Error> {
    use std::io::Read;
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    let too_large = |size| Error::TooLarge { path: path.to_owned(), what, size, limit };
    if size > limit {
        return Err(too_large(size));
    }
    // A pipe or a growing file may hold more than its metadata says.
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(too_large(bytes.len() as u64));
    }
    Ok(bytes)
}
