//! The trap handler of random programs.

use ferrite_model::isa::reg::*;
use ferrite_model::isa::{Asm, csr};

use super::instructions::END_BEHIND_S1;
use super::place::{CODE, DATA, DATA_BYTES, DEVICES, DICE, MSIP, SOME_STATUS, SOMEWHERE, START};
use super::random::Random;

/// `mstatus.MPP` for machine mode.
const MPP_MACHINE: i32 = 0x1800;
/// Exception code of an instruction access fault.
const INSTRUCTION_ACCESS: i32 = 1;
/// Exception code of `ecall` in user mode.
const ECALL_USER: i32 = 8;

/// How a handler goes on.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Bytes from an instruction that traps to the one that is executed next.
    pub step: i32,
    /// Every exception leads somewhere else.
    pub leaps: bool,
    /// `mscratch` keeps the register that the handler uses.
    pub keeps: bool,
    /// There is user mode, to come back from by `ecall`.
    pub user_mode: bool,
}

impl Style {
    /// Some way.
    pub fn random(random: &mut Random, compressed: bool, user_mode: bool) -> Style {
        Style {
            step: if compressed && random.once_in(3) { 2 } else { 4 },
            leaps: random.once_in(8),
            keeps: random.once_in(4),
            user_mode,
        }
    }
}

/// The handler's bytes, which stand at [`CODE`]: a table for vectored interrupts, then the handler. It goes on behind the instruction that
/// trapped; from where nothing can be fetched, and often after an interrupt, it goes somewhere else, in some mode, so that no
/// program is caught in a loop for ever.
pub fn handler(style: Style) -> Vec<u8> {
    let mut asm = Asm::new(CODE);
    let [entry, interrupt, leap, to_machine, back] = [(); 5].map(|()| asm.local());
    for _ in 0..16 {
        asm.j(entry);
    }
    asm.bind(entry);
    if style.keeps {
        asm.csrrw(T6, csr::MSCRATCH, T6);
    }
    asm.csrr(T6, csr::MCAUSE);
    asm.bltz(T6, interrupt);
    asm.addi(T6, T6, -INSTRUCTION_ACCESS);
    asm.beqz(T6, leap);
    if style.user_mode {
        asm.addi(T6, T6, INSTRUCTION_ACCESS - ECALL_USER);
        asm.beqz(T6, to_machine);
    }
    if style.leaps {
        asm.j(leap);
    }
    asm.bind(back);
    asm.csrr(T6, csr::MEPC);
    asm.addi(T6, T6, style.step);
    asm.csrw(csr::MEPC, T6);
    if style.keeps {
        asm.csrrw(T6, csr::MSCRATCH, T6);
    }
    asm.mret();

    asm.bind(to_machine);
    asm.li(T6, MPP_MACHINE);
    asm.csrs(csr::MSTATUS, T6);
    asm.j(back);

    asm.bind(interrupt);
    asm.lui(GP, (DEVICES >> 12) as i32);
    asm.sw(ZERO, MSIP as i32, GP);
    asm.lw(T6, DICE as i32, GP);
    asm.bltz(T6, leap);
    if style.keeps {
        asm.csrrw(T6, csr::MSCRATCH, T6);
    }
    asm.mret();

    asm.bind(leap);
    asm.lui(GP, (DEVICES >> 12) as i32);
    asm.lw(T6, SOMEWHERE as i32, GP);
    asm.csrw(csr::MEPC, T6);
    asm.lw(T6, SOME_STATUS as i32, GP);
    asm.csrw(csr::MSTATUS, T6);
    set_pointers(&mut asm);
    asm.mret();
    asm.finish().map(|program| program.bytes).unwrap_or_default()
}

/// Sets the registers that programs take addresses from and mostly leave alone.
pub fn set_pointers(asm: &mut Asm) {
    // So that a load's offset reaches all data, and the end of memory.
    asm.li(S0, (DATA + DATA_BYTES / 2) as i32);
    asm.li(S1, (DATA + DATA_BYTES) as i32 - END_BEHIND_S1);
    asm.li(SP, (DATA + 0x100) as i32);
    asm.lui(GP, (DEVICES >> 12) as i32);
    asm.li(TP, START as i32 + 0x100);
    asm.li(T5, 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_handler_ends_before_the_program_starts() {
        let style = Style { step: 4, leaps: true, keeps: true, user_mode: true };
        let bytes = handler(style).len() as u32;
        assert!(bytes > 64 && CODE + bytes <= START, "{bytes} bytes");
    }
}
