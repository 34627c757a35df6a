//! From the scratchpad to external memory.

use ferrite_hdl::prelude::*;

use super::chunk::Moved;
use super::fetch::{Fetch, WordRead};
use super::halt::{DmaStatus, Failure, Halt};
use super::resize::Resize;
use super::shift::Shift;
use super::split::{BurstStream, Split};
use super::walk::Walk;
use super::{DescriptorStream, DmaConfig, RUN_BITS};
use crate::axi::AxiWriteBus;
use crate::record::RecordQueue;

/// Ports of the engine.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct DmaWriteIn<T> {
    /// What is to be written.
    pub descriptors: DescriptorStream<T>,
    /// Gives up whatever is under way.
    pub abort: T,
    /// Ends a halt, once `idle` is high.
    pub clear: T,
    /// External memory.
    #[flip]
    pub axi: AxiWriteBus<T>,
    /// The scratchpad.
    #[flip]
    pub read: WordRead<T>,
}

/// Outputs of the engine.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct DmaWriteOut<T> {
    /// All bursts of a descriptor have been answered; one cycle for each, in order.
    pub done: T,
    /// Bytes of runs on their way to the data channel.
    pub moved: Moved<T>,
    /// How it is.
    pub status: DmaStatus<T>,
}

/// Reads whole words of the scratchpad and writes them as runs of bytes of any alignment.
#[module]
pub struct DmaWrite {
    /// Sizes.
    pub config: DmaConfig,
}

/// A run whose words are to be read.
#[derive(Clone, Copy, Debug, Bundle)]
struct Source<T> {
    local: T,
    last_byte: T,
}

/// A burst that waits for its response.
#[derive(Clone, Copy, Debug, Bundle)]
struct Open<T> {
    address: T,
    last: T,
}

/// What goes to the data channel.
#[derive(Clone, Copy, Debug, Bundle)]
struct Beat<T> {
    data: T,
    strobes: T,
    last: T,
}

/// Bursts on their way.
struct Bursts {
    /// The lengths of those whose data have not all gone.
    lengths: RecordQueue<Shape>,
    /// Those that are not answered.
    open: RecordQueue<Open<Shape>>,
}

impl DmaWrite {
    /// Puts bursts on the address channel, as long as there is room for what must be known of them. Gives whether one waits there.
    fn ask(
        &self,
        m: &Builder,
        bursts: BurstStream<UInt>,
        axi: AxiWriteBus<UInt>,
        under_way: &Bursts,
        halted: UInt,
    ) -> UInt {
        let Bursts { lengths, open } = under_way;
        let valid = m.reg("aw_valid", 1).reset_to(0);
        let (address, len) = (m.reg("aw_address", 32), m.reg("aw_len", 8));
        wire!(m, aw_free = !valid | axi.awready);
        wire!(m, aw_may = aw_free & !halted);
        wire!(m, issues = bursts.valid & aw_may & lengths.ready & open.ready);
        bursts.ready.set(aw_may & lengths.ready & open.ready);
        lengths.put(bursts.valid & aw_may & open.ready, bursts.len);
        let record = Open { address: bursts.address, last: bursts.last };
        open.put(bursts.valid & aw_may & lengths.ready, record);
        m.when(aw_free, || valid.set(issues));
        m.when(issues, || {
            address.set(bursts.address);
            len.set(bursts.len);
        });
        axi.awvalid.set(valid);
        axi.awid.set(0);
        axi.awaddr.set(address);
        axi.awlen.set(len);
        valid
    }

    /// Puts beats on the data channel. After a halt the bursts that were asked for are finished with beats that write nothing. Gives whether
    /// a beat waits there.
    fn send(
        &self,
        m: &Builder,
        beat: (UInt, UInt),
        offered: UInt,
        axi: AxiWriteBus<UInt>,
        lengths: &RecordQueue<Shape>,
        halted: UInt,
    ) -> (UInt, UInt) {
        let DmaConfig { axi: widths, .. } = self.config;
        let shape = Beat { data: bits(widths.data_bits), strobes: bits(widths.beat_bytes()), last: bit() };
        let beats = RecordQueue::skid(m, "beats", shape);
        let sent = m.reg("w_sent", 8).reset_to(0);
        // Its register parts the queue from what decides where a burst ends.
        let length = RecordQueue::stage(m, "length", bits(8));
        lengths.takes.set(length.ready);
        length.put(lengths.valid, lengths.front);
        wire!(m, w_may = beats.ready & length.valid);
        wire!(m, sends = w_may & (offered | halted));
        wire!(m, ends_burst = sent.eq(length.front));
        beats.put(sends, Beat { data: beat.0, strobes: beat.1, last: ends_burst });
        m.when(sends, || sent.set(ends_burst.mux(0, sent.wrapping_add(1))));
        length.takes.set(sends & ends_burst);

        let valid = m.reg("w_valid", 1).reset_to(0);
        let data = m.reg("w_data", widths.data_bits);
        let strobes = m.reg("w_strobes", widths.beat_bytes());
        let last = m.reg("w_last", 1);
        wire!(m, w_free = !valid | axi.wready);
        beats.takes.set(w_free);
        m.when(w_free, || {
            let beat = beats.front;
            valid.set(beats.valid);
            data.set(beat.data);
            strobes.set(halted.mux(Bits::zero(strobes.width()), beat.strobes));
            last.set(beat.last);
        });
        axi.wvalid.set(valid);
        axi.wdata.set(data);
        axi.wstrb.set(strobes);
        axi.wlast.set(last);
        (valid, w_may)
    }
}

