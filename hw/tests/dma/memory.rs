//! The memory behind AXI4 alone.

use ferrite_hw::axi::{AxiMemory, AxiWidths};
use ferrite_sim::Sim;

const AXI: AxiWidths = AxiWidths { data_bits: 64, id_bits: 4 };

/// The cycles, counted from that of the address, in which beats of a read of 8 come.
fn read_cycles(memory: &AxiMemory) -> Vec<u32> {
    let mut sim = Sim::new(memory).unwrap();
    let axi = sim.i.axi;
    for (port, value) in [(axi.arvalid, 1), (axi.arid, 9), (axi.araddr, 64), (axi.arlen, 7), (axi.rready, 1)]
    {
        sim.set(port, value);
    }
    let mut cycles = Vec::new();
    for cycle in 0..100 {
        if sim.get(axi.rvalid) == 1 {
            assert_eq!((sim.get(axi.rid), sim.get(axi.rresp)), (9, 0));
            cycles.push(cycle);
            assert_eq!(sim.get(axi.rlast), i128::from(cycles.len() == 8));
        }
        sim.step();
        sim.set(axi.arvalid, 0);
    }
    cycles
}

/// The cycle, counted from that of the last beat, in which a write of 4 beats is answered.
fn write_cycles(memory: &AxiMemory) -> u32 {
    let mut sim = Sim::new(memory).unwrap();
    let axi = sim.i.axi;
    for (port, value) in [(axi.awvalid, 1), (axi.awid, 5), (axi.awlen, 3), (axi.wvalid, 1), (axi.wstrb, 255)]
    {
        sim.set(port, value);
    }
    let (mut beats, mut since) = (0, 0);
    for _ in 0..200 {
        sim.set(axi.wlast, i128::from(beats == 3));
        sim.set(axi.wvalid, i128::from(beats < 4));
        if sim.get(axi.bvalid) == 1 {
            assert_eq!((sim.get(axi.bid), sim.get(axi.bresp)), (5, 0));
            return since;
        }
        if beats == 4 {
            since += 1;
        } else if sim.get(axi.wready) == 1 {
            beats += 1;
            since = 1;
        }
        sim.step();
        sim.set(axi.awvalid, 0);
    }
    panic!("no answer");
}

#[test]
fn the_first_beat_comes_after_the_latency_and_the_others_at_the_bandwidth() {
    for latency in [2, 3, 20] {
        for beat_cycles in [1, 3] {
            let memory = AxiMemory { latency, beat_cycles, ..AxiMemory::new(AXI, 64) };
            let expected: Vec<u32> = (0..8).map(|k| latency + k * beat_cycles).collect();
            assert_eq!(read_cycles(&memory), expected);
            assert_eq!(write_cycles(&memory), latency);
        }
    }
}
