//! Flat netlists, run by the shortest possible engine.

use std::collections::HashMap;

use super::*;
use crate::eval::eval;
use crate::prelude::*;

/// Values of a flat netlist; every node is computed anew after every change.
struct Machine {
    flat: Flat,
    values: Vec<Bits>,
    words: Vec<Vec<Bits>>,
}

impl Machine {
    fn new<M: Module>(module: &M) -> Machine {
        let flat = elaborate(module).expect("a design without mistakes").flat;
        let values = flat.nodes.iter().map(|n| Bits::zero(n.width)).collect();
        let words = flat.memories.iter().map(|m| {
            let rest = std::iter::repeat_n(Bits::zero(m.width), m.depth as usize - m.init.len());
            m.init.iter().cloned().chain(rest).collect()
        });
        let mut machine = Machine { values, words: words.collect(), flat };
        for reg in &machine.flat.regs {
            machine.values[reg.state as usize] = reg.init.clone();
        }
        machine.settle();
        machine
    }

    fn value(&self, node: Index) -> &Bits {
        &self.values[node as usize]
    }

    fn holds(&self, enable: Option<Index>) -> bool {
        enable.is_none_or(|e| self.value(e).is_nonzero())
    }

    fn word(&self, memory: usize, addr: Index) -> Bits {
        self.words[memory][self.value(addr).low_u64() as usize].clone()
    }

    fn settle(&mut self) {
        for (n, node) in self.flat.nodes.iter().enumerate() {
            let value = match &node.op {
                FlatOp::Input | FlatOp::State => continue,
                FlatOp::MemoryRead { memory, addr } => self.word(*memory, *addr),
                FlatOp::Compute(op) => eval(op, node.width, node.signed, |m: Index| {
                    (self.value(m), self.flat.nodes[m as usize].signed)
                }),
            };
            assert_eq!(value.width(), node.width, "{node:?}");
            self.values[n] = value;
        }
    }

    /// An edge of all clocks.
    fn step(&mut self) {
        let mut states: HashMap<Index, Bits> = HashMap::new();
        for reg in &self.flat.regs {
            let reset = reg.reset.as_ref().filter(|r| self.value(r.0).is_nonzero());
            states.insert(reg.state, reset.map_or_else(|| self.value(reg.next).clone(), |r| r.1.clone()));
        }
        let mut written = self.words.clone();
        for (m, memory) in self.flat.memories.iter().enumerate() {
            for read in memory.reads.iter().filter(|r| self.holds(r.enable)) {
                states.insert(read.state, self.word(m, read.addr));
            }
            for write in memory.writes.iter().filter(|w| self.holds(w.enable)) {
                let (data, mask) = (self.value(write.data), write.mask.map(|m| self.value(m)));
                let word = &mut written[m][self.value(write.addr).low_u64() as usize];
                let lanes = mask.map_or(1, |m| m.width());
                let lane = memory.width / lanes;
                for k in (0..lanes).filter(|k| mask.is_none_or(|m| m.bit(*k))) {
                    *word = word.with_slice(k * lane, &data.slice(k * lane, lane));
                }
            }
        }
        self.words = written;
        states.into_iter().for_each(|(n, value)| self.values[n as usize] = value);
        self.settle();
    }

    fn poke(&mut self, name: &str, value: u64) {
        let port = self.flat.inputs.iter().find(|p| p.name == name).expect("an input of that name");
        self.values[port.node as usize] = Bits::from_u64(port.shape.width, value);
        self.settle();
    }

    fn peek(&self, name: &str) -> u64 {
        let port = self.flat.outputs.iter().find(|p| p.name == name).expect("an output of that name");
        self.value(port.node).low_u64()
    }
}

#[derive(Clone, Bundle)]
struct In<T> {
    a: T,
    b: T,
    c: T,
}

#[derive(Clone, Bundle)]
struct Out<T> {
    q: T,
}

/// A module `$name` with inputs `a`, `b` (8 bits), `c` (1 bit) and output `q` (8 bits).
macro_rules! design {
    ($name:ident, |$m:ident, $i:ident| $body:block) => {
        #[module]
        struct $name;

        impl Module for $name {
            type In = In<UInt>;
            type Out = Out<UInt>;

            fn inputs(&self) -> In<Shape> {
                In { a: bits(8), b: bits(8), c: bit() }
            }
            fn outputs(&self) -> Out<Shape> {
                Out { q: bits(8) }
            }
            fn build(&self, $m: &Builder, $i: In<UInt>) -> Out<UInt> {
                Out { q: $body }
            }
        }
    };
}

