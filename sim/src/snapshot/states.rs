//! What of a netlist keeps its value from cycle to cycle.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::fmt::Write;
use std::sync::Arc;

use ferrite_hdl::flat::{Flat, Index};
use sha2::{Digest, Sha256};

use super::{Fingerprint, word_bytes};

/// A memory's size.
pub(crate) struct MemorySize {
    pub path: String,
    pub width: u32,
    pub depth: u32,
}

impl MemorySize {
    /// Words of 64 bits.
    pub fn words(&self) -> usize {
        (u64::from(word_bytes(self.width)) * u64::from(self.depth)).div_ceil(8) as usize
    }

    /// Whether so many words of 64 bits have no bits beside those of the memory's words.
    pub fn fits(&self, words: &[u64]) -> bool {
        let bytes = word_bytes(self.width);
        if self.width == 8 * bytes {
            return true;
        }
        if bytes > 8 {
            let mask = !last_mask(self.width);
            return words.chunks((bytes / 8) as usize).all(|word| word[word.len() - 1] & mask == 0);
        }
        let one = last_mask(self.width);
        let all = (0..8 / bytes).fold(0, |all, k| all | one << (8 * bytes * k));
        words.iter().all(|word| word & !all == 0)
    }
}

/// The bits that a value of so many has in the last of its words.
pub(super) fn last_mask(width: u32) -> u64 {
    match width % 64 {
        0 => u64::MAX,
        bits => (1 << bits) - 1,
    }
}

/// The states of a netlist.
pub(crate) struct States {
    pub fingerprint: Fingerprint,
    /// The name of the top module.
    pub top: String,
    /// Inputs, registers, and what synchronous read ports hold: each its node and its bits.
    pub nodes: Vec<(Index, u32)>,
    /// Words of 64 bits that the values of the nodes take.
    pub value_words: usize,
    pub memories: Vec<MemorySize>,
}

impl States {
    pub fn of(flat: &Flat) -> States {
        let inputs = flat.inputs.iter().map(|input| input.node);
        let reads = flat.memories.iter().flat_map(|memory| &memory.reads).map(|read| read.state);
        let registers = flat.regs.iter().map(|reg| reg.state);
        // Several reads may share what one port holds.
        let mut seen = HashSet::new();
        let all = inputs.chain(registers).chain(reads).filter(|node| seen.insert(*node));
        let nodes: Vec<(Index, u32)> = all.map(|node| (node, flat.nodes[node as usize].width)).collect();
        let memories = flat.memories.iter();
        let memories = memories.map(|m| MemorySize { path: m.path.clone(), width: m.width, depth: m.depth });
        States {
            fingerprint: fingerprint(flat),
            top: flat.scopes.first().map(|top| top.name.clone()).unwrap_or_default(),
            value_words: nodes.iter().map(|(_, width)| width.div_ceil(64) as usize).sum(),
            nodes,
            memories: memories.collect(),
        }
    }
}

/// The states of an engine's netlist, found when a snapshot is first asked for: that reads the whole netlist.
#[derive(Default)]
pub(crate) struct KeptStates(OnceCell<Arc<States>>);

impl KeptStates {
    pub fn of(&self, flat: &Flat) -> Arc<States> {
        Arc::clone(self.0.get_or_init(|| Arc::new(States::of(flat))))
    }
}

/// Text that is digested, not kept.
struct Digester(Sha256);

impl Write for Digester {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}

/// The digest of all that decides what a netlist does with its state, and of the names and sizes of that. What memories hold at first is
/// not part of it: a snapshot brings its own contents.
fn fingerprint(flat: &Flat) -> Fingerprint {
    let mut text = Digester(Sha256::new());
    // Writing to a digest does not fail.
    let mut line = |line: std::fmt::Arguments| {
        let _ = text.write_fmt(line);
    };
    for port in flat.inputs.iter().chain(&flat.outputs) {
        line(format_args!("port {} {} {}\n", port.name, port.shape.width, port.node));
    }
    for node in &flat.nodes {
        line(format_args!("node {} {} {:?}\n", node.width, node.signed, node.op));
    }
    for reg in &flat.regs {
        let path = flat.signal_path(reg.signal);
        line(format_args!("register {path} {} {} {:?} {}\n", reg.state, reg.next, reg.reset, reg.clock));
    }
    for memory in &flat.memories {
        line(format_args!("memory {} {} {}\n", memory.path, memory.depth, memory.width));
        for read in &memory.reads {
            line(format_args!("read {} {:?} {} {}\n", read.state, read.enable, read.addr, read.clock));
        }
        for write in &memory.writes {
            let operands = (write.enable, write.addr, write.data, write.mask);
            line(format_args!("write {operands:?} {}\n", write.clock));
        }
    }
    text.0.finalize().into()
}
