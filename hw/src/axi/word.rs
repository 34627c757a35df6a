//! The core's loads and stores as bursts of one beat.

use ferrite_hdl::prelude::*;

use super::{AxiReadBus, AxiWidths, AxiWriteBus};
use crate::core::Bus;

/// Ports of the module.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct WordPortIn<T> {
    /// The core.
    pub bus: Bus<T>,
    /// Its loads.
    #[flip]
    pub read: AxiReadBus<T>,
    /// Its stores.
    #[flip]
    pub write: AxiWriteBus<T>,
}

/// A master that reads or writes one word at a time, the data of a store behind its address. The core's request and the slave's answer each pass through a register. A store is answered when the
/// slave has answered it: whoever else reads the memory then finds it there.
#[module]
pub struct WordPort {
    /// Widths of the port.
    pub widths: AxiWidths,
}

/// Bits of a word.
const WORD_BITS: u32 = 32;

impl Module for WordPort {
    type In = WordPortIn<UInt>;
    type Out = Empty<UInt>;

    fn name(&self) -> String {
        format!("WordPort_{}", self.widths.data_bits)
    }
    fn inputs(&self) -> WordPortIn<Shape> {
        WordPortIn {
            bus: Bus::shape(),
            read: AxiReadBus::shape(self.widths),
            write: AxiWriteBus::shape(self.widths),
        }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: WordPortIn<UInt>) -> Empty<UInt> {
        let WordPortIn { bus, read, write } = i;
        let request = bus.request;
        let flag = |name| m.reg(name, 1).reset_to(0);
        // What is still to be offered of the access that is under way.
        let (busy, ar, aw, w) = (flag("busy"), flag("ar"), flag("aw"), flag("w"));
        let address = m.reg("address", 32);
        let data = m.reg("data", WORD_BITS);
        let mask = m.reg("mask", WORD_BITS / 8);
        bus.ready.set(!busy);
        m.when(request.valid & !busy, || {
            busy.set(1);
            ar.set(!request.write);
            aw.set(request.write);
            w.set(request.write);
            address.set(request.addr);
            data.set(request.wdata);
            mask.set(request.mask);
        });
        for (offered, ready) in [(ar, read.arready), (aw, write.awready), (w, write.wready & !aw)] {
            m.when(offered & ready, || offered.set(0));
        }

        let words = self.widths.data_bits / WORD_BITS;
        let beat = address.slice(2, 30).concat(Bits::zero(2));
        read.arvalid.set(ar);
        read.arid.set(0);
        read.araddr.set(beat);
        read.arlen.set(0);
        write.awvalid.set(aw);
        write.awid.set(0);
        write.awaddr.set(beat);
        write.awlen.set(0);
        // A word stands everywhere in the beat, and its bytes are written in its place.
        let place = (words > 1).then(|| address.slice(2, words.ilog2()));
        let strobes = (0..words).rev().map(|k| match place {
            Some(place) => place.eq(k).mux(mask, 0),
            None => mask,
        });
        write.wvalid.set(w & !aw);
        write.wdata.set(concat((0..words).map(|_| data)));
        write.wstrb.set(concat(strobes.collect::<Vec<_>>()));
        write.wlast.set(1);

        // `SLVERR` is 2 and `DECERR` is 3.
        read.rready.set(1);
        write.bready.set(1);
        wire!(m, ends = read.rvalid | write.bvalid);
        m.when(ends, || busy.set(0));
        let answered = flag("answered");
        answered.set(ends);
        let word = m.reg("word", WORD_BITS);
        let error = m.reg("error", 1);
        error.set(read.rvalid.mux(read.rresp.bit(1), write.bresp.bit(1)));
        let parts: Vec<UInt> = (0..words).map(|k| read.rdata.slice(WORD_BITS * k, WORD_BITS)).collect();
        let part = (1u32..).zip(&parts[1..]).fold(parts[0], |others, (k, part)| match place {
            Some(place) => place.eq(k).mux(*part, others),
            None => others,
        });
        word.set(part);
        bus.response.valid.set(answered);
        bus.response.data.set(word);
        bus.response.error.set(error);
        m.assume("answers_are_awaited", !ends | busy);
        Empty::new()
    }
}
