//! The output stage: accumulator rows, sums of two images and windows of one become rows of the scratchpad.

use ferrite_hdl::prelude::*;

use super::ComputeConfig;
use super::add::{Add, AddIn};
use super::banks::{WordWrite, place};
use super::column::{Column, ColumnIn};
use super::command::{OutputKind, OutputTask, OutputTasks};
use super::operands::{Operand, OperandMark, OperandRequest};
use super::parts::mask_at;
use super::pool::{Pool, PoolIn, RECIPROCAL_SHIFT};
use super::scale::{ColumnSettings, OutputBounds};
use super::sums::RowRead;
use super::walk::{Loops, Walk, WalkIn};
use crate::countdown::Countdown;
use crate::delay::late_bit;
use crate::dma::WordRead;
use crate::record::{RecordQueue, of_word, to_word};

/// Ports of the output stage.
#[derive(Clone, Debug, Bundle)]
pub struct OutputIn<T> {
    /// What is to be done.
    pub tasks: OutputTasks<T>,
    /// The scratchpad, for parameters and operands; it is given [places](place) for addresses.
    #[flip]
    pub read: WordRead<T>,
    /// The accumulators.
    #[flip]
    pub rows: RowRead<T>,
    /// The scratchpad, for outputs; it never makes this port wait.
    #[flip]
    pub write: WordWrite<T>,
    /// What is under way is cut short.
    pub halt: T,
}

/// Outputs of the output stage.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct OutputOut<T> {
    /// The last row of a task is written.
    pub done: T,
}

/// Requantises a row in every cycle, and adds and pools by the same columns. Between two tiles of channels of a requantisation the parameters of the next are read: biases come first and shifts last, as rows need
/// them, so that they do not meet the last rows of the tile before.
#[module]
pub struct Output {
    /// Sizes.
    pub config: ComputeConfig,
}

/// Words that are asked for ahead.
const REQUESTS: u32 = 2;

/// Cycles, more than from a word's request to the row that it leads to.
const DRAINED_AFTER: u32 = 32;

/// What the output stage does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encoding)]
pub enum OutputState {
    /// Takes a task.
    Idle,
    /// Reads the parameters of a tile.
    Parameters,
    /// Asks for the accumulator rows of a tile.
    Rows,
    /// What was asked for is on its way, or what is added and pooled.
    Rest,
}

impl Module for Output {
    type In = OutputIn<UInt>;
    type Out = OutputOut<UInt>;

