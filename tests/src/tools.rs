//! Outside tools, which a developer's machine may lack.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

/// Whether all tools are there. Says which are not; fails if `FERRITE_REQUIRE_TOOLS` is 1.
pub fn have(tools: &[&str]) -> bool {
    // Not all of them know `--version`: it is enough that they start.
    let runs = |tool: &&str| {
        Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    };
    let missing: Vec<_> = tools.iter().filter(|tool| !runs(tool)).collect();
    let required = std::env::var_os("FERRITE_REQUIRE_TOOLS").is_some_and(|value| value == "1");
    assert!(missing.is_empty() || !required, "{missing:?} must be installed: FERRITE_REQUIRE_TOOLS=1");
    if !missing.is_empty() {
        // Not `eprintln!`, which the test runner hides while a test passes.
        let _ = writeln!(std::io::stderr(), "SKIPPED: {missing:?} not installed");
    }
    missing.is_empty()
}

/// The compiler of the programs.
pub const GCC: &str = "riscv64-unknown-elf-gcc";

/// Calls `make` in `sw/`, with `build` as its build folder.
pub fn make(build: &Path, arguments: &[&str]) -> Output {
    let sw: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "sw"].iter().collect();
    let build = format!("BUILD={}", build.display());
    Command::new("make").arg("-C").arg(sw).arg(build).args(arguments).output().expect("make can be started")
}

/// The examples of `sw/`, built once for all tests of a process into a folder that goes away with it. Needs [`GCC`].
pub fn examples() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let made = make(folder.path(), &[]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        folder
    });
    folder.path()
}
