//! The scratchpad: int8 data, in words as wide as the widest access.

use ferrite_hdl::prelude::*;

/// An access to a byte address.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Access<T> {
    /// It happens.
    pub valid: T,
    /// Address in bytes, a multiple of the access's size.
    pub address: T,
}

/// Inputs of the scratchpad. At most one of the two writes is valid.
#[derive(Clone, Debug, Bundle)]
pub struct ScratchpadIn<T> {
    /// Reads the word that holds this address.
    pub read: Access<T>,
    /// Writes 8 bytes of the host.
    pub host_write: Access<T>,
    /// The 8 bytes, the first one lowest.
    pub host_data: T,
    /// Writes an output row.
    pub row_write: Access<T>,
    /// The output row: `C` int8.
    pub row: Vec<T>,
}

/// What stands at the address read in the cycle before, as each reader wants it. Holds until the next read.
#[derive(Clone, Debug, Bundle)]
pub struct ScratchpadOut<T> {
    /// 4 bytes for the host, the first one lowest.
    pub host: T,
    /// An activation row: `R` int8.
    pub act: Vec<T>,
    /// A weight row: `C` int8.
    pub weight: Vec<T>,
}

/// Bytes that the host writes at once.
const HOST_WRITE_BYTES: u32 = 8;
/// Bytes that the host reads at once.
const HOST_READ_BYTES: u32 = 4;

/// One memory of words of `max(R, C, 8)` bytes with byte enables; one port reads, one writes.
#[module]
pub struct Scratchpad {
    /// `R`: bytes of an activation row.
    pub rows: u32,
    /// `C`: bytes of a weight row and of an output row.
    pub cols: u32,
    /// `SP`, in bytes.
    pub bytes: u32,
}

impl Scratchpad {
    /// `L`: bytes of a word.
    pub fn word_bytes(&self) -> u32 {
        self.rows.max(self.cols).max(HOST_WRITE_BYTES)
    }

    /// Bits of an address.
    pub fn address_bits(&self) -> u32 {
        self.bytes.ilog2()
    }

    fn offset_bits(&self) -> u32 {
        self.word_bytes().ilog2()
    }

    fn word_index(&self, address: UInt) -> UInt {
        address.slice(self.offset_bits(), self.address_bits() - self.offset_bits())
    }

    /// The `bytes` bytes of a word that begin at an offset, a multiple of `bytes`.
    fn part(&self, m: &Builder, word: UInt, offset: UInt, bytes: u32) -> UInt {
        if bytes == self.word_bytes() {
            return word;
        }
        let aligned = bytes.ilog2();
        let index = offset.slice(aligned, self.offset_bits() - aligned);
        (word >> index.concat(m.constant(Bits::zero(aligned + 3)))).slice(0, 8 * bytes)
    }

    /// One bit for each byte of a word: whether it belongs to the `bytes` bytes at an address.
    fn byte_mask(&self, m: &Builder, address: UInt, bytes: u32) -> UInt {
        if bytes == self.word_bytes() {
            return m.constant(Bits::ones(bytes));
        }
        let aligned = bytes.ilog2();
        let index = address.slice(aligned, self.offset_bits() - aligned);
        concat((0..self.word_bytes() / bytes).rev().map(|part| index.eq(part).repeat(bytes)))
    }
}

impl Module for Scratchpad {
    type In = ScratchpadIn<UInt>;
    type Out = ScratchpadOut<UInt>;

    fn inputs(&self) -> ScratchpadIn<Shape> {
        let access = Access { valid: bit(), address: bits(self.address_bits()) };
        ScratchpadIn {
            read: access,
            host_write: access,
            host_data: bits(8 * HOST_WRITE_BYTES),
            row_write: access,
            row: vec![signed(8); self.cols as usize],
        }
    }
    fn outputs(&self) -> ScratchpadOut<Shape> {
        ScratchpadOut {
            host: bits(8 * HOST_READ_BYTES),
            act: vec![signed(8); self.rows as usize],
            weight: vec![signed(8); self.cols as usize],
        }
    }
    fn build(&self, m: &Builder, i: ScratchpadIn<UInt>) -> ScratchpadOut<UInt> {
        let words = m.memory("words", self.bytes / self.word_bytes(), 8 * self.word_bytes());

        // Every part of the word gets the data; the mask picks one.
        let row = concat(i.row.iter().rev().copied());
        let row_word = row.repeat(self.word_bytes() / self.cols);
        let host_word = i.host_data.repeat(self.word_bytes() / HOST_WRITE_BYTES);
        let row_mask = self.byte_mask(m, i.row_write.address, self.cols);
        let host_mask = self.byte_mask(m, i.host_write.address, HOST_WRITE_BYTES);
        let writes_row = i.row_write.valid;
        wire!(m, write_index = self.word_index(writes_row.mux(i.row_write.address, i.host_write.address)));
        wire!(m, write_word = writes_row.mux(row_word, host_word));
        wire!(m, write_mask = writes_row.mux(row_mask, host_mask));
        m.when(writes_row | i.host_write.valid, || {
            words.write_masked(write_index, write_word, write_mask);
        });
        m.assert("one_writer", !(writes_row & i.host_write.valid));

        let offset = m.reg("offset", self.offset_bits());
        let mut word = None;
        m.when(i.read.valid, || {
            offset.set(i.read.address.truncate(self.offset_bits()));
            word = Some(words.read("word", self.word_index(i.read.address)));
        });
        let word = word.expect("`when` has run its body");
        let part = |bytes| self.part(m, word, offset, bytes);
        wire!(m, act_row = part(self.rows));
        wire!(m, weight_row = part(self.cols));
        let bytes_of = |row: UInt, count: u32| (0..count).map(|k| row.slice(8 * k, 8)).collect();
        ScratchpadOut {
            host: part(HOST_READ_BYTES),
            act: bytes_of(act_row, self.rows),
            weight: bytes_of(weight_row, self.cols),
        }
    }
}
