//! Running a core with a fault until something notices.

use std::path::Path;

use ferrite_gen::error::Error;
use ferrite_gen::fuzz::{Fuzzer, Traits};
use ferrite_hdl::{Design, elaborate};
use ferrite_hw::core::Core;

use super::faults::{CaughtBy, Fault};
use super::icarus::{Icarus, IcarusError};
use crate::formal::checks::Check;
use crate::formal::cores;
use crate::formal::netlist::{Change, Netlist, ProofError, Verdict, apply, verilog};
use crate::formal::tools::Tools;
use crate::formal::unit::Subject;

/// Programs after which a fault has survived.
pub const MOST_PROGRAMS: u64 = 200;

/// How a fault was noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catch {
    /// The test.
    pub test: String,
    /// Cycles until then, of all its programs.
    pub cycles: u64,
    /// What it said.
    pub said: String,
}

/// Why a fault could not be tried.
#[derive(Debug, thiserror::Error)]
pub enum MutantError {
    /// It does not fit the Verilog, or cannot be proved.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// Icarus Verilog.
    #[error(transparent)]
    Icarus(#[from] IcarusError),
    /// The random programs.
    #[error(transparent)]
    Fuzz(#[from] Error),
    /// No core of that name.
    #[error("there is no core `{0}`")]
    NoSuchCore(&'static str),
    /// No check of that name.
    #[error("there is no check `{0}`")]
    NoSuchCheck(&'static str),
    /// A folder.
    #[error("cannot make a folder: {0}")]
    Folder(#[from] std::io::Error),
}

/// The core of that name.
pub fn core(name: &'static str) -> Result<Core, MutantError> {
    let found = cores().into_iter().find(|(known, _)| *known == name);
    found.map(|(_, core)| core).ok_or(MutantError::NoSuchCore(name))
}

/// The core where random programs run: it starts where they do.
fn design(core: &Core) -> Result<Design, MutantError> {
    let config = Traits::new(core.config, core.has_coprocessor).core;
    Ok(elaborate(&Core { config, ..core.clone() }).map_err(ProofError::from)?)
}

/// Whether a fault's text stands exactly once in the Verilog.
///
/// # Errors
/// It does not.
pub fn fits(fault: &Fault) -> Result<(), MutantError> {
    let design = design(&core(fault.core)?)?;
    Ok(apply(&fault.change, &mut verilog(&design))?)
}

/// What the fault's test says: nothing if the fault survives. Proofs need the tools.
///
/// # Errors
/// The fault could not be tried.
pub fn try_fault(fault: &Fault, tools: Option<&Tools>) -> Result<Option<Catch>, MutantError> {
    let folder = tempfile::tempdir()?;
    let core = core(fault.core)?;
    match (fault.caught_by, tools) {
        (CaughtBy::Check(name), Some(tools)) => prove(folder.path(), &core, &fault.change, name, tools),
        (CaughtBy::Check(_), None) => Ok(None),
        (CaughtBy::Programs, _) => programs(folder.path(), &core, Some(&fault.change), MOST_PROGRAMS),
    }
}

/// Runs random programs on the Verilog of a core, with a change or without.
///
/// # Errors
/// The Verilog cannot be made or does not run.
pub fn programs(
    folder: &Path,
    core: &Core,
    change: Option<&Change>,
    most: u64,
) -> Result<Option<Catch>, MutantError> {
    let design = design(core)?;
    let mut sources = verilog(&design);
    if let Some(change) = change {
        apply(change, &mut sources)?;
    }
    Icarus::compile(folder, &design, &sources)?;
    let mut cycles = 0;
    for seed in 0..most {
        let engine = Icarus::start(folder, &design)?;
        let mut fuzzer = Fuzzer::on(Box::new(engine), core.config, core.has_coprocessor)?;
        match fuzzer.run(seed) {
            Ok(ran) => cycles += ran.cycles,
            Err(failure) => {
                let said = failure.to_string();
                let cycles = cycles + fuzzer.cycle();
                return Ok(Some(Catch { test: format!("random program {seed}"), cycles, said }));
            }
        }
    }
    Ok(None)
}

fn prove(
    folder: &Path,
    core: &Core,
    change: &Change,
    name: &'static str,
    tools: &Tools,
) -> Result<Option<Catch>, MutantError> {
    let concerns = |check: &Check| check.name == name || check.claims.iter().any(|claim| claim == name);
    notices(&Netlist::new(tools, folder, core, &[*change], concerns)?, name, tools)
}

/// What a check of a part of the tensor unit says to a fault there: nothing if the fault survives.
///
/// # Errors
/// The fault could not be tried.
pub fn try_part(
    subject: &Subject,
    change: &Change,
    name: &'static str,
    tools: &Tools,
) -> Result<Option<Catch>, MutantError> {
    let folder = tempfile::tempdir()?;
    let concerns = |check: &Check| check.name == name;
    notices(&Netlist::of_subject(tools, folder.path(), subject, &[*change], concerns)?, name, tools)
}

fn notices(netlist: &Netlist, name: &'static str, tools: &Tools) -> Result<Option<Catch>, MutantError> {
    let check = netlist.checks.first().ok_or(MutantError::NoSuchCheck(name))?;
    Ok(match netlist.prove(tools, check)? {
        Verdict::Holds => None,
        Verdict::Fails { claims, .. } => {
            let said = format!("{} fails", claims.join(", "));
            Some(Catch { test: format!("formal check {}", check.name), cycles: check.depth.into(), said })
        }
    })
}
