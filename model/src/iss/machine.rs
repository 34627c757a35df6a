//! The chip around the hart (`docs/chip.md`): boot ROM, RAM, external memory, CLINT, UART, exit device, tensor unit, and devices of which
//! only the place is known.

use thiserror::Error;

use super::bus::{Bus, BusFault, Coprocessor, Reading, Reply, Width};
use super::clint::Clint;
use super::uart::Uart;
use crate::unit::{External, Port};

/// Where things stand (`docs/chip.md`).
pub mod memory_map {
    /// First address of the boot ROM.
    pub const ROM_BASE: u32 = 0x0000_1000;
    /// Bytes of the boot ROM.
    pub const ROM_BYTES: u32 = 4 << 10;
    /// First address of the exit device.
    pub const EXIT_BASE: u32 = 0x0010_0000;
    /// Bytes of the exit device.
    pub const EXIT_BYTES: u32 = 4 << 10;
    /// First address of the CLINT timer.
    pub const CLINT_BASE: u32 = 0x0200_0000;
    /// Bytes of the CLINT timer.
    pub const CLINT_BYTES: u32 = 64 << 10;
    /// First address of the UART.
    pub const UART_BASE: u32 = 0x1000_0000;
    /// Bytes of the UART.
    pub const UART_BYTES: u32 = 4 << 10;
    /// First address of the RAM.
    pub const RAM_BASE: u32 = 0x8000_0000;
    /// First address of external memory.
    pub const EXTERNAL_BASE: u32 = 0xC000_0000;
}

/// Exit device: ends the run with code 0.
const EXIT_PASS: u32 = 0x5555;
/// Exit device: ends the run with the code in bits 31:16.
const EXIT_FAIL: u32 = 0x3333;
/// What lies above the first address of external memory.
const MOST_EXTERNAL_BYTES: u32 = 1 << 30;
/// The boot ROM's program: `lui t0, 0x80000; jr t0`.
const BOOT: [u32; 2] = [0x8000_02B7, 0x0002_8067];

/// Sizes of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MachineConfig {
    /// Bytes of RAM.
    pub ram_bytes: u32,
    /// Bytes of boot ROM, at most 4 KiB.
    pub rom_bytes: u32,
    /// Bytes of external memory, at most 1 GiB; 0 for none.
    pub external_bytes: u32,
}

impl Default for MachineConfig {
    /// The sizes of `docs/chip.md`: 512 KiB RAM, 4 KiB ROM, 16 MiB external memory.
    fn default() -> MachineConfig {
        MachineConfig { ram_bytes: 512 << 10, rom_bytes: memory_map::ROM_BYTES, external_bytes: 16 << 20 }
    }
}

/// A stretch of addresses outside of all memories.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{bytes} bytes at {address:#010x} do not lie in memory; the ROM is {rom_bytes} bytes at 0x00001000, the RAM \
     {ram_bytes} bytes at 0x80000000, external memory {external_bytes} bytes at 0xc0000000"
)]
pub struct MachineError {
    /// First address.
    pub address: u32,
    /// Length.
    pub bytes: usize,
    /// Bytes of ROM that there are.
    pub rom_bytes: usize,
    /// Bytes of RAM that there are.
    pub ram_bytes: usize,
    /// Bytes of external memory that there are.
    pub external_bytes: usize,
}

/// External memory, of the hart and of the tensor unit.
#[derive(Clone, Debug)]
struct ExternalMemory(Vec<u8>);

impl External for ExternalMemory {
    fn read(&mut self, address: u32) -> Option<u8> {
        self.0.get(address.checked_sub(memory_map::EXTERNAL_BASE)? as usize).copied()
    }

    fn write(&mut self, address: u32, byte: u8) -> Option<()> {
        *self.0.get_mut(address.checked_sub(memory_map::EXTERNAL_BASE)? as usize)? = byte;
        Some(())
    }
}

