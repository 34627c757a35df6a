//! Documentation of Rust as comments of Verilog.

/// The lines of a documentation comment without what only rustdoc understands: fences of code blocks, and the brackets of links.
pub(super) fn lines(doc: &str) -> Vec<String> {
    let shown = doc.lines().filter(|line| !line.trim_start().starts_with("```"));
    shown.map(|line| without_links(line).trim_end().to_string()).collect()
}

/// The comment on one line.
pub(super) fn line(doc: &str) -> String {
    lines(doc).join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// ``[`Name`]`` as `` `Name` ``.
fn without_links(line: &str) -> String {
    line.replace("[`", "`").replace("`]", "`")
}

/// A line of a comment, at the beginning of a line.
pub(super) fn heading(line: &str) -> String {
    format!("// {line}").trim_end().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawings_keep_their_shape_and_lose_their_fences() {
        let doc = "An array.\n\n```text\n a --> [pe]\n         |\n```\nSee [`Array::latency`].";
        assert_eq!(lines(doc), ["An array.", "", " a --> [pe]", "         |", "See `Array::latency`."]);
        assert_eq!(line("first\n  second"), "first second");
        assert_eq!(heading(""), "//");
    }
}
