//! The branch target buffer: where jumps and branches went that were taken before.

use ferrite_hdl::prelude::*;

use super::gshare::Outcome;

/// Bits of an instruction's address that an entry keeps beside its index. Further addresses that look alike only cost a wrong guess.
const TAG_BITS: u32 = 10;

/// What the buffer learns from a jump or branch.
///
/// Where there is a history, an entry's `counter` tells only what kind it is: 3 for a jump, which is always taken, 1 for a branch, of which the
/// history tells, and 0 for what is none.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct BtbUpdate<T> {
    /// The entry is written.
    pub valid: T,
    /// Address of the last half word of the instruction.
    pub last: T,
    /// Where it goes.
    pub target: T,
    /// How likely: 2 and 3 say taken.
    pub counter: T,
    /// It returns from a function.
    pub returns: T,
    /// What the history learns, where there is one.
    pub outcome: Option<Outcome<T>>,
}

impl BtbUpdate<Shape> {
    /// The widths.
    pub fn shape(history: Option<Shape>) -> BtbUpdate<Shape> {
        BtbUpdate {
            valid: bit(),
            last: bits(32),
            target: bits(32),
            counter: bits(2),
            returns: bit(),
            outcome: history.map(Outcome::shape),
        }
    }
}

/// Inputs of the branch target buffer.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct BtbIn<T> {
    /// The word looked up: its address without the two lowest bits.
    pub word: T,
    /// What it learns.
    pub update: BtbUpdate<T>,
}

/// What the buffer knows about an instruction that ends in a word.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct BtbOut<T> {
    /// There is an entry.
    pub hit: T,
    /// The instruction ends in the upper half.
    pub upper: T,
    /// 2 and 3 say that it will be taken.
    pub counter: T,
    /// It returns from a function.
    pub returns: T,
    /// Where it went.
    pub target: T,
}

/// Direct mapped, one entry for each index, in LUT RAM.
#[module]
pub struct Btb {
    /// Number of entries, a power of two.
    pub entries: u32,
    /// Instructions may end in either half of a word.
    pub halves: bool,
}

#[derive(Clone, Copy, Bundle)]
struct Entry<T> {
    tag: T,
    upper: T,
    counter: T,
    returns: T,
    target: T,
}

impl Module for Btb {
    type In = BtbIn<UInt>;
    type Out = BtbOut<UInt>;

    fn inputs(&self) -> BtbIn<Shape> {
        BtbIn { word: bits(30), update: BtbUpdate::shape(None) }
    }
    fn outputs(&self) -> BtbOut<Shape> {
        BtbOut { hit: bit(), upper: bit(), counter: bits(2), returns: bit(), target: bits(32) }
    }
    fn build(&self, m: &Builder, i: BtbIn<UInt>) -> BtbOut<UInt> {
        let index_bits = self.entries.ilog2();
        let index = |word: UInt| word.slice(0, index_bits);
        // A tag that is all zeros stands for no entry, which is what the memory begins with.
        let tag =
            |word: UInt| concat([word.slice(index_bits, TAG_BITS - 1), m.constant(Bits::from_bool(true))]);
        // In a simulation that knows unknown values a guess from them would never end.
        let none = (0..self.entries).map(|_| Bits::zero(TAG_BITS + 35));
        let entries = m.memory("entries", self.entries, TAG_BITS + 35).with_contents(none);
        let learnt = i.update;
        let word = learnt.last.slice(2, 30);
        m.when(learnt.valid, || {
            let target = learnt.target.slice(1, 31);
            let entry = [tag(word), learnt.last.bit(1), learnt.counter, learnt.returns, target];
            entries.write(index(word), concat(entry));
        });
        let entry = entries.read_async("entry", index(i.word));
        let entry = Entry {
            target: entry.slice(0, 31),
            returns: entry.bit(31),
            counter: entry.slice(32, 2),
            upper: entry.bit(34),
            tag: entry.slice(35, TAG_BITS),
        };
        let upper = if self.halves { entry.upper } else { m.constant(Bits::from_bool(true)) };
        BtbOut {
            hit: entry.tag.eq(tag(i.word)),
            upper,
            counter: entry.counter,
            returns: entry.returns,
            target: entry.target.concat(m.constant(Bits::zero(1))),
        }
    }
}
