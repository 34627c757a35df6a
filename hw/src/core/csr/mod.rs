//! The control and status registers (RISC-V Privileged 20240411, 3.1).
//!
//! | file | what it holds |
//! |---|---|
//! | `numbers` | the CSRs' numbers, and which of them a configuration has |
//! | `legal` | which accesses trap; what is decoded of a number |
//! | `machine` | `mstatus`, the mode, interrupts, `mtvec`, `mscratch`, `mepc`, `mcause`, `mtval` |
//! | `counters` | `mcycle`, `minstret`, event counters, and who may read them |
//! | `pmp_registers` | `pmpcfg`, `pmpaddr` |
//! | `read` | the multiplexer |
//!
//! Where the specification leaves a choice, the cheaper one is made: `mcause` holds bit 31 and four bits of code, and the base of a vectored `mtvec` is a
//! multiple of 64. There is no `time`: reading it traps, and machine mode may supply it.

mod counters;
mod legal;
mod machine;
mod numbers;
mod pmp_registers;
mod read;

pub use counters::{EVENTS, Event};
pub use legal::is_legal;

use ferrite_hdl::prelude::*;

use super::config::CoreConfig;
use super::pmp::PmpState;
use super::trap::Trap;

/// The interrupt lines; each stays up as long as its cause does.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Interrupts<T> {
    /// From the timer.
    pub timer: T,
    /// From `msip`.
    pub software: T,
    /// From the interrupt controller.
    pub external: T,
}

impl Interrupts<Shape> {
    /// One bit each.
    pub fn shape() -> Interrupts<Shape> {
        Interrupts { timer: bit(), software: bit(), external: bit() }
    }
}

/// A write to a CSR.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Write<T> {
    /// It happens in this cycle.
    pub valid: T,
    /// Number of the CSR, which exists and is not read-only: [`is_legal`].
    pub number: T,
    /// The new value; the CSR keeps what its rules allow.
    pub value: T,
}

/// Inputs of the CSRs. A cycle has at most one of a write, a trap and `mret`.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct CsrIn<T> {
    /// Number of the CSR to read.
    pub number: T,
    /// The write of a CSR instruction that commits.
    pub write: Write<T>,
    /// The trap that is taken.
    pub trap: Trap<T>,
    /// Address of the instruction that traps.
    pub pc: T,
    /// `mret` commits.
    pub mret: T,
    /// An instruction commits without a trap.
    pub retires: T,
    /// The interrupt lines.
    pub interrupts: Interrupts<T>,
    /// A bit for each [`Event`] that happens.
    pub events: T,
}

/// The values of CSRs, for those who watch the core. Those that do not exist are 0.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct CsrValues<T> {
    /// Interrupt enables, modes, MPRV and TW.
    pub mstatus: T,
    /// Interrupt enables, one per source.
    pub mie: T,
    /// Base and mode of the handlers.
    pub mtvec: T,
    /// A word for the handler.
    pub mscratch: T,
    /// Where the trap came from.
    pub mepc: T,
    /// Why it came.
    pub mcause: T,
    /// Its address or instruction.
    pub mtval: T,
    /// Counters that user mode may read.
    pub mcounteren: T,
    /// Counters that stand still.
    pub mcountinhibit: T,
    /// Instructions retired, 64 bits.
    pub minstret: T,
}

impl CsrValues<Shape> {
    /// The widths.
    pub fn shape() -> CsrValues<Shape> {
        CsrValues {
            mstatus: bits(32),
            mie: bits(32),
            mtvec: bits(32),
            mscratch: bits(32),
            mepc: bits(32),
            mcause: bits(32),
            mtval: bits(32),
            mcounteren: bits(32),
            mcountinhibit: bits(32),
            minstret: bits(64),
        }
    }
}

