//! The memory map and the devices' registers (`docs/chip.md`), written once.
//!
//! The address decoder, the C header, the linker script and the register reference all come from [`MemoryMap`].
//! The map follows QEMU's `virt` machine, so that one program runs on both.

use crate::config::ChipConfig;

/// First address of the boot ROM.
pub const ROM_BASE: u32 = 0x0000_1000;

/// Address space that the map leaves to the boot ROM, in bytes: no ROM is larger.
pub const ROM_WINDOW_BYTES: u32 = 4 << 10;

/// First address of the RAM.
pub const RAM_BASE: u32 = 0x8000_0000;

/// What a bus access may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads only.
    ReadOnly,
    /// Writes only.
    WriteOnly,
    /// Reads and writes.
    ReadWrite,
}

impl Access {
    /// `r`, `w` or `rw`, as the register reference shows it.
    pub fn letters(self) -> &'static str {
        match self {
            Access::ReadOnly => "r",
            Access::WriteOnly => "w",
            Access::ReadWrite => "rw",
        }
    }
}

/// Some bits of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name in the device's documentation.
    pub name: &'static str,
    /// Its lowest bit.
    pub lsb: u32,
    /// Its width in bits.
    pub bits: u32,
    /// What it means.
    pub doc: &'static str,
}

impl Field {
    /// A mask of the field's bits, in place.
    pub const fn mask(&self) -> u64 {
        (u64::MAX >> (64 - self.bits)) << self.lsb
    }
}

/// A value of a register that has a meaning of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedValue {
    /// Its name.
    pub name: &'static str,
    /// The value.
    pub value: u32,
    /// What it means.
    pub doc: &'static str,
}

/// A register of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    /// Its name in the device's documentation.
    pub name: &'static str,
    /// Bytes from the device's base address.
    pub offset: u32,
    /// Its width in bits: 8, 32, or 64 (which the core reads and writes as two words, the low one first in memory).
    pub bits: u32,
    /// What software may do with it.
    pub access: Access,
    /// What it does.
    pub doc: &'static str,
    /// Its fields, lowest first; none if the register is one number.
    pub fields: &'static [Field],
    /// Values with a meaning of their own.
    pub values: &'static [NamedValue],
}

/// What answers at a region's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionKind {
    /// A memory that programs can be fetched from.
    Memory,
    /// A device with these registers.
    Device(&'static [Register]),
}

/// A stretch of addresses that one memory or device answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its name, in lower case.
    pub name: &'static str,
    /// First address; a multiple of `size`.
    pub base: u32,
    /// Bytes; a power of two.
    pub size: u32,
    /// What the core may do there.
    pub access: Access,
    /// What it is.
    pub doc: &'static str,
    /// What answers.
    pub kind: RegionKind,
}

impl Region {
    /// Whether the byte at `address` belongs to the region.
    pub const fn contains(&self, address: u32) -> bool {
        address & self.decode_mask() == self.base
    }

    /// The address bits that the decoder compares with `base`: those above the region's size.
    pub const fn decode_mask(&self) -> u32 {
        !(self.size - 1)
    }

    /// Last address of the region.
    pub const fn last(&self) -> u32 {
        self.base | (self.size - 1)
    }

    /// Whether this is a memory.
    pub const fn is_memory(&self) -> bool {
        matches!(self.kind, RegionKind::Memory)
    }

    /// The device's registers, by offset; none for a memory.
    pub const fn registers(&self) -> &'static [Register] {
        match self.kind {
            RegionKind::Memory => &[],
            RegionKind::Device(registers) => registers,
        }
    }
}

/// The exit device (QEMU's `sifive_test`): a program ends its run by writing here.
pub mod exit {
    use super::{Access, Field, NamedValue, Region, RegionKind, Register};

    /// Ends the run with exit code 0.
    pub const PASS: NamedValue =
        NamedValue { name: "PASS", value: 0x5555, doc: "ends the run with exit code 0" };

    /// Ends the run with the exit code in bits 31:16.
    pub const FAIL: NamedValue =
        NamedValue { name: "FAIL", value: 0x3333, doc: "ends the run with the exit code in `CODE`" };

