//! Verilator and the C++ compiler at work.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{LazyLock, Mutex, PoisonError};

use super::cache::{Cache, key};
use super::error::VerilatorError;
use super::shim::TOP;

/// The library within a finished build, and the SHA-256 of its bytes beside it.
const LIBRARY: &str = "simulator.so";
const DIGEST: &str = "simulator.sha256";
/// As much of what a failing tool says is shown.
const SHOWN_LINES: usize = 30;
/// Bytes of generated C++ that one call of the compiler gets at most, unless one file has more. Below, starting the compiler and reading the headers
/// take longer than the code.
const BYTES_AT_ONCE: u64 = 150_000;
/// Statements that Verilator puts into one file, and into one function. GCC needs three times as long for a 16x16 array if that is one function.
const FILE_STATEMENTS: &str = "2000";
const FUNCTION_STATEMENTS: &str = "500";

/// What makes a simulator.
pub(super) struct Tools {
    pub verilator: PathBuf,
    pub compiler: PathBuf,
    /// `-O0` .. `-O2`, for code that runs in every cycle.
    pub optimisation: &'static str,
    /// Calls of the compiler at a time.
    pub jobs: usize,
}

/// The texts of a simulator.
pub(super) struct Sources {
    /// Names and texts.
    pub verilog: Vec<(String, String)>,
    pub configuration: String,
    pub cpp: String,
}

const COMPILE: [&str; 15] = [
    "-std=gnu++17",
    "-c",
    "-fPIC",
    "-w",
    "-pthread",
    // Libraries that are loaded side by side must not share what they define under the same names.
    "-fvisibility=hidden",
    "-fvisibility-inlines-hidden",
    "-faligned-new",
    "-DVERILATOR=1",
    "-DVM_COVERAGE=0",
    "-DVM_SC=0",
    "-DVM_TRACE=0",
    "-DVM_TRACE_FST=0",
    "-DVM_TRACE_VCD=0",
    "-I.",
];

const VERILATE: [&str; 15] = [
    "--cc",
    "--no-timing",
    "-O3",
    "--x-assign",
    "fast",
    "--x-initial",
    "fast",
    "--noassert",
    "-Wno-fatal",
    "-Wno-lint",
    "-Wno-style",
    "--output-split",
    FILE_STATEMENTS,
    "--output-split-cfuncs",
    FUNCTION_STATEMENTS,
];

/// What programs say about themselves, for each once in a process.
static VERSIONS: LazyLock<Mutex<HashMap<PathBuf, String>>> = LazyLock::new(Mutex::default);

impl Tools {
    /// A finished library, from the cache or built now; `on_build` is called before a build.
    pub fn shared_library(
        &self,
        cache: &Cache,
        sources: &Sources,
        on_build: &dyn Fn(),
    ) -> Result<PathBuf, VerilatorError> {
        let versions = [self.version(&self.verilator)?, self.version(&self.compiler)?].concat();
        let flags = [VERILATE.as_slice(), COMPILE.as_slice(), &[self.optimisation]].concat().join(" ");
        let mut parts = vec![versions.as_bytes(), flags.as_bytes()];
        for (name, text) in &sources.verilog {
            parts.extend([name.as_bytes(), text.as_bytes()]);
        }
        parts.extend([sources.configuration.as_bytes(), sources.cpp.as_bytes()]);
        let key = key(&parts);
        let build = |folder: &Path| {
            on_build();
            self.build(cache, sources, folder, &versions)
        };
        let library = cache.entry(&key, build)?.join(LIBRARY);
        if is_whole(&library) {
            return Ok(library);
        }
        cache.forget(&key)?;
        Ok(cache.entry(&key, build)?.join(LIBRARY))
    }

