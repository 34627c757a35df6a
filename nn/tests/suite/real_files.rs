//! Where the real networks are that the tests read.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The version of `microflow` whose files the tests' expectations are for.
const MICROFLOW_VERSION: &str = "0.1.3";

/// A network of the crate `microflow`, in cargo's own copy of the crate's sources.
pub fn microflow(name: &str) -> Vec<u8> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let metadata = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .output()
        .expect("cargo can be run");
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package =
        packages.iter().find(|package| package["name"] == "microflow").expect("a dependency on microflow");
    assert_eq!(package["version"], MICROFLOW_VERSION);
    let manifest = Path::new(package["manifest_path"].as_str().unwrap());
    std::fs::read(manifest.with_file_name("models").join(name)).unwrap()
}

/// A file of the folder with the recorded networks, if it is there: beside the repository.
pub fn recorded(name: &str) -> Option<Vec<u8>> {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "..", "shared", "models"].iter().collect();
    let file = std::fs::read(folder.join(name)).ok();
    if file.is_none() {
        eprintln!("skipped: {name} is not in ../shared/models");
    }
    file
}
