//! Elaboration: running the `build` functions of a module and of all it instantiates.
//!
//! Signals are handles without a lifetime, so that they can be `Copy` and operators can be overloaded; the arenas that
//! they point into belong to an elaboration that the current thread is running. Handles carry the serial number of their module, so that one used
//! elsewhere is noticed.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::panic::Location;
use std::rc::Rc;

use crate::design::Design;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::ir::{self, ClockId, Loc, ModuleId, Node, NodeId, Op, Signal, SignalId, SignalKind, Stmt};
use crate::module::Module;

/// Modules inside modules inside modules: deeper than this is taken for a recursion without end.
const MAX_DEPTH: usize = 100;

/// The clock of modules that name none.
const DEFAULT_CLOCK: &str = "clk";

/// A module being built.
pub(crate) struct Building {
    pub serial: u32,
    pub ir: ir::Module,
    /// The node that reads each signal.
    pub reads: Vec<NodeId>,
    /// Statement lists from the outside in; the last one takes new statements.
    pub scopes: Vec<Vec<Stmt>>,
    pub clock: ClockId,
    next_id: u32,
}

impl Building {
    pub fn push_node(&mut self, op: Op<NodeId>, width: u32, signed: bool, loc: Loc) -> NodeId {
        let id = NodeId(self.ir.nodes.len() as u32);
        self.ir.nodes.push(Node { op, width, signed, loc });
        id
    }

    /// The same bits as a signed node: an existing one if there is one.
    pub fn as_signed(&mut self, node: NodeId, loc: Loc) -> NodeId {
        let Node { op, width, .. } = self.ir.node(node).clone();
        match op {
            Op::Cast(inner) if self.ir.node(inner).signed => inner,
            Op::Const(value, None) => self.push_node(Op::Const(value, None), width, true, loc),
            _ => self.push_node(Op::Cast(node), width, true, loc),
        }
    }

    /// Adds a signal; its reading node is unsigned or signed as its shape.
    pub fn push_signal(&mut self, signal: Signal) -> SignalId {
        let id = SignalId(self.ir.signals.len() as u32);
        let read = self.push_node(Op::Read(id), signal.shape.width, signal.shape.signed, signal.loc);
        self.ir.signals.push(signal);
        self.reads.push(read);
        id
    }

    pub fn push_stmt(&mut self, stmt: Stmt) {
        self.scopes.last_mut().expect("a module has an outermost scope").push(stmt);
    }

    /// The statement that a `case` or an `otherwise` continues. Values that were named after it do not part them: such a value
    /// holds everywhere, wherever it got its name.
    pub fn last_stmt(&mut self) -> Option<&mut Stmt> {
        let signals = &self.ir.signals;
        let names_a_value = |stmt: &Stmt| match stmt {
            Stmt::Set { target, .. } => {
                matches!(signals[target.index()].kind, SignalKind::Wire { named: true })
            }
            _ => false,
        };
        self.scopes.last_mut()?.iter_mut().rfind(|stmt| !names_a_value(stmt))
    }

    pub fn fresh_id(&mut self) -> u32 {
        self.next_id += 1;
        self.next_id
    }
}

/// Parameters of any module as a key: equal values are one module.
struct Key(Rc<dyn AnyParameters>);

trait AnyParameters {
    fn as_any(&self) -> &dyn Any;
    fn same(&self, other: &dyn AnyParameters) -> bool;
    fn hash_into(&self, state: &mut dyn Hasher);
}

