//! The file under its temporary name.

use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

/// Where the first block after the file's header begins.
const AFTER_HEADER: u64 = 330;

/// A file that the FST writer owns and that can still be reached beside it, to exchange the hierarchy and to rename it at the end.
#[derive(Clone)]
pub(super) struct SharedFile(Arc<Mutex<BufWriter<NamedTempFile>>>);

impl SharedFile {
    /// A new file in the folder of `path`.
    pub fn beside(path: &Path) -> io::Result<SharedFile> {
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
            // A temporary file is its owner's alone unless told otherwise; a waveform is as readable as any other file.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let file = builder.prefix(".ferrite-").suffix(".fst").tempfile_in(folder)?;
        Ok(SharedFile(Arc::new(Mutex::new(BufWriter::new(file)))))
    }

    /// Puts `block` in the place of the hierarchy, which follows the header; what is written later goes behind.
    pub fn exchange_hierarchy(&self, block: &[u8]) -> io::Result<()> {
        let mut buffered = self.lock();
        buffered.flush()?;
        let file = buffered.get_mut();
        file.seek(SeekFrom::Start(AFTER_HEADER + 1))?;
        let mut length = [0; 8];
        file.read_exact(&mut length)?;
        // A block's length counts from its length field on.
        file.seek(SeekFrom::Start(AFTER_HEADER + 1 + u64::from_be_bytes(length)))?;
        let mut rest = Vec::new();
        file.read_to_end(&mut rest)?;
        file.seek(SeekFrom::Start(AFTER_HEADER))?;
        file.write_all(block)?;
        file.write_all(&rest)?;
        let end = file.stream_position()?;
        file.as_file().set_len(end)
    }

    /// Gives the file its name. To be called when the writer is gone.
    pub fn persist(self, path: &Path) -> io::Result<()> {
        let Some(mutex) = Arc::into_inner(self.0) else {
            return Err(io::Error::other("the file is still being written"));
        };
        let buffered = mutex.into_inner().unwrap_or_else(PoisonError::into_inner);
        let file = buffered.into_inner().map_err(|error| error.into_error())?;
        file.persist(path).map(|_| ()).map_err(|error| error.error)
    }

    fn lock(&self) -> MutexGuard<'_, BufWriter<NamedTempFile>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for SharedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lock().flush()
    }
}

impl Seek for SharedFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.lock().seek(to)
    }
}
