//! Test programs that print a signature: a log of all traps, a stretch of memory, and all registers.

mod compressed;
pub mod random;

use ferrite_model::isa::{Asm, Label, Program, Reg, csr, reg::*};
use ferrite_model::iss::memory_map::{EXIT_BASE, RAM_BASE, UART_BASE};

/// Bytes of memory that a test may use through `gp`, from `gp - 2048` on.
pub const SCRATCH_BYTES: u32 = 4096;
/// Words that the trap handler logs.
const LOG_WORDS_PER_TRAP: i32 = 4;
/// MIE, MPIE and MPP: the bits of `mstatus` that a machine-mode-only hart has.
const MSTATUS_BITS: i32 = 0x1888;

/// A test program under construction. Its body may use every register but `sp`, `gp` and `t6`, which belong to the
/// trap handler and the scratch memory.
pub struct TestProgram {
    pub asm: Asm,
    signature: Label,
    signature_end: Label,
    log_bytes: u32,
    registers: Label,
}

impl TestProgram {
    /// A program whose handler logs `mcause`, `mepc`, `mtval` and `mstatus` of every exception and goes on with
    /// the next instruction. It has room for `traps` of them.
    pub fn new(traps: u32) -> TestProgram {
        TestProgram::in_asm(traps, Asm::new(RAM_BASE))
    }

    /// The same for a hart with compressed instructions: the handler goes on behind 2 or 4 bytes.
    pub fn with_compressed(traps: u32) -> TestProgram {
        TestProgram::in_asm(traps, Asm::with_compressed(RAM_BASE))
    }

    fn in_asm(traps: u32, mut asm: Asm) -> TestProgram {
        let signature = asm.label("signature");
        let signature_end = asm.label("signature_end");
        let scratch_middle = asm.label("scratch_middle");
        let registers = asm.label("registers");
        let body = asm.label("body");
        let handler = asm.label("handler");
        asm.la(T6, handler);
        asm.csrw(csr::MTVEC, T6);
        asm.la(SP, signature);
        asm.la(GP, scratch_middle);
        asm.tail(body);
        asm.align(4);
        asm.bind(handler);
        log_csrs(&mut asm);
        skip_instruction(&mut asm);
        asm.mret();
        asm.align(16);
        let log_bytes = traps * 4 * LOG_WORDS_PER_TRAP as u32;
        asm.bind(signature);
        asm.space(log_bytes);
        asm.space(SCRATCH_BYTES / 2);
        asm.bind(scratch_middle);
        asm.space(SCRATCH_BYTES / 2);
        asm.bind(registers);
        asm.space(32 * 4);
        asm.bind(signature_end);
        asm.bind(body);
        // QEMU leaves arguments for an operating system in some registers.
        for reg in Reg::all().filter(|reg| ![ZERO, SP, GP, T6].contains(reg)) {
            asm.li(reg, 0);
        }
        TestProgram { asm, signature, signature_end, log_bytes, registers }
    }

    /// Ends the body: prints the signature, one word a line in hexadecimal, and ends the run.
    pub fn finish(mut self) -> Program {
        assert!(self.log_bytes > 0, "the program has no room for a trap's log");
        let asm = &mut self.asm;
        asm.la(T6, self.registers);
        for reg in Reg::all().filter(|&reg| reg != T6) {
            asm.sw(reg, 4 * reg.number() as i32, T6);
        }
        asm.la(S0, self.signature);
        asm.la(S1, self.signature_end);
        asm.li(S2, UART_BASE as i32);
        let next_word = asm.local_here();
        asm.lw(A0, 0, S0);
        asm.addi(S0, S0, 4);
        asm.li(A1, 8);
        let next_digit = asm.local_here();
        let letter = asm.local();
        asm.srli(A2, A0, 28);
        asm.slli(A0, A0, 4);
        asm.addi(A2, A2, '0' as i32);
        asm.slti(A3, A2, '9' as i32 + 1);
        asm.bnez(A3, letter);
        asm.addi(A2, A2, 'a' as i32 - '9' as i32 - 1);
        asm.bind(letter);
        send(asm);
        asm.addi(A1, A1, -1);
        asm.bnez(A1, next_digit);
        asm.li(A2, '\n' as i32);
        send(asm);
        asm.bltu(S0, S1, next_word);
        asm.li(T0, EXIT_BASE as i32);
        asm.li(T1, 0x5555);
        asm.sw(T1, 0, T0);
        let forever = asm.local_here();
        asm.j(forever);
        self.asm.finish().expect("a correct test program")
    }
}

/// Appends to the log at `sp` what the trap left in the CSRs; overwrites `t6`.
pub fn log_csrs(asm: &mut Asm) {
    for (place, csr) in [csr::MCAUSE, csr::MEPC, csr::MTVAL].into_iter().enumerate() {
        asm.csrr(T6, csr);
        asm.sw(T6, 4 * place as i32, SP);
    }
    // The mask needs a register; t5 is parked in the log, in mstatus's place, until then.
    asm.sw(T5, 12, SP);
    asm.li(T5, MSTATUS_BITS);
    asm.csrr(T6, csr::MSTATUS);
    asm.and(T6, T6, T5);
    asm.lw(T5, 12, SP);
    asm.sw(T6, 12, SP);
    asm.addi(SP, SP, 4 * LOG_WORDS_PER_TRAP);
}

/// Goes on in user mode with the next instruction; overwrites `t5` and `t6`.
pub fn enter_user_mode(asm: &mut Asm) {
    let user = asm.local();
    asm.la(T6, user);
    asm.csrw(csr::MEPC, T6);
    asm.li(T5, 3 << 11);
    asm.csrc(csr::MSTATUS, T5);
    asm.mret();
    asm.bind(user);
}

/// Sets `mepc` behind the instruction that it points to; overwrites `t6`.
fn skip_instruction(asm: &mut Asm) {
    let (wide, end) = (asm.local(), asm.local());
    asm.csrr(T6, csr::MEPC);
    asm.lhu(T6, 0, T6);
    // Bits 1:0 become 00 if they were 11.
    asm.addi(T6, T6, 1);
    asm.andi(T6, T6, 3);
    asm.beqz(T6, wide);
    asm.csrr(T6, csr::MEPC);
    asm.addi(T6, T6, 2);
    asm.j(end);
    asm.bind(wide);
    asm.csrr(T6, csr::MEPC);
    asm.addi(T6, T6, 4);
    asm.bind(end);
    asm.csrw(csr::MEPC, T6);
}

/// Waits for the UART at `s2` and sends `a2`; overwrites `a3`.
fn send(asm: &mut Asm) {
    let wait = asm.local_here();
    asm.lbu(A3, 5, S2);
    asm.andi(A3, A3, 0x20);
    asm.beqz(A3, wait);
    asm.sb(A2, 0, S2);
}
