//! Running a compiled program on the golden machine: instruction-set simulator and functional tensor unit.

use ferrite_model::iss::{Coprocessor, Exit, HartConfig, Iss, Machine, MachineConfig};
use ferrite_model::unit::{Port, Sizes};
use ferrite_nn::{Counters, Program, Target, exit_code};

/// Far more than any network of the tests needs.
const MAX_INSTRUCTIONS: u64 = 50_000_000;

/// A machine after a run.
pub struct Finished {
    pub exit: Exit,
    machine: Iss<Machine>,
}

/// The tensor unit's sizes.
pub fn sizes(target: &Target) -> Sizes {
    let &Target { rows, cols, scratchpad_bytes, acc_rows, .. } = target;
    Sizes { rows, cols, scratchpad_bytes, accumulator_rows: acc_rows }
}

/// The sizes of all memories.
pub fn memories(target: &Target) -> MachineConfig {
    let &Target { ram_bytes, external_bytes, .. } = target;
    MachineConfig { ram_bytes, external_bytes, ..MachineConfig::default() }
}

/// A machine with the program and an input in its memories.
pub fn loaded<C: Coprocessor>(mut bus: Machine<C>, program: &Program, input: &[u8]) -> Machine<C> {
    for image in [&program.ram, &program.external] {
        bus.write_memory(image.base, &image.bytes).unwrap();
    }
    bus.write_memory(program.input.region.address, input).unwrap();
    bus
}

pub fn execute(program: &Program, target: &Target, input: &[u8]) -> Finished {
    assert_eq!(input.len(), program.input.region.bytes as usize, "the input has another size");
    let bus = Machine::with_tensor(memories(target), Port::new(sizes(target), u64::MAX).unwrap());
    let bus = loaded(bus, program, input);
    let mut machine = Iss::new(bus, HartConfig { reset_pc: program.entry, ..HartConfig::default() });
    let exit = machine.run(MAX_INSTRUCTIONS);
    Finished { exit, machine }
}

impl Finished {
    pub fn output(&self, program: &Program) -> Vec<u8> {
        let region = program.output.region;
        self.machine.bus.read_memory(region.address, region.bytes as usize).unwrap().to_vec()
    }

    pub fn counters(&self, address: u32) -> Counters {
        let bytes = self.machine.bus.read_memory(address, Counters::BYTES as usize).unwrap();
        Counters::from_bytes(bytes).unwrap()
    }

    pub fn word(&self, address: u32) -> u32 {
        let bytes = self.machine.bus.read_memory(address, 4).unwrap();
        u32::from_le_bytes(bytes.try_into().unwrap())
    }
}

/// Runs to the end and gives the output.
pub fn run(program: &Program, target: &Target, input: &[u8]) -> Vec<u8> {
    let finished = execute(program, target, input);
    assert_eq!(finished.exit, Exit::Code(exit_code::DONE));
    finished.output(program)
}

/// A default chip but for its array.
pub fn target(rows: u32, cols: u32) -> Target {
    Target { rows, cols, ..Target::default() }
}

pub fn bytes(values: &[i8]) -> Vec<u8> {
    values.iter().map(|&value| value as u8).collect()
}