/// Outputs of the CSRs.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct CsrOut<T> {
    /// The value that the CSR whose number stood in the cycle before had in that cycle, before any write in it; anything if there is
    /// no such CSR.
    pub read: T,
    /// Where the handler of `trap` stands.
    pub handler: T,
    /// Where `mret` returns.
    pub mepc: T,
    /// In the cycle before, an interrupt was enabled and pending, globally enabled or not: what `wfi` waits for.
    pub wakes: T,
    /// In the cycle before, an interrupt was to be taken.
    pub interrupt: T,
    /// Its code.
    pub interrupt_code: T,
    /// Machine mode now, else user mode.
    pub machine_mode: T,
    /// Loads and stores have the rights of machine mode.
    pub data_machine_mode: T,
    /// `wfi` is illegal in user mode.
    pub timeout_wait: T,
    /// `mcounteren`: counters that user mode may read.
    pub counters_allowed: T,
    /// The PMP's entries.
    pub pmp: PmpState<T>,
    /// All values.
    pub values: CsrValues<T>,
}

/// The CSRs and the privilege mode.
#[module]
pub struct Csr {
    /// What the core has.
    pub config: CoreConfig,
}

/// The write as the registers see it.
struct WriteBus {
    valid: UInt,
    number: UInt,
    value: UInt,
    /// Numbers that can come.
    writable: Vec<u32>,
}

impl WriteBus {
    /// Whether this CSR is written.
    fn to(&self, csr: u32) -> UInt {
        let others: Vec<u32> = self.writable.iter().copied().filter(|other| *other != csr).collect();
        self.valid & legal::recognise(self.number, &[csr], &others)
    }
}

impl Module for Csr {
    type In = CsrIn<UInt>;
    type Out = CsrOut<UInt>;

    fn inputs(&self) -> CsrIn<Shape> {
        CsrIn {
            number: bits(12),
            write: Write { valid: bit(), number: bits(12), value: bits(32) },
            trap: Trap::shape(),
            pc: bits(32),
            mret: bit(),
            retires: bit(),
            interrupts: Interrupts::shape(),
            events: bits(EVENTS),
        }
    }
    fn outputs(&self) -> CsrOut<Shape> {
        CsrOut {
            read: bits(32),
            handler: bits(32),
            mepc: bits(32),
            wakes: bit(),
            interrupt: bit(),
            interrupt_code: bits(4),
            machine_mode: bit(),
            data_machine_mode: bit(),
            timeout_wait: bit(),
            counters_allowed: bits(32),
            pmp: PmpState::shape(self.config.pmp_regions),
            values: CsrValues::shape(),
        }
    }
    fn build(&self, m: &Builder, i: CsrIn<UInt>) -> CsrOut<UInt> {
        let config = &self.config;
        let existing = numbers::existing(config);
        let Write { valid, number, value } = i.write;
        let writable: Vec<u32> =
            existing.iter().copied().filter(|csr| !numbers::is_read_only(*csr)).collect();
        let write = WriteBus { valid, number, value, writable };
        m.assert("written_csrs_can_be_written", !valid | legal::is_writable(m, config, number));
        m.assert("effects_come_one_at_a_time", !((valid & i.trap.valid) | ((valid | i.trap.valid) & i.mret)));

        let status = machine::status(m, config, &write, i.trap.valid, i.mret);
        let pending = machine::interrupts(m, &write, i.interrupts, &status);
        let handling = machine::handling(m, config, &write, i.trap, i.pc);
        let counters = counters::counters(m, config, &write, i.retires, i.events);
        let (pmp, pmp_readables) = pmp_registers::pmp_registers(m, config.pmp_regions, &write);

        let mut readables = machine::readables(config, m, &status, &pending, &handling);
        readables.extend(counters.readables);
        readables.extend(pmp_readables);
        let read = read::read(m, i.number, &existing, machine::misa(config), readables);

        CsrOut {
            read,
            handler: handling.handler,
            mepc: handling.mepc,
            wakes: pending.wakes,
            interrupt: pending.interrupt,
            interrupt_code: pending.code,
            machine_mode: status.machine_mode,
            data_machine_mode: status.data_machine_mode,
            timeout_wait: status.timeout_wait,
            counters_allowed: counters.allowed,
            pmp,
            values: CsrValues {
                mstatus: status.value,
                mie: pending.enables,
                mtvec: handling.mtvec,
                mscratch: handling.mscratch,
                mepc: handling.mepc,
                mcause: handling.mcause,
                mtval: handling.mtval,
                mcounteren: counters.allowed,
                mcountinhibit: counters.inhibited,
                minstret: counters.minstret,
            },
        }
    }
}
