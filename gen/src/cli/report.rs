//! Printing results.

use std::io::{self, Write};

use ferrite_gen::error::Error;

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

/// Says something on standard error, where it may be lost: whoever closed that does not want to hear it.
pub fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
