//! The netlist as the engine compiles it: signedness is part of the operation, equal values of an instance are one node, and what
//! constants and slices of concatenations make needless is gone.

use std::collections::HashMap;

use ferrite_hdl::Bits;

/// A node's position in [`Graph::nodes`]; operands stand before their users.
pub(super) type Id = u32;

/// The instance of nodes that belong to none: constants, inputs, and what registers hold.
pub(super) const NOWHERE: u32 = u32::MAX;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less { signed: bool },
    AtMost { signed: bool },
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Op {
    /// Words, least significant first.
    Const(Vec<u64>),
    /// Position in `Flat::inputs`.
    Input(u32),
    /// Position in `Netlist::states`.
    State(u32),
    /// The word of a memory at an address.
    Read {
        memory: u32,
        addr: Id,
    },
    Not(Id),
    And(Id, Id),
    Or(Id, Id),
    Xor(Id, Id),
    Add(Id, Id),
    Sub(Id, Id),
    Mul {
        a: Id,
        b: Id,
        signed: bool,
    },
    Compare(Comparison, Id, Id),
    Shl(Id, Id),
    Shr {
        a: Id,
        amount: Id,
        signed: bool,
    },
    Mux(Id, Id, Id),
    /// The first part is most significant.
    Concat(Vec<Id>),
    Slice(Id, u32),
    Extend {
        a: Id,
        signed: bool,
    },
    Parity(Id),
}

