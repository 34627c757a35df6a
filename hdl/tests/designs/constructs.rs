//! Constructs of the builder and of signals, a design for each group of them.

use ferrite_hdl::library::{Queue, QueueIn, Stream, one_hot, one_hot_mux, priority_encode, priority_grant};
use ferrite_hdl::prelude::*;

/// A module with its two bundles: `design!(Name in scope, (input: shape) -> (output: shape), |m, i| outputs)`.
macro_rules! design {
    (
        $(#[doc = $doc:literal])* $name:ident in $scope:ident $(, clocks $clocks:expr)?,
        ($($input:ident: $in_shape:expr),*) -> ($($output:ident: $out_shape:expr),*), |$m:ident, $i:ident| $body:expr
    ) => {
        pub mod $scope {
            use super::*;

            #[derive(Clone, Bundle)]
            pub struct In<T> {
                $(pub $input: T),*
            }
            #[derive(Clone, Bundle)]
            pub struct Out<T> {
                $(pub $output: T),*
            }

            $(#[doc = $doc])*
            #[module]
            pub struct $name;

            impl Module for $name {
                type In = In<UInt>;
                type Out = Out<UInt>;

                fn inputs(&self) -> In<Shape> {
                    In { $($input: $in_shape),* }
                }
                fn outputs(&self) -> Out<Shape> {
                    Out { $($output: $out_shape),* }
                }
                $(fn clocks(&self) -> Vec<&'static str> {
                    $clocks
                })?
                fn build(&self, $m: &Builder, $i: In<UInt>) -> Out<UInt> {
                    $body
                }
            }
        }
    };
}

design!(
    /// What a design says with unsigned signals besides arithmetic.
    Words in words,
    (a: bits(8), b: bits(8), n: bits(4), c: bit()) -> (
        compared: bits(6), minus: bits(9), mixed: bits(8), wider: bits(12), low: bits(3), top: bit(), mirrored: bits(8),
        copies: bits(4), wide_copies: bits(16), joined: bits(16), numbers: bits(8), multiple: bits(16),
        left: bits(8), right: bits(8), chosen: bits(8), picked: bit(), constant: bits(5), yes: bit()
    ),
    |m, i| Out {
        compared: concat([i.a.eq(i.b), i.a.ne(7), i.a.lt(i.b), i.a.le(200), i.a.gt(i.b), i.a.ge(3)]),
        minus: i.a - i.b,
        mixed: ((i.a | 0xf0) ^ !i.b).wrapping_add(i.a & i.b),
        wider: i.a.extend(12),
        low: i.a.truncate(3),
        top: i.b.msb(),
        mirrored: concat(i.a.to_bits()),
        copies: i.c.repeat(4),
        wide_copies: i.a.repeat(2),
        joined: i.a.concat(i.b),
        numbers: concat([Bits::from_u64(4, 9), Bits::from_u64(4, 3)]),
        multiple: i.a * 10,
        left: i.a << 3,
        right: i.b >> i.n,
        chosen: i.c.mux(i.a, 0),
        picked: i.a.bit_at(i.n),
        constant: m.constant(Bits::from_u64(5, 17)),
        yes: i.c & true
    }
);

design!(
    /// Signed arithmetic, extended by the sign, and shifts of signed and unsigned words by either.
    Signs in signs,
    (s: signed(8), t: signed(6), u: bits(8), n: bits(4)) -> (
        sum: signed(9), difference: signed(9), product: signed(14), negative: signed(9), cut: signed(5), wide: signed(12),
        compared: bits(5), scaled: signed(8), halved: signed(8), logical: bits(8), of_sum: signed(9),
        of_product: bits(7), biased: signed(9), as_bits: bits(8)
    ),
    |_m, i| {
        let (s, t) = (i.s.signed(), i.t.signed());
        Out {
            sum: (s + t).unsigned(),
            difference: (s - t).unsigned(),
            product: (s * t).unsigned(),
            negative: (-s).unsigned(),
            cut: (s + 3).truncate_signed(5).unsigned(),
            wide: t.extend(12).unsigned(),
            compared: concat([s.eq(t), s.lt(-5), s.le(t), s.gt(t), s.ge(100)]),
            scaled: (s >> i.n).unsigned(),
            halved: (s >> 1u32).unsigned(),
            logical: i.s >> i.n,
            of_sum: ((s + t) >> i.n).unsigned(),
            of_product: (s * t).truncate(7) << i.n,
            biased: (i.u.signed() - -128).unsigned(),
            as_bits: s.unsigned() ^ i.u,
        }
    }
);

design!(
    /// Words of 200 bits.
    WideWords in wide_words,
    (a: bits(200), b: bits(200), s: signed(200), n: bits(8)) -> (
        sum: bits(201), product: bits(200), less: bit(), shifted: bits(200), part: bits(64), masked: bits(200),
        signed_shift: signed(200), held: bits(200)
    ),
    |m, i| {
        let held = m.reg("held_q", 200).init(Bits::ones(200)).reset_to(Bits::from_u64(200, 1).shl(150));
        held.set(i.a);
        Out {
            sum: i.a + i.b,
            product: i.a.slice(0, 100) * i.b.slice(100, 100),
            less: i.a.lt(i.b),
            shifted: i.a << i.n,
            part: i.b.slice(130, 64),
            masked: i.a & Bits::ones(200).shl(72),
            signed_shift: (i.s.signed() >> i.n).unsigned(),
            held,
        }
    }
);

design!(
    /// A default for a word, then values for parts of it and for some conditions.
    Defaults in defaults,
    (a: bits(4), c: bit(), d: bit()) -> (flags: bits(8), fixed: bits(8), state: bits(8)),
    |m, i| {
        let flags = m.wire("flags", 8);
        flags.set(0x81);
        flags.slice(2, 4).set(i.a);
        m.when(i.c, || flags.bit(0).set(i.d)).otherwise_when(i.d, || flags.slice(4, 4).set(15)).otherwise(|| ());
        let fixed = m.wire("fixed", 8);
        fixed.set(0);
        fixed.slice(4, 2).set(3);
        reg!(m, state: 8);
        state.set(0);
        state.slice(0, 4).set(i.a);
        Out { flags, fixed, state }
    }
);

/// Codes that are chosen by hand.
#[derive(Clone, Copy, Encoding)]
#[encoding(width = 4)]
pub enum Opcode {
    Load = 1,
    Store = 2,
    AddImmediate = 9,
    Stop = 15,
}

/// A code with one bit per state.
#[derive(Clone, Copy, Encoding)]
#[encoding(one_hot)]
pub enum Phase {
    Fetch,
    Decode,
    Execute,
}

design!(
    /// Enums in registers, comparisons, multiplexers and switches.
    Encodings in encodings,
    (op: Opcode::shape(), go: bit()) -> (phase: Phase::shape(), writes: bit(), last: Opcode::shape(), stops: bit()),
    |m, i| {
        let phase = m.reg("phase", Phase::shape()).reset_to(Phase::Fetch);
        let writes = m.wire("writes", 1);
        let last = m.reg("last", Opcode::shape()).init(Opcode::Stop);
        m.switch(phase, |s| {
            s.case(Phase::Fetch, || {
                m.when(i.go, || phase.set(Phase::Decode));
            });
            s.case(Phase::Decode, || phase.set(Phase::Execute));
            s.default(|| phase.set(Phase::Fetch));
        });
        m.switch(i.op, |s| {
            s.cases([Opcode::Load, Opcode::AddImmediate], || writes.set(1));
            s.case(Opcode::Store, || {
                writes.set(0);
                last.set(i.op);
            });
            s.default(|| writes.set(phase.is(Phase::Execute)));
        });
        Out { phase, writes, last, stops: i.go.mux(Opcode::Stop, i.op).is(Opcode::Stop) }
    }
);

design!(
    /// A table in the Verilog, the lower half of a larger one, and one that is read from a file.
    Tables in tables,
    (a: bits(3), b: bits(4), c: bits(7)) -> (square: bits(6), half: bits(8), sine: bits(12)),
    |m, i| {
        let squares = m.memory("squares", 8, 6).with_contents((0..8).map(|k| Bits::from_u64(6, k * k % 64)));
        let halves = m.memory("halves", 16, 8).with_contents_from_hex("11 22 // two words\n@6 3_3");
        let sines = m.memory("sines", 128, 12).with_contents((0..100).map(|k| Bits::from_u64(12, k * 41 % 4096)));
        Out {
            square: squares.read_async("square_word", i.a),
            half: halves.read("half_word", i.b),
            sine: sines.read("sine_word", i.c),
        }
    }
);

design!(
    /// A memory written in two ways and read in two ways.
    Ports in ports,
    (read: bit(), write: bit(), fill: bit(), addr: bits(5), other: bits(5), data: bits(24), lanes: bits(3)) ->
        (word: bits(24), now: bits(24), bit_words: bits(4)),
    |m, i| {
        let words = m.memory("words", 32, 24);
        let flags = m.memory("flags", 4, 4);
        m.when(i.write, || words.write_masked(i.addr, i.data, i.lanes))
            .otherwise_when(i.fill, || words.write(i.other, 0xffffff));
        flags.write_masked(i.other.slice(0, 2), i.data.slice(0, 4), i.data.slice(4, 4));
        let mut word = i.data;
        m.when(i.read, || word = words.read("word_q", i.addr));
        let at = i.addr.wrapping_add(i.other).truncate(flags.addr_width());
        Out { word, now: words.read_async("other_word", i.other), bit_words: flags.read("bit_words_q", at) }
    }
);

design!(
    /// A memory between two clocks, each with a reset, and a flag that crosses from one to the other.
    TwoClocks in two_clocks, clocks vec!["wr_clk", "rd_clk"],
    (write: bit(), data: bits(8), rd_addr: bits(4).in_clock("rd_clk")) -> (word: bits(8), written: bits(4), seen: bits(4)),
    |m, i| {
        let words = m.memory("words", 16, 8);
        let written = m.reg("written", 4).reset_to(0);
        let toggle = m.reg("toggle", 1).reset_to(0);
        m.when(i.write, || {
            words.write(written, i.data);
            written.set(written.wrapping_add(1));
            toggle.set(!toggle);
        });
        m.assert("written_is_small", written.lt(15));
        let (mut word, mut seen) = (i.data, i.data);
        m.clock("rd_clk", || {
            word = words.read("word_q", i.rd_addr);
            let first = m.synchroniser_reg("toggle_seen", 1);
            first.set(toggle);
            let before = m.delay("toggle_before", first);
            seen = m.reg("seen", 4).reset_to(0);
            m.when(first ^ before, || seen.set(seen.wrapping_add(1)));
            m.cover("saw_three", seen.eq(3));
        });
        Out { word, written, seen }
    }
);

design!(
    /// Properties with and without conditions around them.
    Properties in properties,
    (a: bits(8), b: bits(8), valid: bit()) -> (q: bits(8)),
    |m, i| {
        let last = m.delay("last", i.a);
        m.assume("inputs_differ", i.a.ne(i.b));
        m.when(i.valid, || {
            m.assert("product_is_small", (i.a * i.b).slice(8, 8).lt(100));
            m.cover("sum_wraps", (i.a + i.b).msb());
        });
        m.cover("equal_again", last.eq(i.a));
        Out { q: last }
    }
);

design!(
    /// Loops that do not run, branches without statements, switches without cases.
    NothingToDo in nothing_to_do,
    (a: bits(8), c: bit()) -> (q: bits(8)),
    |m, i| {
        m.when(i.c, || ());
        m.switch(i.a, |_| ());
        m.switch(i.c, |s| {
            s.case(0, || ());
            s.default(|| ());
        });
        let none: Vec<UInt> = Vec::new();
        let q = none.iter().fold(i.a, |sum, tap| sum.wrapping_add(*tap));
        m.regs("none", Vec::<Shape>::new());
        Out { q: q ^ 0 }
    }
);

design!(
    /// Expressions that take several lines.
    LongLines in long_lines,
    (word: bits(64), select: bits(4), other: bits(8)) -> (any_pair: bit(), chosen: bits(8), summed: bits(8)),
    |m, i| {
        let pairs = (1..24).map(|k| i.word.bit(k) & i.word.bit(63 - k));
        let chosen = (0..12u64).fold(i.other, |rest, k| i.select.eq(k).mux(i.other.wrapping_add(k), rest));
        let summed = m.wire("summed", 8);
        summed.set(0);
        let all_set = (0..12).fold(i.word.bit(0), |all, k| all & i.word.slice(5 * k, 5).ne(31));
        m.when(all_set, || summed.set((0..8).fold(i.other, |sum, k| sum.wrapping_add(i.word.slice(8 * k, 8)))));
        Out { any_pair: pairs.fold(i.word.bit(0), |any, pair| any | pair), chosen, summed }
    }
);

design!(
    /// The library's functions.
    Choices in choices,
    (requests: bits(6), index: bits(3), select: bits(3), a: bits(8), b: bits(8), c: bits(8)) ->
        (granted: bits(6), first: bits(3), hot: bits(6), item: bits(8)),
    |_m, i| Out {
        granted: priority_grant(i.requests),
        first: priority_encode(i.requests),
        hot: one_hot(i.index, 6),
        item: one_hot_mux(i.select, &[i.a, i.b, i.c])
    }
);

/// A pixel.
#[derive(Clone, Bundle)]
pub struct Pixel<T> {
    /// Red.
    pub red: T,
    /// Green.
    pub green: T,
}

/// Ports in both directions, nested, repeated, perhaps absent.
#[derive(Clone, Bundle)]
pub struct NestIn<T> {
    /// A pair of pixels.
    pub pixels: [Pixel<T>; 2],
    /// Streams that go in.
    pub streams: Vec<Stream<T>>,
    /// Present in some configurations only.
    pub bias: Option<T>,
    /// The stream that comes out.
    #[flip]
    pub merged: Stream<T>,
}

/// What is known of the pixels.
#[derive(Clone, Bundle)]
pub struct NestOut<T> {
    /// The brighter pixel, a cycle later.
    pub brighter: Pixel<T>,
    /// Words in each queue.
    pub counts: Vec<T>,
}

/// Bundles within bundles, arrays and vectors of bundles, ports against the direction of their bundle.
#[module]
pub struct Nest {
    pub streams: usize,
    pub biased: bool,
}

fn pixel() -> Pixel<Shape> {
    Pixel { red: bits(5), green: bits(6) }
}

impl Module for Nest {
    type In = NestIn<UInt>;
    type Out = NestOut<UInt>;

    fn inputs(&self) -> NestIn<Shape> {
        NestIn {
            pixels: [pixel(), pixel()],
            streams: vec![Stream::of(bits(8)); self.streams],
            bias: self.biased.then(|| bits(5)),
            merged: Stream::of(bits(8)),
        }
    }
    fn outputs(&self) -> NestOut<Shape> {
        NestOut { brighter: pixel(), counts: vec![bits(3); self.streams] }
    }
    fn build(&self, m: &Builder, i: NestIn<UInt>) -> NestOut<UInt> {
        let [left, right] = i.pixels;
        let chosen = m.wires("chosen", pixel());
        m.connect(chosen.clone(), left.clone());
        m.when(right.red.gt(left.red), || m.connect(chosen.clone(), right));
        let brighter = m.regs("brighter", pixel());
        let red = i.bias.map_or(chosen.red, |bias| chosen.red.wrapping_add(bias));
        m.connect(brighter.clone(), Pixel { red, ..chosen });

        // A queue for every stream; the first that has a word gives it.
        let queues: Vec<_> = (0..self.streams)
            .map(|k| m.instance(&format!("queue_{k}"), &Queue { width: 8, depth: 4 }))
            .collect();
        let mut others_are_empty = m.constant(Bits::from_bool(true));
        let merged = i.merged;
        merged.valid.set(0);
        merged.data.set(0);
        let mut counts = Vec::new();
        for (stream, queue) in i.streams.into_iter().zip(queues) {
            let QueueIn { enq, deq } = queue.i;
            m.connect(enq, stream);
            deq.ready.set(merged.ready & others_are_empty);
            m.when(deq.valid & others_are_empty, || {
                merged.valid.set(1);
                merged.data.set(deq.data);
            });
            others_are_empty = others_are_empty & !deq.valid;
            counts.push(queue.o.count);
        }
        NestOut { brighter, counts }
    }
}

design!(
    /// An instance whose inputs are set under conditions, beside a signal that has the name of such an input.
    SharedQueue in shared_queue,
    (a: bits(8), b: bits(8), urgent: bit()) -> (count: bits(3)),
    |m, i| {
        let queue = m.instance("queue", &Queue { width: 8, depth: 4 });
        wire!(m, queue_enq_data = i.a ^ i.b);
        queue.i.enq.valid.set(1);
        queue.i.enq.data.set(queue_enq_data);
        m.when(i.urgent, || queue.i.enq.data.set(i.b));
        queue.i.deq.ready.set(queue.i.deq.valid);
        Out { count: queue.o.count }
    }
);
