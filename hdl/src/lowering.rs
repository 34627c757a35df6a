//! The walk over a module's body that makes its [`Lowered`] form, and finds what is driven twice or not at all.

use crate::bits::Bits;
use crate::diagnostic::{Diagnostic, Kind};
use crate::ir::{Loc, Module, Node, NodeId, Op, Signal, SignalId, SignalKind, Stmt};
use crate::lower::{Driver, Lowered, LoweredCheck, Read, Write};

/// Makes the data flow of a module.
pub(crate) fn lower(module: &Module, diagnostics: &mut Vec<Diagnostic>) -> Lowered {
    let mut walk = Walk::new(module);
    walk.body(&module.body);
    walk.judge(diagnostics);
    walk.finish()
}

/// Bits of a signal that are always driven together.
struct Segment {
    signal: SignalId,
    low: u32,
    width: u32,
    value: Option<NodeId>,
    /// Where it was set: the branches around, and the place.
    sets: Vec<(Vec<u32>, Loc)>,
}

struct Walk<'a> {
    module: &'a Module,
    out: Lowered,
    segments: Vec<Segment>,
    /// For every signal its segments: a range of `segments`.
    of_signal: Vec<std::ops::Range<usize>>,
    /// Values that a branch has replaced, to be put back at its end.
    undo: Vec<(usize, Option<NodeId>)>,
    /// Conditions around the current statement, each with whether it must be 1.
    conditions: Vec<(NodeId, bool)>,
    /// The branches around the current statement.
    path: Vec<u32>,
    branches: u32,
    double: Vec<(SignalId, Loc, Loc)>,
}

fn cuts(stmts: &[Stmt], module: &Module, at: &mut Vec<Vec<u32>>) {
    for stmt in stmts {
        match stmt {
            Stmt::Set { target, low, value, .. } => {
                at[target.index()].extend([*low, low + module.node(*value).width]);
            }
            Stmt::If { branches, otherwise, .. } => {
                branches.iter().for_each(|b| cuts(&b.1, module, at));
                otherwise.iter().for_each(|b| cuts(b, module, at));
            }
            Stmt::Switch { cases, default, .. } => {
                cases.iter().for_each(|b| cuts(&b.1, module, at));
                default.iter().for_each(|b| cuts(b, module, at));
            }
            _ => {}
        }
    }
}

fn is_driven(signal: &Signal) -> bool {
    matches!(signal.kind, SignalKind::Wire { .. } | SignalKind::Reg { .. } | SignalKind::ToInstance(_))
}

