//! The native engine: the same as the interpreter, only faster.

mod agreement;
mod circuits;
mod conformance;
mod grid;

use agreement::assert_agreement;
use circuits::{Counter, Machine, Ripple, Rom, TwoClocks, Wide};
use conformance::{
    assert_a_run_ends_before_the_edge_at_which_a_property_fails,
    assert_a_run_ends_when_a_watched_output_changes, compare_library_modules, count, design, enable,
};
use ferrite_hdl::library::AsyncFifo;
use ferrite_hdl::prelude::*;
use ferrite_sim::{KeptSignals, Native, NativeOptions, Simulator};
use grid::{Element, Grid};

fn native(design: &Design, signals: KeptSignals) -> Native {
    Native::new(design, &NativeOptions { signals, ..NativeOptions::default() })
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Compares ports, memories and all signals in every cycle; gives how often a property has held an edge back.
fn agrees<M: Module>(module: &M, cycles: u32) -> u32 {
    agree(&design(module), cycles)
}

fn agree(design: &Design, cycles: u32) -> u32 {
    let mut failures = 0;
    let thirds = (0..design.flat.signals.len()).step_by(3).collect();
    for signals in [KeptSignals::Needed, KeptSignals::Chosen(thirds), KeptSignals::All] {
        for seed in 0..4 {
            failures += assert_agreement(design, &mut native(design, signals.clone()), true, cycles, seed);
        }
    }
    failures
}

#[test]
fn library_modules_run_as_on_the_interpreter() {
    compare_library_modules(agree);
}

#[test]
fn clocks_may_tick_together_or_apart() {
    agrees(&AsyncFifo { width: 8, depth: 4 }, 600);
    assert!(agrees(&TwoClocks, 300) > 0, "a property of each clock fails now and then");
}

#[derive(Clone, Bundle)]
struct SharedIn<T> {
    one_addr: T,
    one_data: T,
    one_write: T,
    two_addr: T,
    two_data: T,
    two_mask: T,
}

#[derive(Clone, Bundle)]
struct SharedOut<T> {
    one: T,
    two: T,
}

/// A memory that two clocks write: one words, the other lanes of words.
#[module]
struct Shared {
    width: u32,
}

impl Module for Shared {
    type In = SharedIn<UInt>;
    type Out = SharedOut<UInt>;

    fn clocks(&self) -> Vec<&'static str> {
        vec!["one_clk", "two_clk"]
    }
    fn inputs(&self) -> SharedIn<Shape> {
        let (addr, data) = (bits(2), bits(self.width));
        SharedIn {
            one_addr: addr,
            one_data: data,
            one_write: bit(),
            two_addr: addr.in_clock("two_clk"),
            two_data: data.in_clock("two_clk"),
            two_mask: bits(5).in_clock("two_clk"),
        }
    }
    fn outputs(&self) -> SharedOut<Shape> {
        SharedOut { one: bits(self.width), two: bits(self.width).in_clock("two_clk") }
    }
    fn build(&self, m: &Builder, i: SharedIn<UInt>) -> SharedOut<UInt> {
        let words = m.memory("words", 4, self.width);
        m.when(i.one_write, || words.write(i.one_addr, i.one_data));
        let one = words.read("one_q", i.one_addr);
        let mut two = one;
        m.clock("two_clk", || {
            words.write_masked(i.two_addr, i.two_data, i.two_mask);
            two = words.read("two_q", i.two_addr);
        });
        SharedOut { one, two }
    }
}

#[test]
fn a_memory_may_be_written_by_several_clocks() {
    for width in [5, 40, 130] {
        agrees(&Shared { width }, 400);
    }
}

#[test]
fn every_signal_of_nested_instances_memories_bundles_and_enums_is_the_interpreters() {
    assert!(agrees(&Machine, 600) > 0, "properties fail now and then");
}

#[test]
fn ports_and_memories_of_any_width_work() {
    agrees(&Wide, 300);
}

#[test]
fn bits_made_from_lower_bits_are_read_too() {
    agrees(&Ripple { width: 130 }, 100);
}

#[test]
fn memories_that_are_never_written_keep_their_contents() {
    agrees(&Rom { first: 7 }, 20);
}

#[test]
fn equal_elements_in_a_grid_of_any_size_are_each_computed_for_itself() {
    for (rows, cols) in [(1, 1), (1, 9), (4, 4), (5, 7), (9, 10), (3, 33)] {
        for element in [Element { narrow: 8, wide: 20 }, Element { narrow: 16, wide: 32 }] {
            agrees(&Grid { rows, cols, element }, 60);
        }
    }
}

#[test]
fn elements_too_wide_for_vectors_are_computed_too() {
    for element in [Element { narrow: 17, wide: 40 }, Element { narrow: 40, wide: 90 }] {
        agrees(&Grid { rows: 3, cols: 5, element }, 60);
    }
}

/// A counter that counts.
fn counter(limit: u64) -> Native {
    let mut sim = native(&design(&Counter { limit }), KeptSignals::Needed);
    enable(&mut sim);
    sim
}

#[test]
fn a_run_ends_when_a_watched_output_changes() {
    assert_a_run_ends_when_a_watched_output_changes(&mut counter(1000));
}

#[test]
fn a_run_ends_before_the_edge_at_which_a_property_fails() {
    assert_a_run_ends_before_the_edge_at_which_a_property_fails(&mut counter(50));
}

