//! Where everything lies in the one buffer that compiled code works on.
//!
//! From the start: a bit for every block that must be evaluated, a bit for every unit of registers and every memory that must change
//! at the next edge, a bit for every property that fails; then values, what registers take next, and memories. A value of up to 64 bits
//! has a slot of 1, 2, 4 or 8 bytes and is extended by zeros; a wider one is 8-byte words, least significant first.

use std::collections::HashMap;

use ferrite_hdl::flat::Flat;

use super::code::CHUNK_BYTES;
use super::graph::{Id, Op};
use super::lanes::{FEWEST_LANES, LANE_BITS};
use super::netlist::Netlist;
use super::plan::{Block, Unit};
/// Bytes of a value. Memories lie in the buffer as they do in snapshots.
pub(super) use crate::snapshot::word_bytes as slot_bytes;

/// Bytes that a load may reach beyond a value's own.
const OVERRUN: u32 = 16;

/// A value in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    /// Byte from the start of the buffer.
    pub offset: u32,
    /// Bytes; see the module's documentation.
    pub bytes: u32,
}

/// What a write port wants to write at the next edge.
pub(super) struct WritePlaces {
    pub enable: Place,
    pub addr: Place,
    pub data: Place,
    pub mask: Option<Place>,
}

pub(super) struct MemoryPlace {
    /// Byte from the start of the buffer, a multiple of 16.
    pub offset: u64,
    pub word_bytes: u32,
    /// A power of two.
    pub depth: u32,
    pub ports: Vec<WritePlaces>,
    /// Its bit among [`Layout::pending`].
    pub pending: u32,
    /// The clock of all its ports; `None` if they have several.
    pub clock: Option<usize>,
}

/// A row of bits.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct BitRow {
    pub offset: u32,
}

impl BitRow {
    /// The offset of the word that holds a bit.
    pub fn word(&self, bit: u32) -> u32 {
        self.offset + bit / 64 * 8
    }
}

#[derive(Default)]
pub(super) struct Layout {
    pub active: BitRow,
    pub pending: BitRow,
    pub failing: BitRow,
    /// Words of `pending`.
    pub pending_words: u32,
    /// From the words of `active` and `pending` to where their bits are kept when they have been visited, in bytes.
    pub marks: Option<u32>,
    /// The bit of every unit among `pending`.
    pub unit_bits: Vec<u32>,
    /// For every clock, its words of `pending`: those of memories, then those of registers.
    pub clock_words: Vec<(std::ops::Range<u32>, std::ops::Range<u32>)>,
    /// Nodes that are in memory.
    pub places: HashMap<Id, Place>,
    /// From what a register holds to what it takes next, in bytes.
    pub shadow: u32,
    pub memories: Vec<MemoryPlace>,
    /// Size of the buffer.
    pub bytes: u64,
}

impl Layout {
    /// `marked` makes room for [`Layout::marks`].
    pub fn new(flat: &Flat, netlist: &Netlist, blocks: &[Block], units: &[Unit], marked: bool) -> Layout {
        let mut layout = Layout::default();
        let mut top = Top(0);
        layout.bits(flat, netlist, blocks, units, &mut top);
        if marked {
            let bits = layout.active.offset..layout.pending.offset + 8 * layout.pending_words;
            layout.marks = Some(top.take(bits.end - bits.start, 8) - bits.start);
            // Marks are taken while values are compared, and must not be among them.
            top.take(0, CHUNK_BYTES as u32);
        }
        layout.values(netlist, blocks, &mut top);
        layout.states(flat, netlist, units, &mut top);
        for (k, memory) in flat.memories.iter().enumerate() {
            let ports = netlist.writes[k].iter().map(|write| WritePlaces {
                enable: top.value(1),
                addr: Place { offset: top.take(4, 4), bytes: 4 },
                data: top.value(memory.width),
                mask: write.mask.map(|mask| top.value(netlist.graph.width(mask))),
            });
            layout.memories[k].ports = ports.collect();
        }
        let mut end = u64::from(top.take(0, 16) + OVERRUN);
        for memory in &mut layout.memories {
            end = end.next_multiple_of(16);
            memory.offset = end;
            end += u64::from(memory.word_bytes) * u64::from(memory.depth);
        }
        layout.bytes = end + u64::from(OVERRUN);
        layout
    }

