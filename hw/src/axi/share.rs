//! Several masters at one AXI4 port.

use ferrite_hdl::library::{RoundRobinArbiter, one_hot_mux};
use ferrite_hdl::prelude::*;

use super::{AxiBus, AxiReadBus, AxiWidths, AxiWriteBus};
use crate::record::RecordQueue;

/// Bursts whose address has gone and whose data have not, of all masters.
const WRITES_UNDER_WAY: u32 = 16;

/// Addresses that wait for the slave.
const ADDRESSES: u32 = 2;

/// Ports of the module.
#[derive(Clone, Debug, Bundle)]
pub struct AxiShareIn<T> {
    /// Masters that read.
    pub readers: Vec<AxiReadBus<T>>,
    /// Masters that write.
    pub writers: Vec<AxiWriteBus<T>>,
    /// The port that they share.
    #[flip]
    pub axi: AxiBus<T>,
}

/// Leads the bursts of several masters to one port, in turn. A burst's identifier there is its master's identifier with the master's number above it, by which
/// answers find back (IHI 0022, A5.4); each master has its bursts answered as if it were alone.
///
/// Addresses pass through a queue. Write data follow in the order of their addresses (A5.4.1), straight from the master whose turn it is.
#[module]
pub struct AxiShare {
    /// Widths of the masters' ports.
    pub widths: AxiWidths,
    /// Masters that read.
    pub readers: usize,
    /// Masters that write.
    pub writers: usize,
}

/// The address of a burst.
#[derive(Clone, Copy, Debug, Bundle)]
struct Address<T> {
    id: T,
    address: T,
    len: T,
}

impl AxiShare {
    /// Bits of a master's number.
    fn number_bits(&self) -> u32 {
        index_width(self.readers.max(self.writers))
    }

    /// Widths of the port that is shared.
    pub fn shared_widths(&self) -> AxiWidths {
        AxiWidths { id_bits: self.widths.id_bits + self.number_bits(), ..self.widths }
    }

    fn address_shape(&self) -> Address<Shape> {
        Address { id: bits(self.shared_widths().id_bits), address: bits(32), len: bits(8) }
    }

    /// A constant that is a master's number.
    fn number(&self, m: &Builder, master: usize) -> UInt {
        m.constant(Bits::from_u64(self.number_bits(), master as u64))
    }

    /// Whether an identifier at the port is one of this master's.
    fn is_of(&self, id: UInt, master: usize) -> UInt {
        id.slice(self.widths.id_bits, self.number_bits()).eq(master as u32)
    }

    /// One of the offered addresses goes into a queue, while there is room for its master's number too.
    fn choose(&self, m: &Builder, name: &str, offers: &[Offer], room: Option<UInt>) -> Chosen {
        let queue = RecordQueue::new(m, &format!("{name}_addresses"), ADDRESSES, self.address_shape());
        let arbiter = RoundRobinArbiter { requesters: offers.len() as u32 };
        let arbiter = m.instance(&format!("{name}_arbiter"), &arbiter);
        arbiter.i.request.set(concat(offers.iter().rev().map(|offer| offer.valid)));
        let goes = room.map_or(queue.ready, |room| queue.ready & room);
        arbiter.i.advance.set(goes);
        let grant = arbiter.o.grant;
        let of = |value: fn(&Offer) -> UInt| {
            let values: Vec<UInt> = offers.iter().map(value).collect();
            one_hot_mux(grant, &values)
        };
        let numbers: Vec<UInt> = (0..offers.len()).map(|master| self.number(m, master)).collect();
        let number = m.node(&format!("{name}_number"), one_hot_mux(grant, &numbers));
        let id = number.concat(of(|offer| offer.id));
        let address = Address { id, address: of(|offer| offer.address), len: of(|offer| offer.len) };
        for (k, offer) in (0u32..).zip(offers) {
            offer.ready.set(goes & grant.bit(k));
        }
        let enters = m.node(&format!("{name}_enters"), grant.any() & goes);
        queue.put(room.map_or(grant.any(), |room| grant.any() & room), address);
        Chosen { enters, number, valid: queue.valid, front: queue.front, takes: queue.takes }
    }

