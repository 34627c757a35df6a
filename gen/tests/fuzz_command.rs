//! `ferrite fuzz` as a user calls it.

mod command;

use std::path::Path;

use command::{ferrite, told};
use serde_json::Value;

#[test]
fn random_programs_are_counted_and_what_they_exercise_is_named() {
    let arguments = ["fuzz", "--core", "--preset", "small", "--instructions", "20000", "--threads", "2"];
    let output = ferrite(Path::new("."), &arguments);
    assert_eq!(told(&output), (Some(0), String::new()));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("core and model never differed"), "{text}");
    assert!(text.contains("never: ") && text.contains("--all-holes names them"), "{text}");

    let all = ferrite(Path::new("."), &[&arguments[..], &["--all-holes"]].concat());
    let text = String::from_utf8(all.stdout).unwrap();
    assert!(text.contains("never: ") && !text.contains("--all-holes"), "{text}");
}

#[test]
fn the_report_for_machines_holds_the_same() {
    let output = ferrite(Path::new("."), &["fuzz", "--core", "--seed", "7", "--instructions", "1", "--json"]);
    assert_eq!(told(&output), (Some(0), String::new()));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["seed"], &report["finding"]), (&7.into(), &Value::Null));
    assert!(
        report["programs"].as_u64() >= Some(1) && report["instructions"].as_u64() > Some(100),
        "{report}"
    );
    let groups = report["coverage"].as_array().unwrap();
    assert!(groups.iter().any(|group| group["title"] == "hazards" && group["things"].as_u64() > Some(100)));
}

#[test]
fn what_is_tested_must_be_said_and_a_preset_is_no_chip() {
    let (code, message) = told(&ferrite(Path::new("."), &["fuzz"]));
    assert_eq!(code, Some(2), "{message}");
    assert!(message.contains("--core"), "{message}");
    let both = ["fuzz", "--core", "--preset", "fast", "--set", "tensor.rows=8"];
    let (code, message) = told(&ferrite(Path::new("."), &both));
    assert_eq!(code, Some(2), "{message}");
    assert!(message.contains("cannot be used with"), "{message}");
}
