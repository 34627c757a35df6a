//! Reads programs for the chip: 32-bit little-endian RISC-V ELF executables
//! (Tool Interface Standard ELF 1.2; RISC-V ELF psABI 1.0, chapter 8).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ferrite_hw::config::ChipConfig;
use ferrite_hw::map::{MemoryMap, Region};
use object::elf::{self, FileHeader32};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader, Sym};
use object::{Endianness, ReadRef};

use crate::error::{Error, read_bounded};
use crate::march::{MABI, lacking, march};

/// Largest ELF file that is read, in bytes: room for a full RAM and generous debugging information.
pub const MAX_FILE_BYTES: u64 = 64 << 20;

/// Consecutive bytes of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Address of the first byte.
    pub address: u32,
    /// The bytes; where the file holds fewer than the segment has, zeros follow.
    pub bytes: Vec<u8>,
}

/// A program, ready to be put into the RAM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// Address of the first instruction.
    pub entry: u32,
    /// What to write, by ascending address; not empty, never overlapping, all of it in the RAM and the external memory.
    pub segments: Vec<Segment>,
    /// Addresses by name. Of several local symbols with one name, one is kept; a global one goes before them.
    pub symbols: BTreeMap<String, u32>,
    /// Extensions of the instruction set for which it was compiled and which the chip lacks. It may still do without their instructions.
    pub lacking: Vec<String>,
}

/// Why a file is not a program for the chip.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct ElfError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It does not start as ELF files do.
    #[error("this is not an ELF file; build a program with the Makefile in sw/")]
    NotElf,
    /// It is for 64-bit machines.
    #[error(
        "this is not a 32-bit ELF file; compile with -march and -mabi as in the chip.mk that `ferrite gen` writes"
    )]
    NotClass32,
    /// Its bytes are in the other order.
    #[error("this is not a little-endian ELF file; compile with -mlittle-endian")]
    NotLittleEndian,
    /// It is for another processor.
    #[error(
        "this ELF file is for machine {machine}, not for RISC-V (243); compile with riscv64-unknown-elf-gcc"
    )]
    NotRiscv {
        /// Its `e_machine`.
        machine: u16,
    },
    /// It is an object file, a library or a position-independent program.
    #[error(
        "this ELF file has type {file_type}, not executable (2); link it without -c, -r, -shared and -pie"
    )]
    NotExecutable {
        /// Its `e_type`.
        file_type: u16,
    },
    /// It has compressed instructions and the chip has not.
    #[error(
        "this program has compressed instructions, which the chip lacks; compile all of it with -march={march} -mabi={MABI}, \
         or set core.c=true"
    )]
    Compressed {
        /// What compilers call the chip's instruction set.
        march: String,
    },
    /// It passes values in floating-point registers, which no chip has.
    #[error("this program uses floating-point registers; compile all of it with -march={march} -mabi={MABI}")]
    FloatingPoint {
        /// What compilers call the chip's instruction set.
        march: String,
    },
    /// Its structure is broken.
    #[error("this ELF file is damaged: {what}; build it again")]
    Damaged {
        /// Which structure, and what is wrong with it.
        what: String,
    },
    /// There is nothing to load.
    #[error(
        "this ELF file has no loadable segment; link it with the linker script that `ferrite gen` writes"
    )]
    Empty,
    /// A segment does not fit into the RAM, nor into the external memory.
    #[error(
        "segment {index} takes {first:#010x} to {last:#010x}, but the chip has {memories}; \
         link with the linker script that `ferrite gen` writes for this chip, or set soc.ram_bytes higher"
    )]
    OutsideMemory {
        /// Index of its program header.
        index: usize,
        /// Its first address.
        first: u32,
        /// Its last address; may be past the end of the address space.
        last: u64,
        /// The chip's memories, in words.
        memories: String,
    },
    /// Two segments share addresses.
    #[error(
        "segments {first} and {second} overlap at {address:#010x}; give their sections different addresses"
    )]
    Overlap {
        /// Index of the program header of the lower one.
        first: usize,
        /// Index of the program header of the other one.
        second: usize,
        /// Their first common address.
        address: u32,
    },
    /// The entry is not in the program.
    #[error(
        "the entry {entry:#010x} is not in a segment of the program in the RAM, or not at an instruction; \
         link crt0.S and let ENTRY of the linker script name its first symbol"
    )]
    BadEntry {
        /// The entry.
        entry: u32,
    },
}

