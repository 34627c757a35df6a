//! From pairs of words to records.

use ferrite_hdl::library::Stream;
use ferrite_hdl::prelude::*;

use super::record::{RECORD_WORDS, RecordStream};

/// Bits that come at once: two words.
const PAIR_BITS: u32 = 64;

/// Ports of the module.
#[derive(Clone, Debug, Bundle)]
pub struct GatherIn<T> {
    /// Pairs of words, the first one lower.
    pub pairs: Stream<T>,
    /// Records.
    #[flip]
    pub records: RecordStream<T>,
    /// Forgets what it has.
    pub clear: T,
}

/// Joins eight pairs of words to a record. The next one's come while it waits to be taken.
#[module]
pub struct Gather {}

impl Module for Gather {
    type In = GatherIn<UInt>;
    type Out = Empty<UInt>;

    fn inputs(&self) -> GatherIn<Shape> {
        GatherIn { pairs: Stream::of(bits(PAIR_BITS)), records: RecordStream::shape(), clear: bit() }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: GatherIn<UInt>) -> Empty<UInt> {
        let width = 32 * RECORD_WORDS;
        let pairs = width / PAIR_BITS;
        let gathered = m.reg("gathered", width);
        let count = m.reg("count", pairs.ilog2() + 1).reset_to(0);
        wire!(m, full = count.eq(pairs));
        i.pairs.ready.set(!full | i.records.ready);
        m.when(full & i.records.ready, || count.set(0));
        m.when(i.pairs.fires(), || {
            gathered.set(i.pairs.data.concat(gathered.slice(PAIR_BITS, width - PAIR_BITS)));
            count.set(full.mux(1, count.wrapping_add(1)));
        });
        m.when(i.clear, || count.set(0));
        i.records.valid.set(full);
        i.records.record.set(gathered);
        Empty::new()
    }
}
