//! Random lists of commands do what the model of the unit does.

#[path = "lists/bench.rs"]
mod bench;
#[path = "lists/clear.rs"]
mod clear;
#[path = "lists/faults.rs"]
mod faults;
#[path = "lists/generate.rs"]
mod generate;
#[path = "lists/state.rs"]
mod state;
#[path = "lists/touched.rs"]
mod touched;

use std::path::Path;

use ferrite_model::unit::{Outcome, Record, Sizes};
use ferrite_sim::{Native, NativeOptions, Simulator, Verilator, VerilatorError, VerilatorOptions};

use crate::random::Random;
use crate::record::Convolve;
use bench::{Bench, Verdict, system};
use generate::Generator;
use state::State;

/// `R`, `C`, bytes of the scratchpad, accumulator rows, and the width of the port.
const SIZES: [[u32; 5]; 7] = [
    [4, 4, 4 << 10, 64, 32],
    [8, 4, 4 << 10, 64, 256],
    [8, 8, 4 << 10, 1024, 64],
    [16, 16, 8 << 10, 128, 128],
    [16, 8, 8 << 10, 16, 32],
    [4, 32, 8 << 10, 64, 256],
    [32, 32, 16 << 10, 256, 128],
];

/// There are commands of the codes 1 to this.
const CODES: usize = 9;

/// Commands for each size.
const COMMANDS: usize = 8000;

/// A list of commands with all that is needed to run it.
struct List {
    start: State,
    stall: Option<u32>,
    records: Vec<Record>,
}

impl List {
    fn random(sizes: Sizes, seed: u64) -> List {
        let mut random = Random::new(seed);
        let start = State::random(&sizes, &mut random);
        let stall = random.eighths(3).then(|| random.word());
        let mut generator = Generator::new(sizes, random);
        let mut records = vec![];
        let refused = generator.random.eighths(4);
        let legal = if refused { generator.random.below(12) } else { 20 + generator.random.below(40) };
        while records.len() < legal as usize {
            generator.legal(&mut records);
        }
        if refused {
            records.push(generator.illegal());
            for _ in 0..generator.random.below(4) {
                generator.legal(&mut records);
            }
        }
        List { start, stall, records }
    }

    /// What the model says.
    fn expected(&self, sizes: Sizes, records: &[Record]) -> (State, Verdict) {
        let mut unit = self.start.unit(sizes, u64::MAX);
        let mut external = self.start.external.clone();
        let mut accepted = 0;
        for record in records {
            let outcome = unit.execute(record, &mut external[..]).unwrap();
            accepted += u32::from(outcome == Outcome::Done);
        }
        assert_eq!(accepted, unit.accepted());
        let verdict =
            Verdict { number: accepted, cause: unit.error().map_or(0, |cause| cause as u32), address: 0 };
        let state = State { external, scratchpad: unit.scratchpad, accumulators: unit.accumulators };
        (state, verdict)
    }

    /// What is wrong, if anything is.
    fn check(&self, bench: &mut Bench, records: &[Record]) -> Result<Verdict, String> {
        bench.begin(&self.start, self.stall);
        self.runs_on(bench, records)
    }

    /// What is wrong, if anything is, in a unit that has the list's memories.
    fn runs_on(&self, bench: &mut Bench, records: &[Record]) -> Result<Verdict, String> {
        let (expected, verdict) = self.expected(bench.sizes, records);
        let found = bench.run(records)?;
        if found != verdict {
            return Err(format!("the unit says {found:?}, and the model {verdict:?}"));
        }
        bench.state().difference(&expected).map_or(Ok(verdict), Err)
    }

    /// The list without all commands that can be left out so that it still fails.
    fn shrunk(&self, bench: &mut Bench) -> Vec<Record> {
        let mut records = self.records.clone();
        let mut part = records.len().next_power_of_two();
        while part > 0 {
            let mut at = 0;
            while at < records.len() {
                let mut fewer = records.clone();
                fewer.drain(at..(at + part).min(records.len()));
                match self.check(bench, &fewer) {
                    Ok(_) => at += part,
                    Err(_) => records = fewer,
                }
            }
            part /= 2;
        }
        records
    }
}

fn native(sizes: [u32; 5]) -> Bench {
    let engine = |design: &_| -> Box<dyn Simulator> {
        Box::new(Native::new(design, &NativeOptions::default()).unwrap())
    };
    Bench::on(&system(sizes), engine)
}

