//! Several instructions that belong together.

use ferrite_model::isa::reg::{GP, RA, T3, T4, T5, ZERO};
use ferrite_model::isa::{COp, Compressed, Inst, Op, Reg, csr};

use super::instructions::Source;
use super::item::{CORNERS, Item, Part};
use super::place::{CODE, MEMORY_BYTES, MSIP};
use super::weights::Kind;

/// `mstatus.MPP`.
const MPP: u32 = 0x1800;
/// A PMP entry's configuration: how its address is meant.
const NAPOT: u32 = 3 << 3;
/// A PMP entry's configuration: it is locked.
const LOCKED: u32 = 1 << 7;
/// Rounds of a loop, at most.
const ROUNDS: u32 = 6;

fn imm(op: Op, rd: Reg, rs1: Reg, imm: i32) -> Part {
    Part::wide(Inst { rd, rs1, imm, ..Inst::new(op) })
}

fn store(op: Op, rs2: Reg, imm: i32, rs1: Reg) -> Part {
    Part::wide(Inst { rs1, rs2, imm, ..Inst::new(op) })
}

fn access(op: Op, rd: Reg, csr: u16, rs1: Reg) -> Part {
    Part::wide(Inst { rd, rs1, csr, ..Inst::new(op) })
}

/// Loads a constant.
pub fn constant(rd: Reg, value: u32) -> Vec<Part> {
    if (value as i32) << 20 >> 20 == value as i32 {
        return vec![imm(Op::Addi, rd, ZERO, value as i32)];
    }
    let low = (value as i32) << 20 >> 20;
    let high = value.wrapping_sub(low as u32) >> 12;
    let mut parts = vec![Part::wide(Inst { rd, imm: high as i32, ..Inst::new(Op::Lui) })];
    if low != 0 {
        parts.push(imm(Op::Addi, rd, rd, low));
    }
    parts
}

