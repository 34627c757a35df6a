//! The intermediate representation: what the builder makes and what checks, emitter and engines read.
//!
//! A module is an arena of expression nodes, a list of signals, and a body of statements in the order of the Rust source.
//! The body keeps its `when`s and `switch`es, so that the Verilog reads like the Rust; [`crate::lower`] turns the
//! same body into one expression per driven signal for checks and engines.

use std::panic::Location;

use crate::bits::Bits;
use crate::shape::{EncodingInfo, Shape};

/// A place in the user's Rust source.
pub type Loc = &'static Location<'static>;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub struct $name(pub u32);

        impl $name {
            /// The position in its arena.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

ids! {
    /// An expression of a module.
    NodeId
    /// A port, wire, register or other named value of a module.
    SignalId
    /// A memory of a module.
    MemoryId
    /// An instance within a module.
    InstanceId
    /// A module of a design.
    ModuleId
    /// A clock of a module: its position in [`Module::clocks`].
    ClockId
}

/// An operation on nodes. `N` is how operands are named: [`NodeId`] in a module, an index in a flat netlist.
///
/// Unless said otherwise the operands and the result have one width; nothing is ever extended silently.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op<N> {
    /// A constant; with the enum whose variant it is.
    Const(Bits, Option<&'static EncodingInfo>),
    /// The value of a signal.
    Read(SignalId),
    /// Bitwise complement.
    Not(N),
    /// Bitwise and.
    And(N, N),
    /// Bitwise or.
    Or(N, N),
    /// Bitwise exclusive or.
    Xor(N, N),
    /// Sum modulo `2^width`.
    Add(N, N),
    /// Difference modulo `2^width`.
    Sub(N, N),
    /// Full product; the width is the sum of the operands' widths. Signed if the node is.
    Mul(N, N),
    /// Equality; one bit.
    Eq(N, N),
    /// Inequality; one bit.
    Ne(N, N),
    /// Less than, signed if the operands are; one bit.
    Lt(N, N),
    /// At most, signed if the operands are; one bit.
    Le(N, N),
    /// Shift left by an unsigned amount of any width; zeros come in.
    Shl(N, N),
    /// Shift right by an unsigned amount of any width; the sign comes in if the node is signed, else zeros.
    Shr(N, N),
    /// `Mux(c, a, b)` is `a` where the single bit `c` is 1, else `b`.
    Mux(N, N, N),
    /// Operands side by side, the first one most significant.
    Concat(Vec<N>),
    /// As many bits as the node is wide, from this bit of the operand up.
    Slice(N, u32),
    /// The operand extended: by its sign if it is signed, else by zeros.
    Extend(N),
    /// The same bits, read as signed or unsigned as the node says.
    Cast(N),
    /// Whether all bits are 1.
    ReduceAnd(N),
    /// Whether any bit is 1.
    ReduceOr(N),
    /// Whether an odd number of bits is 1.
    ReduceXor(N),
}

impl<N: Copy> Op<N> {
    /// The operands.
    pub fn operands(&self) -> Vec<N> {
        use Op::*;
        match self {
            Const(..) | Read(_) => vec![],
            Not(a) | Slice(a, _) | Extend(a) | Cast(a) | ReduceAnd(a) | ReduceOr(a) | ReduceXor(a) => {
                vec![*a]
            }
            And(a, b) | Or(a, b) | Xor(a, b) | Add(a, b) | Sub(a, b) | Mul(a, b) => vec![*a, *b],
            Eq(a, b) | Ne(a, b) | Lt(a, b) | Le(a, b) | Shl(a, b) | Shr(a, b) => vec![*a, *b],
            Mux(c, a, b) => vec![*c, *a, *b],
            Concat(parts) => parts.clone(),
        }
    }

    /// The same operation on other operands.
    pub fn map<M>(&self, mut f: impl FnMut(N) -> M) -> Op<M> {
        use Op::*;
        match self {
            Const(value, encoding) => Const(value.clone(), *encoding),
            Read(signal) => Read(*signal),
            Not(a) => Not(f(*a)),
            And(a, b) => And(f(*a), f(*b)),
            Or(a, b) => Or(f(*a), f(*b)),
            Xor(a, b) => Xor(f(*a), f(*b)),
            Add(a, b) => Add(f(*a), f(*b)),
            Sub(a, b) => Sub(f(*a), f(*b)),
            Mul(a, b) => Mul(f(*a), f(*b)),
            Eq(a, b) => Eq(f(*a), f(*b)),
            Ne(a, b) => Ne(f(*a), f(*b)),
            Lt(a, b) => Lt(f(*a), f(*b)),
            Le(a, b) => Le(f(*a), f(*b)),
            Shl(a, b) => Shl(f(*a), f(*b)),
            Shr(a, b) => Shr(f(*a), f(*b)),
            Mux(c, a, b) => Mux(f(*c), f(*a), f(*b)),
            Concat(parts) => Concat(parts.iter().map(|p| f(*p)).collect()),
            Slice(a, low) => Slice(f(*a), *low),
            Extend(a) => Extend(f(*a)),
            Cast(a) => Cast(f(*a)),
            ReduceAnd(a) => ReduceAnd(f(*a)),
            ReduceOr(a) => ReduceOr(f(*a)),
            ReduceXor(a) => ReduceXor(f(*a)),
        }
    }
}

/// An expression.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it computes.
    pub op: Op<NodeId>,
    /// Bits of the result.
    pub width: u32,
    /// Whether the result is two's complement.
    pub signed: bool,
    /// Where it was written.
    pub loc: Loc,
}

