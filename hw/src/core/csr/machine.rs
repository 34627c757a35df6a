//! The registers that traps use, and the privilege mode (RISC-V Privileged 20240411, 3.1.6 to 3.1.16).

use ferrite_hdl::prelude::*;

use super::super::config::CoreConfig;
use super::super::trap::{INTERRUPT_EXTERNAL, INTERRUPT_SOFTWARE, INTERRUPT_TIMER, Trap};
use super::numbers::*;
use super::read::Readable;
use super::{Interrupts, WriteBus};

/// Bits of `mstatus`.
const MIE_BIT: u32 = 3;
const MPIE_BIT: u32 = 7;
const MPP_BIT: u32 = 11;
const MPRV_BIT: u32 = 17;
const TW_BIT: u32 = 21;

fn zeros(m: &Builder, width: u32) -> UInt {
    m.constant(Bits::zero(width))
}

/// A word of zeros but for single bits, given with their places in ascending order.
fn word(m: &Builder, bits: &[(u32, UInt)]) -> UInt {
    let mut parts = Vec::new();
    let mut next = 0;
    for &(place, bit) in bits {
        if place > next {
            parts.push(zeros(m, place - next));
        }
        parts.push(bit);
        next = place + bit.width();
    }
    if next < 32 {
        parts.push(zeros(m, 32 - next));
    }
    concat(parts.into_iter().rev())
}

/// `mstatus` and the privilege mode.
pub struct Status {
    /// `mstatus.MIE`.
    pub enabled: UInt,
    /// Machine mode now.
    pub machine_mode: UInt,
    /// Machine mode for loads and stores.
    pub data_machine_mode: UInt,
    /// `mstatus.TW`.
    pub timeout_wait: UInt,
    /// `mstatus`.
    pub value: UInt,
}

/// `mstatus`: the stack of interrupt enables and modes.
pub fn status(m: &Builder, config: &CoreConfig, write: &WriteBus, trap: UInt, mret: UInt) -> Status {
    let written = write.to(MSTATUS);
    let value = write.value;
    let enabled = m.reg("mstatus_mie", 1).reset_to(0);
    let previously_enabled = m.reg("mstatus_mpie", 1).reset_to(0);
    m.when(trap, || {
        enabled.set(0);
        previously_enabled.set(enabled);
    })
    .otherwise_when(mret, || {
        enabled.set(previously_enabled);
        previously_enabled.set(1);
    })
    .otherwise_when(written, || {
        enabled.set(value.bit(MIE_BIT));
        previously_enabled.set(value.bit(MPIE_BIT));
    });
    if !config.user_mode {
        let always = m.constant(Bits::ones(1));
        let bits = [(MIE_BIT, enabled), (MPIE_BIT, previously_enabled), (MPP_BIT, always.repeat(2))];
        return Status {
            enabled,
            machine_mode: always,
            data_machine_mode: always,
            timeout_wait: zeros(m, 1),
            value: word(m, &bits),
        };
    }

    let machine_mode = m.reg("machine_mode_q", 1).reset_to(1);
    // MPP is 11 or 00.
    let previously_machine = m.reg("mstatus_mpp", 1).reset_to(0);
    let modify_privilege = m.reg("mstatus_mprv", 1).reset_to(0);
    let timeout_wait = m.reg("mstatus_tw", 1).reset_to(0);
    m.when(trap, || {
        machine_mode.set(1);
        previously_machine.set(machine_mode);
    })
    .otherwise_when(mret, || {
        machine_mode.set(previously_machine);
        previously_machine.set(0);
        modify_privilege.set(modify_privilege & previously_machine);
    })
    .otherwise_when(written, || {
        previously_machine.set(value.slice(MPP_BIT, 2).all());
        modify_privilege.set(value.bit(MPRV_BIT));
        timeout_wait.set(value.bit(TW_BIT));
    });
    let bits = [
        (MIE_BIT, enabled),
        (MPIE_BIT, previously_enabled),
        (MPP_BIT, previously_machine.repeat(2)),
        (MPRV_BIT, modify_privilege),
        (TW_BIT, timeout_wait),
    ];
    Status {
        enabled,
        machine_mode,
        data_machine_mode: modify_privilege.mux(previously_machine, machine_mode),
        timeout_wait,
        value: word(m, &bits),
    }
}

/// What is to be done about interrupts.
pub struct Pending {
    /// An enabled one is pending, whatever `mstatus` says.
    pub wakes: UInt,
    /// It is to be taken.
    pub interrupt: UInt,
    /// Its code.
    pub code: UInt,
    /// `mie`.
    pub enables: UInt,
    /// `mip`.
    pub lines: UInt,
}

/// `mie` and `mip`, and the most urgent interrupt: external, software, timer (Privileged 20240411, 3.1.9). All but `mie` and `mip` is a cycle old.
pub fn interrupts(m: &Builder, write: &WriteBus, lines: Interrupts<UInt>, status: &Status) -> Pending {
    let [external_enabled, software_enabled, timer_enabled] =
        ["mie_external", "mie_software", "mie_timer"].map(|name| m.reg(name, 1).reset_to(0));
    m.when(write.to(MIE), || {
        external_enabled.set(write.value.bit(INTERRUPT_EXTERNAL));
        software_enabled.set(write.value.bit(INTERRUPT_SOFTWARE));
        timer_enabled.set(write.value.bit(INTERRUPT_TIMER));
    });
    wire!(m, external = lines.external & external_enabled);
    wire!(m, only_timer = !external & !(lines.software & software_enabled));
    wire!(m, any = !only_timer | (lines.timer & timer_enabled));
    wire!(m, globally_enabled = status.enabled | !status.machine_mode);
    let wakes = m.reg("wakes_q", 1).reset_to(0);
    let interrupt = m.reg("interrupt_q", 1).reset_to(0);
    wakes.set(any);
    interrupt.set(any & globally_enabled);
    // The codes are 1011, 0011 and 0111.
    let [is_external, is_timer] = [m.delay("is_external", external), m.delay("is_timer", only_timer)];
    let at = |external: UInt, software: UInt, timer: UInt| {
        word(m, &[(INTERRUPT_SOFTWARE, software), (INTERRUPT_TIMER, timer), (INTERRUPT_EXTERNAL, external)])
    };
    Pending {
        wakes,
        interrupt,
        code: concat([is_external, is_timer, m.constant(Bits::ones(1)).repeat(2)]),
        enables: at(external_enabled, software_enabled, timer_enabled),
        lines: at(lines.external, lines.software, lines.timer),
    }
}

