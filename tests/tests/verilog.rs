//! The chip's Verilog, module by module: a change of one line of hardware shows as a small difference.

use std::process::Command;

use ferrite_hdl::verilog::{EmitOptions, emit};
use ferrite_tests::bench::{emitted, small_chip};
use ferrite_tests::tools::have;

#[test]
fn the_verilog_of_a_small_chip_is_as_reviewed() {
    for file in emit(&emitted(&small_chip()), &EmitOptions::default()).iter().filter(|file| file.is_source())
    {
        insta::assert_snapshot!(file.name.trim_end_matches(".v"), file.text);
    }
}

#[test]
fn yosys_finds_nothing_wrong_with_a_small_chip_with_all_devices_and_its_memories_are_block_ram() {
    if !have(&["yosys"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut chip = small_chip();
    chip.soc.ram_bytes = 16 << 10;
    (chip.soc.gpio_pins, chip.soc.user_bytes, chip.soc.flash_bytes) = (8, 64 << 10, 1 << 20);
    let mut sources = String::new();
    for file in emit(&emitted(&chip), &EmitOptions::default()) {
        std::fs::write(folder.path().join(&file.name), &file.text).unwrap();
        if file.is_source() {
            sources.push_str(&file.name);
            sources.push(' ');
        }
    }
    let script = format!(
        "read_verilog {sources}; synth_ecp5 -top ferrite; check -assert; select -assert-min 8 t:DP16KD"
    );
    let run = Command::new("yosys").args(["-q", "-p", &script]).current_dir(folder.path()).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success() && !said.contains("Warning"), "{said}");
}
