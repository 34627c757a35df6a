//! What whoever runs a chip knows of the run, besides what the chip's engine knows: the part of a snapshot that is not the hardware's.

use ferrite_sim::SnapshotError;

use super::console::Line;

/// Why a chip cannot go on from a snapshot.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The engine cannot take it.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// It is the state of a chip that nobody ran a program on.
    #[error(
        "the snapshot does not say how far a program was; save the state by `ferrite run` or `Chip::save`"
    )]
    NoRun,
    /// Another program was running.
    #[error("the snapshot was taken while another program ran; give the program that it was taken from")]
    OtherProgram,
}

/// A run from reset to exit, as far as it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RunState {
    /// What tells the program from others; 0 if nobody said.
    pub program: u64,
    /// Cycles since reset, its own among them.
    pub cycles: u64,
    /// Instructions that had retired when it was last looked, and the last such look that had found more than before.
    pub retired: u64,
    pub busy_cycle: u64,
    /// When the program was noticed to ask something of its host, which has not answered yet.
    pub asked: Option<u64>,
    pub line: Line,
}

impl RunState {
    pub fn at_reset(program: u64, cycles_per_bit: u32) -> RunState {
        RunState {
            program,
            cycles: 0,
            retired: 0,
            busy_cycle: 0,
            asked: None,
            line: Line::new(cycles_per_bit),
        }
    }

    /// As words of 64 bits, least significant byte first.
    pub fn to_bytes(&self) -> Vec<u8> {
        let asked = self.asked.map_or(0, |cycle| cycle + 1);
        let own = [self.program, self.cycles, self.retired, self.busy_cycle, asked];
        own.into_iter().chain(self.line.to_words()).flat_map(u64::to_le_bytes).collect()
    }

    /// What [`RunState::to_bytes`] gave; `None` for anything else.
    pub fn from_bytes(bytes: &[u8], cycles_per_bit: u32) -> Option<RunState> {
        let (words, rest) = bytes.as_chunks::<8>();
        let words: Vec<u64> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
        let [program, cycles, retired, busy_cycle, asked, ref line @ ..] = words[..] else { return None };
        let (asked, line) = (asked.checked_sub(1), Line::from_words(line, cycles_per_bit)?);
        let earlier = [busy_cycle, asked.unwrap_or(0), line.quiet];
        let holds = rest.is_empty() && earlier.iter().all(|at| *at <= cycles) && cycles <= i64::MAX as u64;
        holds.then_some(RunState { program, cycles, retired, busy_cycle, asked, line })
    }
}

/// A number by which a program is known again (FNV-1a, 64 bits).
pub(super) fn fingerprint(program: &[u8]) -> u64 {
    program
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CYCLES_PER_BIT: u32 = 5;

    /// In the middle of a frame.
    fn state() -> RunState {
        let mut state = RunState::at_reset(fingerprint(b"program"), CYCLES_PER_BIT);
        state.line.hear(true, 100);
        state.line.hear(false, 13);
        RunState { cycles: 113, retired: 40, busy_cycle: 64, asked: Some(64), ..state }
    }

    #[test]
    fn a_state_is_the_same_after_it_was_bytes() {
        for state in [state(), RunState::at_reset(0, CYCLES_PER_BIT)] {
            assert_eq!(RunState::from_bytes(&state.to_bytes(), CYCLES_PER_BIT), Some(state));
        }
    }

    #[test]
    fn bytes_that_are_no_state_are_refused() {
        let bytes = state().to_bytes();
        for length in 0..bytes.len() {
            assert_eq!(RunState::from_bytes(&bytes[..length], CYCLES_PER_BIT), None, "{length} bytes");
        }
        assert_eq!(RunState::from_bytes(&[&bytes[..], &[0]].concat(), CYCLES_PER_BIT), None);
        // The cycles, and everything of the line but whether something was heard.
        for word in [1, 3, 4, 6, 7, 8, 9] {
            let mut bytes = bytes.clone();
            bytes[8 * word..8 * word + 8].fill(0xFE);
            assert_eq!(RunState::from_bytes(&bytes, CYCLES_PER_BIT), None, "word {word}");
        }
    }
}
