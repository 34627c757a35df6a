//! What passes from stage to stage.

use ferrite_hdl::prelude::*;

use super::config::CoreConfig;
use super::decode::{Decoded, Kind, Unit};
use super::fetch::{Prediction, history_shape};
use super::trap::Cause;

/// The instruction in execute.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Execute<T> {
    /// Its address.
    pub pc: T,
    /// How many half words it is long.
    pub halves: T,
    /// What fetch guessed from.
    pub prediction: Prediction<T>,
    /// The instruction.
    pub insn: T,
    /// The instruction as it stands in memory.
    pub raw: T,
    /// Fetch went on at a target that counts from rs1: it is the right one if rs1 is the second operand.
    pub checks_target: T,
    /// Fetch went on at a target, but not at `target`.
    pub elsewhere: T,
    /// What kind of instruction it is.
    pub kind: Kind<T>,
    /// Taken apart.
    pub d: Decoded<T>,
    /// The address plus the immediate: a jump's or branch's target. In a core that [`CoreConfig::guesses_direct_targets`], where the
    /// program goes on if fetch has guessed wrong, and the result of what links and of `auipc`.
    pub target: T,
    /// Where fetch went on, in such a core; nothing but reports needs it.
    pub next_pc: Option<T>,
    /// The first operand: rs1, the pc or zero.
    pub a: T,
    /// The second operand: rs2, the immediate or zero; of a jump that counts from rs1, what rs1 is if fetch guessed right.
    pub b: T,
    /// Of what could not be fetched, only the second half could not.
    pub error_in_second_half: T,
    /// An interrupt comes before it.
    pub interrupted: T,
    /// The interrupt's code.
    pub interrupt_code: T,
}

impl Execute<Shape> {
    /// The widths.
    pub fn shape(config: &CoreConfig) -> Execute<Shape> {
        Execute {
            pc: bits(32),
            halves: bits(2),
            prediction: Prediction::shape(history_shape(config)),
            insn: bits(32),
            raw: bits(32),
            checks_target: bit(),
            elsewhere: bit(),
            kind: Kind::shape(),
            d: Decoded::shape(),
            target: bits(32),
            next_pc: next_pc(config),
            a: bits(32),
            b: bits(32),
            error_in_second_half: bit(),
            interrupted: bit(),
            interrupt_code: bits(4),
        }
    }
}

fn next_pc(config: &CoreConfig) -> Option<Shape> {
    config.guesses_direct_targets().then(|| bits(32))
}

/// Where a result comes from that is not the ALU's: one bit each, so that it is chosen soon.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Source<T> {
    /// Memory.
    pub load: T,
    /// The multiplier.
    pub multiply: T,
    /// The divider.
    pub divide: T,
    /// The bit manipulation unit.
    pub bitmanip: T,
    /// A CSR.
    pub csr: T,
    /// The coprocessor.
    pub coprocessor: T,
}

impl Source<Shape> {
    fn shape() -> Source<Shape> {
        Source {
            load: bit(),
            multiply: bit(),
            divide: bit(),
            bitmanip: bit(),
            csr: bit(),
            coprocessor: bit(),
        }
    }
}

impl Source<UInt> {
    /// That of an instruction of this kind.
    pub fn of(kind: Kind<UInt>) -> Source<UInt> {
        Source {
            load: kind.load,
            multiply: kind.multiply,
            divide: kind.divide,
            bitmanip: kind.bitmanip,
            csr: kind.csr,
            coprocessor: kind.coprocessor,
        }
    }
}

/// The instruction in the last stage, where memory answers and everything takes effect.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Commit<T> {
    /// Its address.
    pub pc: T,
    /// Address of the instruction behind it.
    pub sequential_pc: T,
    /// What fetch guessed from.
    pub prediction: Prediction<T>,
    /// The instruction.
    pub insn: T,
    /// The instruction as it stands in memory.
    pub raw: T,
    /// What it needs.
    pub unit: T,
    /// Where its result comes from.
    pub source: Source<T>,
    /// The register written; 0 for none.
    pub rd: T,
    /// The ALU's result.
    pub result: T,
    /// The bit manipulation unit's result.
    pub manipulated: T,
    /// The address of a load or store, or the target of a jump or branch.
    pub address: T,
    /// See [`Execute::next_pc`].
    pub next_pc: Option<T>,
    /// It goes to `address`.
    pub taken: T,
    /// Fetch went on elsewhere, and is told now.
    pub mispredicted: T,
    /// Its traps or `restarts`: fetch begins anew behind it in any case.
    pub restarts: T,
    /// Memory answers it.
    pub asked: T,
    /// The coprocessor answers it.
    pub commanded: T,
    /// It waits for its product.
    pub multiplies: T,
    /// It waits for its quotient.
    pub divides: T,
    /// The trap that is known before memory answers.
    pub trap: Cause<T>,
    /// Of what could not be fetched, only the second half could not.
    pub error_in_second_half: T,
    /// It reads rs1.
    pub reads_rs1: T,
    /// It reads rs2.
    pub reads_rs2: T,
    /// The first operand.
    pub a: T,
    /// The second operand.
    pub b: T,
}

impl Commit<Shape> {
    /// The widths.
    pub fn shape(config: &CoreConfig) -> Commit<Shape> {
        Commit {
            pc: bits(32),
            sequential_pc: bits(32),
            prediction: Prediction::shape(history_shape(config)),
            insn: bits(32),
            raw: bits(32),
            unit: Unit::shape(),
            source: Source::shape(),
            rd: bits(5),
            result: bits(32),
            manipulated: bits(32),
            address: bits(32),
            next_pc: next_pc(config),
            taken: bit(),
            mispredicted: bit(),
            restarts: bit(),
            asked: bit(),
            commanded: bit(),
            multiplies: bit(),
            divides: bit(),
            trap: Cause::shape(),
            error_in_second_half: bit(),
            reads_rs1: bit(),
            reads_rs2: bit(),
            a: bits(32),
            b: bits(32),
        }
    }
}
