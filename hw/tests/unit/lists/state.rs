//! Memories of the unit and behind it.

use ferrite_model::unit::{Sizes, Unit};

use crate::random::Random;

/// Bytes of external memory.
pub const MEMORY_BYTES: u32 = 32 << 10;
/// Tiles whose parameters stand at the beginning of external memory.
pub const PARAMETER_TILES: u32 = 4;

/// What stands in all memories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub external: Vec<u8>,
    pub scratchpad: Vec<u8>,
    pub accumulators: Vec<i32>,
}

impl State {
    /// Random bytes; at the beginning of external memory parameters by which most sums become outputs between the clamps.
    pub fn random(sizes: &Sizes, random: &mut Random) -> State {
        let mut bytes = |count: u32| -> Vec<u8> { (0..count).map(|_| random.word() as u8).collect() };
        let (mut external, scratchpad) = (bytes(MEMORY_BYTES), bytes(sizes.scratchpad_bytes));
        let [cols, all] = [sizes.cols as usize, sizes.parameter_bytes() as usize];
        let group = (all - sizes.word_bytes() as usize) / 2;
        for tile in external.chunks_mut(all).take(PARAMETER_TILES as usize) {
            for n in 0..cols {
                let bias = (random.word() as i32) >> (8 + random.below(24));
                let multiplier = random.word() >> 1 | 1 << 30;
                let shift = if random.eighths(7) { 36 + random.below(8) } else { random.word() };
                tile[4 * n..][..4].copy_from_slice(&bias.to_le_bytes());
                tile[group + 4 * n..][..4].copy_from_slice(&multiplier.to_le_bytes());
                tile[2 * group + n] = shift as u8;
            }
        }
        let sums = sizes.accumulator_rows * sizes.cols;
        let accumulators = (0..sums).map(|_| (random.word() as i32) >> random.below(32)).collect();
        State { external, scratchpad, accumulators }
    }

    /// A unit of the model in this state.
    pub fn unit(&self, sizes: Sizes, most_work: u64) -> Unit {
        let mut unit = Unit::new(sizes, most_work).unwrap();
        unit.scratchpad.clone_from(&self.scratchpad);
        unit.accumulators.clone_from(&self.accumulators);
        unit
    }

    /// The first difference, in words.
    pub fn difference(&self, expected: &State) -> Option<String> {
        let differs =
            |name: &str, at: Option<(usize, String)>| at.map(|(k, what)| format!("{name} {k}: {what}"));
        differs("byte of external memory", first(&self.external, &expected.external))
            .or_else(|| differs("byte of the scratchpad", first(&self.scratchpad, &expected.scratchpad)))
            .or_else(|| differs("accumulator", first(&self.accumulators, &expected.accumulators)))
    }
}

fn first<T: PartialEq + std::fmt::Display>(found: &[T], expected: &[T]) -> Option<(usize, String)> {
    let at = found.iter().zip(expected).position(|(found, expected)| found != expected)?;
    let count = found.iter().zip(expected).filter(|(found, expected)| found != expected).count();
    Some((at, format!("{}, not {}; {count} differ", found[at], expected[at])))
}
