//! Places in the Rust source as the Verilog shows them.

use crate::ir::Loc;

/// File and line. The compiler notes absolute paths for crates outside of its workspace; of those only the part from the crate's
/// folder on is shown, so that the Verilog is the same on every machine.
pub(super) fn place(loc: Loc) -> String {
    format!("{}:{}", shown(loc.file()), loc.line())
}

fn shown(file: &str) -> String {
    let file = file.replace('\\', "/");
    let is_absolute = file.starts_with('/') || file.get(1..3) == Some(":/");
    if !is_absolute {
        return file;
    }
    let folders: Vec<&str> = file.split('/').collect();
    let last = folders.len() - 1;
    let source = folders.iter().rposition(|f| matches!(*f, "src" | "tests" | "examples" | "benches"));
    folders[source.map_or(last, |k| k.saturating_sub(1))..].join("/")
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn the_place_of_a_file_does_not_depend_on_where_the_crate_lies() {
        assert_eq!(shown("hdl/src/library/queue.rs"), "hdl/src/library/queue.rs");
        assert_eq!(shown("/any/folder/hdl/src/library/queue.rs"), "hdl/src/library/queue.rs");
        assert_eq!(shown("C:\\any\\hdl\\src\\lib.rs"), "hdl/src/lib.rs");
        assert_eq!(shown("/any/chip.rs"), "chip.rs");
    }
}
