//! Two engines side by side under random stimulus.

use ferrite_hdl::Bits;
use ferrite_hdl::design::Design;
use ferrite_sim::{Interpreter, Simulator};

/// Random numbers (G. Marsaglia, *Xorshift RNGs*, 2003).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.number().is_multiple_of(n)
    }

    /// Zeros, ones, small numbers and any numbers.
    pub fn bits(&mut self, width: u32) -> Bits {
        match self.number() % 8 {
            0 => Bits::zero(width),
            1 => Bits::ones(width),
            2 => Bits::from_u64(width, self.number() % 8),
            _ => {
                let words: Vec<u64> = (0..width.div_ceil(64)).map(|_| self.number()).collect();
                Bits::from_words(width, &words)
            }
        }
    }
}

fn values(sim: &mut dyn Simulator, all: bool) -> Vec<(String, Bits)> {
    let outputs = sim.flat().outputs.clone();
    let outputs = outputs.into_iter().enumerate();
    let mut values: Vec<(String, Bits)> = outputs.map(|(k, port)| (port.name, sim.peek(k))).collect();
    if all {
        for k in 0..sim.flat().signals.len() {
            let value = sim.peek_signal(k).expect("every signal can be read");
            values.push((sim.flat().signal_path(k), value));
        }
    }
    values
}

/// Runs a design on the interpreter and on another engine, with random inputs, random sets of clocks, words of memories written
/// now and then, and asserts that all they show is the same in every cycle: outputs, `all` signals, memories, and properties that
/// fail. Gives how many edges a property has held back.
pub fn assert_agreement(
    design: &Design,
    engine: &mut dyn Simulator,
    all: bool,
    cycles: u32,
    seed: u64,
) -> u32 {
    let mut interpreter = Interpreter::new(design);
    let mut random = Random::new(seed);
    let flat = &design.flat;
    let mut failures = 0;
    for cycle in 0..cycles {
        for (k, port) in flat.inputs.iter().enumerate() {
            // Mostly out of reset.
            let is_reset = port.name.ends_with("rst");
            if cycle > 0 && !random.one_in(4) {
                let value =
                    if is_reset { Bits::from_bool(random.one_in(32)) } else { random.bits(port.shape.width) };
                interpreter.poke(k, &value);
                engine.poke(k, &value);
            }
        }
        for (k, memory) in flat.memories.iter().enumerate() {
            if random.one_in(8) {
                let word = (random.number() % (u64::from(memory.depth) + 1)) as u32;
                let value = random.bits(memory.width);
                interpreter.write_memory(k, word, &value);
                engine.write_memory(k, word, &value);
            }
        }
        let (want, got) = (values(&mut interpreter, all), values(engine, all));
        for (want, got) in want.iter().zip(&got) {
            assert_eq!(want, got, "cycle {cycle} of seed {seed}");
        }
        for (k, memory) in flat.memories.iter().enumerate() {
            let word = (random.number() % (u64::from(memory.depth) + 1)) as u32;
            let (want, got) = (interpreter.read_memory(k, word), engine.read_memory(k, word));
            assert_eq!(want, got, "cycle {cycle} of seed {seed}: {}[{word}]", memory.path);
        }
        let clocks: Vec<usize> = match flat.clocks.len() {
            1 => vec![0],
            n => (0..n).filter(|_| random.one_in(2)).collect(),
        };
        let (want, got) = (interpreter.step_clocks(&clocks), engine.step_clocks(&clocks));
        assert_eq!(want, got, "cycle {cycle} of seed {seed}");
        assert_eq!(interpreter.cycle(), engine.cycle());
        failures += want.is_err() as u32;
    }
    failures
}
