//! Two engines side by side under random stimulus.

#![allow(dead_code)] // not every test uses everything

use ferrite_hdl::Bits;
use ferrite_hdl::design::Design;
use ferrite_hdl::flat::Flat;
use ferrite_sim::{Change, Interpreter, Probe, Probes, Simulator};

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

/// Words of each memory that are followed.
const FOLLOWED_WORDS: u32 = 5;

/// Somebody who knows an engine's values by their changes alone.
struct Follower {
    probes: Probes,
    words: Vec<u64>,
    widths: Vec<u32>,
}

impl Follower {
    /// Follows words of memories, and the signals if they are shown.
    fn new(flat: &Flat, signals: bool) -> Follower {
        let signals = if signals { flat.signals.len() } else { 0 };
        let mut all: Vec<Probe> = (0..signals).map(Probe::Signal).collect();
        for (memory, shape) in flat.memories.iter().enumerate() {
            all.extend((0..shape.depth.min(FOLLOWED_WORDS)).map(|word| Probe::Word { memory, word }));
        }
        let widths: Vec<u32> = all.iter().map(|probe| probe.width(flat)).collect();
        let words = widths.iter().map(|width| width.div_ceil(64) as usize).sum();
        Follower { probes: Probes::new(flat, &all), words: vec![0xdead_beef; words], widths }
    }

    /// What it knows after a look must be what the interpreter shows.
    fn look(&mut self, engine: &mut dyn Simulator, interpreter: &mut Interpreter, place: &str) {
        let mut changes = Vec::new();
        engine.look(&mut self.probes, &mut changes);
        for Change { word, value } in changes {
            self.words[word as usize] = value;
        }
        for (k, probe) in self.probes.probes().iter().enumerate() {
            let want = match *probe {
                Probe::Signal(signal) => interpreter.peek_signal(signal).expect("it hides nothing"),
                Probe::Word { memory, word } => interpreter.read_memory(memory, word),
            };
            let first = self.probes.first_word(k) as usize;
            let words = &self.words[first..first + self.widths[k].div_ceil(64) as usize];
            assert_eq!(want.to_words(), words, "{place}: followed {probe:?}");
        }
    }
}

/// Runs a design on the interpreter and on another engine, with random inputs, random sets of clocks, words of memories written
/// now and then, and asserts that all they show is the same in every cycle: outputs, `all` signals, memories, what changes among
/// these, and properties that fail. Gives how many edges a property has held back.
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
    // One who never looks away, and one who looks now and then.
    let (mut constant, mut casual) = (Follower::new(flat, all), Follower::new(flat, all));
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
        let place = format!("cycle {cycle} of seed {seed}");
        constant.look(engine, &mut interpreter, &place);
        if random.one_in(16) {
            casual.look(engine, &mut interpreter, &place);
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
