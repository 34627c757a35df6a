//! The 16-bit instructions: every one of the 65,536 half-words, and known ones.

use ferrite_model::isa::{
    Asm, AsmError, COMPRESSED_TABLE, COp, Compressed, EncodeError, decode, decode_compressed, disassemble,
    is_compressed, reg::*,
};

/// Half-words that are instructions, hints, and reserved (custom and floating point included), in one quadrant and funct3.
struct Census {
    instructions: u32,
    hints: u32,
    reserved: u32,
}

fn census(quadrant: u16, funct3: u16) -> Census {
    let mut census = Census { instructions: 0, hints: 0, reserved: 0 };
    for half in (0..=u16::MAX).filter(|half| half & 3 == quadrant && half >> 13 == funct3) {
        match decode_compressed(half) {
            Some(inst) if inst.is_hint() => census.hints += 1,
            Some(_) => census.instructions += 1,
            None => census.reserved += 1,
        }
    }
    census
}

/// Counted by hand from the instruction listings of RISC-V Unprivileged 20240411, 27.8: quadrant, funct3, instructions,
/// hints, reserved. Each line sums up to 2048.
const COUNTS: &[(u16, u16, u32, u32, u32)] = &[
    // c.addi4spn: an immediate of 0 is reserved for each of 8 registers; one of them is the all-zero half-word.
    (0, 0, 2048 - 8, 0, 8),
    (0, 1, 0, 0, 2048),
    (0, 2, 2048, 0, 0),
    (0, 3, 0, 0, 2048),
    (0, 4, 0, 0, 2048),
    (0, 5, 0, 0, 2048),
    (0, 6, 2048, 0, 0),
    (0, 7, 0, 0, 2048),
    // c.nop with an immediate (63) and c.addi without one (31) are hints.
    (1, 0, 1 + 31 * 63, 63 + 31, 0),
    (1, 1, 2048, 0, 0),
    (1, 2, 31 * 64, 64, 0),
    // c.addi16sp (63 immediates) and c.lui (30 registers); x0 makes hints; an immediate of 0 is reserved throughout.
    (1, 3, 63 + 30 * 63, 63, 32),
    // c.srli, c.srai: 31 amounts for 8 registers, 0 is a hint, bit 5 is for custom use; c.andi; four operations, and as many
    // code points that only RV64 has or nobody.
    (1, 4, 2 * 8 * 31 + 512 + 4 * 64, 2 * 8, 2 * 256 + 4 * 64),
    (1, 5, 2048, 0, 0),
    (1, 6, 2048, 0, 0),
    (1, 7, 2048, 0, 0),
    // c.slli: x0 (32) or an amount of 0 (31 more) is a hint; bit 5 is for custom use.
    (2, 0, 31 * 31, 32 + 31, 1024),
    (2, 1, 0, 0, 2048),
    (2, 2, 31 * 64, 0, 64),
    (2, 3, 0, 0, 2048),
    // c.jr, c.mv, c.ebreak, c.jalr, c.add; c.jr of x0 is reserved; c.mv and c.add to x0 are hints.
    (2, 4, 31 + 31 * 31 + 1 + 31 + 31 * 31, 31 + 31, 1),
    (2, 5, 0, 0, 2048),
    (2, 6, 2048, 0, 0),
    (2, 7, 0, 0, 2048),
];

#[test]
fn every_half_word_is_an_instruction_a_hint_or_reserved_as_the_listing_says() {
    let mut sums = (0, 0, 0);
    for &(quadrant, funct3, instructions, hints, reserved) in COUNTS {
        assert_eq!(instructions + hints + reserved, 2048, "quadrant {quadrant}, funct3 {funct3}");
        let found = census(quadrant, funct3);
        assert_eq!(
            (found.instructions, found.hints, found.reserved),
            (instructions, hints, reserved),
            "quadrant {quadrant}, funct3 {funct3}"
        );
        sums = (sums.0 + instructions, sums.1 + hints, sums.2 + reserved);
    }
    assert_eq!(sums, (28_461, 362, 20_329));
    assert!((0..=u16::MAX).filter(|half| half & 3 == 3).all(|half| decode_compressed(half).is_none()));
}

