//! The values of an FST file: a section holds some time's changes, trace by trace.
//!
//! A section is: its first and last time; the values before its first change, as digits; for every trace its changes, each with how many
//! times after the trace's previous change it happened; where each trace's changes begin; and the times.

use std::io;

use super::format::{put_number, put_signed};
use crate::new_file::NewFile;

const BLOCK_CHANGES: u8 = 8;
/// The changes of a trace are compressed with LZ4.
const PACKED_LZ4: u8 = b'4';
/// Changes of fewer bytes are not worth it.
const FEWEST_PACKED_BYTES: usize = 32;

struct Trace {
    changes: Vec<u8>,
    /// The time of the last change, by its number in the section.
    last: u32,
    /// Where its words are among all values.
    first: u32,
    width: u32,
    /// A value was seen.
    known: bool,
    form: Form,
}

impl Trace {
    /// Times since the last change, now that there is another.
    fn passed(&mut self, time: u32) -> u64 {
        self.known = true;
        u64::from(time - std::mem::replace(&mut self.last, time))
    }
}

/// How a change of up to 64 bits is written.
#[derive(Clone, Copy)]
struct Form {
    /// Bits beside the time in the number that a change begins with.
    beside: u8,
    /// Of these, those that are the value: a single bit stands there.
    value: u8,
    /// Bytes of the value behind that number, the highest first, filled up with zeros.
    bytes: u8,
    /// How far a value is moved to begin at the highest bit of 64.
    left: u8,
}

impl Form {
    fn new(width: u32) -> Form {
        match width {
            1 => Form { beside: 2, value: 0b10, bytes: 0, left: 0 },
            2..=64 => Form { beside: 1, value: 0, bytes: width.div_ceil(8) as u8, left: 64 - width as u8 },
            _ => Form { beside: 1, value: 0, bytes: 0, left: 0 },
        }
    }
}

/// Takes changes in the order of time and makes sections of them.
pub(super) struct Sections {
    traces: Vec<Trace>,
    values: Vec<u64>,
    /// The digits of all values when the section began.
    frame: Vec<u8>,
    times: Vec<u8>,
    count: u32,
    start: u64,
    now: u64,
    /// Bytes of changes and times.
    bytes: usize,
}

impl Sections {
    pub fn new(widths: &[u32]) -> Sections {
        let mut words = 0;
        let mut trace = |width: &u32| {
            let first = words;
            words += width.div_ceil(64);
            let form = Form::new(*width);
            Trace { changes: Vec::new(), last: 0, first, width: *width, known: false, form }
        };
        let traces = widths.iter().map(&mut trace).collect();
        let mut sections = Sections {
            traces,
            values: vec![0; words as usize],
            frame: Vec::new(),
            times: Vec::new(),
            count: 0,
            start: 0,
            now: 0,
            bytes: 0,
        };
        sections.begin();
        sections
    }

    /// Bytes that the section under way takes in memory, about.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The last time.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// What follows happens at `time`, which is later than before.
    pub fn time(&mut self, time: u64) {
        let since = if self.count == 0 { 0 } else { self.now };
        let before = self.times.len();
        put_number(&mut self.times, time - since);
        self.bytes += self.times.len() - before;
        self.count += 1;
        self.now = time;
    }

    /// A trace of up to 64 bits takes a value; to be called after the section's first time.
    pub fn change(&mut self, trace: usize, value: u64) {
        let trace = &mut self.traces[trace];
        let before = trace.changes.len();
        let passed = trace.passed(self.count - 1);
        self.values[trace.first as usize] = value;
        // One path for all widths, since which one comes next is hard to guess.
        let Form { beside, value: within, bytes, left } = trace.form;
        put_number(&mut trace.changes, passed << beside | value << 1 & u64::from(within));
        // Eight bytes and a cut are quicker than as many as there are.
        let at = trace.changes.len();
        trace.changes.extend_from_slice(&(value << left).to_be_bytes());
        trace.changes.truncate(at + usize::from(bytes));
        self.bytes += trace.changes.len() - before;
    }

