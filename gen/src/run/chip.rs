//! A chip on an engine: its memory, its pins, and what it does from reset to exit.

use ferrite_hdl::Bits;
use ferrite_hw::config::ChipConfig;
use ferrite_hw::map::{MemoryMap, Region};
use ferrite_hw::soc::Soc;
use ferrite_model::iss::Machine;
use ferrite_model::lockstep::{Divergence, Lockstep};
use ferrite_sim::{FstError, FstRecorder, Simulator, Snapshot, SnapshotError, StepError};

use super::host::{self, Host, Request};
use super::place::Place;
use super::rvfi::RvfiPins;
use super::state::{RestoreError, RunState, fingerprint};

/// Cycles between two calls of [`Watch::progress`], at most.
const PROGRESS_CYCLES: u64 = 1 << 16;

/// Frames that may still be under way when the program has ended: one in the shift register, one waiting.
const FRAMES_UNDER_WAY: u64 = 2;
/// Bits of a frame on the UART's line.
const FRAME_BITS: u64 = 10;
/// More cycles than pass between a store to the UART and the start bit.
const UART_START_CYCLES: u64 = 8;

/// Cycles between two looks at whether the program asks something of its host.
const HOST_CYCLES: u64 = 64;
/// More cycles than pass between the two stores of a request's halves.
const HOST_STORE_CYCLES: u64 = 16;

/// Addresses outside of the chip's RAM.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{bytes} bytes at {address:#010x} are not in the RAM, which goes from {:#010x} to {:#010x}", ram.base, ram.last())]
pub struct OutsideRam {
    /// First address.
    pub address: u32,
    /// Number of bytes.
    pub bytes: usize,
    /// The RAM.
    pub ram: Region,
}

/// Why a run ended without the program's own doing.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The program did not end in time.
    #[error("the program has not ended after {cycles} cycles; allow more with --max-cycles\n{place}")]
    Budget {
        /// Cycles that it had.
        cycles: u64,
        /// Where it was then.
        place: Place,
    },
    /// The core does nothing any more.
    #[error(
        "no instruction has retired for {idle} cycles, noticed in cycle {cycle}: the core hangs, or waits for an interrupt that does not \
         come\n{place}"
    )]
    Hang {
        /// Cycles without an instruction.
        idle: u64,
        /// The cycle in which it was noticed.
        cycle: u64,
        /// Where the program is.
        place: Place,
    },
    /// The program asks something of its host that this one cannot do.
    #[error(
        "cycle {cycle}: the program asks its host for {value:#x} (tohost); known here are only its exit, characters for the console \
         (device 1, command 1) and the system calls write and exit\n{place}"
    )]
    Host {
        /// The value of `tohost`.
        value: u64,
        /// Cycles since reset.
        cycle: u64,
        /// Where the program is.
        place: Place,
    },
    /// The program asks its host to print. Loads that are under way in the hardware then do not see the answer, those of the golden model do.
    #[error(
        "cycle {cycle}: the program asks its host to print (tohost), which cannot be answered in lockstep with the golden model; run it without \
         --lockstep"
    )]
    HostInLockstep {
        /// Cycles since reset.
        cycle: u64,
    },
    /// A property of the hardware does not hold.
    #[error("{failure}\n{place}")]
    Check {
        /// Which one, and in which cycle of the waveform.
        failure: Box<StepError>,
        /// Where the program was then.
        place: Place,
    },
    /// Chip and golden model differ.
    #[error(transparent)]
    Divergence(#[from] Box<Divergence>),
    /// The waveform cannot be written.
    #[error(transparent)]
    Waves(#[from] FstError),
    /// The state cannot be saved on the way.
    #[error(transparent)]
    Save(#[from] SnapshotError),
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// What it wrote to the exit device: 16 bits.
    pub exit_code: u32,
    /// Clock cycles from reset to the exit.
    pub cycles: u64,
    /// Instructions that retired, those that trapped among them.
    pub instructions: u64,
}

/// What looks on while the chip runs.
#[derive(Default)]
pub struct Watch<'a> {
    /// The golden model, which executes every instruction too.
    pub lockstep: Option<&'a mut Lockstep<Machine>>,
    /// Waveforms, from the first cycle after reset on.
    pub waves: Option<&'a mut FstRecorder>,
    /// Takes every byte that the UART has sent.
    pub console: Option<&'a mut dyn FnMut(u8)>,
    /// Is told now and then how many cycles have passed.
    pub progress: Option<&'a mut dyn FnMut(u64)>,
    /// Take the state on the way.
    pub checkpoints: Vec<Checkpoint<'a>>,
}

/// Takes the state now and then.
pub struct Checkpoint<'a> {
    /// At cycles that are multiples of this, and above 0.
    pub every: u64,
    /// Takes it, with the cycles since reset.
    pub take: &'a mut dyn FnMut(u64, Snapshot) -> Result<(), SnapshotError>,
}

