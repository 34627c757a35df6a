//! The `always` blocks of a module.

use std::collections::HashSet;
use std::fmt::Write;

use super::Writer;
use crate::ir::{ClockId, MemoryId, NodeId, Op, SignalId, SignalKind, Stmt};
use crate::verilog::drive::Drive;
use crate::verilog::stmt::Part;

impl<'a> Writer<'a> {
    fn part(&self, assign: &'static str) -> Part<'a> {
        Part {
            module: self.module,
            names: self.names,
            options: self.options,
            targets: HashSet::new(),
            writes: HashSet::new(),
            reads: HashSet::new(),
            assign,
        }
    }

    /// Signals that are set in the same statements share a block, if none of them depends on another.
    fn groups(&self) -> Vec<Vec<SignalId>> {
        let blocks: Vec<SignalId> = (0..self.module.signals.len())
            .map(|k| SignalId(k as u32))
            .filter(|id| self.drives[id.index()] == Drive::Block && self.is_variable(*id))
            .collect();
        let reach: Vec<HashSet<SignalId>> = blocks.iter().map(|id| self.reach(*id)).collect();
        let places: Vec<HashSet<usize>> = blocks.iter().map(|id| self.places(*id)).collect();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for k in 0..blocks.len() {
            let fits = |group: &Vec<usize>| {
                let together = group.iter().any(|m| !places[*m].is_disjoint(&places[k]));
                let free =
                    group.iter().all(|m| !reach[k].contains(&blocks[*m]) && !reach[*m].contains(&blocks[k]));
                together && free && !reach[k].contains(&blocks[k])
            };
            match groups.iter_mut().find(|g| fits(g)) {
                Some(group) => group.push(k),
                None => groups.push(vec![k]),
            }
        }
        groups.into_iter().map(|g| g.into_iter().map(|k| blocks[k]).collect()).collect()
    }

    /// The conditional statements of the body that set a signal.
    fn places(&self, id: SignalId) -> HashSet<usize> {
        let mut part = self.part("=");
        part.targets.insert(id);
        let body = self.module.body.iter().enumerate();
        body.filter(|(_, s)| !matches!(s, Stmt::Set { .. }) && part.any(std::slice::from_ref(s)))
            .map(|(k, _)| k)
            .collect()
    }

    /// The signals that a signal depends on without a register between; through an instance on all of its inputs.
    fn reach(&self, id: SignalId) -> HashSet<SignalId> {
        let mut found = HashSet::new();
        let mut work: Vec<NodeId> = self.lowered.drivers[id.index()].iter().map(|d| d.node).collect();
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
                SignalKind::Wire { .. } | SignalKind::ToInstance(_) => {
                    work.extend(self.lowered.drivers[signal.index()].iter().map(|d| d.node));
                }
                SignalKind::FromInstance(instance) => {
                    for (k, other) in self.module.signals.iter().enumerate() {
                        if other.kind == SignalKind::ToInstance(instance) {
                            found.insert(SignalId(k as u32));
                            work.extend(self.lowered.drivers[k].iter().map(|d| d.node));
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

    pub(super) fn blocks(&mut self) {
        for group in self.groups() {
            let module = self.module;
            let part = Part { targets: group.into_iter().collect(), ..self.part("=") };
            let mut text = String::new();
            part.write(&module.body, 2, &mut self.e, &mut text);
            self.flush();
            let _ = write!(self.body, "\n    always @* begin\n{text}    end\n");
        }
    }

    pub(super) fn clocked(&mut self) {
        let module = self.module;
        for (c, clock) in module.clocks.iter().enumerate() {
            let clock_id = ClockId(c as u32);
            let mut part = self.part("<=");
            let mut resets = Vec::new();
            for (k, signal) in module.signals.iter().enumerate() {
                if let SignalKind::Reg { reset, .. } = &signal.kind
                    && signal.clock == clock_id
                {
                    part.targets.insert(SignalId(k as u32));
                    resets.extend(reset.as_ref().map(|value| (k, value)));
                }
            }
            for (m, memory) in module.memories.iter().enumerate() {
                let id = MemoryId(m as u32);
                part.writes
                    .extend(memory.writes.iter().enumerate().filter(|w| *w.1 == clock_id).map(|w| (id, w.0)));
                let reads = memory
                    .reads
                    .iter()
                    .enumerate()
                    .filter(|r| r.1.clock == clock_id && r.1.async_addr.is_none());
                part.reads.extend(reads.map(|r| (id, r.0)));
            }
            let mut text = String::new();
            part.write(&module.body, 2, &mut self.e, &mut text);
            if !resets.is_empty() {
                let _ = writeln!(text, "        if ({}) begin", module.reset_name(clock_id));
                for (k, value) in resets {
                    let shape = module.signals[k].shape;
                    let value = self.e.reset_text(value, shape);
                    let _ = writeln!(text, "            {} <= {value};", self.names[k]);
                }
                text.push_str("        end\n");
            }
            self.flush();
            if !text.is_empty() {
                self.clocks_read.insert(clock_id);
                let _ = write!(self.body, "\n    always @(posedge {clock}) begin\n{text}    end\n");
            }
        }
    }
}
