//! A device on two engines at once, with the core's side of its bus in the test's hand.

use ferrite_hdl::{Bits, Module, elaborate};
use ferrite_hw::map::Register;
use ferrite_hw::soc::Soc;
use ferrite_sim::{Interpreter, Native, NativeOptions, Simulator};

/// More cycles than any device lets the core wait.
const LONGEST_ACCESS: u32 = 2000;

/// The core saw an error of the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BusError;

/// A device on the native engine and on the interpreter, which must agree on everything that is looked at.
pub struct Board {
    engines: [Box<dyn Simulator>; 2],
    base: u32,
    /// Cycles since the start.
    pub cycles: u64,
    /// A flash memory, and how its pins' names begin.
    flash: Option<(Flash, &'static str)>,
}

impl Board {
    /// A device that stands at `base`, after a reset.
    pub fn new<M: Module>(device: &M, base: u32) -> Board {
        let design = elaborate(device).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let native =
            Native::new(&design, &NativeOptions::default()).unwrap_or_else(|error| panic!("{error}"));
        let mut board = Board {
            engines: [Box::new(native), Box::new(Interpreter::new(&design))],
            base,
            cycles: 0,
            flash: None,
        };
        board.poke("rst", 1);
        board.step();
        board.poke("rst", 0);
        board
    }

    pub fn poke(&mut self, name: &str, value: u64) {
        for engine in &mut self.engines {
            let input = engine.input(name).unwrap_or_else(|error| panic!("{name}: {error}"));
            engine.poke(input, &Bits::from_u64(64, value));
        }
    }

    pub fn peek(&mut self, name: &str) -> u64 {
        let [native, interpreted] = self.engines.each_mut().map(|engine| {
            let output = engine.output(name).unwrap_or_else(|error| panic!("{name}: {error}"));
            engine.peek(output).low_u64()
        });
        assert_eq!(native, interpreted, "{name} on the two engines in cycle {}", self.cycles);
        native
    }

    /// A clock edge.
    pub fn step(&mut self) {
        for engine in &mut self.engines {
            engine.step(1).unwrap_or_else(|error| panic!("{error}"));
        }
        self.cycles += 1;
        if let Some((mut flash, prefix)) = self.flash.take() {
            let [cs_n, sck, mosi] =
                ["cs_n", "sck", "mosi"].map(|pin| self.peek(&format!("{prefix}{pin}")) == 1);
            let miso = flash.cycle(cs_n, sck, mosi);
            self.poke(if prefix.is_empty() { "miso" } else { "flash_miso" }, miso.into());
            self.flash = Some((flash, prefix));
        }
    }

    /// Connects a flash memory to the pins whose names begin so.
    pub fn attach(&mut self, flash: Flash, prefix: &'static str) {
        self.flash = Some((flash, prefix));
    }

    pub fn flash(&self) -> &Flash {
        &self.flash.as_ref().expect("there is one").0
    }

    /// Writes a program to the start of a chip's RAM.
    pub fn load_ram(&mut self, bytes: &[u8]) {
        for engine in &mut self.engines {
            let ram = engine.flat().memories.iter().position(|memory| memory.path == Soc::RAM_WORDS);
            for (k, bytes) in (0..).zip(bytes.chunks(4)) {
                let word = bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
                engine.write_memory(ram.expect("a chip has a RAM"), k, &Bits::from_u64(32, word));
            }
        }
    }

    /// Asks for a word at the port `bus`.
    pub fn ask(&mut self, bus: &str, address: u32) {
        for (signal, value) in [("valid", 1), ("addr", address), ("write", 0), ("wdata", 0), ("mask", 0xF)] {
            self.poke(&format!("{bus}_request_{signal}"), value.into());
        }
    }

    pub fn steps(&mut self, cycles: u32) {
        (0..cycles).for_each(|_| self.step());
    }

