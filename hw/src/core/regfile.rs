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
        let registers = m.memory("registers", 32, 32);
        m.when(i.commits & i.committed.rd.ne(0), || registers.write(i.committed.rd, i.committed.value));
        // What a synchronous read misses: the write at the edge at which it reads.
        let missed = (self.kind == RegisterFile::BlockRam).then(|| {
            let missed = m.regs("missed", RegWrite::shape());
            m.connect(missed, RegWrite { rd: i.commits.mux(i.committed.rd, 0), ..i.committed });
            missed
        });
        let operand = |name: &str, rs: UInt, next_rs: UInt, reads: UInt, instead: UInt| {
            let stored = match self.kind {
                RegisterFile::LutRam => registers.read_async(name, rs),
                RegisterFile::BlockRam => registers.read(name, next_rs),
            };
            // Nothing writes x0, and synthesis knows no initial contents: it is no source at all.
            let reads = reads & rs.any();
            let from_x = reads & i.executed.rd.eq(rs);
            let from_c = reads & i.committed.rd.eq(rs);
            let from_missed = missed.map_or(m.constant(Bits::zero(1)), |missed| reads & missed.rd.eq(rs));
            let mut older = only(from_c & !from_x, i.committed.value);
            if let Some(missed) = missed {
                older = older | only(from_missed & !from_c & !from_x, missed.value);
            }
            older = older | only(reads & !from_x & !from_c & !from_missed, stored);
            only(from_x, i.executed.value) | older | instead
        };
        RegFileOut {
            a: operand("stored_rs1", i.rs1, i.next_rs1, i.reads_rs1, i.instead_of_rs1),
            b: operand("stored_rs2", i.rs2, i.next_rs2, i.reads_rs2, i.instead_of_rs2),
        }
    }
}
