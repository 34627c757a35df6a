//! What each instruction does.

use super::alu;
use super::bus::{Bus, Reading, Reply, Width};
use super::fetch::Fetched;
use super::hart::Iss;
use super::privilege::Privilege;
use super::retired::{CsrAccess, MemoryAccess, Observed};
use super::trap::{Trap, cause};
use crate::isa::{Format, Inst, Op, Reg};

/// The changes that an instruction makes to its hart; memory and CSRs have changed already.
#[derive(Clone, Copy, Default)]
pub(super) struct Effects {
    pub next_pc: u32,
    pub rd: Option<(Reg, u32)>,
    pub memory: Option<MemoryAccess>,
    pub csr: Option<CsrAccess>,
    pub timing: bool,
    pub adopted: Option<u32>,
}

impl Effects {
    /// Settles a reading: takes over what was observed if the value depends on timing.
    fn settle(&mut self, reading: Reading, observed: Option<u32>) -> u32 {
        match reading {
            Reading::Exact(value) => value,
            Reading::Timing { value, uncertain } => {
                self.timing = true;
                self.adopted = observed.map(|seen| value & !uncertain | seen & uncertain);
                self.adopted.unwrap_or(value)
            }
        }
    }
}

impl<B: Bus> Iss<B> {
    pub(super) fn execute(
        &mut self,
        inst: Inst,
        fetched: Fetched,
        observed: &Observed,
    ) -> Result<Effects, Trap> {
        let illegal = Trap::new(cause::ILLEGAL_INSTRUCTION, fetched.word);
        let (a, b) = (self.register(inst.rs1), self.register(inst.rs2));
        let next_pc = self.pc.wrapping_add(fetched.bytes);
        let effects = Effects { next_pc, ..Effects::default() };
        let write = |value: u32| Effects { rd: Some((inst.rd, value)), ..effects };
        match inst.op.spec().format {
            Format::Reg | Format::Unary => Ok(write(alu::compute(inst.op, a, b).ok_or(illegal)?)),
            Format::Imm | Format::Shift => {
                Ok(write(alu::compute(inst.op, a, inst.imm as u32).ok_or(illegal)?))
            }
            Format::U => {
                let upper = (inst.imm as u32) << 12;
                Ok(write(if inst.op == Op::Auipc { self.pc.wrapping_add(upper) } else { upper }))
            }
            Format::Jal => {
                let target = self.aligned(self.pc.wrapping_add_signed(inst.imm))?;
                Ok(Effects { next_pc: target, ..write(next_pc) })
            }
            Format::Jalr => {
                let target = self.aligned(a.wrapping_add_signed(inst.imm) & !1)?;
                Ok(Effects { next_pc: target, ..write(next_pc) })
            }
            Format::Branch => {
                if !alu::branch_taken(inst.op, a, b).ok_or(illegal)? {
                    return Ok(effects);
                }
                // Only a branch that is taken can have a misaligned target (Unprivileged 20240411, 2.5.2).
                Ok(Effects { next_pc: self.aligned(self.pc.wrapping_add_signed(inst.imm))?, ..effects })
            }
            Format::Load => self.load(inst, a.wrapping_add_signed(inst.imm), observed, effects),
            Format::Store => self.store(inst, a.wrapping_add_signed(inst.imm), b, effects),
            Format::Csr => {
                self.access_csr(inst, a, inst.rs1 != Reg::default(), observed, effects).ok_or(illegal)
            }
            Format::CsrImm => {
                self.access_csr(inst, inst.imm as u32, inst.imm != 0, observed, effects).ok_or(illegal)
            }
            // One hart, and every access completes before the next instruction: nothing to wait for.
            Format::Fence | Format::FenceI => Ok(effects),
            Format::Bare => match inst.op {
                Op::Ecall => Err(Trap::new(
                    match self.csrs.privilege() {
                        Privilege::User => cause::ECALL_USER,
                        Privilege::Machine => cause::ECALL_MACHINE,
                    },
                    0,
                )),
                // mtval may be the pc or 0 here (Privileged 20240411, 3.1.16); the pc stands in mepc already.
                Op::Ebreak => Err(Trap::new(cause::BREAKPOINT, 0)),
                Op::Mret => Ok(Effects { next_pc: self.csrs.leave_trap().ok_or(illegal)?, ..effects }),
                Op::Wfi if !self.csrs.may_wait() => Err(illegal),
                // Waiting may end at any time, so it may as well not begin (Privileged 20240411, 3.3.3).
                _ => Ok(effects),
            },
            Format::TensorBare
            | Format::TensorRd
            | Format::TensorRs1
            | Format::TensorRs1Rs2
            | Format::TensorRdRs1
            | Format::TensorOther => {
                let reply = self.bus.command(fetched.word >> 25, a, b).ok_or(illegal)?;
                let mut effects = effects;
                if let Reply::Value(reading) = reply {
                    let value = effects.settle(reading, observed.rd_value);
                    effects.rd = Some((inst.rd, value));
                }
                Ok(effects)
            }
        }
    }

