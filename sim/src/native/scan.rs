//! Which of the values that somebody follows have changed: compares what was computed anew with a copy, 32 bytes at a time.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use ferrite_hdl::flat::Index;

use super::code::{CHUNK_BYTES, Chunk, Code};
use super::graph::Id;
use super::layout::{BitRow, Place};
use super::plan::{Block, Plan};
use crate::probes::{Change, Probes};

/// Bits of a word in memory that belong to a followed value. Small, since all that is touched in a cycle shall stay in the cache.
#[derive(Clone, Copy)]
struct Part {
    /// Which of the probes' words they are.
    word: u32,
    /// The part of another probe that shows the same bits, or [`NO_PART`].
    next: u32,
    shift: u8,
    bits: u8,
}

const NO_PART: u32 = u32::MAX;

/// Which of its chunk's parts a byte belongs to.
type Slots = [u8; CHUNK_BYTES as usize];
const NO_SLOT: u8 = u8::MAX;

/// A bit for every byte that belongs to a part.
fn followed(slots: &Slots) -> u32 {
    slots.iter().rev().fold(0, |bytes, slot| bytes << 1 | u32::from(*slot != NO_SLOT))
}

/// A chunk that has changed.
#[derive(Clone, Copy, Default)]
struct Note {
    chunk: u32,
    /// A bit for every byte of a followed value that is another one now.
    bytes: u32,
}

/// A bit for every byte in which two chunks differ.
#[cfg(target_arch = "x86_64")]
#[inline]
fn differing_bytes(a: &Chunk, b: &Chunk) -> u32 {
    use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_movemask_epi8, _mm_set_epi64x};
    #[target_feature(enable = "sse2")]
    fn equal_bytes(a: [u64; 2], b: [u64; 2]) -> u32 {
        let vector = |words: [u64; 2]| _mm_set_epi64x(words[1] as i64, words[0] as i64);
        _mm_movemask_epi8(_mm_cmpeq_epi8(vector(a), vector(b))) as u32
    }
    // SAFETY: every x86-64 processor has SSE2.
    let equal =
        unsafe { equal_bytes([a[0], a[1]], [b[0], b[1]]) | equal_bytes([a[2], a[3]], [b[2], b[3]]) << 16 };
    !equal
}

/// A bit for every byte in which two chunks differ.
#[cfg(not(target_arch = "x86_64"))]
fn differing_bytes(a: &Chunk, b: &Chunk) -> u32 {
    let mut bytes = 0;
    for word in 0..a.len() {
        let differs = (a[word] ^ b[word]).to_le_bytes();
        for (k, byte) in differs.into_iter().enumerate() {
            bytes |= u32::from(byte != 0) << (8 * word + k);
        }
    }
    bytes
}

/// Where a followed value is.
pub(super) enum Spot {
    /// A value of so many bits in memory.
    Place { offset: u64, bytes: u32, width: u32 },
    /// It never changes.
    Constant(Index),
    /// It must be computed from other values.
    Computed(Index),
}

/// What compiled code marks when it has run, by which changes are found without looking at everything.
pub(super) struct Marks {
    /// Rows of marks, and how many words each has.
    rows: Vec<(BitRow, u32)>,
    /// For every mark of every row, 64 to a word, the bytes that its code writes.
    places: Vec<Vec<Range<u64>>>,
}

impl Marks {
    /// The marks of a plan; `None` if its code makes none.
    pub fn new(plan: &Plan) -> Option<Marks> {
        let layout = &plan.layout;
        let distance = layout.marks?;
        let mut places: Vec<Vec<Range<u64>>> = Vec::new();
        for block in &plan.blocks {
            let stored: Vec<Id> = match block {
                Block::Cluster(cluster) => cluster.stored.clone(),
                Block::Lanes(block) => {
                    let of_lane = |position: &u32| {
                        let position = *position as usize;
                        block.lanes.iter().map(move |lane| lane.nodes[position])
                    };
                    block.stored.iter().flat_map(of_lane).collect()
                }
            };
            places.push(stored.iter().map(|node| range(&layout.places[node])).collect());
        }
        let active_words = (plan.blocks.len() as u32).div_ceil(64).max(1);
        places.resize(64 * active_words as usize, Vec::new());
        let mut pending: Vec<Vec<Range<u64>>> = vec![Vec::new(); 64 * layout.pending_words as usize];
        for (unit, bit) in plan.units.iter().zip(&layout.unit_bits) {
            let states = unit.states.iter().map(|k| plan.netlist.states[*k as usize].id);
            pending[*bit as usize] = states.map(|state| range(&layout.places[&state])).collect();
        }
        for memory in layout.memories.iter().filter(|memory| memory.clock.is_some()) {
            let bytes = u64::from(memory.word_bytes) * u64::from(memory.depth);
            pending[memory.pending as usize].push(memory.offset..memory.offset + bytes);
        }
        places.extend(pending);
        let row = |row: BitRow| BitRow { offset: row.offset + distance };
        let rows = vec![(row(layout.active), active_words), (row(layout.pending), layout.pending_words)];
        Some(Marks { rows, places })
    }

