//! Divides the graph into clusters: what is computed together, or not at all while nothing that it reads has changed.
//!
//! A cluster is the nodes of one instance at one level, where a node's level is the largest of its operands', and one more where it
//! reads another instance. So values only go to clusters of higher levels, and evaluation in the order of levels needs to look at every
//! cluster once.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::graph::{Graph, Id, NOWHERE, Op};
use super::netlist::Netlist;

/// No cluster.
pub(super) const NONE: u32 = u32::MAX;

/// What has an effect beyond the values themselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sink {
    /// What a register takes next, by its position in `Netlist::states`.
    Next(u32),
    /// All writes of a memory.
    Write(u32),
    /// Whether a property fails, by its position in `Flat::checks`.
    Fail(u32),
}

#[derive(Default, Debug)]
pub(super) struct Cluster {
    pub level: u32,
    pub scope: u32,
    pub sinks: Vec<Sink>,
    /// Nodes that are kept in memory: other clusters read them, or somebody outside.
    pub stored: Vec<Id>,
}

pub(super) struct Partition {
    /// In an order in which they can be evaluated.
    pub clusters: Vec<Cluster>,
    /// The cluster of every node; [`NONE`] for free and unused ones.
    pub cluster_of: Vec<u32>,
    /// Nodes that every reader computes for itself: leaves, and bits of leaves.
    pub free: Vec<bool>,
}

impl Partition {
    /// Divides a netlist. `kept` are the nodes that must be stored.
    pub fn new(netlist: &Netlist, kept: &HashSet<Id>) -> Partition {
        let graph = &netlist.graph;
        let free = free(graph, kept);
        let sinks = sinks(netlist);
        let live = live(graph, &sinks, kept);
        let levels = Levels::new(graph, &free, &live, &sinks, kept);

        let mut numbers: BTreeMap<(u32, u32), u32> = BTreeMap::new();
        let members = || (0..graph.nodes.len()).filter(|n| live[*n] && !free[*n]);
        for n in members() {
            numbers.insert((levels.of_node[n], graph.nodes[n].scope), 0);
        }
        for (sink, level) in sinks.iter().zip(&levels.of_sink) {
            numbers.insert((*level, sink.scope), 0);
        }
        let mut clusters = Vec::new();
        for ((level, scope), number) in &mut numbers {
            *number = clusters.len() as u32;
            clusters.push(Cluster { level: *level, scope: *scope, ..Cluster::default() });
        }
        let mut cluster_of = vec![NONE; graph.nodes.len()];
        for n in members() {
            cluster_of[n] = numbers[&(levels.of_node[n], graph.nodes[n].scope)];
        }
        let mut stored: HashSet<Id> = kept.iter().copied().filter(|n| !free[*n as usize]).collect();
        let mut reads = |reader: u32, operand: Id| {
            let source = source(graph, &free, operand);
            if !free[source as usize] && cluster_of[source as usize] != reader {
                stored.insert(source);
            }
        };
        for n in members() {
            graph.nodes[n].op.operands().into_iter().for_each(|operand| reads(cluster_of[n], operand));
        }
        for (sink, level) in sinks.iter().zip(&levels.of_sink) {
            let number = numbers[&(*level, sink.scope)];
            clusters[number as usize].sinks.push(sink.sink);
            sink.operands.iter().for_each(|operand| reads(number, *operand));
        }
        let mut stored: Vec<Id> = stored.into_iter().collect();
        stored.sort_unstable();
        for node in stored {
            clusters[cluster_of[node as usize] as usize].stored.push(node);
        }
        Partition { clusters, cluster_of, free }
    }
}

/// An effect with what it needs.
struct SinkNode {
    sink: Sink,
    scope: u32,
    operands: Vec<Id>,
}

/// The nodes that a sink needs.
pub(super) fn needs(netlist: &Netlist, sink: Sink) -> Vec<Id> {
    match sink {
        Sink::Next(k) => vec![netlist.states[k as usize].next],
        Sink::Write(k) => {
            let ports = netlist.writes[k as usize].iter();
            ports.flat_map(|w| [Some(w.enable), Some(w.addr), Some(w.data), w.mask]).flatten().collect()
        }
        Sink::Fail(k) => netlist.failures[k as usize].into_iter().collect(),
    }
}

