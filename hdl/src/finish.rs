//! From what the builder made to a checked design.

use std::collections::HashMap;

use crate::design::Design;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::flat::Flat;
use crate::ir::{Loc, Module, ModuleId, SignalKind};
use crate::verilog::names::is_reserved;

/// Lowers every module and runs all checks.
pub(crate) fn finish(
    modules: Vec<Module>,
    top: ModuleId,
    mut diagnostics: Vec<Diagnostic>,
) -> Result<Design, Diagnostics> {
    names_of_modules(&modules, &mut diagnostics);
    for module in &modules {
        names_within(module, &mut diagnostics);
    }
    let lowered: Vec<_> =
        modules.iter().map(|module| crate::lowering::lower(module, &mut diagnostics)).collect();
    let mut design = Design { modules, lowered, top, flat: Flat::default() };
    // Without its modules and clocks the netlist would have loops and crossings that the user never wrote.
    let is_complete =
        |d: &Diagnostic| !matches!(d.kind, Kind::RecursiveModule | Kind::UnknownClock | Kind::FlippedOutput);
    if diagnostics.iter().all(is_complete) {
        match Flat::new(&design) {
            Ok(flat) => design.flat = flat,
            Err(more) => diagnostics.extend(more),
        }
    }
    if diagnostics.is_empty() { Ok(design) } else { Err(Diagnostics::new(diagnostics)) }
}

fn names_of_modules(modules: &[Module], diagnostics: &mut Vec<Diagnostic>) {
    let mut seen: HashMap<String, &Module> = HashMap::new();
    for module in modules {
        let name = verilog_name(module);
        name_itself(name, "module", module.loc, diagnostics);
        // Files are named after modules, and some file systems take no notice of case.
        let Some(first) = seen.insert(name.to_ascii_lowercase(), module) else { continue };
        let other = verilog_name(first);
        let (message, help) = match (&module.external, &first.external) {
            _ if other != name => (
                format!("modules `{other}` and `{name}` differ only in the case of letters"),
                "their files would be one on some file systems; choose another name",
            ),
            (Some(new), Some(old)) if new.verilog == old.verilog => continue,
            (Some(_), Some(_)) => (
                format!("external module `{name}` is given two different Verilog texts"),
                "give the same text wherever it is used; parameters tell its forms apart",
            ),
            _ => (
                format!("two modules with different parameters are called `{name}`"),
                "let `Module::name` tell them apart, for instance `format!(\"queue_{}x{}\", self.depth, self.width)`",
            ),
        };
        let diagnostic = Diagnostic::new(Kind::DuplicateName, module.loc, message);
        diagnostics.push(diagnostic.label(first.loc, "the other one").help(help));
    }
}

fn verilog_name(module: &Module) -> &str {
    module.external.as_ref().map_or(&module.name, |external| &external.verilog_name)
}

fn name_itself(name: &str, what: &str, loc: Loc, diagnostics: &mut Vec<Diagnostic>) {
    let mut letters = name.chars();
    let first = letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if !first || !letters.all(|c| c.is_ascii_alphanumeric() || c == '_') {
        let message = format!("`{name}` cannot be the name of a {what}");
        let help = "names consist of letters, digits and `_`, and do not begin with a digit";
        diagnostics.push(Diagnostic::new(Kind::BadName, loc, message).help(help));
    } else if is_reserved(name) {
        let message =
            format!("`{name}` is reserved by Verilog or its tools and cannot be the name of a {what}");
        diagnostics.push(Diagnostic::new(Kind::ReservedName, loc, message).help("choose another name"));
    }
}

/// Names of signals, memories and instances of a module share one name space in Verilog. Of properties only the form is
/// looked at: one that is taken gets a number.
fn names_within(module: &Module, diagnostics: &mut Vec<Diagnostic>) {
    let mut seen: HashMap<String, (Loc, &str)> = HashMap::new();
    let mut add = |name: String, what: &'static str, loc: Loc, diagnostics: &mut Vec<Diagnostic>| {
        name_itself(&name, what, loc, diagnostics);
        if name == module.name && what != "instance" {
            let message = format!("this {what} has the name of its module, `{name}`");
            let help = "tools complain that one hides the other; choose another name";
            diagnostics.push(Diagnostic::new(Kind::DuplicateName, loc, message).help(help));
        }
        match seen.get(&name) {
            None => {
                seen.insert(name, (loc, what));
            }
            Some((first, other)) => {
                let message = format!(
                    "the name `{name}` of this {what} is taken in module `{}` by {} {other}",
                    module.name,
                    if other.starts_with(['i', 'o']) { "an" } else { "a" }
                );
                let is_port = |what: &str| matches!(what, "input" | "output");
                let help = match is_port(what) && is_port(other) {
                    true => {
                        "rename a field: those of nested bundles are joined by `_`, and a name that inputs and outputs share \
                        gets `_in` or `_out`"
                    }
                    false => "choose another name",
                };
                let diagnostic = Diagnostic::new(Kind::DuplicateName, loc, message).help(help);
                // Ports stand where their module was elaborated.
                diagnostics.push(if loc == *first {
                    diagnostic
                } else {
                    diagnostic.label(first, "the other one")
                });
            }
        }
    };
    for (k, clock) in module.clocks.iter().enumerate() {
        if module.clock_used[k] {
            add(clock.clone(), "clock", module.loc, diagnostics);
        }
        if module.reset_used[k] {
            add(crate::ir::reset_name(clock), "reset", module.loc, diagnostics);
        }
    }
    for signal in &module.signals {
        match signal.kind {
            SignalKind::ToInstance(_) => {}
            SignalKind::FromInstance(instance) => {
                let Some(instance) = module.instances.get(instance.index()) else { continue };
                add(
                    format!("{}_{}", instance.name, signal.name),
                    "output of an instance",
                    signal.loc,
                    diagnostics,
                );
            }
            SignalKind::Input => add(signal.name.clone(), "input", signal.loc, diagnostics),
            SignalKind::Reg { .. } => add(signal.name.clone(), "register", signal.loc, diagnostics),
            _ if signal.is_output => add(signal.name.clone(), "output", signal.loc, diagnostics),
            _ => add(signal.name.clone(), "signal", signal.loc, diagnostics),
        }
    }
    for memory in &module.memories {
        add(memory.name.clone(), "memory", memory.loc, diagnostics);
    }
    for instance in &module.instances {
        add(instance.name.clone(), "instance", instance.loc, diagnostics);
    }
    let mut properties = Vec::new();
    crate::ir::checks(&module.body, &mut properties);
    for check in properties {
        name_itself(&check.name, "property", check.loc, diagnostics);
    }
}
