//! The interpreter: slow, direct, and the meaning of the HDL by which other engines are judged.

use ferrite_hdl::eval::eval;
use ferrite_hdl::flat::{Flat, FlatOp};
use ferrite_hdl::ir::CheckKind;
use ferrite_hdl::{Bits, Design};

use crate::engine::{Simulator, StepError};
use crate::snapshot::{KeptStates, Snapshot, SnapshotError};

/// Runs a design node by node.
pub struct Interpreter {
    flat: Flat,
    values: Vec<Bits>,
    memories: Vec<Vec<Bits>>,
    stale: bool,
    cycle: u64,
    covered: Vec<u64>,
    states: KeptStates,
}

impl Interpreter {
    /// A design at power-up: registers at their initial values, inputs 0.
    pub fn new(design: &Design) -> Interpreter {
        let flat = design.flat.clone();
        let mut values: Vec<Bits> = flat.nodes.iter().map(|n| Bits::zero(n.width)).collect();
        for reg in &flat.regs {
            values[reg.state as usize] = reg.init.clone();
        }
        let memories = flat.memories.iter().map(|m| {
            let mut words = m.init.clone();
            words.resize(m.depth as usize, Bits::zero(m.width));
            words
        });
        let (memories, covered) = (memories.collect(), vec![0; flat.checks.len()]);
        Interpreter { flat, values, memories, stale: true, cycle: 0, covered, states: KeptStates::default() }
    }

    /// For every property of the netlist, the clock edges at which a `cover` held.
    pub fn covered(&self) -> &[u64] {
        &self.covered
    }

    fn settle(&mut self) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        for k in 0..self.flat.nodes.len() {
            let node = &self.flat.nodes[k];
            self.values[k] = match &node.op {
                FlatOp::Input | FlatOp::State => continue,
                FlatOp::Compute(op) => eval(op, node.width, node.signed, |n| {
                    (&self.values[n as usize], self.flat.nodes[n as usize].signed)
                }),
                FlatOp::MemoryRead { memory, addr } => {
                    self.memories[*memory][self.values[*addr as usize].low_u64() as usize].clone()
                }
            };
        }
    }

    fn is_set(&self, enable: Option<u32>) -> bool {
        enable.is_none_or(|n| self.values[n as usize].is_nonzero())
    }

    fn check(&mut self, clocks: &[usize]) -> Result<(), StepError> {
        for k in 0..self.flat.checks.len() {
            let check = &self.flat.checks[k];
            if !clocks.contains(&check.clock) || !self.is_set(check.enable) {
                continue;
            }
            let holds = self.values[check.cond as usize].is_nonzero();
            match check.kind {
                CheckKind::Cover => self.covered[k] += holds as u64,
                CheckKind::Assert | CheckKind::Assume if !holds => {
                    return Err(StepError::check(check, self.cycle));
                }
                CheckKind::Assert | CheckKind::Assume => {}
            }
        }
        Ok(())
    }
}

impl Simulator for Interpreter {
    fn flat(&self) -> &Flat {
        &self.flat
    }

    fn poke(&mut self, input: usize, value: &Bits) {
        let port = &self.flat.inputs[input];
        self.values[port.node as usize] = value.resize(port.shape.width, false);
        self.stale = true;
    }

    fn peek(&mut self, output: usize) -> Bits {
        self.settle();
        self.values[self.flat.outputs[output].node as usize].clone()
    }

    fn peek_signal(&mut self, signal: usize) -> Option<Bits> {
        self.settle();
        Some(self.values[self.flat.signals[signal].node as usize].clone())
    }

    fn step_clocks(&mut self, clocks: &[usize]) -> Result<(), StepError> {
        self.settle();
        self.check(clocks)?;
        // Everything is read before anything changes.
        let mut next: Vec<(u32, Bits)> = Vec::new();
        for reg in self.flat.regs.iter().filter(|r| clocks.contains(&r.clock)) {
            let value = match &reg.reset {
                Some((reset, value)) if self.values[*reset as usize].is_nonzero() => value.clone(),
                _ => self.values[reg.next as usize].clone(),
            };
            next.push((reg.state, value));
        }
        let mut writes: Vec<(usize, usize, Bits)> = Vec::new();
        for (k, memory) in self.flat.memories.iter().enumerate() {
            for read in memory.reads.iter().filter(|r| clocks.contains(&r.clock) && self.is_set(r.enable)) {
                let addr = self.values[read.addr as usize].low_u64() as usize;
                next.push((read.state, self.memories[k][addr].clone()));
            }
            for write in memory.writes.iter().filter(|w| clocks.contains(&w.clock) && self.is_set(w.enable)) {
                let addr = self.values[write.addr as usize].low_u64() as usize;
                let earlier = writes.iter().rev().find(|w| w.0 == k && w.1 == addr).map(|w| w.2.clone());
                let mut word = earlier.unwrap_or_else(|| self.memories[k][addr].clone());
                let data = &self.values[write.data as usize];
                match write.mask {
                    None => word = data.clone(),
                    Some(mask) => {
                        let mask = &self.values[mask as usize];
                        let lane = memory.width / mask.width();
                        for l in (0..mask.width()).filter(|l| mask.bit(*l)) {
                            word = word.with_slice(l * lane, &data.slice(l * lane, lane));
                        }
                    }
                }
                writes.push((k, addr, word));
            }
        }
        for (state, value) in next {
            self.values[state as usize] = value;
        }
        for (memory, addr, word) in writes {
            self.memories[memory][addr] = word;
        }
        self.stale = true;
        self.cycle += 1;
        Ok(())
    }

    fn cycle(&self) -> u64 {
        self.cycle
    }

    fn read_memory(&self, memory: usize, word: u32) -> Bits {
        let width = self.flat.memories[memory].width;
        self.memories[memory].get(word as usize).cloned().unwrap_or(Bits::zero(width))
    }

    fn write_memory(&mut self, memory: usize, word: u32, value: &Bits) {
        let width = self.flat.memories[memory].width;
        if let Some(place) = self.memories[memory].get_mut(word as usize) {
            *place = value.resize(width, false);
            self.stale = true;
        }
    }

    fn save(&mut self) -> Result<Snapshot, SnapshotError> {
        let states = self.states.of(&self.flat);
        let mut snapshot = Snapshot::zero(&states, self.cycle);
        for (node, _) in &states.nodes {
            snapshot.push(&self.values[*node as usize].to_words());
        }
        for (k, memory) in self.flat.memories.iter().enumerate() {
            for (word, value) in (0u32..).zip(&self.memories[k]) {
                snapshot.set_word(k, memory.width, word, value);
            }
        }
        Ok(snapshot)
    }

    fn restore(&mut self, snapshot: &Snapshot) -> Result<(), SnapshotError> {
        let states = self.states.of(&self.flat);
        snapshot.check(&states)?;
        for (node, width, words) in snapshot.values(&states) {
            self.values[node as usize] = Bits::from_words(width, words);
        }
        for (k, memory) in self.flat.memories.iter().enumerate() {
            for (word, value) in (0u32..).zip(&mut self.memories[k]) {
                *value = snapshot.word(k, memory.width, word);
            }
        }
        self.stale = true;
        self.cycle = snapshot.cycle();
        Ok(())
    }
}
