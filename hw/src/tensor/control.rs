//! The sequencer: takes one command after the other, judges it, and walks the addresses of those that take many cycles.

use ferrite_hdl::prelude::*;

use super::TensorUnit;
use super::command::{Cause, Check, CheckIn, Command, Operands};
use super::counters::{Activity, Counters};
use super::port::Commands;
use super::requant::{ColumnSettings, OutputRange};
use super::scratchpad::Access;
use crate::core::CommandResponse;

/// What the sequencer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encoding)]
pub enum State {
    /// Takes the next command.
    Take,
    /// Judges the command; does it or starts it.
    Act,
    /// The scratchpad has the word for the host.
    Read,
    /// A weight row goes into the array in every cycle.
    Weights,
    /// An activation row goes through the array in every cycle.
    Matmul,
    /// An accumulator row goes through the output stage in every cycle.
    Requant,
}

/// Inputs of the sequencer.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ControlIn<T> {
    /// The queued commands.
    pub commands: Commands<T>,
    /// The scratchpad's word for the host.
    pub host_word: T,
    /// The value of the counter that is asked for.
    pub counter: T,
    /// The output stage has rows under way.
    pub requant_busy: T,
    /// A row leaves the output stage.
    pub requant_out: T,
}

/// Outputs of the sequencer.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ControlOut<T> {
    /// Result of a command that returns a value.
    pub result: CommandResponse<T>,
    /// The status word.
    pub status: T,
    /// A word is read from the scratchpad.
    pub read: Access<T>,
    /// 8 bytes are written into the scratchpad.
    pub host_write: Access<T>,
    /// The 8 bytes.
    pub host_data: T,
    /// Where an output row goes.
    pub row_address: T,
    /// The scratchpad has a weight row for the array.
    pub load: T,
    /// An accumulator row is read.
    pub acc_read: T,
    /// Which one.
    pub acc_row: T,
    /// The array has sums for the accumulator row read in the cycle before.
    pub acc_update: T,
    /// They are added.
    pub accumulate: T,
    /// The accumulators have a row for the output stage.
    pub requant_in: T,
    /// New parameters of a column.
    pub settings: ColumnSettings<T>,
    /// Which column.
    pub column: T,
    /// Zero point and clamps.
    pub range: OutputRange<T>,
    /// The counters become 0.
    pub clear: T,
    /// The counter that is asked for.
    pub counter_index: T,
    /// What the counters count.
    pub activity: Activity<T>,
}

/// The sequencer. A command takes a cycle to be taken and one to be judged; `t.read` one more, the long ones as many as they have
/// rows and as the array or the output stage is deep. The next command starts when all is done.
#[module]
pub struct Control {
    /// The unit's sizes.
    pub unit: TensorUnit,
}

/// The registers that commands set.
struct Settings {
    pointer: UInt,
    act_stride: UInt,
    out_stride: UInt,
    range: OutputRange<UInt>,
    failed: UInt,
    cause: UInt,
    failed_funct7: UInt,
}

impl Settings {
    fn new(m: &Builder, unit: &TensorUnit) -> Settings {
        Settings {
            pointer: m.reg("pointer", unit.address_bits()).reset_to(0),
            act_stride: m.reg("act_stride", 16).reset_to(unit.rows),
            out_stride: m.reg("out_stride", 16).reset_to(unit.cols),
            range: m.regs("range", OutputRange::shape()).map(|field| field.reset_to(0)),
            failed: m.reg("failed", 1).reset_to(0),
            cause: m.reg("cause", Cause::shape()).reset_to(Cause::None),
            failed_funct7: m.reg("failed_funct7", 7).reset_to(0),
        }
    }

    /// What `t.clear` sets.
    fn clear(&self, unit: &TensorUnit) {
        self.pointer.set(0);
        self.act_stride.set(unit.rows);
        self.out_stride.set(unit.cols);
        self.failed.set(0);
        self.cause.set(Cause::None);
        self.failed_funct7.set(0);
    }

    /// The status word.
    fn status(&self, m: &Builder, busy: UInt) -> UInt {
        let zeros = |count| m.constant(Bits::zero(count));
        let cause = self.cause.extend(8);
        concat([zeros(9), self.failed_funct7, cause, zeros(6), self.failed, busy])
    }
}

impl Module for Control {
    type In = ControlIn<UInt>;
    type Out = ControlOut<UInt>;

