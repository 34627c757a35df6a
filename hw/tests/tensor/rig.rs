//! The tensor unit and the core's word port at a memory behind AXI4, with the core's side in the test's hand.

use ferrite_hdl::prelude::*;
use ferrite_hw::axi::{
    AxiBus, AxiMemory, AxiMemoryIn, AxiReadBus, AxiShare, AxiWidths, AxiWriteBus, ErrorRegion, WordPort,
    assert_read_rules, assert_write_rules,
};
use ferrite_hw::compute::ComputeConfig;
use ferrite_hw::core::{Bus, CoprocessorPort};
use ferrite_hw::tensor::{TensorUnit, TensorUnitOut};
use ferrite_hw::unit::UnitConfig;
use ferrite_model::unit::Record;
use ferrite_sim::Sim;

/// Bytes of the memory, which begins at address 0.
pub const MEMORY_BYTES: u32 = 64 << 10;

/// Cycles after which an instruction or an access is said to hang.
const MOST_CYCLES: u64 = 200_000;

#[derive(Clone, Debug, Bundle)]
pub struct SystemIn<T> {
    pub coprocessor: CoprocessorPort<T>,
    pub bus: Bus<T>,
    pub stall: T,
    pub seed: T,
    pub error: ErrorRegion<T>,
}

#[module]
pub struct System {
    pub unit: UnitConfig,
}

impl Module for System {
    type In = SystemIn<UInt>;
    type Out = TensorUnitOut<UInt>;

    fn inputs(&self) -> SystemIn<Shape> {
        SystemIn {
            coprocessor: CoprocessorPort::shape(),
            bus: Bus::shape(),
            stall: bit(),
            seed: bits(32),
            error: ErrorRegion { start: bits(32), bytes: bits(32) },
        }
    }
    fn outputs(&self) -> TensorUnitOut<Shape> {
        TensorUnitOut { interrupt: bit() }
    }
    fn build(&self, m: &Builder, i: SystemIn<UInt>) -> TensorUnitOut<UInt> {
        let widths = self.unit.axi;
        let share = AxiShare { widths, readers: 3, writers: 2 };
        let shared = share.shared_widths();
        let share = m.instance("share", &share).i;
        let word = m.instance("word", &WordPort { widths }).i;
        let tensor = m.instance("tensor", &TensorUnit { unit: self.unit });
        let memory = AxiMemory::new(shared, MEMORY_BYTES / shared.beat_bytes());
        let AxiMemoryIn { axi, stall, seed, error } = m.instance("memory", &memory).i;
        m.connect(word.bus, i.bus);
        m.connect(tensor.i.coprocessor, i.coprocessor);
        // What each master sees must keep the rules, as if it were alone.
        let outstanding = self.unit.dma().outstanding;
        let masters = [("words", word.read), ("lists", tensor.i.lists), ("loads", tensor.i.read)];
        for (to, (name, from)) in share.readers.into_iter().zip(masters) {
            let rules = m.instance(&format!("rules_of_{name}"), &ReadRules { widths, outstanding }).i;
            m.connect(rules.master, from);
            m.connect(to, rules.slave);
        }
        for (to, (name, from)) in
            share.writers.into_iter().zip([("word_stores", word.write), ("stores", tensor.i.write)])
        {
            let rules = m.instance(&format!("rules_of_{name}"), &WriteRules { widths, outstanding }).i;
            m.connect(rules.master, from);
            m.connect(to, rules.slave);
        }
        let bus = m.wires("bus", AxiBus::shape(shared));
        m.connect(bus, share.axi);
        m.connect(axi, bus);
        stall.set(i.stall);
        seed.set(i.seed);
        m.connect(error, i.error);
        tensor.o
    }
}

/// Between a master that reads and its slave: asserts the rules.
#[module]
struct ReadRules {
    widths: AxiWidths,
    outstanding: u32,
}

#[derive(Clone, Copy, Debug, Bundle)]
struct ReadRulesIn<T> {
    master: AxiReadBus<T>,
    #[flip]
    slave: AxiReadBus<T>,
}

impl Module for ReadRules {
    type In = ReadRulesIn<UInt>;
    type Out = Empty<UInt>;

    fn inputs(&self) -> ReadRulesIn<Shape> {
        let bus = AxiReadBus::shape(self.widths);
        ReadRulesIn { master: bus, slave: bus }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: ReadRulesIn<UInt>) -> Empty<UInt> {
        let bus = m.wires("bus", AxiReadBus::shape(self.widths));
        m.connect(bus, i.master);
        m.connect(i.slave, bus);
        assert_read_rules(m, bus, self.widths, self.outstanding);
        Empty::new()
    }
}

/// The same of a master that writes.
#[module]
struct WriteRules {
    widths: AxiWidths,
    outstanding: u32,
}

#[derive(Clone, Copy, Debug, Bundle)]
struct WriteRulesIn<T> {
    master: AxiWriteBus<T>,
    #[flip]
    slave: AxiWriteBus<T>,
}

impl Module for WriteRules {
    type In = WriteRulesIn<UInt>;
    type Out = Empty<UInt>;

    fn inputs(&self) -> WriteRulesIn<Shape> {
        let bus = AxiWriteBus::shape(self.widths);
        WriteRulesIn { master: bus, slave: bus }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: WriteRulesIn<UInt>) -> Empty<UInt> {
        let bus = m.wires("bus", AxiWriteBus::shape(self.widths));
        m.connect(bus, i.master);
        m.connect(i.slave, bus);
        assert_write_rules(m, bus, self.widths, self.outstanding);
        Empty::new()
    }
}

