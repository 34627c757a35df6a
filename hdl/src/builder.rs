//! The builder: what a module's `build` calls to make registers, wires, conditions, memories and instances.

mod conditions;
mod instance;

use std::panic::Location;

use crate::bits::Bits;
use crate::bundle::Bundle;
use crate::diagnostic::{Diagnostic, Kind};
use crate::elaborate::{report, with_building};
use crate::ir::{Check, CheckKind, ClockId, Loc, Signal, SignalKind, Stmt};
use crate::memory::Memory;
use crate::shape::Shape;
use crate::signal::{MAX_WIDTH, Operand, UInt};

pub use conditions::{Switch, When};
pub use instance::Instance;

/// Makes hardware in the module being built.
#[derive(Debug)]
pub struct Builder(());

impl Builder {
    pub(crate) fn new() -> Builder {
        Builder(())
    }

    fn signal(&self, name: &str, shape: Shape, kind: SignalKind, loc: Loc) -> UInt {
        let shape = if shape.width == 0 || shape.width > MAX_WIDTH {
            let message = format!("`{name}` would be {} bits wide", shape.width);
            report(
                Diagnostic::new(Kind::BadWidth, loc, message)
                    .help(format!("widths go from 1 to {MAX_WIDTH}")),
            );
            Shape { width: 1, ..shape }
        } else {
            shape
        };
        let made = with_building(|b, _| {
            let kind = match kind {
                SignalKind::Reg { reset, synchroniser, .. } => {
                    SignalKind::Reg { init: Bits::zero(shape.width), reset, synchroniser }
                }
                other => other,
            };
            let is_reg = matches!(kind, SignalKind::Reg { .. });
            let clock = b.clock;
            if is_reg {
                b.ir.clock_used[clock.index()] = true;
            }
            let id = b.push_signal(Signal {
                name: name.to_string(),
                shape,
                kind,
                is_output: false,
                clock,
                doc: String::new(),
                loc,
            });
            UInt::of_signal(b, id)
        });
        made.unwrap_or(UInt::INVALID)
    }

    /// A register; 0 before the first clock edge, unless [`UInt::init`] or [`UInt::reset_to`] says otherwise.
    #[track_caller]
    pub fn reg(&self, name: &str, shape: impl Into<Shape>) -> UInt {
        let kind = SignalKind::Reg { init: Bits::zero(1), reset: None, synchroniser: false };
        self.signal(name, shape.into(), kind, Location::caller())
    }

    /// A register that may sample a signal of another clock: the first stage of a synchroniser. Only one bit of it
    /// may change at a time.
    #[track_caller]
    pub fn synchroniser_reg(&self, name: &str, shape: impl Into<Shape>) -> UInt {
        let kind = SignalKind::Reg { init: Bits::zero(1), reset: None, synchroniser: true };
        self.signal(name, shape.into(), kind, Location::caller())
    }

    /// A wire, to be set on every path.
    #[track_caller]
    pub fn wire(&self, name: &str, shape: impl Into<Shape>) -> UInt {
        self.signal(name, shape.into(), SignalKind::Wire { named: false }, Location::caller())
    }

    /// Wires for every leaf of a bundle, named `name_leaf`.
    #[track_caller]
    pub fn wires<B: Bundle<Leaf = Shape>>(&self, name: &str, shapes: B) -> B::With<UInt> {
        self.bundle(name, shapes, SignalKind::Wire { named: false }, Location::caller())
    }

    /// Registers for every leaf of a bundle, named `name_leaf`.
    #[track_caller]
    pub fn regs<B: Bundle<Leaf = Shape>>(&self, name: &str, shapes: B) -> B::With<UInt> {
        let kind = SignalKind::Reg { init: Bits::zero(1), reset: None, synchroniser: false };
        self.bundle(name, shapes, kind, Location::caller())
    }

