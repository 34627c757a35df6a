//! Code for one operation on values of up to 64 bits; [`wide`] has those on more.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value};

use super::body::Body;
use super::graph::{Comparison, Id, Op};
use super::scalar::{Held, Scalar};
use super::wide;

impl Scalar<'_, '_> {
    /// Computes a node from its operands.
    pub fn operation(&mut self, id: Id) {
        let plan = self.plan;
        let graph = &plan.netlist.graph;
        let node = &graph.nodes[id as usize];
        let widest = node.op.operands().iter().map(|o| graph.width(*o)).max().unwrap_or(0);
        if node.width > 64 || widest > 64 {
            match &node.op {
                Op::Slice(a, low) if node.width <= 64 => self.slice_of_wide(id, *a, *low),
                Op::Mux(..) | Op::Read { .. } if node.width <= 64 => self.narrow(id, &node.op),
                Op::Shl(..) | Op::Shr { .. } if node.width <= 64 => self.narrow(id, &node.op),
                _ => {
                    let mut words = wide::operation(self, &node.op, node.width);
                    let held = match node.width {
                        0..=64 => Held::Narrow { value: words.remove(0), clean: true },
                        _ => Held::Wide(words),
                    };
                    self.held.insert(id, held);
                }
            }
        } else {
            self.narrow(id, &node.op);
        }
    }

    fn narrow(&mut self, id: Id, op: &Op) {
        let width = self.width(id);
        match *op {
            Op::Not(a) if width == 1 => {
                let (a, one) = (self.clean(a), self.body.k(1));
                let value = self.body.b.ins().bxor(a, one);
                self.hold(id, value, true);
            }
            Op::Not(a) => {
                let (a, _) = self.raw(a);
                let value = self.body.b.ins().bnot(a);
                self.hold(id, value, false);
            }
            Op::And(a, b) => {
                let (value, clean) = match self.complement(a, b) {
                    Some((a, b)) => {
                        let ((x, x_clean), (y, _)) = (self.raw(a), self.raw(b));
                        (self.body.b.ins().band_not(x, y), x_clean)
                    }
                    None => {
                        let ((x, x_clean), (y, y_clean)) = (self.raw(a), self.raw(b));
                        (self.body.b.ins().band(x, y), x_clean || y_clean)
                    }
                };
                self.hold(id, value, clean);
            }
            Op::Or(a, b) | Op::Xor(a, b) => {
                let ((x, x_clean), (y, y_clean)) = (self.raw(a), self.raw(b));
                let value = match op {
                    Op::Or(..) => self.body.b.ins().bor(x, y),
                    _ => self.body.b.ins().bxor(x, y),
                };
                self.hold(id, value, x_clean && y_clean);
            }
            Op::Add(a, b) | Op::Sub(a, b) => {
                let ((x, _), (y, _)) = (self.raw(a), self.raw(b));
                let value = match op {
                    Op::Add(..) => self.body.b.ins().iadd(x, y),
                    _ => self.body.b.ins().isub(x, y),
                };
                self.hold(id, value, false);
            }
            Op::Mul { a, b, signed } => {
                let (x, y) =
                    if signed { (self.signed(a), self.signed(b)) } else { (self.clean(a), self.clean(b)) };
                let value = self.body.b.ins().imul(x, y);
                self.hold(id, value, !signed);
            }
            Op::Compare(comparison, a, b) => self.compare(id, comparison, a, b),
            Op::Shl(a, amount) => {
                let (value, _) = self.raw(a);
                let value = self.shift(value, amount, |body, value, by| body.b.ins().ishl(value, by));
                self.hold(id, value, false);
            }
            Op::Shr { a, amount, signed: false } => {
                let value = self.clean(a);
                let value = self.shift(value, amount, |body, value, by| body.b.ins().ushr(value, by));
                self.hold(id, value, true);
            }
            Op::Shr { a, amount, signed: true } => {
                let (value, by) = (self.signed(a), self.amount(amount));
                // Beyond 63 there are only copies of the sign.
                let last = self.body.k(63);
                let by = self.body.b.ins().umin(by, last);
                let value = self.body.b.ins().sshr(value, by);
                self.hold(id, value, false);
            }
            Op::Mux(c, a, b) => {
                let (c, (x, x_clean), (y, y_clean)) = (self.condition(c), self.raw(a), self.raw(b));
                let value = self.body.b.ins().select(c, x, y);
                self.hold(id, value, x_clean && y_clean);
            }
            Op::Concat(ref parts) => self.concat(id, parts),
            Op::Slice(a, low) => {
                let end = low + width == self.width(a);
                let value = if end { self.clean(a) } else { self.raw(a).0 };
                let value = self.body.shr_k(value, low);
                self.hold(id, value, end);
            }
            Op::Extend { a, signed: false } => {
                let value = self.clean(a);
                self.hold(id, value, true);
            }
            Op::Extend { a, signed: true } => {
                let value = self.signed(a);
                self.hold(id, value, false);
            }
            Op::Parity(a) => {
                let a = self.clean(a);
                let count = self.body.b.ins().popcnt(a);
                let value = self.body.and_k(count, 1);
                self.hold(id, value, true);
            }
            Op::Read { memory, addr } => {
                let memory = &self.plan.layout.memories[memory as usize];
                let word = self.word(memory.offset, memory.word_bytes, addr);
                let value = self.body.load_from(word, 0, memory.word_bytes);
                self.hold(id, value, true);
            }
            Op::Const(_) | Op::Input(_) | Op::State(_) => {}
        }
    }

