//! Waveforms of a run.

use ferrite_gen::error::Error;
use ferrite_hdl::design::Design;
use ferrite_sim::{FstOptions, FstRecorder, KeptSignals};

use super::numbers::grouped;
use super::report::say;
use super::run::Run;

/// Begins the file that --trace asks for.
pub fn begin(options: &Run, design: &Design) -> Result<Option<FstRecorder>, Error> {
    if options.trace_stop.is_some_and(|stop| stop <= options.trace_start) {
        return Err(Error::Usage("--trace-stop must be after --trace-start".to_string()));
    }
    let Some(path) = &options.trace else { return Ok(None) };
    Ok(Some(FstRecorder::create(path, &design.flat, &chosen(options, design))?))
}

/// What is recorded.
fn chosen(options: &Run, design: &Design) -> FstOptions {
    match options.trace_last {
        // A short end, which is looked at to find out why.
        Some(_) if options.trace_scope.is_empty() => FstOptions::everything(&design.flat),
        _ => FstOptions {
            scopes: options.trace_scope.clone(),
            start: options.trace_start,
            stop: options.trace_stop,
            ..FstOptions::default()
        },
    }
}

/// The signals that are recorded, for the engine to keep.
pub fn recorded(options: &Run, design: &Design) -> Result<KeptSignals, Error> {
    Ok(KeptSignals::Chosen(chosen(options, design).signals(&design.flat)?))
}

/// Completes the file of a run that took the cycles from `first` to `last`. If there is nothing in it, this is told, and the answer is false.
pub fn finish(options: &Run, waves: FstRecorder, first: u64, last: u64) -> Result<bool, Error> {
    waves.finish()?;
    let is_empty = options.trace_start > last || options.trace_stop.is_some_and(|stop| stop <= first);
    if is_empty {
        let (first, last) = (grouped(first), grouped(last));
        say(&format!(
            "warning: no cycle was recorded: the run took cycles {first} to {last}; choose others with --trace-start and --trace-stop"
        ));
    }
    Ok(!is_empty)
}
