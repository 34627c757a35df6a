//! Where the core's cycles go: each that retires nothing, by what it waits for.

use ferrite_hdl::Encoding;
use ferrite_hdl::flat::Flat;
use ferrite_hw::core::Unit;
use ferrite_sim::Simulator;

/// Why nothing retires in a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A jump or a taken branch: what was fetched behind it is not wanted, what comes next is not there yet.
    Branch,
    /// An operand is still being loaded.
    LoadUse,
    /// A shift is under way, or its result is an operand a cycle too early.
    Shift,
    /// A multiplication is under way, or its product is an operand a cycle too early.
    Multiply,
    /// A division is under way.
    Divide,
    /// Fetch has nothing to offer, though no jump is to blame.
    Fetch,
    /// The data bus takes the access or answers it later than at once.
    Memory,
    /// The coprocessor does.
    Coprocessor,
    /// CSR instructions, `mret`, `fence.i`, `wfi`, traps and interrupts.
    System,
}

impl Cause {
    /// All of them.
    pub const ALL: [Cause; 9] = [
        Cause::Branch,
        Cause::LoadUse,
        Cause::Shift,
        Cause::Multiply,
        Cause::Divide,
        Cause::Fetch,
        Cause::Memory,
        Cause::Coprocessor,
        Cause::System,
    ];

    /// What a table calls it.
    pub fn name(self) -> &'static str {
        match self {
            Cause::Branch => "branch",
            Cause::LoadUse => "load-use",
            Cause::Shift => "shifter",
            Cause::Multiply => "multiplier",
            Cause::Divide => "divider",
            Cause::Fetch => "fetch",
            Cause::Memory => "data bus",
            Cause::Coprocessor => "coprocessor",
            Cause::System => "system",
        }
    }
}

/// Cycles of a stretch of a program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Breakdown {
    /// All cycles.
    pub cycles: u64,
    /// Instructions that retired, each in a cycle of its own.
    pub instructions: u64,
    stalls: [u64; Cause::ALL.len()],
}

impl Breakdown {
    /// The cycles in which nothing retired for this reason.
    pub fn stalled(&self, cause: Cause) -> u64 {
        self.stalls[cause as usize]
    }

    /// Cycles per instruction.
    pub fn cpi(&self) -> f64 {
        self.cycles as f64 / self.instructions as f64
    }

    fn count(&mut self, stall: Option<Cause>) {
        self.cycles += 1;
        match stall {
            None => self.instructions += 1,
            Some(cause) => self.stalls[cause as usize] += 1,
        }
    }
}

impl std::ops::AddAssign for Breakdown {
    fn add_assign(&mut self, other: Breakdown) {
        self.cycles += other.cycles;
        self.instructions += other.instructions;
        for (own, others) in self.stalls.iter_mut().zip(other.stalls) {
            *own += others;
        }
    }
}

/// The core has no signal of this name any more.
#[derive(Debug, thiserror::Error)]
#[error("the core has no signal `{0}`: tests/src/stalls.rs must follow the core's pipeline")]
pub struct MissingSignal(String);

/// Positions of the core's signals, named as in `hw/src/core/mod.rs`.
struct Signals {
    d_ready: usize,
    d_valid: usize,
    redirect_valid: usize,
    waits_for_c: usize,
    x_valid: usize,
    x_unit: usize,
    x_leaves: usize,
    c_valid: usize,
    c_unit: usize,
    c_pc: usize,
    c_insn: usize,
    c_done: usize,
    c_retires: usize,
    c_redirects: usize,
    c_mispredicted: usize,
}

impl Signals {
    fn new(flat: &Flat) -> Result<Signals, MissingSignal> {
        let find = |name: &str| {
            let path = format!("core.{name}");
            let found = (0..flat.signals.len()).find(|k| flat.signal_path(*k) == path);
            found.ok_or(MissingSignal(path))
        };
        Ok(Signals {
            d_ready: find("d_ready")?,
            d_valid: find("fetch.valid")?,
            redirect_valid: find("redirect_valid")?,
            waits_for_c: find("waits_for_c")?,
            x_valid: find("x_valid")?,
            x_unit: find("x_d_unit")?,
            x_leaves: find("x_leaves")?,
            c_valid: find("c_valid")?,
            c_unit: find("c_unit")?,
            c_pc: find("c_pc")?,
            c_insn: find("c_insn")?,
            c_done: find("c_done")?,
            c_retires: find("c_retires")?,
            c_redirects: find("c_redirects")?,
            c_mispredicted: find("c_mispredicted")?,
        })
    }
}

/// Follows bubbles through the pipeline: where a stage passes nothing on, the reason goes to the next stage in its stead.
pub struct Profiler {
    signals: Signals,
    /// Why execute is empty.
    x_bubble: Cause,
    /// Why commit is empty.
    c_bubble: Cause,
    /// What redirected fetch, until the first word from there is on offer.
    refill: Option<Cause>,
}

/// What one cycle brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cycle {
    /// An instruction retires.
    Retires {
        /// Its address.
        pc: u32,
        /// The instruction as it was fetched.
        insn: u32,
    },
    /// Nothing does.
    Stalls(Cause),
}

