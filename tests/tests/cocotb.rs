//! AXI ports of the emitted Verilog against the models of cocotbext-axi, which nobody here has written.

use std::process::Command;

use ferrite_tests::cocotb::{Cocotb, sources};
use ferrite_tests::tools::have;

/// Tests in `tests/cocotb/axi.py`.
const TESTS: usize = 4;

#[test]
fn the_axi_ports_work_with_somebody_elses_models() {
    let Some(cocotb) = Cocotb::find() else { return };
    if !have(&["iverilog", "vvp"]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let names = sources(folder.path());
    let mut compiler = Command::new("iverilog");
    let compiled =
        compiler.current_dir(folder.path()).args(["-g2005-sv", "-s", "top", "-o", "sim.vvp"]).args(&names);
    let compiled = compiled.output().expect("iverilog starts");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));

    let (output, results) = cocotb.run(folder.path(), "top", "axi", 1);
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert_eq!(results.matches("<testcase ").count(), TESTS, "{said}");
    assert!(!results.contains("<failure") && !results.contains("<error"), "{said}\n{results}");
}
