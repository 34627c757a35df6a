//! The UART, a 16550 (`docs/registers.md`), as far as the program alone says what its registers hold.

use super::bus::Reading;

const DLAB: u8 = 1 << 7;
const LOOP: u8 = 1 << 4;
/// Bits that can be written.
const LCR_BITS: u8 = 0xC0;
const MCR_BITS: u8 = 0x1F;
const IER_BITS: u8 = 0x0F;
/// 8 data bits, no parity, one stop bit.
const LCR_FORMAT: u8 = 3;
/// A device is ready at the other end.
const MSR_READY: u8 = 0xB0;
/// Ready to send and nothing being sent.
const LSR_IDLE: u8 = 0x60;

/// The registers that the program writes.
#[derive(Clone, Debug, Default)]
pub(super) struct Uart {
    ier: u8,
    lcr: u8,
    mcr: u8,
    scr: u8,
    fifos: bool,
}

impl Uart {
    /// The register at an offset from 0 to 7: a value, and the bits of it that depend on timing or on what is received.
    fn register(&self, offset: u32) -> (u8, u8) {
        let divisor = self.lcr & DLAB != 0;
        match offset {
            0 | 1 if divisor => (0, 0xFF),
            0 => (0, 0xFF),
            1 => (self.ier, 0),
            2 => (1 | if self.fifos { 0xC0 } else { 0 }, 0x0F),
            3 => (self.lcr | LCR_FORMAT, 0),
            4 => (self.mcr, 0),
            5 => (LSR_IDLE, 0xFB),
            6 if self.mcr & LOOP == 0 => (MSR_READY, 0),
            6 => {
                let line = |bit: u8, place: u8| (self.mcr >> bit & 1) << place;
                (line(1, 4) | line(0, 5) | line(2, 6) | line(3, 7), 0)
            }
            7 => (self.scr, 0),
            _ => (0, 0),
        }
    }

    /// The word at `offset`, a multiple of 4.
    pub fn read(&self, offset: u32) -> Reading {
        let (mut value, mut uncertain) = (0, 0);
        for byte in 0..4 {
            let (register, timing) = self.register(offset + byte);
            value |= u32::from(register) << (8 * byte);
            uncertain |= u32::from(timing) << (8 * byte);
        }
        Reading::Timing { value, uncertain }
    }

    /// Writes the register at `offset`; gives the byte that is sent, if one is.
    pub fn write(&mut self, offset: u32, value: u8) -> Option<u8> {
        let divisor = self.lcr & DLAB != 0;
        match offset {
            0 if !divisor && self.mcr & LOOP == 0 => return Some(value),
            1 if !divisor => self.ier = value & IER_BITS,
            2 => self.fifos = value & 1 == 1,
            3 => self.lcr = value & LCR_BITS,
            4 => self.mcr = value & MCR_BITS,
            7 => self.scr = value,
            _ => {}
        }
        None
    }
}
