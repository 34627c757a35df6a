//! Values that somebody follows from cycle to cycle, and which of them have changed.

use ferrite_hdl::Bits;
use ferrite_hdl::flat::Flat;

use crate::native::Scan;

/// A value that can be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// A position in [`Flat::signals`].
    Signal(usize),
    /// A word of a memory (a position in [`Flat::memories`]), below its depth.
    Word {
        /// The memory.
        memory: usize,
        /// The word.
        word: u32,
    },
}

impl Probe {
    /// Bits of the value.
    ///
    /// # Panics
    /// If the netlist has no such signal or memory.
    pub fn width(self, flat: &Flat) -> u32 {
        match self {
            Probe::Signal(signal) => flat.nodes[flat.signals[signal].node as usize].width,
            Probe::Word { memory, .. } => flat.memories[memory].width,
        }
    }
}

/// 64 bits of a followed value that have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which 64 bits, among those of all values: [`Probes::first_word`].
    pub word: u32,
    /// What they are now.
    pub value: u64,
}

/// Probes, and what they showed when they were last looked at ([`crate::Simulator::look`]).
///
/// An engine that knows what it has computed anew looks at nothing else, so that following thousands of values costs as much as
/// those of them that move.
pub struct Probes {
    probes: Vec<Probe>,
    /// Where the words of each value begin, and where those of the last end.
    first_words: Vec<u32>,
    /// What was last read, unless the engine keeps that itself.
    last: Vec<Option<Bits>>,
    /// How the native engine finds what has changed, once it was asked.
    pub(crate) scan: Option<Scan>,
}

impl Probes {
    /// Probes of a netlist's values.
    ///
    /// # Panics
    /// If the netlist has no such signal or memory.
    pub fn new(flat: &Flat, probes: &[Probe]) -> Probes {
        let mut first_words = vec![0];
        for probe in probes {
            first_words.push(first_words.last().unwrap_or(&0) + probe.width(flat).div_ceil(64));
        }
        Probes { probes: probes.to_vec(), first_words, last: vec![None; probes.len()], scan: None }
    }

    /// What is followed.
    pub fn probes(&self) -> &[Probe] {
        &self.probes
    }

    /// The number of a value's lowest 64 bits; those above have the next numbers.
    pub fn first_word(&self, probe: usize) -> u32 {
        self.first_words[probe]
    }

    /// Reads every value. `None` is a hidden one.
    pub(crate) fn read_all(
        &mut self,
        changes: &mut Vec<Change>,
        mut read: impl FnMut(Probe) -> Option<Bits>,
    ) {
        for k in 0..self.probes.len() {
            if let Some(value) = read(self.probes[k]) {
                self.update(k, value, changes);
            }
        }
    }

    /// Takes a probe's value, and notes it if it is new.
    pub(crate) fn update(&mut self, probe: usize, value: Bits, changes: &mut Vec<Change>) {
        if self.last[probe].as_ref() != Some(&value) {
            let words = value.to_words().into_iter();
            changes
                .extend((self.first_words[probe]..).zip(words).map(|(word, value)| Change { word, value }));
            self.last[probe] = Some(value);
        }
    }
}
