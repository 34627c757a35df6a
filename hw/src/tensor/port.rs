//! The core's instructions for the tensor unit (`docs/tensor-unit.md`).

use ferrite_hdl::library::{Stream, one_hot_mux};
use ferrite_hdl::prelude::*;

use super::list::{List, ListFetchOut, RECORD_BYTES};
use crate::command::Cause;
use crate::core::CoprocessorPort;
use crate::record::{FrontRegister, RecordQueue};
use crate::unit::UnitOut;

/// Instructions that wait.
const INSTRUCTIONS: u32 = 4;
/// Pairs of words of a command.
const PAIRS: u32 = RECORD_BYTES / 8;

/// `funct7` of the instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encoding)]
#[encoding(width = 7)]
#[allow(missing_docs)] // The mnemonics of the reference.
pub enum Instruction {
    Status = 0x00,
    Fence = 0x01,
    Counter = 0x02,
    Clear = 0x03,
    Push = 0x04,
    Run = 0x05,
    Info = 0x06,
    Interrupt = 0x07,
}

/// What the port is told.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct PortStatus<T> {
    /// By the unit.
    pub unit: UnitOut<T>,
    /// By what fetches its lists.
    pub lists: ListFetchOut<T>,
}

impl PortStatus<Shape> {
    fn shape() -> PortStatus<Shape> {
        PortStatus { unit: UnitOut::shape(), lists: ListFetchOut::shape() }
    }
}

/// Ports of the module.
#[derive(Clone, Debug, Bundle)]
pub struct PortIn<T> {
    /// The core.
    pub coprocessor: CoprocessorPort<T>,
    /// The unit and its lists.
    pub status: PortStatus<T>,
    /// Words of commands that were pushed.
    #[flip]
    pub pairs: Stream<T>,
    /// A list begins.
    #[flip]
    pub list_valid: T,
    /// It.
    #[flip]
    pub list: List<T>,
    /// It is taken.
    pub list_ready: T,
}

/// Outputs of the module.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct PortOut<T> {
    /// The unit is to be reset; one cycle.
    pub clear: T,
    /// Lists are to be dropped.
    pub drop: T,
    /// An error that is none of a command's: its cause, for one cycle; else 0.
    pub refuse: T,
    /// The counter that is asked for.
    pub counter: T,
    /// The interrupt line.
    pub interrupt: T,
}

/// Carries the instructions out. What only asks is answered at once; `t.clear` begins at once; the others wait in a queue for those before them, the first one judged
/// already, and only `t.fence` is answered from its end.
#[module]
pub struct Port {}

/// An instruction.
#[derive(Clone, Copy, Debug, Bundle)]
struct Operands<T> {
    funct7: T,
    rs1: T,
    rs2: T,
}

/// An instruction that was judged.
#[derive(Clone, Copy, Debug, Bundle)]
struct Judged<T> {
    pushes: T,
    fences: T,
    /// Runs a list of one command at least.
    runs: T,
    /// Runs a list of none.
    does_nothing: T,
    /// Why it is refused, if no pushed command is half there: a [`Cause`] or none.
    refusal: T,
    rs1: T,
    rs2: T,
}

/// A command's number in 32-bit addresses.
fn record_of(address: UInt) -> UInt {
    address.slice(RECORD_BYTES.ilog2(), 32 - RECORD_BYTES.ilog2())
}

/// Judges an instruction that waits.
fn judge(m: &Builder, Operands { funct7, rs1, rs2 }: Operands<UInt>) -> Judged<UInt> {
    let record = record_of(rs1);
    wire!(m, beyond = (record.extend(34) + rs2.extend(34)).gt(1u64 << record.width()));
    wire!(m, is_empty = !rs2.any());
    let refusal = m.wire("judged_refusal", Cause::shape());
    refusal.set(Cause::None);
    m.switch(funct7, |s| {
        s.cases([Instruction::Fence, Instruction::Push], || ());
        s.case(Instruction::Interrupt, || refusal.set(Cause::Field));
        s.case(Instruction::Run, || {
            m.when(is_empty, || ())
                .otherwise_when(rs1.truncate(RECORD_BYTES.ilog2()).any(), || refusal.set(Cause::Alignment))
                .otherwise_when(beyond, || refusal.set(Cause::Outside));
        });
        s.default(|| refusal.set(Cause::Unknown));
    });
    Judged {
        pushes: funct7.is(Instruction::Push),
        fences: funct7.is(Instruction::Fence),
        runs: funct7.is(Instruction::Run) & !is_empty,
        does_nothing: funct7.is(Instruction::Run) & is_empty,
        refusal,
        rs1,
        rs2,
    }
}

impl Module for Port {
    type In = PortIn<UInt>;
    type Out = PortOut<UInt>;

