//! Counters that the outcomes of earlier branches choose among (gshare).
//!
//! A branch that goes one way after some branches and another way after others has a counter for each of these histories. The
//! branch target buffer still tells where a branch is and where it goes.

use ferrite_hdl::prelude::*;

/// How likely a branch is to be taken that no outcome is known of: it was taken when the branch target buffer learnt of it.
const LIKELY: u64 = 2;

/// What the counters and the history learn from a jump or branch.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Outcome<T> {
    /// A counter is written: it is a branch.
    pub trains: T,
    /// The counter.
    pub counter: T,
    /// The history by which the branch was predicted.
    pub history: T,
    /// It was taken.
    pub taken: T,
    /// Fetch began anew behind it: what was predicted since does not count.
    pub repairs: T,
}

impl Outcome<Shape> {
    /// The widths for a history of so many branches.
    pub fn shape(history: Shape) -> Outcome<Shape> {
        Outcome { trains: bit(), counter: bits(2), history, taken: bit(), repairs: bit() }
    }
}

/// Inputs of the counters.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct GshareIn<T> {
    /// The word looked up: its address without the two lowest bits.
    pub word: T,
    /// The history before it.
    pub history: T,
    /// The word in which the branch ended that is learnt from.
    pub learnt: T,
    /// Its outcome.
    pub outcome: Outcome<T>,
}

/// Output of the counters.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct GshareOut<T> {
    /// 2 and 3 say that the branch will be taken.
    pub counter: T,
}

/// A counter for each pattern of address and history, in LUT RAM.
#[module]
pub struct Gshare {
    /// Branches in the history, 1 to 10.
    pub history: u32,
}

impl Module for Gshare {
    type In = GshareIn<UInt>;
    type Out = GshareOut<UInt>;

    fn inputs(&self) -> GshareIn<Shape> {
        let history = bits(self.history);
        GshareIn { word: bits(30), history, learnt: bits(30), outcome: Outcome::shape(history) }
    }
    fn outputs(&self) -> GshareOut<Shape> {
        GshareOut { counter: bits(2) }
    }
    fn build(&self, m: &Builder, i: GshareIn<UInt>) -> GshareOut<UInt> {
        let places = 1 << self.history;
        let index = |word: UInt, history: UInt| word.slice(0, self.history) ^ history;
        let likely = (0..places).map(|_| Bits::from_u64(2, LIKELY));
        let counters = m.memory("counters", places, 2).with_contents(likely);
        let outcome = i.outcome;
        m.when(outcome.trains, || counters.write(index(i.learnt, outcome.history), outcome.counter));
        GshareOut { counter: counters.read_async("chosen", index(i.word, i.history)) }
    }
}

/// The history after one more branch.
pub fn after(history: UInt, taken: UInt) -> UInt {
    match history.width() {
        1 => taken,
        width => history.slice(0, width - 1).concat(taken),
    }
}
