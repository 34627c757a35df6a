//! The head of a module: ports and declarations.

use std::fmt::Write;

use super::{MAX_LINE, Writer, range};
use crate::bits::Bits;
use crate::ir::{ClockId, MemoryId, Module, SignalId, SignalKind};
use crate::verilog::comment;
use crate::verilog::drive::Drive;
use crate::verilog::expr::literal;

/// The module's name and its ports, with `variable` telling which outputs are set in `always` blocks.
pub(in crate::verilog) fn port_list(
    module: &Module,
    name: &str,
    parameters: &str,
    variable: impl Fn(SignalId) -> bool,
) -> String {
    let mut ports: Vec<[String; 4]> = Vec::new();
    for (k, clock) in module.clocks.iter().enumerate() {
        let mut add =
            |name: String| ports.push(["input  wire".to_string(), String::new(), name, String::new()]);
        if module.clock_used[k] {
            add(clock.clone());
        }
        if module.reset_used[k] {
            add(module.reset_name(ClockId(k as u32)));
        }
    }
    for id in &module.ports {
        let signal = module.signal(*id);
        let is_variable = variable(*id);
        let direction = match (signal.is_output, is_variable) {
            (false, _) => "input  wire",
            (true, true) => "output reg ",
            (true, false) => "output wire",
        };
        let init = match &signal.kind {
            SignalKind::Reg { init, .. } if is_variable => {
                format!(" = {}", literal(init, signal.shape.signed).0)
            }
            _ => String::new(),
        };
        ports.push([
            direction.to_string(),
            range(signal.shape).trim_end().to_string(),
            format!("{}{init}", signal.name),
            comment::line(&signal.doc),
        ]);
    }
    if ports.is_empty() {
        return format!("module {name}{parameters};\n\n");
    }
    let mut out = format!("module {name}{parameters} (\n");
    let widest = |k: usize| ports.iter().map(|p| p[k].len()).max().unwrap_or(0);
    let (ranges, names) = (widest(1), widest(2) + 1);
    for (k, [direction, range, name, doc]) in ports.iter().enumerate() {
        let comma = if k + 1 == ports.len() { "" } else { "," };
        let space = if ranges == 0 { "" } else { " " };
        let line = format!("    {direction} {range:ranges$}{space}{:names$}", format!("{name}{comma}"));
        // The items of an array have one comment, which its first port shows.
        let is_known = k > 0 && ports[k - 1][3] == *doc;
        let doc = if doc.is_empty() || is_known { String::new() } else { format!("  // {doc}") };
        let _ = writeln!(out, "{}", format!("{line}{doc}").trim_end());
    }
    out.push_str(");\n\n");
    out
}

impl Writer<'_> {
    pub(super) fn declarations(&mut self, head: &mut String) {
        let module = self.module;
        for (k, signal) in module.signals.iter().enumerate() {
            let id = SignalId(k as u32);
            let name = &self.names[k];
            if (signal.is_output && !self.reads_itself[k]) || signal.kind == SignalKind::Input {
                continue;
            }
            let split = if self.reads_itself[k] { " /* verilator split_var */" } else { "" };
            let text = match (&signal.kind, &self.drives[k]) {
                (SignalKind::Wire { named: true }, _) | (SignalKind::FromInstance(_), _) => {
                    continue;
                }
                _ if self.inlined[k] => continue,
                (SignalKind::Reg { init, .. }, _) => {
                    let init = self.e.reset_text(init, signal.shape);
                    format!("reg {}{name} = {init};", range(signal.shape))
                }
                _ if self.is_variable(id) => format!("reg {}{name};", range(signal.shape)),
                (SignalKind::MemoryRead(..), _) => continue,
                _ => format!("wire {}{name}{split};", range(signal.shape)),
            };
            let _ = writeln!(head, "    {text}{}", self.source(signal.loc));
        }
        self.instance_outputs(head);
        for memory in &module.memories {
            let range = if memory.width == 1 { String::new() } else { format!("[{}:0] ", memory.width - 1) };
            // What Yosys calls it.
            let promise = if memory.without_collisions { "(* no_rw_check *) " } else { "" };
            let _ = writeln!(head, "    {promise}reg {range}{} [0:{}];", memory.name, memory.depth - 1);
        }
        let mut simulation = String::new();
        for k in 0..module.memories.len() {
            self.contents(MemoryId(k as u32), head, &mut simulation);
        }
        for (k, signal) in module.signals.iter().enumerate() {
            if matches!(signal.kind, SignalKind::MemoryRead(..)) && self.drives[k] == Drive::Clocked {
                let zero = literal(&Bits::zero(signal.shape.width), false).0;
                let _ = writeln!(simulation, "    initial {} = {zero};", self.names[k]);
            }
        }
        if !simulation.is_empty() {
            let _ = write!(head, "`ifndef SYNTHESIS\n{simulation}`endif\n");
        }
    }

    /// Wires for outputs of instances; those of one kind share lines.
    fn instance_outputs(&self, head: &mut String) {
        let mut kinds: Vec<(String, Vec<&str>)> = Vec::new();
        for (k, signal) in self.module.signals.iter().enumerate() {
            if matches!(signal.kind, SignalKind::FromInstance(_)) {
                let range = range(signal.shape);
                match kinds.iter_mut().find(|l| l.0 == range) {
                    Some(kind) => kind.1.push(&self.names[k]),
                    None => kinds.push((range, vec![&self.names[k]])),
                }
            }
        }
        for (range, names) in kinds {
            let mut line = format!("    wire {range}{}", names[0]);
            for name in &names[1..] {
                if line.len() + name.len() + 3 > MAX_LINE {
                    let _ = writeln!(head, "{line};");
                    line = format!("    wire {range}{name}");
                } else {
                    let _ = write!(line, ", {name}");
                }
            }
            let _ = writeln!(head, "{line};");
        }
    }
}
