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
    let always = ["run", "test.elf", "--set", "tensor.present=false", "--max-cycles", "20000"];
    ferrite(folder, &[&always, arguments].concat())
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
