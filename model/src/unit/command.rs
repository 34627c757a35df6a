//! Records: what their fields are, and the rules that a command must keep.

use super::{Cause, Record, Sizes};

/// The fields of a load or a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    pub external: i64,
    pub local: u64,
    pub bytes: u64,
    pub fill: u8,
    /// Runs and repetitions.
    pub n: [u64; 2],
    /// Steps in external memory.
    pub s: [i64; 2],
    /// Steps in the scratchpad.
    pub d: [u64; 2],
}

/// The fields of a convolution. Pairs are x before y, columns before rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolve {
    pub act: u64,
    pub weights: u64,
    pub accumulators: u64,
    pub accumulate: bool,
    pub zero_point: i8,
    pub out: [u64; 2],
    pub in_tiles: u64,
    pub out_tiles: u64,
    pub kernel: [u64; 2],
    pub image: [u64; 2],
    pub first: [i64; 2],
    pub stride: [u64; 2],
    pub dilation: [u64; 2],
    pub pixel_step: u64,
    pub line_step: u64,
    pub in_tile_step: u64,
}

/// The fields of a depthwise convolution. Pairs are x before y, columns before rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depthwise {
    pub act: u64,
    pub weights: u64,
    pub accumulators: u64,
    pub accumulate: bool,
    pub zero_point: i8,
    pub out: [u64; 2],
    pub tiles: u64,
    pub image: [u64; 2],
    pub first: [i64; 2],
    pub stride: [u64; 2],
    pub pixel_step: u64,
    pub line_step: u64,
    pub tile_step: u64,
}

/// The fields of a requantisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requantise {
    pub parameters: u64,
    pub output: u64,
    pub accumulators: u64,
    /// Columns and rows.
    pub out: [u64; 2],
    pub tiles: u64,
    pub column_step: u64,
    pub row_step: u64,
    pub tile_step: u64,
    pub zero_point: i8,
    pub min: i8,
    pub max: i8,
}

/// The fields of a convolution of few input channels. Pairs are x before y, columns before rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packed {
    pub act: u64,
    pub weights: u64,
    pub accumulators: u64,
    pub accumulate: bool,
    pub zero_point: i8,
    pub out: [u64; 2],
    pub in_tiles: u64,
    pub out_tiles: u64,
    pub kernel: [u64; 2],
    pub image: [u64; 2],
    pub first: [i64; 2],
    pub stride: [u64; 2],
    pub channels: u64,
    pub line_step: u64,
}

/// The fields of stored sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sums {
    pub output: u64,
    pub accumulators: u64,
    /// Columns and rows.
    pub out: [u64; 2],
    pub tiles: u64,
    pub column_step: u64,
    pub row_step: u64,
    pub tile_step: u64,
}

/// Where the rows of an operand or of a sum lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows {
    pub address: u64,
    pub column_step: u64,
    pub row_step: u64,
}

/// A multiplier and a shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Factor {
    pub multiplier: u32,
    pub shift: u32,
}

/// The fields of a sum of two images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Add {
    /// Columns and rows.
    pub out: [u64; 2],
    pub inputs: [Rows; 2],
    pub output: Rows,
    pub input_zero_points: [i8; 2],
    pub input_factors: [Factor; 2],
    pub output_factor: Factor,
    pub zero_point: i8,
    pub min: i8,
    pub max: i8,
}

/// The fields of a pooling. Pairs are x before y, columns before rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    pub input: u64,
    pub output: u64,
    pub maximum: bool,
    pub out: [u64; 2],
    pub tiles: u64,
    pub column_step: u64,
    pub row_step: u64,
    pub tile_step: u64,
    pub min: i8,
    pub max: i8,
    pub pixel_step: u64,
    pub line_step: u64,
    pub in_tile_step: u64,
    pub image: [u64; 2],
    pub first: [i64; 2],
    pub kernel: [u64; 2],
    pub stride: [u64; 2],
}