    fn bits(&mut self, flat: &Flat, netlist: &Netlist, blocks: &[Block], units: &[Unit], top: &mut Top) {
        let row = |bits: u32, top: &mut Top| {
            let words = bits.div_ceil(64).max(1);
            BitRow { offset: top.take(words * 8, 8) }
        };
        self.active = row(blocks.len() as u32, top);
        self.failing = row(flat.checks.len() as u32, top);
        self.unit_bits = vec![0; units.len()];
        for (k, memory) in flat.memories.iter().enumerate() {
            let writes = &netlist.writes[k];
            let clock = writes.first().map(|w| w.clock).filter(|c| writes.iter().all(|w| w.clock == *c));
            self.memories.push(MemoryPlace {
                offset: 0,
                word_bytes: slot_bytes(memory.width),
                depth: memory.depth,
                ports: Vec::new(),
                pending: 0,
                clock,
            });
        }
        let mut bit = 0u32;
        for clock in 0..flat.clocks.len() {
            let first = bit / 64;
            for memory in self.memories.iter_mut().filter(|m| m.clock == Some(clock)) {
                memory.pending = bit;
                bit += 1;
            }
            bit = bit.next_multiple_of(64);
            let middle = bit / 64;
            for (unit, place) in units.iter().zip(&mut self.unit_bits).filter(|(u, _)| u.clock == clock) {
                debug_assert_eq!(unit.clock, clock);
                *place = bit;
                bit += 1;
            }
            bit = bit.next_multiple_of(64);
            self.clock_words.push((first..middle, middle..bit / 64));
        }
        for memory in self.memories.iter_mut().filter(|m| m.clock.is_none()) {
            memory.pending = bit;
            bit += 1;
        }
        self.pending = row(bit, top);
        self.pending_words = bit.div_ceil(64).max(1);
    }

    /// Inputs, and what blocks compute for others.
    fn values(&mut self, netlist: &Netlist, blocks: &[Block], top: &mut Top) {
        let graph = &netlist.graph;
        for (n, node) in graph.nodes.iter().enumerate() {
            if let Op::Input(_) = node.op {
                self.places.insert(n as Id, top.value(node.width));
            }
        }
        for block in blocks {
            match block {
                Block::Cluster(cluster) => {
                    for node in &cluster.stored {
                        self.places.insert(*node, top.value(graph.width(*node)));
                    }
                }
                Block::Lanes(block) => {
                    for position in &block.stored {
                        for lane in &block.lanes {
                            let place = Place { offset: top.take(4, 4), bytes: 4 };
                            self.places.insert(lane.nodes[*position as usize], place);
                        }
                    }
                }
            }
        }
    }

    /// Registers: those of one name in many instances of a module are an array, in the order of the instances.
    fn states(&mut self, flat: &Flat, netlist: &Netlist, units: &[Unit], top: &mut Top) {
        let first = top.take(0, 64);
        let mut arrays: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
        let mut order: Vec<Vec<usize>> = Vec::new();
        let mut names = Vec::new();
        for (k, state) in netlist.states.iter().enumerate() {
            if let Some(signal) = state.signal.map(|s| &flat.signals[s])
                && state.init.width() <= LANE_BITS
            {
                let key = (flat.scopes[signal.scope].module.as_str(), signal.name.as_str());
                let members = arrays.entry(key).or_insert_with(|| {
                    names.push(key);
                    Vec::new()
                });
                members.push(k);
            }
        }
        let mut in_array = vec![false; netlist.states.len()];
        for name in names {
            let members = arrays.remove(&name).unwrap_or_default();
            if members.len() >= FEWEST_LANES {
                members.iter().for_each(|k| in_array[*k] = true);
                order.push(members);
            }
        }
        for members in order {
            top.take(0, 16);
            for k in members {
                let place = Place { offset: top.take(4, 4), bytes: 4 };
                self.places.insert(netlist.states[k].id, place);
            }
        }
        // What changes together lies together, and is copied in few pieces.
        let of_units = units.iter().flat_map(|u| &u.states).map(|k| *k as usize);
        for k in of_units.chain(0..netlist.states.len()) {
            let state = &netlist.states[k];
            if !in_array[k] && !self.places.contains_key(&state.id) {
                self.places.insert(state.id, top.value(state.init.width()));
            }
        }
        let end = top.take(0, 64);
        self.shadow = end - first;
        top.take(self.shadow, 64);
    }
}

/// The first free byte.
struct Top(u32);

impl Top {
    fn take(&mut self, bytes: u32, align: u32) -> u32 {
        let at = self.0.next_multiple_of(align);
        self.0 = at + bytes;
        at
    }

    fn value(&mut self, width: u32) -> Place {
        let bytes = slot_bytes(width);
        Place { offset: self.take(bytes, bytes.min(8)), bytes }
    }
}
