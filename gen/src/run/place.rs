//! Where a program is.

use std::fmt;

use ferrite_model::isa::decode;

/// How far a program is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Before its first instruction.
    Start,
    /// At two instructions that follow each other, each with its address and its word where that is known.
    Between {
        /// The instruction in the core's last stage.
        last: (u32, Option<u32>),
        /// The one that comes after it.
        next: (u32, Option<u32>),
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Place::Start => write!(f, "  no instruction has retired yet"),
            Place::Between { last, next } => {
                writeln!(f, "  last  {}", Line(last))?;
                write!(f, "  next  {}", Line(next))
            }
        }
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