/// How long a run may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Clock cycles from reset to the exit.
    pub max_cycles: u64,
    /// Clock cycles without an instruction that retires. The core is looked at that often, and every 65,536 cycles at least.
    pub max_idle_cycles: u64,
}

impl Default for Limits {
    /// Hours of simulation, and a fifth of a second of the default chip's time.
    fn default() -> Limits {
        Limits { max_cycles: 10_000_000_000, max_idle_cycles: 10_000_000 }
    }
}

/// Positions of the chip's ports.
struct Pins {
    reset: usize,
    uart_tx: usize,
    exit_valid: usize,
    exit_code: usize,
    rvfi: RvfiPins,
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
    pub fn new(chip: &ChipConfig, engine: Box<dyn Simulator>) -> Chip {
        let output = |name: &str| engine.output(name).expect("a chip has the outputs of Soc");
        let pins = Pins {
            reset: engine.input("rst").expect("a chip has a reset"),
            uart_tx: output("uart_tx"),
            exit_valid: output("exit_valid"),
            exit_code: output("exit_code"),
            rvfi: RvfiPins::new(output),
        };
        let words = engine.flat().memories.iter().position(|memory| memory.path == Soc::RAM_WORDS);
        let words = words.expect("a chip has a RAM");
        let (ram, cycles_per_bit) = (*MemoryMap::of(chip).ram(), chip.soc.uart_cycles_per_bit());
        let state = RunState::at_reset(0, cycles_per_bit);
        Chip { engine, ram, words, pins, cycles_per_bit, host: None, state }
    }

    fn first_word(&self, address: u32, bytes: usize) -> Result<u32, OutsideRam> {
        let offset = address
            .checked_sub(self.ram.base)
            .filter(|offset| u64::from(*offset) + bytes as u64 <= u64::from(self.ram.size));
        let outside = OutsideRam { address, bytes, ram: self.ram };
        offset.map(|offset| offset / 4).ok_or(outside)
    }