/// A command that keeps all rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Load(Transfer),
    Store(Transfer),
    Convolve(Convolve),
    Requantise(Requantise),
    Depthwise(Depthwise),
    Sums(Sums),
    Add(Add),
    Pool(Pool),
    Packed(Packed),
}

/// The bits of each word that fields have; the words behind have none.
const LOAD_BITS: [u32; 9] = [0xFF, !0, !0, 0xFF_FFFF, !0, !0, !0, !0, !0];
const STORE_BITS: [u32; 9] = [0xFF, !0, !0, 0xFFFF, !0, !0, !0, !0, !0];
const CONVOLVE_BITS: [u32; 13] = [0xFF, !0, !0, 0xFF01_FFFF, !0, !0, 0xFFFF, !0, !0, !0, !0, !0, !0];
const DEPTHWISE_BITS: [u32; 13] = [0xFF, !0, !0, 0xFF01_FFFF, !0, 0xFFFF_0000, 0, !0, !0, 0xFFFF, !0, !0, !0];
const REQUANTISE_BITS: [u32; 10] = [0xFF, !0, !0, 0xFFFF, !0, 0xFFFF, !0, !0, !0, 0xFF_FFFF];
const PACKED_BITS: [u32; 12] = [0xFF, !0, !0, 0xFF01_FFFF, !0, !0, 0xFFFF, !0, !0, 0xFFFF, 0xFF, !0];
const SUMS_BITS: [u32; 9] = [0xFF, 0, !0, 0xFFFF, !0, 0xFFFF, !0, !0, !0];
const ADD_BITS: [u32; 16] =
    [0xFF, !0, !0, !0, !0, 0x3F3F_FFFF, !0, !0, !0, 0x3FFF_FFFF, !0, !0, !0, !0 >> 1, !0 >> 1, !0 >> 1];
const POOL_BITS: [u32; 16] = [0xFF, !0, !0, 1, !0, 0xFFFF, !0, !0, !0, 0xFF_FF00, !0, !0, !0, !0, !0, !0];

/// The largest kernel, each way.
const MAX_KERNEL: u64 = 16;

/// The most pixels from the first to the last output of a depthwise convolution's line.
const MAX_REACH: u64 = 125;

/// The most channels of a packed convolution.
const MAX_CHANNELS: u64 = 32;

/// The most pixels of a window.
const MAX_WINDOW: u64 = 256;

fn halves(word: u32) -> [u64; 2] {
    [u64::from(word & 0xFFFF), u64::from(word >> 16)]
}

fn bytes(word: u32) -> [u64; 4] {
    word.to_le_bytes().map(u64::from)
}

fn signed_halves(word: u32) -> [i64; 2] {
    halves(word).map(|half| i64::from(half as u16 as i16))
}

fn require(holds: bool, cause: Cause) -> Result<(), Cause> {
    if holds { Ok(()) } else { Err(cause) }
}

fn require_reserved(record: &Record, fields: &[u32]) -> Result<(), Cause> {
    let of = |k: usize| fields.get(k).copied().unwrap_or(0);
    require(record.iter().enumerate().all(|(k, word)| word & !of(k) == 0), Cause::Field)
}

fn aligned(values: &[u64], to: u64) -> bool {
    values.iter().all(|value| value % to == 0)
}

/// The last byte of what begins at `first`, reaches over `loops` (turns and step of each) and ends with `bytes` bytes. Turns are below 2^16, steps and the other
/// values at most 2^32.
fn last_byte(first: u64, loops: &[(u64, u64)], bytes: u64) -> u64 {
    first + loops.iter().map(|(turns, step)| (turns - 1) * step).sum::<u64>() + bytes - 1
}

