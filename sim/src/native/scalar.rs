//! Code for a cluster: one value after the other, up to 64 bits in a register, more in several.

use std::collections::{BTreeMap, HashMap, HashSet};

use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{InstBuilder, Value};

use super::arms::{Branch, Branches, EnabledUnit, enabled_unit};
use super::body::Body;
use super::cluster::{Cluster, Sink, needs};
use super::graph::{Id, Op};
use super::layout::Place;
use super::plan::{Plan, Trigger};
use super::scoped::Scoped;
use super::wide::Helpers;

/// After so many instructions a loaded value is loaded again rather than kept in a register, which mostly would be spilled.
const OLD_WHEN_LOADED: usize = 20;

/// The same for a value that was computed and stored.
const OLD_WHEN_STORED: usize = 40;

/// A value in registers.
#[derive(Clone)]
pub(super) enum Held {
    /// Up to 64 bits. If it is not clean, bits above its width may be set.
    Narrow { value: Value, clean: bool },
    /// Words, least significant first; bits above the width are 0.
    Wide(Vec<Value>),
}

/// Computes nodes in a function.
pub(super) struct Scalar<'a, 'f> {
    pub plan: &'a Plan,
    pub body: Body<'f>,
    pub helpers: Helpers,
    /// The block whose function it is.
    block: u32,
    pub held: Scoped<Held>,
    /// For values that are in memory as well: how many instructions there were when they came into a register.
    since: Scoped<usize>,
    /// Nodes of this block that it has stored.
    kept: HashSet<Id>,
    /// Values extended by their sign.
    extended: Scoped<Value>,
    /// Results of comparisons, as the processor gives them.
    pub conditions: Scoped<Value>,
    /// Multiplexers that are branches.
    branches: HashMap<Id, Branch>,
    /// Values that all lanes of a block share, in every lane of a vector.
    pub splats: HashMap<Id, Value>,
}

impl<'a, 'f> Scalar<'a, 'f> {
    pub fn new(plan: &'a Plan, body: Body<'f>, helpers: Helpers, block: u32) -> Scalar<'a, 'f> {
        let (held, since, kept, extended, conditions, branches, splats) = Default::default();
        Scalar { plan, body, helpers, block, held, since, kept, extended, conditions, branches, splats }
    }

    pub fn width(&self, id: Id) -> u32 {
        self.plan.netlist.graph.width(id)
    }

    fn is_own(&self, id: Id) -> bool {
        self.plan.block_of[id as usize] == self.block
    }

    /// All that a cluster does when it is evaluated.
    pub fn cluster(&mut self, cluster: &Cluster) {
        let plan = self.plan;
        let stored: HashSet<Id> = cluster.stored.iter().copied().collect();
        let Branches { multiplexers, units: enabled } = Branches::new(plan, cluster, self.block);
        self.branches = multiplexers;
        // By who reads them: how the stored values and the registers differ from before.
        let mut changes: BTreeMap<&[u32], Value> = BTreeMap::new();
        let mut units: BTreeMap<u32, Value> = BTreeMap::new();
        let others = cluster.sinks.iter().filter(|sink| enabled_unit(plan, **sink).is_none());
        for sink in others {
            for id in needs(&plan.netlist, *sink) {
                self.compute(id, &stored, &mut changes);
            }
            match *sink {
                Sink::Next(k) => self.next(k, &mut units),
                Sink::Write(k) => self.write(k),
                Sink::Fail(k) => {
                    if let Some(id) = plan.netlist.failures[k as usize] {
                        let fails = self.clean(id);
                        self.body.assign(plan.layout.failing, k, fails);
                    }
                }
            }
        }
        for id in &cluster.stored {
            self.compute(*id, &stored, &mut changes);
        }
        for unit in &enabled {
            self.enabled(unit, &stored, &mut changes);
        }
        for (readers, change) in changes {
            let changed = self.body.any(change);
            self.body.raise(plan.layout.active, readers, changed);
        }
        for (unit, change) in units {
            let changed = self.body.any(change);
            self.body.raise(plan.layout.pending, &[plan.layout.unit_bits[unit as usize]], changed);
        }
        self.body.flush();
    }

    /// Computes a node of this block and those below it, and stores what others read.
    fn compute(&mut self, id: Id, stored: &HashSet<Id>, changes: &mut BTreeMap<&'a [u32], Value>) {
        let graph = &self.plan.netlist.graph;
        let mut work = vec![(id, false)];
        while let Some((id, operands_done)) = work.pop() {
            let free = self.plan.partition.free[id as usize];
            if self.is_held(id) || !(self.is_own(id) || free) {
                continue;
            }
            let operands = match self.branches.get(&id) {
                Some(branch) => branch.before.clone(),
                None => graph.op(id).operands(),
            };
            if operands_done || operands.is_empty() || free {
                if !free {
                    match self.branches.remove(&id) {
                        Some(branch) => self.branch(id, &branch, stored, changes),
                        None => self.operation(id),
                    }
                    if stored.contains(&id) {
                        self.keep(id, changes);
                    }
                }
            } else {
                work.push((id, true));
                work.extend(operands.into_iter().rev().map(|operand| (operand, false)));
            }
        }
    }

