//! Parts of documents that tools write.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// Why a section cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum SectionError {
    /// The document cannot be read or written.
    #[error("{}: {error}", file.display())]
    Io {
        /// The document.
        file: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The section's markers are not in the document.
    #[error("{} has no line `{begin}` with a line `{end}` below it: put both where the section shall stand", file.display())]
    NoMarkers {
        /// The document.
        file: PathBuf,
        /// The marker before the section.
        begin: String,
        /// The marker behind it.
        end: String,
    },
}

/// Replaces what stands in a document between `<!-- NAME: begin -->` and `<!-- NAME: end -->`.
///
/// # Errors
/// The markers are not there, or the document cannot be read or written; it keeps its contents then.
pub fn write(file: &Path, name: &str, section: &str) -> Result<(), SectionError> {
    let io = |error| SectionError::Io { file: file.to_path_buf(), error };
    let old = fs::read_to_string(file).map_err(io)?;
    let [begin, end] = ["begin", "end"].map(|which| format!("<!-- {name}: {which} -->"));
    let replaced = replaced(&old, &begin, &end, section);
    let new = replaced.ok_or_else(|| SectionError::NoMarkers { file: file.to_path_buf(), begin, end })?;
    fs::write(file, new).map_err(io)
}

fn replaced(document: &str, begin: &str, end: &str, section: &str) -> Option<String> {
    let (before, rest) = document.split_once(begin)?;
    let (_, after) = rest.split_once(end)?;
    Some(format!("{before}{begin}\n\n{}\n\n{end}{after}", section.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_the_markers_is_replaced_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("page.md");
        fs::write(&file, "a\n<!-- x: begin -->\nold\n<!-- x: end -->\nb\n<!-- y: begin --><!-- y: end -->\n")
            .unwrap();
        write(&file, "x", "new\n").unwrap();
        write(&file, "x", "newer\n").unwrap();
        let page = fs::read_to_string(&file).unwrap();
        assert_eq!(
            page,
            "a\n<!-- x: begin -->\n\nnewer\n\n<!-- x: end -->\nb\n<!-- y: begin --><!-- y: end -->\n"
        );
    }

    #[test]
    fn a_document_without_markers_is_refused_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("page.md");
        fs::write(&file, "<!-- x: end --><!-- x: begin -->").unwrap();
        let error = write(&file, "x", "new").unwrap_err().to_string();
        assert!(error.contains("no line `<!-- x: begin -->`"), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "<!-- x: end --><!-- x: begin -->");
    }
}
