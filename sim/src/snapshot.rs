//! The state of a running design, apart from the engine that runs it.
//!
//! What inputs, registers, the outputs of synchronous memories and the words of memories hold is all that later cycles depend on;
//! everything else is computed from it. So a snapshot taken from one engine goes on in another, bit for bit, and neither knows how the
//! other keeps its values. `docs/decisions/0011-snapshots.md` says more.

mod error;
mod file;
mod states;

use ferrite_hdl::Bits;

pub use error::SnapshotError;
pub(crate) use states::{KeptStates, States};

/// What tells one netlist from another.
pub(crate) type Fingerprint = [u8; 32];

/// More cycles than any run gets to: at ten million a second, two hundred years. Who counts on from here, or turns cycles into times, need not
/// fear that numbers overflow.
const MOST_CYCLES: u64 = 1 << 56;

/// Everything that a design's future depends on, at one moment: taken by [`crate::Simulator::save`], for any engine of the same design to go
/// on from by [`crate::Simulator::restore`].
///
/// ```
/// use ferrite_hdl::{elaborate, library::Queue};
/// use ferrite_sim::{Interpreter, Native, NativeOptions, Simulator, Snapshot};
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("queue.snapshot");
/// let design = elaborate(&Queue { width: 8, depth: 4 }).unwrap();
/// let mut slow = Interpreter::new(&design);
/// slow.step(100).unwrap();
/// slow.save().unwrap().write(&path).unwrap();
///
/// let mut fast = Native::new(&design, &NativeOptions::default()).unwrap();
/// fast.restore(&Snapshot::read(&path).unwrap()).unwrap();
/// assert_eq!(fast.cycle(), 100);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    fingerprint: Fingerprint,
    cycle: u64,
    /// Inputs, registers and what read ports hold, in the order of [`States`]: each in words, least significant first.
    values: Vec<u64>,
    /// The words of every memory, one behind the other in [`word_bytes`] each, as they would lie in the memory of a little-endian machine.
    memories: Vec<Vec<u64>>,
    harness: Vec<u8>,
}

/// Bytes that a memory's word takes in a snapshot.
pub(crate) fn word_bytes(width: u32) -> u32 {
    match width {
        0..=8 => 1,
        9..=16 => 2,
        17..=32 => 4,
        33..=64 => 8,
        _ => width.div_ceil(64) * 8,
    }
}

/// Where a memory's word lies among the words of 64 bits: the first of them, and its lowest bit.
fn place(width: u32, word: u32) -> (usize, u32) {
    let byte = u64::from(word) * u64::from(word_bytes(width));
    ((byte / 8) as usize, 8 * (byte % 8) as u32)
}

impl Snapshot {
    /// A snapshot of a design with states like these; everything is 0.
    pub(crate) fn zero(states: &States, cycle: u64) -> Snapshot {
        Snapshot {
            fingerprint: states.fingerprint,
            cycle,
            values: Vec::with_capacity(states.value_words),
            memories: states.memories.iter().map(|memory| vec![0; memory.words()]).collect(),
            harness: Vec::new(),
        }
    }

    /// Clock edges before it was taken.
    pub fn cycle(&self) -> u64 {
        self.cycle
    }

    /// What whoever drives the design has added; nothing at first.
    pub fn harness(&self) -> &[u8] {
        &self.harness
    }

    /// Adds what whoever drives the design must know to go on, in a form of its own.
    pub fn set_harness(&mut self, bytes: Vec<u8>) {
        self.harness = bytes;
    }

    /// Appends the next value in the order of [`States::nodes`].
    pub(crate) fn push(&mut self, words: &[u64]) {
        self.values.extend_from_slice(words);
    }

    /// The values in the order of [`States::nodes`], each with its node.
    pub(crate) fn values<'a>(&'a self, states: &'a States) -> impl Iterator<Item = (u32, u32, &'a [u64])> {
        let mut rest = self.values.as_slice();
        states.nodes.iter().map(move |(node, width)| {
            let (words, others) = rest.split_at(width.div_ceil(64) as usize);
            rest = others;
            (*node, *width, words)
        })
    }

    /// A memory as described at the field.
    pub(crate) fn memory(&self, memory: usize) -> &[u64] {
        &self.memories[memory]
    }

    /// The same, to be filled.
    pub(crate) fn memory_mut(&mut self, memory: usize) -> &mut [u64] {
        &mut self.memories[memory]
    }

    /// A word of a memory of so many bits.
    pub(crate) fn word(&self, memory: usize, width: u32, word: u32) -> Bits {
        let (first, shift) = place(width, word);
        let words = &self.memories[memory][first..];
        if width <= 64 {
            Bits::from_u64(width, words[0] >> shift)
        } else {
            Bits::from_words(width, &words[..width.div_ceil(64) as usize])
        }
    }

    /// Sets a word of a memory that is 0.
    pub(crate) fn set_word(&mut self, memory: usize, width: u32, word: u32, value: &Bits) {
        let (first, shift) = place(width, word);
        let words = &mut self.memories[memory][first..];
        if width <= 64 {
            words[0] |= value.low_u64() << shift;
        } else {
            words[..width.div_ceil(64) as usize].copy_from_slice(&value.to_words());
        }
    }

    /// Whether it is one of a design with states like these, of a cycle that a run gets to, and every value has bits only where its signal has some: compiled code relies
    /// on that.
    pub(crate) fn check(&self, states: &States) -> Result<(), SnapshotError> {
        if self.fingerprint != states.fingerprint {
            return Err(SnapshotError::OtherDesign { top: states.top.clone() });
        }
        let lengths = self.memories.iter().map(Vec::len).eq(states.memories.iter().map(|m| m.words()));
        if self.values.len() != states.value_words || !lengths {
            return Err(SnapshotError::Impossible {
                what: "its lengths are not those of the design".to_string(),
            });
        }
        if self.cycle > MOST_CYCLES {
            return Err(SnapshotError::Impossible {
                what: format!("no run gets to its cycle {}", self.cycle),
            });
        }
        let too_wide = |what: String| SnapshotError::Impossible {
            what: format!("{what} has more bits than it can hold"),
        };
        for (node, width, words) in self.values(states) {
            if words.last().is_some_and(|word| word & !states::last_mask(width) != 0) {
                return Err(too_wide(format!("the value of node {node}")));
            }
        }
        for (memory, words) in states.memories.iter().zip(&self.memories) {
            if !memory.fits(words) {
                return Err(too_wide(format!("a word of the memory {}", memory.path)));
            }
        }
        Ok(())
    }
}