impl Sizes {
    /// What a record says, if it keeps all rules.
    ///
    /// # Errors
    /// The lowest cause.
    pub fn judge(&self, record: &Record) -> Result<Command, Cause> {
        match record[0] & 0xFF {
            1 => Ok(Command::Load(self.transfer(record, &LOAD_BITS)?)),
            2 => Ok(Command::Store(self.transfer(record, &STORE_BITS)?)),
            3 => Ok(Command::Convolve(self.convolve(record)?)),
            4 => Ok(Command::Requantise(self.requantise(record)?)),
            5 => Ok(Command::Depthwise(self.depthwise(record)?)),
            6 => Ok(Command::Sums(self.sums(record)?)),
            7 => Ok(Command::Add(self.add(record)?)),
            8 => Ok(Command::Pool(self.pool(record)?)),
            9 => Ok(Command::Packed(self.packed(record)?)),
            _ => Err(Cause::Unknown),
        }
    }

    fn require_counts(counts: &[u64]) -> Result<(), Cause> {
        require(counts.iter().all(|&count| count >= 1), Cause::Field)
    }

    fn require_steps(&self, steps: &[u64]) -> Result<(), Cause> {
        require(steps.iter().all(|&step| step < u64::from(self.scratchpad_bytes)), Cause::Field)
    }

    fn require_local(&self, last: u64) -> Result<(), Cause> {
        require(last < u64::from(self.scratchpad_bytes), Cause::Outside)
    }

    fn require_rows(&self, first: u64, rows: u64) -> Result<(), Cause> {
        require(first + rows <= u64::from(self.accumulator_rows), Cause::Outside)
    }

    fn transfer(&self, record: &Record, fields: &[u32]) -> Result<Transfer, Cause> {
        let &[_, external, local, run, turns, s1, s2, d1, d2, ..] = record;
        let t = Transfer {
            external: i64::from(external),
            local: u64::from(local),
            bytes: halves(run)[0],
            fill: bytes(run)[2] as u8,
            n: halves(turns),
            s: [s1, s2].map(|step| i64::from(step as i32)),
            d: [d1, d2].map(u64::from),
        };
        require_reserved(record, fields)?;
        Self::require_counts(&[t.bytes, t.n[0], t.n[1]])?;
        self.require_steps(&t.d)?;
        require(aligned(&[t.local, t.d[0], t.d[1]], self.word_bytes()), Cause::Alignment)?;
        self.require_local(last_byte(t.local, &[(t.n[0], t.d[0]), (t.n[1], t.d[1])], t.bytes))?;
        let reaches = [0, 1].map(|k| (t.n[k] as i64 - 1) * t.s[k]);
        let lowest = t.external + reaches.iter().map(|&reach| reach.min(0)).sum::<i64>();
        let highest =
            t.external + reaches.iter().map(|&reach| reach.max(0)).sum::<i64>() + t.bytes as i64 - 1;
        require(lowest >= 0 && highest <= i64::from(u32::MAX), Cause::Outside)?;
        Ok(t)
    }

