//! Poke, peek and step through a module's bundles.

use std::path::Path;

use ferrite_hdl::design::Design;
use ferrite_hdl::{Bits, Bundle, Diagnostics, Encoding, Leaf, Module, Shape, UInt, elaborate};

use crate::engine::{PortError, Simulator};
use crate::fst::{FstError, FstOptions, FstRecorder};
use crate::interpret::Interpreter;
use crate::native::{Native, NativeError, NativeOptions};
use crate::verilator::{Verilator, VerilatorError, VerilatorOptions};
use crate::waves::Waves;

/// A port of a running module, as a leaf of its bundles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    input: Option<usize>,
    output: Option<usize>,
    shape: Shape,
}

impl Bundle for Port {
    type Leaf = Port;
    type With<U: Leaf> = U;
    fn map_leaves<U: Leaf>(
        self,
        path: &mut ferrite_hdl::Path,
        f: &mut dyn FnMut(&ferrite_hdl::Path, Port) -> U,
    ) -> U {
        f(path, self)
    }
}

impl Leaf for Port {}

/// A module under test.
///
/// ```
/// use ferrite_hdl::library::{Synchroniser, SynchroniserIn};
/// use ferrite_sim::Sim;
///
/// let mut sim = Sim::new(&Synchroniser { width: 1, stages: 2 }).unwrap();
/// sim.poke(SynchroniserIn { data: 1 });
/// sim.step();
/// assert_eq!(sim.peek().data, 0);
/// sim.step();
/// assert_eq!(sim.peek().data, 1);
/// ```
///
/// # Panics
/// Its methods panic where a test should fail: on a value that does not fit its port, on a property of the design that does not
/// hold, and on a full disk while a trace is written. [`Simulator`] returns errors instead.
pub struct Sim<M: Module> {
    engine: Box<dyn Simulator>,
    waves: Option<Waves>,
    trace: Option<FstRecorder>,
    module: M,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
    /// The ports of `In`.
    pub i: Ports<M::In>,
    /// The ports of `Out`.
    pub o: Ports<M::Out>,
}

/// A bundle of ports.
pub type Ports<B> = Of<B, Port>;
/// A bundle of something else than signals.
pub type Of<B, T> = <<B as Bundle>::With<Shape> as Bundle>::With<T>;

impl<M: Module> Sim<M> {
    /// A module on the native engine, or on the engine that the environment variable `FERRITE_ENGINE` names: `native`, `interpret`
    /// or `verilator`. So the same tests can be run on all of them. Without the variable a machine for which the native engine
    /// makes no code gets the interpreter.
    ///
    /// # Errors
    /// The mistakes of the design.
    ///
    /// # Panics
    /// If the engine that was asked for does not exist or cannot run the design.
    #[track_caller]
    pub fn new(module: &M) -> Result<Sim<M>, Diagnostics> {
        let design = elaborate(module)?;
        let name = std::env::var(ENGINE_VARIABLE).unwrap_or_default();
        match engine(&design, &name) {
            Ok(engine) => Ok(Sim::on(module, engine)),
            Err(error) => panic!("{error}"),
        }
    }

    /// A module on an engine that runs its design.
    pub fn on(module: &M, engine: Box<dyn Simulator>) -> Sim<M> {
        let mut names = ferrite_hdl::port_names(module).into_iter();
        let mut port = |shape: Shape| {
            let name = names.next().unwrap_or_default();
            Port { input: engine.input(&name).ok(), output: engine.output(&name).ok(), shape }
        };
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        let i = module.inputs().map(|shape| {
            inputs.push(port(shape));
            inputs[inputs.len() - 1]
        });
        let o = module.outputs().map(|shape| {
            outputs.push(port(shape));
            outputs[outputs.len() - 1]
        });
        Sim { engine, waves: None, trace: None, module: module.clone(), inputs, outputs, i, o }
    }

