//! The tensor unit (`docs/tensor-unit.md`).
//!
//! ```text
//!            +------+      +---------+
//! core <---> | port | ---> | control | --- check, counters
//!            +------+      +---------+
//!                               | addresses
//!        +----------------------+----------------------+
//!        v                      v                      v
//!  +------------+ act   +-------------+ sums  +--------------+ sums  +---------+
//!  | scratchpad | ----> |    array    | ----> | accumulators | ----> | requant |
//!  +------------+ weight+-------------+       +--------------+       +---------+
//!        ^                                                               | row
//!        +---------------------------------------------------------------+
//! ```

mod accumulator;
mod array;
mod command;
mod control;
mod counters;
mod pe;
mod port;
mod requant;
mod scratchpad;

pub use accumulator::{Accumulators, AccumulatorsIn, AccumulatorsOut};
pub(crate) use array::late;
pub use array::{Array, ArrayIn, ArrayOut};
pub use command::{Cause, Check, CheckIn, CheckOut, Command, Operands};
pub use control::{Control, ControlIn, ControlOut, State};
pub use counters::{Activity, Counters, CountersIn, CountersOut};
pub use pe::{Pe, PeIn, PeOut};
pub use port::{CommandPort, CommandPortIn, Commands};
pub use requant::{
    ColumnSettings, OutputRange, Requant, RequantColumn, RequantColumnIn, RequantColumnOut, RequantIn,
    RequantOut,
};
pub(crate) use requant::{Parameters, Scaled, scale};
pub use scratchpad::{Access, Scratchpad, ScratchpadIn, ScratchpadOut};

use crate::config::TensorConfig;
use crate::core::CoprocessorPort;
use ferrite_hdl::prelude::*;

/// Ports of the tensor unit.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct TensorUnitIn<T> {
    /// The core's custom-0 instructions.
    pub coprocessor: CoprocessorPort<T>,
}

/// The tensor unit. Sizes as `docs/tensor-unit.md` allows them; [`crate::config::ChipConfig::validate`] checks them.
#[module]
pub struct TensorUnit {
    /// `R`: rows of the array.
    pub rows: u32,
    /// `C`: columns of the array.
    pub cols: u32,
    /// `SP`: size of the scratchpad in bytes.
    pub scratchpad_bytes: u32,
    /// `ACC`: accumulator rows, each of `cols` int32.
    pub acc_rows: u32,
}

impl From<&TensorConfig> for TensorUnit {
    fn from(config: &TensorConfig) -> TensorUnit {
        let TensorConfig { rows, cols, scratchpad_bytes, acc_rows } = *config;
        TensorUnit { rows, cols, scratchpad_bytes, acc_rows }
    }
}

impl TensorUnit {
    fn array(&self) -> Array {
        Array { rows: self.rows, cols: self.cols }
    }

    fn scratchpad(&self) -> Scratchpad {
        Scratchpad { rows: self.rows, cols: self.cols, bytes: self.scratchpad_bytes }
    }

    /// Bits of a scratchpad address.
    fn address_bits(&self) -> u32 {
        self.scratchpad().address_bits()
    }

    /// Bits of an accumulator row's number.
    fn acc_row_bits(&self) -> u32 {
        self.acc_rows.ilog2()
    }
}

impl Module for TensorUnit {
    type In = TensorUnitIn<UInt>;
    type Out = Empty<UInt>;

    fn inputs(&self) -> TensorUnitIn<Shape> {
        TensorUnitIn { coprocessor: CoprocessorPort::shape() }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: TensorUnitIn<UInt>) -> Empty<UInt> {
        let (array, cols) = (self.array(), self.cols);
        let port = m.instance("port", &CommandPort {});
        let control = m.instance("control", &Control { unit: self.clone() });
        let counters = m.instance("counters", &Counters { macs_per_row: self.rows * cols });
        let scratchpad = m.instance("scratchpad", &self.scratchpad());
        let accumulators = Accumulators { rows: self.acc_rows, cols, psum_bits: array.psum_bits() };
        let accumulators = m.instance("accumulators", &accumulators);
        let requant = m.instance("requant", &Requant { cols });

        // Commands.
        let c = control.o;
        m.connect(port.i.coprocessor, i.coprocessor);
        m.connect(control.i.commands, port.i.commands);
        m.connect(port.i.result, c.result);
        port.i.status.set(c.status);
        control.i.host_word.set(scratchpad.o.host);
        control.i.counter.set(counters.o.value);
        control.i.requant_busy.set(requant.o.busy);
        control.i.requant_out.set(requant.o.valid);
        counters.connect(CountersIn { clear: c.clear, activity: c.activity, index: c.counter_index });

        // Data.
        let scratchpad = scratchpad.connect(ScratchpadIn {
            read: c.read,
            host_write: c.host_write,
            host_data: c.host_data,
            row_write: Access { valid: requant.o.valid, address: c.row_address },
            row: requant.o.row.clone(),
        });
        let sums = m.instance("array", &array).connect(ArrayIn {
            act: scratchpad.act,
            weight: scratchpad.weight,
            load: c.load,
        });
        let accumulators = accumulators.connect(AccumulatorsIn {
            read: c.acc_read,
            row: c.acc_row,
            update: c.acc_update,
            accumulate: c.accumulate,
            sum: sums.sum,
        });
        requant.connect(RequantIn {
            settings: c.settings,
            column: c.column,
            range: c.range,
            valid: c.requant_in,
            sum: accumulators.stored,
        });
        Empty::new()
    }
}
