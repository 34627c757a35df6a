//! The core with everything that is assumed and claimed.

use ferrite_hdl::prelude::*;
use ferrite_hw::core::{Core, CoreIn};

use super::buses::Buses;
use super::consistency::{self, Fetched, Unknowns};
use super::record::Record;
use super::{csrs, instructions};

/// Cycles in which an instruction retires at the latest, when the buses are patient and no `wfi` waits: with an interrupt before it that the
/// CSRs do not show, and with instructions that wrong predictions cut in two before both.
pub const LIVELY_CYCLES: u64 = 36;

/// What the solver chooses in every cycle.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ProvedIn<T> {
    /// Everything around the core.
    pub around: CoreIn<T>,
    /// What it chooses once.
    pub unknowns: Unknowns<T>,
}

/// A core, assumptions and assertions.
#[module]
pub struct Proved {
    /// The core.
    pub core: Core,
}

impl Module for Proved {
    type In = ProvedIn<UInt>;
    type Out = Empty<UInt>;

    fn inputs(&self) -> ProvedIn<Shape> {
        ProvedIn { around: self.core.inputs(), unknowns: Unknowns::shape() }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: ProvedIn<UInt>) -> Empty<UInt> {
        let out = m.instance("core", &self.core).connect(i.around);
        let buses = Buses::new(m, &i.around);
        let record = Record::new(m, &self.core, out, buses);

        let started = m.reg("started", 1).reset_to(0);
        started.set(1);
        let chosen = concat(i.unknowns.leaves().into_iter().map(|leaf| leaf.value));
        m.assume("unknowns_are_chosen_once", !started | chosen.eq(m.delay("chosen", chosen)));
        // The CSRs begin with any values that they can have.
        let mtvec = out.csrs.mtvec;
        m.assume("csrs_begin_legal", started | !mtvec.bit(0) | mtvec.slice(2, 4).eq(0));

        instructions::claim(&record);
        csrs::claim(&record);
        let (ibus, dbus) = (i.around.ibus.response, i.around.dbus.response);
        let fetched = Fetched { insn: ibus.data, error: ibus.error, data: (dbus.data, dbus.error) };
        consistency::claim(&record, i.unknowns, fetched);
        self.liveness(m, &record, ibus.data);
        Empty::new()
    }
}

impl Proved {
    fn liveness(&self, m: &Builder, record: &Record, word: UInt) {
        let idle = m.reg("cycles_without_instruction", 6).reset_to(0);
        m.when(record.rvfi.valid | record.interrupt, || idle.set(0))
            .otherwise(|| idle.set(idle.wrapping_add(1)));
        m.assert("some_instruction_retires", idle.lt(LIVELY_CYCLES));
        // The upper half of `wfi`.
        let waits = word.slice(0, 16).eq(0x1050) | word.slice(16, 16).eq(0x1050);
        m.assume("no_wfi_is_fetched", !waits);
    }
}
