//! From statements to data flow: one expression for every bit that a module drives.

use crate::ir::{CheckKind, ClockId, Loc, MemoryId, Node, NodeId, SignalId};

/// A module as data flow. Conditions of `when` and `switch` have become multiplexers; a register's expression is its next
/// value (without reset), a wire's its value.
#[derive(Clone, Debug, Default)]
pub struct Lowered {
    /// The module's nodes, under their ids, then those that lowering added.
    pub nodes: Vec<Node>,
    /// For every signal of the module, by its position: what drives it, from the lowest bits up, without gaps. Empty
    /// for signals that the body does not drive (inputs, outputs of instances, data of memories).
    pub drivers: Vec<Vec<Driver>>,
    /// Writes, in the order of the body; of two to one word at one edge the later wins.
    pub writes: Vec<Write>,
    /// Synchronous reads, one per port and place in the body; where several of a port are enabled, the last wins.
    pub reads: Vec<Read>,
    /// Properties.
    pub checks: Vec<LoweredCheck>,
}

/// What drives bits `low .. low + width of the node` of a signal.
#[derive(Clone, Copy, Debug)]
pub struct Driver {
    /// The lowest bit.
    pub low: u32,
    /// The value.
    pub node: NodeId,
    /// Where it was set; the last place, if there are several.
    pub loc: Loc,
}

/// A memory write.
#[derive(Clone, Copy, Debug)]
pub struct Write {
    /// The memory.
    pub memory: MemoryId,
    /// The write port: its position among the memory's.
    pub port: usize,
    /// One bit: whether it writes; `None` for always.
    pub enable: Option<NodeId>,
    /// The word's index.
    pub addr: NodeId,
    /// The word.
    pub data: NodeId,
    /// One bit per lane; `None` for all.
    pub mask: Option<NodeId>,
    /// Where it was written.
    pub loc: Loc,
}

/// A synchronous memory read: where enabled, the port's data signal takes the word (as it was before the edge).
#[derive(Clone, Copy, Debug)]
pub struct Read {
    /// The memory.
    pub memory: MemoryId,
    /// The read port: its position among the memory's.
    pub port: usize,
    /// The signal that holds the data.
    pub data: SignalId,
    /// One bit: whether it reads; `None` for always.
    pub enable: Option<NodeId>,
    /// The word's index.
    pub addr: NodeId,
    /// Where it was written.
    pub loc: Loc,
}

/// A property under the conditions around it.
#[derive(Clone, Debug)]
pub struct LoweredCheck {
    /// What it is for.
    pub kind: CheckKind,
    /// Its label.
    pub name: String,
    /// One bit: whether it is looked at; `None` for always.
    pub enable: Option<NodeId>,
    /// The single bit that must be 1.
    pub cond: NodeId,
    /// The clock at whose edge it is looked at.
    pub clock: ClockId,
    /// Where it was written.
    pub loc: Loc,
}
