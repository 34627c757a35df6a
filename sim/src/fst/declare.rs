//! What is recorded: walks the instances and declares their signals.

use std::collections::HashMap;

use ferrite_hdl::flat::{Flat, FlatSignal, Index};
use ferrite_hdl::ir::SignalKind;
use fst_writer::{
    FstBodyWriter, FstFileType, FstHeaderWriter, FstInfo, FstScopeType, FstSignalId, FstSignalType,
    FstVarDirection, FstVarType, FstWriteError,
};

use super::FstError;
use super::file::SharedFile;
use super::hierarchy::Hierarchy;

/// Times are in nanoseconds: `10^-9` seconds.
const NANOSECONDS: i8 = -9;

/// How many scopes an error lists.
const SHOWN_SCOPES: usize = 30;

/// Where a recorded value comes from.
#[derive(Clone, Copy)]
pub(super) enum Source {
    /// A position in [`Flat::signals`].
    Signal(usize),
    /// A word of a memory.
    Word { memory: usize, word: u32 },
}

/// A recorded value.
pub(super) struct Track {
    pub id: FstSignalId,
    pub source: Source,
}

/// A file ready for its changes.
pub(super) struct Declared {
    pub body: FstBodyWriter<SharedFile>,
    pub clocks: Vec<FstSignalId>,
    pub tracks: Vec<Track>,
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
        let inside = scope.parent.is_some_and(|parent| chosen[parent]);
        chosen.push(wanted.is_empty() || inside || wanted.contains(&paths[k]));
    }
    Ok(chosen)
}

/// Writes the head of the file.
pub(super) fn declare(
    flat: &Flat,
    chosen: &[bool],
    memory_words: u32,
    file: SharedFile,
) -> Result<Declared, FstWriteError> {
    let info = FstInfo {
        start_time: 0,
        timescale_exponent: NANOSECONDS,
        version: concat!("Ferrite ", env!("CARGO_PKG_VERSION")).to_string(),
        // One run, one file: nothing in it tells when it was made.
        date: String::new(),
        file_type: FstFileType::Verilog,
    };
    let mut declaration = Declaration {
        header: FstHeaderWriter::new(file.clone(), &info)?,
        hierarchy: Hierarchy::default(),
        contents: contents(flat, chosen, memory_words),
        flat,
        of_node: HashMap::new(),
        clocks: Vec::new(),
        tracks: Vec::new(),
        count: 0,
    };
    flat.signals.iter().filter_map(|s| s.shape.encoding).for_each(|e| declaration.hierarchy.enum_table(e));
    declaration.scope(0)?;
    let body = declaration.header.finish()?;
    file.exchange_hierarchy(&declaration.hierarchy.block())?;
    Ok(Declared { body, clocks: declaration.clocks, tracks: declaration.tracks })
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
    header: FstHeaderWriter<SharedFile>,
    hierarchy: Hierarchy,
    /// The trace of a node, by its number in the file.
    of_node: HashMap<Index, (FstSignalId, usize)>,
    clocks: Vec<FstSignalId>,
    tracks: Vec<Track>,
    /// Traces so far.
    count: usize,
}

impl Declaration<'_> {
    fn scope(&mut self, scope: usize) -> Result<(), FstWriteError> {
        let flat = self.flat;
        self.header.scope("", "", FstScopeType::Module)?;
        self.hierarchy.scope(&flat.scopes[scope].name, &flat.scopes[scope].module);
        if scope == 0 {
            for clock in &flat.clocks {
                self.hierarchy.var(clock, 1, FstVarType::Wire, FstVarDirection::Input, None, 0);
                let id = self.trace(1, None)?;
                self.clocks.push(id);
            }
        }
        let contents = std::mem::take(&mut self.contents[scope]);
        for signal in contents.signals {
            self.signal(signal)?;
        }
        for memory in contents.memories {
            self.memory(memory)?;
        }
        for inner in contents.scopes {
            self.scope(inner)?;
        }
        self.hierarchy.up_scope();
        self.header.up_scope()
    }

    fn signal(&mut self, k: usize) -> Result<(), FstWriteError> {
        let signal = &self.flat.signals[k];
        let shape = signal.shape;
        let before = self.of_node.get(&signal.node).copied();
        let alias = before.map_or(0, |(_, number)| number);
        let direction = self.direction(signal);
        self.hierarchy.var(&signal.name, shape.width, kind(signal), direction, shape.encoding, alias);
        let id = self.trace(shape.width, before.map(|(id, _)| id))?;
        if before.is_none() {
            self.of_node.insert(signal.node, (id, self.count));
            self.tracks.push(Track { id, source: Source::Signal(k) });
        }
        Ok(())
    }

    fn memory(&mut self, memory: usize) -> Result<(), FstWriteError> {
        let (path, width) = (&self.flat.memories[memory].path, self.flat.memories[memory].width);
        let name = path.rsplit_once('.').map_or(path.as_str(), |(_, name)| name);
        for word in 0..self.flat.memories[memory].depth {
            let name = format!("{name}[{word}]");
            self.hierarchy.var(&name, width, FstVarType::Reg, FstVarDirection::Implicit, None, 0);
            let id = self.trace(width, None)?;
            self.tracks.push(Track { id, source: Source::Word { memory, word } });
        }
        Ok(())
    }

    /// Tells the writer of a signal that the hierarchy already has.
    fn trace(&mut self, width: u32, alias: Option<FstSignalId>) -> Result<FstSignalId, FstWriteError> {
        self.count += alias.is_none() as usize;
        let kind = FstSignalType::bit_vec(width);
        self.header.var("", kind, FstVarType::Wire, FstVarDirection::Implicit, alias)
    }

    fn direction(&self, signal: &FlatSignal) -> FstVarDirection {
        let is_output = signal.scope == 0 && self.flat.outputs.iter().any(|port| port.name == signal.name);
        match signal.kind {
            SignalKind::Input => FstVarDirection::Input,
            _ if is_output => FstVarDirection::Output,
            _ => FstVarDirection::Implicit,
        }
    }
}

/// Viewers show an `integer` with its sign.
fn kind(signal: &FlatSignal) -> FstVarType {
    match signal.kind {
        _ if signal.shape.signed => FstVarType::Integer,
        SignalKind::Reg { .. } => FstVarType::Reg,
        _ => FstVarType::Wire,
    }
}
