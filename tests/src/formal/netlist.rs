//! From a core to what the solver reads.

use std::fs;
use std::path::{Path, PathBuf};

use ferrite_hdl::ir::CheckKind;
use ferrite_hdl::verilog::{EmitOptions, emit};
use ferrite_hdl::{Design, Diagnostics, Module, elaborate};
use ferrite_hw::core::Core;
use ferrite_hw::core::divider::Divide;
use ferrite_hw::core::multiplier::Multiply;

use super::Proved;
use super::checks::{Check, Kind, checks};
use super::tools::{Search, ToolError, Tools, write};
use super::unit::Subject;
use super::units::{Product, Quotient};

/// A fault, or any other change of the Verilog: a text that stands exactly once in a file, and what comes instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The module's file.
    pub file: &'static str,
    /// What stands there.
    pub from: &'static str,
    /// What comes instead.
    pub to: &'static str,
}

/// Why there is nothing to prove.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The core has mistakes.
    #[error("the design has mistakes:\n{0}")]
    Design(#[from] Diagnostics),
    /// A change does not fit the Verilog.
    #[error("`{from}` stands {count} times in {file}, not once: change the text that is looked for")]
    Change {
        /// The module's file.
        file: &'static str,
        /// What was looked for.
        from: &'static str,
        /// How often it is there.
        count: usize,
    },
    /// Claims are not in the netlist that should be proved.
    #[error("Yosys leaves {found} of the {wanted} claims of the check {check}")]
    Claims {
        /// The check.
        check: String,
        /// Its claims.
        wanted: usize,
        /// Those in the netlist.
        found: usize,
    },
    /// A tool does not do its work.
    #[error(transparent)]
    Tool(#[from] ToolError),
}

/// A file's name and text.
pub type Source = (String, String);

/// The Verilog of a module.
pub fn verilog(design: &Design) -> Vec<Source> {
    emit(design, &EmitOptions::default()).into_iter().map(|file| (file.name, file.text)).collect()
}

/// Makes a change.
pub fn apply(change: &Change, sources: &mut [Source]) -> Result<(), ProofError> {
    let Change { file, from, to } = *change;
    let text = sources.iter_mut().find(|(name, _)| name == file).map(|(_, text)| text);
    let count = text.as_ref().map_or(0, |text| text.matches(from).count());
    match text {
        Some(text) if count == 1 => *text = text.replacen(from, to, 1),
        _ => return Err(ProofError::Change { file, from, count }),
    }
    Ok(())
}

/// The CSRs are not reset: they begin with all values that they can ever have.
const CSRS_BEGIN_FREE: Change = Change {
    file: "Core.v",
    from: "Csr csr (\n        .clk(clk), .rst(rst)",
    to: "Csr csr (\n        .clk(clk), .rst(1'b0)",
};

/// A core with its claims, as files in a folder.
pub struct Netlist {
    /// The folder.
    pub folder: PathBuf,
    /// Its checks.
    pub checks: Vec<Check>,
}

impl Netlist {
    /// Writes the Verilog of a core with a fault or without and has Yosys make a netlist for each check that is `wanted`.
    pub fn new(
        tools: &Tools,
        folder: &Path,
        core: &Core,
        faults: &[Change],
        wanted: impl Fn(&Check) -> bool,
    ) -> Result<Netlist, ProofError> {
        let design = elaborate(&Proved { core: core.clone() })?;
        let mut sources = verilog(&design);
        for fault in faults {
            apply(fault, &mut sources)?;
        }
        apply(&CSRS_BEGIN_FREE, &mut sources)?;
        if core.config.extensions.m {
            let (multiply, divide) =
                (Multiply { kind: core.config.multiplier }, Divide { bits: core.config.divider_bits });
            stand_in(&mut sources, "Multiply", &Product { unit: multiply })?;
            stand_in(&mut sources, "Divide", &Quotient { unit: divide })?;
        }
        let mut checks = checks(&labels(&design));
        checks.retain(wanted);
        let script = script(&sources, &checks);
        Netlist::write(tools, folder, &sources, checks, &script)
    }

    /// The same for a part of the tensor unit.
    pub fn of_subject(
        tools: &Tools,
        folder: &Path,
        subject: &Subject,
        faults: &[Change],
        wanted: impl Fn(&Check) -> bool,
    ) -> Result<Netlist, ProofError> {
        let design = subject.design()?;
        let mut sources = verilog(&design);
        for fault in faults {
            apply(fault, &mut sources)?;
        }
        let mut checks = subject.checks(&design);
        checks.retain(wanted);
        let mut script =
            format!("{}design -save guessing\ndesign -save learning\n", read(&sources) + FLATTEN);
        checks.iter().for_each(|check| script += &netlist_of(check));
        Netlist::write(tools, folder, &sources, checks, &script)
    }

    fn write(
        tools: &Tools,
        folder: &Path,
        sources: &[Source],
        checks: Vec<Check>,
        script: &str,
    ) -> Result<Netlist, ProofError> {
        fs::create_dir_all(folder)
            .map_err(|source| ToolError::Write { file: folder.to_path_buf(), source })?;
        for (name, text) in sources {
            write(folder, name, text)?;
        }
        tools.yosys(folder, script)?;
        for check in &checks {
            has_claims(folder, check)?;
        }
        Ok(Netlist { folder: folder.to_path_buf(), checks })
    }

    /// Whether the claims of a check hold.
    pub fn prove(&self, tools: &Tools, check: &Check) -> Result<Verdict, ProofError> {
        let depth = check.depth;
        let searches = match check.kind {
            Kind::Safety | Kind::Liveness => vec![Search::After(depth)],
            Kind::Goals => vec![Search::Goals(depth)],
            Kind::Always => vec![Search::Within(depth), Search::Step(depth)],
        };
        for search in searches {
            let said = tools.model_check(&self.folder, &check.name, search)?;
            if !said.contains("Status: PASSED") {
                return Ok(self.failure(check, &said));
            }
        }
        Ok(Verdict::Holds)
    }

    fn failure(&self, check: &Check, said: &str) -> Verdict {
        let mark = match check.kind {
            Kind::Goals => "Unreached cover statement in Proved: ",
            _ => "Assert failed in Proved: ",
        };
        let failed = said.lines().filter_map(|line| line.split(mark).nth(1));
        let claims = failed.map(|label| label.trim().to_string()).collect();
        Verdict::Fails { claims, trace: self.folder.join(format!("{}.vcd", check.name)) }
    }
}

/// What the solver found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// No run of so many cycles breaks a claim.
    Holds,
    /// One does.
    Fails {
        /// The claims that it breaks in its last cycle.
        claims: Vec<String>,
        /// The run, as a waveform.
        trace: PathBuf,
    },
}

