//! The instructions that control the unit (`docs/tensor-unit.md`). Each takes effect at once: a list is carried out completely by `t.run`.

use super::{Cause, Command, ExecuteError, External, Outcome, Record, Sizes, Unit};
use crate::iss::{Coprocessor, Reading, Reply};

/// Numbers of the instructions (funct7).
pub mod instruction {
    pub const STATUS: u32 = 0x00;
    pub const FENCE: u32 = 0x01;
    pub const COUNTER: u32 = 0x02;
    pub const CLEAR: u32 = 0x03;
    pub const PUSH: u32 = 0x04;
    pub const RUN: u32 = 0x05;
    pub const INFO: u32 = 0x06;
    pub const INTERRUPT: u32 = 0x07;
}

/// Numbers of the counters that do not count cycles.
pub mod counter {
    pub const BYTES_LOADED: u32 = 9;
    pub const BYTES_STORED: u32 = 10;
    pub const MACS: u32 = 11;
    pub const MACS_HIGH: u32 = 12;
}

/// The lowest cause that is an error of external memory.
const CAUSE_LOAD: u8 = Cause::Load as u8;
/// The cause that no command has.
const CAUSE_FETCH: u8 = 7;

/// Bits of the status word.
const BUSY: u32 = 1;
const ERROR: u32 = 1 << 1;
const CAUSE_BITS: u32 = 0xFF00;

/// Bits of `t.interrupt`.
const WHILE_IDLE: u32 = 1;
const WHILE_ERROR: u32 = 1 << 1;

/// Bytes of a record.
const RECORD_BYTES: u32 = 64;

/// Why the unit has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortError {
    /// 1 to 7.
    pub cause: u8,
    /// With causes 5 to 7, the address in external memory; else 0.
    pub address: u32,
}

/// The unit behind its instructions.
///
/// What an implementation's timing decides is [`Reading::Timing`]: the counters; `busy`, errors and numbers until a fence has been passed; which address of external
/// memory gave the error.
#[derive(Clone, Debug)]
pub struct Port {
    unit: Unit,
    most_work: u64,
    pushed: Vec<u32>,
    enables: u32,
    error: Option<PortError>,
    too_much: Option<ExecuteError>,
    /// No command has come since a fence.
    is_settled: bool,
    bytes_loaded: u32,
    bytes_stored: u32,
    macs: u64,
}

impl Port {
    /// A unit after reset. Commands of more than `most_work` steps ([`Sizes::work`]) and lists of more in all are not carried out: see [`Port::too_much`].
    ///
    /// # Errors
    /// A size is outside of its range.
    pub fn new(sizes: Sizes, most_work: u64) -> Result<Port, super::SizeError> {
        Ok(Port {
            unit: Unit::new(sizes, most_work)?,
            most_work,
            pushed: Vec::new(),
            enables: 0,
            error: None,
            too_much: None,
            is_settled: true,
            bytes_loaded: 0,
            bytes_stored: 0,
            macs: 0,
        })
    }

    /// What computes.
    pub fn unit(&self) -> &Unit {
        &self.unit
    }

    /// Why the unit has stopped, if it has.
    pub fn error(&self) -> Option<PortError> {
        self.error
    }

    /// A command or list that would have taken too long. From then on until `t.clear` the unit does nothing, and all that it answers is uncertain.
    pub fn too_much(&self) -> Option<ExecuteError> {
        self.too_much
    }

    /// The line to the interrupt controller.
    pub fn interrupt(&self) -> bool {
        self.enables & WHILE_IDLE != 0 || self.enables & WHILE_ERROR != 0 && self.error.is_some()
    }

    fn fail(&mut self, cause: u8, address: u32) {
        self.error.get_or_insert(PortError { cause, address });
    }

    fn refuse(&mut self, cause: Cause) {
        self.fail(cause as u8, 0);
    }

    fn stands_still(&self) -> bool {
        self.error.is_some() || self.too_much.is_some()
    }

    fn clear(&mut self) {
        self.unit.clear();
        self.pushed.clear();
        (self.enables, self.error, self.too_much, self.is_settled) = (0, None, None, true);
        (self.bytes_loaded, self.bytes_stored, self.macs) = (0, 0, 0);
    }

    fn execute(&mut self, record: &Record, memory: &mut dyn External) {
        match self.unit.execute(record, memory) {
            Ok(Outcome::Done) => self.count(record),
            Ok(Outcome::Refused(cause)) => self.refuse(cause),
            Ok(Outcome::Dropped) => {}
            Ok(Outcome::Failed { cause, address }) => self.fail(cause as u8, address),
            Err(error @ ExecuteError::TooMuchWork { .. }) => self.too_much = Some(error),
        }
    }

