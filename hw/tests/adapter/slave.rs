//! What the slaves have in common.

use super::random::Random;

/// Words that the master asks for.
pub const WORDS: u32 = 24;

/// Nothing is there in the last quarter.
pub fn is_refused(address: u32) -> bool {
    address >= 3 * WORDS
}

/// How fast a slave is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Always ready; it answers as early as it may.
    Eager,
    /// It hesitates in so many of eight cycles.
    Random(u32),
}

impl Pace {
    /// Whether it goes on in this cycle.
    pub fn goes(self, random: &mut Random) -> bool {
        match self {
            Pace::Eager => true,
            Pace::Random(eighths) => !random.eighths(eighths),
        }
    }
}

/// Sets an input of the adapter.
pub type Poke<'a> = &'a mut dyn FnMut(&'static str, u64);
/// Reads an output of the adapter.
pub type Peek<'a> = &'a dyn Fn(&str) -> u64;

/// A slave with a memory, which also judges what the master does.
pub trait Slave {
    /// A cycle of the reset, or the first after it, begins.
    fn in_reset(&self, peek: Peek);
    /// Sets what does not depend on this cycle's requests.
    fn drive(&mut self, poke: Poke);
    /// Answers this cycle's request at once, if it is such a slave.
    fn react(&mut self, _peek: Peek, _poke: Poke) {}
    /// Looks at everything before the clock edge.
    fn observe(&mut self, peek: Peek);
}

/// A memory that holds anything at first.
pub struct Memory(Vec<u32>);

impl Memory {
    pub fn new(random: &mut Random) -> Memory {
        Memory((0..WORDS).map(|_| random.word()).collect())
    }

    pub fn read(&self, address: u32) -> u32 {
        self.0[address as usize / 4]
    }

    pub fn write(&mut self, address: u32, data: u32, lanes: u32) {
        let mask =
            (0..4).filter(|lane| lanes >> lane & 1 == 1).fold(0, |mask, lane| mask | 0xFF << (8 * lane));
        let word = &mut self.0[address as usize / 4];
        *word = *word & !mask | data & mask;
    }
}

/// A request that was not taken: it must be there unchanged in the next cycle.
#[derive(Default)]
pub struct Held(Option<Vec<u64>>);

impl Held {
    /// Judges a request; the first of its values says whether there is one.
    pub fn check(&mut self, what: &str, request: Vec<u64>, is_taken: bool) {
        if let Some(held) = &self.0 {
            assert_eq!(&request, held, "{what} changed before it was taken");
        }
        self.0 = (request[0] == 1 && !is_taken).then_some(request);
    }
}
