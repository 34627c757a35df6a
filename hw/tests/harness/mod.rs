//! A core with a memory and a coprocessor, compared with the model instruction by instruction.

#![allow(dead_code)] // Every test crate uses a part of it.

mod dut;
mod random;

use dut::Dut;
use ferrite_hw::core::csr::EVENTS;
use ferrite_hw::core::{Core, CoreConfig, Extensions, Misaligned};
use ferrite_model::isa::Program;
use ferrite_model::iss::Retired;
use ferrite_model::iss::{Bus, BusFault, HartConfig, Interrupt, Iss, Reading, Reply, Width};
use ferrite_model::iss::{Counters, PmpRegions};
use ferrite_model::lockstep::{Lockstep, Rvfi};
use random::Random;

/// Where the memory begins and the program starts.
pub const BASE: u32 = 0x8000_0000;
/// Bytes that can be fetched: data beyond cannot be executed, so that no test needs `fence.i` by accident.
pub const CODE_BYTES: u32 = 0x8000;
/// Bytes of memory.
pub const RAM_BYTES: u32 = 0x1_0000;
/// A word whose bit 0 is the software interrupt.
pub const MSIP: u32 = 0x0200_0000;

/// Memory, software interrupt and coprocessor; one for the core, one for the model.
#[derive(Clone)]
pub struct Board {
    ram: Vec<u8>,
    msip: bool,
    timer: bool,
    has_coprocessor: bool,
    /// Sum of all commands' operands, which shows that none came twice.
    total: u32,
}

impl Board {
    fn offset(address: u32, limit: u32) -> Result<usize, BusFault> {
        address
            .checked_sub(BASE)
            .filter(|offset| *offset < limit)
            .map(|offset| offset as usize)
            .ok_or(BusFault)
    }
}

impl Bus for Board {
    fn fetch(&mut self, address: u32) -> Result<u32, BusFault> {
        let offset = Board::offset(address, CODE_BYTES)?;
        Ok(u32::from_le_bytes(self.ram[offset..offset + 4].try_into().unwrap()))
    }
    fn load(&mut self, address: u32, width: Width) -> Result<Reading, BusFault> {
        if address & !3 == MSIP {
            return Ok(Reading::Exact(if address == MSIP { self.msip.into() } else { 0 }));
        }
        let offset = Board::offset(address, RAM_BYTES)?;
        let bytes = &self.ram[offset..offset + width.bytes() as usize];
        Ok(Reading::Exact(bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte))))
    }
    fn store(&mut self, address: u32, width: Width, value: u32) -> Result<(), BusFault> {
        if address & !3 == MSIP {
            if address == MSIP {
                self.msip = value & 1 == 1;
            }
            return Ok(());
        }
        let offset = Board::offset(address, RAM_BYTES)?;
        let bytes = width.bytes() as usize;
        self.ram[offset..offset + bytes].copy_from_slice(&value.to_le_bytes()[..bytes]);
        Ok(())
    }
    fn command(&mut self, funct7: u32, rs1: u32, rs2: u32) -> Option<Reply> {
        if !self.has_coprocessor {
            return None;
        }
        self.total = self.total.wrapping_mul(3).wrapping_add(rs1 ^ rs2 ^ funct7);
        // The commands of `docs/tensor-unit.md` that return a value.
        Some(match funct7 {
            0x00 | 0x01 | 0x02 | 0x0A => Reply::Value(Reading::Exact(self.total)),
            _ => Reply::Nothing,
        })
    }
    fn interrupts(&self) -> u32 {
        let bit = |up: bool, interrupt: Interrupt| if up { interrupt.bit() } else { 0 };
        bit(self.msip, Interrupt::Software) | bit(self.timer, Interrupt::Timer)
    }
}

/// The golden model's hart that a core with this configuration must be.
pub fn hart(config: &CoreConfig) -> HartConfig {
    let Extensions { m, c, zba, zbb, zbs } = config.extensions;
    HartConfig {
        reset_pc: config.reset_vector,
        m,
        c,
        zba,
        zbb,
        zbs,
        user_mode: config.user_mode,
        pmp_regions: match config.pmp_regions {
            0 => PmpRegions::None,
            4 => PmpRegions::Four,
            8 => PmpRegions::Eight,
            _ => PmpRegions::Sixteen,
        },
        counters: Counters {
            machine: config.counters,
            unprivileged: config.counters && config.user_mode,
            time: false,
            events: config.event_counters,
            event_mask: if config.event_counters > 0 { (1 << EVENTS) - 1 } else { 0 },
            inhibit: config.counters,
        },
        mhartid: config.hart_id,
        mtval: config.mtval,
        misaligned: match config.misaligned {
            Misaligned::Trap => ferrite_model::iss::Misaligned::Trap,
            Misaligned::Handle => ferrite_model::iss::Misaligned::Handled,
        },
        ..HartConfig::default()
    }
}

