//! The tensor unit's function, command by command (`docs/tensor-unit.md`). Time does not exist here: every command
//! is finished when it returns.

use thiserror::Error;

use crate::iss::{Coprocessor, Reading, Reply};

/// Numbers of the commands (funct7).
pub mod command {
    #![allow(missing_docs)] // Each constant is the mnemonic's own name; the document says what it does.
    pub const STATUS: u32 = 0x00;
    pub const FENCE: u32 = 0x01;
    pub const COUNTER: u32 = 0x02;
    pub const CLEAR: u32 = 0x03;
    pub const ADDR: u32 = 0x08;
    pub const WRITE: u32 = 0x09;
    pub const READ: u32 = 0x0A;
    pub const STRIDE: u32 = 0x10;
    pub const OUTPUT: u32 = 0x11;
    pub const BIAS: u32 = 0x12;
    pub const SCALE: u32 = 0x13;
    pub const WEIGHTS: u32 = 0x20;
    pub const MATMUL: u32 = 0x21;
    pub const MATMUL_ACC: u32 = 0x22;
    pub const REQUANT: u32 = 0x23;
}

/// Counters below this count cycles.
const MACS_COUNTER: u32 = 4;
/// The last counter.
const BYTES_COUNTER: u32 = 5;

/// The bits of the status word that are not reserved.
const STATUS_BITS: u32 = 0x007F_FF03;

/// The unit's sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TensorConfig {
    /// `R`, input channels taken at once: 4, 8, 16 or 32.
    pub rows: u32,
    /// `C`, output channels made at once: 4, 8, 16 or 32.
    pub cols: u32,
    /// `SP`, bytes: a power of two from 4 KiB to 1 MiB.
    pub scratchpad_bytes: u32,
    /// `ACC`, accumulator rows: a power of two from 16 to 65,536.
    pub acc_rows: u32,
}

impl Default for TensorConfig {
    /// The default chip's: 16 x 16, 128 KiB, 1,024 rows.
    fn default() -> TensorConfig {
        TensorConfig { rows: 16, cols: 16, scratchpad_bytes: 128 << 10, acc_rows: 1024 }
    }
}

/// A size outside of its range.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("tensor unit: {parameter} is {value}; it must be a power of two from {min} to {max}")]
pub struct TensorConfigError {
    /// Name of the parameter.
    pub parameter: &'static str,
    /// Value given.
    pub value: u32,
    /// Smallest value.
    pub min: u32,
    /// Largest value.
    pub max: u32,
}

/// Why a command was refused, with the number it has in the status word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Cause {
    /// The command does not exist.
    Unknown = 1,
    /// A reserved bit is set, or a field is outside of its range.
    Field = 2,
    /// An address or stride is not aligned.
    Alignment = 3,
    /// An address or column lies outside.
    Outside = 4,
}

#[derive(Clone, Copy, Debug, Default)]
struct Column {
    bias: i32,
    multiplier: i32,
    shift: u32,
}

/// The functional tensor unit.
#[derive(Clone, Debug)]
pub struct TensorUnit {
    config: TensorConfig,
    scratchpad: Vec<i8>,
    /// `acc_rows` rows of `cols` sums.
    accumulators: Vec<i32>,
    /// `rows` rows of `cols` weights.
    tile: Vec<i8>,
    columns: Vec<Column>,
    pointer: u32,
    act_stride: u32,
    out_stride: u32,
    zero_point: i8,
    min: i8,
    max: i8,
    error: Option<(Cause, u32)>,
    macs: u32,
    bytes_written: u32,
}

/// Rows of a matrix in the scratchpad, `width` bytes each.
#[derive(Clone, Copy)]
struct Rows {
    address: u32,
    stride: u32,
    width: u32,
}

impl TensorUnit {
    /// A unit after power-up: memories and tile all 0.
    ///
    /// # Errors
    /// When a size is outside of its range.
    pub fn new(config: TensorConfig) -> Result<TensorUnit, TensorConfigError> {
        for (parameter, value, min, max) in [
            ("rows", config.rows, 4, 32),
            ("cols", config.cols, 4, 32),
            ("scratchpad_bytes", config.scratchpad_bytes, 4 << 10, 1 << 20),
            ("acc_rows", config.acc_rows, 16, 65_536),
        ] {
            if !value.is_power_of_two() || value < min || value > max {
                return Err(TensorConfigError { parameter, value, min, max });
            }
        }
        Ok(TensorUnit {
            config,
            scratchpad: vec![0; config.scratchpad_bytes as usize],
            accumulators: vec![0; config.acc_rows as usize * config.cols as usize],
            tile: vec![0; config.rows as usize * config.cols as usize],
            columns: vec![Column { shift: 1, ..Column::default() }; config.cols as usize],
            pointer: 0,
            act_stride: config.rows,
            out_stride: config.cols,
            zero_point: 0,
            min: 0,
            max: 0,
            error: None,
            macs: 0,
            bytes_written: 0,
        })
    }

