//! A module as Verilog text.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write;

use crate::bits::Bits;
use crate::design::Design;
use crate::ir::{CheckKind, ClockId, MemoryId, Module, NodeId, Op, SignalId, SignalKind, Stmt};
use crate::lower::Lowered;
use crate::shape::Shape;
use crate::verilog::EmitOptions;
use crate::verilog::expr::{Constant, Expressions, literal};
use crate::verilog::names::Taken;
use crate::verilog::stmt::{self, Part};
use crate::verilog::usage::{Usage, usage};
use crate::verilog::wrap::wrap;

/// The longest line that an instance may take.
const MAX_LINE: usize = 110;

/// How the body drives a signal.
#[derive(Clone, Debug, PartialEq)]
enum Drive {
    /// Not from the body.
    None,
    /// As a whole, unconditionally: the value.
    Whole(NodeId),
    /// In parts, unconditionally.
    Parts,
    /// Under conditions.
    Block,
    /// At a clock edge.
    Clocked,
}

pub(super) fn emit(design: &Design, module: &Module, lowered: &Lowered, options: &EmitOptions) -> String {
    let mut names = names(module);
    let mut taken = Taken::default();
    names.iter().for_each(|n| taken.take(n));
    module.memories.iter().for_each(|m| taken.take(&m.name));
    module.instances.iter().for_each(|i| taken.take(&i.name));
    for (k, clock) in module.clocks.iter().enumerate() {
        taken.take(clock);
        taken.take(&module.reset_name(ClockId(k as u32)));
    }
    let usage = usage(module, lowered);
    let drives: Vec<Drive> = (0..module.signals.len()).map(|k| drive(module, SignalId(k as u32))).collect();
    let reads_itself: Vec<bool> = drives
        .iter()
        .enumerate()
        .map(|(k, drive)| {
            matches!(drive, Drive::Parts | Drive::Block) && reads_itself(module, lowered, SignalId(k as u32))
        })
        .collect();
    // Verilator does not split ports, so the bits of such an output get a wire of their own.
    for (k, signal) in module.signals.iter().enumerate() {
        if signal.is_output && reads_itself[k] {
            names[k] = taken.fresh(&format!("{}_bits", signal.name));
        }
    }
    let expressions = Expressions::new(&lowered.nodes, &names, usage.uses.clone(), taken);
    let mut writer = Writer {
        design,
        module,
        lowered,
        options,
        names: &names,
        drives,
        reads_itself,
        usage,
        e: expressions,
        clocks_read: HashSet::new(),
        body: String::new(),
    };
    writer.run()
}

fn names(module: &Module) -> Vec<String> {
    let name = |signal: &crate::ir::Signal| match signal.kind {
        SignalKind::ToInstance(i) | SignalKind::FromInstance(i) => {
            format!("{}_{}", module.instances[i.index()].name, signal.name)
        }
        _ => signal.name.clone(),
    };
    module.signals.iter().map(name).collect()
}

fn sets(stmts: &[Stmt], target: SignalId, nested: bool, out: &mut Vec<(bool, NodeId, u32)>) {
    for s in stmts {
        match s {
            Stmt::Set { target: t, value, low, .. } if *t == target => out.push((nested, *value, *low)),
            Stmt::If { branches, otherwise, .. } => {
                branches.iter().for_each(|b| sets(&b.1, target, true, out));
                otherwise.iter().for_each(|b| sets(b, target, true, out));
            }
            Stmt::Switch { cases, default, .. } => {
                cases.iter().for_each(|c| sets(&c.1, target, true, out));
                default.iter().for_each(|b| sets(b, target, true, out));
            }
            _ => {}
        }
    }
}

