//! Random circuits with random stimulus: the interpreter against the native engine, Icarus Verilog and Verilator, every output, every
//! cycle; of the native engine every signal too.
//!
//! FERRITE_CIRCUITS sets how many Icarus runs (300 by default), FERRITE_VERILATED how many of them Verilator runs too (300 by default),
//! FERRITE_NATIVE how many the native engine runs (1000 by default), FERRITE_SEED where to begin. A failure is shrunk by proptest and
//! printed with its Verilog.

mod agreement;
mod genes;

use std::path::Path;
use std::process::Command;

use agreement::assert_agreement;
use ferrite_hdl::prelude::*;
use ferrite_hdl::verilog::{EmitOptions, emit};
use ferrite_sim::{
    Interpreter, KeptSignals, Native, NativeOptions, Simulator, Verilator, VerilatorError, VerilatorOptions,
};
use genes::{Circuit, CircuitIn, CircuitOut, Gene, INPUT_WIDTHS, OUTPUT_WIDTH, OUTPUTS, genes};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

const CYCLES: usize = 24;
const BATCH: usize = 50;

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
            let signals = if n.is_multiple_of(8) { KeptSignals::All } else { KeptSignals::Needed };
            let options = NativeOptions { signals, never_sleep: n % 12 == 0 };
            let sim = Native::new(&design, &options);
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