    fn convolve(&self, record: &Record) -> Result<Convolve, Cause> {
        let &[_, act, weights, sums, out, tiles, kernel, image, first, moves, pixel, line, in_tile, ..] =
            record;
        let [in_tiles, out_tiles] = halves(tiles);
        let [kernel_columns, kernel_rows, ..] = bytes(kernel);
        let [stride_x, stride_y, dilation_x, dilation_y] = bytes(moves);
        let c = Convolve {
            act: u64::from(act),
            weights: u64::from(weights),
            accumulators: halves(sums)[0],
            accumulate: sums >> 16 & 1 == 1,
            zero_point: (sums >> 24) as u8 as i8,
            out: halves(out),
            in_tiles,
            out_tiles,
            kernel: [kernel_columns, kernel_rows],
            image: halves(image),
            first: signed_halves(first),
            stride: [stride_x, stride_y],
            dilation: [dilation_x, dilation_y],
            pixel_step: u64::from(pixel),
            line_step: u64::from(line),
            in_tile_step: u64::from(in_tile),
        };
        let steps = [c.pixel_step, c.line_step, c.in_tile_step];
        require_reserved(record, &CONVOLVE_BITS)?;
        let pairs = [c.out, [in_tiles, out_tiles], c.kernel, c.image, c.stride, c.dilation];
        Self::require_counts(pairs.as_flattened())?;
        require(c.kernel.iter().all(|&taps| taps <= MAX_KERNEL), Cause::Field)?;
        self.require_steps(&steps)?;
        let [inputs, outputs] = [self.rows, self.cols].map(u64::from);
        require(aligned(&[c.act], inputs) && aligned(&steps, inputs), Cause::Alignment)?;
        require(aligned(&[c.weights], outputs), Cause::Alignment)?;
        let [width, height] = c.image;
        let loops = [(width, c.pixel_step), (height, c.line_step), (in_tiles, c.in_tile_step)];
        self.require_local(last_byte(c.act, &loops, inputs))?;
        let tiles = out_tiles * kernel_rows * kernel_columns * in_tiles;
        self.require_local(last_byte(c.weights, &[], tiles * inputs * outputs))?;
        self.require_rows(c.accumulators, out_tiles * c.out[0] * c.out[1])?;
        Ok(c)
    }

    fn depthwise(&self, record: &Record) -> Result<Depthwise, Cause> {
        let &[_, act, weights, sums, out, tiles, _, image, first, moves, pixel, line, tile, ..] = record;
        let [stride_x, stride_y, ..] = bytes(moves);
        let d = Depthwise {
            act: u64::from(act),
            weights: u64::from(weights),
            accumulators: halves(sums)[0],
            accumulate: sums >> 16 & 1 == 1,
            zero_point: (sums >> 24) as u8 as i8,
            out: halves(out),
            tiles: halves(tiles)[1],
            image: halves(image),
            first: signed_halves(first),
            stride: [stride_x, stride_y],
            pixel_step: u64::from(pixel),
            line_step: u64::from(line),
            tile_step: u64::from(tile),
        };
        let steps = [d.pixel_step, d.line_step, d.tile_step];
        require_reserved(record, &DEPTHWISE_BITS)?;
        Self::require_counts([d.out, d.image, d.stride, [d.tiles, 1]].as_flattened())?;
        require((d.out[0] - 1) * stride_x <= MAX_REACH, Cause::Field)?;
        self.require_steps(&steps)?;
        let [inputs, outputs] = [self.rows, self.cols].map(u64::from);
        require(aligned(&[d.act, d.weights], outputs) && aligned(&steps, outputs), Cause::Alignment)?;
        let [width, height] = d.image;
        let loops = [(width, d.pixel_step), (height, d.line_step), (d.tiles, d.tile_step)];
        self.require_local(last_byte(d.act, &loops, outputs))?;
        self.require_local(last_byte(d.weights, &[], d.tiles * inputs * outputs))?;
        self.require_rows(d.accumulators, d.tiles * d.out[0] * d.out[1])?;
        Ok(d)
    }

