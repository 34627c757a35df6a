//! Executes a flat netlist whose values have at most 128 bits: the meaning of the operations, nothing clever.

use std::collections::HashMap;

use ferrite_hdl::flat::{Flat, FlatNode, FlatOp, Index};
use ferrite_hdl::ir::Op;
use ferrite_hdl::{Bits, Module, elaborate};

/// A design being executed.
pub struct Netlist {
    flat: Flat,
    values: Vec<u128>,
    memories: Vec<Vec<u128>>,
    ports: HashMap<String, Index>,
}

fn ones(width: u32) -> u128 {
    u128::MAX >> (128 - width)
}

fn number(bits: &Bits) -> u128 {
    let words = bits.to_words();
    let word = |k: usize| words.get(k).copied().map_or(0, u128::from);
    word(1) << 64 | word(0)
}

impl Netlist {
    /// Elaborates a module, whose mistakes fail the test.
    pub fn new(module: &impl Module) -> Netlist {
        let design = elaborate(module).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let flat = Flat::new(&design).expect("elaboration has flattened it before");
        assert!(flat.nodes.iter().all(|node| node.width <= 128), "a value too wide for this evaluator");
        assert!(
            flat.memories
                .iter()
                .all(|memory| memory.reads.is_empty() && memory.writes.iter().all(|w| w.mask.is_none()))
        );
        let mut values = vec![0; flat.nodes.len()];
        for reg in &flat.regs {
            values[reg.state as usize] = number(&reg.init);
        }
        let memories = flat.memories.iter().map(|memory| vec![0; memory.depth as usize]).collect();
        let ports =
            flat.inputs.iter().chain(&flat.outputs).map(|port| (port.name.clone(), port.node)).collect();
        Netlist { flat, values, memories, ports }
    }

    fn port(&self, name: &str) -> usize {
        *self.ports.get(name).unwrap_or_else(|| panic!("no port `{name}`")) as usize
    }

    /// Sets an input.
    pub fn poke(&mut self, name: &str, value: impl Into<u128>) {
        let port = self.port(name);
        self.values[port] = value.into();
    }

    /// Reads an output, after [`Netlist::settle`].
    pub fn peek(&self, name: &str) -> u64 {
        self.values[self.port(name)] as u64
    }

    /// Computes all values from inputs and state.
    pub fn settle(&mut self) {
        for k in 0..self.flat.nodes.len() {
            let node = &self.flat.nodes[k];
            let value = match &node.op {
                FlatOp::Input | FlatOp::State => continue,
                FlatOp::MemoryRead { memory, addr } => {
                    self.memories[*memory][self.values[*addr as usize] as usize]
                }
                FlatOp::Compute(op) => self.compute(node, op),
            };
            self.values[k] = value & ones(node.width);
        }
    }

    fn compute(&self, node: &FlatNode, op: &Op<Index>) -> u128 {
        let v = |k: &Index| self.values[*k as usize];
        let width = |k: &Index| self.flat.nodes[*k as usize].width;
        let is_signed = |k: &Index| self.flat.nodes[*k as usize].signed;
        let s = |k: &Index| (v(k) << (128 - width(k))) as i128 >> (128 - width(k));
        match op {
            Op::Const(value, _) => number(value),
            Op::Read(_) => unreachable!("a flat netlist has no `Read`"),
            Op::Not(a) => !v(a),
            Op::And(a, b) => v(a) & v(b),
            Op::Or(a, b) => v(a) | v(b),
            Op::Xor(a, b) => v(a) ^ v(b),
            Op::Add(a, b) => v(a).wrapping_add(v(b)),
            Op::Sub(a, b) => v(a).wrapping_sub(v(b)),
            Op::Mul(a, b) if node.signed => s(a).wrapping_mul(s(b)) as u128,
            Op::Mul(a, b) => v(a).wrapping_mul(v(b)),
            Op::Eq(a, b) => (v(a) == v(b)).into(),
            Op::Ne(a, b) => (v(a) != v(b)).into(),
            Op::Lt(a, b) => (if is_signed(a) { s(a) < s(b) } else { v(a) < v(b) }).into(),
            Op::Le(a, b) => (if is_signed(a) { s(a) <= s(b) } else { v(a) <= v(b) }).into(),
            Op::Shl(a, b) => v(a).checked_shl(v(b).min(128) as u32).unwrap_or(0),
            Op::Shr(a, b) if node.signed => (s(a) >> v(b).min(127)) as u128,
            Op::Shr(a, b) => v(a).checked_shr(v(b).min(128) as u32).unwrap_or(0),
            Op::Mux(c, a, b) => {
                if v(c) != 0 {
                    v(a)
                } else {
                    v(b)
                }
            }
            Op::Concat(parts) => parts.iter().fold(0, |high, part| high << width(part) | v(part)),
            Op::Slice(a, low) => v(a) >> low,
            Op::Extend(a) => {
                if is_signed(a) {
                    s(a) as u128
                } else {
                    v(a)
                }
            }
            Op::Cast(a) => v(a),
            Op::ReduceAnd(a) => (v(a) == ones(width(a))).into(),
            Op::ReduceOr(a) => (v(a) != 0).into(),
            Op::ReduceXor(a) => (v(a).count_ones() & 1).into(),
        }
    }

    /// A clock edge, after [`Netlist::settle`].
    pub fn edge(&mut self) {
        let v = |k: Index| self.values[k as usize];
        let next: Vec<u128> = (self.flat.regs.iter())
            .map(|reg| match &reg.reset {
                Some((reset, value)) if v(*reset) != 0 => number(value),
                _ => v(reg.next),
            })
            .collect();
        for (memory, words) in self.flat.memories.iter().zip(&mut self.memories) {
            for write in memory.writes.iter().filter(|write| write.enable.is_none_or(|enable| v(enable) != 0))
            {
                words[v(write.addr) as usize] = v(write.data);
            }
        }
        for (reg, value) in self.flat.regs.iter().zip(next) {
            self.values[reg.state as usize] = value;
        }
    }
}
