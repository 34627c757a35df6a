//! Why a state cannot be taken, kept, or gone on from.

use std::io;
use std::path::PathBuf;

/// Why a snapshot cannot be taken, written, read or restored.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The engine cannot do it.
    #[error("the engine `{engine}` cannot {what}; {instead}")]
    Unsupported {
        /// Its name.
        engine: &'static str,
        /// What was asked for.
        what: &'static str,
        /// What to do.
        instead: &'static str,
    },
    /// It was taken from another design.
    #[error(
        "the snapshot is of another design than `{top}`, which runs here, or of another version of it; restore it where it was taken from, with \
         the same parameters"
    )]
    OtherDesign {
        /// The name of the top module that runs.
        top: String,
    },
    /// It says that it is of the design, and holds what the design cannot.
    #[error("the snapshot was not written by this program: {what}; save the state again")]
    Impossible {
        /// What is wrong.
        what: String,
    },
    /// A file cannot be read.
    #[error("cannot read the snapshot {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write the snapshot {}: {source}; choose another place or change its permissions", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file is something else.
    #[error("{} is no snapshot of a simulation; give a file that was written as one", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A file has a form that is not known.
    #[error(
        "the snapshot {} has version {found} of its format, but this program reads version {known}; save the state again with this program",
        path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// The version that it has.
        found: u32,
        /// The version that is read.
        known: u32,
    },
    /// A file ends too early.
    #[error(
        "the snapshot {} is cut off: it has {found} bytes of {expected}; copy it again, or save the state again",
        path.display()
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Bytes that it has.
        found: u64,
        /// Bytes that it should have.
        expected: u64,
    },
    /// A file is not as it was written.
    #[error("the snapshot {} is damaged: {what}; copy it again, or save the state again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How it is known.
        what: &'static str,
    },
}
