//! Outside tools, which a developer's machine may lack.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

/// Whether all tools are there. Says which are not; fails if `FERRITE_REQUIRE_TOOLS` is 1.
pub fn have(tools: &[&str]) -> bool {
    let runs = |tool: &&str| {
        let silent = Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        silent.is_ok_and(|status| status.success())
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

/// The examples of `sw/`, built once for all tests of a process; `None` without the compiler.
pub fn examples() -> Option<&'static Path> {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    if !have(&["riscv64-unknown-elf-gcc", "make"]) {
        return None;
    }
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let sw: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "sw"].iter().collect();
        let build = format!("BUILD={}", folder.path().display());
        let made = Command::new("make").arg("-C").arg(sw).arg(build).output().expect("make runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        folder
    });
    Some(folder.path())
}
