//! Which nodes, and which bits of signals, a module uses.

use crate::ir::{Module, Node, NodeId, Op, Stmt};
use crate::lower::Lowered;
use crate::verilog::expr::known_comparison;

pub(super) struct Usage {
    /// How many places use a node.
    pub uses: Vec<u32>,
    /// For every node, the bits that somebody looks at.
    pub bits: Vec<Vec<bool>>,
}

/// The nodes that statements use directly. Properties are left out: only formal tools look at them.
pub(super) fn roots(stmts: &[Stmt], out: &mut Vec<NodeId>) {
    for stmt in stmts {
        match stmt {
            Stmt::Set { value, .. } => out.push(*value),
            Stmt::If { branches, otherwise, .. } => {
                for (condition, body) in branches {
                    out.push(*condition);
                    roots(body, out);
                }
                otherwise.iter().for_each(|body| roots(body, out));
            }
            Stmt::Switch { subject, cases, default, .. } => {
                out.push(*subject);
                for (values, body) in cases {
                    out.extend(values);
                    roots(body, out);
                }
                default.iter().for_each(|body| roots(body, out));
            }
            Stmt::MemoryWrite { addr, data, mask, .. } => {
                out.extend([Some(*addr), Some(*data), *mask].into_iter().flatten())
            }
            Stmt::MemoryRead { addr, .. } => out.push(*addr),
            Stmt::Check(_) => {}
        }
    }
}

pub(super) fn usage(module: &Module, lowered: &Lowered) -> Usage {
    let mut work = Vec::new();
    roots(&module.body, &mut work);
    work.extend(module.memories.iter().flat_map(|m| &m.reads).filter_map(|r| r.async_addr));
    usage_from(&lowered.nodes, &work)
}

/// What some of the nodes use, all of whose bits are looked at.
pub(super) fn usage_from(nodes: &[Node], roots: &[NodeId]) -> Usage {
    let mut uses = vec![0u32; nodes.len()];
    let mut bits: Vec<Vec<bool>> = nodes.iter().map(|n| vec![false; n.width as usize]).collect();
    for root in roots {
        uses[root.index()] += 1;
        bits[root.index()].fill(true);
    }
    // Users stand behind their operands, so one walk from the back sees every node after all its users.
    for k in (0..nodes.len()).rev() {
        if uses[k] == 0 || known_comparison(nodes, &nodes[k].op).is_some() {
            continue;
        }
        for operand in nodes[k].op.operands() {
            uses[operand.index()] += 1;
        }
        let seen = std::mem::take(&mut bits[k]);
        match &nodes[k].op {
            Op::Slice(a, low) => {
                for (i, used) in seen.iter().enumerate() {
                    bits[a.index()][*low as usize + i] |= used;
                }
            }
            Op::Cast(a) => {
                for (i, used) in seen.iter().enumerate() {
                    bits[a.index()][i] |= used;
                }
            }
            op => op.operands().iter().for_each(|a| bits[a.index()].fill(true)),
        }
        bits[k] = seen;
    }
    Usage { uses, bits }
}