    /// Says how the run ended; 32 bits at once.
    pub const FINISH: Register = Register {
        name: "FINISH",
        offset: 0,
        bits: 32,
        access: Access::WriteOnly,
        doc: "ends the run; values other than those below do nothing",
        fields: &[
            Field { name: "STATUS", lsb: 0, bits: 16, doc: "`PASS` or `FAIL`" },
            Field { name: "CODE", lsb: 16, bits: 16, doc: "the exit code, with `FAIL`" },
        ],
        values: &[PASS, FAIL],
    };

    /// The device.
    pub const REGION: Region = Region {
        name: "exit",
        base: 0x0010_0000,
        size: 4 << 10,
        access: Access::ReadWrite,
        doc: "exit device: a program ends its run by writing here",
        kind: RegionKind::Device(&[FINISH]),
    };
}

/// The CLINT: timer and software interrupt of the one hart (RISC-V Privileged 20211203, 3.2.1).
pub mod clint {
    use super::{Access, Field, Region, RegionKind, Register};

    /// Software interrupt pending.
    pub const MSIP: Register = Register {
        name: "MSIP",
        offset: 0x0000,
        bits: 32,
        access: Access::ReadWrite,
        doc: "raises the machine software interrupt",
        fields: &[Field { name: "MSIP", lsb: 0, bits: 1, doc: "drives `mip.MSIP`" }],
        values: &[],
    };

    /// Time at which the timer interrupt is raised.
    pub const MTIMECMP: Register = Register {
        name: "MTIMECMP",
        offset: 0x4000,
        bits: 64,
        access: Access::ReadWrite,
        doc: "the timer interrupt is pending while `MTIME` is at or past this",
        fields: &[],
        values: &[],
    };

    /// The time, in clock cycles.
    pub const MTIME: Register = Register {
        name: "MTIME",
        offset: 0xBFF8,
        bits: 64,
        access: Access::ReadWrite,
        doc: "the time in clock cycles",
        fields: &[],
        values: &[],
    };

    /// The device.
    pub const REGION: Region = Region {
        name: "clint",
        base: 0x0200_0000,
        size: 64 << 10,
        access: Access::ReadWrite,
        doc: "CLINT: timer and software interrupt",
        kind: RegionKind::Device(&[MSIP, MTIMECMP, MTIME]),
    };
}

/// The UART: those registers of a 16550 that a polled driver needs.
pub mod uart {
    use super::{Access, Field, Region, RegionKind, Register};

    /// Sends a byte.
    pub const THR: Register = Register {
        name: "THR",
        offset: 0,
        bits: 8,
        access: Access::WriteOnly,
        doc: "transmitter holding register: a byte written here is sent",
        fields: &[],
        values: &[],
    };

    /// A byte can be written to [`THR`].
    pub const LSR_THRE: Field =
        Field { name: "THRE", lsb: 5, bits: 1, doc: "a byte can be written to `THR`" };

    /// Nothing is being sent.
    pub const LSR_TEMT: Field =
        Field { name: "TEMT", lsb: 6, bits: 1, doc: "nothing is being sent and nothing waits" };

    /// Says whether bytes can be written.
    pub const LSR: Register = Register {
        name: "LSR",
        offset: 5,
        bits: 8,
        access: Access::ReadOnly,
        doc: "line status register",
        fields: &[LSR_THRE, LSR_TEMT],
        values: &[],
    };

    /// The device.
    pub const REGION: Region = Region {
        name: "uart",
        base: 0x1000_0000,
        size: 4 << 10,
        access: Access::ReadWrite,
        doc: "UART with the registers of a 16550",
        kind: RegionKind::Device(&[THR, LSR]),
    };
}

/// The boot ROM of a chip with `bytes` of it.
pub const fn rom(bytes: u32) -> Region {
    Region {
        name: "rom",
        base: ROM_BASE,
        size: bytes,
        access: Access::ReadOnly,
        doc: "boot ROM: jumps to the start of the RAM",
        kind: RegionKind::Memory,
    }
}