    fn packed(&self, record: &Record) -> Result<Packed, Cause> {
        let &[_, act, weights, sums, out, tiles, kernel, image, first, moves, channels, line, ..] = record;
        let [in_tiles, out_tiles] = halves(tiles);
        let [kernel_columns, kernel_rows, ..] = bytes(kernel);
        let [stride_x, stride_y, ..] = bytes(moves);
        let p = Packed {
            act: u64::from(act),
            weights: u64::from(weights),
            accumulators: halves(sums)[0],
            accumulate: sums >> 16 & 1 == 1,
            zero_point: (sums >> 24) as u8 as i8,
            out: halves(out),
            in_tiles,
            out_tiles,
            kernel: [kernel_columns, kernel_rows],
            image: halves(image),
            first: signed_halves(first),
            stride: [stride_x, stride_y],
            channels: u64::from(channels),
            line_step: u64::from(line),
        };
        require_reserved(record, &PACKED_BITS)?;
        Self::require_counts([p.out, [in_tiles, out_tiles], p.kernel, p.image, p.stride].as_flattened())?;
        require(p.kernel.iter().all(|&taps| taps <= MAX_KERNEL), Cause::Field)?;
        require((1..=MAX_CHANNELS).contains(&p.channels), Cause::Field)?;
        self.require_steps(&[p.line_step])?;
        let line = ((p.out[0] - 1) * stride_x + kernel_columns) * p.channels;
        require(line <= 127 * self.word_bytes(), Cause::Field)?;
        let [inputs, outputs] = [self.rows, self.cols].map(u64::from);
        require(aligned(&[p.weights], outputs), Cause::Alignment)?;
        let [width, height] = p.image;
        self.require_local(last_byte(p.act, &[(height, p.line_step)], width * p.channels))?;
        self.require_local(last_byte(p.weights, &[], out_tiles * in_tiles * inputs * outputs))?;
        self.require_rows(p.accumulators, out_tiles * p.out[0] * p.out[1])?;
        Ok(p)
    }

    fn requantise(&self, record: &Record) -> Result<Requantise, Cause> {
        let &[_, parameters, output, sums, out, tiles, column_step, row_step, tile_step, range, ..] = record;
        let [zero_point, min, max, _] = range.to_le_bytes().map(|byte| byte as i8);
        let r = Requantise {
            parameters: u64::from(parameters),
            output: u64::from(output),
            accumulators: halves(sums)[0],
            out: halves(out),
            tiles: halves(tiles)[0],
            column_step: u64::from(column_step),
            row_step: u64::from(row_step),
            tile_step: u64::from(tile_step),
            zero_point,
            min,
            max,
        };
        let steps = [r.column_step, r.row_step, r.tile_step];
        require_reserved(record, &REQUANTISE_BITS)?;
        Self::require_counts(&[r.out[0], r.out[1], r.tiles])?;
        self.require_steps(&steps)?;
        let outputs = u64::from(self.cols);
        require(aligned(&[r.output], outputs) && aligned(&steps, outputs), Cause::Alignment)?;
        require(aligned(&[r.parameters], self.word_bytes()), Cause::Alignment)?;
        self.require_local(last_byte(r.parameters, &[], r.tiles * self.parameter_bytes()))?;
        let loops = [(r.out[0], r.column_step), (r.out[1], r.row_step), (r.tiles, r.tile_step)];
        self.require_local(last_byte(r.output, &loops, outputs))?;
        self.require_rows(r.accumulators, r.tiles * r.out[0] * r.out[1])?;
        Ok(r)
    }

    fn sums(&self, record: &Record) -> Result<Sums, Cause> {
        let &[_, _, output, sums, out, tiles, column_step, row_step, tile_step, ..] = record;
        let s = Sums {
            output: u64::from(output),
            accumulators: halves(sums)[0],
            out: halves(out),
            tiles: halves(tiles)[0],
            column_step: u64::from(column_step),
            row_step: u64::from(row_step),
            tile_step: u64::from(tile_step),
        };
        let steps = [s.column_step, s.row_step, s.tile_step];
        require_reserved(record, &SUMS_BITS)?;
        Self::require_counts(&[s.out[0], s.out[1], s.tiles])?;
        self.require_steps(&steps)?;
        let bytes = 4 * u64::from(self.cols);
        require(aligned(&[s.output], bytes) && aligned(&steps, bytes), Cause::Alignment)?;
        let loops = [(s.out[0], s.column_step), (s.out[1], s.row_step), (s.tiles, s.tile_step)];
        self.require_local(last_byte(s.output, &loops, bytes))?;
        self.require_rows(s.accumulators, s.tiles * s.out[0] * s.out[1])?;
        Ok(s)
    }

