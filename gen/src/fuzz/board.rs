//! Memory, devices and coprocessor; one board for the core, one for the model.

use ferrite_model::iss::{Bus, BusFault, Reading, Reply, Width};

use super::item::Image;
use super::place::{
    CODE, CODE_BYTES, DEVICE_BYTES, DEVICES, DICE, MEMORY_BYTES, MSIP, SOME_STATUS, SOMEWHERE,
};
use super::random::Random;

/// Bits of `mstatus` that [`SOME_STATUS`] shows: MIE never, so that the handler ends before the next interrupt.
const STATUS_BITS: u32 = 1 << 7 | 3 << 11 | 1 << 17 | 1 << 21;
/// Those that are mostly 0: MPRV and TW.
const RARE_STATUS_BITS: u32 = 1 << 17 | 1 << 21;
/// A gap in the data that nothing answers at.
const GAP: std::ops::Range<u32> = 0x2400..0x2440;

/// What the core under test is connected to.
#[derive(Clone, Debug)]
pub struct Board {
    memory: Vec<u8>,
    refused: Vec<u32>,
    places: Vec<u32>,
    has_coprocessor: bool,
    /// The software interrupt's register.
    pub msip: bool,
    /// The interrupt lines that the model is told.
    pub lines: u32,
    /// Sum of all commands' operands, which shows that none came twice.
    total: u32,
    random: Random,
    /// Words of code that were stored to since the last `fence.i`.
    stored: Vec<u32>,
    /// One of them was executed: what that does is not defined.
    pub executes_stored: bool,
}

impl Board {
    /// With a program.
    pub fn new(image: &Image, has_coprocessor: bool, seed: u64) -> Board {
        Board {
            memory: image.memory.clone(),
            refused: image.refused.clone(),
            places: image.places.clone(),
            has_coprocessor,
            msip: false,
            lines: 0,
            total: 0,
            random: Random::new(seed),
            stored: Vec::new(),
            executes_stored: false,
        }
    }

    /// `fence.i` was executed.
    pub fn fence(&mut self) {
        self.stored.clear();
    }

    /// The word at an address, as it is executed.
    pub fn word(&self, address: u32) -> u32 {
        let offset = (address.wrapping_sub(CODE) & !3) as usize;
        let bytes = self.memory.get(offset..offset + 4).unwrap_or(&[0; 4]);
        bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte))
    }

    fn place(address: u32, bytes: u32) -> Result<usize, BusFault> {
        let offset = address.wrapping_sub(CODE);
        if offset >= MEMORY_BYTES || MEMORY_BYTES - offset < bytes || GAP.contains(&offset) {
            return Err(BusFault);
        }
        Ok(offset as usize)
    }

    /// Whether something answers a fetch.
    pub fn can_fetch(&self, address: u32) -> bool {
        address.wrapping_sub(CODE) < CODE_BYTES && !self.refused.contains(&(address & !3))
    }

    /// Whether something answers a load or store of a byte.
    pub fn can_access(&self, address: u32) -> bool {
        address.wrapping_sub(DEVICES) < DEVICE_BYTES || Board::place(address, 1).is_ok()
    }

    fn device(&mut self, offset: u32) -> Reading {
        match offset & !3 {
            MSIP => Reading::Exact(if offset == MSIP { self.msip.into() } else { 0 }),
            SOMEWHERE => Reading::timing(*self.random.pick(&self.places)),
            SOME_STATUS => {
                let rare = if self.random.once_in(8) { u32::MAX } else { !RARE_STATUS_BITS };
                Reading::timing(self.random.word() & STATUS_BITS & rare | 1 << 7)
            }
            DICE => Reading::timing(self.random.word()),
            _ => Reading::Exact(0),
        }
    }
}

impl Bus for Board {
    fn fetch(&mut self, address: u32) -> Result<u32, BusFault> {
        let offset = address.wrapping_sub(CODE);
        if offset >= CODE_BYTES || self.refused.contains(&address) {
            return Err(BusFault);
        }
        self.executes_stored |= self.stored.contains(&address);
        Ok(self.word(address))
    }

    fn load(&mut self, address: u32, width: Width) -> Result<Reading, BusFault> {
        let device = address.wrapping_sub(DEVICES);
        if device < DEVICE_BYTES {
            return Ok(self.device(device));
        }
        let offset = Board::place(address, width.bytes())?;
        let bytes = &self.memory[offset..offset + width.bytes() as usize];
        Ok(Reading::Exact(bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte))))
    }

    fn store(&mut self, address: u32, width: Width, value: u32) -> Result<(), BusFault> {
        let device = address.wrapping_sub(DEVICES);
        if device < DEVICE_BYTES {
            if device == MSIP {
                self.msip = value & 1 == 1;
            }
            return Ok(());
        }
        let offset = Board::place(address, width.bytes())?;
        let bytes = width.bytes() as usize;
        self.memory[offset..offset + bytes].copy_from_slice(&value.to_le_bytes()[..bytes]);
        if offset < CODE_BYTES as usize && !self.stored.contains(&(address & !3)) {
            self.stored.push(address & !3);
        }
        Ok(())
    }

    fn command(&mut self, funct7: u32, rs1: u32, rs2: u32) -> Option<Reply> {
        if !self.has_coprocessor {
            return None;
        }
        self.total = self.total.wrapping_mul(3).wrapping_add(rs1 ^ rs2 ^ funct7);
        // The instructions of `docs/tensor-unit.md` that return a value.
        Some(match funct7 {
            0x00 | 0x01 | 0x02 | 0x06 => Reply::Value(Reading::Exact(self.total)),
            _ => Reply::Nothing,
        })
    }

    fn interrupts(&self) -> u32 {
        self.lines
    }
}