    fn load(
        &mut self,
        inst: Inst,
        address: u32,
        observed: &Observed,
        mut effects: Effects,
    ) -> Result<Effects, Trap> {
        let (width, signed) = match inst.op {
            Op::Lb => (Width::Byte, true),
            Op::Lbu => (Width::Byte, false),
            Op::Lh => (Width::Half, true),
            Op::Lhu => (Width::Half, false),
            _ => (Width::Word, false),
        };
        let reading = self.read_data(address, width)?;
        let unused_bits = 32 - 8 * width.bytes();
        let data =
            effects.settle(reading, observed.load_data.or(observed.rd_value)) << unused_bits >> unused_bits;
        let extended = ((data << unused_bits) as i32 >> unused_bits) as u32;
        effects.rd = Some((inst.rd, if signed { extended } else { data }));
        effects.memory = Some(MemoryAccess {
            address,
            read_mask: width.mask(),
            write_mask: 0,
            read_data: data,
            write_data: 0,
        });
        Ok(effects)
    }

    fn store(&mut self, inst: Inst, address: u32, value: u32, mut effects: Effects) -> Result<Effects, Trap> {
        let width = match inst.op {
            Op::Sb => Width::Byte,
            Op::Sh => Width::Half,
            _ => Width::Word,
        };
        let unused_bits = 32 - 8 * width.bytes();
        let data = value << unused_bits >> unused_bits;
        self.write_data(address, width, data)?;
        effects.memory = Some(MemoryAccess {
            address,
            read_mask: 0,
            write_mask: width.mask(),
            read_data: 0,
            write_data: data,
        });
        Ok(effects)
    }

    /// Zicsr (Unprivileged 20240411, chapter 7). `operand_given` is false for `x0` or an immediate of 0, with which the
    /// set and clear forms do not write at all. `None` if the CSR does not exist or the access is not permitted.
    fn access_csr(
        &mut self,
        inst: Inst,
        operand: u32,
        operand_given: bool,
        observed: &Observed,
        mut effects: Effects,
    ) -> Option<Effects> {
        let replaces = matches!(inst.op, Op::Csrrw | Op::Csrrwi);
        let writes = replaces || operand_given;
        if !self.csrs.permits(inst.csr, writes) {
            return None;
        }
        let reading = self.csrs.read(inst.csr, self.bus.interrupts(), self.bus.time())?;
        // A destination of x0 shows no value to adopt.
        let shown = observed.rd_value.filter(|_| inst.rd != Reg::default());
        let old = effects.settle(reading, shown);
        let new = match inst.op {
            Op::Csrrs | Op::Csrrsi => old | operand,
            Op::Csrrc | Op::Csrrci => old & !operand,
            _ => operand,
        };
        if writes {
            self.csrs.write(inst.csr, new);
        }
        effects.rd = Some((inst.rd, old));
        effects.csr = Some(CsrAccess { csr: inst.csr, old, written: writes.then_some(new) });
        Some(effects)
    }

    /// A jump's target, which must be a multiple of 4, or of 2 with compressed instructions (Unprivileged 20240411, 2.2);
    /// the jump itself traps.
    fn aligned(&self, target: u32) -> Result<u32, Trap> {
        if target.is_multiple_of(self.csrs.config().instruction_alignment()) {
            Ok(target)
        } else {
            Err(Trap::new(cause::INSTRUCTION_MISALIGNED, target))
        }
    }
}
