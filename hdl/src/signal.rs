//! Handles of signals and expressions: [`UInt`] and [`SInt`].
//!
//! No operator ever loses a bit: `+` and `-` give one bit more than the wider operand, `*` as many as both have. Where
//! wrapping is meant it is said: [`UInt::wrapping_add`], [`UInt::truncate`]. Bitwise operators, comparisons and
//! multiplexers want operands of one width; a literal takes the width of the other operand.

mod operand;
mod operators;
mod parts;
mod sint;

use std::panic::Location;

use crate::bits::Bits;
use crate::diagnostic::{Diagnostic, Kind};
use crate::elaborate::{Building, report, with_building};
use crate::ir::{Loc, NodeId, Op, SignalId, SignalKind, Stmt};
use crate::shape::{Encoding, EncodingInfo};

pub use operand::{Operand, SignedOperand};
pub use parts::concat;

/// The widest signal.
pub const MAX_WIDTH: u32 = 1 << 16;

/// An unsigned signal or expression.
#[derive(Clone, Copy, Debug)]
pub struct UInt {
    pub(crate) node: NodeId,
    serial: u32,
    width: u32,
}

/// A two's complement signal or expression; got from [`UInt::signed`].
#[derive(Clone, Copy, Debug)]
pub struct SInt {
    pub(crate) inner: UInt,
}

/// Whether a width is more than a signal may have, which is then reported.
fn too_wide(width: u32, loc: Loc) -> bool {
    if width > MAX_WIDTH {
        let message = format!("the expression would be {width} bits wide");
        report(
            Diagnostic::new(Kind::BadWidth, loc, message).help(format!("widths go from 1 to {MAX_WIDTH}")),
        );
    }
    width > MAX_WIDTH
}

/// A constant in the current module.
pub(crate) fn constant(value: Bits, info: Option<&'static EncodingInfo>, loc: Loc) -> UInt {
    let width = value.width();
    UInt::make(Op::Const(value, info), width, loc)
}

/// A node as a mistake's text shows it: the name of a signal, or the shape of an expression.
pub(crate) fn describe(b: &Building, node: NodeId) -> String {
    match &b.ir.node(node).op {
        Op::Read(signal) => {
            let signal = b.ir.signal(*signal);
            match signal.kind {
                SignalKind::ToInstance(i) | SignalKind::FromInstance(i) => {
                    format!("`{}.{}`", b.ir.instances.get(i.index()).map_or("?", |i| &i.name), signal.name)
                }
                _ => format!("`{}`", signal.name),
            }
        }
        Op::Const(value, _) => format!("the constant {value}"),
        Op::Cast(inner) | Op::Extend(inner) => describe(b, *inner),
        Op::Slice(inner, _) => format!("a slice of {}", describe(b, *inner)),
        _ => "the expression".to_string(),
    }
}

/// Notes a mistake where both operands carry an enum, but not the same.
pub(crate) fn same_enum(what: &str, a: UInt, b: UInt, loc: Loc) {
    let of = |m: &Building, s: UInt| match m.ir.node(s.node).op {
        Op::Read(id) => m.ir.signal(id).shape.encoding,
        Op::Const(_, info) => info,
        _ => None,
    };
    let enums = with_building(|m, _| of(m, a).zip(of(m, b)).filter(|(a, b)| a != b)).flatten();
    if let Some((left, right)) = enums {
        let message = format!("{what} wants values of one enum, not of `{}` and `{}`", left.name, right.name);
        let help = "to mean the codes, take a slice of the signal or write the number";
        report(Diagnostic::new(Kind::EncodingMismatch, loc, message).help(help));
    }
}

