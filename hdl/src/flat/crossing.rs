//! Clock crossings without a synchroniser.

use std::collections::{HashMap, HashSet};

use crate::diagnostic::{Diagnostic, Kind};
use crate::flat::{Flat, FlatOp, Index};
use crate::ir::{Loc, SignalKind};

/// Registers and memory ports that sample what changes with another clock.
pub(super) fn find(flat: &Flat) -> Vec<Diagnostic> {
    if flat.clocks.len() < 2 {
        return Vec::new();
    }
    let origins = origins(flat);
    let sinks = sinks(flat);
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for clock in 0..flat.clocks.len() {
        let foreign = foreign(flat, &origins, clock);
        for sink in sinks.iter().filter(|s| s.clock == clock && foreign[s.node as usize]) {
            for source in sources(flat, &origins, &foreign, sink.node) {
                if seen.insert((sink.loc, flat.signals[source].loc)) {
                    found.push(describe(flat, sink, source));
                }
            }
        }
    }
    found
}

/// Where a value is sampled.
struct Sink {
    node: Index,
    clock: usize,
    /// For messages: the register or memory.
    name: String,
    loc: Loc,
}

/// For nodes whose value belongs to a clock: their signals.
fn origins(flat: &Flat) -> HashMap<Index, usize> {
    let mut origins = HashMap::new();
    for (k, signal) in flat.signals.iter().enumerate() {
        let begins = match signal.kind {
            SignalKind::Reg { .. } | SignalKind::MemoryRead(..) => true,
            SignalKind::Input => signal.scope == 0,
            _ => false,
        };
        if begins {
            origins.insert(signal.node, k);
        }
    }
    origins
}

fn sinks(flat: &Flat) -> Vec<Sink> {
    let mut sinks = Vec::new();
    for reg in flat.regs.iter().filter(|r| !r.synchroniser) {
        let (name, loc) = (format!("`{}`", flat.signal_path(reg.signal)), flat.signals[reg.signal].loc);
        sinks.push(Sink { node: reg.next, clock: reg.clock, name, loc });
    }
    let mut port_of = HashMap::new();
    for (k, signal) in flat.signals.iter().enumerate() {
        if let SignalKind::MemoryRead(..) = signal.kind {
            port_of.insert(signal.node, k);
            if let FlatOp::MemoryRead { addr, .. } = flat.nodes[signal.node as usize].op {
                let name = format!("the address of `{}`", flat.signal_path(k));
                sinks.push(Sink { node: addr, clock: signal.clock, name, loc: signal.loc });
            }
        }
    }
    for memory in &flat.memories {
        for write in &memory.writes {
            for node in [Some(write.addr), Some(write.data), write.mask, write.enable].into_iter().flatten() {
                let name = format!("memory `{}`", memory.path);
                sinks.push(Sink { node, clock: write.clock, name, loc: write.loc });
            }
        }
        for read in &memory.reads {
            let Some(port) = port_of.get(&read.state) else { continue };
            for node in [Some(read.addr), read.enable].into_iter().flatten() {
                let name = format!("`{}`", flat.signal_path(*port));
                sinks.push(Sink { node, clock: read.clock, name, loc: flat.signals[*port].loc });
            }
        }
    }
    sinks
}

/// For every node, whether something of another clock than this one reaches it.
fn foreign(flat: &Flat, origins: &HashMap<Index, usize>, clock: usize) -> Vec<bool> {
    let mut foreign = Vec::with_capacity(flat.nodes.len());
    for (n, node) in flat.nodes.iter().enumerate() {
        let reached = match origins.get(&(n as Index)) {
            Some(signal) => flat.signals[*signal].clock != clock,
            None => node.op.operands().iter().any(|m| foreign[*m as usize]),
        };
        foreign.push(reached);
    }
    foreign
}

/// The signals of other clocks that reach a node.
fn sources(flat: &Flat, origins: &HashMap<Index, usize>, foreign: &[bool], node: Index) -> Vec<usize> {
    let (mut work, mut visited, mut found) = (vec![node], HashSet::new(), Vec::new());
    while let Some(node) = work.pop() {
        if !foreign[node as usize] || !visited.insert(node) {
            continue;
        }
        match origins.get(&node) {
            Some(signal) => found.push(*signal),
            None => work.extend(flat.nodes[node as usize].op.operands()),
        }
    }
    found.sort_unstable();
    found
}

fn describe(flat: &Flat, sink: &Sink, source: usize) -> Diagnostic {
    let signal = &flat.signals[source];
    let (from, to) = (&flat.clocks[signal.clock], &flat.clocks[sink.clock]);
    let message = format!(
        "`{}` of clock `{from}` reaches {} of clock `{to}` without a synchroniser",
        flat.signal_path(source),
        sink.name
    );
    Diagnostic::new(Kind::UnsynchronisedCrossing, sink.loc, message)
        .here(format!("sampled by `{to}`"))
        .label(signal.loc, format!("changes with `{from}`"))
        .help("pass it through `library::Synchroniser` or `library::AsyncFifo`")
}
