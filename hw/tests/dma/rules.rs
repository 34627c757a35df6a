//! That the rules notice who breaks them.

use ferrite_hdl::prelude::*;
use ferrite_hw::axi::{AxiReadBus, AxiWidths, AxiWriteBus, assert_read_rules, assert_write_rules};
use ferrite_sim::{Sim, StepError};

const AXI: AxiWidths = AxiWidths { data_bits: 64, id_bits: 1 };
/// Bursts that may be open.
const OUTSTANDING: u32 = 2;

#[derive(Clone, Debug, Bundle)]
struct WatchIn<T> {
    /// The channels' signals, in the order of the bundle.
    signals: Vec<T>,
}

/// The rules alone, for channels of which every signal is an input.
#[module]
struct Watch {
    writes: bool,
}

fn leaves<B: Bundle>(bus: B) -> Vec<B::Leaf> {
    bus.leaves().into_iter().map(|leaf| leaf.value).collect()
}

impl Module for Watch {
    type In = WatchIn<UInt>;
    type Out = Empty<UInt>;

    fn inputs(&self) -> WatchIn<Shape> {
        let signals = match self.writes {
            true => leaves(AxiWriteBus::shape(AXI)),
            false => leaves(AxiReadBus::shape(AXI)),
        };
        WatchIn { signals }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: WatchIn<UInt>) -> Empty<UInt> {
        let mut signals = i.signals.into_iter();
        let mut next = |_: Shape| signals.next().unwrap();
        match self.writes {
            true => assert_write_rules(m, AxiWriteBus::shape(AXI).map(&mut next), AXI, OUTSTANDING),
            false => assert_read_rules(m, AxiReadBus::shape(AXI).map(&mut next), AXI, OUTSTANDING),
        }
        Empty::new()
    }
}

/// The rule that the cycles break.
fn broken(writes: bool, cycles: Vec<Vec<i64>>) -> Option<String> {
    let mut sim = Sim::new(&Watch { writes }).unwrap();
    for values in cycles {
        for (k, value) in values.into_iter().enumerate() {
            let port = sim.i.signals[k];
            sim.set(port, value);
        }
        if let Err(StepError::Check { path, .. }) = sim.engine().step(1) {
            return Some(path);
        }
    }
    None
}

fn read_breaks(cycles: &[AxiReadBus<i64>]) -> Option<String> {
    broken(false, cycles.iter().map(|cycle| leaves(*cycle)).collect())
}

fn write_breaks(cycles: &[AxiWriteBus<i64>]) -> Option<String> {
    broken(true, cycles.iter().map(|cycle| leaves(*cycle)).collect())
}

#[test]
fn who_breaks_a_rule_of_reads_is_told_which() {
    let idle = AxiReadBus::shape(AXI).map(|_| 0i64);
    let ask = AxiReadBus { arvalid: 1, arready: 1, araddr: 4096 - 16, arlen: 1, ..idle };
    let beat = AxiReadBus { rvalid: 1, rready: 1, ..idle };
    let last = AxiReadBus { rlast: 1, ..beat };
    let waits = AxiReadBus { arready: 0, ..ask };
    assert_eq!(read_breaks(&[ask, beat, last, waits, ask, ask, beat, last, beat, last]), None);
    let rule = |cycles: &[AxiReadBus<i64>]| read_breaks(cycles).unwrap_or_default();
    assert_eq!(rule(&[AxiReadBus { arlen: 2, ..ask }]), "ar_in_a_page");
    assert_eq!(rule(&[waits, idle]), "ar_valid_stays");
    assert_eq!(rule(&[waits, AxiReadBus { araddr: 0, ..ask }]), "ar_is_stable");
    assert_eq!(
        rule(&[ask, AxiReadBus { rready: 0, ..beat }, AxiReadBus { rdata: 1, ..beat }]),
        "r_is_stable"
    );
    assert_eq!(rule(&[ask, last]), "r_last_in_its_place");
    assert_eq!(rule(&[ask, beat, beat]), "r_last_in_its_place");
    assert_eq!(rule(&[ask, beat, last, last]), "r_follows_ar");
    assert_eq!(rule(&[ask, ask, ask, idle]), "ar_outstanding");
}

#[test]
fn who_breaks_a_rule_of_writes_is_told_which() {
    let idle = AxiWriteBus::shape(AXI).map(|_| 0i64);
    let ask = AxiWriteBus { awvalid: 1, awready: 1, awaddr: 4096 - 16, awlen: 1, ..idle };
    let beat = AxiWriteBus { wvalid: 1, wready: 1, wstrb: 255, ..idle };
    let last = AxiWriteBus { wlast: 1, ..beat };
    let answer = AxiWriteBus { bvalid: 1, bready: 1, ..idle };
    assert_eq!(
        write_breaks(&[ask, beat, last, answer, ask, ask, beat, last, answer, beat, last, answer]),
        None
    );
    // Data of a burst may pass before its address does.
    let offered = AxiWriteBus { awready: 0, ..ask };
    let with = |beat: AxiWriteBus<i64>| AxiWriteBus { awvalid: 1, awaddr: ask.awaddr, awlen: 1, ..beat };
    assert_eq!(write_breaks(&[offered, with(beat), with(last), ask, answer]), None);
    let rule = |cycles: &[AxiWriteBus<i64>]| write_breaks(cycles).unwrap_or_default();
    assert_eq!(rule(&[AxiWriteBus { awlen: 2, ..ask }]), "aw_in_a_page");
    assert_eq!(rule(&[AxiWriteBus { awready: 0, ..ask }, idle]), "aw_valid_stays");
    let waits = AxiWriteBus { wready: 0, ..beat };
    assert_eq!(rule(&[ask, waits, AxiWriteBus { wdata: 1, ..beat }]), "w_is_stable");
    assert_eq!(rule(&[ask, waits, AxiWriteBus { wstrb: 1, ..beat }]), "w_is_stable");
    assert_eq!(rule(&[ask, waits, idle]), "w_valid_stays");
    assert_eq!(rule(&[ask, beat, beat]), "w_last_in_its_place");
    assert_eq!(rule(&[ask, last]), "w_last_in_its_place");
    assert_eq!(rule(&[beat]), "w_follows_aw");
    assert_eq!(rule(&[ask, beat, last, last]), "w_follows_aw");
    assert_eq!(rule(&[ask, beat, answer]), "b_follows_last_w");
    assert_eq!(rule(&[ask, beat, last, answer, answer]), "b_follows_last_w");
    assert_eq!(
        rule(&[offered, with(beat), with(last), AxiWriteBus { awready: 0, ..with(answer) }]),
        "b_follows_aw"
    );
    assert_eq!(rule(&[ask, beat, last, ask, beat, last, ask, idle]), "aw_outstanding");
}
