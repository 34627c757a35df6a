//! Contents of memories as hexadecimal text, in the form of Verilog's `$readmemh` (IEEE 1364-2005, 17.2.9).
//!
//! Words are hexadecimal numbers with blanks or line ends between them; `_` may stand between digits. They fill the memory from word 0 up, or
//! from an address on that is given as `@` and a hexadecimal number. Comments are `// ...` to the end of the line and `/* ... */`. Words that are
//! not given are 0. `x` and `z` are not accepted: a word has a value.
//!
//! ```
//! let words = ferrite_hdl::hex::parse("de ad // two words\n@4 b_e", 8, 8)?;
//! assert_eq!(words.len(), 5);
//! assert_eq!(words[4].to_u64(), Some(0xbe));
//! # Ok::<(), ferrite_hdl::hex::HexError>(())
//! ```

use std::io::Read;
use std::path::{Path, PathBuf};

use num_bigint::BigUint;

use crate::bits::Bits;

/// Files up to this size are read whatever the memory's size, so that small memories may have long comments.
const ALWAYS_READ_BYTES: u64 = 1 << 16;

/// Characters of a wrong word that a message shows.
const SHOWN: usize = 32;

/// What is wrong with a hex text, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HexError {
    /// The file cannot be read.
    #[error("{}: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// The file is larger than the memory could need.
    #[error("{}: larger than {limit} bytes, which is more than the memory could need", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most that would be read.
        limit: u64,
    },
    /// Something in a file's text.
    #[error("{}:{line}: {what}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: HexMistake,
    },
    /// Something in a text that is no file.
    #[error("line {line} of the hexadecimal contents: {what}")]
    InText {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: HexMistake,
    },
}

/// What is wrong with a word.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HexMistake {
    /// Not a number.
    #[error("`{0}` is not a hexadecimal number")]
    NotHexadecimal(String),
    /// `x` or `z` in a number.
    #[error("`{0}` has unknown digits, but every bit of a memory is 0 or 1")]
    Unknown(String),
    /// More bits than a word has.
    #[error("`{word}` needs {bits} bits, but a word has {width}")]
    TooWide {
        /// The word.
        word: String,
        /// The bits it needs.
        bits: u64,
        /// The bits there are.
        width: u32,
    },
    /// An address beyond the memory.
    #[error("the address `{0}` lies beyond the last word, {1:x}")]
    AddressBeyond(String, u32),
    /// More words than the memory has.
    #[error("more words than the memory's {0}")]
    TooMany(u32),
    /// A comment without an end.
    #[error("the comment that begins here has no end")]
    OpenComment,
}

/// The words of a file, the first ones of a memory of `depth` words of `width` bits.
///
/// # Errors
/// The file cannot be read, is larger than the memory could need, or is not of the form; the first mistake is given.
pub fn read(path: &Path, width: u32, depth: u32) -> Result<Vec<Bits>, HexError> {
    let unreadable = |why: String| HexError::Unreadable { path: path.to_path_buf(), why };
    let metadata = std::fs::metadata(path).map_err(|e| unreadable(e.to_string()))?;
    if !metadata.is_file() {
        return Err(unreadable("not a file".to_string())); // a pipe might never end
    }
    // A word with a blank, a few `_` and a short comment.
    let limit = (u64::from(depth) * (u64::from(width) / 2 + 40)).max(ALWAYS_READ_BYTES);
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|e| unreadable(e.to_string()))?;
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|e| unreadable(e.to_string()))?;
    if bytes.len() as u64 > limit {
        return Err(HexError::TooLarge { path: path.to_path_buf(), limit });
    }
    words(&String::from_utf8_lossy(&bytes), width, depth).map_err(|(line, what)| HexError::InFile {
        path: path.to_path_buf(),
        line,
        what,
    })
}

