//! Puts the nodes in an order in which they can be computed, and finds combinational loops.
//!
//! Words that seem to depend on themselves are split into bits first: a bus whose bits feed each other in order is no
//! loop.

use std::collections::{HashMap, HashSet};

use crate::bits::Bits;
use crate::diagnostic::{Diagnostic, Kind};
use crate::flat::build::{Raw, RawNode, RawOp};
use crate::flat::{Flat, FlatNode, FlatOp, Index};
use crate::ir::Op;

pub(super) fn order(mut raw: Raw) -> Result<Flat, Vec<Diagnostic>> {
    let cyclic: Vec<Vec<Index>> = components(&raw.nodes).into_iter().filter(|c| is_cyclic(&raw.nodes, c)).collect();
    for component in &cyclic {
        split(&mut raw.nodes, component);
    }
    let sorted = components(&raw.nodes);
    let loops: Vec<Diagnostic> =
        sorted.iter().filter(|c| is_cyclic(&raw.nodes, c)).map(|c| describe(&raw, c)).collect();
    if !loops.is_empty() {
        let mut seen = HashSet::new();
        return Err(loops.into_iter().filter(|d| seen.insert(d.labels[0].0)).collect());
    }
    let order: Vec<Index> = sorted.into_iter().flatten().collect();
    Ok(renumber(raw, &order))
}

fn operands(op: &RawOp) -> Vec<Index> {
    match op {
        RawOp::Compute(op) => op.operands(),
        RawOp::Alias(other) => vec![*other],
        RawOp::MemoryRead { addr, .. } => vec![*addr],
        RawOp::Input | RawOp::State => vec![],
    }
}

fn is_cyclic(nodes: &[RawNode], component: &[Index]) -> bool {
    component.len() > 1 || operands(&nodes[component[0] as usize].op).contains(&component[0])
}

/// Strongly connected components, operands before users (Tarjan, *Depth-first search and linear graph algorithms*, 1972;
/// without recursion, since paths are long).
fn components(nodes: &[RawNode]) -> Vec<Vec<Index>> {
    const NEW: u32 = u32::MAX;
    let mut number = vec![NEW; nodes.len()];
    let mut lowest = vec![0u32; nodes.len()];
    let mut on_stack = vec![false; nodes.len()];
    let (mut stack, mut found, mut count) = (Vec::new(), Vec::new(), 0);
    let mut work: Vec<(Index, Vec<Index>, usize)> = Vec::new();
    for root in 0..nodes.len() as Index {
        if number[root as usize] != NEW {
            continue;
        }
        work.push((root, operands(&nodes[root as usize].op), 0));
        while let Some((node, next, at)) = work.last_mut() {
            let (v, this) = (*node as usize, *node);
            if *at == 0 && number[v] == NEW {
                number[v] = count;
                lowest[v] = count;
                count += 1;
                stack.push(this);
                on_stack[v] = true;
            }
            if let Some(&w) = next.get(*at) {
                *at += 1;
                if number[w as usize] == NEW {
                    work.push((w, operands(&nodes[w as usize].op), 0));
                } else if on_stack[w as usize] {
                    lowest[v] = lowest[v].min(number[w as usize]);
                }
                continue;
            }
            work.pop();
            if let Some((parent, ..)) = work.last() {
                let p = *parent as usize;
                lowest[p] = lowest[p].min(lowest[v]);
            }
            if lowest[v] == number[v] {
                let mut component = Vec::new();
                while let Some(w) = stack.pop() {
                    on_stack[w as usize] = false;
                    component.push(w);
                    if w == this {
                        break;
                    }
                }
                found.push(component);
            }
        }
    }
    found
}

/// Splits every node of a component into single bits.
fn split(nodes: &mut Vec<RawNode>, component: &[Index]) {
    let mut first_bit: HashMap<Index, Index> = HashMap::new();
    for &n in component {
        first_bit.insert(n, nodes.len() as Index);
        for _ in 0..nodes[n as usize].width {
            let signal = nodes[n as usize].signal;
            nodes.push(RawNode { op: RawOp::Input, width: 1, signed: false, signal });
        }
    }
    for &n in component {
        let RawNode { op, width, signed, .. } = nodes[n as usize].clone();
        for i in 0..width {
            let mut s = Splitter { nodes, first_bit: &first_bit };
            let bit = s.bit_op(&op, i, width, signed);
            nodes[(first_bit[&n] + i) as usize].op = bit;
        }
        let bits = (0..width).rev().map(|i| first_bit[&n] + i).collect();
        nodes[n as usize].op = RawOp::Compute(Op::Concat(bits));
    }
}

