//! Formal proofs about the core: what its RVFI port may say, whatever the buses, the interrupts and the program do; and about parts of the
//! tensor unit ([`mod@unit`]).
//!
//! [`Proved`] is the core with assumptions about its inputs and assertions about its outputs, in the style of riscv-formal. Its Verilog
//! goes through Yosys to an SMT solver, which looks for a run of some cycles that breaks an assertion.

pub mod buses;
pub mod checks;
pub mod consistency;
pub mod csrs;
pub mod instructions;
pub mod netlist;
pub mod operands;
pub mod proved;
pub mod record;
pub mod result;
pub mod tools;
pub mod unit;
pub mod units;

pub use proved::Proved;

use ferrite_hw::core::{Core, CoreConfig, Predictor};

/// The cores about which everything is proved, by name: both presets, one of them with a coprocessor. The branch target buffer is small,
/// which only liveness can tell: all else is proved for whatever predictions come.
pub fn cores() -> [(&'static str, Core); 2] {
    let predictor = Predictor::Btb { entries: 8, history: 0 };
    [
        ("small", Core { config: CoreConfig::SMALL, has_coprocessor: false }),
        ("fast", Core { config: CoreConfig { predictor, ..CoreConfig::FAST }, has_coprocessor: true }),
    ]
}
