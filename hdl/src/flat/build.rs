//! Copies every instance of every module into one netlist, in which wires are still aliases and the order is arbitrary.

use crate::design::Design;
use crate::flat::{
    Flat, FlatCheck, FlatMemory, FlatPort, FlatRead, FlatReg, FlatSignal, FlatWrite, Index, Scope,
};
use crate::ir::{Loc, Module, ModuleId, Op, SignalId, SignalKind};
use crate::lower::{Driver, Lowered};
use crate::shape::{Shape, bit};

/// A value before ordering.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum RawOp {
    Compute(Op<Index>),
    /// The same value as another node.
    Alias(Index),
    Input,
    State,
    MemoryRead {
        memory: usize,
        addr: Index,
    },
}

#[derive(Clone, Debug)]
pub(super) struct RawNode {
    pub op: RawOp,
    pub width: u32,
    pub signed: bool,
    /// The instance that it was written in.
    pub scope: usize,
    /// The signal that the node carries, as a position in `Flat::signals`.
    pub signal: Option<usize>,
    /// The lowest bit of the signal that the node carries: 0, unless the signal was split.
    pub low: u32,
}

/// A netlist whose indices are those of `nodes`; `flat.nodes` is still empty.
pub(super) struct Raw {
    pub nodes: Vec<RawNode>,
    pub flat: Flat,
    /// For every one of `Flat::signals`, where it is set: from which bit up, and where.
    pub set_at: Vec<Vec<(u32, Loc)>>,
}

pub(super) fn build(design: &Design) -> Raw {
    let top = design.top_module();
    let mut build = Builder {
        design,
        nodes: Vec::new(),
        flat: Flat::default(),
        set_at: Vec::new(),
        scope: 0,
        resets: vec![None; top.clocks.len()],
    };
    build.flat.clocks = top.clocks.clone();
    build.flat.scopes.push(Scope { name: top.name.clone(), module: top.name.clone(), parent: None });
    for k in 0..top.clocks.len() {
        if top.reset_used[k] {
            let node = build.push(RawOp::Input, bit(), Some(build.flat.signals.len()));
            build.resets[k] = Some(node);
            let name = crate::ir::reset_name(&top.clocks[k]);
            build.flat.inputs.push(FlatPort { name: name.clone(), shape: bit(), node });
            build.flat.signals.push(FlatSignal {
                scope: 0,
                name,
                shape: bit(),
                kind: SignalKind::Input,
                node,
                clock: k,
                loc: top.loc,
            });
            build.set_at.push(Vec::new());
        }
    }
    let clocks: Vec<usize> = (0..top.clocks.len()).collect();
    let values = build.instance(design.top, 0, "", &clocks);
    for port in &top.ports {
        let signal = top.signal(*port);
        let port = FlatPort { name: signal.name.clone(), shape: signal.shape, node: values[port.index()] };
        if signal.is_output { build.flat.outputs.push(port) } else { build.flat.inputs.push(port) }
    }
    Raw { nodes: build.nodes, flat: build.flat, set_at: build.set_at }
}

struct Builder<'a> {
    design: &'a Design,
    nodes: Vec<RawNode>,
    flat: Flat,
    set_at: Vec<Vec<(u32, Loc)>>,
    /// The instance being copied.
    scope: usize,
    /// The reset input of every clock of the top.
    resets: Vec<Option<Index>>,
}

fn places(drivers: &[Driver]) -> Vec<(u32, Loc)> {
    drivers.iter().map(|driver| (driver.low, driver.loc)).collect()
}

