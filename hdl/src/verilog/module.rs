//! A module as Verilog text.

mod blocks;
mod checks;
mod contents;
mod groups;
pub(super) mod head;

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use crate::bits::Bits;
use crate::design::Design;
use crate::ir::{ClockId, Module, NodeId, Op, Signal, SignalId, SignalKind, Stmt};
use crate::lower::Lowered;
use crate::shape::Shape;
use crate::verilog::drive::{Drive, drives, read_themselves};
use crate::verilog::expr::{Constant, Expressions, literal};
use crate::verilog::names::{FileNames, Taken};
use crate::verilog::place::place;
use crate::verilog::stmt;
use crate::verilog::usage::{Usage, usage, usage_from};
use crate::verilog::wrap::wrap;
use crate::verilog::{EmitOptions, VerilogFile, comment};

/// The longest line that an instance may take.
const MAX_LINE: usize = 110;

pub use contents::MAX_INLINE_WORDS;

/// The Verilog of a module, and the files with contents of its memories.
pub(super) fn emit(
    design: &Design,
    module: &Module,
    lowered: &Lowered,
    options: &EmitOptions,
    files: &mut FileNames,
) -> (String, Vec<VerilogFile>) {
    let mut taken = Taken::default();
    // A tool that finds the module's own name inside of it complains that one hides the other.
    taken.take(&module.name);
    module.memories.iter().for_each(|m| taken.take(&m.name));
    module.instances.iter().for_each(|i| taken.take(&i.name));
    for (k, clock) in module.clocks.iter().enumerate() {
        taken.take(clock);
        taken.take(&module.reset_name(ClockId(k as u32)));
    }
    let mut names = names(module, &mut taken);
    let drives = drives(module);
    let in_loop = read_themselves(module, lowered);
    let reads_itself: Vec<bool> = drives
        .iter()
        .zip(in_loop)
        .map(|(drive, in_loop)| in_loop && matches!(drive, Drive::Parts | Drive::Block))
        .collect();
    // Where conditions read no signal a block would never run; where some bits of a signal are made from others, it would take
    // them before it sets them.
    let assigned: Vec<bool> = (0..drives.len())
        .map(|k| drives[k] == Drive::Block && (reads_itself[k] || !reads_something(lowered, k)))
        .collect();
    let usage = usage(module, lowered, &assigned);
    // Verilator does not split ports, so the bits of such an output get a wire of their own.
    for (k, signal) in module.signals.iter().enumerate() {
        if signal.is_output && reads_itself[k] {
            names[k] = taken.fresh(&format!("{}_bits", signal.name));
        }
    }
    let checks: Vec<NodeId> =
        lowered.checks.iter().flat_map(|c| [Some(c.cond), c.enable]).flatten().collect();
    let checks = usage_from(&lowered.nodes, &checks).uses;
    let mut read = vec![false; module.signals.len()];
    for (node, (uses, checks)) in lowered.nodes.iter().zip(usage.uses.iter().zip(&checks)) {
        if let Op::Read(signal) = node.op {
            read[signal.index()] |= uses + checks > 0;
        }
    }
    let inlined = (0..drives.len())
        .map(|k| {
            let is_input = matches!(module.signals[k].kind, SignalKind::ToInstance(_));
            is_input && matches!(drives[k], Drive::Whole(_)) && !read[k]
        })
        .collect();
    let expressions = Expressions::new(&lowered.nodes, &names, usage.uses.clone(), &checks, taken);
    let mut writer = Writer {
        design,
        module,
        lowered,
        options,
        names: &names,
        drives,
        reads_itself,
        assigned,
        inlined,
        usage,
        e: expressions,
        clocks_read: HashSet::new(),
        body: String::new(),
        files,
        contents: Vec::new(),
    };
    (writer.run(), writer.contents)
}

