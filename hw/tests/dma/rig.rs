//! The system with its memories as bytes.

use ferrite_hdl::elaborate;
use ferrite_hdl::prelude::*;
use ferrite_hw::axi::AxiWidths;
use ferrite_hw::dma::DmaConfig;
use ferrite_sim::{Native, NativeOptions, Port, Sim, Simulator};

use super::plain::Descriptor;
use super::random::Random;
use super::system::System;

/// Bytes of external memory.
pub const MEMORY_BYTES: u32 = 32 << 10;
/// Bytes of the scratchpad.
pub const SCRATCH_BYTES: u32 = 32 << 10;

/// One of the engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Read,
    Write,
}

pub struct Rig {
    pub sim: Sim<System>,
    pub config: DmaConfig,
    memory: usize,
    scratch: usize,
    /// Descriptors that are done.
    pub done: [u32; 2],
}

pub fn config(data_bits: u32, word_bytes: u32) -> DmaConfig {
    let address_bits = (SCRATCH_BYTES / word_bytes).ilog2();
    DmaConfig::new(AxiWidths { data_bits, id_bits: 2 }, word_bytes, address_bits)
}

/// With a scratchpad that answers after two cycles.
pub fn system(config: DmaConfig) -> System {
    System { config, memory_words: MEMORY_BYTES / config.axi.beat_bytes(), scratch_cycles: 2 }
}

impl Rig {
    /// On the native engine, memories full of random bytes.
    pub fn new(config: DmaConfig, seed: u64) -> Rig {
        Rig::native(system(config), seed)
    }

    pub fn native(system: System, seed: u64) -> Rig {
        Rig::on(system, seed, |design| Box::new(Native::new(design, &NativeOptions::default()).unwrap()))
    }

    pub fn on(system: System, seed: u64, engine: impl FnOnce(&Design) -> Box<dyn Simulator>) -> Rig {
        let design = elaborate(&system).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let mut sim = Sim::on(&system, engine(&design));
        let memories = &sim.engine().flat().memories;
        let position = |path: &str| memories.iter().position(|memory| memory.path == path).unwrap();
        let (memory, scratch) = (position("memory.words"), position("scratch"));
        let mut rig = Rig { sim, config: system.config, memory, scratch, done: [0; 2] };
        rig.sim.reset();
        rig.randomise(seed);
        rig
    }

    fn randomise(&mut self, seed: u64) {
        let mut random = Random::new(seed);
        for memory in [self.memory, self.scratch] {
            let shape = &self.sim.engine().flat().memories[memory];
            let (depth, width) = (shape.depth, shape.width);
            for word in 0..depth {
                let half = || u64::from(random.word()) << 32 | u64::from(random.word());
                let words: Vec<u64> =
                    std::iter::repeat_with(half).take(width.div_ceil(64) as usize).collect();
                self.sim.engine().write_memory(memory, word, &Bits::from_words(width, &words));
            }
        }
    }

    fn bytes(&mut self, memory: usize) -> Vec<u8> {
        let shape = &self.sim.engine().flat().memories[memory];
        let (depth, width) = (shape.depth, shape.width);
        let mut all = Vec::new();
        for word in 0..depth {
            let words = self.sim.engine().read_memory(memory, word).to_words();
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            all.extend_from_slice(&bytes[..width as usize / 8]);
        }
        all
    }

    pub fn memory(&mut self) -> Vec<u8> {
        self.bytes(self.memory)
    }

    pub fn scratch(&mut self) -> Vec<u8> {
        self.bytes(self.scratch)
    }

    pub fn set(&mut self, port: Port, value: impl Into<i128>) {
        self.sim.set(port, value);
    }

    pub fn get(&mut self, port: Port) -> u64 {
        self.sim.get(port) as u64
    }

    /// The memory and the scratchpad hesitate at random from now on.
    pub fn stall(&mut self, seed: u64) {
        self.set(self.sim.i.seed, i128::from(seed as u32 | 1));
        self.step();
        self.set(self.sim.i.stall, 1);
    }

    pub fn fail_in(&mut self, start: u32, bytes: u32) {
        self.set(self.sim.i.error.start, start);
        self.set(self.sim.i.error.bytes, bytes);
    }

    /// A clock edge; counts what is done.
    pub fn step(&mut self) {
        self.done[0] += self.get(self.sim.o.read.done) as u32;
        self.done[1] += self.get(self.sim.o.write.done) as u32;
        self.sim.step();
    }

