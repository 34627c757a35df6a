//! What a property that fails does in a plain Verilog simulation.

mod tools;

use ferrite_hdl::prelude::*;
use ferrite_hdl::verilog::EmitOptions;
use tools::{run, written};

#[derive(Clone, Bundle)]
struct CountIn<T> {
    enable: T,
}

#[derive(Clone, Bundle)]
struct CountOut<T> {
    count: T,
}

/// Counts, and states of its count what the test asks for.
#[module]
struct Counter {
    stated: Stated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stated {
    NeverThree,
    EnableWhenTwo,
    NeverTenReachesTwo,
}

impl Module for Counter {
    type In = CountIn<UInt>;
    type Out = CountOut<UInt>;

    fn inputs(&self) -> CountIn<Shape> {
        CountIn { enable: bit() }
    }
    fn outputs(&self) -> CountOut<Shape> {
        CountOut { count: bits(4) }
    }
    fn build(&self, m: &Builder, i: CountIn<UInt>) -> CountOut<UInt> {
        let count = m.reg("count", 4);
        m.when(i.enable, || count.set(count.wrapping_add(1)));
        match self.stated {
            Stated::NeverThree => m.assert("never_three", count.ne(3)),
            Stated::EnableWhenTwo => {
                m.when(count.eq(2), || m.assume("enable_when_two", i.enable));
            }
            Stated::NeverTenReachesTwo => {
                m.assert("never_ten", count.lt(10));
                m.cover("reaches_two", count.eq(2) & i.enable);
            }
        }
        CountOut { count }
    }
}

/// Counts for five cycles, of which the third does not count, under Icarus Verilog; whether it ended well, and what it printed.
fn simulated(stated: Stated, options: &EmitOptions, defines: &[&str]) -> Option<(bool, String)> {
    let (folder, _) = written(&Counter { stated }, options);
    let bench = "module bench;
  reg clk = 0, enable = 1;
  wire [3:0] count;
  Counter counter (.clk(clk), .enable(enable), .count(count));
  integer k;
  initial begin
    for (k = 0; k < 5; k = k + 1) begin
      enable = k != 2;
      #1 clk = 1;
      #1 clk = 0;
    end
    $display(\"count %0d\", count);
    $finish;
  end
endmodule
";
    std::fs::write(folder.path().join("bench.v"), bench).expect("the folder is writable");
    let arguments = [&["-g2005", "-o", "bench.vvp"], defines, &["Counter.v", "bench.v"]].concat();
    let (compiled, said) = run(folder.path(), "iverilog", &arguments)?;
    assert!(compiled, "{said}");
    // `-N`: a `$stop` ends the run with an error instead of asking what to do.
    run(folder.path(), "vvp", &["-N", "bench.vvp"])
}

#[test]
fn a_failing_assertion_is_shown_and_stops_the_simulation() {
    let Some((succeeded, said)) = simulated(Stated::NeverThree, &EmitOptions::default(), &[]) else { return };
    assert!(!succeeded);
    assert!(said.starts_with("bench.counter: assertion never_three failed\n"), "{said}");
    assert!(!said.contains("count 4"), "{said}");
}

#[test]
fn a_failing_assumption_is_shown_with_its_place_where_source_lines_are_wanted() {
    let options = EmitOptions { source_lines: true };
    let Some((succeeded, said)) = simulated(Stated::EnableWhenTwo, &options, &[]) else { return };
    assert!(!succeeded);
    let start = "bench.counter: assumption enable_when_two failed (hdl/tests/properties.rs:";
    assert!(said.starts_with(start), "{said}");
}

#[test]
fn properties_that_hold_say_nothing() {
    let Some((succeeded, said)) = simulated(Stated::NeverTenReachesTwo, &EmitOptions::default(), &[]) else {
        return;
    };
    assert!(succeeded, "{said}");
    assert!(said.starts_with("count 4"), "{said}");
}

#[test]
fn synthesis_sees_no_property() {
    let defines = ["-DSYNTHESIS"];
    let Some((succeeded, said)) = simulated(Stated::NeverThree, &EmitOptions::default(), &defines) else {
        return;
    };
    assert!(succeeded, "{said}");
    assert!(said.starts_with("count 4"), "{said}");
}
