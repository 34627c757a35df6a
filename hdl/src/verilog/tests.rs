//! Corners of emission that lint tools refuse or simulators compute differently.

use std::path::Path;
use std::process::Command;

use crate::prelude::*;
use crate::verilog::{EmitOptions, emit};

#[derive(Clone, Bundle)]
struct Inputs<T> {
    x: Vec<T>,
}

#[derive(Clone, Bundle)]
struct Outputs<T> {
    y: Vec<T>,
}

type Build = fn(&Builder, Vec<UInt>) -> Vec<UInt>;

/// A module around a function.
#[module]
#[allow(unpredictable_function_pointer_comparisons)] // every design has one corner only
struct Corner {
    widths: (Vec<u32>, Vec<u32>),
    build: Build,
}

impl Module for Corner {
    type In = Inputs<UInt>;
    type Out = Outputs<UInt>;

    fn inputs(&self) -> Inputs<Shape> {
        Inputs { x: self.widths.0.iter().map(|w| bits(*w)).collect() }
    }
    fn outputs(&self) -> Outputs<Shape> {
        Outputs { y: self.widths.1.iter().map(|w| bits(*w)).collect() }
    }
    fn build(&self, m: &Builder, i: Inputs<UInt>) -> Outputs<UInt> {
        Outputs { y: (self.build)(m, i.x) }
    }
}

/// What a tool says; `None` if it is not installed, which FERRITE_REQUIRE_TOOLS forbids.
fn run(folder: &Path, tool: &str, arguments: &[&str]) -> Option<String> {
    match Command::new(tool).args(arguments).current_dir(folder).output() {
        Ok(run) => {
            let said =
                format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
            assert!(run.status.success(), "{tool} {arguments:?}:\n{said}");
            Some(said)
        }
        Err(error) if std::env::var_os("FERRITE_REQUIRE_TOOLS").is_some() => {
            panic!("{tool}: {error}")
        }
        Err(_) => {
            eprintln!("SKIPPED: {tool} is not installed");
            None
        }
    }
}

/// The Verilog of the corner, after three tools have read it without a word; with properties and without.
fn silent(inputs: &[u32], outputs: &[u32], build: Build) -> (tempfile::TempDir, String) {
    let corner = Corner { widths: (inputs.to_vec(), outputs.to_vec()), build };
    let design = elaborate(&corner).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let text = emit(&design, &EmitOptions::default()).remove(0).text;
    let folder = tempfile::tempdir().expect("a folder for the file");
    std::fs::write(folder.path().join("Corner.v"), &text).expect("the folder is writable");
    let synth = "read_verilog Corner.v; synth -top Corner; check -assert";
    let formal = "read_verilog -formal Corner.v; prep -top Corner; check -assert";
    for (tool, arguments) in [
        ("verilator", &["--lint-only", "-Wall", "Corner.v"][..]),
        ("iverilog", &["-g2005", "-Wall", "-o", "out", "Corner.v"]),
        ("yosys", &["-q", "-p", synth]),
        ("yosys", &["-q", "-p", formal]),
    ] {
        let said = run(folder.path(), tool, arguments).unwrap_or_default();
        assert_eq!(said.trim(), "", "{tool} {arguments:?}:\n{text}");
    }
    (folder, text)
}

/// The first output under Icarus Verilog, in hexadecimal; `None` without Icarus Verilog.
fn simulated(folder: &Path, inputs: &[(u32, u64)], width: u32) -> Option<String> {
    let pins: Vec<String> =
        inputs.iter().enumerate().map(|(k, (w, v))| format!(".x_{k}({w}'d{v})")).collect();
    let bench = format!(
        "module bench; wire [{}:0] y; Corner corner({}, .y_0(y)); initial #1 $display(\"%h\", y); endmodule",
        width - 1,
        pins.join(", ")
    );
    std::fs::write(folder.join("bench.v"), bench).expect("the folder is writable");
    run(folder, "iverilog", &["-g2005", "-o", "bench.vvp", "Corner.v", "bench.v"])?;
    run(folder, "vvp", &["-n", "bench.vvp"]).map(|said| said.trim().to_string())
}

