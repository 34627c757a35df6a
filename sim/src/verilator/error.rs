//! Why there is no simulator.

use std::path::PathBuf;

/// Why a design cannot be run on Verilator.
#[derive(Debug, thiserror::Error)]
pub enum VerilatorError {
    /// A program is not installed.
    #[error("`{}` was not found; on Debian and Ubuntu, install it with: apt install {package}", program.display())]
    Missing {
        /// The program.
        program: PathBuf,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// A program could not be started.
    #[error("`{}` could not be started: {source}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Verilator or the compiler refused.
    #[error("`{}` failed; it says:\n{message}\nthe files are left for inspection in {}", program.display(), folder.display())]
    Build {
        /// The program.
        program: PathBuf,
        /// The last lines of what it said.
        message: String,
        /// Where it ran.
        folder: PathBuf,
    },
    /// Finished simulators cannot be kept.
    #[error(
        "the folder {} for finished simulators cannot be used: {source}; set FERRITE_CACHE to one that can be written",
        folder.display()
    )]
    Cache {
        /// The folder, or what in it could not be written.
        folder: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// No folder was given, and there is no home.
    #[error("there is no place for finished simulators; set FERRITE_CACHE to a folder")]
    NoCache,
    /// What was built is no library that can be used.
    #[error("the simulator {} does not load: {reason}; delete its folder to have it built again", library.display())]
    Load {
        /// The library.
        library: PathBuf,
        /// What the loader says.
        reason: String,
    },
}
