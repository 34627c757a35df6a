//! The builder: what a module's `build` calls to make registers, wires, conditions, memories and instances.

use std::cell::RefCell;
use std::collections::HashSet;
use std::panic::Location;

use crate::bits::Bits;
use crate::bundle::Bundle;
use crate::diagnostic::{Diagnostic, Kind};
use crate::elaborate::{self, report, with_building, with_elaboration};
use crate::ir::{
    Check, CheckKind, ClockId, Instance as IrInstance, InstanceId, Loc, Signal, SignalKind, Stmt,
};
use crate::memory::Memory;
use crate::module::{self, Module};
use crate::shape::Shape;
use crate::signal::{MAX_WIDTH, Operand, UInt};

/// Makes hardware in the module being built.
#[derive(Debug)]
pub struct Builder(());

/// A `when` that `otherwise` can follow.
#[derive(Debug)]
pub struct When {
    id: u32,
}

/// The cases of a `switch`.
#[derive(Debug)]
pub struct Switch {
    subject: UInt,
    id: u32,
    /// The values of the cases so far.
    seen: RefCell<HashSet<Bits>>,
}

/// An instance of a module, not yet connected.
#[must_use = "an instance does nothing until its inputs are connected"]
pub struct Instance<M: Module> {
    /// Its input ports, to be set (and below a `#[flip]`, outputs to be read).
    pub i: M::In,
    /// Its output ports.
    pub o: M::Out,
}

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

    fn scope(&self, body: impl FnOnce()) -> Vec<Stmt> {
        with_building(|b, _| b.scopes.push(Vec::new()));
        body();
        with_building(|b, _| if b.scopes.len() > 1 { b.scopes.pop() } else { None })
            .flatten()
            .unwrap_or_default()
    }

    /// Statements that hold where a single bit is 1.
    #[track_caller]
    pub fn when(&self, condition: UInt, body: impl FnOnce()) -> When {
        let loc = Location::caller();
        let condition = condition.condition("`when`", loc);
        let body = self.scope(body);
        let id = with_building(|b, _| {
            let id = b.fresh_id();
            b.push_stmt(Stmt::If { id, branches: vec![(condition.node, body)], otherwise: None, loc });
            id
        });
        When { id: id.unwrap_or(0) }
    }

    /// Statements chosen by the value of a signal: `m.switch(state, |s| { s.case(State::Idle, || ...); })`.
    #[track_caller]
    pub fn switch(&self, subject: UInt, cases: impl FnOnce(&Switch)) {
        let loc = Location::caller();
        let subject = subject.checked(loc);
        let Some(id) = with_building(|b, _| {
            let id = b.fresh_id();
            b.push_stmt(Stmt::Switch { id, subject: subject.node, cases: Vec::new(), default: None, loc });
            id
        }) else {
            return;
        };
        cases(&Switch { subject, id, seen: RefCell::default() });
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

    /// An instance of a module. Its first clock is the current one; others are those of the same name here.
    #[track_caller]
    pub fn instance<M: Module>(&self, name: &str, module: &M) -> Instance<M> {
        let loc = Location::caller();
        let id = elaborate::build_module(module, loc);
        let (inputs, outputs) = module::ports(module);
        let all: Vec<_> = inputs.iter().chain(&outputs).collect();
        let handles: Vec<UInt> = match id {
            Some(id) => with_elaboration(|e| {
                let child = &e.modules[id.index()];
                let order: Vec<String> = child.ports.iter().map(|p| child.signal(*p).name.clone()).collect();
                let (clocks, clock_used, reset_used) =
                    (child.clocks.clone(), child.clock_used.clone(), child.reset_used.clone());
                let diagnostics = &mut e.diagnostics;
                let Some(b) = e.stack.last_mut() else { return Vec::new() };
                let instance = InstanceId(b.ir.instances.len() as u32);
                let mut clock_map = Vec::new();
                for (k, clock) in clocks.iter().enumerate() {
                    let here = match k {
                        0 => Some(b.clock),
                        _ => b.ir.clocks.iter().position(|c| c == clock).map(|k| ClockId(k as u32)),
                    };
                    if here.is_none() {
                        let message = format!("instance `{name}` needs a clock `{clock}`");
                        let help = "give the module around it a clock of that name (`Module::clocks`)";
                        diagnostics.push(Diagnostic::new(Kind::UnknownClock, loc, message).help(help));
                    }
                    let here = here.unwrap_or(ClockId(0));
                    b.ir.clock_used[here.index()] |= clock_used[k];
                    b.ir.reset_used[here.index()] |= reset_used[k];
                    clock_map.push(here);
                }
                let signals: Vec<_> = all
                    .iter()
                    .map(|port| {
                        let kind = match port.is_input {
                            true => SignalKind::ToInstance(instance),
                            false => SignalKind::FromInstance(instance),
                        };
                        b.push_signal(Signal {
                            name: port.name.clone(),
                            shape: Shape { clock: None, ..port.shape },
                            kind,
                            is_output: false,
                            clock: b.clock,
                            doc: String::new(),
                            loc,
                        })
                    })
                    .collect();
                let position = |wanted: &String| all.iter().position(|p| p.name == *wanted);
                let ports = order.iter().filter_map(|name| position(name).map(|k| signals[k])).collect();
                b.ir.instances.push(IrInstance {
                    name: name.to_string(),
                    module: id,
                    ports,
                    clocks: clock_map,
                    loc,
                });
                signals.iter().map(|s| UInt::of_signal(b, *s)).collect()
            })
            .unwrap_or_default(),
            None => {
                let stand_in = |port: &&module::Port| {
                    self.signal(
                        &format!("{name}_{}", port.name),
                        port.shape,
                        SignalKind::Wire { named: false },
                        loc,
                    )
                };
                let signals: Vec<UInt> = all.iter().map(stand_in).collect();
                all.iter()
                    .zip(&signals)
                    .filter(|(port, _)| !port.is_input)
                    .for_each(|(_, signal)| signal.set(0));
                signals
            }
        };
        let mut handles = handles.into_iter();
        let mut next = |_| handles.next().unwrap_or(UInt::INVALID);
        Instance { i: module.inputs().map(&mut next), o: module.outputs().map(&mut next) }
    }
}