/// 0, or under a condition a copy of the lowest bit, which is set only afterwards.
fn late_bit(m: &Builder, name: &str, x: &[UInt]) -> UInt {
    let w = m.wire(name, 2);
    w.bit(0).set(0);
    w.bit(1).set(0);
    m.when(x[0], || w.bit(1).set(w.bit(0)));
    m.when(x[1], || w.bit(0).set(1));
    w
}

#[test]
fn a_bit_made_from_a_bit_that_is_set_later_takes_its_last_value() {
    for build in [(|m, x| vec![late_bit(m, "w", &x) ^ 0]) as Build, |m, x| vec![late_bit(m, "y_0", &x)]] {
        let (folder, text) = silent(&[1, 1], &[2], build);
        let said = simulated(folder.path(), &[(1, 1), (1, 1)], 2);
        assert!(said.is_none_or(|said| said == "3"), "{text}");
    }
}

#[test]
fn what_only_properties_use_stands_with_them() {
    #[derive(Clone, Copy, Encoding)]
    enum Phase {
        Early,
        Late,
    }
    silent(&[8, 8], &[8], |m, x| {
        let phase = m.reg("phase", Phase::shape()).reset_to(Phase::Early);
        m.when(x[0].bit(1), || phase.set(Phase::Early));
        m.assert("never_late", phase.ne(Phase::Late));
        m.assert("product_is_odd", (x[0] * x[1]).slice(3, 2).ne(2));
        m.when(x[0].bit(0), || m.assume("other", x[1].any()));
        vec![x[0]]
    });
}

#[test]
fn a_clock_that_only_properties_need_is_no_unused_signal() {
    silent(&[8], &[8], |m, x| {
        m.assert("not_five", x[0].ne(5));
        vec![x[0]]
    });
}

mod elsewhere {
    use crate::prelude::*;

    #[derive(Clone, Copy, Encoding)]
    pub enum State {
        Busy,
        Idle,
    }
}

#[derive(Clone, Copy, Encoding)]
enum State {
    Idle,
    Busy,
    #[allow(dead_code)] // makes the enum wider than the other one
    Done,
}

#[test]
fn two_enums_of_one_name_keep_their_own_codes() {
    let (_folder, text) = silent(&[1], &[2, 1], |m, x| {
        let here = m.reg("here", State::shape()).reset_to(State::Idle);
        let there = m.reg("there", elsewhere::State::shape()).reset_to(elsewhere::State::Idle);
        m.when(x[0], || {
            here.set(State::Busy);
            there.set(elsewhere::State::Busy);
        });
        vec![here, there]
    });
    // Four constants, each with the code of its own enum.
    for declaration in ["[1:0] STATE_IDLE = 2'd0;", "[1:0] STATE_BUSY = 2'd1;", " = 1'b0;", " = 1'b1;"] {
        let found = text.lines().any(|l| l.contains("localparam") && l.ends_with(declaration));
        assert!(found, "{declaration}\n{text}");
    }
}

#[test]
fn a_signal_may_be_called_like_an_enum_constant() {
    silent(&[1], &[2, 1], |m, x| {
        let busy = m.reg("STATE_BUSY", 1);
        busy.set(x[0]);
        let state = m.reg("state", State::shape());
        m.when(busy, || state.set(State::Busy));
        vec![state, busy]
    });
}

#[test]
fn a_memory_that_nothing_reads_is_no_unused_signal() {
    silent(&[3, 8], &[8], |m, x| {
        m.memory("words", 8, 8).write(x[0], x[1]);
        vec![x[1]]
    });
}

#[test]
fn a_memory_without_collisions_says_so() {
    let (_folder, text) = silent(&[3, 8], &[8], |m, x| {
        let words = m.memory("words", 8, 8).without_collisions();
        words.write(x[0], x[1]);
        vec![words.read("word", x[0])]
    });
    assert!(text.contains("(* no_rw_check *) reg [7:0] words [0:7];"), "{text}");
}

