//! What passes from stage to stage.

use ferrite_hdl::prelude::*;

use super::decode::{Decoded, Unit};
use super::trap::Trap;

/// The instruction in execute.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Execute<T> {
    /// Its address.
    pub pc: T,
    /// The instruction.
    pub insn: T,
    /// Taken apart.
    pub d: Decoded<T>,
    /// Value of rs1.
    pub rs1_value: T,
    /// Value of rs2.
    pub rs2_value: T,
}

impl Execute<Shape> {
    /// The widths.
    pub fn shape() -> Execute<Shape> {
        Execute {
            pc: bits(32),
            insn: bits(32),
            d: Decoded::shape(),
            rs1_value: bits(32),
            rs2_value: bits(32),
        }
    }
}

/// The instruction in the last stage, where memory answers and everything takes effect.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Commit<T> {
    /// Its address.
    pub pc: T,
    /// The instruction.
    pub insn: T,
    /// What it needs.
    pub unit: T,
    /// The register written; 0 for none.
    pub rd: T,
    /// The result, or the address of a load or store.
    pub result: T,
    /// Address of the next instruction.
    pub next_pc: T,
    /// The trap that is known before memory answers.
    pub trap: Trap<T>,
    /// It reads rs1.
    pub reads_rs1: T,
    /// It reads rs2.
    pub reads_rs2: T,
    /// Value of rs1.
    pub rs1_value: T,
    /// Value of rs2.
    pub rs2_value: T,
}

impl Commit<Shape> {
    /// The widths.
    pub fn shape() -> Commit<Shape> {
        Commit {
            pc: bits(32),
            insn: bits(32),
            unit: Unit::shape(),
            rd: bits(5),
            result: bits(32),
            next_pc: bits(32),
            trap: Trap::shape(),
            reads_rs1: bit(),
            reads_rs2: bit(),
            rs1_value: bits(32),
            rs2_value: bits(32),
        }
    }
}
