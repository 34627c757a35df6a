//! The core's buses as masters of AXI4-Lite and of Wishbone, and the core as a design of its own, with such ports.
//!
//! ```text
//!            +------+  Bus  +---------+
//!            |      | ----> | adapter | ----> instructions
//! lines ---> | core |       +---------+
//!            |      |  Bus  +---------+
//!            |      | ----> | adapter | ----> data
//!            +------+       +---------+
//! ```
//!
//! The core asks for its next access when it knows how the last one ended. So a path leads through it from a response to the next request, which
//! most protocols forbid or warn of. [`Responses`] says whether a register cuts it.

mod axi4lite;
mod standalone;
mod wishbone;

pub use axi4lite::{
    Axi4LiteBus, Axi4LiteData, Axi4LiteDataIn, Axi4LiteFetch, Axi4LiteFetchIn, Axi4LiteReadBus,
};
pub use standalone::{
    Axi4LiteCore, Axi4LiteCoreIn, NativeCore, NativeCoreIn, Standalone, StandaloneOut, WishboneCore,
    WishboneCoreIn,
};
pub use wishbone::{Wishbone, WishboneBus, WishboneIn, WishboneMode};

use crate::core::{Bus, BusResponse};
use ferrite_hdl::prelude::*;

/// When the core sees a response of the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Responses {
    /// In the next cycle, from a register: no output of a bus depends on an input of a bus in the same cycle. A slave that answers in the
    /// cycle after the request then has an access in every other cycle.
    Registered,
    /// In the same cycle, in which the next request may pass: an access in every cycle. A path leads from a response to the
    /// next request; it must not be closed to a loop by a slave that answers in the cycle in which it is asked.
    Direct,
}

impl Responses {
    /// What the name of a module of this kind ends in.
    fn suffix(self) -> &'static str {
        match self {
            Responses::Registered => "",
            Responses::Direct => "Direct",
        }
    }

    /// Hands a response of the bus on to the core.
    fn pass(self, m: &Builder, to: BusResponse<UInt>, from: BusResponse<UInt>) {
        match self {
            Responses::Direct => m.connect(to, from),
            Responses::Registered => {
                let valid = m.reg("answered", 1).reset_to(0);
                valid.set(from.valid);
                to.valid.set(valid);
                to.data.set(m.delay("data", from.data));
                to.error.set(m.delay("error", from.error));
            }
        }
    }
}

/// Whether requests may be seen: not during the reset, nor before the first clock edge after it (AMBA AXI A3.1.2, Wishbone B4 rule 3.20).
/// The core asks for its first instruction as soon as it is reset.
fn started(m: &Builder) -> UInt {
    let started = m.reg("started", 1).reset_to(0);
    started.set(1);
    started
}

/// States what the bus's master guarantees: no request while there is one without a response.
fn assume_one_at_a_time(m: &Builder, bus: Bus<UInt>, open: UInt) {
    m.assume("there_is_one_request_at_a_time", !(bus.request.valid & open & !bus.response.valid));
}