    fn bundle<B: Bundle<Leaf = Shape>>(
        &self,
        name: &str,
        shapes: B,
        kind: SignalKind,
        loc: Loc,
    ) -> B::With<UInt> {
        shapes.map_leaves(&mut crate::bundle::Path::default(), &mut |path, shape| {
            let leaf = path.name();
            let full = if leaf.is_empty() { name.to_string() } else { format!("{name}_{leaf}") };
            self.signal(&full, shape, kind.clone(), loc)
        })
    }

    /// Gives an expression a name, which Verilog and waveforms show. The macro [`wire!`](crate::wire) takes the name from the binding.
    #[track_caller]
    pub fn node(&self, name: &str, value: impl Into<Operand>) -> UInt {
        let loc = Location::caller();
        let value = value.into().resolve(1, loc);
        let (shape, node) = own_shape(value);
        let named = self.signal(name, shape, SignalKind::Wire { named: true }, loc);
        with_building(|b, _| {
            if let Some(target) = named.signal(b) {
                // A name says nothing about conditions: it holds also outside of the `when` in which it is given.
                b.scopes[0].push(Stmt::Set { target, low: 0, value: node, loc });
            }
        });
        named
    }

    /// A register that takes `value` at every clock edge at which the surrounding `when`s hold.
    #[track_caller]
    pub fn delay(&self, name: &str, value: impl Into<Operand>) -> UInt {
        let loc = Location::caller();
        let value = value.into().resolve(1, loc);
        let kind = SignalKind::Reg { init: Bits::zero(1), reset: None, synchroniser: false };
        let (shape, node) = own_shape(value);
        let reg = self.signal(name, shape, kind, loc);
        with_building(|b, _| {
            if let Some(target) = reg.signal(b) {
                b.push_stmt(Stmt::Set { target, low: 0, value: node, loc });
            }
        });
        reg
    }

    /// A constant with its own width.
    #[track_caller]
    pub fn constant(&self, value: Bits) -> UInt {
        Operand::from(value).resolve(1, Location::caller())
    }

    /// Drives a bundle of wires, outputs or inputs of an instance. Leaves below a `#[flip]` are driven the other way.
    #[track_caller]
    pub fn connect<B: Bundle<Leaf = UInt>>(&self, target: B, value: B) {
        let (targets, values) = (target.leaves(), value.leaves());
        if let Some(mistake) = crate::bundle::difference(&targets, &values) {
            let help = "vectors, arrays and options must have the same items on both sides";
            report(Diagnostic::new(Kind::BundleMismatch, Location::caller(), mistake).help(help));
            // All count as set all the same.
            let driven = targets.into_iter().filter(|leaf| !leaf.flipped);
            let driven = driven.chain(values.into_iter().filter(|leaf| leaf.flipped));
            return driven.for_each(|leaf| leaf.value.set(0));
        }
        for (target, value) in targets.into_iter().zip(values) {
            match target.flipped {
                false => target.value.set(value.value),
                true => value.value.set(target.value),
            }
        }
    }

    /// A memory of `depth` words (a power of two) of `width` bits.
    #[track_caller]
    pub fn memory(&self, name: &str, depth: u32, width: u32) -> Memory {
        Memory::make(name, depth, width, Location::caller())
    }

    /// Statements, registers and memory ports of another clock of the module.
    #[track_caller]
    pub fn clock(&self, clock: &str, body: impl FnOnce()) {
        let loc = Location::caller();
        let previous = with_building(|b, diagnostics| {
            let previous = b.clock;
            match b.ir.clocks.iter().position(|c| c == clock) {
                Some(k) => b.clock = ClockId(k as u32),
                None => {
                    let message = format!("the module has no clock `{clock}`");
                    let help =
                        format!("its clocks are: {}; `Module::clocks` names them", b.ir.clocks.join(", "));
                    diagnostics.push(Diagnostic::new(Kind::UnknownClock, loc, message).help(help));
                }
            }
            previous
        });
        body();
        with_building(|b, _| b.clock = previous.unwrap_or(ClockId(0)));
    }

