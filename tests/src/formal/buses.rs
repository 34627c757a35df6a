//! What is assumed of the buses and the coprocessor, which otherwise answer as the solver pleases, and what the core owes them.

use ferrite_hdl::prelude::*;
use ferrite_hw::core::{Bus, BusRequest, CoreIn};

/// Cycles that a port may refuse a request, and that it may let the core wait for an answer, where it is to be proved that something
/// happens at all.
const PATIENCE: u64 = 1;

/// What is under way at a port.
#[derive(Clone, Copy)]
pub struct Port {
    /// A request passes in this cycle.
    pub passes: UInt,
    /// There is a request without an answer.
    pub outstanding: UInt,
    /// An answer comes in this cycle.
    pub answers: UInt,
}

/// The instruction bus.
#[derive(Clone, Copy)]
pub struct FetchPort {
    /// Its traffic.
    pub port: Port,
    /// The address last asked for.
    pub asked: UInt,
}

/// The data bus.
#[derive(Clone, Copy)]
pub struct DataPort {
    /// Its traffic.
    pub port: Port,
    /// The request that passed last.
    pub asked: BusRequest<UInt>,
    /// In the cycle before, an answer came.
    pub answered: UInt,
    /// That answer was an error.
    pub failed: UInt,
}

/// The coprocessor's port.
#[derive(Clone, Copy)]
pub struct CommandPort {
    /// Its traffic.
    pub port: Port,
    /// `funct7`, `rs1` and `rs2` of the command that passed last.
    pub asked: [UInt; 3],
    /// In the cycle before, an answer came.
    pub answered: UInt,
    /// What that answer said.
    pub data: UInt,
}

/// All ports of the core.
#[derive(Clone, Copy)]
pub struct Buses {
    /// Instructions.
    pub fetch: FetchPort,
    /// Data.
    pub data: DataPort,
    /// Commands.
    pub command: CommandPort,
}

impl Buses {
    /// Assumes and asserts the protocol of every port.
    pub fn new(m: &Builder, i: &CoreIn<UInt>) -> Buses {
        let command = i.coprocessor.command;
        let [ibus, dbus] = [("ibus", i.ibus), ("dbus", i.dbus)].map(|(name, bus)| {
            let Bus { request, ready, response } = bus;
            let BusRequest { addr, write, wdata, mask, .. } = request;
            // What a load holds where the data of a store stand is of no importance, but it must hold still as well.
            let payload = concat([addr, write, wdata, mask]);
            port(m, name, request.valid, payload, ready, response.valid)
        });
        let payload = concat([command.funct7, command.rs1, command.rs2]);
        let coprocessor =
            port(m, "command", command.valid, payload, i.coprocessor.ready, i.coprocessor.response.valid);
        let held = |name: &str, port: Port, value: UInt| {
            let register = m.reg(name, value.width());
            m.when(port.passes, || register.set(value));
            register
        };
        let asked = m.regs("data_asked", Bus::shape().request);
        m.when(dbus.passes, || m.connect(asked, i.dbus.request));
        let commands = [("funct7", command.funct7), ("rs1", command.rs1), ("rs2", command.rs2)];
        Buses {
            fetch: FetchPort { port: ibus, asked: held("fetch_asked", ibus, i.ibus.request.addr) },
            data: DataPort {
                port: dbus,
                asked,
                answered: m.delay("data_answered", i.dbus.response.valid),
                failed: m.delay("data_failed", i.dbus.response.valid & i.dbus.response.error),
            },
            command: CommandPort {
                port: coprocessor,
                asked: commands
                    .map(|(name, value)| held(&format!("command_asked_{name}"), coprocessor, value)),
                answered: m.delay("command_answered", i.coprocessor.response.valid),
                data: m.delay("command_data", i.coprocessor.response.data),
            },
        }
    }
}

fn port(m: &Builder, name: &str, valid: UInt, payload: UInt, ready: UInt, answers: UInt) -> Port {
    let named = |what: &str| format!("{name}_{what}");
    let passes = m.node(&named("passes"), valid & ready);
    let outstanding = m.reg(&named("outstanding"), 1).reset_to(0);
    m.when(passes, || outstanding.set(1)).otherwise_when(answers, || outstanding.set(0));
    // The slave's part.
    m.assume(&named("answers_what_was_asked"), !answers | outstanding);
    m.assume(&named("takes_one_request_at_a_time"), !ready | !outstanding | answers);
    // The core's part. After a reset nothing has been asked for.
    let refused = m.reg(&named("refused"), 1).reset_to(0);
    refused.set(valid & !ready);
    let before = m.delay(&named("payload_before"), payload);
    m.assert(&named("request_is_not_withdrawn"), !refused | valid);
    m.assert(&named("request_does_not_change"), !refused | payload.eq(before));
    // Patience, for liveness.
    let waited = |what: &str, waits: UInt| {
        let count = m.reg(&named(what), 2).reset_to(0);
        m.when(waits, || count.set(count.wrapping_add(1))).otherwise(|| count.set(0));
        m.assume(&named(&format!("{what}_is_bounded")), !waits | count.lt(PATIENCE));
    };
    waited("refusal", valid & !ready);
    waited("silence", outstanding & !answers);
    Port { passes, outstanding, answers }
}
