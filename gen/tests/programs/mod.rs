//! Programs that the `ferrite` command runs in tests.
#![allow(dead_code, reason = "not every test file needs all of it")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use ferrite_tests::tools::{GCC, examples, have, make};
use serde_json::Value;
use tempfile::TempDir;

use crate::command::{self, told};

/// A small chip that prints quickly.
pub const SMALL: [&str; 9] = [
    "run",
    "--set",
    "tensor.rows=4",
    "--set",
    "tensor.cols=4",
    "--set",
    "soc.uart_baud=10000000",
    "--set",
    "soc.external_bytes=65536",
];

/// A small chip that prints slowly.
pub const SLOW: [&str; 5] = ["run", "--set", "tensor.rows=4", "--set", "tensor.cols=4"];

pub fn ferrite(folder: &Path, chip: &[&str], arguments: &[&str]) -> Output {
    command::ferrite(folder, &[chip, arguments].concat())
}

/// The object that `--json` prints.
pub fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {:?}", told(output)))
}

/// A folder and in it `hello.elf`, which prints a greeting; `None` without the compiler.
pub fn hello() -> Option<TempDir> {
    if !have(&[GCC]) {
        return None;
    }
    let folder = TempDir::new().unwrap();
    fs::copy(examples().join("hello.elf"), folder.path().join("hello.elf")).unwrap();
    Some(folder)
}

/// A folder and in it a program of so many lines of C within its `main`.
pub fn program(name: &str, body: &str) -> Option<TempDir> {
    if !have(&[GCC]) {
        return None;
    }
    let folder = TempDir::new().unwrap();
    let text = format!("#include <stdio.h>\nint main(void) {{ {body} return 0; }}\n");
    fs::write(folder.path().join(format!("{name}.c")), text).unwrap();
    let sources = format!("SOURCES={}", folder.path().display());
    let made = make(&folder.path().join("build"), &[&sources, &format!("{name}.elf")]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    fs::copy(folder.path().join(format!("build/{name}.elf")), folder.path().join(format!("{name}.elf")))
        .unwrap();
    Some(folder)
}

/// The same where no file can have more than so many blocks of 512 bytes, which is how a full disk looks.
#[cfg(unix)]
pub fn ferrite_on_full_disk(folder: &Path, blocks: u32, chip: &[&str], arguments: &[&str]) -> Output {
    Command::new("sh")
        .args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"")])
        .arg(env!("CARGO_BIN_EXE_ferrite"))
        .args(chip)
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the shell starts")
}

/// Names in a folder, hidden ones among them, in alphabetical order.
pub fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
