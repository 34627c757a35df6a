//! The receiving half of the UART.

use super::FRAME_BITS;
use ferrite_hdl::prelude::*;

/// Bits without a byte received or read after which bytes that wait are told of: four frames.
const TIMEOUT_BITS: u32 = 4 * FRAME_BITS;

/// Inputs of the receiver.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct UartReceiverIn<T> {
    /// The line, from another clock; idle is 1.
    pub rx: T,
    /// Received bytes wait to be read.
    pub waits: T,
    /// One is read.
    pub reads: T,
}

/// Outputs of the receiver.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct UartReceiverOut<T> {
    /// A frame has been received.
    pub valid: T,
    /// Its byte.
    pub data: T,
    /// It had no stop bit.
    pub framing_error: T,
    /// Bytes have been waiting for as long as four frames.
    pub timed_out: T,
}

/// Receives bytes with a start and a stop bit, the lowest bit first. Bits are sampled in their middle; a start bit that is over before its middle
/// is none. After a frame without a stop bit, and after reset, the line must be idle before a frame can begin.
#[module]
pub struct UartReceiver {
    /// Clock cycles that a bit lasts; at least [`MIN_UART_CYCLES_PER_BIT`](crate::config::MIN_UART_CYCLES_PER_BIT).
    pub cycles_per_bit: u32,
}

impl Module for UartReceiver {
    type In = UartReceiverIn<UInt>;
    type Out = UartReceiverOut<UInt>;

    fn inputs(&self) -> UartReceiverIn<Shape> {
        UartReceiverIn { rx: bit(), waits: bit(), reads: bit() }
    }
    fn outputs(&self) -> UartReceiverOut<Shape> {
        UartReceiverOut { valid: bit(), data: bits(8), framing_error: bit(), timed_out: bit() }
    }
    fn build(&self, m: &Builder, i: UartReceiverIn<UInt>) -> UartReceiverOut<UInt> {
        let last_cycle = self.cycles_per_bit - 1;
        // The first register may become metastable; the second gives it time to settle.
        let synchroniser = m.reg("synchroniser", 2).reset_to(0);
        synchroniser.set(synchroniser.bit(0).concat(i.rx));
        let line = synchroniser.bit(1);
        let is_armed = m.reg("is_armed", 1).reset_to(0);
        let bits_left = m.reg("bits_left", FRAME_BITS.ilog2() + 1).reset_to(0);
        // Where in a bit the receiver is; from the middle of one to that of the next.
        let cycle = m.reg("cycle", last_cycle.ilog2() + 1).reset_to(0);
        let data = m.reg("data", 8);
        let quiet_bits = m.reg("quiet_bits", TIMEOUT_BITS.ilog2() + 1).reset_to(0);

        wire!(m, receives = bits_left.any());
        wire!(m, bit_ends = cycle.eq(last_cycle));
        wire!(m, samples = receives & bit_ends);
        wire!(m, is_start = bits_left.eq(FRAME_BITS));
        wire!(m, is_stop = bits_left.eq(1));
        wire!(m, valid = samples & is_stop);
        m.when(receives | i.waits, || cycle.set(bit_ends.mux(0, cycle.wrapping_add(1))));
        m.when(!receives, || is_armed.set(is_armed | line));
        m.when(!receives & is_armed & !line, || {
            // Half a bit to the first sample.
            cycle.set(self.cycles_per_bit - self.cycles_per_bit / 2);
            bits_left.set(FRAME_BITS);
        });
        m.when(samples, || {
            bits_left.set((is_start & line).mux(0, bits_left.wrapping_sub(1)));
            is_armed.set(line);
            m.when(!is_stop, || data.set(line.concat(data.slice(1, 7))));
        });

        wire!(m, timed_out = quiet_bits.eq(TIMEOUT_BITS));
        m.when(!i.waits | i.reads | valid, || quiet_bits.set(0))
            .otherwise_when(bit_ends & !receives & !timed_out, || quiet_bits.set(quiet_bits.wrapping_add(1)));
        UartReceiverOut { valid, data, framing_error: !line, timed_out }
    }
}