/// The words of a text, the first ones of a memory of `depth` words of `width` bits.
///
/// # Errors
/// The text is not of the form; the first mistake is given.
pub fn parse(text: &str, width: u32, depth: u32) -> Result<Vec<Bits>, HexError> {
    words(text, width, depth).map_err(|(line, what)| HexError::InText { line, what })
}

/// The next number or address of a text, and what stands behind it.
struct Token<'a> {
    word: &'a str,
    line: usize,
    rest: &'a str,
}

/// Leaves blanks and comments out; `None` at the end of the text.
fn token(mut text: &str, mut line: usize) -> Result<Option<Token<'_>>, (usize, HexMistake)> {
    let lines = |text: &str| text.bytes().filter(|b| *b == b'\n').count();
    loop {
        let trimmed = text.trim_start();
        line += lines(&text[..text.len() - trimmed.len()]);
        text = if trimmed.starts_with("//") {
            trimmed.find('\n').map_or("", |end| &trimmed[end..])
        } else if let Some(comment) = trimmed.strip_prefix("/*") {
            let (comment, rest) = comment.split_once("*/").ok_or((line, HexMistake::OpenComment))?;
            line += lines(comment);
            rest
        } else if trimmed.is_empty() {
            return Ok(None);
        } else {
            let comment = ["//", "/*"].iter().filter_map(|sign| trimmed.find(sign)).min();
            let end = trimmed.find(char::is_whitespace).into_iter().chain(comment).min();
            let (word, rest) = trimmed.split_at(end.unwrap_or(trimmed.len()));
            return Ok(Some(Token { word, line, rest }));
        };
    }
}

fn number(digits: &str, word: &str) -> Result<BigUint, HexMistake> {
    let valid = |c: char| c.is_ascii_hexdigit() || c == '_';
    if digits.chars().any(|c| matches!(c, 'x' | 'X' | 'z' | 'Z' | '?')) {
        let known = |c: char| valid(c) || matches!(c, 'x' | 'X' | 'z' | 'Z' | '?');
        if digits.chars().all(known) {
            return Err(HexMistake::Unknown(shown(word)));
        }
    }
    let wrong = || HexMistake::NotHexadecimal(shown(word));
    if !digits.chars().all(valid) || digits.starts_with('_') {
        return Err(wrong());
    }
    BigUint::parse_bytes(digits.replace('_', "").as_bytes(), 16).ok_or_else(wrong)
}

/// A word for a message: not too long, and nothing that a terminal would obey.
fn shown(word: &str) -> String {
    let start: String = word.chars().take(SHOWN).collect();
    let more = if start.len() < word.len() { "..." } else { "" };
    format!("{}{more}", start.escape_debug())
}

fn words(text: &str, width: u32, depth: u32) -> Result<Vec<Bits>, (usize, HexMistake)> {
    let mut words: Vec<Bits> = Vec::new();
    let mut next = 0;
    let (mut rest, mut line) = (text, 1);
    while let Some(token) = token(rest, line)? {
        (rest, line) = (token.rest, token.line);
        let wrong = |what: HexMistake| (line, what);
        if let Some(digits) = token.word.strip_prefix('@') {
            let address = number(digits, token.word).map_err(wrong)?;
            let inside = u32::try_from(address).ok().filter(|address| *address < depth);
            next = inside.ok_or_else(|| {
                wrong(HexMistake::AddressBeyond(shown(token.word), depth.saturating_sub(1)))
            })?;
            continue;
        }
        let value = number(token.word, token.word).map_err(wrong)?;
        let bits = value.bits();
        if bits > u64::from(width) {
            return Err(wrong(HexMistake::TooWide { word: shown(token.word), bits, width }));
        }
        if next == depth {
            return Err(wrong(HexMistake::TooMany(depth)));
        }
        if next as usize >= words.len() {
            words.resize(next as usize + 1, Bits::zero(width));
        }
        words[next as usize] = Bits::from_biguint(width, value);
        next += 1;
    }
    Ok(words)
}

#[cfg(test)]
mod tests;
