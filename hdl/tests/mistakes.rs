//! One test per kind of mistake; the snapshot is what the user sees.

use ferrite_hdl::library::{Synchroniser, SynchroniserIn};
use ferrite_hdl::prelude::*;

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

/// A module with inputs `a` (8 bits), `b` (4 bits), `c` (1 bit) and output `q` (8 bits), whose body makes a mistake.
macro_rules! mistake {
    ($test:ident, |$m:ident, $i:ident| $body:block) => {
        #[test]
        fn $test() {
            #[module]
            struct Bad;

            impl Module for Bad {
                type In = In<UInt>;
                type Out = Out<UInt>;

                fn inputs(&self) -> In<Shape> {
                    In { a: bits(8), b: bits(4), c: bit() }
                }
                fn outputs(&self) -> Out<Shape> {
                    Out { q: bits(8) }
                }
                fn build(&self, $m: &Builder, $i: In<UInt>) -> Out<UInt> {
                    Out { q: $body }
                }
            }
            let mistakes = elaborate(&Bad).expect_err("the mistake is noticed");
            insta::assert_snapshot!(stringify!($test), mistakes.render(false));
        }
    };
}

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
    let queue = m.instance("queue", &ferrite_hdl::library::Queue { width: 8, depth: 4 });
    queue.i.enq.data.set(i.a);
    queue.i.enq.valid.set(i.c);
    queue.i.deq.data
});

mistake!(an_instance_never_connected, |m, i| {
    let _forgotten = m.instance("sync", &Synchroniser { width: 8, stages: 2 });
    i.a
});

mistake!(an_address_too_narrow, |m, i| {
    let table = m.memory("table", 256, 8);
    table.read("word", i.b)
});

mistake!(a_memory_whose_depth_is_no_power_of_two, |m, i| {
    let table = m.memory("table", 100, 8);
    table.read("word", i.a.truncate(7))
});

mistake!(more_contents_than_words, |m, i| {
    let table = m.memory("table", 4, 8).with_contents((0..5).map(|k| Bits::from_u64(8, k)));
    table.read("word", i.a.truncate(2))
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