design!(Counter, |m, i| {
    let count = m.reg("count", 8).reset_to(5);
    m.when(i.c, || count.set(count.wrapping_add(i.a)));
    count
});

#[test]
fn a_counter_counts_where_enabled_and_goes_back_on_reset() {
    let mut counter = Machine::new(&Counter);
    let mut shown = Vec::new();
    for (enable, reset, by) in [(1, 0, 1), (1, 0, 2), (0, 0, 9), (1, 0, 250), (1, 1, 1), (0, 0, 1)] {
        shown.push(counter.peek("q"));
        counter.poke("a", by);
        counter.poke("c", enable);
        counter.poke("rst", reset);
        counter.step();
    }
    assert_eq!(shown, [5, 6, 8, 8, 2, 5]);
}

design!(Priorities, |m, i| {
    let r = m.reg("r", 8).init(0xF0);
    m.when(i.a.bit(0), || r.slice(0, 4).set(i.b.slice(0, 4)))
        .otherwise_when(i.a.bit(1), || {
            r.set(i.b);
            m.when(i.c, || r.slice(2, 4).set(0b1001));
        })
        .otherwise(|| r.slice(7, 1).set(i.c));
    r
});

#[test]
fn bits_that_a_branch_does_not_set_keep_their_value() {
    let mut priorities = Machine::new(&Priorities);
    let mut model = 0xF0u64;
    for k in 0..64u64 {
        let (a, b, c) = (k % 4, k * 37 % 256, k / 4 % 2);
        model = match a {
            1 | 3 => model & 0xF0 | b & 0xF,
            2 if c == 1 => b & 0b1100_0011 | 0b10_0100,
            2 => b,
            _ => model & 0x7F | c << 7,
        };
        for (name, value) in [("a", a), ("b", b), ("c", c)] {
            priorities.poke(name, value);
        }
        priorities.step();
        assert_eq!(priorities.peek("q"), model, "a = {a}, b = {b}, c = {c}");
    }
}

design!(Chooser, |m, i| {
    let chosen = m.wire("chosen", 8);
    m.switch(i.a.slice(0, 2), |s| {
        s.case(2, || chosen.set(i.b));
        s.cases([0, 3], || chosen.set(7));
        s.case(1, || chosen.set(!i.b));
    });
    chosen
});

#[test]
fn a_switch_over_all_codes_needs_no_default() {
    let mut chooser = Machine::new(&Chooser);
    chooser.poke("b", 0x3C);
    for (code, expected) in [(0, 7), (1, 0xC3), (2, 0x3C), (3, 7)] {
        chooser.poke("a", code);
        assert_eq!(chooser.peek("q"), expected, "code {code}");
    }
}

design!(Words, |m, i| {
    let words = m.memory("words", 4, 8).with_contents([Bits::from_u64(8, 0xAB)]);
    let addr = i.a.slice(0, 2);
    let read = words.read("read", addr);
    m.when(i.c, || words.write_masked(addr, i.b, i.a.slice(6, 2)));
    read
});

#[test]
fn a_read_at_the_edge_of_a_write_gives_the_old_word() {
    let mut words = Machine::new(&Words);
    words.step();
    assert_eq!(words.peek("q"), 0xAB, "initial contents");
    words.poke("a", 0x80);
    words.poke("b", 0x12);
    words.poke("c", 1);
    words.step();
    assert_eq!(words.peek("q"), 0xAB, "the old word");
    words.poke("c", 0);
    words.step();
    assert_eq!(words.peek("q"), 0x1B, "only the upper lane is written");
}

design!(Checked, |m, i| {
    m.assert("at_every_edge", i.c);
    m.when(i.c, || m.assert("first", i.c)).otherwise(|| {
        m.switch(i.a.slice(0, 1), |s| {
            s.case(0, || m.cover("even", i.c));
            s.case(1, || m.assume("odd", i.c));
        });
    });
    i.a
});

