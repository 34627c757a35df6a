//! DMA between external memory behind AXI4 and a scratchpad (`docs/dma.md`).
//!
//! ```text
//! DmaRead      +------+ runs    +-------+ bursts
//! descriptors  | walk | --+---> | split | ------> AR
//!         ---> +------+   |     +-------+
//!                         v queue
//!                     +-------+ chunks  +--------+ words
//!             R ----> | align | ------> | resize | ------> scratchpad
//!                     +-------+         +--------+
//!
//! DmaWrite     +------+ runs    +-------+ bursts
//! descriptors  | walk | --+---> | split | ---+--> AW
//!         ---> +------+   |     +-------+    |
//!                         v queue            v queue
//!                     +-------+   +--------+   +-------+
//!    scratchpad <---> | fetch |-> | resize |-> | shift |-> W
//!                     +-------+   +--------+   +-------+
//! ```
//!
//! Addresses are made in one process and data are moved in another, with queues between, so that the addresses of the next run or descriptor
//! are on their way while the data of the last come in.

mod align;
mod chunk;
mod descriptor;
mod fetch;
mod halt;
mod read;
mod resize;
mod shift;
mod split;
mod walk;
mod write;

pub use align::{Align, AlignIn, AlignOut};
pub use chunk::{Chunk, ChunkStream, Moved};
pub use descriptor::{Descriptor, DescriptorStream, Run, RunStream, Span};
pub use fetch::{Fetch, FetchIn, FetchOut, WordRead};
pub use halt::DmaStatus;
pub use read::{DmaRead, DmaReadIn, DmaReadOut, WordWrite};
pub use resize::{Resize, ResizeIn};
pub use shift::{Shift, ShiftIn, ShiftOut};
pub use split::{BurstStream, Split, SplitIn, SplitOut};
pub use walk::{Walk, WalkIn};
pub use write::{DmaWrite, DmaWriteIn, DmaWriteOut};

use crate::axi::{AxiWidths, MAX_BURST_BEATS, PAGE_BYTES};

/// Sizes of a DMA engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DmaConfig {
    /// Widths of the AXI4 port.
    pub axi: AxiWidths,
    /// Bytes of a scratchpad word: 8, 16 or 32.
    pub word_bytes: u32,
    /// Bits of a scratchpad address, which counts words.
    pub address_bits: u32,
    /// Bursts that may be open; a power of two from 2 on.
    pub outstanding: u32,
    /// Most beats of a burst: 1 to 256.
    pub burst_beats: u32,
}

/// Bits of the bytes of a run.
const RUN_BITS: u32 = 16;

impl DmaConfig {
    /// With 8 open bursts of up to 16 beats.
    pub fn new(axi: AxiWidths, word_bytes: u32, address_bits: u32) -> DmaConfig {
        DmaConfig { axi, word_bytes, address_bits, outstanding: 8, burst_beats: 16 }
    }

    /// Bits of an address in beats.
    fn beat_address_bits(&self) -> u32 {
        32 - self.axi.offset_bits()
    }

    /// Bits of the beats in which a run lies.
    fn beats_bits(&self) -> u32 {
        RUN_BITS + 1 - self.axi.offset_bits()
    }

    /// Beats of a page.
    fn page_beats(&self) -> u32 {
        PAGE_BYTES / self.axi.beat_bytes()
    }

    /// Most beats of a burst.
    fn longest_burst(&self) -> u32 {
        self.burst_beats.clamp(1, MAX_BURST_BEATS.min(self.page_beats()))
    }

    /// Runs that wait for their data: one for each open burst, and those around them.
    fn run_depth(&self) -> u32 {
        2 * self.outstanding
    }

    /// What tells modules of different sizes apart.
    fn suffix(&self) -> String {
        let DmaConfig { axi, word_bytes, address_bits, outstanding, burst_beats } = self;
        let AxiWidths { data_bits, id_bits } = axi;
        format!("{data_bits}i{id_bits}_{word_bytes}a{address_bits}_{outstanding}x{burst_beats}")
    }
}
