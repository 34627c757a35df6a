//! The memory map and the devices' registers (`docs/chip.md`), written once.
//!
//! The address decoders, the interrupt controller's sources, the C header, the linker script, the CMSIS-SVD file and the register
//! reference all come from [`MemoryMap`].
//! The map follows QEMU's `virt` machine, so that one program runs on both.

use crate::config::ChipConfig;

/// First address of the boot ROM.
pub const ROM_BASE: u32 = 0x0000_1000;

/// Address space that the map leaves to the boot ROM, in bytes: no ROM is larger.
pub const ROM_WINDOW_BYTES: u32 = 4 << 10;

/// First address of the RAM.
pub const RAM_BASE: u32 = 0x8000_0000;

/// Number of the tensor unit's source at the interrupt controller. It has no registers: the core reaches it by instructions.
pub const TENSOR_INTERRUPT: u32 = 14;

/// First address of the external memory.
pub const EXTERNAL_BASE: u32 = 0xC000_0000;

/// What a bus access may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NamedValue {
    /// Its name.
    pub name: &'static str,
    /// The value.
    pub value: u32,
    /// What it means.
    pub doc: &'static str,
}

/// A register of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Register {
    /// Its name in the device's documentation.
    pub name: &'static str,
    /// Bytes from the device's base address. Several registers may have the same, if what they mean depends on the access or on a mode.
    pub offset: u32,
    /// How many of them stand one behind the other: 1, or more for an array.
    pub count: u32,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RegionKind {
    /// A memory that programs can be fetched from.
    Memory,
    /// A device with these registers.
    Device(&'static [Register]),
}

/// A stretch of addresses that one memory or device answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// The number of its source at the interrupt controller, if it interrupts.
    pub interrupt: Option<u32>,
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
        count: 1,
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
        interrupt: None,
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
        count: 1,
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
        count: 1,
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
        count: 1,
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
        interrupt: None,
        kind: RegionKind::Device(&[MSIP, MTIMECMP, MTIME]),
    };
}

/// The interrupt controller: the registers of a PLIC (RISC-V Platform-Level Interrupt Controller 1.0.0) for one context, machine mode of
/// the one hart.
pub mod plic {
    use super::{Access, Field, Region, RegionKind, Register};

    /// The highest number that a source can have: registers with a bit for each source have one word.
    pub const LAST_SOURCE: u32 = 31;

    /// Bits of a priority.
    pub const PRIORITY_BITS: u32 = 3;

    /// How urgent each source is.
    pub const PRIORITY: Register = Register {
        name: "PRIORITY",
        offset: 0,
        count: LAST_SOURCE + 1,
        bits: 32,
        access: Access::ReadWrite,
        doc: "register `n` is the priority of source `n`, from 0 (never interrupts) to 7; read-only 0 where there is no source",
        fields: &[],
        values: &[],
    };

    /// Which sources wait to be claimed.
    pub const PENDING: Register = Register {
        name: "PENDING",
        offset: 0x1000,
        count: 1,
        bits: 32,
        access: Access::ReadOnly,
        doc: "bit `n`: source `n` waits to be claimed",
        fields: &[],
        values: &[],
    };

    /// Which sources may interrupt.
    pub const ENABLE: Register = Register {
        name: "ENABLE",
        offset: 0x2000,
        count: 1,
        bits: 32,
        access: Access::ReadWrite,
        doc: "bit `n`: source `n` may interrupt; read-only 0 where there is no source",
        fields: &[],
        values: &[],
    };

    /// How urgent a source must be.
    pub const THRESHOLD: Register = Register {
        name: "THRESHOLD",
        offset: 0x20_0000,
        count: 1,
        bits: 32,
        access: Access::ReadWrite,
        doc: "only sources of a higher priority than this interrupt; from 0 to 7",
        fields: &[],
        values: &[],
    };

