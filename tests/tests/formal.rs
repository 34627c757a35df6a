//! Formal proofs about the core and about parts of the tensor unit, a short set; `make formal` has them all.

use ferrite_hdl::elaborate;
use ferrite_hdl::ir::CheckKind;
use ferrite_tests::formal::checks::{Check, checks};
use ferrite_tests::formal::netlist::{Change, Netlist, ProofError, Verdict, apply, labels, verilog};
use ferrite_tests::formal::tools::Tools;
use ferrite_tests::formal::unit::subjects;
use ferrite_tests::formal::{Proved, cores};
use ferrite_tests::parallel::in_parallel;

/// Quick checks that touch everything: traps, registers, the program's course, requests and CSRs.
const SHORT: [&str; 6] = ["successor", "reported_registers", "modes", "order", "commands", "buses"];

fn is_short(check: &Check) -> bool {
    SHORT.contains(&check.name.as_str()) || check.claims.contains(&"result_add".to_string())
}

#[test]
fn the_short_set_of_checks_holds_for_both_cores() {
    let Some(tools) = Tools::find() else { return };
    let proved = in_parallel(cores(), |(name, core)| {
        let folder = tempfile::tempdir().expect("a folder");
        let netlist = Netlist::new(&tools, folder.path(), &core, &[], is_short)?;
        for check in &netlist.checks {
            assert_eq!(netlist.prove(&tools, check)?, Verdict::Holds, "{name}: {}", check.name);
        }
        Ok::<_, ProofError>(netlist.checks.len())
    });
    let counts = proved.unwrap_or_else(|error| panic!("{error}"));
    assert!(counts.iter().all(|count| *count >= SHORT.len()), "{counts:?}");
}

#[test]
fn a_broken_core_does_not_pass() {
    let Some(tools) = Tools::find() else { return };
    let [(_, small), _] = cores();
    let fault = Change { file: "Alu.v", from: "a - b;", to: "b - a;" };
    let folder = tempfile::tempdir().expect("a folder");
    let concerns = |check: &Check| check.claims.contains(&"result_sub".to_string());
    let netlist = Netlist::new(&tools, folder.path(), &small, &[fault], concerns);
    let netlist = netlist.unwrap_or_else(|error| panic!("{error}"));
    let verdict = netlist.prove(&tools, &netlist.checks[0]).unwrap_or_else(|error| panic!("{error}"));
    assert!(matches!(verdict, Verdict::Fails { claims, .. } if claims == ["result_sub"]));
}

#[test]
fn every_assertion_and_goal_belongs_to_one_check() {
    for (name, core) in cores() {
        let design = elaborate(&Proved { core }).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let asserts = design.lowered.iter().flat_map(|module| &module.checks);
        let asserts = asserts.filter(|check| check.kind != CheckKind::Assume).count();
        let labels = labels(&design);
        assert_eq!(asserts, labels.len());
        let checks = checks(&labels);
        for label in labels {
            let owners: Vec<&str> =
                checks.iter().filter(|c| c.claims.contains(&label)).map(|c| c.name.as_str()).collect();
            assert_eq!(owners.len(), 1, "{name}: {label} belongs to {owners:?}");
        }
    }
}

#[test]
fn the_short_set_of_checks_holds_for_the_parts_of_the_unit() {
    let Some(tools) = Tools::find() else { return };
    let proved = in_parallel(subjects(), |subject| {
        let folder = tempfile::tempdir().expect("a folder");
        let is_short = |check: &Check| subject.is_short(check);
        let netlist = Netlist::of_subject(&tools, folder.path(), &subject, &[], is_short)?;
        for check in &netlist.checks {
            assert_eq!(netlist.prove(&tools, check)?, Verdict::Holds, "{}: {}", subject.name, check.name);
        }
        Ok::<_, ProofError>(netlist.checks.len())
    });
    let counts = proved.unwrap_or_else(|error| panic!("{error}"));
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
}

#[test]
fn a_broken_queue_and_a_broken_master_do_not_pass() {
    let Some(tools) = Tools::find() else { return };
    let wanted = subjects().into_iter().filter(|subject| ["queue_of_4", "dma_write"].contains(&subject.name));
    let survivors = in_parallel(wanted, |subject| {
        let (name, fault) = subject.faults().next().expect("a fault");
        let folder = tempfile::tempdir().expect("a folder");
        let concerns = |check: &Check| check.name == name;
        let netlist = Netlist::of_subject(&tools, folder.path(), &subject, &[*fault], concerns)?;
        Ok::<_, ProofError>(netlist.prove(&tools, &netlist.checks[0])? == Verdict::Holds)
    });
    assert_eq!(survivors.unwrap_or_else(|error| panic!("{error}")), [false, false]);
}

#[test]
fn every_claim_about_a_part_belongs_to_one_check_and_every_check_has_a_fault_to_notice() {
    for subject in subjects() {
        let name = subject.name;
        let design = subject.design().unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let checks = subject.checks(&design);
        let mut claims: Vec<&String> = checks.iter().flat_map(|check| &check.claims).collect();
        let all = subject.labels(&design);
        claims.sort();
        // Parts as large as in the chip are proved in part.
        match name.ends_with("_of_the_chip") {
            true => assert!(claims.iter().all(|claim| all.contains(claim)), "{name}"),
            false => assert_eq!(claims, all.iter().collect::<Vec<_>>(), "{name}"),
        }
        for check in &checks {
            assert!(
                subject.faults().any(|(noticed_by, _)| noticed_by == check.name),
                "{name}: {}",
                check.name
            );
        }
        for (check, fault) in subject.faults() {
            let made = apply(fault, &mut verilog(&design));
            made.unwrap_or_else(|error| panic!("{name} {check}: {error}"));
        }
    }
}
