//! The commands: their numbers, and the rules that each must obey (`docs/tensor-unit.md`, "Commands" and "Errors").

use ferrite_hdl::prelude::*;

use super::TensorUnit;
use super::counters::Counters;

/// `funct7` of the commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encoding)]
#[encoding(width = 7)]
#[allow(missing_docs)] // The mnemonics of the command reference.
pub enum Command {
    Status = 0x00,
    Fence = 0x01,
    Counter = 0x02,
    Clear = 0x03,
    Addr = 0x08,
    Write = 0x09,
    Read = 0x0A,
    Stride = 0x10,
    Output = 0x11,
    Bias = 0x12,
    Scale = 0x13,
    Weights = 0x20,
    Matmul = 0x21,
    MatmulAcc = 0x22,
    Requant = 0x23,
}

impl Command {
    /// Commands that return a value once all before them have finished.
    pub const WAITING: [Command; 3] = [Command::Fence, Command::Counter, Command::Read];
    /// Commands that work in spite of an error.
    pub const ALWAYS: [Command; 4] = [Command::Status, Command::Fence, Command::Counter, Command::Clear];

    /// Whether `funct7` is one of these commands.
    pub(super) fn any_of(funct7: UInt, commands: impl IntoIterator<Item = Command>) -> UInt {
        concat(commands.into_iter().map(|command| funct7.is(command))).any()
    }
}

/// Why a command is refused, with the number that the status word has for it. Where several apply, the lowest is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encoding)]
pub enum Cause {
    /// No rule is broken.
    None = 0,
    /// The command is not in the table.
    Unknown = 1,
    /// A reserved bit is set, or a field is outside its range.
    Field = 2,
    /// An address, stride or host pointer is not aligned.
    Alignment = 3,
    /// An address or column lies outside.
    Outside = 4,
}

/// A command with its operands.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Operands<T> {
    /// Which command.
    pub funct7: T,
    /// First operand.
    pub rs1: T,
    /// Second operand.
    pub rs2: T,
}

impl Operands<Shape> {
    /// The widths.
    pub fn shape() -> Operands<Shape> {
        Operands { funct7: Command::shape(), rs1: bits(32), rs2: bits(32) }
    }
}

impl Operands<UInt> {
    /// `acc row` of the commands that work on accumulators.
    pub(super) fn acc_row(&self) -> UInt {
        self.rs2.slice(0, 16)
    }

    /// `rows` of the commands that work on accumulators.
    pub(super) fn rows(&self) -> UInt {
        self.rs2.slice(16, 16)
    }
}

/// Inputs of the check.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct CheckIn<T> {
    /// The command.
    pub command: Operands<T>,
    /// Bytes from the first row to the last one that it touches: `(rows - 1) * stride`.
    pub span: T,
    /// The host pointer.
    pub pointer: T,
}

/// Output of the check.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct CheckOut<T> {
    /// The lowest [`Cause`] that applies.
    pub cause: T,
}

/// Holds a command against all rules. Combinational.
#[module]
pub struct Check {
    /// The unit's sizes.
    pub unit: TensorUnit,
}

impl Module for Check {
    type In = CheckIn<UInt>;
    type Out = CheckOut<UInt>;

    fn inputs(&self) -> CheckIn<Shape> {
        CheckIn { command: Operands::shape(), span: bits(32), pointer: bits(self.unit.address_bits()) }
    }
    fn outputs(&self) -> CheckOut<Shape> {
        CheckOut { cause: Cause::shape() }
    }
    fn build(&self, m: &Builder, i: CheckIn<UInt>) -> CheckOut<UInt> {
        let TensorUnit { rows, cols, scratchpad_bytes, acc_rows } = self.unit;
        let (rs1, rs2) = (i.command.rs1, i.command.rs2);
        let misaligned = |value: UInt, unit: u32| value.slice(0, unit.ilog2()).any();
        // Exact: 32 bits of address, 32 of span and a width need 34.
        let beyond = |span: UInt, bytes: u32| ((rs1 + span) + bytes).gt(scratchpad_bytes);
        let acc_rows_touched = i.command.rows().any().mux(i.command.rows(), 1);
        wire!(m, acc_beyond = (i.command.acc_row() + acc_rows_touched).gt(acc_rows));
        let nothing = m.constant(Bits::zero(32));

        let [unknown, field, alignment, outside] = ["unknown", "field", "alignment", "outside"].map(|rule| {
            let broken = m.wire(rule, 1);
            broken.set(0);
            broken
        });
        m.switch(i.command.funct7, |s| {
            s.cases([Command::Status, Command::Fence, Command::Clear, Command::Read], || ());
            s.case(Command::Counter, || field.set(rs1.ge(Counters::COUNT)));
            s.case(Command::Addr, || {
                alignment.set(misaligned(rs1, 4));
                outside.set(rs1.ge(scratchpad_bytes));
            });
            s.case(Command::Write, || alignment.set(misaligned(i.pointer, 8)));
            s.case(Command::Stride, || {
                field.set(rs1.slice(16, 16).any() | rs2.slice(16, 16).any());
                alignment.set(misaligned(rs1, rows) | misaligned(rs2, cols));
            });
            s.case(Command::Output, || field.set(rs1.slice(24, 8).any()));
            s.case(Command::Bias, || outside.set(rs1.ge(cols)));
            s.case(Command::Scale, || {
                let shift = rs1.slice(16, 6);
                let shift_bad = shift.eq(0) | shift.eq(63);
                field.set(rs1.slice(22, 10).any() | shift_bad | rs2.msb());
                outside.set(rs1.slice(0, 16).ge(cols));
            });
            s.case(Command::Weights, || {
                alignment.set(misaligned(rs1, cols));
                outside.set(beyond(nothing, rows * cols));
            });
            s.cases([Command::Matmul, Command::MatmulAcc], || {
                alignment.set(misaligned(rs1, rows));
                outside.set(beyond(i.span, rows) | acc_beyond);
            });
            s.case(Command::Requant, || {
                alignment.set(misaligned(rs1, cols));
                outside.set(beyond(i.span, cols) | acc_beyond);
            });
            s.default(|| unknown.set(1));
        });

        let cause = m.wire("cause", Cause::shape());
        m.when(unknown, || cause.set(Cause::Unknown))
            .otherwise_when(field, || cause.set(Cause::Field))
            .otherwise_when(alignment, || cause.set(Cause::Alignment))
            .otherwise_when(outside, || cause.set(Cause::Outside))
            .otherwise(|| cause.set(Cause::None));
        CheckOut { cause }
    }
}