    /// The same for a wider trace.
    pub fn change_wide(&mut self, trace: usize, value: &[u64]) {
        let trace = &mut self.traces[trace];
        let before = trace.changes.len();
        let passed = trace.passed(self.count - 1);
        let first = trace.first as usize;
        self.values[first..first + value.len()].copy_from_slice(value);
        put_number(&mut trace.changes, passed << trace.form.beside);
        put_wide(&mut trace.changes, trace.width, value);
        self.bytes += trace.changes.len() - before;
    }

    /// Writes the section under way; the next one begins.
    pub fn take(&mut self, file: &mut NewFile) -> io::Result<()> {
        let mut changes = Vec::with_capacity(self.bytes / 2);
        put_number(&mut changes, self.traces.len() as u64);
        // Offsets count from here on.
        let origin = changes.len();
        changes.push(PACKED_LZ4);
        let (mut offsets, mut offset, mut unchanged) = (Vec::new(), 0, 0u64);
        let mut unpacked_bytes = 0u64;
        for trace in &self.traces {
            if trace.changes.is_empty() {
                unchanged += 1;
                continue;
            }
            if unchanged > 0 {
                put_number(&mut offsets, std::mem::take(&mut unchanged) << 1);
            }
            let at = changes.len() - origin;
            put_signed(&mut offsets, ((at - offset) as i64) << 1 | 1);
            offset = at;
            unpacked_bytes += trace.changes.len() as u64;
            put_packed(&mut changes, &trace.changes);
        }
        if unchanged > 0 {
            put_number(&mut offsets, unchanged << 1);
        }
        let mut frame = Vec::new();
        for number in [self.frame.len(), self.frame.len(), self.traces.len()] {
            put_number(&mut frame, number as u64);
        }
        let times = self.times.len() as u64;
        let numbers = |numbers: &[u64]| numbers.iter().flat_map(|n| n.to_be_bytes()).collect::<Vec<u8>>();
        let content = [
            &numbers(&[self.start, self.now, unpacked_bytes]),
            &frame,
            &self.frame,
            &changes,
            &offsets,
            &numbers(&[offsets.len() as u64]),
            // Times as long as their unpacked length are not packed.
            &self.times,
            &numbers(&[times, times, self.count.into()]),
        ];
        let length: usize = content.iter().map(|part| part.len()).sum();
        let mut head = vec![BLOCK_CHANGES];
        head.extend(numbers(&[8 + length as u64]));
        file.append(&head)?;
        content.iter().try_for_each(|part| file.append(part))?;
        self.begin();
        Ok(())
    }

    fn begin(&mut self) {
        self.frame.clear();
        for trace in &mut self.traces {
            trace.changes.clear();
            trace.last = 0;
            let words = &self.values[trace.first as usize..];
            let digit = |bit: u32| match trace.known {
                true => b'0' + (words[bit as usize / 64] >> (bit % 64) & 1) as u8,
                false => b'x',
            };
            self.frame.extend((0..trace.width).rev().map(digit));
        }
        self.times.clear();
        (self.count, self.start, self.bytes) = (0, self.now, 0);
    }
}

/// Bytes of 8 bits, the value's highest first; the last is filled up with zeros.
fn put_wide(bytes: &mut Vec<u8>, width: u32, words: &[u64]) {
    let filled = width.div_ceil(8) * 8 - width;
    let word = |k: usize| words.get(k).copied().unwrap_or(0);
    for low in (0..width.div_ceil(8)).rev().map(|byte| 8 * byte) {
        let byte = match low.checked_sub(filled) {
            None => (word(0) << filled) as u8,
            Some(bit) => {
                let (k, shift) = (bit as usize / 64, bit % 64);
                let above = if shift == 0 { 0 } else { word(k + 1) << (64 - shift) };
                (word(k) >> shift | above) as u8
            }
        };
        bytes.push(byte);
    }
}

/// Bytes behind their unpacked length, which is 0 if they are not packed.
fn put_packed(bytes: &mut Vec<u8>, content: &[u8]) {
    if content.len() >= FEWEST_PACKED_BYTES {
        let packed = lz4_flex::block::compress(content);
        if packed.len() < content.len() {
            put_number(bytes, content.len() as u64);
            bytes.extend(packed);
            return;
        }
    }
    bytes.push(0);
    bytes.extend(content);
}
