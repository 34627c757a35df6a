//! The integer registers, and the newest values of those still on their way there.

use ferrite_hdl::prelude::*;

/// A write to a register; none where `rd` is 0.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct RegWrite<T> {
    /// Number of the register.
    pub rd: T,
    /// Its new value.
    pub value: T,
}

/// Inputs of the register file.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct RegFileIn<T> {
    /// Number of the first register read.
    pub rs1: T,
    /// Number of the second register read.
    pub rs2: T,
    /// The result of the instruction in execute, which comes after the one that commits.
    pub executed: RegWrite<T>,
    /// The result that is written at the end of this cycle.
    pub committed: RegWrite<T>,
}

/// Outputs of the register file.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct RegFileOut<T> {
    /// Value of the first register.
    pub rs1_value: T,
    /// Value of the second register.
    pub rs2_value: T,
}

/// `x0` to `x31`, read without a clock, with forwarding of both results that are newer than the registers.
#[module]
pub struct RegFile {}

impl Module for RegFile {
    type In = RegFileIn<UInt>;
    type Out = RegFileOut<UInt>;

    fn inputs(&self) -> RegFileIn<Shape> {
        let result = RegWrite { rd: bits(5), value: bits(32) };
        RegFileIn { rs1: bits(5), rs2: bits(5), executed: result, committed: result }
    }
    fn outputs(&self) -> RegFileOut<Shape> {
        RegFileOut { rs1_value: bits(32), rs2_value: bits(32) }
    }
    fn build(&self, m: &Builder, i: RegFileIn<UInt>) -> RegFileOut<UInt> {
        let registers = m.memory("registers", 32, 32);
        m.when(i.committed.rd.ne(0), || registers.write(i.committed.rd, i.committed.value));
        let newest = |rs: UInt, stored: UInt| {
            // Nothing writes x0, and synthesis knows no initial contents.
            let stored = rs.any().mux(stored, 0);
            let from = |result: RegWrite<UInt>| result.rd.ne(0) & result.rd.eq(rs);
            let older = from(i.committed).mux(i.committed.value, stored);
            from(i.executed).mux(i.executed.value, older)
        };
        RegFileOut {
            rs1_value: newest(i.rs1, registers.read_async("stored_rs1", i.rs1)),
            rs2_value: newest(i.rs2, registers.read_async("stored_rs2", i.rs2)),
        }
    }
}
