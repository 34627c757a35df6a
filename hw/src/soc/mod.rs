//! The chip: core, tensor unit, memories and devices (`docs/chip.md`).
//!
//! ```text
//!                +------+  custom-0  +-------------+       +-------+
//!                | core | <--------> | tensor unit | <---> |       |
//!                +------+            +-------------+       | share | <---> external memory (AXI4)
//!                 |    |                          .------> |       |
//!          fetch  |    |  loads and stores        |        +-------+
//!        +---------+  +---------+
//!        | decoder |  | decoder |
//!        +---------+  +---------+
//!          |     |     |    |   |
//!          |     +-----|-+  |   +-----+------+--------+-------+
//!          v           v v  v         v      v        v       v
//!        +---------------+ +-----+  CLINT   PLIC <-- UART   exit device
//!        | ROM           | | RAM |    |      |       ^  |
//!        +---------------+ +-----+    v      v      pins v
//!                                 interrupts of the core
//! ```
//!
//! Every memory and device answers one cycle after it is asked, so that the core never waits for them.

mod clint;
mod decoder;
mod exit;
mod flash;
mod gpio;
mod plic;
mod ram;
mod rom;
mod simulated;
mod slave;
mod uart;

pub use clint::{Clint, ClintIn, ClintOut};
pub use decoder::{DataDecoder, DataDecoderIn, FetchDecoder, FetchDecoderIn};
pub use exit::{ExitDevice, ExitDeviceIn, ExitStatus};
pub use flash::{FlashPins, FlashReader, FlashReaderIn};
pub use gpio::{Gpio, GpioIn, GpioOut};
pub use plic::{Plic, PlicIn, PlicOut};
pub use ram::{Ram, RamIn};
pub use rom::{Rom, RomIn};
pub use simulated::{MemoryTiming, SimulatedChip, SimulatedChipIn, SimulatedMemoryIn};
pub use uart::{
    Uart, UartFifo, UartFifoIn, UartFifoOut, UartIn, UartOut, UartReceiver, UartReceiverIn, UartReceiverOut,
    UartTransmitter, UartTransmitterIn, UartTransmitterOut,
};

use crate::adapter::{Axi4LiteBus, Axi4LiteData, Responses};
use crate::axi::{AxiBus, AxiShare, AxiWidths, WordPort};
use crate::config::ChipConfig;
use crate::core::{Core, CoreIn, CsrValues, Interrupts, Rvfi};
use crate::map::MemoryMap;
use crate::tensor::{ID_BITS, TensorUnit};
use ferrite_hdl::prelude::*;

/// Inputs of the chip. They may be of another clock, unless it is said that they are not.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct SocIn<T> {
    /// Serial input: 8 data bits, no parity, one stop bit; idle is 1. One that is always 0 is as good as none.
    pub uart_rx: T,
    /// Levels of the general-purpose pins, if there are any.
    pub gpio_in: Option<T>,
    /// What the flash memory says, if there is one; of the chip's clock.
    pub flash_miso: Option<T>,
    /// AXI4-Lite port for a user's own peripherals, if there is one; of the chip's clock.
    #[flip]
    pub user: Option<Axi4LiteBus<T>>,
    /// Interrupt line of those peripherals, which interrupts while it is 1; of the chip's clock.
    pub user_interrupt: Option<T>,
    /// AXI4 port to external memory, if there is any; of the chip's clock.
    #[flip]
    pub external: Option<AxiBus<T>>,
}

/// Outputs of the chip.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct SocOut<T> {
    /// Serial output: 8 data bits, no parity, one stop bit; idle is 1.
    pub uart_tx: T,
    /// Levels that the general-purpose pins have which are driven, if there are any.
    pub gpio_out: Option<T>,
    /// The general-purpose pins that are driven.
    pub gpio_out_enable: Option<T>,
    /// Pins to the flash memory, if there is one.
    pub flash: Option<FlashPins<T>>,
    /// How the program ended its run, for simulation.
    pub exit: ExitStatus<T>,
    /// A record of every instruction, for simulation and proof; synthesis removes it where nothing is connected.
    pub rvfi: Rvfi<T>,
    /// The CSRs after the instruction that `rvfi` reports; likewise.
    pub csrs: CsrValues<T>,
}

/// Width of the port to external memory of a chip without a tensor unit.
const CORE_AXI_BITS: u32 = 32;

/// A RISC-V core with an int8 tensor unit, their memories and devices.
#[module]
pub struct Soc {
    /// What is in it, and how large; one that [`ChipConfig::validate`] accepts.
    pub chip: ChipConfig,
}

impl Soc {
    /// The instance path of the RAM's words, each of 32 bits, as engines name memories.
    pub const RAM_WORDS: &'static str = "ram.words";

    /// How masters share the port to external memory, if there is one: the core, and the tensor unit, which also reads command lists.
    fn share(&self) -> Option<AxiShare> {
        let unit = self.chip.tensor.as_ref();
        let data_bits = unit.map_or(CORE_AXI_BITS, |unit| unit.axi_bits);
        let (readers, writers) = if unit.is_some() { (3, 2) } else { (1, 1) };
        let share = AxiShare { widths: AxiWidths { data_bits, id_bits: ID_BITS }, readers, writers };
        (self.chip.soc.external_bytes > 0).then_some(share)
    }

    /// Widths of the port to external memory, if there is one.
    pub fn external_widths(&self) -> Option<AxiWidths> {
        self.share().map(|share| share.shared_widths())
    }
}

impl Module for Soc {
    type In = SocIn<UInt>;
    type Out = SocOut<UInt>;

