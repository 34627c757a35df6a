//! Networks that others have trained.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

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
