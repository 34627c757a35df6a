//! Breaks long lines.

/// Where a line should end.
const COLUMNS: usize = 100;

/// Breaks the assignments and conditions that are too long, after commas or else before operators, as far out of the
/// parentheses as possible. A chain of choices gets a line per choice.
pub(super) fn wrap(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        // Lines of ports and instances are laid out already; a comment ends a statement.
        let is_statement =
            line.starts_with("    ") && line.ends_with([';', ' ', 'n']) && !line.contains("//");
        if line.len() > COLUMNS && is_statement && (line.contains('=') || line.contains("if (")) {
            wrap_line(line, &mut out);
        } else {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

/// A place where a line may be broken: the position of a blank, and how many brackets are open there.
struct Gap {
    at: usize,
    depth: usize,
    choice: bool,
    comma: bool,
}

fn gaps(line: &str) -> Vec<Gap> {
    let (mut depth, mut gaps) = (0, Vec::new());
    for (at, c) in line.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ' ' => {
                let (before, after) = (&line[..at], &line[at + 1..]);
                let choice = before.ends_with(" :");
                let operator =
                    ["| ", "^ ", "& ", "+ ", "- ", "== ", "!= "].iter().any(|sign| after.starts_with(sign));
                let comma = before.ends_with(',');
                if choice || operator || comma {
                    gaps.push(Gap { at, depth, choice, comma });
                }
            }
            _ => {}
        }
    }
    gaps
}

fn wrap_line(line: &str, out: &mut String) {
    let indent = line.len() - line.trim_start().len();
    let pad = " ".repeat(indent + 4);
    let gaps = gaps(line);
    let mut start = 0;
    while start < line.len() {
        let shown = if start == 0 { 0 } else { pad.len() };
        let room = start + COLUMNS.saturating_sub(shown);
        let rest = gaps.iter().filter(|g| g.at > start + indent);
        let next_choice = rest.clone().find(|g| g.choice && g.depth == 0);
        let within = rest.clone().filter(|g| g.at <= room && line.len() > room);
        // `min_by_key` takes the first of several, and the last place on the line is wanted.
        let fitting = within.min_by_key(|g| (g.depth, !g.comma, usize::MAX - g.at));
        let end = match (next_choice, fitting) {
            (Some(choice), _) if choice.at <= room => choice.at,
            (_, Some(gap)) => gap.at,
            // Nothing fits: the first place beyond.
            (_, None) if line.len() > room => rest.map(|g| g.at).next().unwrap_or(line.len()),
            _ => line.len(),
        };
        if start > 0 {
            out.push_str(&pad);
        }
        out.push_str(line[start..end].trim_end());
        out.push('\n');
        start = if end < line.len() { end + 1 } else { end };
    }
}