    /// The engine.
    pub fn engine(&mut self) -> &mut dyn Simulator {
        &mut *self.engine
    }

    /// Records all ports from now on, a sample before every clock edge.
    pub fn record(&mut self) {
        self.waves = Some(Waves::of_ports(self.engine.flat()));
    }

    /// What was recorded.
    pub fn waves(&self) -> Option<&Waves> {
        self.waves.as_ref()
    }

    /// Records all signals as an FST file from now on, a sample before every clock edge. The file is there after
    /// [`Sim::finish_trace`], or when the `Sim` is dropped.
    ///
    /// # Errors
    /// The file cannot be written there.
    pub fn trace(&mut self, path: impl AsRef<Path>) -> Result<(), FstError> {
        self.trace =
            Some(FstRecorder::create(path, self.engine.flat(), &FstOptions::everything(self.engine.flat()))?);
        Ok(())
    }

    /// Completes the FST file begun with [`Sim::trace`].
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish_trace(&mut self) -> Result<(), FstError> {
        self.trace.take().map_or(Ok(()), FstRecorder::finish)
    }

    /// Sets one input.
    #[track_caller]
    pub fn set(&mut self, port: Port, value: impl Into<i128>) {
        let value = value.into();
        let Some(input) = port.input else { panic!("only inputs can be set") };
        let width = port.shape.width;
        let bits = Bits::from_bigint(width, &value.into());
        let fits = if value < 0 {
            bits.to_bigint() == value.into()
        } else {
            bits.to_biguint() == (value as u128).into()
        };
        if !fits {
            let name = self.engine.flat().inputs[input].name.clone();
            panic!("{}", PortError::TooWide { name, width, value: value.to_string() });
        }
        self.engine.poke(input, &bits);
    }

    /// Reads one output; of a signed port the two's complement value.
    #[track_caller]
    pub fn get(&mut self, port: Port) -> i128 {
        let Some(output) = port.output else { panic!("only outputs can be read") };
        number(&self.engine.peek(output), port.shape)
    }

    /// Whether an output carries this variant of its enum.
    #[track_caller]
    pub fn is<E: Encoding>(&mut self, port: Port, variant: E) -> bool {
        self.get(port) == i128::from(variant.code())
    }

    /// An edge of the first clock with its reset high.
    #[track_caller]
    pub fn reset(&mut self) {
        let clock = self.engine.flat().clocks.first().cloned().unwrap_or_default();
        let name = ferrite_hdl::ir::reset_name(&clock);
        let Ok(reset) = self.engine.input(&name) else {
            panic!("the module has no reset: none of its registers has `reset_to`")
        };
        self.engine.poke(reset, &Bits::ones(1));
        self.step();
        self.engine.poke(reset, &Bits::zero(1));
    }

    /// Sets all inputs. Leaves below a `#[flip]` are outputs; their values are ignored.
    #[track_caller]
    pub fn poke<B>(&mut self, values: B)
    where
        B: Bundle<With<UInt> = M::In>,
        B::Leaf: Into<i128>,
    {
        for (k, value) in values.leaves().into_iter().enumerate() {
            let port = self.inputs[k];
            if port.input.is_some() {
                self.set(port, value.value);
            }
        }
    }

    /// Reads all outputs of `Out`.
    pub fn peek(&mut self) -> Of<M::Out, i128> {
        let mut values = Vec::new();
        for k in 0..self.outputs.len() {
            values.push(self.get(self.outputs[k]));
        }
        let mut values = values.into_iter();
        self.module.outputs().map(|_| values.next().unwrap_or(0))
    }

    /// A clock edge of the first clock.
    #[track_caller]
    pub fn step(&mut self) {
        self.step_clocks(&[0]);
    }

