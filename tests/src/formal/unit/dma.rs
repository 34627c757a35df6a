//! What both DMA engines owe: AXI4's rules in all that they do, and a way out of errors and aborts.

use ferrite_hdl::prelude::*;
use ferrite_hw::axi::{AxiReadBus, AxiWriteBus, Obligation, Obligations, read_rules, write_rules};
use ferrite_hw::dma::{DescriptorStream, DmaConfig, DmaRead, DmaReadIn, DmaStatus, DmaWrite, DmaWriteIn};

/// Cycles that a memory or a scratchpad may make an engine wait where it is to be proved that something happens at all.
const PATIENCE: u64 = 1;

/// Bits that count bursts, beats and descriptors.
const COUNT_BITS: u32 = 8;

/// The engine claims its own side of the rules.
const MASTER: Obligations = Obligations { master: Obligation::Assert, memory: Obligation::Assume };

/// What the solver chooses in every cycle for `DmaRead`.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ProvedReadIn<T> {
    /// All that comes to the engine.
    pub dma: DmaReadIn<T>,
}

/// `DmaRead` with its claims.
#[module]
pub struct ProvedRead {
    /// Sizes.
    pub config: DmaConfig,
    /// Cycles after which it is idle again at the latest.
    pub drained_within: u32,
}

/// What the solver chooses in every cycle for `DmaWrite`.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ProvedWriteIn<T> {
    /// All that comes to the engine.
    pub dma: DmaWriteIn<T>,
}

/// `DmaWrite` with its claims.
#[module]
pub struct ProvedWrite {
    /// Sizes.
    pub config: DmaConfig,
    /// Cycles after which it is idle again at the latest.
    pub drained_within: u32,
}

fn counter(m: &Builder, name: &str, up: UInt, down: UInt) -> UInt {
    let count = m.reg(name, COUNT_BITS).reset_to(0);
    count.set(count.wrapping_add(up.extend(COUNT_BITS)).wrapping_sub(down.extend(COUNT_BITS)));
    count
}

/// Limits how long the surroundings make the engine wait.
fn patient(m: &Builder, what: &str, waits: UInt) {
    let count = m.reg(&format!("{what}_waited"), 2).reset_to(0);
    m.when(waits, || count.set(count.wrapping_add(1))).otherwise(|| count.set(0));
    m.assume(&format!("{what}_is_bounded"), !waits | count.lt(PATIENCE));
}

/// An address channel of the engine.
struct Asking {
    valid: UInt,
    ready: UInt,
    address: UInt,
    len: UInt,
    id: UInt,
}

impl Asking {
    fn of_reads(axi: &AxiReadBus<UInt>) -> Asking {
        let AxiReadBus { arvalid, arready, araddr, arlen, arid, .. } = *axi;
        Asking { valid: arvalid, ready: arready, address: araddr, len: arlen, id: arid }
    }

    fn of_writes(axi: &AxiWriteBus<UInt>) -> Asking {
        let AxiWriteBus { awvalid, awready, awaddr, awlen, awid, .. } = *axi;
        Asking { valid: awvalid, ready: awready, address: awaddr, len: awlen, id: awid }
    }

    /// Bursts have the form that is configured, and none is new after a halt.
    fn claim(&self, m: &Builder, config: &DmaConfig, halted: UInt) {
        let offset = self.address.truncate(config.axi.offset_bits());
        m.assert("bursts_are_as_long_as_configured", !self.valid | self.len.lt(config.burst_beats));
        m.assert("bursts_begin_with_a_beat", !self.valid | !offset.any());
        m.assert("bursts_have_one_identifier", !self.valid | self.id.eq(0));
        let waits = m.reg("ask_waits", 1).reset_to(0);
        waits.set(self.valid & !self.ready);
        let was_halted = m.reg("was_halted", 1).reset_to(0);
        was_halted.set(halted);
        m.assert("asks_for_nothing_once_halted", !(self.valid & !waits) | !was_halted);
    }
}

