//! Initial contents of memories.

use std::fmt::Write;

use super::Writer;
use crate::bits::Bits;
use crate::ir::{Memory, MemoryId};
use crate::verilog::expr::literal;
use crate::verilog::{FileKind, VerilogFile};

/// Memories of more words get their contents from a file.
pub const MAX_INLINE_WORDS: u32 = 64;

/// The macro that holds the folder of such files.
const FOLDER: &str = "FERRITE_MEMORY_FOLDER";

/// Gives the folder of the files where the user does not: the one in which the tool runs.
pub(super) fn folder() -> String {
    format!("`ifndef {FOLDER}\n`define {FOLDER} \"./\"\n`endif\n\n")
}

impl Writer<'_> {
    /// Initial contents. Synthesis sees only those that the design asks for; simulation starts from zeros elsewhere.
    pub(super) fn contents(&mut self, id: MemoryId, out: &mut String, simulation: &mut String) {
        let memory = &self.module.memories[id.index()];
        let name = &memory.name;
        if memory.init.is_empty() {
            let (index, clear) = self.clear(memory);
            let _ = write!(simulation, "    integer {index};\n    initial {clear}\n");
            return;
        }
        if memory.depth > MAX_INLINE_WORDS {
            let file = self.files.fresh(&format!("{}_{name}", self.module.name), "hex");
            let _ = writeln!(out, "    initial $readmemh({{`{FOLDER}, \"{file}\"}}, {name});");
            let text = self.hex(memory);
            self.contents.push(VerilogFile { name: file, text, kind: FileKind::MemoryContents });
            return;
        }
        if memory.init.len() < memory.depth as usize {
            let (index, clear) = self.clear(memory);
            let _ = write!(out, "    integer {index};\n    initial begin\n        {clear}\n");
        } else {
            out.push_str("    initial begin\n");
        }
        for (k, word) in memory.init.iter().enumerate() {
            let _ = writeln!(out, "        {name}[{k}] = {};", literal(word, false).0);
        }
        out.push_str("    end\n");
    }

    /// A loop that sets all words to 0, and its variable.
    fn clear(&mut self, memory: &Memory) -> (String, String) {
        let index = self.e.taken.fresh("i");
        let zero = literal(&Bits::zero(memory.width), false).0;
        let (name, depth) = (&memory.name, memory.depth);
        let clear =
            format!("for ({index} = 0; {index} < {depth}; {index} = {index} + 1) {name}[{index}] = {zero};");
        (index, clear)
    }

    /// All words of a memory: tools complain of a file that has fewer.
    fn hex(&self, memory: &Memory) -> String {
        let zero = Bits::zero(memory.width);
        let digits = memory.width.div_ceil(4) as usize;
        let mut text = format!("// memory {} of {}: {} words\n", memory.name, self.module.name, memory.depth);
        let zeros = std::iter::repeat(&zero);
        for word in memory.init.iter().chain(zeros).take(memory.depth as usize) {
            let _ = writeln!(text, "{word:0digits$x}");
        }
        text
    }
}
