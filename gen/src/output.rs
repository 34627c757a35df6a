//! What `ferrite gen` writes for a chip.

use std::fmt::Write;

use ferrite_hdl::design::Design;
use ferrite_hdl::verilog::{EmitOptions, emit};
use ferrite_hw::config::{ChipConfig, PARAMETERS};

use crate::atomic::OutputFolder;
use crate::error::Error;
use crate::header::header;
use crate::linker::linker_script;
use crate::march::compiler_options;
use crate::registers::register_reference;
use crate::svd::svd;

/// How much was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Verilog modules.
    pub modules: usize,
    /// Lines of Verilog.
    pub lines: usize,
    /// Files with the initial contents of memories.
    pub contents: usize,
}

/// Writes everything about a chip into a folder: `rtl/` with a list of its files, `sw/`, the chip's parameters, register reference and
/// SVD file.
///
/// # Errors
/// [`Error::Write`].
pub fn write_chip(
    folder: &OutputFolder,
    chip: &ChipConfig,
    design: &Design,
    options: &EmitOptions,
) -> Result<Written, Error> {
    let written = write_rtl(folder, &chip.name, design, options)?;
    folder.write("sw/ferrite.h", header(chip).as_bytes())?;
    folder.write("sw/ferrite.ld", linker_script(chip).as_bytes())?;
    folder.write("sw/chip.mk", compiler_options(chip).as_bytes())?;
    folder.write(&format!("{}.svd", chip.name), svd(chip).as_bytes())?;
    folder.write("registers.md", register_reference(chip).as_bytes())?;
    folder.write("chip.toml", chip_toml(chip).as_bytes())?;
    Ok(written)
}

/// Writes everything about a core alone into a folder: `rtl/` with a list of its files, and the core's parameters. `top` is the name of
/// its top module.
///
/// # Errors
/// [`Error::Write`].
pub fn write_core(
    folder: &OutputFolder,
    chip: &ChipConfig,
    top: &str,
    design: &Design,
    options: &EmitOptions,
) -> Result<Written, Error> {
    let written = write_rtl(folder, top, design, options)?;
    folder.write("core.toml", core_toml(chip).as_bytes())?;
    Ok(written)
}

/// Writes Verilog and memory contents into `rtl/`, and a list of the Verilog files.
fn write_rtl(
    folder: &OutputFolder,
    top: &str,
    design: &Design,
    options: &EmitOptions,
) -> Result<Written, Error> {
    let files = emit(design, options);
    let (mut list, mut written) = (String::new(), Written { modules: 0, lines: 0, contents: 0 });
    for file in &files {
        folder.write(&format!("rtl/{}", file.name), file.text.as_bytes())?;
        // Memory contents are read by the modules, not listed for the tools.
        if file.is_source() {
            let _ = writeln!(list, "{}", file.name);
            written.modules += 1;
            written.lines += file.text.lines().count();
        } else {
            written.contents += 1;
        }
    }
    folder.write(&format!("rtl/{top}.f"), list.as_bytes())?;
    Ok(written)
}

/// All parameters of a valid chip as a file that `ferrite gen` reads, each with its meaning.
pub fn chip_toml(chip: &ChipConfig) -> String {
    parameters_toml(chip, format!("# All parameters of the chip `{}`.\n", chip.name), |_| true)
}

/// The parameters of a core alone, likewise.
fn core_toml(chip: &ChipConfig) -> String {
    let is_its = |key: &str| key == "name" || key.starts_with("core.");
    parameters_toml(chip, "# All parameters of a core, for `ferrite gen --core`.\n".to_string(), is_its)
}

fn parameters_toml(chip: &ChipConfig, mut text: String, is_written: impl Fn(&str) -> bool) -> String {
    let mut table = "";
    for parameter in PARAMETERS.iter().filter(|parameter| is_written(parameter.key)) {
        let Some(value) = parameter.value_text(chip) else { continue };
        let (at, key) = parameter.key.rsplit_once('.').unwrap_or(("", parameter.key));
        if at != table {
            let _ = write!(text, "\n[{at}]\n");
            table = at;
        }
        let unit = if parameter.unit.is_empty() { String::new() } else { format!(" ({})", parameter.unit) };
        let _ = writeln!(text, "{key} = {value} # {}{unit}", parameter.doc);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use ferrite_hw::config::CoreConfig;

    #[test]
    fn the_written_parameters_are_read_back_as_the_same_chip() {
        let mut small = ChipConfig { name: "small".to_string(), tensor: None, ..ChipConfig::default() };
        small.soc.ram_bytes = 32 << 10;
        small.core = CoreConfig::SMALL;
        let core = CoreConfig { pmp_regions: 8, event_counters: 2, return_stack: 0, ..CoreConfig::FAST };
        let other = ChipConfig { core, ..ChipConfig::default() };
        let mut compressed = small.clone();
        compressed.core.extensions.c = true;
        for chip in [ChipConfig::default(), small, other, compressed] {
            let text = chip_toml(&chip);
            let read = crate::config::parse(Some(("chip.toml", &text)), &[]);
            assert_eq!(read.unwrap_or_else(|report| panic!("{report}\n{text}")), chip);
        }
    }
}
