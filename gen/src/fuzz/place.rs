//! Where things stand on the board that random programs run on.

/// First address of the memory, and of the trap handler.
pub const CODE: u32 = 0x8000_0000;
/// Bytes of memory that can be executed.
pub const CODE_BYTES: u32 = 0x2000;
/// Where the core starts.
pub const START: u32 = CODE + 0x200;
/// First address of the memory that cannot be executed.
pub const DATA: u32 = CODE + CODE_BYTES;
/// Its bytes.
pub const DATA_BYTES: u32 = 0x1000;
/// Bytes of the whole memory.
pub const MEMORY_BYTES: u32 = CODE_BYTES + DATA_BYTES;

/// First address of the devices; its low 12 bits are 0.
pub const DEVICES: u32 = 0x0200_0000;
/// Offset of the word whose bit 0 is the software interrupt.
pub const MSIP: u32 = 0;
/// Offset of a word that reads as the address of some instruction of the program.
pub const SOMEWHERE: u32 = 4;
/// Offset of a word that reads as some value for `mstatus`.
pub const SOME_STATUS: u32 = 8;
/// Offset of a word of random bits.
pub const DICE: u32 = 12;
/// Bytes of the devices.
pub const DEVICE_BYTES: u32 = 16;
