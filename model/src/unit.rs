//! The function of the tensor unit, command by command (`docs/commands.md`). Time does not exist here: every command is finished when the next begins.
//! [`Port`] is the same behind the instructions of `docs/tensor-unit.md`.
//!
//! ```
//! use ferrite_model::unit::{Outcome, Sizes, Unit};
//!
//! let sizes = Sizes { rows: 4, cols: 4, scratchpad_bytes: 4096, accumulator_rows: 16 };
//! let mut unit = Unit::new(sizes, u64::MAX)?;
//! let mut memory = vec![1, 2, 3];
//! // Loads three bytes from address 0 to address 8 of the scratchpad, and fills the word up with 9.
//! let load = [1, 0, 8, 3 | 9 << 16, 1 | 1 << 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
//! assert_eq!(unit.execute(&load, &mut memory[..])?, Outcome::Done);
//! assert_eq!(unit.scratchpad[8..16], [1, 2, 3, 9, 9, 9, 9, 9]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![allow(missing_docs)] // Fields have the names of the reference, which says what they are.

mod command;
mod port;

use thiserror::Error;

pub use command::{
    Add, Command, Convolve, Depthwise, Factor, Packed, Pool, Requantise, Rows, Sums, Transfer,
};
pub use port::{Port, PortError, counter, instruction};

/// A command as it stands in memory.
pub type Record = [u32; 16];

/// Sizes of the unit; all are powers of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// `R`, 4 to 32.
    pub rows: u32,
    /// `C`, 4 to 32.
    pub cols: u32,
    /// `SP`, 4 KiB to 1 MiB.
    pub scratchpad_bytes: u32,
    /// `ACC`, 16 to 65,536.
    pub accumulator_rows: u32,
}

/// A size outside of its range.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("tensor unit: {parameter} is {value}; it must be a power of two from {min} to {max}")]
pub struct SizeError {
    pub parameter: &'static str,
    pub value: u32,
    pub min: u32,
    pub max: u32,
}

/// Why the unit stops, with its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Cause {
    /// There is no such code.
    Unknown = 1,
    /// A reserved bit is set, or a field is outside of its range.
    Field = 2,
    /// An address or a step is not aligned.
    Alignment = 3,
    /// The scratchpad, the accumulators or external memory are left.
    Outside = 4,
    /// External memory answered a load with an error.
    Load = 5,
    /// External memory answered a store with an error.
    Store = 6,
}

/// Memory outside of the unit.
pub trait External {
    /// The byte at an address; `None` if that is an error of the bus.
    fn read(&mut self, address: u32) -> Option<u8>;
    /// Writes a byte; `None` if that is an error of the bus.
    fn write(&mut self, address: u32, byte: u8) -> Option<()>;
}

/// Bytes from address 0 on, and none behind them.
impl External for [u8] {
    fn read(&mut self, address: u32) -> Option<u8> {
        self.get(address as usize).copied()
    }
    fn write(&mut self, address: u32, byte: u8) -> Option<()> {
        *self.get_mut(address as usize)? = byte;
        Some(())
    }
}

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was accepted and is finished.
    Done,
    /// It is the first one that breaks a rule.
    Refused(Cause),
    /// It is the first one that external memory answers with an error: `cause` is [`Cause::Load`] or [`Cause::Store`], `address` that of the first byte at fault. The bytes before
    /// this one were moved, which is one of the things that a unit may do.
    Failed { cause: Cause, address: u32 },
    /// One before it was refused or failed.
    Dropped,
}

/// Why a command that keeps all rules was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ExecuteError {
    /// It changed nothing.
    #[error("the command has {work} steps, of which {limit} are allowed; raise the limit of `Unit::new`")]
    TooMuchWork { work: u64, limit: u64 },
}

/// The functional tensor unit.
#[derive(Clone, Debug)]
pub struct Unit {
    sizes: Sizes,
    most_work: u64,
    pub scratchpad: Vec<u8>,
    /// `ACC` rows of `C` sums.
    pub accumulators: Vec<i32>,
    accepted: u32,
    error: Option<Cause>,
}

/// Where external memory gives an error.
struct BusError {
    address: u32,
}

/// Columns of a depthwise convolution's kernel.
const KERNEL_COLUMNS: u64 = 3;

impl Sizes {
    fn check(&self) -> Result<(), SizeError> {
        for (parameter, value, min, max) in [
            ("rows", self.rows, 4, 32),
            ("cols", self.cols, 4, 32),
            ("scratchpad_bytes", self.scratchpad_bytes, 4 << 10, 1 << 20),
            ("accumulator_rows", self.accumulator_rows, 16, 1 << 16),
        ] {
            if !value.is_power_of_two() || value < min || value > max {
                return Err(SizeError { parameter, value, min, max });
            }
        }
        Ok(())
    }

