//! The programs of `sw/`, built with GCC: on the chip in lockstep with the golden machine, and on QEMU, they do what they say.
//!
//! Without the tools a test says that it is skipped; with `FERRITE_REQUIRE_TOOLS=1` in the environment it fails.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use ferrite_gen::elf;
use ferrite_hw::config::ChipConfig;
use ferrite_hw::map::MemoryMap;
use ferrite_model::iss::Exit;
use ferrite_tests::bench::{
    ARRAYS, CORES, chip_with_array, chip_with_core, in_lockstep, on_native, run_everywhere,
};
use ferrite_tests::tools::{GCC, examples, have, make};
use proptest::prelude::*;
use tempfile::TempDir;

const QEMU: &str = "qemu-system-riscv32";

fn assert_success(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Builds a C program that is not among the examples.
fn build(source: &str) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    let file = folder.path().join("src/program.c");
    fs::write(&file, source).unwrap();
    let arguments = ["program.elf", &format!("SOURCES={}", folder.path().join("src").display())];
    assert_success(&make(folder.path(), &arguments));
    let program = folder.path().join("program.elf");
    (folder, program)
}

/// Builds an example for another chip than the default one.
fn built_for(chip: &ChipConfig, example: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("ferrite.h"), ferrite_gen::header::header(chip)).unwrap();
    fs::write(folder.path().join("ferrite.ld"), ferrite_gen::linker::linker_script(chip)).unwrap();
    fs::write(folder.path().join("chip.mk"), ferrite_gen::march::compiler_options(chip)).unwrap();
    let chip_folder = format!("CHIP={}", folder.path().display());
    assert_success(&make(folder.path(), &[example, &chip_folder]));
    folder
}

/// How a program ended and what it printed.
#[derive(Debug, PartialEq, Eq)]
struct Ran {
    exit: Exit,
    output: String,
}

/// Runs a program on the default chip.
fn on_the_chip(program: &Path) -> Ran {
    on_a_chip(&ChipConfig::default(), program)
}

/// Runs a program on a chip, every instruction compared with the golden machine, on the native engine and on Verilator.
fn on_a_chip(config: &ChipConfig, program: &Path) -> Ran {
    let loaded = elf::load(program, config).unwrap();
    let segments: Vec<(u32, &[u8])> =
        loaded.segments.iter().map(|segment| (segment.address, segment.bytes.as_slice())).collect();
    let finished = run_everywhere(config, &segments);
    Ran { exit: Exit::Code(finished.ended.exit_code), output: finished.printed }
}

