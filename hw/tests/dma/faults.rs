//! Errors and aborts.

use std::collections::HashMap;

use super::plain::{Descriptor, bursts, bytes_written, words_read};
use super::random::Random;
use super::rig::{Engine, MEMORY_BYTES, Rig, config};
use super::{put_words, random_descriptors, reads_as_plain, writes_as_plain};

const SIZES: [(u32, u32); 5] = [(32, 16), (64, 8), (128, 16), (128, 32), (256, 16)];

/// The first burst that touches a beat: which descriptor, which run of it, the burst's address.
fn first_touch(descriptors: &[Descriptor], beat: u32, rig: &Rig) -> Option<(usize, u32)> {
    let (beat_bytes, most) = (rig.config.axi.beat_bytes(), rig.config.burst_beats);
    let touches = |(at, bytes): &(u32, u32)| (*at..*at + *bytes).contains(&beat);
    descriptors.iter().enumerate().find_map(|(k, d)| {
        bursts(d, beat_bytes, most).into_iter().find(touches).map(|(address, _)| (k, address))
    })
}

/// A beat that the descriptors touch, and the first to touch it.
fn choose_beat(random: &mut Random, descriptors: &[Descriptor], rig: &Rig) -> (u32, usize, u32) {
    let d = &descriptors[random.below(descriptors.len() as u32) as usize];
    let runs = d.runs();
    let (external, _) = runs[random.below(runs.len() as u32) as usize];
    let beat = (external + random.below(d.bytes)) & !(rig.config.axi.beat_bytes() - 1);
    let (k, address) = first_touch(descriptors, beat, rig).unwrap();
    (beat, k, address)
}

/// The words that are written before a beat fails: those of whose bytes, taken together as far as a beat is large, none comes in it or
/// behind it.
fn words_before(descriptors: &[Descriptor], beat: u32, memory: &[u8], rig: &Rig) -> Vec<(u32, Vec<u8>, u32)> {
    let (word_bytes, beat_bytes) = (rig.config.word_bytes as usize, rig.config.axi.beat_bytes());
    let words = 1 << rig.config.address_bits;
    let mut all = Vec::new();
    for d in descriptors {
        for (external, local) in d.runs() {
            let run = Descriptor { external, local, n1: 1, n2: 1, ..*d };
            let fails = external < beat + beat_bytes && external + d.bytes > beat;
            let run_words = words_read(&run, memory, word_bytes, words);
            let is_written = |end: u32| {
                let chunk = (end - external).next_multiple_of(beat_bytes).min(d.bytes);
                !fails || external + chunk <= beat
            };
            all.extend(run_words.into_iter().filter(|(_, _, end)| is_written(*end)));
            if fails {
                return all;
            }
        }
    }
    all
}

#[test]
fn a_read_that_fails_ends_with_the_last_word_before_the_failing_beat() {
    for (data_bits, word_bytes) in SIZES {
        let mut rig = Rig::new(config(data_bits, word_bytes), 3);
        let mut random = Random::new(u64::from(data_bits));
        for round in 0..40 {
            if round == 20 {
                rig.stall(9);
            }
            let descriptors = random_descriptors(&rig, &mut random, 4);
            let (beat, k, address) = choose_beat(&mut random, &descriptors, &rig);
            let (memory, mut scratch) = (rig.memory(), rig.scratch());
            put_words(&mut scratch, &words_before(&descriptors, beat, &memory, &rig));
            rig.fail_in(beat, rig.config.axi.beat_bytes());
            rig.run(&descriptors, &[], |rig| rig.is_halted(Engine::Read));
            rig.drain(Engine::Read);
            assert_eq!(rig.error(Engine::Read), (true, address, 2), "{descriptors:x?}");
            assert!(rig.scratch() == scratch, "{beat:x} of {descriptors:x?}");
            rig.step();
            assert_eq!(rig.done[0] as usize, k);
            rig.fail_in(0, 0);
            rig.clear(Engine::Read);
            assert!(!rig.is_halted(Engine::Read));
            reads_as_plain(&mut rig, &mut random, 2);
        }
    }
}

/// Every byte is what the bytes before left there, or one of those that were to be written after.
fn assert_possible(memory: &[u8], base: &[u8], later: &[(u32, u8)]) {
    let mut possible: HashMap<u32, Vec<u8>> = HashMap::new();
    later.iter().for_each(|(address, byte)| possible.entry(*address).or_default().push(*byte));
    for (at, byte) in memory.iter().enumerate().filter(|(at, byte)| **byte != base[*at]) {
        let may = possible.get(&(at as u32)).is_some_and(|bytes| bytes.contains(byte));
        assert!(may, "{byte:#x} at {at:#x}");
    }
}

