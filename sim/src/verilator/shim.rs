//! The texts around the design: a Verilog module with ports whose names we choose, Verilator's configuration file, and the C++
//! behind which a loaded library hides the model.
//!
//! The C++ gives the address of every port, memory and readable variable once, when a model is made. From then on values are read
//! and written in place, in the layout that Verilator documents: a word of 8, 16, 32 or 64 bits, or an array of 32-bit words,
//! least significant first.

use std::fmt::Write;

use ferrite_hdl::flat::Flat;
use ferrite_hdl::ir::{CheckKind, ClockId};

use super::prepare::Prepared;
use super::probes::Variable;

/// The name of the Verilog module around the design, and of the C++ class that Verilator makes.
pub(super) const TOP: &str = "Vferrite";

/// Bytes of a value of so many bits.
pub(super) fn bytes(width: u32) -> usize {
    match width {
        0..=8 => 1,
        9..=16 => 2,
        17..=32 => 4,
        33..=64 => 8,
        _ => 4 * width.div_ceil(32) as usize,
    }
}

/// For every clock, the properties that are looked at on its edges, as positions in [`Flat::checks`].
pub(super) fn checks_of_clocks(flat: &Flat) -> Vec<Vec<usize>> {
    let watched = |k: &usize| flat.checks[*k].kind != CheckKind::Cover;
    let of =
        |clock| (0..flat.checks.len()).filter(watched).filter(|k| flat.checks[*k].clock == clock).collect();
    (0..flat.clocks.len()).map(of).collect()
}

fn range(width: u32) -> String {
    format!("[{}:0]", width.max(1) - 1)
}

/// Verilog around the design: clocks `c0` .., inputs `i0` .., outputs `o0` .., and for every clock with properties the failing
/// ones `f0` .. and whether there are any, `any0` ..
pub(super) fn verilog(flat: &Flat, prepared: &Prepared) -> String {
    let top = prepared.design.top_module();
    let (mut ports, mut pins, mut body) = (Vec::new(), Vec::new(), String::new());
    let mut input = 0;
    for (k, clock) in flat.clocks.iter().enumerate() {
        ports.push(format!("input wire c{k}"));
        if top.clock_used[k] {
            pins.push(format!(".{clock}(c{k})"));
        }
        if top.reset_used[k] {
            pins.push(format!(".{}(i{input})", top.reset_name(ClockId(k as u32))));
            input += 1;
        }
    }
    // Of the signals that are ports, those of the flat netlist come first and in its order.
    let mut output = 0;
    let known = flat.inputs.len() - input + flat.outputs.len();
    for port in &top.ports[..known] {
        let signal = top.signal(*port);
        if signal.is_output {
            pins.push(format!(".{}(o{output})", signal.name));
            output += 1;
        } else {
            pins.push(format!(".{}(i{input})", signal.name));
            input += 1;
        }
    }
    ports.extend(
        flat.inputs.iter().enumerate().map(|(k, p)| format!("input wire {} i{k}", range(p.shape.width))),
    );
    ports.extend(
        flat.outputs.iter().enumerate().map(|(k, p)| format!("output wire {} o{k}", range(p.shape.width))),
    );
    if let Some(touch) = &prepared.touch {
        ports.extend(["input wire touch".to_string(), "input wire touch_enable".to_string()]);
        pins.push(format!(".{}(touch), .{}(touch_enable)", touch.clock, touch.enable));
    }
    if let Some(failing) = &prepared.failing {
        let watched: Vec<usize> =
            (0..flat.checks.len()).filter(|k| flat.checks[*k].kind != CheckKind::Cover).collect();
        let _ = writeln!(body, "    wire {} failing;", range(watched.len() as u32));
        pins.push(format!(".{failing}(failing)"));
        for (clock, checks) in checks_of_clocks(flat).iter().enumerate().filter(|c| !c.1.is_empty()) {
            ports.push(format!("output wire {} f{clock}", range(checks.len() as u32)));
            ports.push(format!("output wire any{clock}"));
            let bits: Vec<String> = (checks.iter().rev())
                .filter_map(|check| watched.iter().position(|w| w == check))
                .map(|bit| format!("failing[{bit}]"))
                .collect();
            let _ = writeln!(body, "    assign f{clock} = {{{}}};", bits.join(", "));
            let _ = writeln!(body, "    assign any{clock} = |f{clock};");
        }
    }
    format!(
        "module {TOP} (\n    {}\n);\n\n{body}    {} top (\n        {}\n    );\n\nendmodule\n",
        ports.join(",\n    "),
        top.name,
        pins.join(",\n        "),
    )
}

/// Verilator's configuration: which variables can be reached from outside.
pub(super) fn configuration(prepared: &Prepared, variables: &[Variable]) -> String {
    let mut lines: Vec<String> = variables
        .iter()
        .map(|v| {
            let module = &prepared.design.modules[prepared.scopes[v.scope].module].name;
            let access = if v.is_written { "public_flat_rw" } else { "public_flat_rd" };
            format!("{access} -module \"{module}\" -var \"{}\"\n", v.name)
        })
        .collect();
    lines.sort();
    lines.dedup();
    format!("`verilator_config\n{}", lines.concat())
}

/// The functions that the library exports.
pub(super) fn cpp(flat: &Flat, prepared: &Prepared, variables: &[Variable]) -> String {
    let mut ports = String::new();
    let mut port = |name: String, width: u32| {
        let _ = writeln!(
            ports,
            "    static_assert(sizeof(model->model.{name}) == {}, \"size of {name}\");\n    \
             *places++ = &model->model.{name};",
            bytes(width)
        );
    };
    for (k, input) in flat.inputs.iter().enumerate() {
        port(format!("i{k}"), input.shape.width);
    }
    for (k, output) in flat.outputs.iter().enumerate() {
        port(format!("o{k}"), output.shape.width);
    }
    let checks = checks_of_clocks(flat);
    for (clock, checks) in checks.iter().enumerate().filter(|c| !c.1.is_empty()) {
        port(format!("f{clock}"), checks.len() as u32);
    }
    let (mut clocks, mut any) = (String::new(), String::new());
    for (k, checks) in checks.iter().enumerate() {
        let _ = write!(clocks, "&model.c{k}, ");
        any.push_str(&if checks.is_empty() { "nullptr, ".to_string() } else { format!("&model.any{k}, ") });
    }
    let mut named = String::new();
    for variable in variables {
        let path = &prepared.scopes[variable.scope].path;
        let _ = writeln!(
            named,
            "    {{\"TOP.{TOP}.top{path}\", \"{}\", {}}},",
            variable.name,
            bytes(variable.width)
        );
    }
    let touch = match prepared.touch {
        Some(_) => {
            "    model->model.touch = 1;\n    model->model.eval();\n    model->model.touch = 0;\n    model->model.eval();\n"
        }
        None => "",
    };
    include_str!("shim.cpp.in")
        .replace("@TOP@", TOP)
        .replace("@PORTS@", &ports)
        .replace("@COUNT@", &(flat.clocks.len() + 1).to_string())
        .replace("@CLOCKS@", &clocks)
        .replace("@ANY@", &any)
        .replace("@NAMED@", &named)
        .replace("@TOUCH@", touch)
}
