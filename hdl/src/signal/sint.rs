//! Arithmetic on two's complement signals.

use std::panic::Location;

use super::operand::fit;
use super::parts::truncated;
use super::{SInt, SignedOperand, UInt, too_wide};
use crate::diagnostic::{Diagnostic, Kind};
use crate::elaborate::{report, with_building};
use crate::ir::{Loc, NodeId, Op};

impl SInt {
    /// Bits.
    pub fn width(self) -> u32 {
        self.inner.width
    }

    /// The same bits as an unsigned number.
    #[track_caller]
    pub fn unsigned(self) -> UInt {
        let loc = Location::caller();
        let this = self.inner.checked(loc);
        let inner = with_building(|b, _| match b.ir.node(this.node).op {
            Op::Cast(inner) if !b.ir.node(inner).signed => Some(inner),
            _ => None,
        });
        match inner.flatten() {
            Some(node) => UInt { node, ..this },
            None => UInt::make(Op::Cast(this.node), this.width, loc),
        }
    }

    pub(super) fn make(op: Op<NodeId>, width: u32, loc: Loc) -> SInt {
        SInt { inner: UInt::make_as(op, width, true, loc) }
    }

    pub(super) fn resolve(operand: SignedOperand, width: u32, loc: Loc) -> SInt {
        match operand {
            SignedOperand::Signal(s) => s,
            SignedOperand::Number(value) => {
                SInt::make(Op::Const(fit(&value, width, true, loc), None), width, loc)
            }
        }
    }

    /// The operand as a signed signal of the module being built.
    pub(super) fn here(self, loc: Loc) -> SInt {
        let checked = self.inner.checked(loc);
        if checked.serial == self.inner.serial {
            return self;
        }
        SInt::make(Op::Cast(checked.node), self.inner.width, loc)
    }

    /// Extended by the sign to `width` bits.
    #[track_caller]
    pub fn extend(self, width: u32) -> SInt {
        let loc = Location::caller();
        if width < self.width() {
            let message = format!("`extend({width})` of a signal with {} bits", self.width());
            report(Diagnostic::new(Kind::BadWidth, loc, message).help("`truncate` drops bits"));
        }
        self.here(loc).extend_at(width, loc)
    }

    fn extend_at(self, width: u32, loc: Loc) -> SInt {
        if width <= self.width() || too_wide(width, loc) {
            return self;
        }
        let folded = with_building(|b, _| match &b.ir.node(self.inner.node).op {
            Op::Const(value, None) => Some(value.resize(width, true)),
            _ => None,
        });
        match folded.flatten() {
            Some(value) => SInt::make(Op::Const(value, None), width, loc),
            None => SInt::make(Op::Extend(self.inner.node), width, loc),
        }
    }

    /// The low `width` bits, as an unsigned signal. Of a sum or difference it drops the carry without ever making it.
    #[track_caller]
    pub fn truncate(self, width: u32) -> UInt {
        self.truncate_signed(width).unsigned()
    }

    /// The low `width` bits, as a signed signal.
    #[track_caller]
    pub fn truncate_signed(self, width: u32) -> SInt {
        let loc = Location::caller();
        let this = self.here(loc);
        if width > this.width() || width == 0 {
            let message = format!("`truncate({width})` of a signal with {} bits", this.width());
            let help = if width == 0 { "a signal has at least one bit" } else { "`extend` adds bits" };
            report(Diagnostic::new(Kind::BadWidth, loc, message).help(help));
            return this.extend_at(width, loc);
        }
        SInt { inner: UInt { node: truncated(this.inner.node, width, true, loc), width, ..this.inner } }
    }

    pub(super) fn grow(self, other: SignedOperand, op: fn(NodeId, NodeId) -> Op<NodeId>, loc: Loc) -> SInt {
        let a = self.here(loc);
        let b = SInt::resolve(other, a.width(), loc).here(loc);
        let width = a.width().max(b.width()) + 1;
        let (a, b) = (a.extend_at(width, loc), b.extend_at(width, loc));
        SInt::make(op(a.inner.node, b.inner.node), width, loc)
    }

    fn compare(self, other: SignedOperand, op: fn(NodeId, NodeId) -> Op<NodeId>, loc: Loc) -> UInt {
        let a = self.here(loc);
        let b = SInt::resolve(other, a.width(), loc).here(loc);
        let width = a.width().max(b.width());
        let (a, b) = (a.extend_at(width, loc), b.extend_at(width, loc));
        UInt::make(op(a.inner.node, b.inner.node), 1, loc)
    }

    /// Whether both are equal; operands of any widths.
    #[track_caller]
    #[allow(clippy::should_implement_trait)]
    pub fn eq(self, other: impl Into<SignedOperand>) -> UInt {
        self.compare(other.into(), Op::Eq, Location::caller())
    }

    /// Whether this is less; operands of any widths.
    #[track_caller]
    #[allow(clippy::should_implement_trait)]
    pub fn lt(self, other: impl Into<SignedOperand>) -> UInt {
        self.compare(other.into(), Op::Lt, Location::caller())
    }

    /// Whether this is less or equal; operands of any widths.
    #[track_caller]
    #[allow(clippy::should_implement_trait)]
    pub fn le(self, other: impl Into<SignedOperand>) -> UInt {
        self.compare(other.into(), Op::Le, Location::caller())
    }

    /// Whether this is greater; operands of any widths.
    #[track_caller]
    #[allow(clippy::should_implement_trait)]
    pub fn gt(self, other: impl Into<SignedOperand>) -> UInt {
        self.compare(other.into(), |a, b| Op::Lt(b, a), Location::caller())
    }

    /// Whether this is greater or equal; operands of any widths.
    #[track_caller]
    #[allow(clippy::should_implement_trait)]
    pub fn ge(self, other: impl Into<SignedOperand>) -> UInt {
        self.compare(other.into(), |a, b| Op::Le(b, a), Location::caller())
    }
}
