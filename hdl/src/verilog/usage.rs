//! Which nodes, and which bits of signals, a module uses.

use crate::ir::{Module, Node, NodeId, Op, Stmt};
use crate::lower::Lowered;
use crate::verilog::nodes::known_comparison;

pub(super) struct Usage {
    /// How many places use a node.
    pub uses: Vec<u32>,
    /// For every node, the bits that somebody looks at.
    pub bits: Vec<Vec<bool>>,
}

/// The nodes that the text of statements uses directly. Properties are left out: they have wires of their own. So are statements that set
/// signals in `assigned`, whose values are written from their lowered form.
struct Roots<'a> {
    assigned: &'a [bool],
    nodes: Vec<NodeId>,
}

impl Roots<'_> {
    /// Whether something of the statements is written.
    fn is_written(&self, stmts: &[Stmt]) -> bool {
        stmts.iter().any(|stmt| match stmt {
            Stmt::Set { target, .. } => !self.assigned[target.index()],
            Stmt::If { branches, otherwise, .. } => {
                branches.iter().any(|b| self.is_written(&b.1)) || otherwise.iter().any(|b| self.is_written(b))
            }
            Stmt::Switch { cases, default, .. } => {
                cases.iter().any(|c| self.is_written(&c.1)) || default.iter().any(|b| self.is_written(b))
            }
            Stmt::MemoryWrite { .. } | Stmt::MemoryRead { .. } => true,
            Stmt::Check(_) => false,
        })
    }

    fn add(&mut self, stmts: &[Stmt]) {
        for stmt in stmts {
            if !self.is_written(std::slice::from_ref(stmt)) {
                continue;
            }
            match stmt {
                Stmt::Set { value, .. } => self.nodes.push(*value),
                Stmt::If { branches, otherwise, .. } => {
                    let last = branches.iter().rposition(|b| self.is_written(&b.1)).map_or(0, |k| k + 1);
                    let has_otherwise = otherwise.iter().any(|body| self.is_written(body));
                    let shown = if has_otherwise { branches.len() } else { last };
                    for (condition, body) in &branches[..shown] {
                        self.nodes.push(*condition);
                        self.add(body);
                    }
                    otherwise.iter().for_each(|body| self.add(body));
                }
                Stmt::Switch { subject, cases, default, .. } => {
                    self.nodes.push(*subject);
                    for (values, body) in cases {
                        self.nodes.extend(values);
                        self.add(body);
                    }
                    default.iter().for_each(|body| self.add(body));
                }
                Stmt::MemoryWrite { addr, data, mask, .. } => {
                    self.nodes.extend([Some(*addr), Some(*data), *mask].into_iter().flatten())
                }
                Stmt::MemoryRead { addr, .. } => self.nodes.push(*addr),
                Stmt::Check(_) => {}
            }
        }
    }
}

/// What the module's text uses without its properties; `assigned` are signals written from their lowered form.
pub(super) fn usage(module: &Module, lowered: &Lowered, assigned: &[bool]) -> Usage {
    let mut roots = Roots { assigned, nodes: Vec::new() };
    roots.add(&module.body);
    let mut nodes = roots.nodes;
    nodes.extend(module.memories.iter().flat_map(|m| &m.reads).filter_map(|r| r.async_addr));
    let drivers = lowered.drivers.iter().zip(assigned).filter(|(_, assigned)| **assigned);
    nodes.extend(drivers.flat_map(|(drivers, _)| drivers).map(|driver| driver.node));
    usage_from(&lowered.nodes, &nodes)
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
