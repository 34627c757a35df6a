//! Designs that between them have everything that an engine must get right.

use ferrite_hdl::library::{Queue, QueueIn, Stream};
use ferrite_hdl::prelude::*;

#[derive(Clone, Bundle)]
pub struct CounterIn<T> {
    pub enable: T,
}

#[derive(Clone, Bundle)]
pub struct CounterOut<T> {
    pub count: T,
    pub is_round: T,
}

/// Counts, and must not pass `limit`.
#[module]
pub struct Counter {
    pub limit: u64,
}

impl Module for Counter {
    type In = CounterIn<UInt>;
    type Out = CounterOut<UInt>;

    fn inputs(&self) -> CounterIn<Shape> {
        CounterIn { enable: bit() }
    }
    fn outputs(&self) -> CounterOut<Shape> {
        CounterOut { count: bits(32), is_round: bit() }
    }
    fn build(&self, m: &Builder, i: CounterIn<UInt>) -> CounterOut<UInt> {
        let count = m.reg("count_q", 32).reset_to(0);
        m.when(i.enable, || {
            count.set(count.wrapping_add(1));
            m.assert("below_limit", count.lt(self.limit));
        });
        CounterOut { count, is_round: count.slice(0, 4).eq(0) }
    }
}

#[derive(Clone, Copy, Encoding)]
pub enum Phase {
    Idle,
    Load,
    Work,
    Done,
}

#[derive(Clone, Bundle)]
pub struct MachineIn<T> {
    pub words: Stream<T>,
    pub select: T,
}

#[derive(Clone, Bundle)]
pub struct MachineOut<T> {
    pub phase: T,
    pub result: Vec<T>,
}

/// A queue behind a state machine, with memories read with and without a clock, written in lanes, and never.
#[module]
pub struct Machine;

impl Module for Machine {
    type In = MachineIn<UInt>;
    type Out = MachineOut<UInt>;

    fn inputs(&self) -> MachineIn<Shape> {
        MachineIn { words: Stream::of(bits(24)), select: bits(3) }
    }
    fn outputs(&self) -> MachineOut<Shape> {
        MachineOut { phase: Phase::shape(), result: vec![bits(24); 2] }
    }
    fn build(&self, m: &Builder, i: MachineIn<UInt>) -> MachineOut<UInt> {
        let phase = m.reg("phase_q", Phase::shape()).reset_to(Phase::Idle);
        let front = m.wires("fro__nt", Stream::of(bits(24)));
        let queue = Queue { width: 24, depth: 2 };
        let first = m.instance("first", &queue).connect(QueueIn { enq: i.words.clone(), deq: front.clone() });
        let back = m.wires("back", Stream::of(bits(24)));
        m.instance("sec__ond", &queue).connect(QueueIn { enq: front.clone(), deq: back.clone() });
        let store = m.memory("store", 8, 24).with_contents((0..5).map(|k| Bits::from_u64(24, 1000 + k)));
        let table = m.memory("ta__ble", 4, 24).with_contents((0..4).map(|k| Bits::from_u64(24, 77 * k)));
        let stored = store.read("stored", i.select);
        let looked_up = table.read_async("looked_up", i.select.truncate(2));
        let level = m.instance("level", &Level { width: 24 });
        back.ready.set(0);
        m.switch(phase, |s| {
            s.case(Phase::Idle, || m.when(back.valid, || phase.set(Phase::Load)).otherwise(|| {}));
            s.case(Phase::Load, || {
                back.ready.set(1);
                store.write_masked(i.select, back.data, i.select);
                phase.set(Phase::Work);
            });
            s.case(Phase::Work, || phase.set(Phase::Done));
            s.default(|| {
                phase.set(Phase::Idle);
                m.assert("done_in_order", front.data.ne(first.count.extend(24)));
            });
        });
        m.assume("small_select", i.select.ne(7) | i.words.valid);
        m.cover("full", first.count.eq(2));
        let leveled = level.connect(LevelIn { value: looked_up }).value;
        let delete = m.node("delete", stored ^ leveled);
        MachineOut { phase, result: vec![delete, m.constant(Bits::from_u64(24, 9)) ^ looked_up] }
    }
}

#[derive(Clone, Bundle)]
pub struct LevelIn<T> {
    pub value: T,
}

#[derive(Clone, Bundle)]
pub struct LevelOut<T> {
    pub value: T,
}

/// Without a clock, and with a signal that nothing uses.
#[module]
pub struct Level {
    pub width: u32,
}

impl Module for Level {
    type In = LevelIn<UInt>;
    type Out = LevelOut<UInt>;

    fn inputs(&self) -> LevelIn<Shape> {
        LevelIn { value: bits(self.width) }
    }
    fn outputs(&self) -> LevelOut<Shape> {
        LevelOut { value: bits(self.width) }
    }
    fn build(&self, m: &Builder, i: LevelIn<UInt>) -> LevelOut<UInt> {
        wire!(m, unused = i.value.wrapping_add(3));
        let _ = unused;
        let signed_view = m.node("signed_view", i.value.signed().unsigned());
        let fixed = m.wire("fixed", self.width);
        fixed.set(5);
        LevelOut { value: signed_view.wrapping_add(fixed) }
    }
}