    fn name(&self) -> String {
        self.chip.name.clone()
    }
    fn inputs(&self) -> SocIn<Shape> {
        let map = MemoryMap::of(&self.chip);
        let user = map.named("user");
        SocIn {
            uart_rx: bit(),
            gpio_in: map.named("gpio").map(|_| bits(self.chip.soc.gpio_pins)),
            flash_miso: map.named("flash").map(|_| bit()),
            user: user.map(|_| Axi4LiteBus::shape()),
            user_interrupt: user.map(|_| bit()),
            external: self.external_widths().map(AxiBus::shape),
        }
    }
    fn outputs(&self) -> SocOut<Shape> {
        let map = MemoryMap::of(&self.chip);
        let pins = map.named("gpio").map(|_| bits(self.chip.soc.gpio_pins));
        SocOut {
            uart_tx: bit(),
            gpio_out: pins,
            gpio_out_enable: pins,
            flash: map.named("flash").map(|_| FlashPins::shape()),
            exit: ExitStatus::shape(),
            rvfi: Rvfi::shape(),
            csrs: CsrValues::shape(),
        }
    }

    fn build(&self, m: &Builder, i: SocIn<UInt>) -> SocOut<UInt> {
        let map = MemoryMap::of(&self.chip);
        let (rom_bytes, ram_bytes) = (map.rom().size, map.ram().size);
        let core = Core { config: self.chip.core, has_coprocessor: self.chip.tensor.is_some() };
        let core = m.instance("core", &core);
        let fetch = m.instance("fetch_decoder", &FetchDecoder { map: map.clone() });
        let data = m.instance("data_decoder", &DataDecoder { map: map.clone() });
        let rom = m.instance("rom", &Rom { bytes: rom_bytes });
        let ram = m.instance("ram", &Ram { bytes: ram_bytes });
        let clint = m.instance("clint", &Clint {});
        let plic = m.instance("plic", &Plic { sources: map.sources() });
        let uart = Uart { cycles_per_bit: self.chip.soc.uart_cycles_per_bit() };
        let uart = m.instance("uart_device", &uart);
        let exit = m.instance("exit_device", &ExitDevice {});

        // Memories and devices, by the buses that reach them.
        m.connect(fetch.i.master, core.i.ibus);
        m.connect(rom.i.fetch, fetch.i.rom);
        m.connect(ram.i.fetch, fetch.i.ram);
        m.connect(data.i.master, core.i.dbus);
        m.connect(rom.i.data, data.i.rom);
        m.connect(ram.i.data, data.i.ram);
        m.connect(clint.i.bus, data.i.clint);
        m.connect(plic.i.bus, data.i.plic);
        m.connect(uart.i.bus, data.i.uart);
        m.connect(exit.i.bus, data.i.exit);

        // Devices that not every chip has.
        let gpio = data.i.gpio.zip(i.gpio_in).map(|(bus, pins)| {
            let gpio = m.instance("gpio_device", &Gpio { pins: self.chip.soc.gpio_pins });
            m.connect(gpio.i.bus, bus);
            gpio.i.pins.set(pins);
            gpio.o
        });
        let flash = data.i.flash.zip(fetch.i.flash).zip(i.flash_miso).map(|((data, fetch), miso)| {
            let flash = m.instance("flash_reader", &FlashReader { bytes: self.chip.soc.flash_bytes });
            m.connect(flash.i.data, data);
            m.connect(flash.i.fetch, fetch);
            flash.i.miso.set(miso);
            flash.o
        });
        if let Some((bus, axi)) = data.i.user.zip(i.user) {
            let port = m.instance("user_port", &Axi4LiteData { responses: Responses::Registered });
            m.connect(port.i.bus, bus);
            m.connect(axi, port.i.axi);
        }

        // External memory and its masters.
        let tensor = self.chip.tensor.as_ref().map(|config| m.instance("tensor", &TensorUnit::from(config)));
        if let Some(((share, bus), axi)) = self.share().zip(data.i.external).zip(i.external) {
            let port = m.instance("external_port", &WordPort { widths: share.widths });
            let share = m.instance("external_share", &share).i;
            m.connect(port.i.bus, bus);
            m.connect(share.readers[0], port.i.read);
            m.connect(share.writers[0], port.i.write);
            if let Some(tensor) = &tensor {
                m.connect(share.readers[1], tensor.i.lists);
                m.connect(share.readers[2], tensor.i.read);
                m.connect(share.writers[1], tensor.i.write);
            }
            m.connect(axi, share.axi);
        }

        // Pins and interrupts.
        uart.i.rx.set(i.uart_rx);
        let line = |name| match name {
            "uart" => Some(uart.o.interrupt),
            "gpio" => gpio.map(|gpio| gpio.interrupt),
            "user" => i.user_interrupt,
            "tensor" => tensor.as_ref().map(|tensor| tensor.o.interrupt),
            _ => None,
        };
        // The first source's bit is the lowest.
        let lines = map.lines().into_iter().map(|(_, name)| line(name).expect("each source has a line"));
        plic.i.lines.set(concat(lines.rev()));

        // What else the core is connected to.
        let CoreIn { interrupts, coprocessor, .. } = core.i;
        let lines =
            Interrupts { timer: clint.o.timer, software: clint.o.software, external: plic.o.external };
        m.connect(interrupts, lines);
        match &tensor {
            Some(tensor) => m.connect(tensor.i.coprocessor, coprocessor),
            None => {
                coprocessor.ready.set(0);
                coprocessor.response.valid.set(0);
                coprocessor.response.data.set(0);
            }
        }

        SocOut {
            uart_tx: uart.o.tx,
            gpio_out: gpio.map(|gpio| gpio.out),
            gpio_out_enable: gpio.map(|gpio| gpio.out_enable),
            flash,
            exit: exit.o,
            rvfi: core.o.rvfi,
            csrs: core.o.csrs,
        }
    }
}
