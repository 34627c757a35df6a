//! A FIFO of the UART.

use crate::map::uart::FIFO_DEPTH;
use ferrite_hdl::prelude::*;

/// Bits of a place in the FIFO.
const INDEX_BITS: u32 = FIFO_DEPTH.ilog2();

/// Inputs of the FIFO.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct UartFifoIn<T> {
    /// All places are used, not just one.
    pub enabled: T,
    /// Everything in it goes.
    pub clear: T,
    /// A word comes.
    pub push: T,
    /// The word.
    pub data: T,
    /// The oldest word is taken; there is one.
    pub pop: T,
}

/// Outputs of the FIFO.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct UartFifoOut<T> {
    /// The oldest word; anything if there is none.
    pub front: T,
    /// Words in it.
    pub count: T,
    /// A word comes and there is no room.
    pub overruns: T,
}

/// Keeps 16 words, or one. A word for which there is no room is lost if there are 16, and replaces the one that is there if
/// that is the only one: so do the FIFOs and the registers of a 16550.
#[module]
pub struct UartFifo {
    /// Bits of a word.
    pub width: u32,
}

impl Module for UartFifo {
    type In = UartFifoIn<UInt>;
    type Out = UartFifoOut<UInt>;

    fn name(&self) -> String {
        format!("UartFifo_{}", self.width)
    }
    fn inputs(&self) -> UartFifoIn<Shape> {
        UartFifoIn { enabled: bit(), clear: bit(), push: bit(), data: bits(self.width), pop: bit() }
    }
    fn outputs(&self) -> UartFifoOut<Shape> {
        UartFifoOut { front: bits(self.width), count: bits(INDEX_BITS + 1), overruns: bit() }
    }
    fn build(&self, m: &Builder, i: UartFifoIn<UInt>) -> UartFifoOut<UInt> {
        let words = m.memory("words", FIFO_DEPTH, self.width);
        let head = m.reg("head", INDEX_BITS).reset_to(0);
        let count = m.reg("count", INDEX_BITS + 1).reset_to(0);

        wire!(m, is_full = i.enabled.mux(count.eq(FIFO_DEPTH), count.any()));
        wire!(m, overruns = i.push & is_full & !i.pop);
        wire!(m, tail = i.enabled.mux(head.wrapping_add(count.truncate(INDEX_BITS)), head));
        wire!(m, takes = i.push & !(overruns & i.enabled));
        m.when(takes, || words.write(tail, i.data));
        m.when(i.pop & i.enabled, || head.set(head.wrapping_add(1)));
        m.when(i.clear, || count.set(0))
            .otherwise_when(takes & !i.pop & !overruns, || count.set(count.wrapping_add(1)))
            .otherwise_when(i.pop & !takes, || count.set(count.wrapping_sub(1)));
        m.assert("no_word_is_taken_from_none", !i.pop | count.any());
        UartFifoOut { front: words.read_async("oldest", head), count, overruns }
    }
}