    /// Edges of several clocks at once.
    #[track_caller]
    pub fn step_clocks(&mut self, clocks: &[usize]) {
        if let Some(waves) = &mut self.waves {
            waves.sample(&mut *self.engine);
        }
        if let Some(trace) = &mut self.trace
            && let Err(error) = trace.sample(&mut *self.engine, clocks)
        {
            panic!("{error}");
        }
        if let Err(error) = self.engine.step_clocks(clocks) {
            panic!("{error}");
        }
    }
}

/// Names the engine of [`Sim::new`].
const ENGINE_VARIABLE: &str = "FERRITE_ENGINE";

/// Why [`Sim::new`] has no engine.
#[derive(Debug, thiserror::Error)]
enum EngineError {
    #[error("{ENGINE_VARIABLE} is `{0}`; the engines are `native`, `interpret` and `verilator`")]
    Unknown(String),
    #[error("{0}\n{ENGINE_VARIABLE}=interpret runs every design, but slowly")]
    Native(#[from] NativeError),
    #[error(transparent)]
    Verilator(#[from] VerilatorError),
}

/// The engine of that name, or without a name the default.
fn engine(design: &Design, name: &str) -> Result<Box<dyn Simulator>, EngineError> {
    let native = || Native::new(design, &NativeOptions::default());
    match name {
        "" => native_or_interpreter(native(), design),
        "native" => Ok(Box::new(native()?)),
        "interpret" => Ok(Box::new(Interpreter::new(design))),
        "verilator" => {
            let options = VerilatorOptions { fast_build: true, ..VerilatorOptions::default() };
            Ok(Box::new(Verilator::new(design, &options)?))
        }
        other => Err(EngineError::Unknown(other.to_owned())),
    }
}

/// The interpreter only where no code can be made at all: a design that the native engine refuses is worth being told.
fn native_or_interpreter(
    native: Result<Native, NativeError>,
    design: &Design,
) -> Result<Box<dyn Simulator>, EngineError> {
    match native {
        Ok(engine) => Ok(Box::new(engine)),
        Err(NativeError::Host { .. }) => Ok(Box::new(Interpreter::new(design))),
        Err(error) => Err(error.into()),
    }
}

/// A value as a number.
fn number(bits: &Bits, shape: Shape) -> i128 {
    let number = if shape.signed { bits.to_bigint() } else { bits.to_biguint().into() };
    i128::try_from(number).unwrap_or(i128::MAX)
}

#[cfg(test)]
mod tests {
    use ferrite_hdl::library::Synchroniser;

    use super::*;

    fn design() -> Design {
        elaborate(&Synchroniser { width: 1, stages: 2 }).expect("a good design")
    }

    #[test]
    fn a_machine_without_native_code_gets_the_interpreter() {
        let host = Err(NativeError::Host { reason: "unknown processor".to_owned() });
        let mut sim = native_or_interpreter(host, &design()).expect("an engine");
        sim.poke(0, &Bits::ones(1));
        sim.step(2).expect("no property fails");
        assert_eq!(sim.peek(0), Bits::ones(1));
    }

    #[test]
    fn a_design_beyond_the_native_engine_is_refused_and_the_way_out_told() {
        let refused = native_or_interpreter(Err(NativeError::TooManyClocks { count: 65 }), &design());
        let message = refused.err().expect("refused").to_string();
        assert_eq!(
            message,
            "the design has 65 clocks; the native engine takes up to 64\nFERRITE_ENGINE=interpret runs every design, but slowly"
        );
    }

    #[test]
    fn an_engine_that_does_not_exist_is_answered_with_those_that_do() {
        let message = engine(&design(), "icarus").err().expect("refused").to_string();
        assert_eq!(
            message,
            "FERRITE_ENGINE is `icarus`; the engines are `native`, `interpret` and `verilator`"
        );
    }

    #[test]
    fn the_engines_can_be_chosen_by_name() {
        for name in ["", "native", "interpret"] {
            let mut sim = engine(&design(), name).expect("an engine");
            assert_eq!((sim.cycle(), sim.peek(0)), (0, Bits::zero(1)), "{name}");
        }
    }
}