#[test]
fn every_instruction_encodes_to_its_half_word_and_expands_to_one_that_can_be_encoded() {
    for half in 0..=u16::MAX {
        let Some(inst) = decode_compressed(half) else { continue };
        assert_eq!(inst.encode(), Ok(half), "{half:#06x} {inst}");
        let expanded = inst.expand();
        let word = expanded.encode().expect("an expansion is an instruction");
        assert_eq!(decode(word), Some(expanded), "{half:#06x} {inst}");
    }
}

#[test]
fn a_hint_expands_to_an_instruction_that_changes_nothing() {
    for half in 0..=u16::MAX {
        let Some(inst) = decode_compressed(half).filter(Compressed::is_hint) else { continue };
        let wide = inst.expand();
        let same = wide.rd == wide.rs1 && wide.imm == 0 && wide.rs2 == ZERO;
        assert!(wide.rd == ZERO || same, "{half:#06x} {inst}");
    }
}

/// Put together by hand from the listings: half-word, text, and the text of its expansion.
const KNOWN: &[(u16, &str, &str)] = &[
    (0x0800, "c.addi4spn s0, sp, 16", "addi s0, sp, 16"),
    (0x1FFC, "c.addi4spn a5, sp, 1020", "addi a5, sp, 1020"),
    (0x4188, "c.lw a0, 0(a1)", "lw a0, 0(a1)"),
    (0x5FFC, "c.lw a5, 124(a5)", "lw a5, 124(a5)"),
    (0xC1C8, "c.sw a0, 4(a1)", "sw a0, 4(a1)"),
    (0x0001, "c.nop", "addi zero, zero, 0"),
    (0x0005, "c.nop 1", "addi zero, zero, 1"),
    (0x157D, "c.addi a0, -1", "addi a0, a0, -1"),
    (0x2001, "c.jal pc+0", "jal ra, pc+0"),
    (0x3FFD, "c.jal pc-2", "jal ra, pc-2"),
    (0x547D, "c.li s0, -1", "addi s0, zero, -1"),
    (0x7101, "c.addi16sp sp, -512", "addi sp, sp, -512"),
    (0x6141, "c.addi16sp sp, 16", "addi sp, sp, 16"),
    (0x757D, "c.lui a0, 0xfffff", "lui a0, 0xfffff"),
    (0x6505, "c.lui a0, 0x1", "lui a0, 0x1"),
    (0x8085, "c.srli s1, 0x1", "srli s1, s1, 0x1"),
    (0x85FD, "c.srai a1, 0x1f", "srai a1, a1, 0x1f"),
    (0x987D, "c.andi s0, -1", "andi s0, s0, -1"),
    (0x8C05, "c.sub s0, s1", "sub s0, s0, s1"),
    (0x8E2D, "c.xor a2, a1", "xor a2, a2, a1"),
    (0x8E4D, "c.or a2, a1", "or a2, a2, a1"),
    (0x8E6D, "c.and a2, a1", "and a2, a2, a1"),
    (0xA001, "c.j pc+0", "jal zero, pc+0"),
    (0xB001, "c.j pc-2048", "jal zero, pc-2048"),
    (0xC101, "c.beqz a0, pc+0", "beq a0, zero, pc+0"),
    (0xFD7D, "c.bnez a0, pc-2", "bne a0, zero, pc-2"),
    (0x0506, "c.slli a0, 0x1", "slli a0, a0, 0x1"),
    (0x50FE, "c.lwsp ra, 252(sp)", "lw ra, 252(sp)"),
    (0x8082, "c.jr ra", "jalr zero, 0(ra)"),
    (0x852E, "c.mv a0, a1", "add a0, zero, a1"),
    (0x9002, "c.ebreak", "ebreak"),
    (0x9502, "c.jalr a0", "jalr ra, 0(a0)"),
    (0x952E, "c.add a0, a1", "add a0, a0, a1"),
    (0xDF86, "c.swsp ra, 252(sp)", "sw ra, 252(sp)"),
];

#[test]
fn known_half_words_have_their_text_and_their_expansion() {
    for &(half, text, expansion) in KNOWN {
        let inst = decode_compressed(half).expect(text);
        assert_eq!((inst.to_string().as_str(), inst.expand().to_string().as_str()), (text, expansion));
        assert_eq!(disassemble(0xABCD_0000 | u32::from(half), None).as_deref(), Some(text));
    }
    for spec in COMPRESSED_TABLE {
        let known =
            |&(half, ..): &(u16, _, _)| decode_compressed(half).is_some_and(|inst| inst.op == spec.op);
        assert!(KNOWN.iter().any(known), "{}", spec.mnemonic);
    }
}

