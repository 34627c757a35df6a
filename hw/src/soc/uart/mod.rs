//! The UART: the registers of a 16550, for 8 data bits, no parity, one stop bit and one speed.
//!
//! ```text
//!        +------+   +-------------+
//! THR -> | FIFO |-> | transmitter |-----> tx
//!        +------+   +-------------+  |
//!                                    v MCR.LOOP
//!        +------+   +-------------+
//! RBR <- | FIFO |<- |   receiver  |<----- rx
//!        +------+   +-------------+
//! ```

mod fifo;
mod receiver;
mod transmitter;

pub use fifo::{UartFifo, UartFifoIn, UartFifoOut};
pub use receiver::{UartReceiver, UartReceiverIn, UartReceiverOut};
pub use transmitter::{UartTransmitter, UartTransmitterIn, UartTransmitterOut};

use super::slave::{answer, at, loads, stores};
use crate::core::Bus;
use crate::map::uart::*;
use crate::map::{Field, NamedValue, Register};
use ferrite_hdl::prelude::*;

/// A start bit, 8 data bits, a stop bit.
const FRAME_BITS: u32 = 10;

/// Where the framing error stands in a word of the receiver's FIFO: above its byte.
const FRAMING_ERROR: u32 = 8;

/// Ports of the UART.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct UartIn<T> {
    /// The core's loads and stores.
    pub bus: Bus<T>,
    /// Serial input, from another clock; idle is 1.
    pub rx: T,
}

/// The UART's pin and its interrupt line.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct UartOut<T> {
    /// Serial output; idle is 1.
    pub tx: T,
    /// An interrupt that is enabled is pending.
    pub interrupt: T,
}

/// A transmitter and a receiver, each behind a FIFO. A frame begins with a start bit and ends with a stop bit.
#[module]
pub struct Uart {
    /// Clock cycles that a bit lasts; at least [`MIN_UART_CYCLES_PER_BIT`](crate::config::MIN_UART_CYCLES_PER_BIT).
    pub cycles_per_bit: u32,
}

/// The core's access, register by register.
#[derive(Clone, Copy)]
struct Accesses {
    bus: Bus<UInt>,
}

impl Accesses {
    fn hits(self, register: Register) -> UInt {
        at(self.bus, REGION.size, register.offset) & self.bus.request.mask.bit(register.offset % 4)
    }

    fn reads(self, register: Register) -> UInt {
        loads(self.bus) & self.hits(register)
    }

    fn writes(self, register: Register) -> UInt {
        stores(self.bus) & self.hits(register)
    }

    /// What is written to a register, or to a field of it.
    fn written(self, register: Register) -> UInt {
        self.bus.request.wdata.slice(8 * (register.offset % 4), 8)
    }
}

/// A field of a register's value.
fn field(value: UInt, field: Field) -> UInt {
    value.slice(field.lsb, field.bits)
}

impl Module for Uart {
    type In = UartIn<UInt>;
    type Out = UartOut<UInt>;

