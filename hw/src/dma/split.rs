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
        // The buffer parts the path of `ready` from what decides where a run ends.
        let spans = RecordQueue::skid(m, "spans", Span::shape());
        i.ready.set(spans.ready);
        spans.put(i.valid, i.span);
        let active = m.reg("active", 1).reset_to(0);
        let beat = m.reg("beat", config.beat_address_bits());
        // Beats of the run from here on, less 1, and where the last of them lies, counted from the beginning of this page.
        let left = m.reg("left", count_bits);
        let last_place = m.reg("last_place", count_bits);
        let last_run = m.reg("last_run", 1);

        // The longest burst that begins here: to the end of the run, of the page, or as configured. All three are looked at side by side;
        // the beats to the end of the page, less 1, are the inverse of the place in it.
        let page_bits = config.page_beats().ilog2();
        let longest = config.longest_burst();
        let to_page = !beat.truncate(page_bits);
        let later_pages = last_place.slice(page_bits, count_bits - page_bits);
        let place = beat.truncate(page_bits).extend(count_bits);
        m.assert("the_end_is_known", !active | left.wrapping_add(place).eq(last_place));
        wire!(m, ends = !later_pages.any() & left.lt(longest));
        wire!(m, ends_page = to_page.extend(page_bits + 1).lt(longest));
        let to_page = ends_page.mux(to_page.extend(count_bits), longest - 1);
        wire!(m, len = ends.mux(left, to_page));

        // Where the run goes on, the next burst begins with a page or a longest burst from here.
        wire!(m, is_free = !active | (ends & i.bursts.ready));
        spans.takes.set(is_free | i.halt);
        let page = beat.slice(page_bits, beat.width() - page_bits);
        let next_page = page.wrapping_add(1).concat(Bits::zero(page_bits));
        // Where the longest burst is a page, it ends with one.
        let in_page = page.concat(beat.truncate(page_bits).wrapping_add(longest % config.page_beats()));
        let from_page = later_pages.wrapping_sub(1).concat(last_place.truncate(page_bits));
        m.when(active & i.bursts.ready, || {
            beat.set(ends_page.mux(next_page, in_page));
            left.set(ends_page.mux(from_page, left.wrapping_sub(longest)));
            m.when(ends_page, || last_place.set(from_page));
        });
        m.when(is_free, || {
            let span = spans.front;
            let last_from = |bits| {
                let last_byte =
                    span.external.truncate(bits).extend(17).wrapping_add(span.last_byte.extend(17));
                last_byte.slice(offset_bits, count_bits)
            };
            beat.set(span.external.slice(offset_bits, beat.width()));
            left.set(last_from(offset_bits));
            last_place.set(last_from(offset_bits + page_bits));
            last_run.set(span.last);
            active.set(spans.valid);
        });
        m.when(i.halt, || active.set(0));

        i.bursts.valid.set(active);
        i.bursts.address.set(beat.concat(Bits::zero(offset_bits)));
        i.bursts.len.set(len.truncate(8.min(count_bits)).extend(8));
        i.bursts.last.set(last_run & ends);
        SplitOut { busy: active | spans.valid }
    }
}