    /// Takes all marks.
    pub fn clear(&self, code: &mut Code) {
        for (row, words) in &self.rows {
            (0..*words).for_each(|word| *code.word_mut(u64::from(row.offset + 8 * word)) = 0);
        }
    }
}

fn range(place: &Place) -> Range<u64> {
    let offset = u64::from(place.offset);
    offset..offset + u64::from(place.bytes)
}

/// How changes among some probes are found.
pub(crate) struct Scan {
    /// Tells scans apart.
    pub(super) id: u64,
    /// Offsets of the chunks in the buffer.
    offsets: Vec<u64>,
    /// What they held.
    before: Vec<Chunk>,
    /// Their bytes that belong to followed values.
    followed: Vec<u32>,
    /// Parts, those of a chunk together; behind them those that show what others show.
    parts: Vec<Part>,
    /// The first part of every chunk.
    first_parts: Vec<u32>,
    slots: Vec<Slots>,
    /// The chunks of every mark: those of mark `m` begin at `first_chunks[m]`.
    chunks: Vec<u32>,
    first_chunks: Vec<u32>,
    /// Chunks with values that no mark covers.
    unmarked: Vec<u32>,
    /// Values that are not in memory: the probe, its node.
    constants: Vec<(usize, Index)>,
    computed: Vec<(usize, Index)>,
    is_first: bool,
    /// Chunks that have changed: the first `notes`. A chunk changes once in a look, and one place more takes what is forgotten.
    noted: Vec<Note>,
    notes: usize,
}

impl Scan {
    pub(super) fn new(spots: &[Spot], probes: &Probes, marks: Option<&Marks>) -> Scan {
        static IDS: AtomicU64 = AtomicU64::new(1);
        let (mut constants, mut computed) = (Vec::new(), Vec::new());
        let mut found: Vec<(u64, Part)> = Vec::new();
        for (k, spot) in spots.iter().enumerate() {
            match spot {
                Spot::Constant(node) => constants.push((k, *node)),
                Spot::Computed(node) => computed.push((k, *node)),
                Spot::Place { offset, bytes, width } => {
                    for word in 0..bytes.div_ceil(8) {
                        let at = offset + 8 * u64::from(word);
                        let bits = (width - 64 * word).min(64) as u8;
                        let (word, shift) = (probes.first_word(k) + word, 8 * (at % 8) as u8);
                        found.push((at, Part { word, next: NO_PART, shift, bits }));
                    }
                }
            }
        }
        found.sort_by_key(|(at, _)| *at);
        let (mut offsets, mut first_parts, mut slots) = (Vec::new(), Vec::new(), Vec::<Slots>::new());
        let (mut parts, mut twins) = (Vec::new(), Vec::new());
        for same in found.chunk_by(|(a, _), (b, _)| a == b) {
            let (at, part) = same[0];
            let offset = at / CHUNK_BYTES * CHUNK_BYTES;
            if offsets.last() != Some(&offset) {
                offsets.push(offset);
                first_parts.push(parts.len() as u32);
                slots.push([NO_SLOT; CHUNK_BYTES as usize]);
            }
            let first = (at % CHUNK_BYTES) as usize;
            let slot = parts.len() as u32 - first_parts[offsets.len() - 1];
            slots[offsets.len() - 1][first..first + usize::from(part.bits.div_ceil(8))].fill(slot as u8);
            twins.extend(same[1..].iter().map(|(_, twin)| (parts.len(), *twin)));
            parts.push(part);
        }
        for (part, twin) in twins {
            let last = parts.len() as u32;
            let next = std::mem::replace(&mut parts[part].next, last);
            parts.push(Part { next, ..twin });
        }
        let mut covered: Vec<[bool; CHUNK_BYTES as usize]> =
            slots.iter().map(|slots| slots.map(|slot| slot == NO_SLOT)).collect();
        let (mut chunks, mut first_chunks) = (Vec::new(), vec![0]);
        for places in marks.iter().flat_map(|marks| &marks.places) {
            let mut of_mark = Vec::new();
            for place in places {
                let first = offsets.partition_point(|offset| offset + CHUNK_BYTES <= place.start);
                for chunk in first..offsets.partition_point(|offset| *offset < place.end) {
                    for (at, byte) in (offsets[chunk]..).zip(0..CHUNK_BYTES as usize) {
                        if slots[chunk][byte] != NO_SLOT && place.contains(&at) {
                            covered[chunk][byte] = true;
                            of_mark.push(chunk as u32);
                        }
                    }
                }
            }
            of_mark.sort_unstable();
            of_mark.dedup();
            chunks.append(&mut of_mark);
            first_chunks.push(chunks.len() as u32);
        }
        let unmarked = covered.iter().enumerate().filter(|(_, bytes)| bytes.contains(&false));
        Scan {
            id: IDS.fetch_add(1, Ordering::Relaxed),
            before: vec![Chunk::default(); offsets.len()],
            followed: slots.iter().map(followed).collect(),
            unmarked: unmarked.map(|(chunk, _)| chunk as u32).collect(),
            noted: vec![Note::default(); offsets.len() + 1],
            notes: 0,
            offsets,
            parts,
            first_parts,
            slots,
            chunks,
            first_chunks,
            constants,
            computed,
            is_first: true,
        }
    }