#[test]
fn simulators_of_one_design_share_nothing() {
    let (mut one, mut two) = (counter(1000), counter(1000));
    one.step(10).unwrap();
    two.step(20).unwrap();
    assert_eq!((one.peek(0), two.peek(0)), (count(10), count(20)));
    drop(one);
    assert_eq!(two.step(1).map(|()| two.peek(0)), Ok(count(21)));
}

#[test]
fn a_simulator_may_move_to_another_thread() {
    let mut sim = counter(1000);
    let counted =
        std::thread::spawn(move || sim.step(5).map(|()| sim.peek(0))).join().expect("it runs there");
    assert_eq!(counted, Ok(count(5)));
}

#[derive(Clone, Bundle)]
struct StageIn<T> {
    go: T,
    stay: T,
    a: T,
    b: T,
    wide: T,
}

#[derive(Clone, Bundle)]
struct StageOut<T> {
    sums: T,
    wide: T,
    chosen: T,
    late: T,
}

/// Registers with one enable, and arms of multiplexers in which much is computed: code that branches.
#[module]
struct Stage {}

impl Module for Stage {
    type In = StageIn<UInt>;
    type Out = StageOut<UInt>;

    fn inputs(&self) -> StageIn<Shape> {
        StageIn { go: bit(), stay: bit(), a: bits(32), b: bits(32), wide: bits(100) }
    }
    fn outputs(&self) -> StageOut<Shape> {
        StageOut { sums: bits(8 * 32), wide: bits(100), chosen: bits(32), late: bits(32) }
    }
    fn build(&self, m: &Builder, i: StageIn<UInt>) -> StageOut<UInt> {
        let shared = i.a.wrapping_add(i.b);
        let mut sums = Vec::new();
        let wide = m.reg("held", 100);
        m.when(i.go & !i.stay, || {
            for k in 0..8u32 {
                let sum = m.reg(&format!("sum{k}"), 32);
                let odd = (shared ^ i.b).wrapping_add(m.constant(Bits::from_u64(32, u64::from(k))));
                sum.set((sum & i.a).wrapping_add(odd));
                sums.push(sum);
            }
            wide.set(wide ^ i.wide);
        });
        // Arms within arms; the sum is needed in two of them, and by registers.
        let steps = |from: UInt, by: UInt| {
            (0..12).fold(from, |sum, k| (sum ^ by).wrapping_add(sum.slice(k, 32 - k).extend(32)))
        };
        let (left, right) = (steps(i.a, shared), steps(i.b, i.a));
        let inner = i.stay.mux(steps(left, i.b), i.wide.slice(50, 32));
        let masked = i.stay.repeat(32) & steps(right, left);
        let chosen = i.go.mux(inner ^ sums[0], masked);
        StageOut { sums: concat(sums), wide, chosen, late: m.delay("late", chosen ^ left) }
    }
}

#[test]
fn branches_compute_what_is_computed_without_them() {
    agrees(&Stage {}, 300);
}

/// Values that are loaded or stored long before they are used again, and what is left of values where others are 0.
#[module]
struct Again {}

impl Module for Again {
    type In = StageIn<UInt>;
    type Out = StageOut<UInt>;

    fn inputs(&self) -> StageIn<Shape> {
        Stage {}.inputs()
    }
    fn outputs(&self) -> StageOut<Shape> {
        Stage {}.outputs()
    }
    fn build(&self, m: &Builder, i: StageIn<UInt>) -> StageOut<UInt> {
        let few = |value: UInt, low| value.slice(low, 7);
        // The sum has bits above its width, and its complement has them too.
        let sum = few(i.a, 0).wrapping_add(few(i.b, 0));
        let left = (sum & !few(i.b, 3)).extend(32);
        let other = (few(i.a, 9) & !sum).extend(32);
        let mut sums = vec![left.wrapping_add(other)];
        for k in 1..8 {
            let last = sums[k - 1];
            sums.push(((last ^ i.a).wrapping_add(left) & !i.b).wrapping_add(sums[k / 2]));
        }
        let all = sums.iter().fold(other, |all, sum| (all ^ *sum).wrapping_add(i.b));
        let chosen = (i.go & !i.stay).mux(all & !i.a, sums[0] & !all);
        StageOut {
            sums: concat(sums),
            wide: i.wide & !i.wide.slice(3, 97).extend(100),
            chosen,
            late: m.delay("late", all ^ left),
        }
    }
}

#[test]
fn values_that_are_loaded_again_and_ands_with_complements_are_the_interpreters() {
    agrees(&Again {}, 300);
}

#[test]
fn an_enable_that_falls_again_before_the_edge_changes_no_register() {
    let mut native = native(&design(&Stage {}), KeptSignals::Needed);
    let [go, a] = ["go", "a"].map(|name| native.input(name).unwrap());
    let sums = native.output("sums").unwrap();
    native.poke(a, &Bits::from_u64(32, 5));
    native.poke(go, &Bits::ones(1));
    native.peek(sums);
    native.poke(go, &Bits::zero(1));
    native.step(1).unwrap();
    assert_eq!(native.peek(sums), Bits::zero(8 * 32));

    native.poke(go, &Bits::ones(1));
    native.peek(sums);
    native.poke(a, &Bits::from_u64(32, 9));
    native.step(1).unwrap();
    let expected: Vec<Bits> = (0..8).map(|k| Bits::from_u64(32, 9 + k)).collect();
    let expected = expected.iter().fold(Bits::zero(0), |all, sum| all.concat(sum));
    assert_eq!(native.peek(sums), expected);
}
