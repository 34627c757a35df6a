//! Properties: for formal tools as they are, for simulators as a test that speaks and stops.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::{Writer, gaps, localparam, range};
use crate::ir::{CheckKind, NodeId};
use crate::lower::LoweredCheck;
use crate::shape::{Shape, bits};
use crate::verilog::expr::Constant;
use crate::verilog::place::place;
use crate::verilog::usage::usage_from;

impl Writer<'_> {
    /// The properties with the enum constants and wires that only they need; `declared` are the constants that stand in the
    /// module already.
    ///
    /// With `FORMAL` defined they are `assert`, `assume` and `cover` of SystemVerilog, which formal tools read; else, without `SYNTHESIS`, an
    /// assertion or assumption that fails is shown, and `$stop` lets the user look around (or ends a run in batch).
    /// Nothing watches `cover` in simulation.
    pub(super) fn checks(&mut self, declared: &BTreeMap<Constant, String>) -> String {
        if self.lowered.checks.is_empty() {
            return String::new();
        }
        let lowered = self.lowered;
        let (covers, watched): (Vec<_>, Vec<_>) =
            lowered.checks.iter().partition(|check| check.kind == CheckKind::Cover);
        let mut known: BTreeSet<Constant> = declared.keys().cloned().collect();
        let (mut formal, mut simulation) = (String::new(), String::new());
        for check in &watched {
            let label = self.e.taken.fresh(&check.name);
            self.formal(check, &label, &mut formal);
            self.simulation(check, &label, &mut simulation);
        }
        let shared = self.made_for(&watched, &mut known);
        let mut covered = String::new();
        for check in &covers {
            let label = self.e.taken.fresh(&check.name);
            self.formal(check, &label, &mut covered);
        }
        // Simulation does not use what only a `cover` needs.
        let own = self.made_for(&covers, &mut known);
        let formal = format!("`ifdef FORMAL\n{own}{formal}{covered}");
        match watched.is_empty() {
            true => format!("{formal}`endif\n"),
            false => format!("`ifndef SYNTHESIS\n{shared}{formal}`else\n{simulation}`endif\n`endif\n"),
        }
    }

    fn formal(&mut self, check: &LoweredCheck, label: &str, out: &mut String) {
        self.e.target.clone_from(&check.name);
        let clock = &self.module.clocks[check.clock.index()];
        let enable = check.enable.map(|n| format!("if ({}) ", self.e.condition(n))).unwrap_or_default();
        let cond = self.e.condition(check.cond);
        let word = match check.kind {
            CheckKind::Assert => "assert",
            CheckKind::Assume => "assume",
            CheckKind::Cover => "cover",
        };
        let _ = writeln!(out, "    always @(posedge {clock}) {enable}{label}: {word} ({cond});");
    }

    fn simulation(&mut self, check: &LoweredCheck, label: &str, out: &mut String) {
        self.e.target.clone_from(&check.name);
        let clock = &self.module.clocks[check.clock.index()];
        let fails = self.e.fails(check.enable, check.cond);
        let word = if check.kind == CheckKind::Assume { "assumption" } else { "assertion" };
        let at = match self.options.source_lines {
            // A file's name may hold what is special in a format.
            true => format!(" ({})", place(check.loc).replace('%', "%%").replace('"', "'")),
            false => String::new(),
        };
        let _ = write!(
            out,
            "    always @(posedge {clock}) if ({fails}) begin\n        \
             $display(\"%m: {word} {label} failed{at}\");\n        $stop;\n    end\n"
        );
    }

    /// Declarations of the enum constants and wires that have come up since the last call, for these properties.
    fn made_for(&mut self, checks: &[&LoweredCheck], known: &mut BTreeSet<Constant>) -> String {
        let mut out = String::new();
        for (constant, name) in &self.e.constants {
            if known.insert(constant.clone()) {
                out.push_str(&localparam(constant, name));
            }
        }
        let made = std::mem::take(&mut self.e.made);
        if made.is_empty() {
            return out;
        }
        for wire in &made {
            let shape = Shape { signed: wire.signed, ..bits(wire.width) };
            let _ = writeln!(out, "    wire {}{} = {};", range(shape), wire.name, wire.text);
        }
        let roots: Vec<NodeId> = checks.iter().flat_map(|c| [Some(c.cond), c.enable]).flatten().collect();
        let usage = usage_from(&self.lowered.nodes, &roots);
        let is_new = |name: &str| made.iter().any(|wire| wire.name == name);
        let hoisted = self.e.hoisted_names().into_iter().filter(|(_, name)| is_new(name));
        let parts: Vec<String> =
            hoisted.flat_map(|(node, name)| gaps(&name, &usage.bits[node.index()])).collect();
        out.push_str(&self.unused_wire(&parts));
        out
    }
}