/// The RAM of a chip with `bytes` of it.
pub const fn ram(bytes: u32) -> Region {
    Region {
        name: "ram",
        base: RAM_BASE,
        size: bytes,
        access: Access::ReadWrite,
        doc: "RAM: program and data",
        kind: RegionKind::Memory,
    }
}

/// The memory map of one chip. An access outside of its regions raises an access fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryMap {
    regions: [Region; 5],
}

impl MemoryMap {
    /// The map of a chip whose sizes are in their ranges.
    pub fn of(chip: &ChipConfig) -> Self {
        let soc = &chip.soc;
        Self { regions: [rom(soc.rom_bytes), exit::REGION, clint::REGION, uart::REGION, ram(soc.ram_bytes)] }
    }

    /// All regions, by address.
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// The boot ROM.
    pub fn rom(&self) -> &Region {
        &self.regions[0]
    }

    /// The RAM.
    pub fn ram(&self) -> &Region {
        &self.regions[4]
    }

    /// The region that answers at `address`, if any.
    pub fn at(&self, address: u32) -> Option<&Region> {
        self.regions.iter().find(|region| region.contains(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Kind, PARAMETERS, Range};

    fn maps_of_the_smallest_and_largest_chips() -> [MemoryMap; 2] {
        let (mut small, mut large) = (ChipConfig::default(), ChipConfig::default());
        for parameter in PARAMETERS {
            if let Kind::Number { range: Range::PowerOfTwo { min, max }, set, .. } = parameter.kind {
                set(&mut small, min);
                set(&mut large, max);
            }
        }
        [MemoryMap::of(&small), MemoryMap::of(&large)]
    }

    #[test]
    fn regions_are_aligned_to_their_size_and_do_not_overlap() {
        for map in maps_of_the_smallest_and_largest_chips() {
            for region in map.regions() {
                assert!(region.size.is_power_of_two() && region.base % region.size == 0, "{region:?}");
            }
            for pair in map.regions().windows(2) {
                assert!(pair[0].last() < pair[1].base, "{pair:?}");
            }
        }
    }

    #[test]
    fn registers_are_aligned_inside_their_device_and_do_not_overlap() {
        for region in MemoryMap::of(&ChipConfig::default()).regions() {
            let mut end = 0;
            for register in region.registers() {
                let bytes = register.bits / 8;
                assert!(register.offset % bytes == 0 && register.offset >= end, "{register:?}");
                end = register.offset + bytes;
                assert!(end <= region.size, "{register:?}");
                let mut lsb = 0;
                for field in register.fields {
                    assert!(field.lsb >= lsb, "{field:?}");
                    lsb = field.lsb + field.bits;
                }
                assert!(lsb <= register.bits, "{register:?}");
            }
        }
    }

    #[test]
    fn the_default_map_is_that_of_the_chips_documentation() {
        let map = MemoryMap::of(&ChipConfig::default());
        let bounds: Vec<_> = map.regions().iter().map(|r| (r.name, r.base, r.size)).collect();
        assert_eq!(
            bounds,
            [
                ("rom", 0x0000_1000, 4 << 10),
                ("exit", 0x0010_0000, 4 << 10),
                ("clint", 0x0200_0000, 64 << 10),
                ("uart", 0x1000_0000, 4 << 10),
                ("ram", 0x8000_0000, 512 << 10),
            ]
        );
    }

    #[test]
    fn an_address_belongs_to_one_region_or_none() {
        let map = MemoryMap::of(&ChipConfig::default());
        let name = |address| map.at(address).map(|region| region.name);
        assert_eq!(name(0x0000_0fff), None);
        assert_eq!(name(0x0000_1000), Some("rom"));
        assert_eq!(name(0x0000_1fff), Some("rom"));
        assert_eq!(name(0x0000_2000), None);
        assert_eq!(name(0x0200_bff8), Some("clint"));
        assert_eq!(name(0x8007_ffff), Some("ram"));
        assert_eq!(name(0x8008_0000), None);
        assert_eq!(name(0xffff_ffff), None);
    }
}
