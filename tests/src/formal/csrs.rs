//! CSR instructions, trap entry and `mret`: how the CSRs are before and after every instruction (RISC-V Privileged 20240411, chapter 3),
//! and that they change for nothing else but interrupts.

use ferrite_hdl::prelude::*;
use ferrite_hw::core::CsrValues;
use ferrite_model::isa::{Format, Op, Spec, csr};

use super::record::Record;

/// Bits of `mstatus`.
const MIE: u32 = 3;
const MPIE: u32 = 7;
const MPP: u32 = 11;
const MPRV: u32 = 17;
const TW: u32 = 21;

/// Bits of `mie`: software, timer and external interrupts.
const INTERRUPTS: u32 = 1 << 3 | 1 << 7 | 1 << 11;

/// Bits of `mcounteren` and `mcountinhibit` that exist: cycles and instructions.
const COUNTERS: u32 = 0b101;

/// Numbers that exist, as ranges, in machine mode, whatever the configuration.
const ALWAYS: [(u16, u16); 5] =
    [(0x300, 0x301), (0x304, 0x305), (0x310, 0x310), (0x340, 0x344), (0xF11, 0xF15)];
/// Those that exist with user mode.
const WITH_USER_MODE: [(u16, u16); 3] = [(0x306, 0x306), (0x30A, 0x30A), (0x31A, 0x31A)];
/// Those that exist with counters.
const WITH_COUNTERS: [(u16, u16); 6] =
    [(0x320, 0x320), (0x323, 0x33F), (0xB00, 0xB00), (0xB02, 0xB1F), (0xB80, 0xB80), (0xB82, 0xB9F)];
/// Those that exist with counters and user mode; there is no `time`.
const SHADOWS: [(u16, u16); 4] = [(0xC00, 0xC00), (0xC02, 0xC1F), (0xC80, 0xC80), (0xC82, 0xC9F)];

/// Whether a CSR instruction is permitted. The core has no PMP.
pub fn is_legal(r: &Record, spec: &Spec) -> UInt {
    let config = &r.core.config;
    let number = r.csr();
    let none = r.m.constant(Bits::zero(1));
    let within = |ranges: &[(u16, u16)]| {
        ranges.iter().fold(none, |any, &(first, last)| {
            any | (number.ge(u64::from(first)) & number.le(u64::from(last)))
        })
    };
    let mut exists = within(&ALWAYS);
    let mut shadows = none;
    if config.user_mode {
        exists = exists | within(&WITH_USER_MODE);
    }
    if config.counters {
        exists = exists | within(&WITH_COUNTERS);
        if config.user_mode {
            shadows = within(&SHADOWS);
        }
    }
    let given = r.before.mcounteren.bit_at(number.slice(0, 5));
    let visible = ((exists | shadows) & r.machine_mode) | (shadows & given);
    let read_only = number.slice(10, 2).all();
    visible & !(read_only & writes(r, spec))
}

/// Whether it writes: `csrrs` and `csrrc` with `x0` or 0 do not.
fn writes(r: &Record, spec: &Spec) -> UInt {
    match spec.op {
        Op::Csrrw | Op::Csrrwi => r.m.constant(Bits::ones(1)),
        _ => r.zimm().any(),
    }
}

/// Claims it all.
pub fn claim(r: &Record) {
    let access = Access::new(r);
    let expected = after(r, &access);
    let always = r.m.constant(Bits::ones(1));
    for (leaf, expected) in r.after.leaves().into_iter().zip(expected.leaves()) {
        let name = format!("{}_after_an_instruction", leaf.name);
        r.claim(&name, always, leaf.value.eq(expected.value));
    }
    reads(r, &access);
    interrupts(r);
}

/// A CSR instruction that takes effect.
struct Access {
    happens: UInt,
    writes: UInt,
    number: UInt,
    /// What it writes, given the old value.
    operand: UInt,
    sets: UInt,
    clears: UInt,
}

impl Access {
    fn new(r: &Record) -> Access {
        let is = |ops: [Op; 2]| r.is_any(|spec| ops.contains(&spec.op)) & !r.rvfi.trap;
        let (swaps, sets, clears) =
            (is([Op::Csrrw, Op::Csrrwi]), is([Op::Csrrs, Op::Csrrsi]), is([Op::Csrrc, Op::Csrrci]));
        let immediate = r.is_any(|spec| spec.format == Format::CsrImm);
        Access {
            happens: swaps | sets | clears,
            writes: swaps | ((sets | clears) & r.zimm().any()),
            number: r.csr(),
            operand: immediate.mux(r.zimm(), r.rvfi.rs1_rdata),
            sets,
            clears,
        }
    }