    /// Takes an interrupt, and gives it back.
    pub const CLAIM: Register = Register {
        name: "CLAIM",
        offset: 0x20_0004,
        count: 1,
        bits: 32,
        access: Access::ReadWrite,
        doc: "a load claims the most urgent source that is enabled and pending, the lowest number among equals, and gives its number, or 0 if there is \
              none; the source is not pending again until a store of its number completes the interrupt",
        fields: &[Field { name: "SOURCE", lsb: 0, bits: 10, doc: "number of a source" }],
        values: &[],
    };

    /// The device.
    pub const REGION: Region = Region {
        name: "plic",
        base: 0x0C00_0000,
        size: 4 << 20,
        access: Access::ReadWrite,
        doc: "PLIC: interrupt controller",
        interrupt: None,
        kind: RegionKind::Device(&[PRIORITY, PENDING, ENABLE, THRESHOLD, CLAIM]),
    };
}

/// The UART: the registers of a 16550.
pub mod uart {
    use super::{Access, Field, NamedValue, Region, RegionKind, Register};

    const fn register(
        name: &'static str,
        offset: u32,
        access: Access,
        doc: &'static str,
        fields: &'static [Field],
    ) -> Register {
        Register { name, offset, count: 1, bits: 8, access, doc, fields, values: &[] }
    }

    const fn field(name: &'static str, lsb: u32, bits: u32, doc: &'static str) -> Field {
        Field { name, lsb, bits, doc }
    }

    /// Words that each of the FIFOs holds.
    pub const FIFO_DEPTH: u32 = 16;

    /// Words in the receiver's FIFO that interrupt, by `FCR.TRIGGER`.
    pub const TRIGGER_LEVELS: [u32; 4] = [1, 4, 8, 14];

    /// What was received.
    pub const RBR: Register = register(
        "RBR",
        0,
        Access::ReadOnly,
        "receiver buffer register: takes the oldest byte received; with `LCR.DLAB` 0",
        &[],
    );

    /// Sends a byte.
    pub const THR: Register = register(
        "THR",
        0,
        Access::WriteOnly,
        "transmitter holding register: a byte written here is sent; with `LCR.DLAB` 0",
        &[],
    );

    /// Low byte of the divisor.
    pub const DLL: Register = register(
        "DLL",
        0,
        Access::ReadOnly,
        "divisor latch, low byte: with `DLM` the clock cycles that a bit lasts, or 65535 if they are more; writes are ignored; with `LCR.DLAB` 1",
        &[],
    );

    /// The receiver interrupts.
    pub const IER_ERBI: Field = field("ERBI", 0, 1, "interrupts when bytes have been received");
    /// The transmitter interrupts.
    pub const IER_ETBEI: Field = field("ETBEI", 1, 1, "interrupts when `LSR.THRE` rises");
    /// Errors interrupt.
    pub const IER_ELSI: Field = field("ELSI", 2, 1, "interrupts on errors, `LSR.OE` to `LSR.BI`");
    /// Interrupts for which there are no pins.
    pub const IER_EDSSI: Field =
        field("EDSSI", 3, 1, "can be written, and does nothing: there are no modem pins");

    /// Which interrupts are enabled.
    pub const IER: Register = register(
        "IER",
        1,
        Access::ReadWrite,
        "interrupt enable register; with `LCR.DLAB` 0",
        &[IER_ERBI, IER_ETBEI, IER_ELSI, IER_EDSSI],
    );

    /// High byte of the divisor.
    pub const DLM: Register =
        register("DLM", 1, Access::ReadOnly, "divisor latch, high byte, see `DLL`; with `LCR.DLAB` 1", &[]);

