//! The core's ports by their positions.

use ferrite_hdl::Bits;
use ferrite_sim::Simulator;

use crate::run::{CsrPins, RvfiPins};

/// One port that is asked and answers.
#[derive(Clone, Copy, Debug)]
pub struct Channel {
    /// What it is called.
    pub name: &'static str,
    /// Input: a request is taken.
    pub ready: usize,
    /// Input: there is an answer.
    pub valid: usize,
    /// Input: its data.
    pub data: usize,
    /// Input: it is an error.
    pub error: Option<usize>,
    /// Outputs: the request; whether there is one first.
    pub request: [usize; 5],
    /// How many of them there are.
    fields: usize,
}

impl Channel {
    /// The request, whose first word is 1 if there is one.
    pub fn request(&self, engine: &mut dyn Simulator) -> [u64; 5] {
        let mut values = [0; 5];
        for (value, output) in values.iter_mut().zip(&self.request[..self.fields]) {
            *value = engine.peek(*output).low_u64();
        }
        values
    }
}

/// All ports.
pub struct Ports {
    /// The reset.
    pub reset: usize,
    /// Inputs: timer, software and external interrupt.
    pub timer: usize,
    /// See `timer`.
    pub software: usize,
    /// See `timer`.
    pub external: usize,
    /// Fetch, data and coprocessor.
    pub channels: [Channel; 3],
    /// The record of instructions.
    pub rvfi: RvfiPins,
    /// The CSRs.
    pub csrs: CsrPins,
}

impl Ports {
    /// Those of a core.
    ///
    /// # Panics
    /// If the engine runs something else.
    pub fn new(engine: &dyn Simulator) -> Ports {
        let input = |name: &str| engine.input(name).expect("a core has the inputs of Core");
        let output = |name: &str| engine.output(name).expect("a core has the outputs of Core");
        let channel = |name: &'static str, request: &[&str], has_error: bool| {
            let mut outputs = [0; 5];
            for (place, field) in outputs.iter_mut().zip(request) {
                *place = output(&format!("{name}_{field}"));
            }
            Channel {
                name,
                ready: input(&format!("{name}_ready")),
                valid: input(&format!("{name}_response_valid")),
                data: input(&format!("{name}_response_data")),
                error: has_error.then(|| input(&format!("{name}_response_error"))),
                request: outputs,
                fields: request.len(),
            }
        };
        let fetch = ["request_valid", "request_addr"];
        let data = ["request_valid", "request_addr", "request_write", "request_wdata", "request_mask"];
        let command = ["command_valid", "command_funct7", "command_rs1", "command_rs2"];
        Ports {
            reset: input("rst"),
            timer: input("interrupts_timer"),
            software: input("interrupts_software"),
            external: input("interrupts_external"),
            channels: [
                channel("ibus", &fetch, true),
                channel("dbus", &data, true),
                channel("coprocessor", &command, false),
            ],
            rvfi: RvfiPins::new(output),
            csrs: CsrPins::new(output),
        }
    }
}

/// Sets an input of at most 64 bits.
pub fn poke(engine: &mut dyn Simulator, input: usize, value: impl Into<u64>) {
    engine.poke(input, &Bits::from_u64(64, value.into()));
}
