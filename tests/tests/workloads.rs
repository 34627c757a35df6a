//! What `make bench` runs does what it is for, and all engines agree on it.

use ferrite_gen::elf;
use ferrite_hw::config::ChipConfig;
use ferrite_hw::map::RAM_BASE;
use ferrite_sim::{Native, NativeOptions, Verilator, VerilatorOptions};
use ferrite_tests::bench::design;
use ferrite_tests::files;
use ferrite_tests::tools::have;
use ferrite_tests::workloads::{Board, asleep, core_only, gemm, idle};

fn native(program: &[u8], options: &NativeOptions) -> Board {
    let engine = Native::new(&design(&ChipConfig::default()), options);
    Board::new(Box::new(engine.unwrap_or_else(|error| panic!("{error}"))), program)
}

fn default_gemm() -> Vec<u8> {
    gemm(&ChipConfig::default().tensor.expect("the default chip has a tensor unit"))
}

#[test]
fn all_workloads_bring_native_and_verilator_to_one_state_whether_idle_parts_sleep_or_not() {
    for program in [idle(), asleep(), core_only(), default_gemm()] {
        let mut board = native(&program, &NativeOptions::default());
        board.run(50_000);
        let mut sleepless =
            native(&program, &NativeOptions { never_sleep: true, ..NativeOptions::default() });
        sleepless.run(50_000);
        assert_eq!(board.difference(&mut sleepless), None);
        if !have(&["verilator", "g++"]) {
            continue;
        }
        let engine = Verilator::new(&design(&ChipConfig::default()), &VerilatorOptions::default());
        let mut verilated = Board::new(Box::new(engine.unwrap_or_else(|error| panic!("{error}"))), &program);
        verilated.run(50_000);
        assert_eq!(board.difference(&mut verilated), None);
    }
}

#[test]
fn a_difference_between_two_chips_is_found() {
    let mut board = native(&core_only(), &NativeOptions::default());
    let mut ahead = native(&core_only(), &NativeOptions::default());
    ahead.run(1000);
    board.run(999);
    assert!(board.difference(&mut ahead).is_some());
    board.run(1);
    assert_eq!(board.difference(&mut ahead), None);
}

#[test]
fn the_core_has_work_and_the_tensor_unit_none_in_the_core_only_workload() {
    let mut board = native(&core_only(), &NativeOptions::default());
    board.run(50_000);
    assert!(board.retired() > 25_000, "{}", board.retired());
    assert_eq!(board.macs(), Some(0));
}

#[test]
fn the_array_multiplies_in_nine_of_ten_cycles_of_the_gemm() {
    let mut board = native(&default_gemm(), &NativeOptions::default());
    board.run(50_000);
    let before = board.macs().expect("the native engine shows every signal");
    board.run(100_000);
    let macs = board.macs().expect("the native engine shows every signal") - before;
    assert!(macs > 90 * 100_000 * 256 / 100, "{macs}");
}

#[test]
fn a_workload_as_an_elf_file_is_loaded_to_where_the_board_puts_it() {
    let program = core_only();
    let loaded = elf::parse(&files::elf(&program), &ChipConfig::default()).expect("an ELF file");
    assert_eq!(loaded.entry, RAM_BASE);
    let segments: Vec<_> =
        loaded.segments.into_iter().map(|segment| (segment.address, segment.bytes)).collect();
    assert_eq!(segments, [(RAM_BASE, program)]);
}
