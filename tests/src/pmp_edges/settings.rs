//! Settings of protection whose edges are tried.

use super::program::program_entry;
use super::region::{Entry, LEGAL, R, Shape, W, X};
use super::{ECALL, Hart, MEMORY_BYTES, NOP, RAM};

/// What stands in memory, for jumps to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// In every double word an instruction that does nothing, then one that ends the trial: execution goes on over the edges between.
    NopFirst,
    /// The same the other way round.
    EcallFirst,
    /// Instructions of 32 bits across the borders of words.
    Straddling,
}

impl Fill {
    /// That memory.
    pub fn memory(self) -> Vec<u8> {
        let words = match self {
            Fill::NopFirst => [NOP, ECALL],
            Fill::EcallFirst => [ECALL, NOP],
            Fill::Straddling => [ECALL << 16; 2],
        };
        words.map(u32::to_le_bytes).concat().repeat(MEMORY_BYTES / 8)
    }
}

/// A setting.
pub struct Setting {
    /// What it is for.
    pub name: String,
    /// The entries of the PMP; the others are as after reset.
    pub entries: Vec<Entry>,
    /// What stands in memory.
    pub fill: Fill,
}

/// Where regions lie, but for those that are large.
const ARENA: u64 = RAM as u64 + 0x1000;

/// Shapes and sizes.
const SHAPES: [(Shape, u64); 8] = [
    (Shape::Na4, 4),
    (Shape::Napot, 8),
    (Shape::Napot, 16),
    (Shape::Napot, 64),
    (Shape::Napot, 1024),
    (Shape::Tor, 4),
    (Shape::Tor, 12),
    (Shape::Tor, 100),
];

/// Every shape with all permissions, locked and not, apart from each other; of these only one of every `thin`.
fn catalogue(regions: usize, thin: usize) -> Vec<Vec<Entry>> {
    let mut settings = Vec::new();
    let mut entries = vec![program_entry()];
    let mut place = ARENA;
    let locks = [false, true].into_iter();
    let all = locks.flat_map(|locked| LEGAL.into_iter().map(move |permissions| (locked, permissions)));
    let all = all.flat_map(|kind| SHAPES.into_iter().map(move |shape| (kind, shape)));
    for ((locked, permissions), (shape, size)) in all.step_by(thin) {
        let needed = if shape == Shape::Tor { 2 } else { 1 };
        if entries.len() + needed > regions {
            settings.push(std::mem::replace(&mut entries, vec![program_entry()]));
            place = ARENA;
        }
        let room = 2 * size.next_power_of_two().max(32);
        place = place.next_multiple_of(room);
        // A bottom need not be a multiple of more than 4.
        let start = if shape == Shape::Tor { place + 4 } else { place };
        if shape == Shape::Tor {
            entries.push(Entry::off(start));
        }
        entries.push(Entry::new(shape, start..start + size, permissions, locked));
        place += room;
    }
    settings.push(entries);
    settings
}

/// Entries after the program's own, as many as there can be.
fn after_program(regions: usize, entries: impl IntoIterator<Item = Entry>) -> Vec<Entry> {
    std::iter::once(program_entry()).chain(entries).take(regions).collect()
}

/// Regions that end where others begin.
fn adjacent(regions: usize) -> [Vec<Entry>; 2] {
    let permissions = [R | W, X, R, 0, R | X, R | W | X];
    let kinds =
        || (0..).zip(permissions.into_iter().cycle()).map(|(k, permissions)| (permissions, k % 3 == 2));
    let top = |(k, (permissions, locked)): (u64, (u8, bool))| {
        let start = ARENA + 8 * k;
        Entry::new(Shape::Tor, start..start + 8, permissions, locked)
    };
    let tops = std::iter::once(Entry::off(ARENA)).chain((0..).zip(kinds()).map(top));
    let parts = [(Shape::Napot, 0, 8), (Shape::Na4, 8, 4), (Shape::Na4, 12, 4), (Shape::Napot, 16, 16)];
    let aligned = (0..).flat_map(|k: u64| parts.map(|(shape, at, size)| (shape, ARENA + 32 * k + at, size)));
    let aligned = aligned.zip(kinds()).map(|((shape, start, size), (permissions, locked))| {
        Entry::new(shape, start..start + size, permissions, locked)
    });
    [after_program(regions, tops), after_program(regions, aligned)]
}

/// Regions in others, the smallest first, then the largest first, and regions that overlap in part.
fn overlapping(regions: usize) -> [Vec<Entry>; 3] {
    let permissions = [0, R | W, X, R, R | W | X, R | X];
    let sizes = [8, 16, 64, 256];
    let nested = |k: usize| {
        let start = ARENA + 0x400 * (k / sizes.len()) as u64;
        let size = sizes[k % sizes.len()];
        let locked = k % 5 == 3;
        Entry::new(Shape::Napot, start..start + size, permissions[k % permissions.len()], locked)
    };
    let inner_first = after_program(regions, (0..).map(nested));
    let mut outer_first = inner_first.clone();
    outer_first[1..].reverse();
    let across = (0..).flat_map(|k: u64| {
        let start = ARENA + 64 * k + 20;
        let aligned = ARENA + 64 * k + 32;
        let kind = |n: u64| permissions[((3 * k + n) % 6) as usize];
        [
            Entry::off(start),
            Entry::new(Shape::Tor, start..start + 20, kind(0), k % 2 == 1),
            Entry::new(Shape::Napot, aligned..aligned + 16, kind(1), k % 3 == 1),
        ]
    });
    [inner_first, outer_first, after_program(regions, across)]
}

