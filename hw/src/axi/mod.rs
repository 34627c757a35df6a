//! AXI4 (AMBA AXI Protocol Specification, IHI 0022): the signals of a port, a memory behind one, and the rules as assertions.
//!
//! Bursts are all of one kind, and so these signals are not carried; what stands at the border of a chip ties them to constants:
//! `AxSIZE` the width of the data, `AxBURST` `INCR` (1), `AxLOCK` 0 (no exclusive accesses), `AxCACHE` `0b0011` (normal memory, not
//! cached, A4.4), `AxPROT` 0 (unprivileged, secure, data), `AxQOS` and `AxREGION` 0 (nobody here looks at them).

mod memory;
mod rules;
mod share;
mod word;

pub use memory::{AxiMemory, AxiMemoryIn, ErrorRegion};
pub use rules::{Obligation, Obligations, assert_read_rules, assert_write_rules, read_rules, write_rules};
pub use share::{AxiShare, AxiShareIn};
pub use word::{WordPort, WordPortIn};

use ferrite_hdl::prelude::*;

/// Bytes that no burst may leave: it lies in one block of them (IHI 0022, A3.4.1).
pub const PAGE_BYTES: u32 = 4096;

/// Most beats of a burst: `AxLEN` has 8 bits.
pub const MAX_BURST_BEATS: u32 = 256;

/// Widths of a port. Addresses have 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AxiWidths {
    /// Bits of a beat: 32, 64, 128 or 256.
    pub data_bits: u32,
    /// Bits of an identifier; 1 or more.
    pub id_bits: u32,
}

impl AxiWidths {
    /// Bytes of a beat.
    pub fn beat_bytes(self) -> u32 {
        self.data_bits / 8
    }

    /// Address bits within a beat.
    pub fn offset_bits(self) -> u32 {
        self.beat_bytes().ilog2()
    }
}

/// The channels for reads, as the slave sees them. Names and meanings are the specification's.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct AxiReadBus<T> {
    /// A burst is asked for.
    pub arvalid: T,
    /// It is taken.
    #[flip]
    pub arready: T,
    /// Who asks; comes back with the data.
    pub arid: T,
    /// Byte address of the first beat.
    pub araddr: T,
    /// Beats less 1.
    pub arlen: T,
    /// A beat is there.
    #[flip]
    pub rvalid: T,
    /// It is taken.
    pub rready: T,
    /// The identifier of its burst.
    #[flip]
    pub rid: T,
    /// The data; bits 7 to 0 are the lowest address.
    #[flip]
    pub rdata: T,
    /// `OKAY` (0), or an error: `SLVERR` (2) or `DECERR` (3).
    #[flip]
    pub rresp: T,
    /// It is the burst's last.
    #[flip]
    pub rlast: T,
}

/// The channels for writes, as the slave sees them. Names and meanings are the specification's.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct AxiWriteBus<T> {
    /// A burst is asked for.
    pub awvalid: T,
    /// It is taken.
    #[flip]
    pub awready: T,
    /// Who asks; comes back with the response.
    pub awid: T,
    /// Byte address of the first beat.
    pub awaddr: T,
    /// Beats less 1.
    pub awlen: T,
    /// A beat is there.
    pub wvalid: T,
    /// It is taken.
    #[flip]
    pub wready: T,
    /// The data; bits 7 to 0 are the lowest address.
    pub wdata: T,
    /// The bytes of the beat that are written; bit 0 is the lowest address.
    pub wstrb: T,
    /// It is the burst's last.
    pub wlast: T,
    /// A burst is answered.
    #[flip]
    pub bvalid: T,
    /// The answer is taken.
    pub bready: T,
    /// The identifier of the burst.
    #[flip]
    pub bid: T,
    /// `OKAY` (0), or an error: `SLVERR` (2) or `DECERR` (3).
    #[flip]
    pub bresp: T,
}