    /// Computes one arm or the other.
    fn branch(
        &mut self,
        id: Id,
        branch: &Branch,
        stored: &HashSet<Id>,
        changes: &mut BTreeMap<&'a [u32], Value>,
    ) {
        let condition = self.condition(branch.condition);
        let [one, zero, after] = [(); 3].map(|()| self.body.b.create_block());
        let result = self.body.b.append_block_param(after, I64);
        self.body.b.ins().brif(condition, one, &[], zero, &[]);
        let mut is_clean = true;
        for (block, arm) in [one, zero].into_iter().zip(branch.arms) {
            self.body.b.switch_to_block(block);
            self.enter();
            let (value, clean) = match arm {
                None => (self.body.k(0), true),
                Some(arm) => {
                    self.compute(arm, stored, changes);
                    self.raw(arm)
                }
            };
            is_clean &= clean;
            self.body.b.ins().jump(after, &[value.into()]);
            self.leave();
        }
        self.body.b.switch_to_block(after);
        self.hold(id, result, is_clean);
    }

    fn is_held(&self, id: Id) -> bool {
        self.held.contains_key(&id) || self.conditions.contains_key(&id)
    }

    /// Stores a node for others.
    fn keep(&mut self, id: Id, changes: &mut BTreeMap<&'a [u32], Value>) {
        let (plan, place) = (self.plan, self.plan.layout.places[&id]);
        let readers = plan.readers(id);
        let change = self.replace(id, place, place, !readers.is_empty());
        if self.width(id) <= 64 {
            self.kept.insert(id);
            self.note(id);
        }
        if let Some(change) = change {
            let before = changes.get(readers).copied();
            let both = self.body.or_option(before, change);
            changes.insert(readers, both);
        }
    }

    /// Writes a node to one place; tells how it differs from what another holds.
    fn replace(&mut self, id: Id, to: Place, from: Place, compare: bool) -> Option<Value> {
        if self.width(id) <= 64 {
            let value = self.clean(id);
            let change = compare.then(|| {
                let before = self.body.load(from);
                self.body.b.ins().bxor(before, value)
            });
            self.body.store(to, value);
            return change;
        }
        let mut change = None;
        for (k, word) in (0u32..).zip(self.words(id)) {
            if compare {
                let before = self.body.load_as(I64, from.offset + 8 * k);
                let differs = self.body.b.ins().bxor(before, word);
                change = Some(self.body.or_option(change, differs));
            }
            self.body.store_as(word, to.offset + 8 * k);
        }
        change
    }

    fn next(&mut self, k: u32, units: &mut BTreeMap<u32, Value>) {
        let plan = self.plan;
        let (next, unit) = (plan.netlist.states[k as usize].next, plan.unit_of[k as usize]);
        let compared = plan.units[unit as usize].trigger == Trigger::Change;
        let (held, shadow) = self.places_of(k);
        let change = self.replace(next, shadow, held, compared);
        let change = change.unwrap_or_else(|| self.body.k(1));
        let before = units.get(&unit).copied();
        let both = self.body.or_option(before, change);
        units.insert(unit, both);
    }

    /// Where a register's value is, and where what it takes next.
    fn places_of(&self, state: u32) -> (Place, Place) {
        let place = self.plan.layout.places[&self.plan.netlist.states[state as usize].id];
        (place, Place { offset: place.offset + self.plan.layout.shadow, ..place })
    }

    /// What registers take next that have one enable: computed if that is 1. Whether it is something else is found out at the edge.
    fn enabled(
        &mut self,
        enabled: &EnabledUnit,
        stored: &HashSet<Id>,
        changes: &mut BTreeMap<&'a [u32], Value>,
    ) {
        let plan = self.plan;
        enabled.before.iter().for_each(|id| self.compute(*id, stored, changes));
        let mut condition = self.condition(enabled.bits[0]);
        for bit in &enabled.bits[1..] {
            let (any, bit) = (self.body.extended(condition), self.clean(*bit));
            condition = self.body.or(any, bit);
        }
        let [one, after] = [(); 2].map(|()| self.body.b.create_block());
        self.body.b.ins().brif(condition, one, &[], after, &[]);
        self.body.b.switch_to_block(one);
        self.enter();
        for (state, value) in &enabled.values {
            self.compute(*value, stored, changes);
            let (held, shadow) = self.places_of(*state);
            self.replace(*value, shadow, held, false);
        }
        self.leave();
        self.body.b.ins().jump(after, &[]);
        self.body.b.switch_to_block(after);
        let condition = self.body.extended(condition);
        self.body.assign(plan.layout.pending, plan.layout.unit_bits[enabled.unit as usize], condition);
    }

