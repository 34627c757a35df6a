//! Traps: their codes, and which one an instruction raises (RISC-V Privileged 20240411, 3.1.15 and 3.1.16).

use ferrite_hdl::prelude::*;

use super::decode::Unit;
use super::memory;

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
/// `ecall` in machine mode.
const ECALL_MACHINE: u64 = 11;

/// Code of the software interrupt, and its bit in `mie` and `mip`.
pub const INTERRUPT_SOFTWARE: u32 = 3;
/// Code of the timer interrupt, and its bit in `mie` and `mip`.
pub const INTERRUPT_TIMER: u32 = 7;
/// Code of the external interrupt, and its bit in `mie` and `mip`.
pub const INTERRUPT_EXTERNAL: u32 = 11;

/// A trap.
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
    /// What kind of instruction it is.
    pub unit: UInt,
    /// Its address.
    pub pc: UInt,
    /// The instruction.
    pub insn: UInt,
    /// It goes to `target`.
    pub jumps: UInt,
    /// Where to.
    pub target: UInt,
    /// The address that it loads or stores.
    pub address: UInt,
    /// An interrupt takes its place.
    pub interrupt: UInt,
    /// Code of that interrupt.
    pub interrupt_code: UInt,
}

/// The trap that is known before memory answers. Sets the wires `trap_*`.
pub fn before_memory(m: &Builder, s: Suspect) -> Trap<UInt> {
    let trap = m.wires("trap", Trap::shape());
    let code = |value: u64| m.constant(Bits::from_u64(4, value));
    let raise = |when: UInt, cause: u64, tval: UInt| {
        trap.valid.set(when);
        trap.code.set(code(cause));
        trap.tval.set(tval);
    };
    let none = m.constant(Bits::zero(32));
    let always = m.constant(Bits::from_bool(true));
    let misaligned = memory::is_misaligned(s.insn.slice(12, 3), s.address);
    trap.valid.set(0);
    trap.interrupt.set(s.interrupt);
    trap.code.set(s.interrupt_code);
    trap.tval.set(0);
    m.when(s.interrupt, || trap.valid.set(1)).otherwise(|| {
        m.switch(s.unit, |units| {
            units.case(Unit::FetchFault, || raise(always, INSTRUCTION_ACCESS, s.pc));
            units.case(Unit::Illegal, || raise(always, ILLEGAL_INSTRUCTION, s.insn));
            units.case(Unit::Ecall, || raise(always, ECALL_MACHINE, none));
            units.case(Unit::Ebreak, || raise(always, BREAKPOINT, none));
            units.case(Unit::Load, || raise(misaligned, LOAD_MISALIGNED, s.address));
            units.case(Unit::Store, || raise(misaligned, STORE_MISALIGNED, s.address));
            units.cases([Unit::Jump, Unit::Branch], || {
                raise(s.jumps & s.target.slice(0, 2).any(), INSTRUCTION_MISALIGNED, s.target);
            });
        });
    });
    trap
}

/// The trap of the instruction that commits: the one known before, or that of the access which memory refuses.
pub fn with_memory(
    m: &Builder,
    commits: UInt,
    before: Trap<UInt>,
    refused: UInt,
    is_load: UInt,
    address: UInt,
) -> Trap<UInt> {
    let code = |value: u64| m.constant(Bits::from_u64(4, value));
    let access = is_load.mux(code(LOAD_ACCESS), code(STORE_ACCESS));
    Trap {
        valid: commits & (before.valid | refused),
        interrupt: before.valid & before.interrupt,
        code: before.valid.mux(before.code, access),
        tval: before.valid.mux(before.tval, address),
    }
}
