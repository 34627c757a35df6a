//! An elaborated design: modules, the lowered form of each, and which one is the top.

use crate::flat::Flat;
use crate::ir::{Module, ModuleId};
use crate::lower::Lowered;

/// A design without mistakes. Every module stands after the modules that it instantiates.
#[derive(Clone, Debug)]
pub struct Design {
    /// The modules, children first; [`ModuleId`]s are positions here.
    pub modules: Vec<Module>,
    /// The lowered form of every module, in the same order.
    pub lowered: Vec<Lowered>,
    /// The outermost module.
    pub top: ModuleId,
    /// The whole design as one netlist.
    pub flat: Flat,
}

impl Design {
    /// A module.
    pub fn module(&self, id: ModuleId) -> &Module {
        &self.modules[id.index()]
    }

    /// The outermost module.
    pub fn top_module(&self) -> &Module {
        self.module(self.top)
    }

    /// The module with this name in Verilog.
    pub fn find(&self, name: &str) -> Option<ModuleId> {
        self.modules.iter().position(|m| m.name == name).map(|k| ModuleId(k as u32))
    }
}
