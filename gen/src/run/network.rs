//! Running a compiled network on a chip.

use ferrite_hw::config::ChipConfig;
use ferrite_hw::map::MemoryMap;
use ferrite_model::iss::memory_map::EXTERNAL_BASE;
use ferrite_model::iss::{Exit, Machine, MachineError};
use ferrite_model::unit::{ExecuteError, Port};
use ferrite_nn::{CompileError, Counters, Program, Target, exit_code};

use super::chip::{Chip, OutsideMemory};
use super::golden::golden;
use super::outcome::{Ended, RunError};
use super::place::Place;
use super::watch::{Limits, Watch};

/// Instructions that the golden machine may take for a network: far more than any that fits the chip needs.
const MAX_GOLDEN_INSTRUCTIONS: u64 = 10_000_000_000;

/// What went wrong with a network on the chip.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The chip has no tensor unit.
    #[error("the chip has no tensor unit, which running a network needs; set tensor.present=true")]
    NoTensorUnit,
    /// The input is not a whole number of tensors.
    #[error(
        "the input has {bytes} bytes; the network's input \"{tensor}\" takes {expected} ({shape}), and a file may hold several one after another"
    )]
    InputSize {
        /// Its bytes.
        bytes: usize,
        /// Name of the tensor.
        tensor: String,
        /// Bytes of one.
        expected: u32,
        /// Its shape, in words.
        shape: String,
    },
    /// The compiler refused the network.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The run did not end by itself.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The program took a trap.
    #[error(
        "the network's program trapped: mcause {mcause:#010x} at {mepc:#010x}, mtval {mtval:#010x}; this is a mistake of the compiler or of the chip"
    )]
    Trap {
        /// Why.
        mcause: u32,
        /// Where.
        mepc: u32,
        /// With which value.
        mtval: u32,
    },
    /// The tensor unit refused a command.
    #[error(
        "the tensor unit refused command {number}: status {status:#010x}, address {address:#010x}; this is a mistake of the compiler or of the chip"
    )]
    Tensor {
        /// Its status word.
        status: u32,
        /// The command's number, from 0.
        number: u32,
        /// The address in external memory that gave the error, if that is why.
        address: u32,
    },
    /// A command would take the golden machine too long.
    #[error(transparent)]
    Work(#[from] ExecuteError),
    /// The program ended with a code that it does not have.
    #[error(
        "the network's program ended with exit code {code}; this is a mistake of the compiler or of the chip"
    )]
    ExitCode {
        /// The code.
        code: u32,
    },
    /// The program does not lie in the RAM.
    #[error(transparent)]
    OutsideMemory(#[from] OutsideMemory),
    /// The program does not lie in the golden machine's RAM.
    #[error(transparent)]
    OutsideGolden(#[from] MachineError),
}

/// What the compiler has to know of a chip.
///
/// # Errors
/// [`NetworkError::NoTensorUnit`].
pub fn target(chip: &ChipConfig) -> Result<Target, NetworkError> {
    let tensor = chip.tensor.as_ref().ok_or(NetworkError::NoTensorUnit)?;
    let map = MemoryMap::of(chip);
    Ok(Target {
        rows: tensor.rows,
        cols: tensor.cols,
        scratchpad_bytes: tensor.scratchpad_bytes,
        acc_rows: tensor.acc_rows,
        ram_base: map.ram().base,
        ram_bytes: map.ram().size,
        external_base: EXTERNAL_BASE,
        external_bytes: map.named("external").map_or(0, |region| region.size),
        core_counters: chip.core.counters,
    })
}

/// The inputs in the bytes of a file.
///
/// # Errors
/// [`NetworkError::InputSize`].
pub fn split_inputs<'a>(program: &Program, file: &'a [u8]) -> Result<Vec<&'a [u8]>, NetworkError> {
    let port = &program.input;
    let bytes = port.region.bytes as usize;
    if file.is_empty() || !file.len().is_multiple_of(bytes) {
        let shape = port.shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ");
        return Err(NetworkError::InputSize {
            bytes: file.len(),
            tensor: port.name.clone(),
            expected: port.region.bytes,
            shape: format!("{shape} int8"),
        });
    }
    Ok(file.chunks_exact(bytes).collect())
}

