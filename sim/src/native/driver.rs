//! Code that finds what is active and calls it, and that takes clock edges.

use std::ops::Range;

use cranelift_codegen::ir::types::{I8X16, I64};
use cranelift_codegen::ir::{FuncRef, InstBuilder, Value};

use super::body::Body;
use super::layout::Place;
use super::plan::{Plan, Trigger};

/// Runs `then` where a bit or one of several is set in the word at an offset.
fn if_set(body: &mut Body, offset: u32, mask: u64, then: impl FnOnce(&mut Body)) {
    // A mask within one byte is a short instruction.
    let byte = mask.trailing_zeros() / 8;
    let in_byte = mask >> (8 * byte);
    let set = if mask == u64::MAX {
        body.load_as(I64, offset)
    } else if in_byte <= 0xff {
        let value = body.load_from(body.base, offset + byte, 1);
        if in_byte == 0xff { value } else { body.and_k(value, in_byte) }
    } else {
        let value = body.load_as(I64, offset);
        body.and_k(value, mask)
    };
    let (yes, no) = (body.b.create_block(), body.b.create_block());
    body.b.ins().brif(set, yes, &[], no, &[]);
    body.b.switch_to_block(yes);
    then(body);
    body.b.ins().jump(no, &[]);
    body.b.switch_to_block(no);
}

/// Visits the set ones among `bits` bits from a word on, in their order, then clears the word.
///
/// `marks` is the distance to where the bits are kept for who wants to know what was visited.
fn visit(body: &mut Body, offset: u32, bits: u32, marks: Option<u32>, mut visit: impl FnMut(&mut Body, u32)) {
    if_set(body, offset, u64::MAX, |body| {
        for byte in 0..bits.div_ceil(8) {
            if_set(body, offset, 0xff << (8 * byte), |body| {
                for bit in 8 * byte..(8 * byte + 8).min(bits) {
                    if_set(body, offset, 1 << bit, |body| visit(body, bit));
                }
            });
        }
        if let Some(distance) = marks {
            // Visits may have set more bits, which were visited too.
            let visited = body.load_as(I64, offset);
            let marked = body.load_as(I64, offset + distance);
            let marked = body.b.ins().bor(marked, visited);
            body.store_as(marked, offset + distance);
        }
        let zero = body.k(0);
        body.store_as(zero, offset);
    });
}

/// Evaluates all active blocks. Every block only activates later ones, so that one pass is enough.
pub(super) fn evaluate(body: &mut Body, plan: &Plan, blocks: &[FuncRef]) {
    for (word, functions) in blocks.chunks(64).enumerate() {
        let offset = plan.layout.active.offset + 8 * word as u32;
        visit(body, offset, functions.len() as u32, plan.layout.marks, |body, bit| {
            let base = body.base;
            body.b.ins().call(functions[bit as usize], &[base]);
        });
    }
}

/// Gives registers their next values; one word of units.
pub(super) fn change_registers(body: &mut Body, plan: &Plan, word: u32) {
    let offset = plan.layout.pending.offset + 8 * word;
    let first = plan.layout.unit_bits.iter().position(|bit| bit / 64 == word).unwrap_or(0);
    let count = plan.layout.unit_bits.iter().filter(|bit| **bit / 64 == word).count();
    visit(body, offset, count as u32, plan.layout.marks, |body, bit| {
        let unit = &plan.units[first + bit as usize];
        let states = unit.states.iter().map(|k| plan.layout.places[&plan.netlist.states[*k as usize].id]);
        let mut places: Vec<Place> = states.collect();
        places.sort_by_key(|place| place.offset);
        let compared = matches!(unit.trigger, Trigger::Enable(_));
        let mut change = Change::default();
        for range in joined(&places) {
            copy(body, range, plan.layout.shadow, compared.then_some(&mut change));
        }
        let changed = if compared { change.any(body) } else { body.k(1) };
        body.raise(plan.layout.active, &unit.readers, changed);
        body.flush();
    });
}

/// Neighbours as one range. What lies between values for alignment is copied along.
fn joined(places: &[Place]) -> Vec<Range<u32>> {
    let mut ranges: Vec<Range<u32>> = Vec::new();
    for place in places {
        let end = place.offset + place.bytes;
        match ranges.last_mut() {
            Some(range) if range.end == place.offset => range.end = end,
            _ => ranges.push(place.offset..end),
        }
    }
    ranges
}

/// How bytes differ from what they are replaced by.
#[derive(Default)]
struct Change {
    vector: Option<Value>,
    scalar: Option<Value>,
}

impl Change {
    /// 1 if they do.
    fn any(self, body: &mut Body) -> Value {
        let vector = self.vector.map(|vector| {
            let any = body.b.ins().vany_true(vector);
            body.b.ins().uextend(I64, any)
        });
        let scalar = self.scalar.map(|scalar| body.any(scalar));
        match (vector, scalar) {
            (Some(vector), Some(scalar)) => body.or(vector, scalar),
            (Some(any), None) | (None, Some(any)) => any,
            (None, None) => body.k(0),
        }
    }
}

