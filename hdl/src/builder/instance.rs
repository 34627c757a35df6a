//! Instances of modules.

use std::panic::Location;

use super::Builder;
use crate::bundle::Bundle;
use crate::diagnostic::{Diagnostic, Kind};
use crate::elaborate::{self, with_elaboration};
use crate::ir::{ClockId, Instance as IrInstance, InstanceId, Signal, SignalKind};
use crate::module::{self, Module};
use crate::shape::Shape;
use crate::signal::UInt;

/// An instance of a module, not yet connected.
#[must_use = "an instance does nothing until its inputs are connected"]
pub struct Instance<M: Module> {
    /// Its input ports, to be set (and below a `#[flip]`, outputs to be read).
    pub i: M::In,
    /// Its output ports.
    pub o: M::Out,
}

impl Builder {
    /// An instance of a module. Its first clock is the current one; others are those of the same name here.
    #[track_caller]
    pub fn instance<M: Module>(&self, name: &str, module: &M) -> Instance<M> {
        let loc = Location::caller();
        let id = elaborate::build_module(module, loc);
        let (inputs, outputs) = module::ports(module);
        let all: Vec<_> = inputs.iter().chain(&outputs).collect();
        let handles: Vec<UInt> = match id {
            Some(id) => with_elaboration(|e| {
                let child = &e.modules[id.index()];
                let order: Vec<String> = child.ports.iter().map(|p| child.signal(*p).name.clone()).collect();
                let (clocks, clock_used, reset_used) =
                    (child.clocks.clone(), child.clock_used.clone(), child.reset_used.clone());
                let diagnostics = &mut e.diagnostics;
                let Some(b) = e.stack.last_mut() else { return Vec::new() };
                let instance = InstanceId(b.ir.instances.len() as u32);
                let mut clock_map = Vec::new();
                for (k, clock) in clocks.iter().enumerate() {
                    let here = match k {
                        0 => Some(b.clock),
                        _ => b.ir.clocks.iter().position(|c| c == clock).map(|k| ClockId(k as u32)),
                    };
                    if here.is_none() {
                        let message = format!("instance `{name}` needs a clock `{clock}`");
                        let help = "give the module around it a clock of that name (`Module::clocks`)";
                        diagnostics.push(Diagnostic::new(Kind::UnknownClock, loc, message).help(help));
                    }
                    let here = here.unwrap_or(ClockId(0));
                    b.ir.clock_used[here.index()] |= clock_used[k];
                    b.ir.reset_used[here.index()] |= reset_used[k];
                    clock_map.push(here);
                }
                let signals: Vec<_> = all
                    .iter()
                    .map(|port| {
                        let kind = match port.is_input {
                            true => SignalKind::ToInstance(instance),
                            false => SignalKind::FromInstance(instance),
                        };
                        b.push_signal(Signal {
                            name: port.name.clone(),
                            shape: Shape { clock: None, ..port.shape },
                            kind,
                            is_output: false,
                            clock: b.clock,
                            doc: String::new(),
                            loc,
                        })
                    })
                    .collect();
                let position = |wanted: &String| all.iter().position(|p| p.name == *wanted);
                let ports = order.iter().filter_map(|name| position(name).map(|k| signals[k])).collect();
                b.ir.instances.push(IrInstance {
                    name: name.to_string(),
                    module: id,
                    ports,
                    clocks: clock_map,
                    loc,
                });
                signals.iter().map(|s| UInt::of_signal(b, *s)).collect()
            })
            .unwrap_or_default(),
            None => {
                let stand_in = |port: &&module::Port| {
                    self.signal(
                        &format!("{name}_{}", port.name),
                        port.shape,
                        SignalKind::Wire { named: false },
                        loc,
                    )
                };
                let signals: Vec<UInt> = all.iter().map(stand_in).collect();
                all.iter()
                    .zip(&signals)
                    .filter(|(port, _)| !port.is_input)
                    .for_each(|(_, signal)| signal.set(0));
                signals
            }
        };
        let mut handles = handles.into_iter();
        let mut next = |_| handles.next().unwrap_or(UInt::INVALID);
        Instance { i: module.inputs().map(&mut next), o: module.outputs().map(&mut next) }
    }
}

impl<M: Module> Instance<M> {
    /// Connects all inputs and gives the outputs. Leaves of `In` below a `#[flip]` are driven the other way.
    #[track_caller]
    pub fn connect(self, inputs: M::In) -> M::Out {
        Builder::new().connect(self.i, inputs);
        self.o
    }
}
