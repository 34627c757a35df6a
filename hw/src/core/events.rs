//! What the event counters count.

use ferrite_hdl::prelude::*;

use super::commit::Progress;
use super::csr::{EVENTS, Event};
use super::pipeline::Commit;

/// What goes on in a cycle.
pub struct Happenings<'a> {
    /// A jump or branch that is taken commits.
    pub taken: UInt,
    /// Execute redirects fetch.
    pub mispredicted: UInt,
    /// Decode waits for an operand.
    pub operands: UInt,
    /// Decode waits for an instruction ahead that must be alone.
    pub order: UInt,
    /// Decode has no instruction.
    pub starved: UInt,
    /// The instruction in execute waits for its request to be taken.
    pub x_refused: UInt,
    /// Commit holds an instruction.
    pub c_valid: UInt,
    /// That instruction.
    pub c: Commit<UInt>,
    /// How far it is.
    pub now: &'a Progress,
}

/// A bit for each [`Event`].
pub fn happened(m: &Builder, h: &Happenings) -> UInt {
    let waits = h.c_valid & h.now.waits;
    let computes = h.c.multiplies | h.c.divides;
    let trap = h.now.trap;
    let mut bits = vec![m.constant(Bits::zero(1)); EVENTS as usize];
    let mut event = |event: Event, happens: UInt| bits[event as usize] = happens;
    event(Event::Taken, h.taken);
    event(Event::Mispredicted, h.mispredicted);
    event(Event::LoadUseWait, h.operands & !waits);
    event(Event::DataBusWait, (h.c_valid & h.now.waits_for_bus) | h.x_refused);
    event(Event::FetchWait, h.starved);
    event(Event::MultiplyDivideWait, waits & computes);
    event(Event::Exception, trap.valid & !trap.interrupt);
    event(Event::Interrupt, trap.valid & trap.interrupt);
    event(Event::SystemWait, h.order);
    concat(bits.into_iter().rev())
}
