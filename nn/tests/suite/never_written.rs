//! Memory that has never been written may hold no value at all in simulation: no program may let the unit read such a byte.

use ferrite_model::iss::{Coprocessor, Exit, HartConfig, Iss, Machine, Reply};
use ferrite_model::unit::{Command, External, Port, Record, Transfer, instruction};
use ferrite_nn::{Program, Region, Target, compile, exit_code, tflite};

use crate::build::{Dense, DenseChain};
use crate::machine::{loaded, memories, sizes, target};

/// Bytes of which it is known whether they have been written.
struct Written {
    base: u32,
    is_written: Vec<bool>,
    read_before: Vec<u32>,
}

impl Written {
    fn new(base: u32, bytes: u32) -> Self {
        Self { base, is_written: vec![false; bytes as usize], read_before: Vec::new() }
    }

    fn write(&mut self, address: u64, bytes: u64) {
        let start = address as usize - self.base as usize;
        self.is_written[start..start + bytes as usize].fill(true);
    }

    fn read(&mut self, address: u64, bytes: u64) {
        for byte in address..address + bytes {
            if !self.is_written[byte as usize - self.base as usize] {
                self.read_before.push(byte as u32);
            }
        }
    }
}

/// A tensor unit that remembers what has been written.
struct Watched {
    port: Port,
    scratchpad: Written,
    external: Written,
}

impl Watched {
    fn new(target: &Target, program: &Program) -> Self {
        let port = Port::new(sizes(target), u64::MAX).unwrap();
        let mut external = Written::new(target.external_base, target.external_bytes);
        for Region { address, bytes } in [
            Region { address: program.external.base, bytes: program.external.bytes.len() as u32 },
            program.input.region,
        ] {
            external.write(address.into(), bytes.into());
        }
        Self { port, scratchpad: Written::new(0, target.scratchpad_bytes), external }
    }

    fn watch(&mut self, record: &Record) {
        let sizes = self.port.unit().sizes();
        match sizes.judge(record).unwrap() {
            Command::Load(load) => {
                for (external, local) in runs(&load) {
                    self.external.read(external, load.bytes);
                    self.scratchpad.write(local, load.bytes.next_multiple_of(sizes.word_bytes()));
                }
            }
            Command::Store(store) => {
                for (external, local) in runs(&store) {
                    self.scratchpad.read(local, store.bytes);
                    self.external.write(external, store.bytes);
                }
            }
            Command::Convolve(c) => {
                let [inputs, outputs] = [sizes.rows, sizes.cols].map(u64::from);
                for pixel in 0..c.image[0] {
                    for tile in 0..c.in_tiles {
                        self.scratchpad.read(c.act + pixel * c.pixel_step + tile * c.in_tile_step, inputs);
                    }
                }
                self.scratchpad.read(c.weights, c.out_tiles * c.in_tiles * inputs * outputs);
            }
            Command::Requantise(r) => {
                self.scratchpad.read(r.parameters, r.tiles * sizes.parameter_bytes());
                for column in 0..r.out[0] {
                    for tile in 0..r.tiles {
                        let output = r.output + column * r.column_step + tile * r.tile_step;
                        self.scratchpad.write(output, sizes.cols.into());
                    }
                }
            }
            other => panic!("no program has {other:?}"),
        }
    }
}

/// Where the runs are, in external memory and in the scratchpad.
fn runs(transfer: &Transfer) -> Vec<(u64, u64)> {
    let &Transfer { external, local, n, s, d, .. } = transfer;
    let run =
        |i: u64, j: u64| ((external + i as i64 * s[0] + j as i64 * s[1]) as u64, local + i * d[0] + j * d[1]);
    (0..n[1]).flat_map(|j| (0..n[0]).map(move |i| run(i, j))).collect()
}

impl Coprocessor for Watched {
    fn command(&mut self, funct7: u32, rs1: u32, rs2: u32, memory: &mut dyn External) -> Reply {
        assert_ne!(funct7, instruction::PUSH, "programs have lists only");
        if funct7 == instruction::RUN {
            for at in (rs1..).step_by(64).take(rs2 as usize) {
                self.external.read(at.into(), 64);
                let mut byte = |at: u32| u32::from(memory.read(at).unwrap());
                let mut word = |at: u32| (0..4).map(|place| byte(at + place) << (8 * place)).sum();
                self.watch(&std::array::from_fn(|index| word(at + 4 * index as u32)));
            }
        }
        self.port.command(funct7, rs1, rs2, memory)
    }
}

#[test]
fn no_program_reads_a_byte_that_has_never_been_written() {
    // 3 to 5 to 2 channels: rows have padding of every kind, above all where the array has more rows than columns.
    let layer = |inputs: usize, outputs| Dense {
        outputs,
        weights: vec![1; inputs * outputs],
        bias: None,
        weight_scales: vec![1.0],
        output_scale: 1.0,
        output_zero_point: 0,
        activation: 0,
    };
    let layers = vec![layer(3, 5), layer(5, 2)];
    let chain = DenseChain { batches: 3, inputs: 3, input_scale: 1.0, input_zero_point: 0, layers };
    let network = tflite::read(&chain.model().write()).unwrap();
    for (rows, cols) in [(4, 4), (4, 32), (32, 4), (16, 16), (32, 8)] {
        let target = target(rows, cols);
        let program = compile(&network, &target).unwrap();
        let bus = Machine::with_coprocessor(memories(&target), Some(Watched::new(&target, &program)));
        let bus = loaded(bus, &program, &[0; 9]);
        let mut machine = Iss::new(bus, HartConfig { reset_pc: program.entry, ..HartConfig::default() });
        assert_eq!(machine.run(100_000), Exit::Code(exit_code::DONE));
        let watched = machine.bus.coprocessor.unwrap();
        let read_before = [watched.scratchpad.read_before, watched.external.read_before];
        assert_eq!(read_before, [Vec::<u32>::new(), Vec::new()], "on {rows}x{cols}");
    }
}