    /// The values that are not in memory, for the engine to compute: the probe, its node. Constants are among them at the first call.
    pub(super) fn elsewhere(&mut self) -> Vec<(usize, Index)> {
        let mut all = std::mem::take(&mut self.constants);
        all.extend_from_slice(&self.computed);
        all
    }

    /// Looks at everything that is in memory.
    pub(super) fn look_at_all(&mut self, code: &Code, changes: &mut Vec<Change>) {
        if std::mem::take(&mut self.is_first) {
            // All values are new, also those that are 0 as the copy is at first.
            for (k, offset) in self.offsets.iter().enumerate() {
                self.before[k] = code.chunk(*offset).map(|word| !word);
            }
        }
        for chunk in 0..self.offsets.len() as u32 {
            self.compare(chunk, code);
        }
        self.report(changes);
    }

    /// Looks at what marked code may have changed, and takes the marks.
    pub(super) fn look(&mut self, code: &mut Code, marks: &Marks, changes: &mut Vec<Change>) {
        let mut first_mark = 0;
        for (row, row_words) in &marks.rows {
            for word in 0..*row_words {
                let mut marked = std::mem::take(code.word_mut(u64::from(row.offset + 8 * word)));
                while marked != 0 {
                    let mark = first_mark + marked.trailing_zeros() as usize;
                    marked &= marked - 1;
                    for k in self.first_chunks[mark]..self.first_chunks[mark + 1] {
                        self.compare(self.chunks[k as usize], code);
                    }
                }
                first_mark += 64;
            }
        }
        for k in 0..self.unmarked.len() {
            self.compare(self.unmarked[k], code);
        }
        self.report(changes);
    }

    /// Notes whether a chunk has changed.
    #[inline]
    fn compare(&mut self, chunk: u32, code: &Code) {
        let k = chunk as usize;
        let now = code.chunk(self.offsets[k]);
        let before = std::mem::replace(&mut self.before[k], now);
        let bytes = differing_bytes(&before, &now) & self.followed[k];
        // Whether a chunk has changed is hard to guess, so that a branch for it would cost more than to note it and forget it.
        self.noted[self.notes] = Note { chunk, bytes };
        self.notes += usize::from(bytes != 0);
    }

    /// Makes changes of what was noted.
    fn report(&mut self, changes: &mut Vec<Change>) {
        for &Note { chunk, mut bytes } in &self.noted[..std::mem::take(&mut self.notes)] {
            let chunk = chunk as usize;
            let (now, slots, first_part) = (&self.before[chunk], &self.slots[chunk], self.first_parts[chunk]);
            while bytes != 0 {
                let byte = bytes.trailing_zeros();
                let value = now[byte as usize / 8];
                let mut part = first_part + u32::from(slots[byte as usize]);
                while part != NO_PART {
                    let Part { word, next, shift, bits } = self.parts[part as usize];
                    let value = value << (64 - bits - shift) >> (64 - bits);
                    changes.push(Change { word, value });
                    part = next;
                    // Its other bytes are done too.
                    bytes &= !(u32::MAX >> (32 - bits.div_ceil(8)) << (byte / 8 * 8 + u32::from(shift) / 8));
                }
            }
        }
    }
}
