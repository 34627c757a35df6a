//! Random commands, many of them at the edges of what is allowed.

use ferrite_model::unit::{self as model, Command, Record, Sizes};

use super::state::{MEMORY_BYTES, PARAMETER_TILES};
use crate::random::Random;
use crate::record::{Add, Convolve, Depthwise, Packed, Pool, Requantise, Rows, Sums, Transfer};

/// Addresses that commands have in common are taken from so many.
const SPOTS: usize = 6;
/// Activation rows that a convolution may send through the array.
const MOST_ROWS: u64 = 1500;
/// Bytes that a transfer may move.
const MOST_BYTES: u64 = 6000;

/// Makes commands whose ranges often overlap.
pub struct Generator {
    sizes: Sizes,
    pub random: Random,
    /// Addresses in the scratchpad, accumulator rows, and external addresses, which commands before have used.
    local: Vec<u32>,
    rows: Vec<u32>,
    external: Vec<u32>,
}

impl Generator {
    pub fn new(sizes: Sizes, random: Random) -> Generator {
        let mut generator = Generator { sizes, random, local: vec![], rows: vec![], external: vec![] };
        for _ in 0..SPOTS {
            generator.local.push(generator.random.below(sizes.scratchpad_bytes));
            generator.rows.push(generator.random.below(sizes.accumulator_rows));
            generator.external.push(generator.random.below(MEMORY_BYTES));
        }
        generator
    }

    fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.random.below(values.len() as u32) as usize]
    }

    /// A count: mostly 1 or small.
    fn count(&mut self, most: u32) -> u32 {
        if self.random.eighths(3) { 1 } else { 1 + self.random.below(most) }
    }

    /// Where something of so many bytes may begin: at the beginning, at the end, or where commands before have been.
    fn place(&mut self, extent: u64, align: u32, limit: u32, spots: &[u32]) -> Option<u32> {
        let last = u32::try_from(u64::from(limit).checked_sub(extent)?).unwrap() / align * align;
        let spot = self.one_of(spots);
        let near =
            spot.saturating_add(self.random.below(4) * align).saturating_sub(self.random.below(4) * align);
        Some(match self.random.below(16) {
            0 => 0,
            1 | 2 => last,
            3..=13 => near.min(last) / align * align,
            _ => self.random.below(last + 1) / align * align,
        })
    }

    fn place_local(&mut self, extent: u64, align: u32) -> Option<u32> {
        let spots = self.local.clone();
        let place = self.place(extent, align, self.sizes.scratchpad_bytes, &spots)?;
        let k = self.random.below(SPOTS as u32) as usize;
        self.local[k] = place;
        Some(place)
    }

    fn place_rows(&mut self, count: u32) -> Option<u32> {
        let spots = self.rows.clone();
        let place = self.place(count.into(), 1, self.sizes.accumulator_rows, &spots)?;
        let k = self.random.below(SPOTS as u32) as usize;
        self.rows[k] = place;
        Some(place)
    }

    /// A step in the scratchpad of something that is taken so many times.
    fn step(&mut self, count: u32, align: u32, most: u32) -> u32 {
        let all = self.sizes.scratchpad_bytes / align;
        align
            * match self.random.below(8) {
                0 => 0,
                1 if count == 1 => all - 1,
                2 if count == 1 => self.random.below(all),
                3 => 1 + self.random.below(4 * most).min(all - 2),
                _ => 1 + self.random.below(most),
            }
    }

    fn external_step(&mut self, count: u32, bytes: u32) -> i32 {
        let near = bytes as i32 + self.random.below(40) as i32 - 20;
        match self.random.below(8) {
            0 => 0,
            1 if count == 1 => self.one_of(&[i32::MIN, i32::MAX, -1]),
            2 => -near,
            3 => -(bytes as i32),
            4 => self.random.below(8192) as i32 - 4096,
            5 => bytes as i32,
            _ => near,
        }
    }

    fn transfer(&mut self) -> Option<Record> {
        let word = self.sizes.word_bytes() as u32;
        let store = self.random.eighths(3);
        let bytes = match self.random.below(8) {
            0 => 1,
            1 => word,
            2 => word * (1 + self.random.below(8)),
            3 => 1 + self.random.below(1000),
            _ => 1 + self.random.below(4 * word),
        };
        let n = [self.count(6), self.count(3)];
        let s = n.map(|count| self.external_step(count, bytes));
        let words = bytes.div_ceil(word);
        let d = n.map(|count| self.step(count, word, words + 1));
        let reach = |k: usize| i64::from(n[k] - 1) * i64::from(s[k]);
        let low = reach(0).min(0) + reach(1).min(0);
        let high = reach(0).max(0) + reach(1).max(0) + i64::from(bytes);
        let extent =
            u64::from(n[0] - 1) * u64::from(d[0]) + u64::from(n[1] - 1) * u64::from(d[1]) + u64::from(bytes);
        let local = self.place_local(extent.next_multiple_of(word.into()), word)?;
        let spots = self.external.clone();
        let first = self.place((high - low) as u64, 1, MEMORY_BYTES, &spots)?;
        let parameters = PARAMETER_TILES * self.sizes.parameter_bytes() as u32;
        if store && first < parameters && self.random.eighths(7) {
            return None;
        }
        let k = self.random.below(SPOTS as u32) as usize;
        self.external[k] = first;
        let external = (i64::from(first) - low) as u32;
        let fill = self.random.word() as u8;
        let transfer = Transfer { external, local, bytes, n, s: s.map(|step| step as u32), d, fill };
        Some(if store { transfer.store() } else { transfer.load() })
    }

    fn convolve(&mut self) -> Option<Record> {
        let Sizes { rows: inputs, cols, .. } = self.sizes;
        let mut kernel = [self.count(3), self.count(3)];
        let mut out = [self.count(7), self.count(5)];
        let [mut in_tiles, mut out_tiles] = [self.count(3), self.count(3)];
        let mut image = [self.count(9), self.count(6)];
        let steps = [image[0], image[1], in_tiles].map(|count| self.step(count, inputs, 4));
        let [mut pixel_step, mut line_step, in_tile_step] = steps;
        let mut first = [0, 1].map(|_| self.random.below(9) as i32 - 5);
        let mut stride = [self.count(3), self.count(3)];
        let mut dilation = [self.count(3), self.count(3)];
        let k = self.random.below(2) as usize;
        match self.random.below(12) {
            0 => {
                kernel[k] = 16;
                first[k] = -(self.random.below(16) as i32);
            }
            1 => stride[k] = 255 - self.random.below(2),
            2 => dilation[k] = 255 - self.random.below(2),
            3 => first[k] = self.one_of(&[-32768, -32767, 32767, -256, 255]),
            4 | 5 => {
                // An image as large as can be told, of the same pixel or line.
                image[k] = 65535 - self.random.below(3);
                *if k == 0 { &mut pixel_step } else { &mut line_step } = 0;
                first[k] = self.one_of(&[-32768, -3, 0, 32767]);
                stride[k] = self.one_of(&[1, 2, 255]);
                dilation[k] = self.one_of(&[1, 255]);
                // And a walk that leaves it by far.
                if self.random.eighths(4) {
                    (in_tiles, out_tiles) = (1, 1);
                    out[k] = self.sizes.accumulator_rows - self.random.below(8);
                    out[1 - k] = 1;
                }
            }
            _ => {}
        }
        let tiles = u64::from(in_tiles * out_tiles * kernel[0] * kernel[1]);
        let weights = self.place_local(tiles * u64::from(inputs * cols), cols)?;
        let reach = u64::from(image[0] - 1) * u64::from(pixel_step)
            + u64::from(image[1] - 1) * u64::from(line_step)
            + u64::from(in_tiles - 1) * u64::from(in_tile_step);
        let act = self.place_local(reach + u64::from(inputs), inputs)?;
        let accumulators = self.place_rows(out_tiles * out[0] * out[1])?;
        let convolve = Convolve {
            act,
            weights,
            accumulators,
            accumulate: self.random.eighths(4),
            zero_point: self.random.word() as i8,
            out,
            in_tiles,
            out_tiles,
            kernel,
            image,
            first,
            stride,
            dilation,
            pixel_step,
            line_step,
            in_tile_step,
        };
        Some(convolve.record())
    }

    fn depthwise(&mut self) -> Option<Record> {
        let Sizes { rows: inputs, cols, .. } = self.sizes;
        let mut out = [self.count(9), self.count(5)];
        let tiles = self.count(3);
        let mut image = [self.count(9), self.count(6)];
        let [mut pixel_step, mut line_step, tile_step] =
            [image[0], image[1], tiles].map(|count| self.step(count, cols, 4));
        let mut first = [0, 1].map(|_| self.random.below(9) as i32 - 5);
        let mut stride = [self.count(3), self.count(3)];
        let k = self.random.below(2) as usize;
        match self.random.below(10) {
            // Lines as long as they may be.
            0 => (out[0], stride[0]) = self.one_of(&[(126, 1), (63, 2), (2, 125), (26, 5), (1, 255)]),
            1 => stride[1] = 255 - self.random.below(2),
            2 => first[k] = self.one_of(&[-32768, -32767, 32767, -127, 127]),
            3 => {
                image[k] = 65535 - self.random.below(3);
                *if k == 0 { &mut pixel_step } else { &mut line_step } = 0;
                first[k] = self.one_of(&[-32768, -3, 0, 32767]);
            }
            _ => {}
        }
        let weights = self.place_local(u64::from(tiles * inputs * cols), cols)?;
        let reach = u64::from(image[0] - 1) * u64::from(pixel_step)
            + u64::from(image[1] - 1) * u64::from(line_step)
            + u64::from(tiles - 1) * u64::from(tile_step);
        let act = self.place_local(reach + u64::from(cols), cols)?;
        let accumulators = self.place_rows(tiles * out[0] * out[1])?;
        let depthwise = Depthwise {
            act,
            weights,
            accumulators,
            accumulate: self.random.eighths(4),
            zero_point: self.random.word() as i8,
            out,
            tiles,
            image,
            first,
            stride,
            pixel_step,
            line_step,
            tile_step,
        };
        Some(depthwise.record())
    }

    fn packed(&mut self) -> Option<Record> {
        let Sizes { rows: inputs, cols, .. } = self.sizes;
        let mut kernel = [self.count(5), self.count(5)];
        let mut channels = self.one_of(&[1, 1, 2, 3, 3, 4, 5, 8, 32]);
        let mut out = [self.count(9), self.count(5)];
        let mut image = [1 + self.random.below(12), self.count(8)];
        let mut stride = [self.count(3), self.count(3)];
        let mut first = [0, 1].map(|_| self.random.below(9) as i32 - 5);
        let k = self.random.below(2) as usize;
        let word = self.sizes.word_bytes() as u32;
        let mut line_step = match self.random.below(4) {
            0 => 0,
            1 => self.random.below(4 * word),
            _ => image[0] * channels,
        };
        match self.random.below(10) {
            0 => kernel[k] = 16,
            1 => {
                // Lines as long as they may be.
                channels = self.one_of(&[1, 3]);
                stride[0] = 1 + self.random.below(4);
                let most = (127 * word / channels - kernel[0]) / stride[0] + 1;
                out = [most.min(self.sizes.accumulator_rows), 1];
                image[0] = most * stride[0] - self.random.below(6);
                line_step = image[0] * channels;
            }
            2 => stride[1] = 255 - self.random.below(2),
            3 => first[k] = self.one_of(&[-32768, -32767, 32767, -256, 255]),
            4 => {
                image[1] = 65535 - self.random.below(3);
                line_step = 0;
                first[1] = self.one_of(&[-32768, -3, 0, 32767]);
                stride[1] = self.one_of(&[1, 2, 255]);
            }
            5 => (out[0], stride[0]) = (1, 255),
            _ => {}
        }
        // As many tiles as there are taps for, fewer, or more.
        let needed = (kernel[0] * kernel[1] * channels).div_ceil(inputs);
        let in_tiles = match self.random.below(4) {
            0 => 1 + self.random.below(needed + 2),
            _ => needed.max(kernel[1].div_ceil(4)),
        };
        let out_tiles = self.count(2);
        let weights = self.place_local(u64::from(in_tiles * out_tiles * inputs * cols), cols)?;
        let reach = u64::from(image[1] - 1) * u64::from(line_step) + u64::from(image[0] * channels);
        let act = self.place_local(reach, 1)?;
        let accumulators = self.place_rows(out_tiles * out[0] * out[1])?;
        let packed = Packed {
            act,
            weights,
            accumulators,
            accumulate: self.random.eighths(4),
            zero_point: self.random.word() as i8,
            out,
            in_tiles,
            out_tiles,
            kernel,
            image,
            first,
            stride,
            channels,
            line_step,
        };
        Some(packed.record())
    }

    /// A requantisation, and before it, mostly, a load of parameters.
    fn requantise(&mut self, list: &mut Vec<Record>) -> Option<Record> {
        let cols = self.sizes.cols;
        let out = [self.count(7), self.count(5)];
        let tiles = self.count(3);
        let [column_step, row_step, tile_step] =
            [out[0], out[1], tiles].map(|count| self.step(count, cols, 4));
        let bytes = tiles * self.sizes.parameter_bytes() as u32;
        let parameters = self.place_local(bytes.into(), self.sizes.word_bytes() as u32)?;
        let reach = u64::from(out[0] - 1) * u64::from(column_step)
            + u64::from(out[1] - 1) * u64::from(row_step)
            + u64::from(tiles - 1) * u64::from(tile_step);
        let output = self.place_local(reach + u64::from(cols), cols)?;
        let accumulators = self.place_rows(tiles * out[0] * out[1])?;
        if self.random.eighths(7) {
            let tile = self.random.below(PARAMETER_TILES - tiles + 1);
            let from = tile * self.sizes.parameter_bytes() as u32;
            list.push(Transfer::run(from, parameters, bytes).load());
        }
        let narrow = self.random.eighths(1);
        let requantise = Requantise {
            parameters,
            output,
            accumulators,
            out,
            tiles,
            column_step,
            row_step,
            tile_step,
            zero_point: if narrow { self.random.word() as i8 } else { self.random.below(9) as i8 - 4 },
            min: if narrow { self.random.word() as i8 } else { -128 },
            max: if narrow { self.random.word() as i8 } else { 127 },
        };
        Some(requantise.record())
    }

    fn sums(&mut self) -> Option<Record> {
        let bytes = 4 * self.sizes.cols;
        let out = [self.count(5), self.count(4)];
        let tiles = self.count(3);
        let [column_step, row_step, tile_step] =
            [out[0], out[1], tiles].map(|count| self.step(count, bytes, 3));
        let reach = u64::from(out[0] - 1) * u64::from(column_step)
            + u64::from(out[1] - 1) * u64::from(row_step)
            + u64::from(tiles - 1) * u64::from(tile_step);
        let output = self.place_local(reach + u64::from(bytes), bytes)?;
        let accumulators = self.place_rows(tiles * out[0] * out[1])?;
        Some(Sums { output, accumulators, out, tiles, column_step, row_step, tile_step }.record())
    }

    /// Where rows of an image may lie.
    fn rows(&mut self, out: [u32; 2]) -> Option<Rows> {
        let cols = self.sizes.cols;
        let [column_step, row_step] = out.map(|count| self.step(count, cols, 4));
        let reach =
            u64::from(out[0] - 1) * u64::from(column_step) + u64::from(out[1] - 1) * u64::from(row_step);
        let address = self.place_local(reach + u64::from(cols), cols)?;
        Some(Rows { address, column_step, row_step })
    }

    fn add(&mut self) -> Option<Record> {
        let out = [self.count(9), self.count(5)];
        let mut inputs = [self.rows(out)?, self.rows(out)?];
        let mut output = self.rows(out)?;
        let k = self.random.below(2) as usize;
        match self.random.below(8) {
            0 => output = inputs[k],
            1 => inputs[1] = inputs[0],
            _ => {}
        }
        // Mostly as a compiler has them, so that not all outputs are clamps.
        let plain = self.random.eighths(6);
        let mut multipliers = [0; 3].map(|_| self.random.word() >> 1);
        let mut shifts = [0; 3].map(|_| 31 + self.random.below(32));
        if plain {
            multipliers = multipliers.map(|multiplier| multiplier | 1 << 30);
            let [low, high] = [self.random.below(3), self.random.below(6)];
            shifts = [32, 32 + low, 49 + high];
            shifts.swap(0, k);
        }
        let narrow = self.random.eighths(1);
        let add = Add {
            out,
            inputs,
            output,
            input_zero_points: [self.random.word() as i8, self.random.word() as i8],
            multipliers,
            shifts,
            zero_point: self.random.word() as i8,
            min: if narrow { self.random.word() as i8 } else { -128 },
            max: if narrow { self.random.word() as i8 } else { 127 },
        };
        Some(add.record())
    }

    fn pool(&mut self) -> Option<Record> {
        let cols = self.sizes.cols;
        let mut out = [self.count(7), self.count(5)];
        let tiles = self.count(3);
        let mut image = [self.count(9), self.count(6)];
        let [mut pixel_step, mut line_step, in_tile_step] =
            [image[0], image[1], tiles].map(|count| self.step(count, cols, 4));
        let mut first = [0, 1].map(|_| self.random.below(9) as i32 - 5);
        let mut kernel = [self.count(4), self.count(4)];
        let mut stride = [self.count(3), self.count(3)];
        let k = self.random.below(2) as usize;
        match self.random.below(12) {
            0 | 1 => {
                // The largest windows, of the whole image and of more.
                kernel = self.one_of(&[[16, 16], [255, 1], [1, 255], [128, 2], [25, 5], [8, 32]]);
                out = [1 + self.random.below(2), 1];
                image = kernel.map(|size| size + 2 - self.random.below(4).min(size));
                (pixel_step, line_step) = self.one_of(&[(0, cols), (cols, 0), (cols, cols), (0, 0)]);
                first = [0, -(self.random.below(3) as i32)];
            }
            2 => stride[k] = 255 - self.random.below(2),
            3 => first[k] = self.one_of(&[-32768, -32767, 32767, -256, 255]),
            4 => {
                image[k] = 65535 - self.random.below(3);
                *if k == 0 { &mut pixel_step } else { &mut line_step } = 0;
                first[k] = self.one_of(&[-32768, -3, 0, 32767]);
                stride[k] = self.one_of(&[1, 2, 255]);
                out[k] = 1 + self.random.below(300);
            }
            _ => {}
        }
        let reach = u64::from(image[0] - 1) * u64::from(pixel_step)
            + u64::from(image[1] - 1) * u64::from(line_step)
            + u64::from(tiles - 1) * u64::from(in_tile_step);
        let input = self.place_local(reach + u64::from(cols), cols)?;
        let [column_step, row_step, tile_step] =
            [out[0], out[1], tiles].map(|count| self.step(count, cols, 2));
        let reach = u64::from(out[0] - 1) * u64::from(column_step)
            + u64::from(out[1] - 1) * u64::from(row_step)
            + u64::from(tiles - 1) * u64::from(tile_step);
        let address = self.place_local(reach + u64::from(cols), cols)?;
        let narrow = self.random.eighths(1);
        let pool = Pool {
            maximum: self.random.eighths(3),
            out,
            tiles,
            output: Rows { address, column_step, row_step },
            tile_step,
            min: if narrow { self.random.word() as i8 } else { -128 },
            max: if narrow { self.random.word() as i8 } else { 127 },
            input,
            pixel_step,
            line_step,
            in_tile_step,
            image,
            first,
            kernel,
            stride,
        };
        Some(pool.record())
    }

    /// Whether a command may be given to the unit: it is not refused, meets no error in external memory and does not take long.
    pub fn runs(&self, record: &Record) -> bool {
        let Ok(command) = self.sizes.judge(record) else { return false };
        let work = self.sizes.work(&command);
        match command {
            Command::Load(t) | Command::Store(t) => {
                let reach = |k: usize| ((t.n[k] - 1) as i64 * t.s[k]).max(0);
                let end = t.external + reach(0) + reach(1) + t.bytes as i64;
                work <= MOST_BYTES && end <= i64::from(MEMORY_BYTES)
            }
            Command::Packed(_) | Command::Convolve(_) => {
                work <= MOST_ROWS * u64::from(self.sizes.rows * self.sizes.cols)
            }
            // All pixels of a line are read, and of the lines between outputs too.
            Command::Depthwise(d) => {
                d.tiles * (d.out[1] * d.stride[1] + 2) * (d.out[0] * d.stride[0] + 2) <= 2 * MOST_ROWS
            }
            Command::Sums(_) => true,
            Command::Requantise(r) => {
                let output = (r.out[0] - 1) * r.column_step
                    + (r.out[1] - 1) * r.row_step
                    + (r.tiles - 1) * r.tile_step
                    + u64::from(self.sizes.cols);
                let parameters = r.tiles * self.sizes.parameter_bytes();
                r.parameters + parameters <= r.output || r.output + output <= r.parameters
            }
            Command::Add(a) => {
                // What overlapping operands and outputs give is not told, but where each row takes an operand's place.
                let bytes = u64::from(self.sizes.cols);
                let reach = |rows: &model::Rows| {
                    (a.out[0] - 1) * rows.column_step + (a.out[1] - 1) * rows.row_step + bytes
                };
                let apart = |a: &model::Rows, b: &model::Rows| {
                    a.address + reach(a) <= b.address || b.address + reach(b) <= a.address
                };
                let own_places = (a.out[0] == 1 || a.output.column_step > 0)
                    && (a.out[1] == 1 || a.output.row_step >= a.out[0] * a.output.column_step.max(1));
                let allowed = |input| apart(input, &a.output) || (*input == a.output && own_places);
                work <= MOST_ROWS * bytes && a.inputs.iter().all(allowed)
            }
            Command::Pool(p) => {
                let bytes = u64::from(self.sizes.cols);
                let image = (p.image[0] - 1) * p.pixel_step
                    + (p.image[1] - 1) * p.line_step
                    + (p.tiles - 1) * p.in_tile_step
                    + bytes;
                let output = (p.out[0] - 1) * p.column_step
                    + (p.out[1] - 1) * p.row_step
                    + (p.tiles - 1) * p.tile_step
                    + bytes;
                let apart = p.input + image <= p.output || p.output + output <= p.input;
                work <= 2 * MOST_ROWS * bytes && apart
            }
        }
    }

    /// Appends a command that is legal, or two.
    pub fn legal(&mut self, list: &mut Vec<Record>) {
        loop {
            let mut new = vec![];
            let record = match self.random.below(13) {
                12 => self.packed(),
                0..=4 => self.transfer(),
                5 => self.convolve(),
                6 => self.sums(),
                7 => self.add(),
                8 => self.pool(),
                9 => {
                    if self.random.eighths(4) {
                        self.convolve()
                    } else {
                        self.depthwise()
                    }
                }
                _ => self.requantise(&mut new),
            };
            let Some(mut record) = record else { continue };
            // A bit may be wrong as long as nothing forbids it.
            if self.random.eighths(1) {
                let other = self.flipped(record);
                record = if self.runs(&other) { other } else { record };
            }
            if self.runs(&record) {
                list.extend(new);
                list.push(record);
                return;
            }
        }
    }

    fn flipped(&mut self, mut record: Record) -> Record {
        record[self.random.below(16) as usize] ^= 1 << self.random.below(32);
        record
    }

    /// A legal record that something has been done to.
    fn spoilt(&mut self) -> Record {
        let mut list = vec![];
        self.legal(&mut list);
        let mut record = list.pop().unwrap();
        let word = self.random.below(16) as usize;
        let sizes = self.sizes;
        match self.random.below(15) {
            0 => record[0] = self.random.below(256),
            1 => record[0] = self.random.word(),
            2 | 3 => record = self.flipped(record),
            4 => record[word] &= self.one_of(&[0xFFFF_0000, 0xFFFF, 0xFFFF_FF00, 0xFFFF_00FF, 0xFF00_FFFF]),
            5 => {
                let step = self.one_of(&[1, 2, sizes.rows / 2, sizes.cols / 2, sizes.rows, sizes.cols]);
                record[word] = record[word].wrapping_add(step);
            }
            6 => {
                let bytes = self.one_of(&[sizes.word_bytes() as u32, sizes.rows, sizes.cols, 1]);
                let from = self.one_of(&[sizes.scratchpad_bytes, sizes.accumulator_rows, 0]);
                record[word] = from.wrapping_sub(bytes * self.random.below(3));
            }
            7 => record[word] = self.random.word(),
            // Counts and reaches that are small or 0 if their upper bits are lost.
            8 => record[4] = self.one_of(&[0x8000_0080, 0x80_8000, 0x4000_0400, 0x400_1000, 0x2000_8000]),
            9 => {
                record[4] = 1 << 16 | 1 | 4 << self.random.below(10);
                record[5] = self.one_of(&[0x8000_0000, 0x4000_0000]);
                record[7] = 0;
            }
            10 => {
                record[5] = self.one_of(&[0x1_8000, 0x1_4000]);
                record[6] = self.one_of(&[0x0810, 0x1010, 0x1008]);
                record[12] = 0;
            }
            11 => {
                record[15] = self.one_of(&[0x0101_1010, 0x0101_1011, 0x0101_1110, 0x0101_FFFF, 0x0101_0381])
            }
            // Channels and steps beyond what lines may have.
            13 => record[10] = self.one_of(&[0, 1, 3, 4, 8, 32, 33, 255, 256]),
            12 => record[9] = record[9] & 0xFF_FFFF | self.one_of(&[30, 31, 62, 63, 0]) << 24,
            _ => {
                let code = self.one_of(&[1, 2, 3, 4, 5, 6, 7, 8, 9]);
                record = std::array::from_fn(|_| self.random.word());
                record[0] = code;
            }
        }
        record
    }

    /// A command that is refused.
    pub fn illegal(&mut self) -> Record {
        loop {
            let record = self.spoilt();
            if self.sizes.judge(&record).is_err() {
                return record;
            }
        }
    }
}
