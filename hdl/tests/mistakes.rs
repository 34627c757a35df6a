//! One test per kind of mistake; the snapshot is what the user sees.

#[macro_use]
mod mistaken;

use ferrite_hdl::library::{Queue, Synchroniser, SynchroniserIn};
use ferrite_hdl::prelude::*;
use mistaken::Out;

mistake!(operands_of_different_widths, |_m, i| { i.a & i.b });

mistake!(a_value_as_wide_as_its_target, |m, i| {
    let w = m.wire("w", 8);
    w.set(i.a + i.b);
    w
});

mistake!(an_output_as_wide_as_declared, |_m, i| { i.b });

mistake!(a_number_too_wide_for_its_place, |_m, i| { i.a.wrapping_add(256) });

mistake!(a_negative_number_beside_an_unsigned_signal, |_m, i| { i.a ^ -1 });

mistake!(a_slice_out_of_range, |_m, i| { i.a.slice(4, 5).extend(8) });

mistake!(a_condition_of_several_bits, |m, i| {
    let r = m.reg("r", 8);
    m.when(i.b, || r.set(i.a));
    r
});

mistake!(a_wire_set_twice, |m, i| {
    let w = m.wire("w", 8);
    w.set(i.a);
    w.set(0);
    w
});

mistake!(a_conditional_value_that_a_later_one_makes_useless, |m, i| {
    let w = m.wire("w", 8);
    m.when(i.c, || w.set(i.a));
    w.set(1);
    w
});

mistake!(a_wire_never_set, |m, _i| { m.wire("w", 8) });

mistake!(a_wire_not_set_on_every_path, |m, i| {
    let w = m.wire("w", 8);
    m.when(i.c, || w.set(i.a));
    w
});

mistake!(a_wire_of_which_some_bits_are_not_set, |m, i| {
    let w = m.wire("w", 8);
    w.slice(0, 4).set(i.b);
    w
});

mistake!(an_input_that_is_set, |_m, i| {
    i.a.set(3);
    i.a
});

mistake!(a_combinational_loop, |m, i| {
    let ping = m.wire("ping", 8);
    let pong = m.wire("pong", 8);
    ping.set(pong.wrapping_add(1));
    pong.set(ping ^ i.a);
    pong
});

mistake!(a_name_used_twice, |m, i| {
    let x = m.delay("x", i.a);
    let _again = m.delay("x", x);
    x
});

mistake!(a_name_that_is_a_keyword, |m, i| { m.delay("always", i.a) });

mistake!(a_name_that_is_no_identifier, |m, i| { m.delay("my reg", i.a) });

mistake!(a_port_of_an_instance_left_open, |m, i| {
    let queue = m.instance("queue", &Queue { width: 8, depth: 4 });
    queue.i.enq.data.set(i.a);
    queue.i.enq.valid.set(i.c);
    queue.i.deq.data
});

mistake!(an_instance_never_connected, |m, i| {
    let _forgotten = m.instance("sync", &Synchroniser { width: 8, stages: 2 });
    i.a
});

mistake!(an_address_too_narrow, |m, i| {
    let codes = m.memory("codes", 256, 8);
    codes.read("word", i.b)
});

mistake!(a_memory_whose_depth_is_no_power_of_two, |m, i| {
    let codes = m.memory("codes", 100, 8);
    codes.read("word", i.a.truncate(7))
});

mistake!(more_contents_than_words, |m, i| {
    let codes = m.memory("codes", 4, 8).with_contents((0..5).map(|k| Bits::from_u64(8, k)));
    codes.read("word", i.a.truncate(2))
});

mistake!(a_contents_file_that_does_not_exist, |m, i| {
    let codes = m.memory("codes", 4, 8).with_contents_from_hex_file("no/such/file.hex");
    codes.read("word", i.a.truncate(2))
});

mistake!(a_width_of_zero, |m, i| {
    let _nothing = m.reg("nothing", 0);
    i.a
});

mistake!(a_case_that_stands_twice, |m, i| {
    let r = m.reg("r", 8);
    m.switch(i.b, |s| {
        s.case(1, || r.set(i.a));
        s.case(1, || r.set(0));
    });
    r
});

