//! Wider, narrower, cut out, put together.

use std::panic::Location;

use super::{MAX_WIDTH, Operand, UInt, constant, describe, too_wide};
use crate::bits::Bits;
use crate::diagnostic::{Diagnostic, Kind};
use crate::elaborate::{report, with_building};
use crate::ir::{Loc, NodeId, Op, SignalId};

impl UInt {
    /// Extended by zeros to `width` bits.
    #[track_caller]
    pub fn extend(self, width: u32) -> UInt {
        let loc = Location::caller();
        let this = self.checked(loc);
        if width < this.width {
            let message = format!("`extend({width})` of a signal with {} bits", this.width);
            report(Diagnostic::new(Kind::BadWidth, loc, message).help("`truncate` drops bits"));
        }
        this.extend_at(width, loc)
    }

    pub(super) fn extend_at(self, width: u32, loc: Loc) -> UInt {
        if width <= self.width || too_wide(width, loc) {
            return self;
        }
        let folded = with_building(|b, _| match &b.ir.node(self.node).op {
            Op::Const(value, None) => Some(value.resize(width, false)),
            _ => None,
        });
        match folded.flatten() {
            Some(value) => constant(value, None, loc),
            None => UInt::make(Op::Extend(self.node), width, loc),
        }
    }

    /// The low `width` bits. Of a sum or difference it drops the carry without ever making it.
    #[track_caller]
    pub fn truncate(self, width: u32) -> UInt {
        let loc = Location::caller();
        let this = self.checked(loc);
        if width > this.width || width == 0 {
            let message = format!("`truncate({width})` of a signal with {} bits", this.width);
            let help = if width == 0 { "a signal has at least one bit" } else { "`extend` adds bits" };
            report(Diagnostic::new(Kind::BadWidth, loc, message).help(help));
            return this.extend_at(width, loc);
        }
        UInt { node: truncated(this.node, width, false, loc), width, ..this }
    }

    /// `width` bits from bit `low` up.
    #[track_caller]
    pub fn slice(self, low: u32, width: u32) -> UInt {
        let loc = Location::caller();
        let this = self.checked(loc);
        if width == 0 || low.checked_add(width).is_none_or(|end| end > this.width) {
            let name = with_building(|b, _| describe(b, this.node)).unwrap_or_default();
            let bits = if width == 1 { "1 bit".to_string() } else { format!("{width} bits") };
            let message =
                format!("a slice of {bits} from bit {low} up leaves {name}, which has {} bits", this.width);
            report(
                Diagnostic::new(Kind::SliceOutOfRange, loc, message)
                    .help(format!("its bits are 0 to {}", this.width - 1)),
            );
            return constant(Bits::zero(width.clamp(1, MAX_WIDTH)), None, loc);
        }
        if low == 0 && width == this.width {
            return this;
        }
        UInt { node: sliced(this.node, low, width, loc), width, ..this }
    }

    /// Bit `index`.
    #[track_caller]
    pub fn bit(self, index: u32) -> UInt {
        self.slice(index, 1)
    }

    /// The bit at a variable place; 0 beyond the width.
    #[track_caller]
    pub fn bit_at(self, index: UInt) -> UInt {
        let shifted = self >> index;
        shifted.bit(0)
    }

    /// The most significant bit.
    #[track_caller]
    pub fn msb(self) -> UInt {
        self.slice(self.width - 1, 1)
    }

    /// All bits, the lowest first.
    #[track_caller]
    pub fn to_bits(self) -> Vec<UInt> {
        let loc_bits = 0..self.width;
        loc_bits.map(|k| self.slice(k, 1)).collect()
    }

    /// This above `low`.
    #[track_caller]
    pub fn concat(self, low: impl Into<Operand>) -> UInt {
        concat_at(&[Operand::Signal(self), low.into()], Location::caller())
    }

    /// `count` copies side by side.
    #[track_caller]
    pub fn repeat(self, count: u32) -> UInt {
        let loc = Location::caller();
        let this = self.checked(loc);
        let width = this.width.saturating_mul(count);
        if count == 1 || width > MAX_WIDTH {
            return if count == 1 { this } else { UInt::make(Op::Read(SignalId(0)), width, loc) };
        }
        joined(vec![this.node; count as usize], width, loc)
    }
}

/// Operands side by side, the first one most significant.
#[track_caller]
pub fn concat<T: Into<Operand>>(parts: impl IntoIterator<Item = T>) -> UInt {
    let parts: Vec<Operand> = parts.into_iter().map(Into::into).collect();
    concat_at(&parts, Location::caller())
}

fn concat_at(parts: &[Operand], loc: Loc) -> UInt {
    let mut nodes = Vec::new();
    let mut width = 0u32;
    for part in parts {
        if let Operand::Number(value) = part {
            let message = format!("the number {value} in a concatenation has no width");
            report(
                Diagnostic::new(Kind::BadWidth, loc, message).help("write `Bits::from_u64(width, value)`"),
            );
            continue;
        }
        let part = part.clone().resolve(1, loc);
        width = width.saturating_add(part.width);
        nodes.push(part.node);
    }
    joined(nodes, width, loc)
}

