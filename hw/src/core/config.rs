//! What a user may choose about the core.

/// A core's features and the shape of its pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CoreConfig {
    /// Address of the first instruction after reset.
    pub reset_vector: u32,
    /// `mhartid`.
    pub hart_id: u32,
    /// The instructions beyond RV32I, Zicsr and Zifencei.
    pub extensions: Extensions,
    /// User mode beside machine mode.
    pub user_mode: bool,
    /// Regions of physical memory protection: 0, 4, 8 or 16.
    pub pmp_regions: u32,
    /// `mcycle`, `minstret` and `mcountinhibit`; with user mode also `cycle`, `instret` and `mcounteren`.
    pub counters: bool,
    /// Counters of events from `mhpmcounter3` up, at most 29; only with `counters`.
    pub event_counters: u32,
    /// `mtval` tells the address or instruction of a trap; else it is read-only 0.
    pub mtval: bool,
    /// Loads and stores at addresses that are no multiple of their width.
    pub misaligned: Misaligned,
    /// How shifts are made.
    pub shifter: Shifter,
    /// How products are made; only with the extension M.
    pub multiplier: MultiplierKind,
    /// Bits of a quotient found in a cycle: 1, 2 or 4; only with the extension M.
    pub divider_bits: u32,
    /// How fetch guesses where the program goes on.
    pub predictor: Predictor,
    /// Places for return addresses: 0, or a power of two up to 16; only with a predictor.
    pub return_stack: u32,
    /// Where the registers are.
    pub register_file: RegisterFile,
}

/// Extensions of the instruction set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Extensions {
    /// Multiplication and division.
    pub m: bool,
    /// Compressed instructions.
    pub c: bool,
    /// Shift and add.
    pub zba: bool,
    /// Basic bit manipulation.
    pub zbb: bool,
    /// Single bits.
    pub zbs: bool,
}

impl Extensions {
    /// RV32I alone.
    pub const NONE: Extensions = Extensions { m: false, c: false, zba: false, zbb: false, zbs: false };
    /// All that there are.
    pub const ALL: Extensions = Extensions { m: true, c: true, zba: true, zbb: true, zbs: true };
}

/// What happens to a load or store at an address that is no multiple of its width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Misaligned {
    /// An address-misaligned exception.
    Trap,
    /// The core carries it out, in two accesses if it crosses the border of a word.
    Handle,
}

/// How shifts are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shifter {
    /// At once, in execute.
    Barrel,
    /// Some bits in a cycle, in commit: few LUTs, and short paths.
    Iterative,
}

/// How products are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MultiplierKind {
    /// One bit of the multiplier per cycle, without DSP blocks.
    Iterative,
    /// The whole product between two registers.
    SingleCycle,
    /// Partial products in one cycle, their sum in the next.
    Pipelined,
}

/// How fetch guesses where the program goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Predictor {
    /// Straight on.
    None,
    /// Told by the instruction: jumps and branches that go back are taken.
    Static,
    /// A branch target buffer: where the last jump or branch at this address went, and whether it is likely to go there again.
    Btb {
        /// Branches that it knows: a power of two from 8 to 512.
        entries: u32,
        /// Outcomes of the last branches that choose among counters (gshare): 0 for a counter in each entry, up to 10.
        history: u32,
    },
}

/// Where the registers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RegisterFile {
    /// In LUT RAM, read without a clock.
    LutRam,
    /// In block RAM, read with the clock, one stage earlier.
    BlockRam,
}

impl CoreConfig {
    /// The most work per cycle at a high clock.
    pub const FAST: CoreConfig = CoreConfig {
        reset_vector: crate::map::ROM_BASE,
        hart_id: 0,
        extensions: Extensions::ALL,
        user_mode: true,
        pmp_regions: 0,
        counters: true,
        event_counters: 0,
        mtval: true,
        misaligned: Misaligned::Trap,
        shifter: Shifter::Barrel,
        multiplier: MultiplierKind::Pipelined,
        divider_bits: 1,
        predictor: Predictor::Btb { entries: 128, history: 0 },
        return_stack: 4,
        register_file: RegisterFile::LutRam,
    };

    /// Whether fetch goes on elsewhere than behind an instruction by a guess.
    pub fn predicts(&self) -> bool {
        self.predictor != Predictor::None
    }

    /// Whether what fetch guesses to be taken has no other target: a wrong guess is set right by the address behind the instruction.
    pub fn guesses_direct_targets(&self) -> bool {
        self.predictor == Predictor::Static && self.return_stack == 0
    }

    /// Whether fetch guesses targets that count from a register.
    pub fn predicts_indirect_jumps(&self) -> bool {
        matches!(self.predictor, Predictor::Btb { .. }) || (self.predicts() && self.return_stack > 0)
    }

    /// The fewest LUTs: RV32I, machine mode, no counters, no `mtval`.
    pub const SMALL: CoreConfig = CoreConfig {
        extensions: Extensions::NONE,
        user_mode: false,
        counters: false,
        mtval: false,
        shifter: Shifter::Iterative,
        multiplier: MultiplierKind::Iterative,
        predictor: Predictor::Static,
        return_stack: 0,
        ..CoreConfig::FAST
    };
}

impl Default for CoreConfig {
    /// [`CoreConfig::FAST`].
    fn default() -> CoreConfig {
        CoreConfig::FAST
    }
}
