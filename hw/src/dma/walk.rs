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
        // `external` and `local` are those of the current run, what is counted includes it.
        let d = m.regs("current", Descriptor::shape(&self.config, self.has_fill));
        let last_byte = m.reg("last_byte", d.bytes.width());
        let runs = Countdown::new(m, "runs", d.n1.width(), 1);
        let repetitions = Countdown::new(m, "repetitions", d.n2.width(), 1);
        let first_external = m.reg("first_external", 32);
        let first_local = m.reg("first_local", self.config.address_bits);

        let ends_row = runs.done;
        wire!(m, ends = ends_row & repetitions.done);
        wire!(m, fires = active & i.runs.ready);
        i.descriptors.ready.set((!active | (ends & i.runs.ready)) & !i.halt);
        wire!(
            m,
            next_external = ends_row.mux(first_external, d.external).wrapping_add(ends_row.mux(d.s2, d.s1))
        );
        wire!(m, next_local = ends_row.mux(first_local, d.local).wrapping_add(ends_row.mux(d.d2, d.d1)));

        m.when(fires, || {
            d.external.set(next_external);
            d.local.set(next_local);
            runs.turn(d.n1);
            m.when(ends_row, || {
                first_external.set(next_external);
                first_local.set(next_local);
                repetitions.step();
            });
        });
        // Whether a descriptor is offered is known late: what is taken without one means nothing.
        m.when(i.descriptors.ready, || {
            m.connect(d, offered);
            last_byte.set(offered.bytes.wrapping_sub(1));
            first_external.set(offered.external);
            first_local.set(offered.local);
            runs.load(offered.n1);
            repetitions.load(offered.n2);
            active.set(i.descriptors.valid);
        });
        m.when(i.halt, || active.set(0));
        let takes = i.descriptors.valid & i.descriptors.ready;
        m.assume("nothing_is_empty", !takes | (offered.bytes.any() & offered.n1.any() & offered.n2.any()));

        i.runs.valid.set(active);
        let span = Span { external: d.external, last_byte, last: ends };
        m.connect(i.runs.run, Run { span, local: d.local, fill: d.fill });
        Empty::new()
    }
}