    /// For the operands of an AND of which one is a complement: the other, and what is complemented.
    fn complement(&self, a: Id, b: Id) -> Option<(Id, Id)> {
        let graph = &self.plan.netlist.graph;
        [(a, b), (b, a)].into_iter().find_map(|(a, b)| match graph.op(b) {
            Op::Not(inner) if self.place(b).is_none() => Some((a, *inner)),
            _ => None,
        })
    }

    /// The address of a memory's word. The graph's addresses have as many bits as the memory needs, so that it lies inside.
    pub fn word(&mut self, offset: u64, bytes: u32, addr: Id) -> Value {
        let (addr, bytes, offset) = (self.clean(addr), self.body.k(bytes.into()), self.body.k(offset));
        let distance = self.body.b.ins().imul(addr, bytes);
        let first = self.body.b.ins().iadd(self.body.base, offset);
        self.body.b.ins().iadd(first, distance)
    }

    fn compare(&mut self, id: Id, comparison: Comparison, a: Id, b: Id) {
        let code = code(comparison);
        let (a, b) = match comparison {
            Comparison::Less { signed: true } | Comparison::AtMost { signed: true } => {
                (self.signed(a), self.signed(b))
            }
            _ => (self.clean(a), self.clean(b)),
        };
        let condition = self.body.b.ins().icmp(code, a, b);
        self.conditions.insert(id, condition);
    }

    /// A shift's amount; huge ones become some that are not below 64.
    pub fn amount(&mut self, amount: Id) -> Value {
        let words = self.words(amount);
        let (low, high) = (words[0], &words[1..]);
        let mut any = None;
        for word in high {
            any = Some(self.body.or_option(any, *word));
        }
        match any {
            None => low,
            Some(any) => {
                let most = self.body.k(u64::MAX);
                self.body.b.ins().select(any, most, low)
            }
        }
    }

    /// A shift that gives 0 from 64 on.
    fn shift(
        &mut self,
        value: Value,
        amount: Id,
        shift: impl FnOnce(&mut Body, Value, Value) -> Value,
    ) -> Value {
        let by = self.amount(amount);
        let shifted = shift(&mut self.body, value, by);
        if self.width(amount) <= 6 {
            return shifted;
        }
        let (limit, zero) = (self.body.k(64), self.body.k(0));
        let fits = self.body.b.ins().icmp(IntCC::UnsignedLessThan, by, limit);
        self.body.b.ins().select(fits, shifted, zero)
    }

    fn concat(&mut self, id: Id, parts: &[Id]) {
        let mut joined = None;
        let mut at = self.width(id);
        let mut clean = true;
        for (k, part) in parts.iter().enumerate() {
            at -= self.width(*part);
            if matches!(self.plan.netlist.graph.op(*part), Op::Const(words) if words[0] == 0) {
                continue;
            }
            // What stands above the first part is above the whole.
            let (value, part_clean) = if k == 0 { self.raw(*part) } else { (self.clean(*part), true) };
            clean &= part_clean;
            let value = self.body.shl_k(value, at);
            joined = Some(self.body.or_option(joined, value));
        }
        let value = joined.unwrap_or_else(|| self.body.k(0));
        self.hold(id, value, clean);
    }

    /// Few bits of a value of many; if that is in memory, no more of it is loaded.
    fn slice_of_wide(&mut self, id: Id, a: Id, low: u32) {
        let width = self.width(id);
        let (bit, byte) = (low % 8, low / 8);
        let place = if self.held.contains_key(&a) { None } else { self.place(a) };
        if let Some(place) = place
            && bit + width <= 64
        {
            let bytes = (bit + width).div_ceil(8).next_power_of_two();
            let loaded = self.body.load_from(self.body.base, place.offset + byte, bytes);
            let value = self.body.shr_k(loaded, bit);
            self.hold(id, value, bit + width == 8 * bytes);
            return;
        }
        let words = self.words(a);
        let value = wide::bits(&mut self.body, &words, low, width);
        let end = low + width == self.width(a);
        self.hold(id, value, end);
    }
}

pub(super) fn code(comparison: Comparison) -> IntCC {
    match comparison {
        Comparison::Equal => IntCC::Equal,
        Comparison::Unequal => IntCC::NotEqual,
        Comparison::Less { signed: false } => IntCC::UnsignedLessThan,
        Comparison::Less { signed: true } => IntCC::SignedLessThan,
        Comparison::AtMost { signed: false } => IntCC::UnsignedLessThanOrEqual,
        Comparison::AtMost { signed: true } => IntCC::SignedLessThanOrEqual,
    }
}
