//! Single random instructions.

use ferrite_model::isa::reg::{A0, RA, S0, S1, SP, TP, ZERO};
use ferrite_model::isa::{
    Compressed, Extension, Format, Inst, Op, Reg, Spec, csr, decode, decode_compressed,
};

use super::Traits;
use super::item::{Part, Target, is_narrow_jump};
use super::random::Random;
use super::weights::{Kind, Weights};

/// Registers that hold the addresses of data.
const POINTERS: [Reg; 3] = [S0, S1, SP];
/// Most distances of loads and stores from their pointers are below this, so that loads meet stores.
const NEAR_BYTES: i32 = 32;

/// Where memory ends, from the pointer `s1` on: the handler sets it so.
pub const END_BEHIND_S1: i32 = 64;

/// What single instructions are made from.
pub struct Source<'a> {
    /// The core.
    pub traits: &'a Traits,
    /// The program's mixture.
    pub weights: &'a Weights,
    /// Luck.
    pub random: &'a mut Random,
    /// The item that is being made.
    pub item: u32,
}

impl Source<'_> {
    /// An instruction of some kind; an addition where the core has none of that kind.
    pub fn instruction(&mut self, kind: Kind) -> Part {
        let traits = self.traits;
        let candidates: Vec<&Spec> =
            traits.instructions.iter().copied().filter(|spec| kind_of(spec) == Some(kind)).collect();
        if candidates.is_empty() {
            return self.of(Op::Add);
        }
        let op = self.random.pick(&candidates).op;
        self.of(op)
    }

    /// An instruction with random operands.
    pub fn of(&mut self, op: Op) -> Part {
        let spec = op.spec();
        let inst = self.operands(op);
        match spec.format {
            Format::Branch | Format::Jal => Part::Wide { inst, target: self.target() },
            _ => Part::wide(inst),
        }
    }

    /// Random operands; the immediate too, but for distances.
    fn operands(&mut self, op: Op) -> Inst {
        let spec = op.spec();
        let some = self.random.word() & !spec.mask | spec.bits;
        let inst = decode(some).filter(|inst| inst.op == op).unwrap_or(Inst::new(op));
        let inst = Inst { rd: self.register(), rs1: self.register(), rs2: self.register(), ..inst };
        let surprise = self.random.once_in(self.weights.surprise);
        match spec.format {
            Format::Load | Format::Store
                if !surprise && self.traits.handles_misaligned() && self.random.once_in(16) =>
            {
                Inst { rs1: S1, imm: END_BEHIND_S1 - 4 + self.random.below(8) as i32, ..inst }
            }
            Format::Load | Format::Store if !surprise => {
                let rs1 = *self.random.pick(&POINTERS);
                let near = self.random.below(NEAR_BYTES as u32) as i32;
                let imm = if self.random.once_in(4) { inst.imm } else { near };
                // More often where that does not trap.
                let aligned = if self.traits.handles_misaligned() { 2 } else { 8 };
                let imm = if self.random.once_in(aligned) { imm } else { imm & !3 };
                Inst { rs1, imm, ..inst }
            }
            Format::Jalr if !surprise => {
                let rs1 = if self.random.once_in(2) { RA } else { TP };
                Inst { rs1, imm: self.random.below(256) as i32 & !3, ..inst }
            }
            Format::Imm if self.random.once_in(4) => {
                Inst { imm: *self.random.pick(&[0, 1, -1, 2047, -2048]), ..inst }
            }
            Format::Csr | Format::CsrImm => self.csr_operands(inst, surprise),
            _ => inst,
        }
    }

    fn csr_operands(&mut self, inst: Inst, surprise: bool) -> Inst {
        let number = match surprise {
            // Neighbours of those that exist, or anywhere.
            true if self.random.once_in(2) => {
                (self.random.pick(&self.traits.csrs) ^ 1 << self.random.below(12)) & 0xFFF
            }
            true => self.random.below(0x1000) as u16,
            false => *self.random.pick(&self.traits.csrs),
        };
        let number = if self.random.once_in(6) { *self.random.pick(&BUSY_CSRS) } else { number };
        // What would send every trap astray, or lock memory, is written by those who know what they do; what cannot be written is written
        // by surprise only.
        let is_guarded = number == csr::MTVEC || (csr::PMPCFG0..=csr::PMPCFG3).contains(&number);
        let is_read_only = number >> 10 == 0b11;
        match inst.op.spec().format {
            _ if !is_guarded && (surprise || !is_read_only) => Inst { csr: number, ..inst },
            Format::Csr => Inst { op: Op::Csrrs, rs1: ZERO, csr: number, ..inst },
            _ => Inst { op: Op::Csrrsi, imm: 0, csr: number, ..inst },
        }
    }

    /// A 16-bit instruction.
    pub fn narrow(&mut self) -> Part {
        let table = self.traits.compressed;
        for _ in 0..8 {
            let spec = self.random.pick(table);
            let some = self.random.word() as u16 & !spec.mask | spec.bits;
            let Some(inst) = decode_compressed(some).filter(|inst| inst.op == spec.op) else { continue };
            let inst = self.narrow_operands(inst);
            if is_narrow_jump(inst.op) {
                return Part::Narrow { inst, target: self.target() };
            }
            if let Ok(half) = inst.encode() {
                return Part::Halves(vec![half]);
            }
        }
        Part::Halves(vec![NARROW_NOP])
    }

    fn narrow_operands(&mut self, inst: Compressed) -> Compressed {
        use ferrite_model::isa::CFormat::*;
        let narrow = |source: &mut Self| {
            let register = source.register();
            if (8..16).contains(&register.number()) { register } else { A0 }
        };
        let pointer = if self.random.once_in(2) { S0 } else { S1 };
        match inst.op.spec().format {
            Addi4spn | NarrowShift | NarrowImm => Compressed { rd: narrow(self), ..inst },
            Load => Compressed { rd: narrow(self), rs1: pointer, imm: inst.imm & 31 & !3, ..inst },
            Store => Compressed { rs2: narrow(self), rs1: pointer, imm: inst.imm & 31 & !3, ..inst },
            Imm | Lui | Shift | LoadSp => Compressed { rd: self.register(), ..inst },
            StoreSp => Compressed { rs2: self.register(), ..inst },
            Branch => Compressed { rs1: narrow(self), ..inst },
            NarrowPair => Compressed { rd: narrow(self), rs2: narrow(self), ..inst },
            Pair => Compressed { rd: self.register(), rs2: self.register(), ..inst },
            Register if !self.random.once_in(self.weights.surprise) => {
                Compressed { rs1: if self.random.once_in(2) { RA } else { TP }, ..inst }
            }
            Register => Compressed { rs1: self.register(), ..inst },
            Nop | Addi16sp | Jump | Bare => inst,
        }
    }

    /// One of the program's registers.
    pub fn register(&mut self) -> Reg {
        self.weights.register(self.random)
    }

    /// One of the program's registers that can be written.
    pub fn writable(&mut self) -> Reg {
        let register = self.register();
        if register == ZERO { *self.weights.registers.last().unwrap_or(&A0) } else { register }
    }

    /// Somewhere near: mostly ahead, so that the program goes on.
    pub fn target(&mut self) -> Target {
        let reach = self.weights.reach;
        let ahead = 1 + self.random.below(reach);
        let item = if self.random.once_in(4) { self.item.saturating_sub(ahead) } else { self.item + ahead };
        let skew = if self.random.once_in(self.weights.astray) { 2 } else { 0 };
        Target { item, skew }
    }
}