/// What holds of an engine's descriptors and of its state.
struct Course {
    descriptors: DescriptorStream<UInt>,
    done: UInt,
    status: DmaStatus<UInt>,
    clear: UInt,
    /// Bursts that were taken and are not answered, or that are offered.
    open: UInt,
    /// A response that is an error is taken.
    fails: UInt,
}

impl Course {
    fn claim(&self, m: &Builder) {
        let Course { descriptors, done, status, clear, open, fails } = *self;
        wire!(m, takes = descriptors.valid & descriptors.ready);
        let d = descriptors.next;
        m.assume("descriptors_are_not_empty", d.bytes.any() & d.n1.any() & d.n2.any());
        m.assert("takes_no_descriptors_once_halted", !(takes & status.halted));
        m.assert("nothing_is_open_when_idle", !status.idle | !open);
        // A halt drops what was taken.
        let taken = m.reg("taken", COUNT_BITS).reset_to(0);
        wire!(m, starts_afresh = status.halted & status.idle & clear);
        let count = |flag: UInt| flag.extend(COUNT_BITS);
        m.when(starts_afresh, || taken.set(0))
            .otherwise(|| taken.set(taken.wrapping_add(count(takes)).wrapping_sub(count(done))));
        m.assert("is_done_with_what_was_taken_only", !done | taken.any());
        let over = status.idle & !status.halted;
        m.assert("is_done_with_all_when_idle", !over | taken.eq(count(done)));
        // An error is told, once all that came with it has passed.
        let failed = m.reg("failed", 1).reset_to(0);
        m.when(status.idle & clear, || failed.set(0));
        m.when(fails, || failed.set(1));
        m.assert("an_error_halts", !(failed & status.idle) | status.halted);
        m.assert("an_error_is_one_of_the_memory", !(status.error & status.idle) | failed);
        let tells = status.response.bit(1);
        m.assert("an_error_tells_its_response", !status.error | tells);
    }

    /// After an error or an abort the engine becomes idle.
    fn claim_end(&self, m: &Builder, within: u32) {
        let since = m.reg("halted_since", COUNT_BITS).reset_to(0);
        m.when(self.status.halted & !self.status.idle, || since.set(since.wrapping_add(1)))
            .otherwise(|| since.set(0));
        m.assert("becomes_idle_once_halted", since.lt(within));
        let failed = m.reg("failed_since", COUNT_BITS).reset_to(0);
        wire!(m, goes_on = self.fails | failed.any());
        m.when(goes_on & !self.status.halted, || failed.set(failed.wrapping_add(1)))
            .otherwise(|| failed.set(0));
        m.assert("halts_once_failed", failed.lt(within));
    }
}

impl Module for ProvedRead {
    type In = ProvedReadIn<UInt>;
    type Out = Empty<UInt>;

