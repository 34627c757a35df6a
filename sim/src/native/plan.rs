//! All that code is generated from: which blocks there are, who reads what, and where everything lies in memory.

use std::collections::{BTreeMap, HashMap, HashSet};

use ferrite_hdl::flat::{Flat, FlatMemory};

use super::KeptSignals;
use super::cluster::{Cluster, NONE, Partition, Sink, needs, source};
use super::error::{MOST_CLOCKS, NativeError};
use super::graph::{Id, Op};
use super::lanes::{self, LaneBlock};
use super::layout::{Layout, slot_bytes};
use super::netlist::{Netlist, State};

/// Most bytes that the values of a design may take; four times as much is less than an offset in an instruction can say.
const MOST_BYTES: u64 = 1 << 28;

/// Most bytes that the memories of a design may take: more than any of a chip, and less than a machine would be brought down by.
const MOST_MEMORY_BYTES: u64 = 4 << 30;

/// What one function computes.
pub(super) enum Block {
    Cluster(Cluster),
    Lanes(LaneBlock),
}

impl Block {
    pub fn level(&self) -> u32 {
        match self {
            Block::Cluster(cluster) => cluster.level,
            Block::Lanes(lanes) => lanes.level,
        }
    }

    pub fn scope(&self) -> u32 {
        match self {
            Block::Cluster(cluster) => cluster.scope,
            Block::Lanes(block) => block.lanes[0].scope,
        }
    }
}

/// When the registers of a unit take what was computed for them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Trigger {
    /// When one of them changes.
    Change,
    /// When one of these bits is 1: otherwise all of them keep what they have. At the edge they are compared with that.
    Enable(Vec<Id>),
    /// Whenever they were computed: nothing reads them but who looks from outside.
    Always,
}

/// Most multiplexers one behind the other that are seen as an enable.
const MOST_ENABLES: usize = 6;

/// Registers that change together: they have one clock and are computed by one block; and are read by the same blocks, or have one enable.
pub(super) struct Unit {
    pub clock: usize,
    pub trigger: Trigger,
    pub states: Vec<u32>,
    pub readers: Vec<u32>,
}

pub(super) struct Plan {
    pub netlist: Netlist,
    pub partition: Partition,
    /// In an order in which they can be evaluated.
    pub blocks: Vec<Block>,
    /// The block that computes a node, or [`NONE`].
    pub block_of: Vec<u32>,
    /// For every node in memory, the blocks that read it.
    pub readers: HashMap<Id, Vec<u32>>,
    /// For every memory, the blocks that read words of it.
    pub memory_readers: Vec<Vec<u32>>,
    pub units: Vec<Unit>,
    /// The unit of every register; [`NONE`] for those that never change.
    pub unit_of: Vec<u32>,
    pub layout: Layout,
}

impl Plan {
    pub fn new(flat: &Flat, signals: &KeptSignals) -> Result<Plan, NativeError> {
        if flat.clocks.len() > MOST_CLOCKS {
            return Err(NativeError::TooManyClocks { count: flat.clocks.len() });
        }
        let memory_bytes =
            |memory: &FlatMemory| u64::from(slot_bytes(memory.width)) * u64::from(memory.depth);
        let bytes = flat.memories.iter().fold(0u64, |sum, memory| sum.saturating_add(memory_bytes(memory)));
        if bytes > MOST_MEMORY_BYTES {
            return Err(NativeError::LargeMemories { bytes, limit: MOST_MEMORY_BYTES });
        }
        let netlist = Netlist::new(flat);
        let bytes: u64 = netlist.graph.nodes.iter().map(|n| u64::from(slot_bytes(n.width))).sum();
        if bytes > MOST_BYTES {
            return Err(NativeError::TooLarge { bytes, limit: MOST_BYTES });
        }
        let of_signals: Vec<_> = match signals {
            KeptSignals::Needed => Vec::new(),
            KeptSignals::Chosen(chosen) => chosen.iter().map(|k| flat.signals[*k].node).collect(),
            KeptSignals::All => flat.signals.iter().map(|s| s.node).collect(),
        };
        let kept = flat.outputs.iter().map(|o| o.node).chain(of_signals);
        let kept: HashSet<Id> = kept.map(|n| netlist.ids[n as usize]).collect();
        let mut partition = Partition::new(&netlist, &kept);

        let (lane_blocks, grouped) = lanes::find(flat, &netlist, &partition);
        let clusters = std::mem::take(&mut partition.clusters);
        let mut blocks: Vec<(Option<u32>, Block)> = Vec::new();
        for (k, cluster) in clusters.into_iter().enumerate().filter(|(k, _)| !grouped[*k]) {
            blocks.push((Some(k as u32), Block::Cluster(cluster)));
        }
        blocks.extend(lane_blocks.into_iter().map(|block| (None, Block::Lanes(block))));
        blocks.sort_by_key(|(_, block)| (block.level(), block.scope()));

        let mut block_of_cluster = vec![NONE; grouped.len()];
        for (b, (cluster, _)) in blocks.iter().enumerate() {
            if let Some(cluster) = cluster {
                block_of_cluster[*cluster as usize] = b as u32;
            }
        }
        let number =
            |cluster: &u32| if *cluster == NONE { NONE } else { block_of_cluster[*cluster as usize] };
        let mut block_of: Vec<u32> = partition.cluster_of.iter().map(number).collect();
        let blocks: Vec<Block> = blocks.into_iter().map(|(_, block)| block).collect();
        for (b, block) in blocks.iter().enumerate() {
            if let Block::Lanes(lanes) = block {
                for node in lanes.lanes.iter().flat_map(|lane| &lane.nodes) {
                    if !partition.free[*node as usize] {
                        block_of[*node as usize] = b as u32;
                    }
                }
            }
        }

        let (readers, memory_readers) = readers(flat, &netlist, &partition, &blocks, &block_of);
        let (units, unit_of) = units(&netlist, &blocks, &readers);
        let layout = Layout::new(flat, &netlist, &blocks, &units, *signals != KeptSignals::Needed);
        Ok(Plan { netlist, partition, blocks, block_of, readers, memory_readers, units, unit_of, layout })
    }