/// One port that answers: whether something is under way, and what the answer will be.
#[derive(Clone, Copy, Default)]
struct Pending {
    response: Option<(u32, bool)>,
    wait: u32,
}

/// A core, its board, and the model beside it.
pub struct Bench {
    core: Dut<Core>,
    board: Board,
    lockstep: Lockstep<Board>,
    random: Random,
    /// Wait states happen in so many of 8 cycles.
    pub waits: u32,
    /// Cycles since reset.
    pub cycle: u64,
    /// The timer's line.
    pub timer: bool,
    /// The external interrupt's line.
    pub external: bool,
    pending: [Pending; 3],
    /// The software interrupt's line. It follows its register when the store is answered, as late as a device may.
    software: bool,
    /// The requests that were not taken in the last cycle.
    refused: [Option<Vec<u64>>; 3],
    /// Misaligned accesses reach the bus.
    handles_misaligned: bool,
}

/// The ports' requests, `valid` first.
const REQUESTS: [&[&str]; 3] = [
    &["ibus_request_valid", "ibus_request_addr"],
    &[
        "dbus_request_valid",
        "dbus_request_addr",
        "dbus_request_write",
        "dbus_request_wdata",
        "dbus_request_mask",
    ],
    &[
        "coprocessor_command_valid",
        "coprocessor_command_funct7",
        "coprocessor_command_rs1",
        "coprocessor_command_rs2",
    ],
];

impl Bench {
    /// A core with the program, after reset.
    pub fn new(program: &Program, config: CoreConfig, has_coprocessor: bool, seed: u64, waits: u32) -> Bench {
        let config = CoreConfig { reset_vector: BASE, hart_id: 5, ..config };
        let mut ram = vec![0; RAM_BYTES as usize];
        let start = (program.base - BASE) as usize;
        ram[start..start + program.bytes.len()].copy_from_slice(&program.bytes);
        let board = Board { ram, msip: false, timer: false, has_coprocessor, total: 0 };
        let lockstep = Lockstep::new(Iss::new(board.clone(), hart(&config)));
        let mut core = Dut::new(&Core { config, has_coprocessor });
        core.poke("rst", 1u8);
        core.edge();
        core.poke("rst", 0u8);
        let random = Random(seed * 2 + 1);
        let pending = [Pending::default(); 3];
        Bench {
            core,
            board,
            lockstep,
            random,
            waits,
            cycle: 0,
            timer: false,
            external: false,
            pending,
            software: false,
            refused: [None, None, None],
            handles_misaligned: config.misaligned == Misaligned::Handle,
        }
    }

    fn idles(&mut self) -> bool {
        self.random.below(8) < self.waits
    }

    /// One cycle; gives the instruction that retired, after comparing it.
    pub fn step(&mut self) -> Option<Retired> {
        const RESPONSES: [&str; 3] = ["ibus_response", "dbus_response", "coprocessor_response"];
        let mut ready = [false; 3];
        let msip = self.board.msip;
        let answered = self.pending[1].response.is_some() && self.pending[1].wait == 0;
        for port in 0..3 {
            let response = self.pending[port].response.filter(|_| self.pending[port].wait == 0);
            ready[port] = (self.pending[port].response.is_none() || response.is_some()) && !self.idles();
            let (data, error) = response.unwrap_or((self.random.word(), self.random.below(2) == 1));
            self.core.poke(&format!("{}_valid", RESPONSES[port]), u8::from(response.is_some()));
            self.core.poke(&format!("{}_data", RESPONSES[port]), data);
            if port < 2 {
                self.core.poke(&format!("{}_error", RESPONSES[port]), u8::from(error));
            }
            match response {
                Some(_) => self.pending[port] = Pending::default(),
                None => self.pending[port].wait = self.pending[port].wait.saturating_sub(1),
            }
        }
        self.core.poke("ibus_ready", u8::from(ready[0]));
        self.core.poke("dbus_ready", u8::from(ready[1]));
        self.core.poke("coprocessor_ready", u8::from(ready[2]));
        self.core.poke("interrupts_timer", u8::from(self.timer));
        self.core.poke("interrupts_software", u8::from(self.software));
        self.core.poke("interrupts_external", u8::from(self.external));
        self.check_requests(ready);
        let answers = [self.fetch(ready[0]), self.access(ready[1]), self.command(ready[2])];
        for (port, answer) in answers.into_iter().enumerate().filter(|(_, answer)| answer.is_some()) {
            let wait = if self.idles() { self.random.below(4) } else { 0 };
            self.pending[port] = Pending { response: answer, wait };
        }
        let rvfi = self.rvfi();
        if answered {
            self.software = msip;
        }
        self.core.edge();
        self.cycle += 1;
        self.lockstep.iss_mut().bus.timer = self.timer;
        let retired =
            self.lockstep.check(self.cycle, &rvfi).unwrap_or_else(|difference| panic!("{difference}"));
        // The model counts cycles of its own, but the board's state must agree.
        retired
    }

