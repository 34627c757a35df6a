//! Taking the state out of the buffer, and going on from one that is put into it.

use ferrite_hdl::Bits;

use super::layout::Place;
use super::{Native, Source, raise};
use crate::snapshot::{Snapshot, SnapshotError};

impl Native {
    pub(super) fn save_state(&self) -> Snapshot {
        let states = self.states.of(&self.flat);
        let mut snapshot = Snapshot::zero(&states, self.cycle);
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
        let states = self.states.of(&self.flat);
        snapshot.check(&states)?;
        for (node, width, words) in snapshot.values(&states) {
            // All of them are in memory.
            let Source::Place(Place { offset, bytes }) = self.sources[node as usize] else { continue };
            self.write(offset.into(), bytes, &Bits::from_words(width, words));
        }
        for (k, memory) in self.memories.iter().enumerate() {
            for (word, offset) in snapshot.memory(k).iter().zip((memory.offset..).step_by(8)) {
                *self.code.word_mut(offset) = *word;
            }
        }
        // Evaluating everything finds anew what registers take at the next edge and which memories are written. What is still pending from
        // the state that is gone does no harm: a register takes what was found now, and a memory looks at its enables.
        raise(&mut self.code, &self.blocks);
        self.stale = true;
        self.scanned = 0;
        self.cycle = snapshot.cycle();
        Ok(())
    }
}
