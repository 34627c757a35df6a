//! Where commands enter and responses leave.

use ferrite_hdl::library::Queue;
use ferrite_hdl::prelude::*;

use super::command::{Command, Operands};
use crate::core::{CommandResponse, CoprocessorPort};

/// Commands that wait while one executes. The core writes a tile with one command for 8 bytes, and goes on with loading the next
/// bytes meanwhile: a few are enough.
const QUEUE_DEPTH: u32 = 4;

/// Commands in program order. One passes at a clock edge with `valid` and `ready` high.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Commands<T> {
    /// A command is offered.
    pub valid: T,
    /// The command.
    pub command: Operands<T>,
    /// It is taken.
    #[flip]
    pub ready: T,
}

impl Commands<Shape> {
    /// The widths.
    pub fn shape() -> Commands<Shape> {
        Commands { valid: bit(), command: Operands::shape(), ready: bit() }
    }
}

/// Ports of the command port.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct CommandPortIn<T> {
    /// The core.
    pub coprocessor: CoprocessorPort<T>,
    /// The sequencer.
    #[flip]
    pub commands: Commands<T>,
    /// The sequencer has finished a command that returns a value.
    pub result: CommandResponse<T>,
    /// The status word.
    pub status: T,
}

/// Takes commands from the core into a queue. `t.status` is answered past the queue; a command that returns nothing is answered
/// as soon as it is queued; any other when the sequencer has its result.
#[module]
pub struct CommandPort {}

impl Module for CommandPort {
    type In = CommandPortIn<UInt>;
    type Out = Empty<UInt>;

    fn inputs(&self) -> CommandPortIn<Shape> {
        CommandPortIn {
            coprocessor: CoprocessorPort::shape(),
            commands: Commands::shape(),
            result: CommandResponse { valid: bit(), data: bits(32) },
            status: bits(32),
        }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: CommandPortIn<UInt>) -> Empty<UInt> {
        let offered = i.coprocessor.command;
        let awaits_result = m.reg("awaits_result", 1).reset_to(0);
        wire!(m, is_status = offered.funct7.is(Command::Status));
        wire!(m, is_waiting = Command::any_of(offered.funct7, Command::WAITING));

        let width = offered.funct7.width() + offered.rs1.width() + offered.rs2.width();
        let queue = m.instance("queue", &Queue { width, depth: QUEUE_DEPTH });
        let ready = !awaits_result & (is_status | queue.i.enq.ready);
        i.coprocessor.ready.set(ready);
        wire!(m, taken = offered.valid & ready);
        let word = queue.i.deq.data;
        i.commands.valid.set(queue.i.deq.valid);
        i.commands.command.funct7.set(word.slice(64, 7));
        i.commands.command.rs1.set(word.slice(32, 32));
        i.commands.command.rs2.set(word.slice(0, 32));
        queue.i.enq.valid.set(taken & !is_status);
        queue.i.enq.data.set(concat([offered.funct7, offered.rs1, offered.rs2]));
        queue.i.deq.ready.set(i.commands.ready);

        let response_valid = m.reg("response_valid", 1).reset_to(0);
        let response_data = m.reg("response_data", 32);
        response_valid.set((taken & !is_waiting) | i.result.valid);
        response_data.set(i.result.valid.mux(i.result.data, (taken & is_status).mux(i.status, 0)));
        m.when(taken, || awaits_result.set(is_waiting)).otherwise_when(i.result.valid, || {
            awaits_result.set(0);
        });
        m.assert("results_are_awaited", awaits_result | !i.result.valid);
        i.coprocessor.response.valid.set(response_valid);
        i.coprocessor.response.data.set(response_data);
        Empty::new()
    }
}
