//! The emitted chip in a simulator that knows nothing of Ferrite: the files of `ferrite gen`, a testbench in Verilog, Icarus.

use std::fmt::Write;
use std::fs;
use std::process::Command;

use ferrite_gen::atomic::OutputFolder;
use ferrite_gen::output::write_chip;
use ferrite_gen::run::target;
use ferrite_hw::map::RAM_BASE;
use ferrite_nn::{compile, reference, tflite};
use ferrite_tests::bench::{design, small_chip};
use ferrite_tests::files::microflow;
use ferrite_tests::tools::have;

/// Resets the chip, waits for its exit and prints the exit code and one word of the RAM.
const BENCH: &str = r#"
module bench;
    reg clk = 0, rst = 1;
    wire exit_valid;
    wire [15:0] exit_code;
    ferrite chip (.clk(clk), .rst(rst), .exit_valid(exit_valid), .exit_code(exit_code));
    always #5 clk = !clk;
    initial begin
        $readmemh("ram.hex", chip.ram.words);
        @(negedge clk) rst = 0;
        @(posedge exit_valid) $display("%0d %h", exit_code, chip.ram.words[`WORD]);
        $finish;
    end
    initial begin
        #1000000 $display("no exit");
        $finish;
    end
endmodule
"#;

#[test]
fn sine_runs_on_the_generated_files_in_icarus() {
    if !have(&["iverilog", "vvp"]) {
        return;
    }
    let network = tflite::read(&fs::read(microflow("sine.tflite")).unwrap()).unwrap();
    let chip = small_chip();
    let mut program = compile(&network, &target(&chip).unwrap()).unwrap();
    let input = (program.input.region.address - program.base) as usize;
    program.image[input] = 0x40;
    assert_eq!((program.base, program.output.region.address % 4), (RAM_BASE, 0));

    let folder = tempfile::tempdir().unwrap();
    let written = OutputFolder::create(&folder.path().join("chip")).unwrap();
    write_chip(&written, &chip, &design(&chip), &Default::default()).unwrap();
    written.commit().unwrap();
    let rtl = folder.path().join("chip/rtl");
    let mut image = String::new();
    for word in program.image.chunks(4) {
        let digits: String = word.iter().rev().map(|byte| format!("{byte:02x}")).collect();
        writeln!(image, "{digits}").unwrap();
    }
    fs::write(rtl.join("ram.hex"), image).unwrap();
    fs::write(rtl.join("bench.v"), BENCH).unwrap();

    let word = format!("-DWORD={}", (program.output.region.address - RAM_BASE) / 4);
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).current_dir(&rtl).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        said
    };
    let expected = reference::run(&network, &[0x40]).unwrap().pop().unwrap()[0];
    // As simulators read the files, and as synthesis does: what has no initial value is then unknown until it is written.
    for extra in ["-DAS_SIMULATED", "-DSYNTHESIS"] {
        let files = ["-c", "ferrite.f", "bench.v"];
        run("iverilog", &[&["-g2005", "-s", "bench", "-o", "bench.vvp", &word, extra], &files[..]].concat());
        let said = run("vvp", &["-n", "bench.vvp"]);
        let last = said.lines().find(|line| !line.starts_with("WARNING")).unwrap_or("");
        let (code, word) = last.split_once(' ').unwrap_or_else(|| panic!("{said}"));
        let output = u32::from_str_radix(word, 16).unwrap_or_else(|_| panic!("{said}")) as u8 as i8;
        assert_eq!((code, output), ("0", expected), "{extra}: {said}");
    }
}
