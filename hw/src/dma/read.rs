//! From external memory to the scratchpad.

use ferrite_hdl::prelude::*;

use super::align::Align;
use super::chunk::{Moved, bytes_to};
use super::halt::{DmaStatus, Failure, Halt};
use super::resize::Resize;
use super::split::{BurstStream, Split};
use super::walk::Walk;
use super::{ChunkStream, DescriptorStream, DmaConfig, RUN_BITS};
use crate::axi::AxiReadBus;
use crate::record::{RecordQueue, of_word, to_word};

/// A stream of words for the scratchpad.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct WordWrite<T> {
    /// A word is offered.
    pub valid: T,
    /// Where it goes.
    pub address: T,
    /// The word; bits 7 to 0 are the first byte.
    pub data: T,
    /// It is taken.
    #[flip]
    pub ready: T,
}

/// Ports of the engine.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct DmaReadIn<T> {
    /// What is to be read; each with a fill byte.
    pub descriptors: DescriptorStream<T>,
    /// Gives up whatever is under way.
    pub abort: T,
    /// Ends a halt, once `idle` is high.
    pub clear: T,
    /// External memory.
    #[flip]
    pub axi: AxiReadBus<T>,
    /// The scratchpad.
    #[flip]
    pub words: WordWrite<T>,
}

/// Outputs of the engine.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct DmaReadOut<T> {
    /// All words of a descriptor have been taken; one cycle for each, in order.
    pub done: T,
    /// Bytes of runs on their way to the scratchpad.
    pub moved: Moved<T>,
    /// How it is.
    pub status: DmaStatus<T>,
}

/// Reads runs of bytes of any alignment and writes them into whole words of the scratchpad.
#[module]
pub struct DmaRead {
    /// Sizes.
    pub config: DmaConfig,
}

/// What the words of a run must know of it.
#[derive(Clone, Copy, Debug, Bundle)]
struct Tag<T> {
    local: T,
    fill: T,
    last: T,
}

/// A run that waits for its data.
#[derive(Clone, Copy, Debug, Bundle)]
struct Waiting<T> {
    offset: T,
    beats: T,
    parts: T,
    top: T,
    tag: T,
}

/// A word on its way to the scratchpad.
#[derive(Clone, Copy, Debug, Bundle)]
struct Stored<T> {
    address: T,
    data: T,
    /// It is the last of a descriptor.
    last: T,
}

/// A beat that has come.
#[derive(Clone, Copy, Debug, Bundle)]
struct Beat<T> {
    data: T,
    resp: T,
    last: T,
}

impl DmaRead {
    fn tag(&self) -> Tag<Shape> {
        Tag { local: bits(self.config.address_bits), fill: bits(8), last: bit() }
    }

    fn tag_bits(&self) -> u32 {
        self.config.address_bits + 9
    }

    fn waiting(&self) -> Waiting<Shape> {
        let offset_bits = self.config.axi.offset_bits();
        Waiting {
            offset: bits(offset_bits),
            beats: bits(self.config.beats_bits()),
            parts: bits(RUN_BITS - offset_bits),
            top: bits(offset_bits),
            tag: bits(self.tag_bits()),
        }
    }

    fn stored(&self) -> Stored<Shape> {
        let DmaConfig { word_bytes, address_bits, .. } = self.config;
        Stored { address: bits(address_bits), data: bits(8 * word_bytes), last: bit() }
    }

    fn beat(&self) -> Beat<Shape> {
        Beat { data: bits(self.config.axi.data_bits), resp: bits(2), last: bit() }
    }

    /// Puts bursts on the address channel, as long as `open` has room for them. Gives whether one waits there.
    fn ask(
        &self,
        m: &Builder,
        bursts: BurstStream<UInt>,
        axi: AxiReadBus<UInt>,
        open: &RecordQueue<Shape>,
        halted: UInt,
    ) -> UInt {
        let valid = m.reg("ar_valid", 1).reset_to(0);
        let (address, len) = (m.reg("ar_address", 32), m.reg("ar_len", 8));
        wire!(m, ar_free = !valid | axi.arready);
        wire!(m, ar_may = ar_free & !halted);
        wire!(m, issues = bursts.valid & ar_may & open.ready);
        bursts.ready.set(ar_may & open.ready);
        open.put(bursts.valid & ar_may, bursts.address);
        m.when(ar_free, || valid.set(issues));
        m.when(issues, || {
            address.set(bursts.address);
            len.set(bursts.len);
        });
        axi.arvalid.set(valid);
        axi.arid.set(0);
        axi.araddr.set(address);
        axi.arlen.set(len);
        valid
    }

    /// Gives words their addresses and fills the last one of a run up.
    fn store(
        &self,
        m: &Builder,
        chunks: ChunkStream<UInt>,
        stored: &RecordQueue<Stored<Shape>>,
        halted: UInt,
    ) {
        let begins = m.reg("begins", 1).reset_to(1);
        let next = m.reg("next_word", self.config.address_bits);
        let tag = of_word(self.tag(), chunks.chunk.tag.expect("a run that is read has one"));
        wire!(m, word_address = begins.mux(tag.local, next));
        let counts = bytes_to(m, chunks.chunk.top, self.config.word_bytes).to_bits().into_iter().enumerate();
        let byte = |k: usize| chunks.chunk.data.slice(8 * k as u32, 8);
        let filled: Vec<UInt> = counts.map(|(k, counts)| counts.mux(byte(k), tag.fill)).collect();
        let data = concat(filled.into_iter().rev());
        stored.put(chunks.valid, Stored { address: word_address, data, last: chunks.chunk.last & tag.last });
        chunks.ready.set(stored.ready);
        m.when(chunks.valid & stored.ready, || {
            begins.set(chunks.chunk.last);
            next.set(word_address.wrapping_add(1));
        });
        m.when(halted & !chunks.valid, || begins.set(1));
    }
}

