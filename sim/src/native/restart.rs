//! Taking the state out of the buffer, and going on from one that is put into it.

use std::ops::Range;

use ferrite_hdl::Bits;
use ferrite_hdl::flat::FlatOp;

use super::layout::Place;
use super::plan::Plan;
use super::{Native, Source, WordBits, raise, word_bits};
use crate::snapshot::{Snapshot, SnapshotError, States};

/// What must be put right when the state changes from outside.
pub(super) struct Restart {
    /// From what a register holds to what it takes next, in bytes.
    shadow: u64,
    /// All blocks, to be activated.
    blocks: Vec<WordBits>,
    /// The offsets of the words that say what changes at the next edge.
    pending: Range<u64>,
}

impl Restart {
    pub fn new(plan: &Plan) -> Restart {
        let all: Vec<u32> = (0..plan.blocks.len() as u32).collect();
        let layout = &plan.layout;
        let bits = layout.memories.iter().map(|memory| &memory.pending).chain(&layout.unit_bits);
        let words = bits.max().map_or(0, |last| last / 64 + 1);
        let pending = u64::from(layout.pending.offset);
        Restart {
            shadow: layout.shadow.into(),
            blocks: word_bits(layout.active, &all),
            pending: pending..pending + 8 * u64::from(words),
        }
    }
}

impl Native {
    fn states(&self) -> &States {
        self.states.get_or_init(|| States::of(&self.flat))
    }

    pub(super) fn save_state(&self) -> Snapshot {
        let states = self.states();
        let mut snapshot = Snapshot::zero(states, self.cycle);
        for (node, width) in &states.nodes {
            match self.sources[*node as usize] {
                Source::Place(Place { offset, bytes }) if bytes <= 8 => {
                    let offset = u64::from(offset);
                    let word = self.code.word(offset & !7) >> (8 * (offset % 8));
                    snapshot.push(&[word & u64::MAX >> (64 - width)]);
                }
                _ => snapshot.push(&self.node(*node).to_words()),
            }
        }
        for (k, memory) in self.memories.iter().enumerate() {
            let words = snapshot.memory_mut(k);
            for (word, offset) in words.iter_mut().zip((memory.offset..).step_by(8)) {
                *word = self.code.word(offset);
            }
        }
        snapshot
    }

    pub(super) fn restore_state(&mut self, snapshot: &Snapshot) -> Result<(), SnapshotError> {
        self.states();
        let Some(states) = self.states.take() else { return Ok(()) };
        let checked = snapshot.check(&states);
        if checked.is_ok() {
            for (node, width, words) in snapshot.values(&states) {
                // All of them are in memory.
                let Source::Place(Place { offset, bytes }) = self.sources[node as usize] else { continue };
                let value = Bits::from_words(width, words);
                self.write(offset.into(), bytes, &value);
                if !matches!(self.flat.nodes[node as usize].op, FlatOp::Input) {
                    self.write(u64::from(offset) + self.restart.shadow, bytes, &value);
                }
            }
        }
        let _ = self.states.set(states);
        checked?;
        for (k, memory) in self.memories.iter().enumerate() {
            for (word, offset) in snapshot.memory(k).iter().zip((memory.offset..).step_by(8)) {
                *self.code.word_mut(offset) = *word;
            }
        }
        // What was to change at the next edge belongs to the state that is gone; evaluating everything finds what is to change now.
        for offset in self.restart.pending.clone().step_by(8) {
            *self.code.word_mut(offset) = 0;
        }
        raise(&mut self.code, &self.restart.blocks);
        self.stale = true;
        self.scanned = 0;
        self.cycle = snapshot.cycle();
        Ok(())
    }
}
