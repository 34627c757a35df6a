//! The unit and a memory behind AXI4, with the rules of AXI4 checked.

use ferrite_hdl::library::Stream;
use ferrite_hdl::prelude::*;
use ferrite_hw::axi::{AxiBus, AxiMemory, AxiMemoryIn, ErrorRegion, assert_read_rules, assert_write_rules};
use ferrite_hw::unit::{Unit, UnitConfig, UnitIn, UnitOut};

#[derive(Clone, Debug, Bundle)]
pub struct SystemIn<T> {
    pub commands: Stream<T>,
    /// The memory hesitates.
    pub stall: T,
    pub seed: T,
    pub error: ErrorRegion<T>,
    pub clear: T,
    pub refuse: T,
    pub counter: T,
}

#[module]
pub struct System {
    pub config: UnitConfig,
    pub memory_bytes: u32,
}

impl Module for System {
    type In = SystemIn<UInt>;
    type Out = UnitOut<UInt>;

    fn inputs(&self) -> SystemIn<Shape> {
        SystemIn {
            commands: Stream::of(bits(64)),
            stall: bit(),
            seed: bits(32),
            error: ErrorRegion { start: bits(32), bytes: bits(32) },
            clear: bit(),
            refuse: bits(4),
            counter: bits(4),
        }
    }
    fn outputs(&self) -> UnitOut<Shape> {
        Unit { config: self.config }.outputs()
    }
    fn build(&self, m: &Builder, i: SystemIn<UInt>) -> UnitOut<UInt> {
        let axi = self.config.axi;
        let unit = m.instance("unit", &Unit { config: self.config });
        let UnitIn { commands, axi: port, clear, refuse, counter } = unit.i;
        m.connect(commands, i.commands);
        clear.set(i.clear);
        refuse.set(i.refuse);
        counter.set(i.counter);
        let memory = AxiMemory::new(axi, self.memory_bytes / axi.beat_bytes());
        let memory = m.instance("memory", &memory).i;
        let bus = m.wires("bus", AxiBus::shape(axi));
        m.connect(bus, port);
        let AxiMemoryIn { axi: slave, stall, seed, error } = memory;
        m.connect(slave, bus);
        stall.set(i.stall);
        seed.set(i.seed);
        m.connect(error, i.error);
        let outstanding = self.config.dma().outstanding;
        assert_read_rules(m, bus.read(), axi, outstanding);
        assert_write_rules(m, bus.write(), axi, outstanding);
        unit.o
    }
}
