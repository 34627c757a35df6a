//! From descriptors to runs.

use ferrite_hdl::prelude::*;

use super::{Descriptor, DescriptorStream, DmaConfig, Run, RunStream, Span};

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
        // `external` and `local` are those of the current run, `n2` counts the repetitions that are left.
        let d = m.regs("current", Descriptor::shape(&self.config, self.has_fill));
        let left = m.reg("left", d.n1.width());
        let first_external = m.reg("first_external", 32);
        let first_local = m.reg("first_local", self.config.address_bits);

        wire!(m, ends_row = left.eq(1));
        wire!(m, ends = ends_row & d.n2.eq(1));
        let fires = active & i.runs.ready;
        i.descriptors.ready.set((!active | (ends & i.runs.ready)) & !i.halt);
        wire!(m, takes = i.descriptors.valid & i.descriptors.ready);
        wire!(
            m,
            next_external = ends_row.mux(first_external, d.external).wrapping_add(ends_row.mux(d.s2, d.s1))
        );
        wire!(m, next_local = ends_row.mux(first_local, d.local).wrapping_add(ends_row.mux(d.d2, d.d1)));

        m.when(fires, || {
            d.external.set(next_external);
            d.local.set(next_local);
            left.set(left.wrapping_sub(1));
            m.when(ends_row, || {
                first_external.set(next_external);
                first_local.set(next_local);
                left.set(d.n1);
                d.n2.set(d.n2.wrapping_sub(1));
            });
            m.when(ends, || active.set(0));
        });
        m.when(takes, || {
            m.connect(d, offered);
            first_external.set(offered.external);
            first_local.set(offered.local);
            left.set(offered.n1);
            active.set(1);
        });
        m.when(i.halt, || active.set(0));
        m.assume("nothing_is_empty", !takes | (offered.bytes.any() & offered.n1.any() & offered.n2.any()));

        i.runs.valid.set(active);
        let span = Span { external: d.external, bytes: d.bytes, last: ends };
        m.connect(i.runs.run, Run { span, local: d.local, fill: d.fill });
        Empty::new()
    }
}
