//! The Verilog-2005 of a design, to be read by people: [`emit`].

mod black_box;
mod comment;
mod drive;
mod expr;
mod module;
pub mod names;
mod nodes;
mod place;
mod stmt;
#[cfg(test)]
mod tests;
mod usage;
mod wrap;

use std::collections::HashSet;

use crate::design::Design;
use crate::verilog::names::FileNames;

pub use module::MAX_INLINE_WORDS;

/// What the text shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmitOptions {
    /// Adds the place in the Rust source to every statement, as a comment, and to the messages of properties that fail in
    /// simulation. Without it the text does not change when lines of Rust merely move.
    pub source_lines: bool,
}

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// Verilog: `Module.v`.
    Verilog,
    /// Verilog that declares the ports of an [`External`](crate::External) module without text: `Module_bb.v`. Lint and
    /// synthesis read it like any other; where the module's own Verilog is given it is left out.
    BlackBox,
    /// Contents of a memory, which tools read by `$readmemh`: `Module_memory.hex`. It is never given to a tool by name.
    MemoryContents,
}

/// A file of the emitted design.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerilogFile {
    /// Its name, without a folder.
    pub name: String,
    /// Its text.
    pub text: String,
    /// What it is for.
    pub kind: FileKind,
}

impl VerilogFile {
    /// Whether tools take it as source: all files but contents of memories.
    pub fn is_source(&self) -> bool {
        self.kind != FileKind::MemoryContents
    }
}

/// Writes a design as Verilog, a file per module, children first. The text depends on nothing but the design and the options.
///
/// Initial contents of memories of more than [`MAX_INLINE_WORDS`] words come as files of their own. Tools look for them in the folder in
/// which they run; define the macro `FERRITE_MEMORY_FOLDER` (for instance `-DFERRITE_MEMORY_FOLDER='"build/"'`) where they lie elsewhere.
///
/// Properties are assertions for formal tools if `FORMAL` is defined. In simulation one that fails prints `%m: assertion NAME failed` and calls
/// `$stop`; define `SYNTHESIS` to leave that out.
pub fn emit(design: &Design, options: &EmitOptions) -> Vec<VerilogFile> {
    let mut files: Vec<VerilogFile> = Vec::new();
    let mut names = FileNames::default();
    let mut externals = HashSet::new();
    // First, so that what else needs a name takes another one.
    for module in design.modules.iter().filter(|m| m.external.is_none()) {
        names.fresh(&module.name, "v");
    }
    for (module, lowered) in design.modules.iter().zip(&design.lowered) {
        let Some(external) = &module.external else {
            let (text, contents) = module::emit(design, module, lowered, options, &mut names);
            files.extend(contents);
            files.push(VerilogFile { name: format!("{}.v", module.name), text, kind: FileKind::Verilog });
            continue;
        };
        let name = &external.verilog_name;
        // Several modules may be one external module with different parameters.
        if !externals.insert(name) {
            continue;
        }
        files.push(match &external.verilog {
            Some(text) => {
                VerilogFile { name: names.fresh(name, "v"), text: text.clone(), kind: FileKind::Verilog }
            }
            None => {
                let (name, text) =
                    (names.fresh(&format!("{name}_bb"), "v"), black_box::stub(module, external));
                VerilogFile { name, text, kind: FileKind::BlackBox }
            }
        });
    }
    files
}
