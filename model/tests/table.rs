//! The instruction table: encoding, decoding, text.

use ferrite_model::isa::{Asm, EncodeError, Extension, Format, Inst, Op, Reg, TABLE, decode, reg::*};
use proptest::prelude::*;

/// Words put together by hand from the listings of RISC-V Unprivileged 20240411 (RV32/64G Instruction Set Listings), with their text.
const KNOWN: &[(u32, &str)] = &[
    (0x1234_52B7, "lui t0, 0x12345"),
    (0xFFFF_F297, "auipc t0, 0xfffff"),
    (0xFFDF_F0EF, "jal ra, pc-4"),
    (0x0002_8067, "jalr zero, 0(t0)"),
    (0xFE20_8EE3, "beq ra, sp, pc-4"),
    (0x0020_F463, "bgeu ra, sp, pc+8"),
    (0xFFC1_2503, "lw a0, -4(sp)"),
    (0x0001_5503, "lhu a0, 0(sp)"),
    (0xFEA1_2E23, "sw a0, -4(sp)"),
    (0x8005_0513, "addi a0, a0, -2048"),
    (0x41F5_5513, "srai a0, a0, 0x1f"),
    (0x40B5_0533, "sub a0, a0, a1"),
    (0x02B5_4533, "div a0, a0, a1"),
    (0x02B5_3533, "mulhu a0, a0, a1"),
    (0x0FF0_000F, "fence iorw, iorw"),
    (0x0310_000F, "fence rw, w"),
    (0x0000_100F, "fence.i"),
    (0x0000_0073, "ecall"),
    (0x0010_0073, "ebreak"),
    (0x3020_0073, "mret"),
    (0x1050_0073, "wfi"),
    (0x3004_5073, "csrrwi zero, mstatus, 8"),
    (0xF140_2573, "csrrs a0, mhartid, zero"),
    (0x7C01_1073, "csrrw zero, 0x7c0, sp"),
    (0x0000_050B, "t.status a0"),
    (0x04B5_050B, "t.counter a0, a0"),
    (0x08B5_000B, "t.push a0, a1"),
    (0x0AB5_000B, "t.run a0, a1"),
    (0x0CB5_050B, "t.info a0, a0"),
    (0x0E05_000B, "t.interrupt a0"),
    (0xFEC5_850B, ".insn r 0x0b, 0, 0x7f, a0, a1, a2"),
];

#[test]
fn known_words_have_their_text() {
    for &(word, text) in KNOWN {
        assert_eq!(decode(word).map(|inst| inst.to_string()).as_deref(), Some(text), "{word:#010x}");
    }
}

#[test]
fn targets_are_shown_as_addresses_when_the_pc_is_known() {
    let branch = decode(0xFE20_8EE3).expect("beq");
    assert_eq!(branch.at(0x8000_0000).to_string(), "beq ra, sp, 0x7ffffffc");
}

#[test]
fn no_row_of_the_table_is_hidden_by_an_earlier_one() {
    for spec in TABLE {
        assert_eq!(spec.bits & !spec.mask, 0, "{}: fixed bits outside of the mask", spec.mnemonic);
        // The catch-all of the tensor commands yields to all others; 0x7f is a command that does not exist.
        let free = if spec.format == Format::TensorOther { 0x7F << 25 } else { 0 };
        assert_eq!(decode(spec.bits | free).map(|inst| inst.op), Some(spec.op), "{}", spec.mnemonic);
    }
}

