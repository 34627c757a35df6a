//! From runs to bursts.

use ferrite_hdl::prelude::*;

use super::{DmaConfig, Span};

/// A stream of bursts.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct BurstStream<T> {
    /// One is offered.
    pub valid: T,
    /// Byte address of its first beat.
    pub address: T,
    /// Beats less 1.
    pub len: T,
    /// It is the last of a descriptor.
    pub last: T,
    /// It is taken.
    #[flip]
    pub ready: T,
}

/// Ports of the splitter.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct SplitIn<T> {
    /// A run is offered.
    pub valid: T,
    /// The run.
    pub span: Span<T>,
    /// It is taken.
    #[flip]
    pub ready: T,
    /// Forgets what it has.
    pub halt: T,
    /// Bursts that cover the runs, in order; each run has its own.
    #[flip]
    pub bursts: BurstStream<T>,
}

/// Covers each run with bursts as long as the page and the configuration allow; one in every cycle if they are taken.
#[module]
pub struct Split {
    /// Sizes.
    pub config: DmaConfig,
}

impl Module for Split {
    type In = SplitIn<UInt>;
    type Out = Empty<UInt>;

    fn name(&self) -> String {
        format!("DmaSplit_{}x{}", self.config.axi.data_bits, self.config.burst_beats)
    }
    fn inputs(&self) -> SplitIn<Shape> {
        let bursts = BurstStream { valid: bit(), address: bits(32), len: bits(8), last: bit(), ready: bit() };
        SplitIn { valid: bit(), span: Span::shape(), ready: bit(), halt: bit(), bursts }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: SplitIn<UInt>) -> Empty<UInt> {
        let config = &self.config;
        let (offset_bits, count_bits) = (config.axi.offset_bits(), config.beats_bits());
        let active = m.reg("active", 1).reset_to(0);
        let beat = m.reg("beat", config.beat_address_bits());
        let left = m.reg("left", count_bits);
        let last_run = m.reg("last_run", 1);

        // The longest burst that begins here: to the end of the run, of the page, or as configured.
        let page_bits = config.page_beats().ilog2();
        wire!(
            m,
            room = m
                .constant(Bits::from_u64(page_bits + 1, 1 << page_bits))
                .wrapping_sub(beat.truncate(page_bits).extend(page_bits + 1))
        );
        let longest = m.constant(Bits::from_u64(page_bits + 1, config.longest_burst().into()));
        wire!(m, limit = room.lt(longest).mux(room, longest).extend(count_bits.max(page_bits + 1)));
        let left_wide = left.extend(limit.width());
        wire!(m, ends = left_wide.le(limit));
        wire!(m, beats = ends.mux(left_wide, limit));

        i.ready.set(!active | (ends & i.bursts.ready));
        wire!(m, takes = i.valid & i.ready);
        m.when(active & i.bursts.ready, || {
            beat.set(beat.wrapping_add(beats.extend(beat.width())));
            left.set(left.wrapping_sub(beats.truncate(count_bits)));
            m.when(ends, || active.set(0));
        });
        m.when(takes, || {
            let bytes =
                i.span.external.truncate(offset_bits).extend(17).wrapping_add(i.span.bytes.extend(17));
            let rounded = bytes.wrapping_add(config.axi.beat_bytes() - 1);
            beat.set(i.span.external.slice(offset_bits, beat.width()));
            left.set(rounded.slice(offset_bits, count_bits));
            last_run.set(i.span.last);
            active.set(1);
        });
        m.when(i.halt, || active.set(0));

        i.bursts.valid.set(active);
        i.bursts.address.set(beat.concat(Bits::zero(offset_bits)));
        i.bursts.len.set(beats.wrapping_sub(1).truncate(8));
        i.bursts.last.set(last_run & ends);
        Empty::new()
    }
}
