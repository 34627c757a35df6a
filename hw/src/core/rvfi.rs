//! The RISC-V Formal Interface: a record of every instruction that retires (riscv-formal, `docs/source/rvfi.rst`).

use ferrite_hdl::prelude::*;

/// The record, without `NRET` above 1. An instruction that traps is reported with `trap`, writes no register and goes to the handler.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Rvfi<T> {
    /// There is a record in this cycle.
    pub valid: T,
    /// Number of the instruction.
    pub order: T,
    /// The instruction; a compressed one in the lower half, below zeros.
    pub insn: T,
    /// It raised an exception.
    pub trap: T,
    /// It is the last one; never.
    pub halt: T,
    /// It is the first of a handler, after an exception or an interrupt.
    pub intr: T,
    /// Privilege mode: 3, machine mode, or 0, user mode.
    pub mode: T,
    /// Width of registers; 1, 32 bits.
    pub ixl: T,
    /// Number of the first source register; 0 if it reads none.
    pub rs1_addr: T,
    /// Number of the second source register; 0 if it reads none.
    pub rs2_addr: T,
    /// Value of the first source register.
    pub rs1_rdata: T,
    /// Value of the second source register.
    pub rs2_rdata: T,
    /// Number of the register written; 0 for none.
    pub rd_addr: T,
    /// Value written; 0 where none is.
    pub rd_wdata: T,
    /// Address of the instruction.
    pub pc_rdata: T,
    /// Address of the next one.
    pub pc_wdata: T,
    /// Address of the first byte accessed.
    pub mem_addr: T,
    /// The bytes read, from that address on.
    pub mem_rmask: T,
    /// The bytes written, from that address on.
    pub mem_wmask: T,
    /// What was read.
    pub mem_rdata: T,
    /// What was written.
    pub mem_wdata: T,
}

impl Rvfi<Shape> {
    /// The widths of riscv-formal.
    pub fn shape() -> Rvfi<Shape> {
        Rvfi {
            valid: bit(),
            order: bits(64),
            insn: bits(32),
            trap: bit(),
            halt: bit(),
            intr: bit(),
            mode: bits(2),
            ixl: bits(2),
            rs1_addr: bits(5),
            rs2_addr: bits(5),
            rs1_rdata: bits(32),
            rs2_rdata: bits(32),
            rd_addr: bits(5),
            rd_wdata: bits(32),
            pc_rdata: bits(32),
            pc_wdata: bits(32),
            mem_addr: bits(32),
            mem_rmask: bits(4),
            mem_wmask: bits(4),
            mem_rdata: bits(32),
            mem_wdata: bits(32),
        }
    }
}

/// What commits.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ReportIn<T> {
    /// An instruction or interrupt commits.
    pub valid: T,
    /// It is an interrupt, which is no instruction.
    pub interrupt: T,
    /// It is an instruction that raises an exception.
    pub trap: T,
    /// The instruction.
    pub insn: T,
    /// Its address.
    pub pc: T,
    /// Address of what follows.
    pub next_pc: T,
    /// The hart is in machine mode.
    pub machine_mode: T,
    /// It reads rs1.
    pub reads_rs1: T,
    /// It reads rs2.
    pub reads_rs2: T,
    /// Number of rs1.
    pub rs1_addr: T,
    /// Number of rs2.
    pub rs2_addr: T,
    /// Value of rs1.
    pub rs1_value: T,
    /// Value of rs2.
    pub rs2_value: T,
    /// Number of the register written, or 0.
    pub rd: T,
    /// Value for it.
    pub rd_value: T,
    /// Address of a load or store.
    pub address: T,
    /// Bytes loaded, from that address on; none if it traps.
    pub read_mask: T,
    /// Bytes stored, from that address on; none if it traps.
    pub write_mask: T,
    /// The word loaded, shifted down to that address.
    pub read_data: T,
}

/// Reports what committed in the cycle before.
#[module]
pub struct Report {}

impl Module for Report {
    type In = ReportIn<UInt>;
    type Out = Rvfi<UInt>;

    fn inputs(&self) -> ReportIn<Shape> {
        ReportIn {
            valid: bit(),
            interrupt: bit(),
            trap: bit(),
            insn: bits(32),
            pc: bits(32),
            next_pc: bits(32),
            machine_mode: bit(),
            reads_rs1: bit(),
            reads_rs2: bit(),
            rs1_addr: bits(5),
            rs2_addr: bits(5),
            rs1_value: bits(32),
            rs2_value: bits(32),
            rd: bits(5),
            rd_value: bits(32),
            address: bits(32),
            read_mask: bits(4),
            write_mask: bits(4),
            read_data: bits(32),
        }
    }
    fn outputs(&self) -> Rvfi<Shape> {
        Rvfi::shape()
    }
    fn build(&self, m: &Builder, i: ReportIn<UInt>) -> Rvfi<UInt> {
        let next_order = m.reg("next_order", 64).reset_to(0);
        let in_handler = m.reg("handler_begins", 1).reset_to(0);
        wire!(m, retires = i.valid & !i.interrupt);
        m.when(retires, || next_order.set(next_order.wrapping_add(1)));
        m.when(i.valid, || in_handler.set(i.interrupt | i.trap));
        let valid = m.reg("valid", 1).reset_to(0);
        valid.set(retires);
        // A register that the instruction does not read was not waited for: its value may be an older one. It is not reported.
        let source = |reads: UInt, value: UInt| reads.repeat(value.width()) & value;
        Rvfi {
            valid,
            order: m.delay("order", next_order),
            insn: m.delay("insn", i.insn),
            trap: m.delay("trap", i.trap),
            halt: m.constant(Bits::zero(1)),
            intr: m.delay("intr", in_handler),
            mode: m.delay("mode_was_machine", i.machine_mode).repeat(2),
            ixl: m.constant(Bits::from_u64(2, 1)),
            rs1_addr: m.delay("rs1_addr", source(i.reads_rs1, i.rs1_addr)),
            rs2_addr: m.delay("rs2_addr", source(i.reads_rs2, i.rs2_addr)),
            rs1_rdata: m.delay("rs1_rdata", source(i.reads_rs1, i.rs1_value)),
            rs2_rdata: m.delay("rs2_rdata", source(i.reads_rs2, i.rs2_value)),
            rd_addr: m.delay("rd_addr", i.rd),
            rd_wdata: m.delay("rd_wdata", i.rd.any().mux(i.rd_value, 0)),
            pc_rdata: m.delay("pc_rdata", i.pc),
            pc_wdata: m.delay("pc_wdata", i.next_pc),
            mem_addr: m.delay("mem_addr", i.address),
            mem_rmask: m.delay("mem_rmask", i.read_mask),
            mem_wmask: m.delay("mem_wmask", i.write_mask),
            mem_rdata: m.delay("mem_rdata", i.read_data),
            mem_wdata: m.delay("mem_wdata", i.rs2_value),
        }
    }
}
