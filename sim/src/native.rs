//! The engine that compiles a design to machine code in its own process: ready in a fraction of a second, and what does not change
//! costs nothing.
//!
//! The flat netlist is simplified ([`graph`]), divided into clusters of which only the active ones are evaluated ([`cluster`]), clusters
//! that are alike are joined to be computed in vectors ([`lanes`]), every value gets its place in one buffer ([`layout`]), and each
//! cluster becomes a function ([`scalar`], [`vector`]). `docs/decisions/0010-native-engine.md` says why.

mod arms;
mod body;
mod cluster;
mod code;
mod driver;
mod error;
mod graph;
mod lanes;
mod layout;
mod netlist;
mod operation;
mod plan;
mod restart;
mod scalar;
mod scan;
mod scoped;
mod vector;
mod wide;

use std::collections::HashMap;

use ferrite_hdl::design::Design;
use ferrite_hdl::eval::eval;
use ferrite_hdl::flat::{Flat, FlatOp, Index};
use ferrite_hdl::{Bits, ir};

use crate::engine::{Simulator, StepError};
use crate::probes::{Change, Probe, Probes};
use crate::snapshot::{KeptStates, Snapshot, SnapshotError};
use code::Code;
pub use error::NativeError;
use layout::{BitRow, Place};
use plan::Plan;
pub(crate) use scan::Scan;
use scan::{Marks, Spot};

/// The signals that an engine keeps in memory. All can be read from every engine, but those that are not kept and are no registers or
/// ports are computed anew at every reading. The more are kept, the slower is everything else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum KeptSignals {
    /// Those that the engine itself needs.
    #[default]
    Needed,
    /// These too: positions in [`Flat::signals`].
    Chosen(Vec<usize>),
    /// All.
    All,
}

/// How a design is compiled.
#[derive(Clone, Debug, Default)]
pub struct NativeOptions {
    /// Which named signals are kept in memory, to be followed from cycle to cycle ([`Simulator::look`]).
    pub signals: KeptSignals,
    /// Whether every edge is followed by an evaluation of everything, as if nothing were ever idle: to measure what sleeping saves.
    pub never_sleep: bool,
}

/// A word of the buffer and bits of it.
#[derive(Clone, Copy)]
struct WordBits {
    offset: u64,
    bits: u64,
}

/// A design as machine code.
pub struct Native {
    flat: Flat,
    code: Code,
    /// Where every node of the netlist is, if it is in memory, or what constant it is.
    sources: Vec<Source>,
    /// For every input, the blocks that read it.
    input_readers: Vec<Vec<WordBits>>,
    /// For every output, where it is.
    output_words: Vec<Vec<WordBits>>,
    /// What is watched by a call of [`Simulator::run`], and what it was when the call began.
    watched: Vec<(WordBits, u64)>,
    memories: Vec<Memory>,
    /// For every clock, its properties.
    checks: Vec<Vec<WordBits>>,
    failing: BitRow,
    /// All blocks.
    blocks: Vec<WordBits>,
    /// [`NativeOptions::never_sleep`]
    never_sleep: bool,
    /// What compiled code marks, if signals are kept.
    marks: Option<Marks>,
    /// The scan that has seen all changes before those that are marked; 0 if there is none.
    scanned: u64,
    states: KeptStates,
    /// Something may be active.
    stale: bool,
    cycle: u64,
}

#[derive(Clone)]
enum Source {
    Place(Place),
    Constant(Bits),
    Computed,
}

struct Memory {
    offset: u64,
    word_bytes: u32,
    /// Who must be evaluated, and which writes be done again, when a word changes from outside.
    touched: Vec<WordBits>,
}

