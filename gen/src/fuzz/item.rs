//! A program in pieces that can be taken away, and its bytes.

use std::collections::BTreeMap;

use ferrite_model::isa::{COp, Compressed, Inst, Op};

use super::place::{CODE, CODE_BYTES, DATA_BYTES, MEMORY_BYTES, START};
use super::random::Random;

/// A part of an item.
#[derive(Clone, Debug)]
pub enum Part {
    /// Instructions, whole or not, wherever they stand.
    Halves(Vec<u16>),
    /// A jump or branch to an item.
    Wide {
        /// Without its immediate.
        inst: Inst,
        /// Where to.
        target: Target,
    },
    /// The same in 16 bits.
    Narrow {
        /// Without its immediate.
        inst: Compressed,
        /// Where to.
        target: Target,
    },
    /// A word that the bus refuses to be fetched.
    Refused,
}

/// Where a jump or branch goes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The item, or the next one that is still there.
    pub item: u32,
    /// So many bytes behind its begin.
    pub skew: i32,
}

/// Instructions that stand behind each other for a purpose.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its place among the items that there were at first.
    pub id: u32,
    /// What it consists of.
    pub parts: Vec<Part>,
}

impl Part {
    /// A 32-bit instruction, which has an encoding.
    pub fn wide(inst: Inst) -> Part {
        Part::word(inst.encode().unwrap_or(0))
    }

    /// 32 bits.
    pub fn word(word: u32) -> Part {
        Part::Halves(vec![word as u16, (word >> 16) as u16])
    }

    fn bytes(&self) -> u32 {
        match self {
            Part::Halves(halves) => 2 * halves.len() as u32,
            Part::Narrow { .. } => 2,
            Part::Wide { .. } | Part::Refused => 4,
        }
    }
}

impl Item {
    fn bytes(&self) -> u32 {
        self.parts.iter().map(Part::bytes).sum()
    }
}

/// The memory before the program starts.
#[derive(Clone, Debug)]
pub struct Image {
    /// Its bytes, from [`CODE`] on.
    pub memory: Vec<u8>,
    /// Addresses of words that cannot be fetched.
    pub refused: Vec<u32>,
    /// Addresses of the items of the body.
    pub places: Vec<u32>,
    /// Address and bytes of each item.
    pub items: Vec<(u32, u32)>,
}

/// Puts handler, items and data where they belong. Items from `body` on are those that a handler may go to.
pub fn assemble(handler: &[u8], items: &[Item], body: u32, data_seed: u64) -> Image {
    let mut memory = vec![0; MEMORY_BYTES as usize];
    memory[..handler.len()].copy_from_slice(handler);
    let mut starts = BTreeMap::new();
    let mut next = START;
    let mut extents = Vec::with_capacity(items.len());
    for item in items {
        starts.insert(item.id, next);
        extents.push((next, item.bytes()));
        next += item.bytes();
    }
    let end = next;
    let mut refused = Vec::new();
    let mut at = START;
    for part in items.iter().flat_map(|item| &item.parts) {
        let resolve = |target: Target| {
            let start = starts.range(target.item..).next().map_or(end, |(_, start)| *start);
            start.wrapping_add_signed(target.skew).wrapping_sub(at) as i32
        };
        let halves = match part {
            Part::Halves(halves) => halves.clone(),
            Part::Wide { inst, target } => aimed(*inst, resolve(*target)),
            Part::Narrow { inst, target } => vec![aimed_narrow(*inst, resolve(*target))],
            Part::Refused => {
                refused.push(at & !3);
                vec![0, 0]
            }
        };
        for half in halves {
            put(&mut memory, at, &half.to_le_bytes());
            at += 2;
        }
    }
    // Back to the begin, wherever that is.
    let again = Inst { imm: START.wrapping_sub(at) as i32, ..Inst::new(Op::Jal) };
    put(&mut memory, at, &again.encode().unwrap_or(0).to_le_bytes());
    fill_data(&mut memory, data_seed);
    let places: Vec<u32> = items
        .iter()
        .zip(&extents)
        .filter(|(item, _)| item.id >= body)
        .map(|(_, (start, _))| *start)
        .collect();
    let places = if places.is_empty() { vec![START] } else { places };
    Image { memory, refused, places, items: extents }
}

fn put(memory: &mut [u8], address: u32, bytes: &[u8]) {
    let offset = (address - CODE) as usize;
    if offset + bytes.len() <= CODE_BYTES as usize {
        memory[offset..offset + bytes.len()].copy_from_slice(bytes);
    }
}

/// With this distance, or the instruction behind it if the distance has no encoding.
fn aimed(inst: Inst, distance: i32) -> Vec<u16> {
    let with = |imm: i32| Inst { imm, ..inst }.encode();
    let word = with(distance).or_else(|_| with(4)).unwrap_or(0);
    vec![word as u16, (word >> 16) as u16]
}

fn aimed_narrow(inst: Compressed, distance: i32) -> u16 {
    let with = |imm: i32| Compressed { imm, ..inst }.encode();
    with(distance).or_else(|_| with(2)).unwrap_or(NARROW_NOP)
}

/// `c.nop`.
const NARROW_NOP: u16 = 1;

/// Values at which arithmetic is likely to be wrong.
pub const CORNERS: [u32; 8] = [0, 1, u32::MAX, 1 << 31, (1 << 31) - 1, 2, 0xFFFF_FFFE, 0x0000_8000];

fn fill_data(memory: &mut [u8], seed: u64) {
    let mut random = Random::new(seed);
    for word in memory[CODE_BYTES as usize..][..DATA_BYTES as usize].chunks_exact_mut(4) {
        let value = if random.once_in(2) { *random.pick(&CORNERS) } else { random.word() };
        word.copy_from_slice(&value.to_le_bytes());
    }
}

/// Whether a 16-bit instruction's immediate is a distance.
pub fn is_narrow_jump(op: COp) -> bool {
    matches!(op, COp::CJ | COp::CJal | COp::CBeqz | COp::CBnez)
}
