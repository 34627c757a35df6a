//! Finds clusters that compute the same on different values, as the elements of an array do: they are computed four at a time, in the
//! lanes of vectors.

use std::collections::HashMap;

use ferrite_hdl::flat::Flat;

use super::cluster::{Partition, Sink};
use super::graph::{Id, Op};
use super::netlist::Netlist;

/// Bits of a lane: the widest value that a group may compute.
pub(super) const LANE_BITS: u32 = 32;
/// Fewer clusters than this are not worth a group.
pub(super) const FEWEST_LANES: usize = 8;
/// Lanes that are active together.
const BLOCK_LANES: usize = 64;
/// Marks an operand of a template that comes from outside.
pub(super) const EXTERNAL: u32 = 1 << 31;

/// What all clusters of a group compute.
#[derive(PartialEq, Eq, Hash, Clone, Debug)]
pub(super) struct Template {
    /// Operations and their widths. An operand is a position here, or with [`EXTERNAL`] one in [`Lane::externals`].
    pub nodes: Vec<(Op, u32)>,
    /// Bits of the values from outside.
    pub externals: Vec<u32>,
    /// For every register, what it takes next (an operand) and how wide it is.
    pub nexts: Vec<(u32, u32)>,
}

/// One cluster of a group.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    pub scope: u32,
    pub externals: Vec<Id>,
    /// Its registers, in the order of [`Template::nexts`].
    pub states: Vec<u32>,
    /// The nodes that the template's stand for.
    pub nodes: Vec<Id>,
}

/// Lanes that are computed by one function.
pub(super) struct LaneBlock {
    pub template: Template,
    pub lanes: Vec<Lane>,
    /// Positions in the template of what is stored.
    pub stored: Vec<u32>,
    pub level: u32,
}

/// What the clusters of a group have in common: level, module, and what they compute.
type Key<'a> = (u32, &'a str, Template);

/// How many instances there are of each module.
pub(super) fn instances(flat: &Flat) -> HashMap<&str, usize> {
    let mut instances = HashMap::new();
    for scope in &flat.scopes {
        *instances.entry(scope.module.as_str()).or_default() += 1;
    }
    instances
}

/// Groups among the clusters; the second result says which clusters are in one.
pub(super) fn find(flat: &Flat, netlist: &Netlist, partition: &Partition) -> (Vec<LaneBlock>, Vec<bool>) {
    let mut groups: HashMap<Key, Vec<(usize, Lane)>> = HashMap::new();
    let instances = instances(flat);
    for (k, cluster) in partition.clusters.iter().enumerate() {
        let Some(scope) = flat.scopes.get(cluster.scope as usize) else { continue };
        let module = scope.module.as_str();
        if instances[module] >= FEWEST_LANES
            && let Some((template, lane)) = Canonical::of(netlist, partition, k as u32)
        {
            groups.entry((cluster.level, module, template)).or_default().push((k, lane));
        }
    }
    let mut groups: Vec<_> = groups.into_iter().filter(|(_, lanes)| lanes.len() >= FEWEST_LANES).collect();
    groups.sort_by_key(|((level, ..), lanes)| (*level, lanes[0].0));

    let mut grouped = vec![false; partition.clusters.len()];
    let mut blocks = Vec::new();
    for ((level, _, template), mut lanes) in groups {
        lanes.sort_by_key(|(_, lane)| lane.scope);
        let mut is_stored = vec![false; template.nodes.len()];
        for (k, lane) in &lanes {
            grouped[*k] = true;
            let stored = &partition.clusters[*k].stored;
            for (position, node) in lane.nodes.iter().enumerate() {
                is_stored[position] |= stored.contains(node);
            }
        }
        let stored: Vec<u32> = (0..is_stored.len() as u32).filter(|p| is_stored[*p as usize]).collect();
        for lanes in lanes.chunks(BLOCK_LANES) {
            blocks.push(LaneBlock {
                template: template.clone(),
                lanes: lanes.iter().map(|(_, lane)| lane.clone()).collect(),
                stored: stored.clone(),
                level,
            });
        }
    }
    (blocks, grouped)
}

