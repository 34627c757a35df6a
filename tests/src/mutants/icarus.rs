//! The Verilog of a core on Icarus Verilog, cycle by cycle: what no other engine does is to run Verilog that somebody has changed.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use ferrite_hdl::flat::{Flat, FlatPort};
use ferrite_hdl::{Bits, Design};
use ferrite_sim::{Simulator, Snapshot, SnapshotError, StepError};

use crate::formal::netlist::Source;

/// Why Verilog does not run.
#[derive(Debug, thiserror::Error)]
pub enum IcarusError {
    /// A file or a program.
    #[error("{what}: {source}")]
    Io {
        /// What was to be done.
        what: &'static str,
        /// Why it was not.
        source: std::io::Error,
    },
    /// The Verilog has mistakes.
    #[error("iverilog does not take the Verilog:\n{0}")]
    Verilog(String),
}

/// A core that runs in a process of its own.
///
/// A line to the process says whether there is a clock edge, and what the inputs are then; a line from it holds the outputs.
pub struct Icarus {
    flat: Flat,
    process: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    inputs: Vec<Bits>,
    outputs: Vec<Bits>,
    /// The inputs have changed, or there was an edge.
    is_stale: bool,
    edge: bool,
    cycle: u64,
    failure: Option<StepError>,
}

impl Icarus {
    /// Compiles the Verilog of a design, changed or not, in a folder.
    ///
    /// # Errors
    /// Icarus Verilog cannot be started, or does not take the Verilog.
    pub fn compile(folder: &Path, design: &Design, sources: &[Source]) -> Result<(), IcarusError> {
        let io = |what| move |source| IcarusError::Io { what, source };
        for (name, text) in sources {
            fs::write(folder.join(name), text).map_err(io("cannot write the Verilog"))?;
        }
        let bench = testbench(&design.top_module().name, &design.flat);
        fs::write(folder.join("bench.v"), bench).map_err(io("cannot write the test bench"))?;
        let mut command = Command::new("iverilog");
        command.args(["-g2005", "-s", "bench", "-o", "bench.vvp", "bench.v"]).current_dir(folder);
        command.args(sources.iter().map(|(name, _)| name).filter(|name| name.ends_with(".v")));
        let output = command.output().map_err(io("cannot start iverilog"))?;
        match output.status.success() {
            true => Ok(()),
            false => Err(IcarusError::Verilog(String::from_utf8_lossy(&output.stderr).into_owned())),
        }
    }

    /// Starts what was compiled in a folder.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(folder: &Path, design: &Design) -> Result<Icarus, IcarusError> {
        let mut command = Command::new("vvp");
        command.args(["-n", "bench.vvp"]).current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process =
            command.spawn().map_err(|source| IcarusError::Io { what: "cannot start vvp", source })?;
        let commands = process.stdin.take().expect("its input is a pipe");
        let answers = BufReader::new(process.stdout.take().expect("its output is a pipe"));
        let flat = design.flat.clone();
        let zeros = |ports: &[FlatPort]| ports.iter().map(|port| Bits::zero(port.shape.width)).collect();
        Ok(Icarus {
            inputs: zeros(&flat.inputs),
            outputs: zeros(&flat.outputs),
            flat,
            process,
            commands,
            answers,
            is_stale: true,
            edge: false,
            cycle: 0,
            failure: None,
        })
    }

    fn settle(&mut self) {
        if !self.is_stale || self.failure.is_some() {
            return;
        }
        let line: String = self.inputs.iter().map(hex).collect();
        let mut answer = String::new();
        let asked =
            writeln!(self.commands, "{} {line}", u8::from(self.edge)).and_then(|()| self.commands.flush());
        let heard = asked.and_then(|()| self.answers.read_line(&mut answer));
        self.is_stale = false;
        self.edge = false;
        let answer = answer.trim();
        let digits: usize = self.flat.outputs.iter().map(|port| digits(port.shape.width)).sum();
        if heard.is_err() || answer.len() != digits {
            // An assertion that failed speaks, and ends the simulation.
            let path = answer.to_string();
            self.failure =
                Some(StepError::Check { cycle: self.cycle, kind: "assertion", path, place: String::new() });
            return;
        }
        let mut rest = answer;
        for (output, port) in self.outputs.iter_mut().zip(&self.flat.outputs) {
            let (text, behind) = rest.split_at(digits_of(port));
            *output = value(port.shape.width, text);
            rest = behind;
        }
    }
}

