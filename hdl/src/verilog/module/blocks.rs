//! The `always` blocks of a module.

use std::collections::HashSet;
use std::fmt::Write;

use super::Writer;
use crate::ir::{ClockId, MemoryId, SignalId, SignalKind};
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

    pub(super) fn blocks(&mut self) {
        let module = self.module;
        for group in self.groups() {
            let part = Part { targets: group.targets.into_iter().collect(), ..self.part("=") };
            let mut text = String::new();
            for place in group.places {
                part.write(std::slice::from_ref(&module.body[place]), 2, &mut self.e, &mut text);
            }
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