    fn name(&self) -> String {
        "TensorPort".to_string()
    }
    fn inputs(&self) -> PortIn<Shape> {
        PortIn {
            coprocessor: CoprocessorPort::shape(),
            status: PortStatus::shape(),
            pairs: Stream::of(bits(64)),
            list_valid: bit(),
            list: List::shape(),
            list_ready: bit(),
        }
    }
    fn outputs(&self) -> PortOut<Shape> {
        PortOut { clear: bit(), drop: bit(), refuse: Cause::shape(), counter: bits(4), interrupt: bit() }
    }
    fn build(&self, m: &Builder, i: PortIn<UInt>) -> PortOut<UInt> {
        let PortIn { coprocessor, status: PortStatus { unit, lists }, pairs, list_valid, list, list_ready } =
            i;
        let flag = |name| m.reg(name, 1).reset_to(0);
        let (awaited, clears) = (flag("awaited"), flag("clears"));
        let enables = m.reg("enables", 2).reset_to(0);

        // From the core: at once, or into the queue.
        let offered = coprocessor.command;
        let is = |instruction: Instruction| offered.funct7.is(instruction);
        let queue = RecordQueue::new(
            m,
            "instructions",
            INSTRUCTIONS,
            Operands { funct7: bits(7), rs1: bits(32), rs2: bits(32) },
        );
        wire!(m, interrupt_fields = is(Instruction::Interrupt) & !offered.rs1.slice(2, 30).any());
        wire!(
            m,
            at_once = is(Instruction::Status)
                | is(Instruction::Counter)
                | is(Instruction::Info)
                | is(Instruction::Clear)
                | interrupt_fields
        );
        let ready = !awaited & queue.ready;
        coprocessor.ready.set(ready);
        wire!(m, taken = offered.valid & ready);
        wire!(m, takes_clear = taken & is(Instruction::Clear));
        let operands = Operands { funct7: offered.funct7, rs1: offered.rs1, rs2: offered.rs2 };
        queue.put(offered.valid & !awaited & !at_once, operands);
        m.when(taken & interrupt_fields, || enables.set(offered.rs1.truncate(2)));

        // The first one, judged, behind which the next ones wait.
        let shape = Judged {
            pushes: bit(),
            fences: bit(),
            runs: bit(),
            does_nothing: bit(),
            refusal: Cause::shape(),
            rs1: bits(32),
            rs2: bits(32),
        };
        let FrontRegister { valid: has_first, front: first, takes: may_go, moves } =
            FrontRegister::new(m, "first", shape, queue.valid, judge(m, queue.front));
        queue.takes.set(moves);
        wire!(m, waits = queue.valid | has_first);
        // A list that could not be fetched is under way until that is told.
        wire!(m, unit_busy = unit.busy | lists.busy | lists.failed);
        let pushed = m.reg("pushed", PAIRS.ilog2()).reset_to(0);
        wire!(m, splits_command = first.runs & pushed.any());
        wire!(m, bad = splits_command | first.refusal.ne(Cause::None));
        wire!(m, works = has_first & !unit.error & !clears);
        wire!(m, pushes = works & first.pushes & !lists.busy);
        pairs.valid.set(pushes);
        pairs.data.set(first.rs2.concat(first.rs1));
        wire!(m, runs = works & first.runs & !bad);
        list_valid.set(runs);
        list.first.set(record_of(first.rs1));
        list.count.set(first.rs2.truncate(list.count.width()));
        wire!(m, fences = has_first & first.fences);
        // Errors of instructions come when all before them is finished, so that an error of a command before them is told.
        let refuses = m.wire("refuses", Cause::shape());
        m.when(lists.failed & !unit.busy, || refuses.set(Cause::List))
            .otherwise_when(works & bad & !unit_busy, || {
                refuses.set(splits_command.mux(Cause::Field as u32, first.refusal));
            })
            .otherwise(|| refuses.set(Cause::None));
        let goes = [
            first.fences & !unit_busy,
            first.pushes & (unit.error | (!lists.busy & pairs.ready)),
            first.runs & !bad & (unit.error | list_ready),
            bad & (unit.error | !unit_busy),
            first.does_nothing,
        ];
        may_go.set(clears | concat(goes).any());
        m.when(pushes & pairs.ready, || pushed.set(pushed.wrapping_add(1)));
        m.when(takes_clear, || {
            clears.set(1);
            pushed.set(0);
            enables.set(0);
        });
        let begins_to_clear = flag("begins_to_clear");
        begins_to_clear.set(takes_clear);
        wire!(m, cleared = clears & !begins_to_clear & !unit.clearing & !lists.busy & !waits);
        m.when(cleared, || clears.set(0));

        // Answers: what is asked for is kept, and looked up in the next cycle.
        let asks = flag("asks");
        wire!(m, is_awaited = offered.funct7.is(Instruction::Fence) | offered.funct7.is(Instruction::Clear));
        asks.set(taken & !is_awaited);
        let asks_for = |name: &str, instruction: Instruction| m.delay(name, offered.funct7.is(instruction));
        let asks_counter = asks_for("asks_counter", Instruction::Counter);
        let asks_info = asks_for("asks_info", Instruction::Info);
        let asks_number = m.delay("asks_number", offered.rs1.eq(0));
        let asks_address = m.delay("asks_address", offered.rs1.eq(1));
        let cause = unit.cause;
        let word = concat([
            m.constant(Bits::zero(20)),
            cause,
            m.constant(Bits::zero(6)),
            unit.error,
            (waits & !unit.error) | unit_busy,
        ]);
        let address = cause.is(Cause::List).mux(lists.address, unit.address);
        let info = one_hot_mux(asks_address.concat(asks_number), &[unit.number, address]);
        wire!(m, fenced = fences & !unit_busy & !clears);
        m.when(taken, || awaited.set(is_awaited)).otherwise_when(fenced | cleared, || awaited.set(0));
        let answered = flag("answered");
        answered.set(asks | fenced | cleared);
        let answer = m.reg("answer", 32);
        let counter = m.delay("counter_now", offered.rs1.slice(4, 28).any().mux(0, unit.counter));
        let found = asks_counter.mux(counter, asks_info.mux(info, word));
        answer.set(fenced.mux(word & !m.constant(Bits::from_u64(32, 1)), found));
        coprocessor.response.valid.set(answered);
        coprocessor.response.data.set(answer);

        let interrupt = flag("interrupt");
        let idle = !unit_busy & !waits;
        interrupt.set((enables.bit(0) & idle) | (enables.bit(1) & unit.error));
        PortOut {
            clear: begins_to_clear,
            drop: clears | unit.error,
            refuse: refuses,
            counter: offered.rs1.truncate(4),
            interrupt,
        }
    }
}
