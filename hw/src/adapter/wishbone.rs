//! Wishbone (WISHBONE B4, OpenCores): 32-bit addresses and data, granularity of a byte.

use super::{Responses, assume_one_at_a_time, started};
use crate::core::{Bus, BusResponse};
use ferrite_hdl::prelude::*;

/// The signals of a master, as its slave sees them. Names are the specification's; `_o` and `_i` are the master's outputs and inputs.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct WishboneBus<T> {
    /// An access is asked for or not yet answered.
    pub cyc_o: T,
    /// An access is asked for.
    pub stb_o: T,
    /// It is a write.
    pub we_o: T,
    /// Byte address of the word, a multiple of 4.
    pub adr_o: T,
    /// Data of a write, at their place in the word.
    pub dat_o: T,
    /// The bytes of the word that are read or written; bit 0 is the lowest address.
    pub sel_o: T,
    /// The word read.
    #[flip]
    pub dat_i: T,
    /// The access is finished.
    #[flip]
    pub ack_i: T,
    /// The access has failed.
    #[flip]
    pub err_i: T,
    /// The access is not taken yet; only in pipelined mode.
    #[flip]
    pub stall_i: Option<T>,
}

impl WishboneBus<Shape> {
    /// 32-bit addresses and words.
    pub fn shape(mode: WishboneMode) -> WishboneBus<Shape> {
        WishboneBus {
            cyc_o: bit(),
            stb_o: bit(),
            we_o: bit(),
            adr_o: bits(32),
            dat_o: bits(32),
            sel_o: bits(4),
            dat_i: bits(32),
            ack_i: bit(),
            err_i: bit(),
            stall_i: match mode {
                WishboneMode::Classic => None,
                WishboneMode::Pipelined(_) => Some(bit()),
            },
        }
    }
}

/// How requests pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WishboneMode {
    /// A request stays up until it is answered (B4, 3.1.3): at once, or any number of cycles later. A slave that answers at once has an access in
    /// every cycle.
    Classic,
    /// A request passes when `stall_i` is low and is answered afterwards (B4, 3.1.3).
    Pipelined(Responses),
}

/// Ports of the adapter.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct WishboneIn<T> {
    /// The core.
    pub bus: Bus<T>,
    /// The slave.
    #[flip]
    pub wb: WishboneBus<T>,
}

/// A port of the core as a master of Wishbone.
#[module]
pub struct Wishbone {
    /// How requests pass.
    pub mode: WishboneMode,
}

impl Module for Wishbone {
    type In = WishboneIn<UInt>;
    type Out = Empty<UInt>;

    fn name(&self) -> String {
        match self.mode {
            WishboneMode::Classic => "WishboneClassic".to_string(),
            WishboneMode::Pipelined(responses) => format!("WishbonePipelined{}", responses.suffix()),
        }
    }
    fn inputs(&self) -> WishboneIn<Shape> {
        WishboneIn { bus: Bus::shape(), wb: WishboneBus::shape(self.mode) }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: WishboneIn<UInt>) -> Empty<UInt> {
        let WishboneIn { bus, wb } = i;
        let started = started(m);
        wire!(m, asks = started & bus.request.valid);
        wb.stb_o.set(asks);
        wb.we_o.set(bus.request.write);
        wb.adr_o.set(bus.request.addr);
        wb.dat_o.set(bus.request.wdata);
        wb.sel_o.set(bus.request.mask);
        wire!(m, ends = wb.ack_i | wb.err_i);
        let response = |valid: UInt| BusResponse { valid, data: wb.dat_i, error: wb.err_i };
        match (self.mode, wb.stall_i) {
            (WishboneMode::Pipelined(responses), Some(stalls)) => {
                let answered = pipelined(m, i, asks, ends, started & !stalls, responses);
                responses.pass(m, bus.response, response(answered));
            }
            // The request passes when it is answered, and the core never sees a response before the cycle after that. A slave may hold
            // `ack_i` up at all times (B4, rule 3.55).
            _ => {
                wb.cyc_o.set(asks);
                bus.ready.set(started & ends);
                Responses::Registered.pass(m, bus.response, response(asks & ends));
            }
        }
        Empty::new()
    }
}

/// What pipelined mode has beyond classic: a cycle that lasts until the access is answered. Gives when it is.
fn pipelined(
    m: &Builder,
    WishboneIn { bus, wb }: WishboneIn<UInt>,
    asks: UInt,
    ends: UInt,
    ready: UInt,
    responses: Responses,
) -> UInt {
    let open = m.reg("open", 1).reset_to(0);
    wire!(m, passes = asks & ready);
    bus.ready.set(ready);
    wb.cyc_o.set(asks | open);
    assume_one_at_a_time(m, bus, open);
    match responses {
        // A classic slave behind an adapter answers in the cycle in which the request passes (B4, 5.2).
        Responses::Registered => {
            wire!(m, answered_now = ends & (open | passes));
            open.set((passes | open) & !ends);
            answered_now
        }
        Responses::Direct => {
            open.set(passes | (open & !ends));
            m.assume("only_requests_are_answered", !ends | open);
            ends
        }
    }
}