#[test]
fn words_outside_of_the_table_are_no_instructions() {
    let undefined = [
        0x0000_0000, // the all-zero word is illegal by definition
        0xFFFF_FFFF,
        0x0000_0003 | 3 << 12, // ld
        0x0000_0023 | 3 << 12, // sd
        0x0000_0063 | 2 << 12, // no such branch
        0x0000_0067 | 1 << 12, // jalr with another funct3
        0x0200_1013,           // slli with shamt[5], which RV32 does not have
        0x2000_0033,           // add with another funct7
        0x1020_0073,           // sret: there is no supervisor mode
        0x0020_0073,           // uret
        0x0000_4073,           // SYSTEM, funct3 100
        0x0000_100B,           // custom-0 with funct3 1
        0x0000_202F,           // lr.w/amo: no atomics
        0x0000_0001,           // c.nop
    ];
    for word in undefined {
        assert_eq!(decode(word), None, "{word:#010x}");
    }
}

#[test]
fn reserved_fields_of_fences_are_ignored() {
    for word in [0xFFFF_8F8F_u32, 0x8330_000F] {
        assert_eq!(decode(word).map(|inst| inst.op), Some(Op::Fence));
    }
    assert_eq!(decode(0xFFFF_9F8F).map(|inst| inst.op), Some(Op::FenceI));
}

#[test]
fn every_tensor_mnemonic_has_the_number_of_its_document() {
    let document = include_str!("../../docs/tensor-unit.md");
    let mut rows = 0;
    for spec in TABLE.iter().filter(|spec| spec.extension == Extension::Tensor && spec.op != Op::TOther) {
        let row = format!("| 0x{:02X} | `{}` |", spec.bits >> 25, spec.mnemonic);
        assert!(document.contains(&row), "{row}");
        rows += 1;
    }
    assert_eq!(document.matches("| `t.").count(), rows);
}

#[test]
fn an_operand_out_of_range_is_an_error_that_names_the_range() {
    let inst = Inst { imm: 2048, ..Inst::new(Op::Addi) };
    assert_eq!(
        inst.encode(),
        Err(EncodeError::Immediate { mnemonic: "addi", value: 2048, min: -2048, max: 2047, step: 1 })
    );
    let odd = Inst { imm: 3, ..Inst::new(Op::Jal) };
    assert!(odd.encode().expect_err("odd target").to_string().contains("multiple of 2"));
    let csr = Inst { csr: 0x1000, ..Inst::new(Op::Csrrw) };
    assert_eq!(csr.encode(), Err(EncodeError::Csr { mnemonic: "csrrw", csr: 0x1000 }));
}

#[test]
fn register_names_are_those_of_the_abi() {
    assert_eq!(Reg::all().map(Reg::name).collect::<Vec<_>>()[8..12], ["s0", "s1", "a0", "a1"]);
    assert_eq!(
        (Reg::from_name("fp"), Reg::from_name("x31"), Reg::from_name("x32")),
        (Some(S0), Some(T6), None)
    );
    assert!(Reg::all().all(|reg| Reg::from_name(reg.name()) == Some(reg)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_decoded_word_encodes_to_itself(row in 0..TABLE.len(), noise: u32) {
        let spec = &TABLE[row];
        let word = spec.bits | noise & !spec.mask;
        let inst = decode(word).expect("a word of the table");
        prop_assert_eq!(inst.encode(), Ok(word));
        prop_assert!(!inst.to_string().is_empty());
    }

    #[test]
    fn decoding_any_word_gives_an_instruction_that_encodes_to_it_or_nothing(word: u32) {
        if let Some(inst) = decode(word) {
            prop_assert_eq!(inst.encode(), Ok(word));
        }
    }

    #[test]
    fn the_assembler_appends_what_the_table_says(rd in 0u32..32, rs1 in 0u32..32, imm in -2048i32..2048) {
        let (rd, rs1) = (Reg::new(rd).expect("below 32"), Reg::new(rs1).expect("below 32"));
        let mut asm = Asm::new(0);
        asm.lw(rd, imm, rs1);
        let bytes = asm.finish().expect("in range").bytes;
        let word = u32::from_le_bytes(bytes.try_into().expect("one word"));
        prop_assert_eq!(word, (imm as u32) << 20 | rs1.number() << 15 | 2 << 12 | rd.number() << 7 | 3);
    }
}
