//! Random instructions do what the golden model does.

use std::collections::VecDeque;

use ferrite_model::iss::{Coprocessor, Reading, Reply};
use ferrite_model::unit::{External, Port, Record, Sizes};

use crate::generate::Generator;
use crate::random::Random;
use crate::record::{Convolve, Transfer};
use crate::rig::{MEMORY_BYTES, Rig, config, funct7};
use crate::state::{self, State};

/// Where lists stand: behind all that commands touch.
const LISTS: u32 = state::MEMORY_BYTES;
/// Commands of a list.
const LONGEST: u32 = 16;
/// Instructions that are kept for the report of a difference.
const HISTORY: usize = 60;

/// `R`, `C`, bytes of the scratchpad, accumulator rows, and the width of the port.
const SIZES: [[u32; 5]; 4] = [
    [4, 4, 4 << 10, 64, 32],
    [8, 4, 4 << 10, 64, 256],
    [8, 8, 4 << 10, 128, 64],
    [16, 16, 8 << 10, 128, 128],
];

/// The model's memory.
struct Memory(Vec<u8>);

impl External for Memory {
    fn read(&mut self, address: u32) -> Option<u8> {
        self.0.get(address as usize).copied()
    }
    fn write(&mut self, address: u32, byte: u8) -> Option<()> {
        *self.0.get_mut(address as usize)? = byte;
        Some(())
    }
}

/// Hardware and model, which are given the same instructions.
struct Pair {
    rig: Rig,
    model: Port,
    memory: Memory,
    sizes: Sizes,
    history: VecDeque<[u32; 3]>,
    compared: u32,
}

impl Pair {
    fn new(parameters: [u32; 5], random: &mut Random) -> Pair {
        let [rows, cols, scratchpad_bytes, accumulator_rows, _] = parameters;
        let sizes = Sizes { rows, cols, scratchpad_bytes, accumulator_rows };
        let rig = Rig::new(config(parameters), random.eighths(4).then(|| random.word()));
        let model = Port::new(sizes, u64::MAX).unwrap();
        let memory = Memory(vec![0; MEMORY_BYTES as usize]);
        let mut pair = Pair { rig, model, memory, sizes, history: VecDeque::new(), compared: 0 };
        let start = State::random(&sizes, random);
        pair.write(0, &start.external);
        pair.settle();
        pair
    }

    fn write(&mut self, address: u32, bytes: &[u8]) {
        self.rig.write(address, bytes);
        self.memory.0[address as usize..][..bytes.len()].copy_from_slice(bytes);
    }

    /// Gives an instruction to both, and compares what is certain of the answers.
    fn instruction(&mut self, funct7: u32, rs1: u32, rs2: u32) {
        self.history.push_back([funct7, rs1, rs2]);
        if self.history.len() > HISTORY {
            self.history.pop_front();
        }
        let found = self.rig.instruction(funct7, rs1, rs2);
        let (value, uncertain) = match self.model.command(funct7, rs1, rs2, &mut self.memory) {
            Reply::Nothing => return,
            Reply::Value(Reading::Exact(value)) => (value, 0),
            Reply::Value(Reading::Timing { value, uncertain }) => (value, uncertain),
        };
        self.compared += 1;
        assert_eq!(
            found & !uncertain,
            value & !uncertain,
            "{:?}: hardware and model answer {found:#x} and {value:#x} to the last of these: {:x?}",
            self.sizes,
            self.history
        );
    }

    fn push(&mut self, record: &Record) {
        for pair in record.chunks(2) {
            self.instruction(funct7::PUSH, pair[0], pair[1]);
        }
    }

    /// Waits for all commands, and compares all that is certain then.
    fn fence(&mut self) {
        self.instruction(funct7::FENCE, 0, 0);
        self.instruction(funct7::INFO, 0, 0);
        self.instruction(funct7::INFO, 1, 0);
        let found = self.rig.read(0, state::MEMORY_BYTES);
        let expected = &self.memory.0[..state::MEMORY_BYTES as usize];
        let differs = found.iter().zip(expected).position(|(found, expected)| found != expected);
        assert!(differs.is_none(), "{:?}: byte {differs:?} differs after {:x?}", self.sizes, self.history);
    }

