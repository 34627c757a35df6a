//! Printing results.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use ferrite_gen::error::Error;

/// The program on the chip has begun a line on standard output and not ended it.
static LINE_IS_OPEN: AtomicBool = AtomicBool::new(false);

/// Prints a text on standard output. Nobody reading any more is no error.
///
/// # Errors
/// [`Error::Stdout`].
pub fn print(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Stdout(error)),
        _ => Ok(()),
    }
}

/// Passes on what the program on the chip prints. If nobody reads any more, the run goes on for its exit code.
pub fn pass_on(byte: u8) {
    LINE_IS_OPEN.store(byte != b'\n', Ordering::Relaxed);
    let mut out = io::stdout().lock();
    let _ = out.write_all(&[byte]).and_then(|()| out.flush());
}

/// Says something on standard error, where it may be lost: whoever closed that does not want to hear it. It gets a line of its own.
pub fn say(text: &str) {
    let is_one_place = io::stdout().is_terminal() == io::stderr().is_terminal();
    let start = if LINE_IS_OPEN.swap(false, Ordering::Relaxed) && is_one_place { "\n" } else { "" };
    let _ = writeln!(io::stderr(), "{start}{text}");
}

/// What a run comes to if recording it may have failed as well: the run's own failure comes first, and the other one is told.
///
/// # Errors
/// Either.
pub fn both<T>(run: Result<T, Error>, recording: Result<(), Error>) -> Result<T, Error> {
    match (run, recording) {
        (Ok(_), Err(error)) => Err(error),
        (Err(failure), Err(error)) => {
            say(&format!("error: {error}"));
            Err(failure)
        }
        (run, Ok(())) => run,
    }
}
