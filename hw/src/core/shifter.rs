//! The iterative shifter (RISC-V Unprivileged 20240411, 2.4; rotations and `bext`: chapter 28): few LUTs, for an instruction in commit.
//!
//! It shifts to the right; to the left, everything is reversed before and behind. The lowest bit of the distance is dealt with on the way into its
//! register, so that shifts by one take no cycle in commit of their own; then come steps of 16 and of 2.

use ferrite_hdl::prelude::*;

use super::alu::AluControl;
use super::config::Extensions;
use super::only;

/// Inputs of the shifter.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ShiftIn<T> {
    /// An instruction goes to commit in this cycle, where none is any more.
    pub enters: T,
    /// It shifts, and completes.
    pub start: T,
    /// How.
    pub control: AluControl<T>,
    /// What is shifted.
    pub a: T,
    /// How far.
    pub amount: T,
}

/// Outputs of the shifter.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ShiftOut<T> {
    /// The result of the instruction in commit is not there yet.
    pub busy: T,
    /// Its result; 0 if it is no shift.
    pub result: T,
}

/// A step of this many bits, and one of [`FAR`], are what a cycle can do.
const NEAR: u32 = 2;
/// See [`NEAR`].
const FAR: u32 = 16;

/// Shifts, some bits a cycle.
#[module]
pub struct Shift {
    /// Which instructions it must know.
    pub extensions: Extensions,
}

impl Module for Shift {
    type In = ShiftIn<UInt>;
    type Out = ShiftOut<UInt>;

    fn inputs(&self) -> ShiftIn<Shape> {
        ShiftIn { enters: bit(), start: bit(), control: AluControl::shape(), a: bits(32), amount: bits(5) }
    }
    fn outputs(&self) -> ShiftOut<Shape> {
        ShiftOut { busy: bit(), result: bits(32) }
    }
    fn build(&self, m: &Builder, i: ShiftIn<UInt>) -> ShiftOut<UInt> {
        let Extensions { zbb, zbs, .. } = self.extensions;
        let ShiftIn { enters, start, control, a, amount } = i;
        let value = m.reg("value", 32);
        let sign = m.reg("sign", 1);
        let rotates = m.reg("rotates", 1);
        let one_bit = m.reg("one_bit", 1);
        let is_right = m.reg("is_right", 1).reset_to(0);
        let is_left = m.reg("is_left", 1).reset_to(0);
        let busy = m.reg("busy", 1).reset_to(0);
        let far = m.reg("far", 1);
        let near = m.reg("near", 3);

        let reversed = |value: UInt| concat(value.to_bits());
        let shifted = |value: UInt, distance: u32, sign: UInt, rotates: UInt| {
            let out = value.slice(0, distance);
            let fill = sign.repeat(distance);
            let fill = if zbb { rotates.mux(out, fill) } else { fill };
            fill.concat(value.slice(distance, 32 - distance))
        };
        let enters_negative = control.arithmetic & a.msb();
        wire!(m, entering = control.left.mux(reversed(a), a));
        let by_one = shifted(entering, 1, enters_negative, control.rotates);
        // Four values pass two LUTs of four inputs for each bit, as in the register file.
        let select = |choice: UInt, yes: UInt, no: UInt| (choice & yes) | (!choice & no);
        let loads = m.node("loads", enters).repeat(32);
        let choice = m.node("choice", enters.mux(amount.bit(0), far)).repeat(32);
        wire!(m, first = select(loads, select(choice, by_one, entering), choice));
        let step = |distance: u32| shifted(value, distance, sign, rotates);
        let next = select(loads, first, select(first, step(FAR), step(NEAR)));
        m.when(enters | busy, || value.set(next));
        m.when(enters, || {
            sign.set(enters_negative);
            rotates.set(control.rotates);
            one_bit.set(control.one_bit);
            is_right.set(start & !control.left);
            is_left.set(start & control.left);
            busy.set(start & amount.slice(1, 4).any());
            far.set(amount.bit(4));
            near.set(amount.slice(1, 3));
        })
        .otherwise(|| {
            far.set(0);
            near.set(near.wrapping_sub((!far).extend(3)));
            busy.set(busy & (far.mux(near.any(), near.slice(1, 2).any())));
        });

        let right = only(is_right, value);
        let right = if zbs { right & (!one_bit).repeat(31).concat(m.constant(Bits::ones(1))) } else { right };
        ShiftOut { busy, result: right | only(is_left, reversed(value)) }
    }
}