fn drive(module: &Module, id: SignalId) -> Drive {
    let signal = module.signal(id);
    match signal.kind {
        SignalKind::Reg { .. } => return Drive::Clocked,
        SignalKind::MemoryRead(memory, port) => {
            return match module.memories[memory.index()].reads[port].async_addr {
                Some(_) => Drive::None,
                None => Drive::Clocked,
            };
        }
        SignalKind::Input | SignalKind::FromInstance(_) => return Drive::None,
        SignalKind::Wire { .. } | SignalKind::ToInstance(_) => {}
    }
    let mut found = Vec::new();
    sets(&module.body, id, false, &mut found);
    match found.as_slice() {
        [(false, value, 0)] if module.node(*value).width == signal.shape.width => Drive::Whole(*value),
        all if all.iter().all(|s| !s.0) => Drive::Parts,
        _ => Drive::Block,
    }
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
    usage: Usage,
    e: Expressions<'a>,
    /// Clocks that something other than a property needs.
    clocks_read: HashSet<ClockId>,
    body: String,
}

/// Whether bits of a signal depend on bits of it through wires alone.
fn reads_itself(module: &Module, lowered: &Lowered, id: SignalId) -> bool {
    let drivers = |id: SignalId| lowered.drivers[id.index()].iter().map(|d| d.node);
    let mut work: Vec<NodeId> = drivers(id).collect();
    let (mut seen, mut passed) = (HashSet::new(), HashSet::new());
    while let Some(node) = work.pop() {
        if !seen.insert(node) {
            continue;
        }
        match &lowered.nodes[node.index()].op {
            Op::Read(s) if *s == id => return true,
            Op::Read(s) => {
                let combinational =
                    matches!(module.signal(*s).kind, SignalKind::Wire { .. } | SignalKind::ToInstance(_));
                if combinational && passed.insert(*s) {
                    work.extend(drivers(*s));
                }
            }
            op => work.extend(op.operands()),
        }
    }
    false
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
        for line in module.doc.lines() {
            let _ = writeln!(out, "// {line}");
        }
        self.ports(&mut out);
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
        if self.options.source_lines { format!("  // {}:{}", loc.file(), loc.line()) } else { String::new() }
    }

    fn ports(&self, out: &mut String) {
        let module = self.module;
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
            let direction = match (&signal.kind, self.is_variable(*id)) {
                (SignalKind::Input, _) => "input  wire",
                (_, true) => "output reg ",
                (_, false) => "output wire",
            };
            let init = match &signal.kind {
                SignalKind::Reg { init, .. } => {
                    format!(" = {}", literal(init, signal.shape.signed).0)
                }
                _ => String::new(),
            };
            let range = range(signal.shape).trim_end().to_string();
            ports.push([
                direction.to_string(),
                range,
                format!("{}{init}", signal.name),
                signal.doc.replace('\n', " "),
            ]);
        }
        let _ = write!(out, "module {}", module.name);
        if ports.is_empty() {
            out.push_str(";\n\n");
            return;
        }
        out.push_str(" (\n");
        let widest = |k: usize| ports.iter().map(|p| p[k].len()).max().unwrap_or(0);
        let (ranges, names) = (widest(1), widest(2) + 1);
        for (k, [direction, range, name, doc]) in ports.iter().enumerate() {
            let comma = if k + 1 == ports.len() { "" } else { "," };
            let space = if ranges == 0 { "" } else { " " };
            let line = format!("    {direction} {range:ranges$}{space}{:names$}", format!("{name}{comma}"));
            let doc = if doc.is_empty() { String::new() } else { format!("  // {doc}") };
            let _ = writeln!(out, "{}", format!("{line}{doc}").trim_end());
        }
        out.push_str(");\n\n");
    }

    /// Whether a signal is assigned in an `always` block.
    fn is_variable(&self, id: SignalId) -> bool {
        match self.drives[id.index()] {
            Drive::Clocked => true,
            Drive::Block => self.block_reads_something(id) && !self.reads_itself[id.index()],
            _ => false,
        }
    }

    /// A block that reads no signal would never run.
    fn block_reads_something(&self, id: SignalId) -> bool {
        let mut work: Vec<NodeId> = self.lowered.drivers[id.index()].iter().map(|d| d.node).collect();
        while let Some(node) = work.pop() {
            match &self.lowered.nodes[node.index()].op {
                Op::Read(_) => return true,
                op => work.extend(op.operands()),
            }
        }
        false
    }

    fn declarations(&mut self, head: &mut String) {
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
                (SignalKind::ToInstance(_), Drive::Whole(_)) => continue,
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
            let _ = writeln!(head, "    reg {range}{} [0:{}];", memory.name, memory.depth - 1);
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

    /// Initial contents. Synthesis sees only those that the design asks for; simulation starts from zeros elsewhere.
    fn contents(&mut self, id: MemoryId, out: &mut String, simulation: &mut String) {
        let memory = &self.module.memories[id.index()];
        let index = self.e.taken.fresh("i");
        let zero = literal(&Bits::zero(memory.width), false).0;
        let clear = format!(
            "for ({index} = 0; {index} < {}; {index} = {index} + 1) {}[{index}] = {zero};",
            memory.depth, memory.name
        );
        if memory.init.is_empty() {
            let _ = write!(simulation, "    integer {index};\n    initial {clear}\n");
            return;
        }
        if memory.init.len() < memory.depth as usize {
            let _ = write!(out, "    integer {index};\n    initial begin\n        {clear}\n");
        } else {
            out.push_str("    initial begin\n");
        }
        for (k, word) in memory.init.iter().enumerate() {
            let _ = writeln!(out, "        {}[{k}] = {};", memory.name, literal(word, false).0);
        }
        out.push_str("    end\n");
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
                    (self.e.root(*value), *loc)
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
                    Drive::Whole(value) => {
                        self.e.target.clone_from(&self.names[outer.index()]);
                        self.e.text(value, 0)
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
            let inline = whole && matches!(signal.kind, SignalKind::ToInstance(_));
            let named = signal.kind == SignalKind::Wire { named: true };
            if named || inline || !(whole || self.drives[target.index()] == Drive::Parts) {
                continue;
            }
            self.e.target.clone_from(&self.names[target.index()]);
            let text = self.e.root(*value);
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
        // Where conditions read no signal a block would never run; where some bits of a signal are made from others, it
        // would take them before it sets them.
        for (k, signal) in self.module.signals.iter().enumerate() {
            let id = SignalId(k as u32);
            if self.drives[k] == Drive::Block && !self.is_variable(id) {
                for driver in self.lowered.drivers[k].clone() {
                    self.e.target.clone_from(&self.names[k]);
                    let text = self.e.root(driver.node);
                    self.flush();
                    let width = self.lowered.nodes[driver.node.index()].width;
                    let left = stmt::part(self.module, self.names, id, driver.low, width);
                    let _ = writeln!(self.body, "    assign {left} = {text};{}", self.source(signal.loc));
                }
            }
        }
    }

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

    fn blocks(&mut self) {
        for group in self.groups() {
            let module = self.module;
            let part = Part { targets: group.into_iter().collect(), ..self.part("=") };
            let mut text = String::new();
            part.write(&module.body, 2, &mut self.e, &mut text);
            self.flush();
            let _ = write!(self.body, "\n    always @* begin\n{text}    end\n");
        }
    }

    fn clocked(&mut self) {
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

    /// The properties, and the enum constants that are not among those declared already.
    fn checks(&mut self, declared: &BTreeMap<Constant, String>) -> String {
        if self.lowered.checks.is_empty() {
            return String::new();
        }
        let mut out = String::new();
        for check in &self.lowered.checks {
            self.e.target.clone_from(&check.name);
            let clock = &self.module.clocks[check.clock.index()];
            let enable = check.enable.map(|n| self.e.condition(n));
            let cond = self.e.condition(check.cond);
            for wire in std::mem::take(&mut self.e.made) {
                let shape = Shape { signed: wire.signed, ..crate::shape::bits(wire.width) };
                let _ = writeln!(out, "    wire {}{} = {};", range(shape), wire.name, wire.text);
            }
            let word = match check.kind {
                CheckKind::Assert => "assert",
                CheckKind::Assume => "assume",
                CheckKind::Cover => "cover",
            };
            let enable = enable.map(|e| format!("if ({e}) ")).unwrap_or_default();
            let name = self.e.taken.fresh(&check.name);
            let _ = writeln!(out, "    always @(posedge {clock}) {enable}{name}: {word} ({cond});");
        }
        let own = self.e.constants.iter().filter(|(constant, _)| !declared.contains_key(constant));
        let own: String = own.map(|(constant, name)| localparam(constant, name)).collect();
        format!("`ifdef FORMAL\n{own}{out}`endif\n")
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
