//! The way out of a descriptor that cannot be finished.

use ferrite_hdl::prelude::*;

/// How an engine is.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct DmaStatus<T> {
    /// Nothing is under way: no burst is open, nothing waits to be moved.
    pub idle: T,
    /// It asks for nothing more and takes no descriptors, after an error or an abort, until it is cleared.
    pub halted: T,
    /// It was an error.
    pub error: T,
    /// Address of the burst that failed.
    pub address: T,
    /// Its response: `SLVERR` (2) or `DECERR` (3).
    pub response: T,
}

impl DmaStatus<Shape> {
    pub(super) fn shape() -> DmaStatus<Shape> {
        DmaStatus { idle: bit(), halted: bit(), error: bit(), address: bits(32), response: bits(2) }
    }
}

/// A burst that fails.
#[derive(Clone, Copy)]
pub(super) struct Failure {
    pub valid: UInt,
    pub address: UInt,
    pub response: UInt,
}

/// Registers of the status, before what sets them is known.
pub(super) struct Halt {
    /// As in [`DmaStatus`].
    pub halted: UInt,
    error: UInt,
    address: UInt,
    response: UInt,
}

impl Halt {
    pub(super) fn new(m: &Builder) -> Halt {
        Halt {
            halted: m.reg("halted", 1).reset_to(0),
            error: m.reg("error", 1).reset_to(0),
            address: m.reg("error_address", 32),
            response: m.reg("error_response", 2),
        }
    }

    /// Halts at the first failure or at an abort. `clear` is heard when all is drained.
    pub(super) fn status(
        self,
        m: &Builder,
        abort: UInt,
        clear: UInt,
        idle: UInt,
        failure: Failure,
    ) -> DmaStatus<UInt> {
        let Halt { halted, error, address, response } = self;
        m.when(clear & idle, || {
            halted.set(0);
            error.set(0);
        });
        m.when(failure.valid & !halted, || {
            halted.set(1);
            error.set(1);
            address.set(failure.address);
            response.set(failure.response);
        });
        m.when(abort, || halted.set(1));
        DmaStatus { idle, halted, error, address, response }
    }
}
