//! Both engines, a memory behind AXI4 with its rules checked, and a scratchpad.

use ferrite_hdl::prelude::*;
use ferrite_hw::axi::{
    AxiMemory, AxiMemoryIn, AxiReadBus, AxiWriteBus, ErrorRegion, assert_read_rules, assert_write_rules,
};
use ferrite_hw::dma::{DescriptorStream, DmaConfig, DmaRead, DmaReadOut, DmaWrite, DmaWriteOut};

/// How an engine is stopped and started.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Control<T> {
    pub abort: T,
    pub clear: T,
}

#[derive(Clone, Copy, Debug, Bundle)]
pub struct SystemIn<T> {
    pub reads: DescriptorStream<T>,
    pub writes: DescriptorStream<T>,
    pub read_control: Control<T>,
    pub write_control: Control<T>,
    /// The memory and the scratchpad hesitate.
    pub stall: T,
    pub seed: T,
    pub error: ErrorRegion<T>,
}

#[derive(Clone, Copy, Debug, Bundle)]
pub struct SystemOut<T> {
    pub read: DmaReadOut<T>,
    pub write: DmaWriteOut<T>,
}

/// The engines under test and what they move data between.
#[module]
pub struct System {
    pub config: DmaConfig,
    /// Beats.
    pub memory_words: u32,
    /// Cycles from a scratchpad word's request to its data; 1 or more.
    pub scratch_cycles: u32,
}

impl System {
    fn read(&self) -> DmaRead {
        DmaRead { config: self.config }
    }
    fn write(&self) -> DmaWrite {
        DmaWrite { config: self.config }
    }
}

impl Module for System {
    type In = SystemIn<UInt>;
    type Out = SystemOut<UInt>;

    fn inputs(&self) -> SystemIn<Shape> {
        let control = Control { abort: bit(), clear: bit() };
        SystemIn {
            reads: self.read().inputs().descriptors,
            writes: self.write().inputs().descriptors,
            read_control: control,
            write_control: control,
            stall: bit(),
            seed: bits(32),
            error: ErrorRegion { start: bits(32), bytes: bits(32) },
        }
    }
    fn outputs(&self) -> SystemOut<Shape> {
        SystemOut { read: self.read().outputs(), write: self.write().outputs() }
    }
    fn build(&self, m: &Builder, i: SystemIn<UInt>) -> SystemOut<UInt> {
        let config = self.config;
        let read = m.instance("reader", &self.read());
        let write = m.instance("writer", &self.write());
        let memory = m.instance("memory", &AxiMemory::new(config.axi, self.memory_words)).i;
        let AxiMemoryIn { axi, stall, seed, error } = memory;
        let read_bus = m.wires("read_bus", AxiReadBus::shape(config.axi));
        let write_bus = m.wires("write_bus", AxiWriteBus::shape(config.axi));
        m.connect(read_bus, read.i.axi);
        m.connect(write_bus, write.i.axi);
        m.connect(axi.read(), read_bus);
        m.connect(axi.write(), write_bus);
        stall.set(i.stall);
        seed.set(i.seed);
        m.connect(error, i.error);
        assert_read_rules(m, read_bus, config.axi, config.outstanding);
        assert_write_rules(m, write_bus, config.axi, config.outstanding);

        m.connect(read.i.descriptors, i.reads);
        m.connect(write.i.descriptors, i.writes);
        read.i.abort.set(i.read_control.abort);
        read.i.clear.set(i.read_control.clear);
        write.i.abort.set(i.write_control.abort);
        write.i.clear.set(i.write_control.clear);

        let scratch = m.memory("scratch", 1 << config.address_bits, 8 * config.word_bytes);
        let random = m.reg("random", 32);
        let mixed = random ^ (random << 7u32);
        m.when(i.stall, || random.set(mixed ^ (mixed >> 9u32))).otherwise(|| random.set(i.seed));
        wire!(m, takes_words = !(i.stall & random.bit(2)));
        read.i.words.ready.set(takes_words);
        m.when(read.i.words.valid & takes_words, || {
            scratch.write(read.i.words.address, read.i.words.data);
        });
        wire!(m, gives_words = !(i.stall & random.bit(7)));
        write.i.read.ready.set(gives_words);
        wire!(m, asked = write.i.read.valid & gives_words);
        let mut valid = m.delay("asked_1", asked);
        let mut word = scratch.read("word_1", write.i.read.address);
        for k in 2..=self.scratch_cycles {
            valid = m.delay(&format!("asked_{k}"), valid);
            word = m.delay(&format!("word_{k}"), word);
        }
        write.i.read.data_valid.set(valid);
        write.i.read.data.set(word);
        SystemOut { read: read.o, write: write.o }
    }
}
