//! Designs with one of everything that a waveform shows.

#![allow(dead_code)] // not every test uses every design

use ferrite_hdl::prelude::*;

#[derive(Clone, Bundle)]
pub struct Pair<T> {
    pub low: T,
    pub high: T,
}

#[derive(Clone, Bundle)]
pub struct LeafIn<T> {
    pub pair: Pair<T>,
    pub go: T,
}

#[derive(Clone, Bundle)]
pub struct LeafOut<T> {
    pub sum: T,
    pub phase: T,
}

#[derive(Clone, Copy, Encoding)]
pub enum Phase {
    Waiting,
    Adding,
    Done,
}

/// Adds a signed pair up while it is in its second phase.
#[module]
pub struct Leaf {
    pub sign: bool,
}

impl Module for Leaf {
    type In = LeafIn<UInt>;
    type Out = LeafOut<UInt>;

    fn name(&self) -> String {
        if self.sign { "Subtracter".to_string() } else { "Adder".to_string() }
    }
    fn inputs(&self) -> LeafIn<Shape> {
        LeafIn { pair: Pair { low: signed(8), high: bits(8) }, go: bit() }
    }
    fn outputs(&self) -> LeafOut<Shape> {
        LeafOut { sum: signed(12), phase: Phase::shape() }
    }
    fn build(&self, m: &Builder, i: LeafIn<UInt>) -> LeafOut<UInt> {
        let phase = m.reg("phase", Phase::shape()).reset_to(Phase::Waiting);
        let sum = m.reg("sum", signed(12)).reset_to(0);
        wire!(m, step = i.pair.low.signed().extend(12).unsigned());
        m.switch(phase, |s| {
            s.case(Phase::Waiting, || {
                m.when(i.go, || phase.set(Phase::Adding));
            });
            s.case(Phase::Adding, || {
                sum.set(if self.sign { sum.wrapping_sub(step) } else { sum.wrapping_add(step) });
                m.when(i.pair.high.bit(0), || phase.set(Phase::Done));
            });
            s.case(Phase::Done, || phase.set(Phase::Waiting));
        });
        LeafOut { sum, phase }
    }
}

#[derive(Clone, Bundle)]
pub struct StoreIn<T> {
    pub addr: T,
    pub word: T,
}

#[derive(Clone, Bundle)]
pub struct StoreOut<T> {
    pub wide: T,
}

/// A memory of wide words that is written at every edge.
#[module]
pub struct Store;

impl Module for Store {
    type In = StoreIn<UInt>;
    type Out = StoreOut<UInt>;

    fn inputs(&self) -> StoreIn<Shape> {
        StoreIn { addr: bits(4), word: bits(70) }
    }
    fn outputs(&self) -> StoreOut<Shape> {
        StoreOut { wide: bits(140) }
    }
    fn build(&self, m: &Builder, i: StoreIn<UInt>) -> StoreOut<UInt> {
        let words = m.memory("words", 16, 70);
        words.write(i.addr, i.word);
        let old = words.read("old", i.addr.wrapping_add(3));
        StoreOut { wide: concat([old, words.read_async("now", i.addr)]) }
    }
}

#[derive(Clone, Bundle)]
pub struct TopOut<T> {
    pub left: LeafOut<T>,
    pub right: LeafOut<T>,
    pub wide: T,
    pub ticks: T,
}

/// Two leaves, a store and a counter of a second clock.
#[module]
pub struct Top;

impl Module for Top {
    type In = LeafIn<UInt>;
    type Out = TopOut<UInt>;

    fn clocks(&self) -> Vec<&'static str> {
        vec!["clk", "fast_clk"]
    }
    fn inputs(&self) -> LeafIn<Shape> {
        Leaf { sign: false }.inputs()
    }
    fn outputs(&self) -> TopOut<Shape> {
        let leaf = Leaf { sign: false }.outputs();
        TopOut { left: leaf.clone(), right: leaf, wide: bits(140), ticks: bits(5) }
    }
    fn build(&self, m: &Builder, i: LeafIn<UInt>) -> TopOut<UInt> {
        let left = m.instance("adder", &Leaf { sign: false }).connect(i.clone());
        let right = m.instance("subtracter", &Leaf { sign: true }).connect(i.clone());
        let rotating = m.reg("rotating", 70).init(Bits::from_u64(70, 0x1234_5678_9ABC_DEF1).shl(3));
        rotating.set(concat([rotating.slice(0, 69), rotating.bit(69) ^ i.go]));
        let store =
            m.instance("store", &Store).connect(StoreIn { addr: i.pair.high.slice(0, 4), word: rotating });
        let mut ticks = None;
        m.clock("fast_clk", || {
            let counter = m.reg("ticks", 5);
            counter.set(counter.wrapping_add(1));
            ticks = Some(counter);
        });
        TopOut { left, right, wide: store.wide, ticks: ticks.expect("made above") }
    }
}

/// A [`Top`] inside of another module.
#[module]
pub struct Nested;

impl Module for Nested {
    type In = LeafIn<UInt>;
    type Out = TopOut<UInt>;

    fn clocks(&self) -> Vec<&'static str> {
        Top.clocks()
    }
    fn inputs(&self) -> LeafIn<Shape> {
        Top.inputs()
    }
    fn outputs(&self) -> TopOut<Shape> {
        Top.outputs()
    }
    fn build(&self, m: &Builder, i: LeafIn<UInt>) -> TopOut<UInt> {
        m.instance("inner", &Top).connect(i)
    }
}

#[derive(Clone, Bundle)]
pub struct CountersOut<T> {
    pub counter: Vec<T>,
}

/// Wide registers that all change at every edge.
#[module]
pub struct Counters {
    pub count: u64,
}

impl Module for Counters {
    type In = Empty<UInt>;
    type Out = CountersOut<UInt>;

    fn inputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn outputs(&self) -> CountersOut<Shape> {
        CountersOut { counter: vec![bits(200); self.count as usize] }
    }
    fn build(&self, m: &Builder, _: Empty<UInt>) -> CountersOut<UInt> {
        let counter = (0..self.count).map(|k| {
            let value = m.reg(&format!("counter_{k}"), 200).init(Bits::from_u64(200, counted(k, 0)));
            value.set(value.wrapping_add(k + 1));
            value
        });
        CountersOut { counter: counter.collect() }
    }
}

/// What register `k` of [`Counters`] holds in a cycle.
pub fn counted(k: u64, cycle: u64) -> u64 {
    k + (k + 1) * cycle
}