/// The Verilog name of every signal. Inputs of instances, which the Rust source does not name, give way to the others.
fn names(module: &Module, taken: &mut Taken) -> Vec<String> {
    let within = |instance: crate::ir::InstanceId, port: &str| {
        format!("{}_{port}", module.instances[instance.index()].name)
    };
    let mut names: Vec<String> = module
        .signals
        .iter()
        .map(|signal| match signal.kind {
            SignalKind::FromInstance(instance) => within(instance, &signal.name),
            _ => signal.name.clone(),
        })
        .collect();
    let is_input = |signal: &&Signal| matches!(signal.kind, SignalKind::ToInstance(_));
    let others = module.signals.iter().zip(&names).filter(|(signal, _)| !is_input(signal));
    others.for_each(|(_, name)| taken.take(name));
    for (signal, name) in module.signals.iter().zip(&mut names) {
        if let SignalKind::ToInstance(instance) = signal.kind {
            *name = taken.fresh(&within(instance, &signal.name));
        }
    }
    names
}

/// Whether a signal depends on any other.
fn reads_something(lowered: &Lowered, signal: usize) -> bool {
    let mut work: Vec<NodeId> = lowered.drivers[signal].iter().map(|d| d.node).collect();
    let mut seen = HashSet::new();
    while let Some(node) = work.pop() {
        match &lowered.nodes[node.index()].op {
            Op::Read(_) => return true,
            op if seen.insert(node) => work.extend(op.operands()),
            _ => {}
        }
    }
    false
}

struct Writer<'a> {
    design: &'a Design,
    module: &'a Module,
    lowered: &'a Lowered,
    options: &'a EmitOptions,
    names: &'a [String],
    drives: Vec<Drive>,
    /// Signals of which some bits are made from others without a register between.
    reads_itself: Vec<bool>,
    /// Signals set under conditions that are nevertheless assigned.
    assigned: Vec<bool>,
    /// Inputs of instances whose values stand in the connection, since nothing else reads them.
    inlined: Vec<bool>,
    usage: Usage,
    e: Expressions<'a>,
    /// Clocks that something other than a property needs.
    clocks_read: HashSet<ClockId>,
    body: String,
    files: &'a mut FileNames,
    contents: Vec<VerilogFile>,
}

fn localparam(constant: &Constant, name: &str) -> String {
    let (value, _) = literal(&Bits::from_u64(constant.width, constant.code), false);
    format!("    localparam {}{name} = {value};\n", range(crate::shape::bits(constant.width)))
}

fn range(shape: Shape) -> String {
    let sign = if shape.signed { "signed " } else { "" };
    match shape.width {
        1 => sign.to_string(),
        w => format!("{sign}[{}:0] ", w - 1),
    }
}

impl<'a> Writer<'a> {
    fn run(&mut self) -> String {
        let module = self.module;
        self.named_values();
        self.instances();
        self.assigns();
        self.blocks();
        self.clocked();
        self.flush();
        let mut declarations = String::new();
        self.declarations(&mut declarations);
        let unused = self.unused();
        let constants = self.e.constants.clone();
        // Last, so that what only properties need stands beside them, where other tools do not see it.
        let checks = self.checks(&constants);
        let mut out = String::from("`default_nettype none\n\n");
        if !self.contents.is_empty() {
            out.push_str(&contents::folder());
        }
        for line in comment::lines(&module.doc) {
            let _ = writeln!(out, "{}", comment::heading(&line));
        }
        out.push_str(&head::port_list(module, &module.name, "", |id| self.is_variable(id)));
        let mut head: String = constants.iter().map(|(constant, name)| localparam(constant, name)).collect();
        if !head.is_empty() && !declarations.is_empty() {
            head.push('\n');
        }
        head.push_str(&declarations);
        let (body, checks) = (wrap(&self.body), wrap(&checks));
        let sections =
            [head.as_str(), body.as_str(), unused.as_str(), checks.as_str()].map(|s| s.trim_matches('\n'));
        let text: Vec<&str> = sections.into_iter().filter(|s| !s.is_empty()).collect();
        let _ = write!(out, "{}\n\nendmodule\n\n`default_nettype wire\n", text.join("\n\n"));
        out
    }

    /// Writes the wires that expressions have made into the body.
    fn flush(&mut self) {
        for wire in std::mem::take(&mut self.e.made) {
            let shape = Shape { signed: wire.signed, ..crate::shape::bits(wire.width) };
            let _ = writeln!(self.body, "    wire {}{} = {};", range(shape), wire.name, wire.text);
        }
    }