#[test]
fn a_write_that_fails_is_told_and_nothing_else_changes() {
    for (data_bits, word_bytes) in SIZES {
        let mut rig = Rig::new(config(data_bits, word_bytes), 4);
        let mut random = Random::new(u64::from(data_bits));
        for round in 0..40 {
            if round == 20 {
                rig.stall(11);
            }
            let descriptors = random_descriptors(&rig, &mut random, 4);
            let (beat, k, address) = choose_beat(&mut random, &descriptors, &rig);
            let (mut base, scratch) = (rig.memory(), rig.scratch());
            let bytes = |d: &Descriptor| bytes_written(d, &scratch, word_bytes as usize);
            for (at, byte) in descriptors[..k].iter().flat_map(bytes) {
                base[at as usize] = byte;
            }
            rig.fail_in(beat, rig.config.axi.beat_bytes());
            rig.run(&[], &descriptors, |rig| rig.is_halted(Engine::Write));
            rig.drain(Engine::Write);
            assert_eq!(rig.error(Engine::Write), (true, address, 2), "{descriptors:x?}");
            assert_eq!(rig.done[1] as usize, k);
            let later: Vec<_> = descriptors[k..].iter().flat_map(bytes).collect();
            assert_possible(&rig.memory(), &base, &later);
            rig.fail_in(0, 0);
            rig.clear(Engine::Write);
            assert!(!rig.is_halted(Engine::Write));
            writes_as_plain(&mut rig, &mut random, 2);
        }
    }
}

#[test]
fn what_lies_outside_of_the_memory_is_a_decode_error() {
    let mut rig = Rig::new(config(128, 16), 5);
    let beyond = [Descriptor::run(MEMORY_BYTES - 100, 300, 7)];
    rig.run(&beyond, &beyond, |rig| rig.is_halted(Engine::Read) && rig.is_halted(Engine::Write));
    rig.drain(Engine::Read);
    rig.drain(Engine::Write);
    assert_eq!(rig.done, [0, 0]);
    // The memory ends with a page, and so does a burst.
    assert_eq!(rig.error(Engine::Read), (true, MEMORY_BYTES, 3));
    assert_eq!(rig.error(Engine::Write), (true, MEMORY_BYTES, 3));
}

#[test]
fn a_halted_engine_takes_nothing_until_it_is_cleared() {
    let mut rig = Rig::new(config(64, 16), 6);
    rig.abort(Engine::Read);
    rig.abort(Engine::Write);
    let one = [Descriptor::run(64, 100, 0)];
    let mut cycles = 0;
    rig.run(&one, &one, |_| {
        cycles += 1;
        cycles > 100
    });
    assert_eq!((rig.done, rig.is_halted(Engine::Read), rig.error(Engine::Read).0), ([0, 0], true, false));
    rig.clear(Engine::Read);
    rig.clear(Engine::Write);
    rig.finish(&one, &one);
}

/// Runs so many cycles of both engines and aborts one of them.
fn aborts(rig: &mut Rig, random: &mut Random, engine: Engine, most_cycles: u32) {
    let descriptors = random_descriptors(rig, random, 4);
    let mut cycles = random.below(most_cycles);
    let stop = |_: &mut Rig| {
        cycles = cycles.saturating_sub(1);
        cycles == 0
    };
    let (memory, mut scratch) = (rig.memory(), rig.scratch());
    let (word_bytes, words) = (rig.config.word_bytes as usize, 1 << rig.config.address_bits);
    match engine {
        Engine::Read => rig.run(&descriptors, &[], stop),
        Engine::Write => rig.run(&[], &descriptors, stop),
    };
    rig.abort(engine);
    rig.drain(engine);
    assert!(rig.is_halted(engine) && !rig.error(engine).0);
    match engine {
        Engine::Read => {
            let found = rig.scratch();
            let written = descriptors.iter().flat_map(|d| words_read(d, &memory, word_bytes, words));
            let written: Vec<_> = written.collect();
            let is_prefix = (0..=written.len()).any(|k| {
                put_words(&mut scratch, &written[k.saturating_sub(1)..k]);
                scratch == found
            });
            assert!(is_prefix, "{descriptors:x?}");
        }
        Engine::Write => {
            let later = descriptors.iter().flat_map(|d| bytes_written(d, &scratch, word_bytes));
            assert_possible(&rig.memory(), &memory, &later.collect::<Vec<_>>());
        }
    }
    rig.clear(engine);
}

#[test]
fn an_engine_aborted_at_any_cycle_drains_and_works_again() {
    for (data_bits, word_bytes) in SIZES {
        let mut rig = Rig::new(config(data_bits, word_bytes), 8);
        let mut random = Random::new(u64::from(word_bytes));
        for round in 0..60 {
            if round == 30 {
                rig.stall(5);
            }
            let most_cycles = if round % 2 == 0 { 80 } else { 600 };
            aborts(&mut rig, &mut random, Engine::Read, most_cycles);
            reads_as_plain(&mut rig, &mut random, 1);
            aborts(&mut rig, &mut random, Engine::Write, most_cycles);
            writes_as_plain(&mut rig, &mut random, 1);
        }
    }
}
