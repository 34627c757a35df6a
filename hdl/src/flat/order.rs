//! Puts the nodes in an order in which they can be computed, and finds combinational loops.
//!
//! Words that seem to depend on themselves are split into bits first: a bus whose bits feed each other in order is no
//! loop.

use std::collections::HashMap;

use crate::bits::Bits;
use crate::diagnostic::Diagnostic;
use crate::flat::build::{Raw, RawNode, RawOp};
use crate::flat::{Flat, FlatNode, FlatOp, Index, loops};
use crate::ir::Op;

pub(super) fn order(mut raw: Raw) -> Result<Flat, Vec<Diagnostic>> {
    let cyclic: Vec<Vec<Index>> =
        components(&raw.nodes).into_iter().filter(|c| is_cyclic(&raw.nodes, c)).collect();
    for component in &cyclic {
        split(&mut raw.nodes, component);
    }
    let sorted = components(&raw.nodes);
    let loops: Vec<&Vec<Index>> = sorted.iter().filter(|c| is_cyclic(&raw.nodes, c)).collect();
    if !loops.is_empty() {
        return Err(loops::describe(&raw, &loops));
    }
    let order: Vec<Index> = sorted.into_iter().flatten().collect();
    Ok(renumber(raw, &order))
}

pub(super) fn operands(op: &RawOp) -> Vec<Index> {
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

fn components(nodes: &[RawNode]) -> Vec<Vec<Index>> {
    crate::components::components(nodes.len(), |node| operands(&nodes[node as usize].op))
}

/// Splits every node of a component into single bits.
fn split(nodes: &mut Vec<RawNode>, component: &[Index]) {
    let mut first_bit: HashMap<Index, Index> = HashMap::new();
    for &n in component {
        first_bit.insert(n, nodes.len() as Index);
        let RawNode { width, scope, signal, .. } = nodes[n as usize];
        for low in 0..width {
            nodes.push(RawNode { op: RawOp::Input, width: 1, signed: false, scope, signal, low });
        }
    }
    for &n in component {
        let node = nodes[n as usize].clone();
        let first = first_bit[&n];
        let mut splitter = Splitter { nodes, first_bit: &first_bit, scope: node.scope, whole: None };
        for i in 0..node.width {
            let bit = splitter.bit_op(&node, i);
            splitter.nodes[(first + i) as usize].op = bit;
        }
        let bits = (0..node.width).rev().map(|i| first + i).collect();
        nodes[n as usize].op = RawOp::Compute(Op::Concat(bits));
    }
}

/// Makes the bits of one node.
struct Splitter<'a> {
    nodes: &'a mut Vec<RawNode>,
    first_bit: &'a HashMap<Index, Index>,
    /// The instance that the node was written in.
    scope: usize,
    /// The node itself, on operands made of bits, if all its bits depend on all bits of its operands.
    whole: Option<Index>,
}

