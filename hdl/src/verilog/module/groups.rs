//! Which signals share an `always @*` block.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::Writer;
use crate::ir::{NodeId, Op, SignalId, SignalKind, Stmt};
use crate::verilog::drive::Drive;

/// The signals of a block, and the statements of the module's body that set them.
#[derive(Default)]
pub(super) struct Group {
    pub targets: Vec<SignalId>,
    pub places: BTreeSet<usize>,
}

/// The statements of the body that set each signal, by their positions.
#[derive(Default)]
struct Places {
    all: HashMap<SignalId, Vec<usize>>,
    /// Those under conditions.
    conditional: HashMap<SignalId, Vec<usize>>,
}

impl Places {
    fn add(&mut self, stmt: &Stmt, at: usize, is_outermost: bool) {
        match stmt {
            Stmt::Set { target, .. } => {
                note(self.all.entry(*target).or_default(), at);
                if !is_outermost {
                    note(self.conditional.entry(*target).or_default(), at);
                }
            }
            Stmt::If { branches, otherwise, .. } => {
                let bodies = branches.iter().map(|branch| &branch.1).chain(otherwise);
                bodies.flatten().for_each(|stmt| self.add(stmt, at, false));
            }
            Stmt::Switch { cases, default, .. } => {
                let bodies = cases.iter().map(|case| &case.1).chain(default);
                bodies.flatten().for_each(|stmt| self.add(stmt, at, false));
            }
            _ => {}
        }
    }
}

/// The body is walked in order, so that a place seen before is the last one.
fn note(places: &mut Vec<usize>, at: usize) {
    if places.last() != Some(&at) {
        places.push(at);
    }
}

impl Writer<'_> {
    /// Signals that are set in the same conditional statements share a block, if none of them depends on another.
    pub(super) fn groups(&self) -> Vec<Group> {
        let mut places = Places::default();
        for (at, stmt) in self.module.body.iter().enumerate() {
            places.add(stmt, at, true);
        }
        let inputs = self.inputs_of_instances();
        let mut reach: HashMap<SignalId, HashSet<SignalId>> = HashMap::new();
        let mut groups: Vec<Group> = Vec::new();
        // The groups that have something in each statement.
        let mut at_place: HashMap<usize, BTreeSet<usize>> = HashMap::new();
        for k in 0..self.module.signals.len() {
            let id = SignalId(k as u32);
            if self.drives[k] != Drive::Block || !self.is_variable(id) {
                continue;
            }
            let conditional = places.conditional.get(&id).map_or(&[][..], Vec::as_slice);
            let candidates: BTreeSet<usize> =
                conditional.iter().filter_map(|place| at_place.get(place)).flatten().copied().collect();
            let fitting = candidates.into_iter().find(|group| {
                for signal in groups[*group].targets.iter().copied().chain([id]) {
                    reach.entry(signal).or_insert_with(|| self.reach(signal, &inputs));
                }
                let independent =
                    |other: &SignalId| !reach[&id].contains(other) && !reach[other].contains(&id);
                !reach[&id].contains(&id) && groups[*group].targets.iter().all(independent)
            });
            let group = fitting.unwrap_or_else(|| {
                groups.push(Group::default());
                groups.len() - 1
            });
            groups[group].targets.push(id);
            groups[group].places.extend(places.all.get(&id).into_iter().flatten());
            for place in conditional {
                at_place.entry(*place).or_default().insert(group);
            }
        }
        groups
    }

    fn inputs_of_instances(&self) -> Vec<Vec<SignalId>> {
        let mut inputs = vec![Vec::new(); self.module.instances.len()];
        for (k, signal) in self.module.signals.iter().enumerate() {
            if let SignalKind::ToInstance(instance) = signal.kind {
                inputs[instance.index()].push(SignalId(k as u32));
            }
        }
        inputs
    }

    /// The signals that a signal depends on without a register between; through an instance on all of its inputs.
    fn reach(&self, id: SignalId, inputs: &[Vec<SignalId>]) -> HashSet<SignalId> {
        let drivers = |id: SignalId| self.lowered.drivers[id.index()].iter().map(|driver| driver.node);
        let mut found = HashSet::new();
        let mut work: Vec<NodeId> = drivers(id).collect();
        let mut seen = HashSet::new();
        while let Some(node) = work.pop() {
            if !seen.insert(node) {
                continue;
            }
            let Op::Read(signal) = self.lowered.nodes[node.index()].op else {
                work.extend(self.lowered.nodes[node.index()].op.operands());
                continue;
            };
            if !found.insert(signal) {
                continue;
            }
            match self.module.signal(signal).kind {
                SignalKind::Wire { .. } | SignalKind::ToInstance(_) => work.extend(drivers(signal)),
                SignalKind::FromInstance(instance) => {
                    for input in &inputs[instance.index()] {
                        if found.insert(*input) {
                            work.extend(drivers(*input));
                        }
                    }
                }
                SignalKind::MemoryRead(memory, port) => {
                    work.extend(self.module.memories[memory.index()].reads[port].async_addr);
                }
                SignalKind::Reg { .. } | SignalKind::Input => {}
            }
        }
        found
    }
}