    fn count(&mut self, record: &Record) {
        let sizes = self.unit.sizes();
        let Ok(command) = sizes.judge(record) else { return };
        let work = sizes.work(&command);
        match command {
            Command::Load(_) => self.bytes_loaded = self.bytes_loaded.wrapping_add(work as u32),
            Command::Store(_) => self.bytes_stored = self.bytes_stored.wrapping_add(work as u32),
            Command::Convolve(_) | Command::Depthwise(_) | Command::Packed(_) => {
                self.macs = self.macs.wrapping_add(work)
            }
            Command::Requantise(_) | Command::Sums(_) | Command::Add(_) | Command::Pool(_) => {}
        }
    }

    fn push(&mut self, words: [u32; 2], memory: &mut dyn External) {
        self.pushed.extend(words);
        if let Ok(record) = Record::try_from(self.pushed.as_slice()) {
            self.pushed.clear();
            self.execute(&record, memory);
        }
    }

    fn run(&mut self, address: u32, count: u32, memory: &mut dyn External) {
        if count == 0 {
            return;
        }
        if !self.pushed.is_empty() {
            return self.refuse(Cause::Field);
        }
        if !address.is_multiple_of(RECORD_BYTES) {
            return self.refuse(Cause::Alignment);
        }
        if u64::from(address) + u64::from(count) * u64::from(RECORD_BYTES) > 1 << 32 {
            return self.refuse(Cause::Outside);
        }
        let mut work = 0;
        for number in 0..count {
            let at = address + number * RECORD_BYTES;
            let record = match fetch(at, memory) {
                Ok(record) => record,
                Err(address) => return self.fail(CAUSE_FETCH, address),
            };
            let sizes = self.unit.sizes();
            work += sizes.judge(&record).map_or(0, |command| sizes.work(&command));
            if work > self.most_work {
                self.too_much = Some(ExecuteError::TooMuchWork { work, limit: self.most_work });
            }
            if self.stands_still() {
                return;
            }
            self.execute(&record, memory);
        }
    }

    fn status(&self) -> Reading {
        let error = self.error.map_or(0, |error| ERROR | u32::from(error.cause) << 8);
        if self.too_much.is_some() {
            return Reading::timing(BUSY | error);
        }
        match self.is_settled {
            true => Reading::Exact(error),
            false if error == 0 => Reading::Timing { value: 0, uncertain: BUSY },
            false => Reading::Timing { value: error, uncertain: BUSY | ERROR | CAUSE_BITS },
        }
    }

    fn counter(&self, index: u32) -> Reading {
        match index {
            0..counter::BYTES_LOADED => Reading::timing(0),
            counter::BYTES_LOADED => Reading::timing(self.bytes_loaded),
            counter::BYTES_STORED => Reading::timing(self.bytes_stored),
            counter::MACS => Reading::timing(self.macs as u32),
            counter::MACS_HIGH => Reading::timing((self.macs >> 32) as u32),
            _ => Reading::Exact(0),
        }
    }

    fn info(&self, index: u32) -> Reading {
        let memory_error = self.error.filter(|error| error.cause >= CAUSE_LOAD);
        match index {
            0 if self.is_settled && memory_error.is_none() && self.too_much.is_none() => {
                Reading::Exact(self.unit.accepted())
            }
            0 => Reading::timing(self.unit.accepted()),
            1 => memory_error.map_or(Reading::Exact(0), |error| Reading::timing(error.address)),
            _ => Reading::Exact(0),
        }
    }
}

/// A record of a list; the address of a byte that external memory answers with an error.
fn fetch(address: u32, memory: &mut dyn External) -> Result<Record, u32> {
    let mut record = [0; 16];
    for (word, place) in record.iter_mut().zip((address..).step_by(4)) {
        for byte in 0..4 {
            *word |= u32::from(memory.read(place + byte).ok_or(place + byte)?) << (8 * byte);
        }
    }
    Ok(record)
}

impl Coprocessor for Port {
    fn command(&mut self, funct7: u32, rs1: u32, rs2: u32, memory: &mut dyn External) -> Reply {
        match funct7 {
            instruction::STATUS => return Reply::Value(self.status()),
            instruction::FENCE => {
                self.is_settled = true;
                return Reply::Value(self.status());
            }
            instruction::COUNTER => return Reply::Value(self.counter(rs1)),
            instruction::INFO => return Reply::Value(self.info(rs1)),
            instruction::CLEAR => self.clear(),
            instruction::INTERRUPT if rs1 & !(WHILE_IDLE | WHILE_ERROR) == 0 => self.enables = rs1,
            _ if self.stands_still() => {}
            _ => {
                // Whatever comes, its effect may show later than the instruction.
                self.is_settled = false;
                match funct7 {
                    instruction::PUSH => self.push([rs1, rs2], memory),
                    instruction::RUN => self.run(rs1, rs2, memory),
                    instruction::INTERRUPT => self.refuse(Cause::Field),
                    _ => self.refuse(Cause::Unknown),
                }
            }
        }
        Reply::Nothing
    }
}