mistake!(a_default_of_which_every_bit_is_set_again, |m, i| {
    let w = m.wire("w", 8);
    w.set(0);
    w.slice(0, 4).set(i.b);
    w.slice(4, 4).set(i.b);
    w
});

mistake!(parts_that_overlap, |m, i| {
    let w = m.wire("w", 8);
    w.slice(0, 5).set(i.a.slice(0, 5));
    w.slice(4, 4).set(i.b);
    w
});

mistake!(an_instance_input_set_to_another_width, |m, i| {
    let sync = m.instance("sync", &Synchroniser { width: 8, stages: 2 });
    sync.connect(SynchroniserIn { data: i.b }).data
});

mistake!(extensions_that_cut_and_cuts_that_extend, |_m, i| {
    i.a.extend(4) ^ i.b.truncate(8) ^ i.a.truncate(0).extend(8) ^ i.b.signed().extend(2).unsigned().extend(8)
});

mistake!(a_choice_between_two_plain_numbers, |_m, i| { i.c.mux(3, 4).extend(8) });

mistake!(a_number_without_width_in_a_concatenation, |_m, i| { i.b.concat(3).concat(i.b) });

mistake!(a_start_value_for_a_wire, |m, i| {
    let w = m.wire("w", 8).init(3);
    w.set(i.a);
    w
});

mistake!(a_start_value_that_is_no_constant, |m, i| {
    let r = m.reg("r", 8).reset_to(i.a);
    r.set(i.a);
    r
});

mistake!(an_expression_that_is_set, |_m, i| {
    (i.a & 3).set(1);
    i.a
});

mistake!(data_of_another_width_than_the_memory, |m, i| {
    let words = m.memory("words", 16, 8);
    words.write(i.b, i.b);
    words.write_masked(i.b, i.a, i.a.slice(0, 3));
    words.read("word", i.b)
});

mistake!(a_word_of_another_width_in_the_contents, |m, i| {
    let words = m.memory("words", 16, 8).with_contents([Bits::zero(8), Bits::zero(7)]);
    words.read("word", i.b)
});

mistake!(contents_that_are_not_hexadecimal, |m, i| {
    let words = m.memory("words", 16, 8).with_contents_from_hex("1f 2e\n3d zebra");
    words.read("word", i.b)
});

mistake!(a_clock_that_the_module_has_not, |m, i| {
    let r = m.reg("r", 8);
    m.clock("fast_clk", || r.set(i.a));
    r
});

mistake!(an_instance_whose_clock_is_missing, |m, i| {
    let fifo = m.instance("fifo", &ferrite_hdl::library::AsyncFifo { width: 8, depth: 4 });
    fifo.i.enq.valid.set(i.c);
    fifo.i.enq.data.set(i.a);
    fifo.i.deq.ready.set(i.c);
    fifo.i.deq.data
});

mistake!(an_otherwise_far_from_its_when, |m, i| {
    let r = m.reg("r", 8);
    let when = m.when(i.c, || r.set(i.a));
    m.delay("other", i.a);
    when.otherwise(|| r.set(0));
    r
});

mistake!(a_case_that_is_no_constant, |m, i| {
    let r = m.reg("r", 8);
    m.switch(i.b, |s| s.case(i.b, || r.set(i.a)));
    r
});

mistake!(a_statement_between_the_cases, |m, i| {
    let r = m.reg("r", 8);
    m.switch(i.b, |s| {
        s.case(1, || r.set(i.a));
        r.set(0);
        s.case(2, || r.set(1));
    });
    r
});

mistake!(two_defaults_of_a_switch, |m, i| {
    let r = m.reg("r", 8);
    m.switch(i.b, |s| {
        s.default(|| r.set(i.a));
        s.default(|| r.set(0));
    });
    r
});

#[derive(Clone, Copy, Encoding)]
enum Fruit {
    Apple,
    Pear,
}

#[derive(Clone, Copy, Encoding)]
enum Colour {
    Red,
    Green,
}

mistake!(values_of_two_enums, |m, i| {
    let fruit = m.reg("fruit", Fruit::shape()).reset_to(Fruit::Apple);
    m.when(i.c, || fruit.set(Colour::Green));
    m.switch(fruit, |s| s.case(Fruit::Pear, || fruit.set(Fruit::Apple)));
    fruit.is(Colour::Red).extend(8)
});