/// Nodes side by side, neighbouring numbers as one.
fn joined(parts: Vec<NodeId>, width: u32, loc: Loc) -> UInt {
    if width > MAX_WIDTH {
        return UInt::make(Op::Concat(parts), width, loc);
    }
    let number = |node: NodeId| {
        with_building(|b, _| match &b.ir.node(node).op {
            Op::Const(value, None) => Some(value.clone()),
            _ => None,
        })
        .flatten()
    };
    let mut merged: Vec<NodeId> = Vec::new();
    let mut parts = parts.into_iter().peekable();
    while let Some(part) = parts.next() {
        let Some(mut value) = number(part) else {
            merged.push(part);
            continue;
        };
        let own_width = value.width();
        while let Some(next) = parts.peek().copied().and_then(number) {
            value = value.concat(&next);
            parts.next();
        }
        if value.width() == width {
            return constant(value, None, loc);
        }
        merged.push(if value.width() == own_width { part } else { constant(value, None, loc).node });
    }
    UInt::make(Op::Concat(merged), width, loc)
}

/// How many nodes below each other are narrowed or cut; the functions call themselves.
const MAX_NARROWED: u32 = 500;

/// `width` bits of a node from bit `low` up. They are taken from what the node is made of, so that nobody needs a name for the whole.
fn sliced(node: NodeId, low: u32, width: u32, loc: Loc) -> NodeId {
    sliced_from(node, low, width, MAX_NARROWED, loc)
}

/// As [`sliced`], through so many levels.
fn sliced_from(mut node: NodeId, mut low: u32, width: u32, levels: u32, loc: Loc) -> NodeId {
    let known = |node: NodeId| with_building(|b, _| b.ir.node(node).clone());
    let make = |op: Op<NodeId>| UInt::make(op, width, loc).node;
    loop {
        let Some(whole) = known(node) else { return node };
        if (low, width) == (0, whole.width) {
            return if whole.signed { make(Op::Cast(node)) } else { node };
        }
        match &whole.op {
            Op::Const(value, _) => return make(Op::Const(value.slice(low, width), None)),
            Op::Cast(inner) => node = *inner,
            Op::Slice(inner, at) => (node, low) = (*inner, low + at),
            Op::Extend(inner) => {
                let Some(part) = known(*inner) else { return node };
                if low + width <= part.width {
                    node = *inner;
                } else if !part.signed && low >= part.width {
                    return make(Op::Const(Bits::zero(width), None));
                } else if !part.signed && levels > 0 {
                    let rest = sliced_from(*inner, low, part.width - low, levels - 1, loc);
                    return make(Op::Extend(rest));
                } else {
                    return make(Op::Slice(node, low));
                }
            }
            Op::Concat(parts) => {
                let mut pieces = Vec::new();
                let mut end = 0;
                // The last part is the lowest.
                for part in parts.iter().rev() {
                    let Some(part_width) = known(*part).map(|part| part.width) else { return node };
                    let start = end;
                    end += part_width;
                    let (from, to) = (low.max(start), (low + width).min(end));
                    if from < to {
                        pieces.push((*part, from - start, to - from));
                    }
                }
                match pieces[..] {
                    [(part, at, _)] => (node, low) = (part, at),
                    _ if levels == 0 => return make(Op::Slice(node, low)),
                    _ => {
                        let piece = |&(part, at, width): &(NodeId, u32, u32)| {
                            sliced_from(part, at, width, levels - 1, loc)
                        };
                        return joined(pieces.iter().rev().map(piece).collect(), width, loc).node;
                    }
                }
            }
            _ => return make(Op::Slice(node, low)),
        }
    }
}

/// The low bits of a node. A sum, difference or bitwise operation is narrowed together with its operands.
pub(super) fn truncated(node: NodeId, width: u32, signed: bool, loc: Loc) -> NodeId {
    truncated_to(node, width, signed, MAX_NARROWED, loc)
}

/// As [`truncated`], through so many levels.
fn truncated_to(node: NodeId, width: u32, signed: bool, levels: u32, loc: Loc) -> NodeId {
    let (op, old_width, was_signed) = match with_building(|b, _| {
        let n = b.ir.node(node);
        (n.op.clone(), n.width, n.signed)
    }) {
        Some(n) => n,
        None => return node,
    };
    let make = |op: Op<NodeId>, signed: bool| UInt::make_as(op, width, signed, loc).node;
    if width == old_width {
        return if signed == was_signed { node } else { make(Op::Cast(node), signed) };
    }
    let narrow = |node: NodeId| truncated_to(node, width, signed, levels - 1, loc);
    match op {
        Op::Add(a, b) if levels > 0 => {
            let (a, b) = (narrow(a), narrow(b));
            make(Op::Add(a, b), signed)
        }
        Op::Sub(a, b) if levels > 0 => {
            let (a, b) = (narrow(a), narrow(b));
            make(Op::Sub(a, b), signed)
        }
        Op::Const(value, _) => make(Op::Const(value.resize(width, false), None), signed),
        Op::Extend(inner) => {
            let inner_width = with_building(|b, _| b.ir.node(inner).width).unwrap_or(width);
            let inner_signed = with_building(|b, _| b.ir.node(inner).signed).unwrap_or(false);
            if inner_width >= width {
                truncated_to(inner, width, signed, levels, loc)
            } else {
                let extended = make(Op::Extend(inner), inner_signed);
                if inner_signed == signed { extended } else { make(Op::Cast(extended), signed) }
            }
        }
        _ => {
            let slice = sliced(node, 0, width, loc);
            if signed { make(Op::Cast(slice), true) } else { slice }
        }
    }
}
