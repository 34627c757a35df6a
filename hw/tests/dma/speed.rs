//! How fast data move.

use ferrite_hw::dma::DmaConfig;

use super::plain::Descriptor;
use super::rig::{Rig, config, system};
use super::system::System;

/// Cycles from the first descriptor's offer to the last one's end beyond the beats: the memory's latency, and the stages of an engine.
const AROUND: u32 = 20 + 12;

fn rig() -> Rig {
    Rig::new(config(128, 16), 1)
}

/// Runs of 64 bytes from every 128, beginning at some byte.
fn rows(offset: u32) -> Descriptor {
    Descriptor { n1: 127, s1: 128, d1: 4, ..Descriptor::run(offset, 64, 0) }
}

fn read(descriptors: &[Descriptor]) -> u32 {
    rig().finish(descriptors, &[])
}

fn write(descriptors: &[Descriptor]) -> u32 {
    rig().finish(&[], descriptors)
}

fn assert_within(what: &str, cycles: u32, limit: u32) {
    println!("{what}: {cycles} cycles, at most {limit}");
    assert!(cycles <= limit, "{what}: {cycles} cycles, more than {limit}");
}

#[test]
fn a_long_aligned_run_moves_a_beat_in_every_cycle() {
    let long = [Descriptor::run(0, 16 << 10, 0)];
    assert_within("16 KB read", read(&long), 1024 + AROUND);
    assert_within("16 KB written", write(&long), 1024 + AROUND);
}

#[test]
fn a_long_unaligned_run_moves_a_beat_in_every_cycle() {
    let long = [Descriptor::run(5, 16 << 10, 0)];
    assert_within("16 KB from an odd byte read", read(&long), 1025 + AROUND);
    assert_within("16 KB to an odd byte written", write(&long), 1025 + AROUND);
}

#[test]
fn there_is_no_bubble_between_descriptors() {
    let many: Vec<_> = (0..16).map(|k| Descriptor::run(k << 10, 1 << 10, k << 6)).collect();
    assert_within("16 of 1 KB read", read(&many), 1024 + AROUND);
    assert_within("16 of 1 KB written", write(&many), 1024 + AROUND);
}

#[test]
fn short_runs_reach_nine_tenths_of_a_beat_per_cycle() {
    for (offset, beats) in [(0, 127 * 4), (8, 127 * 5)] {
        let rows = [rows(offset)];
        assert_within("64 byte runs read", read(&rows), beats * 10 / 9);
        assert_within("64 byte runs written", write(&rows), beats * 10 / 9);
    }
}

#[test]
fn a_read_and_a_write_at_once_do_not_slow_each_other() {
    let (from, to) = ([Descriptor::run(0, 12 << 10, 0)], [Descriptor::run(12 << 10, 12 << 10, 1024)]);
    let alone = read(&from).max(write(&to));
    assert_eq!(rig().finish(&from, &to), alone);
}

#[test]
fn narrow_words_limit_a_wide_port_to_a_word_per_cycle() {
    let long = [Descriptor::run(0, 8 << 10, 0)];
    let mut rig = Rig::new(config(256, 8), 1);
    assert_within("8 KB to words of 8 bytes read", rig.finish(&long, &[]), 1024 + AROUND);
    assert_within("8 KB from words of 8 bytes written", rig.finish(&[], &long), 1024 + AROUND + 8);
}

#[test]
fn a_scratchpad_that_answers_after_fourteen_cycles_does_not_slow_a_write() {
    let long = [Descriptor::run(0, 16 << 10, 0)];
    let cycles = |scratch_cycles| {
        let system = System { scratch_cycles, ..system(config(128, 16)) };
        Rig::native(system, 1).finish(&[], &long)
    };
    assert_within("16 KB from a scratchpad of 14 cycles written", cycles(14), 1024 + AROUND + 14);
    assert!(cycles(15) > 1100);
}

#[test]
fn runs_of_two_beats_need_sixteen_open_bursts_to_be_fast() {
    let cycles = |outstanding| {
        let config = DmaConfig { outstanding, ..config(256, 16) };
        // Words of 16 bytes would be the limit.
        let config = DmaConfig { word_bytes: 32, address_bits: config.address_bits - 1, ..config };
        let rows = [Descriptor { d1: 2, ..rows(0) }];
        (Rig::new(config, 1).finish(&rows, &[]), Rig::new(config, 1).finish(&[], &rows))
    };
    println!("64 byte runs at 256 bits, read and written: {:?} with 8 open bursts", cycles(8));
    let (read, write) = cycles(16);
    assert_within("64 byte runs at 256 bits read", read, 254 * 10 / 9 + 20);
    assert_within("64 byte runs at 256 bits written", write, 254 * 10 / 9 + 20);
}
