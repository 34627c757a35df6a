//! Every kind of access around every edge of regions that physical memory protection allows and denies, on the golden model and on the chip.
//!
//! What must happen is said by [`region`] and [`trial`], from the specification and from nothing else.

pub mod program;
pub mod region;
pub mod settings;
pub mod trial;

use std::collections::BTreeSet;

use ferrite_gen::run::{Chip, Watch, golden};
use ferrite_hw::config::ChipConfig;
use ferrite_hw::core::Misaligned;
use ferrite_hw::map::RAM_BASE;
use ferrite_model::iss::Exit;

use crate::bench::{LIMITS, small_chip};
use program::Left;
use region::Entry;
use settings::Setting;
use trial::{Access, Expected, Mode, Outcome, Trial};

/// Where the RAM begins.
pub const RAM: u32 = RAM_BASE;
/// The bytes of it that are tried.
pub const MEMORY_BYTES: usize = 64 << 10;
/// So far from an edge is tried.
const REACH: u64 = 8;
/// Of the RAM's first bytes, which lead to the program, nothing is executed otherwise.
const BOOT_BYTES: u32 = 16;

/// Exceptions from this code on are those of `ecall`, with which a trial ends that was allowed.
pub const ECALLS: u32 = 8;

/// An instruction that does nothing.
pub const NOP: u32 = 0x0000_0013;
/// An instruction that ends a trial.
pub const ECALL: u32 = 0x0000_0073;

/// What harts differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hart {
    /// Entries of the PMP.
    pub regions: usize,
    /// Instructions of 16 bits.
    pub compressed: bool,
    /// A misaligned load or store is no exception.
    pub handles_misaligned: bool,
}

impl Hart {
    /// A chip with such a hart, and nothing that is not needed.
    pub fn chip(&self) -> ChipConfig {
        let mut chip = ChipConfig { tensor: None, ..small_chip() };
        chip.core.pmp_regions = self.regions as u32;
        chip.core.extensions.c = self.compressed;
        chip.core.misaligned = if self.handles_misaligned { Misaligned::Handle } else { Misaligned::Trap };
        chip.soc.ram_bytes = program::RAM_BYTES;
        chip
    }
}

/// What is tried with a setting, and how it must end.
pub struct Plan {
    /// The setting's name.
    pub name: String,
    /// What is tried, in this order.
    pub trials: Vec<Trial>,
    /// The RAM's first bytes at the beginning.
    pub memory: Vec<u8>,
    /// What must be left.
    pub expected: Left,
}

/// Addresses around the edges of regions, as far as they lie in the memory that is tried, or just before it. Edges above all addresses of 32 bits
/// count where they would be without their upper bits: there they must do nothing.
fn addresses(entries: &[Entry]) -> Vec<u32> {
    let start = u64::from(RAM);
    let edges = entries.iter().flat_map(|entry| [entry.range.start, entry.range.end]);
    let near = edges
        .map(|edge| edge % (1 << 32))
        .filter(|edge| (start..start + MEMORY_BYTES as u64 - 2 * REACH).contains(edge));
    let around: BTreeSet<u64> = near.flat_map(|edge| edge - REACH..=edge + REACH).collect();
    around.into_iter().map(|address| address as u32).collect()
}

impl Plan {
    /// Everything around every edge.
    pub fn new(hart: &Hart, setting: &Setting) -> Plan {
        region::check(&setting.entries);
        assert!(setting.entries.len() <= hart.regions, "{}", setting.name);
        let mut memory = setting.fill.memory();
        let boot = program::boot();
        memory[..boot.len()].copy_from_slice(&boot);

        let addresses = addresses(&setting.entries);
        let mut trials = Vec::new();
        let mut number = 0u32;
        let mut add = |access, address, mode| {
            number += 1;
            // Any number whose bytes are seldom the same.
            let data = number.wrapping_mul(0x9E37_79B1).rotate_left(number % 32);
            trials.push(Trial { access, address, mode, data });
        };
        // Jumps come first, as stores change what stands in memory.
        for address in &addresses {
            let boots = (RAM..RAM + BOOT_BYTES).contains(address);
            Mode::ALL.iter().filter(|_| !boots).for_each(|mode| add(Access::Jump, *address, *mode));
        }
        for address in &addresses {
            for access in Access::ALL.into_iter().filter(|access| *access != Access::Jump) {
                Mode::ALL.into_iter().for_each(|mode| add(access, *address, mode));
            }
        }

        let mut expected = Expected { entries: &setting.entries, hart, memory: memory.clone() };
        let mut outcomes: Vec<Outcome> = trials.iter().map(|trial| expected.take(trial)).collect();
        // Stores that must change nothing once more, after all others: these cannot hide a change.
        let denied = |(trial, outcome): &(&Trial, &Outcome)| {
            matches!(trial.access, Access::Store { .. }) && outcome.cause < ECALLS
        };
        let stores: Vec<Trial> =
            trials.iter().zip(&outcomes).filter(denied).map(|(trial, _)| *trial).collect();
        for trial in stores {
            let again = Trial { data: !trial.data, ..trial };
            let before = expected.memory.clone();
            let outcome = expected.take(&again);
            if expected.memory == before {
                trials.push(again);
                outcomes.push(outcome);
            }
            // Of a store across an edge a part may have been done: it is left out.
            expected.memory = before;
        }
        let left = Left { outcomes, memory: expected.memory };
        Plan { name: setting.name.clone(), trials, memory, expected: left }
    }

    /// The first difference between what is left and what must be.
    pub fn judge(&self, left: &Left) -> Result<(), String> {
        for (k, trial) in self.trials.iter().enumerate() {
            let (found, expected) = (left.outcomes[k], self.expected.outcomes[k]);
            if found != expected {
                return Err(format!("{}: {trial:x?} ends with {found:x?}; must be {expected:x?}", self.name));
            }
        }
        match left.memory.iter().zip(&self.expected.memory).position(|(found, expected)| found != expected) {
            None => Ok(()),
            Some(k) => Err(format!(
                "{}: the byte at {:#x} is {:#04x} in the end; must be {:#04x}",
                self.name,
                RAM as usize + k,
                left.memory[k],
                self.expected.memory[k]
            )),
        }
    }
}

/// Tries a plan on the golden model, with memory protected by these entries.
///
/// # Panics
/// If the program does not end.
pub fn on_model(chip: &ChipConfig, entries: &[Entry], plan: &Plan) -> Left {
    let mut iss = golden(chip);
    for (address, bytes) in program::image(entries, &plan.trials, &plan.memory) {
        iss.bus.write_memory(address, &bytes).expect("the program fits the RAM");
    }
    assert_eq!(iss.run(LIMITS.max_cycles), Exit::Code(0), "{} on the model", plan.name);
    program::left(plan.trials.len(), |address, bytes| {
        iss.bus.read_memory(address, bytes).expect("in the RAM").to_vec()
    })
}

/// The same on a chip.
///
/// # Panics
/// If the program does not end.
pub fn on_chip(chip: &mut Chip, entries: &[Entry], plan: &Plan) -> Left {
    for (address, bytes) in program::image(entries, &plan.trials, &plan.memory) {
        chip.write(address, &bytes).expect("the program fits the RAM");
    }
    let ended = chip.run(&LIMITS, &mut Watch::default());
    let ended = ended.unwrap_or_else(|error| panic!("{} on the chip: {error}", plan.name));
    assert_eq!(ended.exit_code, 0, "{} on the chip", plan.name);
    program::left(plan.trials.len(), |address, bytes| chip.read(address, bytes).expect("in the RAM"))
}