    fn name(&self) -> String {
        format!("Output_{}", self.config.suffix())
    }
    fn inputs(&self) -> OutputIn<Shape> {
        OutputIn {
            tasks: OutputTasks::shape(&self.config),
            read: self.config.word_read(),
            rows: RowRead::shape(&self.config),
            write: WordWrite::shape(&self.config),
            halt: bit(),
        }
    }
    fn outputs(&self) -> OutputOut<Shape> {
        OutputOut { done: bit() }
    }
    fn build(&self, m: &Builder, i: OutputIn<UInt>) -> OutputOut<UInt> {
        let config = &self.config;
        let state = m.reg("state", OutputState::shape()).reset_to(OutputState::Idle);
        let c = m.regs("current", OutputTask::shape(config));
        // What the task is, a bit for each kind: much depends on it.
        let kinds = [
            (OutputKind::Requantise, "requantises"),
            (OutputKind::Sums, "passes_sums"),
            (OutputKind::Add, "adds"),
            (OutputKind::Pool, "pools"),
        ];
        let kinds = kinds.map(|(kind, name)| (kind, m.reg(name, 1)));
        let [requantises, passes_sums, adds, pools] = kinds.map(|(_, is)| is);
        let add = m.instance("add", &Add { config: *config });
        let pool = m.instance("pool", &Pool { config: *config });
        let parameter = m.reg("parameter_word", index_width(config.parameter_words() as usize));
        let [columns_left, rows_left, tiles_left] =
            [("columns", c.columns), ("rows", c.rows), ("tiles", c.tiles)]
                .map(|(name, count)| Countdown::new(m, name, count.width(), 1));
        // The task is here, and its operands are to be read.
        let begins = m.reg("begins", 1).reset_to(0);
        wire!(m, takes = i.tasks.valid & i.tasks.ready);
        begins.set(takes);
        let [add_begins, pool_begins] = [(OutputKind::Add, "add_begins"), (OutputKind::Pool, "pool_begins")]
            .map(|(kind, name)| {
                let begins = m.reg(name, 1).reset_to(0);
                begins.set(takes & i.tasks.next.kind.is(kind));
                begins
            });

        // Parameters of a tile, a word in every cycle. Sums that are stored as they are have none.
        let in_parameters = state.is(OutputState::Parameters);
        let in_rest = state.is(OutputState::Rest);
        let requests = RecordQueue::new(m, "requests", REQUESTS, OperandRequest::shape(config));
        let AddIn {
            start,
            halt,
            active,
            input1,
            columns,
            rows,
            addition,
            requests: add_requests,
            operand,
            data,
            halves,
        } = add.i;
        halt.set(i.halt);
        start.set(add_begins);
        active.set(in_rest & adds);
        input1.set(c.source);
        columns.set(c.columns);
        rows.set(c.rows);
        m.connect(addition, c.addition);
        data.set(i.read.data);
        let add_operand = operand;
        let PoolIn { start, halt, first, columns, rows, tiles, pooling, requests: pool_requests, soon, data } =
            pool.i;
        halt.set(i.halt);
        start.set(pool_begins);
        first.set(c.source);
        columns.set(c.columns);
        rows.set(c.rows);
        tiles.set(c.tiles);
        m.connect(pooling, c.pooling);
        data.set(i.read.data);
        let zero = m.constant(Bits::zero(1));
        let of_parameters = OperandRequest {
            reads: !zero,
            address: config.word_of(c.source),
            mark: OperandMark {
                parameter,
                offset: m.constant(Bits::zero(config.offset_bits())),
                first: zero,
                last: zero,
            },
        };
        let of_images = adds.mux(to_word(add_requests.request), to_word(pool_requests.request));
        let asked_for = in_parameters.mux(to_word(of_parameters), of_images);
        let asked_for = of_word(OperandRequest::shape(config), asked_for);
        requests.put(
            (in_parameters & requantises) | add_requests.valid | pool_requests.valid,
            OperandRequest { address: place(asked_for.address), ..asked_for },
        );
        for port in [add_requests, pool_requests] {
            port.ready.set(requests.ready);
        }
        let request = requests.front;
        i.read.valid.set(requests.valid & request.reads);
        i.read.address.set(request.address);
        wire!(m, sent = requests.valid & (!request.reads | i.read.ready));
        requests.takes.set(sent);
        // The word comes two cycles after it was asked for.
        let valid = m.reg("soon_valid", 1).reset_to(0);
        valid.set(sent);
        let read = m.delay("soon_read", request.reads);
        let mark = m.regs("soon", OperandMark::shape(config));
        m.connect(mark, request.mark);
        m.connect(soon, Operand { valid: valid & pools, read, mark });
        let came_valid = m.reg("came_valid", 1).reset_to(0);
        came_valid.set(valid);
        let came = m.regs("came", OperandMark::shape(config));
        m.connect(came, mark);
        m.connect(add_operand, Operand { valid: came_valid & adds, read: came_valid, mark: came });

        wire!(m, asked = in_parameters & (requests.ready | passes_sums));
        wire!(m, last_parameter = passes_sums | parameter.eq(config.parameter_words() - 1));
        let parameters_come = came_valid & requantises;
        let are_there = m.reg("are_there", 1).reset_to(0);
        m.when(in_parameters, || are_there.set(0));
        m.when(sent & request.mark.parameter.eq(config.parameter_words() - 1), || are_there.set(1));
        let is_word = |word: u32| parameters_come & came.parameter.eq(word);
        let settings = (0..config.cols).map(|col| {
            let word = col / config.factors_of_word();
            let factor = i.read.data.slice(32 * (col % config.factors_of_word()), 32);
            ColumnSettings {
                set_bias: is_word(word),
                set_multiplier: is_word(config.factor_words() + word),
                set_shift: is_word(2 * config.factor_words()),
                bias: factor,
                multiplier: factor.truncate(31),
                shift: i.read.data.slice(8 * col, 6),
            }
        });

        // Accumulator rows of a tile. One that is stored as it is takes several words, and so many cycles.
        let words_of_row = config.sums_words();
        let pause = m.reg("pause", index_width(words_of_row as usize)).reset_to(0);
        let may_ask = are_there | passes_sums;
        wire!(m, asks = state.is(OutputState::Rows) & may_ask & !pause.any());
        i.rows.valid.set(asks);
        i.rows.row.set(c.accumulators);
        wire!(m, issued = asks & i.rows.ready);
        m.when(pause.any(), || pause.set(pause.wrapping_sub(1)));
        m.when(issued & passes_sums, || pause.set(words_of_row - 1));
        let row_comes = late_bit(m, "row_comes", issued, 2);
        let ends_line = columns_left.done;
        wire!(m, ends_asking = ends_line & rows_left.done);
        m.when(issued, || {
            c.accumulators.set(c.accumulators.wrapping_add(1));
            columns_left.turn(c.columns);
            m.when(ends_line, || rows_left.turn(c.rows));
            m.when(ends_asking, || tiles_left.step());
        });

        // Through the columns.
        let row_enters = row_comes & requantises;
        wire!(m, enters = row_enters | add.o.enters | pool.o.enters);
        let under_way = m.reg("under_way", Column::LATENCY).reset_to(0);
        under_way.set(under_way.truncate(Column::LATENCY - 1).concat(enters));
        let shared = m.delay("shared", c.kind.is(OutputKind::Add) | c.kind.is(OutputKind::Pool));
        let bounds = OutputBounds::new(m, &c.range);
        let multiplier = m.delay("multiplier", adds.mux(add.o.multiplier, pool.o.multiplier));
        let shift_less_1 = m.delay("shift_less_1", adds.mux(add.o.shift_less_1, RECIPROCAL_SHIFT - 1));
        let columns = settings.zip(&i.rows.sum).enumerate().map(|(col, (settings, sum))| {
            // A wire of its own: Yosys takes no choice of signed values as an instance's input.
            let value = m.wire(&format!("value_{col}"), signed(32));
            value.set(adds.mux(add.o.value[col], pool.o.value[col]));
            let inputs = ColumnIn {
                settings,
                range: c.range,
                bounds,
                sum: *sum,
                shared,
                value,
                shared_multiplier: multiplier,
                shared_shift_less_1: shift_less_1,
            };
            m.instance(&format!("column_{col}"), &Column {}).connect(inputs)
        });
        let columns: Vec<_> = columns.collect();
        for (to, column) in halves.iter().zip(&columns) {
            to.set(column.halves);
        }
        wire!(m, row = concat(columns.iter().rev().map(|column| column.out)));

        // Past the columns: a row of sums, of which the lowest words go first.
        let sums = m.reg("sums", 32 * config.cols);
        let sums_left = m.reg("sums_left", index_width(words_of_row as usize + 1)).reset_to(0);
        let sum_word = m.reg("sum_word", index_width(words_of_row as usize));
        wire!(m, sums_leave = sums_left.any());
        let sums_bits = 32 * config.cols;
        let word_bits = 8 * config.word_bytes();
        let sums_data = match words_of_row {
            1 => sums.repeat(word_bits / sums_bits),
            _ => sums.truncate(word_bits),
        };
        m.when(sums_leave, || {
            sums_left.set(sums_left.wrapping_sub(1));
            sum_word.set(sum_word.wrapping_add(1));
            if words_of_row > 1 {
                sums.set((sums >> word_bits).extend(sums_bits));
            }
        });
        m.when(row_comes & passes_sums, || {
            sums.set(concat(i.rows.sum.iter().rev().copied()));
            sums_left.set(words_of_row);
            sum_word.set(0);
        });

        // Into the scratchpad.
        wire!(m, leaves = under_way.msb());
        wire!(m, row_ends = leaves | sums_left.eq(1));
        let loops = Loops {
            columns: c.columns,
            rows: c.rows,
            tiles: c.tiles,
            column_step: c.column_step,
            row_step: c.row_step,
            tile_step: c.tile_step,
        };
        let walk = m.instance("outputs", &Walk { address_bits: config.address_bits() });
        let walk = walk.connect(WalkIn { start: begins, first: c.output, next: row_ends, loops });
        let offset = walk.address.truncate(config.offset_bits());
        let word = config.word_of(walk.address);
        // Rows of sums are aligned, so that a word of one is found without an adder.
        let word_of_sums = match words_of_row {
            1 => word,
            _ => {
                let low = words_of_row.ilog2();
                word.slice(low, word.width() - low).concat(sum_word)
            }
        };
        i.write.valid.set(leaves | sums_leave);
        i.write.address.set(passes_sums.mux(word_of_sums, word));
        i.write.data.set(passes_sums.mux(sums_data, row.repeat(config.word_bytes() / config.cols)));
        let sums_bytes = (4 * config.cols).min(config.word_bytes());
        i.write.mask.set(passes_sums.mux(mask_at(m, offset, sums_bytes), mask_at(m, offset, config.cols)));
        m.assert("outputs_never_wait", !i.write.valid | i.write.ready);
        // Cut short, nothing more is asked for, but what is still under way is written, whatever it is.
        let cut = m.reg("cut", DRAINED_AFTER.ilog2()).reset_to(0);
        m.when(i.halt & in_rest & !requests.valid, || cut.set(cut.wrapping_add(1))).otherwise(|| cut.set(0));
        let is_idle = state.is(OutputState::Idle);
        wire!(m, ends = !is_idle & ((row_ends & walk.ends) | cut.all()));

        i.tasks.ready.set(state.is(OutputState::Idle));
        m.switch(state, |s| {
            s.case(OutputState::Idle, || {
                m.connect(c, i.tasks.next);
                for (kind, is) in kinds {
                    is.set(i.tasks.next.kind.is(kind));
                }
                let kind = i.tasks.next.kind;
                let operands = kind.is(OutputKind::Add) | kind.is(OutputKind::Pool);
                m.when(i.tasks.valid & operands, || state.set(OutputState::Rest));
                m.when(i.tasks.valid & !operands, || state.set(OutputState::Parameters));
                tiles_left.load(i.tasks.next.tiles);
                parameter.set(0);
            });
            s.case(OutputState::Parameters, || {
                columns_left.load(c.columns);
                rows_left.load(c.rows);
                m.when(asked, || {
                    c.source.set(c.source.wrapping_add(config.word_bytes()));
                    parameter.set(parameter.wrapping_add(1));
                    m.when(last_parameter, || state.set(OutputState::Rows));
                });
            });
            s.case(OutputState::Rows, || {
                parameter.set(0);
                m.when(issued & ends_asking, || state.set(OutputState::Parameters));
                m.when(issued & ends_asking & tiles_left.done, || state.set(OutputState::Rest));
            });
        });
        m.when(i.halt & !is_idle, || state.set(OutputState::Rest));
        m.when(ends, || state.set(OutputState::Idle));
        let offered = i.tasks.next;
        let counts = [offered.columns, offered.rows, offered.tiles].map(|count| count.any());
        m.assume("no_loop_is_empty", !(i.tasks.valid & i.tasks.ready) | concat(counts).all());
        OutputOut { done: ends }
    }
}
