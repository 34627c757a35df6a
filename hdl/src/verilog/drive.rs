//! How a module's body drives its signals.

use std::collections::HashSet;

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

/// Whether bits of a signal depend on bits of it through wires alone.
pub(super) fn reads_itself(module: &Module, lowered: &Lowered, id: SignalId) -> bool {
    let drivers = |id: SignalId| lowered.drivers[id.index()].iter().map(|d| d.node);
    let mut work: Vec<NodeId> = drivers(id).collect();
    let (mut seen, mut passed) = (HashSet::new(), HashSet::new());
    while let Some(node) = work.pop() {
        if !seen.insert(node) {
            continue;
        }
        match &lowered.nodes[node.index()].op {
            Op::Read(s) if *s == id => return true,
            Op::Read(s) => {
                let combinational =
                    matches!(module.signal(*s).kind, SignalKind::Wire { .. } | SignalKind::ToInstance(_));
                if combinational && passed.insert(*s) {
                    work.extend(drivers(*s));
                }
            }
            op => work.extend(op.operands()),
        }
    }
    false
}