    /// Whether the CSR is written, and with what before its own rules.
    fn to(&self, number: u16, old: UInt) -> (UInt, UInt) {
        let value = self.sets.mux(old | self.operand, self.clears.mux(old & !self.operand, self.operand));
        (self.writes & self.number.eq(u64::from(number)), value)
    }
}

/// `value` where `mask` has ones.
fn masked(value: UInt, mask: u32) -> UInt {
    value & Bits::from_u64(32, mask.into())
}

/// The bits of `mstatus`, lowest first.
fn mstatus(m: &Builder, parts: [(u32, UInt); 5]) -> UInt {
    parts
        .into_iter()
        .fold(m.constant(Bits::zero(32)), |word, (place, part)| word | (part.extend(32) << place))
}

/// The CSRs after the record.
fn after(r: &Record, access: &Access) -> CsrValues<UInt> {
    let (m, config, before) = (r.m, &r.core.config, r.before);
    let traps = r.rvfi.trap;
    let returns = r.is_any(|spec| spec.op == Op::Mret) & !traps;
    let written = |number: u16, old: UInt, rule: &dyn Fn(UInt) -> UInt| {
        let (writes, value) = access.to(number, old);
        writes.mux(rule(value), old)
    };
    let only = |mask: u32| move |value: UInt| masked(value, mask);
    let whole = |value: UInt| value;

    let mstatus_rule = |value: UInt| {
        let machine = value.slice(MPP, 2).all();
        if config.user_mode {
            masked(value, 1 << MIE | 1 << MPIE | 1 << MPRV | 1 << TW) | (machine.repeat(2).extend(32) << MPP)
        } else {
            masked(value, 1 << MIE | 1 << MPIE) | Bits::from_u64(32, 3 << MPP)
        }
    };
    // A vectored table is aligned to its 16 words.
    let mtvec_rule = |value: UInt| value.bit(0).mux(masked(value, 0xFFFF_FFC1), masked(value, 0xFFFF_FFFC));
    let pc_mask = if config.extensions.c { !1 } else { !3 };

    let status = written(csr::MSTATUS, before.mstatus, &mstatus_rule);
    let status = traps.mux(on_trap(m, before.mstatus, r.machine_mode), status);
    let status = returns.mux(on_return(r), status);
    let counted = |number: u16| if config.counters { number } else { 0 };
    let minstret = before.minstret;
    let counts = !traps & !before.mcountinhibit.bit(2);
    let next = if config.counters { counts.mux(minstret.wrapping_add(1), minstret) } else { minstret };
    let (low_written, low) = access.to(counted(csr::MINSTRET), minstret.slice(0, 32));
    let (high_written, high) = access.to(counted(csr::MINSTRETH), minstret.slice(32, 32));
    let minstret = low_written
        .mux(minstret.slice(32, 32).concat(low), high_written.mux(high.concat(minstret.slice(0, 32)), next));
    CsrValues {
        mstatus: status,
        mie: written(csr::MIE, before.mie, &only(INTERRUPTS)),
        mtvec: written(csr::MTVEC, before.mtvec, &mtvec_rule),
        mscratch: written(csr::MSCRATCH, before.mscratch, &whole),
        mepc: traps.mux(r.rvfi.pc_rdata, written(csr::MEPC, before.mepc, &only(pc_mask))),
        // What a trap leaves in these two is claimed where its reason is.
        mcause: traps.mux(r.after.mcause, written(csr::MCAUSE, before.mcause, &only(0x8000_000F))),
        mtval: match config.mtval {
            true => traps.mux(r.after.mtval, written(csr::MTVAL, before.mtval, &whole)),
            false => r.m.constant(Bits::zero(32)),
        },
        mcounteren: match config.user_mode && config.counters {
            true => written(csr::MCOUNTEREN, before.mcounteren, &only(COUNTERS)),
            false => before.mcounteren,
        },
        mcountinhibit: match config.counters {
            true => written(csr::MCOUNTINHIBIT, before.mcountinhibit, &only(COUNTERS)),
            false => before.mcountinhibit,
        },
        minstret,
    }
}

/// `mstatus` after a trap from a mode.
fn on_trap(m: &Builder, old: UInt, machine_mode: UInt) -> UInt {
    let mie = m.constant(Bits::zero(1));
    let (mpie, mpp) = (old.bit(MIE), machine_mode.repeat(2));
    mstatus(m, [(MIE, mie), (MPIE, mpie), (MPP, mpp), (MPRV, old.bit(MPRV)), (TW, old.bit(TW))])
}