#[test]
fn comparisons_that_always_hold_or_never_are_constants() {
    let (folder, text) = silent(&[8, 8], &[8], |_, x| {
        let (a, s) = (x[0], x[1].signed());
        vec![concat([a.lt(0), a.ge(0), a.le(255), a.gt(255), s.lt(-128), s.ge(-128), s.le(127), s.gt(127)])]
    });
    let said = simulated(folder.path(), &[(8, 77), (8, 200)], 8);
    assert!(said.is_none_or(|said| said == "66"), "{text}");
}

#[test]
fn a_shift_by_more_than_32_bits_can_say_is_a_shift_by_the_width() {
    silent(&[8], &[8], |m, x| vec![x[0] << m.constant(Bits::from_u64(40, 1 << 35))]);
}

#[test]
fn what_an_asynchronous_read_gives_is_declared_before_its_use() {
    let (_folder, text) = silent(&[3, 8], &[8], |m, x| {
        let words = m.memory("words", 8, 8);
        words.write(x[0], x[1]);
        let word = words.read_async("word", x[0]);
        vec![m.node("next", word.wrapping_add(1)) ^ 1]
    });
    let line = |start: &str| text.lines().position(|l| l.trim_start().starts_with(start));
    assert!(line("wire [7:0] word =") < line("wire [7:0] next ="), "{text}");
}

#[test]
fn long_lines_are_broken() {
    let (_folder, text) = silent(&[64, 8], &[1, 8], |_, x| {
        let pairs = (1..40).map(|k| x[0].bit(k) & x[0].bit(63 - k));
        let any = pairs.fold(x[0].bit(0), |any, pair| any | pair);
        let choice =
            (0..12u64).fold(x[1], |other, k| x[0].slice(0, 4).eq(k).mux(x[1].wrapping_add(k), other));
        vec![any, choice]
    });
    let longest = text.lines().map(str::len).max().unwrap_or(0);
    assert!(longest <= 100, "{longest} columns:\n{text}");
}

#[test]
fn an_expression_of_many_levels_is_written_in_parts() {
    const LEVELS: u32 = 400;
    let (folder, text) = silent(&[16, 16], &[16], |_, x| {
        vec![(0..LEVELS).fold(x[0], |all, k| if k % 20 == 0 { all.wrapping_add(k) } else { !(all & x[1]) })]
    });
    let deepest = text.lines().map(|line| line.matches('&').count()).max();
    assert!(deepest <= Some(100), "{deepest:?}");
    let level = |all: u16, k| if k % 20 == 0 { all.wrapping_add(k as u16) } else { !(all & 0x4321) };
    let expected = (0..LEVELS).fold(0x1234, level);
    let said = simulated(folder.path(), &[(16, 0x1234), (16, 0x4321)], 16);
    assert!(said.is_none_or(|said| said == format!("{expected:04x}")));
}

/// A module with thousands of everything that once took the square of its number.
fn large(m: &Builder, x: Vec<UInt>) -> Vec<UInt> {
    let mut last = x[0];
    for k in 0..3000 {
        let wire = m.wire(&format!("wire_{k}"), 8);
        wire.set(last);
        m.when(x[1].bit(k % 8), || wire.set(last.wrapping_add(k % 7)));
        last = wire;
    }
    let regs: Vec<UInt> = (0..3000).map(|k| m.reg(&format!("reg_{k}"), 8)).collect();
    m.switch(x[0].concat(x[1]), |s| {
        for (k, reg) in regs.iter().enumerate() {
            s.case(k, || reg.set(last));
        }
    });
    vec![regs.iter().fold(last, |all, reg| all ^ *reg)]
}

#[test]
fn thousands_of_wires_registers_and_cases_take_no_time_to_speak_of() {
    let start = std::time::Instant::now();
    let corner = Corner { widths: (vec![8, 8], vec![8]), build: large };
    let design = elaborate(&corner).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let text = emit(&design, &EmitOptions::default()).remove(0).text;
    let elapsed = start.elapsed();
    assert!(text.lines().count() > 15_000);
    // 0.1 s in an optimised build on an idle machine; tests are neither. What grows with the square takes minutes.
    assert!(elapsed.as_secs_f64() < 5.0, "{elapsed:?}");
}

