//! The DMA engines between a memory behind AXI4 and a scratchpad. The rules of AXI4 are assertions of the system, so that every test here
//! checks them.

mod faults;
mod form;
mod memory;
#[path = "../harness/paths.rs"]
mod paths;
mod plain;
#[path = "../harness/random.rs"]
mod random;
mod rig;
mod rules;
mod speed;
mod system;

use ferrite_hw::dma::DmaConfig;
use plain::{Descriptor, bytes_written, words_read};
use random::Random;
use rig::{MEMORY_BYTES, Rig, config};

/// Widths of beats and of words.
const SIZES: [(u32, u32); 8] =
    [(32, 8), (32, 32), (64, 8), (64, 16), (128, 8), (128, 16), (128, 32), (256, 16)];

fn put_words(scratch: &mut [u8], words: &[(u32, Vec<u8>, u32)]) {
    for (number, word, _) in words {
        scratch[*number as usize * word.len()..][..word.len()].copy_from_slice(word);
    }
}

fn random_descriptors(rig: &Rig, random: &mut Random, count: usize) -> Vec<Descriptor> {
    (0..count).map(|_| Descriptor::random(random, MEMORY_BYTES, rig.config.address_bits)).collect()
}

fn reads_as_plain(rig: &mut Rig, random: &mut Random, count: usize) {
    let descriptors = random_descriptors(rig, random, count);
    let (memory, mut scratch) = (rig.memory(), rig.scratch());
    let words = 1 << rig.config.address_bits;
    for d in &descriptors {
        put_words(&mut scratch, &words_read(d, &memory, rig.config.word_bytes as usize, words));
    }
    rig.finish(&descriptors, &[]);
    assert!(rig.scratch() == scratch, "{descriptors:x?}");
    assert!(rig.memory() == memory);
}

fn writes_as_plain(rig: &mut Rig, random: &mut Random, count: usize) {
    let descriptors = random_descriptors(rig, random, count);
    let (mut memory, scratch) = (rig.memory(), rig.scratch());
    for d in &descriptors {
        for (address, byte) in bytes_written(d, &scratch, rig.config.word_bytes as usize) {
            memory[address as usize] = byte;
        }
    }
    rig.finish(&[], &descriptors);
    assert!(rig.memory() == memory, "{descriptors:x?}");
    assert!(rig.scratch() == scratch);
}

#[test]
fn random_descriptors_are_read_as_plain_bytes() {
    for (data_bits, word_bytes) in SIZES {
        let mut rig = Rig::new(config(data_bits, word_bytes), 1);
        let mut random = Random::new(u64::from(data_bits + word_bytes));
        for round in 0..12 {
            if round == 6 {
                rig.stall(7);
            }
            reads_as_plain(&mut rig, &mut random, 10);
        }
    }
}

#[test]
fn random_descriptors_are_written_as_plain_bytes() {
    for (data_bits, word_bytes) in SIZES {
        let mut rig = Rig::new(config(data_bits, word_bytes), 2);
        let mut random = Random::new(u64::from(data_bits + word_bytes) + 1);
        for round in 0..12 {
            if round == 6 {
                rig.stall(7);
            }
            writes_as_plain(&mut rig, &mut random, 10);
        }
    }
}

#[test]
fn reads_and_writes_at_once_do_not_disturb_each_other() {
    for stall in [false, true] {
        let mut rig = Rig::new(config(128, 16), 3);
        let mut random = Random::new(5);
        if stall {
            rig.stall(1);
        }
        for _ in 0..10 {
            // Reads take the lower halves, writes the upper ones.
            let half = MEMORY_BYTES / 2;
            let bits = rig.config.address_bits - 1;
            let mut some = || -> Vec<Descriptor> {
                let ones = (0..8).map(|_| Descriptor::random(&mut random, half - 64, bits));
                ones.map(|d| Descriptor { d1: 20, d2: 120, local: d.local % 512, ..d }).collect()
            };
            let reads: Vec<Descriptor> = some();
            let upper =
                |d: Descriptor| Descriptor { external: d.external + half, local: d.local + (1 << bits), ..d };
            let writes: Vec<Descriptor> = some().into_iter().map(upper).collect();
            let (mut memory, mut scratch) = (rig.memory(), rig.scratch());
            for (address, byte) in writes.iter().flat_map(|d| bytes_written(d, &scratch, 16)) {
                memory[address as usize] = byte;
            }
            for d in &reads {
                put_words(&mut scratch, &words_read(d, &memory, 16, 1 << rig.config.address_bits));
            }
            rig.finish(&reads, &writes);
            assert!(rig.scratch() == scratch && rig.memory() == memory);
        }
    }
}

#[test]
fn other_burst_lengths_and_limits_move_the_same_bytes() {
    for (burst_beats, outstanding) in [(1, 2), (3, 4), (256, 8), (256, 16)] {
        for (data_bits, word_bytes) in [(32, 8), (256, 32)] {
            let config = DmaConfig { burst_beats, outstanding, ..config(data_bits, word_bytes) };
            let mut rig = Rig::new(config, 4);
            let mut random = Random::new(u64::from(burst_beats));
            for _ in 0..2 {
                reads_as_plain(&mut rig, &mut random, 10);
                writes_as_plain(&mut rig, &mut random, 10);
                rig.stall(8);
            }
        }
    }
}

#[test]
fn every_alignment_and_length_of_a_short_run_is_moved() {
    for (data_bits, word_bytes) in [(32, 8), (64, 16), (256, 8)] {
        let mut rig = Rig::new(config(data_bits, word_bytes), 5);
        let beat_bytes = rig.config.axi.beat_bytes();
        let (memory, mut scratch) = (rig.memory(), rig.scratch());
        let (mut reads, mut local) = (Vec::new(), 0);
        for bytes in 1..=beat_bytes + 9 {
            // The middle of the offsets lies at the border of a page.
            let d =
                Descriptor { n1: beat_bytes, s1: 1, ..Descriptor::run(4096 - beat_bytes / 2, bytes, local) };
            let d = Descriptor { d1: bytes.div_ceil(word_bytes), ..d };
            local = (local + beat_bytes * d.d1) % (1 << rig.config.address_bits);
            put_words(
                &mut scratch,
                &words_read(&d, &memory, word_bytes as usize, 1 << rig.config.address_bits),
            );
            reads.push(d);
        }
        rig.finish(&reads, &[]);
        assert!(rig.scratch() == scratch);
        let mut memory = rig.memory();
        let writes: Vec<_> =
            reads.iter().map(|d| Descriptor { s1: 3 * beat_bytes as i32 + 1, ..*d }).collect();
        for (address, byte) in writes.iter().flat_map(|d| bytes_written(d, &scratch, word_bytes as usize)) {
            memory[address as usize] = byte;
        }
        rig.finish(&[], &writes);
        assert!(rig.memory() == memory);
    }
}