    /// The unit's sizes.
    pub fn config(&self) -> TensorConfig {
        self.config
    }

    /// All bytes of the scratchpad.
    pub fn scratchpad(&self) -> &[i8] {
        &self.scratchpad
    }

    /// The sums of one accumulator row, one per column; `None` if there is no such row.
    pub fn accumulator_row(&self, row: u32) -> Option<&[i32]> {
        let start = row as usize * self.config.cols as usize;
        self.accumulators.get(start..start + self.config.cols as usize)
    }

    /// The error kept, with the funct7 of its command.
    pub fn error(&self) -> Option<(Cause, u32)> {
        self.error
    }

    /// The status word of an idle unit.
    pub fn status(&self) -> u32 {
        self.error.map_or(0, |(cause, funct7)| funct7 << 16 | (cause as u32) << 8 | 1 << 1)
    }

    /// The commands that work even after an error.
    fn always(&mut self, funct7: u32, rs1: u32) -> Option<Result<Reply, Cause>> {
        Some(Ok(match funct7 {
            // Whether earlier commands have finished, and so failed, is a matter of time.
            command::STATUS => Reply::Value(Reading::Timing { value: self.status(), uncertain: STATUS_BITS }),
            command::FENCE => Reply::Value(Reading::Exact(self.status())),
            command::COUNTER => match rs1 {
                0..MACS_COUNTER => Reply::Value(Reading::timing(0)),
                MACS_COUNTER => Reply::Value(Reading::Exact(self.macs)),
                BYTES_COUNTER => Reply::Value(Reading::Exact(self.bytes_written)),
                _ => return Some(Err(Cause::Field)),
            },
            command::CLEAR => {
                self.clear();
                Reply::Nothing
            }
            _ => return None,
        }))
    }

    fn clear(&mut self) {
        self.error = None;
        (self.macs, self.bytes_written) = (0, 0);
        (self.act_stride, self.out_stride) = (self.config.rows, self.config.cols);
        self.pointer = 0;
    }

    fn perform(&mut self, funct7: u32, rs1: u32, rs2: u32) -> Result<Reply, Cause> {
        match funct7 {
            command::ADDR => self.set_pointer(rs1)?,
            command::WRITE => self.write(rs1, rs2)?,
            command::READ => return Ok(Reply::Value(Reading::Exact(self.read()))),
            command::STRIDE => self.set_strides(rs1, rs2)?,
            command::OUTPUT => self.set_output(rs1)?,
            command::BIAS => self.column(rs1)?.bias = rs2 as i32,
            command::SCALE => self.set_scale(rs1, rs2)?,
            command::WEIGHTS => self.load_weights(rs1)?,
            command::MATMUL => self.multiply(rs1, rs2, false)?,
            command::MATMUL_ACC => self.multiply(rs1, rs2, true)?,
            command::REQUANT => self.requantise(rs1, rs2)?,
            _ => return Err(Cause::Unknown),
        }
        Ok(Reply::Nothing)
    }

    fn set_pointer(&mut self, address: u32) -> Result<(), Cause> {
        require(address.is_multiple_of(4), Cause::Alignment)?;
        require(address < self.config.scratchpad_bytes, Cause::Outside)?;
        self.pointer = address;
        Ok(())
    }

    fn write(&mut self, low: u32, high: u32) -> Result<(), Cause> {
        require(self.pointer.is_multiple_of(8), Cause::Alignment)?;
        let bytes = (u64::from(high) << 32 | u64::from(low)).to_le_bytes();
        for (place, byte) in self.scratchpad[self.pointer as usize..][..8].iter_mut().zip(bytes) {
            *place = byte as i8;
        }
        self.advance_pointer(8);
        self.bytes_written = self.bytes_written.wrapping_add(8);
        Ok(())
    }

