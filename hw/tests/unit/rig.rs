//! The system with its memory as bytes.

use ferrite_hdl::{Bits, Design, elaborate};
use ferrite_hw::axi::AxiWidths;
use ferrite_hw::compute::ComputeConfig;
use ferrite_hw::unit::UnitConfig;
use ferrite_sim::{Native, NativeOptions, Port, Sim, Simulator};

use super::record::Record;
use super::system::System;

/// Cycles without an end after which a test gives up.
const MOST_CYCLES: u64 = 3_000_000;

pub struct Rig {
    pub sim: Sim<System>,
    pub config: UnitConfig,
    memory: usize,
}

/// What a run of commands took.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub cycles: u64,
    /// Cycles in which an activation row entered the array.
    pub multiplied: u64,
}

impl Run {
    /// Of the array's products in all cycles, those that the layer has.
    pub fn utilisation(&self, config: &UnitConfig, products: u64) -> f64 {
        let ComputeConfig { rows, cols, .. } = config.compute;
        products as f64 / (self.cycles * u64::from(rows * cols)) as f64
    }
}

/// An array of this size with memories as the default chip has them.
pub fn config(rows: u32, cols: u32) -> UnitConfig {
    let compute = ComputeConfig { rows, cols, scratchpad_bytes: 128 << 10, accumulator_rows: 1024 };
    UnitConfig { compute, axi: AxiWidths { data_bits: 128, id_bits: 2 } }
}

impl Rig {
    pub fn new(config: UnitConfig, memory_bytes: u32) -> Rig {
        Rig::on(config, memory_bytes, |design| {
            Box::new(Native::new(design, &NativeOptions::default()).unwrap())
        })
    }

    /// On another engine.
    pub fn on(
        config: UnitConfig,
        memory_bytes: u32,
        engine: impl FnOnce(&Design) -> Box<dyn Simulator>,
    ) -> Rig {
        let system = System { config, memory_bytes };
        let design = elaborate(&system).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let mut sim = Sim::on(&system, engine(&design));
        sim.reset();
        let memories = &sim.engine().flat().memories;
        let memory = memories.iter().position(|memory| memory.path == "memory.words").unwrap();
        Rig { sim, config, memory }
    }

    /// Writes whole beats.
    pub fn write(&mut self, address: u32, bytes: &[i8]) {
        let beat = self.config.axi.beat_bytes() as usize;
        assert_eq!(address as usize % beat, 0);
        for (k, bytes) in bytes.chunks(beat).enumerate() {
            let mut all = vec![0u8; beat];
            for (to, from) in all.iter_mut().zip(bytes) {
                *to = *from as u8;
            }
            let words: Vec<u64> =
                all.chunks(8).map(|part| u64::from_le_bytes(part.try_into().unwrap())).collect();
            let word = Bits::from_words(8 * beat as u32, &words);
            self.sim.engine().write_memory(self.memory, address / beat as u32 + k as u32, &word);
        }
    }

    pub fn read(&mut self, address: u32, count: u32) -> Vec<i8> {
        let beat = self.config.axi.beat_bytes();
        let mut bytes = Vec::new();
        for word in address / beat..(address + count).div_ceil(beat) {
            let words = self.sim.engine().read_memory(self.memory, word).to_words();
            let all: Vec<i8> = words.iter().flat_map(|word| word.to_le_bytes()).map(|b| b as i8).collect();
            bytes.extend_from_slice(&all[..beat as usize]);
        }
        let from = (address % beat) as usize;
        bytes[from..from + count as usize].to_vec()
    }

    fn set(&mut self, port: Port, value: impl Into<i128>) {
        self.sim.set(port, value);
    }

    /// The memory hesitates at random from now on.
    pub fn stall(&mut self, seed: u32) {
        self.set(self.sim.i.seed, seed | 1);
        self.sim.step();
        self.set(self.sim.i.stall, 1);
    }

    /// All counters.
    pub fn counters(&mut self) -> [u32; 16] {
        let (i, o) = (self.sim.i.clone(), self.sim.o);
        std::array::from_fn(|index| {
            self.set(i.counter, index as u32);
            self.sim.get(o.counter) as u32
        })
    }

    /// Gives commands, as fast as they are taken, until all is done.
    pub fn run(&mut self, records: &[Record]) -> Run {
        let pairs: Vec<u64> = records
            .iter()
            .flatten()
            .copied()
            .collect::<Vec<u32>>()
            .chunks(2)
            .map(|pair| u64::from(pair[0]) | u64::from(pair[1]) << 32)
            .collect();
        let (i, o) = (self.sim.i.clone(), self.sim.o);
        let mut run = Run { cycles: 0, multiplied: 0 };
        let mut pairs = pairs.into_iter().peekable();
        loop {
            self.set(i.commands.valid, i128::from(pairs.peek().is_some()));
            self.set(i.commands.data, pairs.peek().copied().unwrap_or(0));
            let ready = self.sim.get(i.commands.ready) == 1;
            let busy = self.sim.get(o.busy) == 1;
            if pairs.peek().is_none() && !busy {
                let (cause, number) = (self.sim.get(o.cause), self.sim.get(o.number));
                assert!(self.sim.get(o.error) == 0, "command {number} is refused: cause {cause}");
                return run;
            }
            run.cycles += 1;
            run.multiplied += self.sim.get(o.multiplies) as u64;
            assert!(run.cycles < MOST_CYCLES, "it does not end");
            if ready {
                pairs.next();
            }
            self.sim.step();
        }
    }
}