/// The chip's bus, with a coprocessor of type `C` (or none: custom-0 is then illegal).
#[derive(Clone, Debug)]
pub struct Machine<C = Port> {
    /// The tensor unit.
    pub coprocessor: Option<C>,
    /// All bytes that the program sent.
    pub uart: Vec<u8>,
    rom: Vec<u8>,
    ram: Vec<u8>,
    external: ExternalMemory,
    clint: Clint,
    uart_device: Uart,
    /// First address and length in bytes of the devices of which no more is known.
    others: Vec<(u32, u32)>,
    exit_code: Option<u32>,
}

impl Machine {
    /// A machine without a coprocessor, its memories all 0.
    pub fn new(config: MachineConfig) -> Machine {
        Machine::with_coprocessor(config, None)
    }

    /// A machine with a tensor unit.
    pub fn with_tensor(config: MachineConfig, tensor: Port) -> Machine {
        Machine::with_coprocessor(config, Some(tensor))
    }
}

impl<C: Coprocessor> Machine<C> {
    /// A machine with any coprocessor, its memories all 0.
    pub fn with_coprocessor(config: MachineConfig, coprocessor: Option<C>) -> Machine<C> {
        let mut rom = vec![0; config.rom_bytes.min(memory_map::ROM_BYTES) as usize];
        let boot: Vec<u8> = BOOT.iter().flat_map(|word| word.to_le_bytes()).collect();
        let length = boot.len().min(rom.len());
        rom[..length].copy_from_slice(&boot[..length]);
        let ram = vec![0; config.ram_bytes as usize];
        let external_bytes = config.external_bytes.min(MOST_EXTERNAL_BYTES);
        Machine {
            coprocessor,
            uart: Vec::new(),
            rom,
            ram,
            external: ExternalMemory(vec![0; external_bytes as usize]),
            clint: Clint::new(),
            uart_device: Uart::default(),
            others: Vec::new(),
            exit_code: None,
        }
    }

    /// Adds a device at `bytes` addresses from `base` on that takes all stores, and of which nothing but that is known: in lockstep all that is
    /// loaded from it is taken over from the implementation.
    pub fn add_device(&mut self, base: u32, bytes: u32) {
        self.others.push((base, bytes));
    }

    fn is_other(&self, address: u32) -> bool {
        self.others.iter().any(|&(base, bytes)| within(address, base, bytes).is_some())
    }

    /// Writes bytes into ROM, RAM or external memory, as a loader does before reset.
    ///
    /// # Errors
    /// When a byte lies outside; nothing is written then.
    pub fn write_memory(&mut self, address: u32, bytes: &[u8]) -> Result<(), MachineError> {
        let error = self.outside(address, bytes.len());
        let memory = self.memory_mut(address, bytes.len()).ok_or(error)?;
        memory.copy_from_slice(bytes);
        Ok(())
    }

    /// The `length` bytes of ROM, RAM or external memory from `address` on.
    ///
    /// # Errors
    /// When a byte lies outside.
    pub fn read_memory(&self, address: u32, length: usize) -> Result<&[u8], MachineError> {
        self.memory(address, length).ok_or_else(|| self.outside(address, length))
    }

    fn outside(&self, address: u32, bytes: usize) -> MachineError {
        MachineError {
            address,
            bytes,
            rom_bytes: self.rom.len(),
            ram_bytes: self.ram.len(),
            external_bytes: self.external.0.len(),
        }
    }

    fn memory(&self, address: u32, length: usize) -> Option<&[u8]> {
        self.executable(address, length)
            .or_else(|| slice_at(&self.external.0, memory_map::EXTERNAL_BASE, address, length))
    }

    /// The memories that the hart can fetch from.
    fn executable(&self, address: u32, length: usize) -> Option<&[u8]> {
        slice_at(&self.ram, memory_map::RAM_BASE, address, length)
            .or_else(|| slice_at(&self.rom, memory_map::ROM_BASE, address, length))
    }

    fn memory_mut(&mut self, address: u32, length: usize) -> Option<&mut [u8]> {
        let (memory, base) = match address {
            memory_map::EXTERNAL_BASE.. => (&mut self.external.0, memory_map::EXTERNAL_BASE),
            memory_map::RAM_BASE.. => (&mut self.ram, memory_map::RAM_BASE),
            _ => (&mut self.rom, memory_map::ROM_BASE),
        };
        let start = address.checked_sub(base)? as usize;
        memory.get_mut(start..start.checked_add(length)?)
    }
}

