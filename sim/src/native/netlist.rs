//! From [`Flat`] to the graph that is compiled, and what in it has an effect: registers, writes, properties, outputs.

use ferrite_hdl::Bits;
use ferrite_hdl::eval::eval;
use ferrite_hdl::flat::{Flat, FlatOp, FlatWrite, Index};
use ferrite_hdl::ir::CheckKind;

use super::graph::{Comparison, Graph, Id, Op};
use super::lanes::{FEWEST_LANES, instances};

/// A register, or what a synchronous read port holds.
pub(super) struct State {
    /// The node that carries its value.
    pub id: Id,
    /// What it takes at the next edge.
    pub next: Id,
    pub init: Bits,
    pub clock: usize,
    pub scope: u32,
    /// Its name, for errors and for registers of equal instances to find each other.
    pub signal: Option<usize>,
}

/// A write port.
#[derive(Clone, Copy)]
pub(super) struct Write {
    pub enable: Id,
    pub addr: Id,
    pub data: Id,
    pub mask: Option<Id>,
    pub clock: usize,
}

pub(super) struct Netlist {
    pub graph: Graph,
    /// For every node of the flat netlist, its node here.
    pub ids: Vec<Id>,
    pub states: Vec<State>,
    /// The write ports of every memory, in order.
    pub writes: Vec<Vec<Write>>,
    /// The instance that the writes of a memory are computed in.
    pub write_scopes: Vec<u32>,
    /// For every property of the flat netlist that can fail, 1 if it does.
    pub failures: Vec<Option<Id>>,
}

impl Netlist {
    pub fn new(flat: &Flat) -> Netlist {
        let homes = homes(flat);
        let mut lowering =
            Lowering { flat, homes: &homes, graph: Graph::default(), ids: Vec::new(), states: Vec::new() };
        lowering.nodes();
        let Lowering { mut graph, ids, mut states, .. } = lowering;
        let at = |n: Index| ids[n as usize];

        for (reg, state) in flat.regs.iter().zip(&mut states) {
            state.next = match &reg.reset {
                None => at(reg.next),
                Some((reset, value)) => {
                    let value = graph.constant(value);
                    graph.make(Op::Mux(at(*reset), value, at(reg.next)), value_width(state), state.scope)
                }
            };
        }
        for (k, memory) in flat.memories.iter().enumerate() {
            for read in &memory.reads {
                let Op::State(state) = *graph.op(at(read.state)) else { continue };
                let state = &mut states[state as usize];
                let read_word = Op::Read { memory: k as u32, addr: at(read.addr) };
                let word = graph.make(read_word, memory.width, state.scope);
                state.next = match read.enable {
                    None => word,
                    Some(enable) => {
                        graph.make(Op::Mux(at(enable), word, state.next), memory.width, state.scope)
                    }
                };
            }
        }
        let one = graph.constant(&Bits::ones(1));
        let write = |write: &FlatWrite| Write {
            enable: write.enable.map_or(one, at),
            addr: at(write.addr),
            data: at(write.data),
            mask: write.mask.map(at),
            clock: write.clock,
        };
        let writes = flat.memories.iter().map(|m| m.writes.iter().map(write).collect()).collect();
        let scope_of = |n: Index| homes[flat.nodes[n as usize].scope];
        let write_scopes = flat.memories.iter().map(|m| m.writes.first().map_or(0, |w| scope_of(w.data)));
        let write_scopes = write_scopes.collect();
        let mut failure = |check: &ferrite_hdl::flat::FlatCheck| {
            let scope = scope_of(check.cond);
            let fails = graph.not(at(check.cond), scope);
            match check.kind {
                CheckKind::Cover => None,
                CheckKind::Assert | CheckKind::Assume => Some(match check.enable {
                    None => fails,
                    Some(enable) => graph.make(Op::And(at(enable), fails), 1, scope),
                }),
            }
        };
        let failures = flat.checks.iter().map(&mut failure).collect();
        Netlist { graph, ids, states, writes, write_scopes, failures }
    }
}

fn value_width(state: &State) -> u32 {
    state.init.width()
}

/// The instance that each instance is computed with: itself, or the one around it if it holds nothing and there are too few of its module for lanes.
fn homes(flat: &Flat) -> Vec<u32> {
    let mut stays = vec![false; flat.scopes.len()];
    for node in flat.nodes.iter() {
        stays[node.scope] |= matches!(node.op, FlatOp::State | FlatOp::MemoryRead { .. });
    }
    for write in flat.memories.iter().flat_map(|memory| &memory.writes) {
        stays[flat.nodes[write.data as usize].scope] = true;
    }
    let instances = instances(flat);
    let mut homes: Vec<u32> = Vec::with_capacity(flat.scopes.len());
    for (k, scope) in flat.scopes.iter().enumerate() {
        let home = match scope.parent {
            Some(parent) if !stays[k] && instances[scope.module.as_str()] < FEWEST_LANES => {
                homes.get(parent).copied()
            }
            _ => None,
        };
        homes.push(home.unwrap_or(k as u32));
    }
    homes
}

