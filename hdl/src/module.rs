//! What a user implements to describe a module.

use std::hash::Hash;

use crate::bits::Bits;
use crate::builder::Builder;
use crate::bundle::{Bundle, LeafInfo, difference};
use crate::diagnostic::{Diagnostic, Kind};
use crate::elaborate::{report, with_building};
use crate::ir::{ClockId, External, Loc, Op, Signal, SignalKind, Stmt};
use crate::shape::{Shape, bits};
use crate::signal::{MAX_WIDTH, UInt};

/// The name and the doc comment of a module's struct; written by `#[module]`.
pub trait Describe {
    /// The struct's name.
    const NAME: &'static str;
    /// Its doc comment.
    const DOC: &'static str;
}

/// A hardware module. The value that implements it holds the parameters: equal values are the same Verilog module.
///
/// ```
/// use ferrite_hdl::prelude::*;
///
/// #[derive(Clone, Bundle)]
/// pub struct CounterIn<T> {
///     /// Counts while high.
///     enable: T,
/// }
/// #[derive(Clone, Bundle)]
/// pub struct CounterOut<T> {
///     count: T,
/// }
///
/// /// Counts the cycles in which `enable` is high.
/// #[module]
/// pub struct Counter {
///     width: u32,
/// }
///
/// impl Module for Counter {
///     type In = CounterIn<UInt>;
///     type Out = CounterOut<UInt>;
///
///     fn inputs(&self) -> CounterIn<Shape> {
///         CounterIn { enable: bit() }
///     }
///     fn outputs(&self) -> CounterOut<Shape> {
///         CounterOut { count: bits(self.width) }
///     }
///     fn build(&self, m: &Builder, i: CounterIn<UInt>) -> CounterOut<UInt> {
///         let count = m.reg("count", self.width);
///         m.when(i.enable, || count.set(count.wrapping_add(1)));
///         CounterOut { count }
///     }
/// }
/// ```
pub trait Module: Describe + Clone + Eq + Hash + 'static {
    /// The input ports. Fields below a `#[flip]` are outputs, which `build` must set.
    type In: Bundle<Leaf = UInt, With<Shape>: Bundle<Leaf = Shape, With<UInt> = Self::In>>;
    /// The output ports, returned by `build`.
    type Out: Bundle<Leaf = UInt, With<Shape>: Bundle<Leaf = Shape, With<UInt> = Self::Out>>;

    /// What the input ports carry.
    fn inputs(&self) -> <Self::In as Bundle>::With<Shape>;

    /// What the output ports carry.
    fn outputs(&self) -> <Self::Out as Bundle>::With<Shape>;

    /// Describes the hardware.
    fn build(&self, m: &Builder, i: Self::In) -> Self::Out;

    /// The name in Verilog; different parameters need different names. By default the struct's name.
    fn name(&self) -> String {
        Self::NAME.to_string()
    }

    /// The clock inputs, the main one first.
    fn clocks(&self) -> Vec<&'static str> {
        vec!["clk"]
    }

    /// For a module whose Verilog comes from elsewhere; `build` is then its model for simulation.
    fn external(&self) -> Option<External> {
        None
    }
}

/// A port before it is a signal.
pub(crate) struct Port {
    pub name: String,
    pub is_input: bool,
    /// With a width that a signal may have.
    pub shape: Shape,
    /// The width that the module asks for.
    pub width: u32,
    pub doc: &'static str,
}

/// Input and output leaves as ports. A name that both use gets `_in` or `_out`, so that bundles need not know each other.
pub(crate) fn ports<M: Module>(module: &M) -> (Vec<Port>, Vec<Port>) {
    let inputs = module.inputs().leaves();
    let outputs = module.outputs().leaves();
    let shared = |name: &str, others: &[LeafInfo<Shape>]| others.iter().any(|o| o.name == name);
    let port = |leaf: &LeafInfo<Shape>, others: &[LeafInfo<Shape>], is_input: bool, suffix: &str| Port {
        name: if shared(&leaf.name, others) { format!("{}{suffix}", leaf.name) } else { leaf.name.clone() },
        is_input,
        shape: Shape { width: leaf.value.width.clamp(1, MAX_WIDTH), ..leaf.value },
        width: leaf.value.width,
        doc: leaf.doc,
    };
    (
        inputs.iter().map(|leaf| port(leaf, &outputs, !leaf.flipped, "_in")).collect(),
        outputs.iter().map(|leaf| port(leaf, &inputs, leaf.flipped, "_out")).collect(),
    )
}

/// The names of a module's ports in Verilog: of all leaves of `In`, then of all leaves of `Out`.
pub fn port_names<M: Module>(module: &M) -> Vec<String> {
    let (inputs, outputs) = ports(module);
    inputs.into_iter().chain(outputs).map(|port| port.name).collect()
}

