//! The sending half of the UART.

use super::FRAME_BITS;
use ferrite_hdl::prelude::*;

/// Inputs of the transmitter.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct UartTransmitterIn<T> {
    /// A byte waits to be sent.
    pub valid: T,
    /// The byte.
    pub data: T,
}

/// Outputs of the transmitter.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct UartTransmitterOut<T> {
    /// The byte is taken.
    pub starts: T,
    /// A byte is being sent.
    pub sends: T,
    /// The line; idle is 1.
    pub tx: T,
}

/// Sends bytes with a start and a stop bit, the lowest bit first.
#[module]
pub struct UartTransmitter {
    /// Clock cycles that a bit lasts; at least [`MIN_UART_CYCLES_PER_BIT`](crate::config::MIN_UART_CYCLES_PER_BIT).
    pub cycles_per_bit: u32,
}

impl Module for UartTransmitter {
    type In = UartTransmitterIn<UInt>;
    type Out = UartTransmitterOut<UInt>;

    fn inputs(&self) -> UartTransmitterIn<Shape> {
        UartTransmitterIn { valid: bit(), data: bits(8) }
    }
    fn outputs(&self) -> UartTransmitterOut<Shape> {
        UartTransmitterOut { starts: bit(), sends: bit(), tx: bit() }
    }
    fn build(&self, m: &Builder, i: UartTransmitterIn<UInt>) -> UartTransmitterOut<UInt> {
        let (zero, one) = (m.constant(Bits::zero(1)), m.constant(Bits::ones(1)));
        let last_cycle = self.cycles_per_bit - 1;
        // The frame leaves from bit 0 on; ones follow it, so that the line is idle afterwards.
        let frame = m.reg("frame", FRAME_BITS).reset_to(Bits::ones(FRAME_BITS));
        let bits_left = m.reg("bits_left", FRAME_BITS.ilog2() + 1).reset_to(0);
        let cycle = m.reg("cycle", last_cycle.ilog2() + 1).reset_to(0);

        wire!(m, sends = bits_left.any());
        wire!(m, bit_ends = cycle.eq(last_cycle));
        wire!(m, starts = i.valid & !sends);
        m.when(starts, || {
            frame.set(concat([one, i.data, zero]));
            bits_left.set(FRAME_BITS);
            cycle.set(0);
        })
        .otherwise_when(sends, || {
            cycle.set(bit_ends.mux(0, cycle.wrapping_add(1)));
            m.when(bit_ends, || {
                frame.set(one.concat(frame.slice(1, FRAME_BITS - 1)));
                bits_left.set(bits_left.wrapping_sub(1));
            });
        });
        UartTransmitterOut { starts, sends, tx: frame.bit(0) }
    }
}
