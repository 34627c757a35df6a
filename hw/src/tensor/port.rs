//! The core's instructions for the tensor unit (`docs/tensor-unit.md`).

use ferrite_hdl::library::Stream;
use ferrite_hdl::prelude::*;

use super::list::{List, ListFetchOut, RECORD_BYTES};
use crate::command::Cause;
use crate::core::CoprocessorPort;
use crate::record::RecordQueue;
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

/// Carries the instructions out. What only asks is answered at once; `t.clear` begins at once; the others wait in a queue for those before them, and only
/// `t.fence` is answered from its end.
#[module]
pub struct Port {}

/// An instruction.
#[derive(Clone, Copy, Debug, Bundle)]
struct Operands<T> {
    funct7: T,
    rs1: T,
    rs2: T,
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
        wire!(m, clear = taken & is(Instruction::Clear));
        let operands = Operands { funct7: offered.funct7, rs1: offered.rs1, rs2: offered.rs2 };
        queue.put(offered.valid & !awaited & !at_once, operands);
        m.when(taken & interrupt_fields, || enables.set(offered.rs1.truncate(2)));

        // The first one in the queue.
        let first = queue.front;
        let is = |instruction: Instruction| first.funct7.is(instruction);
        // A list that could not be fetched is under way until that is told.
        wire!(m, unit_busy = unit.busy | lists.busy | lists.failed);
        let pushed = m.reg("pushed", PAIRS.ilog2()).reset_to(0);
        let record = first.rs1.slice(RECORD_BYTES.ilog2(), 32 - RECORD_BYTES.ilog2());
        wire!(m, beyond = (record.extend(34) + first.rs2.extend(34)).gt(1u64 << record.width()));
        let refusal = m.wire("refusal", Cause::shape());
        refusal.set(Cause::None);
        m.switch(first.funct7, |s| {
            s.cases([Instruction::Fence, Instruction::Push], || ());
            s.case(Instruction::Interrupt, || refusal.set(Cause::Field));
            s.case(Instruction::Run, || {
                m.when(!first.rs2.any(), || ())
                    .otherwise_when(pushed.ne(0), || refusal.set(Cause::Field))
                    .otherwise_when(first.rs1.truncate(RECORD_BYTES.ilog2()).any(), || {
                        refusal.set(Cause::Alignment);
                    })
                    .otherwise_when(beyond, || refusal.set(Cause::Outside));
            });
            s.default(|| refusal.set(Cause::Unknown));
        });
        wire!(m, bad = refusal.ne(Cause::None));
        wire!(m, works = queue.valid & !unit.error & !clears);
        wire!(m, pushes = works & is(Instruction::Push) & !lists.busy);
        pairs.valid.set(pushes);
        pairs.data.set(first.rs2.concat(first.rs1));
        wire!(m, runs = works & is(Instruction::Run) & !bad & first.rs2.any());
        list_valid.set(runs);
        list.first.set(record);
        list.count.set(first.rs2.truncate(list.count.width()));
        wire!(m, fences = queue.valid & is(Instruction::Fence));
        // Errors of instructions come when all before them is finished, so that an error of a command before them is told.
        let refuses = m.wire("refuses", Cause::shape());
        m.when(lists.failed & !unit.busy, || refuses.set(Cause::List))
            .otherwise_when(works & bad & !unit_busy, || refuses.set(refusal))
            .otherwise(|| refuses.set(Cause::None));
        let may_go = m.wire("may_go", 1);
        m.when(clears, || may_go.set(1))
            .otherwise_when(fences, || may_go.set(!unit_busy))
            .otherwise_when(unit.error, || may_go.set(1))
            .otherwise_when(pushes, || may_go.set(pairs.ready))
            .otherwise_when(runs, || may_go.set(list_ready))
            .otherwise_when(bad, || may_go.set(!unit_busy))
            .otherwise(|| may_go.set(is(Instruction::Run)));
        queue.takes.set(may_go);
        m.when(pushes & pairs.ready, || pushed.set(pushed.wrapping_add(1)));
        m.when(clear, || {
            clears.set(1);
            pushed.set(0);
            enables.set(0);
        });
        wire!(m, cleared = clears & !unit.clearing & !lists.busy & !queue.valid);
        m.when(cleared, || clears.set(0));

        // Answers.
        let cause = unit.cause;
        let word = concat([
            m.constant(Bits::zero(20)),
            cause,
            m.constant(Bits::zero(6)),
            unit.error,
            (queue.valid & !unit.error) | unit_busy,
        ]);
        let info = m.wire("info", 32);
        m.when(offered.rs1.eq(0), || info.set(unit.number))
            .otherwise_when(offered.rs1.eq(1) & cause.eq(Cause::List), || info.set(lists.address))
            .otherwise_when(offered.rs1.eq(1), || info.set(unit.address))
            .otherwise(|| info.set(0));
        wire!(m, fenced = fences & !unit_busy & !clears);
        wire!(m, waits = offered.funct7.is(Instruction::Fence) | offered.funct7.is(Instruction::Clear));
        m.when(taken, || awaited.set(waits)).otherwise_when(fenced | cleared, || awaited.set(0));
        let answered = flag("answered");
        answered.set((taken & !waits) | fenced | cleared);
        let answer = m.reg("answer", 32);
        let counter = offered.rs1.slice(4, 28).any().mux(0, unit.counter);
        let asked = offered
            .funct7
            .is(Instruction::Counter)
            .mux(counter, offered.funct7.is(Instruction::Info).mux(info, word));
        answer.set(fenced.mux(word & !m.constant(Bits::from_u64(32, 1)), asked));
        coprocessor.response.valid.set(answered);
        coprocessor.response.data.set(answer);

        let interrupt = flag("interrupt");
        let idle = !unit_busy & !queue.valid;
        interrupt.set((enables.bit(0) & idle) | (enables.bit(1) & unit.error));
        PortOut {
            clear,
            drop: clears | unit.error,
            refuse: refuses,
            counter: offered.rs1.truncate(4),
            interrupt,
        }
    }
}