    fn reads(&self, m: &Builder, readers: &[AxiReadBus<UInt>], axi: AxiReadBus<UInt>) {
        let offers: Vec<Offer> = readers
            .iter()
            .map(|r| Offer {
                valid: r.arvalid,
                ready: r.arready,
                id: r.arid,
                address: r.araddr,
                len: r.arlen,
            })
            .collect();
        let chosen = self.choose(m, "read", &offers, None);
        axi.arvalid.set(chosen.valid);
        chosen.takes.set(axi.arready);
        axi.arid.set(chosen.front.id);
        axi.araddr.set(chosen.front.address);
        axi.arlen.set(chosen.front.len);
        let ready = readers.iter().enumerate().map(|(master, reader)| {
            let mine = self.is_of(axi.rid, master);
            reader.rvalid.set(axi.rvalid & mine);
            reader.rid.set(axi.rid.truncate(self.widths.id_bits));
            reader.rdata.set(axi.rdata);
            reader.rresp.set(axi.rresp);
            reader.rlast.set(axi.rlast);
            mine & reader.rready
        });
        axi.rready.set(concat(ready.collect::<Vec<_>>()).any());
    }

    fn writes(&self, m: &Builder, writers: &[AxiWriteBus<UInt>], axi: AxiWriteBus<UInt>) {
        let offers: Vec<Offer> = writers
            .iter()
            .map(|w| Offer {
                valid: w.awvalid,
                ready: w.awready,
                id: w.awid,
                address: w.awaddr,
                len: w.awlen,
            })
            .collect();
        let turns = RecordQueue::new(m, "turns", WRITES_UNDER_WAY, Turn { number: bits(self.number_bits()) });
        let chosen = self.choose(m, "write", &offers, Some(turns.ready));
        turns.put(chosen.enters, Turn { number: chosen.number });
        axi.awvalid.set(chosen.valid);
        chosen.takes.set(axi.awready);
        axi.awid.set(chosen.front.id);
        axi.awaddr.set(chosen.front.address);
        axi.awlen.set(chosen.front.len);

        // Data of the burst whose address was first.
        let turn: Vec<UInt> =
            (0..writers.len()).map(|master| turns.valid & turns.front.number.eq(master as u32)).collect();
        let turn = m.node("turn", concat(turn.into_iter().rev()));
        let of = |value: fn(&AxiWriteBus<UInt>) -> UInt| {
            let values: Vec<UInt> = writers.iter().map(value).collect();
            one_hot_mux(turn, &values)
        };
        wire!(m, wvalid = of(|writer| writer.wvalid));
        axi.wvalid.set(wvalid);
        axi.wdata.set(of(|writer| writer.wdata));
        axi.wstrb.set(of(|writer| writer.wstrb));
        wire!(m, wlast = of(|writer| writer.wlast));
        axi.wlast.set(wlast);
        turns.takes.set(wvalid & axi.wready & wlast);

        let ready = writers.iter().enumerate().map(|(master, writer)| {
            writer.wready.set(turn.bit(master as u32) & axi.wready);
            let mine = self.is_of(axi.bid, master);
            writer.bvalid.set(axi.bvalid & mine);
            writer.bid.set(axi.bid.truncate(self.widths.id_bits));
            writer.bresp.set(axi.bresp);
            mine & writer.bready
        });
        axi.bready.set(concat(ready.collect::<Vec<_>>()).any());
    }
}

/// The number of the master whose write data are next.
#[derive(Clone, Copy, Debug, Bundle)]
struct Turn<T> {
    number: T,
}

/// An address that a master offers.
struct Offer {
    valid: UInt,
    ready: UInt,
    id: UInt,
    address: UInt,
    len: UInt,
}

/// The addresses of all masters in turn.
struct Chosen {
    /// One enters the queue.
    enters: UInt,
    /// Its master's number.
    number: UInt,
    valid: UInt,
    front: Address<UInt>,
    takes: UInt,
}

impl Module for AxiShare {
    type In = AxiShareIn<UInt>;
    type Out = Empty<UInt>;

    fn name(&self) -> String {
        format!("AxiShare_r{}w{}_{}", self.readers, self.writers, self.widths.data_bits)
    }
    fn inputs(&self) -> AxiShareIn<Shape> {
        AxiShareIn {
            readers: vec![AxiReadBus::shape(self.widths); self.readers],
            writers: vec![AxiWriteBus::shape(self.widths); self.writers],
            axi: AxiBus::shape(self.shared_widths()),
        }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: AxiShareIn<UInt>) -> Empty<UInt> {
        self.reads(m, &i.readers, i.axi.read());
        self.writes(m, &i.writers, i.axi.write());
        Empty::new()
    }
}
