//! Random circuits with random stimulus: the interpreter against the native engine, Icarus Verilog and Verilator, every output, every
//! cycle; of the native engine every signal too.
//!
//! FERRITE_CIRCUITS sets how many Icarus runs (300 by default), FERRITE_VERILATED how many of them Verilator runs too (300 by default),
//! FERRITE_NATIVE how many the native engine runs (1000 by default), FERRITE_SEED where to begin. A failure is shrunk by proptest and
//! printed with its Verilog.

mod agreement;

use std::path::Path;
use std::process::Command;

use agreement::assert_agreement;
use ferrite_hdl::prelude::*;
use ferrite_hdl::verilog::{EmitOptions, emit};
use ferrite_sim::{
    Interpreter, Native, NativeOptions, Simulator, Verilator, VerilatorError, VerilatorOptions,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

const CYCLES: usize = 24;
const BATCH: usize = 50;
const INPUT_WIDTHS: [u32; 4] = [1, 8, 33, 130];
const OUTPUTS: usize = 6;
const OUTPUT_WIDTH: u32 = 200;

/// Operations that a gene can be.
const GENES: u8 = 39;

/// One step in the making of a circuit: an operation and what it picks from the signals made so far.
type Gene = (u8, u16, u16, u16, u8);

fn genes() -> impl Strategy<Value = Vec<Gene>> {
    vec((0u8..GENES, any::<u16>(), any::<u16>(), any::<u16>(), 0u8..200), 4..40)
}

/// A circuit made from genes.
#[module]
struct Circuit {
    name: String,
    genes: Vec<Gene>,
    depth: u32,
}

#[derive(Clone, Bundle)]
struct CircuitIn<T> {
    x: Vec<T>,
}

#[derive(Clone, Bundle)]
struct CircuitOut<T> {
    y: Vec<T>,
}

fn fit(signal: UInt, width: u32) -> UInt {
    if signal.width() < width { signal.extend(width) } else { signal.truncate(width) }
}

impl Module for Circuit {
    type In = CircuitIn<UInt>;
    type Out = CircuitOut<UInt>;

    fn name(&self) -> String {
        self.name.clone()
    }
    fn inputs(&self) -> CircuitIn<Shape> {
        CircuitIn { x: INPUT_WIDTHS.iter().map(|w| bits(*w)).collect() }
    }
    fn outputs(&self) -> CircuitOut<Shape> {
        CircuitOut { y: vec![bits(OUTPUT_WIDTH); OUTPUTS] }
    }
    fn build(&self, m: &Builder, i: CircuitIn<UInt>) -> CircuitOut<UInt> {
        let mut pool = i.x;
        for (k, gene) in self.genes.iter().enumerate() {
            let made = self.grow(m, k, *gene, &pool);
            pool.push(made);
        }
        let last = pool.iter().rev().cycle().take(OUTPUTS).map(|s| fit(*s, OUTPUT_WIDTH)).collect();
        CircuitOut { y: last }
    }
}

impl Circuit {
    fn grow(&self, m: &Builder, k: usize, (op, a, b, c, w): Gene, pool: &[UInt]) -> UInt {
        let pick = |n: u16| pool[n as usize % pool.len()];
        let (a, b, c, width) = (pick(a), pick(b), pick(c), w as u32 + 1);
        let same = fit(b, a.width());
        let condition = c.bit(w as u32 % c.width());
        let low = w as u32 % a.width();
        // An amount of few bits now and then exceeds the width, and mostly does not.
        let amount = fit(b, 9);
        match op {
            0 => a & same,
            1 => a | same,
            2 => a ^ same,
            3 => !a,
            4 => fit(a + b, width),
            5 => fit(a - b, width),
            6 => a + same,
            7 => a.wrapping_sub(same),
            8 => fit(fit(a, 70) * fit(b, 60), width),
            9 => (fit(a, 65).signed() * fit(b, 40).signed()).unsigned(),
            10 => a.eq(same),
            11 => a.ne(same),
            12 => a.lt(same),
            13 => a.ge(same),
            14 => a.signed().lt(b.signed()),
            15 => a.signed().le(b.signed()),
            16 => a << amount,
            17 => a >> amount,
            18 => (a.signed() >> amount).unsigned(),
            19 => condition.mux(a, same),
            20 => fit(concat([fit(a, 90), c, fit(b, 20)]), width),
            21 => a.slice(low, (a.width() - low).min(width)),
            22 => a.signed().extend(a.width().max(width)).unsigned(),
            23 => concat([a.any(), a.all(), a.parity()]),
            24 => (-fit(a, 64).signed() + fit(b, 30).signed()).truncate(width.min(64)),
            25 => m.node(&format!("named_{k}"), fit(a, width).wrapping_add(1)),
            26 | 27 => self.register(m, k, a, b, condition, width, op == 27),
            28 => self.nested(m, k, a, b, c, condition),
            29 => self.memory(m, k, a, b, c, condition),
            30 if self.depth > 0 => {
                let genes = self.genes[..k.min(6)].to_vec();
                let child = Circuit { name: format!("{}_{k}", self.name), genes, depth: self.depth - 1 };
                let x = INPUT_WIDTHS.iter().zip([a, b, c, condition]).map(|(w, s)| fit(s, *w)).collect();
                m.instance(&format!("child_{k}"), &child).connect(CircuitIn { x }).y[0]
            }
            30 => a.repeat(2).truncate((a.width() * 2).min(width)),
            31 => a.bit_at(fit(b, 5)),
            32 => a.le(same),
            33 => a.gt(same),
            34 => a.signed().gt(b.signed()),
            35 => a.signed().ge(b.signed()),
            36 => self.parts(m, k, a, b, condition, low),
            37 => self.shared_memory(m, k, a, b, c, condition),
            _ => self.states(m, k, a, b, condition),
        }
    }

    #[allow(clippy::too_many_arguments)] // what a gene picks
    fn register(
        &self,
        m: &Builder,
        k: usize,
        a: UInt,
        b: UInt,
        condition: UInt,
        width: u32,
        reset: bool,
    ) -> UInt {
        let reg =
            m.reg(&format!("reg_{k}"), width).init(Bits::from_u64(width, 0x1234_5678_9abc_def0 >> (k % 60)));
        let reg = if reset { reg.reset_to(Bits::from_u64(width, k as u64)) } else { reg };
        m.when(condition, || reg.set(fit(a, width).wrapping_add(reg)))
            .otherwise_when(b.any(), || reg.set(fit(b, width)))
            .otherwise(|| {
                m.when(a.parity(), || reg.slice(width / 2, 1).set(b.bit(0)));
            });
        reg
    }

    fn nested(&self, m: &Builder, k: usize, a: UInt, b: UInt, c: UInt, condition: UInt) -> UInt {
        let wire = m.wire(&format!("wire_{k}"), a.width());
        let flag = m.wire(&format!("flag_{k}"), 1);
        wire.set(a);
        flag.set(0);
        m.when(condition, || {
            m.switch(fit(b, 2), |s| {
                s.case(0, || wire.set(fit(b, a.width())));
                s.cases([1, 3], || {
                    m.when(c.any(), || wire.slice(a.width() / 2, 1).set(c.bit(0))).otherwise(|| wire.set(!a));
                    flag.set(1);
                });
            });
        });
        wire ^ flag.repeat(a.width())
    }

    fn memory(&self, m: &Builder, k: usize, a: UInt, b: UInt, c: UInt, condition: UInt) -> UInt {
        let memory =
            m.memory(&format!("memory_{k}"), 8, 24).with_contents((0..3).map(|n| Bits::from_u64(24, n * 77)));
        m.when(condition, || memory.write_masked(fit(a, 3), fit(b, 24), fit(c, 3)));
        let now = memory.read_async(&format!("now_{k}"), fit(b, 3));
        let mut later = now;
        m.when(a.parity(), || later = memory.read(&format!("later_{k}"), fit(c, 3)));
        now.concat(later)
    }
}

/// States of [`Circuit::states`]; one code is no state.
#[derive(Clone, Copy, Encoding)]
enum Phase {
    Idle,
    Busy,
    Done,
}

impl Circuit {
    /// A wire whose parts, of any width, are set apart.
    fn parts(&self, m: &Builder, k: usize, a: UInt, b: UInt, condition: UInt, low: u32) -> UInt {
        let wire = m.wire(&format!("parts_{k}"), a.width() + 7);
        wire.set(fit(a, a.width() + 7));
        m.when(condition, || {
            wire.slice(low, a.width() - low).set(fit(b, a.width() - low));
            wire.slice(a.width(), 7).set(fit(b, 7));
        })
        .otherwise(|| wire.slice(low, 7).set(fit(a, 7)));
        wire
    }

    /// A memory of two write ports, which may meet, and two read ports.
    fn shared_memory(&self, m: &Builder, k: usize, a: UInt, b: UInt, c: UInt, condition: UInt) -> UInt {
        let memory = m.memory(&format!("shared_{k}"), 4, 70);
        memory.write(fit(a, 2), fit(b, 70));
        m.when(condition, || memory.write_masked(fit(b, 2), fit(c, 70), fit(a, 7)));
        let first = memory.read(&format!("first_{k}"), fit(c, 2));
        let mut second = first;
        m.when(!condition, || second = memory.read(&format!("second_{k}"), fit(a, 2)));
        first ^ second
    }

    /// A state machine.
    fn states(&self, m: &Builder, k: usize, a: UInt, b: UInt, condition: UInt) -> UInt {
        let phase = m.reg(&format!("phase_{k}"), Phase::shape()).reset_to(Phase::Idle);
        let result = m.wire(&format!("result_{k}"), a.width());
        result.set(a);
        m.switch(phase, |s| {
            s.case(Phase::Idle, || {
                m.when(condition, || phase.set(Phase::Busy));
            });
            s.cases([Phase::Busy, Phase::Done], || {
                result.set(!a);
                m.when(b.parity(), || phase.set(Phase::Done)).otherwise(|| phase.set(Phase::Idle));
            });
        });
        concat([result, phase, phase.is(Phase::Done)])
    }
}

/// The stimulus: a value per input, reset first, and cycle. Sparse, dense and small numbers. All circuits of a seed are reset in
/// the same cycles.
fn stimulus(seed: u64, circuit: usize) -> Vec<Vec<Bits>> {
    let mut state = seed ^ (circuit as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut value = |width: u32| match next() % 4 {
        0 => Bits::ones(width),
        1 => Bits::from_u64(width, next() % 8),
        _ => Bits::from_words(width, &[next(), next(), next()]),
    };
    let is_reset =
        |cycle: usize| (seed.wrapping_add(cycle as u64)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 61 == 0;
    let cycle = |cycle| {
        let reset = Bits::from_bool(is_reset(cycle));
        [reset].into_iter().chain(INPUT_WIDTHS.iter().map(|w| value(*w))).collect()
    };
    (0..CYCLES).map(cycle).collect()
}

/// What the interpreter says: a line per cycle.
fn interpreted(case: &Case) -> Vec<String> {
    driven(&mut Interpreter::new(&case.design(0)), case)
}

fn driven(sim: &mut dyn Simulator, case: &Case) -> Vec<String> {
    let mut lines = Vec::new();
    for values in &case.stimulus {
        if let Ok(reset) = sim.input("rst") {
            sim.poke(reset, &values[0]);
        }
        for k in 0..INPUT_WIDTHS.len() {
            let input = sim.input(&format!("x_{k}")).expect("the input exists");
            sim.poke(input, &values[k + 1]);
        }
        let outputs: Vec<String> = (0..OUTPUTS).map(|k| format!("{:x}", sim.peek(k))).collect();
        lines.push(outputs.join(" "));
        sim.step(1).expect("no properties");
    }
    lines
}

struct Case {
    genes: Vec<Gene>,
    stimulus: Vec<Vec<Bits>>,
}

impl Case {
    fn circuit(&self, n: usize) -> Circuit {
        Circuit { name: format!("c{n}"), genes: self.genes.clone(), depth: 2 }
    }

    fn design(&self, n: usize) -> Design {
        elaborate(&self.circuit(n)).unwrap_or_else(|mistakes| panic!("{:?}\n{mistakes}", self.genes))
    }
}

/// Runs circuits on a simulator; gives lines `circuit outputs`, one per circuit and cycle, or `None` without the tool.
type Runner = fn(&[Case]) -> Option<String>;

/// Writes the circuits and a testbench that prints what a [`Runner`] gives; gives the names of the files.
fn write(folder: &Path, cases: &[Case]) -> Vec<String> {
    let mut files = Vec::new();
    let mut bench = String::from("module bench;\n  reg clk = 0, rst = 0;\n");
    let (mut pokes, mut prints) = (vec![String::new(); CYCLES], String::new());
    for (n, case) in cases.iter().enumerate() {
        let design = case.design(n);
        for file in emit(&design, &EmitOptions::default()) {
            std::fs::write(folder.join(&file.name), &file.text).expect("the folder is writable");
            if file.is_source() {
                files.push(file.name);
            }
        }
        let top = design.top_module();
        let mut pins = Vec::new();
        if top.clock_used[0] {
            pins.push(".clk(clk)".to_string());
        }
        if top.reset_used[0] {
            bench.push_str(&format!("  reg r{n} = 0;\n"));
            pins.push(format!(".rst(r{n})"));
        }
        for (k, width) in INPUT_WIDTHS.iter().enumerate() {
            bench.push_str(&format!("  reg [{}:0] x{n}_{k} = 0;\n", width - 1));
            pins.push(format!(".x_{k}(x{n}_{k})"));
        }
        for k in 0..OUTPUTS {
            bench.push_str(&format!("  wire [{}:0] y{n}_{k};\n", OUTPUT_WIDTH - 1));
            pins.push(format!(".y_{k}(y{n}_{k})"));
        }
        bench.push_str(&format!("  c{n} u{n} ({});\n", pins.join(", ")));
        for (cycle, values) in case.stimulus.iter().enumerate() {
            if top.reset_used[0] {
                pokes[cycle].push_str(&format!("r{n} = 1'b{:x}; ", values[0]));
            }
            for (k, width) in INPUT_WIDTHS.iter().enumerate() {
                pokes[cycle].push_str(&format!("x{n}_{k} = {width}'h{:x}; ", values[k + 1]));
            }
        }
        let formats = ["%0h"; OUTPUTS].join(" ");
        let outputs: Vec<String> = (0..OUTPUTS).map(|k| format!("y{n}_{k}")).collect();
        prints.push_str(&format!("$display(\"{n} {formats}\", {}); ", outputs.join(", ")));
    }
    bench.push_str("  initial begin\n");
    for poke in &pokes {
        bench.push_str(&format!("    {poke}\n    #1; {prints}\n    clk = 1; #1; clk = 0; #1;\n"));
    }
    bench.push_str("    $finish;\n  end\nendmodule\n");
    std::fs::write(folder.join("bench.v"), bench).expect("the folder is writable");
    files.push("bench.v".to_string());
    files
}

fn run(folder: &Path, program: &str, arguments: &[&str]) -> Option<String> {
    match Command::new(program).args(arguments).current_dir(folder).output() {
        Ok(run) if run.status.success() => Some(String::from_utf8_lossy(&run.stdout).into_owned()),
        Ok(run) => panic!(
            "{program}: {}{}",
            String::from_utf8_lossy(&run.stdout),
            String::from_utf8_lossy(&run.stderr)
        ),
        Err(error) if std::env::var_os("FERRITE_REQUIRE_TOOLS").is_some() => panic!("{program}: {error}"),
        Err(_) => {
            eprintln!("SKIPPED: {program} is not installed");
            None
        }
    }
}

fn icarus(cases: &[Case]) -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let files = write(folder.path(), cases);
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    run(folder.path(), "iverilog", &[&["-g2005", "-o", "bench.vvp"], files.as_slice()].concat())?;
    run(folder.path(), "vvp", &["-n", "bench.vvp"])
}

fn native(cases: &[Case]) -> Option<String> {
    let mut lines = String::new();
    for (n, case) in cases.iter().enumerate() {
        let sim = Native::new(&case.design(n), &NativeOptions::default());
        let mut sim = sim.unwrap_or_else(|error| panic!("{error}"));
        driven(&mut sim, case).iter().for_each(|line| lines.push_str(&format!("{n} {line}\n")));
    }
    Some(lines)
}

/// Many circuits in one design, since building a simulator takes longer than running it.
#[module]
struct Batch {
    circuits: Vec<Circuit>,
}

#[derive(Clone, Bundle)]
struct BatchIn<T> {
    c: Vec<CircuitIn<T>>,
}

#[derive(Clone, Bundle)]
struct BatchOut<T> {
    c: Vec<CircuitOut<T>>,
}

impl Module for Batch {
    type In = BatchIn<UInt>;
    type Out = BatchOut<UInt>;

    fn inputs(&self) -> BatchIn<Shape> {
        BatchIn { c: self.circuits.iter().map(|c| c.inputs()).collect() }
    }
    fn outputs(&self) -> BatchOut<Shape> {
        BatchOut { c: self.circuits.iter().map(|c| c.outputs()).collect() }
    }
    fn build(&self, m: &Builder, i: BatchIn<UInt>) -> BatchOut<UInt> {
        let outputs = self
            .circuits
            .iter()
            .zip(i.c)
            .map(|(circuit, inputs)| m.instance(&format!("u_{}", circuit.name), circuit).connect(inputs));
        BatchOut { c: outputs.collect() }
    }
}

fn verilator(cases: &[Case]) -> Option<String> {
    let circuits = cases.iter().enumerate().map(|(n, case)| case.circuit(n)).collect();
    let design = elaborate(&Batch { circuits }).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("verilator");
    let options = VerilatorOptions { fast_build: true, cache: Some(cache), ..VerilatorOptions::default() };
    let mut sim = match Verilator::new(&design, &options) {
        Ok(sim) => sim,
        Err(error @ VerilatorError::Missing { .. })
            if std::env::var_os("FERRITE_REQUIRE_TOOLS").is_none() =>
        {
            eprintln!("SKIPPED: {error}");
            return None;
        }
        Err(error) => panic!("{error}"),
    };
    let mut lines = String::new();
    for cycle in 0..CYCLES {
        if let Ok(reset) = sim.input("rst") {
            sim.poke(reset, &cases[0].stimulus[cycle][0]);
        }
        for (n, case) in cases.iter().enumerate() {
            for k in 0..INPUT_WIDTHS.len() {
                let input = sim.input(&format!("c_{n}_x_{k}")).expect("the input exists");
                sim.poke(input, &case.stimulus[cycle][k + 1]);
            }
        }
        for n in 0..cases.len() {
            let outputs = (0..OUTPUTS).map(|k| format!(" {:x}", sim.peek(n * OUTPUTS + k)));
            lines.push_str(&format!("{n}{}\n", outputs.collect::<String>()));
        }
        sim.step(1).expect("no properties");
    }
    Some(lines)
}

/// The first circuit and cycle at which a simulator differs, with both lines.
fn difference(printed: &str, expected: &[Vec<String>]) -> Option<(usize, usize, String)> {
    let mut cycles = vec![0; expected.len()];
    for line in printed.lines() {
        let Some((circuit, outputs)) = line.split_once(' ') else { continue };
        let Ok(circuit) = circuit.parse::<usize>() else { continue };
        let Some(cycle) = cycles.get_mut(circuit) else { continue };
        let want = &expected[circuit][*cycle];
        if want != outputs {
            return Some((circuit, *cycle, format!("interpreter {want}\nsimulator   {outputs}")));
        }
        *cycle += 1;
    }
    let short = cycles.iter().position(|c| *c != CYCLES);
    short.map(|circuit| (circuit, cycles[circuit], "the simulator printed too little".to_string()))
}

fn differs(case: Case, simulator: Runner) -> Option<String> {
    let expected = interpreted(&case);
    let (_, cycle, lines) = difference(&simulator(std::slice::from_ref(&case))?, &[expected])?;
    let verilog = emit(&case.design(0), &EmitOptions::default());
    let verilog: Vec<String> = verilog.into_iter().map(|file| file.text).collect();
    Some(format!("cycle {cycle}\n{lines}\n{}", verilog.join("\n")))
}

/// The smallest forms of circuits on which the emitted Verilog or the native engine was once wrong.
const ONCE_WRONG: [(&str, &[Gene]); 3] = [
    (
        "a shift that loses a bit, as operand of a sum with carry",
        &[(16, 1, 0, 0, 0), (6, 4, 4, 0, 0), (3, 5, 0, 0, 0)],
    ),
    ("a difference that wraps, as address of a memory", &[(7, 1, 2, 0, 0), (29, 1, 4, 4, 0)]),
    (
        "a bit of a wide word, chosen from it and from its complement",
        &[(28, 11947, 15559, 0, 0), (0, 0, 0, 0, 0), (10, 0, 0, 0, 0), (6, 27956, 16482, 4958, 99)],
    ),
];

#[test]
fn circuits_that_once_differed_agree() {
    for (what, genes) in ONCE_WRONG {
        let case = |n| Case { genes: genes.to_vec(), stimulus: stimulus(1, n) };
        let cases: Vec<Case> = (0..8).map(case).collect();
        let expected: Vec<Vec<String>> = cases.iter().map(interpreted).collect();
        for simulator in [icarus, verilator, native] {
            let Some(printed) = simulator(&cases) else { continue };
            if let Some((_, cycle, lines)) = difference(&printed, &expected) {
                panic!("{what}: cycle {cycle}\n{lines}");
            }
        }
    }
}

fn number(name: &str, default: u64) -> u64 {
    let Ok(value) = std::env::var(name) else { return default };
    value.parse().unwrap_or_else(|_| panic!("{name} is `{value}`; it must be a number"))
}

/// What makes the circuits of a seed.
fn runner(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// Genes that can be made simpler.
type Tree = Box<dyn ValueTree<Value = Vec<Gene>>>;

fn tree(runner: &mut TestRunner) -> Tree {
    genes().boxed().new_tree(runner).expect("genes")
}

/// The simplest circuit made from a failing one that still fails, with the difference.
fn simplest(tree: &mut Tree, case: impl Fn(Vec<Gene>) -> Case, simulator: Runner) -> Option<String> {
    let mut worst = None;
    for _ in 0..200 {
        match differs(case(tree.current()), simulator) {
            Some(text) => {
                worst = Some(format!("genes {:?}\n{text}", tree.current()));
                if !tree.simplify() {
                    break;
                }
            }
            None if !tree.complicate() => break,
            None => {}
        }
    }
    worst
}

#[test]
fn the_interpreter_agrees_with_the_native_engine_on_random_circuits() {
    let (count, seed) = (number("FERRITE_NATIVE", 1000) as usize, number("FERRITE_SEED", 1));
    let mut runner = runner(seed);
    for n in 0..count {
        let mut tree = tree(&mut runner);
        let case = |genes: Vec<Gene>| Case { genes, stimulus: stimulus(seed, n) };
        if differs(case(tree.current()), native).is_some() {
            let text = simplest(&mut tree, case, native).unwrap_or_default();
            panic!("the native engine differs on circuit {n} of seed {seed}\n{text}");
        }
        if n % 4 == 0 {
            let design = case(tree.current()).design(0);
            let sim = Native::new(&design, &NativeOptions { signals: n % 8 == 0 });
            let mut sim = sim.unwrap_or_else(|error| panic!("{error}"));
            assert_agreement(&design, &mut sim, true, CYCLES as u32, seed + n as u64);
        }
    }
}

#[test]
fn the_interpreter_agrees_with_icarus_and_verilator_on_random_circuits() {
    let (count, seed) = (number("FERRITE_CIRCUITS", 300) as usize, number("FERRITE_SEED", 1));
    let verilated = number("FERRITE_VERILATED", 300) as usize;
    let mut runner = runner(seed);
    let mut done = 0;
    while done < count {
        let size = BATCH.min(count - done);
        let mut trees: Vec<Tree> = (0..size).map(|_| tree(&mut runner)).collect();
        let case = |n: usize, genes: Vec<Gene>| Case { genes, stimulus: stimulus(seed, done + n) };
        let cases: Vec<Case> = trees.iter().enumerate().map(|(n, t)| case(n, t.current())).collect();
        let expected: Vec<Vec<String>> = cases.iter().map(interpreted).collect();
        let share = verilated.saturating_sub(done).min(size);
        let (by_icarus, by_verilator) = std::thread::scope(|scope| {
            let by_verilator = scope.spawn(|| (share > 0).then(|| verilator(&cases[..share])).flatten());
            (icarus(&cases), by_verilator.join().expect("Verilator runs"))
        });
        for (name, simulator, printed, size) in
            [("Icarus", icarus as Runner, by_icarus, size), ("Verilator", verilator, by_verilator, share)]
        {
            let Some(printed) = printed else { continue };
            let expected = &expected[..size];
            let Some((n, cycle, lines)) = difference(&printed, expected) else { continue };
            let worst = simplest(&mut trees[n], |genes| case(n, genes), simulator);
            let worst = worst.unwrap_or_else(|| format!("cycle {cycle}\n{lines}"));
            panic!("{name} differs on circuit {} of seed {seed}\n{worst}", done + n);
        }
        done += size;
    }
}