/// `mstatus` after `mret`.
fn on_return(r: &Record) -> UInt {
    let (m, old) = (r.m, r.before.mstatus);
    let to_machine = old.bit(MPP);
    // The least privileged mode that there is.
    let mpp = m.constant(if r.core.config.user_mode { Bits::zero(2) } else { Bits::ones(2) });
    let (mie, mpie) = (old.bit(MPIE), m.constant(Bits::ones(1)));
    let mprv = old.bit(MPRV) & to_machine;
    mstatus(m, [(MIE, mie), (MPIE, mpie), (MPP, mpp), (MPRV, mprv), (TW, old.bit(TW))])
}

/// What CSR instructions read.
fn reads(r: &Record, access: &Access) {
    let (config, before) = (&r.core.config, r.before);
    let extensions = config.extensions;
    let letters = [
        ('B', extensions.zba && extensions.zbb && extensions.zbs),
        ('C', extensions.c),
        ('I', true),
        ('M', extensions.m),
        ('U', config.user_mode),
    ];
    let misa = letters
        .iter()
        .filter(|(_, there)| *there)
        .fold(1 << 30, |word, (letter, _)| word | 1u64 << (*letter as u8 - b'A'));
    let constant = |value: u64| r.m.constant(Bits::from_u64(32, value));
    let (low, high) = (before.minstret.slice(0, 32), before.minstret.slice(32, 32));
    let mut values = vec![
        ("mstatus", csr::MSTATUS, before.mstatus),
        ("misa", csr::MISA, constant(misa)),
        ("mie", csr::MIE, before.mie),
        ("mtvec", csr::MTVEC, before.mtvec),
        ("mstatush", csr::MSTATUSH, constant(0)),
        ("mscratch", csr::MSCRATCH, before.mscratch),
        ("mepc", csr::MEPC, before.mepc),
        ("mcause", csr::MCAUSE, before.mcause),
        ("mtval", csr::MTVAL, before.mtval),
        ("mvendorid", csr::MVENDORID, constant(0)),
        ("mhartid", csr::MHARTID, constant(config.hart_id.into())),
    ];
    if config.counters {
        values.extend([("minstret", csr::MINSTRET, low), ("minstreth", csr::MINSTRETH, high)]);
        values.push(("mcountinhibit", csr::MCOUNTINHIBIT, before.mcountinhibit));
    }
    if config.counters && config.user_mode {
        values.extend([("instret", csr::INSTRET, low), ("instreth", csr::INSTRETH, high)]);
        values.push(("mcounteren", csr::MCOUNTEREN, before.mcounteren));
    }
    for (name, number, value) in values {
        let when = access.happens & access.number.eq(u64::from(number)) & r.rvfi.rd_addr.any();
        r.claim(&format!("{name}_is_read"), when, r.rvfi.rd_wdata.eq(value));
    }
}

/// Whether a cycle without a record takes an interrupt, as far as the CSRs show.
pub fn takes_interrupt(m: &Builder, valid: UInt, before: CsrValues<UInt>, after: CsrValues<UInt>) -> UInt {
    // After a reset the CSRs are not those of the cycle before.
    let known = m.reg("csrs_are_known", 1).reset_to(0);
    known.set(1);
    let same =
        after.leaves().into_iter().zip(before.leaves()).map(|(now, before)| now.value.eq(before.value));
    known & !valid & !concat(same.collect::<Vec<_>>()).all()
}

/// Without a record the CSRs stay as they are, unless an interrupt is taken that is enabled.
fn interrupts(r: &Record) {
    let (m, before, after) = (r.m, r.before, r.after);
    let claim = |name: &str, holds: UInt| m.assert(name, !r.interrupt | holds);
    let code = after.mcause.slice(0, 4);
    let enabled = [3u32, 7, 11].map(|source| code.eq(u64::from(source)) & before.mie.bit(source));
    claim("interrupt_has_the_code_of_an_enabled_one", after.mcause.bit(31) & concat(enabled).any());
    claim("interrupt_leaves_no_value", after.mtval.eq(0));
    let was_machine = after.mstatus.bit(MPP);
    claim("interrupt_pushes_the_mode", after.mstatus.eq(on_trap(m, before.mstatus, was_machine)));
    claim("interrupt_in_machine_mode_is_enabled", !was_machine | before.mstatus.bit(MIE));
    let untouched = |csrs: CsrValues<UInt>| {
        concat([csrs.mie, csrs.mtvec, csrs.mscratch, csrs.mcounteren, csrs.mcountinhibit, csrs.minstret])
    };
    claim("interrupt_leaves_other_csrs", untouched(after).eq(untouched(before)));
}
