//! The design under test, with its ports by name.

use std::cell::RefCell;
use std::collections::HashMap;

use ferrite_hdl::flat::FlatPort;
use ferrite_hdl::{Bits, Module, elaborate};
use ferrite_sim::{Interpreter, Simulator};

/// A design on the interpreter.
pub struct Dut {
    // Reading a port may first compute it.
    engine: RefCell<Interpreter>,
    inputs: HashMap<String, usize>,
    outputs: HashMap<String, usize>,
}

fn positions(ports: &[FlatPort]) -> HashMap<String, usize> {
    ports.iter().enumerate().map(|(k, port)| (port.name.clone(), k)).collect()
}

impl Dut {
    /// Elaborates a module, whose mistakes fail the test.
    pub fn new(module: &impl Module) -> Dut {
        let design = elaborate(module).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let engine = Interpreter::new(&design);
        let (inputs, outputs) = (positions(&engine.flat().inputs), positions(&engine.flat().outputs));
        Dut { engine: RefCell::new(engine), inputs, outputs }
    }

    /// Sets an input.
    pub fn poke(&mut self, name: &str, value: impl Into<u64>) {
        let input = *self.inputs.get(name).unwrap_or_else(|| panic!("no input `{name}`"));
        self.engine.get_mut().poke(input, &Bits::from_u64(64, value.into()));
    }

    /// Reads an output.
    pub fn peek(&self, name: &str) -> u64 {
        let output = *self.outputs.get(name).unwrap_or_else(|| panic!("no output `{name}`"));
        self.engine.borrow_mut().peek(output).low_u64()
    }

    /// A clock edge.
    pub fn edge(&mut self) {
        self.engine.get_mut().step(1).unwrap_or_else(|error| panic!("{error}"));
    }
}
