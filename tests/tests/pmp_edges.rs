//! User mode cannot read, write or execute what physical memory protection denies, and machine mode cannot what is locked: every kind of access, around every
//! edge of regions of every kind.

use ferrite_gen::run::Chip;
use ferrite_tests::bench::{on_both, on_native};
use ferrite_tests::pmp_edges::region::{Entry, R, Shape, W, X};
use ferrite_tests::pmp_edges::settings::{Fill, Setting, all};
use ferrite_tests::pmp_edges::trial::{Access, Mode};
use ferrite_tests::pmp_edges::{ECALLS, Hart, Plan, on_chip, on_model, program};

const FOUR: Hart = Hart { regions: 4, compressed: false, handles_misaligned: false };
const EIGHT: Hart = Hart { regions: 8, compressed: true, handles_misaligned: false };
const SIXTEEN: Hart = Hart { regions: 16, compressed: true, handles_misaligned: false };

/// Tries settings on the model and on a chip, and returns how many accesses that were.
fn everything_is_as_specified<'a>(
    hart: &Hart,
    chip: &mut Chip,
    settings: impl IntoIterator<Item = &'a Setting>,
) -> usize {
    let config = hart.chip();
    let mut ends = [[[0; 2]; Mode::ALL.len()]; Access::ALL.len()];
    for setting in settings {
        let plan = Plan::new(hart, setting);
        assert!(!plan.trials.is_empty(), "{}", plan.name);
        let model = on_model(&config, &setting.entries, &plan);
        plan.judge(&model).unwrap_or_else(|difference| panic!("the model differs: {difference}"));
        let hardware = on_chip(chip, &setting.entries, &plan);
        plan.judge(&hardware).unwrap_or_else(|difference| panic!("the hardware differs: {difference}"));
        for (trial, outcome) in plan.trials.iter().zip(&plan.expected.outcomes) {
            let access = Access::ALL.iter().position(|access| *access == trial.access).unwrap();
            ends[access][trial.mode as usize][usize::from(outcome.cause >= ECALLS)] += 1;
        }
    }
    let [denied, allowed]: [usize; 2] =
        [0, 1].map(|end| ends.iter().flatten().map(|counts| counts[end]).sum());
    eprintln!("{} regions: {allowed} accesses allowed, {denied} refused", hart.regions);
    for (access, modes) in Access::ALL.iter().zip(ends) {
        for (mode, counts) in Mode::ALL.iter().zip(modes) {
            assert!(counts.iter().all(|count| *count > 0), "{access:?} as {mode:?}: {counts:?}");
        }
    }
    allowed + denied
}

fn on_the_native_engine(hart: &Hart, at_least: usize) {
    let settings = all(hart);
    let tried = everything_is_as_specified(hart, &mut on_native(&hart.chip()), &settings);
    assert!(tried >= at_least, "only {tried} accesses");
}

#[test]
fn four_regions_permit_and_deny_what_they_must() {
    on_the_native_engine(&FOUR, 20_000);
}

#[test]
fn eight_regions_permit_and_deny_what_they_must() {
    on_the_native_engine(&EIGHT, 50_000);
}

#[test]
fn sixteen_regions_permit_and_deny_what_they_must() {
    on_the_native_engine(&SIXTEEN, 50_000);
}

#[test]
fn misaligned_accesses_that_the_core_handles_are_permitted_and_denied_as_a_whole() {
    on_the_native_engine(&Hart { handles_misaligned: true, ..SIXTEEN }, 50_000);
}

#[test]
fn the_verilog_permits_and_denies_what_it_must() {
    let settings = all(&FOUR);
    // Those that bind machine mode, of which there are enough.
    let some = settings.iter().filter(|setting| setting.entries.iter().any(|entry| entry.locked)).step_by(2);
    everything_is_as_specified(&FOUR, &mut on_both(&FOUR.chip()), some);
}