fn mismatch(what: &str, a: UInt, b: UInt, loc: Loc) {
    let words = with_building(|m, _| {
        // Ports stand where their module was elaborated, which would tell nothing about them.
        let place = |s: UInt| match m.ir.node(s.node).op {
            Op::Read(id) if m.ir.signal(id).kind == SignalKind::Input => loc,
            _ => m.ir.node(s.node).loc,
        };
        (describe(m, a.node), describe(m, b.node), place(a), place(b))
    });
    let Some((left, right, at_left, at_right)) = words else { return };
    let bits = |w: u32| format!("{w} bit{}", if w == 1 { "" } else { "s" });
    let message = format!(
        "{what} wants operands of one width: {left} has {}, {right} has {}",
        bits(a.width),
        bits(b.width)
    );
    let mut diagnostic = Diagnostic::new(Kind::WidthMismatch, loc, message);
    for (place, width) in [(at_left, a.width), (at_right, b.width)] {
        if place != loc {
            diagnostic = diagnostic.label(place, bits(width));
        }
    }
    report(diagnostic.help("make them equal with `.extend(width)` or `.truncate(width)`"));
}

impl UInt {
    /// Stands for a signal where there is no elaboration or after a mistake.
    pub(crate) const INVALID: UInt = UInt { node: NodeId(0), serial: 0, width: 1 };

    /// A new node of the current module.
    pub(crate) fn make(op: Op<NodeId>, width: u32, loc: Loc) -> UInt {
        UInt::make_as(op, width, false, loc)
    }

    fn make_as(op: Op<NodeId>, width: u32, signed: bool, loc: Loc) -> UInt {
        let made = with_building(|b, diagnostics| {
            if width == 0 || width > MAX_WIDTH {
                let message = format!("the expression would be {width} bits wide");
                let help = format!("widths go from 1 to {MAX_WIDTH}");
                diagnostics.push(Diagnostic::new(Kind::BadWidth, loc, message).help(help));
                let node = b.push_node(Op::Const(Bits::zero(1), None), 1, signed, loc);
                return UInt { node, serial: b.serial, width: 1 };
            }
            UInt { node: b.push_node(op, width, signed, loc), serial: b.serial, width }
        });
        made.unwrap_or(UInt::INVALID)
    }

    /// The handle that reads a signal of the module being built; a signed signal is read through a cast.
    pub(crate) fn of_signal(b: &mut Building, id: SignalId) -> UInt {
        let (read, width) = (b.reads[id.index()], b.ir.signal(id).shape.width);
        let loc = b.ir.signal(id).loc;
        let node = if b.ir.node(read).signed { b.push_node(Op::Cast(read), width, false, loc) } else { read };
        UInt { node, serial: b.serial, width }
    }

    /// The handle of a node of the module being built.
    pub(crate) fn of_node(b: &Building, node: NodeId) -> UInt {
        UInt { node, serial: b.serial, width: b.ir.node(node).width }
    }

    /// Itself if it belongs to the module being built; else a mistake is noted and a constant stands in.
    pub(crate) fn checked(self, loc: Loc) -> UInt {
        let ok = with_building(|b, _| b.serial == self.serial).unwrap_or(true);
        if ok {
            return self;
        }
        report(
            Diagnostic::new(Kind::ForeignSignal, loc, "a signal of another module is used here")
                .help("signals pass between modules through ports"),
        );
        constant(Bits::zero(self.width), None, loc)
    }

    /// The signal that this handle reads as a whole, if it reads one.
    pub(crate) fn signal(self, b: &Building) -> Option<SignalId> {
        match self.target(b) {
            Some((id, 0)) if b.ir.signal(id).shape.width == self.width => Some(id),
            _ => None,
        }
    }

    /// The signal and the lowest bit that this handle names, if it names a part of a signal.
    fn target(self, b: &Building) -> Option<(SignalId, u32)> {
        let mut node = self.node;
        let mut low = 0;
        loop {
            match &b.ir.node(node).op {
                Op::Read(signal) => return Some((*signal, low)),
                Op::Cast(inner) => node = *inner,
                Op::Slice(inner, at) => {
                    low += at;
                    node = *inner;
                }
                _ => return None,
            }
        }
    }

    /// Bits.
    pub fn width(self) -> u32 {
        self.width
    }

    /// The same bits as a two's complement number.
    #[track_caller]
    pub fn signed(self) -> SInt {
        let loc = Location::caller();
        let this = self.checked(loc);
        let inner = with_building(|b, _| match b.ir.node(this.node).op {
            Op::Cast(inner) if b.ir.node(inner).signed => Some(inner),
            _ => None,
        });
        let inner = match inner.flatten() {
            Some(node) => UInt { node, ..this },
            None => UInt::make_as(Op::Cast(this.node), this.width, true, loc),
        };
        SInt { inner }
    }

