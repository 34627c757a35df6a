//! A design whose places in this file stand in its Verilog: lines that are added here move them.

use ferrite_hdl::prelude::*;

#[derive(Clone, Bundle)]
pub struct PlacedIn<T> {
    pub a: T,
    pub c: T,
}

#[derive(Clone, Bundle)]
pub struct PlacedOut<T> {
    pub q: T,
}

/// One statement of each kind.
#[module]
pub struct Placed;

impl Module for Placed {
    type In = PlacedIn<UInt>;
    type Out = PlacedOut<UInt>;

    fn inputs(&self) -> PlacedIn<Shape> {
        PlacedIn { a: bits(2), c: bit() }
    }
    fn outputs(&self) -> PlacedOut<Shape> {
        PlacedOut { q: bits(2) }
    }
    fn build(&self, m: &Builder, i: PlacedIn<UInt>) -> PlacedOut<UInt> {
        let words = m.memory("words", 4, 2);
        let word = words.read("word", i.a);
        wire!(m, next = word.wrapping_add(i.a));
        let choice = m.wire("choice", 2);
        m.when(i.c, || {
            choice.set(next);
            words.write(i.a, next);
        })
        .otherwise(|| choice.set(0));
        let state = m.reg("state", 2);
        m.switch(choice, |s| {
            s.case(0, || state.set(i.a));
            s.cases([1, 2], || state.set(3));
        });
        m.assert("never_three", state.ne(3));
        let q = m.wire("q", 2);
        q.set(state ^ word);
        PlacedOut { q }
    }
}
