//! The command `ferrite` as a process of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs, thread};

/// What `ferrite run` exits with when the cycles that it was allowed are over.
const CYCLES_ARE_OVER: i32 = 124;
/// How often the memory of a process is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// The command, of the same build as this benchmark.
pub struct Ferrite {
    program: PathBuf,
    /// Where its Verilator builds are.
    cache: PathBuf,
}

impl Ferrite {
    /// The command beside the folder of this benchmark, if it is there.
    pub fn find(cache: &Path) -> Option<Ferrite> {
        let program = env::current_exe().ok()?.parent()?.with_file_name("ferrite");
        program.is_file().then(|| Ferrite { program, cache: cache.to_path_buf() })
    }

    fn start(&self, engine: &str, program: &Path, cycles: u64) -> Child {
        let cycles = cycles.to_string();
        Command::new(&self.program)
            .arg("run")
            .arg(program)
            .args(["--engine", engine, "--max-cycles", &cycles])
            .env("FERRITE_CACHE", &self.cache)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a file that is there can be started")
    }

    /// Runs a program that does not end for so many cycles.
    pub fn run(&self, engine: &str, program: &Path, cycles: u64) {
        finish(self.start(engine, program, cycles));
    }

    /// The same; gives the most memory that the process had, in bytes, where the system tells.
    pub fn peak_bytes(&self, engine: &str, program: &Path, cycles: u64) -> Option<u64> {
        let mut child = self.start(engine, program, cycles);
        let mut peak = None;
        while child.try_wait().expect("a child can be waited for").is_none() {
            // The peak never falls, so the last look tells.
            peak = peak_so_far(child.id()).or(peak);
            thread::sleep(LOOK);
        }
        finish(child);
        peak
    }
}

fn finish(mut child: Child) {
    let status = child.wait().expect("a child can be waited for");
    assert_eq!(status.code(), Some(CYCLES_ARE_OVER), "`ferrite run` does not do what it should");
}

/// The peak of a process's memory, which Linux tells in kB (proc_pid_status(5), `VmHWM`).
fn peak_so_far(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}