impl Module for DmaWrite {
    type In = DmaWriteIn<UInt>;
    type Out = DmaWriteOut<UInt>;

    fn name(&self) -> String {
        format!("DmaWrite_{}", self.config.suffix())
    }
    fn inputs(&self) -> DmaWriteIn<Shape> {
        DmaWriteIn {
            descriptors: DescriptorStream::shape(&self.config, false),
            abort: bit(),
            clear: bit(),
            axi: AxiWriteBus::shape(self.config.axi),
            read: WordRead::shape(&self.config),
        }
    }
    fn outputs(&self) -> DmaWriteOut<Shape> {
        DmaWriteOut {
            done: bit(),
            moved: Moved::shape(self.config.axi.beat_bytes()),
            status: DmaStatus::shape(),
        }
    }
    fn build(&self, m: &Builder, i: DmaWriteIn<UInt>) -> DmaWriteOut<UInt> {
        let config = self.config;
        let (beat_bytes, offset_bits) = (config.axi.beat_bytes(), config.axi.offset_bits());
        let halt = Halt::new(m);
        let halted = halt.halted;

        // Addresses: each run goes to the splitter and into the queues of those whose words are read and whose bytes are shifted.
        let walk = m.instance("walk", &Walk { config, has_fill: false }).i;
        let splitter = m.instance("split", &Split { config });
        let split = splitter.i;
        let shape = Source { local: bits(config.address_bits), last_byte: bits(RUN_BITS) };
        let sources = RecordQueue::passing(m, "sources", config.run_depth(), shape);
        let offsets = RecordQueue::counted(m, "offsets", config.run_depth(), bits(offset_bits));
        let bursts = Bursts {
            lengths: RecordQueue::counted(m, "lengths", config.outstanding, bits(8)),
            open: RecordQueue::counted(
                m,
                "open",
                config.outstanding,
                Open { address: bits(32), last: bit() },
            ),
        };
        m.connect(walk.descriptors, i.descriptors);
        walk.halt.set(halted);
        let run = walk.runs.run;
        wire!(m, run_offered = walk.runs.valid & !halted);
        walk.runs.ready.set(split.ready & sources.ready & offsets.ready & !halted);
        split.valid.set(run_offered & sources.ready & offsets.ready);
        m.connect(split.span, run.span);
        split.halt.set(halted);
        let source = Source { local: run.local, last_byte: run.span.last_byte };
        sources.put(run_offered & split.ready & offsets.ready, source);
        offsets.put(run_offered & split.ready & sources.ready, run.span.external.truncate(offset_bits));
        let asks = self.ask(m, split.bursts, i.axi, &bursts, halted);

        // Data. What has been read when the engine halts goes nowhere.
        let fetch = m.instance("fetch", &Fetch { config });
        let resize = m.instance("resize", &Resize { from: config.word_bytes, to: beat_bytes, tag_bits: 0 }).i;
        let shifter = m.instance("shift", &Shift { bytes: beat_bytes });
        let shift = shifter.i;
        fetch.i.run_valid.set(sources.valid & !halted);
        fetch.i.first.set(sources.front.local);
        fetch.i.last_byte.set(sources.front.last_byte);
        fetch.i.halt.set(halted);
        sources.takes.set(fetch.i.run_ready | halted);
        m.connect(i.read, fetch.i.read);
        m.connect(resize.chunks, fetch.i.chunks);
        resize.halt.set(halted);
        shift.chunks.valid.set(resize.resized.valid & !halted);
        m.connect(shift.chunks.chunk, resize.resized.chunk);
        resize.resized.ready.set(shift.chunks.ready | halted);
        let moved = Moved { valid: shift.chunks.valid & shift.chunks.ready, top: resize.resized.chunk.top };
        // The buffer parts the queue from what decides where a run ends.
        let next = RecordQueue::skid(m, "next", bits(offset_bits));
        offsets.takes.set(next.ready);
        next.put(offsets.valid, offsets.front);
        next.takes.set(shift.run_ready | halted);
        shift.run_valid.set(next.valid);
        shift.offset.set(next.front);
        shift.halt.set(halted);
        let beat = (shift.beat, shift.strobes);
        let (sends, may_send) = self.send(m, beat, shift.beat_valid, i.axi, &bursts.lengths, halted);
        shift.beat_ready.set(may_send & !halted);

        // Responses.
        i.axi.bready.set(1);
        let answered = bursts.open.front;
        bursts.open.takes.set(i.axi.bvalid);
        wire!(m, fails = i.axi.bvalid & i.axi.bresp.bit(1));
        let done = m.reg("done", 1).reset_to(0);
        done.set(i.axi.bvalid & !fails & answered.last & !halted);
        m.assume("all_have_one_id", !i.axi.bvalid | i.axi.bid.eq(0));
        m.assume("responses_are_awaited", !i.axi.bvalid | bursts.open.valid);

        let makes_addresses = walk.runs.valid | splitter.o.busy | asks;
        let waits_for_data = sources.valid | next.valid | shifter.o.has_run;
        let moves_data = waits_for_data | !fetch.o.idle | resize.resized.valid | sends;
        wire!(m, idle = !bursts.open.valid & !(makes_addresses | moves_data));
        let failure = Failure { valid: fails, address: answered.address, response: i.axi.bresp };
        DmaWriteOut { done, moved, status: halt.status(m, i.abort, i.clear, idle, failure) }
    }
}