impl Op {
    pub fn operands(&self) -> Vec<Id> {
        match self {
            Op::Const(_) | Op::Input(_) | Op::State(_) => vec![],
            Op::Read { addr: a, .. }
            | Op::Not(a)
            | Op::Slice(a, _)
            | Op::Extend { a, .. }
            | Op::Parity(a) => vec![*a],
            Op::And(a, b) | Op::Or(a, b) | Op::Xor(a, b) | Op::Add(a, b) | Op::Sub(a, b) => vec![*a, *b],
            Op::Mul { a, b, .. } | Op::Compare(_, a, b) | Op::Shl(a, b) => vec![*a, *b],
            Op::Shr { a, amount, .. } => vec![*a, *amount],
            Op::Mux(c, a, b) => vec![*c, *a, *b],
            Op::Concat(parts) => parts.clone(),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub op: Op,
    pub width: u32,
    /// The instance that it was written in.
    pub scope: u32,
}

/// Nodes, and which of them there are already.
#[derive(Default)]
pub(super) struct Graph {
    pub nodes: Vec<Node>,
    known: HashMap<(Op, u32, u32), Id>,
}

impl Graph {
    pub fn width(&self, id: Id) -> u32 {
        self.nodes[id as usize].width
    }

    pub fn op(&self, id: Id) -> &Op {
        &self.nodes[id as usize].op
    }

    fn push(&mut self, op: Op, width: u32, scope: u32) -> Id {
        let nodes = &mut self.nodes;
        *self.known.entry((op, width, scope)).or_insert_with_key(|(op, ..)| {
            nodes.push(Node { op: op.clone(), width, scope });
            nodes.len() as Id - 1
        })
    }

    pub fn constant(&mut self, value: &Bits) -> Id {
        self.push(Op::Const(value.to_words()), value.width(), NOWHERE)
    }

    /// A constant's value.
    pub fn value(&self, id: Id) -> Option<Bits> {
        match self.op(id) {
            Op::Const(words) => Some(Bits::from_words(self.width(id), words)),
            _ => None,
        }
    }

    fn is_zero(&self, id: Id) -> bool {
        matches!(self.op(id), Op::Const(words) if words.iter().all(|w| *w == 0))
    }

    fn is_ones(&self, id: Id) -> bool {
        self.value(id).is_some_and(|value| value == Bits::ones(value.width()))
    }

    fn zero(&mut self, width: u32) -> Id {
        self.constant(&Bits::zero(width))
    }

    /// A node that computes this, simplified. Operands that are all constant are the caller's to fold.
    pub fn make(&mut self, op: Op, width: u32, scope: u32) -> Id {
        match op {
            Op::Input(_) | Op::State(_) => self.push(op, width, NOWHERE),
            Op::Not(a) => self.not(a, scope),
            Op::And(a, b) | Op::Or(a, b) | Op::Xor(a, b) => self.bitwise(op, a, b, scope),
            Op::Add(a, b) if self.is_zero(a) => b,
            Op::Add(a, b) | Op::Sub(a, b) if self.is_zero(b) => a,
            Op::Mul { a, b, .. } if self.is_zero(a) || self.is_zero(b) => self.zero(width),
            Op::Compare(Comparison::Unequal, a, b) if width_is_1(self, a) && self.is_zero(b) => a,
            Op::Compare(Comparison::Equal, a, b) if width_is_1(self, a) && self.is_ones(b) => a,
            Op::Shl(a, amount) => self.shift_left(a, amount, scope),
            Op::Shr { a, amount, signed } => self.shift_right(a, amount, signed, scope),
            Op::Mux(c, a, b) => self.mux(c, a, b, scope),
            Op::Concat(parts) => self.concat(&parts, scope),
            Op::Slice(a, low) => self.slice(a, low, width, scope),
            Op::Extend { a, signed } => self.extend(a, width, signed, scope),
            _ => self.push(op, width, scope),
        }
    }

    pub fn not(&mut self, a: Id, scope: u32) -> Id {
        use Comparison::*;
        if let Some(value) = self.value(a) {
            return self.constant(&value.not());
        }
        let op = match *self.op(a) {
            Op::Not(b) => return b,
            Op::Compare(Equal, x, y) => Op::Compare(Unequal, x, y),
            Op::Compare(Unequal, x, y) => Op::Compare(Equal, x, y),
            Op::Compare(Less { signed }, x, y) => Op::Compare(AtMost { signed }, y, x),
            Op::Compare(AtMost { signed }, x, y) => Op::Compare(Less { signed }, y, x),
            _ => Op::Not(a),
        };
        self.push(op, self.width(a), scope)
    }

    fn bitwise(&mut self, op: Op, a: Id, b: Id, scope: u32) -> Id {
        let (a, b) = if self.is_zero(a) || self.is_ones(a) { (b, a) } else { (a, b) };
        let width = self.width(a);
        match op {
            Op::And(..) if self.is_zero(b) => b,
            Op::And(..) if self.is_ones(b) => a,
            Op::Or(..) if self.is_zero(b) => a,
            Op::Or(..) if self.is_ones(b) => b,
            Op::Xor(..) if self.is_zero(b) => a,
            Op::Xor(..) if self.is_ones(b) => self.not(a, scope),
            Op::And(..) | Op::Or(..) if a == b => a,
            Op::Xor(..) if a == b => self.zero(width),
            Op::And(..) => self.push(Op::And(a, b), width, scope),
            Op::Or(..) => self.push(Op::Or(a, b), width, scope),
            _ => self.push(Op::Xor(a, b), width, scope),
        }
    }

    fn mux(&mut self, c: Id, a: Id, b: Id, scope: u32) -> Id {
        if a == b || self.is_ones(c) {
            return a;
        }
        if self.is_zero(c) {
            return b;
        }
        if let Op::Not(c) = *self.op(c) {
            return self.mux(c, b, a, scope);
        }
        if self.width(a) == 1 {
            let arms = [self.is_zero(a), self.is_ones(a), self.is_zero(b), self.is_ones(b)];
            match arms {
                [_, true, _, _] => return self.bitwise(Op::Or(c, b), c, b, scope),
                [_, _, true, _] => return self.bitwise(Op::And(c, a), c, a, scope),
                [true, ..] => {
                    let c = self.not(c, scope);
                    return self.bitwise(Op::And(c, b), c, b, scope);
                }
                [.., true] => {
                    let c = self.not(c, scope);
                    return self.bitwise(Op::Or(c, a), c, a, scope);
                }
                _ => {}
            }
        }
        self.push(Op::Mux(c, a, b), self.width(a), scope)
    }

    /// The amount of a shift, if it is a constant; huge ones are cut to `width`, which shifts everything out.
    fn amount(&self, amount: Id, width: u32) -> Option<u32> {
        self.value(amount).map(|n| n.to_u64().map_or(width, |n| n.min(width.into()) as u32))
    }

    fn shift_left(&mut self, a: Id, amount: Id, scope: u32) -> Id {
        let width = self.width(a);
        match self.amount(amount, width) {
            None => self.push(Op::Shl(a, amount), width, scope),
            Some(0) => a,
            Some(n) if n >= width => self.zero(width),
            Some(n) => {
                let kept = self.slice(a, 0, width - n, scope);
                let zeros = self.zero(n);
                self.concat(&[kept, zeros], scope)
            }
        }
    }

    fn shift_right(&mut self, a: Id, amount: Id, signed: bool, scope: u32) -> Id {
        let width = self.width(a);
        match self.amount(amount, width) {
            None => self.push(Op::Shr { a, amount, signed }, width, scope),
            Some(0) => a,
            Some(n) if n >= width && !signed => self.zero(width),
            Some(n) => {
                let n = n.min(width - 1);
                let kept = self.slice(a, n, width - n, scope);
                self.extend(kept, width, signed, scope)
            }
        }
    }

    fn extend(&mut self, a: Id, width: u32, signed: bool, scope: u32) -> Id {
        if self.width(a) == width {
            return a;
        }
        if let Some(value) = self.value(a) {
            return self.constant(&value.resize(width, signed));
        }
        match *self.op(a) {
            // A value extended by zeros has no sign.
            Op::Extend { a, signed: inner } if inner == signed || !inner => {
                self.extend(a, width, inner, scope)
            }
            _ => self.push(Op::Extend { a, signed }, width, scope),
        }
    }

    fn concat(&mut self, parts: &[Id], scope: u32) -> Id {
        let mut flat: Vec<Id> = Vec::with_capacity(parts.len());
        for part in parts {
            match self.op(*part) {
                Op::Concat(inner) => flat.extend(inner.clone()),
                _ => flat.push(*part),
            }
        }
        let mut joined: Vec<Id> = Vec::with_capacity(flat.len());
        let flat = self.repeated(flat, scope);
        for part in flat {
            let together = joined.last().and_then(|above| self.together(*above, part, scope));
            match together {
                Some(both) => {
                    joined.pop();
                    joined.push(both);
                }
                None => joined.push(part),
            }
        }
        let width = joined.iter().map(|p| self.width(*p)).sum();
        match joined[..] {
            [one] => one,
            [high, low] if self.is_zero(high) => self.extend(low, width, false, scope),
            _ => self.push(Op::Concat(joined), width, scope),
        }
    }

    /// One bit several times in a row is that bit extended by its sign.
    fn repeated(&mut self, parts: Vec<Id>, scope: u32) -> Vec<Id> {
        let mut joined = Vec::with_capacity(parts.len());
        for run in parts.chunk_by(|a, b| a == b) {
            match run {
                [bit, _, ..] if self.width(*bit) == 1 => {
                    joined.push(self.extend(*bit, run.len() as u32, true, scope));
                }
                _ => joined.extend(run),
            }
        }
        joined
    }

    /// Two neighbours in a concatenation as one part, if they are neighbours in another value too.
    fn together(&mut self, above: Id, below: Id, scope: u32) -> Option<Id> {
        if let (Some(high), Some(low)) = (self.value(above), self.value(below)) {
            return Some(self.constant(&high.concat(&low)));
        }
        let width = self.width(above) + self.width(below);
        match (self.op(above), self.op(below)) {
            (&Op::Slice(a, high), &Op::Slice(b, low)) if a == b && high == low + self.width(below) => {
                Some(self.slice(a, low, width, scope))
            }
            _ => None,
        }
    }

    pub fn slice(&mut self, a: Id, low: u32, width: u32, scope: u32) -> Id {
        let from = self.width(a);
        if from == width {
            return a;
        }
        if let Some(value) = self.value(a) {
            return self.constant(&value.slice(low, width));
        }
        match self.op(a).clone() {
            Op::Slice(b, below) => self.slice(b, low + below, width, scope),
            Op::Extend { a: b, .. } if low + width <= self.width(b) => self.slice(b, low, width, scope),
            Op::Extend { a: b, signed: false } if low >= self.width(b) => self.zero(width),
            Op::Concat(parts) => self.slice_of_concat(a, &parts, low, width, scope),
            op if from > 64 && width <= 64 => self.narrowed(op, a, low, width, scope),
            _ => self.push(Op::Slice(a, low), width, scope),
        }
    }

    /// The parts that a slice touches, if only the first and the last of them are cut.
    fn slice_of_concat(&mut self, whole: Id, parts: &[Id], low: u32, width: u32, scope: u32) -> Id {
        let mut at = 0;
        let mut touched = Vec::new();
        for part in parts.iter().rev() {
            let part_width = self.width(*part);
            let (from, to) = (low.max(at), (low + width).min(at + part_width));
            if from < to {
                touched.push((*part, from - at, to - from));
            }
            at += part_width;
        }
        // Many small pieces of a narrow word are better cut out of it at once.
        if touched.len() > 2 && self.width(whole) <= 64 {
            return self.push(Op::Slice(whole, low), width, scope);
        }
        let pieces: Vec<Id> =
            touched.iter().rev().map(|(part, low, width)| self.slice(*part, *low, *width, scope)).collect();
        self.concat(&pieces, scope)
    }

    /// Few bits of a wide operation, made of few bits of its operands.
    fn narrowed(&mut self, op: Op, whole: Id, low: u32, width: u32, scope: u32) -> Id {
        let mut part = |a: Id| self.slice(a, low, width, scope);
        let op = match op {
            Op::Not(a) => {
                let a = part(a);
                return self.not(a, scope);
            }
            Op::And(a, b) => Op::And(part(a), part(b)),
            Op::Or(a, b) => Op::Or(part(a), part(b)),
            Op::Xor(a, b) => Op::Xor(part(a), part(b)),
            Op::Mux(c, a, b) => Op::Mux(c, part(a), part(b)),
            Op::Add(a, b) if low == 0 => Op::Add(part(a), part(b)),
            Op::Sub(a, b) if low == 0 => Op::Sub(part(a), part(b)),
            _ => return self.push(Op::Slice(whole, low), width, scope),
        };
        self.make(op, width, scope)
    }
}

fn width_is_1(graph: &Graph, id: Id) -> bool {
    graph.width(id) == 1
}