/// What gives a signal its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignalKind {
    /// A port driven from outside.
    Input,
    /// The statements of the body, combinationally. With `named`, it only gives a name to one expression.
    Wire {
        /// Made by naming an expression, and so driven once, where it was made.
        named: bool,
    },
    /// The statements of the body, at the clock edge.
    Reg {
        /// Value before the first clock edge.
        init: Bits,
        /// Value taken at a clock edge with reset high.
        reset: Option<Bits>,
        /// First stage of a synchroniser: may sample another clock domain.
        synchroniser: bool,
    },
    /// An input port of an instance, driven by the statements of the body.
    ToInstance(InstanceId),
    /// An output port of an instance.
    FromInstance(InstanceId),
    /// The data of a memory's read port (its position among the memory's read ports).
    MemoryRead(MemoryId, usize),
}

/// A named value of a module.
#[derive(Clone, Debug)]
pub struct Signal {
    /// Its name in Rust, in Verilog and in waveforms; for a port of an instance, the port's name in the child.
    pub name: String,
    /// What it carries.
    pub shape: Shape,
    /// What gives it its value.
    pub kind: SignalKind,
    /// Whether it is an output port of the module.
    pub is_output: bool,
    /// The clock it belongs to, for registers, memory reads and inputs.
    pub clock: ClockId,
    /// Its doc comment.
    pub doc: String,
    /// Where it was made.
    pub loc: Loc,
}

