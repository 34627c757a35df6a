//! Traps: their codes, and which one an instruction raises (RISC-V Privileged 20240411, 3.1.15 and 3.1.16).

use ferrite_hdl::prelude::*;

use super::config::CoreConfig;
use super::decode::Unit;
use super::pipeline::{Commit, Execute};

/// A jump's target is no multiple of 4.
const INSTRUCTION_MISALIGNED: u64 = 0;
/// Nothing can be fetched at the pc.
const INSTRUCTION_ACCESS: u64 = 1;
/// Undefined instruction or CSR access.
const ILLEGAL_INSTRUCTION: u64 = 2;
/// `ebreak`.
const BREAKPOINT: u64 = 3;
/// A load's address is no multiple of its width.
const LOAD_MISALIGNED: u64 = 4;
/// Nothing can be read at the address.
const LOAD_ACCESS: u64 = 5;
/// A store's address is no multiple of its width.
const STORE_MISALIGNED: u64 = 6;
/// Nothing can be written at the address.
const STORE_ACCESS: u64 = 7;
/// `ecall` in user mode.
const ECALL_USER: u64 = 8;
/// `ecall` in machine mode.
const ECALL_MACHINE: u64 = 11;

/// Code of the software interrupt, and its bit in `mie` and `mip`.
pub const INTERRUPT_SOFTWARE: u32 = 3;
/// Code of the timer interrupt, and its bit in `mie` and `mip`.
pub const INTERRUPT_TIMER: u32 = 7;
/// Code of the external interrupt, and its bit in `mie` and `mip`.
pub const INTERRUPT_EXTERNAL: u32 = 11;

/// Why an instruction traps.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Cause<T> {
    /// It does.
    pub valid: T,
    /// For an interrupt, else an exception.
    pub interrupt: T,
    /// The low bits of `mcause`.
    pub code: T,
}

impl Cause<Shape> {
    /// The widths.
    pub fn shape() -> Cause<Shape> {
        Cause { valid: bit(), interrupt: bit(), code: bits(4) }
    }
}

/// A trap that is taken.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Trap<T> {
    /// There is one.
    pub valid: T,
    /// It is an interrupt, else an exception.
    pub interrupt: T,
    /// The low bits of `mcause`.
    pub code: T,
    /// What `mtval` will hold.
    pub tval: T,
}

impl Trap<Shape> {
    /// The widths.
    pub fn shape() -> Trap<Shape> {
        Trap { valid: bit(), interrupt: bit(), code: bits(4), tval: bits(32) }
    }
}

/// What decides whether the instruction in execute traps.
pub struct Suspect {
    /// The instruction.
    pub x: Execute<UInt>,
    /// It jumps to `target`.
    pub jumps: UInt,
    /// Where to.
    pub target: UInt,
    /// The address of a load or store is no multiple of its width.
    pub misaligned: UInt,
    /// Physical memory protection lets the load or store pass.
    pub allowed: UInt,
    /// The hart is in machine mode.
    pub machine_mode: UInt,
}

/// Why the instruction in execute traps, as far as that is known before memory answers: the interrupt that comes before it, else the first
/// of its exceptions by priority (Privileged 20240411, table 15).
pub fn before_memory(m: &Builder, config: &CoreConfig, s: Suspect) -> Cause<UInt> {
    let cause = m.wires("x_trap", Cause::shape());
    let raise = |when: UInt, code: u64| {
        cause.valid.set(when);
        cause.code.set(code);
    };
    let always = m.constant(Bits::from_bool(true));
    let misaligned = s.misaligned;
    let access =
        |misaligned_code: u64, access_code: u64| {
            cause.valid.set(misaligned | !s.allowed);
            cause.code.set(misaligned.mux(
                m.constant(Bits::from_u64(4, misaligned_code)),
                m.constant(Bits::from_u64(4, access_code)),
            ));
        };
    cause.valid.set(0);
    cause.interrupt.set(s.x.interrupted);
    cause.code.set(s.x.interrupt_code);
    m.when(s.x.interrupted, || cause.valid.set(1)).otherwise(|| {
        m.switch(s.x.d.unit, |units| {
            units.case(Unit::FetchFault, || raise(always, INSTRUCTION_ACCESS));
            units.case(Unit::Illegal, || raise(always, ILLEGAL_INSTRUCTION));
            units.case(Unit::Ecall, || {
                raise(always, ECALL_MACHINE);
                m.when(!s.machine_mode, || cause.code.set(ECALL_USER));
            });
            units.case(Unit::Ebreak, || raise(always, BREAKPOINT));
            units.case(Unit::Load, || access(LOAD_MISALIGNED, LOAD_ACCESS));
            units.case(Unit::Store, || access(STORE_MISALIGNED, STORE_ACCESS));
            if !config.extensions.c {
                units.cases([Unit::Jump, Unit::Branch], || {
                    raise(s.jumps & s.target.slice(0, 2).any(), INSTRUCTION_MISALIGNED);
                });
            }
        });
    });
    cause
}

/// What `mtval` will hold: 0, the address that is at fault or, if it is illegal, the instruction (Privileged 20240411, 3.1.16).
fn value(m: &Builder, config: &CoreConfig, c: &Commit<UInt>, reached: Option<UInt>) -> UInt {
    let second_half = concat([m.constant(Bits::zero(30)), c.error_in_second_half, m.constant(Bits::zero(1))]);
    let tval = m.wire("c_tval", 32);
    tval.set(0);
    m.when(!c.trap.interrupt, || {
        m.switch(c.unit, |units| {
            units.case(Unit::FetchFault, || match config.guesses_direct_targets() {
                true => tval.set(c.address),
                false => tval.set(c.pc.wrapping_add(second_half)),
            });
            units.case(Unit::Illegal, || tval.set(c.insn));
            let (jumps, accesses) = ([Unit::Jump, Unit::Branch], [Unit::Load, Unit::Store]);
            match reached {
                None => units.cases([accesses, jumps].concat(), || tval.set(c.address)),
                Some(reached) => {
                    units.cases(jumps, || tval.set(c.address));
                    units.cases(accesses, || tval.set(reached));
                }
            }
        });
    });
    tval
}

/// The trap of the instruction that commits: the one known before, or that of the access which memory refuses. `reached` is the address of
/// the part of a load or store that was refused, where it can consist of several.
pub fn with_memory(
    m: &Builder,
    config: &CoreConfig,
    commits: UInt,
    c: &Commit<UInt>,
    refused: UInt,
    reached: Option<UInt>,
) -> Trap<UInt> {
    let code = |value: u64| m.constant(Bits::from_u64(4, value));
    let before = c.trap;
    let access = c.unit.is(Unit::Load).mux(code(LOAD_ACCESS), code(STORE_ACCESS));
    let nothing = m.constant(Bits::zero(32));
    let tval = if config.mtval { value(m, config, c, reached) } else { nothing };
    Trap {
        valid: commits & (before.valid | refused),
        interrupt: before.valid & before.interrupt,
        code: before.valid.mux(before.code, access),
        tval,
    }
}