#[test]
fn a_half_word_is_compressed_unless_its_low_bits_are_11() {
    assert_eq!([0, 1, 2, 3, 0xFFFF].map(is_compressed), [true, true, true, false, false]);
}

#[test]
fn the_assembler_mixes_both_lengths_and_reaches_labels() {
    let mut asm = Asm::with_compressed(0x100);
    let (start, end) = (asm.here("start"), asm.label("end"));
    asm.c_li(A0, 5);
    asm.addi(A1, A0, 100);
    asm.c_beqz(A0, end);
    asm.bne(A0, A1, end);
    asm.c_j(start);
    asm.bind(end);
    asm.c_jal(start);
    let program = asm.finish().expect("a correct program");
    let mut texts = Vec::new();
    let mut at = 0;
    while at < program.bytes.len() {
        let half = |at: usize| u16::from_le_bytes([program.bytes[at], program.bytes[at + 1]]);
        let length = if is_compressed(half(at)) { 2 } else { 4 };
        let high = if length == 4 { u32::from(half(at + 2)) << 16 } else { 0 };
        texts.push(disassemble(high | u32::from(half(at)), Some(0x100 + at as u32)).expect("an instruction"));
        at += length;
    }
    assert_eq!(
        texts,
        [
            "c.li a0, 5",
            "addi a1, a0, 100",
            "c.beqz a0, 0x10e",
            "bne a0, a1, 0x10e",
            "c.j 0x100",
            "c.jal 0x100"
        ]
    );
}

fn mistake(write: impl FnOnce(&mut Asm)) -> AsmError {
    let mut asm = Asm::with_compressed(0x1000);
    write(&mut asm);
    asm.finish().expect_err("a mistake")
}

#[test]
fn operands_that_do_not_fit_are_mistakes() {
    let operand = |write: fn(&mut Asm)| match mistake(write) {
        AsmError::Operand { source, .. } => source,
        other => panic!("{other}"),
    };
    let range = |mnemonic, value, min, max, step| EncodeError::Immediate { mnemonic, value, min, max, step };
    assert_eq!(operand(|asm| asm.c_addi(A0, 32)), range("c.addi", 32, -32, 31, 1));
    assert_eq!(operand(|asm| asm.c_lw(A0, 126, A1)), range("c.lw", 126, 0, 124, 4));
    assert_eq!(operand(|asm| asm.c_lwsp(A0, 256)), range("c.lwsp", 256, 0, 252, 4));
    assert_eq!(operand(|asm| asm.c_addi16sp(8)), range("c.addi16sp", 8, -512, 496, 16));
    assert_eq!(operand(|asm| asm.c_lw(A0, 0, SP)), EncodeError::Register { mnemonic: "c.lw", register: SP });
    // What these would make: c.jr a0, c.addi16sp, c.nop 1, nothing.
    assert_eq!(operand(|asm| asm.c_mv(A0, ZERO)), EncodeError::CodePoint { mnemonic: "c.mv", half: 0x8502 });
    assert_eq!(operand(|asm| asm.c_lui(SP, 1)), EncodeError::CodePoint { mnemonic: "c.lui", half: 0x6105 });
    assert_eq!(operand(|asm| asm.c_addi(ZERO, 1)), EncodeError::CodePoint { mnemonic: "c.addi", half: 5 });
    assert_eq!(operand(|asm| asm.c_jr(ZERO)), EncodeError::CodePoint { mnemonic: "c.jr", half: 0x8002 });
}

#[test]
fn places_that_do_not_fit_are_mistakes() {
    let odd = mistake(|asm| {
        asm.byte(0);
        asm.c_nop();
    });
    assert_eq!(odd, AsmError::MisalignedInstruction { address: 0x1001, alignment: 2 });
    let far = mistake(|asm| {
        let far = asm.label("far");
        asm.c_bnez(S0, far);
        asm.space(254);
        asm.bind(far);
    });
    assert!(matches!(far, AsmError::OutOfReach { distance: 256, min: -256, max: 254, .. }), "{far}");
    let mut plain = Asm::new(0);
    plain.c_nop();
    assert_eq!(plain.finish(), Err(AsmError::NoCompressed { address: 0, mnemonic: "c.nop" }));
    assert_eq!(Compressed::new(COp::CEbreak).encode(), Ok(0x9002));
}
