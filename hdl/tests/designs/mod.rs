//! Small designs, one per construct, that the tests of the emitter share.

#![allow(dead_code)] // not every test uses every design

pub mod constructs;
pub mod external;
pub mod placed;

use ferrite_hdl::prelude::*;

#[derive(Clone, Bundle)]
pub struct PeIn<T> {
    /// Activation from the west.
    pub act: T,
    /// Weight from the north.
    pub weight: T,
    /// Partial sum from the north.
    pub psum: T,
    /// Takes the weight.
    pub load: T,
}

#[derive(Clone, Bundle)]
pub struct PeOut<T> {
    /// Activation to the east.
    pub act: T,
    /// Weight to the south.
    pub weight: T,
    /// Partial sum to the south.
    pub psum: T,
}

/// A weight-stationary processing element.
#[module]
pub struct Pe {
    pub acc_bits: u32,
}

impl Module for Pe {
    type In = PeIn<UInt>;
    type Out = PeOut<UInt>;

    fn inputs(&self) -> PeIn<Shape> {
        PeIn { act: signed(8), weight: signed(8), psum: signed(self.acc_bits), load: bit() }
    }
    fn outputs(&self) -> PeOut<Shape> {
        PeOut { act: signed(8), weight: signed(8), psum: signed(self.acc_bits) }
    }
    fn build(&self, m: &Builder, i: PeIn<UInt>) -> PeOut<UInt> {
        let weight = m.reg("weight_q", signed(8));
        m.when(i.load, || weight.set(i.weight));
        wire!(m, product = (i.act.signed() * weight.signed()).unsigned());
        let sum = (i.psum.signed() + product.signed()).truncate(self.acc_bits);
        PeOut { act: m.delay("act_q", i.act), weight, psum: m.delay("psum_q", sum) }
    }
}

#[derive(Clone, Bundle)]
pub struct ArrayIn<T> {
    pub act: Vec<T>,
    pub weight: Vec<T>,
    pub load: T,
}

#[derive(Clone, Bundle)]
pub struct ArrayOut<T> {
    pub psum: Vec<T>,
}

/// A square array of processing elements.
#[module]
pub struct Array {
    pub size: usize,
}

impl Module for Array {
    type In = ArrayIn<UInt>;
    type Out = ArrayOut<UInt>;

    fn inputs(&self) -> ArrayIn<Shape> {
        ArrayIn { act: vec![signed(8); self.size], weight: vec![signed(8); self.size], load: bit() }
    }
    fn outputs(&self) -> ArrayOut<Shape> {
        ArrayOut { psum: vec![signed(32); self.size] }
    }
    fn build(&self, m: &Builder, i: ArrayIn<UInt>) -> ArrayOut<UInt> {
        let zero = m.constant(Bits::zero(32));
        let mut weight = i.weight;
        let mut psum = vec![zero; self.size];
        for (r, act) in i.act.iter().enumerate() {
            let mut act = *act;
            for c in 0..self.size {
                let inputs = PeIn { act, weight: weight[c], psum: psum[c], load: i.load };
                let pe = m.instance(&format!("pe_{r}_{c}"), &Pe { acc_bits: 32 }).connect(inputs);
                (act, weight[c], psum[c]) = (pe.act, pe.weight, pe.psum);
            }
        }
        ArrayOut { psum }
    }
}

#[derive(Clone, Copy, Encoding)]
pub enum State {
    Idle,
    Sending,
    Stopping,
}

#[derive(Clone, Bundle)]
pub struct SenderIn<T> {
    pub start: T,
    pub data: T,
}

#[derive(Clone, Bundle)]
pub struct SenderOut<T> {
    pub busy: T,
    pub line: T,
    pub state: T,
}

/// Sends a byte bit by bit, lowest first, between a start bit 0 and a stop bit 1.
#[module]
pub struct Sender;

impl Module for Sender {
    type In = SenderIn<UInt>;
    type Out = SenderOut<UInt>;

