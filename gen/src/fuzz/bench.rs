//! A core on its board, beside the model.

use ferrite_hdl::elaborate;
use ferrite_hw::core::Core;
use ferrite_model::iss::{Bus, BusFault, HartConfig, Interrupt, Iss, Misaligned, Reply, Retired, Width};
use ferrite_model::lockstep::Lockstep;
use ferrite_sim::{Native, NativeOptions, Simulator, Snapshot};

use super::Traits;
use super::board::Board;
use super::failure::Failure;
use super::interrupts::Lines;
use super::item::Image;
use super::ports::{Ports, poke};
use super::random::Random;
use super::weights::Weights;
use crate::error::Error;

/// The positions of the channels.
const FETCH: usize = 0;
const DATA: usize = 1;

/// A core that can be run again and again.
pub struct Bench {
    engine: Box<dyn Simulator + Send>,
    ports: Ports,
    /// Nothing for an engine that cannot go back to it.
    after_reset: Option<Snapshot>,
    has_coprocessor: bool,
    hart: HartConfig,
}

/// A port's answer that is still to come.
#[derive(Clone, Copy, Default)]
struct Pending {
    answer: Option<(u32, bool)>,
    wait: u32,
}

/// A program that runs.
pub struct Running<'a> {
    engine: &'a mut dyn Simulator,
    ports: &'a Ports,
    board: Board,
    lockstep: Lockstep<Board>,
    random: Random,
    lines: Lines,
    waits: u32,
    pending: [Pending; 3],
    /// The requests that were not taken in the last cycle.
    refused: [Option<[u64; 5]>; 3],
    /// Misaligned accesses reach the bus.
    handles_misaligned: bool,
}

impl Bench {
    /// A core after reset, and the model's hart that it is compared with.
    ///
    /// # Errors
    /// The core cannot be built or simulated.
    pub fn new(traits: &Traits, hart: HartConfig) -> Result<Bench, Error> {
        let core = Core { config: traits.core, has_coprocessor: traits.has_coprocessor };
        let design = elaborate(&core).map_err(Error::Design)?;
        let engine = Native::new(&design, &NativeOptions::default())?;
        let mut bench = Bench::on(Box::new(engine), traits, hart)?;
        bench.after_reset = Some(bench.engine.save()?);
        Ok(bench)
    }

    /// A core on an engine that has not run yet and may be unable to go back: it is given one program.
    ///
    /// # Errors
    /// An assertion of the core fails during the reset.
    pub fn on(
        mut engine: Box<dyn Simulator + Send>,
        traits: &Traits,
        hart: HartConfig,
    ) -> Result<Bench, Error> {
        let ports = Ports::new(&*engine);
        poke(&mut *engine, ports.reset, 1u8);
        engine.step(1).map_err(|failure| Error::Usage(failure.to_string()))?;
        poke(&mut *engine, ports.reset, 0u8);
        Ok(Bench { engine, ports, after_reset: None, has_coprocessor: traits.has_coprocessor, hart })
    }

    /// The cycle in which the core is; cycle 0 is that of the reset.
    pub fn cycle(&self) -> u64 {
        self.engine.cycle()
    }

    /// Starts a program, with surroundings of which the seed decides.
    pub fn start(&mut self, image: &Image, weights: &Weights, seed: u64) -> Running<'_> {
        if let Some(after_reset) = &self.after_reset {
            self.engine.restore(after_reset).expect("an engine takes up its own state");
        }
        let board = Board::new(image, self.has_coprocessor, seed);
        Running {
            lockstep: Lockstep::new(Iss::new(board.clone(), self.hart)),
            board,
            engine: &mut *self.engine,
            ports: &self.ports,
            random: Random::new(!seed),
            lines: Lines::new(weights.interrupts),
            waits: weights.waits,
            pending: [Pending::default(); 3],
            refused: [None; 3],
            handles_misaligned: self.hart.misaligned == Misaligned::Handled,
        }
    }
}

