//! The bytes of an FST file outside of its values: numbers, blocks, the header and the widths of the traces.
//!
//! The format is that of GTKWave's `fstapi.c`. Numbers of the blocks' frames are big-endian.

const BLOCK_HEADER: u8 = 0;
const BLOCK_GEOMETRY: u8 = 3;

const HEADER_BYTES: usize = 329;
const VERSION_BYTES: usize = 128;
const DATE_BYTES: usize = 119;

/// Times are in nanoseconds: `10^-9` seconds.
const NANOSECONDS: i8 = -9;
/// By this number readers see in which order the writer's machine keeps bytes.
const BYTE_ORDER: f64 = std::f64::consts::E;
/// The kind of file: one of a Verilog simulator.
const VERILOG: u8 = 0;

/// How a signal is shown.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// With a sign.
    Integer = 1,
    Reg = 5,
    Wire = 16,
}

/// What a port does.
#[derive(Clone, Copy)]
pub(super) enum Direction {
    /// It is no port.
    Implicit = 0,
    Input = 1,
    Output = 2,
}

/// What the header counts.
#[derive(Clone, Copy, Default)]
pub(super) struct Counts {
    pub scopes: u64,
    pub signals: u64,
    pub traces: u64,
    pub sections: u64,
    pub end_time: u64,
}

/// Seven bits per byte, the lowest first, all but the last byte with the highest bit set.
pub(super) fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// The same with a sign, which is the last byte's bit 6.
pub(super) fn put_signed(bytes: &mut Vec<u8>, mut number: i64) {
    while !(-64..64).contains(&number) {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8 & 0x7f);
}

/// A block: its kind, its length, which counts itself, and its content.
pub(super) fn block(kind: u8, content: &[&[u8]]) -> Vec<u8> {
    let length: usize = content.iter().map(|part| part.len()).sum();
    let mut block = Vec::with_capacity(length + 9);
    block.push(kind);
    block.extend((8 + length as u64).to_be_bytes());
    content.iter().for_each(|part| block.extend(*part));
    block
}

/// The header; the file is complete when it stands there with its final counts.
pub(super) fn header(counts: &Counts) -> Vec<u8> {
    let mut content = Vec::with_capacity(HEADER_BYTES);
    let start_time = 0u64;
    content.extend(start_time.to_be_bytes());
    content.extend(counts.end_time.to_be_bytes());
    content.extend(BYTE_ORDER.to_le_bytes());
    let memory_of_writer = 0u64;
    for number in [memory_of_writer, counts.scopes, counts.signals, counts.traces, counts.sections] {
        content.extend(number.to_be_bytes());
    }
    content.extend(NANOSECONDS.to_be_bytes());
    let text = |text: &str, bytes: usize| {
        let mut text = text.as_bytes().to_vec();
        text.resize(bytes, 0);
        text
    };
    content.extend(text(concat!("Ferrite ", env!("CARGO_PKG_VERSION")), VERSION_BYTES));
    // One run, one file: nothing in it tells when it was made.
    content.extend(text("", DATE_BYTES));
    content.push(VERILOG);
    let offset_of_times = 0u64;
    content.extend(offset_of_times.to_be_bytes());
    block(BLOCK_HEADER, &[&content])
}

/// The widths of all traces.
pub(super) fn geometry(widths: &[u32]) -> Vec<u8> {
    let mut content = Vec::new();
    widths.iter().for_each(|width| put_number(&mut content, (*width).into()));
    let (length, traces) = ((content.len() as u64).to_be_bytes(), (widths.len() as u64).to_be_bytes());
    // A content as long as its uncompressed length is not compressed.
    block(BLOCK_GEOMETRY, &[&length, &traces, &content])
}
