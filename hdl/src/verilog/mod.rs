//! The Verilog-2005 of a design, to be read by people.

mod drive;
mod expr;
mod module;
pub mod names;
mod place;
mod stmt;
#[cfg(test)]
mod tests;
mod usage;
mod wrap;

use crate::design::Design;

/// What the text shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmitOptions {
    /// Adds the place in the Rust source to every statement, as a comment, and to the messages of properties that fail in
    /// simulation. Without it the text does not change when lines of Rust merely move.
    pub source_lines: bool,
}

/// A file of Verilog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerilogFile {
    /// Its name: the module's, and `.v`.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// Writes a design as Verilog, a file per module, children first. The text depends on nothing but the design and the options.
pub fn emit(design: &Design, options: &EmitOptions) -> Vec<VerilogFile> {
    let mut files = Vec::new();
    for (module, lowered) in design.modules.iter().zip(&design.lowered) {
        match &module.external {
            None => files.push(VerilogFile {
                name: format!("{}.v", module.name),
                text: module::emit(design, module, lowered, options),
            }),
            Some(external) => {
                if let Some(text) = &external.verilog {
                    files.push(VerilogFile {
                        name: format!("{}.v", external.verilog_name),
                        text: text.clone(),
                    });
                }
            }
        }
    }
    files
}
