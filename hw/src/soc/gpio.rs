//! General-purpose pins.

use super::slave::{answer, at, lanes, loads, merged, stores};
use crate::core::Bus;
use crate::map::Register;
use crate::map::gpio::{CLEAR, FALL, IN, OUT, OUT_ENABLE, PENDING, REGION, RISE, SET, TOGGLE};
use ferrite_hdl::prelude::*;

/// Ports of the pins' device.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct GpioIn<T> {
    /// The core's loads and stores.
    pub bus: Bus<T>,
    /// The pins' levels, from another clock.
    pub pins: T,
}

/// What the pins' device drives.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct GpioOut<T> {
    /// The levels that are driven.
    pub out: T,
    /// The pins that are driven.
    pub out_enable: T,
    /// A pin has changed that the program wants to know of.
    pub interrupt: T,
}

/// Drives pins, reads them and interrupts at their edges.
#[module]
pub struct Gpio {
    /// How many pins, from 1 to 32.
    pub pins: u32,
}

impl Module for Gpio {
    type In = GpioIn<UInt>;
    type Out = GpioOut<UInt>;

    fn inputs(&self) -> GpioIn<Shape> {
        GpioIn { bus: Bus::shape(), pins: bits(self.pins) }
    }
    fn outputs(&self) -> GpioOut<Shape> {
        GpioOut { out: bits(self.pins), out_enable: bits(self.pins), interrupt: bit() }
    }
    fn build(&self, m: &Builder, i: GpioIn<UInt>) -> GpioOut<UInt> {
        // The first register may become metastable; the second gives it time to settle. The third tells edges.
        let [sampled, level, last_level] =
            ["sampled", "level", "last_level"].map(|name| m.reg(name, self.pins).reset_to(0));
        sampled.set(i.pins);
        level.set(sampled);
        last_level.set(level);

        let [out, out_enable, rise, fall, pending] =
            ["out", "out_enable", "rise", "fall", "pending"].map(|name| m.reg(name, self.pins).reset_to(0));
        let write = |register: Register, body: &dyn Fn()| {
            m.when(stores(i.bus) & at(i.bus, REGION.size, register.offset), body);
        };
        let replaced = |old: UInt| merged(i.bus, old.extend(32)).truncate(self.pins);
        let ones = m.node("ones", (i.bus.request.wdata & lanes(i.bus)).truncate(self.pins));
        for (register, value) in [(OUT, out), (OUT_ENABLE, out_enable), (RISE, rise), (FALL, fall)] {
            write(register, &|| value.set(replaced(value)));
        }
        write(SET, &|| out.set(out | ones));
        write(CLEAR, &|| out.set(out & !ones));
        write(TOGGLE, &|| out.set(out ^ ones));
        wire!(m, edges = (level & !last_level & rise) | (!level & last_level & fall));
        pending.set(pending | edges);
        write(PENDING, &|| pending.set((pending & !ones) | edges));

        let loaded = m.reg("loaded", 32);
        m.when(loads(i.bus), || loaded.set(0));
        let registers = [
            (IN, level),
            (OUT, out),
            (OUT_ENABLE, out_enable),
            (RISE, rise),
            (FALL, fall),
            (PENDING, pending),
        ];
        for (register, value) in registers {
            m.when(loads(i.bus) & at(i.bus, REGION.size, register.offset), || loaded.set(value.extend(32)));
        }
        answer(m, "answers", i.bus, loaded);
        GpioOut { out, out_enable, interrupt: pending.any() }
    }
}
