//! Clock crossings without a synchroniser.

use std::collections::{HashMap, HashSet};

use crate::diagnostic::{Diagnostic, Kind};
use crate::flat::{Flat, FlatOp, Index};
use crate::ir::SignalKind;

pub(super) fn find(flat: &Flat) -> Vec<Diagnostic> {
    if flat.clocks.len() < 2 {
        return Vec::new();
    }
    let mut search = Search { flat, source: HashMap::new(), found: Vec::new(), seen: HashSet::new() };
    search.sources();
    search.sinks();
    search.found
}

struct Search<'a> {
    flat: &'a Flat,
    /// For every node that begins in a clock (state, input, asynchronous read): the clock and the signal.
    source: HashMap<Index, (usize, usize)>,
    found: Vec<Diagnostic>,
    seen: HashSet<(crate::ir::Loc, crate::ir::Loc)>,
}

impl Search<'_> {
    fn sources(&mut self) {
        let mut clock_of: HashMap<Index, usize> = HashMap::new();
        self.flat.regs.iter().for_each(|r| drop(clock_of.insert(r.state, r.clock)));
        for read in self.flat.memories.iter().flat_map(|m| &m.reads) {
            clock_of.insert(read.state, read.clock);
        }
        for (k, signal) in self.flat.signals.iter().enumerate() {
            let clock = match self.flat.nodes[signal.node as usize].op {
                FlatOp::State => clock_of.get(&signal.node).copied(),
                FlatOp::Input if signal.scope == 0 && signal.kind == SignalKind::Input => {
                    let name = signal.shape.clock;
                    Some(name.and_then(|n| self.flat.clocks.iter().position(|c| c == n)).unwrap_or(0))
                }
                _ => None,
            };
            if let Some(clock) = clock {
                self.source.entry(signal.node).or_insert((clock, k));
            }
        }
    }

    fn sinks(&mut self) {
        for reg in &self.flat.regs {
            if !reg.synchroniser {
                let signal = &self.flat.signals[reg.signal];
                self.sink(reg.next, reg.clock, &signal.name, signal.loc);
            }
        }
        for memory in &self.flat.memories {
            for write in &memory.writes {
                for node in [Some(write.addr), Some(write.data), write.mask, write.enable].into_iter().flatten() {
                    self.sink(node, write.clock, &memory.path, write.loc);
                }
            }
            for read in &memory.reads {
                let loc = self.flat.signals.iter().find(|s| s.node == read.state).map(|s| s.loc);
                for node in [Some(read.addr), read.enable].into_iter().flatten() {
                    if let Some(loc) = loc {
                        self.sink(node, read.clock, &memory.path, loc);
                    }
                }
            }
        }
    }

    fn sink(&mut self, node: Index, clock: usize, name: &str, loc: crate::ir::Loc) {
        let mut work = vec![node];
        let mut visited = HashSet::new();
        while let Some(node) = work.pop() {
            if !visited.insert(node) {
                continue;
            }
            if let Some((other, signal)) = self.source.get(&node) {
                let source = &self.flat.signals[*signal];
                if *other != clock && self.seen.insert((loc, source.loc)) {
                    let clocks = &self.flat.clocks;
                    let message = format!(
                        "`{}` of clock `{}` reaches `{name}` of clock `{}` without a synchroniser",
                        source.name, clocks[*other], clocks[clock]
                    );
                    self.found.push(
                        Diagnostic::new(Kind::UnsynchronisedCrossing, loc, message)
                            .here(format!("sampled by `{}`", clocks[clock]))
                            .label(source.loc, format!("changes with `{}`", clocks[*other]))
                            .help("pass it through `library::Synchroniser` or `library::AsyncFifo`"),
                    );
                }
                continue;
            }
            match &self.flat.nodes[node as usize].op {
                FlatOp::Compute(op) => work.extend(op.operands()),
                // What was written long ago stands still; that is what a memory between two clocks is for.
                FlatOp::MemoryRead { addr, .. } => work.push(*addr),
                FlatOp::Input | FlatOp::State => {}
            }
        }
    }
}
