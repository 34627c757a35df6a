//! Where the program starts and ends: `start` runs pass after pass, `trap` catches what must not happen.

use ferrite_model::isa::{Asm, csr, reg::*};
use ferrite_model::iss::memory_map::EXIT_BASE;

use super::{Labels, copy, layer_table};
use crate::lower::Chain;
use crate::plan::Plan;
use crate::program::{Counters, exit_code};

/// Written to the exit device: the run ends with code 0.
const EXIT_PASS: i32 = 0x5555;
/// Written to the exit device's low half: the run ends with the code in the upper half.
const EXIT_FAIL: u32 = 0x3333;
/// The status word's *error* bit.
const STATUS_ERROR: i32 = 1 << 1;

/// Registers that live as long as the program.
pub(super) mod global {
    use ferrite_model::isa::{Reg, reg::*};

    /// Passes still to run.
    pub(in super::super) const PASSES: Reg = S0;
    /// RAM address of the next row of input.
    pub(in super::super) const INPUT: Reg = S1;
    /// RAM address of the next row of output.
    pub(in super::super) const OUTPUT: Reg = S2;
    /// RAM address of the current layer's entry in the layer table.
    pub(in super::super) const LAYER: Reg = S3;
    /// Layers still to run in this pass.
    pub(in super::super) const LAYERS: Reg = S4;
    /// RAM address of the counters of what runs now.
    pub(in super::super) const COUNTERS: Reg = S5;
    /// Scratchpad address of the place for the next weight tile.
    pub(in super::super) const SLOT: Reg = S6;
    /// Sum of the addresses of both places for weight tiles: less one of them, it is the other.
    pub(in super::super) const SLOT_SUM: Reg = S7;
}
use global::*;

pub(super) fn emit(asm: &mut Asm, labels: &Labels, chain: &Chain, plan: &Plan) {
    asm.here("start");
    asm.la(T0, labels.trap);
    asm.csrw(csr::MTVEC, T0);
    asm.t_clear();
    emit_clear(asm, plan);
    asm.la(INPUT, labels.input);
    asm.la(OUTPUT, labels.output);
    asm.li(SLOT, plan.tile_slots[0] as i32);
    asm.li(SLOT_SUM, (plan.tile_slots[0] + plan.tile_slots[1]) as i32);
    asm.li(PASSES, plan.passes as i32);

    let next_pass = asm.local_here();
    asm.la(COUNTERS, labels.counters);
    // The first counts nothing yet: it only notes where the counters stand, and the second call's difference
    // begins there.
    asm.mv(A0, ZERO);
    asm.call(labels.account);
    copy::emit_input(asm, &plan.activations[0], plan, chain);
    emit_account(asm, labels);

    asm.la(LAYER, labels.layer_table);
    asm.li(LAYERS, chain.layers.len() as i32);
    let next_layer = asm.local_here();
    asm.call(labels.run_layer);
    emit_account(asm, labels);
    asm.addi(LAYER, LAYER, layer_table::ENTRY_BYTES as i32);
    asm.addi(LAYERS, LAYERS, -1);
    asm.bnez(LAYERS, next_layer);

    if let Some(last) = plan.activations.last() {
        copy::emit_output(asm, last, plan, chain);
    }
    emit_account(asm, labels);
    asm.addi(PASSES, PASSES, -1);
    asm.bnez(PASSES, next_pass);

    asm.t_fence(T0);
    asm.la(T1, labels.tensor_status);
    asm.sw(T0, 0, T1);
    asm.li(A0, EXIT_PASS);
    asm.andi(T0, T0, STATUS_ERROR);
    let exit = asm.local();
    asm.beqz(T0, exit);
    asm.li(A0, (exit_code::TENSOR_ERROR << 16 | EXIT_FAIL) as i32);
    asm.bind(exit);
    emit_exit(asm);
}

/// Adds what has been counted since the last call to `COUNTERS`, and goes on to the next counters.
fn emit_account(asm: &mut Asm, labels: &Labels) {
    asm.mv(A0, COUNTERS);
    asm.call(labels.account);
    asm.addi(COUNTERS, COUNTERS, Counters::BYTES as i32);
}

/// Zeros the activation areas. Bytes of a row beyond its last channel meet weights of 0, so that their values
/// do not matter; but memory that has never been written may hold no value at all in simulation.
fn emit_clear(asm: &mut Asm, plan: &Plan) {
    asm.t_addr(ZERO);
    asm.li(T0, (plan.activation_bytes / 8) as i32);
    let again = asm.local_here();
    asm.t_write(ZERO, ZERO);
    asm.addi(T0, T0, -1);
    asm.bnez(T0, again);
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
