//! Compares a core with the simulator through RVFI, the RISC-V Formal Interface (riscv-formal, `docs/source/rvfi.rst`).
//!
//! What RVFI leaves open is taken as follows.
//!
//! * An instruction that raises an exception is reported with `trap` 1 and `pc_wdata` the handler's address; it
//!   writes no register, and its memory fields are not compared.
//! * `intr` is 1 for the first instruction of a handler, after an exception as well as after an interrupt.
//! * `mem_addr` may be the access's own address, or the word's with the masks shifted accordingly
//!   (`RISCV_FORMAL_ALIGNED_MEM`).
//! * `rs1_addr` and `rs2_addr` of an instruction that does not read the register may be anything; where they are not 0, the value is the
//!   register's before the instruction, as riscv-formal asks of any.
//!
//! That an interrupt was taken shows in `intr` without an exception before it. Which one shows in the handler's
//! address if `mtvec` is vectored, and in `mcause` if the core shows its CSRs; else it is the most urgent that is enabled
//! and can be pending.

use std::collections::VecDeque;
use std::fmt;

use thiserror::Error;

use crate::isa::{Format, Reg, csr, disassemble, is_compressed};
use crate::iss::{Bus, Interrupt, Iss, MemoryAccess, Observed, Retired, cause};

/// Instructions shown before a divergence.
const HISTORY: usize = 10;
/// Values that are compared at most.
const MOST_ROWS: usize = 30;
/// RVFI's `ixl` for 32-bit registers.
const IXL_32: u8 = 1;

/// One record of the RVFI port, fields named as in riscv-formal without `rvfi_`.
#[allow(missing_docs)] // riscv-formal defines them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rvfi {
    pub valid: bool,
    pub order: u64,
    pub insn: u32,
    pub trap: bool,
    pub halt: bool,
    pub intr: bool,
    pub mode: u8,
    pub ixl: u8,
    pub rs1_addr: u8,
    pub rs2_addr: u8,
    pub rs1_rdata: u32,
    pub rs2_rdata: u32,
    pub rd_addr: u8,
    pub rd_wdata: u32,
    pub pc_rdata: u32,
    pub pc_wdata: u32,
    pub mem_addr: u32,
    pub mem_rmask: u8,
    pub mem_wmask: u8,
    pub mem_rdata: u32,
    pub mem_wdata: u32,
}

impl Rvfi {
    /// The memory access in bytes from its own address on; bytes that the masks leave out are 0.
    fn memory(&self) -> Option<MemoryAccess> {
        let (read_mask, write_mask) = (u32::from(self.mem_rmask & 15), u32::from(self.mem_wmask & 15));
        if read_mask | write_mask == 0 {
            return None;
        }
        let skip = (read_mask | write_mask).trailing_zeros();
        Some(MemoryAccess {
            address: self.mem_addr.wrapping_add(skip),
            read_mask: read_mask >> skip,
            write_mask: write_mask >> skip,
            read_data: (self.mem_rdata & byte_mask(read_mask)) >> (8 * skip),
            write_data: (self.mem_wdata & byte_mask(write_mask)) >> (8 * skip),
        })
    }
}

/// The CSRs of a core after the instruction of an [`Rvfi`] record, and before an interrupt that is taken behind it. Those that the core does not
/// have are 0.
#[allow(missing_docs)] // The specification defines them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CsrValues {
    pub mstatus: u32,
    pub mie: u32,
    pub mtvec: u32,
    pub mscratch: u32,
    pub mepc: u32,
    pub mcause: u32,
    pub mtval: u32,
    pub mcounteren: u32,
    pub mcountinhibit: u32,
    pub minstret: u64,
}

impl CsrValues {
    /// Those of the simulator.
    pub fn of<B: Bus>(iss: &Iss<B>) -> CsrValues {
        let value = |csr| iss.csr(csr).unwrap_or(0);
        CsrValues {
            mstatus: value(csr::MSTATUS),
            mie: value(csr::MIE),
            mtvec: value(csr::MTVEC),
            mscratch: value(csr::MSCRATCH),
            mepc: value(csr::MEPC),
            mcause: value(csr::MCAUSE),
            mtval: value(csr::MTVAL),
            mcounteren: value(csr::MCOUNTEREN),
            mcountinhibit: value(csr::MCOUNTINHIBIT),
            minstret: u64::from(value(csr::MINSTRETH)) << 32 | u64::from(value(csr::MINSTRET)),
        }
    }
}