impl Native {
    /// A design at power-up: registers at their initial values, inputs 0.
    ///
    /// # Errors
    /// No code can be made on this machine, or the design is beyond the engine's limits.
    pub fn new(design: &Design, options: &NativeOptions) -> Result<Native, NativeError> {
        let flat = design.flat.clone();
        let plan = Plan::new(&flat, &options.signals)?;
        let code = Code::new(&flat, &plan)?;
        let layout = &plan.layout;
        let source = |id: &graph::Id| match (layout.places.get(id), plan.netlist.graph.value(*id)) {
            (_, Some(value)) => Source::Constant(value),
            (Some(place), None) => Source::Place(*place),
            (None, None) => Source::Computed,
        };
        let sources: Vec<Source> = plan.netlist.ids.iter().map(source).collect();
        let readers_of = |port: &ferrite_hdl::flat::FlatPort| {
            word_bits(layout.active, plan.readers(plan.netlist.ids[port.node as usize]))
        };
        let input_readers = flat.inputs.iter().map(readers_of).collect();
        let output_words = flat.outputs.iter().map(|port| words_of(&sources[port.node as usize])).collect();
        let memory = |(k, place): (usize, &layout::MemoryPlace)| {
            let mut touched = word_bits(layout.active, &plan.memory_readers[k]);
            if !place.ports.is_empty() {
                touched.extend(word_bits(layout.pending, &[place.pending]));
            }
            Memory { offset: place.offset, word_bytes: place.word_bytes, touched }
        };
        let memories = layout.memories.iter().enumerate().map(memory).collect();
        let checks_of = |clock: usize| {
            let checks = flat.checks.iter().enumerate().filter(|(_, check)| check.clock == clock);
            let checks: Vec<u32> = checks.map(|(k, _)| k as u32).collect();
            word_bits(layout.failing, &checks)
        };
        let checks = (0..flat.clocks.len()).map(checks_of).collect();
        let failing = layout.failing;
        let all: Vec<u32> = (0..plan.blocks.len() as u32).collect();
        let blocks = word_bits(layout.active, &all);
        let mut native = Native {
            flat,
            code,
            sources,
            input_readers,
            output_words,
            watched: Vec::new(),
            memories,
            checks,
            failing,
            blocks,
            never_sleep: options.never_sleep,
            marks: Marks::new(&plan),
            scanned: 0,
            states: KeptStates::default(),
            stale: true,
            cycle: 0,
        };
        native.power_up(&plan);
        Ok(native)
    }

    fn power_up(&mut self, plan: &Plan) {
        raise(&mut self.code, &self.blocks);
        for state in &plan.netlist.states {
            if let Some(place) = plan.layout.places.get(&state.id) {
                let shadow = Place { offset: place.offset + plan.layout.shadow, ..*place };
                self.write(u64::from(place.offset), place.bytes, &state.init);
                self.write(u64::from(shadow.offset), shadow.bytes, &state.init);
            }
        }
        for k in 0..self.flat.memories.len() {
            for word in 0..self.flat.memories[k].init.len() {
                let value = self.flat.memories[k].init[word].clone();
                let Memory { offset, word_bytes, .. } = self.memories[k];
                self.write(offset + word as u64 * u64::from(word_bytes), word_bytes, &value);
            }
        }
    }

    fn read(&self, offset: u64, bytes: u32, width: u32) -> Bits {
        if bytes <= 8 {
            // Values are aligned to their size, so that they never cross words; what stands beside is cut off by the width.
            return Bits::from_u64(width, self.code.word(offset & !7) >> (8 * (offset % 8)));
        }
        let words: Vec<u64> = (0..u64::from(bytes / 8)).map(|k| self.code.word(offset + 8 * k)).collect();
        Bits::from_words(width, &words)
    }

    /// Writes a value; tells whether it differs from what was there.
    fn write(&mut self, offset: u64, bytes: u32, value: &Bits) -> bool {
        let mut changed = false;
        if bytes < 8 {
            let shift = 8 * (offset % 8);
            let mask = ((1u64 << (8 * bytes)) - 1) << shift;
            let word = self.code.word_mut(offset & !7);
            let new = *word & !mask | value.low_u64() << shift;
            changed = *word != new;
            *word = new;
            return changed;
        }
        for (k, new) in (0u64..).zip(value.to_words()) {
            let word = self.code.word_mut(offset + 8 * k);
            changed |= *word != new;
            *word = new;
        }
        changed
    }

    /// How changes among some probes are found.
    fn scan(&self, probes: &Probes) -> Scan {
        let spot = |probe: &Probe| match *probe {
            Probe::Signal(signal) => {
                let node = self.flat.signals[signal].node;
                let width = self.flat.nodes[node as usize].width;
                match &self.sources[node as usize] {
                    Source::Place(place) => {
                        Spot::Place { offset: place.offset.into(), bytes: place.bytes, width }
                    }
                    Source::Constant(_) => Spot::Constant(node),
                    Source::Computed => Spot::Computed(node),
                }
            }
            Probe::Word { memory, word } => {
                let Memory { offset, word_bytes, .. } = self.memories[memory];
                let offset = offset + u64::from(word) * u64::from(word_bytes);
                Spot::Place { offset, bytes: word_bytes, width: self.flat.memories[memory].width }
            }
        };
        let spots: Vec<Spot> = probes.probes().iter().map(spot).collect();
        Scan::new(&spots, probes, self.marks.as_ref())
    }

