//! The exit device: how a program ends its run in simulation (QEMU's `sifive_test`).

use super::slave::{answer, at, stores};
use crate::core::Bus;
use crate::map::exit::{FAIL, FINISH, PASS, REGION};
use ferrite_hdl::prelude::*;

/// Ports of the exit device.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ExitDeviceIn<T> {
    /// The core's loads and stores.
    pub bus: Bus<T>,
}

/// How the run ended.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ExitStatus<T> {
    /// The program has ended its run. Stays up.
    pub valid: T,
    /// Its exit code.
    pub code: T,
}

impl ExitStatus<Shape> {
    /// An exit code has 16 bits.
    pub fn shape() -> ExitStatus<Shape> {
        ExitStatus { valid: bit(), code: bits(16) }
    }
}

/// Keeps the first exit code that the program writes. It stops nothing: whoever runs the chip looks at it.
#[module]
pub struct ExitDevice {}

impl Module for ExitDevice {
    type In = ExitDeviceIn<UInt>;
    type Out = ExitStatus<UInt>;

    fn inputs(&self) -> ExitDeviceIn<Shape> {
        ExitDeviceIn { bus: Bus::shape() }
    }
    fn outputs(&self) -> ExitStatus<Shape> {
        ExitStatus::shape()
    }
    fn build(&self, m: &Builder, i: ExitDeviceIn<UInt>) -> ExitStatus<UInt> {
        let valid = m.reg("exit_valid", 1).reset_to(0);
        let code = m.reg("exit_code", 16).reset_to(0);
        wire!(m, status = i.bus.request.wdata.slice(0, 16));
        wire!(m, passes = status.eq(PASS.value));
        wire!(m, fails = status.eq(FAIL.value));
        wire!(m, writes = stores(i.bus) & at(i.bus, REGION.size, FINISH.offset) & i.bus.request.mask.all());
        m.when(writes & (passes | fails) & !valid, || {
            valid.set(1);
            code.set(passes.mux(0, i.bus.request.wdata.slice(16, 16)));
        });
        answer(m, "answers", i.bus, m.constant(Bits::zero(32)));
        ExitStatus { valid, code }
    }
}