/// `c.nop`.
const NARROW_NOP: u16 = 1;

/// CSRs that matter more than others.
const BUSY_CSRS: [u16; 8] = [
    csr::MSTATUS,
    csr::MIE,
    csr::MEPC,
    csr::MSCRATCH,
    csr::MCAUSE,
    csr::MINSTRET,
    csr::MCOUNTEREN,
    csr::MCOUNTINHIBIT,
];

/// Which kind an instruction belongs to.
pub fn kind_of(spec: &Spec) -> Option<Kind> {
    Some(match (spec.extension, spec.format) {
        (Extension::M, _) if spec.mnemonic.starts_with("mul") => Kind::Multiply,
        (Extension::M, _) => Kind::Divide,
        (Extension::Zba | Extension::Zbb | Extension::Zbs, _) => Kind::Bitmanip,
        (Extension::Tensor, _) => Kind::Coprocessor,
        (Extension::Zicsr, _) => Kind::Csr,
        (Extension::Zifencei | Extension::Machine, _) | (_, Format::Fence | Format::Bare) => Kind::System,
        (_, Format::Load) => Kind::Load,
        (_, Format::Store) => Kind::Store,
        (_, Format::Branch) => Kind::Branch,
        (_, Format::Jal | Format::Jalr) => Kind::Jump,
        _ => Kind::Alu,
    })
}
