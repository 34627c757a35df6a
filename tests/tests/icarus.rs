//! The emitted chip in a simulator that knows nothing of Ferrite: the files of `ferrite gen`, a testbench in Verilog, Icarus.

use std::fmt::Write;
use std::fs;
use std::process::Command;

use ferrite_gen::atomic::OutputFolder;
use ferrite_gen::output::write_chip;
use ferrite_gen::run::target;
use ferrite_hw::map::{EXTERNAL_BASE, RAM_BASE};
use ferrite_nn::{compile, reference, tflite};
use ferrite_tests::bench::{emitted, small_chip};
use ferrite_tests::files::microflow;
use ferrite_tests::tools::have;

/// Resets the chip with a memory at its port, waits for its exit and prints the exit code and a byte of the memory.
const BENCH: &str = r#"
module bench;
    reg clk = 0, rst = 1;
    wire exit_valid;
    wire [15:0] exit_code;

    wire arvalid, rready, awvalid, wvalid, wlast, bready;
    wire [2:0] arid, awid;
    wire [31:0] araddr, awaddr;
    wire [7:0] arlen, awlen;
    wire [127:0] wdata;
    wire [15:0] wstrb;
    reg [127:0] memory [0:65535];
    reg reading = 0, writing = 0, answering = 0;
    reg [2:0] rid, bid;
    reg [27:0] from, to;
    reg [7:0] left;
    integer k;

    ferrite chip (.clk(clk), .rst(rst), .uart_rx(1'b1), .exit_valid(exit_valid), .exit_code(exit_code),
        .external_arvalid(arvalid), .external_arready(!reading), .external_arid(arid), .external_araddr(araddr),
        .external_arlen(arlen), .external_rvalid(reading), .external_rready(rready), .external_rid(rid),
        .external_rdata(memory[from[15:0]]), .external_rresp(2'b00), .external_rlast(left == 0),
        .external_awvalid(awvalid), .external_awready(!writing && !answering), .external_awid(awid),
        .external_awaddr(awaddr), .external_awlen(awlen), .external_wvalid(wvalid), .external_wready(writing),
        .external_wdata(wdata), .external_wstrb(wstrb), .external_wlast(wlast), .external_bvalid(answering),
        .external_bready(bready), .external_bid(bid), .external_bresp(2'b00));

    always @(posedge clk) begin
        if (arvalid && !reading) begin
            reading <= 1;
            rid <= arid;
            from <= araddr[31:4];
            left <= arlen;
        end
        if (reading && rready) begin
            from <= from + 1;
            left <= left - 1;
            if (left == 0) reading <= 0;
        end
        if (awvalid && !writing && !answering) begin
            writing <= 1;
            bid <= awid;
            to <= awaddr[31:4];
        end
        if (wvalid && writing) begin
            for (k = 0; k < 16; k = k + 1) if (wstrb[k]) memory[to[15:0]][8 * k +: 8] <= wdata[8 * k +: 8];
            to <= to + 1;
            if (wlast) begin
                writing <= 0;
                answering <= 1;
            end
        end
        if (answering && bready) answering <= 0;
    end

    always #5 clk = !clk;
    initial begin
        $readmemh("ram.hex", chip.ram.words);
        $readmemh("external.hex", memory);
        @(negedge clk) rst = 0;
        @(posedge exit_valid) $display("%0d %h", exit_code, memory[`BYTE / 16][8 * (`BYTE % 16) +: 8]);
        $finish;
    end
    initial begin
        #1000000 $display("no exit");
        $finish;
    end
endmodule
"#;

/// An image as `$readmemh` reads it.
fn hex(bytes: &[u8], word_bytes: usize) -> String {
    let mut text = String::new();
    for word in bytes.chunks(word_bytes) {
        let digits: String = word.iter().rev().map(|byte| format!("{byte:02x}")).collect();
        writeln!(text, "{digits}").unwrap();
    }
    text
}

#[test]
fn sine_runs_on_the_generated_files_in_icarus() {
    if !have(&["iverilog", "vvp"]) {
        return;
    }
    let network = tflite::read(&fs::read(microflow("sine.tflite")).unwrap()).unwrap();
    let chip = small_chip();
    let mut program = compile(&network, &target(&chip).unwrap()).unwrap();
    assert_eq!((program.ram.base, program.external.base), (RAM_BASE, EXTERNAL_BASE));
    let input = (program.input.region.address - EXTERNAL_BASE) as usize;
    let external = &mut program.external.bytes;
    external.resize(external.len().max(input + 1), 0);
    external[input] = 0x40;

    let folder = tempfile::tempdir().unwrap();
    let written = OutputFolder::create(&folder.path().join("chip")).unwrap();
    let design = emitted(&chip);
    write_chip(&written, &chip, &design, &Default::default()).unwrap();
    written.commit().unwrap();
    let rtl = folder.path().join("chip/rtl");
    fs::write(rtl.join("ram.hex"), hex(&program.ram.bytes, 4)).unwrap();
    fs::write(rtl.join("external.hex"), hex(&program.external.bytes, 16)).unwrap();
    fs::write(rtl.join("bench.v"), BENCH).unwrap();

    let byte = format!("-DBYTE={}", program.output.region.address - EXTERNAL_BASE);
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
        run("iverilog", &[&["-g2005", "-s", "bench", "-o", "bench.vvp", &byte, extra], &files[..]].concat());
        let said = run("vvp", &["-n", "bench.vvp"]);
        let last = said.lines().find(|line| !line.starts_with("WARNING")).unwrap_or("");
        let (code, word) = last.split_once(' ').unwrap_or_else(|| panic!("{said}"));
        let output = u32::from_str_radix(word, 16).unwrap_or_else(|_| panic!("{said}")) as u8 as i8;
        assert_eq!((code, output), ("0", expected), "{extra}: {said}");
    }
}