fn waits_for(unit: u64) -> Cause {
    let is = |other: Unit| unit == other.code();
    match () {
        () if is(Unit::Load) || is(Unit::Store) => Cause::Memory,
        () if is(Unit::Coprocessor) => Cause::Coprocessor,
        () if is(Unit::Alu) => Cause::Shift,
        () if is(Unit::Multiply) => Cause::Multiply,
        () if is(Unit::Divide) => Cause::Divide,
        () => Cause::System,
    }
}

/// What an operand is that the unit gives a cycle too late.
fn late(unit: u64) -> Cause {
    let is = |other: Unit| unit == other.code();
    match () {
        () if is(Unit::Load) => Cause::LoadUse,
        () => waits_for(unit),
    }
}

impl Profiler {
    /// For a chip just after reset.
    ///
    /// # Errors
    /// The core's pipeline is another one than the profiler knows.
    pub fn new(flat: &Flat) -> Result<Profiler, MissingSignal> {
        let signals = Signals::new(flat)?;
        Ok(Profiler { signals, x_bubble: Cause::Fetch, c_bubble: Cause::Fetch, refill: None })
    }

    /// Looks at a cycle, before its clock edge.
    ///
    /// # Panics
    /// If the engine does not show the core's signals.
    pub fn look(&mut self, engine: &mut dyn Simulator) -> Cycle {
        let mut read = |signal| engine.peek_signal(signal).expect("the engine shows all signals").low_u64();
        let s = &self.signals;
        let mut is = |signal| read(signal) != 0;
        let (c_valid, c_done, c_retires) = (is(s.c_valid), is(s.c_done), is(s.c_retires));
        let (x_valid, x_leaves, c_redirects) = (is(s.x_valid), is(s.x_leaves), is(s.c_redirects));
        let (offers, redirects) = (is(s.d_valid), is(s.redirect_valid));
        let issues = offers && is(s.d_ready);
        let waits_for_c = is(s.waits_for_c);
        let redirected = if c_redirects && !is(s.c_mispredicted) { Cause::System } else { Cause::Branch };
        let (x_unit, c_unit) = (read(s.x_unit), read(s.c_unit));

        let cycle = match (c_valid, c_done) {
            _ if c_retires => Cycle::Retires { pc: read(s.c_pc) as u32, insn: read(s.c_insn) as u32 },
            (false, _) => Cycle::Stalls(self.c_bubble),
            (true, true) => Cycle::Stalls(Cause::System),
            (true, false) => Cycle::Stalls(waits_for(c_unit)),
        };

        if !x_leaves {
            self.c_bubble = match x_valid {
                false => self.x_bubble,
                true if c_redirects => redirected,
                true => waits_for(x_unit),
            };
        }
        if redirects {
            self.refill = Some(redirected);
        }
        // An instruction that comes into execute as fetch is redirected is not wanted there.
        if !issues || redirects {
            self.x_bubble = match self.refill {
                Some(cause) if redirects || !offers => cause,
                _ if !offers => Cause::Fetch,
                _ if waits_for_c => waits_for(c_unit),
                _ => late(x_unit),
            };
        }
        if offers && !redirects {
            self.refill = None;
        }
        cycle
    }
}

/// Marks the begin and the end of a stretch of a program: hints, which do nothing, and of which `sw/bench/harness/main.c` has the same.
pub const BEGIN: u32 = 0x0010_2013;
/// See [`BEGIN`].
pub const END: u32 = 0x0020_2013;

/// Runs a chip that was just reset until [`END`] retires, and counts what follows [`BEGIN`]. `None` if it takes more than `max_cycles`.
///
/// # Errors
/// The core's pipeline is another one than the profiler knows.
///
/// # Panics
/// If a property of the hardware does not hold.
pub fn profile(engine: &mut dyn Simulator, max_cycles: u64) -> Result<Option<Breakdown>, MissingSignal> {
    profile_each(engine, max_cycles, |_| ())
}

/// The same, with a look at each of the cycles that are counted.
///
/// # Errors
/// As [`profile`].
///
/// # Panics
/// As [`profile`].
pub fn profile_each(
    engine: &mut dyn Simulator,
    max_cycles: u64,
    mut each: impl FnMut(Cycle),
) -> Result<Option<Breakdown>, MissingSignal> {
    let mut profiler = Profiler::new(engine.flat())?;
    let mut counted: Option<Breakdown> = None;
    for _ in 0..max_cycles {
        let cycle = profiler.look(engine);
        let stall = match (cycle, &mut counted) {
            (Cycle::Retires { insn: END, .. }, Some(_)) => return Ok(counted),
            (Cycle::Retires { insn: BEGIN, .. }, None) => {
                counted = Some(Breakdown::default());
                engine.step(1).unwrap_or_else(|error| panic!("{error}"));
                continue;
            }
            (Cycle::Retires { .. }, _) => None,
            (Cycle::Stalls(cause), _) => Some(cause),
        };
        if let Some(counted) = &mut counted {
            counted.count(stall);
            each(cycle);
        }
        engine.step(1).unwrap_or_else(|error| panic!("{error}"));
    }
    Ok(None)
}
