//! From runs to bursts.

use ferrite_hdl::prelude::*;

use super::{DmaConfig, Span};
use crate::record::RecordQueue;

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

/// Outputs of the splitter.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct SplitOut<T> {
    /// It has runs.
    pub busy: T,
}

/// Covers each run with bursts as long as the page and the configuration allow; one in every cycle if they are taken.
#[module]
pub struct Split {
    /// Sizes.
    pub config: DmaConfig,
}

impl Module for Split {
    type In = SplitIn<UInt>;
    type Out = SplitOut<UInt>;

    fn name(&self) -> String {
        format!("DmaSplit_{}x{}", self.config.axi.data_bits, self.config.burst_beats)
    }
    fn inputs(&self) -> SplitIn<Shape> {
        let bursts = BurstStream { valid: bit(), address: bits(32), len: bits(8), last: bit(), ready: bit() };
        SplitIn { valid: bit(), span: Span::shape(), ready: bit(), halt: bit(), bursts }
    }
    fn outputs(&self) -> SplitOut<Shape> {
        SplitOut { busy: bit() }
    }
    fn build(&self, m: &Builder, i: SplitIn<UInt>) -> SplitOut<UInt> {
        let config = &self.config;
        let (offset_bits, count_bits) = (config.axi.offset_bits(), config.beats_bits());
        // The queue parts the path of `ready` from what decides where a run ends.
        let spans = RecordQueue::new(m, "spans", 2, Span::shape());
        i.ready.set(spans.ready);
        spans.put(i.valid, i.span);
        let active = m.reg("active", 1).reset_to(0);
        let beat = m.reg("beat", config.beat_address_bits());
        // Beats of the run from here on, less 1.
        let left = m.reg("left", count_bits);
        let last_run = m.reg("last_run", 1);

        // The longest burst that begins here: to the end of the run, of the page, or as configured. All three are looked at side by side;
        // the beats to the end of the page, less 1, are the inverse of the place in it.
        let page_bits = config.page_beats().ilog2();
        let width = count_bits.max(page_bits);
        let place = beat.truncate(page_bits);
        let longest = m.constant(Bits::from_u64(width, u64::from(config.longest_burst()) - 1));
        let to_page = (!place).extend(width);
        wire!(m, last_place = left.extend(width) + place.extend(width));
        let leaves_page = last_place.slice(page_bits, width + 1 - page_bits).any();
        wire!(m, ends = !leaves_page & left.extend(width).le(longest));
        wire!(m, len = ends.mux(left.extend(width), to_page.lt(longest).mux(to_page, longest)));

        wire!(m, is_free = !active | (ends & i.bursts.ready));
        spans.takes.set(is_free | i.halt);
        m.when(active & i.bursts.ready, || {
            beat.set(beat.wrapping_add(len.truncate(page_bits).extend(beat.width())).wrapping_add(1));
            left.set(left.wrapping_sub(len.truncate(count_bits)).wrapping_sub(1));
        });
        m.when(is_free, || {
            let span = spans.front;
            let last_byte = span.bytes.wrapping_sub(1).extend(17);
            let last_byte = span.external.truncate(offset_bits).extend(17).wrapping_add(last_byte);
            beat.set(span.external.slice(offset_bits, beat.width()));
            left.set(last_byte.slice(offset_bits, count_bits));
            last_run.set(span.last);
            active.set(spans.valid);
        });
        m.when(i.halt, || active.set(0));

        i.bursts.valid.set(active);
        i.bursts.address.set(beat.concat(Bits::zero(offset_bits)));
        i.bursts.len.set(len.truncate(8.min(width)).extend(8));
        i.bursts.last.set(last_run & ends);
        SplitOut { busy: active | spans.valid }
    }
}