impl Module for DmaRead {
    type In = DmaReadIn<UInt>;
    type Out = DmaReadOut<UInt>;

    fn name(&self) -> String {
        format!("DmaRead_{}", self.config.suffix())
    }
    fn inputs(&self) -> DmaReadIn<Shape> {
        let DmaConfig { axi, word_bytes, address_bits, .. } = self.config;
        let words =
            WordWrite { valid: bit(), address: bits(address_bits), data: bits(8 * word_bytes), ready: bit() };
        DmaReadIn {
            descriptors: DescriptorStream::shape(&self.config, true),
            abort: bit(),
            clear: bit(),
            axi: AxiReadBus::shape(axi),
            words,
        }
    }
    fn outputs(&self) -> DmaReadOut<Shape> {
        DmaReadOut { done: bit(), moved: Moved::shape(self.config.word_bytes), status: DmaStatus::shape() }
    }
    fn build(&self, m: &Builder, i: DmaReadIn<UInt>) -> DmaReadOut<UInt> {
        let config = self.config;
        let (beat_bytes, offset_bits, tag_bits) =
            (config.axi.beat_bytes(), config.axi.offset_bits(), self.tag_bits());
        let halt = Halt::new(m);
        let halted = halt.halted;

        // Addresses: each run goes to the splitter and into the queue of those that wait for data.
        let walk = m.instance("walk", &Walk { config, has_fill: true }).i;
        let splitter = m.instance("split", &Split { config });
        let split = splitter.i;
        let waiting = RecordQueue::counted(m, "waiting", config.run_depth(), self.waiting());
        let open = RecordQueue::counted(m, "open", config.outstanding, bits(32));
        m.connect(walk.descriptors, i.descriptors);
        walk.halt.set(halted);
        let run = walk.runs.run;
        walk.runs.ready.set(split.ready & waiting.ready & !halted);
        split.valid.set(walk.runs.valid & waiting.ready & !halted);
        m.connect(split.span, run.span);
        split.halt.set(halted);
        let tag = Tag {
            local: run.local,
            fill: run.fill.expect("a run that is read has one"),
            last: run.span.last,
        };
        let offset = run.span.external.truncate(offset_bits);
        let last_byte = run.span.last_byte;
        wire!(m, last_place = last_byte + offset);
        let record = Waiting {
            offset,
            beats: last_place.slice(offset_bits, config.beats_bits()),
            parts: last_byte.slice(offset_bits, RUN_BITS - offset_bits),
            top: last_byte.truncate(offset_bits),
            tag: to_word(tag),
        };
        waiting.put(walk.runs.valid & split.ready & !halted, record);
        let asks = self.ask(m, split.bursts, i.axi, &open, halted);

        // Data: a beat that fails is not aligned, nor is anything behind it.
        let beats = RecordQueue::stage(m, "beats", self.beat());
        i.axi.rready.set(beats.ready);
        beats.put(i.axi.rvalid, Beat { data: i.axi.rdata, resp: i.axi.rresp, last: i.axi.rlast });
        let align = m.instance("align", &Align { bytes: beat_bytes, tag_bits });
        let is_bad = beats.front.resp.bit(1);
        wire!(m, fails = beats.valid & is_bad & !align.o.has_tail & !halted);
        wire!(m, takes_beat = halted | fails | (align.i.beat_ready & !is_bad));
        beats.takes.set(takes_beat);
        open.takes.set(beats.valid & takes_beat & beats.front.last);
        // The buffer parts the queue from what decides where a run ends.
        let next = RecordQueue::skid(m, "next", self.waiting());
        waiting.takes.set(next.ready);
        next.put(waiting.valid, waiting.front);
        next.takes.set(align.i.run_ready | halted);
        let resize = m.instance("resize", &Resize { from: beat_bytes, to: config.word_bytes, tag_bits }).i;
        align.i.run_valid.set(next.valid);
        align.i.offset.set(next.front.offset);
        align.i.beats.set(next.front.beats);
        align.i.parts.set(next.front.parts);
        align.i.top.set(next.front.top);
        align.i.tag.set(next.front.tag);
        align.i.beat_valid.set(beats.valid & !is_bad & !halted);
        align.i.beat.set(beats.front.data);
        align.i.halt.set(halted);
        m.connect(resize.chunks, align.i.chunks);
        resize.halt.set(halted);
        let stored = RecordQueue::stage(m, "stored", self.stored());
        self.store(m, resize.resized, &stored, halted);
        let moved = Moved { valid: resize.resized.valid & stored.ready, top: resize.resized.chunk.top };
        i.words.valid.set(stored.valid);
        i.words.address.set(stored.front.address);
        i.words.data.set(stored.front.data);
        stored.takes.set(i.words.ready);
        let done = m.reg("done", 1).reset_to(0);
        done.set(stored.valid & i.words.ready & stored.front.last);

        let makes_addresses = walk.runs.valid | splitter.o.busy | asks;
        let aligns = align.o.has_run | align.o.has_tail;
        let moves_data = next.valid | open.valid | aligns | resize.resized.valid | stored.valid;
        wire!(m, idle = !(makes_addresses | moves_data));
        m.assume("all_have_one_id", !i.axi.rvalid | i.axi.rid.eq(0));
        m.assume("data_were_asked_for", !i.axi.rvalid | open.valid);
        let failure = Failure { valid: fails, address: open.front, response: beats.front.resp };
        DmaReadOut { done, moved, status: halt.status(m, i.abort, i.clear, idle, failure) }
    }
}
