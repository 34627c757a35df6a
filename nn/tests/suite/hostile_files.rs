//! Files that are broken by chance or on purpose: an error, soon, and without much memory. A panic fails the
//! test; sharing that would make memory or time explode is refused by the reader's own limit, which has its
//! test here.

use std::time::{Duration, Instant};

use ferrite_nn::{Target, compile, tflite};
use proptest::prelude::*;

use crate::real_files::{microflow, recorded};

/// Far more than any file here needs, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(5);

/// Reads, and compiles what can be read: neither may panic, nor take long.
fn survives(file: &[u8]) {
    let start = Instant::now();
    if let Ok(network) = tflite::read(file) {
        let constants: usize = network
            .tensors
            .iter()
            .filter_map(|tensor| tensor.constant.as_ref())
            .map(|c| c.len())
            .max()
            .unwrap_or(0);
        assert!(constants <= file.len(), "a tensor is larger than its file");
        // A program that comes out fits the chip's memory; whatever else comes out is an error.
        if let Ok(program) = compile(&network, &Target::default()) {
            assert!(program.ram.bytes.len() <= Target::default().ram_bytes as usize);
            assert!(program.external.bytes.len() <= Target::default().external_bytes as usize);
        }
    }
    assert!(start.elapsed() < PATIENCE, "took {:?}", start.elapsed());
}

#[test]
fn a_file_cut_off_anywhere_is_an_error() {
    let file = microflow("sine.tflite");
    for length in 0..file.len() {
        let head = &file[..length];
        survives(head);
        // The root table stands near the end or the start, but some table always reaches into the last bytes.
        if length < file.len() - 64 {
            assert!(tflite::read(head).is_err(), "the first {length} bytes");
        }
    }
}

#[test]
fn a_file_of_another_kind_is_named_as_such() {
    let refusal = |file: &[u8]| tflite::read(file).unwrap_err().to_string();
    assert_eq!(
        refusal(b"\x7fELF\x01\x01\x01\0\0\0\0\0"),
        "not a TensorFlow Lite file: bytes 4 to 7 are \"\\x01\\x01\\x01\\x00\", but must be \"TFL3\"; \
         export the network as a .tflite flatbuffer"
    );
    assert!(refusal(b"").contains("not there (the file has 0 bytes)"));
}

#[test]
fn every_byte_of_the_smallest_network_may_be_wrong() {
    let file = microflow("sine.tflite");
    for place in 0..file.len() {
        for value in [0x00, 0x01, 0x7F, 0x80, 0xFF] {
            let mut broken = file.clone();
            broken[place] = value;
            survives(&broken);
        }
    }
}

/// A file whose every table is shared as often as its vectors can say: a vector of `count` offsets to one
/// subgraph's tensor table whose name is `name_bytes` long.
fn file_of_shared_tensors(count: usize, name_bytes: usize) -> Vec<u8> {
    use flatbuffers::FlatBufferBuilder;
    let mut fbb = FlatBufferBuilder::new();
    let name = fbb.create_string(&"x".repeat(name_bytes));
    let table = fbb.start_table();
    fbb.push_slot_always(10, name);
    let tensor = fbb.end_table(table);
    let tensors = fbb.create_vector(&vec![tensor; count]);
    let table = fbb.start_table();
    fbb.push_slot_always(4, tensors);
    let graph = fbb.end_table(table);
    let graphs = fbb.create_vector(&[graph]);
    let table = fbb.start_table();
    fbb.push_slot_always(4, 3u32);
    fbb.push_slot_always(8, graphs);
    let model = fbb.end_table(table);
    fbb.finish(model, Some("TFL3"));
    fbb.finished_data().to_vec()
}

