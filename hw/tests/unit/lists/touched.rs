//! What commands touch, from the reference.

use ferrite_model::unit::{Command, Rows, Sizes, Transfer};

/// A memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    External,
    Scratchpad,
    /// Counted in rows.
    Accumulators,
}

/// A range from its first to its last unit.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    pub place: Place,
    pub first: u64,
    pub last: u64,
    pub writes: bool,
}

impl Range {
    fn conflicts(&self, other: &Range) -> bool {
        self.place == other.place
            && (self.writes || other.writes)
            && self.first <= other.last
            && other.first <= self.last
    }
}

/// What of the unit carries a command out, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Load,
    Store,
    Array,
    Output,
}

pub fn part(command: &Command) -> Part {
    match command {
        Command::Load(_) => Part::Load,
        Command::Store(_) => Part::Store,
        Command::Convolve(_) | Command::Depthwise(_) | Command::Packed(_) => Part::Array,
        Command::Requantise(_) | Command::Sums(_) | Command::Add(_) | Command::Pool(_) => Part::Output,
    }
}

/// The runs of a transfer in external memory, in order.
pub fn runs(t: &Transfer) -> impl Iterator<Item = u64> {
    let &Transfer { external, n, s, .. } = t;
    (0..n[1] as i64).flat_map(move |j| (0..n[0] as i64).map(move |i| (external + i * s[0] + j * s[1]) as u64))
}

pub fn touched(sizes: &Sizes, command: &Command) -> Vec<Range> {
    let [inputs, outputs] = [sizes.rows, sizes.cols].map(u64::from);
    let reach = |loops: &[(u64, u64)]| loops.iter().map(|(turns, step)| (turns - 1) * step).sum::<u64>();
    let scratchpad = |first, bytes: u64, writes| {
        let last = first + bytes - 1;
        Range { place: Place::Scratchpad, first, last, writes }
    };
    let rows = |first, rows: u64, writes| {
        let last = first + rows - 1;
        Range { place: Place::Accumulators, first, last, writes }
    };
    match command {
        Command::Load(t) | Command::Store(t) => {
            let loads = part(command) == Part::Load;
            let bytes = if loads { t.bytes.next_multiple_of(sizes.word_bytes()) } else { t.bytes };
            let first = runs(t).min().unwrap();
            let last = runs(t).max().unwrap() + t.bytes - 1;
            let local = scratchpad(t.local, reach(&[(t.n[0], t.d[0]), (t.n[1], t.d[1])]) + bytes, loads);
            vec![Range { place: Place::External, first, last, writes: !loads }, local]
        }
        Command::Convolve(c) => {
            let loops = [(c.image[0], c.pixel_step), (c.image[1], c.line_step), (c.in_tiles, c.in_tile_step)];
            let tiles = c.out_tiles * c.kernel[0] * c.kernel[1] * c.in_tiles;
            vec![
                scratchpad(c.act, reach(&loops) + inputs, false),
                scratchpad(c.weights, tiles * inputs * outputs, false),
                rows(c.accumulators, c.out_tiles * c.out[0] * c.out[1], true),
            ]
        }
        Command::Depthwise(d) => {
            let loops = [(d.image[0], d.pixel_step), (d.image[1], d.line_step), (d.tiles, d.tile_step)];
            vec![
                scratchpad(d.act, reach(&loops) + outputs, false),
                scratchpad(d.weights, d.tiles * inputs * outputs, false),
                rows(d.accumulators, d.tiles * d.out[0] * d.out[1], true),
            ]
        }
        Command::Packed(p) => {
            let loops = [(p.image[1], p.line_step)];
            vec![
                scratchpad(p.act, reach(&loops) + p.image[0] * p.channels, false),
                scratchpad(p.weights, p.out_tiles * p.in_tiles * inputs * outputs, false),
                rows(p.accumulators, p.out_tiles * p.out[0] * p.out[1], true),
            ]
        }
        Command::Requantise(r) => {
            let loops = [(r.out[0], r.column_step), (r.out[1], r.row_step), (r.tiles, r.tile_step)];
            vec![
                scratchpad(r.output, reach(&loops) + outputs, true),
                scratchpad(r.parameters, r.tiles * sizes.parameter_bytes(), false),
                rows(r.accumulators, r.tiles * r.out[0] * r.out[1], false),
            ]
        }
        Command::Sums(s) => {
            let loops = [(s.out[0], s.column_step), (s.out[1], s.row_step), (s.tiles, s.tile_step)];
            vec![
                scratchpad(s.output, reach(&loops) + 4 * outputs, true),
                rows(s.accumulators, s.tiles * s.out[0] * s.out[1], false),
            ]
        }
        Command::Add(a) => {
            let image = |rows: &Rows, writes| {
                let loops = [(a.out[0], rows.column_step), (a.out[1], rows.row_step)];
                scratchpad(rows.address, reach(&loops) + outputs, writes)
            };
            vec![image(&a.output, true), image(&a.inputs[0], false), image(&a.inputs[1], false)]
        }
        Command::Pool(p) => {
            let output = [(p.out[0], p.column_step), (p.out[1], p.row_step), (p.tiles, p.tile_step)];
            let image = [(p.image[0], p.pixel_step), (p.image[1], p.line_step), (p.tiles, p.in_tile_step)];
            vec![
                scratchpad(p.output, reach(&output) + outputs, true),
                scratchpad(p.input, reach(&image) + outputs, false),
            ]
        }
    }
}

/// The order of two commands matters.
pub fn conflict(sizes: &Sizes, one: &Command, other: &Command) -> bool {
    let others = touched(sizes, other);
    touched(sizes, one).iter().any(|mine| others.iter().any(|theirs| mine.conflicts(theirs)))
}