/// On Verilator, if it is there.
fn verilated(sizes: [u32; 5]) -> Option<Bench> {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("verilator");
    let options = VerilatorOptions { fast_build: true, cache: Some(cache), ..VerilatorOptions::default() };
    let mut missing = false;
    let bench = Bench::on(&system(sizes), |design| match Verilator::new(design, &options) {
        Ok(verilator) => Box::new(verilator),
        Err(error @ VerilatorError::Missing { .. })
            if std::env::var_os("FERRITE_REQUIRE_TOOLS").is_none() =>
        {
            eprintln!("SKIPPED: {error}");
            missing = true;
            Box::new(ferrite_sim::Interpreter::new(design))
        }
        Err(error) => panic!("{error}"),
    });
    (!missing).then_some(bench)
}

/// Runs lists of so many commands. Gives how many were accepted of each code, and how many were refused for each cause.
fn runs_as_the_model(bench: &mut Bench, seed: u64, commands: usize) -> ([u32; CODES], [u32; 5]) {
    let (mut given, mut accepted, mut causes) = (0, [0; CODES], [0; 5]);
    for seed in seed.. {
        let list = List::random(bench.sizes, seed);
        match list.check(bench, &list.records) {
            Ok(verdict) => {
                for record in &list.records[..verdict.number as usize] {
                    accepted[record[0] as usize - 1] += 1;
                }
                causes[verdict.cause as usize] += 1;
            }
            Err(what) => {
                let shrunk = list.shrunk(bench);
                let still = list.check(bench, &shrunk).expect_err("it was wrong before");
                let told: Vec<String> = shrunk
                    .iter()
                    .map(|record| {
                        format!("{:?}\n    {record:#x?}", bench.sizes.judge(record)).replace(",\n    ", ", ")
                    })
                    .collect();
                panic!(
                    "{:?}, seed {seed}, stall {:?}: {what}\nof these commands alone: {still}\n{}",
                    bench.sizes,
                    list.stall,
                    told.join("\n")
                );
            }
        }
        given += list.records.len();
        if given >= commands {
            break;
        }
    }
    (accepted, causes)
}

#[test]
fn random_lists_do_what_the_model_does() {
    let mut all = 0;
    for (k, sizes) in (1u64..).zip(SIZES) {
        let made = std::time::Instant::now();
        let mut bench = native(sizes);
        let began = std::time::Instant::now();
        let (accepted, causes) = runs_as_the_model(&mut bench, k << 32, COMMANDS);
        println!(
            "{sizes:?}: {accepted:?} accepted, refused {:?}, {} cycles, {:.1} s, and {:.1} s to make it",
            &causes[1..],
            bench.cycles,
            began.elapsed().as_secs_f64(),
            (began - made).as_secs_f64()
        );
        assert!(accepted.iter().all(|&of_code| of_code >= 100), "{sizes:?}: {accepted:?}");
        all += accepted.iter().sum::<u32>();
    }
    assert!(all >= 20_000, "{all} were accepted");
}

#[test]
fn random_lists_do_what_the_model_does_on_verilator() {
    for (k, sizes) in (1u64..).zip([SIZES[0], SIZES[1]]) {
        if let Some(mut bench) = verilated(sizes) {
            runs_as_the_model(&mut bench, 100 + k, 400);
        }
    }
}

#[test]
fn a_walk_that_leaves_the_largest_image_does_not_come_back_into_it() {
    let mut bench = native([8, 8, 4 << 10, 1024, 64]);
    let start = State::random(&bench.sizes, &mut Random::new(1));
    let columns = 1024;
    // The coordinates of the last columns are the first ones' and 2^17.
    let convolve = Convolve {
        act: 0,
        weights: 64,
        accumulators: 0,
        accumulate: false,
        zero_point: 3,
        out: [columns, 1],
        in_tiles: 1,
        out_tiles: 1,
        kernel: [1, 1],
        image: [65535, 1],
        first: [0, 0],
        stride: [255, 1],
        dilation: [1, 1],
        pixel_step: 0,
        line_step: 0,
        in_tile_step: 0,
    };
    let list = List { start, stall: None, records: vec![convolve.record()] };
    let verdict = list.check(&mut bench, &list.records).unwrap_or_else(|what| panic!("{what}"));
    assert_eq!(verdict, Verdict { number: 1, cause: 0, address: 0 });
}