    /// No interrupt is pending.
    pub const IIR_NONE: NamedValue = NamedValue { name: "NONE", value: 0x1, doc: "no interrupt is pending" };
    /// An error.
    pub const IIR_LINE: NamedValue =
        NamedValue { name: "LINE", value: 0x6, doc: "an error, until `LSR` is read" };
    /// Bytes received.
    pub const IIR_RECEIVED: NamedValue = NamedValue {
        name: "RECEIVED",
        value: 0x4,
        doc: "a byte, or as many as `FCR.TRIGGER` says, until fewer are left",
    };
    /// Bytes that nobody fetches.
    pub const IIR_TIMEOUT: NamedValue = NamedValue {
        name: "TIMEOUT",
        value: 0xC,
        doc: "bytes that wait in the FIFO while for 40 bits nothing was received nor read, until `RBR` is read",
    };
    /// Nothing left to send.
    pub const IIR_EMPTY: NamedValue = NamedValue {
        name: "EMPTY",
        value: 0x2,
        doc: "`LSR.THRE` has risen, until this register is read with this value or `THR` is written",
    };

    /// Why the UART interrupts.
    pub const IIR: Register = Register {
        values: &[IIR_NONE, IIR_LINE, IIR_RECEIVED, IIR_TIMEOUT, IIR_EMPTY],
        ..register(
            "IIR",
            2,
            Access::ReadOnly,
            "interrupt identification register",
            &[
                field("ID", 0, 4, "the most urgent interrupt, in the order below"),
                field("FIFOS", 6, 2, "3 if the FIFOs are enabled, else 0"),
            ],
        )
    };

    /// The FIFOs are used.
    pub const FCR_ENABLE: Field = field(
        "ENABLE",
        0,
        1,
        "uses the FIFOs; a change empties them, and without it the other bits do nothing",
    );
    /// Empties the receiver's FIFO.
    pub const FCR_CLEAR_RX: Field = field("CLEAR_RX", 1, 1, "empties the receiver's FIFO");
    /// Empties the transmitter's FIFO.
    pub const FCR_CLEAR_TX: Field = field("CLEAR_TX", 2, 1, "empties the transmitter's FIFO");
    /// When the receiver interrupts.
    pub const FCR_TRIGGER: Field =
        field("TRIGGER", 6, 2, "bytes in the receiver's FIFO that interrupt: 0 to 3 for 1, 4, 8, 14");

    /// The FIFOs.
    pub const FCR: Register = register(
        "FCR",
        2,
        Access::WriteOnly,
        "FIFO control register",
        &[FCR_ENABLE, FCR_CLEAR_RX, FCR_CLEAR_TX, FCR_TRIGGER],
    );

    /// What [`LCR`]'s `FORMAT` reads: 8 data bits, no parity, one stop bit.
    pub const FORMAT_8N1: u32 = 0b11;
    /// The format.
    pub const LCR_FORMAT: Field =
        field("FORMAT", 0, 6, "always 3: 8 data bits, no parity, one stop bit; writes are ignored");
    /// Holds the line.
    pub const LCR_BREAK: Field = field("BREAK", 6, 1, "holds `uart_tx` at 0");
    /// Shows the divisor.
    pub const LCR_DLAB: Field = field("DLAB", 7, 1, "shows `DLL` and `DLM` in place of the registers there");

    /// The line.
    pub const LCR: Register =
        register("LCR", 3, Access::ReadWrite, "line control register", &[LCR_FORMAT, LCR_BREAK, LCR_DLAB]);

    /// The line is connected to itself.
    pub const MCR_LOOP: Field =
        field("LOOP", 4, 1, "the receiver hears the transmitter, and `uart_tx` is idle");

    /// Modem lines, which are no pins.
    pub const MCR: Register = register(
        "MCR",
        4,
        Access::ReadWrite,
        "modem control register; its lines are no pins",
        &[
            field("DTR", 0, 1, "`MSR.DSR` with `LOOP`"),
            field("RTS", 1, 1, "`MSR.CTS` with `LOOP`"),
            field("OUT1", 2, 1, "`MSR.RI` with `LOOP`"),
            field("OUT2", 3, 1, "`MSR.DCD` with `LOOP`"),
            MCR_LOOP,
        ],
    );

