//! Mistakes in a design, shown in the user's Rust source.

use std::collections::HashSet;
use std::fmt;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

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
    BundleMismatch,
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

/// All mistakes of a design.
#[derive(Clone, thiserror::Error)]
#[error("{}", self.render(false))]
pub struct Diagnostics {
    all: Vec<Diagnostic>,
}

/// The mistakes as text, below what `unwrap` and `expect` say.
impl fmt::Debug for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{}", self.render(false))
    }
}

impl Diagnostics {
    /// Mistakes in the order in which they were found; the same mistake at the same place counts once (a module may be elaborated with many
    /// parameters).
    pub fn new(all: Vec<Diagnostic>) -> Diagnostics {
        let mut seen = HashSet::new();
        let all =
            all.into_iter().filter(|d| seen.insert((d.kind, d.labels[0].0, d.message.clone()))).collect();
        Diagnostics { all }
    }

    /// The mistakes.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.all.iter()
    }

    /// The mistakes as text, as a compiler shows them.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let reports: Vec<String> = self.all.iter().map(|d| render(d, &renderer)).collect();
        let count = match self.all.len() {
            1 => "error: the design has 1 mistake".to_string(),
            n => format!("error: the design has {n} mistakes"),
        };
        format!("{}\n\n{count}", reports.join("\n\n"))
    }
}

/// The text of a source file, if it can be found: paths that the compiler notes are relative to where it ran.
fn source(file: &str) -> Option<String> {
    let here = std::env::current_dir().ok()?;
    here.ancestors().take(8).find_map(|folder| std::fs::read_to_string(folder.join(file)).ok())
}

/// The part of a line that a place means: from its column to the end of the statement on that line.
fn span(line: &str, column: usize) -> std::ops::Range<usize> {
    let start = line.char_indices().nth(column.saturating_sub(1)).map_or(0, |(at, _)| at);
    let rest = &line[start..];
    let mut depth = 0i32;
    let mut end = rest.len();
    for (at, c) in rest.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        if depth < 0 || (depth == 0 && matches!(c, ';' | ',')) {
            end = at;
            break;
        }
    }
    start..start + rest[..end].trim_end().len().max(1).min(rest.len().max(1))
}

fn render(diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let mut group = Group::with_title(Level::ERROR.primary_title(diagnostic.message.as_str()));
    let lines: Vec<(String, String, std::ops::Range<usize>)> = diagnostic
        .labels
        .iter()
        .map(|(loc, words)| {
            let text = source(loc.file()).unwrap_or_default();
            let line = text.lines().nth(loc.line() as usize - 1).unwrap_or("").to_string();
            let range = if line.is_empty() { 0..0 } else { span(&line, loc.column() as usize) };
            (line, words.clone(), range)
        })
        .collect();
    for (k, ((loc, _), (line, words, range))) in diagnostic.labels.iter().zip(&lines).enumerate() {
        let kind = if k == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        let mut annotation = kind.span(range.clone());
        if !words.is_empty() {
            annotation = annotation.label(words.as_str());
        }
        let snippet = Snippet::source(line.as_str()).line_start(loc.line() as usize).path(loc.file());
        group = group.element(snippet.annotation(annotation));
    }
    if !diagnostic.help.is_empty() {
        group = group.element(Level::HELP.message(diagnostic.help.as_str()));
    }
    renderer.render(&[group])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unwrap_shows_mistakes_as_a_compiler_does() {
        let here = std::panic::Location::caller();
        let mistake = Diagnostic::new(Kind::Undriven, here, "wire `w` is never set").help("set it");
        let mistakes = Diagnostics::new(vec![mistake]);
        assert_eq!(format!("{mistakes:?}"), format!("\n{mistakes}"));
        assert!(mistakes.to_string().starts_with("error: wire `w` is never set\n"));
    }
}