    fn source(&self, loc: crate::ir::Loc) -> String {
        if self.options.source_lines { format!("  // {}", place(loc)) } else { String::new() }
    }

    /// Whether a signal is assigned in an `always` block.
    fn is_variable(&self, id: SignalId) -> bool {
        match self.drives[id.index()] {
            Drive::Clocked => true,
            Drive::Block => !self.assigned[id.index()],
            _ => false,
        }
    }

    /// Named expressions and asynchronous reads, in the order in which they were made: each is declared before what uses it.
    fn named_values(&mut self) {
        let module = self.module;
        let set = |stmt| match stmt {
            &Stmt::Set { target, value, loc, .. } => Some((target, (value, loc))),
            _ => None,
        };
        let values: HashMap<SignalId, _> = module.body.iter().filter_map(set).collect();
        for (k, signal) in module.signals.iter().enumerate() {
            let name = &self.names[k];
            self.e.target.clone_from(name);
            let (text, loc) = match signal.kind {
                SignalKind::Wire { named: true } => {
                    let Some((value, loc)) = values.get(&SignalId(k as u32)) else {
                        continue;
                    };
                    (self.e.value(*value), *loc)
                }
                SignalKind::MemoryRead(memory, port) => {
                    let memory = &module.memories[memory.index()];
                    let Some(addr) = memory.reads[port].async_addr else {
                        continue;
                    };
                    (format!("{}[{}]", memory.name, self.e.index(addr)), signal.loc)
                }
                _ => continue,
            };
            self.flush();
            let source = self.source(loc);
            let _ = match signal.is_output {
                true => writeln!(self.body, "    assign {name} = {text};{source}"),
                false => writeln!(self.body, "    wire {}{name} = {text};{source}", range(signal.shape)),
            };
        }
    }

    fn instances(&mut self) {
        for instance in &self.module.instances {
            let child = self.design.module(instance.module);
            let mut pins = Vec::new();
            for (k, clock) in child.clocks.iter().enumerate() {
                let here = instance.clocks[k];
                if child.clock_used[k] {
                    self.clocks_read.insert(here);
                    pins.push((clock.clone(), self.module.clocks[here.index()].clone()));
                }
                if child.reset_used[k] {
                    pins.push((child.reset_name(ClockId(k as u32)), self.module.reset_name(here)));
                }
            }
            for (port, outer) in child.ports.iter().zip(&instance.ports) {
                let name = child.signal(*port).name.clone();
                let text = match self.drives[outer.index()] {
                    Drive::Whole(value) if self.inlined[outer.index()] => {
                        self.e.target.clone_from(&self.names[outer.index()]);
                        self.e.pin(value)
                    }
                    _ => self.names[outer.index()].clone(),
                };
                pins.push((name, text));
            }
            self.flush();
            let (verilog_name, parameters) = match &child.external {
                None => (child.name.clone(), String::new()),
                Some(external) => {
                    let set: Vec<String> =
                        external.parameters.iter().map(|(name, value)| format!(".{name}({value})")).collect();
                    let set = if set.is_empty() { String::new() } else { format!(" #({})", set.join(", ")) };
                    (external.verilog_name.clone(), set)
                }
            };
            let head = format!("    {verilog_name}{parameters} {} (", instance.name);
            let pins: Vec<String> = pins.iter().map(|(name, text)| format!(".{name}({text})")).collect();
            let one_line = format!("{head}{});", pins.join(", "));
            if one_line.len() <= MAX_LINE {
                let _ = writeln!(self.body, "{one_line}{}", self.source(instance.loc));
                continue;
            }
            let _ = writeln!(self.body, "{head}{}", self.source(instance.loc));
            let mut line = String::from("       ");
            for (k, pin) in pins.iter().enumerate() {
                let comma = if k + 1 == pins.len() { "" } else { "," };
                if line.trim().len() + pin.len() + 10 > MAX_LINE && !line.trim().is_empty() {
                    let _ = writeln!(self.body, "{line}");
                    line = String::from("       ");
                }
                let _ = write!(line, " {pin}{comma}");
            }
            let _ = writeln!(self.body, "{line});");
        }
    }