/// Copies a range from `distance` bytes behind it, and adds to `change` how it differs.
fn copy(body: &mut Body, range: Range<u32>, distance: u32, mut change: Option<&mut Change>) {
    let mut at = range.start;
    while at < range.end {
        let left = range.end - at;
        if left >= 16 {
            let value = body.load_as(I8X16, at + distance);
            if let Some(change) = &mut change {
                let before = body.load_as(I8X16, at);
                let differs = body.b.ins().bxor(value, before);
                change.vector = Some(body.or_option(change.vector, differs));
            }
            body.store_as(value, at);
            at += 16;
        } else {
            let bytes = [8, 4, 2, 1].into_iter().find(|b| *b <= left).unwrap_or(1);
            let value = body.load_from(body.base, at + distance, bytes);
            if let Some(change) = &mut change {
                let before = body.load_from(body.base, at, bytes);
                let differs = body.b.ins().bxor(value, before);
                change.scalar = Some(body.or_option(change.scalar, differs));
            }
            body.store_to(body.base, at, bytes, value);
            at += bytes;
        }
    }
}

/// Writes the memories of one word of `pending`.
pub(super) fn write_memories(body: &mut Body, plan: &Plan, word: u32) {
    let places = plan.layout.memories.iter().enumerate();
    let here = places.filter(|(_, memory)| memory.clock.is_some() && memory.pending / 64 == word);
    let memories: Vec<usize> = here.map(|(k, _)| k).collect();
    let offset = plan.layout.pending.offset + 8 * word;
    visit(body, offset, memories.len() as u32, plan.layout.marks, |body, bit| {
        let memory = memories[bit as usize];
        for port in 0..plan.layout.memories[memory].ports.len() {
            write_port(body, plan, memory, port);
        }
    });
}

/// Writes those memories whose ports have several clocks: with `clocks` as the function's second parameter, a bit for each.
pub(super) fn write_shared_memories(body: &mut Body, plan: &Plan, clocks: Value) {
    for (k, memory) in plan.layout.memories.iter().enumerate().filter(|(_, m)| m.clock.is_none()) {
        for port in 0..memory.ports.len() {
            let clock = plan.netlist.writes[k][port].clock;
            let ticks = body.and_k(clocks, 1 << clock);
            let (yes, no) = (body.b.create_block(), body.b.create_block());
            body.b.ins().brif(ticks, yes, &[], no, &[]);
            body.b.switch_to_block(yes);
            write_port(body, plan, k, port);
            body.b.ins().jump(no, &[]);
            body.b.switch_to_block(no);
        }
    }
}

fn write_port(body: &mut Body, plan: &Plan, memory: usize, port: usize) {
    let enable = plan.layout.memories[memory].ports[port].enable;
    if_set(body, enable.offset, 0xff, |body| {
        let changed = write_word(body, plan, memory, port);
        let changed = body.any(changed);
        body.raise(plan.layout.active, &plan.memory_readers[memory], changed);
        body.flush();
    });
}

/// Writes one word; gives how it differs from before.
fn write_word(body: &mut Body, plan: &Plan, memory: usize, port: usize) -> Value {
    let mask_of = |body: &mut Body, k| lane_mask(body, plan, memory, port, k);
    let memory = &plan.layout.memories[memory];
    let ports = &memory.ports[port];
    let (bytes, offset) = (body.k(memory.word_bytes.into()), body.k(memory.offset));
    let addr = body.load(ports.addr);
    let distance = body.b.ins().imul(addr, bytes);
    let first = body.b.ins().iadd(body.base, offset);
    let word = body.b.ins().iadd(first, distance);
    let mut changed = None;
    for k in 0..memory.word_bytes.div_ceil(8) {
        let bytes = memory.word_bytes.min(8);
        let before = body.load_from(word, 8 * k, bytes);
        let data = body.load_from(body.base, ports.data.offset + 8 * k, bytes);
        let differs = body.b.ins().bxor(before, data);
        let differs = match mask_of(body, k) {
            Some(mask) => body.b.ins().band(differs, mask),
            None => differs,
        };
        let after = body.b.ins().bxor(before, differs);
        body.store_to(word, 8 * k, bytes, after);
        changed = Some(body.or_option(changed, differs));
    }
    changed.unwrap_or_else(|| body.k(0))
}

/// The bits of word `k` (of 64 bits) that the mask lets through; `None` without a mask.
fn lane_mask(body: &mut Body, plan: &Plan, memory: usize, port: usize, k: u32) -> Option<Value> {
    let place = plan.layout.memories[memory].ports[port].mask?;
    let write = plan.netlist.writes[memory][port];
    let graph = &plan.netlist.graph;
    let lanes = graph.width(write.mask?);
    let lane_width = graph.width(write.data) / lanes;
    let mut mask = None;
    for lane in 0..lanes {
        let (from, to) = ((lane * lane_width).max(64 * k), ((lane + 1) * lane_width).min(64 * k + 64));
        if from >= to {
            continue;
        }
        let ones = (u64::MAX >> (64 - (to - from))) << (from - 64 * k);
        let byte = body.load_from(body.base, place.offset + lane / 8, 1);
        let bit = body.shr_k(byte, lane % 8);
        let bit = body.and_k(bit, 1);
        let all = body.b.ins().ineg(bit);
        let part = body.and_k(all, ones);
        mask = Some(body.or_option(mask, part));
    }
    let zero = body.k(0);
    Some(mask.unwrap_or(zero))
}

/// Calls some functions one after the other.
pub(super) fn call_all(body: &mut Body, functions: &[FuncRef]) {
    for function in functions {
        let base = body.base;
        body.b.ins().call(*function, &[base]);
    }
}