    fn inputs(&self) -> ControlIn<Shape> {
        ControlIn {
            commands: Commands::shape(),
            host_word: bits(32),
            counter: bits(32),
            requant_busy: bit(),
            requant_out: bit(),
        }
    }
    fn outputs(&self) -> ControlOut<Shape> {
        let access = Access { valid: bit(), address: bits(self.unit.address_bits()) };
        ControlOut {
            result: CommandResponse { valid: bit(), data: bits(32) },
            status: bits(32),
            read: access,
            host_write: access,
            host_data: bits(64),
            row_address: bits(self.unit.address_bits()),
            load: bit(),
            acc_read: bit(),
            acc_row: bits(self.unit.acc_row_bits()),
            acc_update: bit(),
            accumulate: bit(),
            requant_in: bit(),
            settings: ColumnSettings::shape(),
            column: bits(self.unit.cols.ilog2()),
            range: OutputRange::shape(),
            clear: bit(),
            counter_index: bits(Counters::INDEX_BITS),
            activity: Activity::shape(),
        }
    }

    fn build(&self, m: &Builder, i: ControlIn<UInt>) -> ControlOut<UInt> {
        let unit = &self.unit;
        let address_bits = unit.address_bits();
        let state = m.reg("state", State::shape()).reset_to(State::Take);
        let command = m.regs("command", Operands::shape());
        let span = m.reg("span", 32);
        let settings = Settings::new(m, unit);
        // The walk of a command over its rows.
        let address = m.reg("address", address_bits);
        let acc_row = m.reg("acc_row", unit.acc_row_bits());
        let rows_left = m.reg("rows_left", 16);
        let is = |command_is: Command| command.funct7.is(command_is);
        let in_state = |wanted: State| state.is(wanted);

        // Take: the span is ready when the command is judged. No rows count as one.
        wire!(m, takes = in_state(State::Take) & i.commands.valid);
        i.commands.ready.set(in_state(State::Take));
        let next = i.commands.command;
        wire!(m, stride = next.funct7.is(Command::Requant).mux(settings.out_stride, settings.act_stride));
        wire!(m, rows_less_1 = next.rows().any().mux(next.rows().wrapping_sub(1), 0));
        m.when(takes, || {
            m.connect(command, next);
            span.set(rows_less_1 * stride);
        });

        // Act: is the command ignored, refused or done?
        let cause = m
            .instance("check", &Check { unit: unit.clone() })
            .connect(CheckIn { command, span, pointer: settings.pointer })
            .cause;
        wire!(m, ignored = settings.failed & !Command::any_of(command.funct7, Command::ALWAYS));
        wire!(m, broken = cause.ne(Cause::None));
        wire!(m, acts = in_state(State::Act) & !ignored & !broken);
        wire!(m, refused = in_state(State::Act) & !ignored & broken);
        m.when(refused & !settings.failed, || {
            settings.failed.set(1);
            settings.cause.set(cause);
            settings.failed_funct7.set(command.funct7);
        });

        // The walk: a row is issued in every cycle until none is left.
        let walks = in_state(State::Weights) | in_state(State::Matmul) | in_state(State::Requant);
        wire!(m, issues = walks & rows_left.any());
        let issued = m.reg("issued", 1).reset_to(0);
        issued.set(issues);
        let flight = self.flight(m, issued & in_state(State::Matmul));
        wire!(m, row_written = in_state(State::Requant) & i.requant_out);
        wire!(m, walked = !issues & !issued & (in_state(State::Weights) | (!flight.any & !i.requant_busy)));
        m.when(issues, || rows_left.set(rows_left.wrapping_sub(1)));
        let step = m.wire("step", 16);
        step.set(settings.act_stride);
        m.when(in_state(State::Requant), || step.set(settings.out_stride));
        let walks_scratchpad = (issues & !in_state(State::Requant)) | row_written;
        m.when(walks_scratchpad, || {
            // Weight rows come last row first.
            let back = address.wrapping_sub(unit.cols);
            let forth = (address + step).truncate(address_bits);
            address.set(in_state(State::Weights).mux(back, forth));
        });
        wire!(m, acc_read = (issues & in_state(State::Requant)) | flight.arrives_next);
        m.when(acc_read, || acc_row.set(acc_row.wrapping_add(1)));

        // The next state, and the start of a walk.
        wire!(m, first_acc_row = command.acc_row());
        let walk_from = |start: UInt, walk: State, rows: UInt| {
            state.set(walk);
            address.set(start);
            acc_row.set(first_acc_row.truncate(unit.acc_row_bits()));
            rows_left.set(rows);
        };
        let start = command.rs1.truncate(address_bits);
        m.switch(state, |s| {
            s.case(State::Take, || {
                m.when(takes, || state.set(State::Act));
            });
            s.case(State::Act, || {
                state.set(State::Take);
                m.when(acts, || {
                    m.switch(command.funct7, |s| {
                        s.case(Command::Read, || state.set(State::Read));
                        s.case(Command::Weights, || {
                            let last_row = start.wrapping_add((unit.rows - 1) * unit.cols);
                            let rows = m.constant(Bits::from_u64(16, unit.rows.into()));
                            walk_from(last_row, State::Weights, rows);
                        });
                        s.cases([Command::Matmul, Command::MatmulAcc], || {
                            walk_from(start, State::Matmul, command.rows());
                        });
                        s.case(Command::Requant, || walk_from(start, State::Requant, command.rows()));
                    });
                });
            });
            s.case(State::Read, || state.set(State::Take));
            s.cases([State::Weights, State::Matmul, State::Requant], || {
                m.when(walked, || state.set(State::Take));
            });
        });

        // What short commands do.
        m.when(acts, || {
            m.switch(command.funct7, |s| {
                s.case(Command::Clear, || settings.clear(unit));
                s.case(Command::Addr, || settings.pointer.set(command.rs1.truncate(address_bits)));
                s.case(Command::Write, || settings.pointer.set(settings.pointer.wrapping_add(8)));
                s.case(Command::Read, || settings.pointer.set(settings.pointer.wrapping_add(4)));
                s.case(Command::Stride, || {
                    settings.act_stride.set(command.rs1.slice(0, 16));
                    settings.out_stride.set(command.rs2.slice(0, 16));
                });
                s.case(Command::Output, || {
                    settings.range.zero_point.set(command.rs1.slice(0, 8));
                    settings.range.min.set(command.rs1.slice(8, 8));
                    settings.range.max.set(command.rs1.slice(16, 8));
                });
            });
        });

        // Results: a refused or ignored command that returns a value returns 0.
        wire!(m, busy = i.commands.valid | !in_state(State::Take));
        let no_result = m.constant(Bits::zero(32));
        let result = m.wires("result", CommandResponse { valid: bit(), data: bits(32) });
        result.valid.set(0);
        result.data.set(no_result);
        m.when(in_state(State::Read), || {
            result.valid.set(1);
            result.data.set(i.host_word);
        })
        .otherwise_when(in_state(State::Act), || {
            result.valid.set(is(Command::Fence) | is(Command::Counter) | (is(Command::Read) & !acts));
            m.when(is(Command::Fence), || {
                result.data.set(settings.status(m, m.constant(Bits::zero(1))));
            })
            .otherwise_when(acts & is(Command::Counter), || result.data.set(i.counter));
        });

        wire!(m, writes = acts & is(Command::Write));
        wire!(m, reads = acts & is(Command::Read));
        ControlOut {
            result,
            status: settings.status(m, busy),
            read: Access {
                valid: reads | (issues & !in_state(State::Requant)),
                address: in_state(State::Act).mux(settings.pointer, address),
            },
            host_write: Access { valid: writes, address: settings.pointer },
            host_data: command.rs2.concat(command.rs1),
            row_address: address,
            load: issued & in_state(State::Weights),
            acc_read,
            acc_row,
            acc_update: flight.arrives,
            accumulate: is(Command::MatmulAcc),
            requant_in: issued & in_state(State::Requant),
            settings: ColumnSettings {
                set_bias: acts & is(Command::Bias),
                set_multiplier: acts & is(Command::Scale),
                set_shift: acts & is(Command::Scale),
                bias: command.rs2,
                multiplier: command.rs2.slice(0, 31),
                shift: command.rs1.slice(16, 6),
            },
            column: command.rs1.truncate(unit.cols.ilog2()),
            range: settings.range,
            clear: acts & is(Command::Clear),
            counter_index: command.rs1.truncate(Counters::INDEX_BITS),
            activity: Activity {
                loading: in_state(State::Weights),
                multiplying: in_state(State::Matmul),
                requantising: in_state(State::Requant),
                idle: !busy,
                row_multiplied: issued & in_state(State::Matmul),
                written: writes,
            },
        }
    }
}

/// Activation rows on their way through the array.
struct Flight {
    /// There are any.
    any: UInt,
    /// The sums of one arrive in the next cycle.
    arrives_next: UInt,
    /// The sums of one arrive.
    arrives: UInt,
}

impl Control {
    /// One bit for each cycle of the way through the array.
    fn flight(&self, m: &Builder, enters: UInt) -> Flight {
        let cycles = self.unit.array().latency();
        let flight = m.reg("flight", cycles).reset_to(0);
        flight.set(flight.slice(0, cycles - 1).concat(enters));
        Flight { any: flight.any(), arrives_next: flight.bit(cycles - 2), arrives: flight.bit(cycles - 1) }
    }
}
