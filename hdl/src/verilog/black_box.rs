//! What stands for a module whose Verilog comes from elsewhere.

use crate::ir::{External, Module};
use crate::verilog::comment;
use crate::verilog::module::head::port_list;

/// A declaration of the ports without a body, which synthesis takes as it is and lint checks instances against.
pub(super) fn stub(module: &Module, external: &External) -> String {
    let name = &external.verilog_name;
    let values: Vec<String> =
        external.parameters.iter().map(|(name, value)| format!("    parameter {name} = {value}")).collect();
    let parameters =
        if values.is_empty() { String::new() } else { format!(" #(\n{}\n)", values.join(",\n")) };
    let mut out = format!(
        "// The ports of `{name}`, whose Verilog comes from elsewhere: for lint and synthesis in its absence.\n"
    );
    out.extend(comment::lines(&module.doc).iter().map(|line| comment::heading(line) + "\n"));
    out.push_str("`default_nettype none\n\n");
    let warnings = ["DECLFILENAME", "UNDRIVEN", "UNUSEDPARAM", "UNUSEDSIGNAL"];
    out.extend(warnings.map(|warning| format!("/* verilator lint_off {warning} */\n")));
    out.push_str("(* blackbox *)\n");
    out.push_str(port_list(module, name, &parameters, |_| false).trim_end());
    out.push_str("\nendmodule\n");
    out.extend(warnings.map(|warning| format!("/* verilator lint_on {warning} */\n")));
    out.push_str("\n`default_nettype wire\n");
    out
}