    fn read(&mut self) -> u32 {
        let bytes = &self.scratchpad[self.pointer as usize..][..4];
        let word = bytes.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte as u8));
        self.advance_pointer(4);
        word
    }

    fn advance_pointer(&mut self, bytes: u32) {
        self.pointer = (self.pointer + bytes) & (self.config.scratchpad_bytes - 1);
    }

    fn set_strides(&mut self, act: u32, out: u32) -> Result<(), Cause> {
        require(act < 1 << 16 && out < 1 << 16, Cause::Field)?;
        require(
            act.is_multiple_of(self.config.rows) && out.is_multiple_of(self.config.cols),
            Cause::Alignment,
        )?;
        (self.act_stride, self.out_stride) = (act, out);
        Ok(())
    }

    fn set_output(&mut self, fields: u32) -> Result<(), Cause> {
        let [zero_point, min, max, reserved] = fields.to_le_bytes();
        require(reserved == 0, Cause::Field)?;
        (self.zero_point, self.min, self.max) = (zero_point as i8, min as i8, max as i8);
        Ok(())
    }

    fn column(&mut self, column: u32) -> Result<&mut Column, Cause> {
        self.columns.get_mut(column as usize).ok_or(Cause::Outside)
    }

    fn set_scale(&mut self, fields: u32, multiplier: u32) -> Result<(), Cause> {
        let (column, shift, reserved) = (fields & 0xFFFF, fields >> 16 & 0x3F, fields >> 22);
        require(reserved == 0 && (1..=62).contains(&shift) && multiplier >> 31 == 0, Cause::Field)?;
        let column = self.column(column)?;
        (column.shift, column.multiplier) = (shift, multiplier as i32);
        Ok(())
    }

    fn load_weights(&mut self, address: u32) -> Result<(), Cause> {
        let bytes = self.config.rows * self.config.cols;
        require(address.is_multiple_of(self.config.cols), Cause::Alignment)?;
        self.check_rows(Rows { address, stride: 0, width: bytes }, 1)?;
        self.tile.copy_from_slice(&self.scratchpad[address as usize..][..bytes as usize]);
        Ok(())
    }

    /// Checks that `count` rows lie inside of the scratchpad; no rows are checked as one.
    fn check_rows(&self, rows: Rows, count: u32) -> Result<(), Cause> {
        let last_row = u64::from(count.max(1) - 1);
        let end = u64::from(rows.address) + last_row * u64::from(rows.stride) + u64::from(rows.width);
        require(end <= u64::from(self.config.scratchpad_bytes), Cause::Outside)
    }

    fn check_accumulators(&self, first: u32, count: u32) -> Result<(), Cause> {
        require(first + count.max(1) <= self.config.acc_rows, Cause::Outside)
    }

    fn multiply(&mut self, address: u32, fields: u32, accumulate: bool) -> Result<(), Cause> {
        let TensorConfig { rows: inputs, cols, .. } = self.config;
        let (first, count) = (fields & 0xFFFF, fields >> 16);
        require(address.is_multiple_of(inputs), Cause::Alignment)?;
        self.check_rows(Rows { address, stride: self.act_stride, width: inputs }, count)?;
        self.check_accumulators(first, count)?;
        for row in 0..count {
            let start = (address + row * self.act_stride) as usize;
            let activations = &self.scratchpad[start..start + inputs as usize];
            let sums = &mut self.accumulators[((first + row) * cols) as usize..][..cols as usize];
            if !accumulate {
                sums.fill(0);
            }
            for (&activation, weights) in activations.iter().zip(self.tile.chunks_exact(cols as usize)) {
                for (sum, &weight) in sums.iter_mut().zip(weights) {
                    *sum = sum.wrapping_add(i32::from(activation) * i32::from(weight));
                }
            }
        }
        self.macs = self.macs.wrapping_add(count.wrapping_mul(inputs * cols));
        Ok(())
    }

    fn requantise(&mut self, address: u32, fields: u32) -> Result<(), Cause> {
        let cols = self.config.cols;
        let (first, count) = (fields & 0xFFFF, fields >> 16);
        require(address.is_multiple_of(cols), Cause::Alignment)?;
        self.check_rows(Rows { address, stride: self.out_stride, width: cols }, count)?;
        self.check_accumulators(first, count)?;
        for row in 0..count {
            let start = (address + row * self.out_stride) as usize;
            for c in 0..cols as usize {
                let sum = self.accumulators[((first + row) * cols) as usize + c];
                self.scratchpad[start + c] = self.output(sum, self.columns[c]);
            }
        }
        Ok(())
    }

    fn output(&self, sum: i32, column: Column) -> i8 {
        let biased = i64::from(sum.wrapping_add(column.bias));
        // |biased * multiplier| is below 2^62 and the rounding term at most 2^61: no overflow.
        let scaled = (biased * i64::from(column.multiplier) + (1 << (column.shift - 1))) >> column.shift;
        let shifted = scaled + i64::from(self.zero_point);
        if shifted < i64::from(self.min) {
            self.min
        } else if shifted > i64::from(self.max) {
            self.max
        } else {
            shifted as i8
        }
    }
}

fn require(holds: bool, cause: Cause) -> Result<(), Cause> {
    if holds { Ok(()) } else { Err(cause) }
}

/// What a command that returns a value returns when it is refused or ignored.
fn empty_reply(funct7: u32) -> Reply {
    match funct7 {
        command::READ | command::COUNTER => Reply::Value(Reading::Exact(0)),
        _ => Reply::Nothing,
    }
}

impl Coprocessor for TensorUnit {
    fn command(&mut self, funct7: u32, rs1: u32, rs2: u32) -> Reply {
        let result = match self.always(funct7, rs1) {
            Some(result) => result,
            None if self.error.is_some() => return empty_reply(funct7),
            None => self.perform(funct7, rs1, rs2),
        };
        result.unwrap_or_else(|cause| {
            self.error.get_or_insert((cause, funct7));
            empty_reply(funct7)
        })
    }
}
