//! Where a program is.

use std::fmt;

use ferrite_model::isa::decode;

/// Two instructions that follow each other, each with its address and its word where that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The instruction in the core's last stage.
    pub last: (u32, Option<u32>),
    /// The one that comes after it.
    pub next: (u32, Option<u32>),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  last  {}", Line(self.last))?;
        write!(f, "  next  {}", Line(self.next))
    }
}

struct Line((u32, Option<u32>));

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Line((pc, word)) = self;
        match word.map(|word| (word, decode(word))) {
            None => write!(f, "{pc:08x}:"),
            Some((word, None)) => write!(f, "{pc:08x}: {word:08x}  no instruction"),
            Some((word, Some(inst))) => write!(f, "{pc:08x}: {word:08x}  {}", inst.at(*pc)),
        }
    }
}