/// Reads a program from a file.
///
/// # Errors
/// [`Error::Read`] and [`Error::TooLarge`] for the file itself, [`Error::Elf`] if it is not a program that fits the
/// valid chip.
pub fn load(path: &Path, chip: &ChipConfig) -> Result<Loaded, Error> {
    let bytes = read_bounded(path, "a program", MAX_FILE_BYTES)?;
    Ok(parse(&bytes, chip).map_err(|problem| ElfError { path: path.to_owned(), problem })?)
}

/// Reads a program for a valid chip from the bytes of an ELF file. Memory use is bounded by the file's size and the chip's memories.
///
/// # Errors
/// The first [`Problem`] found.
pub fn parse(file: &[u8], chip: &ChipConfig) -> Result<Loaded, Problem> {
    let header = header(file)?;
    check_flags(header.e_flags.get(Endianness::Little).0, chip)?;
    let map = MemoryMap::of(chip);
    let segments = segments(header, file, &map.loadable())?;
    let entry = header.e_entry.get(Endianness::Little);
    let inside = |segment: &Segment| {
        entry.checked_sub(segment.address).is_some_and(|offset| (offset as usize) < segment.bytes.len())
    };
    let alignment = if chip.core.extensions.c { 2 } else { 4 };
    // The core does not fetch from external memory.
    let can_start = entry % alignment == 0 && map.ram().contains(entry);
    if !can_start || !segments.iter().any(inside) {
        return Err(Problem::BadEntry { entry });
    }
    let lacking = match instruction_set(header, file) {
        Some(name) => lacking(&name, &chip.core),
        None => Vec::new(),
    };
    if lacking.iter().any(|name| ["c", "zca"].contains(&name.as_str())) {
        return Err(Problem::Compressed { march: march(&chip.core) });
    }
    Ok(Loaded { entry, segments, symbols: symbols(header, file)?, lacking })
}

type Header = FileHeader32<Endianness>;

fn damaged(what: &str, error: object::read::Error) -> Problem {
    Problem::Damaged { what: format!("{what}: {error}") }
}

/// Checks that the file is an executable for the chip's processor.
fn header(file: &[u8]) -> Result<&Header, Problem> {
    // Offsets in `e_ident`: ELF 1.2, figure 1-4.
    const EI_CLASS: usize = 4;
    const EI_DATA: usize = 5;
    if !file.starts_with(&elf::ELFMAG) || file.len() <= EI_DATA {
        return Err(Problem::NotElf);
    }
    if file[EI_CLASS] != elf::ELFCLASS32.0 {
        return Err(Problem::NotClass32);
    }
    if file[EI_DATA] != elf::ELFDATA2LSB.0 {
        return Err(Problem::NotLittleEndian);
    }
    let header = Header::parse(file).map_err(|error| damaged("file header", error))?;
    let machine = header.e_machine(Endianness::Little);
    if machine != elf::EM_RISCV {
        return Err(Problem::NotRiscv { machine: machine.0 });
    }
    let file_type = header.e_type(Endianness::Little);
    if file_type != elf::ET_EXEC {
        return Err(Problem::NotExecutable { file_type: file_type.0 });
    }
    Ok(header)
}

/// Checks that the chip has what the program's flags ask for (RISC-V ELF psABI 1.0, 8.1).
fn check_flags(flags: u32, chip: &ChipConfig) -> Result<(), Problem> {
    const RVC: u32 = 0x0001;
    const FLOAT_ABI: u32 = 0x0006;
    let march = march(&chip.core);
    if flags & RVC != 0 && !chip.core.extensions.c {
        Err(Problem::Compressed { march })
    } else if flags & FLOAT_ABI != 0 {
        Err(Problem::FloatingPoint { march })
    } else {
        Ok(())
    }
}

/// The instruction set for which the program was compiled, if its attributes name it (RISC-V ELF psABI 1.0, 8.6). Attributes are
/// remarks: a program whose are broken runs all the same.
fn instruction_set(header: &Header, file: &[u8]) -> Option<String> {
    /// `Tag_RISCV_arch`.
    const ARCH: u64 = 5;
    let endian = Endianness::Little;
    let sections = header.sections(endian, file).ok()?;
    let section = sections.iter().find(|section| section.sh_type(endian) == elf::SHT_RISCV_ATTRIBUTES)?;
    let mut subsections = section.attributes(endian, file).ok()?.subsections().ok()?;
    while let Some(subsection) = subsections.next().ok()? {
        let mut parts = subsection.subsubsections();
        while let Some(part) = parts.next().ok()? {
            let mut attributes = part.attributes();
            while let Some(tag) = attributes.read_tag().ok()? {
                // Odd tags have texts, even ones numbers.
                if tag % 2 == 0 {
                    attributes.read_integer().ok()?;
                    continue;
                }
                let text = attributes.read_string().ok()?;
                if tag == ARCH && subsection.vendor() == b"riscv" {
                    return Some(String::from_utf8_lossy(text).into_owned());
                }
            }
        }
    }
    None
}