impl Splitter<'_> {
    fn push(&mut self, op: RawOp, width: u32, signed: bool) -> Index {
        self.nodes.push(RawNode { op, width, signed, scope: self.scope, signal: None, low: 0 });
        self.nodes.len() as Index - 1
    }

    fn bit(&mut self, node: Index, i: u32) -> Index {
        match self.first_bit.get(&node) {
            Some(first) => first + i,
            None if self.nodes[node as usize].width == 1 => node,
            None => self.push(RawOp::Compute(Op::Slice(node, i)), 1, false),
        }
    }

    /// The low bits of a node, made of its bits.
    fn low(&mut self, node: Index, width: u32) -> Index {
        if !self.first_bit.contains_key(&node) {
            return match width == self.nodes[node as usize].width {
                true => node,
                false => self.push(RawOp::Compute(Op::Slice(node, 0)), width, false),
            };
        }
        let bits: Vec<Index> = (0..width).rev().map(|i| self.bit(node, i)).collect();
        self.push(RawOp::Compute(Op::Concat(bits)), width, false)
    }

    /// All of a node, made of its bits.
    fn all(&mut self, node: Index) -> Index {
        let RawNode { width, signed, .. } = self.nodes[node as usize];
        let joined = self.low(node, width);
        if signed && joined != node {
            self.push(RawOp::Compute(Op::Cast(joined)), width, true)
        } else {
            joined
        }
    }

    fn slice_of_whole(&mut self, node: &RawNode, i: u32) -> RawOp {
        let whole = match self.whole {
            Some(whole) => whole,
            None => {
                let op = match &node.op {
                    RawOp::Compute(op) => RawOp::Compute(op.map(|n| self.all(n))),
                    RawOp::Alias(other) => RawOp::Alias(self.all(*other)),
                    RawOp::MemoryRead { memory, addr } => {
                        RawOp::MemoryRead { memory: *memory, addr: self.all(*addr) }
                    }
                    leaf => leaf.clone(),
                };
                self.push(op, node.width, node.signed)
            }
        };
        self.whole = Some(whole);
        RawOp::Compute(Op::Slice(whole, i))
    }

    /// The amount of a shift, if it is a constant.
    fn constant(&self, amount: Index) -> Option<u64> {
        match &self.nodes[amount as usize].op {
            RawOp::Compute(Op::Const(value, _)) => Some(value.to_u64().unwrap_or(u64::MAX)),
            _ => None,
        }
    }

    fn bit_op(&mut self, node: &RawNode, i: u32) -> RawOp {
        let op = match &node.op {
            RawOp::Alias(other) => return RawOp::Alias(self.bit(*other, i)),
            RawOp::Compute(op) => op,
            _ => return self.slice_of_whole(node, i),
        };
        let zero = RawOp::Compute(Op::Const(Bits::zero(1), None));
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
                zero
            }
            Op::Slice(a, low) => RawOp::Alias(self.bit(*a, low + i)),
            Op::Cast(a) => RawOp::Alias(self.bit(*a, i)),
            Op::Extend(a) => {
                let RawNode { width, signed, .. } = self.nodes[*a as usize];
                match i < width || signed {
                    true => RawOp::Alias(self.bit(*a, i.min(width - 1))),
                    false => zero,
                }
            }
            Op::Shl(a, amount) => match self.constant(*amount) {
                Some(by) if by <= i as u64 => RawOp::Alias(self.bit(*a, i - by as u32)),
                Some(_) => zero,
                None => self.slice_of_whole(node, i),
            },
            Op::Shr(a, amount) => match self.constant(*amount) {
                Some(by) if by < (node.width - i) as u64 => RawOp::Alias(self.bit(*a, i + by as u32)),
                Some(_) if node.signed => RawOp::Alias(self.bit(*a, node.width - 1)),
                Some(_) => zero,
                None => self.slice_of_whole(node, i),
            },
            // A bit of a sum depends only on the bits up to it.
            Op::Add(a, b) | Op::Sub(a, b) => {
                let (a, b) = (self.low(*a, i + 1), self.low(*b, i + 1));
                let sum = if matches!(op, Op::Add(..)) { Op::Add(a, b) } else { Op::Sub(a, b) };
                let sum = self.push(RawOp::Compute(sum), i + 1, false);
                RawOp::Compute(Op::Slice(sum, i))
            }
            _ => self.slice_of_whole(node, i),
        }
    }
}

/// Drops aliases and moves every node to its place in the order.
fn renumber(raw: Raw, order: &[Index]) -> Flat {
    let mut place = vec![0 as Index; raw.nodes.len()];
    let mut flat = raw.flat;
    for &n in order {
        let RawNode { op, width, signed, scope, .. } = &raw.nodes[n as usize];
        let op = match op {
            RawOp::Alias(other) => {
                let other = place[*other as usize];
                if flat.nodes[other as usize].signed == *signed {
                    place[n as usize] = other;
                    continue;
                }
                FlatOp::Compute(Op::Cast(other))
            }
            RawOp::Compute(op) => FlatOp::Compute(op.map(|m| place[m as usize])),
            RawOp::Input => FlatOp::Input,
            RawOp::State => FlatOp::State,
            RawOp::MemoryRead { memory, addr } => {
                FlatOp::MemoryRead { memory: *memory, addr: place[*addr as usize] }
            }
        };
        place[n as usize] = flat.nodes.len() as Index;
        flat.nodes.push(FlatNode { op, width: *width, signed: *signed, scope: *scope });
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