    fn inputs(&self) -> SenderIn<Shape> {
        SenderIn { start: bit(), data: bits(8) }
    }
    fn outputs(&self) -> SenderOut<Shape> {
        SenderOut { busy: bit(), line: bit(), state: State::shape() }
    }
    fn build(&self, m: &Builder, i: SenderIn<UInt>) -> SenderOut<UInt> {
        let state = m.reg("state", State::shape()).reset_to(State::Idle);
        let shift = m.reg("shift", 8);
        let left = m.reg("left", 3);
        let (busy, line) = (m.wire("busy", 1), m.wire("line", 1));
        busy.set(1);
        line.set(1);
        m.switch(state, |s| {
            s.case(State::Idle, || {
                busy.set(0);
                m.when(i.start, || {
                    line.set(0);
                    shift.set(i.data);
                    left.set(7);
                    state.set(State::Sending);
                });
            });
            s.case(State::Sending, || {
                line.set(shift.bit(0));
                shift.set(shift >> 1);
                left.set(left.wrapping_sub(1));
                m.when(left.eq(0), || state.set(State::Stopping));
            });
            s.case(State::Stopping, || state.set(State::Idle));
        });
        m.assert("state_is_legal", state.ne(3));
        SenderOut { busy, line, state }
    }
}

#[derive(Clone, Bundle)]
pub struct RamIn<T> {
    pub addr: T,
    pub write: T,
    pub mask: T,
    pub data: T,
}

#[derive(Clone, Bundle)]
pub struct RamOut<T> {
    pub word: T,
}

/// A memory with one port to read and one to write, with byte enables.
#[module]
pub struct Ram {
    pub depth: u32,
}

impl Module for Ram {
    type In = RamIn<UInt>;
    type Out = RamOut<UInt>;

    fn inputs(&self) -> RamIn<Shape> {
        RamIn { addr: bits(index_width(self.depth as usize)), write: bit(), mask: bits(4), data: bits(32) }
    }
    fn outputs(&self) -> RamOut<Shape> {
        RamOut { word: bits(32) }
    }
    fn build(&self, m: &Builder, i: RamIn<UInt>) -> RamOut<UInt> {
        let words = m.memory("words", self.depth, 32);
        m.when(i.write, || words.write_masked(i.addr, i.data, i.mask));
        RamOut { word: words.read("word_q", i.addr) }
    }
}

#[derive(Clone, Bundle)]
pub struct OperatorsIn<T> {
    pub a: T,
    pub b: T,
    pub n: T,
    pub s: T,
    pub t: T,
}

#[derive(Clone, Bundle)]
pub struct OperatorsOut<T> {
    pub sum: T,
    pub wrapped: T,
    pub product: T,
    pub signed_product: T,
    pub nested: T,
    pub shifted: T,
    pub arithmetic: T,
    pub less: T,
    pub signed_less: T,
    pub chosen: T,
    pub reduced: T,
    pub negative: T,
}

/// Every operator once.
#[module]
pub struct Operators;

impl Module for Operators {
    type In = OperatorsIn<UInt>;
    type Out = OperatorsOut<UInt>;

    fn inputs(&self) -> OperatorsIn<Shape> {
        OperatorsIn { a: bits(8), b: bits(8), n: bits(3), s: signed(8), t: signed(6) }
    }
    fn outputs(&self) -> OperatorsOut<Shape> {
        OperatorsOut {
            sum: bits(9),
            wrapped: bits(8),
            product: bits(16),
            signed_product: signed(14),
            nested: bits(8),
            shifted: bits(8),
            arithmetic: signed(8),
            less: bit(),
            signed_less: bit(),
            chosen: bit(),
            reduced: bits(3),
            negative: signed(9),
        }
    }
    fn build(&self, _m: &Builder, i: OperatorsIn<UInt>) -> OperatorsOut<UInt> {
        let (s, t) = (i.s.signed(), i.t.signed());
        OperatorsOut {
            sum: i.a + i.b,
            wrapped: i.a.wrapping_sub(i.b),
            product: i.a * i.b,
            signed_product: (s * t).unsigned(),
            nested: ((i.a + i.b).slice(1, 8) & !i.b) | (i.a ^ 0x55),
            shifted: (i.a << i.n) >> 1,
            arithmetic: (s >> i.n).unsigned(),
            less: i.a.lt(i.b),
            signed_less: s.lt(t),
            chosen: i.a.bit_at(i.n),
            reduced: concat([i.a.any(), i.a.all(), i.a.parity()]),
            negative: (-s).unsigned(),
        }
    }
}
