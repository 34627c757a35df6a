//! A chip on an engine: its pins, its memory, and its state.

mod host;
mod memory;
mod running;

use ferrite_hdl::Bits;
use ferrite_hw::config::ChipConfig;
use ferrite_hw::map::{MemoryMap, Region};
use ferrite_hw::soc::Soc;
use ferrite_sim::{Simulator, Snapshot, SnapshotError, StepError};

use super::htif::Host;
use super::outcome::RunError;
use super::place::Place;
use super::rvfi::{CsrPins, RvfiPins};
use super::state::{RestoreError, RunState, fingerprint};
pub use memory::OutsideRam;

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
    ram: Region,
    words: usize,
    pins: Pins,
    cycles_per_bit: u32,
    host: Option<Host>,
    state: RunState,
}

impl Chip {
    /// A chip on an engine that runs the design of `Soc { chip }`.
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
        let words = engine.flat().memories.iter().position(|memory| memory.path == Soc::RAM_WORDS);
        let words = words.expect("a chip has a RAM");
        let (ram, cycles_per_bit) = (*MemoryMap::of(chip).ram(), chip.soc.uart_cycles_per_bit());
        let state = RunState::at_reset(0, cycles_per_bit);
        Chip { engine, ram, words, pins, cycles_per_bit, host: None, state }
    }

    /// Says which program is in the RAM, by the bytes of its file: snapshots of another are refused then.
    pub fn set_program(&mut self, file: &[u8]) {
        self.state.program = fingerprint(file);
    }

    /// The program that runs next may talk to its host by these variables, which must be in the RAM.
    ///
    /// # Errors
    /// They are not; nothing is changed then.
    pub fn set_host(&mut self, host: Option<Host>) -> Result<(), OutsideRam> {
        if let Some(host) = host {
            for variable in [host.tohost, host.fromhost.unwrap_or(host.tohost)] {
                self.first_word(variable, 8)?;
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