/// Makes the ports of the module on top of the stack, runs its `build` and connects what it returns.
pub(crate) fn run_build<M: Module>(module: &M, loc: Loc) {
    let (inputs, outputs) = ports(module);
    for port in inputs.iter().chain(&outputs).filter(|port| port.width != port.shape.width) {
        let message =
            format!("port `{}` of module `{}` would be {} bits wide", port.name, module.name(), port.width);
        let help = format!("widths go from 1 to {MAX_WIDTH}");
        report(Diagnostic::new(Kind::BadWidth, loc, message).help(help));
    }
    let mut handles = inputs.iter().map(|port| declare(port, loc));
    let input_bundle = module.inputs().map(|_| handles.next().unwrap_or(UInt::INVALID));
    let result = module.build(&Builder::new(), input_bundle).leaves();
    if let Some(difference) = difference(&module.outputs().leaves(), &result) {
        let message = format!(
            "`build` of module `{}` returns other outputs than it declares: {difference}",
            module.name()
        );
        let help =
            "vectors, arrays and options must have the same items in `outputs` and in what `build` returns";
        report(Diagnostic::new(Kind::BundleMismatch, loc, message).help(help));
    }
    for (port, leaf) in outputs.iter().zip(result) {
        if port.is_input {
            let message = format!("output `{}` of module `{}` is flipped", port.name, module.name());
            let help = "give a bundle with both directions to `In`, under a field marked `#[flip]`";
            report(Diagnostic::new(Kind::FlippedOutput, loc, message).help(help));
        } else {
            connect_output(port, leaf.value, loc);
        }
    }
}

/// A port of `In` as a signal: an input, or for a flipped leaf an output that the body sets.
fn declare(port: &Port, loc: Loc) -> UInt {
    let handle = with_building(|b, diagnostics| {
        let clock = match port.shape.clock {
            None => ClockId(0),
            Some(name) => match b.ir.clocks.iter().position(|c| c == name) {
                Some(k) => ClockId(k as u32),
                None => {
                    let message =
                        format!("input `{}` belongs to clock `{name}`, which the module has not", port.name);
                    let help = format!("the module's clocks are: {}", b.ir.clocks.join(", "));
                    diagnostics.push(Diagnostic::new(Kind::UnknownClock, loc, message).help(help));
                    ClockId(0)
                }
            },
        };
        let kind = if port.is_input { SignalKind::Input } else { SignalKind::Wire { named: false } };
        let id = b.push_signal(Signal {
            name: port.name.clone(),
            shape: port.shape,
            kind,
            is_output: !port.is_input,
            clock,
            doc: port.doc.to_string(),
            loc,
        });
        b.ir.ports.push(id);
        UInt::of_signal(b, id)
    });
    handle.unwrap_or(UInt::INVALID)
}

/// Makes an output port of a returned signal. A register or wire that has the port's name becomes the port itself.
fn connect_output(port: &Port, value: UInt, loc: Loc) {
    let mut value = value.checked(loc);
    with_building(|b, diagnostics| {
        if value.width() != port.shape.width {
            let message = format!(
                "output `{}` is {}, but `build` returns {} for it",
                port.name,
                port.shape.describe(),
                bits(value.width()).describe()
            );
            let at = b.ir.node(value.node).loc;
            diagnostics.push(
                Diagnostic::new(Kind::WidthMismatch, at, message)
                    .help("return as many bits as `outputs` declares"),
            );
            // It counts as set all the same.
            let zero = Op::Const(Bits::zero(port.shape.width), None);
            let node = b.push_node(zero, port.shape.width, false, loc);
            value = UInt::of_node(b, node);
        }
        if let Some(id) = value.signal(b) {
            let signal = &mut b.ir.signals[id.index()];
            let own = matches!(signal.kind, SignalKind::Wire { .. } | SignalKind::Reg { .. });
            if own && !signal.is_output && signal.name == port.name && signal.shape == port.shape {
                signal.is_output = true;
                if signal.doc.is_empty() {
                    signal.doc = port.doc.to_string();
                }
                b.ir.ports.push(id);
                return;
            }
        }
        let id = b.push_signal(Signal {
            name: port.name.clone(),
            shape: port.shape,
            kind: SignalKind::Wire { named: false },
            is_output: true,
            clock: ClockId(0),
            doc: port.doc.to_string(),
            loc,
        });
        b.ir.ports.push(id);
        let node = if port.shape.signed { b.as_signed(value.node, loc) } else { value.node };
        b.push_stmt(Stmt::Set { target: id, low: 0, value: node, loc });
    });
}