    fn inputs(&self) -> UartIn<Shape> {
        UartIn { bus: Bus::shape(), rx: bit() }
    }
    fn outputs(&self) -> UartOut<Shape> {
        UartOut { tx: bit(), interrupt: bit() }
    }
    fn build(&self, m: &Builder, i: UartIn<UInt>) -> UartOut<UInt> {
        let core = Accesses { bus: i.bus };
        let ier = m.reg("ier", 4).reset_to(0);
        let fifos = m.reg("fifos", 1).reset_to(0);
        let trigger = m.reg("trigger", FCR_TRIGGER.bits).reset_to(0);
        let breaks = m.reg("breaks", 1).reset_to(0);
        let dlab = m.reg("dlab", 1).reset_to(0);
        let mcr = m.reg("mcr", 5).reset_to(0);
        let scr = m.reg("scr", 8).reset_to(0);
        let loops = field(mcr, MCR_LOOP);

        // What registers are written.
        let fcr = core.written(FCR);
        wire!(m, writes_fcr = core.writes(FCR));
        wire!(m, keeps_fifos = writes_fcr & field(fcr, FCR_ENABLE) & fifos);
        wire!(m, changes_fifos = writes_fcr & field(fcr, FCR_ENABLE).ne(fifos));
        m.when(writes_fcr, || {
            fifos.set(field(fcr, FCR_ENABLE));
            m.when(field(fcr, FCR_ENABLE), || trigger.set(field(fcr, FCR_TRIGGER)));
        });
        m.when(core.writes(IER) & !dlab, || ier.set(core.written(IER).truncate(4)));
        m.when(core.writes(LCR), || {
            breaks.set(field(core.written(LCR), LCR_BREAK));
            dlab.set(field(core.written(LCR), LCR_DLAB));
        });
        m.when(core.writes(MCR), || mcr.set(core.written(MCR).truncate(5)));
        m.when(core.writes(SCR), || scr.set(core.written(SCR)));

        // Sending.
        let tx_fifo = m.instance("tx_fifo", &UartFifo { width: 8 });
        let transmitter = UartTransmitter { cycles_per_bit: self.cycles_per_bit };
        let transmitter = m.instance("transmitter", &transmitter);
        wire!(m, writes_thr = core.writes(THR) & !dlab);
        wire!(m, is_empty = !tx_fifo.o.count.any());
        tx_fifo.i.enabled.set(fifos);
        tx_fifo.i.clear.set(changes_fifos | (keeps_fifos & field(fcr, FCR_CLEAR_TX)));
        tx_fifo.i.push.set(writes_thr);
        tx_fifo.i.data.set(core.written(THR));
        tx_fifo.i.pop.set(transmitter.o.starts);
        transmitter.i.valid.set(!is_empty);
        transmitter.i.data.set(tx_fifo.o.front);
        wire!(m, sent = transmitter.o.tx & !breaks);

        // Receiving.
        let rx_fifo = m.instance("rx_fifo", &UartFifo { width: 9 });
        let receiver = m.instance("receiver", &UartReceiver { cycles_per_bit: self.cycles_per_bit });
        wire!(m, received = rx_fifo.o.count.any());
        wire!(m, reads_rbr = core.reads(RBR) & !dlab & received);
        wire!(m, clears_rx = changes_fifos | (keeps_fifos & field(fcr, FCR_CLEAR_RX)));
        receiver.i.rx.set(loops.mux(sent, i.rx));
        receiver.i.waits.set(fifos & received);
        receiver.i.reads.set(reads_rbr);
        rx_fifo.i.enabled.set(fifos);
        rx_fifo.i.clear.set(clears_rx);
        rx_fifo.i.push.set(receiver.o.valid);
        rx_fifo.i.data.set(receiver.o.framing_error.concat(receiver.o.data));
        rx_fifo.i.pop.set(reads_rbr);

        // Errors. Those of a byte are told when it is the oldest, once.
        let overrun = m.reg("overrun", 1).reset_to(0);
        let told = m.reg("told", 1).reset_to(0);
        let errors = m.reg("errors", rx_fifo.o.count.width()).reset_to(0);
        let front_fails = rx_fifo.o.front.bit(FRAMING_ERROR);
        wire!(m, reads_lsr = core.reads(LSR));
        wire!(m, framing_error = received & front_fails & !told);
        wire!(m, is_break = framing_error & !rx_fifo.o.front.truncate(8).any());
        m.when(reads_lsr, || {
            overrun.set(0);
            told.set(received);
        });
        m.when(reads_rbr | clears_rx | (receiver.o.valid & !fifos), || told.set(0));
        m.when(rx_fifo.o.overruns, || overrun.set(1));
        wire!(m, error_comes = receiver.o.valid & receiver.o.framing_error & !rx_fifo.o.overruns);
        wire!(m, error_goes = reads_rbr & front_fails);
        m.when(clears_rx | !fifos, || errors.set(0))
            .otherwise_when(error_comes & !error_goes, || errors.set(errors.wrapping_add(1)))
            .otherwise_when(error_goes & !error_comes, || errors.set(errors.wrapping_sub(1)));
        wire!(m, error_waits = errors.any() & !(errors.eq(1) & front_fails & told));

        let lsr = m.wire("lsr", 8);
        lsr.set(0);
        for (part, value) in [
            (LSR_DR, received),
            (LSR_OE, overrun),
            (LSR_FE, framing_error),
            (LSR_BI, is_break),
            (LSR_THRE, is_empty),
            (LSR_TEMT, is_empty & !transmitter.o.sends),
            (LSR_ERROR, error_waits),
        ] {
            field(lsr, part).set(value);
        }

        // Interrupts, the most urgent last.
        let was_empty = m.reg("was_empty", 1).reset_to(1);
        was_empty.set(is_empty);
        let empty = m.reg("empty", 1).reset_to(0);
        let level = m.wire("level", rx_fifo.o.count.width());
        m.switch(trigger, |on| {
            for (code, words) in TRIGGER_LEVELS.into_iter().enumerate() {
                on.case(code as u32, || level.set(words));
            }
        });
        wire!(m, is_reached = fifos.mux(rx_fifo.o.count.ge(level), received));
        let id = m.wire("id", 4);
        id.set(IIR_NONE.value);
        let pending = |value: NamedValue, enable: Field, condition: UInt| {
            m.when(field(ier, enable) & condition, || id.set(value.value));
        };
        pending(IIR_EMPTY, IER_ETBEI, empty);
        pending(IIR_TIMEOUT, IER_ERBI, receiver.o.timed_out);
        pending(IIR_RECEIVED, IER_ERBI, is_reached);
        pending(IIR_LINE, IER_ELSI, overrun | framing_error);
        let iir = concat([fifos, fifos, m.constant(Bits::zero(2)), id]);
        wire!(
            m,
            starts_to_ask =
                core.writes(IER) & !dlab & field(core.written(IER), IER_ETBEI) & !field(ier, IER_ETBEI)
        );
        m.when(is_empty & (!was_empty | starts_to_ask), || empty.set(1));
        m.when(writes_thr | (core.reads(IIR) & id.eq(IIR_EMPTY.value)), || empty.set(0));

        // What registers read.
        let divisor = self.cycles_per_bit.min(0xFFFF);
        let byte = |value: u32| m.constant(Bits::from_u64(8, value.into()));
        let msr = loops.mux(
            concat([mcr.bit(3), mcr.bit(2), mcr.bit(0), mcr.bit(1), m.constant(Bits::zero(4))]),
            MSR_READY,
        );
        let lcr = concat([dlab, breaks, m.constant(Bits::from_u64(6, FORMAT_8N1.into()))]);
        let rbr = dlab.mux(byte(divisor & 0xFF), rx_fifo.o.front.truncate(8));
        let ier = dlab.mux(byte(divisor >> 8), ier.extend(8));
        let loaded = m.reg("loaded", 32);
        m.when(loads(i.bus), || {
            loaded.set(0);
            let words = [(RBR, concat([lcr, iir, ier, rbr])), (MCR, concat([scr, msr, lsr, mcr.extend(8)]))];
            for (first, word) in words {
                m.when(at(i.bus, REGION.size, first.offset), || loaded.set(word));
            }
        });
        answer(m, "answers", i.bus, loaded);
        UartOut { tx: sent | loops, interrupt: id.ne(IIR_NONE.value) }
    }
}