fn sinks(netlist: &Netlist) -> Vec<SinkNode> {
    let graph = &netlist.graph;
    let node = |sink, scope| SinkNode { sink, scope, operands: needs(netlist, sink) };
    let mut sinks = Vec::new();
    for (k, state) in netlist.states.iter().enumerate().filter(|(_, s)| s.next != s.id) {
        sinks.push(node(Sink::Next(k as u32), state.scope));
    }
    for k in (0..netlist.writes.len()).filter(|k| !netlist.writes[*k].is_empty()) {
        sinks.push(node(Sink::Write(k as u32), netlist.write_scopes[k]));
    }
    for (k, failure) in netlist.failures.iter().enumerate() {
        if let Some(failure) = failure {
            let scope = graph.nodes[*failure as usize].scope;
            sinks.push(node(Sink::Fail(k as u32), if scope == NOWHERE { 0 } else { scope }));
        }
    }
    sinks
}

/// Leaves, and what is made of one leaf by choosing, complementing or extending bits.
fn free(graph: &Graph, kept: &HashSet<Id>) -> Vec<bool> {
    let mut free = vec![false; graph.nodes.len()];
    for (n, node) in graph.nodes.iter().enumerate() {
        free[n] = match &node.op {
            Op::Const(_) | Op::Input(_) | Op::State(_) => true,
            Op::Slice(a, _) | Op::Not(a) | Op::Extend { a, .. } => {
                free[*a as usize] && !kept.contains(&(n as Id))
            }
            _ => false,
        };
    }
    free
}

/// The node that must be in memory for a node to be had: itself, or the leaf below.
pub(super) fn source(graph: &Graph, free: &[bool], mut id: Id) -> Id {
    while free[id as usize] {
        match graph.op(id) {
            Op::Slice(a, _) | Op::Not(a) | Op::Extend { a, .. } => id = *a,
            _ => break,
        }
    }
    id
}

fn live(graph: &Graph, sinks: &[SinkNode], kept: &HashSet<Id>) -> Vec<bool> {
    let mut live = vec![false; graph.nodes.len()];
    for id in sinks.iter().flat_map(|s| &s.operands).chain(kept) {
        live[*id as usize] = true;
    }
    for n in (0..graph.nodes.len()).rev() {
        if live[n] {
            graph.nodes[n].op.operands().into_iter().for_each(|o| live[o as usize] = true);
        }
    }
    live
}

struct Levels {
    of_node: Vec<u32>,
    of_sink: Vec<u32>,
}

impl Levels {
    fn new(graph: &Graph, free: &[bool], live: &[bool], sinks: &[SinkNode], kept: &HashSet<Id>) -> Levels {
        let mut of_node = vec![0u32; graph.nodes.len()];
        let level = |of_node: &[u32], scope: u32, operands: &[Id]| {
            let sources = operands.iter().map(|o| source(graph, free, *o)).filter(|s| !free[*s as usize]);
            let after =
                sources.map(|s| of_node[s as usize] + (graph.nodes[s as usize].scope != scope) as u32);
            after.max().unwrap_or(0)
        };
        for n in (0..graph.nodes.len()).filter(|n| live[*n] && !free[*n]) {
            of_node[n] = level(&of_node, graph.nodes[n].scope, &graph.nodes[n].op.operands());
        }
        let of_sink: Vec<u32> = sinks.iter().map(|s| level(&of_node, s.scope, &s.operands)).collect();

        // What only later levels of its own instance use need not be stored for them: it is computed there.
        let mut latest: HashMap<Id, Option<u32>> = HashMap::new();
        let used = |latest: &mut HashMap<Id, Option<u32>>, operand: Id, scope: u32, level: u32| {
            let source = source(graph, free, operand);
            let own = graph.nodes[source as usize].scope == scope;
            let entry = latest.entry(source).or_insert(Some(u32::MAX));
            *entry = if own { entry.map(|latest| latest.min(level)) } else { None };
        };
        for (sink, level) in sinks.iter().zip(&of_sink) {
            sink.operands.iter().for_each(|o| used(&mut latest, *o, sink.scope, *level));
        }
        for n in (0..graph.nodes.len()).rev().filter(|n| live[*n] && !free[*n]) {
            if let Some(Some(level)) = latest.get(&(n as Id))
                && !kept.contains(&(n as Id))
            {
                of_node[n] = *level;
            }
            let (scope, level) = (graph.nodes[n].scope, of_node[n]);
            let operands = graph.nodes[n].op.operands();
            operands.into_iter().for_each(|o| used(&mut latest, o, scope, level));
        }
        Levels { of_node, of_sink }
    }
}