/// A statement of a module's body.
#[derive(Clone, Debug)]
pub enum Stmt {
    /// Drives bits of a signal from `low` up, as many as the value is wide.
    Set {
        /// The driven signal.
        target: SignalId,
        /// The lowest driven bit.
        low: u32,
        /// What it is driven with.
        value: NodeId,
        /// Where it was written.
        loc: Loc,
    },
    /// The body of the first branch whose condition is 1, else the last one.
    If {
        /// Distinguishes the `when`s of a module.
        id: u32,
        /// Conditions with their bodies.
        branches: Vec<(NodeId, Vec<Stmt>)>,
        /// What holds where no condition does.
        otherwise: Option<Vec<Stmt>>,
        /// Where it was written.
        loc: Loc,
    },
    /// The body of the case that equals the subject, else the default.
    Switch {
        /// Distinguishes it from other statements of the module.
        id: u32,
        /// What is compared.
        subject: NodeId,
        /// The constants of each case with its body.
        cases: Vec<(Vec<NodeId>, Vec<Stmt>)>,
        /// What holds where no case does.
        default: Option<Vec<Stmt>>,
        /// Where it was written.
        loc: Loc,
    },
    /// Writes a word of a memory at the clock edge.
    MemoryWrite {
        /// The memory.
        memory: MemoryId,
        /// The write port: its position among the memory's.
        port: usize,
        /// The word's index.
        addr: NodeId,
        /// The word.
        data: NodeId,
        /// One bit per lane of `width / mask width` bits; `None` writes all lanes.
        mask: Option<NodeId>,
        /// Where it was written.
        loc: Loc,
    },
    /// Reads a word of a memory at the clock edge into a read port's data.
    MemoryRead {
        /// The memory.
        memory: MemoryId,
        /// The read port: its position among the memory's.
        port: usize,
        /// The word's index.
        addr: NodeId,
        /// Where it was written.
        loc: Loc,
    },
    /// States a property.
    Check(Check),
}

/// What a property is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CheckKind {
    /// Must hold at every clock edge.
    Assert,
    /// Is taken for granted by formal tools, and checked in simulation.
    Assume,
    /// Should hold at some clock edge.
    Cover,
}

/// The properties among statements, those under conditions too.
pub(crate) fn checks<'a>(stmts: &'a [Stmt], out: &mut Vec<&'a Check>) {
    for stmt in stmts {
        match stmt {
            Stmt::Check(check) => out.push(check),
            Stmt::If { branches, otherwise, .. } => {
                branches.iter().for_each(|branch| checks(&branch.1, out));
                otherwise.iter().for_each(|body| checks(body, out));
            }
            Stmt::Switch { cases, default, .. } => {
                cases.iter().for_each(|case| checks(&case.1, out));
                default.iter().for_each(|body| checks(body, out));
            }
            _ => {}
        }
    }
}

/// A property that is looked at on every clock edge.
#[derive(Clone, Debug)]
pub struct Check {
    /// What it is for.
    pub kind: CheckKind,
    /// Its label in Verilog and in messages.
    pub name: String,
    /// The single bit that must be 1.
    pub cond: NodeId,
    /// The clock at whose edge it is looked at.
    pub clock: ClockId,
    /// Where it was written.
    pub loc: Loc,
}

/// A read port of a memory.
#[derive(Clone, Debug)]
pub struct ReadPort {
    /// The signal with the data.
    pub data: SignalId,
    /// The address, for an asynchronous port; a synchronous one reads by [`Stmt::MemoryRead`].
    pub async_addr: Option<NodeId>,
    /// The clock it belongs to.
    pub clock: ClockId,
}

/// A memory.
#[derive(Clone, Debug)]
pub struct Memory {
    /// Its name.
    pub name: String,
    /// Words; a power of two.
    pub depth: u32,
    /// Bits of a word.
    pub width: u32,
    /// The first words' initial contents; the rest is zero.
    pub init: Vec<Bits>,
    /// Whether reads of words that are written at the same edge are never used.
    pub without_collisions: bool,
    /// Read ports.
    pub reads: Vec<ReadPort>,
    /// The clock of every write port.
    pub writes: Vec<ClockId>,
    /// Its doc comment.
    pub doc: String,
    /// Where it was made.
    pub loc: Loc,
}

impl Memory {
    /// Bits of an address.
    pub fn addr_width(&self) -> u32 {
        self.depth.trailing_zeros().max(1)
    }
}

/// An instance of a module.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Its name.
    pub name: String,
    /// What it is an instance of.
    pub module: ModuleId,
    /// For every port of the child, in its order, the signal on this side.
    pub ports: Vec<SignalId>,
    /// For every clock of the child, the clock on this side.
    pub clocks: Vec<ClockId>,
    /// Where it was made.
    pub loc: Loc,
}