#[test]
fn parts_of_what_is_put_together_are_taken_from_its_parts() {
    let (_folder, text) = silent(&[8, 8], &[4, 8, 3, 4, 8], |_, x| {
        let word = x[0].concat(x[1]).concat(x[0].extend(12));
        let nibble = x[1].slice(2, 6).slice(1, 4);
        vec![
            nibble,
            word.slice(24, 4).concat(word.slice(16, 4)),
            nibble.slice(1, 3),
            word.slice(6, 4),
            word.truncate(8),
        ]
    });
    for line in [
        "assign y_0 = x_1[6:3];",
        "assign y_1 = {x_0[7:4], x_1[7:4]};",
        "assign y_2 = x_1[6:4];",
        "assign y_3 = {2'd0, x_0[7:6]};",
        "assign y_4 = x_0;",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn neighbouring_numbers_of_a_concatenation_are_one() {
    let (_folder, text) = silent(&[1], &[32, 8], |m, x| {
        let zeros = vec![m.constant(Bits::from_bool(false)); 15];
        let word = concat([zeros.clone(), vec![x[0]], zeros, vec![x[0]]].concat());
        vec![word, concat([Bits::from_u64(3, 5), Bits::from_u64(5, 1)])]
    });
    assert!(text.contains("assign y_0 = {15'd0, x_0, 15'd0, x_0};"), "{text}");
    assert!(text.contains("assign y_1 = 8'd161;"), "{text}");
}

#[test]
fn an_expression_used_as_a_whole_and_in_parts_is_silent() {
    silent(&[8, 8], &[1, 3, 1], |m, x| {
        let (sum, mixed) = (x[0] + x[1], x[0] ^ x[1]);
        m.assert("some", mixed.any() | mixed.bit(3));
        vec![sum.any(), sum.slice(1, 3), mixed.all() ^ mixed.bit(0)]
    });
}

#[test]
fn a_value_named_within_a_case_or_an_otherwise_parts_nothing() {
    let (_folder, text) = silent(&[8, 8], &[8, 8], |m, x| {
        let (chosen, other) = (m.wire("chosen", 8), m.wire("other", 8));
        m.switch(x[0], |s| {
            s.case(1, || {
                crate::wire!(m, sum = (x[0] + x[1]).truncate(8));
                chosen.set(sum);
            });
            crate::wire!(m, mixed = x[0] ^ x[1]);
            s.case(2, || chosen.set(mixed));
            s.default(|| {
                crate::wire!(m, both = x[0] & x[1]);
                chosen.set(both);
            });
        });
        m.when(x[1].bit(0), || other.set(x[0])).otherwise(|| {
            crate::wire!(m, inverse = !x[0]);
            other.set(inverse);
        });
        vec![chosen, other]
    });
    assert!(text.contains("8'd2: chosen = mixed;") && text.contains("other = inverse;"), "{text}");
}

/// A module whose input the one around it reads.
#[module]
struct Inner {}

impl Module for Inner {
    type In = Inputs<UInt>;
    type Out = Outputs<UInt>;

    fn inputs(&self) -> Inputs<Shape> {
        Inputs { x: vec![bits(4)] }
    }
    fn outputs(&self) -> Outputs<Shape> {
        Outputs { y: vec![bits(4)] }
    }
    fn build(&self, _: &Builder, i: Inputs<UInt>) -> Outputs<UInt> {
        Outputs { y: vec![!i.x[0]] }
    }
}

#[test]
fn an_input_of_an_instance_that_is_read_has_a_wire() {
    let build: Build = |m, x| {
        let inner = m.instance("inner", &Inner {});
        inner.i.x[0].set(x[0] & x[1]);
        vec![inner.i.x[0] | inner.o.y[0]]
    };
    let corner = Corner { widths: (vec![4, 4], vec![4]), build };
    let design = elaborate(&corner).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let folder = tempfile::tempdir().expect("a folder for the files");
    for file in emit(&design, &EmitOptions::default()) {
        std::fs::write(folder.path().join(&file.name), &file.text).expect("the folder is writable");
    }
    run(folder.path(), "verilator", &["--lint-only", "-Wall", "--top-module", "Corner", "Corner.v"]);
    run(folder.path(), "iverilog", &["-g2005", "-Wall", "-o", "out", "Corner.v", "Inner.v"]);
}