    fn assigns(&mut self) {
        for stmt in &self.module.body {
            let Stmt::Set { target, low, value, loc } = stmt else {
                continue;
            };
            let signal = self.module.signal(*target);
            let whole = matches!(self.drives[target.index()], Drive::Whole(_));
            let inline = self.inlined[target.index()];
            let named = signal.kind == SignalKind::Wire { named: true };
            if named || inline || !(whole || self.drives[target.index()] == Drive::Parts) {
                continue;
            }
            self.e.target.clone_from(&self.names[target.index()]);
            let text = self.e.value(*value);
            self.flush();
            let left = stmt::part(self.module, self.names, *target, *low, self.module.node(*value).width);
            let source = self.source(loc);
            let _ = writeln!(self.body, "    assign {left} = {text};{source}");
        }
        for (k, signal) in self.module.signals.iter().enumerate() {
            if signal.is_output && self.reads_itself[k] {
                let _ = writeln!(self.body, "    assign {} = {};", signal.name, self.names[k]);
            }
        }
        for (k, signal) in self.module.signals.iter().enumerate() {
            let id = SignalId(k as u32);
            if self.assigned[k] {
                for driver in self.lowered.drivers[k].clone() {
                    self.e.target.clone_from(&self.names[k]);
                    let text = self.e.value(driver.node);
                    self.flush();
                    let width = self.lowered.nodes[driver.node.index()].width;
                    let left = stmt::part(self.module, self.names, id, driver.low, width);
                    let _ = writeln!(self.body, "    assign {left} = {text};{}", self.source(signal.loc));
                }
            }
        }
    }

    /// Says of every bit that nothing reads that this is meant, so that linters need not ask.
    fn unused(&mut self) -> String {
        let mut parts = Vec::new();
        for (k, clock) in self.module.clocks.iter().enumerate() {
            if self.module.clock_used[k] && !self.clocks_read.contains(&ClockId(k as u32)) {
                parts.push(clock.clone());
            }
        }
        parts.extend(
            self.module.memories.iter().filter(|m| m.reads.is_empty()).map(|m| format!("{}[0]", m.name)),
        );
        let mut used: Vec<Vec<bool>> =
            self.module.signals.iter().map(|s| vec![false; s.shape.width as usize]).collect();
        for (node, bits) in self.lowered.nodes.iter().zip(&self.usage.bits) {
            if let Op::Read(signal) = node.op {
                used[signal.index()].iter_mut().zip(bits).for_each(|(u, b)| *u |= b);
            }
        }
        for (k, signal) in self.module.signals.iter().enumerate() {
            let is_inlined = matches!(signal.kind, SignalKind::ToInstance(_));
            if signal.is_output || is_inlined {
                continue;
            }
            parts.extend(gaps(&self.names[k], &used[k]));
        }
        for (node, name) in self.e.hoisted_names() {
            parts.extend(gaps(&name, &self.usage.bits[node.index()]));
        }
        self.unused_wire(&parts)
    }

    /// A wire that reads what nothing else does.
    fn unused_wire(&mut self, parts: &[String]) -> String {
        if parts.is_empty() {
            return String::new();
        }
        let name = self.e.taken.fresh("_unused_ok");
        let mut out = format!("    wire {name} = &{{1'b0");
        let mut column = out.len();
        for part in parts {
            if column + part.len() > MAX_LINE {
                out.push_str(",\n       ");
                column = 8;
            } else {
                out.push(',');
            }
            column += part.len() + 2;
            let _ = write!(out, " {part}");
        }
        out.push_str("};\n");
        out
    }
}

/// The unused bits of a signal, as slices.
fn gaps(name: &str, used: &[bool]) -> Vec<String> {
    if used.iter().all(|u| !u) {
        return vec![name.to_string()];
    }
    let mut out = Vec::new();
    let mut k = 0;
    while k < used.len() {
        let first = k;
        while k < used.len() && !used[k] {
            k += 1;
        }
        match k - first {
            0 => k += 1,
            1 => out.push(format!("{name}[{first}]")),
            _ => out.push(format!("{name}[{}:{first}]", k - 1)),
        }
    }
    out
}
