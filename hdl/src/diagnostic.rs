//! Mistakes in a design, shown in the user's Rust source.

use crate::ir::Loc;

/// The kinds of mistakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // each is explained by its message; `title` has the words
pub enum Kind {
    WidthMismatch,
    BadWidth,
    LiteralTooWide,
    SliceOutOfRange,
    NotDrivable,
    DoubleDrive,
    Undriven,
    PartlyDriven,
    CombinationalLoop,
    DuplicateName,
    BadName,
    ReservedName,
    PortOpen,
    UnusedInstance,
    AddressWidth,
    MemoryShape,
    MemoryContents,
    UnsynchronisedCrossing,
    UnknownClock,
    ForeignSignal,
    BadCase,
    DanglingOtherwise,
    EncodingMismatch,
    RecursiveModule,
    FlippedOutput,
}

/// One mistake.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// What kind of mistake.
    pub kind: Kind,
    /// One sentence with names and widths.
    pub message: String,
    /// Places in the Rust source with a few words each; the first is where the mistake is.
    pub labels: Vec<(Loc, String)>,
    /// What to do.
    pub help: String,
}

impl Diagnostic {
    /// A mistake at a place.
    pub fn new(kind: Kind, loc: Loc, message: impl Into<String>) -> Diagnostic {
        Diagnostic { kind, message: message.into(), labels: vec![(loc, String::new())], help: String::new() }
    }

    /// Words at the place of the mistake.
    pub fn here(mut self, words: impl Into<String>) -> Diagnostic {
        self.labels[0].1 = words.into();
        self
    }

    /// Another place that has to do with it.
    pub fn label(mut self, loc: Loc, words: impl Into<String>) -> Diagnostic {
        self.labels.push((loc, words.into()));
        self
    }

    /// What to do.
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = help.into();
        self
    }
}
