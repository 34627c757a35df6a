//! External memory that answers with errors.

use std::ops::Range;

use ferrite_model::unit::{Cause, Command, Outcome, Sizes, Transfer, Unit};

use super::bench::{Bench, Verdict};
use super::state::{MEMORY_BYTES, State};
use super::touched::{Part, Place, conflict, part, runs, touched};
use super::{List, SIZES, native, verilated};
use crate::random::Random;

/// Beats of the longest burst.
const BURST_BEATS: u64 = 16;

/// The first byte of a transfer that is in a range.
fn first_byte_in(t: &Transfer, fails: &Range<u64>) -> Option<u64> {
    let first_of_run = |at: u64| {
        let first = at.max(fails.start);
        (first < (at + t.bytes).min(fails.end)).then_some(first)
    };
    runs(t).find_map(first_of_run)
}

/// The first load or store that touches a range: its number, and its first byte there.
fn first_at_fault(commands: &[Command], of: Part, fails: &Range<u64>) -> Option<(usize, u64)> {
    commands.iter().enumerate().filter(|(_, command)| part(command) == of).find_map(|(k, command)| {
        let (Command::Load(t) | Command::Store(t)) = command else { unreachable!("a transfer") };
        first_byte_in(t, fails).map(|byte| (k, byte))
    })
}

/// The commands that must be finished if this one has begun: those of its kind before it, and those with which it has something in common, and so on.
fn must_be_finished(sizes: &Sizes, commands: &[Command], number: usize) -> Vec<bool> {
    let mut needed = vec![false; commands.len()];
    let mut left = vec![number];
    while let Some(k) = left.pop() {
        for before in 0..k {
            let (one, other) = (&commands[before], &commands[k]);
            if !needed[before] && (part(one) == part(other) || conflict(sizes, one, other)) {
                needed[before] = true;
                left.push(before);
            }
        }
    }
    needed
}

/// What differs, of what is told for sure: only commands that must be finished count, and nothing that others may have written.
fn difference(
    sizes: &Sizes,
    start: &State,
    found: &State,
    commands: &[Command],
    list: &List,
    number: usize,
) -> Option<String> {
    let needed = must_be_finished(sizes, commands, number);
    let mut unit: Unit = start.unit(*sizes, u64::MAX);
    let mut external = start.external.clone();
    for (record, _) in list.records.iter().zip(&needed).filter(|(_, needed)| **needed) {
        assert_eq!(unit.execute(record, &mut external[..]), Ok(Outcome::Done));
    }
    let mut expected = State { external, scratchpad: unit.scratchpad, accumulators: unit.accumulators };
    let at_fault = part(&commands[number]);
    for (k, command) in commands.iter().enumerate().filter(|(k, _)| !needed[*k]) {
        // A load behind one that fails does nothing.
        if k > number && at_fault == Part::Load && part(command) == Part::Load {
            continue;
        }
        for range in touched(sizes, command).iter().filter(|range| range.writes) {
            let (first, last) = (range.first as usize, range.last as usize);
            let cols = sizes.cols as usize;
            match range.place {
                Place::External => {
                    expected.external[first..=last].copy_from_slice(&found.external[first..=last])
                }
                Place::Scratchpad => {
                    expected.scratchpad[first..=last].copy_from_slice(&found.scratchpad[first..=last])
                }
                Place::Accumulators => {
                    let sums = first * cols..(last + 1) * cols;
                    expected.accumulators[sums.clone()].copy_from_slice(&found.accumulators[sums]);
                }
            }
        }
    }
    found.difference(&expected)
}

/// Runs a list in a memory of which a part fails. Gives the cause.
fn fails_as_told(bench: &mut Bench, seed: u64) -> Result<u32, String> {
    let list = List::random(bench.sizes, seed);
    let sizes = bench.sizes;
    let mut random = Random::new(seed ^ 0x5555);
    let beat = bench.beat_bytes();
    let beats = if random.eighths(4) { 1 + random.below(4) } else { 1 + random.below(100) };
    let commands: Vec<Command> = list.records.iter().map_while(|record| sizes.judge(record).ok()).collect();
    // Mostly where a transfer begins.
    let begins: Vec<u32> = commands
        .iter()
        .filter_map(|command| match command {
            Command::Load(t) | Command::Store(t) => Some(t.external as u32),
            _ => None,
        })
        .collect();
    let place = match begins.is_empty() || random.eighths(2) {
        true => random.below(MEMORY_BYTES),
        false => begins[random.below(begins.len() as u32) as usize],
    };
    let start = place / beat * beat;
    let fails = u64::from(start)..u64::from(start + beats * beat);
    let load = first_at_fault(&commands, Part::Load, &fails);
    let store = first_at_fault(&commands, Part::Store, &fails);

    bench.begin(&list.start, list.stall);
    bench.fail_in(start, beats * beat);
    let found = bench.run(&list.records)?;
    let at_fault = match found.cause {
        5 => load,
        6 => store,
        _ => None,
    };
    let told = format!("{found:?}, and the first transfers in {fails:x?} are {load:x?} and {store:x?}");
    let Some((number, byte)) = at_fault else {
        if load.or(store).is_some() {
            return Err(told);
        }
        let (expected, verdict) = list.expected(sizes, &list.records);
        if found != verdict {
            return Err(format!("the unit says {found:?}, and the model {verdict:?}"));
        }
        return bench.state().difference(&expected).map_or(Ok(found.cause), Err);
    };
    let burst = u64::from(found.address);
    let in_burst = (burst..burst + BURST_BEATS * u64::from(beat)).contains(&byte);
    if found.number as usize != number
        || !in_burst
        || burst / 4096 != byte / 4096
        || burst % u64::from(beat) != 0
    {
        return Err(told);
    }
    let memories = bench.state();
    if let Some(what) = difference(&sizes, &list.start, &memories, &commands, &list, number) {
        return Err(format!("{told}; {what}"));
    }
    // It takes commands, and nothing comes of them.
    let again = bench.run(&list.records)?;
    if again != found || bench.state() != memories {
        return Err(format!("{found:?} became {again:?}, or memories changed"));
    }
    Ok(found.cause)
}