#[derive(Clone, Bundle)]
pub struct WideIn<T> {
    pub data: T,
    pub narrow: T,
    pub write: T,
    pub addr: T,
}

#[derive(Clone, Bundle)]
pub struct WideOut<T> {
    pub data: Vec<T>,
}

/// Ports and memories of 1 to 200 bits.
#[module]
pub struct Wide;

const WIDTHS: [u32; 10] = [1, 8, 9, 16, 17, 32, 33, 64, 65, 200];

impl Module for Wide {
    type In = WideIn<UInt>;
    type Out = WideOut<UInt>;

    fn inputs(&self) -> WideIn<Shape> {
        WideIn { data: bits(200), narrow: bits(33), write: bit(), addr: bits(2) }
    }
    fn outputs(&self) -> WideOut<Shape> {
        WideOut { data: WIDTHS.iter().map(|w| bits(*w)).collect() }
    }
    fn build(&self, m: &Builder, i: WideIn<UInt>) -> WideOut<UInt> {
        let data = WIDTHS.iter().enumerate().map(|(k, width)| {
            let memory = m.memory(&format!("memory_{width}"), 4, *width);
            m.when(i.write, || memory.write(i.addr, i.data.slice(200 - width, *width)));
            let other = i.narrow.extend(200).truncate(*width);
            match k % 2 {
                0 => memory.read(&format!("later_{width}"), i.addr) ^ other,
                _ => memory.read_async(&format!("now_{width}"), i.addr) ^ other,
            }
        });
        WideOut { data: data.collect() }
    }
}

#[derive(Clone, Bundle)]
pub struct TwoClocksIn<T> {
    pub fast: T,
    pub slow: T,
}

#[derive(Clone, Bundle)]
pub struct TwoClocksOut<T> {
    pub fast: T,
    pub slow: T,
}

/// A register and a property for each of two clocks.
#[module]
pub struct TwoClocks;

impl Module for TwoClocks {
    type In = TwoClocksIn<UInt>;
    type Out = TwoClocksOut<UInt>;

    fn clocks(&self) -> Vec<&'static str> {
        vec!["fast_clk", "slow_clk"]
    }
    fn inputs(&self) -> TwoClocksIn<Shape> {
        TwoClocksIn { fast: bits(8), slow: bits(8).in_clock("slow_clk") }
    }
    fn outputs(&self) -> TwoClocksOut<Shape> {
        TwoClocksOut { fast: bits(8), slow: bits(8).in_clock("slow_clk") }
    }
    fn build(&self, m: &Builder, i: TwoClocksIn<UInt>) -> TwoClocksOut<UInt> {
        let fast = m.reg("fast_q", 8).reset_to(3);
        fast.set(fast.wrapping_add(i.fast));
        m.assert("fast_is_not_7", fast.slice(0, 3).ne(7));
        let mut slow = fast;
        m.clock("slow_clk", || {
            slow = m.reg("slow_q", 8).init(200);
            slow.set(slow ^ i.slow);
            m.assert("slow_is_not_5", slow.slice(0, 3).ne(5));
        });
        TwoClocksOut { fast, slow }
    }
}

#[derive(Clone, Bundle)]
pub struct RippleIn<T> {
    pub a: T,
    pub b: T,
}

#[derive(Clone, Bundle)]
pub struct RippleOut<T> {
    pub sum: T,
}

/// An adder whose carries are bits of one wire.
#[module]
pub struct Ripple {
    pub width: u32,
}

impl Module for Ripple {
    type In = RippleIn<UInt>;
    type Out = RippleOut<UInt>;

    fn inputs(&self) -> RippleIn<Shape> {
        RippleIn { a: bits(self.width), b: bits(self.width) }
    }
    fn outputs(&self) -> RippleOut<Shape> {
        RippleOut { sum: bits(self.width) }
    }
    fn build(&self, m: &Builder, i: RippleIn<UInt>) -> RippleOut<UInt> {
        let carry = m.wire("carry", self.width);
        carry.bit(0).set(0);
        for k in 1..self.width {
            let (a, b, c) = (i.a.bit(k - 1), i.b.bit(k - 1), carry.bit(k - 1));
            carry.bit(k).set((a & b) | (a & c) | (b & c));
        }
        RippleOut { sum: i.a ^ i.b ^ carry }
    }
}

#[derive(Clone, Bundle)]
pub struct RomOut<T> {
    pub now: T,
    pub later: T,
}

/// Two memories that nothing writes.
#[module]
pub struct Rom {
    pub first: u64,
}

impl Module for Rom {
    type In = Empty<UInt>;
    type Out = RomOut<UInt>;

    fn inputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn outputs(&self) -> RomOut<Shape> {
        RomOut { now: bits(16), later: bits(16) }
    }
    fn build(&self, m: &Builder, _: Empty<UInt>) -> RomOut<UInt> {
        let lookup = m.memory("lookup", 4, 16).with_contents([Bits::from_u64(16, self.first)]);
        let code = m.memory("code", 4, 16).with_contents([Bits::from_u64(16, self.first + 1)]);
        RomOut { now: lookup.read_async("word", 0), later: code.read("instruction", 0) }
    }
}
