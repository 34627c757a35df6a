//! Finished builds, by their content.
//!
//! A build happens in a scratch folder of the cache, which is renamed when all is there. So what has a key for its name is whole,
//! whoever is killed when; of two that build the same at once, one wins, and the other's work is dropped.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use super::error::VerilatorError;

/// What has not been used for so long is deleted when something else is built.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
/// Scratch folders of builds that were killed or failed; no build takes so long.
const SCRATCH_KEPT: Duration = Duration::from_secs(24 * 3600);
const SCRATCH_PREFIX: &str = "ferrite-building-";

/// The name of a build: a hash of all that it depends on.
pub(super) fn key(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // With its length, so that no two lists of parts hash the same bytes.
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_key(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Builds of this process that are under way or done.
static BUILDS: LazyLock<Mutex<HashMap<PathBuf, Arc<Mutex<()>>>>> = LazyLock::new(Mutex::default);

pub(super) struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// The folder that was asked for, FERRITE_CACHE, or the user's folder for caches.
    pub fn new(folder: Option<&Path>) -> Result<Cache, VerilatorError> {
        let variable = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let users = || {
            let caches = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")));
            Some(caches?.join("ferrite").join("verilator"))
        };
        let folder = folder.map(Path::to_path_buf).or_else(|| variable("FERRITE_CACHE")).or_else(users);
        let folder = folder.ok_or(VerilatorError::NoCache)?;
        // Tools run elsewhere.
        let folder =
            std::path::absolute(&folder).map_err(|source| VerilatorError::Cache { folder, source })?;
        Ok(Cache { folder })
    }

    fn unusable(&self) -> impl Fn(io::Error) -> VerilatorError + '_ {
        |source| VerilatorError::Cache { folder: self.folder.clone(), source }
    }

    /// The folder with a finished build. If there is none, `build` makes it, in an empty folder.
    pub fn entry(
        &self,
        key: &str,
        build: impl FnOnce(&Path) -> Result<(), VerilatorError>,
    ) -> Result<PathBuf, VerilatorError> {
        let entry = self.folder.join(key);
        let lock = Arc::clone(
            BUILDS.lock().unwrap_or_else(PoisonError::into_inner).entry(entry.clone()).or_default(),
        );
        let _alone = lock.lock().unwrap_or_else(PoisonError::into_inner);
        if entry.is_dir() {
            used(&entry);
            return Ok(entry);
        }
        fs::create_dir_all(&self.folder).map_err(self.unusable())?;
        self.sweep();
        let scratch = tempfile::Builder::new()
            .prefix(SCRATCH_PREFIX)
            .tempdir_in(&self.folder)
            .map_err(self.unusable())?;
        if let Err(error) = build(scratch.path()) {
            if matches!(error, VerilatorError::Build { .. }) {
                let _ = scratch.keep();
            }
            return Err(error);
        }
        let renamed = fs::rename(scratch.path(), &entry);
        match renamed {
            // The folder has moved; there is nothing left to delete.
            Ok(()) => drop(scratch.keep()),
            Err(_) if entry.is_dir() => {}
            Err(error) => return Err(self.unusable()(error)),
        }
        Ok(entry)
    }

    /// Deletes a finished build that is no good.
    pub fn forget(&self, key: &str) -> Result<(), VerilatorError> {
        match fs::remove_dir_all(self.folder.join(key)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.unusable()(error)),
            _ => Ok(()),
        }
    }

    /// Deletes what is old. What cannot be deleted stays.
    fn sweep(&self) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let kept = match name.starts_with(SCRATCH_PREFIX) {
                true => SCRATCH_KEPT,
                false if is_key(&name) => KEPT,
                false => continue,
            };
            let modified = entry.metadata().and_then(|m| m.modified());
            let age = modified.ok().and_then(|at| SystemTime::now().duration_since(at).ok());
            if age.is_some_and(|age| age > kept) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

/// Notes that a build was used just now. A cache that can only be read works too.
fn used(entry: &Path) {
    if let Ok(folder) = File::open(entry) {
        let _ = folder.set_modified(SystemTime::now());
    }
}
