//! A chip on an engine: its pins, its memory, and its state.

mod host;
mod memory;
mod running;

use ferrite_hdl::Bits;
use ferrite_hw::config::ChipConfig;
use ferrite_hw::map::{EXTERNAL_BASE, MemoryMap};
use ferrite_hw::soc::{SimulatedChip, Soc};
use ferrite_sim::{Simulator, Snapshot, SnapshotError, StepError};

use super::htif::Host;
use super::outcome::RunError;
use super::place::Place;
use super::rvfi::{CsrPins, RvfiPins};
use super::state::{RestoreError, RunState, fingerprint};
use memory::Loadable;
pub use memory::OutsideMemory;

/// Positions of the chip's ports.
struct Pins {
    reset: usize,
    uart_tx: usize,
    exit_valid: usize,
    exit_code: usize,
    rvfi: RvfiPins,
    csrs: CsrPins,
}

/// A chip in simulation.
pub struct Chip {
    engine: Box<dyn Simulator>,
    memories: Vec<Loadable>,
    pins: Pins,
    cycles_per_bit: u32,
    host: Option<Host>,
    /// Seed of the external memory's hesitation, if it hesitates.
    stalls: Option<u32>,
    state: RunState,
}

impl Chip {
    /// A chip on an engine that runs the design of a [`SimulatedChip`].
    ///
    /// # Panics
    /// If the engine runs another design.
    pub fn new(chip: &ChipConfig, mut engine: Box<dyn Simulator>) -> Chip {
        let output = |name: &str| engine.output(name).expect("a chip has the outputs of Soc");
        let pins = Pins {
            reset: engine.input("rst").expect("a chip has a reset"),
            uart_tx: output("uart_tx"),
            exit_valid: output("exit_valid"),
            exit_code: output("exit_code"),
            rvfi: RvfiPins::new(output),
            csrs: CsrPins::new(output),
        };
        // Nobody sends.
        let uart_rx = engine.input("uart_rx").expect("a chip has the inputs of Soc");
        engine.poke(uart_rx, &Bits::ones(1));
        let memories = MemoryMap::of(chip).loadable().into_iter().map(|region| {
            let path =
                if region.base == EXTERNAL_BASE { SimulatedChip::EXTERNAL_WORDS } else { Soc::RAM_WORDS };
            let memories = &engine.flat().memories;
            let index =
                memories.iter().position(|memory| memory.path == path).expect("a chip has its memories");
            Loadable { region, index, word_bytes: memories[index].width as usize / 8 }
        });
        let memories = memories.collect();
        let cycles_per_bit = chip.soc.uart_cycles_per_bit();
        let state = RunState::at_reset(0, cycles_per_bit);
        Chip { engine, memories, pins, cycles_per_bit, host: None, stalls: None, state }
    }

    /// External memory hesitates at random from the next reset on, if the chip has one.
    pub fn set_memory_stalls(&mut self, seed: Option<u32>) {
        self.stalls = seed;
    }

    /// Sets an input of the simulated memory, if there is one.
    fn poke_memory(&mut self, input: &str, value: u32) {
        if let Ok(input) = self.engine.input(input) {
            self.engine.poke(input, &Bits::from_u64(32, value.into()));
        }
    }

    /// Says which program is in the RAM, by the bytes of its file: snapshots of another are refused then.
    pub fn set_program(&mut self, file: &[u8]) {
        self.state.program = fingerprint(file);
    }

    /// The program that runs next may talk to its host by these variables, which must be in a memory.
    ///
    /// # Errors
    /// They are not; nothing is changed then.
    pub fn set_host(&mut self, host: Option<Host>) -> Result<(), OutsideMemory> {
        if let Some(host) = host {
            for variable in [host.tohost, host.fromhost.unwrap_or(host.tohost)] {
                self.check_place(variable, 8)?;
            }
        }
        self.host = host;
        Ok(())
    }

    /// What was given to [`Chip::set_host`].
    pub fn host(&self) -> Option<Host> {
        self.host
    }

    /// The number of this cycle, as in the waveform: clock edges since power-up.
    pub fn cycle(&self) -> u64 {
        self.engine.cycle()
    }

    /// The state now: the hardware's, and how far the run is.
    ///
    /// # Errors
    /// The engine does not show its registers.
    pub fn save(&mut self) -> Result<Snapshot, SnapshotError> {
        let mut snapshot = self.engine.save()?;
        snapshot.set_harness(self.state.to_bytes());
        Ok(snapshot)
    }

    /// Takes up a state that was saved; [`Chip::resume`] goes on from it.
    ///
    /// # Errors
    /// It is that of another chip or of another program, or the engine cannot set its registers; nothing is changed then.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<(), RestoreError> {
        let state = RunState::from_bytes(snapshot.harness(), self.cycles_per_bit).ok_or(RestoreError::NoRun);
        let own = self.state.program;
        if own != 0 && state.as_ref().is_ok_and(|state| state.program != own) {
            return Err(RestoreError::OtherProgram);
        }
        self.engine.restore(snapshot)?;
        self.poke_memory("memory_stall", self.stalls.is_some().into());
        self.state = state?;
        Ok(())
    }

    fn is_up(&mut self, output: usize) -> bool {
        self.engine.peek(output).is_nonzero()
    }

    /// Instructions that have retired since reset.
    fn retired(&mut self) -> u64 {
        self.engine.peek(self.pins.rvfi.order).low_u64()
    }

    fn failed(&mut self, failure: StepError) -> RunError {
        RunError::Check { failure: Box::new(failure), place: self.place() }
    }

    /// Where the program is: the instruction in the core's last stage, and the one behind it.
    fn place(&mut self) -> Place {
        let record = self.pins.rvfi.last(&mut *self.engine);
        if record.order == 0 && !record.valid {
            return Place::Start;
        }
        let next = self.read_word(record.pc_wdata).ok();
        Place::Between { last: (record.pc_rdata, Some(record.insn)), next: (record.pc_wdata, next) }
    }
}