    /// `L`, the bytes of a scratchpad word.
    pub fn word_bytes(&self) -> u64 {
        u64::from(self.rows.max(self.cols).max(8))
    }

    /// Bytes of a group of `C` int32 parameters, rounded up to words.
    fn group_bytes(&self) -> u64 {
        (4 * u64::from(self.cols)).next_multiple_of(self.word_bytes())
    }

    /// `P`, the bytes of the parameters of a tile.
    pub fn parameter_bytes(&self) -> u64 {
        2 * self.group_bytes() + self.word_bytes()
    }

    /// `G`, the rows of a depthwise convolution's kernel.
    fn kernel_rows(&self) -> u64 {
        match self.rows {
            4 => 1,
            8 => 2,
            _ => 3,
        }
    }

    /// Steps of a command: bytes moved, products, or outputs. None is more than 2^61.
    pub fn work(&self, command: &Command) -> u64 {
        match command {
            Command::Load(t) | Command::Store(t) => t.n[0] * t.n[1] * t.bytes,
            Command::Convolve(c) => {
                let tiles = c.out_tiles * c.kernel[0] * c.kernel[1] * c.in_tiles;
                tiles * c.out[0] * c.out[1] * u64::from(self.rows * self.cols)
            }
            Command::Requantise(r) => r.tiles * r.out[0] * r.out[1] * u64::from(self.cols),
            Command::Depthwise(d) => {
                d.tiles * d.out[0] * d.out[1] * u64::from(self.cols) * KERNEL_COLUMNS * self.kernel_rows()
            }
            Command::Packed(p) => {
                p.out_tiles * p.in_tiles * p.out[0] * p.out[1] * u64::from(self.rows * self.cols)
            }
            Command::Sums(s) => s.tiles * s.out[0] * s.out[1] * u64::from(self.cols),
            Command::Add(a) => a.out[0] * a.out[1] * u64::from(self.cols),
            Command::Pool(p) => {
                p.tiles * p.out[0] * p.out[1] * p.kernel[0] * p.kernel[1] * u64::from(self.cols)
            }
        }
    }
}

impl Unit {
    /// A unit whose memories are all 0. A command of more than `most_work` steps (see [`Sizes::work`]) is not carried out.
    ///
    /// # Errors
    /// A size is outside of its range.
    pub fn new(sizes: Sizes, most_work: u64) -> Result<Unit, SizeError> {
        sizes.check()?;
        Ok(Unit {
            sizes,
            most_work,
            scratchpad: vec![0; sizes.scratchpad_bytes as usize],
            accumulators: vec![0; (sizes.accumulator_rows * sizes.cols) as usize],
            accepted: 0,
            error: None,
        })
    }

    /// The unit's sizes.
    pub fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// Commands that were accepted, modulo 2^32; after an error the number of the one at fault.
    pub fn accepted(&self) -> u32 {
        self.accepted
    }

    /// Why a command was refused or failed, if one was or did.
    pub fn error(&self) -> Option<Cause> {
        self.error
    }

    /// As after reset, but for what the memories hold.
    pub fn clear(&mut self) {
        (self.accepted, self.error) = (0, None);
    }

    /// Carries out a command.
    ///
    /// # Errors
    /// It has too much work.
    pub fn execute(
        &mut self,
        record: &Record,
        external: &mut (impl External + ?Sized),
    ) -> Result<Outcome, ExecuteError> {
        if self.error.is_some() {
            return Ok(Outcome::Dropped);
        }
        let command = match self.sizes.judge(record) {
            Ok(command) => command,
            Err(cause) => {
                self.error = Some(cause);
                return Ok(Outcome::Refused(cause));
            }
        };
        let (work, limit) = (self.sizes.work(&command), self.most_work);
        if work > limit {
            return Err(ExecuteError::TooMuchWork { work, limit });
        }
        if let Err((cause, BusError { address })) = self.carry_out(&command, external) {
            self.error = Some(cause);
            return Ok(Outcome::Failed { cause, address });
        }
        self.accepted = self.accepted.wrapping_add(1);
        Ok(Outcome::Done)
    }

