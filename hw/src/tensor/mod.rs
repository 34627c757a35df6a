//! The tensor unit as the core sees it: instructions and command lists around the [`Unit`] (`docs/tensor-unit.md`).
//!
//! ```text
//!                 +------+ pushed words         +------+
//!  core <-------> | port | ----------------+--> | unit | <---> AXI4
//!                 +------+                 |    +------+
//!                    | lists   +-------+   |
//!                    +-------> | lists | --+
//!                              +-------+ <-------------------> AXI4
//! ```

mod list;
mod port;

pub use list::{List, ListFetch, ListFetchIn, ListFetchOut, RECORD_BYTES};
pub use port::{Instruction, Port, PortIn, PortOut, PortStatus};

use crate::axi::{AxiReadBus, AxiWidths, AxiWriteBus};
use crate::compute::ComputeConfig;
use crate::config::TensorConfig;
use crate::core::CoprocessorPort;
use crate::unit::{Unit, UnitConfig, UnitIn};
use ferrite_hdl::prelude::*;

/// Ports of the tensor unit.
#[derive(Clone, Debug, Bundle)]
pub struct TensorUnitIn<T> {
    /// The core's custom-0 instructions.
    pub coprocessor: CoprocessorPort<T>,
    /// External memory, from which command lists come.
    #[flip]
    pub lists: AxiReadBus<T>,
    /// External memory, from which data come.
    #[flip]
    pub read: AxiReadBus<T>,
    /// External memory, into which data go.
    #[flip]
    pub write: AxiWriteBus<T>,
}

/// Outputs of the tensor unit.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct TensorUnitOut<T> {
    /// The interrupt line.
    pub interrupt: T,
}

/// The tensor unit. Sizes as `docs/tensor-unit.md` allows them; [`crate::config::ChipConfig::validate`] checks them.
#[module]
pub struct TensorUnit {
    /// Sizes.
    pub unit: UnitConfig,
}

/// Bits of an identifier: the unit's bursts all have the same.
pub(crate) const ID_BITS: u32 = 1;

impl From<&TensorConfig> for TensorUnit {
    fn from(config: &TensorConfig) -> TensorUnit {
        let TensorConfig { rows, cols, scratchpad_bytes, acc_rows, axi_bits } = *config;
        let compute = ComputeConfig { rows, cols, scratchpad_bytes, accumulator_rows: acc_rows };
        TensorUnit { unit: UnitConfig { compute, axi: AxiWidths { data_bits: axi_bits, id_bits: ID_BITS } } }
    }
}

impl Module for TensorUnit {
    type In = TensorUnitIn<UInt>;
    type Out = TensorUnitOut<UInt>;

    fn inputs(&self) -> TensorUnitIn<Shape> {
        let widths = self.unit.axi;
        TensorUnitIn {
            coprocessor: CoprocessorPort::shape(),
            lists: AxiReadBus::shape(widths),
            read: AxiReadBus::shape(widths),
            write: AxiWriteBus::shape(widths),
        }
    }
    fn outputs(&self) -> TensorUnitOut<Shape> {
        TensorUnitOut { interrupt: bit() }
    }
    fn build(&self, m: &Builder, i: TensorUnitIn<UInt>) -> TensorUnitOut<UInt> {
        let port = m.instance("port", &Port {});
        let lists = m.instance("lists", &ListFetch { axi: self.unit.axi });
        let unit = m.instance("unit", &Unit { config: self.unit });

        m.connect(port.i.coprocessor, i.coprocessor);
        let ListFetchIn { valid, list, ready, drop, pairs: listed, axi } = lists.i;
        valid.set(port.i.list_valid);
        m.connect(list, port.i.list);
        port.i.list_ready.set(ready);
        drop.set(port.o.drop);
        m.connect(i.lists, axi);

        // Pushed words wait for lists before them, and the port does not begin a list before they have gone: never do both come.
        let UnitIn { commands, axi, clear, refuse, counter } = unit.i;
        commands.valid.set(listed.valid | port.i.pairs.valid);
        commands.data.set(listed.valid.mux(listed.data, port.i.pairs.data));
        listed.ready.set(commands.ready);
        port.i.pairs.ready.set(commands.ready);
        m.assert("one_has_words", !(listed.valid & port.i.pairs.valid));
        clear.set(port.o.clear);
        refuse.set(port.o.refuse);
        counter.set(port.o.counter);
        m.connect(i.read, axi.read());
        m.connect(i.write, axi.write());

        m.connect(port.i.status, PortStatus { unit: unit.o, lists: lists.o });
        TensorUnitOut { interrupt: port.o.interrupt }
    }
}
