//! What is recorded: walks the instances and declares their signals.

use std::collections::HashMap;

use ferrite_hdl::flat::{Flat, FlatSignal, Index};
use ferrite_hdl::ir::SignalKind;

use super::FstError;
use super::format::{Counts, Direction, Kind};
use super::hierarchy::Hierarchy;
use crate::probes::Probe;

/// How many scopes an error lists.
const SHOWN_SCOPES: usize = 30;

/// What the head of a file says.
pub(super) struct Declared {
    /// The block of scopes and names.
    pub hierarchy: Vec<u8>,
    pub counts: Counts,
    /// The widths of all traces.
    pub widths: Vec<u32>,
    /// What the traces behind those of the clocks show.
    pub probes: Vec<Probe>,
}

/// For every scope, whether its signals are recorded.
pub(super) fn chosen_scopes(flat: &Flat, wanted: &[String]) -> Result<Vec<bool>, FstError> {
    let paths: Vec<String> = (0..flat.scopes.len()).map(|k| flat.scope_path(k)).collect();
    if let Some(scope) = wanted.iter().find(|scope| !paths.contains(scope)) {
        let mut known = paths[..paths.len().min(SHOWN_SCOPES)].join(", ");
        if paths.len() > SHOWN_SCOPES {
            known.push_str(&format!(" and {} more", paths.len() - SHOWN_SCOPES));
        }
        return Err(FstError::UnknownScope { scope: scope.clone(), known });
    }
    // A scope stands behind its parent.
    let mut chosen: Vec<bool> = Vec::new();
    for (k, scope) in flat.scopes.iter().enumerate() {
        let asked = match scope.parent {
            _ if wanted.is_empty() => scope.parent.is_none_or(|parent| parent == 0),
            Some(parent) => chosen[parent] || wanted.contains(&paths[k]),
            None => wanted.contains(&paths[k]),
        };
        chosen.push(asked);
    }
    Ok(chosen)
}

/// What the file's head says of these scopes.
pub(super) fn declare(flat: &Flat, chosen: &[bool], memory_words: u32) -> Declared {
    let mut declaration = Declaration {
        hierarchy: Hierarchy::default(),
        contents: contents(flat, chosen, memory_words),
        flat,
        of_node: HashMap::new(),
        counts: Counts::default(),
        widths: Vec::new(),
        probes: Vec::new(),
    };
    flat.signals.iter().filter_map(|s| s.shape.encoding).for_each(|e| declaration.hierarchy.enum_table(e));
    declaration.scope(0);
    let Declaration { hierarchy, counts, widths, probes, .. } = declaration;
    let counts = Counts { traces: widths.len() as u64, ..counts };
    Declared { hierarchy: hierarchy.block(), counts, widths, probes }
}

/// What a scope shows.
#[derive(Clone, Default)]
struct Contents {
    signals: Vec<usize>,
    memories: Vec<usize>,
    /// Scopes in it that show something.
    scopes: Vec<usize>,
}

fn contents(flat: &Flat, chosen: &[bool], memory_words: u32) -> Vec<Contents> {
    let mut contents = vec![Contents::default(); flat.scopes.len()];
    for (k, signal) in flat.signals.iter().enumerate().filter(|(_, s)| chosen[s.scope]) {
        contents[signal.scope].signals.push(k);
    }
    let scope_of: HashMap<String, usize> = (0..flat.scopes.len()).map(|k| (flat.scope_path(k), k)).collect();
    for (k, memory) in flat.memories.iter().enumerate().filter(|(_, m)| m.depth <= memory_words) {
        let top = &flat.scopes[0].name;
        let path = match memory.path.rsplit_once('.') {
            Some((instances, _)) => format!("{top}.{instances}"),
            None => top.clone(),
        };
        if let Some(scope) = scope_of.get(&path).filter(|scope| chosen[**scope]) {
            contents[*scope].memories.push(k);
        }
    }
    let mut shown = chosen.to_vec();
    for (k, scope) in flat.scopes.iter().enumerate().rev() {
        if let Some(parent) = scope.parent.filter(|_| shown[k]) {
            shown[parent] = true;
        }
    }
    for (k, scope) in flat.scopes.iter().enumerate().filter(|(k, _)| shown[*k]) {
        if let Some(parent) = scope.parent {
            contents[parent].scopes.push(k);
        }
    }
    contents
}

struct Declaration<'a> {
    flat: &'a Flat,
    contents: Vec<Contents>,
    hierarchy: Hierarchy,
    /// The trace of a node, by its number in the file, from 1.
    of_node: HashMap<Index, usize>,
    counts: Counts,
    widths: Vec<u32>,
    probes: Vec<Probe>,
}

impl Declaration<'_> {
    fn scope(&mut self, scope: usize) {
        let flat = self.flat;
        self.counts.scopes += 1;
        self.hierarchy.scope(&flat.scopes[scope].name, &flat.scopes[scope].module);
        if scope == 0 {
            for clock in &flat.clocks {
                self.counts.signals += 1;
                self.hierarchy.var(clock, 1, Kind::Wire, Direction::Input, None, 0);
                self.widths.push(1);
            }
        }
        let contents = std::mem::take(&mut self.contents[scope]);
        contents.signals.into_iter().for_each(|signal| self.signal(signal));
        contents.memories.into_iter().for_each(|memory| self.memory(memory));
        contents.scopes.into_iter().for_each(|inner| self.scope(inner));
        self.hierarchy.up_scope();
    }

    fn signal(&mut self, k: usize) {
        let signal = &self.flat.signals[k];
        let shape = signal.shape;
        let alias = self.of_node.get(&signal.node).copied();
        let direction = self.direction(signal);
        self.counts.signals += 1;
        self.hierarchy.var(
            &signal.name,
            shape.width,
            kind(signal),
            direction,
            shape.encoding,
            alias.unwrap_or(0),
        );
        if alias.is_none() {
            self.widths.push(shape.width);
            self.of_node.insert(signal.node, self.widths.len());
            self.probes.push(Probe::Signal(k));
        }
    }

    fn memory(&mut self, memory: usize) {
        let (path, width) = (&self.flat.memories[memory].path, self.flat.memories[memory].width);
        let name = path.rsplit_once('.').map_or(path.as_str(), |(_, name)| name);
        for word in 0..self.flat.memories[memory].depth {
            let name = format!("{name}[{word}]");
            self.counts.signals += 1;
            self.hierarchy.var(&name, width, Kind::Reg, Direction::Implicit, None, 0);
            self.widths.push(width);
            self.probes.push(Probe::Word { memory, word });
        }
    }

    fn direction(&self, signal: &FlatSignal) -> Direction {
        let is_output = signal.scope == 0 && self.flat.outputs.iter().any(|port| port.name == signal.name);
        match signal.kind {
            SignalKind::Input => Direction::Input,
            _ if is_output => Direction::Output,
            _ => Direction::Implicit,
        }
    }
}

/// Viewers show an `integer` with its sign.
fn kind(signal: &FlatSignal) -> Kind {
    match signal.kind {
        _ if signal.shape.signed => Kind::Integer,
        SignalKind::Reg { .. } => Kind::Reg,
        _ => Kind::Wire,
    }
}