    fn carry_out(
        &mut self,
        command: &Command,
        external: &mut (impl External + ?Sized),
    ) -> Result<(), (Cause, BusError)> {
        match command {
            Command::Load(t) => self.load(t, external).map_err(|error| (Cause::Load, error))?,
            Command::Store(t) => self.store(t, external).map_err(|error| (Cause::Store, error))?,
            Command::Convolve(c) => self.convolve(c),
            Command::Requantise(r) => self.requantise(r),
            Command::Depthwise(d) => self.depthwise(d),
            Command::Sums(s) => self.sums(s),
            Command::Add(a) => self.add(a),
            Command::Pool(p) => self.pool(p),
            Command::Packed(p) => self.packed(p),
        }
        Ok(())
    }

    fn load(&mut self, t: &Transfer, external: &mut (impl External + ?Sized)) -> Result<(), BusError> {
        let word_bytes = self.sizes.word_bytes();
        for (address, local) in t.runs() {
            for k in 0..t.bytes.next_multiple_of(word_bytes) {
                let from = (address + k as i64) as u32;
                self.scratchpad[(local + k) as usize] =
                    if k < t.bytes { external.read(from).ok_or(BusError { address: from })? } else { t.fill };
            }
        }
        Ok(())
    }

    fn store(&mut self, t: &Transfer, external: &mut (impl External + ?Sized)) -> Result<(), BusError> {
        for (address, local) in t.runs() {
            for k in 0..t.bytes {
                let to = (address + k as i64) as u32;
                external.write(to, self.scratchpad[(local + k) as usize]).ok_or(BusError { address: to })?;
            }
        }
        Ok(())
    }

    fn convolve(&mut self, c: &Convolve) {
        let (inputs, outputs) = (self.sizes.rows as usize, self.sizes.cols as usize);
        let mut row = c.accumulators as usize;
        for o in 0..c.out_tiles {
            for r in 0..c.out[1] {
                for column in 0..c.out[0] {
                    let mut sums = vec![0i32; outputs];
                    for kr in 0..c.kernel[1] {
                        for kc in 0..c.kernel[0] {
                            for t in 0..c.in_tiles {
                                let x = c.first[0] + (column * c.stride[0] + kc * c.dilation[0]) as i64;
                                let y = c.first[1] + (r * c.stride[1] + kr * c.dilation[1]) as i64;
                                let act = self.pixel(c, x, y, t);
                                let tap = (o * c.kernel[1] + kr) * c.kernel[0] + kc;
                                let tile = (tap * c.in_tiles + t) as usize * inputs * outputs;
                                let weights = &self.scratchpad[c.weights as usize + tile..];
                                for (act, weights) in act.iter().zip(weights.chunks_exact(outputs)) {
                                    for (sum, weight) in sums.iter_mut().zip(weights) {
                                        let product = i32::from(*act) * i32::from(*weight as i8);
                                        *sum = sum.wrapping_add(product);
                                    }
                                }
                            }
                        }
                    }
                    let stored = &mut self.accumulators[row * outputs..][..outputs];
                    for (to, sum) in stored.iter_mut().zip(sums) {
                        *to = if c.accumulate { to.wrapping_add(sum) } else { sum };
                    }
                    row += 1;
                }
            }
        }
    }

    /// A tile of input channels of a pixel, or of what stands beside the image.
    fn pixel(&self, c: &Convolve, x: i64, y: i64, tile: u64) -> Vec<i8> {
        let count = self.sizes.rows as usize;
        let [within_columns, within_rows] =
            [(x, c.image[0]), (y, c.image[1])].map(|(at, size)| (0..size as i64).contains(&at));
        if !within_columns || !within_rows {
            return vec![c.zero_point; count];
        }
        let at = c.act + y as u64 * c.line_step + x as u64 * c.pixel_step + tile * c.in_tile_step;
        self.scratchpad[at as usize..][..count].iter().map(|&byte| byte as i8).collect()
    }

    fn packed(&mut self, p: &Packed) {
        let (inputs, outputs) = (self.sizes.rows as usize, self.sizes.cols as usize);
        let tiles = self.taps(p);
        let mut row = p.accumulators as usize;
        for o in 0..p.out_tiles as usize {
            for r in 0..p.out[1] {
                for column in 0..p.out[0] {
                    for n in 0..outputs {
                        let mut sum = 0i32;
                        for (i, taps) in tiles.iter().enumerate() {
                            for (k, &(kernel_row, byte)) in taps.iter().enumerate() {
                                let at = (p.first[0] + (column * p.stride[0]) as i64) * p.channels as i64
                                    + byte as i64;
                                let line = p.first[1] + (r * p.stride[1] + kernel_row) as i64;
                                let act = self.line_byte(p, at, line);
                                let tile = o * p.in_tiles as usize + i;
                                let weight = p.weights as usize + (tile * inputs + k) * outputs + n;
                                sum += i32::from(act) * i32::from(self.scratchpad[weight] as i8);
                            }
                        }
                        let stored = &mut self.accumulators[row * outputs + n];
                        *stored = if p.accumulate { stored.wrapping_add(sum) } else { sum };
                    }
                    row += 1;
                }
            }
        }
    }

