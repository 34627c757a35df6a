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
        // A word comes in the cycle after its request, as it was before that cycle's writes.
        let (known, value) = (m.delay("known_before", known), m.delay("value_before", value));
        for (k, port) in ports.read.iter().enumerate() {
            let asked = m.reg(&format!("asked_{k}"), 1).reset_to(0);
            asked.set(port.valid & port.ready);
            let watched = m.delay(&format!("watched_{k}"), port.address.eq(i.watched));
            m.assert(&format!("read_{k}_is_answered_in_a_cycle"), port.data_valid.eq(asked));
            let same = ((port.data ^ value) & wide(known)).eq(0);
            m.assert(&format!("read_{k}_reads_what_was_written"), !(asked & watched) | same);
        }
        Empty::new()
    }
}
