//! AXI4-Lite (AMBA AXI Protocol Specification, IHI 0022, part B).
//!
//! There is at most one access without a response, as the core has it, and so neither identifiers nor an order among responses.

use super::{Responses, assume_one_at_a_time, started};
use crate::core::{Bus, BusResponse};
use ferrite_hdl::prelude::*;

/// `AxPROT` of instruction fetch: unprivileged, secure, instruction (IHI 0022, A4.7). The core's ports do not tell its mode.
const FETCH_PROT: u64 = 0b100;
/// `AxPROT` of loads and stores: unprivileged, secure, data.
const DATA_PROT: u64 = 0b000;

/// The channels of a master that only reads, as its slave sees them. Names and meanings are the specification's.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Axi4LiteReadBus<T> {
    /// A read is asked for.
    pub arvalid: T,
    /// It is taken.
    #[flip]
    pub arready: T,
    /// Byte address of the word, a multiple of 4.
    pub araddr: T,
    /// Bit 2: instruction; bits 1 and 0 are 0.
    pub arprot: T,
    /// The read is answered.
    #[flip]
    pub rvalid: T,
    /// The answer is taken: always.
    pub rready: T,
    /// The word.
    #[flip]
    pub rdata: T,
    /// `OKAY`, or an error: `SLVERR` or `DECERR`.
    #[flip]
    pub rresp: T,
}

/// The channels of a master, as its slave sees them. Names and meanings are the specification's.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Axi4LiteBus<T> {
    /// The address of a write is offered.
    pub awvalid: T,
    /// It is taken, before, with or after the data.
    #[flip]
    pub awready: T,
    /// Byte address of the word, a multiple of 4.
    pub awaddr: T,
    /// 0: unprivileged, secure, data.
    pub awprot: T,
    /// The data of a write are offered.
    pub wvalid: T,
    /// They are taken, before, with or after the address.
    #[flip]
    pub wready: T,
    /// The data, at their place in the word.
    pub wdata: T,
    /// The bytes of the word that are written; bit 0 is the lowest address.
    pub wstrb: T,
    /// The write is answered.
    #[flip]
    pub bvalid: T,
    /// The answer is taken: always.
    pub bready: T,
    /// `OKAY`, or an error: `SLVERR` or `DECERR`.
    #[flip]
    pub bresp: T,
    /// A read is asked for.
    pub arvalid: T,
    /// It is taken.
    #[flip]
    pub arready: T,
    /// Byte address of the word, a multiple of 4.
    pub araddr: T,
    /// 0: unprivileged, secure, data.
    pub arprot: T,
    /// The read is answered.
    #[flip]
    pub rvalid: T,
    /// The answer is taken: always.
    pub rready: T,
    /// The word.
    #[flip]
    pub rdata: T,
    /// `OKAY`, or an error: `SLVERR` or `DECERR`.
    #[flip]
    pub rresp: T,
}

impl Axi4LiteReadBus<Shape> {
    /// 32-bit addresses and words.
    pub fn shape() -> Axi4LiteReadBus<Shape> {
        Axi4LiteReadBus {
            arvalid: bit(),
            arready: bit(),
            araddr: bits(32),
            arprot: bits(3),
            rvalid: bit(),
            rready: bit(),
            rdata: bits(32),
            rresp: bits(2),
        }
    }
}

impl Axi4LiteBus<Shape> {
    /// 32-bit addresses and words.
    pub fn shape() -> Axi4LiteBus<Shape> {
        Axi4LiteBus {
            awvalid: bit(),
            awready: bit(),
            awaddr: bits(32),
            awprot: bits(3),
            wvalid: bit(),
            wready: bit(),
            wdata: bits(32),
            wstrb: bits(4),
            bvalid: bit(),
            bready: bit(),
            bresp: bits(2),
            arvalid: bit(),
            arready: bit(),
            araddr: bits(32),
            arprot: bits(3),
            rvalid: bit(),
            rready: bit(),
            rdata: bits(32),
            rresp: bits(2),
        }
    }
}

impl Axi4LiteBus<UInt> {
    /// The channels for reads.
    fn read(self) -> Axi4LiteReadBus<UInt> {
        let Axi4LiteBus { arvalid, arready, araddr, arprot, rvalid, rready, rdata, rresp, .. } = self;
        Axi4LiteReadBus { arvalid, arready, araddr, arprot, rvalid, rready, rdata, rresp }
    }
}

/// Ports of the adapter for instruction fetch.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Axi4LiteFetchIn<T> {
    /// The core.
    pub bus: Bus<T>,
    /// The slave.
    #[flip]
    pub axi: Axi4LiteReadBus<T>,
}

/// Instruction fetch as a master of AXI4-Lite that only reads.
#[module]
pub struct Axi4LiteFetch {
    /// When the core sees responses.
    pub responses: Responses,
}

impl Module for Axi4LiteFetch {
    type In = Axi4LiteFetchIn<UInt>;
    type Out = Empty<UInt>;

