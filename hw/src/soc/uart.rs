//! The UART: those registers of a 16550 that a polled driver needs (`docs/chip.md`).

use super::slave::{answer, at, stores};
use crate::core::Bus;
use crate::map::uart::{LSR, LSR_TEMT, LSR_THRE, REGION, THR};
use ferrite_hdl::prelude::*;

/// A start bit, 8 data bits, a stop bit.
const FRAME_BITS: u32 = 10;

/// Ports of the UART.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct UartIn<T> {
    /// The core's loads and stores.
    pub bus: Bus<T>,
}

/// The UART's pin.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct UartOut<T> {
    /// Serial output; idle is 1.
    pub tx: T,
}

/// A transmitter for 8 data bits, no parity, one stop bit, with a holding register before its shift register. A byte that is written while
/// the holding register is full replaces the one in it, as in a 16550 without FIFO.
#[module]
pub struct Uart {
    /// Clock cycles that a bit lasts; at least [`MIN_UART_CYCLES_PER_BIT`](crate::config::MIN_UART_CYCLES_PER_BIT).
    pub cycles_per_bit: u32,
}

impl Module for Uart {
    type In = UartIn<UInt>;
    type Out = UartOut<UInt>;

    fn inputs(&self) -> UartIn<Shape> {
        UartIn { bus: Bus::shape() }
    }
    fn outputs(&self) -> UartOut<Shape> {
        UartOut { tx: bit() }
    }
    fn build(&self, m: &Builder, i: UartIn<UInt>) -> UartOut<UInt> {
        let (zero, one) = (m.constant(Bits::zero(1)), m.constant(Bits::ones(1)));
        let last_cycle = self.cycles_per_bit - 1;
        let holding = m.reg("holding", 8);
        let holds = m.reg("holds", 1).reset_to(0);
        // The frame leaves from bit 0 on; ones follow it, so that the line is idle afterwards.
        let frame = m.reg("frame", FRAME_BITS).reset_to(Bits::ones(FRAME_BITS));
        let bits_left = m.reg("bits_left", FRAME_BITS.ilog2() + 1).reset_to(0);
        let cycle = m.reg("cycle", last_cycle.ilog2() + 1).reset_to(0);

        wire!(m, sends = bits_left.any());
        wire!(m, bit_ends = cycle.eq(last_cycle));
        wire!(m, starts = holds & !sends);
        m.when(starts, || {
            frame.set(concat([one, holding, zero]));
            bits_left.set(FRAME_BITS);
            cycle.set(0);
            holds.set(0);
        })
        .otherwise_when(sends, || {
            cycle.set(bit_ends.mux(0, cycle.wrapping_add(1)));
            m.when(bit_ends, || {
                frame.set(one.concat(frame.slice(1, FRAME_BITS - 1)));
                bits_left.set(bits_left.wrapping_sub(1));
            });
        });
        m.when(stores(i.bus) & at(i.bus, REGION.size, THR.offset) & i.bus.request.mask.bit(0), || {
            holding.set(i.bus.request.wdata.slice(0, 8));
            holds.set(1);
        });

        let status = m.wire("status", 8);
        status.set(0);
        status.slice(LSR_THRE.lsb, 1).set(!holds);
        status.slice(LSR_TEMT.lsb, 1).set(!holds & !sends);
        let loaded = m.reg("loaded", 32);
        loaded.set(at(i.bus, REGION.size, LSR.offset).mux(status.extend(32) << (8 * (LSR.offset % 4)), 0));
        answer(m, "answers", i.bus, loaded);
        UartOut { tx: frame.bit(0) }
    }
}
