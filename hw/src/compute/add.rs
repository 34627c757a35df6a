//! The sum of two images: its operands out of the scratchpad, and three turns through the output stage's columns for each row.

use ferrite_hdl::library::Queue;
use ferrite_hdl::prelude::*;

use super::ComputeConfig;
use super::column::HALVES_BITS;
use super::command::{Addition, COUNT_BITS};
use super::operands::{Operand, OperandMark, OperandRequest, Requests};
use super::parts::bytes_at;
use super::walk::{Loops, Walk, WalkIn};
use crate::delay::late_bit;

/// Inputs of the module.
#[derive(Clone, Debug, Bundle)]
pub struct AddIn<T> {
    /// A task begins.
    pub start: T,
    /// It is cut short.
    pub halt: T,
    /// It is under way, from the cycle after on.
    pub active: T,
    /// Byte address of the first operand. This and what follows stays while the task is under way.
    pub input1: T,
    /// Columns of the images.
    pub columns: T,
    /// Rows of the images.
    pub rows: T,
    /// The rest of it.
    pub addition: Addition<T>,
    /// Asks the scratchpad.
    #[flip]
    pub requests: Requests<T>,
    /// What comes from it.
    pub operand: Operand<T>,
    /// The word that comes.
    pub data: T,
    /// From the columns: twice the values of 4 cycles before, scaled but for the rounding.
    pub halves: Vec<T>,
}

/// Outputs of the module.
#[derive(Clone, Debug, Bundle)]
pub struct AddOut<T> {
    /// What enters the columns is a sum, whose output is wanted.
    pub enters: T,
    /// What enters the columns: one int32 for each.
    pub value: Vec<T>,
    /// The multiplier of the next cycle's value.
    pub multiplier: T,
    /// The shift for the value of one cycle before, less 1.
    pub shift_less_1: T,
}

/// Turns of a row.
const TURNS: u32 = 3;
/// Cycles from the first operand's turn until the sum enters the columns: behind the sum's turn, the first multiple of the turns, and two cycles, after both are scaled.
const SUM_LATENCY: u32 = 9;
/// Rows of operands that are asked for ahead.
const AHEAD: u32 = 8;
/// What operands are shifted by.
const LEFT_SHIFT: u32 = 20;

/// In one of three cycles the first operand's row enters the columns, in the next the second one's, and in the third the sum of two that were scaled before.
#[module]
pub struct Add {
    /// Sizes.
    pub config: ComputeConfig,
}

impl Module for Add {
    type In = AddIn<UInt>;
    type Out = AddOut<UInt>;

