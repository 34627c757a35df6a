//! Faults in the core's Verilog are noticed; `make mutants` tries them all.

use ferrite_tests::formal::cores;
use ferrite_tests::mutants::faults::{FAULTS, SHORT};
use ferrite_tests::mutants::run::{fits, programs, try_fault};
use ferrite_tests::parallel::in_parallel;
use ferrite_tests::tools;

#[test]
fn every_fault_is_one_place_of_the_verilog() {
    let wrong: Vec<String> =
        FAULTS.iter().filter_map(|fault| Some(format!("{}: {}", fault.name, fits(fault).err()?))).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_cores_without_a_fault_pass_what_catches_faults() {
    if !tools::have(&["iverilog", "vvp"]) {
        return;
    }
    for (name, core) in cores() {
        let folder = tempfile::tempdir().expect("a folder");
        let caught = programs(folder.path(), &core, None, 8).unwrap_or_else(|error| panic!("{error}"));
        assert!(caught.is_none(), "{name}: {caught:?}");
    }
}

#[test]
fn the_short_set_of_faults_is_noticed() {
    if !tools::have(&["iverilog", "vvp"]) {
        return;
    }
    let short = FAULTS.iter().filter(|fault| SHORT.contains(&fault.name));
    let tried = in_parallel(short, |fault| try_fault(fault, None).map(|caught| (fault.name, caught)));
    let tried = tried.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(tried.len(), SHORT.len());
    for (name, caught) in tried {
        assert!(caught.is_some(), "{name} survives");
    }
}
