//! One hart: its state, and the step from one instruction to the next.

use super::bus::Bus;
use super::config::HartConfig;
use super::csr_file::CsrFile;
use super::execute::Effects;
use super::privilege::Privilege;
use super::retired::{Observed, Retired};
use super::trap::{Interrupt, Trap, cause};
use crate::isa::Reg;

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The program ended the run with this code.
    Code(u32),
    /// The budget of instructions was used up.
    OutOfBudget,
}

/// The simulator: a hart and its bus.
///
/// No program can make it panic.
#[derive(Clone, Debug)]
pub struct Iss<B> {
    /// What the hart is connected to.
    pub bus: B,
    pub(super) pc: u32,
    pub(super) x: [u32; 32],
    pub(super) csrs: CsrFile,
    trapped: bool,
}

impl<B: Bus> Iss<B> {
    /// A hart after reset: all registers 0, interrupts disabled.
    pub fn new(bus: B, config: HartConfig) -> Iss<B> {
        Iss { bus, pc: config.reset_pc, x: [0; 32], csrs: CsrFile::new(config), trapped: false }
    }

    /// Address of the next instruction, unless an interrupt comes first.
    pub fn pc(&self) -> u32 {
        self.pc
    }

    /// A register's value.
    pub fn register(&self, reg: Reg) -> u32 {
        self.x[reg.number() as usize]
    }

    /// Sets a register; `x0` stays 0.
    pub fn set_register(&mut self, reg: Reg, value: u32) {
        if reg.number() != 0 {
            self.x[reg.number() as usize] = value;
        }
    }

    /// A CSR's value; `None` if it does not exist.
    pub fn csr(&self, csr: u16) -> Option<u32> {
        self.csrs.read(csr, self.bus.interrupts(), self.bus.time()).map(|reading| reading.value())
    }

    /// The CSRs.
    pub fn csrs(&self) -> &CsrFile {
        &self.csrs
    }

    /// The mode in which the next instruction is executed, unless an interrupt comes first.
    pub fn privilege(&self) -> Privilege {
        self.csrs.privilege()
    }

    /// True if the last instruction raised an exception, so that the next is a handler's first.
    pub fn trapped(&self) -> bool {
        self.trapped
    }

    /// Executes one instruction, after taking the most urgent interrupt that is pending and enabled.
    pub fn step(&mut self) -> Retired {
        self.bus.tick();
        let interrupt = Interrupt::most_urgent(self.bus.interrupts() & self.csrs.enabled_interrupts());
        self.advance(&Observed { interrupt, ..Observed::default() })
    }

    /// Executes one instruction as an implementation was seen to do: takes an interrupt if, and only if, `observed`
    /// names one (enabled or not: the caller judges that), and adopts values that depend on timing.
    pub fn step_with(&mut self, observed: &Observed) -> Retired {
        self.bus.tick();
        self.advance(observed)
    }

    /// Executes until the program ends the run, at most `max_instructions` instructions.
    pub fn run(&mut self, max_instructions: u64) -> Exit {
        for _ in 0..max_instructions {
            if let Some(code) = self.bus.exit_code() {
                return Exit::Code(code);
            }
            self.step();
        }
        self.bus.exit_code().map_or(Exit::OutOfBudget, Exit::Code)
    }

    fn advance(&mut self, observed: &Observed) -> Retired {
        if let Some(interrupt) = observed.interrupt {
            self.pc = self.csrs.enter_trap(self.pc, cause::INTERRUPT | interrupt.code(), 0);
        }
        let pc = self.pc;
        let privilege = self.csrs.privilege();
        let fetched = self.fetch();
        let (word, inst) = fetched.map_or((0, None), |fetched| (fetched.word, fetched.inst));
        let (rs1, rs2) = match inst {
            Some(inst) if word & 3 != 3 => (inst.rs1, inst.rs2),
            _ => (Reg::from_field(word, 15), Reg::from_field(word, 20)),
        };
        let rs_values = (self.register(rs1), self.register(rs2));
        let outcome = match (fetched, inst) {
            (Err(trap), _) => Err(trap),
            (Ok(_), None) => Err(Trap::new(cause::ILLEGAL_INSTRUCTION, word)),
            (Ok(fetched), Some(inst)) => self.execute(inst, fetched, observed),
        };
        let (effects, trap) = match outcome {
            Ok(effects) => (effects, None),
            Err(trap) => {
                let handler = self.csrs.enter_trap(pc, trap.cause, trap.tval);
                (Effects { next_pc: handler, ..Effects::default() }, Some(trap))
            }
        };
        let rd = effects.rd.filter(|(reg, _)| reg.number() != 0);
        if let Some((reg, value)) = rd {
            self.set_register(reg, value);
        }
        self.csrs.count(trap.is_none());
        self.pc = effects.next_pc;
        let handler_entry =
            std::mem::replace(&mut self.trapped, trap.is_some()) || observed.interrupt.is_some();
        Retired {
            pc,
            privilege,
            word,
            inst,
            next_pc: effects.next_pc,
            rs_values,
            rd,
            memory: effects.memory,
            csr: effects.csr,
            trap,
            interrupt: observed.interrupt,
            handler_entry,
            timing: effects.timing,
            adopted: effects.adopted,
        }
    }
}
