//! Ctrl-C and its like: the first ends the run in good order, the second at once.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use ferrite_gen::error::INTERRUPTED;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// From now on the first SIGINT or SIGTERM makes this true, and another one ends the process.
pub fn listen() -> Arc<AtomicBool> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: what is done first in the handler is what looks at the flag. If it fails, the signal does what it always did.
        let _ = flag::register_conditional_shutdown(signal, INTERRUPTED.into(), interrupted.clone())
            .and_then(|_| flag::register(signal, interrupted.clone()));
    }
    interrupted
}
