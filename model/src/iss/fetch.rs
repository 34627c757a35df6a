//! Fetching an instruction of 16 or 32 bits.

use super::bus::Bus;
use super::hart::Iss;
use super::privilege::Access;
use super::trap::{Trap, cause};
use crate::isa::{Compressed, Inst, decode, decode_compressed, is_compressed};

/// An instruction as it stands in memory.
#[derive(Clone, Copy)]
pub(super) struct Fetched {
    /// Its word, or its 16 bits.
    pub word: u32,
    /// Its length.
    pub bytes: u32,
    /// Its meaning, of a 16-bit instruction that of its expansion; `None` if the hart has no such instruction.
    pub inst: Option<Inst>,
}

impl<B: Bus> Iss<B> {
    /// The instruction at the pc. With compressed instructions it may lie in two words, which are fetched one after the
    /// other: the fault of the second names the second's address (RISC-V Privileged 20240411, 3.1.16 and 3.7.1).
    pub(super) fn fetch(&mut self) -> Result<Fetched, Trap> {
        let pc = self.pc;
        let word = self.fetch_word(pc)?;
        if !self.csrs.config().c {
            return Ok(self.wide(word));
        }
        let first = word >> (8 * (pc & 2));
        if is_compressed(first as u16) {
            let half = first as u16;
            let inst = decode_compressed(half).as_ref().map(Compressed::expand);
            return Ok(Fetched { word: half.into(), bytes: 2, inst });
        }
        if pc & 2 == 0 {
            return Ok(self.wide(word));
        }
        let second = self.fetch_word(pc.wrapping_add(2))?;
        Ok(self.wide(second << 16 | first & 0xFFFF))
    }

    fn wide(&self, word: u32) -> Fetched {
        let implemented = |inst: &Inst| self.csrs.config().implements(inst.op.spec().extension);
        Fetched { word, bytes: 4, inst: decode(word).filter(implemented) }
    }

    /// The word that holds the half-word at `address`.
    fn fetch_word(&mut self, address: u32) -> Result<u32, Trap> {
        let fault = Trap::new(cause::INSTRUCTION_ACCESS, address);
        if !self.csrs.may_access(address, 2, Access::Execute) {
            return Err(fault);
        }
        self.bus.fetch(address & !3).map_err(|_| fault)
    }
}
