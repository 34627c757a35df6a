//! The RVFI port of a chip or core, and the CSRs beside it, read from an engine.

use ferrite_model::lockstep::{CsrValues, Rvfi};
use ferrite_sim::Simulator;

/// Positions of the outputs.
pub(crate) struct RvfiPins {
    valid: usize,
    pub order: usize,
    insn: usize,
    trap: usize,
    halt: usize,
    intr: usize,
    mode: usize,
    ixl: usize,
    rs1_addr: usize,
    rs2_addr: usize,
    rs1_rdata: usize,
    rs2_rdata: usize,
    rd_addr: usize,
    rd_wdata: usize,
    pc_rdata: usize,
    pc_wdata: usize,
    mem_addr: usize,
    mem_rmask: usize,
    mem_wmask: usize,
    mem_rdata: usize,
    mem_wdata: usize,
}

impl RvfiPins {
    /// With the position of an output by its name.
    pub fn new(output: impl Fn(&str) -> usize) -> RvfiPins {
        RvfiPins {
            valid: output("rvfi_valid"),
            order: output("rvfi_order"),
            insn: output("rvfi_insn"),
            trap: output("rvfi_trap"),
            halt: output("rvfi_halt"),
            intr: output("rvfi_intr"),
            mode: output("rvfi_mode"),
            ixl: output("rvfi_ixl"),
            rs1_addr: output("rvfi_rs1_addr"),
            rs2_addr: output("rvfi_rs2_addr"),
            rs1_rdata: output("rvfi_rs1_rdata"),
            rs2_rdata: output("rvfi_rs2_rdata"),
            rd_addr: output("rvfi_rd_addr"),
            rd_wdata: output("rvfi_rd_wdata"),
            pc_rdata: output("rvfi_pc_rdata"),
            pc_wdata: output("rvfi_pc_wdata"),
            mem_addr: output("rvfi_mem_addr"),
            mem_rmask: output("rvfi_mem_rmask"),
            mem_wmask: output("rvfi_mem_wmask"),
            mem_rdata: output("rvfi_mem_rdata"),
            mem_wdata: output("rvfi_mem_wdata"),
        }
    }

    /// What the port says in this cycle.
    pub fn record(&self, engine: &mut dyn Simulator) -> Rvfi {
        // Most cycles of a stalled core have no record.
        if !engine.peek(self.valid).is_nonzero() {
            return Rvfi::default();
        }
        self.last(engine)
    }

    /// What the port's other fields say, valid or not: in cycles without a record they show the instruction in the core's last stage.
    pub fn last(&self, engine: &mut dyn Simulator) -> Rvfi {
        let mut read = |output: usize| engine.peek(output).low_u64();
        Rvfi {
            valid: read(self.valid) != 0,
            order: read(self.order),
            insn: read(self.insn) as u32,
            trap: read(self.trap) != 0,
            halt: read(self.halt) != 0,
            intr: read(self.intr) != 0,
            mode: read(self.mode) as u8,
            ixl: read(self.ixl) as u8,
            rs1_addr: read(self.rs1_addr) as u8,
            rs2_addr: read(self.rs2_addr) as u8,
            rs1_rdata: read(self.rs1_rdata) as u32,
            rs2_rdata: read(self.rs2_rdata) as u32,
            rd_addr: read(self.rd_addr) as u8,
            rd_wdata: read(self.rd_wdata) as u32,
            pc_rdata: read(self.pc_rdata) as u32,
            pc_wdata: read(self.pc_wdata) as u32,
            mem_addr: read(self.mem_addr) as u32,
            mem_rmask: read(self.mem_rmask) as u8,
            mem_wmask: read(self.mem_wmask) as u8,
            mem_rdata: read(self.mem_rdata) as u32,
            mem_wdata: read(self.mem_wdata) as u32,
        }
    }
}

/// Positions of the outputs that show CSRs.
pub(crate) struct CsrPins {
    mstatus: usize,
    mie: usize,
    mtvec: usize,
    mscratch: usize,
    mepc: usize,
    mcause: usize,
    mtval: usize,
    mcounteren: usize,
    mcountinhibit: usize,
    minstret: usize,
}

impl CsrPins {
    /// With the position of an output by its name.
    pub fn new(output: impl Fn(&str) -> usize) -> CsrPins {
        CsrPins {
            mstatus: output("csrs_mstatus"),
            mie: output("csrs_mie"),
            mtvec: output("csrs_mtvec"),
            mscratch: output("csrs_mscratch"),
            mepc: output("csrs_mepc"),
            mcause: output("csrs_mcause"),
            mtval: output("csrs_mtval"),
            mcounteren: output("csrs_mcounteren"),
            mcountinhibit: output("csrs_mcountinhibit"),
            minstret: output("csrs_minstret"),
        }
    }

    /// The CSRs after the instruction that the RVFI port reports in this cycle.
    pub fn values(&self, engine: &mut dyn Simulator) -> CsrValues {
        let mut read = |output: usize| engine.peek(output).low_u64();
        CsrValues {
            mstatus: read(self.mstatus) as u32,
            mie: read(self.mie) as u32,
            mtvec: read(self.mtvec) as u32,
            mscratch: read(self.mscratch) as u32,
            mepc: read(self.mepc) as u32,
            mcause: read(self.mcause) as u32,
            mtval: read(self.mtval) as u32,
            mcounteren: read(self.mcounteren) as u32,
            mcountinhibit: read(self.mcountinhibit) as u32,
            minstret: read(self.minstret),
        }
    }
}
