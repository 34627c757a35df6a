//! Parts of the way from a chip's description to its cycles, each for itself. `make bench` calls it; `cargo bench --bench parts -- NAME` runs those with
//! a name.

use divan::{Bencher, counter::ItemsCount};
use ferrite_gen::elf;
use ferrite_gen::run::target;
use ferrite_hdl::verilog::{EmitOptions, emit};
use ferrite_hw::config::ChipConfig;
use ferrite_nn::{compile, tflite};
use ferrite_sim::{FstOptions, FstRecorder, Interpreter, KeptSignals, Native, NativeOptions};
use ferrite_tests::bench::design;
use ferrite_tests::files;
use ferrite_tests::workloads::{Board, core_only, gemm};

/// Cycles before anything is measured: more than a GEMM takes to fill the scratchpad.
const FIRST_CYCLES: u64 = 100_000;
/// Cycles of one sample, compiled and interpreted.
const CYCLES: u64 = 20_000;
const INTERPRETED_CYCLES: u64 = 100;

fn main() {
    divan::main();
}

fn square(size: u32) -> ChipConfig {
    let mut chip = ChipConfig::default();
    let tensor = chip.tensor.get_or_insert_default();
    (tensor.rows, tensor.cols) = (size, size);
    chip
}

fn program(workload: &str) -> Vec<u8> {
    match workload {
        "core only" => core_only(),
        _ => gemm(&ChipConfig::default().tensor.unwrap_or_default()),
    }
}

fn native(workload: &str, signals: KeptSignals) -> Board {
    let options = NativeOptions { signals, ..NativeOptions::default() };
    let engine = Native::new(&design(&ChipConfig::default()), &options);
    let mut board =
        Board::new(Box::new(engine.unwrap_or_else(|error| panic!("{error}"))), &program(workload));
    board.run(FIRST_CYCLES);
    board
}

#[divan::bench(args = [4, 8, 16, 32], sample_count = 20)]
fn elaboration(bencher: Bencher, size: u32) {
    let chip = square(size);
    bencher.bench(|| design(&chip));
}

#[divan::bench(sample_count = 20)]
fn verilog_emission(bencher: Bencher) {
    let design = design(&ChipConfig::default());
    bencher.bench(|| emit(&design, &EmitOptions::default()));
}

#[divan::bench(args = [4, 8, 16, 32], sample_count = 20)]
fn native_compilation(bencher: Bencher, size: u32) {
    let design = design(&square(size));
    let nodes = ItemsCount::new(design.flat.nodes.len());
    bencher.counter(nodes).bench(|| Native::new(&design, &NativeOptions::default()));
}

#[divan::bench(args = ["core only", "GEMM"], sample_count = 50)]
fn native_cycles(bencher: Bencher, workload: &str) {
    let mut board = native(workload, KeptSignals::Needed);
    bencher.counter(ItemsCount::new(CYCLES)).bench_local(|| board.run(CYCLES));
}

#[divan::bench(args = ["core only", "GEMM"], sample_count = 50)]
fn native_cycles_with_all_signals(bencher: Bencher, workload: &str) {
    let mut board = native(workload, KeptSignals::All);
    bencher.counter(ItemsCount::new(CYCLES)).bench_local(|| board.run(CYCLES));
}

#[divan::bench(sample_count = 20)]
fn interpreter_cycles(bencher: Bencher) {
    let engine = Interpreter::new(&design(&ChipConfig::default()));
    let mut board = Board::new(Box::new(engine), &core_only());
    bencher.counter(ItemsCount::new(INTERPRETED_CYCLES)).bench_local(|| board.run(INTERPRETED_CYCLES));
}

/// Cycles and their waveforms of all scopes.
#[divan::bench(args = ["core only", "GEMM"], sample_count = 20, sample_size = 1)]
fn recorded_cycles(bencher: Bencher, workload: &str) {
    const CYCLES: u64 = 1000;
    let folder = tempfile::tempdir().expect("a scratch folder");
    let mut board = native(workload, KeptSignals::All);
    let recorder =
        FstRecorder::create(folder.path().join("waves.fst"), board.engine.flat(), &FstOptions::default());
    let mut recorder = recorder.unwrap_or_else(|error| panic!("{error}"));
    bencher.counter(ItemsCount::new(CYCLES)).bench_local(|| {
        for _ in 0..CYCLES {
            recorder.sample(&mut *board.engine, &[0]).unwrap_or_else(|error| panic!("{error}"));
            board.run(1);
        }
    });
}

#[divan::bench]
fn elf_loading(bencher: Bencher) {
    let (file, chip) = (files::elf(&core_only()), ChipConfig::default());
    bencher.bench(|| elf::parse(&file, &chip).expect("a program"));
}

/// `sine.tflite`: read, and compiled for the chip.
#[divan::bench]
fn network_compilation(bencher: Bencher) {
    let file = std::fs::read(files::microflow("sine.tflite")).expect("the crate carries it");
    let target = target(&ChipConfig::default()).expect("the chip has a tensor unit");
    bencher.bench(|| {
        let network = tflite::read(&file).expect("a network");
        compile(&network, &target).expect("it fits the chip")
    });
}