/// A stream whose `ready` nobody sets, and which reads it.
#[module]
struct Forgetful;

#[derive(Clone, Bundle)]
struct ForgetfulIn<T> {
    enq: ferrite_hdl::library::Stream<T>,
}

impl Module for Forgetful {
    type In = ForgetfulIn<UInt>;
    type Out = Out<UInt>;

    fn inputs(&self) -> ForgetfulIn<Shape> {
        ForgetfulIn { enq: ferrite_hdl::library::Stream::of(bits(8)) }
    }
    fn outputs(&self) -> Out<Shape> {
        Out { q: bits(8) }
    }
    fn build(&self, m: &Builder, i: ForgetfulIn<UInt>) -> Out<UInt> {
        let q = m.reg("q", 8);
        m.when(i.enq.fires(), || q.set(i.enq.data));
        Out { q }
    }
}

#[test]
fn a_read_of_an_output_that_is_never_set() {
    let mistakes = elaborate(&Forgetful).expect_err("the mistake is noticed");
    insta::assert_snapshot!(mistakes.render(false));
}

/// Contains itself, directly or through ever new parameters.
#[module]
struct Nested {
    level: u32,
    step: u32,
}

impl Module for Nested {
    type In = Empty<UInt>;
    type Out = Out<UInt>;

    fn name(&self) -> String {
        format!("Nested_{}", self.level)
    }
    fn inputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn outputs(&self) -> Out<Shape> {
        Out { q: bits(8) }
    }
    fn build(&self, m: &Builder, _: Empty<UInt>) -> Out<UInt> {
        let inner = Nested { level: self.level + self.step, step: self.step };
        Out { q: m.instance("inner", &inner).o.q }
    }
}

#[test]
fn a_module_that_contains_itself() {
    let mistakes = elaborate(&Nested { level: 0, step: 0 }).expect_err("the mistake is noticed");
    insta::assert_snapshot!(mistakes.render(false));
}

#[test]
fn a_module_that_contains_others_without_end() {
    let mistakes = elaborate(&Nested { level: 0, step: 1 }).expect_err("the mistake is noticed");
    insta::assert_snapshot!(mistakes.render(false));
}

/// Declares other outputs than it returns.
#[module]
struct Uneven {
    declared: usize,
}

#[derive(Clone, Bundle)]
struct Words<T> {
    words: Vec<T>,
}

impl Module for Uneven {
    type In = Words<UInt>;
    type Out = Words<UInt>;

    fn inputs(&self) -> Words<Shape> {
        Words { words: vec![bits(8), bits(0)] }
    }
    fn outputs(&self) -> Words<Shape> {
        Words { words: vec![bits(8); self.declared] }
    }
    fn build(&self, m: &Builder, i: Words<UInt>) -> Words<UInt> {
        let all = m.wires("all", Words { words: vec![bits(8); 3] });
        m.connect(all, Words { words: i.words.clone() });
        i
    }
}

#[test]
fn bundles_with_different_numbers_of_items() {
    let mistakes = elaborate(&Uneven { declared: 3 }).expect_err("the mistake is noticed");
    insta::assert_snapshot!(mistakes.render(false));
}

/// Gives its output to the wrong side.
#[module]
struct Flipped;

#[derive(Clone, Bundle)]
struct FlippedOut<T> {
    #[flip]
    ready: T,
    inner: T,
}

impl Module for Flipped {
    type In = Empty<UInt>;
    type Out = FlippedOut<UInt>;

    fn inputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn outputs(&self) -> FlippedOut<Shape> {
        FlippedOut { ready: bit(), inner: bits(8) }
    }
    fn build(&self, m: &Builder, _: Empty<UInt>) -> FlippedOut<UInt> {
        FlippedOut { ready: m.constant(Bits::zero(1)), inner: m.constant(Bits::zero(8)) }
    }
}

#[test]
fn an_output_against_the_direction_of_its_bundle() {
    let mistakes = elaborate(&Flipped).expect_err("the mistake is noticed");
    insta::assert_snapshot!(mistakes.render(false));
}

