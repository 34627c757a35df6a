//! The whole design as one netlist: what engines run and what checks across modules look at.

mod build;
mod crossing;
mod loops;
mod order;
#[cfg(test)]
mod tests;

use crate::bits::Bits;
use crate::design::Design;
use crate::diagnostic::Diagnostic;
use crate::ir::{CheckKind, Loc, Op, SignalKind};
use crate::shape::Shape;

/// A node's position in [`Flat::nodes`].
pub type Index = u32;

/// What a node of the flat netlist computes.
#[derive(Clone, Debug, PartialEq)]
pub enum FlatOp {
    /// An operation on nodes before it. Never [`Op::Read`].
    Compute(Op<Index>),
    /// A top-level input; its value is poked.
    Input,
    /// What a register or a synchronous read port holds; changes at clock edges.
    State,
    /// The word of a memory at an address, without a clock.
    MemoryRead {
        /// Position in [`Flat::memories`].
        memory: usize,
        /// The word's index.
        addr: Index,
    },
}

impl FlatOp {
    /// The nodes that it depends on without a clock edge between.
    pub fn operands(&self) -> Vec<Index> {
        match self {
            FlatOp::Compute(op) => op.operands(),
            FlatOp::MemoryRead { addr, .. } => vec![*addr],
            FlatOp::Input | FlatOp::State => vec![],
        }
    }
}

/// A value of the flat netlist.
#[derive(Clone, Debug)]
pub struct FlatNode {
    /// What it computes.
    pub op: FlatOp,
    /// Bits.
    pub width: u32,
    /// Whether it is two's complement.
    pub signed: bool,
    /// The instance that it was written in, a position in [`Flat::scopes`].
    pub scope: usize,
}

/// A port of the top module.
#[derive(Clone, Debug)]
pub struct FlatPort {
    /// Its name.
    pub name: String,
    /// What it carries.
    pub shape: Shape,
    /// Its value.
    pub node: Index,
}

/// A register.
#[derive(Clone, Debug)]
pub struct FlatReg {
    /// What it holds.
    pub state: Index,
    /// What it takes at an edge of its clock.
    pub next: Index,
    /// The reset input and the value taken while that is 1.
    pub reset: Option<(Index, Bits)>,
    /// Its value before the first edge.
    pub init: Bits,
    /// Position in [`Flat::clocks`].
    pub clock: usize,
    /// May sample another clock.
    pub synchroniser: bool,
    /// Its position in [`Flat::signals`].
    pub signal: usize,
}

/// A memory.
#[derive(Clone, Debug)]
pub struct FlatMemory {
    /// Instances from the top down, then its name.
    pub path: String,
    /// Words.
    pub depth: u32,
    /// Bits of a word.
    pub width: u32,
    /// Contents of the first words before the first edge; the rest is 0.
    pub init: Vec<Bits>,
    /// Synchronous reads; where several with one `state` are enabled, the last wins.
    pub reads: Vec<FlatRead>,
    /// Writes; of two to one word at one edge the later wins.
    pub writes: Vec<FlatWrite>,
}

/// A synchronous read of a memory.
#[derive(Clone, Debug)]
pub struct FlatRead {
    /// What the port holds.
    pub state: Index,
    /// One bit: whether it reads.
    pub enable: Option<Index>,
    /// The word's index.
    pub addr: Index,
    /// Position in [`Flat::clocks`].
    pub clock: usize,
}

/// A write of a memory.
#[derive(Clone, Debug)]
pub struct FlatWrite {
    /// One bit: whether it writes.
    pub enable: Option<Index>,
    /// The word's index.
    pub addr: Index,
    /// The word.
    pub data: Index,
    /// One bit per lane of `width / mask width` bits.
    pub mask: Option<Index>,
    /// Position in [`Flat::clocks`].
    pub clock: usize,
    /// Where it was written.
    pub loc: Loc,
}

/// A property.
#[derive(Clone, Debug)]
pub struct FlatCheck {
    /// What it is for.
    pub kind: CheckKind,
    /// Instances from the top down, then its name.
    pub path: String,
    /// One bit: whether it is looked at.
    pub enable: Option<Index>,
    /// The single bit that must be 1.
    pub cond: Index,
    /// Position in [`Flat::clocks`].
    pub clock: usize,
    /// Where it was written.
    pub loc: Loc,
}

/// A module instance.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The instance's name; the top module's own name for the first scope.
    pub name: String,
    /// The name of its module.
    pub module: String,
    /// The scope around it.
    pub parent: Option<usize>,
}

/// A named value, for waveforms.
#[derive(Clone, Debug)]
pub struct FlatSignal {
    /// Position in [`Flat::scopes`].
    pub scope: usize,
    /// Its name in that module.
    pub name: String,
    /// What it carries.
    pub shape: Shape,
    /// What gives it its value.
    pub kind: SignalKind,
    /// Its value.
    pub node: Index,
    /// For inputs of the top, registers and memory reads: the clock it belongs to, a position in [`Flat::clocks`].
    pub clock: usize,
    /// Where it was made.
    pub loc: Loc,
}

/// A design as one netlist.
#[derive(Clone, Debug, Default)]
pub struct Flat {
    /// Values; operands stand before their users.
    pub nodes: Vec<FlatNode>,
    /// Inputs of the top module, resets among them, in the order of its ports.
    pub inputs: Vec<FlatPort>,
    /// Outputs of the top module.
    pub outputs: Vec<FlatPort>,
    /// Registers.
    pub regs: Vec<FlatReg>,
    /// Memories.
    pub memories: Vec<FlatMemory>,
    /// Properties.
    pub checks: Vec<FlatCheck>,
    /// Module instances; the top module is the first.
    pub scopes: Vec<Scope>,
    /// Named values; the resets of the top module come first.
    pub signals: Vec<FlatSignal>,
    /// Clock inputs of the top module.
    pub clocks: Vec<String>,
}

impl Flat {
    /// Flattens the modules of a design, whose own netlist is still empty.
    ///
    /// # Errors
    /// Combinational loops and unsynchronised clock crossings.
    pub(crate) fn new(design: &Design) -> Result<Flat, Vec<Diagnostic>> {
        let raw = build::build(design);
        let flat = order::order(raw)?;
        let crossings = crossing::find(&flat);
        if crossings.is_empty() { Ok(flat) } else { Err(crossings) }
    }

    /// The path of a scope: instance names from the top down, joined by dots.
    pub fn scope_path(&self, scope: usize) -> String {
        let mut names = Vec::new();
        let mut at = Some(scope);
        while let Some(k) = at {
            names.push(self.scopes[k].name.as_str());
            at = self.scopes[k].parent;
        }
        names.reverse();
        names.join(".")
    }

    /// A signal's name behind the instances that it lies in: `u.fifo.head`; just its name in the top module.
    pub fn signal_path(&self, signal: usize) -> String {
        let signal = &self.signals[signal];
        match self.scope_path(signal.scope).split_once('.') {
            Some((_, path)) => format!("{path}.{}", signal.name),
            None => signal.name.clone(),
        }
    }
}
