//! A memory behind an AXI4 port, for simulation.

use ferrite_hdl::Memory;
use ferrite_hdl::prelude::*;

use super::{AxiBus, AxiReadBus, AxiWidths, AxiWriteBus};
use crate::record::RecordQueue;

/// Addresses that answer `SLVERR`.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ErrorRegion<T> {
    /// First byte; a multiple of a beat.
    pub start: T,
    /// Bytes, a multiple of a beat; 0 for none.
    pub bytes: T,
}

/// Ports of the memory.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct AxiMemoryIn<T> {
    /// The master.
    pub axi: AxiBus<T>,
    /// Holds each channel back in every other cycle, at random.
    pub stall: T,
    /// Where the random numbers begin, taken while `stall` is low; anything but 0.
    pub seed: T,
    /// Reads and writes in here fail.
    pub error: ErrorRegion<T>,
}

/// A memory from `base` on. Reads and writes do not slow each other. What lies beyond answers `DECERR`; a failed write changes
/// nothing. Bursts begin at a multiple of a beat.
#[module]
pub struct AxiMemory {
    /// Widths of the port.
    pub axi: AxiWidths,
    /// Its first address, a multiple of its size.
    pub base: u32,
    /// Size in beats; a power of two.
    pub words: u32,
    /// From the cycle in which an address is taken to that of its first data, and from that of a last beat to its response; 2 or more.
    pub latency: u32,
    /// A beat passes in every so many cycles, each way.
    pub beat_cycles: u32,
    /// Bursts that are taken before they are answered, each way; a power of two from 2 on.
    pub outstanding: u32,
}

/// A burst that waits.
#[derive(Clone, Copy, Debug, Bundle)]
struct Burst<T> {
    id: T,
    /// Address in beats.
    beat: T,
    len: T,
}

/// A response that waits.
#[derive(Clone, Copy, Debug, Bundle)]
struct Response<T> {
    id: T,
    resp: T,
}

/// Channels that are held back in this cycle.
#[derive(Clone, Copy)]
struct Stalls {
    ar: UInt,
    r: UInt,
    aw: UInt,
    w: UInt,
    b: UInt,
}

impl AxiMemory {
    /// From address 0 on, with 20 cycles latency, a beat in every cycle and up to 16 bursts each way.
    pub fn new(axi: AxiWidths, words: u32) -> AxiMemory {
        AxiMemory { axi, base: 0, words, latency: 20, beat_cycles: 1, outstanding: 16 }
    }

    fn burst_shape(&self) -> Burst<Shape> {
        Burst { id: bits(self.axi.id_bits), beat: bits(32 - self.axi.offset_bits()), len: bits(8) }
    }

    /// The burst that an address channel asks for.
    fn burst(&self, id: UInt, address: UInt, len: UInt) -> Burst<UInt> {
        let offset_bits = self.axi.offset_bits();
        Burst { id, beat: address.slice(offset_bits, 32 - offset_bits), len }
    }

    fn index(&self, beat: UInt) -> UInt {
        beat.truncate(self.words.ilog2())
    }

    /// The response to an access to a beat.
    fn response(&self, m: &Builder, beat: UInt, error: ErrorRegion<UInt>) -> UInt {
        let index_bits = self.words.ilog2();
        let base = self.base >> (index_bits + self.axi.offset_bits());
        let outside = beat.slice(index_bits, beat.width() - index_bits).ne(base);
        let address = beat.concat(Bits::zero(self.axi.offset_bits()));
        let fails = address.wrapping_sub(error.start).lt(error.bytes);
        let code = |resp| m.constant(Bits::from_u64(2, resp));
        outside.mux(code(3), fails.mux(code(2), code(0)))
    }

    /// Whether a beat may pass, when beats that `passes` marks have passed.
    fn pace(&self, m: &Builder, name: &str, passes: UInt) -> UInt {
        if self.beat_cycles == 1 {
            return m.constant(Bits::ones(1));
        }
        let wait = m.reg(name, index_width(self.beat_cycles as usize)).reset_to(0);
        m.when(passes, || wait.set(self.beat_cycles - 1))
            .otherwise_when(wait.ne(0), || wait.set(wait.wrapping_sub(1)));
        wait.eq(0)
    }

    /// Whether the first of what has `come` and not `gone` is old enough to be answered.
    fn is_due(&self, m: &Builder, name: &str, come: UInt, gone: UInt) -> UInt {
        // Two cycles pass in the count and in the register of the answer.
        let old = (2..self.latency).fold(come, |before, k| {
            let stage = m.reg(&format!("{name}_age_{k}"), 1).reset_to(0);
            stage.set(before);
            stage
        });
        let width = self.outstanding.ilog2() + 1;
        let due = m.reg(&format!("{name}_due"), width).reset_to(0);
        due.set(due.wrapping_add(old.extend(width)).wrapping_sub(gone.extend(width)));
        due.ne(0)
    }

