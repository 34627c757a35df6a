//! The control and status registers of machine mode (RISC-V Privileged 20240411, 3.1).

use ferrite_hdl::prelude::*;

use super::trap::{INTERRUPT_EXTERNAL, INTERRUPT_SOFTWARE, INTERRUPT_TIMER, Trap};

const MSTATUS: u32 = 0x300;
const MISA: u32 = 0x301;
const MIE: u32 = 0x304;
const MTVEC: u32 = 0x305;
const MSTATUSH: u32 = 0x310;
const MSCRATCH: u32 = 0x340;
const MEPC: u32 = 0x341;
const MCAUSE: u32 = 0x342;
const MTVAL: u32 = 0x343;
const MIP: u32 = 0x344;
const MCYCLE: u32 = 0xB00;
const MINSTRET: u32 = 0xB02;
const MCYCLEH: u32 = 0xB80;
const MINSTRETH: u32 = 0xB82;
const MHARTID: u32 = 0xF14;
/// `mvendorid` to `mconfigptr`.
const IDENTITIES: std::ops::RangeInclusive<u32> = 0xF11..=0xF15;

/// RV32IM: MXL 1, letters I and M.
const MISA_VALUE: u32 = 1 << 30 | 1 << 12 | 1 << 8;

/// Whether a CSR exists. Those of the performance counters that are not implemented do, and read 0.
pub fn exists(number: UInt) -> UInt {
    let group = number.slice(5, 7);
    let index = number.slice(0, 5);
    // Number 1 of each group, between the cycles and the instructions, does not exist, nor does event 2.
    let counters = (group.eq(0xB00 >> 5) | group.eq(0xB80 >> 5)) & index.ne(1);
    let events = group.eq(0x320 >> 5) & index.ne(1) & index.ne(2);
    let single = [MSTATUS, MISA, MIE, MTVEC, MSTATUSH, MSCRATCH, MEPC, MCAUSE, MTVAL, MIP];
    let listed = concat(single.into_iter().chain(IDENTITIES).map(|csr| number.eq(csr))).any();
    counters | events | listed
}

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

/// A CSR instruction.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Access<T> {
    /// It commits in this cycle; what is read is valid in any case.
    pub valid: T,
    /// Number of the CSR.
    pub number: T,
    /// 1 replaces, 2 sets bits, 3 clears bits.
    pub operation: T,
    /// The operand.
    pub operand: T,
}

/// Inputs of the CSRs.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct CsrIn<T> {
    /// The instruction that reads and writes.
    pub access: Access<T>,
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
}

/// Outputs of the CSRs.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct CsrOut<T> {
    /// The CSR's value.
    pub read: T,
    /// Where the trap's handler stands.
    pub handler: T,
    /// Where `mret` returns.
    pub mepc: T,
    /// An interrupt is enabled and pending, globally enabled or not: what `wfi` waits for.
    pub wakes: T,
    /// An interrupt should be taken.
    pub interrupt: T,
    /// Its code.
    pub interrupt_code: T,
}

/// The CSRs and the traps' effects on them.
#[module]
pub struct Csr {
    /// `mhartid`.
    pub hart_id: u32,
}

impl Module for Csr {
    type In = CsrIn<UInt>;
    type Out = CsrOut<UInt>;