/// Looks whether the claims of a check have come through Yosys: without them everything would hold.
fn has_claims(folder: &Path, check: &Check) -> Result<(), ProofError> {
    let file = folder.join(format!("{}.smt2", check.name));
    let text = fs::read_to_string(&file).map_err(|source| ToolError::Read { file, source })?;
    let mark = if check.kind == Kind::Goals { "; yosys-smt2-cover " } else { "; yosys-smt2-assert " };
    let there: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix(mark)?.split_once(' '))
        .map(|(_, label)| label)
        .collect();
    // Labels of modules within are those of all their instances.
    let is_there = |claim: &&String| match claim.split_once('*') {
        Some((start, end)) => there.iter().any(|label| label.starts_with(start) && label.ends_with(end)),
        None => there.contains(&claim.as_str()),
    };
    let found = check.claims.iter().filter(is_there).count();
    match found == check.claims.len() && found > 0 {
        true => Ok(()),
        false => Err(ProofError::Claims { check: check.name.clone(), wanted: check.claims.len(), found }),
    }
}

/// Gives a module's name to another with the same ports.
fn stand_in<M: Module>(sources: &mut [Source], name: &'static str, module: &M) -> Result<(), ProofError> {
    let design = elaborate(module)?;
    let own = &design.top_module().name;
    let text = verilog(&design).remove(0).1;
    let file = format!("{name}.v");
    if let Some((_, there)) = sources.iter_mut().find(|(source, _)| *source == file) {
        *there = text.replacen(&format!("module {own} "), &format!("module {name} "), 1);
    }
    Ok(())
}