    /// The taps of each tile: kernel rows and bytes of them. A tile has no more than it has rows, and of no more than four kernel rows.
    fn taps(&self, p: &Packed) -> Vec<Vec<(u64, u64)>> {
        let run = p.kernel[0] * p.channels;
        let mut taps = (0..p.kernel[1]).flat_map(|row| (0..run).map(move |byte| (row, byte))).peekable();
        let mut tiles = vec![];
        for _ in 0..p.in_tiles {
            let mut tile: Vec<(u64, u64)> = vec![];
            while tile.len() < self.sizes.rows as usize {
                let first = tile.first().copied();
                let Some(tap) = taps.next_if(|tap| first.is_none_or(|first| tap.0 < first.0 + 4)) else {
                    break;
                };
                tile.push(tap);
            }
            tiles.push(tile);
        }
        tiles
    }

    /// A byte of a line of the image, or of what stands beside it.
    fn line_byte(&self, p: &Packed, byte: i64, line: i64) -> i8 {
        let here =
            (0..(p.image[0] * p.channels) as i64).contains(&byte) && (0..p.image[1] as i64).contains(&line);
        if here {
            self.scratchpad[(p.act + line as u64 * p.line_step + byte as u64) as usize] as i8
        } else {
            p.zero_point
        }
    }

    fn depthwise(&mut self, d: &Depthwise) {
        let (taps, channels) = (self.sizes.rows as usize, self.sizes.cols as usize);
        let mut row = d.accumulators as usize;
        for o in 0..d.tiles {
            for r in 0..d.out[1] {
                for column in 0..d.out[0] {
                    for n in 0..channels {
                        let mut sum = 0i32;
                        for kr in 0..self.sizes.kernel_rows() {
                            for kc in 0..KERNEL_COLUMNS {
                                let x = d.first[0] + (column * d.stride[0] + kc) as i64;
                                let y = d.first[1] + (r * d.stride[1] + kr) as i64;
                                let here = (0..d.image[0] as i64).contains(&x)
                                    && (0..d.image[1] as i64).contains(&y);
                                let at = |x: u64, y: u64| {
                                    d.act + y * d.line_step + x * d.pixel_step + o * d.tile_step + n as u64
                                };
                                let act = match here {
                                    true => self.scratchpad[at(x as u64, y as u64) as usize] as i8,
                                    false => d.zero_point,
                                };
                                let tap = o as usize * taps + (kr * KERNEL_COLUMNS + kc) as usize;
                                let weight = self.scratchpad[d.weights as usize + tap * channels + n] as i8;
                                sum += i32::from(act) * i32::from(weight);
                            }
                        }
                        let stored = &mut self.accumulators[row * channels + n];
                        *stored = if d.accumulate { stored.wrapping_add(sum) } else { sum };
                    }
                    row += 1;
                }
            }
        }
    }

    fn requantise(&mut self, r: &Requantise) {
        let outputs = self.sizes.cols as usize;
        let mut row = r.accumulators as usize;
        for tile in 0..r.tiles {
            let scales = self.scales(r.parameters + tile * self.sizes.parameter_bytes());
            for out_row in 0..r.out[1] {
                for column in 0..r.out[0] {
                    let to = r.output + tile * r.tile_step + out_row * r.row_step + column * r.column_step;
                    for (n, scale) in scales.iter().enumerate() {
                        let sum = self.accumulators[row * outputs + n];
                        let scaled = scale.apply(sum) + i128::from(r.zero_point);
                        self.scratchpad[to as usize + n] = clamp(scaled, r.min, r.max) as u8;
                    }
                    row += 1;
                }
            }
        }
    }

    fn sums(&mut self, s: &Sums) {
        let outputs = self.sizes.cols as usize;
        let mut row = s.accumulators as usize;
        for tile in 0..s.tiles {
            for out_row in 0..s.out[1] {
                for column in 0..s.out[0] {
                    let to = s.output + tile * s.tile_step + out_row * s.row_step + column * s.column_step;
                    for n in 0..outputs {
                        let sum = self.accumulators[row * outputs + n].to_le_bytes();
                        self.scratchpad[to as usize + 4 * n..][..4].copy_from_slice(&sum);
                    }
                    row += 1;
                }
            }
        }
    }