/// All bits of the bytes in a byte mask.
fn byte_mask(mask: u32) -> u32 {
    (0..4).filter(|byte| mask >> byte & 1 == 1).fold(0, |bits, byte| bits | 0xFF << (8 * byte))
}

/// The first difference between core and model. The message shows the cycle, both states, and the instructions before.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("core and model differ in cycle {cycle}: {reason}\n{table}{history}")]
pub struct Divergence {
    /// Clock cycle of the RVFI record.
    pub cycle: u64,
    /// What differs: field names of RVFI, or why the core's step is impossible.
    pub reason: String,
    /// Both states side by side, one line per field; `!` marks those that differ.
    pub table: String,
    /// The last instructions on which both agreed, oldest first, one per line.
    pub history: String,
}

/// The comparison in progress.
#[derive(Clone, Debug)]
pub struct Lockstep<B> {
    iss: Iss<B>,
    next_order: Option<u64>,
    history: VecDeque<(u64, Retired)>,
}

/// A value on both sides. Its text is made only if it is shown.
struct Row {
    name: &'static str,
    core: u64,
    model: u64,
    show: fn(u64) -> String,
}

impl Row {
    fn differs(&self) -> bool {
        self.core != self.model
    }
}

fn row<T: Into<u64>>(name: &'static str, core: T, model: T, show: fn(u64) -> String) -> Row {
    Row { name, core: core.into(), model: model.into(), show }
}

fn hex(value: u64) -> String {
    format!("{value:#010x}")
}

fn number(value: u64) -> String {
    value.to_string()
}

fn flag(value: u64) -> String {
    (value != 0).to_string()
}

fn register(value: u64) -> String {
    format!("x{value}")
}

fn mask(value: u64) -> String {
    format!("{value:#06b}")
}

impl<B: Bus> Lockstep<B> {
    /// Starts with a simulator in the core's reset state (the reset pc is [`HartConfig::reset_pc`]).
    ///
    /// [`HartConfig::reset_pc`]: crate::iss::HartConfig::reset_pc
    pub fn new(iss: Iss<B>) -> Lockstep<B> {
        Lockstep { iss, next_order: None, history: VecDeque::with_capacity(HISTORY) }
    }

    /// The simulator, after the last instruction compared.
    pub fn iss(&self) -> &Iss<B> {
        &self.iss
    }

    /// The simulator, to change what both sides are known to change alike (an interrupt line, memory).
    pub fn iss_mut(&mut self) -> &mut Iss<B> {
        &mut self.iss
    }

    /// Executes the instruction that the core reports in `cycle` and compares. A record that is not valid is ignored.
    ///
    /// # Errors
    /// The first [`Divergence`]; the comparison cannot go on after it.
    pub fn check(&mut self, cycle: u64, rvfi: &Rvfi) -> Result<Option<Retired>, Box<Divergence>> {
        self.compare(cycle, rvfi, None)
    }

    /// As [`Lockstep::check`], and compares the CSRs that the core shows beside its record.
    ///
    /// # Errors
    /// As [`Lockstep::check`].
    pub fn check_with_csrs(
        &mut self,
        cycle: u64,
        rvfi: &Rvfi,
        csrs: &CsrValues,
    ) -> Result<Option<Retired>, Box<Divergence>> {
        self.compare(cycle, rvfi, Some(csrs))
    }

    fn compare(
        &mut self,
        cycle: u64,
        rvfi: &Rvfi,
        csrs: Option<&CsrValues>,
    ) -> Result<Option<Retired>, Box<Divergence>> {
        if !rvfi.valid {
            return Ok(None);
        }
        let interrupt = match self.interrupt_taken(rvfi, csrs) {
            Ok(interrupt) => interrupt,
            Err(reason) => return Err(self.divergence(cycle, reason.to_string(), &self.rows_before(rvfi))),
        };
        let observed = Observed {
            interrupt,
            rd_value: (rvfi.rd_addr != 0).then_some(rvfi.rd_wdata),
            load_data: rvfi.memory().filter(|access| access.read_mask != 0).map(|access| access.read_data),
        };
        let before = |number: u8| self.iss.register(Reg::from_field(number.into(), 0));
        let sources = (before(rvfi.rs1_addr), before(rvfi.rs2_addr));
        let retired = self.iss.step_with(&observed);
        let mut rows = self.rows(rvfi, &retired, sources);
        if let Some(csrs) = csrs {
            self.add_csr_rows(csrs, &mut rows);
        }
        if rows.iter().any(Row::differs) {
            let differing: Vec<_> = rows.iter().filter(|row| row.differs()).map(|row| row.name).collect();
            return Err(self.divergence(cycle, differing.join(", "), &rows));
        }
        self.next_order = Some(rvfi.order.wrapping_add(1));
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back((cycle, retired));
        Ok(Some(retired))
    }