    fn check(&self, kind: CheckKind, name: &str, condition: UInt, loc: Loc) {
        let cond = condition.condition("a property", loc).node;
        with_building(|b, _| {
            let clock = b.clock;
            b.ir.clock_used[clock.index()] = true;
            b.push_stmt(Stmt::Check(Check { kind, name: name.to_string(), cond, clock, loc }));
        });
    }

    /// States that a bit is 1 at every clock edge at which the surrounding `when`s hold.
    #[track_caller]
    pub fn assert(&self, name: &str, condition: UInt) {
        self.check(CheckKind::Assert, name, condition, Location::caller());
    }

    /// States what the surroundings of the module guarantee.
    #[track_caller]
    pub fn assume(&self, name: &str, condition: UInt) {
        self.check(CheckKind::Assume, name, condition, Location::caller());
    }

    /// States what should be seen at some clock edge.
    #[track_caller]
    pub fn cover(&self, name: &str, condition: UInt) {
        self.check(CheckKind::Cover, name, condition, Location::caller());
    }
}

impl UInt {
    fn edit_reg(
        self,
        what: &str,
        value: Operand,
        loc: Loc,
        edit: impl FnOnce(&mut SignalKind, Bits),
    ) -> UInt {
        let this = self.checked(loc);
        let value = value.resolve(this.width(), loc);
        with_building(|b, diagnostics| {
            let bits = match &b.ir.node(value.node).op {
                crate::ir::Op::Const(bits, _) if bits.width() == this.width() => Some(bits.clone()),
                _ => None,
            };
            let target = this.signal(b).filter(|id| matches!(b.ir.signal(*id).kind, SignalKind::Reg { .. }));
            match (target, bits) {
                (Some(id), Some(bits)) => {
                    edit(&mut b.ir.signals[id.index()].kind, bits);
                    if what == "`reset_to`" {
                        let clock = b.ir.signal(id).clock;
                        b.ir.reset_used[clock.index()] = true;
                    }
                }
                _ => {
                    let message = format!("{what} wants a register and a constant of its width");
                    diagnostics.push(
                        Diagnostic::new(Kind::NotDrivable, loc, message)
                            .help("call it where the register is made"),
                    );
                }
            }
        });
        self
    }

    /// For a register: its value before the first clock edge.
    #[track_caller]
    pub fn init(self, value: impl Into<Operand>) -> UInt {
        self.edit_reg("`init`", value.into(), Location::caller(), |kind, bits| {
            if let SignalKind::Reg { init, .. } = kind {
                *init = bits;
            }
        })
    }

    /// For a register: the value it takes at a clock edge with reset high, and before the first clock edge.
    #[track_caller]
    pub fn reset_to(self, value: impl Into<Operand>) -> UInt {
        self.edit_reg("`reset_to`", value.into(), Location::caller(), |kind, bits| {
            if let SignalKind::Reg { init, reset, .. } = kind {
                *init = bits.clone();
                *reset = Some(bits);
            }
        })
    }
}

/// The shape of a signal that takes a value as it is, signed if it comes from a signed one; and the value's node.
fn own_shape(value: UInt) -> (Shape, crate::ir::NodeId) {
    let signed = with_building(|b, _| match b.ir.node(value.node).op {
        crate::ir::Op::Cast(inner) if b.ir.node(inner).signed => Some(inner),
        _ => None,
    });
    match signed.flatten() {
        Some(node) => (crate::shape::signed(value.width()), node),
        None => (crate::shape::bits(value.width()), value.node),
    }
}

/// Names an expression after its binding: `wire!(m, sum = a + b);`.
#[macro_export]
macro_rules! wire {
    ($m:expr, $name:ident = $value:expr) => {
        let $name = $m.node(stringify!($name), $value);
    };
}

/// Makes a register named after its binding: `reg!(m, count: 8);`.
#[macro_export]
macro_rules! reg {
    ($m:expr, $name:ident : $shape:expr) => {
        let $name = $m.reg(stringify!($name), $shape);
    };
}