    fn settle(&mut self) {
        if std::mem::take(&mut self.stale) {
            self.code.evaluate();
        }
    }

    fn node(&self, node: Index) -> Bits {
        match &self.sources[node as usize] {
            Source::Constant(value) => value.clone(),
            Source::Place(place) => {
                self.read(u64::from(place.offset), place.bytes, self.flat.nodes[node as usize].width)
            }
            Source::Computed => self.computed(node),
        }
    }

    /// The value of a node that is not in memory, from those that are.
    fn computed(&self, node: Index) -> Bits {
        let mut values: HashMap<Index, Bits> = HashMap::new();
        let mut work = vec![(node, false)];
        while let Some((n, operands_done)) = work.pop() {
            if values.contains_key(&n) {
                continue;
            }
            let flat_node = &self.flat.nodes[n as usize];
            let value = match (&self.sources[n as usize], &flat_node.op) {
                (Source::Computed, op) if !operands_done => {
                    work.push((n, true));
                    work.extend(op.operands().into_iter().map(|operand| (operand, false)));
                    continue;
                }
                (Source::Computed, FlatOp::Compute(op)) => self.operation(op, n, &values),
                (Source::Computed, FlatOp::MemoryRead { memory, addr }) => {
                    self.read_memory(*memory, values[addr].low_u64() as u32)
                }
                _ => self.node(n),
            };
            values.insert(n, value);
        }
        values.remove(&node).unwrap_or(Bits::zero(self.flat.nodes[node as usize].width))
    }

    fn operation(&self, op: &ir::Op<Index>, node: Index, values: &HashMap<Index, Bits>) -> Bits {
        let node = &self.flat.nodes[node as usize];
        eval(op, node.width, node.signed, |n| (&values[&n], self.flat.nodes[n as usize].signed))
    }

    /// An error if a property of these clocks does not hold.
    fn check(&self, clocks: &[usize]) -> Result<(), StepError> {
        let fails = |w: &WordBits| self.code.word(w.offset) & w.bits != 0;
        if clocks.iter().all(|clock| !self.checks[*clock].iter().any(fails)) {
            return Ok(());
        }
        let is_failing = |k: usize| {
            let word = self.code.word(u64::from(self.failing.word(k as u32)));
            word >> (k % 64) & 1 == 1 && clocks.contains(&self.flat.checks[k].clock)
        };
        match (0..self.flat.checks.len()).find(|k| is_failing(*k)) {
            Some(k) => Err(StepError::check(&self.flat.checks[k], self.cycle)),
            None => Ok(()),
        }
    }

    fn edge(&mut self, clocks: &[usize]) -> Result<(), StepError> {
        self.check(clocks)?;
        self.code.edge(clocks);
        if self.never_sleep {
            raise(&mut self.code, &self.blocks);
        }
        self.cycle += 1;
        self.stale = true;
        Ok(())
    }

    /// Goes on for `cycles`, or until a word differs from what it was; gives the number of edges.
    fn run_until_another(&mut self, cycles: u64, before: &[(WordBits, u64)]) -> Result<u64, StepError> {
        for cycle in 0..cycles {
            self.edge(&[0])?;
            self.settle();
            if before.iter().any(|(word, before)| self.code.word(word.offset) & word.bits != *before) {
                return Ok(cycle + 1);
            }
        }
        Ok(cycles)
    }
}

/// The words in which a value lies; none for a constant.
fn words_of(source: &Source) -> Vec<WordBits> {
    let Source::Place(place) = source else { return Vec::new() };
    let offset = u64::from(place.offset);
    match place.bytes {
        8.. => (0..u64::from(place.bytes / 8))
            .map(|k| WordBits { offset: offset + 8 * k, bits: u64::MAX })
            .collect(),
        bytes => {
            let bits = ((1u64 << (8 * bytes)) - 1) << (8 * (offset % 8));
            vec![WordBits { offset: offset & !7, bits }]
        }
    }
}

