//! Saved states of a program's run.

use std::path::Path;

use ferrite_gen::error::Error;
use ferrite_gen::run::{Chip, RunError};
use ferrite_sim::{Snapshot, SnapshotError};

use super::numbers::grouped;
use super::report::say;
use super::run::Run;

/// Brings a chip with a program to where the run begins: out of reset, or where it was saved.
pub fn begin(options: &Run, chip: &mut Chip) -> Result<(), Error> {
    let Some(saved) = &options.resume else {
        return chip.reset().map_err(|source| Error::Run { path: options.file.clone(), source });
    };
    let restored = chip.restore(&Snapshot::read(saved)?);
    restored.map_err(|source| Error::Resume { path: saved.clone(), source })
}

/// Writes a state, and the folder that it is to be in.
pub fn write(state: &Snapshot, path: &Path) -> Result<(), SnapshotError> {
    if let Some(folder) = path.parent() {
        // If that fails, the file says why.
        let _ = std::fs::create_dir_all(folder);
    }
    state.write(path)
}

/// Saves the state of a run that was ended, as far as --save asks for it, and says how to go on. The run's own failure is not to be hidden
/// by one of saving, which is only told.
pub fn save_at_end(options: &Run, chip: &mut Chip, failure: &RunError) {
    let more = match failure {
        RunError::Budget { .. } => " and a larger --max-cycles",
        RunError::Hang { .. } => " and a larger --max-idle-cycles, or see what happens with --trace",
        RunError::Check { .. } => " and --trace to see what happens",
        RunError::Host { .. }
        | RunError::HostInLockstep { .. }
        | RunError::Divergence(_)
        | RunError::Waves(_)
        | RunError::Save(_) => return,
    };
    let Some(path) = &options.save else { return };
    let saved = chip.save().and_then(|state| write(&state, path));
    say(&match saved {
        Ok(()) => {
            let (place, cycle) = (path.display(), grouped(chip.cycle()));
            format!("the state after {cycle} cycles is saved; go on with --resume {place}{more}")
        }
        Err(error) => format!("error: {error}"),
    });
}
