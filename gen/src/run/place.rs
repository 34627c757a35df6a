//! Where a program is.

use std::fmt;

use ferrite_model::isa::{disassemble, is_compressed};

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
        let &Line((pc, word)) = self;
        let Some(word) = word else {
            return write!(f, "{pc:08x}:");
        };
        let text = disassemble(word, Some(pc)).unwrap_or_else(|| "no instruction".to_string());
        if is_compressed(word as u16) {
            write!(f, "{pc:08x}: {:04x}      {text}", word as u16)
        } else {
            write!(f, "{pc:08x}: {word:08x}  {text}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_of_both_sizes_are_shown_as_they_are() {
        // 0x0505 is `c.addi a0, 1`; what follows it in memory is not its own.
        let place =
            Place::Between { last: (0x8000_0000, Some(0x1234_0505)), next: (0x8000_0002, Some(0x0000_0013)) };
        insta::assert_snapshot!(place.to_string(), @r"
          last  80000000: 0505      c.addi a0, 1
          next  80000002: 00000013  addi zero, zero, 0
        ");
        let place = Place::Between { last: (0x8000_0000, Some(0)), next: (4, None) };
        insta::assert_snapshot!(place.to_string(), @r"
          last  80000000: 0000      no instruction
          next  00000004:
        ");
    }
}