    fn reads(&self, m: &Builder, axi: AxiReadBus<UInt>, words: Memory, error: ErrorRegion<UInt>, s: Stalls) {
        let queue = RecordQueue::new(m, "read_bursts", self.outstanding, self.burst_shape());
        axi.arready.set(queue.ready & !s.ar);
        queue.put(axi.arvalid & !s.ar, self.burst(axi.arid, axi.araddr, axi.arlen));

        // One beat after the other goes into the registers of the channel.
        let valid = m.reg("r_valid", 1).reset_to(0);
        let done = m.reg("r_done", 8).reset_to(0);
        let passes = m.wire("r_passes", 1);
        wire!(m, r_last = done.eq(queue.front.len));
        let ends = passes & r_last;
        let due = self.is_due(m, "read", axi.arvalid & axi.arready, ends);
        let pace = self.pace(m, "r_wait", passes);
        let room = !valid | axi.rready;
        passes.set(queue.valid & due & pace & room & !s.r);
        queue.takes.set(ends);
        m.when(passes, || done.set(r_last.mux(0, done.wrapping_add(1))));
        m.when(room, || valid.set(passes));

        wire!(m, r_beat = queue.front.beat.wrapping_add(done.extend(queue.front.beat.width())));
        let (last, resp, id) = (m.reg("r_is_last", 1), m.reg("r_resp", 2), m.reg("r_id", self.axi.id_bits));
        let mut word = None;
        m.when(passes, || {
            word = Some(words.read("r_word", self.index(r_beat)));
            last.set(r_last);
            resp.set(self.response(m, r_beat, error));
            id.set(queue.front.id);
        });
        axi.rvalid.set(valid);
        axi.rdata.set(word.expect("`when` has run its body"));
        axi.rlast.set(last);
        axi.rresp.set(resp);
        axi.rid.set(id);
    }

    fn writes(
        &self,
        m: &Builder,
        axi: AxiWriteBus<UInt>,
        words: Memory,
        error: ErrorRegion<UInt>,
        s: Stalls,
    ) {
        let queue = RecordQueue::new(m, "write_bursts", self.outstanding, self.burst_shape());
        let shape = Response { id: bits(self.axi.id_bits), resp: bits(2) };
        let responses = RecordQueue::new(m, "responses", self.outstanding, shape);
        axi.awready.set(queue.ready & !s.aw);
        queue.put(axi.awvalid & !s.aw, self.burst(axi.awid, axi.awaddr, axi.awlen));

        let done = m.reg("w_done", 8).reset_to(0);
        let worst = m.reg("w_worst", 2).reset_to(0);
        wire!(m, w_fires = axi.wvalid & axi.wready);
        wire!(m, w_ends = w_fires & axi.wlast);
        let pace = self.pace(m, "w_wait", w_fires);
        axi.wready.set(queue.valid & responses.ready & pace & !s.w);
        wire!(m, w_beat = queue.front.beat.wrapping_add(done.extend(queue.front.beat.width())));
        wire!(m, w_resp = self.response(m, w_beat, error));
        // Of two kinds of errors in a burst the higher number is told.
        wire!(m, w_resp_so_far = w_resp.gt(worst).mux(w_resp, worst));
        m.when(w_fires, || {
            done.set(axi.wlast.mux(0, done.wrapping_add(1)));
            worst.set(axi.wlast.mux(0, w_resp_so_far));
        });
        m.when(w_fires & w_resp.eq(0), || words.write_masked(self.index(w_beat), axi.wdata, axi.wstrb));
        queue.takes.set(w_ends);
        responses.put(w_ends, Response { id: queue.front.id, resp: w_resp_so_far });
        m.assume("last_as_the_length_says", !w_fires | axi.wlast.eq(done.eq(queue.front.len)));

        let valid = m.reg("b_valid", 1).reset_to(0);
        let answer = m.regs("b", Response { id: bits(self.axi.id_bits), resp: bits(2) });
        let answers = m.wire("b_answers", 1);
        let due = self.is_due(m, "write", w_ends, answers);
        let room = !valid | axi.bready;
        answers.set(responses.valid & due & room & !s.b);
        responses.takes.set(answers);
        m.when(room, || valid.set(answers));
        m.when(answers, || m.connect(answer, responses.front));
        axi.bvalid.set(valid);
        axi.bid.set(answer.id);
        axi.bresp.set(answer.resp);
    }
}

/// Random stalls: a shift register with feedback (G. Marsaglia, *Xorshift RNGs*, 2003), a bit for each channel.
fn stalls(m: &Builder, stall: UInt, seed: UInt) -> Stalls {
    let random = m.reg("random", 32);
    wire!(m, mixed_left = random ^ (random << 13u32));
    wire!(m, mixed_right = mixed_left ^ (mixed_left >> 17u32));
    m.when(stall, || random.set(mixed_right ^ (mixed_right << 5u32))).otherwise(|| random.set(seed));
    let channel = |k| stall & random.bit(k);
    Stalls { ar: channel(3), r: channel(9), aw: channel(16), w: channel(22), b: channel(29) }
}

impl Module for AxiMemory {
    type In = AxiMemoryIn<UInt>;
    type Out = Empty<UInt>;

    fn inputs(&self) -> AxiMemoryIn<Shape> {
        AxiMemoryIn {
            axi: AxiBus::shape(self.axi),
            stall: bit(),
            seed: bits(32),
            error: ErrorRegion { start: bits(32), bytes: bits(32) },
        }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: AxiMemoryIn<UInt>) -> Empty<UInt> {
        let words = m.memory("words", self.words, self.axi.data_bits);
        let stalls = stalls(m, i.stall, i.seed);
        self.reads(m, i.axi.read(), words, i.error, stalls);
        self.writes(m, i.axi.write(), words, i.error, stalls);
        Empty::new()
    }
}