impl Drop for Icarus {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn digits(width: u32) -> usize {
    width.div_ceil(4) as usize
}

fn digits_of(port: &FlatPort) -> usize {
    digits(port.shape.width)
}

fn hex(value: &Bits) -> String {
    format!("{:0digits$x}", value, digits = digits(value.width()))
}

/// A number in hexadecimal digits; what is unknown is 0.
fn value(width: u32, text: &str) -> Bits {
    let known: String =
        text.chars().map(|digit| if digit.is_ascii_hexdigit() { digit } else { '0' }).collect();
    let words: Vec<u64> = known
        .as_bytes()
        .rchunks(16)
        .map(|chunk| {
            chunk
                .iter()
                .fold(0, |word, digit| word << 4 | u64::from((*digit as char).to_digit(16).unwrap_or(0)))
        })
        .collect();
    Bits::from_words(width, &words)
}

/// A module around the core that obeys lines of standard input. Every port takes whole hexadecimal digits of its line.
fn testbench(core: &str, flat: &Flat) -> String {
    let mut connections = Vec::new();
    let mut total = |ports: &[FlatPort], vector: &str| {
        let bits: usize = ports.iter().map(|port| 4 * digits_of(port)).sum();
        let mut top = bits;
        for port in ports {
            let (low, width) = (top - 4 * digits_of(port), port.shape.width as usize);
            connections.push(format!(".{}({vector}[{}:{low}])", port.name, low + width - 1));
            top = low;
        }
        bits
    };
    let (inputs, outputs) = (total(&flat.inputs, "inputs"), total(&flat.outputs, "outputs"));
    let mut padding = String::new();
    let mut top = outputs;
    for port in &flat.outputs {
        let (high, first) = (top - 1, top - 4 * digits_of(port) + port.shape.width as usize);
        if first <= high {
            let _ = writeln!(padding, "    assign outputs[{high}:{first}] = 0;");
        }
        top -= 4 * digits_of(port);
    }
    format!(
        "module bench;\n    reg clk = 0;\n    reg edge_comes;\n    reg [{}:0] inputs = 0;\n    reg [{}:0] next_inputs;\n    wire [{}:0] outputs;\n\
         {padding}    {core} core (.clk(clk), {});\n    integer count;\n    always begin\n        \
         count = $fscanf(32'h8000_0000, \"%b %h\", edge_comes, next_inputs);\n        if (count != 2) $finish;\n        \
         if (edge_comes) begin\n            clk = 1;\n            #1 clk = 0;\n        end\n        \
         inputs = next_inputs;\n        #1 $display(\"%h\", outputs);\n        $fflush;\n    end\nendmodule\n",
        inputs - 1,
        inputs - 1,
        outputs - 1,
        connections.join(", ")
    )
}

impl Simulator for Icarus {
    fn flat(&self) -> &Flat {
        &self.flat
    }
    fn poke(&mut self, input: usize, value: &Bits) {
        let value = value.resize(self.flat.inputs[input].shape.width, false);
        if self.inputs[input] != value {
            self.inputs[input] = value;
            self.is_stale = true;
        }
    }
    fn peek(&mut self, output: usize) -> Bits {
        self.settle();
        self.outputs[output].clone()
    }
    fn peek_signal(&mut self, _: usize) -> Option<Bits> {
        None
    }
    fn step_clocks(&mut self, _: &[usize]) -> Result<(), StepError> {
        self.settle();
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        (self.edge, self.is_stale) = (true, true);
        self.cycle += 1;
        Ok(())
    }
    fn cycle(&self) -> u64 {
        self.cycle
    }
    fn read_memory(&self, memory: usize, _: u32) -> Bits {
        Bits::zero(self.flat.memories[memory].width)
    }
    fn write_memory(&mut self, _: usize, _: u32, _: &Bits) {}
    fn save(&mut self) -> Result<Snapshot, SnapshotError> {
        Err(unsupported("save its state"))
    }
    fn restore(&mut self, _: &Snapshot) -> Result<(), SnapshotError> {
        Err(unsupported("go on from a saved state"))
    }
}

fn unsupported(what: &'static str) -> SnapshotError {
    SnapshotError::Unsupported { engine: "icarus", what, instead: "start it anew" }
}
