//! The C functions of the tensor unit on the golden machine: products and convolutions of many shapes, on chips of many sizes.
//!
//! Without the tools a test says that it is skipped; with `FERRITE_REQUIRE_TOOLS=1` in the environment it fails.

use std::fs;

use ferrite_gen::elf;
use ferrite_gen::run::golden;
use ferrite_hw::config::ChipConfig;
use ferrite_model::iss::Exit;
use ferrite_tests::tools::{GCC, have, make};
use tempfile::TempDir;

/// Far more than any program here needs.
const MOST_INSTRUCTIONS: u64 = 4_000_000_000;

/// Builds a program for a chip, runs it on the chip's golden machine, and gives what it printed.
fn run(chip: &ChipConfig, sources: &str, name: &str, defines: &str) -> String {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("ferrite.h"), ferrite_gen::header::header(chip)).unwrap();
    fs::write(folder.path().join("ferrite.ld"), ferrite_gen::linker::linker_script(chip)).unwrap();
    fs::write(folder.path().join("chip.mk"), ferrite_gen::march::compiler_options(chip)).unwrap();
    let file = format!("{name}.elf");
    let arguments = [
        file.as_str(),
        &format!("CHIP={}", folder.path().display()),
        &format!("SOURCES={sources}"),
        &format!("CPPFLAGS=-I{} -Iinclude {defines}", folder.path().display()),
    ];
    let made = make(folder.path(), &arguments);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let loaded = elf::load(&folder.path().join(&file), chip).unwrap();
    let mut iss = golden(chip);
    for segment in &loaded.segments {
        iss.bus.write_memory(segment.address, &segment.bytes).unwrap();
    }
    let exit = iss.run(MOST_INSTRUCTIONS);
    let printed = String::from_utf8_lossy(&iss.bus.uart).into_owned();
    assert_eq!(exit, Exit::Code(0), "{printed}");
    printed
}

/// Array, scratchpad and accumulators.
fn chip([rows, cols, scratchpad_bytes, acc_rows]: [u32; 4]) -> ChipConfig {
    let mut chip = ChipConfig::default();
    let tensor = chip.tensor.get_or_insert_default();
    (tensor.rows, tensor.cols, tensor.scratchpad_bytes, tensor.acc_rows) =
        (rows, cols, scratchpad_bytes, acc_rows);
    chip
}

#[test]
fn products_and_convolutions_of_many_shapes_equal_those_of_plain_c() {
    if !have(&[GCC]) {
        return;
    }
    let sizes = [
        [16, 16, 128 << 10, 1024],
        [4, 4, 4 << 10, 16],
        [32, 32, 4 << 10, 16],
        [4, 32, 8 << 10, 64],
        [32, 8, 16 << 10, 32],
        [8, 8, 64 << 10, 1024],
    ];
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/programs");
    for (seed, size) in (1..).zip(sizes) {
        let printed = run(&chip(size), sources, "shapes", &format!("-DROUNDS=20 -DSEED={seed}"));
        assert_eq!(printed, "20 rounds, 0 wrong\n", "{size:?}");
    }
}

#[test]
fn the_examples_of_the_tensor_unit_run_on_the_golden_machine() {
    if !have(&[GCC]) {
        return;
    }
    for size in [[16, 16, 128 << 10, 1024], [4, 4, 4 << 10, 16], [32, 8, 16 << 10, 32]] {
        let chip = chip(size);
        assert!(run(&chip, "examples", "matmul", "").contains(": 0 of "), "{size:?}");
        let printed = run(&chip, "examples", "conv", "");
        assert!(printed.starts_with("6 x 7 x 5 to ") && printed.contains(": 0 of "), "{size:?}: {printed}");
    }
}