/// `funct7` of the instructions, as the reference has them.
pub mod funct7 {
    pub const STATUS: u32 = 0;
    pub const FENCE: u32 = 1;
    pub const COUNTER: u32 = 2;
    pub const CLEAR: u32 = 3;
    pub const PUSH: u32 = 4;
    pub const RUN: u32 = 5;
    pub const INFO: u32 = 6;
    pub const INTERRUPT: u32 = 7;
}

/// The system as the core sees it.
pub struct Rig {
    pub sim: Sim<System>,
    memory: usize,
    beat_bytes: u32,
}

/// `R`, `C`, bytes of the scratchpad, accumulator rows, and the width of the port.
pub fn config([rows, cols, scratchpad_bytes, accumulator_rows, data_bits]: [u32; 5]) -> UnitConfig {
    let compute = ComputeConfig { rows, cols, scratchpad_bytes, accumulator_rows };
    UnitConfig { compute, axi: AxiWidths { data_bits, id_bits: 1 } }
}

impl Rig {
    /// With a memory that hesitates, if there is a seed.
    pub fn new(unit: UnitConfig, stall: Option<u32>) -> Rig {
        let mut sim = Sim::new(&System { unit }).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let memories = &sim.engine().flat().memories;
        let memory = memories.iter().position(|memory| memory.path == "memory.words").unwrap();
        sim.set(sim.i.seed, stall.unwrap_or(1) | 1);
        sim.reset();
        sim.set(sim.i.stall, i128::from(stall.is_some()));
        Rig { sim, memory, beat_bytes: unit.axi.beat_bytes() }
    }

    /// Writes bytes past the buses, at a multiple of a beat.
    pub fn write(&mut self, address: u32, bytes: &[u8]) {
        assert_eq!(address % self.beat_bytes, 0);
        let first = address / self.beat_bytes;
        for (k, bytes) in (first..).zip(bytes.chunks(self.beat_bytes as usize)) {
            let mut all = bytes.to_vec();
            all.resize(self.beat_bytes as usize, 0);
            let word = |part: &[u8]| part.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
            let words: Vec<u64> = all.chunks(8).map(word).collect();
            self.sim.engine().write_memory(self.memory, k, &Bits::from_words(8 * self.beat_bytes, &words));
        }
    }

    /// Reads bytes past the buses, from a multiple of a beat on.
    pub fn read(&mut self, address: u32, count: u32) -> Vec<u8> {
        let words = address / self.beat_bytes..(address + count).div_ceil(self.beat_bytes);
        let mut bytes: Vec<u8> = vec![];
        for word in words {
            let parts = self.sim.engine().read_memory(self.memory, word).to_words();
            let all: Vec<u8> = parts.iter().flat_map(|part| part.to_le_bytes()).collect();
            bytes.extend_from_slice(&all[..self.beat_bytes as usize]);
        }
        bytes.truncate(count as usize);
        bytes
    }

    /// Puts a list of commands into memory.
    pub fn place(&mut self, address: u32, records: &[Record]) {
        let bytes: Vec<u8> = records.iter().flatten().flat_map(|word| word.to_le_bytes()).collect();
        self.write(address, &bytes);
    }

    /// Reads and writes from `start` on fail.
    pub fn fail(&mut self, start: u32, bytes: u32) {
        let error = self.sim.i.error;
        self.sim.set(error.start, start);
        self.sim.set(error.bytes, bytes);
    }

    /// Gives an instruction, and waits for its answer.
    pub fn instruction(&mut self, funct7: u32, rs1: u32, rs2: u32) -> u32 {
        let port = self.sim.i.coprocessor;
        self.sim.set(port.command.valid, 1);
        self.sim.set(port.command.funct7, funct7);
        self.sim.set(port.command.rs1, rs1);
        self.sim.set(port.command.rs2, rs2);
        self.until("it is taken", |sim| sim.get(port.ready) == 1);
        self.sim.step();
        self.sim.set(port.command.valid, 0);
        self.until("it is answered", |sim| sim.get(port.response.valid) == 1);
        self.sim.get(port.response.data) as u32
    }

    /// Pushes a command.
    pub fn push(&mut self, record: &Record) {
        for pair in record.chunks(2) {
            self.instruction(funct7::PUSH, pair[0], pair[1]);
        }
    }

    /// The status word when all is done.
    pub fn fence(&mut self) -> u32 {
        self.instruction(funct7::FENCE, 0, 0)
    }

    /// A load or a store of the core: the word, or `None` if it was answered with an error.
    pub fn access(&mut self, address: u32, write: Option<(u32, u32)>) -> Option<u32> {
        let bus = self.sim.i.bus;
        let (data, mask) = write.unwrap_or((0, 0xF));
        self.sim.set(bus.request.valid, 1);
        self.sim.set(bus.request.addr, address);
        self.sim.set(bus.request.write, i128::from(write.is_some()));
        self.sim.set(bus.request.wdata, data);
        self.sim.set(bus.request.mask, mask);
        self.until("the access is taken", |sim| sim.get(bus.ready) == 1);
        self.sim.step();
        self.sim.set(bus.request.valid, 0);
        self.until("the access is answered", |sim| sim.get(bus.response.valid) == 1);
        let error = self.sim.get(bus.response.error) == 1;
        (!error).then(|| self.sim.get(bus.response.data) as u32)
    }

    fn until(&mut self, what: &str, holds: impl Fn(&mut Sim<System>) -> bool) {
        for _ in 0..MOST_CYCLES {
            if holds(&mut self.sim) {
                return;
            }
            self.sim.step();
        }
        panic!("not within {MOST_CYCLES} cycles: {what}");
    }

    pub fn interrupt(&mut self) -> bool {
        self.sim.get(self.sim.o.interrupt) == 1
    }
}
