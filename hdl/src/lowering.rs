//! The walk over a module's body that makes its [`Lowered`] form, and finds what is driven twice or not at all.

mod judge;

use std::collections::{BTreeMap, BTreeSet};

use crate::bits::Bits;
use crate::diagnostic::Diagnostic;
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
    /// The statements that set it, as positions in `Walk::sets`.
    sets: Vec<usize>,
}

/// A statement that sets bits `low .. end` of a signal.
struct Set {
    low: u32,
    end: u32,
    /// The branches around it.
    path: Vec<u32>,
    /// Bits that no later statement sets whenever this one does.
    effective: u32,
    loc: Loc,
}

/// Two statements that set the same bits.
struct Double {
    target: SignalId,
    first: Loc,
    second: Loc,
    /// The bits that both set, if the first one has others that keep their value.
    both: Option<(u32, u32)>,
}

/// A condition around a statement.
struct Condition {
    node: NodeId,
    /// What it must be.
    wanted: bool,
    /// One bit for it and all conditions around it, once a statement needed that.
    all: Option<NodeId>,
}

struct Walk<'a> {
    module: &'a Module,
    out: Lowered,
    segments: Vec<Segment>,
    /// For every signal its segments: a range of `segments`.
    of_signal: Vec<std::ops::Range<usize>>,
    /// Values that a branch has replaced, to be put back at its end.
    undo: Vec<(usize, Option<NodeId>)>,
    /// Conditions around the current statement.
    conditions: Vec<Condition>,
    /// The branches around the current statement.
    path: Vec<u32>,
    branches: u32,
    /// The statements met so far.
    sets: Vec<Set>,
    double: Vec<Double>,
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
            sets: Vec::new(),
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
                    let value =
                        matches!(signal.kind, SignalKind::Reg { .. }).then(|| walk.own_value(id, low, width));
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

    fn slice(&mut self, value: NodeId, low: u32, width: u32, loc: Loc) -> NodeId {
        let op = match &self.out.nodes[value.index()].op {
            Op::Const(bits, _) => Op::Const(bits.slice(low, width), None),
            _ => Op::Slice(value, low),
        };
        self.push(op, width, false, loc)
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
                    self.choose(&arms, otherwise.as_deref(), false, loc);
                }
                Stmt::Switch { subject, cases, default, loc, .. } => {
                    self.switch(*subject, cases, default, loc)
                }
                Stmt::MemoryWrite { memory, port, addr, data, mask, loc } => {
                    let enable = self.enable(loc);
                    let (memory, port, addr, data, mask) = (*memory, *port, *addr, *data, *mask);
                    self.out.writes.push(Write { memory, port, enable, addr, data, mask, loc });
                }
                Stmt::MemoryRead { memory, port, addr, loc } => {
                    let enable = self.enable(loc);
                    let data = self.module.memories[memory.index()].reads[*port].data;
                    self.out.reads.push(Read {
                        memory: *memory,
                        port: *port,
                        data,
                        enable,
                        addr: *addr,
                        loc,
                    });
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
        let end = low + self.module.node(value).width;
        let mut replaced = BTreeSet::new();
        for k in self.of_signal[target.index()].clone() {
            let segment = &self.segments[k];
            if segment.low < low || segment.low + segment.width > end {
                continue;
            }
            let (at, part) = (segment.low - low, segment.width);
            let under = |set: &usize| self.sets[*set].path.starts_with(&self.path);
            let (gone, kept): (Vec<usize>, Vec<usize>) = segment.sets.iter().partition(|set| under(set));
            for set in gone {
                self.sets[set].effective -= part;
                replaced.insert(set);
            }
            let whole = part == end - low;
            let node = if whole { value } else { self.slice(value, at, part, loc) };
            self.segments[k].sets = kept;
            self.segments[k].sets.push(self.sets.len());
            self.replace(k, Some(node));
        }
        // Some bits of an earlier value may be set anew, as long as others keep it.
        let refines = |set: &Set| set.low <= low && end <= set.end && set.effective > 0;
        if let Some(first) = replaced.into_iter().map(|set| &self.sets[set]).find(|set| !refines(set)) {
            let both = (first.effective > 0).then(|| (first.low.max(low), first.end.min(end)));
            self.double.push(Double { target, first: first.loc, second: loc, both });
        }
        self.sets.push(Set { low, end, path: self.path.clone(), effective: end - low, loc });
    }

    /// Runs a branch and gives the values it leaves, by segment, with everything as before.
    fn branch(&mut self, stmts: &[Stmt]) -> BTreeMap<usize, Option<NodeId>> {
        let mark = self.undo.len();
        self.branches += 1;
        self.path.push(self.branches);
        self.body(stmts);
        self.path.pop();
        let mut left = BTreeMap::new();
        while self.undo.len() > mark {
            let Some((segment, old)) = self.undo.pop() else { break };
            let new = std::mem::replace(&mut self.segments[segment].value, old);
            // Walking back, the first value met is the last one set.
            left.entry(segment).or_insert(new);
        }
        left
    }

    /// Takes the values of the first arm whose condition holds, else of `otherwise`. Conditions are `exclusive` if no two hold at once.
    fn choose(&mut self, arms: &[(NodeId, &[Stmt])], otherwise: Option<&[Stmt]>, exclusive: bool, loc: Loc) {
        let depth = self.conditions.len();
        // For every segment that an arm sets, the arms that do, and what they leave.
        let mut touched: BTreeMap<usize, Vec<(usize, Option<NodeId>)>> = BTreeMap::new();
        for (k, (condition, body)) in arms.iter().enumerate() {
            self.conditions.push(Condition { node: *condition, wanted: true, all: None });
            for (segment, value) in self.branch(body) {
                touched.entry(segment).or_default().push((k, value));
            }
            self.conditions.pop();
            self.conditions.push(Condition { node: *condition, wanted: false, all: None });
        }
        let last = otherwise.map(|body| self.branch(body)).unwrap_or_default();
        self.conditions.truncate(depth);
        for segment in last.keys() {
            touched.entry(*segment).or_default();
        }

        for (segment, set) in touched {
            let before = self.segments[segment].value;
            let mut value = *last.get(&segment).unwrap_or(&before);
            if exclusive && value == before {
                for (k, result) in set.into_iter().rev() {
                    value = self.either(segment, arms[k].0, result, value, loc);
                }
            } else {
                let mut set = set.into_iter().rev().peekable();
                for (k, (condition, _)) in arms.iter().enumerate().rev() {
                    let result = set.next_if(|(arm, _)| *arm == k).map_or(before, |(_, result)| result);
                    value = self.either(segment, *condition, result, value, loc);
                }
            }
            self.replace(segment, value);
        }
    }

    /// A value under a condition, else another; none where either is missing.
    fn either(
        &mut self,
        segment: usize,
        condition: NodeId,
        yes: Option<NodeId>,
        no: Option<NodeId>,
        loc: Loc,
    ) -> Option<NodeId> {
        let (yes, no) = (yes?, no?);
        if yes == no {
            return Some(no);
        }
        let (width, signed) = (self.segments[segment].width, self.out.nodes[yes.index()].signed);
        Some(self.push(Op::Mux(condition, yes, no), width, signed, loc))
    }

    fn switch(
        &mut self,
        subject: NodeId,
        cases: &[(Vec<NodeId>, Vec<Stmt>)],
        default: &Option<Vec<Stmt>>,
        loc: Loc,
    ) {
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
        // Cases are different constants.
        self.choose(&arms, otherwise, true, loc);
    }

    /// All conditions around the current statement in one bit; `None` outside of all.
    fn enable(&mut self, loc: Loc) -> Option<NodeId> {
        let known = self.conditions.iter().rposition(|c| c.all.is_some());
        let mut all = known.and_then(|k| self.conditions[k].all);
        for k in known.map_or(0, |k| k + 1)..self.conditions.len() {
            let Condition { node, wanted, .. } = self.conditions[k];
            let term = if wanted { node } else { self.push(Op::Not(node), 1, false, loc) };
            all = Some(match all {
                None => term,
                Some(before) => self.push(Op::And(before, term), 1, false, loc),
            });
            self.conditions[k].all = all;
        }
        all
    }

    /// The data flow. What is not driven is 0, so that the rest of a mistaken design can be judged.
    fn finish(mut self) -> Lowered {
        for k in 0..self.segments.len() {
            if self.segments[k].value.is_none() {
                let (width, loc) = (self.segments[k].width, self.module.signal(self.segments[k].signal).loc);
                let zero = self.push(Op::Const(Bits::zero(width), None), width, false, loc);
                self.segments[k].value = Some(zero);
            }
        }
        for (k, range) in self.of_signal.iter().enumerate() {
            let signal = &self.module.signals[k];
            // The last place where the bits are set, else where their signal was made.
            let set_at =
                |segment: &Segment| segment.sets.last().map_or(signal.loc, |set| self.sets[*set].loc);
            let driven = self.segments[range.clone()].iter();
            let drivers =
                driven.filter_map(|s| Some(Driver { low: s.low, node: s.value?, loc: set_at(s) })).collect();
            debug_assert!(range.is_empty() || self.segments[range.start].signal.index() == k);
            self.out.drivers.push(drivers);
        }
        self.out
    }
}
