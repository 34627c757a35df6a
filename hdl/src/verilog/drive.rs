//! How a module's body drives its signals.

use std::collections::HashSet;

use crate::ir::{Module, NodeId, Op, SignalId, SignalKind, Stmt};
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

fn sets(stmts: &[Stmt], target: SignalId, nested: bool, out: &mut Vec<(bool, NodeId, u32)>) {
    for s in stmts {
        match s {
            Stmt::Set { target: t, value, low, .. } if *t == target => out.push((nested, *value, *low)),
            Stmt::If { branches, otherwise, .. } => {
                branches.iter().for_each(|b| sets(&b.1, target, true, out));
                otherwise.iter().for_each(|b| sets(b, target, true, out));
            }
            Stmt::Switch { cases, default, .. } => {
                cases.iter().for_each(|c| sets(&c.1, target, true, out));
                default.iter().for_each(|b| sets(b, target, true, out));
            }
            _ => {}
        }
    }
}

pub(super) fn drive(module: &Module, id: SignalId) -> Drive {
    let signal = module.signal(id);
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
    let mut found = Vec::new();
    sets(&module.body, id, false, &mut found);
    match found.as_slice() {
        [(false, value, 0)] if module.node(*value).width == signal.shape.width => Drive::Whole(*value),
        all if all.iter().all(|s| !s.0) => Drive::Parts,
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
