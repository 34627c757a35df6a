//! Which instructions of a program cost the most cycles besides their own.

use std::collections::BTreeMap;

use ferrite_model::isa;

use crate::stalls::{Cause, Cycle};

/// An instruction of a program, and what it cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spot {
    /// How often it retired.
    pub times: u64,
    /// The instruction, as it was fetched.
    pub insn: u32,
    stalls: [u64; Cause::ALL.len()],
}

impl Spot {
    /// The cycles lost to it for this reason.
    pub fn stalled(&self, cause: Cause) -> u64 {
        self.stalls[cause as usize]
    }

    /// All cycles lost to it.
    pub fn lost(&self) -> u64 {
        self.stalls.iter().sum()
    }
}

/// Counts cycles by the address of the instruction to which they are due: those of a branch by the branch, others by the instruction that
/// waited.
#[derive(Clone, Debug, Default)]
pub struct Hotspots {
    spots: BTreeMap<u32, Spot>,
    last: Option<u32>,
    waiting: [u64; Cause::ALL.len()],
}

impl Hotspots {
    /// Counts a cycle; for [`profile_each`](crate::stalls::profile_each).
    pub fn count(&mut self, cycle: Cycle) {
        match (cycle, self.last) {
            (Cycle::Stalls(Cause::Branch), Some(branch)) => {
                self.spots.entry(branch).or_default().stalls[Cause::Branch as usize] += 1;
            }
            (Cycle::Stalls(cause), _) => self.waiting[cause as usize] += 1,
            (Cycle::Retires { pc, insn }, _) => {
                let spot = self.spots.entry(pc).or_default();
                spot.times += 1;
                spot.insn = insn;
                for (cycles, waited) in spot.stalls.iter_mut().zip(std::mem::take(&mut self.waiting)) {
                    *cycles += waited;
                }
                self.last = Some(pc);
            }
        }
    }

    /// The instructions to which most cycles were lost, with their addresses, the worst first.
    pub fn worst(&self, count: usize) -> Vec<(u32, Spot)> {
        let mut spots: Vec<_> = self.spots.iter().map(|(pc, spot)| (*pc, *spot)).collect();
        spots.retain(|(_, spot)| spot.lost() > 0);
        spots.sort_by_key(|(pc, spot)| (std::cmp::Reverse(spot.lost()), *pc));
        spots.truncate(count);
        spots
    }
}

/// A table of the worst instructions, with the function of each as `symbols` name it.
pub fn table(worst: &[(u32, Spot)], symbols: &BTreeMap<String, u32>) -> String {
    let mut text =
        "| address | in | instruction | times | cycles lost | of these |\n|---|---|---|---|---|---|\n"
            .to_string();
    for (pc, spot) in worst {
        let below = symbols.iter().filter(|(_, at)| *at <= pc).max_by_key(|(_, at)| **at);
        let place = below.map_or(String::new(), |(name, at)| format!("{name}+{:#x}", pc - at));
        let insn =
            isa::disassemble(spot.insn, Some(*pc)).unwrap_or_else(|| format!(".word {:#010x}", spot.insn));
        let causes: Vec<String> = Cause::ALL
            .into_iter()
            .filter(|cause| spot.stalled(*cause) > 0)
            .map(|cause| format!("{} {}", cause.name(), spot.stalled(cause)))
            .collect();
        text += &format!(
            "| {pc:08x} | {place} | `{insn}` | {} | {} | {} |\n",
            spot.times,
            spot.lost(),
            causes.join(", ")
        );
    }
    text
}
