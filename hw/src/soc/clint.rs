//! The timer and the software interrupt (RISC-V Privileged 20211203, 3.2.1).

use super::slave::{answer, at, merged, stores};
use crate::core::Bus;
use crate::map::clint::{MSIP, MTIME, MTIMECMP, REGION};
use ferrite_hdl::prelude::*;

/// Ports of the CLINT.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ClintIn<T> {
    /// The core's loads and stores.
    pub bus: Bus<T>,
}

/// Interrupt lines of the CLINT.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct ClintOut<T> {
    /// `mtime` has reached `mtimecmp`, as seen one cycle ago.
    pub timer: T,
    /// `msip`.
    pub software: T,
}

/// `mtime` counts clock cycles; `mtimecmp` starts at its largest value, so that nothing is pending after reset.
#[module]
pub struct Clint {}

impl Module for Clint {
    type In = ClintIn<UInt>;
    type Out = ClintOut<UInt>;

    fn inputs(&self) -> ClintIn<Shape> {
        ClintIn { bus: Bus::shape() }
    }
    fn outputs(&self) -> ClintOut<Shape> {
        ClintOut { timer: bit(), software: bit() }
    }
    fn build(&self, m: &Builder, i: ClintIn<UInt>) -> ClintOut<UInt> {
        let msip = m.reg("msip", 1).reset_to(0);
        let mtimecmp = m.reg("mtimecmp", 64).reset_to(Bits::ones(64));
        let mtime = m.reg("mtime", 64).reset_to(0);

        wire!(m, counted = mtime.wrapping_add(1));
        mtime.set(counted);
        let write = |offset: u32, body: &dyn Fn()| {
            m.when(stores(i.bus) & at(i.bus, REGION.size, offset), body);
        };
        write(MSIP.offset, &|| {
            m.when(i.bus.request.mask.bit(0), || msip.set(i.bus.request.wdata.bit(0)));
        });
        for (register, value, otherwise) in [(MTIMECMP, mtimecmp, mtimecmp), (MTIME, mtime, counted)] {
            let (high, low) = (otherwise.slice(32, 32), otherwise.slice(0, 32));
            write(register.offset, &|| value.set(high.concat(merged(i.bus, low))));
            write(register.offset + 4, &|| value.set(merged(i.bus, high).concat(low)));
        }

        let loaded = m.reg("loaded", 32);
        loaded.set(0);
        let read = |offset: u32, word: UInt| {
            m.when(at(i.bus, REGION.size, offset), || loaded.set(word));
        };
        read(MSIP.offset, msip.extend(32));
        for (register, value) in [(MTIMECMP, mtimecmp), (MTIME, mtime)] {
            read(register.offset, value.slice(0, 32));
            read(register.offset + 4, value.slice(32, 32));
        }
        answer(m, "answers", i.bus, loaded);

        // The comparison of 64 bits has a cycle of its own.
        let timer = m.reg("timer", 1).reset_to(0);
        timer.set(mtime.ge(mtimecmp));
        ClintOut { timer, software: msip }
    }
}
