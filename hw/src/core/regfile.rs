//! The integer registers, and the newest values of those still on their way there.

use ferrite_hdl::prelude::*;

use super::config::RegisterFile;
use super::only;

/// A write to a register; none where `rd` is 0.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct RegWrite<T> {
    /// Number of the register.
    pub rd: T,
    /// Its new value.
    pub value: T,
}

impl RegWrite<Shape> {
    /// The widths.
    pub fn shape() -> RegWrite<Shape> {
        RegWrite { rd: bits(5), value: bits(32) }
    }
}

/// Inputs of the register file.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct RegFileIn<T> {
    /// Number of the first register read.
    pub rs1: T,
    /// Number of the second register read.
    pub rs2: T,
    /// What `rs1` will be in the next cycle; only registers in block RAM want to know.
    pub next_rs1: T,
    /// What `rs2` will be in the next cycle.
    pub next_rs2: T,
    /// The first operand is rs1, else `instead_of_rs1`.
    pub reads_rs1: T,
    /// The second operand is rs2, else `instead_of_rs2`.
    pub reads_rs2: T,
    /// The first operand of an instruction that does not read rs1. 0 for one that does.
    pub instead_of_rs1: T,
    /// The second operand of an instruction that does not read rs2. 0 for one that does.
    pub instead_of_rs2: T,
    /// The result of the instruction in execute, which comes after the one that commits.
    pub executed: RegWrite<T>,
    /// The result of the instruction in commit.
    pub committed: RegWrite<T>,
    /// It is written at the end of this cycle. Until then nothing that reads it may go on, so forwarding need not ask.
    pub commits: T,
}

/// Outputs of the register file.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct RegFileOut<T> {
    /// The first operand.
    pub a: T,
    /// The second operand.
    pub b: T,
}

/// `x0` to `x31`, with forwarding of the results that are newer than the registers. The result in execute, which comes late, joins last.
#[module]
pub struct RegFile {
    /// Where the registers are.
    pub kind: RegisterFile,
}

impl Module for RegFile {
    type In = RegFileIn<UInt>;
    type Out = RegFileOut<UInt>;

    fn inputs(&self) -> RegFileIn<Shape> {
        RegFileIn {
            rs1: bits(5),
            rs2: bits(5),
            next_rs1: bits(5),
            next_rs2: bits(5),
            reads_rs1: bit(),
            reads_rs2: bit(),
            instead_of_rs1: bits(32),
            instead_of_rs2: bits(32),
            executed: RegWrite::shape(),
            committed: RegWrite::shape(),
            commits: bit(),
        }
    }
    fn outputs(&self) -> RegFileOut<Shape> {
        RegFileOut { a: bits(32), b: bits(32) }
    }
    fn build(&self, m: &Builder, i: RegFileIn<UInt>) -> RegFileOut<UInt> {
        let file = match self.kind {
            RegisterFile::LutRam => lut_ram(m, &i),
            RegisterFile::BlockRam => block_ram(m, &i),
        };
        let a = file("rs1", Read { rs: i.rs1, next_rs: i.next_rs1, reads: i.reads_rs1 });
        let b = file("rs2", Read { rs: i.rs2, next_rs: i.next_rs2, reads: i.reads_rs2 });
        RegFileOut { a: a | i.instead_of_rs1, b: b | i.instead_of_rs2 }
    }
}

/// An operand.
struct Read {
    /// Number of the register.
    rs: UInt,
    /// What that will be in the next cycle.
    next_rs: UInt,
    /// It is read; else the operand is 0.
    reads: UInt,
}

impl Read {
    /// Whether it is the register of a result that is on its way. Nothing writes x0, and synthesis knows no initial contents: it is no source at all.
    fn is(&self, write: RegWrite<UInt>) -> UInt {
        self.reads & self.rs.any() & write.rd.eq(self.rs)
    }
}

type File<'a> = Box<dyn Fn(&str, Read) -> UInt + 'a>;

/// Registers that are read without a clock. Four values for an operand, of the two halves of the file and of the two stages, pass two LUTs of four inputs for each
/// bit: the second LUT either lets the first one's value pass or takes it, then the same for all bits, as the choice between two more.
fn lut_ram<'a>(m: &'a Builder, i: &'a RegFileIn<UInt>) -> File<'a> {
    let writes = i.commits & i.committed.rd.any();
    let half = |name: &str, written: UInt| {
        let half = m.memory(name, 16, 32);
        m.when(writes & written, || half.write(i.committed.rd.slice(0, 4), i.committed.value));
        half
    };
    let low = half("registers_low", !i.committed.rd.msb());
    let high = half("registers_high", i.committed.rd.msb());
    let select = |choice: UInt, yes: UInt, no: UInt| (choice & yes) | (!choice & no);
    Box::new(move |name, read| {
        let node = |what: &str, value: UInt| m.node(&format!("{name}_{what}"), value);
        let from_x = node("from_x", read.is(i.executed));
        let from_c = read.is(i.committed);
        let stored = node("is_stored", read.reads & read.rs.any() & !from_x & !from_c);
        let forwards = node("forwards", from_x | from_c);
        let choice = node("choice", (stored & read.rs.msb()) | from_x);
        let stored_in = |half: &Memory, name: &str| half.read_async(name, read.rs.slice(0, 4));
        let (low, high) =
            (stored_in(&low, &format!("low_{name}")), stored_in(&high, &format!("high_{name}")));
        let choice = choice.repeat(32);
        let first = node("first", select(stored.repeat(32), select(choice, high, low), choice));
        select(forwards.repeat(32), select(first, i.executed.value, i.committed.value), first)
    })
}

/// Registers that are read with the clock, in the cycle before.
fn block_ram<'a>(m: &'a Builder, i: &'a RegFileIn<UInt>) -> File<'a> {
    let registers = m.memory("registers", 32, 32);
    m.when(i.commits & i.committed.rd.any(), || registers.write(i.committed.rd, i.committed.value));
    // What the read misses: the write at the edge at which it reads.
    let missed = m.regs("missed", RegWrite::shape());
    m.connect(missed, RegWrite { rd: i.commits.mux(i.committed.rd, 0), ..i.committed });
    Box::new(move |name, read| {
        let stored = registers.read(&format!("stored_{name}"), read.next_rs);
        let (from_x, from_c, from_missed) = (read.is(i.executed), read.is(i.committed), read.is(missed));
        let older = only(from_c & !from_x, i.committed.value)
            | only(from_missed & !from_c & !from_x, missed.value)
            | only(read.reads & read.rs.any() & !from_x & !from_c & !from_missed, stored);
        only(from_x, i.executed.value) | older
    })
}