    fn name(&self) -> String {
        format!("Add_{}", self.config.suffix())
    }
    fn inputs(&self) -> AddIn<Shape> {
        AddIn {
            start: bit(),
            halt: bit(),
            active: bit(),
            input1: bits(self.config.address_bits()),
            columns: bits(COUNT_BITS),
            rows: bits(COUNT_BITS),
            addition: Addition::shape(&self.config),
            requests: Requests::shape(&self.config),
            operand: Operand::shape(&self.config),
            data: bits(8 * self.config.word_bytes()),
            halves: vec![signed(HALVES_BITS); self.config.cols as usize],
        }
    }
    fn outputs(&self) -> AddOut<Shape> {
        let value = vec![signed(32); self.config.cols as usize];
        AddOut { enters: bit(), value, multiplier: bits(31), shift_less_1: bits(6) }
    }
    fn build(&self, m: &Builder, i: AddIn<UInt>) -> AddOut<UInt> {
        let config = &self.config;
        let a = i.addition;
        let turn = m.reg("turn", 2).reset_to(0);
        m.when(i.active, || turn.set(turn.eq(TURNS - 1).mux(0, turn.wrapping_add(1))));
        m.when(i.start, || turn.set(0));

        // Rows of both operands are asked for in turns, and wait until two are there.
        let rows = m.instance("operands", &Queue { width: 8 * config.cols, depth: AHEAD });
        wire!(m, takes = i.active & turn.eq(0) & rows.o.count.gt(1));
        let takes_second = m.reg("takes_second", 1).reset_to(0);
        takes_second.set(takes);
        // Cut short, all that comes is thrown away.
        wire!(m, goes = takes | takes_second | (i.halt & rows.i.deq.valid));
        rows.i.deq.ready.set(goes);
        let reads = m.reg("reads", 1).reset_to(0);
        let second = m.reg("second", 1).reset_to(0);
        let ahead = m.reg("ahead", AHEAD.ilog2() + 1).reset_to(0);
        wire!(m, asks = reads & !ahead.msb());
        i.requests.valid.set(asks);
        wire!(m, asked = asks & i.requests.ready);
        m.when(asked & !goes, || ahead.set(ahead.wrapping_add(1)));
        m.when(!asked & goes, || ahead.set(ahead.wrapping_sub(1)));
        let walk = Walk { address_bits: config.address_bits() };
        let walks = [
            (i.input1, a.input1_column_step, a.input1_row_step, asked & !second),
            (a.input2, a.input2_column_step, a.input2_row_step, asked & second),
        ];
        let walks = (1..).zip(walks).map(|(k, (first, column_step, row_step, next))| {
            let one = m.constant(Bits::from_u64(COUNT_BITS, 1));
            let still = m.constant(Bits::zero(config.address_bits()));
            let loops = Loops {
                columns: i.columns,
                rows: i.rows,
                tiles: one,
                column_step,
                row_step,
                tile_step: still,
            };
            m.instance(&format!("walk{k}"), &walk).connect(WalkIn { start: i.start, first, next, loops })
        });
        let walks: Vec<_> = walks.collect();
        wire!(m, address = second.mux(walks[1].address, walks[0].address));
        let zero = m.constant(Bits::zero(1));
        let parameter = m.constant(Bits::zero(i.operand.mark.parameter.width()));
        let mark = OperandMark {
            parameter,
            offset: address.truncate(config.offset_bits()),
            first: zero,
            last: zero,
        };
        let reads_always = m.constant(Bits::ones(1));
        m.connect(
            i.requests.request,
            OperandRequest { reads: reads_always, address: config.word_of(address), mark },
        );
        m.when(asked, || {
            second.set(!second);
            m.when(second & walks[1].ends, || reads.set(0));
        });
        m.when(i.start, || {
            reads.set(1);
            second.set(0);
        });
        m.when(i.halt, || reads.set(0));
        let found = bytes_at(i.data, i.operand.mark.offset, config.cols);
        rows.i.enq.valid.set(i.operand.valid);
        rows.i.enq.data.set(concat(found.into_iter().rev()));
        m.assert("room_for_operands", !i.operand.valid | rows.i.enq.ready);

        // Scaled operands come back four cycles after they enter the columns, and are rounded as they are kept and added: `(f + 1) >> 1` and `s + ((h + 1) >> 1)`.
        let zero_point = turn.eq(0).mux(a.input1_zero_point, a.input2_zero_point);
        let front = rows.i.deq.data;
        let value = (0u32..).zip(&i.halves).map(|(col, halves)| {
            let first = m.reg(&format!("first_{col}"), signed(32));
            let sum = m.reg(&format!("sum_{col}"), signed(32));
            let rounded = |halves: UInt| halves.wrapping_add(1).slice(1, 32);
            m.when(turn.eq(2), || first.set(rounded(*halves)));
            let first_doubled = first.concat(m.constant(Bits::ones(1)));
            m.when(turn.eq(0), || sum.set(halves.wrapping_add(first_doubled).slice(1, 32)));
            let operand = front.slice(8 * col, 8).signed();
            let less = (operand - zero_point.signed()).extend(32).unsigned();
            let value = m.reg(&format!("value_{col}"), signed(32));
            value.set(turn.eq(2).mux(sum, less << LEFT_SHIFT));
            value
        });
        let value = value.collect();
        let by_turn =
            |[first, second, third]: [UInt; 3]| turn.eq(0).mux(first, turn.eq(1).mux(second, third));
        AddOut {
            enters: late_bit(m, "taken", takes, SUM_LATENCY),
            value,
            multiplier: by_turn([a.input1_multiplier, a.input2_multiplier, a.output_multiplier]),
            // That of two turns before.
            shift_less_1: by_turn([a.input2_shift, a.output_shift, a.input1_shift]),
        }
    }
}
