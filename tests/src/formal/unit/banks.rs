//! The scratchpad's banks: who waits for whom, and that all ports together are one memory.

use ferrite_hdl::prelude::*;
use ferrite_hw::compute::{Banks, BanksIn};

use super::chosen_once;

/// What the solver chooses in every cycle.
#[derive(Clone, Debug, Bundle)]
pub struct ProvedIn<T> {
    /// All ports.
    pub ports: BanksIn<T>,
    /// The address that is watched.
    pub watched: T,
}

/// The banks with their claims.
#[module]
pub struct Proved {
    /// The banks.
    pub banks: Banks,
}

/// Claims that the first port never waits, and that each other one waits only while one before it goes.
fn claim_grants(m: &Builder, kind: &str, ports: &[(UInt, UInt)]) {
    for (k, (valid, ready)) in ports.iter().enumerate() {
        let earlier = ports[..k].iter().map(|(valid, ready)| *valid & *ready).reduce(|a, b| a | b);
        let may_wait = earlier.unwrap_or(m.constant(Bits::zero(1)));
        m.assert(&format!("{kind}_{k}_waits_for_an_earlier_one_only"), !(*valid & !*ready) | may_wait);
    }
}

impl Module for Proved {
    type In = ProvedIn<UInt>;
    type Out = Empty<UInt>;

    fn inputs(&self) -> ProvedIn<Shape> {
        ProvedIn { ports: self.banks.inputs(), watched: bits(self.banks.config.word_address_bits()) }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: ProvedIn<UInt>) -> Empty<UInt> {
        let ports = i.ports;
        m.instance("dut", &self.banks).connect(ports.clone());
        let reads: Vec<_> = ports.read.iter().map(|port| (port.valid, port.ready)).collect();
        let writes: Vec<_> = ports.write.iter().map(|port| (port.valid, port.ready)).collect();
        claim_grants(m, "read", &reads);
        claim_grants(m, "write", &writes);

        // The watched word, byte by byte, as far as it has been written.
        chosen_once(m, "watched", i.watched);
        let bytes = self.banks.config.word_bytes();
        let known = m.reg("known", bytes).reset_to(0);
        let value = m.reg("value", 8 * bytes);
        let wide = |mask: UInt| concat(mask.to_bits().into_iter().rev().map(|bit| bit.repeat(8)));
        for port in &ports.write {
            m.when(port.valid & port.ready & port.address.eq(i.watched), || {
                known.set(known | port.mask);
                value.set((value & !wide(port.mask)) | (port.data & wide(port.mask)));
            });
        }
        let fires = |at: usize| {
            let port = &ports.write[at];
            port.valid & port.ready & port.address.eq(i.watched)
        };
        for other in 1..ports.write.len() {
            let earlier = (0..other).map(fires).reduce(|a, b| a | b).expect("there is one before");
            m.assert(&format!("write_{other}_is_alone_at_its_word"), !(fires(other) & earlier));
        }
        // A word comes in the cycle after its request, or at all ports but the first in the one after that, as it was before its
        // request's cycle. Bytes that are written in that cycle may be anything, but no others. The first port gives 0 where no word comes.
        let written = ports
            .write
            .iter()
            .map(|port| (port.valid & port.ready & port.address.eq(i.watched)).repeat(bytes) & port.mask);
        let written = written.reduce(|a, b| a | b).expect("a port writes");
        let wanted = (known & !written).concat(value);
        for (k, port) in ports.read.iter().enumerate() {
            let named = |what: &str, late: usize| format!("{what}_{k}_{late}");
            let way = if k == 0 { 1 } else { 2 };
            let begins = (port.valid & port.ready, port.address.eq(i.watched), wanted);
            let (asked, watched, wanted) = (0..way).fold(begins, |(asked, watched, wanted), late| {
                let still = m.reg(&named("asked", late), 1).reset_to(0);
                still.set(asked);
                let watched = m.delay(&named("at_watched", late), watched);
                (still, watched, m.delay(&named("wanted", late), wanted))
            });
            m.assert(&format!("read_{k}_is_answered_in_time"), port.data_valid.eq(asked));
            let (known, value) = (wanted.slice(8 * bytes, bytes), wanted.truncate(8 * bytes));
            let same = ((port.data ^ value) & wide(known)).eq(0);
            m.assert(&format!("read_{k}_reads_what_was_written"), !(asked & watched) | same);
            if way == 1 {
                m.assert(&format!("read_{k}_is_0_without_a_word"), port.data_valid | !port.data.any());
            }
        }
        Empty::new()
    }
}