    /// A byte is there.
    pub const LSR_DR: Field = field("DR", 0, 1, "a byte can be read from `RBR`");
    /// A byte was lost.
    pub const LSR_OE: Field = field(
        "OE",
        1,
        1,
        "a byte was received and there was no room: with FIFOs it is lost, without it replaces the one before; until `LSR` is read",
    );
    /// No stop bit.
    pub const LSR_FE: Field =
        field("FE", 3, 1, "the byte that `RBR` gives next had no stop bit; until `LSR` is read");
    /// The line was held.
    pub const LSR_BI: Field =
        field("BI", 4, 1, "nor a bit that is 1: the line was held at 0; until `LSR` is read");
    /// A byte can be written to [`THR`].
    pub const LSR_THRE: Field =
        field("THRE", 5, 1, "a byte can be written to `THR`, or with FIFOs, 16: theirs is empty");
    /// Nothing is being sent.
    pub const LSR_TEMT: Field = field("TEMT", 6, 1, "nothing is being sent and nothing waits");
    /// Errors further behind.
    pub const LSR_ERROR: Field =
        field("ERROR", 7, 1, "with FIFOs: there is an error in that of the receiver that `LSR` has not told");

    /// Says whether bytes can be read and written.
    pub const LSR: Register = register(
        "LSR",
        5,
        Access::ReadOnly,
        "line status register",
        &[LSR_DR, LSR_OE, LSR_FE, LSR_BI, LSR_THRE, LSR_TEMT, LSR_ERROR],
    );

    /// Modem lines, which are no pins.
    pub const MSR: Register = register(
        "MSR",
        6,
        Access::ReadOnly,
        "modem status register; without `MCR.LOOP` as if a device were ready at the other end, 0xB0",
        &[
            field("CTS", 4, 1, "clear to send"),
            field("DSR", 5, 1, "data set ready"),
            field("RI", 6, 1, "ring indicator"),
            field("DCD", 7, 1, "data carrier detect"),
        ],
    );

    /// What [`MSR`] reads without `MCR.LOOP`.
    pub const MSR_READY: u32 = 0xB0;

    /// A byte of the program's.
    pub const SCR: Register =
        register("SCR", 7, Access::ReadWrite, "scratch register: keeps what is written", &[]);

    /// The device.
    pub const REGION: Region = Region {
        name: "uart",
        base: 0x1000_0000,
        size: 4 << 10,
        access: Access::ReadWrite,
        doc: "UART with the registers of a 16550",
        interrupt: Some(10),
        kind: RegionKind::Device(&[RBR, THR, DLL, IER, DLM, IIR, FCR, LCR, MCR, LSR, MSR, SCR]),
    };
}

/// General-purpose pins: a bit of each register for every pin.
pub mod gpio {
    use super::{Access, Region, RegionKind, Register};

    const fn register(name: &'static str, offset: u32, access: Access, doc: &'static str) -> Register {
        Register { name, offset, count: 1, bits: 32, access, doc, fields: &[], values: &[] }
    }

