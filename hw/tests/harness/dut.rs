//! The design under test, with its ports by name.

use std::cell::RefCell;
use std::collections::HashMap;

use ferrite_hdl::flat::FlatPort;
use ferrite_hdl::{Bits, Module};
use ferrite_sim::Sim;

/// A design on the engine that tests run on.
pub struct Dut<M: Module> {
    // Reading a port may first compute it.
    sim: RefCell<Sim<M>>,
    inputs: HashMap<String, usize>,
    outputs: HashMap<String, usize>,
}

fn positions(ports: &[FlatPort]) -> HashMap<String, usize> {
    ports.iter().enumerate().map(|(k, port)| (port.name.clone(), k)).collect()
}

impl<M: Module> Dut<M> {
    /// Elaborates a module, whose mistakes fail the test.
    pub fn new(module: &M) -> Dut<M> {
        let mut sim = Sim::new(module).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let flat = sim.engine().flat();
        let (inputs, outputs) = (positions(&flat.inputs), positions(&flat.outputs));
        Dut { sim: RefCell::new(sim), inputs, outputs }
    }

    /// Sets an input.
    pub fn poke(&mut self, name: &str, value: impl Into<u64>) {
        let input = *self.inputs.get(name).unwrap_or_else(|| panic!("no input `{name}`"));
        self.sim.get_mut().engine().poke(input, &Bits::from_u64(64, value.into()));
    }

    /// Reads an output.
    pub fn peek(&self, name: &str) -> u64 {
        let output = *self.outputs.get(name).unwrap_or_else(|| panic!("no output `{name}`"));
        self.sim.borrow_mut().engine().peek(output).low_u64()
    }

    /// A clock edge.
    pub fn edge(&mut self) {
        self.sim.get_mut().step();
    }
}
