//! The standard library at work.

use ferrite_hdl::library::{ArbiterIn, AsyncFifo, Queue, RoundRobinArbiter, SkidBuffer};
use ferrite_hdl::prelude::*;
use ferrite_sim::Sim;

#[test]
fn a_queue_accepts_until_it_is_full_and_keeps_the_order() {
    let mut sim = Sim::new(&Queue { width: 8, depth: 2 }).expect("a good design");
    sim.record();
    let (enq, deq) = (sim.i.enq.clone(), sim.i.deq.clone());
    sim.set(enq.valid, 1);
    let mut accepted = Vec::new();
    for byte in [1, 2, 3] {
        sim.set(enq.data, byte);
        if sim.get(enq.ready) == 1 {
            accepted.push(byte);
        }
        sim.step();
    }
    assert_eq!(accepted, [1, 2]);
    assert_eq!(sim.peek().count, 2);
    sim.set(enq.valid, 0);
    sim.set(deq.ready, 1);
    for byte in [1, 2] {
        assert_eq!(sim.get(deq.valid), 1);
        assert_eq!(sim.get(deq.data), byte);
        sim.step();
    }
    assert_eq!(sim.get(deq.valid), 0);
    sim.step();
    insta::assert_snapshot!(sim.waves().expect("recorded").text());
}

#[test]
fn a_skid_buffer_loses_nothing_when_the_receiver_stops() {
    let mut sim = Sim::new(&SkidBuffer { width: 8 }).expect("a good design");
    let (enq, deq) = (sim.i.enq.clone(), sim.i.deq.clone());
    let (mut sent, mut received) = (0, Vec::new());
    sim.set(enq.valid, 1);
    for cycle in 0..60 {
        sim.set(enq.data, sent);
        sim.set(deq.ready, (cycle % 3 != 0) as i32);
        if sim.get(deq.valid) == 1 && cycle % 3 != 0 {
            received.push(sim.get(deq.data));
        }
        sent += sim.get(enq.ready);
        sim.step();
    }
    assert!(received.len() >= 38, "{} words", received.len());
    assert!(received.iter().copied().eq(0..received.len() as i128));
}

#[test]
fn an_arbiter_serves_everybody_in_turn() {
    let mut sim = Sim::new(&RoundRobinArbiter { requesters: 4 }).expect("a good design");
    sim.poke(ArbiterIn { request: 0b1011, advance: 1 });
    let mut grants = Vec::new();
    for _ in 0..6 {
        grants.push(sim.peek().grant);
        sim.step();
    }
    assert_eq!(grants, [0b0001, 0b0010, 0b1000, 0b0001, 0b0010, 0b1000]);
}

#[test]
fn an_asynchronous_fifo_keeps_the_order_between_clocks_of_any_ratio() {
    for (write_period, read_period) in [(1, 1), (2, 5), (7, 3)] {
        let mut sim = Sim::new(&AsyncFifo { width: 8, depth: 4 }).expect("a good design");
        let (enq, deq) = (sim.i.enq.clone(), sim.i.deq.clone());
        let (mut sent, mut received) = (0, Vec::new());
        sim.set(enq.valid, 1);
        sim.set(deq.ready, 1);
        for time in 0..400 {
            sim.set(enq.data, sent % 256);
            let (write, read) = (time % write_period == 0, time % read_period == 0);
            if read && sim.get(deq.valid) == 1 {
                received.push(sim.get(deq.data));
            }
            if write {
                sent += sim.get(enq.ready);
            }
            let clocks: Vec<usize> = [(write, 0), (read, 1)].iter().filter(|c| c.0).map(|c| c.1).collect();
            sim.step_clocks(&clocks);
        }
        assert!(received.len() > 30, "{} words", received.len());
        assert!(received.iter().copied().eq((0..received.len() as i128).map(|k| k % 256)), "{received:?}");
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Encoding)]
enum Light {
    Red,
    Green,
}

#[derive(Clone, Debug, Bundle)]
struct LightOut<T> {
    light: T,
}

/// Turns green after reset, and stays so.
#[module]
struct TrafficLight {}

impl Module for TrafficLight {
    type In = Empty<UInt>;
    type Out = LightOut<UInt>;
    fn inputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn outputs(&self) -> LightOut<Shape> {
        LightOut { light: Light::shape() }
    }
    fn build(&self, m: &Builder, _: Empty<UInt>) -> LightOut<UInt> {
        let light = m.reg("light", Light::shape()).reset_to(Light::Red);
        light.set(Light::Green);
        LightOut { light }
    }
}

#[test]
fn a_module_can_be_reset_and_its_enums_compared_by_name() {
    let mut sim = Sim::new(&TrafficLight {}).expect("a good design");
    let light = sim.o.light;
    sim.step();
    assert!(sim.is(light, Light::Green));
    sim.reset();
    assert!(sim.is(light, Light::Red));
    sim.step();
    assert!(sim.is(light, Light::Green));
}