impl<M: Module> Instance<M> {
    /// Connects all inputs and gives the outputs. Leaves of `In` below a `#[flip]` are driven the other way.
    #[track_caller]
    pub fn connect(self, inputs: M::In) -> M::Out {
        Builder::new().connect(self.i, inputs);
        self.o
    }
}

impl When {
    fn attach(
        &self,
        loc: Loc,
        f: impl FnOnce(&mut Vec<(crate::ir::NodeId, Vec<Stmt>)>, &mut Option<Vec<Stmt>>),
    ) {
        with_building(|b, diagnostics| {
            let last = b.scopes.last_mut().and_then(|s| s.last_mut());
            match last {
                Some(Stmt::If { id, branches, otherwise, .. }) if *id == self.id && otherwise.is_none() => {
                    f(branches, otherwise)
                }
                _ => diagnostics.push(
                    Diagnostic::new(
                        Kind::DanglingOtherwise,
                        loc,
                        "this `otherwise` does not follow its `when`",
                    )
                    .help("chain it: `m.when(a, || ...).otherwise_when(b, || ...).otherwise(|| ...)`"),
                ),
            }
        });
    }

    /// Statements that hold where no condition before does and this one does.
    #[track_caller]
    pub fn otherwise_when(self, condition: UInt, body: impl FnOnce()) -> When {
        let loc = Location::caller();
        let condition = condition.condition("`otherwise_when`", loc);
        let body = Builder::new().scope(body);
        self.attach(loc, |branches, _| branches.push((condition.node, body)));
        self
    }

    /// Statements that hold where no condition before does.
    #[track_caller]
    pub fn otherwise(self, body: impl FnOnce()) {
        let loc = Location::caller();
        let body = Builder::new().scope(body);
        self.attach(loc, |_, otherwise| *otherwise = Some(body));
    }
}

impl Switch {
    /// Statements that hold where the subject has this value.
    #[track_caller]
    pub fn case(&self, value: impl Into<Operand>, body: impl FnOnce()) {
        self.add(vec![value.into()], body, Location::caller());
    }

    /// Statements that hold where the subject has one of these values.
    #[track_caller]
    pub fn cases<T: Into<Operand>>(&self, values: impl IntoIterator<Item = T>, body: impl FnOnce()) {
        self.add(values.into_iter().map(Into::into).collect(), body, Location::caller());
    }

    fn add(&self, values: Vec<Operand>, body: impl FnOnce(), loc: Loc) {
        let mut nodes = Vec::new();
        for value in values {
            let value = value.resolve(self.subject.width(), loc);
            let is_constant =
                with_building(|b, _| matches!(b.ir.node(value.node).op, crate::ir::Op::Const(..)))
                    .unwrap_or(true);
            if value.width() != self.subject.width() || !is_constant {
                let message = format!(
                    "a case must be a constant of {} bits, as wide as the subject",
                    self.subject.width()
                );
                report(
                    Diagnostic::new(Kind::BadCase, loc, message).help("use numbers or variants of one enum"),
                );
            } else {
                crate::signal::same_enum("a case", self.subject, value, loc);
                nodes.push(value.node);
            }
        }
        let body = Builder::new().scope(body);
        with_building(|b, diagnostics| {
            for node in &nodes {
                let crate::ir::Op::Const(value, _) = &b.ir.node(*node).op else { continue };
                if !self.seen.borrow_mut().insert(value.clone()) {
                    let message = format!("the value {value} stands in two cases");
                    diagnostics.push(Diagnostic::new(Kind::BadCase, loc, message).help("remove one of them"));
                }
            }
            if let Some(Stmt::Switch { id, cases, .. }) = b.scopes.last_mut().and_then(|s| s.last_mut())
                && *id == self.id
            {
                cases.push((nodes, body));
            } else {
                outside_of_switch("case", loc, diagnostics);
            }
        });
    }

    /// Statements that hold where no case does.
    #[track_caller]
    pub fn default(&self, body: impl FnOnce()) {
        let loc = Location::caller();
        let body = Builder::new().scope(body);
        with_building(|b, diagnostics| {
            if let Some(Stmt::Switch { id, default, .. }) = b.scopes.last_mut().and_then(|s| s.last_mut())
                && *id == self.id
            {
                if default.is_some() {
                    diagnostics.push(
                        Diagnostic::new(Kind::BadCase, loc, "this switch already has a default")
                            .help("remove one of them"),
                    );
                }
                *default = Some(body);
            } else {
                outside_of_switch("default", loc, diagnostics);
            }
        });
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

fn outside_of_switch(what: &str, loc: Loc, diagnostics: &mut Vec<Diagnostic>) {
    let message = format!("this {what} does not stand directly in its switch");
    let help = "call it in the closure of `m.switch`, with no other statement between the cases";
    diagnostics.push(Diagnostic::new(Kind::BadCase, loc, message).help(help));
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