    fn inputs(&self) -> CsrIn<Shape> {
        CsrIn {
            access: Access { valid: bit(), number: bits(12), operation: bits(2), operand: bits(32) },
            trap: Trap::shape(),
            pc: bits(32),
            mret: bit(),
            retires: bit(),
            interrupts: Interrupts::shape(),
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
        }
    }
    fn build(&self, m: &Builder, i: CsrIn<UInt>) -> CsrOut<UInt> {
        let enabled = m.reg("mstatus_mie", 1).reset_to(0);
        let previously_enabled = m.reg("mstatus_mpie", 1).reset_to(0);
        let external_enabled = m.reg("mie_external", 1).reset_to(0);
        let software_enabled = m.reg("mie_software", 1).reset_to(0);
        let timer_enabled = m.reg("mie_timer", 1).reset_to(0);
        let mtvec_base = m.reg("mtvec_base", 30).reset_to(0);
        let mtvec_vectored = m.reg("mtvec_vectored", 1).reset_to(0);
        let mscratch = m.reg("mscratch", 32).reset_to(0);
        let mepc_word = m.reg("mepc_word", 30).reset_to(0);
        let mcause = m.reg("mcause", 32).reset_to(0);
        let mtval = m.reg("mtval", 32).reset_to(0);
        let mcycle = m.reg("mcycle", 64).reset_to(0);
        let minstret = m.reg("minstret", 64).reset_to(0);

        let zeros = |width: u32| m.constant(Bits::zero(width));
        let interrupt_bits = |external: UInt, software: UInt, timer: UInt| {
            concat([zeros(20), external, zeros(3), timer, zeros(3), software, zeros(3)])
        };
        wire!(m, mepc = mepc_word.concat(zeros(2)));
        let read = m.wire("read", 32);
        read.set(0);
        m.switch(i.access.number, |s| {
            s.case(MSTATUS, || {
                let machine_mode = m.constant(Bits::from_u64(2, 0b11));
                let fields =
                    [zeros(19), machine_mode, zeros(3), previously_enabled, zeros(3), enabled, zeros(3)];
                read.set(concat(fields));
            });
            s.case(MISA, || read.set(MISA_VALUE));
            s.case(MIE, || read.set(interrupt_bits(external_enabled, software_enabled, timer_enabled)));
            s.case(MTVEC, || read.set(concat([mtvec_base, zeros(1), mtvec_vectored])));
            s.case(MSCRATCH, || read.set(mscratch));
            s.case(MEPC, || read.set(mepc));
            s.case(MCAUSE, || read.set(mcause));
            s.case(MTVAL, || read.set(mtval));
            s.case(MIP, || {
                read.set(interrupt_bits(i.interrupts.external, i.interrupts.software, i.interrupts.timer));
            });
            s.case(MCYCLE, || read.set(mcycle.slice(0, 32)));
            s.case(MCYCLEH, || read.set(mcycle.slice(32, 32)));
            s.case(MINSTRET, || read.set(minstret.slice(0, 32)));
            s.case(MINSTRETH, || read.set(minstret.slice(32, 32)));
            s.case(MHARTID, || read.set(self.hart_id));
        });

        let Access { valid, number, operation, operand } = i.access;
        wire!(m, set_or_clear = operation.bit(0).mux(read & !operand, read | operand));
        wire!(m, written = operation.bit(1).mux(set_or_clear, operand));
        mcycle.set(mcycle.wrapping_add(1));
        m.when(i.retires, || minstret.set(minstret.wrapping_add(1)));
        m.when(valid, || {
            m.switch(number, |s| {
                s.case(MSTATUS, || {
                    enabled.set(written.bit(3));
                    previously_enabled.set(written.bit(7));
                });
                s.case(MIE, || {
                    external_enabled.set(written.bit(INTERRUPT_EXTERNAL));
                    software_enabled.set(written.bit(INTERRUPT_SOFTWARE));
                    timer_enabled.set(written.bit(INTERRUPT_TIMER));
                });
                s.case(MTVEC, || {
                    // The table of a vectored base is aligned to its size.
                    let table = written.bit(0).repeat(4).extend(30);
                    mtvec_base.set(written.slice(2, 30) & !table);
                    mtvec_vectored.set(written.bit(0));
                });
                s.case(MSCRATCH, || mscratch.set(written));
                s.case(MEPC, || mepc_word.set(written.slice(2, 30)));
                s.case(MCAUSE, || mcause.set(written & 0x8000_000Fu32));
                s.case(MTVAL, || mtval.set(written));
                // A counter that is written does not count in that cycle: the next instruction reads what was
                // written (Privileged 20240411, 3.1.10).
                s.case(MCYCLE, || mcycle.set(mcycle.slice(32, 32).concat(written)));
                s.case(MCYCLEH, || mcycle.set(written.concat(mcycle.slice(0, 32))));
                s.case(MINSTRET, || minstret.set(minstret.slice(32, 32).concat(written)));
                s.case(MINSTRETH, || minstret.set(written.concat(minstret.slice(0, 32))));
            });
        });
        m.when(i.trap.valid, || {
            enabled.set(0);
            previously_enabled.set(enabled);
            mepc_word.set(i.pc.slice(2, 30));
            mcause.set(concat([i.trap.interrupt, zeros(27), i.trap.code]));
            mtval.set(i.trap.tval);
        });
        m.when(i.mret, || {
            enabled.set(previously_enabled);
            previously_enabled.set(1);
        });

        // The order of urgency is external, software, timer (Privileged 20240411, 3.1.9).
        wire!(m, external = i.interrupts.external & external_enabled);
        wire!(m, software = i.interrupts.software & software_enabled);
        wire!(m, timer = i.interrupts.timer & timer_enabled);
        let code = |number: u32| m.constant(Bits::from_u64(4, number.into()));
        wire!(m, wakes = external | software | timer);
        let less_urgent = software.mux(code(INTERRUPT_SOFTWARE), code(INTERRUPT_TIMER));
        wire!(m, vector = (i.trap.interrupt & mtvec_vectored).mux(i.trap.code, 0));
        CsrOut {
            read,
            handler: mtvec_base.wrapping_add(vector.extend(30)).concat(zeros(2)),
            mepc,
            wakes,
            interrupt: wakes & enabled,
            interrupt_code: external.mux(code(INTERRUPT_EXTERNAL), less_urgent),
        }
    }
}