/// The registers of trap handlers.
pub struct Handling {
    /// Where the trap in the inputs goes.
    pub handler: UInt,
    pub mtvec: UInt,
    pub mscratch: UInt,
    pub mepc: UInt,
    pub mcause: UInt,
    pub mtval: UInt,
}

/// Bits of a word's address within the table of a vectored `mtvec`: a word for each of 16 codes.
const VECTOR_BITS: u32 = 4;

/// `mtvec`, `mscratch`, `mepc`, `mcause` and `mtval`.
pub fn handling(m: &Builder, config: &CoreConfig, write: &WriteBus, trap: Trap<UInt>, pc: UInt) -> Handling {
    let value = write.value;
    // The table is aligned to its size, so that no adder is needed to find a handler in it (Privileged 20240411, 3.1.7).
    let mtvec_table = m.reg("mtvec_table", 30 - VECTOR_BITS).reset_to(0);
    let mtvec_word = m.reg("mtvec_word", VECTOR_BITS).reset_to(0);
    let mtvec_vectored = m.reg("mtvec_vectored", 1).reset_to(0);
    m.when(write.to(MTVEC), || {
        mtvec_table.set(value.slice(2 + VECTOR_BITS, 30 - VECTOR_BITS));
        mtvec_word.set(value.slice(2, VECTOR_BITS) & (!value.bit(0)).repeat(VECTOR_BITS));
        mtvec_vectored.set(value.bit(0));
    });
    let vector = (trap.interrupt & mtvec_vectored).repeat(VECTOR_BITS) & trap.code;

    let mscratch = m.reg("mscratch", 32).reset_to(0);
    m.when(write.to(MSCRATCH), || mscratch.set(value));

    let alignment_log2 = if config.extensions.c { 1 } else { 2 };
    let aligned = |address: UInt| address.slice(alignment_log2, 32 - alignment_log2);
    let mepc = m.reg("mepc_aligned", 32 - alignment_log2).reset_to(0);
    m.when(trap.valid, || mepc.set(aligned(pc))).otherwise_when(write.to(MEPC), || mepc.set(aligned(value)));

    let cause_interrupt = m.reg("mcause_interrupt", 1).reset_to(0);
    let cause_code = m.reg("mcause_code", 4).reset_to(0);
    m.when(trap.valid, || {
        cause_interrupt.set(trap.interrupt);
        cause_code.set(trap.code);
    })
    .otherwise_when(write.to(MCAUSE), || {
        cause_interrupt.set(value.msb());
        cause_code.set(value.slice(0, 4));
    });

    // No exception writes anything but 0: then it is read-only 0 (Privileged 20240411, 3.1.16).
    let mtval = match config.mtval {
        false => zeros(m, 32),
        true => {
            let mtval = m.reg("mtval", 32).reset_to(0);
            m.when(trap.valid, || mtval.set(trap.tval)).otherwise_when(write.to(MTVAL), || mtval.set(value));
            mtval
        }
    };

    Handling {
        handler: concat([mtvec_table, mtvec_word | vector, zeros(m, 2)]),
        mtvec: concat([mtvec_table, mtvec_word, zeros(m, 1), mtvec_vectored]),
        mscratch,
        mepc: mepc.concat(zeros(m, alignment_log2)),
        mcause: concat([cause_interrupt, zeros(m, 27), cause_code]),
        mtval,
    }
}

/// How these registers read.
pub fn readables(
    config: &CoreConfig,
    m: &Builder,
    status: &Status,
    pending: &Pending,
    handling: &Handling,
) -> Vec<Readable> {
    let mut readables = vec![
        Readable::narrow([MSTATUS], status.value),
        Readable::narrow([MIE], pending.enables),
        Readable::narrow([MIP], pending.lines),
        Readable::wide([MTVEC], handling.mtvec),
        Readable::wide([MSCRATCH], handling.mscratch),
        Readable::wide([MEPC], handling.mepc),
        Readable::narrow([MCAUSE], handling.mcause),
    ];
    if config.mtval {
        readables.push(Readable::wide([MTVAL], handling.mtval));
    }
    if config.hart_id != 0 {
        readables.push(Readable::narrow([MHARTID], m.constant(Bits::from_u64(32, config.hart_id.into()))));
    }
    readables
}

/// `misa` (Privileged 20240411, 3.1.1): 32 bits, and the letters of the extensions. B is Zba, Zbb and Zbs together.
pub fn misa(config: &CoreConfig) -> u32 {
    let letter = |letter: u8, there: bool| u32::from(there) << (letter - b'A');
    let extensions = config.extensions;
    1 << 30
        | letter(b'B', extensions.zba && extensions.zbb && extensions.zbs)
        | letter(b'C', extensions.c)
        | letter(b'I', true)
        | letter(b'M', extensions.m)
        | letter(b'U', config.user_mode)
}
