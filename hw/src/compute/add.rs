//! The sum of two images: its operands out of the scratchpad, and three turns through the output stage's columns for each row.

use ferrite_hdl::prelude::*;

use super::ComputeConfig;
use super::command::{Addition, COUNT_BITS};
use super::parts::bytes_at;
use super::walk::{Loops, Walk, WalkIn};
use crate::dma::WordRead;

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
    /// The scratchpad.
    #[flip]
    pub read: WordRead<T>,
    /// From the columns: the values of 4 cycles before, scaled.
    pub scaled: Vec<T>,
}

/// Outputs of the module.
#[derive(Clone, Debug, Bundle)]
pub struct AddOut<T> {
    /// What enters the columns is a sum, whose output is wanted.
    pub enters: T,
    /// What enters the columns: one int32 for each.
    pub value: Vec<T>,
    /// The value's multiplier.
    pub multiplier: T,
    /// The shift for the value of two cycles before, less 1.
    pub shift_less_1: T,
}

/// Turns of a row.
const TURNS: u32 = 3;
/// Cycles from the first operand's turn to that of the sum: the first multiple of the turns, and two cycles, after both are scaled.
const SUM_LATENCY: u32 = 8;
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
            read: self.config.word_read(),
            scaled: vec![signed(32); self.config.cols as usize],
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

        // Operands are read in turns; a row of each waits until both are there.
        let full = [1, 2].map(|k| m.reg(&format!("full_{k}"), 1).reset_to(0));
        wire!(m, takes = i.active & turn.eq(0) & full[0] & full[1]);
        let reads = m.reg("reads", 1).reset_to(0);
        let second = m.reg("second", 1).reset_to(0);
        let may_read = second.mux(!full[1] | takes, !full[0] | takes);
        i.read.valid.set(reads & may_read);
        wire!(m, asked = reads & may_read & i.read.ready);
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
        i.read.address.set(config.word_of(address));
        m.when(asked, || {
            second.set(!second);
            m.when(second & walks[1].ends, || reads.set(0));
        });
        m.when(i.start, || {
            reads.set(1);
            second.set(0);
        });
        m.when(i.halt, || reads.set(0));
        let came_second = m.delay("came_second", second);
        let offset = m.delay("offset", address.truncate(config.offset_bits()));
        let found = bytes_at(i.read.data, offset, config.cols);
        m.when(takes, || {
            full[0].set(0);
            full[1].set(0);
        });
        let operands = [0u32, 1].map(|k| {
            let comes = i.active & i.read.data_valid & came_second.eq(k);
            m.when(comes, || full[k as usize].set(1));
            m.when(i.halt, || full[k as usize].set(0));
            let bytes = found.iter().enumerate().map(|(col, byte)| {
                let operand = m.reg(&format!("operand{}_{col}", k + 1), signed(8));
                m.when(comes, || operand.set(*byte));
                operand
            });
            bytes.collect::<Vec<_>>()
        });

        // Scaled operands come back four cycles after their turn.
        let zero_point = turn.eq(0).mux(a.input1_zero_point, a.input2_zero_point);
        let value = i.scaled.iter().enumerate().map(|(col, scaled)| {
            let first = m.reg(&format!("first_{col}"), signed(32));
            let sum = m.reg(&format!("sum_{col}"), signed(32));
            m.when(turn.eq(1), || first.set(*scaled));
            m.when(turn.eq(2), || sum.set(first.wrapping_add(*scaled)));
            let operand = turn.eq(0).mux(operands[0][col], operands[1][col]);
            let less = (operand.signed() - zero_point.signed()).extend(32).unsigned();
            turn.eq(2).mux(sum, less << LEFT_SHIFT)
        });
        let value = value.collect();
        let by_turn =
            |[first, second, third]: [UInt; 3]| turn.eq(0).mux(first, turn.eq(1).mux(second, third));
        let taken = m.reg("taken", SUM_LATENCY).reset_to(0);
        taken.set(taken.truncate(SUM_LATENCY - 1).concat(takes));
        AddOut {
            enters: taken.msb(),
            value,
            multiplier: by_turn([a.input1_multiplier, a.input2_multiplier, a.output_multiplier]),
            // That of two turns before.
            shift_less_1: by_turn([a.input2_shift, a.output_shift, a.input1_shift]),
        }
    }
}
