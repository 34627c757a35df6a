//! What the program counts.
//!
//! `note` writes where the counters of the core and of the tensor unit stand to `counters_now`. `account` adds what was counted between the last two notes to the counters at `a0`, if that is not 0; it
//! has its time while the unit is at work again.

use ferrite_model::isa::{Asm, csr, reg::*};

use super::Labels;
use crate::program::{Counters, TENSOR_COUNTERS};
use crate::target::Target;

/// Overwrites `t0`, `t1` and `t5`.
pub(super) fn emit_note(asm: &mut Asm, labels: &Labels, target: &Target) {
    asm.bind(labels.note);
    asm.la(T5, labels.counters_now);
    if target.core_counters {
        for (csr, offset) in [(csr::MCYCLE, 0), (csr::MINSTRET, 4)] {
            asm.csrr(T0, csr);
            asm.sw(T0, offset, T5);
        }
    }
    for counter in 0..TENSOR_COUNTERS as i32 {
        asm.li(T0, counter);
        asm.t_counter(T1, T0);
        asm.sw(T1, 8 + 4 * counter, T5);
    }
    asm.ret();
}

/// Overwrites `a0` and `t0` to `t6`.
pub(super) fn emit_account(asm: &mut Asm, labels: &Labels) {
    asm.bind(labels.account);
    asm.la(T5, labels.counters_now);
    asm.la(T6, labels.counters_before);
    asm.addi(T4, T5, Counters::BYTES as i32);
    let next = asm.local_here();
    let noted = asm.local();
    asm.lw(T0, 0, T5);
    asm.lw(T1, 0, T6);
    asm.sw(T0, 0, T6);
    asm.beqz(A0, noted);
    asm.lw(T2, 0, A0);
    asm.sub(T0, T0, T1);
    asm.add(T2, T2, T0);
    asm.sw(T2, 0, A0);
    asm.addi(A0, A0, 4);
    asm.bind(noted);
    asm.addi(T5, T5, 4);
    asm.addi(T6, T6, 4);
    asm.bne(T5, T4, next);
    asm.ret();
}
