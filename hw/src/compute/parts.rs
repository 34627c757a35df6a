//! Parts of a scratchpad word: rows of fewer bytes than a word has.

use ferrite_hdl::prelude::*;

/// Which of the word's parts of `bytes` bytes an offset (a multiple of `bytes`) means; none if the word has one only.
fn index(offset: UInt, bytes: u32) -> Option<UInt> {
    let aligned = bytes.ilog2();
    (aligned < offset.width()).then(|| offset.slice(aligned, offset.width() - aligned))
}

/// The `bytes` bytes of a word that begin at `offset`, as int8 values, the first one first.
pub(super) fn bytes_at(word: UInt, offset: UInt, bytes: u32) -> Vec<UInt> {
    let part = |index: u32| word.slice(8 * bytes * index, 8 * bytes);
    let chosen = match index(offset, bytes) {
        None => word,
        Some(index) => (1..1 << index.width()).fold(part(0), |others, k| index.eq(k).mux(part(k), others)),
    };
    (0..bytes).map(|k| chosen.slice(8 * k, 8)).collect()
}

/// One bit for each byte of a word: whether it is one of the `bytes` bytes at `offset`.
pub(super) fn mask_at(m: &Builder, offset: UInt, bytes: u32) -> UInt {
    match index(offset, bytes) {
        None => m.constant(Bits::ones(bytes)),
        Some(index) => concat((0..1u32 << index.width()).rev().map(|k| index.eq(k).repeat(bytes))),
    }
}

/// The first `count` of values that are rotated by a multiple of `unit`: value `k` is that of place `k + by * unit`.
pub(super) fn rotate(values: &[UInt], by: UInt, unit: usize, count: usize) -> Vec<UInt> {
    let stages = 0..by.width();
    let all = stages.rev().fold(values.to_vec(), |values, bit| {
        let step = unit << bit;
        let of = |k: usize| by.bit(bit).mux(values[(k + step) % values.len()], values[k]);
        (0..values.len()).map(of).collect()
    });
    all.into_iter().take(count).collect()
}