impl<'a> Walk<'a> {
    fn new(module: &'a Module) -> Walk<'a> {
        let mut at: Vec<Vec<u32>> = vec![Vec::new(); module.signals.len()];
        cuts(&module.body, module, &mut at);
        let mut walk = Walk {
            module,
            out: Lowered { nodes: module.nodes.clone(), ..Lowered::default() },
            segments: Vec::new(),
            of_signal: Vec::new(),
            undo: Vec::new(),
            conditions: Vec::new(),
            path: Vec::new(),
            branches: 0,
            double: Vec::new(),
        };
        for (k, signal) in module.signals.iter().enumerate() {
            let first = walk.segments.len();
            if is_driven(signal) {
                let mut marks = std::mem::take(&mut at[k]);
                marks.extend([0, signal.shape.width]);
                marks.sort_unstable();
                marks.dedup();
                let id = SignalId(k as u32);
                for pair in marks.windows(2) {
                    let (low, width) = (pair[0], pair[1] - pair[0]);
                    let value = matches!(signal.kind, SignalKind::Reg { .. }).then(|| walk.own_value(id, low, width));
                    walk.segments.push(Segment { signal: id, low, width, value, sets: Vec::new() });
                }
            }
            walk.of_signal.push(first..walk.segments.len());
        }
        walk
    }

    fn push(&mut self, op: Op<NodeId>, width: u32, signed: bool, loc: Loc) -> NodeId {
        self.out.nodes.push(Node { op, width, signed, loc });
        NodeId(self.out.nodes.len() as u32 - 1)
    }

    /// What a register holds.
    fn own_value(&mut self, id: SignalId, low: u32, width: u32) -> NodeId {
        let shape = self.module.signal(id).shape;
        let loc = self.module.signal(id).loc;
        let read = self.push(Op::Read(id), shape.width, shape.signed, loc);
        if width == shape.width { read } else { self.push(Op::Slice(read, low), width, false, loc) }
    }

    fn replace(&mut self, segment: usize, value: Option<NodeId>) {
        let old = std::mem::replace(&mut self.segments[segment].value, value);
        self.undo.push((segment, old));
    }

    fn body(&mut self, stmts: &[Stmt]) {
        for stmt in stmts {
            match stmt {
                Stmt::Set { target, low, value, loc } => self.set(*target, *low, *value, loc),
                Stmt::If { branches, otherwise, loc, .. } => {
                    let arms: Vec<_> = branches.iter().map(|(c, body)| (*c, body.as_slice())).collect();
                    self.choose(&arms, otherwise.as_deref(), loc);
                }
                Stmt::Switch { subject, cases, default, loc, .. } => self.switch(*subject, cases, default, loc),
                Stmt::MemoryWrite { memory, port, addr, data, mask, loc } => {
                    let enable = self.enable(loc);
                    let (memory, port, addr, data, mask) = (*memory, *port, *addr, *data, *mask);
                    self.out.writes.push(Write { memory, port, enable, addr, data, mask, loc });
                }
                Stmt::MemoryRead { memory, port, addr, loc } => {
                    let enable = self.enable(loc);
                    let data = self.module.memories[memory.index()].reads[*port].data;
                    self.out.reads.push(Read { memory: *memory, port: *port, data, enable, addr: *addr, loc });
                }
                Stmt::Check(check) => {
                    let enable = self.enable(check.loc);
                    self.out.checks.push(LoweredCheck {
                        kind: check.kind,
                        name: check.name.clone(),
                        enable,
                        cond: check.cond,
                        clock: check.clock,
                        loc: check.loc,
                    });
                }
            }
        }
    }

    fn set(&mut self, target: SignalId, low: u32, value: NodeId, loc: Loc) {
        let width = self.module.node(value).width;
        for k in self.of_signal[target.index()].clone() {
            let segment = &self.segments[k];
            if segment.low < low || segment.low + segment.width > low + width {
                continue;
            }
            let (at, part) = (segment.low - low, segment.width);
            if let Some((_, first)) = segment.sets.iter().find(|(path, _)| path.starts_with(&self.path)) {
                self.double.push((target, first, loc));
            }
            let node = if part == width { value } else { self.push(Op::Slice(value, at), part, false, loc) };
            self.segments[k].sets.push((self.path.clone(), loc));
            self.replace(k, Some(node));
        }
    }

    /// Runs a branch and gives the values it leaves, with everything as before.
    fn branch(&mut self, stmts: &[Stmt]) -> Vec<(usize, Option<NodeId>)> {
        let mark = self.undo.len();
        self.branches += 1;
        self.path.push(self.branches);
        self.body(stmts);
        self.path.pop();
        let mut left: Vec<(usize, Option<NodeId>)> = Vec::new();
        while self.undo.len() > mark {
            let Some((segment, old)) = self.undo.pop() else { break };
            let new = std::mem::replace(&mut self.segments[segment].value, old);
            // Walking back, the first value met is the last one set.
            if !left.iter().any(|l| l.0 == segment) {
                left.push((segment, new));
            }
        }
        left
    }

    fn choose(&mut self, arms: &[(NodeId, &[Stmt])], otherwise: Option<&[Stmt]>, loc: Loc) {
        let depth = self.conditions.len();
        let mut results = Vec::new();
        for (condition, body) in arms {
            self.conditions.push((*condition, true));
            results.push(self.branch(body));
            self.conditions.pop();
            self.conditions.push((*condition, false));
        }
        let last = otherwise.map(|body| self.branch(body)).unwrap_or_default();
        self.conditions.truncate(depth);

        let mut touched: Vec<usize> = results.iter().chain([&last]).flatten().map(|l| l.0).collect();
        touched.sort_unstable();
        touched.dedup();
        let left = |result: &[(usize, Option<NodeId>)], segment: usize, before: Option<NodeId>| {
            result.iter().find(|l| l.0 == segment).map_or(before, |l| l.1)
        };
        for segment in touched {
            let before = self.segments[segment].value;
            let mut value = left(&last, segment, before);
            for ((condition, _), result) in arms.iter().zip(&results).rev() {
                value = match (left(result, segment, before), value) {
                    (Some(yes), Some(no)) if yes == no => Some(no),
                    (Some(yes), Some(no)) => {
                        let (width, signed) = (self.segments[segment].width, self.out.nodes[yes.index()].signed);
                        Some(self.push(Op::Mux(*condition, yes, no), width, signed, loc))
                    }
                    _ => None,
                };
            }
            self.replace(segment, value);
        }
    }

    fn switch(&mut self, subject: NodeId, cases: &[(Vec<NodeId>, Vec<Stmt>)], default: &Option<Vec<Stmt>>, loc: Loc) {
        let codes: usize = cases.iter().map(|c| c.0.len()).sum();
        let width = self.module.node(subject).width;
        let all = width < 32 && codes as u64 == 1 << width;
        // Where the cases are exhaustive the last one needs no condition.
        let (compared, otherwise) = match (all && default.is_none(), cases.split_last()) {
            (true, Some((last, rest))) => (rest, Some(last.1.as_slice())),
            _ => (cases, default.as_deref()),
        };
        let mut arms = Vec::new();
        for (values, body) in compared {
            let mut hit = None;
            for value in values {
                let equal = self.push(Op::Eq(subject, *value), 1, false, loc);
                hit = Some(match hit {
                    None => equal,
                    Some(before) => self.push(Op::Or(before, equal), 1, false, loc),
                });
            }
            let hit = hit.unwrap_or_else(|| self.push(Op::Const(Bits::zero(1), None), 1, false, loc));
            arms.push((hit, body.as_slice()));
        }
        self.choose(&arms, otherwise, loc);
    }

    /// All conditions around the current statement in one bit; `None` outside of all.
    fn enable(&mut self, loc: Loc) -> Option<NodeId> {
        let mut all = None;
        for (condition, wanted) in self.conditions.clone() {
            let term = if wanted { condition } else { self.push(Op::Not(condition), 1, false, loc) };
            all = Some(match all {
                None => term,
                Some(before) => self.push(Op::And(before, term), 1, false, loc),
            });
        }
        all
    }

    fn show(&self, id: SignalId) -> String {
        let signal = self.module.signal(id);
        match signal.kind {
            SignalKind::ToInstance(i) => format!("{}.{}", self.module.instances[i.index()].name, signal.name),
            _ => signal.name.clone(),
        }
    }

    fn judge(&self, diagnostics: &mut Vec<Diagnostic>) {
        for (signal, first, second) in &self.double {
            let message = format!("`{}` is set again, which makes an earlier value useless", self.show(*signal));
            diagnostics.push(
                Diagnostic::new(Kind::DoubleDrive, second, message)
                    .here("set again")
                    .label(first, "this has no effect")
                    .help("remove one of them, or put the second under a `when`"),
            );
        }
        let untouched = |k: usize| self.segments[self.of_signal[k].clone()].iter().all(|s| s.sets.is_empty());
        let mut forgotten = vec![false; self.module.instances.len()];
        for (i, instance) in self.module.instances.iter().enumerate() {
            let mut inputs = (0..self.module.signals.len())
                .filter(|k| self.module.signals[*k].kind == SignalKind::ToInstance(crate::ir::InstanceId(i as u32)))
                .peekable();
            if inputs.peek().is_some() && inputs.all(untouched) {
                forgotten[i] = true;
                let message = format!("instance `{}` is never connected", instance.name);
                diagnostics.push(
                    Diagnostic::new(Kind::UnusedInstance, instance.loc, message)
                        .help("connect its inputs (`.connect(...)`), or remove it"),
                );
            }
        }
        for (k, signal) in self.module.signals.iter().enumerate().filter(|s| is_driven(s.1)) {
            let name = self.show(SignalId(k as u32));
            if untouched(k) {
                let (kind, what, help) = match signal.kind {
                    SignalKind::ToInstance(i) if forgotten[i.index()] => continue,
                    SignalKind::ToInstance(_) => (Kind::PortOpen, "input", "set it; an unused input still needs a value"),
                    SignalKind::Reg { .. } => {
                        (Kind::Undriven, "register", "set it, or use a constant in its place")
                    }
                    _ if signal.is_output => (Kind::Undriven, "output", "set it"),
                    _ => (Kind::Undriven, "wire", "set it, or remove it"),
                };
                let message = match kind {
                    Kind::PortOpen => format!("{what} `{name}` of an instance is left open"),
                    _ => format!("{what} `{name}` is never set"),
                };
                diagnostics.push(Diagnostic::new(kind, signal.loc, message).help(help));
                continue;
            }
            for segment in self.segments[self.of_signal[k].clone()].iter().filter(|s| s.value.is_none()) {
                let bits = match segment.width {
                    w if w == signal.shape.width => format!("`{name}`"),
                    1 => format!("bit {} of `{name}`", segment.low),
                    w => format!("bits {} to {} of `{name}`", segment.low, segment.low + w - 1),
                };
                let diagnostic = if segment.sets.is_empty() {
                    Diagnostic::new(Kind::PartlyDriven, signal.loc, format!("{bits} are never set"))
                        .help("set all bits of it")
                } else {
                    let message = format!("{bits} is not set on every path, which would make a latch");
                    let mut diagnostic = Diagnostic::new(Kind::PartlyDriven, signal.loc, message)
                        .help("set it before the `when`, or also in an `otherwise`");
                    for (_, loc) in &segment.sets {
                        diagnostic = diagnostic.label(loc, "set under a condition");
                    }
                    diagnostic
                };
                diagnostics.push(diagnostic);
            }
        }
    }

    fn finish(mut self) -> Lowered {
        for (k, range) in self.of_signal.iter().enumerate() {
            let driven = self.segments[range.clone()].iter();
            let drivers = driven.filter_map(|s| s.value.map(|node| Driver { low: s.low, node })).collect();
            debug_assert!(range.is_empty() || self.segments[range.start].signal.index() == k);
            self.out.drivers.push(drivers);
        }
        self.out
    }
}
