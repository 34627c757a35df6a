//! From descriptors to runs.

use ferrite_hdl::prelude::*;

use super::{Descriptor, DescriptorStream, DmaConfig, Run, RunStream, Span};
use crate::countdown::Countdown;

/// Ports of the walk.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct WalkIn<T> {
    /// What is to be moved.
    pub descriptors: DescriptorStream<T>,
    /// Forgets what it has and takes nothing.
    pub halt: T,
    /// The runs, in order.
    #[flip]
    pub runs: RunStream<T>,
}

/// Gives the runs of one descriptor after the other, one in every cycle if they are taken.
#[module]
pub struct Walk {
    /// Sizes.
    pub config: DmaConfig,
    /// Descriptors carry a fill byte.
    pub has_fill: bool,
}

/// What leads from one run to the next.
#[derive(Clone, Copy, Debug, Bundle)]
struct Steps<T> {
    n1: T,
    s1: T,
    s2: T,
    d1: T,
    d2: T,
}

impl Module for Walk {
    type In = WalkIn<UInt>;
    type Out = Empty<UInt>;

    fn name(&self) -> String {
        format!("DmaWalk{}_a{}", if self.has_fill { "Fill" } else { "" }, self.config.address_bits)
    }
    fn inputs(&self) -> WalkIn<Shape> {
        WalkIn {
            descriptors: DescriptorStream::shape(&self.config, self.has_fill),
            halt: bit(),
            runs: RunStream::shape(&self.config, self.has_fill),
        }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: WalkIn<UInt>) -> Empty<UInt> {
        let offered = i.descriptors.next;
        let active = m.reg("active", 1).reset_to(0);
        // The current run; what is counted includes it.
        let Descriptor { bytes, n1, n2, s1, s2, d1, d2, .. } = Descriptor::shape(&self.config, self.has_fill);
        let external = m.reg("current_external", 32);
        let local = m.reg("current_local", self.config.address_bits);
        let last_byte = m.reg("last_byte", bytes);
        let fill = self.has_fill.then(|| m.reg("fill", 8));
        let runs = Countdown::new(m, "runs", n1.width, 1);
        let repetitions = Countdown::new(m, "repetitions", n2.width, 1);
        let steps = m.regs("steps", Steps { n1, s1, s2, d1, d2 });
        let first_external = m.reg("first_external", 32);
        let first_local = m.reg("first_local", self.config.address_bits);

        let ends_row = runs.done;
        wire!(m, ends = ends_row & repetitions.done);
        wire!(m, fires = active & i.runs.ready);
        i.descriptors.ready.set((!active | (ends & i.runs.ready)) & !i.halt);
        wire!(
            m,
            next_external =
                ends_row.mux(first_external, external).wrapping_add(ends_row.mux(steps.s2, steps.s1))
        );
        wire!(
            m,
            next_local = ends_row.mux(first_local, local).wrapping_add(ends_row.mux(steps.d2, steps.d1))
        );

        // Whether a descriptor is offered is known late: what is taken without one means nothing. Steps are not needed in the last run, which
        // spares them the rest.
        let is_last = !active | ends;
        m.when(is_last, || {
            let Descriptor { n1, s1, s2, d1, d2, .. } = offered;
            m.connect(steps, Steps { n1, s1, s2, d1, d2 });
        });
        wire!(m, turns = !active | fires);
        m.when(turns & is_last, || {
            external.set(offered.external);
            local.set(offered.local);
            m.connect(fill, offered.fill);
            last_byte.set(offered.bytes.wrapping_sub(1));
            first_external.set(offered.external);
            first_local.set(offered.local);
            runs.load(offered.n1);
            repetitions.load(offered.n2);
            active.set(i.descriptors.valid);
        })
        .otherwise_when(turns, || {
            external.set(next_external);
            local.set(next_local);
            runs.turn(steps.n1);
            m.when(ends_row, || {
                first_external.set(next_external);
                first_local.set(next_local);
                repetitions.step();
            });
        });
        m.when(i.halt, || active.set(0));
        let takes = i.descriptors.valid & i.descriptors.ready;
        m.assume("nothing_is_empty", !takes | (offered.bytes.any() & offered.n1.any() & offered.n2.any()));

        i.runs.valid.set(active);
        let span = Span { external, last_byte, last: ends };
        m.connect(i.runs.run, Run { span, local, fill });
        Empty::new()
    }
}
