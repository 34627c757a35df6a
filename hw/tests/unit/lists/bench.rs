//! The system with all its memories to be set and read.

use ferrite_hdl::elaborate;
use ferrite_hdl::prelude::*;
use ferrite_hw::axi::AxiWidths;
use ferrite_hw::compute::ComputeConfig;
use ferrite_hw::unit::UnitConfig;
use ferrite_model::unit::{Record, Sizes};
use ferrite_sim::{Sim, Simulator};

use super::state::{MEMORY_BYTES, State};
use crate::system::System;

/// Cycles of a list after which it is said to hang.
const MOST_CYCLES: u64 = 1_000_000;

/// Banks of the scratchpad and of the accumulators.
const BANKS: [usize; 2] = [4, 2];

/// What the unit says at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    pub number: u32,
    /// 0 if there is no error.
    pub cause: u32,
    pub address: u32,
}

pub struct Bench {
    sim: Sim<System>,
    pub sizes: Sizes,
    beat_bytes: u32,
    external: usize,
    banks: Vec<usize>,
    sums: Vec<usize>,
    pub cycles: u64,
}

/// `R`, `C`, bytes of the scratchpad, accumulator rows, and the width of the port.
pub fn system([rows, cols, scratchpad_bytes, accumulator_rows, data_bits]: [u32; 5]) -> System {
    let compute = ComputeConfig { rows, cols, scratchpad_bytes, accumulator_rows };
    let axi = AxiWidths { data_bits, id_bits: 2 };
    System { config: UnitConfig { compute, axi }, memory_bytes: MEMORY_BYTES }
}

fn bits_of(bytes: &[u8]) -> Bits {
    let word = |part: &[u8]| part.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    Bits::from_words(8 * bytes.len() as u32, &bytes.chunks(8).map(word).collect::<Vec<_>>())
}

/// What the unit takes at once.
fn pairs(records: &[Record]) -> Vec<u64> {
    let words = records.iter().flat_map(|record| record.chunks(2));
    words.map(|pair| u64::from(pair[0]) | u64::from(pair[1]) << 32).collect()
}

/// The bank in which a word of the scratchpad lies.
fn bank_of(word: usize) -> usize {
    (0..16).fold(0, |bank, pair| bank ^ word >> (2 * pair) & 3)
}

impl Bench {
    pub fn on(system: &System, engine: impl FnOnce(&Design) -> Box<dyn Simulator>) -> Bench {
        let design = elaborate(system).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let mut sim = Sim::on(system, engine(&design));
        let memories = &sim.engine().flat().memories;
        let position = |path: String| memories.iter().position(|memory| memory.path == path).unwrap();
        let external = position("memory.words".into());
        let banks = (0..BANKS[0]).map(|k| position(format!("unit.compute.banks.bank_{k}"))).collect();
        let sums = (0..BANKS[1]).map(|k| position(format!("unit.compute.sums.bank_{k}"))).collect();
        let ComputeConfig { rows, cols, scratchpad_bytes, accumulator_rows } = system.config.compute;
        let sizes = Sizes { rows, cols, scratchpad_bytes, accumulator_rows };
        let beat_bytes = system.config.axi.beat_bytes();
        Bench { sim, sizes, beat_bytes, external, banks, sums, cycles: 0 }
    }

    /// The words of external memory, of the scratchpad, and of the accumulators, in order: the memory of the design and its word.
    fn words(&self) -> [Vec<(usize, u32)>; 3] {
        let scratchpad_words = u64::from(self.sizes.scratchpad_bytes) / self.sizes.word_bytes();
        let half = self.sizes.accumulator_rows / BANKS[1] as u32;
        [
            (0..MEMORY_BYTES / self.beat_bytes).map(|word| (self.external, word)).collect(),
            (0..scratchpad_words as usize)
                .map(|word| (self.banks[bank_of(word)], word as u32 >> 2))
                .collect(),
            (0..self.sizes.accumulator_rows)
                .map(|row| (self.sums[(row / half) as usize], row % half))
                .collect(),
        ]
    }

    fn write(&mut self, words: &[(usize, u32)], bytes: &[u8]) {
        for ((memory, word), bytes) in words.iter().zip(bytes.chunks(bytes.len() / words.len())) {
            self.sim.engine().write_memory(*memory, *word, &bits_of(bytes));
        }
    }

    fn read(&mut self, words: &[(usize, u32)], word_bytes: usize) -> Vec<u8> {
        let mut all = Vec::new();
        for (memory, word) in words {
            let words = self.sim.engine().read_memory(*memory, *word).to_words();
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            all.extend_from_slice(&bytes[..word_bytes]);
        }
        all
    }

    /// Resets the unit and sets all memories. From then on the memory hesitates if there is a seed.
    pub fn begin(&mut self, state: &State, stall: Option<u32>) {
        let i = self.sim.i.clone();
        for input in [i.commands.valid, i.clear, i.refuse] {
            self.sim.set(input, 0);
        }
        self.fail_in(0, 0);
        self.sim.set(i.stall, 0);
        self.sim.set(i.seed, stall.unwrap_or(1) | 1);
        self.sim.reset();
        self.sim.set(i.stall, i128::from(stall.is_some()));
        self.fill(state);
    }

    /// From now on this part of external memory, in whole beats, answers with errors.
    pub fn fail_in(&mut self, start: u32, bytes: u32) {
        let i = self.sim.i.clone();
        self.sim.set(i.error.start, start);
        self.sim.set(i.error.bytes, bytes);
    }

