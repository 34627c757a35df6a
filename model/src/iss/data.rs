//! Loads and stores: alignment, memory protection, and the bus.

use super::bus::{Bus, Reading, Width};
use super::config::Misaligned;
use super::hart::Iss;
use super::privilege::Access;
use super::trap::{Trap, cause};

impl<B: Bus> Iss<B> {
    /// The `width` bytes at `address`, zero-extended.
    pub(super) fn read_data(&mut self, address: u32, width: Width) -> Result<Reading, Trap> {
        if address.is_multiple_of(width.bytes()) {
            return self.read_aligned(address, width);
        }
        if self.csrs.config().misaligned == Misaligned::Trap {
            return Err(Trap::new(cause::LOAD_MISALIGNED, address));
        }
        self.check_protection(address, width, Access::Read, cause::LOAD_ACCESS)?;
        let (mut all, mut timing) = (0, 0);
        for place in 0..width.bytes() {
            let reading = self.read_aligned(address.wrapping_add(place), Width::Byte)?.bits(0, 0xFF);
            all |= reading.value() << (8 * place);
            if let Reading::Timing { uncertain, .. } = reading {
                timing |= uncertain << (8 * place);
            }
        }
        Ok(if timing == 0 { Reading::Exact(all) } else { Reading::Timing { value: all, uncertain: timing } })
    }

    fn read_aligned(&mut self, address: u32, width: Width) -> Result<Reading, Trap> {
        let fault = Trap::new(cause::LOAD_ACCESS, address);
        if !self.csrs.may_access(address, width.bytes(), Access::Read) {
            return Err(fault);
        }
        self.bus.load(address, width).map_err(|_| fault)
    }

    /// Writes the low `width` bytes of `value`; the others are 0.
    pub(super) fn write_data(&mut self, address: u32, width: Width, value: u32) -> Result<(), Trap> {
        if address.is_multiple_of(width.bytes()) {
            return self.write_aligned(address, width, value);
        }
        if self.csrs.config().misaligned == Misaligned::Trap {
            return Err(Trap::new(cause::STORE_MISALIGNED, address));
        }
        self.check_protection(address, width, Access::Write, cause::STORE_ACCESS)?;
        (0..width.bytes()).try_for_each(|place| {
            let byte = value >> (8 * place) & 0xFF;
            self.write_aligned(address.wrapping_add(place), Width::Byte, byte)
        })
    }

    /// The first byte of a misaligned access that memory protection refuses faults before any is accessed.
    fn check_protection(&self, address: u32, width: Width, access: Access, cause: u32) -> Result<(), Trap> {
        let mut bytes = (0..width.bytes()).map(|place| address.wrapping_add(place));
        match bytes.find(|byte| !self.csrs.may_access(*byte, 1, access)) {
            Some(byte) => Err(Trap::new(cause, byte)),
            None => Ok(()),
        }
    }

    fn write_aligned(&mut self, address: u32, width: Width, value: u32) -> Result<(), Trap> {
        let fault = Trap::new(cause::STORE_ACCESS, address);
        if !self.csrs.may_access(address, width.bytes(), Access::Write) {
            return Err(fault);
        }
        self.bus.store(address, width, value).map_err(|_| fault)
    }
}