    fn name(&self) -> String {
        format!("Axi4LiteFetch{}", self.responses.suffix())
    }
    fn inputs(&self) -> Axi4LiteFetchIn<Shape> {
        Axi4LiteFetchIn { bus: Bus::shape(), axi: Axi4LiteReadBus::shape() }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: Axi4LiteFetchIn<UInt>) -> Empty<UInt> {
        let Axi4LiteFetchIn { bus, axi } = i;
        let started = started(m);
        let answer = read(m, axi, bus, started & bus.request.valid, FETCH_PROT);
        bus.ready.set(started & axi.arready);
        self.responses.pass(m, bus.response, answer.response);
        assume_one_at_a_time(m, bus, answer.open);
        m.assume("fetch_does_not_write", !(bus.request.valid & bus.request.write));
        Empty::new()
    }
}

/// Ports of the adapter for loads and stores.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Axi4LiteDataIn<T> {
    /// The core.
    pub bus: Bus<T>,
    /// The slave.
    #[flip]
    pub axi: Axi4LiteBus<T>,
}

/// Loads and stores as a master of AXI4-Lite. Address and data of a store are offered at once, and taken in any order.
#[module]
pub struct Axi4LiteData {
    /// When the core sees responses.
    pub responses: Responses,
}

impl Module for Axi4LiteData {
    type In = Axi4LiteDataIn<UInt>;
    type Out = Empty<UInt>;

    fn name(&self) -> String {
        format!("Axi4LiteData{}", self.responses.suffix())
    }
    fn inputs(&self) -> Axi4LiteDataIn<Shape> {
        Axi4LiteDataIn { bus: Bus::shape(), axi: Axi4LiteBus::shape() }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: Axi4LiteDataIn<UInt>) -> Empty<UInt> {
        let Axi4LiteDataIn { bus, axi } = i;
        let started = started(m);
        wire!(m, asks = started & bus.request.valid);
        let written = write(m, axi, bus, asks & bus.request.write);
        let read = read(m, axi.read(), bus, asks & !bus.request.write, DATA_PROT);
        bus.ready.set(started & bus.request.write.mux(written.ready, axi.arready));
        let response = BusResponse {
            valid: written.valid | read.response.valid,
            data: read.response.data,
            error: axi.bvalid.mux(written.error, read.response.error),
        };
        self.responses.pass(m, bus.response, response);
        assume_one_at_a_time(m, bus, written.open | read.open);
        Empty::new()
    }
}

/// A read as the core sees it.
struct Read {
    response: BusResponse<UInt>,
    /// One is without a response.
    open: UInt,
}

/// The channels for reads; `asks` says that a read is asked for.
fn read(m: &Builder, axi: Axi4LiteReadBus<UInt>, bus: Bus<UInt>, asks: UInt, prot: u64) -> Read {
    axi.arvalid.set(asks);
    axi.araddr.set(bus.request.addr);
    axi.arprot.set(prot);
    axi.rready.set(1);
    let open = m.reg("read_open", 1).reset_to(0);
    open.set((asks & axi.arready) | (open & !axi.rvalid));
    m.assume("read_responses_are_awaited", !axi.rvalid | open);
    Read { response: BusResponse { valid: axi.rvalid, data: axi.rdata, error: is_error(axi.rresp) }, open }
}

/// A write as the core sees it.
struct Written {
    /// What is left of it is taken.
    ready: UInt,
    /// It is answered.
    valid: UInt,
    /// With an error.
    error: UInt,
    /// One is without a response.
    open: UInt,
}

/// The channels for writes; `asks` says that a write is asked for.
fn write(m: &Builder, axi: Axi4LiteBus<UInt>, bus: Bus<UInt>, asks: UInt) -> Written {
    // What has been taken of the write that is asked for.
    let aw_taken = m.reg("aw_taken", 1).reset_to(0);
    let w_taken = m.reg("w_taken", 1).reset_to(0);
    axi.awvalid.set(asks & !aw_taken);
    axi.awaddr.set(bus.request.addr);
    axi.awprot.set(DATA_PROT);
    axi.wvalid.set(asks & !w_taken);
    axi.wdata.set(bus.request.wdata);
    axi.wstrb.set(bus.request.mask);
    axi.bready.set(1);
    wire!(m, aw_done = aw_taken | axi.awready);
    wire!(m, w_done = w_taken | axi.wready);
    wire!(m, write_ready = aw_done & w_done);
    aw_taken.set(asks & aw_done & !w_done);
    w_taken.set(asks & w_done & !aw_done);
    let open = m.reg("write_open", 1).reset_to(0);
    open.set((asks & write_ready) | (open & !axi.bvalid));
    m.assume("write_responses_are_awaited", !axi.bvalid | open);
    m.assert("half_a_write_is_not_withdrawn", !(aw_taken | w_taken) | asks);
    Written { ready: write_ready, valid: axi.bvalid, error: is_error(axi.bresp), open }
}

/// `SLVERR` is 2 and `DECERR` 3; `OKAY` is 0, and `EXOKAY`, 1, does not occur in AXI4-Lite (IHI 0022, B1.1.1).
fn is_error(resp: UInt) -> UInt {
    resp.bit(1)
}