    pub fn beat_bytes(&self) -> u32 {
        self.beat_bytes
    }

    /// Gives commands for some cycles.
    ///
    /// # Errors
    /// An assertion of the design does not hold.
    pub fn run_for(&mut self, records: &[Record], cycles: u32) -> Result<(), String> {
        let (i, o) = (self.sim.i.clone(), self.sim.o);
        let mut pairs = pairs(records).into_iter().peekable();
        for _ in 0..cycles {
            self.sim.set(i.commands.valid, i128::from(pairs.peek().is_some()));
            self.sim.set(i.commands.data, pairs.peek().copied().unwrap_or(0));
            if self.sim.get(i.commands.ready) == 1 {
                pairs.next();
            }
            assert!(self.sim.get(o.busy) == 1 || self.sim.get(o.clearing) == 0);
            self.step()?;
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), String> {
        self.cycles += 1;
        self.sim.engine().run(1, &[]).map(|_| ()).map_err(|error| error.to_string())
    }

    /// Tells the unit of an error behind the commands that it has.
    ///
    /// # Errors
    /// As [`Bench::run_for`].
    pub fn refuse(&mut self, cause: u32) -> Result<(), String> {
        let i = self.sim.i.clone();
        self.sim.set(i.commands.valid, 0);
        self.sim.set(i.refuse, cause);
        self.step()?;
        self.sim.set(i.refuse, 0);
        Ok(())
    }

    /// Clears the unit, while commands are offered. Gives the cycles.
    ///
    /// # Errors
    /// As [`Bench::run_for`]; it takes a command, does not end, or leaves something.
    pub fn clear(&mut self) -> Result<u32, String> {
        let (i, o) = (self.sim.i.clone(), self.sim.o);
        self.sim.set(i.clear, 1);
        self.sim.set(i.commands.valid, 1);
        let mut cycles = 0;
        loop {
            if self.sim.get(i.commands.ready) == 1 {
                return Err(format!("a command is taken {cycles} cycles after `clear`"));
            }
            self.step()?;
            self.sim.set(i.clear, 0);
            if self.sim.get(o.clearing) == 0 {
                break;
            }
            cycles += 1;
            if u64::from(cycles) > MOST_CYCLES {
                return Err("clearing does not end".into());
            }
        }
        self.sim.set(i.commands.valid, 0);
        let left = self.verdict()?;
        let counters: Vec<u64> = (0..16).map(|index| self.counter(index)).collect();
        let is_left = self.sim.get(o.busy) == 1 || left != Verdict::default() || counters != [0; 16];
        if is_left { Err(format!("{left:?} and counters of {counters:?} are left")) } else { Ok(cycles) }
    }

    /// A counter.
    pub fn counter(&mut self, index: u32) -> u64 {
        let (i, o) = (self.sim.i.clone(), self.sim.o);
        self.sim.set(i.counter, index);
        self.sim.get(o.counter) as u64
    }

    /// Sets all memories.
    pub fn fill(&mut self, state: &State) {
        let [external, scratchpad, accumulators] = self.words();
        self.write(&external, &state.external);
        self.write(&scratchpad, &state.scratchpad);
        let sums: Vec<u8> = state.accumulators.iter().flat_map(|sum| sum.to_le_bytes()).collect();
        self.write(&accumulators, &sums);
    }

    /// All memories.
    pub fn state(&mut self) -> State {
        let [external, scratchpad, accumulators] = self.words();
        let sums = self.read(&accumulators, 4 * self.sizes.cols as usize);
        let sum = |bytes: &[u8]| i32::from_le_bytes(bytes.try_into().unwrap());
        State {
            external: self.read(&external, self.beat_bytes as usize),
            scratchpad: self.read(&scratchpad, self.sizes.word_bytes() as usize),
            accumulators: sums.chunks(4).map(sum).collect(),
        }
    }

    /// Gives commands, as fast as they are taken, until all is done.
    ///
    /// # Errors
    /// It does not end, or an assertion of the design does not hold.
    pub fn run(&mut self, records: &[Record]) -> Result<Verdict, String> {
        let (i, o) = (self.sim.i.clone(), self.sim.o);
        let ready = self.sim.engine().output("commands_ready").unwrap();
        let busy = self.sim.engine().output("busy").unwrap();
        let mut pairs = pairs(records).into_iter().peekable();
        let mut cycles = 0;
        loop {
            self.sim.set(i.commands.valid, i128::from(pairs.peek().is_some()));
            self.sim.set(i.commands.data, pairs.peek().copied().unwrap_or(0));
            let passed = if pairs.peek().is_none() {
                if self.sim.get(o.busy) == 0 {
                    break;
                }
                self.sim.engine().run(MOST_CYCLES, &[busy])
            } else if self.sim.get(i.commands.ready) == 1 {
                pairs.next();
                self.sim.engine().run(1, &[])
            } else {
                self.sim.engine().run(MOST_CYCLES, &[ready])
            };
            cycles += passed.map_err(|error| error.to_string())?;
            if cycles >= MOST_CYCLES {
                return Err("it does not end".into());
            }
        }
        self.cycles += cycles;
        self.verdict()
    }

    fn verdict(&mut self) -> Result<Verdict, String> {
        let o = self.sim.o;
        let error = self.sim.get(o.error) == 1;
        let cause = self.sim.get(o.cause) as u32;
        if error != (cause != 0) {
            return Err(format!("error is {error}, and the cause {cause}"));
        }
        let address = self.sim.get(o.address) as u32;
        Ok(Verdict { number: self.sim.get(o.number) as u32, cause, address })
    }
}