    /// The pins' levels.
    pub const IN: Register =
        register("IN", 0x00, Access::ReadOnly, "levels of the pins, as they were two cycles ago");
    /// The levels that are driven.
    pub const OUT: Register =
        register("OUT", 0x04, Access::ReadWrite, "levels that the pins have which are driven");
    /// The pins that are driven.
    pub const OUT_ENABLE: Register =
        register("OUT_ENABLE", 0x08, Access::ReadWrite, "pins that are driven; none after reset");
    /// Sets bits of [`OUT`].
    pub const SET: Register =
        register("SET", 0x0C, Access::WriteOnly, "bits of `OUT` that become 1 where a 1 is written");
    /// Clears bits of [`OUT`].
    pub const CLEAR: Register =
        register("CLEAR", 0x10, Access::WriteOnly, "bits of `OUT` that become 0 where a 1 is written");
    /// Turns bits of [`OUT`] over.
    pub const TOGGLE: Register =
        register("TOGGLE", 0x14, Access::WriteOnly, "bits of `OUT` that change where a 1 is written");
    /// Pins that interrupt when they rise.
    pub const RISE: Register =
        register("RISE", 0x18, Access::ReadWrite, "pins whose rising edges make them pending");
    /// Pins that interrupt when they fall.
    pub const FALL: Register =
        register("FALL", 0x1C, Access::ReadWrite, "pins whose falling edges make them pending");
    /// Pins that have changed.
    pub const PENDING: Register = register(
        "PENDING",
        0x20,
        Access::ReadWrite,
        "pins that have had such an edge, which interrupts until a 1 is written",
    );

    /// The device.
    pub const REGION: Region = Region {
        name: "gpio",
        base: 0x1001_0000,
        size: 4 << 10,
        access: Access::ReadWrite,
        doc: "general-purpose pins",
        interrupt: Some(12),
        kind: RegionKind::Device(&[IN, OUT, OUT_ENABLE, SET, CLEAR, TOGGLE, RISE, FALL, PENDING]),
    };
}

/// The port for a user's own peripherals (AXI4-Lite), with an interrupt line.
pub const fn user(base: u32, bytes: u32) -> Region {
    Region {
        name: "user",
        base,
        size: bytes,
        access: Access::ReadWrite,
        doc: "AXI4-Lite port for a user's own peripherals",
        interrupt: Some(13),
        kind: RegionKind::Device(&[]),
    }
}

/// First address of the flash memory.
pub const FLASH_BASE: u32 = 0x2000_0000;

/// The first `bytes` of the flash memory behind the reader's pins.
pub const fn flash(bytes: u32) -> Region {
    Region {
        name: "flash",
        base: FLASH_BASE,
        size: bytes,
        access: Access::ReadOnly,
        doc: "SPI flash memory: programs and constants",
        interrupt: None,
        kind: RegionKind::Memory,
    }
}

/// The boot ROM of a chip with `bytes` of it.
pub const fn rom(bytes: u32) -> Region {
    Region {
        name: "rom",
        base: ROM_BASE,
        size: bytes,
        access: Access::ReadOnly,
        doc: "boot ROM: jumps to the start of the RAM",
        interrupt: None,
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
        interrupt: None,
        kind: RegionKind::Memory,
    }
}

/// The external memory of a chip with `bytes` of it.
pub const fn external(bytes: u32) -> Region {
    Region {
        name: "external",
        base: EXTERNAL_BASE,
        size: bytes,
        access: Access::ReadWrite,
        doc: "external memory, which the tensor unit works on",
        interrupt: None,
        kind: RegionKind::Memory,
    }
}

/// A region that not every chip has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Optional {
    /// Where it is, or would be.
    pub region: Region,
    /// Key of the parameter that adds it if it is not 0.
    pub key: &'static str,
    /// The chip has it.
    pub is_there: bool,
}

/// The regions that not every chip has; one that this chip lacks with the smallest size.
pub fn optional(chip: &ChipConfig) -> [Optional; 4] {
    let soc = &chip.soc;
    let user = user(soc.user_base, soc.user_bytes.max(4 << 10));
    [
        Optional { region: gpio::REGION, key: "soc.gpio_pins", is_there: soc.gpio_pins > 0 },
        Optional {
            region: flash(soc.flash_bytes.max(1 << 20)),
            key: "soc.flash_bytes",
            is_there: soc.flash_bytes > 0,
        },
        Optional { region: user, key: "soc.user_bytes", is_there: soc.user_bytes > 0 },
        Optional {
            region: external(soc.external_bytes.max(64 << 10)),
            key: "soc.external_bytes",
            is_there: soc.external_bytes > 0,
        },
    ]
}