/// The memories with their addresses.
pub(crate) fn in_words(memories: &[Region]) -> String {
    let one =
        |memory: &Region| format!("`{}` from {:#010x} to {:#010x}", memory.name, memory.base, memory.last());
    let all: Vec<String> = memories.iter().map(one).collect();
    all.join(" and ")
}

fn segments(header: &Header, file: &[u8], memories: &[Region]) -> Result<Vec<Segment>, Problem> {
    let endian = Endianness::Little;
    let headers = header.program_headers(endian, file).map_err(|error| damaged("program headers", error))?;
    // Placed and checked for overlaps before any is copied: together they then take no more than the memories.
    let mut placed: Vec<(usize, u32, u32)> = Vec::new();
    for (index, header) in headers.iter().enumerate() {
        let size = header.p_memsz(endian);
        if header.p_type(endian) != elf::PT_LOAD || size == 0 {
            continue;
        }
        let first = header.p_paddr(endian);
        let last = u64::from(first) + u64::from(size) - 1;
        let inside = |memory: &Region| memory.base <= first && last <= u64::from(memory.last());
        if !memories.iter().any(inside) {
            return Err(Problem::OutsideMemory { index, first, last, memories: in_words(memories) });
        }
        placed.push((index, first, size));
    }
    placed.sort_by_key(|&(_, first, _)| first);
    for pair in placed.windows(2) {
        let ((first, low, size), (second, address, _)) = (pair[0], pair[1]);
        if address - low < size {
            return Err(Problem::Overlap { first, second, address });
        }
    }
    if placed.is_empty() {
        return Err(Problem::Empty);
    }
    let copy = |&(index, address, size): &(usize, u32, u32)| {
        let (offset, length) = headers[index].file_range(endian);
        if length > u64::from(size) {
            let what = format!("segment {index} has {length} bytes in the file and {size} in memory");
            return Err(Problem::Damaged { what });
        }
        let mut bytes = file
            .read_bytes_at(offset, length)
            .map_err(|()| Problem::Damaged {
                what: format!("segment {index} goes past the end of the file"),
            })?
            .to_vec();
        bytes.resize(size as usize, 0);
        Ok(Segment { address, bytes })
    };
    placed.iter().map(copy).collect()
}

/// Names and addresses of functions, data and labels; empty for a stripped program.
fn symbols(header: &Header, file: &[u8]) -> Result<BTreeMap<String, u32>, Problem> {
    let endian = Endianness::Little;
    let sections = header.sections(endian, file).map_err(|error| damaged("section headers", error))?;
    let table =
        sections.symbols(endian, file, elf::SHT_SYMTAB).map_err(|error| damaged("symbol table", error))?;
    let strings = table.strings();
    let mut symbols = BTreeMap::new();
    // Names may share bytes in the file, but not so that the copies take more memory than the file itself.
    let mut name_bytes = 0;
    let is_local = |symbol: &&elf::Sym32<Endianness>| symbol.st_bind() == elf::STB_LOCAL;
    let locals_then_globals =
        table.iter().filter(is_local).chain(table.iter().filter(|symbol| !is_local(symbol)));
    for symbol in locals_then_globals {
        let named = matches!(symbol.st_type(), elf::STT_NOTYPE | elf::STT_OBJECT | elf::STT_FUNC);
        if !named || symbol.is_undefined(endian) || symbol.st_name(endian) == 0 {
            continue;
        }
        let name = symbol.name(endian, strings).map_err(|error| damaged("symbol table", error))?;
        name_bytes += name.len();
        if name_bytes > file.len() {
            return Err(Problem::Damaged { what: "symbol table: its names overlap".to_string() });
        }
        symbols.insert(String::from_utf8_lossy(name).into_owned(), symbol.st_value(endian));
    }
    Ok(symbols)
}