    /// Which interrupt the core took before this instruction; an error text if it could not take one.
    fn interrupt_taken(
        &self,
        rvfi: &Rvfi,
        csrs: Option<&CsrValues>,
    ) -> Result<Option<Interrupt>, &'static str> {
        if !rvfi.intr || self.iss.trapped() {
            return Ok(None);
        }
        let enabled = self.iss.csrs().enabled_interrupts();
        if enabled == 0 {
            return Err("intr: the core took an interrupt while none was enabled");
        }
        // The software bit is the program's own doing; the other lines are up when the core says so.
        let lines = self.iss.bus.interrupts();
        let possible = enabled & (lines | !Interrupt::Software.bit());
        let handler = |interrupt: &Interrupt| self.iss.csrs().handler(cause::INTERRUPT | interrupt.code());
        let candidates = || {
            let reached = |interrupt: &Interrupt| {
                possible & interrupt.bit() != 0 && handler(interrupt) == rvfi.pc_rdata
            };
            Interrupt::BY_PRIORITY.into_iter().filter(reached)
        };
        // Unless the handler's first instruction has changed it.
        let named = csrs.and_then(|csrs| {
            candidates().find(|interrupt| csrs.mcause == cause::INTERRUPT | interrupt.code())
        });
        let pending = named.or_else(|| candidates().find(|interrupt| lines & interrupt.bit() != 0));
        match pending.or_else(|| candidates().next()) {
            Some(interrupt) => Ok(Some(interrupt)),
            None => Err("pc_rdata: the core took an interrupt, but no enabled one leads to this address"),
        }
    }

    /// What is known when the model cannot follow the core.
    fn rows_before(&self, rvfi: &Rvfi) -> Vec<Row> {
        vec![row("pc_rdata", rvfi.pc_rdata, self.iss.pc(), hex), row("intr", rvfi.intr, false, flag)]
    }

    /// `sources` are the model's values of the registers that the core names, before the instruction.
    fn rows(&self, rvfi: &Rvfi, model: &Retired, sources: (u32, u32)) -> Vec<Row> {
        let mut rows = Vec::with_capacity(MOST_ROWS);
        rows.extend([
            row("order", rvfi.order, self.next_order.unwrap_or(rvfi.order), number),
            row("pc_rdata", rvfi.pc_rdata, model.pc, hex),
            row("trap", rvfi.trap, model.trap.is_some(), flag),
            row("intr", rvfi.intr, model.handler_entry, flag),
            row("pc_wdata", rvfi.pc_wdata, model.next_pc, hex),
            row("mode", rvfi.mode, model.privilege as u8, number),
            row("ixl", rvfi.ixl, IXL_32, number),
        ]);
        let fetched = model.trap.is_none_or(|trap| trap.cause != cause::INSTRUCTION_ACCESS);
        if fetched {
            rows.push(row("insn", rvfi.insn, model.word, hex));
        }
        let (rd, rd_value) = model.rd.map_or((0, 0), |(reg, value)| (reg.number() as u8, value));
        rows.push(row("rd_addr", rvfi.rd_addr, rd, register));
        rows.push(row("rd_wdata", rvfi.rd_wdata, rd_value, hex));
        let inst = model.inst.filter(|_| model.trap.is_none());
        let reads = |reads: fn(Format) -> bool| inst.filter(|inst| reads(inst.op.spec().format));
        if let Some(inst) = reads(Format::reads_rs1) {
            rows.push(row("rs1_addr", rvfi.rs1_addr, inst.rs1.number() as u8, register));
        }
        rows.push(row("rs1_rdata", rvfi.rs1_rdata, sources.0, hex));
        if let Some(inst) = reads(Format::reads_rs2) {
            rows.push(row("rs2_addr", rvfi.rs2_addr, inst.rs2.number() as u8, register));
        }
        rows.push(row("rs2_rdata", rvfi.rs2_rdata, sources.1, hex));
        if inst.is_some() {
            add_memory_rows(rvfi.memory(), model.memory, &mut rows);
        }
        rows
    }

    fn add_csr_rows(&self, core: &CsrValues, rows: &mut Vec<Row>) {
        let model = CsrValues::of(&self.iss);
        rows.extend([
            row("mstatus", core.mstatus, model.mstatus, hex),
            row("mie", core.mie, model.mie, hex),
            row("mtvec", core.mtvec, model.mtvec, hex),
            row("mscratch", core.mscratch, model.mscratch, hex),
            row("mepc", core.mepc, model.mepc, hex),
            row("mcause", core.mcause, model.mcause, hex),
            row("mtval", core.mtval, model.mtval, hex),
            row("mcounteren", core.mcounteren, model.mcounteren, hex),
            row("mcountinhibit", core.mcountinhibit, model.mcountinhibit, hex),
            row("minstret", core.minstret, model.minstret, hex),
        ]);
    }

    fn divergence(&self, cycle: u64, reason: String, rows: &[Row]) -> Box<Divergence> {
        let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0).max(10);
        let mut table = format!("    {:<width$} {:<12} {:<12}\n", "", "core", "model");
        for row in rows {
            let mark = if row.differs() { '!' } else { ' ' };
            let (core, model) = ((row.show)(row.core), (row.show)(row.model));
            let line = format!("  {mark} {:<width$} {core:<12} {model:<12}", row.name);
            table.push_str(line.trim_end());
            table.push('\n');
        }
        let mut history = String::from("last instructions on which both agreed:\n");
        if self.history.is_empty() {
            history.push_str("  none\n");
        }
        for (cycle, retired) in &self.history {
            history.push_str(&format!("  cycle {cycle:>8}  {}\n", Line(retired)));
        }
        if let Some(row) = rows.iter().find(|row| row.name == "insn") {
            let words = [("core", row.core as u32), ("model", row.model as u32)];
            for (side, word) in words.into_iter().take(if row.differs() { 2 } else { 1 }) {
                history.push_str(&format!("now, by the {side}'s insn:  {}\n", Text(word, true, None)));
            }
        }
        Box::new(Divergence { cycle, reason, table, history })
    }
}