/// A network that has run once.
#[derive(Clone, Debug, PartialEq)]
pub struct Inference {
    /// The output tensor.
    pub output: Vec<u8>,
    /// Cycles and instructions.
    pub ended: Ended,
    /// What the program counted: the input's way in, the layers, the output's way out.
    pub counters: Vec<Counters>,
}

/// Puts the program and an input into the chip's memories.
///
/// # Errors
/// They do not lie in it.
pub fn load_network(chip: &mut Chip, program: &Program, input: &[u8]) -> Result<(), OutsideMemory> {
    for image in [&program.ram, &program.external] {
        chip.write(image.base, &image.bytes)?;
    }
    chip.write(program.input.region.address, input)
}

/// The same in the golden machine's.
fn load_golden(machine: &mut Machine, program: &Program, input: &[u8]) -> Result<(), MachineError> {
    for image in [&program.ram, &program.external] {
        machine.write_memory(image.base, &image.bytes)?;
    }
    machine.write_memory(program.input.region.address, input)
}

/// Loads the program and an input, runs the chip from reset to exit, and reads the output from its memory.
///
/// # Errors
/// The run failed, or the program ended with an error.
pub fn run_network(
    chip: &mut Chip,
    program: &Program,
    input: &[u8],
    limits: &Limits,
    watch: &mut Watch,
) -> Result<Inference, NetworkError> {
    load_network(chip, program, input)?;
    if let Some(lockstep) = &mut watch.lockstep {
        load_golden(&mut lockstep.iss_mut().bus, program, input)?;
    }
    run_loaded(chip, program, limits, watch)
}

/// Runs the chip with the program and the input that are in its memories, and reads the output from there.
///
/// # Errors
/// As [`run_network`].
pub fn run_loaded(
    chip: &mut Chip,
    program: &Program,
    limits: &Limits,
    watch: &mut Watch,
) -> Result<Inference, NetworkError> {
    let ended = chip.run(limits, watch)?;
    let word = |symbol: &str, index: u32| -> Result<u32, NetworkError> {
        let address = program.symbols.get(symbol).copied().unwrap_or(program.ram.base) + 4 * index;
        Ok(chip.read_word(address)?)
    };
    match ended.exit_code {
        exit_code::DONE => {}
        exit_code::TRAP => {
            let record = |index| word("trap_record", index);
            return Err(NetworkError::Trap { mcause: record(0)?, mepc: record(1)?, mtval: record(2)? });
        }
        exit_code::TENSOR_ERROR => {
            let told = |index| word("tensor_status", index);
            return Err(NetworkError::Tensor { status: told(0)?, number: told(1)?, address: told(2)? });
        }
        code => return Err(NetworkError::ExitCode { code }),
    }
    let region = program.output.region;
    let output = chip.read(region.address, region.bytes as usize)?;
    let layers = program.layers.iter().map(|layer| layer.counters);
    let addresses = [program.input_counters].into_iter().chain(layers).chain([program.output_counters]);
    let counters = addresses.map(|address| {
        let bytes = chip.read(address, Counters::BYTES as usize)?;
        Ok(Counters::from_bytes(&bytes).unwrap_or_default())
    });
    Ok(Inference { output, ended, counters: counters.collect::<Result<_, OutsideMemory>>()? })
}

/// What the golden machine makes of an input: instruction-set simulator and functional tensor unit, no hardware.
///
/// # Errors
/// The program ended with an error.
pub fn golden_output(chip: &ChipConfig, program: &Program, input: &[u8]) -> Result<Vec<u8>, NetworkError> {
    let mut iss = golden(chip);
    load_golden(&mut iss.bus, program, input)?;
    let exit = iss.run(MAX_GOLDEN_INSTRUCTIONS);
    if let Some(error) = iss.bus.coprocessor.as_ref().and_then(Port::too_much) {
        return Err(error.into());
    }
    match exit {
        Exit::Code(exit_code::DONE) => {
            let region = program.output.region;
            Ok(iss.bus.read_memory(region.address, region.bytes as usize)?.to_vec())
        }
        Exit::Code(code) => Err(NetworkError::ExitCode { code }),
        Exit::OutOfBudget => Err(RunError::Budget {
            cycles: MAX_GOLDEN_INSTRUCTIONS,
            place: Place::Between { last: (iss.pc(), None), next: (iss.pc(), None) },
        }
        .into()),
    }
}
