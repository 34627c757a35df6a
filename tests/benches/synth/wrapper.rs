//! What is synthesised: parts without the chip around them.

use ferrite_hdl::Module;
use ferrite_hdl::prelude::*;
use ferrite_hw::compute::Compute;
use ferrite_hw::core::{Core, CoreIn};
use ferrite_hw::dma::{DmaRead, DmaWrite};
use ferrite_hw::tensor::TensorUnit;

/// The core, whose RVFI port nobody reads: what reports instructions is left out, as in a chip on an FPGA. Its area is the core's.
#[module]
pub struct Bare {
    /// The core.
    pub core: Core,
}

impl Module for Bare {
    type In = CoreIn<UInt>;
    type Out = Empty<UInt>;

    fn inputs(&self) -> CoreIn<Shape> {
        self.core.inputs()
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: CoreIn<UInt>) -> Empty<UInt> {
        m.instance("core", &self.core).connect(i);
        Empty::new()
    }
}

/// The pins of [`Between`].
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Serial<T> {
    /// A bit in each cycle.
    pub bit: T,
}

/// A part of the chip of which area and speed are measured.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The core.
    Core(Core),
    /// What computes in the tensor unit.
    Compute(Compute),
    /// The whole tensor unit.
    Unit(TensorUnit),
    /// One of its DMA engines.
    Read(DmaRead),
    /// The other.
    Write(DmaWrite),
}

impl Part {
    /// The device, as nextpnr names it: of the ECP5 family one in which the part leaves room.
    pub fn device(&self) -> &'static str {
        match self {
            Part::Core(_) => "--25k",
            _ => "--85k",
        }
    }
}

/// A part between registers, for its speed: every input comes from a register and every output goes to one, so that paths to pins do
/// not count, and two pins are enough. The registers of the inputs are filled a bit at a time; those of the outputs go into one
/// bit, by a chain of which every link is registered.
#[module]
pub struct Between {
    /// What is between them.
    pub part: Part,
}

impl Module for Between {
    type In = Serial<UInt>;
    type Out = Serial<UInt>;

    fn inputs(&self) -> Serial<Shape> {
        Serial { bit: bit() }
    }
    fn outputs(&self) -> Serial<Shape> {
        Serial { bit: bit() }
    }
    fn build(&self, m: &Builder, i: Serial<UInt>) -> Serial<UInt> {
        match &self.part {
            Part::Core(core) => between(m, i, &Bare { core: core.clone() }),
            Part::Compute(compute) => between(m, i, compute),
            Part::Unit(unit) => between(m, i, unit),
            Part::Read(read) => between(m, i, read),
            Part::Write(write) => between(m, i, write),
        }
    }
}

/// The module of [`Between`].
fn between<M: Module>(m: &Builder, i: Serial<UInt>, module: &M) -> Serial<UInt> {
    let bare = m.instance("bare", module);
    let (mut outputs, inputs): (Vec<_>, Vec<_>) = bare.i.leaves().into_iter().partition(|leaf| leaf.flipped);
    outputs.extend(bare.o.leaves());

    let driver = m.reg("driver", inputs.iter().map(|leaf| leaf.value.width()).sum::<u32>());
    driver.set(driver.slice(0, driver.width() - 1).concat(i.bit));
    let mut low = 0;
    for leaf in &inputs {
        leaf.value.set(driver.slice(low, leaf.value.width()));
        low += leaf.value.width();
    }

    let seen = m.delay("seen", concat(outputs.iter().map(|leaf| leaf.value)));
    let folded = m.reg("folded", seen.width());
    folded.set(seen ^ folded.slice(0, folded.width() - 1).concat(m.constant(Bits::zero(1))));
    Serial { bit: folded.msb() }
}
