//! The DMA engines between a memory behind AXI4 and a scratchpad. The rules of AXI4 are assertions of the system, so that every test here
//! checks them.

mod plain;
#[path = "../harness/random.rs"]
mod random;
mod rig;
mod system;

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
