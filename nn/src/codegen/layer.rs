//! `run_layer`: multiplies the activations by the weights of the layer whose table entry is in `LAYER`, tile
//! by tile.
//!
//! For each block of output channels: set the columns' biases and scales; for each block of input channels,
//! write its weight tile into the scratchpad, load it into the array and multiply; in the end turn the sums
//! into outputs. The two places for tiles take turns, so that a unit that overlaps commands can receive one
//! tile while it uses the other.

use ferrite_model::isa::{Asm, Reg, reg::*};

use super::Labels;
use super::layer_table::*;
use super::start::global::{LAYER, SLOT, SLOT_SUM};
use crate::plan::Plan;
use crate::target::Target;

/// RAM address of the next weights.
const WEIGHT_POINTER: Reg = A0;
/// RAM address of the next bias.
const BIAS_POINTER: Reg = A1;
/// RAM address of the next scale.
const SCALE_POINTER: Reg = A2;
/// Column blocks still to compute.
const COLUMN_COUNT: Reg = A3;
/// Scratchpad address of the next block of outputs.
const OUT_POINTER: Reg = A4;
/// The operand of `t.matmul` and `t.requant` that gives the rows; the first accumulator row is 0.
const ROWS: Reg = A5;
/// Whether the columns' scales must be set.
const SET_SCALES: Reg = A6;
/// Scratchpad address of the input's first row.
const ACT_START: Reg = A7;
/// Scratchpad address of the next block of inputs.
const ACT_POINTER: Reg = S8;
/// Row blocks still to multiply by.
const ROW_COUNT: Reg = S9;

/// Commands that set a column at once; every array has a multiple of as many columns.
const COLUMNS_AT_ONCE: u32 = 4;
/// `t.write` commands in one turn of the loop that writes weights, where a tile has as many: enough for the
/// loop's own instructions to weigh little.
const WRITES_AT_ONCE: u32 = 8;
/// `t.write` commands whose operands are loaded together, so that no load is followed at once by what needs
/// it.
const WRITES_LOADED_TOGETHER: u32 = 2;
const WRITE_BYTES: u32 = 8;

pub(super) fn emit(asm: &mut Asm, labels: &Labels, plan: &Plan, target: &Target) {
    asm.bind(labels.run_layer);
    for (register, field) in [
        (WEIGHT_POINTER, WEIGHTS),
        (BIAS_POINTER, BIASES),
        (SCALE_POINTER, SCALES),
        (COLUMN_COUNT, COLUMN_BLOCKS),
        (ACT_START, ACT_ADDRESS),
        (OUT_POINTER, OUT_ADDRESS),
        (T0, ACT_STRIDE),
        (T1, OUT_STRIDE),
        (T2, OUTPUT),
    ] {
        asm.lw(register, field, LAYER);
    }
    asm.t_stride(T0, T1);
    asm.t_output(T2);
    asm.li(ROWS, (plan.pass_rows << 16) as i32);
    asm.li(SET_SCALES, 1);

    let next_columns = asm.local_here();
    emit_scales(asm, target);
    emit_biases(asm, target);
    asm.mv(ACT_POINTER, ACT_START);
    asm.lw(ROW_COUNT, ROW_BLOCKS, LAYER);
    let next_tile = asm.local_here();
    emit_tile(asm, target);
    asm.t_weights(SLOT);
    asm.sub(SLOT, SLOT_SUM, SLOT);
    let (accumulate, multiplied) = (asm.local(), asm.local());
    asm.bne(ACT_POINTER, ACT_START, accumulate);
    asm.t_matmul(ACT_POINTER, ROWS);
    asm.j(multiplied);
    asm.bind(accumulate);
    asm.t_matmul_acc(ACT_POINTER, ROWS);
    asm.bind(multiplied);
    asm.addi(ACT_POINTER, ACT_POINTER, target.rows as i32);
    asm.addi(ROW_COUNT, ROW_COUNT, -1);
    asm.bnez(ROW_COUNT, next_tile);

    asm.t_requant(OUT_POINTER, ROWS);
    asm.addi(OUT_POINTER, OUT_POINTER, target.cols as i32);
    asm.addi(COLUMN_COUNT, COLUMN_COUNT, -1);
    asm.bnez(COLUMN_COUNT, next_columns);
    asm.ret();
}

/// Sets the columns' scales: for the first column block, and for the others if they differ.
fn emit_scales(asm: &mut Asm, target: &Target) {
    let done = asm.local();
    asm.beqz(SET_SCALES, done);
    asm.li(T0, (target.cols / COLUMNS_AT_ONCE) as i32);
    let again = asm.local_here();
    for column in 0..COLUMNS_AT_ONCE as i32 {
        asm.lw(T1, 8 * column, SCALE_POINTER);
        asm.lw(T2, 8 * column + 4, SCALE_POINTER);
        asm.t_scale(T1, T2);
    }
    asm.addi(SCALE_POINTER, SCALE_POINTER, 8 * COLUMNS_AT_ONCE as i32);
    asm.addi(T0, T0, -1);
    asm.bnez(T0, again);
    asm.lw(SET_SCALES, SCALES_DIFFER, LAYER);
    asm.bind(done);
}

fn emit_biases(asm: &mut Asm, target: &Target) {
    let words = [T1, T2, T3, T4];
    asm.li(T0, 0);
    asm.li(T5, target.cols as i32);
    let again = asm.local_here();
    for (word, offset) in words.into_iter().zip((0..).step_by(4)) {
        asm.lw(word, offset, BIAS_POINTER);
    }
    for word in words {
        asm.t_bias(T0, word);
        asm.addi(T0, T0, 1);
    }
    asm.addi(BIAS_POINTER, BIAS_POINTER, 4 * COLUMNS_AT_ONCE as i32);
    asm.bne(T0, T5, again);
}

/// Writes the next weight tile into its place.
fn emit_tile(asm: &mut Asm, target: &Target) {
    let writes = target.tile_bytes() / WRITE_BYTES;
    let at_once = writes.min(WRITES_AT_ONCE);
    asm.t_addr(SLOT);
    asm.addi(T0, WEIGHT_POINTER, target.tile_bytes() as i32);
    let again = asm.local_here();
    for group in 0..at_once / WRITES_LOADED_TOGETHER {
        let words = [T1, T2, T3, T4];
        let first = group * WRITES_LOADED_TOGETHER * WRITE_BYTES;
        for (word, offset) in words.into_iter().zip((first as i32..).step_by(4)) {
            asm.lw(word, offset, WEIGHT_POINTER);
        }
        asm.t_write(words[0], words[1]);
        asm.t_write(words[2], words[3]);
    }
    asm.addi(WEIGHT_POINTER, WEIGHT_POINTER, (at_once * WRITE_BYTES) as i32);
    asm.bne(WEIGHT_POINTER, T0, again);
}