struct Splitter<'a> {
    nodes: &'a mut Vec<RawNode>,
    first_bit: &'a HashMap<Index, Index>,
}

impl Splitter<'_> {
    fn push(&mut self, op: Op<Index>, width: u32, signed: bool) -> Index {
        self.nodes.push(RawNode { op: RawOp::Compute(op), width, signed, signal: None });
        self.nodes.len() as Index - 1
    }

    fn bit(&mut self, node: Index, i: u32) -> Index {
        match self.first_bit.get(&node) {
            Some(first) => first + i,
            None if self.nodes[node as usize].width == 1 => node,
            None => self.push(Op::Slice(node, i), 1, false),
        }
    }

    /// The low bits of a node, or all of it, made of its bits.
    fn low(&mut self, node: Index, width: u32, signed: bool) -> Index {
        let bits: Vec<Index> = (0..width).rev().map(|i| self.bit(node, i)).collect();
        let joined = self.push(Op::Concat(bits), width, false);
        if signed { self.push(Op::Cast(joined), width, true) } else { joined }
    }

    fn all(&mut self, node: Index) -> Index {
        let RawNode { width, signed, .. } = self.nodes[node as usize];
        self.low(node, width, signed)
    }

    fn bit_op(&mut self, op: &RawOp, i: u32, width: u32, signed: bool) -> RawOp {
        let op = match op {
            RawOp::Alias(other) => return RawOp::Alias(self.bit(*other, i)),
            RawOp::MemoryRead { memory, addr } => {
                let addr = self.all(*addr);
                let word = RawOp::MemoryRead { memory: *memory, addr };
                self.nodes.push(RawNode { op: word, width, signed, signal: None });
                let word = self.nodes.len() as Index - 1;
                return RawOp::Compute(Op::Slice(word, i));
            }
            RawOp::Compute(op) => op,
            other => return other.clone(),
        };
        match op {
            Op::Not(_) | Op::And(..) | Op::Or(..) | Op::Xor(..) => RawOp::Compute(op.map(|n| self.bit(n, i))),
            Op::Mux(c, a, b) => {
                let (c, a, b) = (self.bit(*c, 0), self.bit(*a, i), self.bit(*b, i));
                RawOp::Compute(Op::Mux(c, a, b))
            }
            Op::Concat(parts) => {
                let mut at = i;
                for part in parts.iter().rev() {
                    let part_width = self.nodes[*part as usize].width;
                    if at < part_width {
                        return RawOp::Alias(self.bit(*part, at));
                    }
                    at -= part_width;
                }
                RawOp::Compute(Op::Const(Bits::zero(1), None))
            }
            Op::Slice(a, low) => RawOp::Alias(self.bit(*a, low + i)),
            Op::Cast(a) => RawOp::Alias(self.bit(*a, i)),
            Op::Extend(a) => {
                let inner = self.nodes[*a as usize].clone();
                match i < inner.width {
                    true => RawOp::Alias(self.bit(*a, i)),
                    false if inner.signed => RawOp::Alias(self.bit(*a, inner.width - 1)),
                    false => RawOp::Compute(Op::Const(Bits::zero(1), None)),
                }
            }
            // A bit of a sum depends only on the bits up to it.
            Op::Add(a, b) | Op::Sub(a, b) => {
                let (a, b) = (self.low(*a, i + 1, false), self.low(*b, i + 1, false));
                let sum = if matches!(op, Op::Add(..)) { Op::Add(a, b) } else { Op::Sub(a, b) };
                let sum = self.push(sum, i + 1, false);
                RawOp::Compute(Op::Slice(sum, i))
            }
            other => {
                let whole = other.map(|n| self.all(n));
                let whole = self.push(whole, width, signed);
                RawOp::Compute(Op::Slice(whole, i))
            }
        }
    }
}

