//! The RAM, which holds the program and its data.

use super::slave::{answer, loads, stores};
use crate::core::Bus;
use ferrite_hdl::prelude::*;

/// Ports of the RAM.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct RamIn<T> {
    /// Instruction fetch; reads only.
    pub fetch: Bus<T>,
    /// Loads and stores.
    pub data: Bus<T>,
}

/// A memory with one port for fetching and one for data, as the block RAM of FPGAs has.
#[module]
pub struct Ram {
    /// Size; a power of two.
    pub bytes: u32,
}

impl Module for Ram {
    type In = RamIn<UInt>;
    type Out = Empty<UInt>;

    fn inputs(&self) -> RamIn<Shape> {
        RamIn { fetch: Bus::shape(), data: Bus::shape() }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: RamIn<UInt>) -> Empty<UInt> {
        let words = m.memory("words", self.bytes / 4, 32);
        let index = |bus: Bus<UInt>| bus.request.addr.slice(2, words.addr_width());
        let (mut fetched, mut loaded) = (i.fetch.request.addr, i.data.request.addr);
        m.when(i.fetch.request.valid, || fetched = words.read("fetched", index(i.fetch)));
        m.when(loads(i.data), || loaded = words.read("loaded", index(i.data)));
        m.when(stores(i.data), || {
            words.write_masked(index(i.data), i.data.request.wdata, i.data.request.mask);
        });
        answer(m, "fetch_answers", i.fetch, fetched);
        answer(m, "data_answers", i.data, loaded);
        Empty::new()
    }
}