struct Lowering<'a> {
    flat: &'a Flat,
    homes: &'a [u32],
    graph: Graph,
    ids: Vec<Id>,
    states: Vec<State>,
}

impl Lowering<'_> {
    fn nodes(&mut self) {
        let flat = self.flat;
        let mut state_of = std::collections::HashMap::new();
        let mut input_of = std::collections::HashMap::new();
        for (k, input) in flat.inputs.iter().enumerate() {
            input_of.insert(input.node, k as u32);
        }
        for reg in &flat.regs {
            state_of.insert(reg.state, self.states.len() as u32);
            self.state(reg.state, reg.init.clone(), reg.clock, Some(reg.signal));
        }
        for memory in &flat.memories {
            for read in &memory.reads {
                // Several reads may share what one port holds.
                state_of.entry(read.state).or_insert_with(|| {
                    self.state(read.state, Bits::zero(memory.width), read.clock, None);
                    self.states.len() as u32 - 1
                });
            }
        }
        for (k, node) in flat.nodes.iter().enumerate() {
            let scope = self.homes[node.scope];
            let id = match &node.op {
                FlatOp::Input => self.graph.make(Op::Input(input_of[&(k as Index)]), node.width, scope),
                FlatOp::State => {
                    // A port that nothing reads into keeps its 0.
                    match state_of.get(&(k as Index)) {
                        Some(state) => {
                            let id = self.graph.make(Op::State(*state), node.width, scope);
                            let state = &mut self.states[*state as usize];
                            (state.id, state.next) = (id, id);
                            id
                        }
                        None => self.graph.constant(&Bits::zero(node.width)),
                    }
                }
                FlatOp::MemoryRead { memory, addr } => {
                    let op = Op::Read { memory: *memory as u32, addr: self.ids[*addr as usize] };
                    self.graph.make(op, node.width, scope)
                }
                FlatOp::Compute(op) => self.compute(op, node.width, node.signed, scope),
            };
            self.ids.push(id);
        }
    }

    fn state(&mut self, node: Index, init: Bits, clock: usize, signal: Option<usize>) {
        let scope = self.homes[self.flat.nodes[node as usize].scope];
        self.states.push(State { id: 0, next: 0, init, clock, scope, signal });
    }

    fn compute(&mut self, op: &ferrite_hdl::ir::Op<Index>, width: u32, signed: bool, scope: u32) -> Id {
        use Comparison::*;
        use ferrite_hdl::ir::Op as F;
        let flat = self.flat;
        let constants: Option<Vec<(Index, Bits)>> = op
            .operands()
            .into_iter()
            .map(|n| self.graph.value(self.ids[n as usize]).map(|value| (n, value)))
            .collect();
        if let Some(constants) = constants {
            let value = |n: Index| {
                let operand = constants.iter().find(|(k, _)| *k == n).expect("an operand of this operation");
                (&operand.1, flat.nodes[n as usize].signed)
            };
            return self.graph.constant(&eval(op, width, signed, value));
        }
        let at = |n: &Index| self.ids[*n as usize];
        let is_signed = |n: &Index| flat.nodes[*n as usize].signed;
        let both = |a: &Index, b: &Index| is_signed(a) && is_signed(b);
        let op = match op {
            F::Const(..) | F::Read(_) => return self.graph.constant(&Bits::zero(width)),
            F::Not(a) => Op::Not(at(a)),
            F::And(a, b) => Op::And(at(a), at(b)),
            F::Or(a, b) => Op::Or(at(a), at(b)),
            F::Xor(a, b) => Op::Xor(at(a), at(b)),
            F::Add(a, b) => Op::Add(at(a), at(b)),
            F::Sub(a, b) => Op::Sub(at(a), at(b)),
            F::Mul(a, b) => Op::Mul { a: at(a), b: at(b), signed },
            F::Eq(a, b) => Op::Compare(Equal, at(a), at(b)),
            F::Ne(a, b) => Op::Compare(Unequal, at(a), at(b)),
            F::Lt(a, b) => Op::Compare(Less { signed: both(a, b) }, at(a), at(b)),
            F::Le(a, b) => Op::Compare(AtMost { signed: both(a, b) }, at(a), at(b)),
            F::Shl(a, n) => Op::Shl(at(a), at(n)),
            F::Shr(a, n) => Op::Shr { a: at(a), amount: at(n), signed },
            F::Mux(c, a, b) => Op::Mux(at(c), at(a), at(b)),
            F::Concat(parts) => Op::Concat(parts.iter().map(at).collect()),
            F::Slice(a, low) => Op::Slice(at(a), *low),
            F::Extend(a) => Op::Extend { a: at(a), signed: is_signed(a) },
            F::Cast(a) => return at(a),
            F::ReduceAnd(a) => {
                let a = at(a);
                let ones = self.graph.constant(&Bits::ones(self.graph.width(a)));
                Op::Compare(Equal, a, ones)
            }
            F::ReduceOr(a) => {
                let a = at(a);
                let zero = self.graph.constant(&Bits::zero(self.graph.width(a)));
                Op::Compare(Unequal, a, zero)
            }
            F::ReduceXor(a) => Op::Parity(at(a)),
        };
        self.graph.make(op, width, scope)
    }
}
