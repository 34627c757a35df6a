//! The input's way from RAM to the scratchpad, and the output's way back, one row after the other.
//!
//! In RAM rows follow each other without gaps. Where that puts a row at an odd address the loops move bytes,
//! else words. They move more than a row if its length is not a multiple of what they move at once: what the
//! scratchpad gets in excess meets weights of 0; what the RAM gets in excess is overwritten by the next row,
//! or lies behind the buffer.

use ferrite_model::isa::{Asm, Reg, reg::*};

use super::start::global::*;
use crate::lower::Chain;
use crate::plan::{Activations, Plan};

/// Bytes of a `t.write`.
const WRITE_BYTES: u32 = 8;
/// Bytes of a `t.read`.
const READ_BYTES: u32 = 4;

/// Whether every row starts at a multiple of 4 in RAM.
fn rows_are_words(width: u32, chain: &Chain) -> bool {
    chain.batches == 1 || width.is_multiple_of(4)
}

/// Copies a pass's rows of input. Leaves `INPUT` behind them.
pub(super) fn emit_input(asm: &mut Asm, rows: &Activations, plan: &Plan, chain: &Chain) {
    let words = rows_are_words(rows.width, chain);
    emit_rows(asm, INPUT, rows, plan, WRITE_BYTES, |asm| {
        if words {
            asm.lw(T3, 0, INPUT);
            asm.lw(T4, 4, INPUT);
        } else {
            emit_load_bytes(asm, T3, 0);
            emit_load_bytes(asm, T4, 4);
        }
        asm.t_write(T3, T4);
    });
}

/// Copies a pass's rows of output. Leaves `OUTPUT` behind them.
pub(super) fn emit_output(asm: &mut Asm, rows: &Activations, plan: &Plan, chain: &Chain) {
    let words = rows_are_words(rows.width, chain);
    emit_rows(asm, OUTPUT, rows, plan, READ_BYTES, |asm| {
        asm.t_read(T3);
        if words {
            asm.sw(T3, 0, OUTPUT);
        } else {
            for byte in 0..4 {
                asm.sb(T3, byte, OUTPUT);
                asm.srli(T3, T3, 8);
            }
        }
    });
}

/// For every row, as often as its length needs: `step`, which moves `step_bytes` from or to the RAM address
/// in `pointer`.
fn emit_rows(
    asm: &mut Asm,
    pointer: Reg,
    rows: &Activations,
    plan: &Plan,
    step_bytes: u32,
    step: impl FnOnce(&mut Asm),
) {
    let steps = rows.width.div_ceil(step_bytes);
    let excess = steps * step_bytes - rows.width;
    asm.li(T0, plan.pass_rows as i32);
    asm.li(T1, rows.address as i32);
    asm.li(T5, rows.row_bytes as i32);
    let next_row = asm.local_here();
    asm.t_addr(T1);
    asm.li(T2, steps as i32);
    let next_step = asm.local_here();
    step(asm);
    asm.addi(pointer, pointer, step_bytes as i32);
    asm.addi(T2, T2, -1);
    asm.bnez(T2, next_step);
    if excess != 0 {
        asm.addi(pointer, pointer, -(excess as i32));
    }
    asm.add(T1, T1, T5);
    asm.addi(T0, T0, -1);
    asm.bnez(T0, next_row);
}

/// Loads four bytes from any address.
fn emit_load_bytes(asm: &mut Asm, word: Reg, offset: i32) {
    asm.lbu(word, offset, INPUT);
    for byte in 1..4 {
        asm.lbu(T6, offset + byte, INPUT);
        asm.slli(T6, T6, 8 * byte);
        asm.or(word, word, T6);
    }
}
