//! Which features a hart has.

use crate::isa::Extension;

/// What happens to a load or store whose address is no multiple of its width (RISC-V Unprivileged 20240411, 2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misaligned {
    /// An address-misaligned exception.
    Trap,
    /// It is carried out byte by byte, lowest address first, once memory protection has allowed all bytes. A byte that
    /// is refused raises an access fault whose `mtval` is that byte's address; if it is the bus that refuses it, the
    /// bytes before it have been accessed.
    Handled,
}

/// How many PMP entries there are; they come in the numbers that a hart can be built with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PmpRegions {
    /// No PMP at all: its CSRs do not exist.
    None = 0,
    /// 4 entries.
    Four = 4,
    /// 8 entries.
    Eight = 8,
    /// 16 entries.
    Sixteen = 16,
}

/// The counters of a hart (RISC-V Privileged 20240411, 3.1.10 to 3.1.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counters {
    /// `mcycle` and `minstret` count. Without them neither they nor `mhpmcounter3` and following exist.
    pub machine: bool,
    /// The unprivileged `cycle`, `instret` and `hpmcounter3` and following exist, and `mcounteren` has bits.
    pub unprivileged: bool,
    /// So does `time`. Without it reading the time traps, so that machine mode can supply it.
    pub time: bool,
    /// Counters that are more than 0, from `mhpmcounter3` up; at most 29.
    pub events: u32,
    /// The bits that `mhpmevent3` and following hold, of those counters.
    pub event_mask: u32,
    /// `mcountinhibit` has bits.
    pub inhibit: bool,
}

impl Counters {
    /// `mcycle` and `minstret` and nothing else.
    pub const BASIC: Counters = Counters {
        machine: true,
        unprivileged: false,
        time: false,
        events: 0,
        event_mask: 0,
        inhibit: false,
    };
}

/// Features and constants of a hart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HartConfig {
    /// Where the hart starts; a multiple of 4, or of 2 with compressed instructions.
    pub reset_pc: u32,
    /// Multiplication and division.
    pub m: bool,
    /// Compressed instructions: an instruction may stand at any multiple of 2.
    pub c: bool,
    /// Shift and add.
    pub zba: bool,
    /// Basic bit manipulation.
    pub zbb: bool,
    /// Single bits.
    pub zbs: bool,
    /// CSR instructions.
    pub zicsr: bool,
    /// `fence.i`.
    pub zifencei: bool,
    /// User mode beside machine mode.
    pub user_mode: bool,
    /// Entries of physical memory protection.
    pub pmp_regions: PmpRegions,
    /// Counters.
    pub counters: Counters,
    /// `mtval` tells what a trap is about; else it is read-only 0 (Privileged 20240411, 3.1.16).
    pub mtval: bool,
    /// Misaligned loads and stores.
    pub misaligned: Misaligned,
    /// `mvendorid`.
    pub mvendorid: u32,
    /// `marchid`.
    pub marchid: u32,
    /// `mimpid`.
    pub mimpid: u32,
    /// `mhartid`.
    pub mhartid: u32,
}

impl Default for HartConfig {
    /// The chip's hart: starts in the boot ROM; RV32IM with Zicsr and Zifencei in machine mode; all identities 0, which
    /// means not implemented.
    fn default() -> HartConfig {
        HartConfig {
            reset_pc: super::memory_map::ROM_BASE,
            m: true,
            c: false,
            zba: false,
            zbb: false,
            zbs: false,
            zicsr: true,
            zifencei: true,
            user_mode: false,
            pmp_regions: PmpRegions::None,
            counters: Counters::BASIC,
            mtval: true,
            misaligned: Misaligned::Trap,
            mvendorid: 0,
            marchid: 0,
            mimpid: 0,
            mhartid: 0,
        }
    }
}

impl HartConfig {
    /// Everything that a hart can have, PMP with 16 entries, misaligned accesses trapped.
    pub fn full() -> HartConfig {
        HartConfig {
            c: true,
            zba: true,
            zbb: true,
            zbs: true,
            user_mode: true,
            pmp_regions: PmpRegions::Sixteen,
            counters: Counters {
                machine: true,
                unprivileged: true,
                time: true,
                events: 29,
                event_mask: u32::MAX,
                inhibit: true,
            },
            ..HartConfig::default()
        }
    }

    /// True if the hart has the instructions of `extension`. Tensor commands are up to the bus.
    pub const fn implements(&self, extension: Extension) -> bool {
        match extension {
            Extension::I | Extension::Machine | Extension::Tensor => true,
            Extension::M => self.m,
            Extension::Zba => self.zba,
            Extension::Zbb => self.zbb,
            Extension::Zbs => self.zbs,
            Extension::Zicsr => self.zicsr,
            Extension::Zifencei => self.zifencei,
        }
    }

    /// `misa` (Privileged 20240411, 3.1.1): 32 bits, and the letters of the extensions. B stands for Zba, Zbb and Zbs
    /// together.
    pub const fn misa(&self) -> u32 {
        const fn letter(letter: u8, there: bool) -> u32 {
            (there as u32) << (letter - b'A')
        }
        1 << 30
            | letter(b'B', self.zba && self.zbb && self.zbs)
            | letter(b'C', self.c)
            | letter(b'I', true)
            | letter(b'M', self.m)
            | letter(b'U', self.user_mode)
    }

    /// What instructions' addresses are multiples of, in bytes (IALIGN / 8; Unprivileged 20240411, 1.5).
    pub const fn instruction_alignment(&self) -> u32 {
        if self.c { 2 } else { 4 }
    }
}
