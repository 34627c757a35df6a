//! What every engine does.

use ferrite_hdl::Bits;
use ferrite_hdl::flat::{Flat, FlatCheck};
use ferrite_hdl::ir::CheckKind;

use crate::probes::{Change, Probe, Probes};
use crate::snapshot::{Snapshot, SnapshotError};

/// A value that a port cannot take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// No port of that name.
    #[error("the design has no {direction} `{name}`; it has: {known}")]
    Unknown {
        /// `input` or `output`.
        direction: &'static str,
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// The value has more bits than the port.
    #[error("the value {value} does not fit input `{name}`, which is {width} bits wide")]
    TooWide {
        /// The port.
        name: String,
        /// Its bits.
        width: u32,
        /// The value.
        value: String,
    },
}

/// What ends a run early.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// An `assert` or `assume` of the design was 0.
    #[error("cycle {cycle}: {kind} `{path}` does not hold (written at {place})")]
    Check {
        /// Clock edges before the one at which it was looked at.
        cycle: u64,
        /// `assertion` or `assumption`.
        kind: &'static str,
        /// Instances from the top down, then its name.
        path: String,
        /// File and line.
        place: String,
    },
}

impl StepError {
    /// A property that does not hold.
    pub(crate) fn check(check: &FlatCheck, cycle: u64) -> StepError {
        let kind = if check.kind == CheckKind::Assume { "assumption" } else { "assertion" };
        let place = format!("{}:{}", check.loc.file(), check.loc.line());
        StepError::Check { cycle, kind, path: check.path.clone(), place }
    }
}

/// A running design. Ports are numbered as in [`Flat::inputs`] and [`Flat::outputs`], signals as in [`Flat::signals`].
pub trait Simulator {
    /// The netlist that is run.
    fn flat(&self) -> &Flat;

    /// Sets an input, from now on. The value is cut or extended by zeros to the port's width.
    fn poke(&mut self, input: usize, value: &Bits);

    /// Reads an output.
    fn peek(&mut self, output: usize) -> Bits;

    /// Reads any named value; `None` if this engine was built without access to it. Every engine shows its ports.
    fn peek_signal(&mut self, signal: usize) -> Option<Bits>;

    /// Appends what has changed among probes since the last look; the first look finds every value that the engine shows.
    fn look(&mut self, probes: &mut Probes, changes: &mut Vec<Change>) {
        probes.read_all(changes, |probe| match probe {
            Probe::Signal(signal) => self.peek_signal(signal),
            Probe::Word { memory, word } => Some(self.read_memory(memory, word)),
        });
    }

    /// Clock edges of all clocks of `clocks` (positions in [`Flat::clocks`]) at once.
    ///
    /// # Errors
    /// A property that does not hold just before the edge; the edge is then not taken.
    fn step_clocks(&mut self, clocks: &[usize]) -> Result<(), StepError>;

    /// Clock edges since the start.
    fn cycle(&self) -> u64;

    /// Reads a word of a memory (positions in [`Flat::memories`]); zero beyond its depth.
    fn read_memory(&self, memory: usize, word: u32) -> Bits;

    /// Writes a word of a memory; ignored beyond its depth.
    fn write_memory(&mut self, memory: usize, word: u32, value: &Bits);

    /// The state now, from which any engine of this design can go on.
    ///
    /// # Errors
    /// The engine does not show its registers.
    fn save(&mut self) -> Result<Snapshot, SnapshotError>;

    /// Goes on from a state that was saved, by this engine or another one of the same design: everything that is shown from now on is what it
    /// would have been without the interruption.
    ///
    /// # Errors
    /// The snapshot is of another design, or the engine cannot set its registers; nothing is changed then.
    fn restore(&mut self, snapshot: &Snapshot) -> Result<(), SnapshotError>;

    /// Edges of the first clock.
    ///
    /// # Errors
    /// As [`Simulator::step_clocks`].
    fn step(&mut self, cycles: u64) -> Result<(), StepError> {
        (0..cycles).try_for_each(|_| self.step_clocks(&[0]))
    }

    /// Edges of the first clock, until one of the outputs `watched` differs from its value at the start of the call, at most
    /// `cycles` of them. Gives the number of edges.
    ///
    /// # Errors
    /// As [`Simulator::step_clocks`].
    fn run(&mut self, cycles: u64, watched: &[usize]) -> Result<u64, StepError> {
        let before: Vec<Bits> = watched.iter().map(|output| self.peek(*output)).collect();
        for cycle in 0..cycles {
            self.step_clocks(&[0])?;
            if watched.iter().zip(&before).any(|(output, value)| self.peek(*output) != *value) {
                return Ok(cycle + 1);
            }
        }
        Ok(cycles)
    }

    /// The position of an input.
    ///
    /// # Errors
    /// No input has the name.
    fn input(&self, name: &str) -> Result<usize, PortError> {
        find("input", &self.flat().inputs, name)
    }

    /// The position of an output.
    ///
    /// # Errors
    /// No output has the name.
    fn output(&self, name: &str) -> Result<usize, PortError> {
        find("output", &self.flat().outputs, name)
    }
}

fn find(
    direction: &'static str,
    ports: &[ferrite_hdl::flat::FlatPort],
    name: &str,
) -> Result<usize, PortError> {
    ports.iter().position(|p| p.name == name).ok_or_else(|| PortError::Unknown {
        direction,
        name: name.to_string(),
        known: ports.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", "),
    })
}