    /// The blocks that read a node from memory.
    pub fn readers(&self, id: Id) -> &[u32] {
        self.readers.get(&id).map_or(&[], Vec::as_slice)
    }
}

type Readers = (HashMap<Id, Vec<u32>>, Vec<Vec<u32>>);

fn readers(
    flat: &Flat,
    netlist: &Netlist,
    partition: &Partition,
    blocks: &[Block],
    block_of: &[u32],
) -> Readers {
    let graph = &netlist.graph;
    let mut readers: HashMap<Id, Vec<u32>> = HashMap::new();
    let mut memory_readers = vec![Vec::new(); flat.memories.len()];
    let mut reads = |block: u32, operand: Id| {
        let source = source(graph, &partition.free, operand);
        if !matches!(graph.op(source), Op::Const(_)) && block_of[source as usize] != block {
            readers.entry(source).or_default().push(block);
        }
    };
    for (n, node) in graph.nodes.iter().enumerate().filter(|(n, _)| block_of[*n] != NONE) {
        let block = block_of[n];
        if let Op::Read { memory, .. } = node.op {
            memory_readers[memory as usize].push(block);
        }
        node.op.operands().into_iter().for_each(|operand| reads(block, operand));
    }
    for (b, block) in blocks.iter().enumerate() {
        match block {
            Block::Cluster(cluster) => {
                let needed = cluster.sinks.iter().flat_map(|sink| needs(netlist, *sink));
                needed.for_each(|operand| reads(b as u32, operand));
            }
            Block::Lanes(block) => {
                let externals = block.lanes.iter().flat_map(|lane| &lane.externals);
                externals.for_each(|operand| reads(b as u32, *operand));
            }
        }
    }
    for list in readers.values_mut().chain(&mut memory_readers) {
        list.sort_unstable();
        list.dedup();
    }
    (readers, memory_readers)
}

/// The bits of which one enables a register, and what it then takes.
pub(super) fn enable(netlist: &Netlist, state: u32) -> Option<(Vec<Id>, Id)> {
    let State { id, next, .. } = netlist.states[state as usize];
    let (mut bits, mut at) = (Vec::new(), next);
    while let Op::Mux(bit, chosen, other) = netlist.graph.op(at) {
        bits.push(*bit);
        if *other == id {
            let value = if bits.len() == 1 { *chosen } else { next };
            bits.sort_unstable();
            bits.dedup();
            return Some((bits, value));
        }
        if bits.len() == MOST_ENABLES {
            break;
        }
        at = *other;
    }
    None
}

/// What tells units of one clock and block apart.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum UnitKey {
    Alike(Trigger, Vec<u32>),
    Lanes(usize),
}

fn units(netlist: &Netlist, blocks: &[Block], readers: &HashMap<Id, Vec<u32>>) -> (Vec<Unit>, Vec<u32>) {
    // Units of one clock stand together, and in the order of their blocks.
    let mut units: BTreeMap<(usize, usize, UnitKey), Vec<u32>> = BTreeMap::new();
    let of = |state: u32| readers.get(&netlist.states[state as usize].id).cloned().unwrap_or_default();
    for (b, block) in blocks.iter().enumerate() {
        match block {
            Block::Cluster(cluster) => {
                let states = cluster.sinks.iter().filter_map(|sink| match sink {
                    Sink::Next(k) => Some(*k),
                    _ => None,
                });
                for k in states {
                    let clock = netlist.states[k as usize].clock;
                    let key = match enable(netlist, k) {
                        Some((bits, _)) => UnitKey::Alike(Trigger::Enable(bits), Vec::new()),
                        None => match of(k) {
                            none if none.is_empty() => UnitKey::Alike(Trigger::Always, none),
                            some => UnitKey::Alike(Trigger::Change, some),
                        },
                    };
                    units.entry((clock, b, key)).or_default().push(k);
                }
            }
            Block::Lanes(block) => {
                for role in 0..block.template.nexts.len() {
                    let states: Vec<u32> = block.lanes.iter().map(|lane| lane.states[role]).collect();
                    let clock = netlist.states[states[0] as usize].clock;
                    units.insert((clock, b, UnitKey::Lanes(role)), states);
                }
            }
        }
    }
    let mut unit_of = vec![NONE; netlist.states.len()];
    let mut list = Vec::new();
    for ((clock, _, key), mut states) in units {
        states.iter().for_each(|state| unit_of[*state as usize] = list.len() as u32);
        let mut readers: Vec<u32> = states.iter().flat_map(|k| of(*k)).collect();
        readers.sort_unstable();
        readers.dedup();
        let trigger = match key {
            UnitKey::Alike(trigger, _) => {
                // Large ones first: then there are no gaps between them.
                states.sort_by_key(|k| std::cmp::Reverse(netlist.states[*k as usize].init.width()));
                trigger
            }
            UnitKey::Lanes(_) => Trigger::Change,
        };
        list.push(Unit { clock, trigger, states, readers });
    }
    (list, unit_of)
}