fn add_memory_rows(core: Option<MemoryAccess>, model: Option<MemoryAccess>, rows: &mut Vec<Row>) {
    let (core, model) = match (core, model) {
        (None, None) => return,
        (core, model) => (core.unwrap_or(NO_ACCESS), model.unwrap_or(NO_ACCESS)),
    };
    rows.extend([
        row("mem_addr", core.address, model.address, hex),
        row("mem_rmask", core.read_mask, model.read_mask, mask),
        row("mem_wmask", core.write_mask, model.write_mask, mask),
        row("mem_rdata", core.read_data, model.read_data, hex),
        row("mem_wdata", core.write_data, model.write_data, hex),
    ]);
}

const NO_ACCESS: MemoryAccess =
    MemoryAccess { address: 0, read_mask: 0, write_mask: 0, read_data: 0, write_data: 0 };

/// A word, whether it is an instruction of the hart, and where it stands if that is known.
struct Text(u32, bool, Option<u32>);

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Text(word, defined, pc) = *self;
        if word >> 16 == 0 && is_compressed(word as u16) && defined {
            write!(f, "{word:04x}      ")?;
        } else {
            write!(f, "{word:08x}  ")?;
        }
        let text = Some(word).filter(|_| defined).and_then(|word| disassemble(word, pc));
        write!(f, "{:<32}", text.as_deref().unwrap_or("undefined"))
    }
}

/// A retired instruction in one line.
struct Line<'a>(&'a Retired);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Line(retired) = self;
        write!(f, "{:08x}: {}", retired.pc, Text(retired.word, retired.inst.is_some(), Some(retired.pc)))?;
        if let Some((reg, value)) = retired.rd {
            write!(f, " {reg} = {value:#x}")?;
        }
        if let Some(trap) = retired.trap {
            write!(f, " trap {}, tval {:#x}", trap.cause, trap.tval)?;
        }
        if let Some(interrupt) = retired.interrupt {
            write!(f, " after interrupt {}", interrupt.code())?;
        }
        Ok(())
    }
}
