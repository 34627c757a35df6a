//! Saved states of a program's run.

use ferrite_gen::error::Error;
use ferrite_gen::run::{Chip, RunError, Watch};
use ferrite_sim::{FstRecorder, Snapshot, SnapshotError};

use super::numbers::grouped;
use super::report::say;
use super::run::Run;

/// Reads the state that --resume names, from which there must be a way to go on.
pub fn read(options: &Run) -> Result<Option<Snapshot>, Error> {
    let Some(path) = &options.resume else { return Ok(None) };
    let state = Snapshot::read(path)?;
    let (cycle, most) = (state.cycle(), options.limits().max_cycles);
    if cycle >= most {
        let (place, cycle, most) = (path.display(), grouped(cycle), grouped(most));
        return Err(Error::Usage(format!(
            "{place} was saved after {cycle} cycles, and --max-cycles, which counts from reset, allows {most}; allow more"
        )));
    }
    Ok(Some(state))
}

/// Brings a chip with a program to where the run begins: out of reset, or where it was saved.
pub fn begin(
    options: &Run,
    chip: &mut Chip,
    waves: Option<&mut FstRecorder>,
    state: Option<&Snapshot>,
) -> Result<(), Error> {
    match (state, &options.resume) {
        (Some(state), Some(path)) => {
            chip.restore(state).map_err(|source| Error::Resume { path: path.clone(), source })
        }
        _ => {
            let reset = chip.reset(&mut Watch { waves, ..Watch::default() });
            reset.map_err(|source| Error::Run { path: options.file.clone(), source })
        }
    }
}

/// Writes a state to where --save says, and the folder that it is to be in.
pub fn write(options: &Run, state: &Snapshot) -> Result<(), SnapshotError> {
    options.save.as_ref().map_or(Ok(()), |path| state.write(path))
}

/// Saves the state of a run that was ended, as far as --save asks for it, and says how to go on. The run's own failure is not to be hidden
/// by one of saving, which is only told.
pub fn save_at_end(options: &Run, chip: &mut Chip, failure: &RunError) {
    let more = match failure {
        RunError::Budget { .. } => " and a larger --max-cycles",
        RunError::Hang { .. } => " and a larger --max-idle-cycles, or see what happens with --trace",
        RunError::Check { .. } => " and --trace to see what happens",
        RunError::Interrupted { .. } | RunError::Waves(_) | RunError::Save(_) => "",
        // There is no other way to go on.
        RunError::Host { .. } | RunError::HostInLockstep { .. } | RunError::Divergence(_) => return,
    };
    let Some(path) = &options.save else { return };
    let saved = chip.save().and_then(|state| write(options, &state));
    say(&match saved {
        Ok(()) => {
            let (place, cycle) = (path.display(), grouped(chip.cycle()));
            format!("the state after {cycle} cycles is saved; go on with --resume {place}{more}")
        }
        Err(error) => format!("error: {error}"),
    });
}
