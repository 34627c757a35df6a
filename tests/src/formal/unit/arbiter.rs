//! Arbiters.

use ferrite_hdl::library::{ArbiterIn, RoundRobinArbiter};
use ferrite_hdl::prelude::*;

use super::chosen_once;

/// What the solver chooses in every cycle.
#[derive(Clone, Debug, Bundle)]
pub struct ProvedIn<T> {
    /// The arbiter's inputs.
    pub arbiter: ArbiterIn<T>,
    /// The requester that is watched.
    pub watched: T,
}

/// The arbiter with its claims.
#[module]
pub struct Proved {
    /// How many ask.
    pub requesters: u32,
}

/// Bits that count grants.
const COUNT_BITS: u32 = 6;

impl Module for Proved {
    type In = ProvedIn<UInt>;
    type Out = Empty<UInt>;

    fn inputs(&self) -> ProvedIn<Shape> {
        let arbiter = RoundRobinArbiter { requesters: self.requesters };
        ProvedIn { arbiter: arbiter.inputs(), watched: bits(self.requesters) }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: ProvedIn<UInt>) -> Empty<UInt> {
        let ArbiterIn { request, advance } = i.arbiter;
        let arbiter = RoundRobinArbiter { requesters: self.requesters };
        let grant = m.instance("dut", &arbiter).connect(i.arbiter).grant;
        let is_one_bit = |word: UInt| !(word & word.wrapping_sub(1)).any();
        m.assert("one_is_granted_at_most", is_one_bit(grant));
        m.assert("who_is_granted_asks", !(grant & !request).any());
        m.assert("somebody_is_granted", grant.any().eq(request.any()));

        // The watched one asks and asks, and the others are served.
        chosen_once(m, "watched", i.watched);
        m.assume("one_is_watched", is_one_bit(i.watched) & i.watched.any());
        let served = m.reg("others_served", COUNT_BITS).reset_to(0);
        wire!(m, waits = (request & i.watched).any() & !(grant & i.watched).any());
        m.when(!waits, || served.set(0)).otherwise_when(advance, || served.set(served.wrapping_add(1)));
        m.assert("each_of_the_others_goes_first_once_at_most", served.lt(self.requesters));
        m.assert("the_grant_waits_for_its_use", {
            let before = m.delay("request_before", request);
            let grant_before = m.delay("grant_before", grant);
            let held = m.reg("held", 1).reset_to(0);
            held.set(!advance);
            !(held & request.eq(before)) | grant.eq(grant_before)
        });
        Empty::new()
    }
}