#[test]
fn a_file_that_unfolds_to_gigabytes_is_refused() {
    // A few tensors that share a name are read.
    tflite::read(&file_of_shared_tensors(10, 10)).unwrap();
    // 100,000 tensors with a name of 100,000 bytes would take 10 GB out of a file of 500 KB.
    let file = file_of_shared_tensors(100_000, 100_000);
    assert!(file.len() < 600_000);
    let start = Instant::now();
    let refusal = tflite::read(&file).unwrap_err().to_string();
    assert!(refusal.contains("Apparent size too large"), "{refusal}");
    assert!(start.elapsed() < PATIENCE);
}

/// Real files: those of a dependency, and the recorded ones if they are there.
fn corpus() -> Vec<Vec<u8>> {
    let dependency = ["sine.tflite", "speech.tflite"].map(microflow);
    let recorded = ["kws_ref_model.tflite", "str_ww_ref_model.tflite"].into_iter().filter_map(recorded);
    dependency.into_iter().chain(recorded).collect()
}

/// A change to a file. Places are fractions of its length, so that one change fits files of all lengths.
#[derive(Clone, Debug)]
enum Mutation {
    Byte(f64, u8),
    Word(f64, u32),
    Copy { from: f64, to: f64, bytes: usize },
    Remove(f64, usize),
    Insert(f64, Vec<u8>),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let interesting = prop::sample::select(vec![0, 1, 4, 0xFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, u32::MAX]);
    let word = prop_oneof![interesting, any::<u32>()];
    let place = || 0.0..1.0;
    prop_oneof![
        4 => (place(), any::<u8>()).prop_map(|(place, value)| Mutation::Byte(place, value)),
        4 => (place(), word).prop_map(|(place, value)| Mutation::Word(place, value)),
        2 => (place(), place(), 1..64usize).prop_map(|(from, to, bytes)| Mutation::Copy { from, to, bytes }),
        1 => (place(), 1..64usize).prop_map(|(place, bytes)| Mutation::Remove(place, bytes)),
        1 => (place(), prop::collection::vec(any::<u8>(), 1..16))
            .prop_map(|(place, bytes)| Mutation::Insert(place, bytes)),
    ]
}

fn mutate(file: &mut Vec<u8>, mutation: &Mutation) {
    let length = file.len();
    let at = |place: f64| (place * length as f64) as usize;
    match mutation {
        Mutation::Byte(place, value) => file[at(*place)] = *value,
        Mutation::Word(place, value) => {
            let at = at(*place) & !3;
            let end = (at + 4).min(length);
            file[at..end].copy_from_slice(&value.to_le_bytes()[..end - at]);
        }
        Mutation::Copy { from, to, bytes } => {
            let (from, to) = (at(*from), at(*to));
            let bytes = (*bytes).min(length - from.max(to));
            file.copy_within(from..from + bytes, to);
        }
        Mutation::Remove(place, bytes) => {
            let at = at(*place);
            file.drain(at..(at + bytes).min(length));
        }
        Mutation::Insert(place, bytes) => {
            let at = at(*place);
            file.splice(at..at, bytes.iter().copied());
        }
    }
}

#[test]
fn mutated_real_files_never_panic() {
    let corpus = corpus();
    let which = 0..corpus.len();
    let config = ProptestConfig { cases: 3000, ..ProptestConfig::default() };
    // The tables of these files stand in their last quarter or their first kilobyte more often than not: half
    // of all changes go to the smallest file, which is little but tables.
    let which = prop_oneof![Just(0), which];
    proptest!(config, |(which in which, mutations in prop::collection::vec(mutation(), 1..6))| {
        let mut file = corpus[which].clone();
        for mutation in &mutations {
            mutate(&mut file, mutation);
        }
        survives(&file);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(
        mut file in prop::collection::vec(any::<u8>(), 0..512),
        is_named in any::<bool>(),
    ) {
        if is_named && file.len() >= 8 {
            file[4..8].copy_from_slice(b"TFL3");
            // A root near by, so that it is not always the first offset that fails.
            file[1..4].fill(0);
        }
        survives(&file);
    }
}