    /// An access at the port `bus`: the word read, and the cycles from the request to the response.
    pub fn access(
        &mut self,
        bus: &str,
        address: u32,
        mask: u32,
        store: Option<u32>,
    ) -> Result<(u32, u32), BusError> {
        let named = |signal: &str| format!("{bus}_{signal}");
        self.poke(&named("request_valid"), 1);
        self.poke(&named("request_addr"), (address & !3).into());
        self.poke(&named("request_write"), store.is_some().into());
        self.poke(&named("request_wdata"), store.unwrap_or(0).into());
        self.poke(&named("request_mask"), mask.into());
        let mut cycles = 0;
        while self.peek(&named("ready")) == 0 {
            self.step();
            cycles += 1;
            assert!(cycles < LONGEST_ACCESS, "the request is not taken");
        }
        self.step();
        cycles += 1;
        self.poke(&named("request_valid"), 0);
        while self.peek(&named("response_valid")) == 0 {
            self.step();
            cycles += 1;
            assert!(cycles < LONGEST_ACCESS, "the request is not answered");
        }
        match self.peek(&named("response_error")) {
            0 => Ok((self.peek(&named("response_data")) as u32, cycles)),
            _ => Err(BusError),
        }
    }

    /// Loads a whole register, at its width; a device answers in the next cycle.
    pub fn load(&mut self, register: Register) -> u32 {
        self.load_at(register.offset, register.bits)
    }

    pub fn load_at(&mut self, offset: u32, bits: u32) -> u32 {
        let lane = offset % 4;
        let ones = u32::MAX >> (32 - bits);
        let mask = ((1 << (bits / 8)) - 1) << lane;
        let (word, cycles) = self.access("bus", self.base + offset, mask, None).unwrap();
        assert_eq!(cycles, 1);
        word >> (8 * lane) & ones
    }

    /// Stores to a whole register, at its width.
    pub fn store(&mut self, register: Register, value: u32) {
        self.store_at(register.offset, register.bits, value);
    }

    pub fn store_at(&mut self, offset: u32, bits: u32, value: u32) {
        let lane = offset % 4;
        let mask = ((1 << (bits / 8)) - 1) << lane;
        let (_, cycles) = self.access("bus", self.base + offset, mask, Some(value << (8 * lane))).unwrap();
        assert_eq!(cycles, 1);
    }
}

/// Fewest cycles that a flash memory must be deselected between two commands.
const DESELECTED_CYCLES: u32 = 8;

/// A flash memory that knows the command 0x03, in SPI's mode 0. What it says comes a cycle behind the clock's falling edge.
pub struct Flash {
    contents: Vec<u8>,
    /// Commands that it was given.
    pub commands: u32,
    selected: bool,
    deselected_cycles: u32,
    sck: bool,
    /// Bits since it was selected.
    bits: u32,
    command: u32,
    says: bool,
}

impl Flash {
    pub fn new(contents: Vec<u8>) -> Flash {
        Flash {
            contents,
            commands: 0,
            selected: false,
            deselected_cycles: DESELECTED_CYCLES,
            sck: false,
            bits: 0,
            command: 0,
            says: false,
        }
    }

    /// Bits that it was asked for since it was selected.
    pub fn bits_read(&self) -> u32 {
        self.bits - 32
    }

    /// Takes note of the pins in a cycle; gives what it says until the next.
    fn cycle(&mut self, cs_n: bool, sck: bool, mosi: bool) -> bool {
        let said = self.says;
        if cs_n {
            (self.selected, self.bits) = (false, 0);
            self.deselected_cycles += 1;
        } else {
            if !self.selected {
                assert!(self.deselected_cycles >= DESELECTED_CYCLES, "{} cycles", self.deselected_cycles);
                assert!(!sck, "the clock is low when the memory is selected");
                (self.selected, self.deselected_cycles) = (true, 0);
            }
            if sck && !self.sck {
                if self.bits < 32 {
                    self.command = self.command << 1 | u32::from(mosi);
                }
                self.bits += 1;
                if self.bits == 32 {
                    assert_eq!(self.command >> 24, 0x03);
                    self.commands += 1;
                }
            }
            if !sck && self.sck && self.bits >= 32 {
                let bit = self.bits - 32;
                let address = ((self.command & 0xFF_FFFF) + bit / 8) as usize % self.contents.len();
                self.says = self.contents[address] >> (7 - bit % 8) & 1 == 1;
            }
        }
        self.sck = sck;
        said
    }
}