fn slice_at(memory: &[u8], base: u32, address: u32, length: usize) -> Option<&[u8]> {
    let start = address.checked_sub(base)? as usize;
    memory.get(start..start.checked_add(length)?)
}

/// The offset of `address` in a device.
fn within(address: u32, base: u32, bytes: u32) -> Option<u32> {
    address.checked_sub(base).filter(|&offset| offset < bytes)
}

fn little_endian(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |value, &byte| value << 8 | u32::from(byte))
}

impl<C: Coprocessor> Bus for Machine<C> {
    fn fetch(&mut self, address: u32) -> Result<u32, BusFault> {
        self.executable(address, 4).map(little_endian).ok_or(BusFault)
    }

    fn load(&mut self, address: u32, width: Width) -> Result<Reading, BusFault> {
        let bytes = width.bytes();
        if let Some(memory) = self.memory(address, bytes as usize) {
            return Ok(Reading::Exact(little_endian(memory)));
        }
        let lane_bits = 8 * (address & 3);
        let kept = u32::MAX >> (32 - 8 * bytes);
        if let Some(offset) = within(address, memory_map::CLINT_BASE, memory_map::CLINT_BYTES) {
            return Ok(self.clint.read(offset & !3).bits(lane_bits, kept));
        }
        if let Some(offset) = within(address, memory_map::UART_BASE, memory_map::UART_BYTES) {
            return Ok(self.uart_device.read(offset & !3).bits(lane_bits, kept));
        }
        if self.is_other(address) {
            return Ok(Reading::timing(0).bits(lane_bits, kept));
        }
        within(address, memory_map::EXIT_BASE, memory_map::EXIT_BYTES)
            .map(|_| Reading::Exact(0))
            .ok_or(BusFault)
    }

    fn store(&mut self, address: u32, width: Width, value: u32) -> Result<(), BusFault> {
        let bytes = width.bytes() as usize;
        if address >= memory_map::RAM_BASE {
            let memory = self.memory_mut(address, bytes).ok_or(BusFault)?;
            memory.copy_from_slice(&value.to_le_bytes()[..bytes]);
            return Ok(());
        }
        if let Some(offset) = within(address, memory_map::CLINT_BASE, memory_map::CLINT_BYTES) {
            let lane_bits = 8 * (address & 3);
            let mask = u32::MAX >> (32 - 8 * width.bytes()) << lane_bits;
            self.clint.write(offset & !3, value << lane_bits, mask);
        } else if let Some(offset) = within(address, memory_map::UART_BASE, memory_map::UART_BYTES) {
            for (offset, byte) in (offset..).zip(&value.to_le_bytes()[..bytes]) {
                self.uart.extend(self.uart_device.write(offset, *byte));
            }
        } else if let Some(offset) = within(address, memory_map::EXIT_BASE, memory_map::EXIT_BYTES) {
            match (offset, width, value & 0xFFFF) {
                (0, Width::Word, EXIT_FAIL) => self.exit_code = Some(value >> 16),
                (0, Width::Word, EXIT_PASS) => self.exit_code = Some(0),
                _ => {}
            }
        } else if !self.is_other(address) {
            return Err(BusFault);
        }
        Ok(())
    }

    fn command(&mut self, funct7: u32, rs1: u32, rs2: u32) -> Option<Reply> {
        let Machine { coprocessor, external, .. } = self;
        coprocessor.as_mut().map(|unit| unit.command(funct7, rs1, rs2, external))
    }

    fn interrupts(&self) -> u32 {
        self.clint.interrupts()
    }

    fn time(&self) -> u64 {
        self.clint.mtime
    }

    fn tick(&mut self) {
        self.clint.mtime = self.clint.mtime.wrapping_add(1);
    }

    fn exit_code(&self) -> Option<u32> {
        self.exit_code
    }
}