    /// Writes bytes into the RAM, as a loader does before reset.
    ///
    /// # Errors
    /// A byte lies outside; nothing is written then.
    pub fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), OutsideRam> {
        let first = self.first_word(address, bytes.len())?;
        let skip = (address % 4) as usize;
        let mut padded = vec![0; (skip + bytes.len()).next_multiple_of(4)];
        // The bytes around keep their values.
        for word in [0, padded.len().saturating_sub(4)] {
            if word < padded.len() {
                let old = self.word(first + word as u32 / 4);
                padded[word..word + 4].copy_from_slice(&old.to_le_bytes());
            }
        }
        padded[skip..skip + bytes.len()].copy_from_slice(bytes);
        for (k, word) in padded.chunks_exact(4).enumerate() {
            let word = little_endian(word);
            self.engine.write_memory(self.words, first + k as u32, &Bits::from_u64(32, word.into()));
        }
        Ok(())
    }

    /// The bytes of the RAM from `address` on.
    ///
    /// # Errors
    /// A byte lies outside.
    pub fn read(&self, address: u32, bytes: usize) -> Result<Vec<u8>, OutsideRam> {
        let first = self.first_word(address, bytes)?;
        let skip = (address % 4) as usize;
        let words = (skip + bytes).div_ceil(4) as u32;
        let all: Vec<u8> = (first..first + words).flat_map(|word| self.word(word).to_le_bytes()).collect();
        Ok(all[skip..skip + bytes].to_vec())
    }

    /// The word of the RAM at `address`.
    ///
    /// # Errors
    /// A byte of it lies outside.
    pub fn read_word(&self, address: u32) -> Result<u32, OutsideRam> {
        self.read(address, 4).map(|bytes| little_endian(&bytes))
    }

    fn word(&self, index: u32) -> u32 {
        self.engine.read_memory(self.words, index).low_u64() as u32
    }

    /// Resets everything but the memories: one clock edge with `rst` up.
    ///
    /// # Errors
    /// A property of the hardware that does not hold.
    pub fn reset(&mut self) -> Result<(), RunError> {
        self.engine.poke(self.pins.reset, &Bits::ones(1));
        self.engine.step(1).map_err(|failure| self.failed(failure))?;
        self.engine.poke(self.pins.reset, &Bits::zero(1));
        self.state = RunState::at_reset(self.state.program, self.cycles_per_bit);
        Ok(())
    }

    fn is_up(&mut self, output: usize) -> bool {
        self.engine.peek(output).is_nonzero()
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

    /// Cycles since reset.
    pub fn cycle(&self) -> u64 {
        self.state.cycle
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

    /// Resets the chip and runs it until the program ends itself. Bytes still in the UART then are waited for.
    ///
    /// # Errors
    /// The program did not end within the limits, hardware and golden model differ, or a property of the hardware does not hold. The state stays as it was
    /// then.
    pub fn run(&mut self, limits: &Limits, watch: &mut Watch) -> Result<Ended, RunError> {
        self.reset()?;
        self.resume(limits, watch)
    }

    /// As [`Chip::run`], but goes on from where the chip is. Whatever a run is interrupted by, it ends as it would have.
    ///
    /// # Errors
    /// As [`Chip::run`].
    pub fn resume(&mut self, limits: &Limits, watch: &mut Watch) -> Result<Ended, RunError> {
        let max_cycles = limits.max_cycles;
        let start = self.state.cycle;
        let period = PROGRESS_CYCLES.min(limits.max_idle_cycles.max(1));
        let exit_code = loop {
            if self.is_up(self.pins.exit_valid) {
                break self.engine.peek(self.pins.exit_code).low_u64() as u32;
            }
            if let Some(exit_code) = self.serve(watch)? {
                break exit_code;
            }
            let cycle = self.state.cycle;
            if cycle > start {
                self.reach_checkpoints(watch)?;
            }
            if cycle >= max_cycles {
                return Err(RunError::Budget { cycles: max_cycles, place: self.place() });
            }
            let stops = watch.checkpoints.iter().map(|checkpoint| checkpoint.every.max(1)).chain([period]);
            let stops = stops.chain(self.host.map(|_| HOST_CYCLES));
            let until_stop = stops.map(|every| every - cycle % every).min().unwrap_or(period);
            let most = self.look(watch)?.min(until_stop).min(max_cycles - cycle);
            self.advance(most, watch)?;
            if !self.state.cycle.is_multiple_of(period) {
                continue;
            }
            if let Some(progress) = &mut watch.progress {
                progress(self.state.cycle);
            }
            let now = self.retired();
            if now != self.state.retired {
                (self.state.retired, self.state.busy_cycle) = (now, self.state.cycle);
            }
            let idle = self.state.cycle - self.state.busy_cycle;
            if idle > limits.max_idle_cycles {
                return Err(RunError::Hang { idle, cycle: self.state.cycle, place: self.place() });
            }
        };
        let ended = Ended { exit_code, cycles: self.state.cycle, instructions: self.retired() };

        let settled = if self.state.line.heard { u64::from(self.cycles_per_bit) } else { UART_START_CYCLES };
        let end = self.state.cycle + FRAMES_UNDER_WAY * FRAME_BITS * u64::from(self.cycles_per_bit);
        while self.state.line.quiet < settled && self.state.cycle < end {
            self.advance(settled, watch)?;
        }
        Ok(ended)
    }

    /// Does what the program asks of its host; gives the exit code of one that has ended.
    fn serve(&mut self, watch: &mut Watch) -> Result<Option<u32>, RunError> {
        let Some(host) = self.host.filter(|_| self.state.cycle.is_multiple_of(HOST_CYCLES)) else {
            return Ok(None);
        };
        if self.double_word(host.tohost) == Some(0) {
            return Ok(None);
        }
        // The program may be between its two stores.
        for _ in 0..HOST_STORE_CYCLES {
            self.look(watch)?;
            self.advance(1, watch)?;
        }
        let value = self.double_word(host.tohost).unwrap_or(0);
        let request = host::request(value, |address| self.double_word(address));
        let (printed, call) = match request {
            Some(Request::Exit(code)) => return Ok(Some(code)),
            Some(Request::Print(bytes)) => (Some(bytes), None),
            Some(Request::Write { call, from, bytes }) => (self.read(from, bytes as usize).ok(), Some(call)),
            None => (None, None),
        };
        let Some(printed) = printed else {
            return Err(RunError::Host { value, cycle: self.state.cycle, place: self.place() });
        };
        if watch.lockstep.is_some() {
            return Err(RunError::HostInLockstep { cycle: self.state.cycle });
        }
        if let Some(call) = call {
            self.answer(call, printed.len() as u64);
        }
        if let Some(console) = &mut watch.console {
            printed.into_iter().for_each(console);
        }
        self.answer(host.tohost, 0);
        if let Some(fromhost) = host.fromhost.filter(|_| call.is_some()) {
            self.answer(fromhost, 1);
        }
        Ok(None)
    }

    fn double_word(&self, address: u32) -> Option<u64> {
        let bytes = self.read(address, 8).ok()?;
        Some(u64::from(little_endian(&bytes[..4])) | u64::from(little_endian(&bytes[4..])) << 32)
    }

    fn answer(&mut self, address: u32, value: u64) {
        self.write(address, &value.to_le_bytes()).expect("it was read from there");
    }

    fn reach_checkpoints(&mut self, watch: &mut Watch) -> Result<(), SnapshotError> {
        for checkpoint in &mut watch.checkpoints {
            if self.state.cycle.is_multiple_of(checkpoint.every.max(1)) {
                (checkpoint.take)(self.state.cycle, self.save()?)?;
            }
        }
        Ok(())
    }

    /// Shows this cycle to those who look on; gives the number of cycles after which somebody wants to look again.
    fn look(&mut self, watch: &mut Watch) -> Result<u64, RunError> {
        let mut next = u64::MAX;
        if let Some(waves) = &mut watch.waves {
            waves.sample(&mut *self.engine, &[0])?;
            next = waves.unrecorded(self.engine.cycle()).max(1);
        }
        if let Some(lockstep) = &mut watch.lockstep {
            let record = self.pins.rvfi.record(&mut *self.engine);
            // The waveform's count of cycles, which includes resets.
            let cycle = self.engine.cycle();
            lockstep.check(cycle, &record)?;
            next = 1;
        }
        Ok(next)
    }

    /// Goes on for at most `cycles`, or until the UART's line changes or the program ends.
    fn advance(&mut self, cycles: u64, watch: &mut Watch) -> Result<(), RunError> {
        let level = self.is_up(self.pins.uart_tx);
        let before = self.engine.cycle();
        let run = self.engine.run(cycles, &[self.pins.uart_tx, self.pins.exit_valid]);
        // Also of a run that a property ends.
        let passed = self.engine.cycle() - before;
        self.state.cycle += passed;
        if let Some(byte) = self.state.line.hear(level, passed)
            && let Some(console) = &mut watch.console
        {
            console(byte);
        }
        run.map(|_| ()).map_err(|failure| self.failed(failure))
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
        let next = self.read_word(record.pc_wdata).ok();
        Place { last: (record.pc_rdata, Some(record.insn)), next: (record.pc_wdata, next) }
    }
}

fn little_endian(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte))
}