impl<M: Module> AnyParameters for M {
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn same(&self, other: &dyn AnyParameters) -> bool {
        other.as_any().downcast_ref::<M>() == Some(self)
    }
    fn hash_into(&self, mut state: &mut dyn Hasher) {
        std::any::TypeId::of::<M>().hash(&mut state);
        self.hash(&mut state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        self.0.same(&*other.0)
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash_into(state);
    }
}

/// What is known of a module by its parameters.
#[derive(Clone, Copy)]
pub(crate) enum Known {
    InProgress,
    Done(ModuleId),
}

/// A run of [`elaborate`].
#[derive(Default)]
pub(crate) struct Elaboration {
    pub stack: Vec<Building>,
    pub modules: Vec<ir::Module>,
    pub diagnostics: Vec<Diagnostic>,
    known: HashMap<Key, Known>,
    serials: u32,
}

thread_local! {
    static CURRENT: RefCell<Option<Elaboration>> = const { RefCell::new(None) };
}

/// The elaboration that this thread is running, if any.
pub(crate) fn with_elaboration<R>(f: impl FnOnce(&mut Elaboration) -> R) -> Option<R> {
    CURRENT.with(|current| current.borrow_mut().as_mut().map(f))
}

/// The module that this thread is building, if any.
pub(crate) fn with_building<R>(f: impl FnOnce(&mut Building, &mut Vec<Diagnostic>) -> R) -> Option<R> {
    with_elaboration(|e| {
        let diagnostics = &mut e.diagnostics;
        e.stack.last_mut().map(|building| f(building, diagnostics))
    })
    .flatten()
}

/// Notes a mistake.
pub(crate) fn report(diagnostic: Diagnostic) {
    with_elaboration(|e| e.diagnostics.push(diagnostic));
}

/// Puts the elaboration that was running before back in its place, also when a `build` function panics.
struct Restore(Option<Elaboration>);

impl Drop for Restore {
    fn drop(&mut self) {
        let previous = self.0.take();
        CURRENT.with(|current| *current.borrow_mut() = previous);
    }
}

/// Builds a module and all it instantiates, and checks the result.
///
/// # Errors
/// All mistakes of the design, each with its place in the Rust source.
#[track_caller]
pub fn elaborate<M: Module>(module: &M) -> Result<Design, Diagnostics> {
    let loc = Location::caller();
    let restore = Restore(CURRENT.with(|current| current.borrow_mut().replace(Elaboration::default())));
    let top = build_module(module, loc);
    let done = CURRENT.with(|current| current.borrow_mut().take()).unwrap_or_default();
    drop(restore);
    match top {
        Some(top) => crate::finish::finish(done.modules, top, done.diagnostics),
        None => Err(Diagnostics::new(done.diagnostics)),
    }
}

/// The module with these parameters, built now if it is not yet known. `None` after a mistake that leaves no module.
pub(crate) fn build_module<M: Module>(module: &M, loc: Loc) -> Option<ModuleId> {
    let key = || Key(Rc::new(module.clone()));
    let (known, depth) = with_elaboration(|e| (e.known.get(&key()).copied(), e.stack.len()))?;
    match known {
        Some(Known::Done(id)) => return Some(id),
        Some(Known::InProgress) => {
            let message = format!("module `{}` contains itself", module.name());
            report(
                Diagnostic::new(Kind::RecursiveModule, loc, message)
                    .help("a recursive structure needs parameters that shrink"),
            );
            return None;
        }
        None if depth >= MAX_DEPTH => {
            let message = format!("module `{}` lies {MAX_DEPTH} modules deep", module.name());
            let help = "a recursive structure needs parameters that shrink to a case without instances";
            report(Diagnostic::new(Kind::RecursiveModule, loc, message).help(help));
            return None;
        }
        None => {}
    }
    with_elaboration(|e| {
        e.known.insert(key(), Known::InProgress);
        e.serials += 1;
        let mut clocks: Vec<String> = module.clocks().iter().map(|c| c.to_string()).collect();
        // Signals belong to a clock even where no register does; one that nothing uses is no port.
        if clocks.is_empty() {
            clocks.push(DEFAULT_CLOCK.to_string());
        }
        e.stack.push(Building {
            serial: e.serials,
            ir: ir::Module {
                name: module.name(),
                doc: M::DOC.to_string(),
                nodes: Vec::new(),
                signals: Vec::new(),
                ports: Vec::new(),
                memories: Vec::new(),
                instances: Vec::new(),
                body: Vec::new(),
                clock_used: vec![false; clocks.len()],
                reset_used: vec![false; clocks.len()],
                clocks,
                external: module.external(),
                loc,
            },
            reads: Vec::new(),
            scopes: vec![Vec::new()],
            clock: ClockId(0),
            next_id: 0,
        });
    });
    crate::module::run_build(module, loc);
    with_elaboration(|e| {
        let mut building = e.stack.pop()?;
        building.ir.body = building.scopes.pop().unwrap_or_default();
        let id = ModuleId(e.modules.len() as u32);
        e.modules.push(building.ir);
        e.known.insert(key(), Known::Done(id));
        Some(id)
    })
    .flatten()
}
