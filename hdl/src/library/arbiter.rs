//! A fair arbiter.

use super::priority_grant;
use crate::prelude::*;

/// Inputs of an arbiter.
#[derive(Clone, Debug, Bundle)]
pub struct ArbiterIn<T> {
    /// One bit per requester.
    pub request: T,
    /// The grant of this cycle is used; the next one goes to somebody else first.
    pub advance: T,
}

/// Outputs of an arbiter.
#[derive(Clone, Debug, Bundle)]
pub struct ArbiterOut<T> {
    /// At most one bit: who may go.
    pub grant: T,
}

/// Grants one of `requesters` in turn: after a grant was used, those after its owner come first.
#[module]
pub struct RoundRobinArbiter {
    /// How many ask.
    pub requesters: u32,
}

impl Module for RoundRobinArbiter {
    type In = ArbiterIn<UInt>;
    type Out = ArbiterOut<UInt>;

    fn name(&self) -> String {
        format!("RoundRobinArbiter_{}", self.requesters)
    }
    fn inputs(&self) -> ArbiterIn<Shape> {
        ArbiterIn { request: bits(self.requesters), advance: bit() }
    }
    fn outputs(&self) -> ArbiterOut<Shape> {
        ArbiterOut { grant: bits(self.requesters) }
    }
    fn build(&self, m: &Builder, i: ArbiterIn<UInt>) -> ArbiterOut<UInt> {
        // Requesters whose bit is set come before the others: those behind the last owner.
        let first = m.reg("first", self.requesters).reset_to(0);
        wire!(m, early = i.request & first);
        wire!(m, grant = early.any().mux(priority_grant(early), priority_grant(i.request)));
        m.when(i.advance & i.request.any(), || {
            // All bits above the granted one: the negative of twice the one-hot grant.
            let above = !((grant << 1).wrapping_sub(1));
            first.set(grant.msb().mux(Bits::zero(self.requesters), above));
        });
        ArbiterOut { grant }
    }
}
