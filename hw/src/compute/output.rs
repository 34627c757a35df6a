//! The output stage: accumulator rows become rows of int8 in the scratchpad.

use ferrite_hdl::prelude::*;

use super::ComputeConfig;
use super::banks::WordWrite;
use super::command::{Requantisation, Requantisations};
use super::parts::mask_at;
use super::sums::RowRead;
use crate::dma::WordRead;
use crate::tensor::{ColumnSettings, RequantColumn, RequantColumnIn};

/// Ports of the output stage.
#[derive(Clone, Debug, Bundle)]
pub struct OutputIn<T> {
    /// What is to be done.
    pub requantisations: Requantisations<T>,
    /// The scratchpad, for parameters.
    #[flip]
    pub parameters: WordRead<T>,
    /// The accumulators.
    #[flip]
    pub rows: RowRead<T>,
    /// The scratchpad, for outputs; it never makes this port wait.
    #[flip]
    pub write: WordWrite<T>,
}

/// Outputs of the output stage.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct OutputOut<T> {
    /// The last row of a command is written.
    pub done: T,
}

/// Requantises a row in every cycle. Between two tiles of channels it is empty while the parameters of the next are read.
#[module]
pub struct Output {
    /// Sizes.
    pub config: ComputeConfig,
}

/// What the output stage does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encoding)]
pub enum OutputState {
    /// Takes a command.
    Idle,
    /// Reads the parameters of a tile.
    Parameters,
    /// Rows of a tile are on their way.
    Rows,
}

impl Module for Output {
    type In = OutputIn<UInt>;
    type Out = OutputOut<UInt>;

    fn name(&self) -> String {
        format!("Output_{}", self.config.suffix())
    }
    fn inputs(&self) -> OutputIn<Shape> {
        OutputIn {
            requantisations: Requantisations::shape(&self.config),
            parameters: self.config.word_read(),
            rows: RowRead::shape(&self.config),
            write: WordWrite::shape(&self.config),
        }
    }
    fn outputs(&self) -> OutputOut<Shape> {
        OutputOut { done: bit() }
    }
    fn build(&self, m: &Builder, i: OutputIn<UInt>) -> OutputOut<UInt> {
        let config = &self.config;
        let state = m.reg("state", OutputState::shape()).reset_to(OutputState::Idle);
        let c = m.regs("current", Requantisation::shape(config));
        let parameter = m.reg("parameter_word", index_width(config.parameter_words() as usize));
        let columns_left = m.reg("columns_left", c.columns.width());
        let rows_left = m.reg("rows_left", c.rows.width());
        // Rows that leave are counted on their own.
        let columns_to_write = m.reg("columns_to_write", c.columns.width());
        let rows_to_write = m.reg("rows_to_write", c.rows.width());
        let address = m.reg("address", config.address_bits());
        let row_address = m.reg("row_address", config.address_bits());

        // Parameters of a tile, a word in every cycle.
        let in_parameters = state.is(OutputState::Parameters);
        i.parameters.valid.set(in_parameters);
        i.parameters.address.set(config.word_of(c.parameters));
        wire!(m, asked = in_parameters & i.parameters.ready);
        wire!(m, last_parameter = parameter.eq(config.parameter_words() - 1));
        let coming = m.delay("coming", m.delay("under_way_parameter", parameter));
        let is_word = |word: u32| i.parameters.data_valid & coming.eq(word);
        let columns = (0..config.cols).map(|col| {
            let word = col / config.factors_of_word();
            let factor = i.parameters.data.slice(32 * (col % config.factors_of_word()), 32);
            ColumnSettings {
                set_bias: is_word(word),
                set_multiplier: is_word(config.factor_words() + word),
                set_shift: is_word(2 * config.factor_words()),
                bias: factor,
                multiplier: factor.truncate(31),
                shift: i.parameters.data.slice(8 * col, 6),
            }
        });

        // Rows of a tile: out of the accumulators, through the columns, into the scratchpad.
        wire!(m, asks = state.is(OutputState::Rows) & rows_left.any());
        i.rows.valid.set(asks);
        i.rows.row.set(c.accumulators);
        wire!(m, issued = asks & i.rows.ready);
        let stages = RequantColumn::LATENCY + 1;
        let under_way = m.reg("under_way", stages).reset_to(0);
        under_way.set(under_way.truncate(stages - 1).concat(issued));
        wire!(m, leaves = under_way.msb());
        let out = columns.zip(&i.rows.sum).enumerate().map(|(col, (settings, sum))| {
            let inputs = RequantColumnIn { settings, range: c.range, sum: *sum };
            m.instance(&format!("column_{col}"), &RequantColumn {}).connect(inputs).out
        });
        let out: Vec<UInt> = out.collect();
        wire!(m, row = concat(out.into_iter().rev()));
        i.write.valid.set(leaves);
        i.write.address.set(config.word_of(address));
        i.write.data.set(row.repeat(config.word_bytes() / config.cols));
        i.write.mask.set(mask_at(m, address.truncate(config.offset_bits()), config.cols));
        m.assert("outputs_never_wait", !leaves | i.write.ready);

        wire!(m, ends_issue = columns_left.eq(1));
        m.when(issued, || {
            c.accumulators.set(c.accumulators.wrapping_add(1));
            columns_left.set(ends_issue.mux(c.columns, columns_left.wrapping_sub(1)));
            m.when(ends_issue, || rows_left.set(rows_left.wrapping_sub(1)));
        });
        wire!(m, ends_row = columns_to_write.eq(1));
        wire!(m, ends_tile = leaves & ends_row & rows_to_write.eq(1));
        wire!(m, ends = ends_tile & c.tiles.eq(1));
        wire!(m, next_row_address = row_address.wrapping_add(c.row_step));
        m.when(leaves, || {
            address.set(ends_row.mux(next_row_address, address.wrapping_add(c.column_step)));
            columns_to_write.set(ends_row.mux(c.columns, columns_to_write.wrapping_sub(1)));
            m.when(ends_row, || {
                row_address.set(next_row_address);
                rows_to_write.set(rows_to_write.wrapping_sub(1));
            });
        });

        i.requantisations.ready.set(state.is(OutputState::Idle));
        m.switch(state, |s| {
            s.case(OutputState::Idle, || {
                m.connect(c, i.requantisations.next);
                m.when(i.requantisations.valid, || state.set(OutputState::Parameters));
                parameter.set(0);
            });
            s.case(OutputState::Parameters, || {
                columns_left.set(c.columns);
                rows_left.set(c.rows);
                columns_to_write.set(c.columns);
                rows_to_write.set(c.rows);
                address.set(c.output);
                row_address.set(c.output);
                m.when(asked, || {
                    c.parameters.set(c.parameters.wrapping_add(config.word_bytes()));
                    parameter.set(parameter.wrapping_add(1));
                    m.when(last_parameter, || state.set(OutputState::Rows));
                });
            });
            s.case(OutputState::Rows, || {
                parameter.set(0);
                m.when(ends_tile, || {
                    c.tiles.set(c.tiles.wrapping_sub(1));
                    c.output.set(c.output.wrapping_add(c.tile_step));
                    state.set(OutputState::Parameters);
                });
                m.when(ends, || state.set(OutputState::Idle));
            });
        });
        let offered = i.requantisations.next;
        let counts = [offered.columns, offered.rows, offered.tiles].map(|count| count.any());
        m.assume(
            "no_loop_is_empty",
            !(i.requantisations.valid & i.requantisations.ready) | concat(counts).all(),
        );
        OutputOut { done: ends }
    }
}