    /// After a reset of the unit: gives scratchpad and accumulators the same contents.
    fn settle(&mut self) {
        let found = self.rig.read(0, state::MEMORY_BYTES);
        self.memory.0[..found.len()].copy_from_slice(&found);
        let Sizes { rows, cols, scratchpad_bytes, accumulator_rows } = self.sizes;
        self.push(&Transfer::run(0, 0, scratchpad_bytes).load());
        let convolve = Convolve {
            act: 0,
            weights: 0,
            accumulators: 0,
            accumulate: false,
            zero_point: 0,
            out: [accumulator_rows, 1],
            in_tiles: 1,
            out_tiles: 1,
            kernel: [1, 1],
            image: [accumulator_rows, 1],
            first: [0, 0],
            stride: [1, 1],
            dilation: [1, 1],
            pixel_step: rows.max(cols),
            line_step: 0,
            in_tile_step: 0,
        };
        self.push(&convolve.record());
        self.fence();
    }

    /// A list of a few commands; gives its address and length.
    fn list(&mut self, generator: &mut Generator) -> (u32, u32) {
        let mut records = vec![];
        let count = 1 + generator.random.below(LONGEST - 2);
        while records.len() < count as usize {
            generator.legal(&mut records);
        }
        records.truncate(LONGEST as usize);
        if generator.random.eighths(1) {
            let at = generator.random.below(records.len() as u32) as usize;
            records[at] = generator.illegal();
        }
        // Those that are still to be fetched stay.
        let places = (MEMORY_BYTES - LISTS) / (64 * LONGEST);
        let address = LISTS + 64 * LONGEST * generator.random.below(places);
        let bytes: Vec<u8> = records.iter().flatten().flat_map(|word| word.to_le_bytes()).collect();
        self.fence();
        self.write(address, &bytes);
        (address, records.len() as u32)
    }
}

/// Instructions at random; gives the answers that were compared and the commands that were accepted.
fn runs_as_the_model(parameters: [u32; 5], seed: u64, steps: u32) -> (u32, u32) {
    let mut random = Random::new(seed);
    let mut pair = Pair::new(parameters, &mut random);
    let mut generator = Generator::new(pair.sizes, random);
    let mut accepted = 0;
    for _ in 0..steps {
        match generator.random.below(32) {
            0..=9 => {
                let mut records = vec![];
                generator.legal(&mut records);
                records.iter().for_each(|record| pair.push(record));
            }
            10 => {
                let record = generator.illegal();
                pair.push(&record);
            }
            11..=17 => {
                let (address, count) = pair.list(&mut generator);
                pair.instruction(funct7::RUN, address, count);
                if generator.random.eighths(3) {
                    pair.instruction(funct7::RUN, address, count);
                }
            }
            18 => {
                let bad = [[LISTS + 32, 1], [0xFFFF_FF80, 3], [LISTS, 1 << 31], [LISTS + 1, 0]];
                let [address, count] = bad[generator.random.below(4) as usize];
                pair.instruction(funct7::RUN, address, count);
            }
            19 => {
                // Half a command, and sometimes what may not come between.
                pair.instruction(funct7::PUSH, 1, 0);
                if generator.random.eighths(4) {
                    pair.instruction(funct7::RUN, LISTS, generator.random.below(2));
                }
                for _ in 0..7 {
                    pair.instruction(funct7::PUSH, 0, 0);
                }
            }
            20 => pair.instruction(funct7::INTERRUPT, generator.random.below(5), 0),
            21 if generator.random.eighths(2) => pair.instruction(8 + generator.random.below(120), 0, 0),
            22..=24 => pair.instruction(funct7::STATUS, 0, 0),
            25 => pair.instruction(funct7::INFO, generator.random.below(3), 0),
            26 => pair.instruction(funct7::COUNTER, generator.random.below(20), 0),
            27 if generator.random.eighths(2) => {
                // In the middle of whatever is under way.
                accepted += pair.model.unit().accepted();
                pair.instruction(funct7::CLEAR, 0, 0);
                pair.settle();
            }
            _ => pair.fence(),
        }
        if pair.model.error().is_some() && generator.random.eighths(6) {
            pair.fence();
            accepted += pair.model.unit().accepted();
            pair.instruction(funct7::CLEAR, 0, 0);
        }
    }
    pair.fence();
    (pair.compared, accepted + pair.model.unit().accepted())
}

#[test]
fn random_instructions_do_what_the_model_does() {
    let mut all = 0;
    for (k, parameters) in (1u64..).zip(SIZES) {
        let (compared, accepted) = runs_as_the_model(parameters, k << 40, 1500);
        println!("{parameters:?}: {accepted} commands, {compared} answers");
        all += accepted;
    }
    assert!(all >= 10_000, "{all} commands were accepted");
}