impl Running<'_> {
    /// The number of this cycle; cycle 0 is that of the reset.
    pub fn cycle(&self) -> u64 {
        self.engine.cycle()
    }

    /// The model after the last instruction.
    pub fn model(&self) -> &Iss<Board> {
        self.lockstep.iss()
    }

    /// From now on all interrupt lines are up, so that whoever waits for one gets it.
    pub fn wake(&mut self) {
        self.lines.wake();
    }

    /// `fence.i` has retired.
    pub fn fence(&mut self) {
        self.lockstep.iss_mut().bus.fence();
    }

    fn idles(&mut self) -> bool {
        self.waits > 0 && self.random.below(8) < self.waits
    }

    /// One cycle; gives the instruction that retired, after comparing it.
    ///
    /// # Errors
    /// What is wrong with the core.
    pub fn step(&mut self) -> Result<Option<Retired>, Failure> {
        let msip = self.board.msip;
        let mut ready = [false; 3];
        for (port, is_ready) in ready.iter_mut().enumerate() {
            *is_ready = self.answer(port);
        }
        let data_answered = self.pending[DATA].answer.is_none();
        let lines = self.lines.now(&mut self.random);
        poke(self.engine, self.ports.timer, lines & Interrupt::Timer.bit() != 0);
        poke(self.engine, self.ports.software, lines & Interrupt::Software.bit() != 0);
        poke(self.engine, self.ports.external, lines & Interrupt::External.bit() != 0);
        for (port, is_ready) in ready.into_iter().enumerate() {
            self.ask(port, is_ready)?;
        }
        // As late as a device may: when the store has been answered.
        if data_answered {
            self.lines.software = msip;
        }
        let retired = self.compare()?;
        self.engine.step(1)?;
        Ok(retired)
    }

    /// Gives the answer that is due on a port; tells whether the port takes a request.
    fn answer(&mut self, port: usize) -> bool {
        let Pending { answer, wait } = self.pending[port];
        let due = answer.filter(|_| wait == 0);
        let is_ready = (answer.is_none() || due.is_some()) && !self.idles();
        // Without an answer anything may stand there.
        let (data, error) = due.unwrap_or_else(|| (self.random.word(), self.random.once_in(2)));
        let channel = &self.ports.channels[port];
        poke(self.engine, channel.valid, due.is_some());
        poke(self.engine, channel.data, data);
        if let Some(input) = channel.error {
            poke(self.engine, input, error);
        }
        poke(self.engine, channel.ready, is_ready);
        match due {
            Some(_) => self.pending[port] = Pending::default(),
            None => self.pending[port].wait = wait.saturating_sub(1),
        }
        is_ready
    }

    /// Takes the request of a port if it is ready, and looks whether one that was not taken is still there.
    fn ask(&mut self, port: usize, is_ready: bool) -> Result<(), Failure> {
        let request = self.ports.channels[port].request(self.engine);
        if self.refused[port].is_some_and(|refused| refused != request) {
            return Err(self.breach(format!(
                "{} changed its request before it was taken",
                self.ports.channels[port].name
            )));
        }
        self.refused[port] = None;
        if request[0] == 0 {
            return Ok(());
        }
        if !is_ready {
            self.refused[port] = Some(request);
            return Ok(());
        }
        let answer = match port {
            FETCH => self.board.fetch(request[1] as u32).map_or((0, true), |word| (word, false)),
            DATA => self.access(request)?,
            _ => self.command(request)?,
        };
        let wait = if self.idles() { self.random.below(4) } else { 0 };
        self.pending[port] = Pending { answer: Some(answer), wait };
        Ok(())
    }

    fn breach(&self, message: String) -> Failure {
        Failure::Protocol { cycle: self.cycle(), message }
    }

    fn access(&mut self, [_, address, write, data, mask]: [u64; 5]) -> Result<(u32, bool), Failure> {
        let address = address as u32;
        let aligned = matches!(mask, 1 | 2 | 4 | 8 | 3 | 12 | 15);
        let misaligned = self.handles_misaligned && matches!(mask, 6 | 7 | 14);
        if !address.is_multiple_of(4) || !(aligned || misaligned) {
            return Err(self.breach(format!("dbus asks for address {address:#x} with mask {mask:#06b}")));
        }
        if write == 0 {
            let word = self.board.load(address, Width::Word);
            return Ok(word.map_or((0, true), |word| (word.value(), false)));
        }
        let bytes = (data as u32).to_le_bytes();
        let lanes = (0..4).filter(|lane| mask >> lane & 1 == 1);
        let stored: Vec<_> = lanes
            .map(|lane| self.board.store(address + lane, Width::Byte, bytes[lane as usize].into()))
            .collect();
        Ok((0, stored.contains(&Err(BusFault))))
    }

    fn command(&mut self, [_, funct7, rs1, rs2, _]: [u64; 5]) -> Result<(u32, bool), Failure> {
        match self.board.command(funct7 as u32, rs1 as u32, rs2 as u32) {
            Some(Reply::Value(value)) => Ok((value.value(), false)),
            Some(Reply::Nothing) => Ok((self.random.word(), false)),
            None => Err(self.breach("a command without a coprocessor".to_string())),
        }
    }

    /// Compares the instruction that retires in this cycle.
    fn compare(&mut self) -> Result<Option<Retired>, Failure> {
        let rvfi = self.ports.rvfi.record(self.engine);
        if !rvfi.valid {
            return Ok(None);
        }
        let csrs = self.ports.csrs.values(self.engine);
        let cycle = self.cycle();
        let enabled = self.lockstep.iss().csrs().enabled_interrupts();
        self.lockstep.iss_mut().bus.lines = self.lines.seen();
        let retired = self.lockstep.check_with_csrs(cycle, &rvfi, &csrs)?;
        if let Some(retired) = &retired {
            let enabled_after = self.lockstep.iss().csrs().enabled_interrupts();
            let judged = self.lines.judge(retired.interrupt, enabled, enabled_after);
            judged.map_err(|message| Failure::Interrupt { cycle, message })?;
        }
        Ok(retired)
    }
}
