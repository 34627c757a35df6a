//! Which ELF files are accepted as programs, and that broken ones end in an error.

use ferrite_gen::elf::{Loaded, Problem, Segment, parse};
use ferrite_hw::config::ChipConfig;
use ferrite_hw::map::{MemoryMap, Region, ram};
use proptest::prelude::*;

const RAM: Region = ram(64 << 10);
const BASE: u32 = 0x8000_0000;

/// A chip with that RAM.
fn chip() -> ChipConfig {
    let mut chip = ChipConfig::default();
    chip.soc.ram_bytes = RAM.size;
    chip
}

/// The same without compressed instructions.
fn chip_without_c() -> ChipConfig {
    let mut chip = chip();
    chip.core.extensions.c = false;
    chip
}

/// A program header of type `PT_LOAD`.
#[derive(Clone)]
struct Load {
    address: u32,
    file_bytes: Vec<u8>,
    memory_bytes: u32,
}

fn load(address: u32, file_bytes: &[u8], memory_bytes: u32) -> Load {
    Load { address, file_bytes: file_bytes.to_vec(), memory_bytes }
}

/// Bytes of an ELF32 executable, laid out after ELF 1.2: file header (52 bytes), program headers (32 each), contents,
/// string table, symbol table, section headers (40 each).
fn elf_file(entry: u32, loads: &[Load], symbols: &[(&str, u32)]) -> Vec<u8> {
    let headers_end = 52 + 32 * loads.len();
    let (mut program_headers, mut contents) = (Vec::new(), Vec::new());
    for load in loads {
        let offset = (headers_end + contents.len()) as u32;
        let size = load.file_bytes.len() as u32;
        program_headers.extend(words(&[
            1,
            offset,
            load.address,
            load.address,
            size,
            load.memory_bytes,
            7,
            4,
        ]));
        contents.extend(&load.file_bytes);
    }
    let (mut strings, mut table) = (vec![0], vec![0; 16]);
    for (name, value) in symbols {
        table.extend(words(&[strings.len() as u32, *value, 0]));
        // STB_GLOBAL, STT_NOTYPE; default visibility; SHN_ABS.
        table.extend([0x10, 0, 0xf1, 0xff]);
        strings.extend(name.bytes().chain([0]));
    }
    let strings_at = (headers_end + contents.len()) as u32;
    let table_at = strings_at + strings.len() as u32;
    let sections_at = table_at + table.len() as u32;
    let sections = [
        [0; 10],
        [0, 2, 0, 0, table_at, table.len() as u32, 2, 1, 4, 16], // SHT_SYMTAB, linked to section 2
        [0, 3, 0, 0, strings_at, strings.len() as u32, 0, 0, 1, 0], // SHT_STRTAB
    ];

    let mut file = vec![0x7f, b'E', b'L', b'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    file.extend([2, 0, 243, 0]); // ET_EXEC, EM_RISCV
    file.extend(words(&[1, entry, 52, sections_at, 0]));
    for half in [52, 32, loads.len() as u16, 40, sections.len() as u16, 2] {
        file.extend(half.to_le_bytes());
    }
    for part in [program_headers, contents, strings, table, words(&sections.concat())] {
        file.extend(part);
    }
    file
}

fn words(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn small_program() -> Vec<u8> {
    let code = load(BASE, &[0x13, 0, 0, 0, 0x6f, 0, 0, 0], 8);
    let data = load(BASE + 0x100, &[1, 2, 3, 4], 16);
    elf_file(BASE, &[code, data], &[("_start", BASE), ("tohost", BASE + 0x104)])
}

/// The small program with the name of an instruction set in its attributes, in a section behind the others
/// (RISC-V ELF psABI 1.0, 8.6).
fn with_attributes(arch: &str) -> Vec<u8> {
    let mut file = small_program();
    let at = file.len() as u32;
    let text: Vec<u8> = [&[5], arch.as_bytes(), &[0]].concat(); // Tag_RISCV_arch
    let part = [&[1][..], &words(&[text.len() as u32 + 5]), &text].concat(); // Tag_File
    let section = [b"A", &words(&[part.len() as u32 + 10])[..], b"riscv\0", &part].concat();
    // The section headers move behind the new section's contents.
    let sections_at = u32::from_le_bytes(file[32..36].try_into().unwrap()) as usize;
    let headers = file[sections_at..].to_vec();
    file.extend(&section);
    file[32..36].copy_from_slice(&(at + section.len() as u32).to_le_bytes());
    file.extend(headers);
    file.extend(words(&[0, 0x7000_0003, 0, 0, at, section.len() as u32, 0, 0, 1, 0]));
    file[48..50].copy_from_slice(&4_u16.to_le_bytes());
    file
}

fn patched(offset: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = small_program();
    file[offset..offset + bytes.len()].copy_from_slice(bytes);
    file
}

#[test]
fn a_program_is_read_with_its_zeroed_data_and_symbols() {
    let expected = Loaded {
        entry: BASE,
        segments: vec![
            Segment { address: BASE, bytes: vec![0x13, 0, 0, 0, 0x6f, 0, 0, 0] },
            Segment { address: BASE + 0x100, bytes: vec![1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
        ],
        symbols: [("_start".to_string(), BASE), ("tohost".to_string(), BASE + 0x104)].into(),
        lacking: Vec::new(),
    };
    assert_eq!(parse(&small_program(), &chip()), Ok(expected));
}

#[test]
fn segments_come_by_address_and_empty_ones_are_skipped() {
    let loads = [load(BASE + 8, &[1], 1), load(BASE, &[2; 4], 4), load(0, &[], 0)];
    let segments = parse(&elf_file(BASE, &loads, &[]), &chip()).unwrap().segments;
    assert_eq!(segments.iter().map(|s| s.address).collect::<Vec<_>>(), [BASE, BASE + 8]);
}

#[test]
fn the_whole_ram_can_be_filled_and_not_a_byte_more() {
    let whole = load(BASE, &[0; 4], RAM.size);
    assert_eq!(parse(&elf_file(BASE, &[whole], &[]), &chip()).unwrap().segments[0].bytes.len(), 64 << 10);
    let more = load(BASE, &[0; 4], RAM.size + 1);
    assert_eq!(
        parse(&elf_file(BASE, &[more], &[]), &chip()),
        Err(Problem::OutsideMemory {
            index: 0,
            first: BASE,
            last: 0x8001_0000,
            memories: "`ram` from 0x80000000 to 0x8000ffff and `external` from 0xc0000000 to 0xc0ffffff"
                .to_string(),
        })
    );
}

#[test]
fn segments_outside_of_the_ram_are_refused_with_the_addresses() {
    for (address, last) in [(0, 3), (BASE - 1, 0x8000_0002), (0xffff_fffe, 0x1_0000_0001)] {
        let program = elf_file(address, &[load(BASE, &[0; 4], 4), load(address, &[0; 4], 4)], &[]);
        let problem = parse(&program, &chip()).unwrap_err();
        assert!(
            matches!(problem, Problem::OutsideMemory { index: 1, first, last: l, .. } if first == address && l == last),
            "{problem}"
        );
        assert!(problem.to_string().contains("0x80000000 to 0x8000ffff"), "{problem}");
    }
}

#[test]
fn overlapping_segments_are_refused() {
    let program = elf_file(BASE, &[load(BASE + 4, &[0; 4], 4), load(BASE, &[0; 5], 5)], &[]);
    assert_eq!(parse(&program, &chip()), Err(Problem::Overlap { first: 1, second: 0, address: BASE + 4 }));
}

#[test]
fn a_segment_without_memory_for_its_file_bytes_is_refused() {
    let program = elf_file(BASE, &[load(BASE, &[0; 8], 4)], &[]);
    assert!(matches!(parse(&program, &chip()), Err(Problem::Damaged { .. })));
}

#[test]
fn the_entry_must_be_an_instruction_of_the_program() {
    for entry in [0, BASE - 4, BASE + 1, BASE + 8, u32::MAX] {
        let program = elf_file(entry, &[load(BASE, &[0; 8], 8)], &[]);
        assert_eq!(parse(&program, &chip()), Err(Problem::BadEntry { entry }));
    }
}

#[test]
fn the_entry_may_be_between_words_where_instructions_are_compressed() {
    let program = elf_file(BASE + 2, &[load(BASE, &[0; 8], 8)], &[]);
    assert_eq!(parse(&program, &chip()).unwrap().entry, BASE + 2);
    assert_eq!(parse(&program, &chip_without_c()), Err(Problem::BadEntry { entry: BASE + 2 }));
}

#[test]
fn compressed_instructions_need_a_chip_that_has_them() {
    let flagged = patched(36, &[1]);
    assert!(parse(&flagged, &chip()).is_ok());
    let problem = parse(&flagged, &chip_without_c()).unwrap_err();
    insta::assert_snapshot!(
        problem,
        @"this program has compressed instructions, which the chip lacks; compile all of it with -march=rv32im_zicsr_zifencei_zba_zbb_zbs -mabi=ilp32, or set core.c=true"
    );
    assert_eq!(parse(&with_attributes("rv32i2p1_c2p0"), &chip_without_c()), Err(problem));
}

#[test]
fn extensions_that_the_chip_lacks_are_named() {
    let lacking = |arch| parse(&with_attributes(arch), &chip_without_c()).unwrap().lacking;
    assert_eq!(lacking("rv32i2p1_m2p0_zicsr2p0_zba1p0"), [""; 0]);
    assert_eq!(lacking("rv32i2p1_m2p0_a2p1_zicond1p0"), ["a", "zicond"]);
}

#[test]
fn broken_attributes_say_nothing() {
    let whole = with_attributes("rv32i2p1_a2p1");
    let section = whole.len() - 40;
    for size in 0..30 {
        let mut file = whole.clone();
        file[section + 20..section + 24].copy_from_slice(&(size as u32).to_le_bytes());
        assert!(parse(&file, &chip()).is_ok(), "{size}");
    }
}

#[test]
fn files_for_other_machines_are_told_apart() {
    assert_eq!(parse(b"", &chip()), Err(Problem::NotElf));
    assert_eq!(parse(b"#!/bin/sh\n", &chip()), Err(Problem::NotElf));
    assert_eq!(parse(&patched(4, &[2]), &chip()), Err(Problem::NotClass32));
    assert_eq!(parse(&patched(5, &[2]), &chip()), Err(Problem::NotLittleEndian));
    assert_eq!(parse(&patched(16, &[1]), &chip()), Err(Problem::NotExecutable { file_type: 1 }));
    assert_eq!(parse(&patched(18, &[62]), &chip()), Err(Problem::NotRiscv { machine: 62 }));
    assert!(matches!(parse(&patched(36, &[2]), &chip()), Err(Problem::FloatingPoint { .. })));
    assert_eq!(parse(&elf_file(BASE, &[], &[]), &chip()), Err(Problem::Empty));
}

#[test]
fn symbol_names_cannot_be_made_to_take_more_memory_than_the_file() {
    // Every symbol's name starts one byte later in one long string: their copies would grow with its square.
    let name = "x".repeat(4000);
    let mut file = elf_file(BASE, &[load(BASE, &[0; 4], 4)], &[(name.as_str(), 0); 1]);
    let strings_at = 52 + 32 + 4;
    let table_at = strings_at + 1 + name.len() + 1;
    let mut table = vec![0; 16];
    for offset in 1..4000 {
        table.extend(words(&[offset, BASE, 0]));
        table.extend([0x10, 0, 0xf1, 0xff]);
    }
    file.truncate(table_at);
    let sections_at = (table_at + table.len()) as u32;
    file.extend(&table);
    file.extend(words(&[0; 10]));
    file.extend(words(&[0, 2, 0, 0, table_at as u32, table.len() as u32, 2, 1, 4, 16]));
    file.extend(words(&[0, 3, 0, 0, strings_at as u32, name.len() as u32 + 2, 0, 0, 1, 0]));
    file[32..36].copy_from_slice(&sections_at.to_le_bytes());
    assert!(matches!(parse(&file, &chip()), Err(Problem::Damaged { .. })));
}

#[test]
fn every_truncation_is_an_error() {
    let file = small_program();
    for length in 0..file.len() {
        assert!(parse(&file[..length], &chip()).is_err(), "{length} bytes of {}", file.len());
    }
}

/// What every accepted program promises.
fn check_promises(loaded: &Loaded) -> Result<(), TestCaseError> {
    let mut end = u64::from(RAM.base);
    for segment in &loaded.segments {
        prop_assert!(u64::from(segment.address) >= end && !segment.bytes.is_empty());
        end = u64::from(segment.address) + segment.bytes.len() as u64;
    }
    let memories = MemoryMap::of(&chip()).loadable();
    for segment in &loaded.segments {
        let last = segment.address + (segment.bytes.len() as u32 - 1);
        prop_assert!(memories.iter().any(|memory| memory.contains(segment.address) && memory.contains(last)));
    }
    prop_assert!(RAM.contains(loaded.entry));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_damaged_program_is_refused_or_keeps_every_promise(
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8),
        length in any::<proptest::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let mut file = small_program();
        for (at, byte) in damage {
            let at = at.index(file.len());
            file[at] = byte;
        }
        if cut {
            file.truncate(length.index(file.len()));
        }
        if let Ok(loaded) = parse(&file, &chip()) {
            check_promises(&loaded)?;
        }
    }

    #[test]
    fn words_of_the_headers_can_be_anything(
        damage in proptest::collection::vec((0_usize..29, any::<u32>()), 1..4),
    ) {
        let mut file = small_program();
        for (word, value) in damage {
            let at = 24 + 4 * word; // from e_entry to the end of the program headers
            file[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        if let Ok(loaded) = parse(&file, &chip()) {
            check_promises(&loaded)?;
        }
    }

    #[test]
    fn random_bytes_after_the_magic_number_are_refused_or_keep_every_promise(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        let mut file = small_program()[..24].to_vec();
        file.extend(bytes);
        if let Ok(loaded) = parse(&file, &chip()) {
            check_promises(&loaded)?;
        }
    }
}
