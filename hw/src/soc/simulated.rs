//! A chip with a memory at its port, for simulation.

use ferrite_hdl::prelude::*;

use super::{Soc, SocIn, SocOut};
use crate::adapter::Axi4LiteBus;
use crate::axi::{AxiBus, AxiMemory, AxiMemoryIn, ErrorRegion};
use crate::config::ChipConfig;
use crate::map::EXTERNAL_BASE;

/// How fast a memory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MemoryTiming {
    /// Cycles from an address to its first data, and from the last data to the response; 2 or more.
    pub latency: u32,
    /// A beat passes in every so many cycles, each way.
    pub beat_cycles: u32,
}

impl Default for MemoryTiming {
    /// A latency of 20 cycles, and a beat in every cycle.
    fn default() -> MemoryTiming {
        MemoryTiming { latency: 20, beat_cycles: 1 }
    }
}

/// What makes the memory of a simulated chip slow or faulty.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct SimulatedMemoryIn<T> {
    /// Its channels are held back at random while this is high.
    pub stall: T,
    /// Where the random numbers begin, taken while `stall` is low; anything but 0.
    pub seed: T,
    /// Reads and writes in here fail.
    pub error: ErrorRegion<T>,
}

/// Inputs of the simulated chip: those of the chip, but the port to external memory.
#[derive(Clone, Copy, Debug, Bundle)]
#[allow(missing_docs)] // said at `SocIn`
pub struct SimulatedChipIn<T> {
    pub uart_rx: T,
    pub gpio_in: Option<T>,
    pub flash_miso: Option<T>,
    #[flip]
    pub user: Option<Axi4LiteBus<T>>,
    pub user_interrupt: Option<T>,
    /// The external memory, if there is any.
    pub memory: Option<SimulatedMemoryIn<T>>,
}

/// A chip, and a memory of the size of its external memory behind its AXI4 port, if it has one.
#[module]
pub struct SimulatedChip {
    /// The chip.
    pub chip: ChipConfig,
    /// How fast the memory is.
    pub timing: MemoryTiming,
}

impl SimulatedChip {
    /// The instance path of the external memory's words, each as wide as the port, as engines name memories.
    pub const EXTERNAL_WORDS: &'static str = "memory.words";

    /// With the default timing.
    pub fn new(chip: &ChipConfig) -> SimulatedChip {
        SimulatedChip { chip: chip.clone(), timing: MemoryTiming::default() }
    }

    fn soc(&self) -> Soc {
        Soc { chip: self.chip.clone() }
    }
}

impl Module for SimulatedChip {
    type In = SimulatedChipIn<UInt>;
    type Out = SocOut<UInt>;

    fn name(&self) -> String {
        self.chip.name.clone()
    }
    fn inputs(&self) -> SimulatedChipIn<Shape> {
        let SocIn { uart_rx, gpio_in, flash_miso, user, user_interrupt, external } = self.soc().inputs();
        let error = ErrorRegion { start: bits(32), bytes: bits(32) };
        let memory = external.map(|_| SimulatedMemoryIn { stall: bit(), seed: bits(32), error });
        SimulatedChipIn { uart_rx, gpio_in, flash_miso, user, user_interrupt, memory }
    }
    fn outputs(&self) -> SocOut<Shape> {
        self.soc().outputs()
    }
    fn build(&self, m: &Builder, i: SimulatedChipIn<UInt>) -> SocOut<UInt> {
        let soc = self.soc();
        let SimulatedChipIn { uart_rx, gpio_in, flash_miso, user, user_interrupt, memory } = i;
        let external = soc.external_widths().zip(memory).map(|(widths, memory)| {
            let words = self.chip.soc.external_bytes / widths.beat_bytes();
            let MemoryTiming { latency, beat_cycles } = self.timing;
            let module =
                AxiMemory { base: EXTERNAL_BASE, latency, beat_cycles, ..AxiMemory::new(widths, words) };
            let AxiMemoryIn { axi, stall, seed, error } = m.instance("memory", &module).i;
            let bus = m.wires("external", AxiBus::shape(widths));
            m.connect(axi, bus);
            stall.set(memory.stall);
            seed.set(memory.seed);
            m.connect(error, memory.error);
            bus
        });
        // The chip's own parts stand beside the memory: paths in waveforms are those of the chip.
        soc.build(m, SocIn { uart_rx, gpio_in, flash_miso, user, user_interrupt, external })
    }
}