/// Regions of half or all of the address space and more, with holes that come first.
fn large(regions: usize) -> Vec<Vec<Entry>> {
    let hole = |permissions, locked| Entry::new(Shape::Na4, ARENA..ARENA + 4, permissions, locked);
    let ram = u64::from(RAM)..1 << 32;
    let all = |permissions, locked| Entry::new(Shape::Napot, 0..1 << 34, permissions, locked);
    let top = 0xFFFF_FFFFu64 << 2;
    let above = ARENA + (1 << 32);
    let settings = [
        vec![hole(0, false), Entry::new(Shape::Napot, ram.clone(), R | W | X, false)],
        vec![hole(R | X, true), Entry::new(Shape::Napot, ram, R, true)],
        vec![hole(X, true), all(R | W, true)],
        vec![hole(R, false), all(X, false)],
        vec![hole(X, false), Entry::off(0), Entry::new(Shape::Tor, 0..top, R, false)],
        // Above all addresses of 32 bits: there it has no effect.
        vec![Entry::new(Shape::Na4, above..above + 4, 0, true), all(R | W | X, false)],
        vec![Entry::new(Shape::Napot, above + (1 << 32)..above + (1 << 32) + 64, 0, true), all(R | W, true)],
        vec![
            hole(0, false),
            Entry::off(ARENA + 8),
            Entry::new(Shape::Tor, ARENA + 8..above + (1 << 32) + 32, R, false),
        ],
        vec![all(0, false), Entry::off(ARENA), Entry::new(Shape::Tor, ARENA..above + 64, R | W, false)],
    ];
    settings.into_iter().map(|entries| after_program(regions, entries)).collect()
}

/// Entries that have no region; tops whose bottom is the address of another region, below them or not.
fn bottoms(regions: usize) -> Vec<Vec<Entry>> {
    let sized = Entry::new(Shape::Napot, ARENA..ARENA + 64, R, false);
    let bottom = u64::from(sized.address()) << 2;
    let onto = |shape| Entry::new(Shape::Tor, bottom..ARENA + 96, shape, false);
    let nothing = |end: u64| {
        // Beyond its end, or just there.
        let start = ARENA + 16;
        [Entry::off(start), Entry::new(Shape::Tor, start..end, R | W | X, true)]
    };
    let mut settings: Vec<Vec<Entry>> = vec![
        vec![sized, onto(R | W)],
        nothing(ARENA + 8).into_iter().chain([Entry::off(ARENA + 32)]).collect(),
        nothing(ARENA + 16)
            .into_iter()
            .chain([Entry::new(Shape::Tor, ARENA + 16..ARENA + 24, X, false)])
            .collect(),
    ];
    settings = settings.into_iter().map(|entries| after_program(regions, entries)).collect();
    // The bottom of the first entry is 0. It comes before the program's own, which lies above.
    for (permissions, locked) in [(R, false), (R | W, true), (X, false)] {
        let first = Entry::new(Shape::Tor, 0..ARENA + 8, permissions, locked);
        let second = Entry::new(Shape::Tor, ARENA + 8..ARENA + 12, R | X, locked);
        settings.push(vec![first, second, program_entry()]);
    }
    settings
}

/// Any regions, close together.
fn random(regions: usize, seed: u32) -> Vec<Entry> {
    // Xorshift (Marsaglia, "Xorshift RNGs", 2003).
    let mut state = 0x9E37_79B9 ^ seed.wrapping_mul(0x85EB_CA6B);
    let mut below = |bound: u32| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) % bound
    };
    let mut entries = vec![program_entry()];
    while entries.len() < regions {
        let permissions = LEGAL[below(6) as usize];
        let locked = below(3) == 0;
        let start = ARENA + 4 * u64::from(below(32));
        let bottom = entries.last().map_or(0, |last| u64::from(last.address()) << 2);
        entries.push(match below(6) {
            0 => Entry::off(start),
            1 => Entry::new(Shape::Na4, start..start + 4, permissions, locked),
            2 | 3 => {
                let size = 8 << below(4);
                let start = start / size * size;
                Entry::new(Shape::Napot, start..start + size, permissions, locked)
            }
            // On top of the program's there would be a region over all that follows.
            _ if entries.len() == 1 => Entry::off(start),
            _ => Entry::new(Shape::Tor, bottom..start, permissions, locked),
        });
    }
    entries
}

/// All settings for a hart.
pub fn all(hart: &Hart) -> Vec<Setting> {
    let n = hart.regions;
    let groups: [(&str, Vec<Vec<Entry>>); 6] = [
        ("shapes and permissions", catalogue(n, if n == 8 { 1 } else { 3 })),
        ("adjacent regions", adjacent(n).into()),
        ("overlapping regions", overlapping(n).into()),
        ("large regions", large(n)),
        ("bottoms of ranges", bottoms(n)),
        ("any regions", (0..8).map(|seed| random(n, seed)).collect()),
    ];
    let fills = [Fill::NopFirst, Fill::EcallFirst, Fill::Straddling];
    let fills = fills.into_iter().take(if hart.compressed { 3 } else { 2 }).cycle();
    let named = groups.into_iter().flat_map(|(name, settings)| {
        (0..).zip(settings).map(move |(k, entries)| (format!("{name} {k}"), entries))
    });
    named.zip(fills).map(|((name, entries), fill)| Setting { name, entries, fill }).collect()
}
