//! `account`: adds to the counters at `a0` what the core and the tensor unit have counted since the last
//! call. With `a0` of 0 it only notes where they stand. Overwrites `t0` to `t5`, `a1` and `a2`.

use ferrite_model::isa::{Asm, Reg, csr, reg::*};

use super::Labels;
use crate::target::Target;

/// Counters of the tensor unit.
const TENSOR_COUNTERS: i32 = 6;

pub(super) fn emit(asm: &mut Asm, labels: &Labels, target: &Target) {
    asm.bind(labels.account);
    asm.la(T5, labels.counters_before);
    let note = asm.local();
    asm.beqz(A0, note);

    // The tensor unit first: its counters wait for it, and its work belongs to the cycles.
    asm.li(T0, 0);
    asm.addi(T4, T5, 8);
    asm.addi(A1, A0, 8);
    let next = asm.local_here();
    asm.t_counter(T1, T0);
    emit_add_difference(asm, 0, T4, A1);
    asm.addi(T4, T4, 4);
    asm.addi(A1, A1, 4);
    asm.addi(T0, T0, 1);
    asm.li(T2, TENSOR_COUNTERS);
    asm.blt(T0, T2, next);
    emit_read_core(asm, target);
    asm.mv(T1, A1);
    emit_add_difference(asm, 0, T5, A0);
    asm.mv(T1, A2);
    emit_add_difference(asm, 4, T5, A0);

    // What this function itself took is nobody's.
    asm.bind(note);
    asm.li(T0, 0);
    asm.addi(T4, T5, 8);
    asm.li(T2, TENSOR_COUNTERS);
    let next = asm.local_here();
    asm.t_counter(T1, T0);
    asm.sw(T1, 0, T4);
    asm.addi(T4, T4, 4);
    asm.addi(T0, T0, 1);
    asm.blt(T0, T2, next);
    emit_read_core(asm, target);
    asm.sw(A1, 0, T5);
    asm.sw(A2, 4, T5);
    asm.ret();
}

/// Reads the core's counters into `a1` and `a2`: always in this order, so that the differences of both span
/// the same instructions. A core without counters has counted nothing.
fn emit_read_core(asm: &mut Asm, target: &Target) {
    if !target.core_counters {
        asm.mv(A1, ZERO);
        asm.mv(A2, ZERO);
        return;
    }
    asm.csrr(A1, csr::MCYCLE);
    asm.csrr(A2, csr::MINSTRET);
}

/// `*sum += t1 - *before`
fn emit_add_difference(asm: &mut Asm, offset: i32, before: Reg, sum: Reg) {
    asm.lw(T2, offset, before);
    asm.lw(T3, offset, sum);
    asm.sub(T1, T1, T2);
    asm.add(T3, T3, T1);
    asm.sw(T3, offset, sum);
}