/// The loop as a chain of signals.
fn describe(raw: &Raw, component: &[Index]) -> Diagnostic {
    let members: HashSet<Index> = component.iter().copied().collect();
    let is_signal = |n: Index| raw.nodes[n as usize].signal.is_some();
    let start = component.iter().copied().filter(|n| is_signal(*n)).min().unwrap_or(component[0]);
    // Breadth first from the start along operands, back to the start: a shortest loop.
    let mut from: HashMap<Index, Index> = HashMap::new();
    let mut queue = std::collections::VecDeque::from([start]);
    let mut last = start;
    'search: while let Some(node) = queue.pop_front() {
        for next in operands(&raw.nodes[node as usize].op) {
            if next == start {
                last = node;
                break 'search;
            }
            if members.contains(&next) && !from.contains_key(&next) {
                from.insert(next, node);
                queue.push_back(next);
            }
        }
    }
    // `last` is what the start feeds; walking back gives the order in which values flow.
    let mut chain = vec![start];
    let mut at = last;
    while at != start {
        chain.push(at);
        at = from[&at];
    }
    let mut signals: Vec<usize> = chain.iter().filter_map(|n| raw.nodes[*n as usize].signal).collect();
    signals.dedup();
    if signals.len() > 1 && signals.first() == signals.last() {
        signals.pop();
    }
    let name = |k: &usize| {
        let signal = &raw.flat.signals[*k];
        match raw.flat.scope_path(signal.scope).split_once('.') {
            Some((_, path)) => format!("{path}.{}", signal.name),
            None => signal.name.clone(),
        }
    };
    let names: Vec<String> = signals.iter().chain(signals.first()).map(name).collect();
    let mut places = signals.iter().map(|k| (raw.flat.signals[*k].loc, name(k)));
    let (first, label) = places.next().expect("a loop passes through a signal");
    let message = format!("combinational loop: {}", names.join(" -> "));
    let mut diagnostic = Diagnostic::new(Kind::CombinationalLoop, first, message).here(label);
    for (loc, label) in places {
        diagnostic = diagnostic.label(loc, label);
    }
    diagnostic.help("put a register somewhere into the loop")
}

/// Drops aliases and moves every node to its place in the order.
fn renumber(raw: Raw, order: &[Index]) -> Flat {
    let mut place = vec![0 as Index; raw.nodes.len()];
    let mut flat = raw.flat;
    for &n in order {
        let RawNode { op, width, signed, .. } = &raw.nodes[n as usize];
        let op = match op {
            RawOp::Alias(other) => {
                place[n as usize] = place[*other as usize];
                continue;
            }
            RawOp::Compute(op) => FlatOp::Compute(op.map(|m| place[m as usize])),
            RawOp::Input => FlatOp::Input,
            RawOp::State => FlatOp::State,
            RawOp::MemoryRead { memory, addr } => {
                FlatOp::MemoryRead { memory: *memory, addr: place[*addr as usize] }
            }
        };
        place[n as usize] = flat.nodes.len() as Index;
        flat.nodes.push(FlatNode { op, width: *width, signed: *signed });
    }
    let at = |n: &mut Index| *n = place[*n as usize];
    let at_option = |n: &mut Option<Index>| n.iter_mut().for_each(at);
    flat.inputs.iter_mut().chain(&mut flat.outputs).for_each(|p| at(&mut p.node));
    flat.signals.iter_mut().for_each(|s| at(&mut s.node));
    for reg in &mut flat.regs {
        at(&mut reg.state);
        at(&mut reg.next);
        reg.reset.iter_mut().for_each(|r| at(&mut r.0));
    }
    for memory in &mut flat.memories {
        for read in &mut memory.reads {
            at(&mut read.state);
            at(&mut read.addr);
            at_option(&mut read.enable);
        }
        for write in &mut memory.writes {
            at(&mut write.addr);
            at(&mut write.data);
            at_option(&mut write.mask);
            at_option(&mut write.enable);
        }
    }
    for check in &mut flat.checks {
        at(&mut check.cond);
        at_option(&mut check.enable);
    }
    flat
}
