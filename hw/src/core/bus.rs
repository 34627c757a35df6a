//! The core's connection to memory: one request at a time, answered in order.

use ferrite_hdl::prelude::*;

/// What the core asks of memory. It passes at a clock edge at which `valid` and the bus's `ready` are high; until then it stays up unchanged.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct BusRequest<T> {
    /// An access is asked for.
    pub valid: T,
    /// Byte address of the word, a multiple of 4.
    pub addr: T,
    /// The access is a store.
    pub write: T,
    /// Data of a store, at their place in the word.
    pub wdata: T,
    /// The bytes of the word that are read or written; bit 0 is the lowest address.
    pub mask: T,
}

/// The answer to a request, at the earliest in the cycle after it passed. Stores are answered too. The core always takes it.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct BusResponse<T> {
    /// The access is finished.
    pub valid: T,
    /// The word read.
    pub data: T,
    /// Nothing answers at the address: the core raises an access fault.
    pub error: T,
}

/// A memory bus as its slave sees it. There is at most one request without a response, but the next may pass in the
/// cycle of the response.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Bus<T> {
    /// What is asked.
    pub request: BusRequest<T>,
    /// The request is taken in this cycle.
    #[flip]
    pub ready: T,
    /// The answer.
    #[flip]
    pub response: BusResponse<T>,
}

impl Bus<Shape> {
    /// 32-bit addresses and words.
    pub fn shape() -> Bus<Shape> {
        Bus {
            request: BusRequest {
                valid: bit(),
                addr: bits(32),
                write: bit(),
                wdata: bits(32),
                mask: bits(4),
            },
            ready: bit(),
            response: BusResponse { valid: bit(), data: bits(32), error: bit() },
        }
    }
}
