//! Output that appears whole or not at all.
//!
//! Everything is written beside its destination under a temporary name and renamed at the end, so that neither an
//! error nor an interruption leaves half of it, and a reader never sees a file being written.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ferrite_sim::NewFile;
use tempfile::TempDir;

use crate::error::Error;

/// Marks a folder as written by `ferrite` and lists its files, so that it may be replaced as long as it holds nothing else.
const MARKER: &str = ".ferrite-output";
/// What a reader of the marker is told.
const MARKER_TITLE: &str =
    "Written by ferrite, which replaces this folder if it holds these files and no others:";

/// Writes a file, replacing one that is there. A pipe or device is written to as it is.
///
/// # Errors
/// [`Error::Write`]; nothing is changed then.
pub fn write_file(path: &Path, contents: &[u8]) -> Result<(), Error> {
    let failed = |source| Error::Write { path: path.to_owned(), source };
    // A link stays, and what it leads to is replaced.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let write = || -> io::Result<()> {
        if is_special(path) {
            return fs::OpenOptions::new().write(true).open(path)?.write_all(contents);
        }
        let mut file = NewFile::beside(path, "")?;
        file.append(contents)?;
        file.persist(path)
    };
    write().map_err(failed)
}

/// Whether a file can be written at `path`, so that a long run need not end in vain.
///
/// # Errors
/// [`Error::Write`].
pub fn check_writable(path: &Path) -> Result<(), Error> {
    let failed = |source| Error::Write { path: path.to_owned(), source };
    if path.is_dir() {
        return Err(failed(io::Error::from(io::ErrorKind::IsADirectory)));
    }
    if is_special(path) {
        return Ok(());
    }
    // Folders that are missing are made when there is something to write.
    let parent = parent(path);
    let folder = parent.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."));
    NewFile::beside(&folder.join(".ferrite-new"), "").map(|_| ()).map_err(failed)
}

/// As [`check_writable`], for a file that appears when it is complete: a pipe or device is refused.
///
/// # Errors
/// [`Error::Write`].
pub fn check_replaceable(path: &Path) -> Result<(), Error> {
    if is_special(path) {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "it is no ordinary file");
        return Err(Error::Write { path: path.to_owned(), source });
    }
    check_writable(path)
}