/// Runs a program on QEMU, at most half a minute.
fn on_qemu(program: &Path) -> Ran {
    let mut qemu = Command::new(QEMU)
        .args(["-M", "virt", "-bios", "none", "-nographic", "-kernel"])
        .arg(program)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let end = Instant::now() + Duration::from_secs(30);
    while qemu.try_wait().unwrap().is_none() {
        if Instant::now() > end {
            qemu.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = qemu.wait_with_output().unwrap();
    let exit = output.status.code().map_or(Exit::OutOfBudget, |code| Exit::Code(code as u32));
    Ran { exit, output: String::from_utf8(output.stdout).unwrap() }
}

fn ran(code: u32, output: &str) -> Ran {
    Ran { exit: Exit::Code(code), output: output.to_string() }
}

const HELLO: &str = "Hello from Ferrite!\n";
const TIMER: &str = "5 timer interrupts, on time\n";
const ECHO: &str = "Received by interrupts.\n";

#[test]
fn the_examples_without_tensor_unit_run_on_the_chip() {
    if have(&[GCC]) {
        assert_eq!(on_the_chip(&examples().join("hello.elf")), ran(0, HELLO));
        assert_eq!(on_the_chip(&examples().join("timer.elf")), ran(0, TIMER));
        assert_eq!(on_the_chip(&examples().join("echo.elf")), ran(0, ECHO));
    }
}

#[test]
fn the_examples_without_tensor_unit_run_on_qemu() {
    if have(&[GCC, QEMU]) {
        assert_eq!(on_qemu(&examples().join("hello.elf")), ran(0, HELLO));
        assert_eq!(on_qemu(&examples().join("timer.elf")), ran(0, TIMER));
        assert_eq!(on_qemu(&examples().join("echo.elf")), ran(0, ECHO));
    }
}

#[test]
fn the_tensor_unit_multiplies_as_c_does() {
    if have(&[GCC]) {
        let Ran { exit, output } = on_the_chip(&examples().join("matmul.elf"));
        assert_eq!(exit, Exit::Code(0), "{output}");
        assert!(output.starts_with("24 x 32 x 32: 0 of 768 results differ\n24576 MACs;"), "{output}");
    }
}

#[test]
fn the_tensor_unit_convolves_as_c_does_and_wakes_the_core_when_it_is_done() {
    if have(&[GCC]) {
        let Ran { exit, output } = on_the_chip(&examples().join("conv.elf"));
        assert_eq!(exit, Exit::Code(0), "{output}");
        assert!(output.contains(": 0 of "), "{output}");
    }
}

#[test]
fn the_same_source_runs_on_chips_of_other_sizes() {
    if !have(&[GCC]) {
        return;
    }
    // The default array is the other tests', and the largest is slow on a Verilator that was built in haste.
    for (rows, cols) in &ARRAYS[..3] {
        let chip = chip_with_array(*rows, *cols);
        let folder = built_for(&chip, "matmul.elf");
        let Ran { exit, output } = on_a_chip(&chip, &folder.path().join("matmul.elf"));
        assert_eq!(exit, Exit::Code(0), "{rows} x {cols}: {output}");
    }
}

#[test]
fn the_same_source_runs_on_chips_with_other_cores() {
    if !have(&[GCC]) {
        return;
    }
    for core in CORES {
        let chip = chip_with_core(core);
        for (name, said) in [("timer.elf", TIMER), ("matmul.elf", "24 x 8 x 8: 0 of 192 results differ\n")] {
            let folder = built_for(&chip, name);
            let loaded = elf::load(&folder.path().join(name), &chip).unwrap();
            assert_eq!(loaded.lacking, [""; 0], "{core}");
            let segments: Vec<(u32, &[u8])> =
                loaded.segments.iter().map(|segment| (segment.address, segment.bytes.as_slice())).collect();
            let finished = in_lockstep(&chip, &mut on_native(&chip), &segments);
            let finished = finished.unwrap_or_else(|error| panic!("{name} with {core}: {error}"));
            assert_eq!(finished.ended.exit_code, 0, "{name} with {core}: {}", finished.printed);
            assert!(finished.printed.starts_with(said), "{name} with {core}: {}", finished.printed);
        }
    }
}

#[test]
fn the_small_core_is_the_same_on_every_engine() {
    if !have(&[GCC]) {
        return;
    }
    let chip = chip_with_core("core.preset=small");
    let folder = built_for(&chip, "timer.elf");
    assert_eq!(on_a_chip(&chip, &folder.path().join("timer.elf")), ran(0, TIMER));
}

#[test]
fn a_program_ends_with_its_exit_code_everywhere() {
    if !have(&[GCC, QEMU]) {
        return;
    }
    let (_folder, program) = build("#include <stdlib.h>\nint main(void) { exit(42); }\n");
    assert_eq!(on_the_chip(&program), ran(42, ""));
    assert_eq!(on_qemu(&program), ran(42, ""));
}

#[test]
fn start_up_zeroes_and_initialises_data_and_runs_constructors() {
    if !have(&[GCC, QEMU]) {
        return;
    }
    let (_folder, program) = build(
        "#include <errno.h>\n#include <stdio.h>\n\
         static int zeroed[1000]; static int data = 7; static _Thread_local int local = 3; static int made;\n\
         static _Thread_local int zeroed_local;\n\
         __attribute__((constructor)) static void make(void) { made = 5; }\n\
         int main(void) {\n\
           int sum = 0;\n\
           for (int i = 0; i < 1000; i++) sum += zeroed[i];\n\
           errno = 9;\n\
           printf(\"%d %d %d %d %d %d\\n\", sum, data, local, zeroed_local, made, errno);\n\
           return 0;\n\
         }\n",
    );
    let expected = ran(0, "0 7 3 0 5 9\n");
    assert_eq!(on_the_chip(&program), expected);
    assert_eq!(on_qemu(&program), expected);
}

#[test]
fn a_trap_without_handler_is_reported_and_ends_the_program() {
    if !have(&[GCC, QEMU]) {
        return;
    }
    let (_folder, program) = build("int main(void) { return *(volatile int *)0x90000; }\n");
    for Ran { exit, output } in [on_the_chip(&program), on_qemu(&program)] {
        // Load access fault is cause 5: RISC-V Privileged 20211203, table 3.6.
        assert_eq!(exit, Exit::Code(128 + 5), "{output}");
        assert!(output.starts_with("trap: load access fault (mcause 0x00000005) at pc 0x800"), "{output}");
        assert!(output.ends_with("mtval 0x00090000\n"), "{output}");
    }
}

#[test]
fn a_program_can_take_exceptions_itself_with_its_registers_kept() {
    if !have(&[GCC, QEMU]) {
        return;
    }
    let (_folder, program) = build(
        "#include <stdint.h>\n#include \"ferrite_runtime.h\"\n\
         static uint32_t cause;\n\
         void ferrite_exception(struct ferrite_trap_frame *frame) { cause = frame->mcause; frame->mepc += 4; }\n\
         int main(void) {\n\
           uint32_t a = 1, b = 2, c = 3, d = 4;\n\
           __asm__ volatile(\"mv t0, %0; mv t6, %1; mv a0, %2; mv a7, %3; ecall; mv %0, t0; mv %1, t6; mv %2, a0; mv %3, a7\"\n\
             : \"+r\"(a), \"+r\"(b), \"+r\"(c), \"+r\"(d) :: \"t0\", \"t6\", \"a0\", \"a7\", \"memory\");\n\
           return cause == 11 && a == 1 && b == 2 && c == 3 && d == 4 ? 0 : 1;\n\
         }\n",
    );
    assert_eq!(on_the_chip(&program), ran(0, ""));
    assert_eq!(on_qemu(&program), ran(0, ""));
}

#[test]
fn a_program_too_large_for_the_ram_is_refused_by_the_linker_with_what_to_do() {
    if !have(&[GCC]) {
        return;
    }
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("program.c"), "char big[520000];\nint main(void) { return big[1]; }\n")
        .unwrap();
    let sources = format!("SOURCES={}", folder.path().display());
    let output = make(folder.path(), &["program.elf", &sources]);
    assert!(!output.status.success());
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(
        message.contains("do not fit into the RAM (524288 bytes); set soc.ram_bytes higher"),
        "{message}"
    );
}

#[test]
fn a_damaged_program_of_the_compiler_is_read_or_refused_within_the_ram() {
    if !have(&[GCC]) {
        return;
    }
    let whole = fs::read(examples().join("hello.elf")).unwrap();
    let map = MemoryMap::of(&ChipConfig::default());
    // Headers are at both ends of the file: distances from its start or, negative, from its end.
    let damage = proptest::collection::vec((-600_i64..200, any::<u8>()), 1..6);
    let length = proptest::option::of(any::<proptest::sample::Index>());
    proptest!(ProptestConfig::with_cases(1000), |(damage in damage, length in length)| {
        let mut file = whole.clone();
        for (distance, byte) in damage {
            let at = distance.rem_euclid(file.len() as i64) as usize;
            file[at] = byte;
        }
        file.truncate(length.map_or(file.len(), |length| length.index(file.len())));
        if let Ok(loaded) = elf::parse(&file, &ChipConfig::default()) {
            let total: usize = loaded.segments.iter().map(|segment| segment.bytes.len()).sum();
            prop_assert!(total <= map.ram().size as usize);
            prop_assert!(loaded.segments.iter().all(|segment| map.ram().contains(segment.address)));
        }
    });
}