/// Labels of all assertions and goals; of those within the core, their module's.
pub fn labels(design: &Design) -> Vec<String> {
    labels_around(design, "core")
}

/// The same, where what is proved is an instance of this name.
pub fn labels_around(design: &Design, instance: &str) -> Vec<String> {
    let top = &design.top_module().name;
    let mut labels = Vec::new();
    for (module, lowered) in design.modules.iter().zip(&design.lowered) {
        for check in lowered.checks.iter().filter(|check| check.kind != CheckKind::Assume) {
            let name = &check.name;
            labels.push(if module.name == *top { name.clone() } else { format!("{instance}.*{name}") });
        }
    }
    labels
}

/// Predictors, whose predictions are only guesses: whatever they are, the program must take its course. What is proved for any guesses
/// holds for predictors of any size. But one that never learns could keep a program from going on at all.
const PREDICTORS: [&str; 3] = ["Btb", "Gshare", "ReturnStack"];

/// Yosys's script: the design as registers and gates of words, and from that each check with what it depends on.
fn script(sources: &[Source], checks: &[Check]) -> String {
    let files: Vec<&str> = sources.iter().map(|(name, _)| name.as_str()).collect();
    let predictors: Vec<&str> =
        PREDICTORS.into_iter().filter(|name| files.contains(&format!("{name}.v").as_str())).collect();
    let mut script = read(sources) + "design -save read\n";
    for (name, wanted) in [("learning", true), ("guessing", false)] {
        if checks.iter().all(|check| (check.kind == Kind::Liveness) != wanted) {
            continue;
        }
        script += "design -load read\n";
        if !wanted && !predictors.is_empty() {
            script += &format!("blackbox {}\ncutpoint -blackbox\n", predictors.join(" "));
        }
        script += &format!("{FLATTEN}design -save {name}\n");
    }
    checks.iter().for_each(|check| script += &netlist_of(check));
    script
}

/// Reads the modules, of which `Proved` is the top.
fn read(sources: &[Source]) -> String {
    let files: Vec<&str> =
        sources.iter().map(|(name, _)| name.as_str()).filter(|name| name.ends_with(".v")).collect();
    format!("read_verilog -formal {}\nhierarchy -top Proved\nproc -norom\n", files.join(" "))
}

/// The netlist of one check, from a flat design.
fn netlist_of(check: &Check) -> String {
    let claims: Vec<String> = check.claims.iter().map(|label| format!("n:{label}")).collect();
    let design = if check.kind == Kind::Liveness { "learning" } else { "guessing" };
    let mut script = format!("design -load {design}\nselect -set kept {}\n", claims.join(" "));
    script += "delete t:$assert @kept %d\ndelete t:$cover @kept %d\n";
    if check.kind != Kind::Liveness {
        script += "delete n:*_is_bounded n:no_wfi_is_fetched\n";
    }
    script += "opt -nodffe -nosdff\ndffunmap\nopt_clean -purge\n";
    script + &format!("write_smt2 -wires {}.smt2\n", check.name)
}

/// One module of registers and gates. Registers and memories begin with anything, and the reset does the rest. (A ROM that `proc` made
/// would lose its contents here.)
const FLATTEN: &str = "flatten\nsetattr -unset init w:*\ndelete t:$meminit*\nmemory -nomap\nmemory_map\nopt -nodffe -nosdff\ndffunmap\n\
                       async2sync\nchformal -lower\nopt_clean\n";