thread_local! {
    static LEAKED: std::cell::Cell<Option<(UInt, Memory)>> = const { std::cell::Cell::new(None) };
}

/// Uses a signal and a memory that the module around it has leaked.
#[module]
struct Borrower;

impl Module for Borrower {
    type In = Empty<UInt>;
    type Out = Out<UInt>;

    fn inputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn outputs(&self) -> Out<Shape> {
        Out { q: bits(8) }
    }
    fn build(&self, _m: &Builder, _: Empty<UInt>) -> Out<UInt> {
        let (signal, memory) = LEAKED.get().expect("the module around it is being built");
        Out { q: memory.read("word", signal.slice(0, 2)) ^ signal }
    }
}

mistake!(things_of_another_module, |m, i| {
    let words = m.memory("words", 4, 8);
    LEAKED.set(Some((i.a, words)));
    m.instance("borrower", &Borrower).o.q ^ words.read("word", i.a.slice(0, 2))
});

mistake!(several_mistakes_at_once, |m, i| {
    let r = m.reg("r", 8);
    r.set(i.b);
    let _x = m.node("x", i.a & i.b);
    i.a.slice(8, 1).extend(8)
});

/// Two clocks without a synchroniser between them.
#[module]
struct Crossing;

#[derive(Clone, Bundle)]
struct CrossingIn<T> {
    data: T,
}

impl Module for Crossing {
    type In = CrossingIn<UInt>;
    type Out = Out<UInt>;

    fn clocks(&self) -> Vec<&'static str> {
        vec!["a_clk", "b_clk"]
    }
    fn inputs(&self) -> CrossingIn<Shape> {
        CrossingIn { data: bits(8) }
    }
    fn outputs(&self) -> Out<Shape> {
        Out { q: bits(8) }
    }
    fn build(&self, m: &Builder, i: CrossingIn<UInt>) -> Out<UInt> {
        let here = m.delay("here", i.data);
        let mut there = here;
        m.clock("b_clk", || there = m.delay("there", here));
        Out { q: there }
    }
}

#[test]
fn a_crossing_without_synchroniser() {
    let mistakes = elaborate(&Crossing).expect_err("the mistake is noticed");
    insta::assert_snapshot!(mistakes.render(false));
}

/// The same with a synchroniser.
#[module]
struct SafeCrossing;

impl Module for SafeCrossing {
    type In = CrossingIn<UInt>;
    type Out = Out<UInt>;

    fn clocks(&self) -> Vec<&'static str> {
        vec!["a_clk", "b_clk"]
    }
    fn inputs(&self) -> CrossingIn<Shape> {
        CrossingIn { data: bits(8) }
    }
    fn outputs(&self) -> Out<Shape> {
        Out { q: bits(8) }
    }
    fn build(&self, m: &Builder, i: CrossingIn<UInt>) -> Out<UInt> {
        let here = m.delay("here", i.data);
        let mut there = here;
        m.clock("b_clk", || {
            there = m
                .instance("sync", &Synchroniser { width: 8, stages: 2 })
                .connect(SynchroniserIn { data: here })
                .data;
        });
        Out { q: there }
    }
}

#[test]
fn a_crossing_through_a_synchroniser_is_no_mistake() {
    elaborate(&SafeCrossing).expect("the crossing is safe");
}

/// Bits that feed each other in order: no loop, although the word reads itself.
#[module]
struct Ripple;

impl Module for Ripple {
    type In = CrossingIn<UInt>;
    type Out = Out<UInt>;

    fn inputs(&self) -> CrossingIn<Shape> {
        CrossingIn { data: bits(8) }
    }
    fn outputs(&self) -> Out<Shape> {
        Out { q: bits(8) }
    }
    fn build(&self, m: &Builder, i: CrossingIn<UInt>) -> Out<UInt> {
        let prefix = m.wire("prefix", 8);
        prefix.slice(0, 1).set(i.data.bit(0));
        for k in 1..8 {
            prefix.slice(k, 1).set(prefix.bit(k - 1) ^ i.data.bit(k));
        }
        Out { q: prefix }
    }
}

#[test]
fn bits_that_feed_each_other_in_order_are_no_loop() {
    elaborate(&Ripple).expect("no bit depends on itself");
}