/// Whether something is there that a new file must not replace: a pipe, a device.
fn is_special(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

/// The folder that holds `path`.
fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// A new folder in another one, for a while.
fn temporary_folder(parent: &Path, prefix: &str) -> io::Result<TempDir> {
    let made = tempfile::Builder::new().prefix(prefix).tempdir_in(parent);
    // The error's text has the temporary name in it, which nobody has given.
    made.map_err(|error| io::Error::from(error.kind()))
}

/// A folder that is being written.
///
/// It appears at its destination with [`OutputFolder::commit`]; dropped before that, it leaves no trace.
#[derive(Debug)]
pub struct OutputFolder {
    staging: TempDir,
    destination: PathBuf,
}

impl OutputFolder {
    /// Starts a folder that will stand at `destination`; the folders above it are created.
    ///
    /// # Errors
    /// [`Error::Occupied`] or [`Error::ForeignFile`] if there is something that is neither an empty folder nor one that this type
    /// wrote and nobody added to; [`Error::Write`] if the place cannot be written.
    pub fn create(destination: &Path) -> Result<Self, Error> {
        let occupied = |problem| Error::Occupied { path: destination.to_owned(), problem };
        let failed = |source| Error::Write { path: destination.to_owned(), source };
        if destination.file_name().is_none() {
            return Err(occupied("a folder to write needs a name of its own"));
        }
        match fs::metadata(destination) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
            Ok(metadata) if !metadata.is_dir() => return Err(occupied("there is a file of that name")),
            Ok(_) => {
                let known = fs::read_to_string(destination.join(MARKER)).unwrap_or_default();
                let found = files_in(destination).map_err(failed)?;
                let is_known = |file: &&String| *file == MARKER || known.lines().skip(1).any(|k| k == *file);
                if let Some(file) = found.iter().find(|file| !is_known(file)) {
                    return Err(Error::ForeignFile { path: destination.to_owned(), file: file.clone() });
                }
            }
        }
        // A link stays, and the folder that it leads to is replaced.
        let destination = &fs::canonicalize(destination).unwrap_or_else(|_| destination.to_owned());
        let parent = parent(destination);
        fs::create_dir_all(&parent).map_err(failed)?;
        let staging = temporary_folder(&parent, ".ferrite-").map_err(failed)?;
        Ok(Self { staging, destination: destination.to_owned() })
    }

    /// Adds a file; `name` is its path inside the folder, and may contain subfolders.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn write(&self, name: &str, contents: &[u8]) -> Result<(), Error> {
        let write = || -> io::Result<()> {
            let path = self.staging.path().join(name);
            fs::create_dir_all(parent(&path))?;
            fs::write(path, contents)
        };
        write().map_err(|source| Error::Write { path: self.destination.join(name), source })
    }

    /// Puts the folder in its place, replacing the one written before.
    ///
    /// # Errors
    /// [`Error::Write`]; what stood at the destination is still there then.
    pub fn commit(self) -> Result<(), Error> {
        let failed = |source| Error::Write { path: self.destination.clone(), source };
        let files = files_in(self.staging.path()).map_err(failed)?;
        let list = [MARKER_TITLE].into_iter().chain(files.iter().map(String::as_str));
        self.write(MARKER, (list.collect::<Vec<_>>().join("\n") + "\n").as_bytes())?;
        let staged = self.staging.keep();
        let result = open_to_readers(&staged).and_then(|()| replace(&staged, &self.destination));
        if result.is_err() {
            // The error that matters is the first; a staging folder that stays is only untidy.
            let _ = fs::remove_dir_all(&staged);
        }
        result.map_err(failed)
    }
}

/// The files and empty folders below a folder, by their paths from it, in alphabetical order.
fn files_in(folder: &Path) -> io::Result<Vec<String>> {
    let (mut files, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(at) = open.pop() {
        let mut empty = true;
        for entry in fs::read_dir(&at)? {
            let entry = entry?;
            empty = false;
            match entry.file_type()?.is_dir() {
                true => open.push(entry.path()),
                false => files.push(relative(&entry.path(), folder)),
            }
        }
        if empty && at != folder {
            files.push(relative(&at, folder));
        }
    }
    files.sort();
    Ok(files)
}

fn relative(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).to_string_lossy().into_owned()
}

/// Gives the folder the permissions of one made by hand.
fn open_to_readers(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        // `tempfile` makes folders for their owner alone; one made the ordinary way shows what the umask allows.
        let probe = folder.join(".permissions");
        fs::create_dir(&probe)?;
        let permissions = fs::metadata(&probe)?.permissions();
        fs::remove_dir(&probe)?;
        fs::set_permissions(folder, permissions)?;
    }
    Ok(())
}

