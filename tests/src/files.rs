//! Networks that others have trained, and programs as files.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use ferrite_hw::map::RAM_BASE;

/// The version of `microflow` whose files the tests' expectations are for.
const MICROFLOW_VERSION: &str = "0.1.3";

/// Where a network of the crate `microflow` is, in cargo's own copy of the crate's sources.
pub fn microflow(name: &str) -> PathBuf {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let metadata = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .output()
        .expect("cargo can be run");
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("a list of packages");
    let package = packages.iter().find(|package| package["name"] == "microflow").expect("a dependency on it");
    assert_eq!(package["version"], MICROFLOW_VERSION);
    let manifest = Path::new(package["manifest_path"].as_str().expect("a path"));
    manifest.with_file_name("models").join(name)
}

/// Where a file of the folder with the recorded networks is, if it is there: beside the repository.
pub fn recorded(name: &str) -> Option<PathBuf> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "..", "shared", "models", name].iter().collect();
    if !path.is_file() {
        let _ = writeln!(std::io::stderr(), "SKIPPED: {name} is not in ../shared/models");
        return None;
    }
    Some(path)
}

/// A program that lies at the start of the RAM, as an ELF file: file header, one program header, contents (ELF 1.2).
pub fn elf(program: &[u8]) -> Vec<u8> {
    const FILE_HEADER: u16 = 52;
    const PROGRAM_HEADER: u16 = 32;
    let start = u32::from(FILE_HEADER + PROGRAM_HEADER);
    let bytes = program.len() as u32;
    let mut file = b"\x7FELF\x01\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    file.extend([2, 0, 243, 0]); // ET_EXEC, EM_RISCV
    let words =
        |file: &mut Vec<u8>, words: &[u32]| file.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    words(&mut file, &[1, RAM_BASE, FILE_HEADER.into(), 0, 0]);
    file.extend([FILE_HEADER, PROGRAM_HEADER, 1, 0, 0, 0].into_iter().flat_map(u16::to_le_bytes));
    // PT_LOAD; readable, writable and executable; aligned to 4 bytes.
    words(&mut file, &[1, start, RAM_BASE, RAM_BASE, bytes, bytes, 7, 4]);
    file.extend(program);
    file
}