/// Regions of every shape, of which each mistake shows.
fn setting() -> Setting {
    let at = |offset: u64| 0x8000_1000 + offset;
    let entries = vec![
        program::program_entry(),
        Entry::new(Shape::Napot, at(0)..at(16), R | W, false),
        Entry::new(Shape::Na4, at(8 * 64)..at(8 * 64 + 4), R, true),
        Entry::off(at(0x800)),
        Entry::new(Shape::Tor, at(0x800)..at(0x80C), R | X, true),
    ];
    Setting { name: "a mistake".to_string(), entries, fill: Fill::NopFirst }
}

#[test]
fn every_mistake_in_a_region_is_noticed() {
    let hart = EIGHT;
    let config = hart.chip();
    let setting = setting();
    let plan = Plan::new(&hart, &setting);
    let judged = |entries: &[Entry]| plan.judge(&on_model(&config, entries, &plan));
    assert_eq!(judged(&setting.entries), Ok(()));

    let mut mistakes: Vec<(&str, Vec<Entry>)> = Vec::new();
    for k in [1, 2, 4] {
        let mut mistake = |name, change: &dyn Fn(&mut Entry)| {
            let mut entries = setting.entries.clone();
            change(&mut entries[k]);
            mistakes.push((name, entries));
        };
        mistake("it may be read", &|entry| {
            entry.permissions ^= R | if entry.permissions & W != 0 { W } else { 0 }
        });
        mistake("it may be written", &|entry| entry.permissions ^= W);
        mistake("it may be executed", &|entry| entry.permissions ^= X);
        mistake("it is locked", &|entry| entry.locked = !entry.locked);
        mistake("it is off", &|entry| (entry.shape, entry.locked) = (Shape::Off, false));
    }
    for (k, start, end) in [
        (1, 0i64, -8i64),
        (1, 0, 16),
        (1, 16, 16),
        (1, -16, -16),
        (2, 4, 4),
        (2, -4, -4),
        (4, 0, 4),
        (4, 0, -4),
    ] {
        let mut entries = setting.entries.clone();
        let range = &mut entries[k].range;
        *range = range.start.wrapping_add_signed(start)..range.end.wrapping_add_signed(end);
        mistakes.push(("it lies elsewhere", entries));
    }
    for by in [4u64, 4u64.wrapping_neg()] {
        let mut entries = setting.entries.clone();
        let bottom = entries[3].range.start.wrapping_add(by);
        (entries[3], entries[4].range.start) = (Entry::off(bottom), bottom);
        mistakes.push(("it begins elsewhere", entries));
    }
    for (name, entries) in &mistakes {
        assert!(judged(entries).is_err(), "{name}: {entries:x?}");
    }
    assert_eq!(mistakes.len(), 25);
}

#[test]
fn of_overlapping_regions_the_order_matters() {
    let at = 0x8000_1000..0x8000_1010;
    let inner = Entry::new(Shape::Napot, at.start..at.start + 8, R, false);
    let outer = Entry::new(Shape::Napot, at, R | W, false);
    let entries = vec![program::program_entry(), inner, outer];
    let setting = Setting { name: "order".to_string(), entries, fill: Fill::NopFirst };
    let plan = Plan::new(&FOUR, &setting);
    let mut swapped = setting.entries.clone();
    swapped.swap(1, 2);
    assert_eq!(plan.judge(&on_model(&FOUR.chip(), &setting.entries, &plan)), Ok(()));
    assert!(plan.judge(&on_model(&FOUR.chip(), &swapped, &plan)).is_err());
}

#[test]
fn a_denied_store_that_reached_memory_is_noticed() {
    let plan = Plan::new(&FOUR, &setting_of_four());
    let mut left = on_model(&FOUR.chip(), &setting_of_four().entries, &plan);
    assert_eq!(plan.judge(&left), Ok(()));
    left.memory[0x1000] ^= 1;
    assert!(plan.judge(&left).unwrap_err().contains("0x80001000"));
}

fn setting_of_four() -> Setting {
    let Setting { mut entries, name, fill } = setting();
    entries.truncate(3);
    Setting { name, entries, fill }
}