    /// Drives a wire, register, output or instance input, or a slice of one, under the conditions of the surrounding
    /// `when`s. Where several apply, the last one does: a default may be followed by values for some conditions or for some
    /// of the bits. One that makes an earlier one useless is a mistake.
    #[track_caller]
    pub fn set(self, value: impl Into<Operand>) {
        let loc = Location::caller();
        let this = self.checked(loc);
        let mut value = value.into().resolve(this.width, loc);
        if value.width != this.width {
            let names =
                with_building(|b, _| (describe(b, this.node), describe(b, value.node))).unwrap_or_default();
            let message = format!("{} has {} bits and is set to {} bits", names.0, this.width, value.width);
            let help =
                format!("make the value {} bits wide with `.extend({0})` or `.truncate({0})`", this.width);
            report(Diagnostic::new(Kind::WidthMismatch, loc, message).help(help));
            // It counts as set all the same.
            value = constant(Bits::zero(this.width), None, loc);
        }
        same_enum("`set`", this, value, loc);
        with_building(|b, diagnostics| {
            let target = this.target(b).filter(|(id, _)| match b.ir.signal(*id).kind {
                SignalKind::Wire { named } => !named,
                SignalKind::Reg { .. } | SignalKind::ToInstance(_) => true,
                _ => false,
            });
            let Some((target, low)) = target else {
                let message = format!("{} cannot be set", describe(b, this.node));
                let help = "only wires, registers, outputs and inputs of instances can be set";
                diagnostics.push(Diagnostic::new(Kind::NotDrivable, loc, message).help(help));
                return;
            };
            let want_signed =
                b.ir.signal(target).shape.signed && b.ir.signal(target).shape.width == this.width;
            let node = if want_signed { b.as_signed(value.node, loc) } else { value.node };
            b.push_stmt(Stmt::Set { target, low, value: node, loc });
        });
    }

    fn pair(self, other: impl Into<Operand>, what: &str, loc: Loc) -> (UInt, UInt) {
        let a = self.checked(loc);
        let b = other.into().resolve(a.width, loc);
        if a.width != b.width {
            mismatch(what, a, b, loc);
            return (a, constant(Bits::zero(a.width), None, loc));
        }
        same_enum(what, a, b, loc);
        (a, b)
    }

    fn bitwise(
        self,
        other: impl Into<Operand>,
        what: &str,
        op: fn(NodeId, NodeId) -> Op<NodeId>,
        loc: Loc,
    ) -> UInt {
        let (a, b) = self.pair(other, what, loc);
        UInt::make(op(a.node, b.node), a.width, loc)
    }

    fn compare(
        self,
        other: impl Into<Operand>,
        what: &str,
        op: fn(NodeId, NodeId) -> Op<NodeId>,
        loc: Loc,
    ) -> UInt {
        let (a, b) = self.pair(other, what, loc);
        UInt::make(op(a.node, b.node), 1, loc)
    }

    /// Sum or difference with one bit more than the wider operand.
    fn grow(self, other: impl Into<Operand>, op: fn(NodeId, NodeId) -> Op<NodeId>, loc: Loc) -> UInt {
        let a = self.checked(loc);
        let b = other.into().resolve(a.width, loc);
        let width = a.width.max(b.width) + 1;
        let (a, b) = (a.extend_at(width, loc), b.extend_at(width, loc));
        UInt::make(op(a.node, b.node), width, loc)
    }

    /// Sum modulo `2^width`; operands of one width.
    #[track_caller]
    pub fn wrapping_add(self, other: impl Into<Operand>) -> UInt {
        self.bitwise(other, "`wrapping_add`", Op::Add, Location::caller())
    }

    /// Difference modulo `2^width`; operands of one width.
    #[track_caller]
    pub fn wrapping_sub(self, other: impl Into<Operand>) -> UInt {
        self.bitwise(other, "`wrapping_sub`", Op::Sub, Location::caller())
    }

