//! What a program consists of: another mixture for each.

use ferrite_model::isa::Reg;
use ferrite_model::isa::reg::{A0, A1, A2, A3, A4, A5, RA, S2, S3, T0, T1, ZERO};

use super::Traits;
use super::random::Random;

/// Kinds of what a program's body consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Integer arithmetic.
    Alu,
    /// Zba, Zbb, Zbs.
    Bitmanip,
    /// Products.
    Multiply,
    /// Quotients and remainders.
    Divide,
    /// Loads.
    Load,
    /// Stores.
    Store,
    /// Conditional branches.
    Branch,
    /// `jal`, `jalr`.
    Jump,
    /// CSR instructions.
    Csr,
    /// Fences, `ecall`, `ebreak`, `wfi`, `mret`.
    System,
    /// Coprocessor commands.
    Coprocessor,
    /// A 16-bit instruction of any kind.
    Narrow,
    /// A corner value for a register.
    Corner,
    /// A result and, at once or almost, who needs it.
    Hazard,
    /// Random bits.
    Garbage,
    /// A call and its return.
    Call,
    /// A loop of a few rounds.
    Loop,
    /// An instruction that is replaced and then executed.
    Patch,
    /// To user mode.
    ToUser,
    /// An entry of the PMP.
    Protect,
    /// Another trap vector.
    Vector,
    /// The software interrupt.
    Software,
    /// Something that cannot be fetched.
    Hole,
}

impl Kind {
    /// All of them, with how likely each is where mixtures are even.
    pub const ALL: [(Kind, u32); 23] = [
        (Kind::Alu, 12),
        (Kind::Bitmanip, 8),
        (Kind::Multiply, 6),
        (Kind::Divide, 4),
        (Kind::Load, 10),
        (Kind::Store, 7),
        (Kind::Branch, 10),
        (Kind::Jump, 4),
        (Kind::Csr, 4),
        (Kind::System, 2),
        (Kind::Coprocessor, 4),
        (Kind::Narrow, 16),
        (Kind::Corner, 8),
        (Kind::Hazard, 16),
        (Kind::Garbage, 1),
        (Kind::Call, 3),
        (Kind::Loop, 2),
        (Kind::Patch, 1),
        (Kind::ToUser, 1),
        (Kind::Protect, 1),
        (Kind::Vector, 1),
        (Kind::Software, 1),
        (Kind::Hole, 1),
    ];

    fn exists(self, traits: &Traits) -> bool {
        let core = &traits.core;
        let extensions = core.extensions;
        match self {
            Kind::Bitmanip => extensions.zba || extensions.zbb || extensions.zbs,
            Kind::Multiply | Kind::Divide => extensions.m,
            Kind::Coprocessor => traits.has_coprocessor,
            Kind::Narrow => extensions.c,
            Kind::ToUser => core.user_mode,
            Kind::Protect => core.pmp_regions > 0,
            _ => true,
        }
    }
}

/// The mixture of one program, and how its surroundings behave.
#[derive(Clone, Debug)]
pub struct Weights {
    /// How likely each kind is, in the order of [`Kind::ALL`].
    pub kinds: Vec<u32>,
    /// Registers that are written and read.
    pub registers: Vec<Reg>,
    /// One in so many jumps goes to any half-word, not to the begin of an item; 0 for none.
    pub astray: u32,
    /// Jumps go over at most so many items.
    pub reach: u32,
    /// One in so many instructions is surprising: a pointer that is none, a CSR that does not exist.
    pub surprise: u32,
    /// Wait states happen in so many of 8 cycles.
    pub waits: u32,
    /// An interrupt line rises once in so many cycles; 0 for never.
    pub interrupts: u32,
    /// One in so many entries of the PMP is locked; 0 for none.
    pub locks: u32,
}

impl Weights {
    /// Some mixture.
    pub fn random(random: &mut Random, traits: &Traits) -> Weights {
        // A kind may be missing or abound; half of the programs are even.
        let is_even = random.once_in(2);
        let mut kind = |&(kind, even): &(Kind, u32)| {
            let factor = if is_even { 2 } else { *random.pick(&[0, 0, 1, 2, 6, 16]) };
            if kind.exists(traits) { even * factor } else { 0 }
        };
        let mut kinds: Vec<u32> = Kind::ALL.iter().map(&mut kind).collect();
        kinds[Kind::Alu as usize] += 2;
        let free = [RA, T0, T1, S2, S3];
        let narrow = [A0, A1, A2, A3, A4, A5];
        let mut registers = vec![ZERO];
        registers.extend((0..1 + random.below(4)).map(|_| *random.pick(&narrow)));
        registers.extend((0..1 + random.below(3)).map(|_| *random.pick(&free)));
        Weights {
            kinds,
            registers,
            astray: *random.pick(&[0, 16, 4]),
            reach: *random.pick(&[3, 8, 16]),
            surprise: *random.pick(&[8, 16, 64]),
            waits: *random.pick(&[0, 0, 1, 2, 4]),
            interrupts: *random.pick(&[0, 16, 60, 200]),
            locks: *random.pick(&[0, 0, 4]),
        }
    }

    /// Some kind.
    pub fn kind(&self, random: &mut Random) -> Kind {
        Kind::ALL[random.weighted(&self.kinds)].0
    }

    /// One of the registers.
    pub fn register(&self, random: &mut Random) -> Reg {
        *random.pick(&self.registers)
    }
}
