//! The `ferrite` command as the tests call it.

use std::path::Path;
use std::process::{Command, Output};

/// Runs it in a folder.
pub fn ferrite(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ferrite"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the command starts")
}

/// Exit code and standard error.
pub fn told(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}