    /// What is computed from here on is computed on this path alone.
    fn enter(&mut self) {
        self.held.enter();
        self.since.enter();
        self.extended.enter();
        self.conditions.enter();
    }

    fn leave(&mut self) {
        self.held.leave();
        self.since.leave();
        self.extended.leave();
        self.conditions.leave();
    }

    fn write(&mut self, memory: u32) {
        let plan = self.plan;
        let place = &plan.layout.memories[memory as usize];
        let mut enabled = None;
        for (write, places) in plan.netlist.writes[memory as usize].iter().zip(&place.ports) {
            let enable = self.clean(write.enable);
            self.body.store(places.enable, enable);
            enabled = Some(self.body.or_option(enabled, enable));
            let mut operands = vec![(write.addr, places.addr), (write.data, places.data)];
            operands.extend(write.mask.zip(places.mask));
            for (id, place) in operands {
                self.replace(id, place, place, false);
            }
        }
        if let Some(enabled) = enabled {
            self.body.raise(plan.layout.pending, &[place.pending], enabled);
        }
    }

    /// A value of up to 64 bits; unless the second result is true, anything may stand above its width.
    pub fn raw(&mut self, id: Id) -> (Value, bool) {
        match self.value(id) {
            Held::Narrow { value, clean } => (value, clean),
            Held::Wide(words) => (words[0], true),
        }
    }

    /// A value of up to 64 bits, extended by zeros.
    pub fn clean(&mut self, id: Id) -> Value {
        match self.value(id) {
            Held::Narrow { value, clean: true } => value,
            Held::Wide(words) => words[0],
            Held::Narrow { value, .. } => {
                let value = self.body.masked(value, self.width(id));
                self.hold(id, value, true);
                value
            }
        }
    }

    /// A value of up to 64 bits, extended by its sign.
    pub fn signed(&mut self, id: Id) -> Value {
        if let Some(value) = self.extended.get(&id) {
            return *value;
        }
        let (raw, _) = self.raw(id);
        let value = self.body.sign_extended(raw, self.width(id));
        self.extended.insert(id, value);
        value
    }

    /// The words of a value of any width.
    pub fn words(&mut self, id: Id) -> Vec<Value> {
        match self.value(id) {
            Held::Wide(words) => words,
            Held::Narrow { .. } => vec![self.clean(id)],
        }
    }

    /// Something that is 0 just if a one-bit value is.
    pub fn condition(&mut self, id: Id) -> Value {
        match self.conditions.get(&id) {
            Some(condition) => *condition,
            None => self.clean(id),
        }
    }

    pub fn hold(&mut self, id: Id, value: Value, clean: bool) {
        let clean = clean || self.width(id) == 64;
        self.held.insert(id, Held::Narrow { value, clean });
    }

    pub fn value(&mut self, id: Id) -> Held {
        if let Some(held) = self.held.get(&id)
            && !self.is_old(id)
        {
            return held.clone();
        }
        if self.kept.contains(&id) {
            let value = self.body.load(self.plan.layout.places[&id]);
            self.hold(id, value, true);
            self.note(id);
        } else if let Some(condition) = self.conditions.get(&id) {
            let value = self.body.b.ins().uextend(I64, *condition);
            self.hold(id, value, true);
        } else if let Op::Const(words) = self.plan.netlist.graph.op(id) {
            // Not held: a constant costs less than a register.
            return match words[..] {
                [word] => Held::Narrow { value: self.body.k(word), clean: true },
                _ => Held::Wide(words.iter().map(|word| self.body.k(*word)).collect()),
            };
        } else if let Some(place) = self.place(id) {
            let held = match self.width(id) {
                0..=64 => Held::Narrow { value: self.body.load(place), clean: true },
                _ => Held::Wide(self.body.load_words(place)),
            };
            self.held.insert(id, held);
            self.note(id);
        } else {
            self.operation(id);
            return self.value(id);
        }
        match self.held.get(&id) {
            Some(held) => held.clone(),
            None => unreachable!("it was held just now"),
        }
    }

    /// A value that is in memory has come into a register.
    fn note(&mut self, id: Id) {
        if self.width(id) <= 64 {
            self.since.insert(id, self.body.b.func.dfg.num_insts());
        }
    }

    /// A value is in memory, and so long in a register that it is better loaded again than kept.
    fn is_old(&self, id: Id) -> bool {
        let limit = if self.kept.contains(&id) { OLD_WHEN_STORED } else { OLD_WHEN_LOADED };
        self.since.get(&id).is_some_and(|since| self.body.b.func.dfg.num_insts() - since > limit)
    }

    /// Where a node that this block does not compute is in memory.
    pub fn place(&self, id: Id) -> Option<Place> {
        if self.is_own(id) { None } else { self.plan.layout.places.get(&id).copied() }
    }
}
