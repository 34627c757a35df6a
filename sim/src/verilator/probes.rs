//! Which Verilog variable shows which signal.
//!
//! Every named signal is a variable in Verilog, but making one readable from outside keeps Verilator from optimising it away. So
//! of all that carry one value (a register, the output that it drives, the inputs of the instances behind that) one is made
//! readable, and values that a port of the design shows need none.

use std::collections::{HashMap, HashSet};

use ferrite_hdl::Bits;
use ferrite_hdl::eval::eval;
use ferrite_hdl::flat::{Flat, FlatOp, Index};
use ferrite_hdl::ir::{Op, SignalKind};

use super::prepare::Prepared;

/// A variable within an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variable {
    /// Position in [`Flat::scopes`].
    pub scope: usize,
    pub name: String,
    /// Bits; of a memory those of a word.
    pub width: u32,
    /// Whether it is written from outside, and Verilator must notice. Where something is made of it without a clock, that is computed anew
    /// in every evaluation.
    pub is_written: bool,
}

/// Where values are found. Places are counted as the shim lists them: the inputs of the design, its outputs, others, and `variables`
/// last.
#[derive(Default)]
pub(super) struct Probes {
    pub variables: Vec<Variable>,
    /// Where the value of a node is found.
    shown: HashMap<Index, usize>,
}

/// Where the value of a signal comes from.
pub(super) enum Source {
    Constant(Bits),
    /// A place as [`Probes`] counts them.
    Place(usize),
    /// From other values, by its definition.
    Computed(Index),
    /// Not from anywhere: nothing but ports can be read.
    Hidden,
}

/// The node that has the same bits and is no cast.
fn bits_of(flat: &Flat, mut node: Index) -> Index {
    while let FlatOp::Compute(Op::Cast(inner)) = flat.nodes[node as usize].op {
        node = inner;
    }
    node
}

fn constant(flat: &Flat, node: Index) -> Option<&Bits> {
    match &flat.nodes[node as usize].op {
        FlatOp::Compute(Op::Const(value, _)) => Some(value),
        _ => None,
    }
}

/// Whether a signal may have bits that are made from other bits of it. Verilator splits such a variable, unless it can be read
/// from outside; then it would iterate.
fn may_be_split(flat: &Flat, signal: usize) -> bool {
    let node = &flat.nodes[flat.signals[signal].node as usize];
    let of_bits =
        matches!(&node.op, FlatOp::Compute(Op::Concat(parts)) if parts.len() == node.width as usize);
    of_bits && matches!(flat.signals[signal].kind, SignalKind::Wire { .. })
}

impl Probes {
    /// The ports, and with `all` what it takes to find every signal: variables that are listed from the place `first` on.
    pub fn new(flat: &Flat, prepared: &Prepared, all: bool, first: usize) -> Probes {
        let mut probes = Probes::default();
        for (k, port) in flat.inputs.iter().chain(&flat.outputs).enumerate() {
            probes.shown.entry(bits_of(flat, port.node)).or_insert(k);
        }
        if all {
            probes.choose(flat, prepared, first);
        }
        probes
    }

    fn choose(&mut self, flat: &Flat, prepared: &Prepared, first: usize) {
        // What is chosen is chosen in every instance of a module.
        let variable = |signal: usize| {
            let (scope, name) = &prepared.signals[signal];
            (prepared.scopes[*scope].module, name.as_str())
        };
        let mut instances: HashMap<(usize, &str), Vec<usize>> = HashMap::new();
        for signal in 0..flat.signals.len() {
            instances.entry(variable(signal)).or_default().push(signal);
        }
        // Registers are variables anyway; inputs of instances mostly show what has a name outside.
        let cost = |signal: &usize| match flat.signals[*signal].kind {
            SignalKind::Reg { .. } | SignalKind::MemoryRead(..) => 0,
            SignalKind::Input => 2,
            _ => 1,
        };
        let mut order: Vec<usize> = (0..flat.signals.len()).collect();
        order.sort_by_key(cost);
        let mut chosen = HashSet::new();
        for signal in order {
            let node = bits_of(flat, flat.signals[signal].node);
            let needed = !self.shown.contains_key(&node)
                && constant(flat, node).is_none()
                && !may_be_split(flat, signal);
            if !needed || !chosen.insert(variable(signal)) {
                continue;
            }
            for &same in &instances[&variable(signal)] {
                let node = bits_of(flat, flat.signals[same].node);
                let (scope, name) = prepared.signals[same].clone();
                let place = first + self.variables.len();
                let width = flat.signals[same].shape.width;
                self.variables.push(Variable { scope, name, width, is_written: false });
                self.shown.entry(node).or_insert(place);
            }
        }
    }

    /// Where the value of a signal is found. With `all`, as in [`Probes::new`], nothing is hidden.
    pub fn source(&self, flat: &Flat, signal: usize, all: bool) -> Source {
        let node = bits_of(flat, flat.signals[signal].node);
        match (constant(flat, node), self.shown.get(&node)) {
            (Some(value), _) => Source::Constant(value.clone()),
            (None, Some(place)) => Source::Place(*place),
            (None, None) if all => Source::Computed(node),
            (None, None) => Source::Hidden,
        }
    }

    /// The value of a node that can be read itself.
    pub fn value(&self, flat: &Flat, node: Index, read: &dyn Fn(usize) -> Bits) -> Option<Bits> {
        let node = bits_of(flat, node);
        self.shown.get(&node).map(|place| read(*place))
    }

    /// The value of a node, from those that can be read.
    pub fn compute(&self, flat: &Flat, node: Index, read: &dyn Fn(usize) -> Bits) -> Bits {
        // Operands stand before their users, so the nodes in descending order are visited after all their users.
        let mut needed = std::collections::BTreeSet::from([node]);
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            if !self.shown.contains_key(&node) {
                open.extend(
                    flat.nodes[node as usize].op.operands().into_iter().filter(|n| needed.insert(*n)),
                );
            }
        }
        let mut values: HashMap<Index, Bits> = HashMap::new();
        for k in needed {
            let flat_node = &flat.nodes[k as usize];
            let value = match (self.shown.get(&k), &flat_node.op) {
                (Some(place), _) => read(*place),
                (None, FlatOp::Compute(op)) => eval(op, flat_node.width, flat_node.signed, |n| {
                    (&values[&n], flat.nodes[n as usize].signed)
                }),
                // Inputs, registers and what memories give have names, and so can be read.
                (None, _) => Bits::zero(flat_node.width),
            };
            values.insert(k, value);
        }
        values.remove(&node).unwrap_or(Bits::zero(flat.nodes[node as usize].width))
    }
}
