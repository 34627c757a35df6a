//! A random program.

use ferrite_model::isa::reg::{GP, S0, S1, SP, T6, TP};
use ferrite_model::isa::{Inst, Op, csr};

use super::Traits;
use super::handler::{Style, handler};
use super::idioms::constant;
use super::instructions::Source;
use super::item::{CORNERS, Image, Item, Part, assemble};
use super::place::{CODE, DATA, DATA_BYTES, DEVICES, START};
use super::random::Random;
use super::weights::Weights;

/// Items of a program's body, at least.
const LEAST_ITEMS: u32 = 100;
/// And at most so many more.
const MORE_ITEMS: u32 = 300;

/// A program with what decides how it runs.
#[derive(Clone, Debug)]
pub struct Program {
    /// What it was made from.
    pub seed: u64,
    /// How its surroundings behave, and what it is made of.
    pub weights: Weights,
    /// What to execute.
    pub items: Vec<Item>,
    handler: Vec<u8>,
    /// The first item of the body.
    body: u32,
}

impl Program {
    /// The program of a seed.
    pub fn random(seed: u64, traits: &Traits) -> Program {
        let mut random = Random::new(seed);
        let weights = Weights::random(&mut random, traits);
        let core = &traits.core;
        let style = Style::random(&mut random, core.extensions.c, core.user_mode);
        let mut source = Source { traits, weights: &weights, random: &mut random, item: 0 };
        let mut items = Vec::new();
        prologue(&mut source, &mut items);
        let body = items.len() as u32;
        let last = body + LEAST_ITEMS + source.random.below(MORE_ITEMS);
        while source.item < last {
            let kind = source.weights.kind(source.random);
            let item = source.item(kind);
            items.push(item);
            source.item += 1;
        }
        Program { seed, handler: handler(style), weights, items, body }
    }

    /// Its bytes.
    pub fn image(&self) -> Image {
        assemble(&self.handler, &self.items, self.body, self.seed)
    }
}

/// Sets trap vector, registers and interrupts: an item for each, so that what does not matter can be taken away.
fn prologue(source: &mut Source<'_>, items: &mut Vec<Item>) {
    let write = |csr, rs1| Part::wide(Inst { rs1, csr, ..Inst::new(Op::Csrrw) });
    let mut sets = Vec::new();
    let mut vector = constant(T6, CODE | source.random.below(2));
    vector.push(write(csr::MTVEC, T6));
    sets.push(vector);
    sets.push(constant(S0, DATA + DATA_BYTES / 2));
    sets.push(constant(S1, DATA + DATA_BYTES - 64));
    sets.push(constant(SP, DATA + 0x100));
    sets.push(constant(GP, DEVICES));
    sets.push(constant(TP, START + 0x100));
    for register in source.weights.registers.clone() {
        let value =
            if source.random.once_in(2) { *source.random.pick(&CORNERS) } else { source.random.word() };
        sets.push(constant(register, value));
    }
    if source.traits.core.pmp_regions > 0 && !source.random.once_in(8) {
        sets.push(source.open_memory());
    }
    if !source.random.once_in(8) {
        let mut enable = constant(T6, u32::MAX);
        enable.push(write(csr::MIE, T6));
        enable.push(Part::wide(Inst { imm: 8, csr: csr::MSTATUS, ..Inst::new(Op::Csrrsi) }));
        sets.push(enable);
    }
    for parts in sets {
        items.push(Item { id: source.item, parts });
        source.item += 1;
    }
}