    fn add(&self, record: &Record) -> Result<Add, Cause> {
        let &[_, input1, output, input2, out, inputs, column, row, column1, range, row1, column2, row2, ..] =
            record;
        let rows = |address: u32, column_step: u32, row_step: u32| Rows {
            address: address.into(),
            column_step: column_step.into(),
            row_step: row_step.into(),
        };
        let [zero_point1, zero_point2, shift1, shift2] = inputs.to_le_bytes();
        let [zero_point, min, max, shift] = range.to_le_bytes();
        let factor = |word: usize, shift: u8| Factor { multiplier: record[word], shift: shift.into() };
        let a = Add {
            out: halves(out),
            inputs: [rows(input1, column1, row1), rows(input2, column2, row2)],
            output: rows(output, column, row),
            input_zero_points: [zero_point1 as i8, zero_point2 as i8],
            input_factors: [factor(13, shift1), factor(14, shift2)],
            output_factor: factor(15, shift),
            zero_point: zero_point as i8,
            min: min as i8,
            max: max as i8,
        };
        require_reserved(record, &ADD_BITS)?;
        Self::require_counts(&a.out)?;
        let images = [a.inputs[0], a.inputs[1], a.output];
        for image in images {
            self.require_steps(&[image.column_step, image.row_step])?;
        }
        let factors = [a.input_factors[0], a.input_factors[1], a.output_factor];
        require(factors.iter().all(|factor| (31..=62).contains(&factor.shift)), Cause::Field)?;
        let bytes = u64::from(self.cols);
        for image in images {
            require(aligned(&[image.address, image.column_step, image.row_step], bytes), Cause::Alignment)?;
        }
        for image in images {
            let loops = [(a.out[0], image.column_step), (a.out[1], image.row_step)];
            self.require_local(last_byte(image.address, &loops, bytes))?;
        }
        Ok(a)
    }

    fn pool(&self, record: &Record) -> Result<Pool, Cause> {
        let &[
            _,
            input,
            output,
            kind,
            out,
            tiles,
            column_step,
            row_step,
            tile_step,
            range,
            pixel,
            line,
            in_tile,
            image,
            first,
            window,
        ] = record;
        let [_, min, max, _] = range.to_le_bytes();
        let [kernel_columns, kernel_rows, stride_x, stride_y] = bytes(window);
        let p = Pool {
            input: u64::from(input),
            output: u64::from(output),
            maximum: kind == 1,
            out: halves(out),
            tiles: halves(tiles)[0],
            column_step: u64::from(column_step),
            row_step: u64::from(row_step),
            tile_step: u64::from(tile_step),
            min: min as i8,
            max: max as i8,
            pixel_step: u64::from(pixel),
            line_step: u64::from(line),
            in_tile_step: u64::from(in_tile),
            image: halves(image),
            first: signed_halves(first),
            kernel: [kernel_columns, kernel_rows],
            stride: [stride_x, stride_y],
        };
        require_reserved(record, &POOL_BITS)?;
        Self::require_counts([p.out, [p.tiles, 1], p.image, p.kernel, p.stride].as_flattened())?;
        require(kernel_columns * kernel_rows <= MAX_WINDOW, Cause::Field)?;
        let steps = [p.column_step, p.row_step, p.tile_step, p.pixel_step, p.line_step, p.in_tile_step];
        self.require_steps(&steps)?;
        let bytes = u64::from(self.cols);
        require(aligned(&[p.input, p.output], bytes) && aligned(&steps, bytes), Cause::Alignment)?;
        let loops = [(p.image[0], p.pixel_step), (p.image[1], p.line_step), (p.tiles, p.in_tile_step)];
        self.require_local(last_byte(p.input, &loops, bytes))?;
        let loops = [(p.out[0], p.column_step), (p.out[1], p.row_step), (p.tiles, p.tile_step)];
        self.require_local(last_byte(p.output, &loops, bytes))?;
        Ok(p)
    }
}
