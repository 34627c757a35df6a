//! The report: tables in Markdown, and which targets are reached.

use std::fmt::{self, Write};

/// What a number must be.
pub enum Goal {
    /// Below this.
    Below(f64),
    /// This or more.
    AtLeast(f64),
}

impl Goal {
    fn is_reached(&self, value: f64) -> bool {
        match self {
            Goal::Below(limit) => value < *limit,
            Goal::AtLeast(limit) => value >= *limit,
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Goal::Below(limit) => write!(f, "below {limit}"),
            Goal::AtLeast(limit) => write!(f, "at least {limit}"),
        }
    }
}

/// What the benchmark has to say.
#[derive(Default)]
pub struct Report {
    text: String,
    targets: Vec<[String; 4]>,
    missed: usize,
}

impl Report {
    /// A paragraph.
    pub fn paragraph(&mut self, text: &str) {
        let _ = writeln!(self.text, "{text}\n");
    }

    /// A heading, and a table with a header and rows.
    pub fn table<const N: usize>(&mut self, heading: &str, header: [&str; N], rows: &[[String; N]]) {
        let _ = writeln!(self.text, "## {heading}\n\n| {} |\n|{}", header.join(" | "), "---|".repeat(N));
        for row in rows {
            let _ = writeln!(self.text, "| {} |", row.join(" | "));
        }
        self.text.push('\n');
    }

    /// Holds a number against what it should be; without one it is skipped.
    pub fn target(&mut self, what: &str, unit: &str, goal: Goal, value: Option<f64>) {
        let (number, verdict) = match value {
            None => ("not measured".to_string(), "SKIPPED"),
            Some(value) if goal.is_reached(value) => (format!("{value:.2} {unit}"), "reached"),
            Some(value) => {
                self.missed += 1;
                (format!("{value:.2} {unit}"), "NOT REACHED")
            }
        };
        let number = number.trim_end().to_string();
        self.targets.push([
            what.to_string(),
            format!("{goal} {unit}").trim_end().to_string(),
            number,
            verdict.to_string(),
        ]);
    }

    /// Everything in Markdown, the targets last, and how many of them are missed.
    pub fn finish(mut self) -> (String, usize) {
        let targets = std::mem::take(&mut self.targets);
        self.table("Targets", ["", "target", "measured", ""], &targets);
        (self.text.trim_end().to_string() + "\n", self.missed)
    }
}
