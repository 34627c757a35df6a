//! The copies of generated files that the repository keeps are those that the default chip gives.
//!
//! With `FERRITE_UPDATE=1` in the environment the tests write the files instead.

use std::fs;
use std::path::Path;

use ferrite_gen::header::header;
use ferrite_gen::linker::linker_script;
use ferrite_gen::march::compiler_options;
use ferrite_gen::registers::register_reference;
use ferrite_gen::svd::svd;
use ferrite_hw::config::ChipConfig;

/// Compares a file of the repository with what it should hold.
fn check_current(path: &str, expected: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    if std::env::var_os("FERRITE_UPDATE").is_some_and(|value| value == "1") {
        fs::write(&file, expected).unwrap();
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == expected,
        "{path} is out of date; run this test with FERRITE_UPDATE=1 and look at the difference"
    );
}

#[test]
fn the_c_header_of_the_default_chip_is_current() {
    check_current("sw/chip/ferrite.h", &header(&ChipConfig::default()));
}

#[test]
fn the_linker_script_of_the_default_chip_is_current() {
    check_current("sw/chip/ferrite.ld", &linker_script(&ChipConfig::default()));
}

#[test]
fn the_compiler_options_of_the_default_chip_are_current() {
    check_current("sw/chip/chip.mk", &compiler_options(&ChipConfig::default()));
}

#[test]
fn the_register_reference_is_current() {
    check_current("docs/registers.md", &register_reference(&ChipConfig::default()));
}

#[test]
fn a_chip_without_tensor_unit_has_no_sizes_of_it_in_its_header() {
    let text = header(&ChipConfig { tensor: None, ..ChipConfig::default() });
    assert!(text.contains("#define FERRITE_TENSOR_PRESENT 0\n"));
    assert!(!text.contains("FERRITE_TENSOR_ROWS"));
}

#[test]
fn devices_that_are_added_reach_every_file() {
    let mut chip = ChipConfig::default();
    (chip.soc.gpio_pins, chip.soc.user_bytes, chip.soc.flash_bytes) = (8, 64 << 10, 1 << 20);
    let text = header(&chip);
    for line in [
        "GPIO_BASE 0x10010000",
        "GPIO_INTERRUPT 12",
        "GPIO_OUT_ENABLE 0x10010008",
        "USER_BASE 0x40000000",
        "USER_SIZE 0x10000",
        "USER_INTERRUPT 13",
        "FLASH_BASE 0x20000000",
        "SOC_GPIO_PINS 8",
    ] {
        assert!(text.contains(&format!("#define FERRITE_{line}\n")), "{line}");
        assert!(
            !header(&ChipConfig::default()).contains(&format!("FERRITE_{line}\n")) || line.starts_with("SOC")
        );
    }
    assert!(linker_script(&chip).contains("  flash (rx) : ORIGIN = 0x20000000, LENGTH = 0x100000\n"));
    let text = svd(&chip);
    assert!(text.contains("<name>GPIO</name>\n        <value>12</value>"));
    assert!(!text.contains("<name>USER</name>"), "its registers are the user's");
    let text = register_reference(&chip);
    assert!(!text.contains("Not in this chip") && text.contains("## `gpio` at 0x10010000"));
    assert!(
        register_reference(&ChipConfig::default()).contains("| `gpio` | `0x10010000` | `soc.gpio_pins` |")
    );
}

#[test]
fn another_size_of_ram_reaches_the_header_and_the_linker_script() {
    let mut chip = ChipConfig::default();
    chip.soc.ram_bytes = 1 << 20;
    assert!(header(&chip).contains("#define FERRITE_RAM_SIZE 0x100000\n"));
    assert!(linker_script(&chip).contains("ORIGIN = 0x80000000, LENGTH = 0x100000\n"));
}

#[test]
fn external_memory_reaches_the_linker_script_if_there_is_any() {
    let mut chip = ChipConfig::default();
    chip.soc.external_bytes = 1 << 20;
    let script = linker_script(&chip);
    assert!(script.contains("  external (rw) : ORIGIN = 0xc0000000, LENGTH = 0x100000\n"));
    assert!(script.contains("  } >external :external\n"));
    (chip.soc.external_bytes, chip.tensor) = (0, None);
    assert!(!linker_script(&chip).contains("external"));
}
