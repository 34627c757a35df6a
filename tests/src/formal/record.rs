//! What the core reports of an instruction, with what was before it.

use ferrite_hdl::prelude::*;
use ferrite_hw::core::expand::{Expand, ExpandIn};
use ferrite_hw::core::{Core, CoreOut, CsrValues, Rvfi};
use ferrite_model::isa::{Extension, Format, Op, Spec, TABLE};

use super::buses::Buses;
use super::csrs;
use super::operands::{Operands, field, matches};

/// Codes of exceptions (RISC-V Privileged 20240411, table 14).
pub mod cause {
    #![allow(missing_docs)] // The specification's names.
    pub const FETCH_MISALIGNED: u64 = 0;
    pub const FETCH_ACCESS: u64 = 1;
    pub const ILLEGAL: u64 = 2;
    pub const BREAKPOINT: u64 = 3;
    pub const LOAD_MISALIGNED: u64 = 4;
    pub const LOAD_ACCESS: u64 = 5;
    pub const STORE_MISALIGNED: u64 = 6;
    pub const STORE_ACCESS: u64 = 7;
    pub const ECALL_USER: u64 = 8;
    pub const ECALL_MACHINE: u64 = 11;
    pub const ALL: [u64; 10] = [
        FETCH_MISALIGNED,
        FETCH_ACCESS,
        ILLEGAL,
        BREAKPOINT,
        LOAD_MISALIGNED,
        LOAD_ACCESS,
        STORE_MISALIGNED,
        STORE_ACCESS,
        ECALL_USER,
        ECALL_MACHINE,
    ];
}

/// An instruction as the core reports it in this cycle.
pub struct Record<'a> {
    /// Where it is proved.
    pub m: &'a Builder,
    /// Which core.
    pub core: &'a Core,
    /// The report.
    pub rvfi: Rvfi<UInt>,
    /// The CSRs before the instruction: those of the cycle before.
    pub before: CsrValues<UInt>,
    /// The CSRs after it.
    pub after: CsrValues<UInt>,
    /// What it works on.
    pub o: Operands,
    /// It could not be fetched: nothing is known of it.
    pub unfetched: UInt,
    /// There is no record: an interrupt is taken.
    pub interrupt: UInt,
    /// Machine mode, else user mode.
    pub machine_mode: UInt,
    /// What the buses did.
    pub buses: Buses,
}

impl<'a> Record<'a> {
    /// Takes the report apart.
    pub fn new(m: &'a Builder, core: &'a Core, out: CoreOut<UInt>, buses: Buses) -> Record<'a> {
        let CoreOut { rvfi, csrs: after } = out;
        let before = m.regs("csrs_before", CsrValues::shape());
        m.connect(before, after);
        let is_long = rvfi.insn.slice(0, 2).all();
        let (insn, length) = if core.config.extensions.c {
            // That the expander is right is tested exhaustively, against the model.
            let expand = m.instance("expand", &Expand {}).connect(ExpandIn { half: rvfi.insn.slice(0, 16) });
            let length = is_long.mux(m.constant(Bits::from_u64(32, 4)), 2);
            (is_long.mux(rvfi.insn, expand.insn), length)
        } else {
            (rvfi.insn, m.constant(Bits::from_u64(32, 4)))
        };
        wire!(m, insn = insn);
        wire!(m, sequential_pc = rvfi.pc_rdata.wrapping_add(length));
        let o = Operands {
            insn,
            pc: rvfi.pc_rdata,
            sequential_pc,
            rs1: rvfi.rs1_rdata,
            rs2: rvfi.rs2_rdata,
            loaded: rvfi.mem_rdata,
        };
        wire!(m, unfetched = rvfi.valid & rvfi.trap & after.mcause.eq(cause::FETCH_ACCESS));
        wire!(m, interrupt = csrs::takes_interrupt(m, rvfi.valid, before, after));
        Record {
            m,
            core,
            rvfi,
            before,
            after,
            o,
            unfetched,
            interrupt,
            machine_mode: rvfi.mode.bit(0),
            buses,
        }
    }

    /// The rows of the instruction table that this core has.
    pub fn rows(&self) -> impl Iterator<Item = &'static Spec> + use<> {
        let extensions = self.core.config.extensions;
        let has_coprocessor = self.core.has_coprocessor;
        TABLE.iter().filter(move |spec| match spec.extension {
            Extension::M => extensions.m,
            Extension::Zba => extensions.zba,
            Extension::Zbb => extensions.zbb,
            Extension::Zbs => extensions.zbs,
            Extension::Tensor => has_coprocessor && spec.op == Op::TOther,
            _ => true,
        })
    }

    /// An instruction was fetched and is the one of this row.
    pub fn is(&self, spec: &Spec) -> UInt {
        self.rvfi.valid & !self.unfetched & matches(self.o.insn, spec)
    }

    /// Which of several instructions it is.
    pub fn is_any(&self, wanted: impl Fn(&Spec) -> bool) -> UInt {
        let none = self.m.constant(Bits::zero(1));
        self.rows().filter(|spec| wanted(spec)).fold(none, |any, spec| any | self.is(spec))
    }

    /// The address of a load or store.
    pub fn address(&self) -> UInt {
        let is_store = self.is_any(|spec| spec.format == Format::Store);
        let offset =
            is_store.mux(self.o.immediate(self.m, Format::Store), self.o.immediate(self.m, Format::Load));
        self.o.rs1.wrapping_add(offset)
    }

    /// Number of the CSR.
    pub fn csr(&self) -> UInt {
        self.o.insn.slice(20, 12)
    }

    /// The word in bits 19:15: the operand of the CSR instructions with immediate.
    pub fn zimm(&self) -> UInt {
        field(self.o.insn, 15, 5)
    }

    /// Asserts that whenever there is a record and `when` holds, `then` holds.
    pub fn claim(&self, name: &str, when: UInt, then: UInt) {
        self.m.assert(name, !(self.rvfi.valid & when) | then);
    }
}