/// A module that is not described here: its Verilog comes from elsewhere. [`Module::external`](crate::Module::external) gives it.
///
/// Its ports have the names of the bundles' leaves; it has a clock and a reset where its model, the `build` function, has registers.
///
/// ```
/// use ferrite_hdl::prelude::*;
/// use ferrite_hdl::verilog::{EmitOptions, FileKind, emit};
///
/// #[derive(Clone, Bundle)]
/// pub struct PadIn<T> {
///     core: T,
/// }
/// #[derive(Clone, Bundle)]
/// pub struct PadOut<T> {
///     pin: T,
/// }
///
/// /// An output pad of the chip's vendor.
/// #[module]
/// pub struct Pad;
///
/// impl Module for Pad {
///     type In = PadIn<UInt>;
///     type Out = PadOut<UInt>;
///
///     fn inputs(&self) -> PadIn<Shape> {
///         PadIn { core: bit() }
///     }
///     fn outputs(&self) -> PadOut<Shape> {
///         PadOut { pin: bit() }
///     }
///     fn external(&self) -> Option<External> {
///         Some(External {
///             verilog_name: "VENDOR_PAD".to_string(),
///             parameters: vec![("DRIVE".to_string(), "8".to_string())],
///             verilog: None, // the vendor's tools know it; a stub with its ports is emitted for the others
///         })
///     }
///     fn build(&self, _m: &Builder, i: PadIn<UInt>) -> PadOut<UInt> {
///         PadOut { pin: i.core }
///     }
/// }
///
/// let files = emit(&elaborate(&Pad).unwrap_or_else(|mistakes| panic!("{mistakes}")), &EmitOptions::default());
/// assert_eq!((files[0].name.as_str(), files[0].kind), ("VENDOR_PAD_bb.v", FileKind::BlackBox));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct External {
    /// The name of the Verilog module.
    pub verilog_name: String,
    /// Values of its Verilog parameters, as Verilog text.
    pub parameters: Vec<(String, String)>,
    /// Its Verilog text, if it should be written beside the design's. Without it a stub is written that declares the ports, as they
    /// are with the first parameters met.
    pub verilog: Option<String>,
}

/// A module.
#[derive(Clone, Debug)]
pub struct Module {
    /// Its name in Verilog.
    pub name: String,
    /// The doc comment of its parameters' struct.
    pub doc: String,
    /// Expressions; operands come before their users.
    pub nodes: Vec<Node>,
    /// Signals.
    pub signals: Vec<Signal>,
    /// Ports among the signals, in the order of the bundles.
    pub ports: Vec<SignalId>,
    /// Memories.
    pub memories: Vec<Memory>,
    /// Instances.
    pub instances: Vec<Instance>,
    /// Statements.
    pub body: Vec<Stmt>,
    /// Clock inputs, the main one first.
    pub clocks: Vec<String>,
    /// Clocks among `clocks` that something in it needs.
    pub clock_used: Vec<bool>,
    /// For every clock, whether something in it needs that clock's reset.
    pub reset_used: Vec<bool>,
    /// Set if the Verilog comes from elsewhere; the body is then its model for simulation.
    pub external: Option<External>,
    /// Where it was elaborated.
    pub loc: Loc,
}

impl Module {
    /// A node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// A signal.
    pub fn signal(&self, id: SignalId) -> &Signal {
        &self.signals[id.index()]
    }

    /// The reset input that goes with a clock: `rst` for `clk`, `rd_rst` for `rd_clk`.
    pub fn reset_name(&self, clock: ClockId) -> String {
        reset_name(&self.clocks[clock.index()])
    }
}

/// The name of the reset that goes with a clock: `rst` for `clk`, `rd_rst` for `rd_clk`, `fast_rst` for `fast`.
pub fn reset_name(clock: &str) -> String {
    match clock.strip_suffix("clk") {
        Some(prefix) => format!("{prefix}rst"),
        None => format!("{clock}_rst"),
    }
}