    fn version(&self, program: &Path) -> Result<String, VerilatorError> {
        let known = |v: &HashMap<PathBuf, String>| v.get(program).cloned();
        if let Some(version) = known(&VERSIONS.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(version);
        }
        let version = self.ask(program, &["--version"])?;
        let mut versions = VERSIONS.lock().unwrap_or_else(PoisonError::into_inner);
        versions.insert(program.to_path_buf(), version.clone());
        Ok(version)
    }

    fn build(
        &self,
        cache: &Cache,
        sources: &Sources,
        folder: &Path,
        versions: &str,
    ) -> Result<(), VerilatorError> {
        let write = |name: &str, text: &str| {
            let file = folder.join(name);
            fs::write(&file, text).map_err(|source| VerilatorError::Cache { folder: file, source })
        };
        write("ferrite.vlt", &sources.configuration)?;
        write("shim.cpp", &sources.cpp)?;
        let mut arguments = VERILATE.to_vec();
        arguments.extend(["--prefix", TOP, "--top-module", TOP, "-Mdir", ".", "ferrite.vlt"]);
        for (name, text) in &sources.verilog {
            write(name, text)?;
            arguments.push(name);
        }
        let include = self.include()?;
        self.run(&self.verilator, &arguments, folder)?;
        let runtime = self.runtime(cache, &include, versions)?;
        let groups = groups(folder).map_err(|source| unreadable(folder, source))?;
        let mut objects = Vec::new();
        let mut jobs = Vec::new();
        for (k, group) in groups.iter().enumerate() {
            let text: String = group.files.iter().map(|file| format!("#include \"{file}\"\n")).collect();
            write(&format!("group{k}.cc"), &text)?;
            jobs.push((
                format!("group{k}.cc"),
                format!("group{k}.o"),
                if group.is_slow { "-O0" } else { self.optimisation },
            ));
            objects.push(PathBuf::from(format!("group{k}.o")));
        }
        self.compile_all(&include, &jobs, folder)?;
        objects.extend(runtime);
        let mut arguments = vec!["-shared", "-pthread", "-Wl,-Bsymbolic", "-o", LIBRARY];
        let objects: Vec<String> = objects.iter().map(|o| o.to_string_lossy().into_owned()).collect();
        arguments.extend(objects.iter().map(String::as_str));
        self.run(&self.compiler, &arguments, folder)?;
        let digest = digest(&folder.join(LIBRARY)).map_err(|source| unreadable(folder, source))?;
        write(DIGEST, &digest)?;
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name != LIBRARY && name != DIGEST && !sources.verilog.iter().any(|v| v.0 == name) {
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(())
    }

    /// The folder with Verilator's headers and its runtime.
    fn include(&self) -> Result<PathBuf, VerilatorError> {
        let root = self.ask(&self.verilator, &["--getenv", "VERILATOR_ROOT"])?;
        Ok(Path::new(root.trim()).join("include"))
    }

    /// Verilator's runtime as object files, built once for all simulators.
    fn runtime(&self, cache: &Cache, include: &Path, versions: &str) -> Result<Vec<PathBuf>, VerilatorError> {
        let flags = COMPILE.join(" ");
        let place = include.to_string_lossy();
        let key = key(&[b"runtime", versions.as_bytes(), flags.as_bytes(), place.as_bytes()]);
        // Those among the runtime's files that every model needs, in any version of Verilator 5.
        let names = ["verilated", "verilated_dpi", "verilated_threads"];
        let folder = cache.entry(&key, |folder| {
            let job = |name: &&str| {
                (
                    include.join(format!("{name}.cpp")).to_string_lossy().into_owned(),
                    format!("{name}.o"),
                    "-O1",
                )
            };
            self.compile_all(include, &names.iter().map(job).collect::<Vec<_>>(), folder)
        })?;
        Ok(names.iter().map(|name| folder.join(format!("{name}.o"))).collect())
    }

    /// Compiles files to objects, several at a time.
    fn compile_all(
        &self,
        include: &Path,
        jobs: &[(String, String, &'static str)],
        folder: &Path,
    ) -> Result<(), VerilatorError> {
        let open = Mutex::new(jobs.iter());
        let next = || open.lock().unwrap_or_else(PoisonError::into_inner).next();
        let compile = || -> Result<(), VerilatorError> {
            while let Some((from, to, optimisation)) = next() {
                let include = include.to_string_lossy();
                let (own, dpi) = (format!("-I{include}"), format!("-I{include}/vltstd"));
                let mut arguments = COMPILE.to_vec();
                arguments.extend([optimisation, own.as_str(), &dpi, from, "-o", to]);
                self.run(&self.compiler, &arguments, folder)?;
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> =
                (0..self.jobs.clamp(1, jobs.len().max(1))).map(|_| scope.spawn(compile)).collect();
            workers.into_iter().try_for_each(|worker| match worker.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            })
        })
    }

    /// What a program says about itself.
    fn ask(&self, program: &Path, arguments: &[&str]) -> Result<String, VerilatorError> {
        let output = self.start(Command::new(program).args(arguments))?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => {
                let source = io::Error::other(last_lines(&output));
                Err(VerilatorError::Start { program: program.to_path_buf(), source })
            }
        }
    }

    /// Runs a program on the files of a folder.
    fn run(&self, program: &Path, arguments: &[&str], folder: &Path) -> Result<(), VerilatorError> {
        let output = self.start(Command::new(program).args(arguments).current_dir(folder))?;
        match output.status.success() {
            true => Ok(()),
            false => Err(VerilatorError::Build {
                program: program.to_path_buf(),
                message: last_lines(&output),
                folder: folder.to_path_buf(),
            }),
        }
    }

    fn start(&self, command: &mut Command) -> Result<Output, VerilatorError> {
        command.output().map_err(|source| {
            let program = PathBuf::from(command.get_program());
            match source.kind() {
                io::ErrorKind::NotFound => {
                    let package = if program == self.verilator { "verilator" } else { "g++" };
                    VerilatorError::Missing { program, package }
                }
                _ => VerilatorError::Start { program, source },
            }
        })
    }
}

/// The end of what a program said.
fn last_lines(output: &Output) -> String {
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().collect();
    match lines.is_empty() {
        true => output.status.to_string(),
        false => lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n"),
    }
}

/// Files that are compiled together.
struct Group {
    files: Vec<String>,
    bytes: u64,
    /// Runs at power-up only.
    is_slow: bool,
}

/// Distributes the generated files, and the shim, over calls of the compiler.
fn groups(folder: &Path) -> io::Result<Vec<Group>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".cpp") {
            files.push((name, entry.metadata()?.len()));
        }
    }
    files.sort();
    let mut groups: Vec<Group> = Vec::new();
    for (name, bytes) in files {
        let is_slow = name.contains("__Slow") || name.contains("__Syms");
        let fits = |g: &&mut Group| g.is_slow == is_slow && g.bytes + bytes <= BYTES_AT_ONCE;
        match groups.iter_mut().find(fits) {
            Some(group) => {
                group.files.push(name);
                group.bytes += bytes;
            }
            None => groups.push(Group { files: vec![name], bytes, is_slow }),
        }
    }
    // The longest first, so that the last one to start is short.
    groups.sort_by_key(|g| (g.is_slow, std::cmp::Reverse(g.bytes)));
    Ok(groups)
}

fn unreadable(folder: &Path, source: io::Error) -> VerilatorError {
    VerilatorError::Cache { folder: folder.to_path_buf(), source }
}

fn digest(library: &Path) -> io::Result<String> {
    Ok(key(&[&fs::read(library)?]))
}

/// Whether a library is as it was built.
fn is_whole(library: &Path) -> bool {
    let noted = fs::read_to_string(library.with_file_name(DIGEST));
    matches!((digest(library), noted), (Ok(is), Ok(was)) if is == was)
}