    /// A request stays up unchanged until it is taken.
    fn check_requests(&mut self, ready: [bool; 3]) {
        for port in 0..3 {
            let request: Vec<u64> = REQUESTS[port].iter().map(|field| self.core.peek(field)).collect();
            if let Some(refused) = &self.refused[port] {
                assert_eq!(&request, refused, "{} changed before it was taken", REQUESTS[port][0]);
            }
            self.refused[port] = (request[0] == 1 && !ready[port]).then_some(request);
        }
    }

    fn fetch(&mut self, ready: bool) -> Option<(u32, bool)> {
        if !ready || self.core.peek("ibus_request_valid") == 0 {
            return None;
        }
        let address = self.core.peek("ibus_request_addr") as u32;
        Some(self.board.fetch(address).map_or((0, true), |word| (word, false)))
    }

    fn access(&mut self, ready: bool) -> Option<(u32, bool)> {
        if !ready || self.core.peek("dbus_request_valid") == 0 {
            return None;
        }
        let address = self.core.peek("dbus_request_addr") as u32;
        let mask = self.core.peek("dbus_request_mask");
        let aligned = matches!(mask, 1 | 2 | 4 | 8 | 3 | 12 | 15);
        let misaligned = self.handles_misaligned && matches!(mask, 6 | 7 | 14);
        assert!(address.is_multiple_of(4) && (aligned || misaligned), "{address:#x} {mask:#b}");
        if self.core.peek("dbus_request_write") == 0 {
            let word = self.board.load(address, Width::Word);
            return Some(word.map_or((0, true), |word| (word.value(), false)));
        }
        let data = (self.core.peek("dbus_request_wdata") as u32).to_le_bytes();
        let lanes = (0..4).filter(|lane| mask >> lane & 1 == 1);
        let stored: Vec<_> = lanes
            .map(|lane| self.board.store(address + lane, Width::Byte, data[lane as usize].into()))
            .collect();
        Some((0, stored.contains(&Err(BusFault))))
    }

    fn command(&mut self, ready: bool) -> Option<(u32, bool)> {
        if !ready || self.core.peek("coprocessor_command_valid") == 0 {
            return None;
        }
        let field = |name: &str| self.core.peek(&format!("coprocessor_command_{name}")) as u32;
        let (funct7, rs1, rs2) = (field("funct7"), field("rs1"), field("rs2"));
        match self.board.command(funct7, rs1, rs2) {
            Some(Reply::Value(value)) => Some((value.value(), false)),
            Some(Reply::Nothing) => Some((self.random.word(), false)),
            None => panic!("a command without a coprocessor"),
        }
    }

    /// The record in this cycle.
    fn rvfi(&self) -> Rvfi {
        let field = |name: &str| self.core.peek(&format!("rvfi_{name}"));
        let word = |name: &str| field(name) as u32;
        let byte = |name: &str| field(name) as u8;
        let flag = |name: &str| field(name) != 0;
        Rvfi {
            valid: flag("valid"),
            order: field("order"),
            insn: word("insn"),
            trap: flag("trap"),
            halt: flag("halt"),
            intr: flag("intr"),
            mode: byte("mode"),
            ixl: byte("ixl"),
            rs1_addr: byte("rs1_addr"),
            rs2_addr: byte("rs2_addr"),
            rs1_rdata: word("rs1_rdata"),
            rs2_rdata: word("rs2_rdata"),
            rd_addr: byte("rd_addr"),
            rd_wdata: word("rd_wdata"),
            pc_rdata: word("pc_rdata"),
            pc_wdata: word("pc_wdata"),
            mem_addr: word("mem_addr"),
            mem_rmask: byte("mem_rmask"),
            mem_wmask: byte("mem_wmask"),
            mem_rdata: word("mem_rdata"),
            mem_wdata: word("mem_wdata"),
        }
    }

    /// Steps until `count` instructions have retired.
    pub fn run(&mut self, count: u64) -> Vec<Retired> {
        let mut retired = Vec::new();
        let limit = self.cycle + 1000 + count * 200;
        while (retired.len() as u64) < count {
            assert!(self.cycle < limit, "the core stands still after {} instructions", retired.len());
            retired.extend(self.step());
        }
        retired
    }

    /// The model, which agrees with the core on everything that has retired.
    pub fn model(&self) -> &Iss<Board> {
        self.lockstep.iss()
    }
}
