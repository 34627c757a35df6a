//! The words of a run, out of the scratchpad.

use ferrite_hdl::prelude::*;

use super::{ChunkStream, DmaConfig, RUN_BITS};
use crate::countdown::Countdown;
use crate::record::RecordQueue;

/// Words that may be on their way out of the scratchpad or wait: as many as cycles pass from a word's request to the next stage's taking it,
/// if a word is to be read in every cycle.
const WORDS_UNDER_WAY: u32 = 16;

/// A port that reads words. Data come in the order of the requests, any number of cycles later, and are always taken.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct WordRead<T> {
    /// A word is asked for.
    pub valid: T,
    /// Which one.
    pub address: T,
    /// It is taken.
    #[flip]
    pub ready: T,
    /// A word comes.
    #[flip]
    pub data_valid: T,
    /// The word; bits 7 to 0 are the first byte.
    #[flip]
    pub data: T,
}

impl WordRead<Shape> {
    pub(super) fn shape(config: &DmaConfig) -> WordRead<Shape> {
        WordRead {
            valid: bit(),
            address: bits(config.address_bits),
            ready: bit(),
            data_valid: bit(),
            data: bits(8 * config.word_bytes),
        }
    }
}

/// Ports of the module.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct FetchIn<T> {
    /// A run is offered.
    pub run_valid: T,
    /// Its first word.
    pub first: T,
    /// Its bytes, less 1.
    pub last_byte: T,
    /// It is taken.
    #[flip]
    pub run_ready: T,
    /// Asks for nothing more.
    pub halt: T,
    /// The scratchpad.
    #[flip]
    pub read: WordRead<T>,
    /// The words.
    #[flip]
    pub chunks: ChunkStream<T>,
}

/// Outputs of the module.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct FetchOut<T> {
    /// No words are to be asked for, on their way or waiting.
    pub idle: T,
}

/// Reads the words of runs, one in every cycle. A word is asked for only if there is room for it.
#[module]
pub struct Fetch {
    /// Sizes.
    pub config: DmaConfig,
}

/// What is known of a word before it comes.
#[derive(Clone, Copy, Debug, Bundle)]
struct Mark<T> {
    top: T,
    last: T,
}

impl Module for Fetch {
    type In = FetchIn<UInt>;
    type Out = FetchOut<UInt>;

    fn name(&self) -> String {
        format!("DmaFetch_{}a{}", self.config.word_bytes, self.config.address_bits)
    }
    fn inputs(&self) -> FetchIn<Shape> {
        FetchIn {
            run_valid: bit(),
            first: bits(self.config.address_bits),
            last_byte: bits(RUN_BITS),
            run_ready: bit(),
            halt: bit(),
            read: WordRead::shape(&self.config),
            chunks: ChunkStream::shape(self.config.word_bytes, 0),
        }
    }
    fn outputs(&self) -> FetchOut<Shape> {
        FetchOut { idle: bit() }
    }
    fn build(&self, m: &Builder, i: FetchIn<UInt>) -> FetchOut<UInt> {
        let word_bits = self.config.word_bytes.ilog2();
        let mark = Mark { top: bits(word_bits), last: bit() };
        let marks = RecordQueue::counted(m, "marks", WORDS_UNDER_WAY, mark);
        let words = RecordQueue::counted(m, "run_words", WORDS_UNDER_WAY, bits(8 * self.config.word_bytes));
        let active = m.reg("active", 1).reset_to(0);
        let address = m.reg("address", self.config.address_bits);
        // Words to be asked for behind this one.
        let behind = Countdown::new(m, "words", RUN_BITS - word_bits, 0);
        let top = m.reg("top", word_bits);

        // A mark is kept from the request until its word goes, so that its queue is full before that of the words can be.
        let read = i.read;
        let ends = behind.done;
        wire!(m, asks = active & marks.ready);
        wire!(m, asked = asks & read.ready);
        read.valid.set(asks);
        read.address.set(address);
        marks.put(active & read.ready, Mark { top: ends.mux(top, Bits::ones(word_bits)), last: ends });
        wire!(m, needs_run = (!active | (asked & ends)) & !i.halt);
        i.run_ready.set(needs_run);
        m.when(asked, || {
            address.set(address.wrapping_add(1));
            behind.step();
        });
        m.when(needs_run, || {
            active.set(i.run_valid);
            address.set(i.first);
            behind.load(i.last_byte.slice(word_bits, RUN_BITS - word_bits));
            top.set(i.last_byte.truncate(word_bits));
        });
        // What is offered stays until it is taken.
        m.when(i.halt & (asked | !asks), || active.set(0));

        words.put(read.data_valid, read.data);
        m.assert("room_for_words", !read.data_valid | words.ready);
        wire!(m, arrived = marks.valid & words.valid);
        marks.takes.set(arrived & i.chunks.ready);
        words.takes.set(arrived & i.chunks.ready);
        i.chunks.valid.set(arrived);
        i.chunks.chunk.data.set(words.front);
        i.chunks.chunk.top.set(marks.front.top);
        i.chunks.chunk.last.set(marks.front.last);
        FetchOut { idle: !active & !marks.valid }
    }
}
