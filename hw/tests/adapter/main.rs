//! The adapters between a random master that keeps to the contract of `Bus` and random slaves of AXI4-Lite and Wishbone, with checks written
//! from those specifications.

mod axi4lite;
#[path = "../harness/paths.rs"]
mod depends;
#[path = "../harness/dut.rs"]
mod dut;
mod master;
mod paths;
#[path = "../harness/random.rs"]
mod random;
mod slave;
mod straight;
mod wishbone;

use axi4lite::{Axi4LiteSlave, Kind};
use dut::Dut;
use ferrite_hdl::prelude::*;
use ferrite_hw::adapter::{Axi4LiteData, Axi4LiteFetch, Responses, Wishbone, WishboneMode};
use master::Master;
use slave::{Pace, Slave};
use wishbone::{Answers, WishboneSlave};

const ACCESSES: u64 = 3000;
const SEEDS: u64 = 6;

/// What happened in a run.
struct Seen {
    /// From the first response to the last.
    cycles: u64,
    errors: u64,
}

/// Runs so many accesses; master and slave fail the test if anything is wrong.
fn run<M: Module>(module: &M, mut master: Master, slave: &mut dyn Slave, accesses: u64) -> Seen {
    let mut dut = Dut::new(module);
    // A request is there from the beginning, as that of the core's first instruction.
    for reset in [1u8, 1, 0] {
        dut.poke("rst", reset);
        master.ask(&mut dut);
        slave.in_reset(&|name| dut.peek(name));
        dut.edge();
    }
    let (mut cycles, mut from) = (0, 0);
    while master.finished < accesses {
        cycles += 1;
        if master.finished == 0 {
            from = cycles;
        }
        assert!(cycles < 1000 + accesses * 100, "nothing goes on after {} accesses", master.finished);
        let mut inputs = Vec::new();
        slave.drive(&mut |name, value| inputs.push((name, value)));
        inputs.drain(..).for_each(|(name, value)| dut.poke(name, value));
        master.look(&dut);
        master.ask(&mut dut);
        slave.react(&|name| dut.peek(name), &mut |name, value| inputs.push((name, value)));
        inputs.drain(..).for_each(|(name, value)| dut.poke(name, value));
        master.take(&dut);
        slave.observe(&|name| dut.peek(name));
        dut.edge();
    }
    Seen { cycles: cycles - from, errors: master.errors }
}

/// Random traffic of all kinds.
fn converses<M: Module>(module: &M, writes: bool, slave: impl Fn(u64, Pace) -> Box<dyn Slave>) {
    let mut errors = 0;
    for seed in 0..SEEDS {
        for pace in [Pace::Eager, Pace::Random(2), Pace::Random(6)] {
            let mut slave = slave(seed, pace);
            errors += run(module, Master::new(seed, writes, 4), &mut *slave, ACCESSES).errors;
        }
    }
    assert!(errors > 100, "{errors} errors");
}

/// Cycles for a thousand accesses when master and slave never hesitate.
fn cycles<M: Module>(module: &M, writes: bool, mut slave: impl Slave) -> u64 {
    run(module, Master::new(1, writes, 0), &mut slave, 1001).cycles
}

#[test]
fn loads_and_stores_are_carried_out_once_each_over_axi4_lite_and_errors_arrive() {
    for responses in [Responses::Registered, Responses::Direct] {
        for kind in [Kind::Any, Kind::AddressFirst, Kind::DataFirst] {
            converses(&Axi4LiteData { responses }, true, |seed, pace| {
                Box::new(Axi4LiteSlave::data(seed, pace, kind))
            });
        }
    }
}

#[test]
fn instructions_are_fetched_over_axi4_lite_and_errors_arrive() {
    for responses in [Responses::Registered, Responses::Direct] {
        converses(&Axi4LiteFetch { responses }, false, |seed, pace| {
            Box::new(Axi4LiteSlave::fetch(seed, pace))
        });
    }
}

#[test]
fn loads_and_stores_are_carried_out_once_each_over_wishbone_and_errors_arrive() {
    for answers in [Answers::Later, Answers::AtOnce, Answers::Always] {
        for mode in [
            WishboneMode::Classic,
            WishboneMode::Pipelined(Responses::Registered),
            WishboneMode::Pipelined(Responses::Direct),
        ] {
            // Nobody who answers at once is allowed there.
            if answers != Answers::Later && mode == WishboneMode::Pipelined(Responses::Direct) {
                continue;
            }
            converses(&Wishbone { mode }, true, |seed, pace| {
                Box::new(WishboneSlave::new(seed, pace, mode, answers))
            });
        }
    }
}

#[test]
fn direct_responses_allow_an_access_in_every_cycle() {
    let responses = Responses::Direct;
    let fetch = Axi4LiteSlave::fetch(1, Pace::Eager);
    assert_eq!(cycles(&Axi4LiteFetch { responses }, false, fetch), 1000);
    let data = Axi4LiteSlave::data(1, Pace::Eager, Kind::Any);
    assert_eq!(cycles(&Axi4LiteData { responses }, true, data), 1000);
    let mode = WishboneMode::Pipelined(responses);
    assert_eq!(
        cycles(&Wishbone { mode }, true, WishboneSlave::new(1, Pace::Eager, mode, Answers::Later)),
        1000
    );
}

#[test]
fn classic_wishbone_has_an_access_in_every_cycle_with_a_slave_that_answers_at_once() {
    let mode = WishboneMode::Classic;
    for (answers, expected) in [(Answers::AtOnce, 1000), (Answers::Later, 2000)] {
        let slave = WishboneSlave::new(1, Pace::Eager, mode, answers);
        assert_eq!(cycles(&Wishbone { mode }, true, slave), expected, "{answers:?}");
    }
}

#[test]
fn registered_responses_allow_an_access_in_every_other_cycle() {
    let responses = Responses::Registered;
    let fetch = Axi4LiteSlave::fetch(1, Pace::Eager);
    assert_eq!(cycles(&Axi4LiteFetch { responses }, false, fetch), 2000);
    let data = Axi4LiteSlave::data(1, Pace::Eager, Kind::Any);
    assert_eq!(cycles(&Axi4LiteData { responses }, true, data), 2000);
    let mode = WishboneMode::Pipelined(responses);
    for (answers, expected) in [(Answers::AtOnce, 1000), (Answers::Later, 2000)] {
        let slave = WishboneSlave::new(1, Pace::Eager, mode, answers);
        assert_eq!(cycles(&Wishbone { mode }, true, slave), expected, "{answers:?}");
    }
}
