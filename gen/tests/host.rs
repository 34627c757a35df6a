//! Programs that talk to their host by `tohost` and `fromhost`, and leave a signature, as architecture tests do.

mod command;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use command::{ferrite, told};
use ferrite_tests::tools::{GCC, have};
use tempfile::TempDir;

/// Ends with the exit code in a0.
const END: &str = "
    slli a0, a0, 1
    ori a0, a0, 1
    la t0, tohost
1:  sw a0, 0(t0)
    sw zero, 4(t0)
    j 1b
";

const VARIABLES: &str = "
    .data
    .balign 64
    .globl tohost, fromhost
tohost: .dword 0
fromhost: .dword 0
";

/// A folder with `test.elf`, which begins at the start of the RAM; `None` without the compiler.
fn program(code: &str) -> Option<TempDir> {
    if !have(&[GCC]) {
        return None;
    }
    let folder = TempDir::new().unwrap();
    let source = format!(".globl _start\n_start:\n{code}\n{END}\n{VARIABLES}\n");
    fs::write(folder.path().join("test.S"), source).unwrap();
    let output = Command::new(GCC)
        .args(["-march=rv32im_zicsr", "-mabi=ilp32", "-nostdlib", "-nostartfiles", "-static"])
        .args(["-Wl,-n,--no-relax,-Ttext=0x80000000,-Tdata=0x80001000", "test.S", "-o", "test.elf"])
        .current_dir(folder.path())
        .output()
        .expect("the compiler starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(folder)
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    run_within(folder, &[&["--max-cycles", "20000"], arguments].concat())
}

fn run_within(folder: &Path, arguments: &[&str]) -> Output {
    ferrite(folder, &[&["run", "test.elf", "--set", "tensor.present=false"], arguments].concat())
}

/// The object that `--json` prints.
fn report(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {:?}", told(output)))
}

/// Computes two words between the symbols of a signature.
const SIGNATURE: &str = "
    la t1, begin_signature
    li t2, 0x1234abcd
    sw t2, 0(t1)
    li t2, 77
    sw t2, 8(t1)
    .data
    .globl begin_signature, end_signature
begin_signature: .word 0, 0xdeadbeef, 0
end_signature: .word 5
    .text
";

#[test]
fn a_program_ends_by_tohost_with_its_exit_code() {
    for code in [0, 3] {
        let Some(folder) = program(&format!("li a0, {code}")) else { return };
        for engine in ["native", "interpret"] {
            let output = run(folder.path(), &["--engine", engine]);
            assert_eq!(output.status.code(), Some(code), "{:?}", told(&output));
        }
    }
}

#[test]
fn a_signature_is_written_word_by_word() {
    let Some(folder) = program(&format!("{SIGNATURE} li a0, 0")) else { return };
    let output = run(folder.path(), &["--signature", "signature", "--lockstep"]);
    assert_eq!(output.status.code(), Some(0), "{:?}", told(&output));
    let words = fs::read_to_string(folder.path().join("signature")).unwrap();
    assert_eq!(words, "1234abcd\ndeadbeef\n0000004d\n");
}

#[test]
fn a_program_without_a_signature_is_refused_before_it_runs() {
    let Some(folder) = program("li a0, 0") else { return };
    let (code, message) = told(&run(folder.path(), &["--signature", "signature"]));
    assert_eq!(code, Some(1));
    assert!(message.contains("the program has no symbol begin_signature"), "{message}");
    assert!(!folder.path().join("signature").exists());
}

#[test]
fn a_signature_outside_of_the_ram_is_refused() {
    let symbols = "
        .globl begin_signature, end_signature
        .equ begin_signature, 0x80000000
        .equ end_signature, 0x90000000
    ";
    let Some(folder) = program(&format!("{symbols} li a0, 0")) else { return };
    let (code, message) = told(&run(folder.path(), &["--signature", "signature"]));
    assert_eq!(code, Some(1));
    assert!(message.contains("0x80000000 and 0x90000000: no whole words in the RAM"), "{message}");
}

/// Prints by the console device, then by a system call that waits for its answer.
const PRINTING: &str = "
    la t0, tohost
    li t1, 'H'
    li t2, 0x01010000
    sw t1, 0(t0)
    sw t2, 4(t0)
2:  lw t1, 0(t0)
    lw t2, 4(t0)
    or t1, t1, t2
    bnez t1, 2b
    la t1, call
    sw t1, 0(t0)
    sw zero, 4(t0)
    la t2, fromhost
3:  lw t1, 0(t2)
    beqz t1, 3b
    la t1, call
    lw a0, 0(t1)
    .data
    .balign 64
call: .dword 64, 1, text, 5, 0, 0, 0, 0
text: .ascii \"ello!\"
    .text
";

#[test]
fn a_program_prints_through_its_host_and_takes_the_answer() {
    let Some(folder) = program(PRINTING) else { return };
    let output = run(folder.path(), &[]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "Hello!", "{:?}", told(&output));
    assert_eq!(output.status.code(), Some(5), "the call returns the number of bytes");
    let (code, message) = told(&run(folder.path(), &["--lockstep"]));
    assert_eq!(code, Some(1));
    assert!(message.contains("cannot be answered in lockstep"), "{message}");
}

#[test]
fn a_program_may_be_ended_and_resumed_in_any_cycle_of_its_talk_with_the_host() {
    let Some(folder) = program(PRINTING) else { return };
    let whole = report(&run(folder.path(), &["--json"]));
    // The host looks every 64 cycles, and waits for 16 then.
    for cycle in (60..90).chain([128, 136, 144]) {
        let until = cycle.to_string();
        let ended = run_within(folder.path(), &["--max-cycles", &until, "--save", "state"]);
        let (code, message) = told(&ended);
        assert_eq!(code, Some(124), "{message}");
        assert!(message.contains(&format!("the state after {cycle} cycles is saved")), "{message}");
        let rest = report(&run(folder.path(), &["--resume", "state", "--json"]));
        assert_eq!(rest["first_cycle"], cycle);
        for field in ["cycles", "instructions", "exit_code"] {
            assert_eq!(rest[field], whole[field], "{field} after {cycle}");
        }
        let printed = String::from_utf8_lossy(&ended.stdout).into_owned() + rest["console"].as_str().unwrap();
        assert_eq!(printed, "Hello!", "after {cycle}");
    }
}

#[test]
fn no_cycle_is_stepped_over_while_the_host_waits() {
    let Some(folder) = program(PRINTING) else { return };
    let cycles = report(&run(folder.path(), &["--json"]))["cycles"].as_u64().unwrap();
    // Every cycle is one to save the state in; the last one stays.
    let output = run(folder.path(), &["--save", "state", "--save-every", "1"]);
    assert_eq!(output.status.code(), Some(5), "{:?}", told(&output));
    let end = report(&run(folder.path(), &["--resume", "state", "--json"]));
    assert_eq!(end["first_cycle"], cycles - 1);
}

#[test]
fn the_last_cycles_before_an_exit_by_tohost_are_recorded() {
    let Some(folder) = program(PRINTING) else { return };
    let cycles = report(&run(folder.path(), &["--json"]))["cycles"].as_u64().unwrap();
    let output = run(folder.path(), &["--trace", "a.fst", "--trace-last", "50"]);
    let (code, message) = told(&output);
    assert_eq!((code, String::from_utf8_lossy(&output.stdout).as_ref()), (Some(5), "Hello!"), "{message}");
    assert!(message.contains(&format!("recorded from cycle {} on", cycles - 50)), "{message}");
    let times = wellen::simple::read(folder.path().join("a.fst")).unwrap().time_table().to_vec();
    assert_eq!(times[1], (cycles - 50) * ferrite_sim::TIME_PER_CYCLE);
    assert!(times[times.len() - 1] > cycles * ferrite_sim::TIME_PER_CYCLE);
}

#[cfg(unix)]
#[test]
fn messages_begin_on_a_fresh_line() {
    let Some(folder) = program(PRINTING) else { return };
    // What is printed and what is said go to one place.
    let both = "exec \"$0\" run test.elf --set tensor.present=false 2>&1";
    let output = Command::new("sh")
        .args(["-c", both, env!("CARGO_BIN_EXE_ferrite")])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.starts_with("Hello!\nexit code 5 after"), "{text}");
    let Some(folder) = program("li a0, 0") else { return };
    let (_, message) = told(&run(folder.path(), &[]));
    assert!(message.starts_with("exit code 0 after"), "{message}");
}

#[test]
fn a_run_that_is_ended_before_its_first_instruction_says_so() {
    let Some(folder) = program("li a0, 0") else { return };
    let (code, message) = told(&run_within(folder.path(), &["--max-cycles", "2"]));
    assert_eq!(code, Some(124));
    assert!(message.contains("--max-cycles\n  no instruction has retired yet"), "{message}");
}

#[test]
fn what_no_host_can_do_is_an_error_that_says_where() {
    let unknown = "
        la t0, tohost
        li t1, 7
        li t2, 0x05000000
        sw t1, 0(t0)
        sw t2, 4(t0)
    4:  j 4b
    ";
    let Some(folder) = program(unknown) else { return };
    let (code, message) = told(&run(folder.path(), &[]));
    assert_eq!(code, Some(1));
    assert!(message.contains("asks its host for 0x500000000000007"), "{message}");
    assert!(message.contains("0x800000"), "{message}");
}
