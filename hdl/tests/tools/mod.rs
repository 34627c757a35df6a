//! Running the tools that read the emitted Verilog.

#![allow(dead_code)] // not every test uses everything

use std::path::Path;
use std::process::Command;

use ferrite_hdl::prelude::*;
use ferrite_hdl::verilog::{EmitOptions, VerilogFile, emit};
use tempfile::TempDir;

/// Runs a tool; gives whether it succeeded and what it said. `None` without the tool, which FERRITE_REQUIRE_TOOLS forbids.
pub fn run(folder: &Path, tool: &str, arguments: &[&str]) -> Option<(bool, String)> {
    match Command::new(tool).args(arguments).current_dir(folder).output() {
        Ok(run) => {
            let said =
                format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
            Some((run.status.success(), said))
        }
        Err(error) if std::env::var_os("FERRITE_REQUIRE_TOOLS").is_some() => panic!("{tool}: {error}"),
        Err(_) => {
            eprintln!("SKIPPED: {tool} is not installed");
            None
        }
    }
}

/// Runs a tool; it must succeed and say nothing.
pub fn silent(folder: &Path, tool: &str, arguments: &[&str]) {
    if let Some((succeeded, said)) = run(folder, tool, arguments) {
        assert!(succeeded && said.trim().is_empty(), "{tool} {arguments:?}:\n{said}");
    }
}

/// A folder with the emitted files of a design.
pub fn written<M: Module>(module: &M, options: &EmitOptions) -> (TempDir, Vec<VerilogFile>) {
    let design = elaborate(module).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let files = emit(&design, options);
    let folder = tempfile::tempdir().expect("a folder for the files");
    for file in &files {
        std::fs::write(folder.path().join(&file.name), &file.text).expect("the folder is writable");
    }
    (folder, files)
}