    /// Whether both are equal.
    #[track_caller]
    #[allow(clippy::should_implement_trait)]
    pub fn eq(self, other: impl Into<Operand>) -> UInt {
        self.compare(other, "`eq`", Op::Eq, Location::caller())
    }

    /// Whether both differ.
    #[track_caller]
    #[allow(clippy::should_implement_trait)]
    pub fn ne(self, other: impl Into<Operand>) -> UInt {
        self.compare(other, "`ne`", Op::Ne, Location::caller())
    }

    /// Whether this is less.
    #[track_caller]
    #[allow(clippy::should_implement_trait)]
    pub fn lt(self, other: impl Into<Operand>) -> UInt {
        self.compare(other, "`lt`", Op::Lt, Location::caller())
    }

    /// Whether this is less or equal.
    #[track_caller]
    #[allow(clippy::should_implement_trait)]
    pub fn le(self, other: impl Into<Operand>) -> UInt {
        self.compare(other, "`le`", Op::Le, Location::caller())
    }

    /// Whether this is greater.
    #[track_caller]
    #[allow(clippy::should_implement_trait)]
    pub fn gt(self, other: impl Into<Operand>) -> UInt {
        self.compare(other, "`gt`", |a, b| Op::Lt(b, a), Location::caller())
    }

    /// Whether this is greater or equal.
    #[track_caller]
    #[allow(clippy::should_implement_trait)]
    pub fn ge(self, other: impl Into<Operand>) -> UInt {
        self.compare(other, "`ge`", |a, b| Op::Le(b, a), Location::caller())
    }

    /// Whether this is the given variant of the enum that it carries.
    #[track_caller]
    pub fn is<E: Encoding>(self, variant: E) -> UInt {
        self.compare(Operand::variant(variant), "`is`", Op::Eq, Location::caller())
    }

    /// `yes` where this single bit is 1, else `no`.
    #[track_caller]
    pub fn mux(self, yes: impl Into<Operand>, no: impl Into<Operand>) -> UInt {
        let loc = Location::caller();
        let condition = self.condition("`mux`", loc);
        let (yes, no) = (yes.into(), no.into());
        let Some(width) = yes.width().or(no.width()) else {
            report(
                Diagnostic::new(
                    Kind::BadWidth,
                    loc,
                    "both values of `mux` are plain numbers, so its width is unknown",
                )
                .help("make one of them `Bits::from_u64(width, value)`"),
            );
            return UInt::make(Op::Const(Bits::zero(1), None), 1, loc);
        };
        let yes = yes.resolve(width, loc);
        let (yes, no) = yes.pair(no, "`mux`", loc);
        UInt::make(Op::Mux(condition.node, yes.node, no.node), width, loc)
    }

    /// Itself if it is a single bit; else a mistake is noted and a constant stands in.
    pub(crate) fn condition(self, what: &str, loc: Loc) -> UInt {
        let this = self.checked(loc);
        if this.width == 1 {
            return this;
        }
        let name = with_building(|b, _| describe(b, this.node)).unwrap_or_default();
        report(
            Diagnostic::new(
                Kind::WidthMismatch,
                loc,
                format!("{what} wants a single bit, {name} has {}", this.width),
            )
            .help("compare it (`.ne(0)`) or reduce it (`.any()`, `.all()`)"),
        );
        constant(Bits::zero(1), None, loc)
    }

    fn reduce(self, op: fn(NodeId) -> Op<NodeId>, loc: Loc) -> UInt {
        let this = self.checked(loc);
        if this.width == 1 { this } else { UInt::make(op(this.node), 1, loc) }
    }

    /// Whether any bit is 1.
    #[track_caller]
    pub fn any(self) -> UInt {
        self.reduce(Op::ReduceOr, Location::caller())
    }

    /// Whether all bits are 1.
    #[track_caller]
    pub fn all(self) -> UInt {
        self.reduce(Op::ReduceAnd, Location::caller())
    }

    /// Whether an odd number of bits is 1.
    #[track_caller]
    pub fn parity(self) -> UInt {
        self.reduce(Op::ReduceXor, Location::caller())
    }
}
