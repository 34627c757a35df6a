//! `ferrite gen`

use std::path::PathBuf;

use clap::Args;
use ferrite_gen::atomic::OutputFolder;
use ferrite_gen::config::parameters_help;
use ferrite_gen::error::Error;
use ferrite_gen::output::write_chip;
use ferrite_hdl::verilog::EmitOptions;

use super::chip::{Overrides, design};
use super::core::{self, CoreAlone};
use super::numbers::grouped;
use super::report;

/// Writes a chip: Verilog with a list of its files, C header, linker script, compiler options, register reference and SVD file. With --core, the
/// RISC-V core alone, with ports of AXI4-Lite, of Wishbone or of its own.
///
/// The folder appears as a whole, and replaces one that an earlier call wrote; a folder with any other file in it is left alone.
#[derive(Args)]
#[command(after_long_help = parameters_help())]
pub struct Gen {
    /// The chip's description, a TOML file; without it, the default chip.
    pub chip: Option<PathBuf>,
    #[command(flatten)]
    pub overrides: Overrides,
    #[command(flatten)]
    pub alone: CoreAlone,
    /// The folder to write.
    #[arg(short, long, default_value = "build", value_name = "FOLDER")]
    pub output: PathBuf,
    /// Says behind every statement of the Verilog where in the Rust sources it comes from.
    #[arg(long)]
    pub source_lines: bool,
}

/// Runs `ferrite gen`.
pub fn generate(options: &Gen) -> Result<(), Error> {
    if options.alone.core {
        return core::generate(options);
    }
    let chip = options.overrides.load(options.chip.as_ref())?;
    let design = design(&chip)?;
    let folder = OutputFolder::create(&options.output)?;
    let emit = EmitOptions { source_lines: options.source_lines };
    let written = write_chip(&folder, &chip, &design, &emit)?;
    folder.commit()?;
    let place = options.output.display();
    let indent = " ".repeat(place.to_string().len() + 4);
    let (modules, lines, name) = (written.modules, grouped(written.lines as u64), &chip.name);
    let mut text = format!(
        "{place}/rtl: {modules} modules, {lines} lines of Verilog\n\
         {indent}  top module `{name}`; {name}.f lists the files in order\n"
    );
    if written.contents > 0 {
        text.push_str(&format!(
            "{indent}  *.hex are memory contents; a tool that runs elsewhere needs FERRITE_MEMORY_FOLDER=\"{place}/rtl/\" defined\n"
        ));
    }
    text.push_str(&format!(
        "{place}/sw: ferrite.h, ferrite.ld and chip.mk, for programs (see sw/README.md)\n\
         {place}/{name}.svd, registers.md, chip.toml: the registers and all parameters\n"
    ));
    report::print(&text)
}