fn raise(code: &mut Code, bits: &[WordBits]) {
    for WordBits { offset, bits } in bits {
        *code.word_mut(*offset) |= bits;
    }
}

/// Bits of a row, word by word.
fn word_bits(row: BitRow, bits: &[u32]) -> Vec<WordBits> {
    let mut words: Vec<WordBits> = Vec::new();
    for bit in bits {
        let (offset, mask) = (u64::from(row.word(*bit)), 1u64 << (bit % 64));
        match words.iter_mut().find(|w| w.offset == offset) {
            Some(word) => word.bits |= mask,
            None => words.push(WordBits { offset, bits: mask }),
        }
    }
    words
}

impl Simulator for Native {
    fn flat(&self) -> &Flat {
        &self.flat
    }

    fn poke(&mut self, input: usize, value: &Bits) {
        let port = &self.flat.inputs[input];
        let Source::Place(place) = self.sources[port.node as usize] else { return };
        let value = value.resize(port.shape.width, false);
        if self.write(u64::from(place.offset), place.bytes, &value) {
            raise(&mut self.code, &self.input_readers[input]);
            self.stale = true;
        }
    }

    fn peek(&mut self, output: usize) -> Bits {
        self.settle();
        self.node(self.flat.outputs[output].node)
    }

    fn peek_signal(&mut self, signal: usize) -> Option<Bits> {
        self.settle();
        Some(self.node(self.flat.signals[signal].node))
    }

    fn look(&mut self, probes: &mut Probes, changes: &mut Vec<Change>) {
        self.settle();
        let mut scan = probes.scan.take().unwrap_or_else(|| self.scan(probes));
        match &self.marks {
            Some(marks) if self.scanned == scan.id => scan.look(&mut self.code, marks, changes),
            _ => {
                scan.look_at_all(&self.code, changes);
                if let Some(marks) = &self.marks {
                    marks.clear(&mut self.code);
                    self.scanned = scan.id;
                }
            }
        }
        for (probe, node) in scan.elsewhere() {
            probes.update(probe, self.node(node), changes);
        }
        probes.scan = Some(scan);
    }

    fn step_clocks(&mut self, clocks: &[usize]) -> Result<(), StepError> {
        let clocks: Vec<usize> = clocks.iter().copied().filter(|c| *c < self.flat.clocks.len()).collect();
        self.settle();
        self.edge(&clocks)
    }

    fn cycle(&self) -> u64 {
        self.cycle
    }

    fn read_memory(&self, memory: usize, word: u32) -> Bits {
        let (depth, width) = (self.flat.memories[memory].depth, self.flat.memories[memory].width);
        if word >= depth {
            return Bits::zero(width);
        }
        let Memory { offset, word_bytes, .. } = self.memories[memory];
        self.read(offset + u64::from(word) * u64::from(word_bytes), word_bytes, width)
    }

    fn write_memory(&mut self, memory: usize, word: u32, value: &Bits) {
        let (depth, width) = (self.flat.memories[memory].depth, self.flat.memories[memory].width);
        if word >= depth {
            return;
        }
        let Memory { offset, word_bytes, .. } = self.memories[memory];
        let value = value.resize(width, false);
        if self.write(offset + u64::from(word) * u64::from(word_bytes), word_bytes, &value) {
            raise(&mut self.code, &self.memories[memory].touched);
            self.stale = true;
            self.scanned = 0;
        }
    }

    fn save(&mut self) -> Result<Snapshot, SnapshotError> {
        Ok(self.save_state())
    }

    fn restore(&mut self, snapshot: &Snapshot) -> Result<(), SnapshotError> {
        self.restore_state(snapshot)
    }

    fn step(&mut self, cycles: u64) -> Result<(), StepError> {
        self.run(cycles, &[]).map(|_| ())
    }

    fn run(&mut self, cycles: u64, watched: &[usize]) -> Result<u64, StepError> {
        if self.flat.clocks.is_empty() {
            self.cycle += cycles;
            return Ok(cycles);
        }
        self.settle();
        // Kept for the next call, since a call may be for a cycle only.
        let mut before = std::mem::take(&mut self.watched);
        before.clear();
        for word in watched.iter().flat_map(|output| &self.output_words[*output]) {
            before.push((*word, self.code.word(word.offset) & word.bits));
        }
        let passed = self.run_until_another(cycles, &before);
        self.watched = before;
        passed
    }
}
