//! Several masters at one AXI4 port: no burst is lost, made up or overtaken by one of its channel, and each answer finds its master.

use ferrite_hdl::prelude::*;
use ferrite_hw::axi::{AxiReadBus, AxiShare, AxiShareIn, AxiWriteBus};

/// Bursts of which the claims keep account; more than there is room for in the hardware within the cycles looked at.
const KEPT: u32 = 16;
/// Bits that count them.
const COUNT_BITS: u32 = 5;

/// What the solver chooses in every cycle.
#[derive(Clone, Debug, Bundle)]
pub struct ProvedIn<T> {
    /// All that comes from masters and memory.
    pub share: AxiShareIn<T>,
}

/// The shared port with its claims.
#[module]
pub struct Proved {
    /// It.
    pub share: AxiShare,
}

/// What has gone in and not come out, in order: an account kept by the claims.
struct Account {
    /// There is something.
    any: UInt,
    /// What is next.
    next: UInt,
}

impl Account {
    fn new(m: &Builder, name: &str, enters: UInt, word: UInt, leaves: UInt) -> Account {
        let words = m.memory(&format!("{name}_words"), KEPT, word.width());
        let [head, tail] =
            ["head", "tail"].map(|end| m.reg(&format!("{name}_{end}"), COUNT_BITS).reset_to(0));
        let index = |count: UInt| count.truncate(COUNT_BITS - 1);
        m.when(enters, || {
            words.write(index(tail), word);
            tail.set(tail.wrapping_add(1));
        });
        m.when(leaves, || head.set(head.wrapping_add(1)));
        Account { any: head.ne(tail), next: words.read_async(&format!("{name}_next"), index(head)) }
    }
}

/// An offer of a channel stays as it is until it is taken.
fn stays(m: &Builder, name: &str, valid: UInt, ready: UInt, payload: UInt) -> UInt {
    let waits = m.reg(&format!("{name}_waits"), 1).reset_to(0);
    waits.set(valid & !ready);
    let before = m.delay(&format!("{name}_before"), payload);
    !waits | (valid & payload.eq(before))
}

/// A burst as the port shows it: the master's number, and what the master said.
fn burst(m: &Builder, number: usize, [id, address, len]: [UInt; 3]) -> UInt {
    concat([m.constant(Bits::from_u64(1, number as u64)), id, address, len])
}

/// What enters in a cycle, of two masters of which at most one may.
fn entering(m: &Builder, name: &str, fires: &[UInt], words: &[UInt]) -> (UInt, UInt) {
    m.assert(&format!("{name}_are_taken_one_at_a_time"), !(fires[0] & fires[1]));
    (fires[0] | fires[1], fires[0].mux(words[0], words[1]))
}

fn claim_reads(m: &Builder, readers: &[AxiReadBus<UInt>], axi: &AxiReadBus<UInt>) {
    let said = |r: &AxiReadBus<UInt>| [r.arid, r.araddr, r.arlen];
    let words: Vec<UInt> = readers.iter().enumerate().map(|(k, r)| burst(m, k, said(r))).collect();
    let fires: Vec<UInt> = readers.iter().map(|r| r.arvalid & r.arready).collect();
    let (enters, word) = entering(m, "reads", &fires, &words);
    let account = Account::new(m, "reads", enters, word, axi.arvalid & axi.arready);
    let shown = concat(said(axi));
    m.assert("reads_are_those_of_masters_in_order", !axi.arvalid | (account.any & shown.eq(account.next)));
    m.assert("reads_stay", stays(m, "ar", axi.arvalid, axi.arready, shown));
    for (k, reader) in readers.iter().enumerate() {
        let mine = axi.rid.bit(1).eq(k as u32);
        m.assert(&format!("words_go_to_their_master_{k}"), reader.rvalid.eq(axi.rvalid & mine));
        let same = reader.rdata.eq(axi.rdata)
            & reader.rresp.eq(axi.rresp)
            & reader.rlast.eq(axi.rlast)
            & reader.rid.eq(axi.rid.truncate(1));
        m.assert(&format!("words_are_not_changed_{k}"), !reader.rvalid | same);
        m.assert(
            &format!("their_master_takes_words_{k}"),
            !(axi.rvalid & mine) | axi.rready.eq(reader.rready),
        );
    }
    m.cover("reached_reads_of_both", {
        let seen = |k: u32| {
            let seen = m.reg(&format!("seen_{k}"), 1).reset_to(0);
            m.when(axi.arvalid & axi.arready & axi.arid.bit(1).eq(k), || seen.set(1));
            seen
        };
        seen(0) & seen(1)
    });
}