    fn name(&self) -> String {
        "Proved".to_string()
    }
    fn inputs(&self) -> ProvedReadIn<Shape> {
        ProvedReadIn { dma: DmaRead { config: self.config }.inputs() }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: ProvedReadIn<UInt>) -> Empty<UInt> {
        let config = &self.config;
        let out = m.instance("dut", &DmaRead { config: *config }).connect(i.dma);
        let DmaReadIn { descriptors, clear, axi, words, .. } = i.dma;
        read_rules(m, axi, config.axi, config.outstanding, MASTER);
        Asking::of_reads(&axi).claim(m, config, out.status.halted);
        m.assume("memory_answers_with_the_identifier", !axi.rvalid | axi.rid.eq(0));

        let ar_fires = axi.arvalid & axi.arready;
        let r_fires = axi.rvalid & axi.rready;
        let open = counter(m, "unanswered", ar_fires, r_fires & axi.rlast);
        let course = Course {
            descriptors,
            done: out.done,
            status: out.status,
            clear,
            open: open.any() | axi.arvalid,
            fails: r_fires & axi.rresp.bit(1),
        };
        course.claim(m);
        // Words of the scratchpad are offered like any stream's.
        let waits = m.reg("word_waits", 1).reset_to(0);
        waits.set(words.valid & !words.ready);
        let word = m.delay("word_before", words.address.concat(words.data));
        let same = word.eq(words.address.concat(words.data));
        m.assert("words_are_not_withdrawn", !waits | (words.valid & same));

        patient(m, "ar", axi.arvalid & !axi.arready);
        patient(m, "r", open.any() & !axi.rvalid);
        patient(m, "words", words.valid & !words.ready);
        course.claim_end(m, self.drained_within);
        let silent = m.reg("beat_waits", COUNT_BITS).reset_to(0);
        m.when(axi.rvalid & !axi.rready, || silent.set(silent.wrapping_add(1))).otherwise(|| silent.set(0));
        m.assert("takes_every_beat", silent.lt(self.drained_within));

        m.cover("reached_done", out.done);
        m.cover("reached_an_error_and_idle", out.status.error & out.status.idle);
        m.cover("reached_all_bursts_open", open.eq(config.outstanding));
        Empty::new()
    }
}

impl Module for ProvedWrite {
    type In = ProvedWriteIn<UInt>;
    type Out = Empty<UInt>;

    fn name(&self) -> String {
        "Proved".to_string()
    }
    fn inputs(&self) -> ProvedWriteIn<Shape> {
        ProvedWriteIn { dma: DmaWrite { config: self.config }.inputs() }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: ProvedWriteIn<UInt>) -> Empty<UInt> {
        let config = &self.config;
        let out = m.instance("dut", &DmaWrite { config: *config }).connect(i.dma);
        let DmaWriteIn { descriptors, clear, axi, read, .. } = i.dma;
        write_rules(m, axi, config.axi, config.outstanding, MASTER);
        Asking::of_writes(&axi).claim(m, config, out.status.halted);
        m.assume("memory_answers_with_the_identifier", !axi.bvalid | axi.bid.eq(0));

        // Words come for what was asked for.
        let asked = counter(m, "words_asked", read.valid & read.ready, read.data_valid);
        m.assume("words_were_asked_for", !read.data_valid | asked.any());

        let (aw_fires, b_fires) = (axi.awvalid & axi.awready, axi.bvalid & axi.bready);
        let open = counter(m, "unanswered", aw_fires, b_fires);
        let unsent = counter(m, "unsent", aw_fires, axi.wvalid & axi.wready & axi.wlast);
        let course = Course {
            descriptors,
            done: out.done,
            status: out.status,
            clear,
            open: open.any() | axi.awvalid | axi.wvalid,
            fails: b_fires & axi.bresp.bit(1),
        };
        course.claim(m);
        m.assert("takes_every_response", !axi.bvalid | axi.bready);
        // Beats after a halt write nothing.
        let was_halted = m.reg("was_halted_for_data", 1).reset_to(0);
        was_halted.set(out.status.halted);
        let w_waits = m.reg("beat_waits", 1).reset_to(0);
        w_waits.set(axi.wvalid & !axi.wready);
        let writes = axi.wvalid & !w_waits & axi.wstrb.any();
        m.assert("writes_nothing_once_halted", !(writes & was_halted));

        patient(m, "aw", axi.awvalid & !axi.awready);
        patient(m, "w", axi.wvalid & !axi.wready);
        patient(m, "b", open.any() & open.ne(unsent) & !axi.bvalid);
        patient(m, "read", read.valid & !read.ready);
        patient(m, "word", asked.any() & !read.data_valid);
        course.claim_end(m, self.drained_within);

        m.cover("reached_done", out.done);
        m.cover("reached_an_error_and_idle", out.status.error & out.status.idle);
        m.cover("reached_all_bursts_open", open.eq(config.outstanding));
        Empty::new()
    }
}