/// A cluster on its way to a template.
struct Canonical<'a> {
    netlist: &'a Netlist,
    partition: &'a Partition,
    cluster: u32,
    template: Template,
    lane: Lane,
    /// The operand that stands for a node.
    operands: HashMap<Id, u32>,
}

impl Canonical<'_> {
    /// `None` if it cannot be computed in lanes.
    fn of(netlist: &Netlist, partition: &Partition, cluster: u32) -> Option<(Template, Lane)> {
        let Partition { clusters, .. } = partition;
        let this = &clusters[cluster as usize];
        let mut canonical = Canonical {
            netlist,
            partition,
            cluster,
            template: Template { nodes: vec![], externals: vec![], nexts: vec![] },
            lane: Lane { scope: this.scope, externals: vec![], states: vec![], nodes: vec![] },
            operands: HashMap::new(),
        };
        for sink in &this.sinks {
            let Sink::Next(k) = *sink else { return None };
            let state = &netlist.states[k as usize];
            let width = state.init.width();
            let next = canonical.operand(state.next)?;
            canonical.template.nexts.push((next, width));
            canonical.lane.states.push(k);
            if width > LANE_BITS {
                return None;
            }
        }
        for node in &this.stored {
            canonical.operand(*node)?;
        }
        Some((canonical.template, canonical.lane))
    }

    fn is_inside(&self, id: Id) -> bool {
        let n = id as usize;
        // Bits of a leaf are as good as a leaf: what one instance gets whole, another gets out of something wider.
        let extends = matches!(self.netlist.graph.op(id), Op::Not(_) | Op::Extend { .. });
        self.partition.cluster_of[n] == self.cluster || self.partition.free[n] && extends
    }

    /// The operand for a node, made with all below it.
    fn operand(&mut self, id: Id) -> Option<u32> {
        let mut work = vec![(id, false)];
        while let Some((id, operands_done)) = work.pop() {
            if self.operands.contains_key(&id) {
                continue;
            }
            let node = &self.netlist.graph.nodes[id as usize];
            if node.width > LANE_BITS {
                return None;
            }
            if !self.is_inside(id) {
                self.operands.insert(id, EXTERNAL | self.lane.externals.len() as u32);
                self.template.externals.push(node.width);
                self.lane.externals.push(id);
            } else if operands_done {
                self.operands.insert(id, self.lane.nodes.len() as u32);
                let op = renamed(&node.op, |n| self.operands[&n])?;
                self.template.nodes.push((op, node.width));
                self.lane.nodes.push(id);
            } else {
                work.push((id, true));
                work.extend(node.op.operands().into_iter().rev().map(|operand| (operand, false)));
            }
        }
        self.operands.get(&id).copied()
    }
}

/// The operation on other operands; `None` if lanes cannot do it.
fn renamed(op: &Op, at: impl Fn(Id) -> u32) -> Option<Op> {
    Some(match op {
        Op::Not(a) => Op::Not(at(*a)),
        Op::And(a, b) => Op::And(at(*a), at(*b)),
        Op::Or(a, b) => Op::Or(at(*a), at(*b)),
        Op::Xor(a, b) => Op::Xor(at(*a), at(*b)),
        Op::Add(a, b) => Op::Add(at(*a), at(*b)),
        Op::Sub(a, b) => Op::Sub(at(*a), at(*b)),
        Op::Mul { a, b, signed } => Op::Mul { a: at(*a), b: at(*b), signed: *signed },
        Op::Compare(comparison, a, b) => Op::Compare(*comparison, at(*a), at(*b)),
        Op::Mux(c, a, b) => Op::Mux(at(*c), at(*a), at(*b)),
        Op::Concat(parts) => Op::Concat(parts.iter().map(|p| at(*p)).collect()),
        Op::Slice(a, low) => Op::Slice(at(*a), *low),
        Op::Extend { a, signed } => Op::Extend { a: at(*a), signed: *signed },
        Op::Const(_) | Op::Input(_) | Op::State(_) | Op::Read { .. } => return None,
        Op::Shl(..) | Op::Shr { .. } | Op::Parity(_) => return None,
    })
}
