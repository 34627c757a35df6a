//! The design as Verilator gets it: the modules that are emitted for synthesis, with changes that do not touch what they
//! compute.
//!
//! - Memories have no initial contents: those are written into the model when it is made, so that another program in a ROM needs no
//!   other simulator.
//! - Every signal, memory, instance and module gets a name that C++ and Verilator's own mangling (`__`) leave alone.
//! - Instead of `assert` and `assume`, every module has an output with a bit per property in it and below, 1 where it fails. So a
//!   run can stop before the edge at which a property does not hold, at the cost of one test per cycle.
//! - Memories that are read without a clock get a write port that never writes, on a clock of its own (*touch*). What is made of
//!   such a memory changes at an edge of any of its write clocks, so that an edge of that clock makes Verilator look again at words that
//!   were changed from outside.

use ferrite_hdl::design::Design;
use ferrite_hdl::flat::Flat;
use ferrite_hdl::ir::{
    CheckKind, ClockId, InstanceId, Loc, MemoryId, Module, ModuleId, Node, NodeId, Op, Signal, SignalId,
    SignalKind, Stmt,
};
use ferrite_hdl::lower::{Driver, Lowered};
use ferrite_hdl::{Bits, Shape, bits};

/// The prepared modules, and where in them the things of the flat netlist are.
pub(super) struct Prepared {
    pub design: Design,
    /// For every scope of the flat netlist, its module and its path below the top module.
    pub scopes: Vec<Scope>,
    /// For every signal of the flat netlist, its scope and its name there.
    pub signals: Vec<(usize, String)>,
    /// For every memory of the flat netlist, its scope and its name there.
    pub memories: Vec<(usize, String)>,
    /// The output with the failing properties, if there are any.
    pub failing: Option<String>,
    /// The clock and the enable of the write ports that never write, if there are any.
    pub touch: Option<Touch>,
}

pub(super) struct Scope {
    pub module: usize,
    /// Instance names, each behind a dot.
    pub path: String,
}

pub(super) struct Touch {
    pub clock: String,
    pub enable: String,
}

/// What a module has got besides its own ports.
#[derive(Clone, Copy, Default)]
struct Added {
    /// The output with the failing properties, and how many there are.
    failing: Option<(SignalId, u32)>,
    touch: Option<(ClockId, SignalId)>,
}

pub(super) fn prepare(design: &Design) -> Prepared {
    let mut copy = Design {
        modules: design.modules.clone(),
        lowered: design.lowered.clone(),
        top: design.top,
        flat: Flat::default(),
    };
    let mut added: Vec<Added> = Vec::new();
    for k in 0..copy.modules.len() {
        let mut editor =
            Editor { module: &mut copy.modules[k], lowered: &mut copy.lowered[k], added: &added };
        editor.rename(k);
        editor.module.external = None; // engines run the model
        editor.lowered.checks.retain(|check| check.kind != CheckKind::Cover);
        let own = Added { failing: editor.failing(), touch: editor.touch() };
        editor.lowered.checks.clear();
        added.push(own);
    }
    let Added { failing, touch } = added[copy.top.index()];
    let top = copy.top_module();
    let mut prepared = Prepared {
        failing: failing.map(|(signal, _)| top.signal(signal).name.clone()),
        touch: touch.map(|(clock, enable)| Touch {
            clock: top.clocks[clock.index()].clone(),
            enable: top.signal(enable).name.clone(),
        }),
        design: copy,
        scopes: Vec::new(),
        signals: Vec::new(),
        memories: Vec::new(),
    };
    // The first signals of the flat netlist are the reset inputs of the top.
    let top = design.top_module();
    let resets = (0..top.clocks.len()).filter(|k| top.reset_used[*k]);
    prepared.signals = resets.map(|k| (0, top.reset_name(ClockId(k as u32)))).collect();
    prepared.walk(design, design.top, String::new());
    prepared
}

impl Prepared {
    /// Lists scopes, signals and memories in the order of the flat netlist.
    fn walk(&mut self, original: &Design, id: ModuleId, path: String) {
        let scope = self.scopes.len();
        self.scopes.push(Scope { module: id.index(), path: path.clone() });
        let own = original.module(id);
        for (k, signal) in own.signals.iter().enumerate() {
            if !matches!(signal.kind, SignalKind::ToInstance(_) | SignalKind::FromInstance(_)) {
                self.signals.push((scope, self.design.module(id).signals[k].name.clone()));
            }
        }
        for memory in &self.design.module(id).memories {
            self.memories.push((scope, memory.name.clone()));
        }
        for (k, instance) in own.instances.iter().enumerate() {
            let path = format!("{path}.{}", self.design.module(id).instances[k].name);
            self.walk(original, instance.module, path);
        }
    }
}

/// Changes one module, when those that it instantiates are changed already.
struct Editor<'a> {
    module: &'a mut Module,
    lowered: &'a mut Lowered,
    added: &'a [Added],
}

/// A name without `__`, that no other thing with another letter or position has.
fn renamed(name: &str, letter: char, position: usize) -> String {
    let parts: Vec<&str> = name.split('_').filter(|part| !part.is_empty()).collect();
    format!("{}_{letter}{position}", parts.join("_"))
}