/// Renames `new` to `destination`. A folder already there is moved aside first and comes back if that fails.
fn replace(new: &Path, destination: &Path) -> io::Result<()> {
    if !destination.exists() {
        return fs::rename(new, destination);
    }
    let aside = temporary_folder(&parent(destination), ".ferrite-old-")?;
    let old = aside.path().join("old");
    fs::rename(destination, &old)?;
    let renamed = fs::rename(new, destination);
    if renamed.is_err() && fs::rename(&old, destination).is_err() {
        // Better a folder under a strange name than none.
        let _ = aside.keep();
    }
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_in(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_folder_appears_only_when_committed() {
        let place = tempfile::tempdir().unwrap();
        let destination = place.path().join("a/build");
        let folder = OutputFolder::create(&destination).unwrap();
        folder.write("rtl/top.v", b"module top; endmodule\n").unwrap();
        assert!(!destination.exists());
        folder.commit().unwrap();
        assert_eq!(fs::read(destination.join("rtl/top.v")).unwrap(), b"module top; endmodule\n");
        assert_eq!(names_in(&place.path().join("a")), ["build"]);
    }

    #[test]
    fn a_dropped_folder_leaves_no_trace() {
        let place = tempfile::tempdir().unwrap();
        let folder = OutputFolder::create(&place.path().join("build")).unwrap();
        folder.write("file", b"half").unwrap();
        drop(folder);
        assert_eq!(names_in(place.path()), Vec::<String>::new());
    }

    #[test]
    fn a_new_folder_replaces_the_old_one_as_a_whole() {
        let place = tempfile::tempdir().unwrap();
        let destination = place.path().join("build");
        for name in ["old", "new"] {
            let folder = OutputFolder::create(&destination).unwrap();
            folder.write(name, b"").unwrap();
            folder.commit().unwrap();
        }
        assert_eq!(names_in(&destination), [MARKER, "new"]);
        assert_eq!(names_in(place.path()), ["build"]);
    }

    #[test]
    fn a_folder_of_the_users_own_files_is_left_alone() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("thesis.tex"), "x").unwrap();
        let error = OutputFolder::create(place.path()).unwrap_err();
        assert!(matches!(error, Error::ForeignFile { .. }), "{error}");
        assert_eq!(names_in(place.path()), ["thesis.tex"]);
    }

    #[test]
    fn a_folder_written_before_is_left_alone_once_the_user_has_put_a_file_into_it() {
        let place = tempfile::tempdir().unwrap();
        let destination = place.path().join("build");
        let write = || {
            let folder = OutputFolder::create(&destination)?;
            folder.write("rtl/top.v", b"x")?;
            folder.commit()
        };
        write().unwrap();
        write().unwrap();
        fs::write(destination.join("rtl/mine.v"), "y").unwrap();
        assert!(write().unwrap_err().to_string().contains("rtl/mine.v"));
        assert_eq!(fs::read(destination.join("rtl/mine.v")).unwrap(), b"y");
    }

    #[test]
    fn a_file_in_the_way_is_named_in_the_error() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        fs::write(&file, "x").unwrap();
        assert!(OutputFolder::create(&file).unwrap_err().to_string().contains("there is a file"));
        let below = OutputFolder::create(&file.join("build")).unwrap_err();
        assert!(below.to_string().contains("file/build"), "{below}");
        let error = write_file(&file.join("out.bin"), b"").unwrap_err();
        assert!(error.to_string().contains("file/out.bin"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_written_to_and_not_replaced() {
        use std::os::unix::fs::FileTypeExt;
        let is_device = |path| fs::metadata(path).unwrap().file_type().is_char_device();
        write_file(Path::new("/dev/null"), b"x").unwrap();
        assert!(is_device("/dev/null"));
        if Path::new("/dev/full").exists() {
            assert!(write_file(Path::new("/dev/full"), b"x").is_err());
            assert!(is_device("/dev/full"));
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_stay_and_lead_to_what_was_written() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        fs::write(at("file"), "old").unwrap();
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        write_file(&at("link"), b"new").unwrap();
        assert_eq!(fs::read(at("file")).unwrap(), b"new");
        assert!(at("link").is_symlink());

        fs::create_dir(at("folder")).unwrap();
        std::os::unix::fs::symlink(at("folder"), at("way")).unwrap();
        let folder = OutputFolder::create(&at("way")).unwrap();
        folder.write("a", b"").unwrap();
        folder.commit().unwrap();
        assert!(at("way").is_symlink() && at("folder/a").is_file());
    }

    #[test]
    fn a_file_replaces_the_old_one_and_a_failure_keeps_it() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("out.bin");
        write_file(&path, b"old").unwrap();
        write_file(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        // A folder cannot be replaced by a file.
        assert!(write_file(place.path(), b"x").is_err());
        assert_eq!(names_in(place.path()), ["out.bin"]);
    }
}
