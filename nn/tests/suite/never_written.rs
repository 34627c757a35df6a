//! Memory that has never been written may hold no value at all in simulation: no program may read such a byte.

use ferrite_model::iss::{Coprocessor, Exit, HartConfig, Iss, Machine, MachineConfig, Reply};
use ferrite_model::tensor::{TensorConfig, TensorUnit, command};
use ferrite_nn::{Target, compile, exit_code, tflite};

use crate::build::{Dense, DenseChain};
use crate::machine::target;

/// A tensor unit that remembers which bytes of its scratchpad have been written, and which were read before.
struct Watched {
    unit: TensorUnit,
    is_written: Vec<bool>,
    read_before_written: Vec<u32>,
    host_pointer: u32,
    act_stride: u32,
    out_stride: u32,
}

impl Watched {
    fn new(target: &Target) -> Self {
        let &Target { rows, cols, scratchpad_bytes, acc_rows, .. } = target;
        let unit = TensorUnit::new(TensorConfig { rows, cols, scratchpad_bytes, acc_rows }).unwrap();
        let is_written = vec![false; scratchpad_bytes as usize];
        let (act_stride, out_stride) = (rows, cols);
        Self { unit, is_written, read_before_written: Vec::new(), host_pointer: 0, act_stride, out_stride }
    }

    fn read(&mut self, address: u32, bytes: u32) {
        let unwritten = (address..address + bytes).filter(|&byte| !self.is_written[byte as usize]);
        self.read_before_written.extend(unwritten);
    }

    fn write(&mut self, address: u32, bytes: u32) {
        self.is_written[address as usize..][..bytes as usize].fill(true);
    }
}

impl Coprocessor for Watched {
    fn command(&mut self, funct7: u32, rs1: u32, rs2: u32) -> Reply {
        let TensorConfig { rows, cols, .. } = self.unit.config();
        let count = rs2 >> 16;
        match funct7 {
            command::ADDR => self.host_pointer = rs1,
            command::WRITE => {
                self.write(self.host_pointer, 8);
                self.host_pointer += 8;
            }
            command::READ => {
                self.read(self.host_pointer, 4);
                self.host_pointer += 4;
            }
            command::STRIDE => (self.act_stride, self.out_stride) = (rs1, rs2),
            command::WEIGHTS => self.read(rs1, rows * cols),
            command::MATMUL | command::MATMUL_ACC => {
                (0..count).for_each(|row| self.read(rs1 + row * self.act_stride, rows));
            }
            command::REQUANT => (0..count).for_each(|row| self.write(rs1 + row * self.out_stride, cols)),
            _ => {}
        }
        self.unit.command(funct7, rs1, rs2)
    }
}

#[test]
fn no_program_reads_a_scratchpad_byte_that_has_never_been_written() {
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
        let config = MachineConfig { ram_bytes: target.ram_bytes, ..MachineConfig::default() };
        let mut bus = Machine::with_coprocessor(config, Some(Watched::new(&target)));
        bus.write_memory(program.base, &program.image).unwrap();
        let mut machine = Iss::new(bus, HartConfig { reset_pc: program.entry, ..HartConfig::default() });
        assert_eq!(machine.run(100_000), Exit::Code(exit_code::DONE));
        let watched = machine.bus.coprocessor.unwrap();
        assert_eq!(watched.read_before_written, Vec::<u32>::new(), "on {rows}x{cols}");
    }
}