impl Source<'_> {
    /// An item of some kind; in few cases several.
    pub fn item(&mut self, kind: Kind) -> Item {
        let parts = match kind {
            Kind::Narrow => (0..1 + self.random.below(4)).map(|_| self.narrow()).collect(),
            Kind::Corner => self.corner(),
            Kind::Csr => (0..1 + self.random.below(6)).map(|_| self.instruction(kind)).collect(),
            Kind::Hazard => self.hazard(),
            Kind::Garbage => self.garbage(),
            Kind::Call => self.call(),
            Kind::Loop => self.repetition(),
            Kind::Patch => self.patch(),
            Kind::ToUser => self.user_mode(),
            Kind::Protect => self.protect(),
            Kind::Vector => self.vector(),
            Kind::Software => {
                let value = self.register();
                vec![store(Op::Sw, value, MSIP as i32, GP)]
            }
            Kind::Multiply | Kind::Divide if self.random.once_in(2) => self.corners(kind),
            Kind::Hole if self.random.once_in(4) => vec![Part::Refused],
            kind => vec![self.instruction(kind)],
        };
        Item { id: self.item, parts }
    }

    /// A result, perhaps something between, and an instruction that needs it.
    fn hazard(&mut self) -> Vec<Part> {
        let producers = [
            Kind::Alu,
            Kind::Load,
            Kind::Multiply,
            Kind::Divide,
            Kind::Bitmanip,
            Kind::Csr,
            Kind::Coprocessor,
            Kind::Jump,
        ];
        let consumers = [
            Kind::Alu,
            Kind::Load,
            Kind::Store,
            Kind::Branch,
            Kind::Multiply,
            Kind::Divide,
            Kind::Bitmanip,
            Kind::Csr,
            Kind::Coprocessor,
            Kind::Jump,
        ];
        let rd = self.writable();
        let kind = *self.random.pick(&producers);
        let mut parts = vec![self.producing(kind, rd)];
        for _ in 0..self.random.below(3) {
            let part = self.instruction(Kind::Alu);
            // It may read the result, but leaves it there.
            parts.push(changed(part, |inst| if inst.rd == rd { Inst { rd: ZERO, ..inst } } else { inst }));
        }
        let kind = *self.random.pick(&consumers);
        parts.push(self.needing(kind, rd));
        parts
    }

    /// A corner value, and instructions that need it.
    fn corner(&mut self) -> Vec<Part> {
        let users = [
            Kind::Alu,
            Kind::Bitmanip,
            Kind::Bitmanip,
            Kind::Coprocessor,
            Kind::Branch,
            Kind::Store,
            Kind::Csr,
        ];
        let (register, value) = (self.writable(), *self.random.pick(&CORNERS));
        let mut parts = constant(register, value);
        for _ in 0..self.random.below(4) {
            let user = *self.random.pick(&users);
            parts.push(self.needing(user, register));
        }
        parts
    }

    /// Products and quotients of corner values, on end.
    fn corners(&mut self, kind: Kind) -> Vec<Part> {
        let (a, b) = (self.writable(), self.writable());
        // Those of the coverage, of which every pair is wanted.
        let corners = &CORNERS[..5];
        let mut parts = constant(a, *self.random.pick(corners));
        parts.extend(constant(b, *self.random.pick(corners)));
        for _ in 0..1 + self.random.below(4) {
            let part = self.instruction(kind);
            let (rs1, rs2) = if self.random.once_in(2) { (a, b) } else { (b, a) };
            parts.push(changed(part, |inst| {
                let keeps = inst.rd != a && inst.rd != b;
                Inst { rd: if keeps { inst.rd } else { ZERO }, rs1, rs2, ..inst }
            }));
        }
        parts
    }

    fn producing(&mut self, kind: Kind, rd: Reg) -> Part {
        let part = match kind {
            Kind::Alu if self.random.once_in(3) => {
                let op = *self.random.pick(&[Op::Lui, Op::Auipc]);
                self.of(op)
            }
            // Those that return something.
            Kind::Coprocessor if self.traits.has_coprocessor => {
                let op = *self.random.pick(&[Op::TStatus, Op::TFence, Op::TCounter, Op::TInfo]);
                self.of(op)
            }
            kind => self.instruction(kind),
        };
        match part {
            // A jump's result is its return address: it goes to the next instruction.
            Part::Wide { inst, .. } => Part::wide(Inst { rd, imm: 4, ..inst }),
            part => changed(part, |inst| match inst.op {
                Op::Jalr => Inst { op: Op::Jal, rd, imm: 4, ..Inst::new(Op::Jal) },
                _ => Inst { rd, ..inst },
            }),
        }
    }

    fn needing(&mut self, kind: Kind, register: Reg) -> Part {
        if kind == Kind::Csr {
            // A CSR that may hold anything.
            let op = *self.random.pick(&[Op::Csrrw, Op::Csrrs, Op::Csrrc]);
            return access(op, self.register(), csr::MSCRATCH, register);
        }
        let second = self.random.once_in(2);
        let chosen = move |inst: Inst| match second && inst.op.spec().format.reads_rs2() {
            true => Inst { rs2: register, ..inst },
            false => Inst { rs1: register, ..inst },
        };
        let part = if kind == Kind::Jump { self.of(Op::Jalr) } else { self.instruction(kind) };
        match part {
            Part::Wide { inst, target } => Part::Wide { inst: chosen(inst), target },
            part => changed(part, chosen),
        }
    }

    /// Bits that may be anything.
    fn garbage(&mut self) -> Vec<Part> {
        match (self.traits.has_halves(), self.random.once_in(2)) {
            (true, true) => vec![Part::Halves(vec![self.random.word() as u16])],
            (false, true) => vec![Part::word(self.random.word() | 3)],
            _ => vec![Part::word(self.random.word())],
        }
    }

    /// A call over a few items, the return there, and a jump over the return.
    fn call(&mut self) -> Vec<Part> {
        let link = if self.random.once_in(3) { Reg::from_field(5, 0) } else { RA };
        let back = match self.traits.has_halves() && self.random.once_in(2) {
            true => Compressed { rs1: link, ..Compressed::new(COp::CJr) }
                .encode()
                .map_or_else(|_| Part::word(0), |half| Part::Halves(vec![half])),
            false => imm(Op::Jalr, ZERO, link, 0),
        };
        let body = self.instruction(Kind::Alu);
        let over = Part::wide(Inst { imm: 4 + bytes(&body) + bytes(&back), ..Inst::new(Op::Jal) });
        // The function stands first, and is called from behind it.
        let to_body = -(bytes(&body) + bytes(&back));
        let call = Part::wide(Inst { rd: link, imm: to_body, ..Inst::new(Op::Jal) });
        vec![over, body, back, call]
    }

    /// A loop of a few rounds, with a counter that nothing else writes.
    fn repetition(&mut self) -> Vec<Part> {
        let rounds = 1 + self.random.below(ROUNDS) as i32;
        let body: Vec<Part> = (0..1 + self.random.below(3)).map(|_| self.straight()).collect();
        let length: i32 = body.iter().map(bytes).sum();
        let mut parts = vec![imm(Op::Addi, T3, ZERO, rounds)];
        parts.extend(body);
        parts.push(imm(Op::Addi, T3, T3, -1));
        parts.push(Part::wide(Inst { rs1: T3, imm: -(length + 4), ..Inst::new(Op::Bne) }));
        parts
    }

    /// An instruction after which the next one follows.
    fn straight(&mut self) -> Part {
        let kind = *self.random.pick(&[Kind::Alu, Kind::Load, Kind::Store, Kind::Multiply, Kind::Bitmanip]);
        self.instruction(kind)
    }

    /// Replaces the instruction behind a `fence.i`, by halves since it may lie across two words. What is there before traps.
    fn patch(&mut self) -> Vec<Part> {
        let old = Part::wide(Inst::new(Op::Ebreak));
        let new = match self.instruction(Kind::Alu) {
            Part::Halves(halves) => u32::from(halves[1]) << 16 | u32::from(halves[0]),
            _ => 0x13,
        };
        let mut parts = constant(T4, new);
        let rest = [
            store(Op::Sh, T4, 0, T5),
            imm(Op::Srli, T4, T4, 16),
            store(Op::Sh, T4, 2, T5),
            imm(Op::Addi, T5, ZERO, 0),
            Part::wide(Inst::new(Op::FenceI)),
        ];
        let distance = 8 + 4 * rest.len() as i32;
        parts.push(Part::wide(Inst { rd: T5, ..Inst::new(Op::Auipc) }));
        parts.push(imm(Op::Addi, T5, T5, distance));
        parts.extend(rest);
        parts.push(old);
        parts
    }

    /// Goes on behind itself, in user mode; there a counter is read, which may have been given to it before.
    fn user_mode(&mut self) -> Vec<Part> {
        let mut parts = Vec::new();
        if self.random.once_in(2) {
            parts.extend(constant(T4, u32::MAX));
            parts.push(access(Op::Csrrw, ZERO, csr::MCOUNTEREN, T4));
        }
        parts.extend(constant(T4, MPP));
        parts.extend([
            access(Op::Csrrc, ZERO, csr::MSTATUS, T4),
            Part::wide(Inst { rd: T4, ..Inst::new(Op::Auipc) }),
            imm(Op::Addi, T4, T4, 16),
            access(Op::Csrrw, ZERO, csr::MEPC, T4),
            Part::wide(Inst::new(Op::Mret)),
        ]);
        if self.random.once_in(2) {
            let counter = *self.random.pick(&[csr::CYCLE, csr::INSTRET, csr::CYCLEH, csr::INSTRETH]);
            let rd = self.register();
            parts.push(access(Op::Csrrs, rd, counter, ZERO));
        }
        parts
    }

    /// Changes an entry of the PMP, or a few.
    fn protect(&mut self) -> Vec<Part> {
        let regions = self.traits.core.pmp_regions;
        let entry = self.random.below(regions) as u16;
        let mut parts = constant(T4, self.region());
        parts.push(access(Op::Csrrw, ZERO, csr::PMPADDR0 + entry, T4));
        if !self.random.once_in(4) {
            parts.extend(constant(T4, self.permissions()));
            let word = csr::PMPCFG0 + (if self.random.once_in(2) { entry } else { entry ^ 4 }) / 4;
            let word = word.min(csr::PMPCFG0 + regions as u16 / 4 - 1);
            parts.push(access(Op::Csrrw, ZERO, word, T4));
        }
        parts
    }

    /// A value of `pmpaddr` that means something near the program or its data.
    fn region(&mut self) -> u32 {
        let address = CODE + self.random.below(MEMORY_BYTES + 64);
        // Ones at the end are the size of the range.
        address >> 2 | ((1 << self.random.below(9)) - 1)
    }

    /// A value of `pmpcfg` that locks little.
    fn permissions(&mut self) -> u32 {
        let bytes = [(); 4].map(|()| {
            let locks = self.weights.locks;
            let lock = if self.random.once_in(locks) && self.random.once_in(4) { LOCKED } else { 0 };
            (self.random.below(32) | lock) as u8
        });
        u32::from_le_bytes(bytes)
    }

    /// Lets user mode in: the last entry allows everything, if no other entry says otherwise.
    pub fn open_memory(&mut self) -> Vec<Part> {
        let regions = self.traits.core.pmp_regions as u16;
        let mut parts = constant(T4, u32::MAX);
        parts.push(access(Op::Csrrw, ZERO, csr::PMPADDR0 + regions - 1, T4));
        parts.extend(constant(T4, (NAPOT | 7) << 24));
        parts.push(access(Op::Csrrw, ZERO, csr::PMPCFG0 + regions / 4 - 1, T4));
        parts
    }

    /// Another trap vector: the handler's table mostly, direct or vectored; or somewhere in the program.
    fn vector(&mut self) -> Vec<Part> {
        if self.random.once_in(8) {
            // Where that leads no one knows: mostly to code, at a multiple of 64.
            let somewhere = (CODE + self.random.below(0x1000)) & !63 | self.random.below(2);
            let mut parts = constant(T4, somewhere);
            parts.push(access(Op::Csrrw, T4, csr::MTVEC, T4));
            parts.push(self.straight());
            parts.push(access(Op::Csrrw, ZERO, csr::MTVEC, T4));
            return parts;
        }
        let mut parts = constant(T4, CODE | self.random.below(4));
        parts.push(access(Op::Csrrw, ZERO, csr::MTVEC, T4));
        parts
    }
}

fn bytes(part: &Part) -> i32 {
    match part {
        Part::Halves(halves) => 2 * halves.len() as i32,
        Part::Narrow { .. } => 2,
        Part::Wide { .. } | Part::Refused => 4,
    }
}

/// The instruction with a change, if it is one of 32 bits and still has an encoding.
fn changed(part: Part, change: impl Fn(Inst) -> Inst) -> Part {
    let Part::Halves(halves) = &part else { return part };
    let [low, high] = halves[..] else { return part };
    let word = u32::from(high) << 16 | u32::from(low);
    match ferrite_model::isa::decode(word).map(|inst| change(inst).encode()) {
        Some(Ok(word)) => Part::word(word),
        _ => part,
    }
}