impl Builder<'_> {
    fn push(&mut self, op: RawOp, shape: Shape, signal: Option<usize>) -> Index {
        let Shape { width, signed, .. } = shape;
        self.nodes.push(RawNode { op, width, signed, scope: self.scope, signal, low: 0 });
        self.nodes.len() as Index - 1
    }

    /// Copies a module; gives the node of each of its signals. Inputs are left as [`RawOp::Input`], for the caller to connect.
    fn instance(&mut self, id: ModuleId, scope: usize, prefix: &str, clocks: &[usize]) -> Vec<Index> {
        let design = self.design;
        let (module, lowered) = (design.module(id), &design.lowered[id.index()]);
        let first_memory = self.flat.memories.len();
        self.scope = scope;
        for memory in &module.memories {
            self.flat.memories.push(FlatMemory {
                path: format!("{prefix}{}", memory.name),
                depth: memory.depth,
                width: memory.width,
                init: memory.init.clone(),
                reads: Vec::new(),
                writes: Vec::new(),
            });
        }
        let signals: Vec<Index> = module.signals.iter().map(|s| self.signal(s, scope, clocks)).collect();
        let base = self.nodes.len() as Index;
        for node in &lowered.nodes {
            let op = match &node.op {
                Op::Read(signal) => RawOp::Alias(signals[signal.index()]),
                op => RawOp::Compute(op.map(|n| base + n.0)),
            };
            let (width, signed) = (node.width, node.signed);
            self.nodes.push(RawNode { op, width, signed, scope, signal: None, low: 0 });
        }
        self.drive(module, lowered, &signals, base, first_memory, clocks);
        self.clocked(module, lowered, &signals, base, first_memory, prefix, clocks);
        for instance in &module.instances {
            let child = design.module(instance.module);
            let child_scope = self.flat.scopes.len();
            self.flat.scopes.push(Scope {
                name: instance.name.clone(),
                module: child.name.clone(),
                parent: Some(scope),
            });
            let child_clocks: Vec<usize> = instance.clocks.iter().map(|c| clocks[c.index()]).collect();
            let child_prefix = format!("{prefix}{}.", instance.name);
            let inside = self.instance(instance.module, child_scope, &child_prefix, &child_clocks);
            for (port, outer) in child.ports.iter().zip(&instance.ports) {
                let drivers = &lowered.drivers[outer.index()];
                let (inner, outer) = (inside[port.index()] as usize, signals[outer.index()] as usize);
                if child.signal(*port).is_output {
                    self.nodes[outer].op = RawOp::Alias(inner as Index);
                } else {
                    self.nodes[inner].op = RawOp::Alias(outer as Index);
                    if let Some(signal) = self.nodes[inner].signal {
                        self.set_at[signal] = places(drivers);
                    }
                }
            }
        }
        signals
    }

    fn signal(&mut self, signal: &crate::ir::Signal, scope: usize, clocks: &[usize]) -> Index {
        let node = self.push(RawOp::Input, signal.shape, None);
        // What goes into an instance shows as the instance's input, what comes out as its output.
        if !matches!(signal.kind, SignalKind::ToInstance(_) | SignalKind::FromInstance(_)) {
            self.nodes[node as usize].signal = Some(self.flat.signals.len());
            self.flat.signals.push(FlatSignal {
                scope,
                name: signal.name.clone(),
                shape: signal.shape,
                kind: signal.kind.clone(),
                node,
                clock: clocks[signal.clock.index()],
                loc: signal.loc,
            });
            self.set_at.push(Vec::new());
        }
        node
    }

    /// One node for all drivers of a signal.
    fn joined(&mut self, drivers: &[Driver], base: Index, shape: Shape) -> Index {
        match drivers {
            [one] => base + one.node.0,
            _ => {
                let parts = drivers.iter().rev().map(|d| base + d.node.0).collect();
                self.push(RawOp::Compute(Op::Concat(parts)), Shape { signed: false, ..shape }, None)
            }
        }
    }

    fn drive(
        &mut self,
        module: &Module,
        lowered: &Lowered,
        signals: &[Index],
        base: Index,
        first_memory: usize,
        clocks: &[usize],
    ) {
        for (k, signal) in module.signals.iter().enumerate() {
            let node = signals[k] as usize;
            if let Some(signal) = self.nodes[node].signal {
                self.set_at[signal] = places(&lowered.drivers[k]);
            }
            match &signal.kind {
                SignalKind::Input | SignalKind::FromInstance(_) => {}
                SignalKind::Wire { .. } | SignalKind::ToInstance(_) => {
                    let value = self.joined(&lowered.drivers[k], base, signal.shape);
                    self.nodes[node].op = RawOp::Alias(value);
                }
                SignalKind::Reg { init, reset, synchroniser } => {
                    let next = self.joined(&lowered.drivers[k], base, signal.shape);
                    let clock = clocks[signal.clock.index()];
                    let reset = reset.clone().and_then(|value| self.resets[clock].map(|r| (r, value)));
                    self.nodes[node].op = RawOp::State;
                    let signal = self.nodes[node].signal.unwrap_or(0);
                    let (init, synchroniser) = (init.clone(), *synchroniser);
                    self.flat.regs.push(FlatReg {
                        state: node as Index,
                        next,
                        reset,
                        init,
                        clock,
                        synchroniser,
                        signal,
                    });
                }
                SignalKind::MemoryRead(memory, port) => {
                    self.nodes[node].op = match module.memories[memory.index()].reads[*port].async_addr {
                        Some(addr) => {
                            RawOp::MemoryRead { memory: first_memory + memory.index(), addr: base + addr.0 }
                        }
                        None => RawOp::State,
                    };
                }
            }
        }
    }

    #[allow(clippy::too_many_arguments)] // the place of an instance in the netlist
    fn clocked(
        &mut self,
        module: &Module,
        lowered: &Lowered,
        signals: &[Index],
        base: Index,
        first_memory: usize,
        prefix: &str,
        clocks: &[usize],
    ) {
        let at = |node: crate::ir::NodeId| base + node.0;
        for read in &lowered.reads {
            let port = &module.memories[read.memory.index()].reads[read.port];
            self.flat.memories[first_memory + read.memory.index()].reads.push(FlatRead {
                state: signals[SignalId::index(read.data)],
                enable: read.enable.map(at),
                addr: at(read.addr),
                clock: clocks[port.clock.index()],
            });
        }
        for write in &lowered.writes {
            let clock = module.memories[write.memory.index()].writes[write.port];
            self.flat.memories[first_memory + write.memory.index()].writes.push(FlatWrite {
                enable: write.enable.map(at),
                addr: at(write.addr),
                data: at(write.data),
                mask: write.mask.map(at),
                clock: clocks[clock.index()],
                loc: write.loc,
            });
        }
        for check in &lowered.checks {
            self.flat.checks.push(FlatCheck {
                kind: check.kind,
                path: format!("{prefix}{}", check.name),
                enable: check.enable.map(at),
                cond: at(check.cond),
                clock: clocks[check.clock.index()],
                loc: check.loc,
            });
        }
    }
}
