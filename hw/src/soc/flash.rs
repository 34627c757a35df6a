//! A reader for SPI flash memories: programs and constants stand there at addresses of the map.

use super::slave::byte_swapped;
use crate::core::Bus;
use ferrite_hdl::library::one_hot;
use ferrite_hdl::prelude::*;

/// The command that reads from a 24-bit address on, as long as the clock runs. Every SPI NOR flash memory has it (JEDEC JESD216, "Read").
const READ: u64 = 0x03;
/// Bits of a command with its address, and of a word.
const WORD_BITS: u32 = 32;
/// Words of the line: those that come before the reader stops by itself.
const LINE_WORDS: u32 = 4;
const INDEX_BITS: u32 = LINE_WORDS.ilog2();
/// Fewest cycles that the memory is deselected between two commands: 80 ns at 100 MHz. Data sheets ask for 10 to 50 ns.
const DESELECTED_CYCLES: u32 = 8;

/// Inputs of the reader.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct FlashReaderIn<T> {
    /// Instruction fetch; reads only.
    pub fetch: Bus<T>,
    /// Loads. The decoder lets no store through.
    pub data: Bus<T>,
    /// What the memory says.
    pub miso: T,
}

/// Pins of the reader, in SPI's mode 0: data are taken at rising edges of the clock and change at falling ones.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct FlashPins<T> {
    /// Chip select, 0 while the memory is meant.
    pub cs_n: T,
    /// SPI's clock: half as fast as the chip's.
    pub sck: T,
    /// Command and address.
    pub mosi: T,
}

impl FlashPins<Shape> {
    /// Three pins.
    pub fn shape() -> FlashPins<Shape> {
        FlashPins { cs_n: bit(), sck: bit(), mosi: bit() }
    }
}

/// Reads words from a flash memory, and goes on to the end of the line of four words in which the one asked for stands. There it stops the
/// clock and leaves the memory selected: the next line comes without a new command. The last line is kept; what is in it is answered two
/// cycles after it was asked.
#[module]
pub struct FlashReader {
    /// Bytes that can be reached, a power of two up to 16 MB.
    pub bytes: u32,
}

/// A port's request that has not been answered.
#[derive(Clone, Copy)]
struct Waiting {
    bus: Bus<UInt>,
    asks: UInt,
    /// The number of the word in the memory.
    word: UInt,
    answered: UInt,
}

impl FlashReader {
    fn word_bits(&self) -> u32 {
        self.bytes.ilog2() - 2
    }

    /// Takes a port's request. `ready` does not depend on the other port, which would close a loop through the core.
    fn take(&self, m: &Builder, name: &str, bus: Bus<UInt>) -> Waiting {
        let asks = m.reg(&format!("{name}_asks"), 1).reset_to(0);
        let word = m.reg(&format!("{name}_word"), self.word_bits());
        let answered = m.reg(&format!("{name}_answered"), 1).reset_to(0);
        bus.ready.set(!asks);
        m.when(bus.request.valid & !asks, || {
            asks.set(1);
            word.set(bus.request.addr.slice(2, self.word_bits()));
        });
        Waiting { bus, asks, word, answered }
    }
}

impl Module for FlashReader {
    type In = FlashReaderIn<UInt>;
    type Out = FlashPins<UInt>;

