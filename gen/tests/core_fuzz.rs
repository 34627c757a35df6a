//! Random programs on cores of many configurations, in lockstep with the golden model.
//!
//! `ferrite fuzz --core` runs more of them, and shows what they exercise.

use std::sync::atomic::AtomicBool;

use ferrite_gen::fuzz::presets::{FULL, VARIANTS};
use ferrite_gen::fuzz::{Campaign, Finding, Fuzzer, Plan, Traits, campaign};
use ferrite_hw::core::CoreConfig;
use ferrite_model::iss::{Counters, HartConfig, PmpRegions};

/// Instructions for each preset.
const MANY: u64 = 2_000_000;
/// Instructions for the core with everything, whose simulation takes longer.
const FEWER: u64 = 1_000_000;
/// Instructions for each of the other cores.
const SOME: u64 = 100_000;
/// Programs within which a wrong model is found out.
const PROGRAMS: u64 = 200;

fn runs_as_on_the_model(core: CoreConfig, has_coprocessor: bool, instructions: u64) -> Campaign {
    let plan = Plan { core, has_coprocessor, seed: 0, instructions, time: None, threads: 1 };
    let campaign =
        campaign(&plan, &|_| {}, &AtomicBool::new(false)).unwrap_or_else(|error| panic!("{error}"));
    if let Some(finding) = &campaign.finding {
        panic!("{core:?}\n{finding}");
    }
    assert!(campaign.ran.instructions >= instructions);
    campaign
}

/// Everything that the coverage names happens, without exception.
fn assert_nothing_is_left_out(campaign: &Campaign) {
    let holes: Vec<String> = campaign
        .coverage
        .groups()
        .flat_map(|group| group.holes().map(move |hole| format!("{}: {hole}", group.title)))
        .collect();
    assert!(holes.is_empty(), "never exercised:\n{}", holes.join("\n"));
}

#[test]
fn the_small_core_runs_random_programs_as_the_model_and_nothing_is_left_out() {
    assert_nothing_is_left_out(&runs_as_on_the_model(CoreConfig::SMALL, true, MANY));
}

#[test]
fn the_fast_core_runs_random_programs_as_the_model_and_nothing_is_left_out() {
    assert_nothing_is_left_out(&runs_as_on_the_model(CoreConfig::FAST, true, MANY));
}

#[test]
fn the_core_with_everything_runs_random_programs_as_the_model() {
    runs_as_on_the_model(FULL, true, FEWER);
}

#[test]
fn cores_of_all_kinds_run_random_programs_as_the_model() {
    for (k, (name, core)) in VARIANTS.into_iter().enumerate() {
        println!("{name}");
        runs_as_on_the_model(core, k % 2 == 0, SOME);
    }
}

#[test]
fn a_seed_is_always_the_same_program_and_the_same_run() {
    let mut fuzzers = [(); 2].map(|()| Fuzzer::new(FULL, true).expect("a core"));
    // The second one has run something else before.
    fuzzers[1].run(77).expect("no difference");
    let runs = fuzzers
        .map(|mut fuzzer| (3..6).map(|seed| fuzzer.run(seed).expect("no difference")).collect::<Vec<_>>());
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0][0], runs[0][1]);
}

/// What is found where the model is not that of the core: the shortest of three, since now and then a program comes to the place by a jump over
/// instructions that then cannot be left out.
fn finding(core: CoreConfig, change: impl FnOnce(HartConfig) -> HartConfig) -> Finding {
    let traits = Traits::new(core, true);
    let hart = change(traits.hart);
    let mut fuzzer = Fuzzer::with_hart(traits, hart).expect("a core");
    let mut findings = Vec::new();
    for seed in 0..PROGRAMS {
        if let Err(failure) = fuzzer.run(seed) {
            findings.push(fuzzer.find(seed, failure));
        }
        if findings.len() == 3 {
            break;
        }
    }
    findings.into_iter().min_by_key(|finding| finding.items).expect("a program on which they differ")
}

#[test]
fn a_difference_is_made_small_and_shown() {
    let finding = finding(CoreConfig::FAST, |hart| HartConfig { zbb: false, ..hart });
    let text = finding.to_string();
    let of_zbb =
        ["andn", "orn", "xnor", "clz", "ctz", "cpop", "sext", "zext", "min", "max", "ro", "orc", "rev8"];
    assert!(finding.items == 1 && finding.items_before > 100, "{text}");
    assert_eq!(finding.listing.lines().count(), 1, "{text}");
    assert!(of_zbb.iter().any(|name| finding.listing.contains(name)), "{text}");
    assert!(text.contains("core and model differ") && text.contains("trap"), "{text}");
    assert!(!finding.waits && !finding.interrupts, "{text}");
}

#[test]
fn wrong_csrs_counters_and_regions_are_found() {
    type Change = fn(HartConfig) -> HartConfig;
    let wrong: [(&str, Change); 4] = [
        ("mhartid", |hart| HartConfig { mhartid: 1, ..hart }),
        ("mcountinhibit", |hart| HartConfig {
            counters: Counters { inhibit: false, ..hart.counters },
            ..hart
        }),
        // The disassembler has no names for its neighbours.
        ("0x3", |hart| HartConfig { counters: Counters { event_mask: 1, ..hart.counters }, ..hart }),
        ("pmp", |hart| HartConfig { pmp_regions: PmpRegions::Eight, ..hart }),
    ];
    for (name, change) in wrong {
        let finding = finding(FULL, change);
        assert!(finding.listing.contains(name), "{name}: {finding}");
        assert!(finding.items <= 5 && finding.listing.lines().count() <= 24, "{name}: {finding}");
    }
}