#[test]
fn a_property_is_looked_at_under_the_conditions_around_it() {
    let mut checked = Machine::new(&Checked);
    let cases: [(u64, u64, &[&str]); 4] = [
        (0, 0, &["at_every_edge", "even"]),
        (0, 1, &["at_every_edge", "odd"]),
        (1, 0, &["at_every_edge", "first"]),
        (1, 1, &["at_every_edge", "first"]),
    ];
    for (c, a, expected) in cases {
        checked.poke("c", c);
        checked.poke("a", a);
        let enabled = checked.flat.checks.iter().filter(|check| checked.holds(check.enable));
        assert_eq!(enabled.map(|check| check.path.as_str()).collect::<Vec<_>>(), expected);
    }
}

design!(Refined, |m, i| {
    let w = m.wire("w", 8);
    w.set(i.a);
    w.slice(2, 4).set(i.b.slice(0, 4));
    m.when(i.c, || {
        w.set(0x81);
        w.bit(1).set(1);
    });
    w
});

#[test]
fn a_default_of_which_some_bits_are_set_again_keeps_the_others() {
    let mut refined = Machine::new(&Refined);
    refined.poke("a", 0xff);
    refined.poke("b", 0b0101);
    assert_eq!(refined.peek("q"), 0b1101_0111);
    refined.poke("c", 1);
    assert_eq!(refined.peek("q"), 0x83);
}

design!(SparseSwitch, |m, i| {
    let r = m.reg("r", 8).init(7);
    m.switch(i.a, |s| {
        s.case(1, || r.set(i.b.extend(8)));
        s.cases([2, 3], || ());
        s.case(4, || r.set(0));
    });
    r
});

#[test]
fn a_register_that_only_some_cases_set_is_kept_in_the_others() {
    let mut sparse = Machine::new(&SparseSwitch);
    sparse.poke("b", 5);
    for (a, expected) in [(0, 7), (2, 7), (1, 5), (3, 5), (4, 0), (5, 0)] {
        sparse.poke("a", a);
        sparse.step();
        assert_eq!(sparse.peek("q"), expected, "a = {a}");
    }
    let muxes = sparse.flat.nodes.iter().filter(|n| matches!(n.op, FlatOp::Compute(Op::Mux(..)))).count();
    assert_eq!(muxes, 2, "one for each case that sets it");
}

design!(FromGray, |m, i| {
    let binary = m.wire("binary", 8);
    binary.set(i.a ^ (binary >> 1));
    binary
});

design!(Carries, |m, i| {
    // Each carry is bit k of a sum of which only lower bits matter.
    let carry = m.wire("carry", 9);
    carry.bit(0).set(i.c);
    for k in 0..8 {
        let low = carry.truncate(8).wrapping_add(0).slice(k, 1);
        carry.slice(k + 1, 1).set((i.a.bit(k) & i.b.bit(k)) | (low & (i.a.bit(k) ^ i.b.bit(k))));
    }
    i.a ^ i.b ^ carry.truncate(8)
});

#[test]
fn words_whose_bits_feed_each_other_in_order_compute() {
    let mut gray = Machine::new(&FromGray);
    let mut carries = Machine::new(&Carries);
    carries.poke("c", 1);
    for value in 0..256u64 {
        gray.poke("a", value ^ value >> 1);
        assert_eq!(gray.peek("q"), value);
        carries.poke("a", value);
        carries.poke("b", value * 7 % 256);
        assert_eq!(carries.peek("q"), (value + value * 7 + 1) % 256);
    }
}

design!(SignedInParts, |m, i| {
    let narrow = m.wire("narrow", signed(4));
    narrow.slice(0, 2).set(i.a.slice(0, 2));
    narrow.slice(2, 2).set(i.a.slice(2, 2));
    narrow.signed().extend(8).unsigned()
});

#[test]
fn a_signed_wire_set_in_parts_keeps_its_sign() {
    let mut parts = Machine::new(&SignedInParts);
    for (value, expected) in [(7, 7), (8, 0xF8), (15, 0xFF)] {
        parts.poke("a", value);
        assert_eq!(parts.peek("q"), expected);
    }
}

/// The message and the lines of all mistakes, counted from the line of the first label.
fn mistakes<M: Module>(module: &M) -> Vec<(String, Vec<i64>)> {
    let found = elaborate(module).expect_err("mistakes");
    let shown = |d: &Diagnostic| {
        let first = d.labels[0].0.line() as i64;
        (d.message.clone(), d.labels.iter().map(|l| l.0.line() as i64 - first).collect())
    };
    found.iter().map(shown).collect()
}