/// The memory map of one chip. An access outside of its regions raises an access fault.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MemoryMap {
    rom: Region,
    ram: Region,
    regions: Vec<Region>,
    has_tensor_unit: bool,
}

impl MemoryMap {
    /// The map of a chip whose sizes are in their ranges.
    pub fn of(chip: &ChipConfig) -> Self {
        let soc = &chip.soc;
        let (rom, ram) = (rom(soc.rom_bytes), ram(soc.ram_bytes));
        let mut regions = vec![rom, exit::REGION, clint::REGION, plic::REGION, uart::REGION, ram];
        regions.extend(
            optional(chip).iter().filter(|optional| optional.is_there).map(|optional| optional.region),
        );
        regions.sort_by_key(|region| region.base);
        Self { rom, ram, regions, has_tensor_unit: chip.tensor.is_some() }
    }

    /// All regions, by address.
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// The boot ROM.
    pub fn rom(&self) -> &Region {
        &self.rom
    }

    /// The RAM.
    pub fn ram(&self) -> &Region {
        &self.ram
    }

    /// The memories that programs and data are loaded into: the RAM, and the external memory if there is any.
    pub fn loadable(&self) -> Vec<Region> {
        [Some(self.ram), self.named("external").copied()].into_iter().flatten().collect()
    }

    /// The region of this name, if the chip has it.
    pub fn named(&self, name: &str) -> Option<&Region> {
        self.regions.iter().find(|region| region.name == name)
    }

    /// The region that answers at `address`, if any.
    pub fn at(&self, address: u32) -> Option<&Region> {
        self.regions.iter().find(|region| region.contains(address))
    }

    /// The numbers of the interrupt controller's sources, the lowest first.
    pub fn sources(&self) -> Vec<u32> {
        self.lines().into_iter().map(|(source, _)| source).collect()
    }

    /// The sources of the interrupt controller with the names of what they belong to, the lowest number first.
    pub fn lines(&self) -> Vec<(u32, &'static str)> {
        let regions = self.regions.iter().filter_map(|region| Some((region.interrupt?, region.name)));
        let tensor = self.has_tensor_unit.then_some((TENSOR_INTERRUPT, "tensor"));
        let mut lines: Vec<_> = regions.chain(tensor).collect();
        lines.sort_unstable();
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Kind, PARAMETERS, Range};

    fn maps_of_the_smallest_and_largest_chips() -> [MemoryMap; 2] {
        let (mut small, mut large) = (ChipConfig::default(), ChipConfig::default());
        (large.soc.gpio_pins, large.soc.user_bytes, large.soc.flash_bytes) = (32, 256 << 20, 16 << 20);
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
            let (mut start, mut end) = (0, 0);
            for register in region.registers() {
                let bytes = register.bits / 8;
                let is_alternative = register.offset == start && register.offset + bytes == end;
                assert!(register.offset % bytes == 0, "{register:?}");
                assert!(register.offset >= end || is_alternative, "{register:?}");
                (start, end) = (register.offset, register.offset + bytes * register.count);
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
                ("plic", 0x0c00_0000, 4 << 20),
                ("uart", 0x1000_0000, 4 << 10),
                ("ram", 0x8000_0000, 512 << 10),
                ("external", 0xC000_0000, 16 << 20),
            ]
        );
    }

    #[test]
    fn sources_of_interrupts_have_numbers_of_their_own_that_the_controller_has() {
        for map in maps_of_the_smallest_and_largest_chips() {
            let sources = map.sources();
            assert!(sources.windows(2).all(|pair| pair[0] < pair[1]), "{sources:?}");
            assert!(sources.iter().all(|source| (1..=plic::LAST_SOURCE).contains(source)), "{sources:?}");
        }
        assert_eq!(uart::REGION.interrupt, Some(10), "as on QEMU's virt");
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
