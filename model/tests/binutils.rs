//! The disassembler against GNU objdump and GNU's assembler, and so the tables against the encodings that these use.

use std::path::Path;
use std::process::{Command, Stdio};

use ferrite_model::isa::{Extension, Format, Spec, TABLE, csr, decode, decode_compressed};

const ASSEMBLER: &str = "riscv64-unknown-elf-as";
const LINKER: &str = "riscv64-unknown-elf-ld";
const OBJCOPY: &str = "riscv64-unknown-elf-objcopy";
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

fn run(command: &mut Command) {
    let output = command.output().expect("the tool starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The bytes that GNU's assembler and linker make of a program.
fn assemble(folder: &Path, program: &str) -> Vec<u8> {
    let [source, object, linked, image] =
        ["program.s", "program.o", "program.elf", "program.bin"].map(|name| folder.join(name));
    std::fs::write(&source, program).expect("the source can be written");
    run(Command::new(ASSEMBLER)
        .args(["-march=rv32imc_zicsr_zifencei_zba_zbb_zbs", "-mabi=ilp32", "-o"])
        .args([&object, &source]));
    run(Command::new(LINKER)
        .args(["-m", "elf32lriscv", "--no-relax", "-Ttext=0x80000000", "-e0x80000000", "-o"])
        .args([&linked, &object]));
    run(Command::new(OBJCOPY).args(["-O", "binary", "-j", ".text"]).args([&linked, &image]));
    std::fs::read(image).expect("the image was written")
}

#[test]
fn the_text_of_bit_manipulation_and_of_every_compressed_instruction_assembles_to_its_bits() {
    if !objdump_is_there() {
        return;
    }
    let (mut program, mut expected) = (String::from(".option norelax\n"), Vec::new());
    let mut noise = 0x8765_4321u32;
    let added = |spec: &&Spec| matches!(spec.extension, Extension::Zba | Extension::Zbb | Extension::Zbs);
    // Between 32-bit instructions that could be compressed, the assembler is told not to.
    program.push_str(".option norvc\n");
    for spec in TABLE.iter().filter(added) {
        for _ in 0..SAMPLES {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let word = spec.bits | (noise ^ noise >> 13) & !spec.mask;
            program.push_str(&format!("{}\n", decode(word).expect("an instruction of the table")));
            expected.extend_from_slice(&word.to_le_bytes());
        }
    }
    program.push_str(".option rvc\n");
    for half in 0..=u16::MAX {
        let Some(inst) = decode_compressed(half).filter(|inst| !inst.is_hint()) else { continue };
        program.push_str(&format!("{}\n", inst.to_string().replace("pc", ".")));
        expected.extend_from_slice(&half.to_le_bytes());
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let bytes = assemble(folder.path(), &program);
    let differs = bytes.iter().zip(&expected).position(|(theirs, ours)| theirs != ours);
    assert_eq!((differs, bytes.len()), (None, expected.len()));
}