    fn inputs(&self) -> FlashReaderIn<Shape> {
        FlashReaderIn { fetch: Bus::shape(), data: Bus::shape(), miso: bit() }
    }
    fn outputs(&self) -> FlashPins<Shape> {
        FlashPins::shape()
    }
    fn build(&self, m: &Builder, i: FlashReaderIn<UInt>) -> FlashPins<UInt> {
        let line_bits = self.word_bits() - INDEX_BITS;
        let fetch = self.take(m, "fetch", i.fetch);
        let data = self.take(m, "data", i.data);

        // The line that was read last, or is being read.
        let line = m.memory("line", LINE_WORDS, WORD_BITS);
        let tag = m.reg("tag", line_bits);
        let is_there = m.reg("is_there", LINE_WORDS).reset_to(0);
        // The word that comes next while the memory is selected. One bit more than any word has: behind the last one nothing is asked for.
        let next = m.reg("next", self.word_bits() + 1);
        let cs_n = m.reg("cs_n", 1).reset_to(1);
        let sck = m.reg("sck", 1).reset_to(0);
        // Its highest bit is what the memory hears; what it says comes in at the other end.
        let shift = m.reg("shift", WORD_BITS);
        let bits_left = m.reg("bits_left", WORD_BITS.ilog2() + 1).reset_to(0);
        let reads = m.reg("reads", 1).reset_to(0);
        let pause = m.reg("pause", DESELECTED_CYCLES.ilog2() + 1).reset_to(0);

        // Which word is wanted. Loads go first: the core fetches nothing that it could do before them.
        wire!(m, asks = data.asks | fetch.asks);
        wire!(m, wanted = data.asks.mux(data.word, fetch.word));
        let index = wanted.slice(0, INDEX_BITS);
        let wanted_line = wanted.slice(INDEX_BITS, line_bits);
        wire!(m, is_tagged = wanted_line.eq(tag));
        wire!(m, is_hit = asks & is_tagged & is_there.bit_at(index));
        wire!(m, is_missing = asks & !is_hit);

        // The bits of a command or of a word.
        wire!(m, moves = bits_left.any());
        wire!(m, shifted = shift.slice(0, WORD_BITS - 1).concat(i.miso));
        wire!(m, ends = moves & sck & bits_left.eq(1));
        let next_index = next.slice(0, INDEX_BITS);
        m.when(moves, || sck.set(!sck));
        m.when(moves & sck, || {
            shift.set(shifted);
            bits_left.set(bits_left.wrapping_sub(1));
        });
        m.when(ends & !reads, || {
            reads.set(1);
            bits_left.set(WORD_BITS);
        });
        m.when(ends & reads, || {
            // The first byte stands at the lowest address.
            line.write(next_index, byte_swapped(shifted));
            is_there.set(is_there | one_hot(next_index, LINE_WORDS));
            next.set(next.wrapping_add(1));
            m.when(!next_index.all(), || bits_left.set(WORD_BITS));
        });

        // What is missing: it is on its way, or comes next, or needs a command.
        wire!(m, is_on_its_way = moves & is_tagged & index.ge(next_index));
        wire!(
            m,
            comes_next = !moves & wanted_line.extend(line_bits + 1).eq(next.slice(INDEX_BITS, line_bits + 1))
        );
        m.when(pause.any(), || pause.set(pause.wrapping_sub(1)));
        let begins = |from: UInt| {
            is_there.set(0);
            tag.set(wanted_line);
            bits_left.set(WORD_BITS);
            next.set(from);
        };
        m.when(is_missing & cs_n & !pause.any(), || {
            begins(wanted.extend(self.word_bits() + 1));
            cs_n.set(0);
            reads.set(0);
            let address = wanted.extend(22).concat(Bits::zero(2));
            shift.set(m.constant(Bits::from_u64(8, READ)).concat(address));
        });
        m.when(is_missing & !cs_n & comes_next, || begins(next));
        m.when(is_missing & !cs_n & !comes_next & !is_on_its_way, || {
            cs_n.set(1);
            sck.set(0);
            bits_left.set(0);
            pause.set(DESELECTED_CYCLES - 1);
        });

        // Answers.
        let loaded = m.reg("loaded", WORD_BITS);
        m.when(is_hit, || loaded.set(line.read_async("kept", index)));
        fetch.answered.set(is_hit & !data.asks);
        data.answered.set(is_hit & data.asks);
        m.when(is_hit & data.asks, || data.asks.set(0));
        m.when(is_hit & !data.asks, || fetch.asks.set(0));
        for Waiting { bus, answered, .. } in [fetch, data] {
            bus.response.valid.set(answered);
            bus.response.data.set(loaded);
            bus.response.error.set(0);
        }
        FlashPins { cs_n, sck, mosi: shift.msb() }
    }
}