design!(Increment, |_m, i| { i.a.wrapping_add(1) });

design!(LoopsThroughInstances, |m, i| {
    let mut outs = Vec::new();
    for k in 0..3 {
        let feedback = m.wire(&format!("feedback_{k}"), 8);
        let inputs = In { a: feedback, b: i.b, c: i.c };
        let inc = m.instance(&format!("inc_{k}"), &Increment).connect(inputs);
        feedback.set(inc.q & i.a);
        outs.push(inc.q);
    }
    outs[0] ^ outs[1] ^ outs[2]
});

#[test]
fn a_loop_through_an_instance_is_shown_where_it_is_wired_and_once_for_all_instances() {
    let found = mistakes(&LoopsThroughInstances);
    let chain = "combinational loop: feedback_0 -> inc_0.a -> inc_0.q -> feedback_0".to_string();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, chain);
    // `inc_0.a` is wired one line above the line on which `feedback_0` is set.
    assert_eq!(found[0].1[..2], [0, -1]);
}

design!(TwoLoops, |m, i| {
    let x = m.wire("x", 8);
    let low = m.wire("low", 4);
    let high = m.wire("high", 4);
    low.set(!x.slice(0, 4));
    high.set(!x.slice(4, 4));
    x.set(concat([high, low]) & i.a);
    x
});

#[test]
fn loops_through_different_bits_of_a_word_are_told_apart() {
    let messages: Vec<String> = mistakes(&TwoLoops).into_iter().map(|m| m.0).collect();
    let chain = |name: &str| format!("combinational loop: x -> {name} -> x");
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(messages.contains(&chain("low")) && messages.contains(&chain("high")), "{messages:?}");
}

/// Adds clocks to a design.
macro_rules! two_clocks {
    ($name:ident, |$m:ident, $i:ident| $body:block) => {
        #[module]
        struct $name;

        impl Module for $name {
            type In = In<UInt>;
            type Out = Out<UInt>;

            fn clocks(&self) -> Vec<&'static str> {
                vec!["clk", "slow_clk"]
            }
            fn inputs(&self) -> In<Shape> {
                In { a: bits(8), b: bits(8).in_clock("slow_clk"), c: bit() }
            }
            fn outputs(&self) -> Out<Shape> {
                Out { q: bits(8) }
            }
            fn build(&self, $m: &Builder, $i: In<UInt>) -> Out<UInt> {
                Out { q: $body }
            }
        }
    };
}

two_clocks!(InputCrossing, |m, i| { m.delay("here", i.a & i.b) });

two_clocks!(MemoryCrossing, |m, i| {
    let words = m.memory("words", 4, 8);
    words.write(i.b.slice(0, 2), i.a);
    words.read_async("front", 0)
});

two_clocks!(AsyncReadCrossing, |m, i| {
    let words = m.memory("words", 4, 8);
    m.when(i.c, || words.write(0, i.a));
    let mut front = i.a;
    m.clock("slow_clk", || front = words.read_async("front", 0));
    m.delay("taken", front)
});

two_clocks!(AsyncReadInOneClock, |m, i| {
    let words = m.memory("words", 4, 8);
    m.when(i.c, || words.write(0, i.a));
    let mut taken = i.a;
    m.clock("slow_clk", || taken = m.delay("taken", words.read_async("front", i.b.slice(0, 2))));
    taken
});

#[test]
fn inputs_and_memory_ports_belong_to_their_clocks() {
    let cases = [
        (mistakes(&InputCrossing), "`b` of clock `slow_clk` reaches `here` of clock `clk`"),
        (mistakes(&MemoryCrossing), "`b` of clock `slow_clk` reaches memory `words` of clock `clk`"),
        (mistakes(&AsyncReadCrossing), "`front` of clock `slow_clk` reaches `taken` of clock `clk`"),
    ];
    for (found, expected) in cases {
        let messages: Vec<String> = found.into_iter().map(|m| m.0).collect();
        assert_eq!(messages, [format!("{expected} without a synchroniser")]);
    }
    elaborate(&AsyncReadInOneClock).expect("the memory stands between the clocks");
}
