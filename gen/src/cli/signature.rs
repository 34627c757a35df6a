//! The words by which an architecture test tells what it computed.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use ferrite_gen::atomic::write_file;
use ferrite_gen::error::Error;
use ferrite_gen::run::Chip;
use ferrite_hw::map::Region;

/// Where a program's signature is.
pub fn place(path: &Path, symbols: &BTreeMap<String, u32>, ram: &Region) -> Result<Range<u32>, Error> {
    let wrong = |problem: String| Error::Signature { path: path.to_owned(), problem };
    let symbol = |name: &str| {
        let address = symbols.get(name).copied();
        address.ok_or_else(|| wrong(format!("the program has no symbol {name}")))
    };
    let place = symbol("begin_signature")?..symbol("end_signature")?;
    let is_aligned = place.start.is_multiple_of(4) && place.end.is_multiple_of(4);
    let is_inside = place.start >= ram.base && u64::from(place.end) <= u64::from(ram.last()) + 1;
    if !is_aligned || !is_inside || place.start > place.end {
        let (start, end) = (place.start, place.end);
        return Err(wrong(format!("these are {start:#010x} and {end:#010x}: no whole words in the RAM")));
    }
    Ok(place)
}

/// Writes it, a word of eight hexadecimal digits to a line.
pub fn write(file: &Path, chip: &Chip, place: Range<u32>) -> Result<(), Error> {
    let bytes = chip.read(place.start, (place.end - place.start) as usize)?;
    let words =
        bytes.chunks_exact(4).map(|word| word.iter().rev().map(|byte| format!("{byte:02x}")).collect());
    let lines: String = words.map(|word: String| word + "\n").collect();
    write_file(file, lines.as_bytes())
}
