//! Takes the project apart that `tutorial.md` describes.
//!
//! A Rust block that begins with `// src/NAME.rs` starts that file, the ones behind it go on with it. Blocks of `text` and `verilog` are, in
//! order, the snapshots of the tests in the last Rust block; every `assert_snapshot!` stands in a test of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

const PAGE: &str = "tutorial.md";

fn main() {
    println!("cargo::rerun-if-changed={PAGE}");
    println!("cargo::rerun-if-changed=build.rs");
    let page = fs::read_to_string(PAGE).expect("the tutorial is beside this script");
    let source = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("src");
    let _ = fs::remove_dir_all(&source);
    let project = Project::of(&page, &source);
    for (name, text) in &project.files {
        let path = source.join(name);
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("a writable folder");
        fs::write(path, text).expect("a writable file");
    }
}

#[derive(Default)]
struct Project {
    /// By path below `src`, Rust files and snapshots.
    files: BTreeMap<String, String>,
}

impl Project {
    fn of(page: &str, source: &Path) -> Project {
        let mut project = Project::default();
        let mut file = String::new();
        let mut waiting: Vec<String> = Vec::new();
        for (line, kind, text) in blocks(page) {
            match kind {
                "rust" => {
                    assert!(waiting.is_empty(), "{PAGE}:{line}: no output is shown for {waiting:?}");
                    if let Some(name) = text.lines().next().and_then(|first| first.strip_prefix("// src/")) {
                        file = name.to_string();
                    }
                    assert!(!file.is_empty(), "{PAGE}:{line}: the first block names no file");
                    waiting = snapshots(&text).iter().map(|test| snapshot_name(&file, test)).collect();
                    let so_far = project.files.entry(file.clone()).or_default();
                    if !so_far.is_empty() {
                        so_far.push('\n');
                    }
                    so_far.push_str(&text);
                }
                "text" | "verilog" => {
                    assert!(!waiting.is_empty(), "{PAGE}:{line}: no test before this block makes its text");
                    // Diagnostics tell places by the path that the compiler was given.
                    let place = format!("--> {}/", source.display());
                    let text =
                        text.replace("--> src/", &place).replace("::: src/", &place.replace("-->", ":::"));
                    let name = waiting.remove(0);
                    project.files.insert(name, format!("---\nsource: {PAGE}\n---\n{text}"));
                }
                "toml" => check_dependencies(line, &text),
                _ => {}
            }
        }
        assert!(waiting.is_empty(), "{PAGE}: no output is shown for {waiting:?}");
        project
    }
}

/// The fenced blocks that start at the left margin: the line of the fence, the language, the text.
fn blocks(page: &str) -> Vec<(usize, &str, String)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((k, line)) = lines.next() {
        if let Some(kind) = line.strip_prefix("```") {
            let inside = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
            blocks.push((k + 1, kind, inside.map(|line| format!("{line}\n")).collect()));
        }
    }
    blocks
}

/// The tests of a block that make a snapshot.
fn snapshots(code: &str) -> Vec<String> {
    let mut test = "";
    let mut found = Vec::new();
    for line in code.lines().map(str::trim) {
        if let Some((name, _)) = line.strip_prefix("fn ").and_then(|rest| rest.split_once('(')) {
            test = name;
        }
        if line.starts_with("insta::assert_snapshot!") {
            assert!(!found.contains(&test.to_string()), "{PAGE}: `{test}` makes two snapshots");
            found.push(test.to_string());
        }
    }
    found
}

/// Where `insta` looks for the snapshot of a test in the module `tests` of a file.
fn snapshot_name(file: &str, test: &str) -> String {
    let module = file.trim_end_matches(".rs").replace('/', "__");
    format!("snapshots/ferrite_tutorial__{module}__tests__{test}.snap")
}

/// Paths of dependencies must lead from a project beside the clone, `../ferrite`, to packages of these names.
fn check_dependencies(line: usize, manifest: &str) {
    let mut found = 0;
    for entry in manifest.lines().filter(|entry| entry.contains("path = ")) {
        let package = entry.split(' ').next().unwrap_or_default();
        let folder = entry.split('"').nth(1).and_then(|path| path.strip_prefix("../ferrite/"));
        let folder = folder.unwrap_or_else(|| panic!("{PAGE}:{line}: `{entry}` leads elsewhere"));
        let manifest = fs::read_to_string(format!("../{folder}/Cargo.toml")).unwrap_or_default();
        let name = format!("name = \"{package}\"");
        assert!(manifest.contains(&name), "{PAGE}:{line}: {folder} is not the package {package}");
        found += 1;
    }
    assert!(found > 0, "{PAGE}:{line}: no dependency has a path");
}