    fn add(&mut self, a: &Add) {
        for row in 0..a.out[1] {
            for column in 0..a.out[0] {
                let at = |rows: &Rows, n: u64| {
                    (rows.address + row * rows.row_step + column * rows.column_step + n) as usize
                };
                for n in 0..u64::from(self.sizes.cols) {
                    let operand = |k: usize| {
                        let value = self.scratchpad[at(&a.inputs[k], n)] as i8;
                        let shifted = (i128::from(value) - i128::from(a.input_zero_points[k])) << 20;
                        a.input_factors[k].scale(shifted)
                    };
                    let sum = operand(0) + operand(1);
                    let out = a.output_factor.scale(sum) + i128::from(a.zero_point);
                    self.scratchpad[at(&a.output, n)] = clamp(out, a.min, a.max) as u8;
                }
            }
        }
    }

    fn pool(&mut self, p: &Pool) {
        for o in 0..p.tiles {
            for r in 0..p.out[1] {
                for c in 0..p.out[0] {
                    let to = p.output + o * p.tile_step + r * p.row_step + c * p.column_step;
                    for n in 0..u64::from(self.sizes.cols) {
                        let pooled = self.window(p, o, r, c, n);
                        self.scratchpad[(to + n) as usize] = clamp(pooled.into(), p.min, p.max) as u8;
                    }
                }
            }
        }
    }

    /// What a window is pooled to.
    fn window(&self, p: &Pool, o: u64, r: u64, c: u64, n: u64) -> i64 {
        let (mut sum, mut count, mut largest) = (0, 0, -128);
        for kr in 0..p.kernel[1] {
            for kc in 0..p.kernel[0] {
                let x = p.first[0] + (c * p.stride[0] + kc) as i64;
                let y = p.first[1] + (r * p.stride[1] + kr) as i64;
                if (0..p.image[0] as i64).contains(&x) && (0..p.image[1] as i64).contains(&y) {
                    let at =
                        p.input + y as u64 * p.line_step + x as u64 * p.pixel_step + o * p.in_tile_step + n;
                    let value = i64::from(self.scratchpad[at as usize] as i8);
                    sum += value;
                    count += 1;
                    largest = value.max(largest);
                }
            }
        }
        if p.maximum { largest } else { average(sum, count) }
    }

    /// The parameters of a tile.
    fn scales(&self, address: u64) -> Vec<Scale> {
        let group = self.sizes.group_bytes() as usize;
        let bytes = &self.scratchpad[address as usize..];
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let of = |n: usize| Scale {
            bias: word(4 * n) as i32,
            multiplier: word(group + 4 * n) & 0x7FFF_FFFF,
            shift: u32::from(bytes[2 * group + n] & 63),
        };
        (0..self.sizes.cols as usize).map(of).collect()
    }
}

impl Transfer {
    /// Where the runs lie: in external memory and in the scratchpad.
    fn runs(&self) -> impl Iterator<Item = (i64, u64)> {
        let &Transfer { external, local, n, s, d, .. } = self;
        (0..n[1]).flat_map(move |j| {
            (0..n[0])
                .map(move |i| (external + i as i64 * s[0] + j as i64 * s[1], local + i * d[0] + j * d[1]))
        })
    }
}

/// How the sums of a column become outputs.
struct Scale {
    bias: i32,
    multiplier: u32,
    shift: u32,
}

impl Scale {
    fn apply(&self, sum: i32) -> i128 {
        let biased = i128::from(sum.wrapping_add(self.bias));
        let shift = if self.shift == 0 { 64 } else { self.shift };
        (biased * i128::from(self.multiplier) + (1 << (shift - 1))) >> shift
    }
}

/// The lower clamp counts before the upper one.
fn clamp(value: i128, min: i8, max: i8) -> i8 {
    if value < i128::from(min) {
        min
    } else if value > i128::from(max) {
        max
    } else {
        value as i8
    }
}

impl Factor {
    /// A product, rounded once.
    fn scale(&self, value: i128) -> i128 {
        (value * i128::from(self.multiplier) + (1 << (self.shift - 1))) >> self.shift
    }
}

/// The quotient rounded to the nearest integer, halves away from zero (TensorFlow Lite's AVERAGE_POOL_2D).
fn average(sum: i64, count: i64) -> i64 {
    match count {
        0 => 0,
        _ if sum > 0 => (sum + count / 2) / count,
        _ => (sum - count / 2) / count,
    }
}
