//! How a module's body drives its signals.

use crate::components::components;
use crate::ir::{Module, NodeId, Op, Signal, SignalId, SignalKind, Stmt};
use crate::lower::Lowered;

/// How the body drives a signal.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Drive {
    /// Not from the body.
    None,
    /// As a whole, unconditionally: the value.
    Whole(NodeId),
    /// In parts, unconditionally.
    Parts,
    /// Under conditions.
    Block,
    /// At a clock edge.
    Clocked,
}

/// A statement that sets a signal.
struct Set {
    /// Under a condition.
    nested: bool,
    value: NodeId,
    low: u32,
    end: u32,
}

/// How the body drives each signal.
pub(super) fn drives(module: &Module) -> Vec<Drive> {
    let mut sets = Vec::new();
    sets.resize_with(module.signals.len(), Vec::new);
    collect(module, &module.body, false, &mut sets);
    module.signals.iter().zip(sets).map(|(signal, sets)| drive(module, signal, sets)).collect()
}

fn collect(module: &Module, stmts: &[Stmt], nested: bool, out: &mut [Vec<Set>]) {
    for stmt in stmts {
        match stmt {
            Stmt::Set { target, value, low, .. } => {
                let end = low + module.node(*value).width;
                out[target.index()].push(Set { nested, value: *value, low: *low, end });
            }
            Stmt::If { branches, otherwise, .. } => {
                branches.iter().for_each(|b| collect(module, &b.1, true, out));
                otherwise.iter().for_each(|b| collect(module, b, true, out));
            }
            Stmt::Switch { cases, default, .. } => {
                cases.iter().for_each(|c| collect(module, &c.1, true, out));
                default.iter().for_each(|b| collect(module, b, true, out));
            }
            _ => {}
        }
    }
}

fn drive(module: &Module, signal: &Signal, mut sets: Vec<Set>) -> Drive {
    match signal.kind {
        SignalKind::Reg { .. } => return Drive::Clocked,
        SignalKind::MemoryRead(memory, port) => {
            return match module.memories[memory.index()].reads[port].async_addr {
                Some(_) => Drive::None,
                None => Drive::Clocked,
            };
        }
        SignalKind::Input | SignalKind::FromInstance(_) => return Drive::None,
        SignalKind::Wire { .. } | SignalKind::ToInstance(_) => {}
    }
    sets.sort_by_key(|set| set.low);
    // Bits that are set twice take the later value, which assignments side by side do not say.
    let overlap = sets.windows(2).any(|pair| pair[1].low < pair[0].end);
    match sets.as_slice() {
        [one] if !one.nested && one.end - one.low == signal.shape.width => Drive::Whole(one.value),
        all if !overlap && all.iter().all(|set| !set.nested) => Drive::Parts,
        _ => Drive::Block,
    }
}

/// For every signal, whether bits of it depend on bits of it through wires alone.
pub(super) fn read_themselves(module: &Module, lowered: &Lowered) -> Vec<bool> {
    // A graph of the nodes and, behind them, the signals.
    let nodes = lowered.nodes.len();
    let is_wire = |signal: SignalId| {
        matches!(module.signal(signal).kind, SignalKind::Wire { .. } | SignalKind::ToInstance(_))
    };
    let operands = |at: u32| match lowered.nodes.get(at as usize).map(|node| &node.op) {
        Some(Op::Read(signal)) if is_wire(*signal) => vec![nodes as u32 + signal.0],
        Some(op) => op.operands().iter().map(|node| node.0).collect(),
        None => lowered.drivers[at as usize - nodes].iter().map(|driver| driver.node.0).collect(),
    };
    let mut found = vec![false; module.signals.len()];
    for component in components(nodes + module.signals.len(), operands).iter().filter(|c| c.len() > 1) {
        for at in component.iter().filter(|at| **at as usize >= nodes) {
            found[*at as usize - nodes] = true;
        }
    }
    found
}