fn all_fail_as_told(bench: &mut Bench, seed: u64, lists: u64) -> [u32; 7] {
    let mut causes = [0; 7];
    for seed in (seed << 32..).take(lists as usize) {
        match fails_as_told(bench, seed) {
            Ok(cause) => causes[cause as usize] += 1,
            Err(what) => panic!("{:?}, seed {seed:#x}: {what}", bench.sizes),
        }
    }
    causes
}

#[test]
fn the_first_load_or_store_that_fails_is_told_and_those_before_it_are_finished() {
    let mut all = [0; 7];
    for (k, sizes) in (1u64..).zip(SIZES) {
        let causes = all_fail_as_told(&mut native(sizes), 200 + k, 300);
        println!("{sizes:?}: lists by cause {causes:?}");
        all.iter_mut().zip(causes).for_each(|(all, count)| *all += count);
    }
    assert!(all[Cause::Load as usize] >= 200 && all[Cause::Store as usize] >= 200, "{all:?}");
}

#[test]
fn errors_of_external_memory_are_told_on_verilator_too() {
    if let Some(mut bench) = verilated(SIZES[1]) {
        all_fail_as_told(&mut bench, 250, 40);
    }
}

#[test]
fn the_earlier_of_two_errors_stands_in_whatever_order_they_come() {
    let mut bench = native(SIZES[3]);
    let start = State::random(&bench.sizes, &mut Random::new(1));
    let outside = MEMORY_BYTES;
    let transfer = |external| crate::record::Transfer::run(external, 0, 64);
    let [good, lost] = [transfer(256), transfer(outside)];
    let unknown = {
        let mut record = good.load();
        record[0] = 99;
        record
    };
    let verdict = |number, cause, address| Verdict { number, cause, address };
    for (records, expected) in [
        (vec![good.load(), lost.load(), unknown], verdict(1, 5, outside)),
        (vec![good.load(), lost.store(), unknown], verdict(1, 6, outside)),
        (vec![good.load(), unknown, lost.load()], verdict(1, 1, 0)),
        (vec![good.load(), lost.load(), lost.load()], verdict(1, 5, outside)),
        // The load has to wait for the store.
        (vec![lost.store(), lost.load(), good.load()], verdict(0, 6, outside)),
    ] {
        for stall in [None, Some(3)] {
            bench.begin(&start, stall);
            assert_eq!(bench.run(&records), Ok(expected.clone()), "{records:x?}");
        }
    }
}

#[test]
fn an_error_of_the_front_counts_behind_the_commands_that_have_come() {
    let mut bench = native(SIZES[3]);
    let start = State::random(&bench.sizes, &mut Random::new(1));
    let good = crate::record::Transfer::run(256, 0, 64).load();
    let bad = {
        let mut record = good;
        record[1] = MEMORY_BYTES;
        record
    };
    let verdict = |number, cause, address| Verdict { number, cause, address };
    for (records, expected) in [
        (vec![], verdict(0, 7, 0)),
        (vec![good, good, good], verdict(3, 7, 0)),
        (vec![good, good, bad, good], verdict(2, 5, MEMORY_BYTES)),
        (vec![good, [0; 16], good], verdict(1, 1, 0)),
    ] {
        bench.begin(&start, None);
        // All are in, and not all are judged.
        bench
            .run_for(&records, if records.is_empty() { 0 } else { 10 + 40 * (records.len() as u32 - 1) })
            .unwrap();
        bench.refuse(7).unwrap();
        assert_eq!(bench.run(&[]), Ok(expected.clone()));
        // It stands, and what comes is dropped.
        bench.refuse(2).unwrap();
        assert_eq!(bench.run(&[good, good]), Ok(expected));
        bench.clear().unwrap();
        assert_eq!(bench.run(&[good, good]), Ok(verdict(2, 0, 0)));
    }
}

#[test]
fn an_error_that_comes_later_counts_if_its_command_is_the_earlier() {
    let mut bench = native(SIZES[3]);
    let start = State::random(&bench.sizes, &mut Random::new(1));
    let transfer = |external, local, bytes| crate::record::Transfer::run(external, local, bytes);
    // 128 bytes at 0x17C0 fail, where some of these are after many bursts.
    let long = transfer(0x1000, 0, 2048);
    let middle = transfer(0x15D0, 0, 512);
    let short = transfer(0x1800, 4096, 64);
    let back = 0x1810u32.wrapping_sub(0x4000);
    let longer = crate::record::Transfer::rows(0x4000, 4096, 2000, 2, back, 2048);
    let verdict = |number, cause, address| Verdict { number, cause, address };
    for (records, expected) in [
        ([long.store(), short.load()], verdict(0, 6, 0x1700)),
        ([long.load(), short.store()], verdict(0, 5, 0x1700)),
        ([middle.load(), longer.store()], verdict(0, 5, 0x16D0)),
        ([longer.store(), middle.load()], verdict(0, 6, 0x1810)),
    ] {
        for stall in [None, Some(3), Some(4)] {
            bench.begin(&start, stall);
            bench.fail_in(0x17C0, 128);
            assert_eq!(bench.run(&records), Ok(expected.clone()), "{records:x?}");
        }
    }
}
