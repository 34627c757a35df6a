//! What can go wrong between the command line and the library crates, each with the place and what to do.

use std::io;
use std::path::PathBuf;

use crate::config::Report;
use crate::elf::ElfError;

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
    #[error("cannot write {}: {source}; choose another place with -o or change its permissions", path.display())]
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
    /// The chip's description is wrong.
    #[error(transparent)]
    Config(#[from] Report),
    /// A program cannot be loaded.
    #[error(transparent)]
    Elf(#[from] ElfError),
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
