//! What programs have exercised, and what not.
//!
//! A [`Group`] is a list of things that can happen to this core, each with the number of times that it has. What has not happened is a hole,
//! and has a name.

mod branches;
mod csrs;
mod hazards;
mod layout;
mod operands;
mod system;
mod traps;

use ferrite_model::isa::{Inst, Reg};
use ferrite_model::iss::{Iss, Privilege, Retired};

use super::Traits;
use super::board::Board;

/// Things of one kind that can happen.
#[derive(Clone, Debug)]
pub struct Group {
    /// Their kind.
    pub title: &'static str,
    /// Their names; `None` for what this core cannot do.
    names: Vec<Option<String>>,
    counts: Vec<u64>,
}

impl Group {
    fn new(title: &'static str, names: Vec<Option<String>>) -> Group {
        let counts = vec![0; names.len()];
        Group { title, names, counts }
    }

    fn hit(&mut self, place: usize) {
        self.counts[place] += 1;
    }

    fn hit_if(&mut self, place: usize, happened: bool) {
        self.counts[place] += u64::from(happened);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.names.iter().flatten().count()
    }

    /// Whether this core has none of them.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Those that have not happened.
    pub fn holes(&self) -> impl Iterator<Item = &str> {
        let missing = self.names.iter().zip(&self.counts).filter(|(_, count)| **count == 0);
        missing.filter_map(|(name, _)| name.as_deref())
    }

    /// The names of all, and how often each has happened.
    pub fn counts(&self) -> impl Iterator<Item = (&str, u64)> {
        self.names.iter().zip(&self.counts).filter_map(|(name, count)| Some((name.as_deref()?, *count)))
    }
}

/// An instruction that has retired, and what is known about it.
pub struct Observation<'a> {
    /// What the model says.
    pub retired: &'a Retired,
    /// The mode before it, and before the interrupt that was taken before it.
    pub mode: Privilege,
    /// Cycles since the instruction before, if memory and coprocessor always answer at once.
    pub gap: Option<u64>,
    /// The model after it.
    pub iss: &'a Iss<Board>,
}

/// The instructions before an observation, newest first.
#[derive(Clone, Debug, Default)]
struct Past {
    instructions: [Option<Passed>; 3],
}

/// An instruction that has retired.
#[derive(Clone, Copy, Debug)]
struct Passed {
    inst: Inst,
    rd: Option<Reg>,
    bytes: u32,
    /// Address of the next instruction.
    next_pc: u32,
    pc: u32,
}

impl Past {
    fn last(&self) -> Option<Passed> {
        self.instructions[0]
    }

    fn push(&mut self, retired: &Retired) {
        self.instructions.rotate_right(1);
        self.instructions[0] = retired.inst.filter(|_| retired.trap.is_none()).map(|inst| Passed {
            inst,
            rd: retired.rd.map(|(reg, _)| reg),
            bytes: bytes(retired),
            next_pc: retired.next_pc,
            pc: retired.pc,
        });
    }
}

fn bytes(retired: &Retired) -> u32 {
    if retired.word & 3 == 3 { 4 } else { 2 }
}

/// What this core has been seen to do.
#[derive(Clone, Debug)]
pub struct Coverage {
    groups: Vec<Group>,
    observers: Vec<Observer>,
    past: Past,
    traits: Traits,
}

type Observer = fn(&mut Group, &Traits, &Past, &Observation<'_>);

impl Coverage {
    /// Nothing yet.
    pub fn new(traits: &Traits) -> Coverage {
        let parts: [(Group, Observer); 13] = [
            (operands::instructions(traits), operands::observe_instruction),
            (operands::compressed(traits), operands::observe_compressed),
            (operands::operands(traits), operands::observe_operands),
            (operands::pairs(traits), operands::observe_pair),
            (hazards::hazards(traits), hazards::observe),
            (branches::outcomes(traits), branches::observe_outcome),
            (branches::timing(traits), branches::observe_timing),
            (layout::instructions(traits), layout::observe_instruction),
            (layout::accesses(traits), layout::observe_access),
            (traps::exceptions(traits), traps::observe_exception),
            (traps::interrupts(traits), traps::observe_interrupt),
            (csrs::accesses(traits), csrs::observe),
            (system::protection(traits), system::observe_protection),
        ];
        let (groups, observers) = parts.into_iter().unzip();
        Coverage { groups, observers, past: Past::default(), traits: traits.clone() }
    }

    /// A program begins.
    pub fn begin(&mut self) {
        self.past = Past::default();
    }

    /// An instruction has retired.
    pub fn observe(&mut self, observation: &Observation<'_>) {
        for (group, observe) in self.groups.iter_mut().zip(&self.observers) {
            observe(group, &self.traits, &self.past, observation);
        }
        self.past.push(observation.retired);
    }

    /// Adds what was seen elsewhere, of the same core.
    pub fn add(&mut self, other: &Coverage) {
        for (own, others) in self.groups.iter_mut().zip(&other.groups) {
            for (count, more) in own.counts.iter_mut().zip(&others.counts) {
                *count += more;
            }
        }
    }

    /// All groups that are not empty.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(|group| !group.is_empty())
    }
}