/// All channels, as the slave sees them. Names and meanings are those of [`AxiReadBus`] and [`AxiWriteBus`].
#[derive(Clone, Copy, Debug, Bundle)]
#[allow(missing_docs)] // said there
pub struct AxiBus<T> {
    pub awvalid: T,
    #[flip]
    pub awready: T,
    pub awid: T,
    pub awaddr: T,
    pub awlen: T,
    pub wvalid: T,
    #[flip]
    pub wready: T,
    pub wdata: T,
    pub wstrb: T,
    pub wlast: T,
    #[flip]
    pub bvalid: T,
    pub bready: T,
    #[flip]
    pub bid: T,
    #[flip]
    pub bresp: T,
    pub arvalid: T,
    #[flip]
    pub arready: T,
    pub arid: T,
    pub araddr: T,
    pub arlen: T,
    #[flip]
    pub rvalid: T,
    pub rready: T,
    #[flip]
    pub rid: T,
    #[flip]
    pub rdata: T,
    #[flip]
    pub rresp: T,
    #[flip]
    pub rlast: T,
}

impl AxiReadBus<Shape> {
    /// Of these widths.
    pub fn shape(widths: AxiWidths) -> AxiReadBus<Shape> {
        AxiReadBus {
            arvalid: bit(),
            arready: bit(),
            arid: bits(widths.id_bits),
            araddr: bits(32),
            arlen: bits(8),
            rvalid: bit(),
            rready: bit(),
            rid: bits(widths.id_bits),
            rdata: bits(widths.data_bits),
            rresp: bits(2),
            rlast: bit(),
        }
    }
}

impl AxiWriteBus<Shape> {
    /// Of these widths.
    pub fn shape(widths: AxiWidths) -> AxiWriteBus<Shape> {
        AxiWriteBus {
            awvalid: bit(),
            awready: bit(),
            awid: bits(widths.id_bits),
            awaddr: bits(32),
            awlen: bits(8),
            wvalid: bit(),
            wready: bit(),
            wdata: bits(widths.data_bits),
            wstrb: bits(widths.beat_bytes()),
            wlast: bit(),
            bvalid: bit(),
            bready: bit(),
            bid: bits(widths.id_bits),
            bresp: bits(2),
        }
    }
}

impl AxiBus<Shape> {
    /// Of these widths.
    pub fn shape(widths: AxiWidths) -> AxiBus<Shape> {
        AxiBus::of(AxiReadBus::shape(widths), AxiWriteBus::shape(widths))
    }
}

impl<T> AxiBus<T> {
    /// The channels for reads and for writes together.
    pub fn of(read: AxiReadBus<T>, write: AxiWriteBus<T>) -> AxiBus<T> {
        let AxiReadBus { arvalid, arready, arid, araddr, arlen, rvalid, rready, rid, rdata, rresp, rlast } =
            read;
        let AxiWriteBus {
            awvalid, awready, awid, awaddr, awlen, wvalid, wready, wdata, wstrb, wlast, ..
        } = write;
        let AxiWriteBus { bvalid, bready, bid, bresp, .. } = write;
        AxiBus {
            awvalid,
            awready,
            awid,
            awaddr,
            awlen,
            wvalid,
            wready,
            wdata,
            wstrb,
            wlast,
            bvalid,
            bready,
            bid,
            bresp,
            arvalid,
            arready,
            arid,
            araddr,
            arlen,
            rvalid,
            rready,
            rid,
            rdata,
            rresp,
            rlast,
        }
    }
}

impl<T: Copy> AxiBus<T> {
    /// The channels for reads.
    pub fn read(&self) -> AxiReadBus<T> {
        AxiReadBus {
            arvalid: self.arvalid,
            arready: self.arready,
            arid: self.arid,
            araddr: self.araddr,
            arlen: self.arlen,
            rvalid: self.rvalid,
            rready: self.rready,
            rid: self.rid,
            rdata: self.rdata,
            rresp: self.rresp,
            rlast: self.rlast,
        }
    }

    /// The channels for writes.
    pub fn write(&self) -> AxiWriteBus<T> {
        AxiWriteBus {
            awvalid: self.awvalid,
            awready: self.awready,
            awid: self.awid,
            awaddr: self.awaddr,
            awlen: self.awlen,
            wvalid: self.wvalid,
            wready: self.wready,
            wdata: self.wdata,
            wstrb: self.wstrb,
            wlast: self.wlast,
            bvalid: self.bvalid,
            bready: self.bready,
            bid: self.bid,
            bresp: self.bresp,
        }
    }
}