    /// Offers a descriptor, or none.
    fn offer(&mut self, engine: Engine, descriptor: Option<&Descriptor>) {
        let port = match engine {
            Engine::Read => self.sim.i.reads,
            Engine::Write => self.sim.i.writes,
        };
        self.set(port.valid, i128::from(descriptor.is_some()));
        let Some(d) = descriptor else { return };
        let words = 1u32 << self.config.address_bits;
        let to = port.next;
        for (port, value) in [(to.external, d.external), (to.bytes, d.bytes), (to.n1, d.n1), (to.n2, d.n2)] {
            self.set(port, value);
        }
        self.set(to.s1, d.s1);
        self.set(to.s2, d.s2);
        for (port, value) in [(to.local, d.local), (to.d1, d.d1), (to.d2, d.d2)] {
            self.set(port, value % words);
        }
        if let Some(fill) = to.fill {
            self.set(fill, d.fill);
        }
    }

    fn is_taken(&mut self, engine: Engine) -> bool {
        let port = match engine {
            Engine::Read => self.sim.i.reads.ready,
            Engine::Write => self.sim.i.writes.ready,
        };
        self.get(port) == 1
    }

    /// Gives descriptors to the engines as fast as they take them, until `stop` says so. Gives the cycles.
    pub fn run(
        &mut self,
        reads: &[Descriptor],
        writes: &[Descriptor],
        mut stop: impl FnMut(&mut Rig) -> bool,
    ) -> u32 {
        let (mut reads, mut writes) = (reads.iter().peekable(), writes.iter().peekable());
        self.done = [0; 2];
        for cycle in 0.. {
            assert!(cycle < 2_000_000, "nothing goes on: {:?} are done", self.done);
            if stop(self) {
                self.offer(Engine::Read, None);
                self.offer(Engine::Write, None);
                return cycle;
            }
            self.offer(Engine::Read, reads.peek().copied());
            self.offer(Engine::Write, writes.peek().copied());
            if self.is_taken(Engine::Read) {
                reads.next();
            }
            if self.is_taken(Engine::Write) {
                writes.next();
            }
            self.step();
        }
        unreachable!()
    }

    /// As [`Rig::run`], until all are done.
    pub fn finish(&mut self, reads: &[Descriptor], writes: &[Descriptor]) -> u32 {
        let all = [reads.len() as u32, writes.len() as u32];
        let cycles = self.run(reads, writes, |rig| rig.done == all);
        assert_eq!((self.is_idle(Engine::Read), self.is_idle(Engine::Write)), (true, true));
        cycles
    }

    pub fn is_idle(&mut self, engine: Engine) -> bool {
        let port = match engine {
            Engine::Read => self.sim.o.read.status.idle,
            Engine::Write => self.sim.o.write.status.idle,
        };
        self.get(port) == 1
    }

    pub fn is_halted(&mut self, engine: Engine) -> bool {
        let port = match engine {
            Engine::Read => self.sim.o.read.status.halted,
            Engine::Write => self.sim.o.write.status.halted,
        };
        self.get(port) == 1
    }

    /// Error, address and response.
    pub fn error(&mut self, engine: Engine) -> (bool, u32, u64) {
        let status = match engine {
            Engine::Read => self.sim.o.read.status,
            Engine::Write => self.sim.o.write.status,
        };
        (self.get(status.error) == 1, self.get(status.address) as u32, self.get(status.response))
    }

    /// Waits until nothing is under way.
    pub fn drain(&mut self, engine: Engine) {
        for _ in 0..5000 {
            if self.is_idle(engine) {
                return;
            }
            self.step();
        }
        panic!("it does not become idle");
    }

    /// One cycle of a control line.
    pub fn pulse(&mut self, port: Port) {
        self.set(port, 1);
        self.step();
        self.set(port, 0);
    }

    pub fn clear(&mut self, engine: Engine) {
        let port = match engine {
            Engine::Read => self.sim.i.read_control.clear,
            Engine::Write => self.sim.i.write_control.clear,
        };
        self.pulse(port);
    }

    pub fn abort(&mut self, engine: Engine) {
        let port = match engine {
            Engine::Read => self.sim.i.read_control.abort,
            Engine::Write => self.sim.i.write_control.abort,
        };
        self.pulse(port);
    }
}
