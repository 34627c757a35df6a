//! A file under its temporary name.

use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempPath};

/// The file that a path means: a link stays, and what it leads to is replaced.
pub(crate) fn resolved(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// A file that gets its name when it is complete. What is appended goes to the system at once, so that pieces should be large.
///
/// No error mentions the temporary name, which nobody has given and nobody will find.
pub struct NewFile {
    /// Not a [`NamedTempFile`], whose errors have its name in them.
    file: File,
    temporary: TempPath,
    /// What was appended, and is there.
    bytes: u64,
}

impl NewFile {
    /// A new file in the folder of `path`, which is made if it is missing, with a temporary name that ends in `suffix`.
    ///
    /// # Errors
    /// It cannot be made, or there is something at `path` that must not be replaced: a folder, a pipe, a device.
    pub fn beside(path: &Path, suffix: &str) -> io::Result<NewFile> {
        if path.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
        }
        // A device or pipe must not be replaced, and cannot be written with a heading that is known only at the end.
        if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no ordinary file"));
        }
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(folder).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                io::Error::new(io::ErrorKind::NotADirectory, "what should be its folder is a file")
            }
            _ => error,
        })?;
        let mut failure = None;
        // `tempfile` alone would make a file that only its owner may read; this one is as readable as any other.
        let create = |path: &Path| File::create_new(path).inspect_err(|error| failure = error.raw_os_error());
        let made = tempfile::Builder::new().prefix(".ferrite-").suffix(suffix).make_in(folder, create);
        let made: NamedTempFile<File> =
            made.map_err(|error| failure.map_or(error, io::Error::from_raw_os_error))?;
        let (file, temporary) = made.into_parts();
        Ok(NewFile { file, temporary, bytes: 0 })
    }

    /// Writes at the end.
    ///
    /// # Errors
    /// The system's.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// How much was appended.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes away what was appended behind so many bytes.
    ///
    /// # Errors
    /// The system's.
    pub fn cut(&mut self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)?;
        self.bytes = bytes;
        Ok(())
    }

    /// Writes over the beginning; nothing can be appended any more.
    ///
    /// # Errors
    /// The system's.
    pub fn replace_start(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.rewind()?;
        self.file.write_all(bytes)
    }

    /// Gives the file its name; one that had it is replaced.
    ///
    /// # Errors
    /// The system's; nothing is changed then.
    pub fn persist(self, path: &Path) -> io::Result<()> {
        // Closed first: not every system renames open files.
        drop(self.file);
        self.temporary.persist(path).map_err(|error| error.error)
    }
}
