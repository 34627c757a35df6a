//! The program: `start` hands list after list to the tensor unit, `trap` catches what must not happen.

use ferrite_model::isa::{Asm, Reg, csr, reg::*};
use ferrite_model::iss::memory_map::EXIT_BASE;

use super::Labels;
use crate::program::exit_code;

/// Written to the exit device: the run ends with code 0.
const EXIT_PASS: i32 = 0x5555;
/// Written to the exit device's low half: the run ends with the code in the upper half.
const EXIT_FAIL: u32 = 0x3333;
/// The status word's *error* bit.
const STATUS_ERROR: i32 = 1 << 1;

/// The step to come.
const STEP: Reg = S0;
/// Behind the last step.
const END: Reg = S1;
/// The counters of the step before, or 0.
const COUNTERS: Reg = S2;
/// The status after the step.
const STATUS: Reg = S3;

/// Bytes of a step: the address of its list, how many commands that has, and the address of the counters.
pub(super) const STEP_BYTES: u32 = 12;

pub(super) fn emit(asm: &mut Asm, labels: &Labels) {
    asm.here("start");
    asm.la(T0, labels.trap);
    asm.csrw(csr::MTVEC, T0);
    asm.t_clear();
    asm.la(STEP, labels.steps);
    asm.la(END, labels.steps_end);
    asm.li(COUNTERS, 0);
    asm.call(labels.note);

    asm.bind(labels.next_step);
    asm.lw(T0, 0, STEP);
    asm.lw(T1, 4, STEP);
    asm.t_run(T0, T1);
    asm.mv(A0, COUNTERS);
    asm.call(labels.account);
    asm.lw(COUNTERS, 8, STEP);
    asm.t_fence(STATUS);
    asm.call(labels.note);
    asm.addi(STEP, STEP, STEP_BYTES as i32);
    asm.andi(T0, STATUS, STATUS_ERROR);
    let failed = asm.local();
    asm.bnez(T0, failed);
    asm.bne(STEP, END, labels.next_step);

    asm.mv(A0, COUNTERS);
    asm.call(labels.account);
    asm.li(A0, EXIT_PASS);
    emit_exit(asm);

    asm.bind(failed);
    asm.la(T1, labels.tensor_status);
    asm.sw(STATUS, 0, T1);
    for index in 0..2 {
        asm.li(T0, index);
        asm.t_info(T0, T0);
        asm.sw(T0, 4 + 4 * index, T1);
    }
    asm.li(A0, (exit_code::TENSOR_ERROR << 16 | EXIT_FAIL) as i32);
    emit_exit(asm);
}

/// Ends the run with the exit device's word in `a0`.
fn emit_exit(asm: &mut Asm) {
    asm.li(T0, EXIT_BASE as i32);
    asm.sw(A0, 0, T0);
    let forever = asm.local_here();
    asm.j(forever);
}

pub(super) fn emit_trap_handler(asm: &mut Asm, labels: &Labels) {
    // `mtvec` holds multiples of 4; every instruction is at one.
    asm.bind(labels.trap);
    asm.la(T0, labels.trap_record);
    for (word, csr) in [csr::MCAUSE, csr::MEPC, csr::MTVAL].into_iter().enumerate() {
        asm.csrr(T1, csr);
        asm.sw(T1, 4 * word as i32, T0);
    }
    asm.li(A0, (exit_code::TRAP << 16 | EXIT_FAIL) as i32);
    emit_exit(asm);
}
