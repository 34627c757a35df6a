//! The disassembler against GNU objdump, and so the table against the encodings that GNU's assembler uses.

use std::process::{Command, Stdio};

use ferrite_model::isa::{Extension, Format, Spec, TABLE, csr, decode};

const OBJDUMP: &str = "riscv64-unknown-elf-objdump";
/// Words of each row that are compared.
const SAMPLES: u32 = 20;

/// True if objdump can be used. Without it the test is skipped, or fails if `FERRITE_REQUIRE_TOOLS` is 1.
fn objdump_is_there() -> bool {
    let found = Command::new(OBJDUMP).arg("--version").stdout(Stdio::null()).status().is_ok();
    let required = std::env::var("FERRITE_REQUIRE_TOOLS").is_ok_and(|value| value == "1");
    assert!(
        found || !required,
        "{OBJDUMP} is missing; install the Debian package binutils-riscv64-unknown-elf"
    );
    if !found {
        eprintln!("SKIPPED: {OBJDUMP} is missing; install the Debian package binutils-riscv64-unknown-elf");
    }
    found
}

/// The same text in objdump's spelling: one word, then operands without blanks.
fn as_objdump(text: &str) -> String {
    let (mnemonic, operands) = text.split_once(' ').unwrap_or((text, ""));
    format!("{mnemonic} {}", operands.replace(' ', "")).trim_end().to_string()
}

#[test]
fn every_standard_instruction_has_the_text_that_objdump_gives() {
    if !objdump_is_there() {
        return;
    }
    let mut noise = 0x1234_5678u32;
    let mut words = Vec::new();
    // objdump does not know the tensor commands; for the fences only the fields that are not reserved are filled.
    let known = |spec: &&Spec| {
        !matches!(spec.extension, Extension::Tensor | Extension::Zba | Extension::Zbb | Extension::Zbs)
    };
    for spec in TABLE.iter().filter(known) {
        for _ in 0..SAMPLES {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let free = (noise ^ noise >> 13) & !spec.mask;
            words.push(match spec.format {
                Format::Fence => spec.bits | (free >> 20 & 0xEE | 0x11) << 20,
                Format::FenceI => spec.bits,
                Format::Csr | Format::CsrImm => {
                    let known =
                        [csr::MSTATUS, csr::MIE, csr::MEPC, csr::MHARTID, csr::MCYCLEH, csr::MSCRATCH];
                    spec.bits | u32::from(known[(noise >> 8) as usize % known.len()]) << 20 | free & 0xF_FFFF
                }
                _ => spec.bits | free,
            });
        }
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let image = folder.path().join("words.bin");
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    std::fs::write(&image, bytes).expect("the image can be written");
    let output = Command::new(OBJDUMP)
        .args(["-D", "-z", "-b", "binary", "-m", "riscv:rv32", "-M", "no-aliases", "--adjust-vma=0x80000000"])
        .arg(&image)
        .output()
        .expect("objdump starts");
    let listing = String::from_utf8(output.stdout).expect("text");
    let lines: Vec<&str> =
        listing.lines().filter(|line| line.starts_with("80") && line.contains(":\t")).collect();
    assert_eq!(lines.len(), words.len(), "one line per word");
    for (index, (line, word)) in lines.into_iter().zip(words).enumerate() {
        // Columns: address, word, mnemonic, operands and perhaps a comment or a symbol's name.
        let columns: Vec<&str> = line.split('\t').collect();
        let theirs = columns[2..].join(" ");
        let theirs =
            theirs.split(" #").next().unwrap_or("").split(" <").next().unwrap_or("").trim().to_string();
        let ours = decode(word)
            .map_or("undefined".into(), |inst| inst.at(0x8000_0000 + 4 * index as u32).to_string());
        assert_eq!(as_objdump(&ours), theirs, "{word:#010x}");
    }
}
