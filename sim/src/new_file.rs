//! A file under its temporary name.

use std::io::{self, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// The file that a path means: a link stays, and what it leads to is replaced.
pub(crate) fn resolved(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// A file that gets its name when it is complete.
pub(crate) struct NewFile(BufWriter<NamedTempFile>);

impl NewFile {
    /// A new file in the folder of `path`, with a temporary name that ends in `suffix`.
    pub fn beside(path: &Path, suffix: &str) -> io::Result<NewFile> {
        if path.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
        }
        // A device or pipe must not be replaced, and cannot be written with a heading that is known only at the end.
        if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no ordinary file"));
        }
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // A temporary file is its owner's alone unless told otherwise; this one is as readable as any other file.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let file = builder.prefix(".ferrite-").suffix(suffix).tempfile_in(folder)?;
        Ok(NewFile(BufWriter::new(file)))
    }

    /// Writes at the end.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    /// Writes over the beginning.
    pub fn replace_start(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.rewind()?;
        self.0.write_all(bytes)
    }

    /// Gives the file its name.
    pub fn persist(self, path: &Path) -> io::Result<()> {
        let file = self.0.into_inner().map_err(|error| error.into_error())?;
        file.persist(path).map(|_| ()).map_err(|error| error.error)
    }
}