fn claim_writes(m: &Builder, writers: &[AxiWriteBus<UInt>], axi: &AxiWriteBus<UInt>) {
    let said = |w: &AxiWriteBus<UInt>| [w.awid, w.awaddr, w.awlen];
    let words: Vec<UInt> = writers.iter().enumerate().map(|(k, w)| burst(m, k, said(w))).collect();
    let fires: Vec<UInt> = writers.iter().map(|w| w.awvalid & w.awready).collect();
    let (enters, word) = entering(m, "writes", &fires, &words);
    let account = Account::new(m, "writes", enters, word, axi.awvalid & axi.awready);
    let shown = concat(said(axi));
    m.assert("writes_are_those_of_masters_in_order", !axi.awvalid | (account.any & shown.eq(account.next)));
    m.assert("writes_stay", stays(m, "aw", axi.awvalid, axi.awready, shown));

    // Data: all of the burst whose address was taken first.
    let data = |w: &AxiWriteBus<UInt>| concat([w.wdata, w.wstrb, w.wlast]);
    for (k, writer) in writers.iter().enumerate() {
        let kept = stays(m, &format!("w_of_{k}"), writer.wvalid, writer.wready, data(writer));
        m.assume(&format!("masters_keep_data_{k}"), kept);
    }
    let ends = axi.wvalid & axi.wready & axi.wlast;
    let turns = Account::new(m, "turns", enters, fires[1], ends);
    let from = turns.next.mux(data(&writers[1]), data(&writers[0]));
    let offered = turns.next.mux(writers[1].wvalid, writers[0].wvalid);
    m.assert("data_are_those_of_the_first_address", axi.wvalid.eq(turns.any & offered));
    m.assert("data_are_not_changed", !axi.wvalid | data(axi).eq(from));
    m.assert("data_stay", stays(m, "w", axi.wvalid, axi.wready, data(axi)));
    for (k, writer) in writers.iter().enumerate() {
        let turn = turns.any & turns.next.eq(k as u32);
        m.assert(&format!("data_are_taken_in_turn_{k}"), writer.wready.eq(turn & axi.wready));
        let mine = axi.bid.bit(1).eq(k as u32);
        m.assert(&format!("answers_go_to_their_master_{k}"), writer.bvalid.eq(axi.bvalid & mine));
        let same = writer.bresp.eq(axi.bresp) & writer.bid.eq(axi.bid.truncate(1));
        m.assert(&format!("answers_are_not_changed_{k}"), !writer.bvalid | same);
        m.assert(
            &format!("their_master_takes_answers_{k}"),
            !(axi.bvalid & mine) | axi.bready.eq(writer.bready),
        );
    }
    m.cover("reached_data_of_the_second_master", ends & turns.next);
}

impl Module for Proved {
    type In = ProvedIn<UInt>;
    type Out = Empty<UInt>;

    fn inputs(&self) -> ProvedIn<Shape> {
        ProvedIn { share: self.share.inputs() }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: ProvedIn<UInt>) -> Empty<UInt> {
        m.instance("dut", &self.share).connect(i.share.clone());
        claim_reads(m, &i.share.readers, &i.share.axi.read());
        claim_writes(m, &i.share.writers, &i.share.axi.write());
        Empty::new()
    }
}