impl Editor<'_> {
    fn rename(&mut self, position: usize) {
        let module = &mut *self.module;
        module.name = renamed(&module.name, 't', position);
        for (k, signal) in module.signals.iter_mut().enumerate() {
            signal.name = renamed(&signal.name, 's', k);
        }
        for (k, memory) in module.memories.iter_mut().enumerate() {
            memory.name = renamed(&memory.name, 'm', k);
            memory.init.clear();
        }
        for (k, instance) in module.instances.iter_mut().enumerate() {
            instance.name = renamed(&instance.name, 'u', k);
        }
        // Lowering has added nodes of its own; as ordinary ones they can be used by what is added here.
        module.nodes.clone_from(&self.lowered.nodes);
    }

    fn loc(&self) -> Loc {
        self.module.loc
    }

    fn node(&mut self, op: Op<NodeId>, width: u32) -> NodeId {
        let node = Node { op, width, signed: false, loc: self.loc() };
        self.module.nodes.push(node.clone());
        self.lowered.nodes.push(node);
        NodeId(self.module.nodes.len() as u32 - 1)
    }

    fn signal(&mut self, name: &str, shape: Shape, kind: SignalKind, is_output: bool) -> SignalId {
        let id = SignalId(self.module.signals.len() as u32);
        let is_port = is_output || kind == SignalKind::Input;
        self.module.signals.push(Signal {
            name: renamed(name, 's', id.index()),
            shape,
            kind,
            is_output,
            clock: ClockId(0),
            doc: String::new(),
            loc: self.module.loc,
        });
        self.lowered.drivers.push(Vec::new());
        if is_port {
            self.module.ports.push(id);
        }
        id
    }

    fn set(&mut self, target: SignalId, value: NodeId) {
        let loc = self.loc();
        self.module.body.push(Stmt::Set { target, low: 0, value, loc });
        self.lowered.drivers[target.index()].push(Driver { low: 0, node: value, loc });
    }

    /// What was added to the modules of the instances.
    fn instances(&self) -> Vec<Added> {
        self.module.instances.iter().map(|i| self.added[i.module.index()]).collect()
    }

    /// Adds the output with the failing properties, in the order of the flat netlist: the module's own, then instance by instance.
    fn failing(&mut self) -> Option<(SignalId, u32)> {
        let mut parts = Vec::new();
        for check in self.lowered.checks.clone() {
            let fails = self.node(Op::Not(check.cond), 1);
            parts.push(match check.enable {
                Some(enable) => self.node(Op::And(enable, fails), 1),
                None => fails,
            });
        }
        for (k, added) in self.instances().into_iter().enumerate() {
            let Some((_, width)) = added.failing else { continue };
            let kind = SignalKind::FromInstance(InstanceId(k as u32));
            let outer = self.signal("failing", bits(width), kind, false);
            self.module.instances[k].ports.push(outer);
            parts.push(self.node(Op::Read(outer), width));
        }
        let width = parts.iter().map(|n| self.module.node(*n).width).sum();
        let all = match parts.len() {
            0 => return None,
            1 => parts[0],
            _ => self.node(Op::Concat(parts.into_iter().rev().collect()), width),
        };
        let output = self.signal("failing", bits(width), SignalKind::Wire { named: false }, true);
        self.set(output, all);
        Some((output, width))
    }

    /// Adds the clock and the write ports that never write, where a memory in the module or below is read without a clock.
    fn touch(&mut self) -> Option<(ClockId, SignalId)> {
        let is_read_at_once =
            |m: &ferrite_hdl::ir::Memory| m.reads.iter().any(|read| read.async_addr.is_some());
        let memories: Vec<MemoryId> = (0..self.module.memories.len() as u32)
            .map(MemoryId)
            .filter(|m| is_read_at_once(&self.module.memories[m.index()]))
            .collect();
        let instances = self.instances();
        if memories.is_empty() && instances.iter().all(|added| added.touch.is_none()) {
            return None;
        }
        let clock = ClockId(self.module.clocks.len() as u32);
        self.module.clocks.push(renamed("touch", 'c', clock.index()));
        self.module.clock_used.push(true);
        self.module.reset_used.push(false);
        let enable = self.signal("touch_enable", bits(1), SignalKind::Input, false);
        let read_enable = self.node(Op::Read(enable), 1);
        let loc = self.loc();
        for (k, memory) in memories.into_iter().enumerate() {
            let (addr_width, width) = {
                let memory = &mut self.module.memories[memory.index()];
                memory.writes.push(clock);
                (memory.addr_width(), memory.width)
            };
            let port = self.module.memories[memory.index()].writes.len() - 1;
            let addr = self.node(Op::Const(Bits::zero(addr_width), None), addr_width);
            let data = self.node(Op::Const(Bits::zero(width), None), width);
            let write = Stmt::MemoryWrite { memory, port, addr, data, mask: None, loc };
            let branches = vec![(read_enable, vec![write])];
            self.module.body.push(Stmt::If { id: u32::MAX - k as u32, branches, otherwise: None, loc });
        }
        for (k, added) in instances.into_iter().enumerate() {
            if added.touch.is_none() {
                continue;
            }
            let kind = SignalKind::ToInstance(InstanceId(k as u32));
            let outer = self.signal("touch_enable", bits(1), kind, false);
            self.set(outer, read_enable);
            self.module.instances[k].clocks.push(clock);
            self.module.instances[k].ports.push(outer);
        }
        Some((clock, enable))
    }
}
