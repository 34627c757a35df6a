//! The branch target buffer: where jumps and branches went that were taken before.

use ferrite_hdl::prelude::*;

use super::gshare::Outcome;

/// Bits of an instruction's address that an entry keeps, and one more. Further addresses that look alike only cost a wrong guess.
const TAG_BITS: u32 = 10;

/// What comes before a word.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Origin<T> {
    /// The lowest bits of the number of the word before it.
    pub word: T,
    /// That word is left by a jump or a taken branch.
    pub jumped: T,
}

impl Origin<Shape> {
    /// The widths: enough for the largest buffer.
    pub fn shape() -> Origin<Shape> {
        Origin { word: bits(ORIGIN_BITS), jumped: bit() }
    }
}

impl Origin<UInt> {
    /// What comes behind the word with this number.
    pub fn behind(word: UInt, jumped: UInt) -> Origin<UInt> {
        Origin { word: word.slice(0, ORIGIN_BITS), jumped }
    }
}

/// Half of the 512 entries that a buffer has at most are found by the word.
const ORIGIN_BITS: u32 = 8;

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
    /// What came before the word in which that is.
    pub origin: Origin<T>,
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
            origin: Origin::shape(),
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
    /// The word that is asked about: its address without the two lowest bits.
    pub word: T,
    /// Another word will be asked about from the next cycle on.
    pub moves: T,
    /// What comes before that one.
    pub origin: Origin<T>,
    /// Nothing is to be known about it.
    pub forgets: T,
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
///
/// An entry is found by what the program did before, and read while the word before is left: when its own word is asked for it stands in
/// a register. So a branch that is reached in several ways has several entries. That an entry belongs to the word is told by its tag.
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

impl Entry<Shape> {
    fn shape() -> Entry<Shape> {
        Entry { tag: bits(TAG_BITS), upper: bit(), counter: bits(2), returns: bit(), target: bits(31) }
    }
}

impl Entry<UInt> {
    fn from_bits(entry: UInt) -> Entry<UInt> {
        Entry {
            target: entry.slice(0, 31),
            returns: entry.bit(31),
            counter: entry.slice(32, 2),
            upper: entry.bit(34),
            tag: entry.slice(35, TAG_BITS),
        }
    }
}

impl Module for Btb {
    type In = BtbIn<UInt>;
    type Out = BtbOut<UInt>;

    fn inputs(&self) -> BtbIn<Shape> {
        BtbIn {
            word: bits(30),
            moves: bit(),
            origin: Origin::shape(),
            forgets: bit(),
            update: BtbUpdate::shape(None),
        }
    }
    fn outputs(&self) -> BtbOut<Shape> {
        BtbOut { hit: bit(), upper: bit(), counter: bits(2), returns: bit(), target: bits(32) }
    }
    fn build(&self, m: &Builder, i: BtbIn<UInt>) -> BtbOut<UInt> {
        let index_bits = self.entries.ilog2() - 1;
        let index = |origin: Origin<UInt>| origin.word.slice(0, index_bits);
        // A tag that is all zeros stands for no entry, which is what the memory begins with. Of a word that stands behind the one before
        // it, the index tells the lowest bits; of others it tells nothing.
        let tag = |word: UInt| {
            let lowest = word.slice(0, index_bits.min(TAG_BITS - 1)).extend(TAG_BITS - 1);
            (word.slice(index_bits, TAG_BITS - 1) ^ lowest).concat(m.constant(Bits::from_bool(true)))
        };
        let learnt = i.update;
        let target = learnt.target.slice(1, 31);
        let entry =
            [tag(learnt.last.slice(2, 30)), learnt.last.bit(1), learnt.counter, learnt.returns, target];
        wire!(m, entry = concat(entry));
        // Whether the word before is left by a jump is known late: what is known for either case is read.
        let read = |name: &str, jumped: UInt| {
            // In a simulation that knows unknown values a guess from them would never end.
            let none = (0..self.entries / 2).map(|_| Bits::zero(TAG_BITS + 35));
            let entries = m.memory(name, self.entries / 2, TAG_BITS + 35).with_contents(none);
            m.when(learnt.valid & jumped, || entries.write(index(learnt.origin), entry));
            entries.read_async(&format!("{name}_entry"), index(i.origin))
        };
        let straight = read("straight", !learnt.origin.jumped);
        let jumped = read("jumped", learnt.origin.jumped);
        let next = Entry::from_bits(i.origin.jumped.mux(jumped, straight));
        let known = m.regs("known", Entry { tag: bits(TAG_BITS - 1), ..Entry::shape() });
        let is_known = m.reg("is_known", 1).reset_to(0);
        m.when(i.moves, || {
            is_known.set(next.tag.bit(0) & !i.forgets);
            m.connect(known, Entry { tag: next.tag.slice(1, TAG_BITS - 1), ..next });
        });
        let upper = if self.halves { known.upper } else { m.constant(Bits::from_bool(true)) };
        BtbOut {
            hit: is_known & known.tag.eq(tag(i.word).slice(1, TAG_BITS - 1)),
            upper,
            counter: known.counter,
            returns: known.returns,
            target: known.target.concat(m.constant(Bits::zero(1))),
        }
    }
}
