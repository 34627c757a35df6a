//! Zba, Zbb and Zbs on values worked out by hand from RISC-V Unprivileged 20240411, chapter 28.

use ferrite_model::isa::{Asm, Extension, Format, Inst, Op, TABLE, decode, reg::*};
use ferrite_model::iss::{HartConfig, Iss, Machine, MachineConfig, cause, memory_map::RAM_BASE};

fn hart(inst: Inst, config: HartConfig) -> Iss<Machine> {
    let mut asm = Asm::new(RAM_BASE);
    asm.inst(inst);
    let program = asm.finish().expect("a correct program");
    let mut machine = Machine::new(MachineConfig::default());
    machine.write_memory(program.base, &program.bytes).expect("fits the RAM");
    Iss::new(machine, HartConfig { reset_pc: RAM_BASE, ..config })
}

/// The result with `a` in rs1 and `b` in rs2 or as the shift amount.
fn result(op: Op, a: u32, b: u32) -> u32 {
    let imm = if op.spec().format == Format::Shift { b as i32 } else { 0 };
    let mut iss = hart(Inst { rd: A2, rs1: A0, rs2: A1, imm, ..Inst::new(op) }, HartConfig::full());
    iss.set_register(A0, a);
    iss.set_register(A1, b);
    assert_eq!(iss.step().trap, None);
    iss.register(A2)
}

/// Operation, rs1, rs2 or shift amount, result.
const VECTORS: &[(Op, u32, u32, u32)] = &[
    (Op::Sh1add, 0x8000_0001, 5, 7),
    (Op::Sh2add, 0xC000_0001, 0xFFFF_FFFF, 3),
    (Op::Sh3add, 0x1FFF_FFFF, 8, 0),
    (Op::Sh3add, 0x0000_0010, 0x8000_0000, 0x8000_0080),
    (Op::Andn, 0xFF00_FF00, 0x0FF0_0FF0, 0xF000_F000),
    (Op::Orn, 0x0000_00FF, 0xFFFF_0000, 0x0000_FFFF),
    (Op::Xnor, 0xAAAA_AAAA, 0xFFFF_0000, 0xAAAA_5555),
    (Op::Clz, 0, 9, 32),
    (Op::Clz, 1, 9, 31),
    (Op::Clz, 0x8000_0000, 9, 0),
    (Op::Clz, 0x0001_0000, 9, 15),
    (Op::Ctz, 0, 9, 32),
    (Op::Ctz, 1, 9, 0),
    (Op::Ctz, 0x8000_0000, 9, 31),
    (Op::Ctz, 0x0001_0000, 9, 16),
    (Op::Cpop, 0, 9, 0),
    (Op::Cpop, 0xFFFF_FFFF, 9, 32),
    (Op::Cpop, 0x8000_0101, 9, 3),
    (Op::SextB, 0x1234_567F, 0, 0x0000_007F),
    (Op::SextB, 0x1234_5680, 0, 0xFFFF_FF80),
    (Op::SextH, 0x1234_7FFF, 0, 0x0000_7FFF),
    (Op::SextH, 0x1234_8000, 0, 0xFFFF_8000),
    (Op::ZextH, 0xFFFF_8000, 0, 0x0000_8000),
    (Op::Min, 0x8000_0000, 0x7FFF_FFFF, 0x8000_0000),
    (Op::Min, 1, 0xFFFF_FFFF, 0xFFFF_FFFF),
    (Op::Minu, 0x8000_0000, 0x7FFF_FFFF, 0x7FFF_FFFF),
    (Op::Max, 0x8000_0000, 0x7FFF_FFFF, 0x7FFF_FFFF),
    (Op::Max, 1, 0xFFFF_FFFF, 1),
    (Op::Maxu, 0x8000_0000, 0x7FFF_FFFF, 0x8000_0000),
    // Shift amounts count modulo 32.
    (Op::Rol, 0x8000_0001, 0, 0x8000_0001),
    (Op::Rol, 0x8000_0001, 1, 0x0000_0003),
    (Op::Rol, 0x8000_0001, 31, 0xC000_0000),
    (Op::Rol, 0x1234_5678, 0xFFFF_FFE8, 0x3456_7812),
    (Op::Ror, 0x8000_0001, 32, 0x8000_0001),
    (Op::Ror, 0x8000_0001, 1, 0xC000_0000),
    (Op::Ror, 0x1234_5678, 8, 0x7812_3456),
    (Op::Rori, 0x1234_5678, 0, 0x1234_5678),
    (Op::Rori, 0x1234_5678, 31, 0x2468_ACF0),
    (Op::OrcB, 0, 0, 0),
    (Op::OrcB, 0x0100_8000, 0, 0xFF00_FF00),
    (Op::OrcB, 0x1010_0101, 0, 0xFFFF_FFFF),
    (Op::Rev8, 0x1234_5678, 0, 0x7856_3412),
    (Op::Bclr, 0xFFFF_FFFF, 31, 0x7FFF_FFFF),
    (Op::Bclr, 0xFFFF_FFFF, 32, 0xFFFF_FFFE),
    (Op::Bclri, 0x0000_0001, 0, 0),
    (Op::Bclri, 0x0000_0001, 1, 1),
    (Op::Bext, 0x8000_0000, 31, 1),
    (Op::Bext, 0x8000_0000, 30, 0),
    (Op::Bext, 0x0000_0001, 0xFFFF_FFE0, 1),
    (Op::Bexti, 0x7FFF_FFFF, 31, 0),
    (Op::Bexti, 0x0000_0100, 8, 1),
    (Op::Binv, 0, 31, 0x8000_0000),
    (Op::Binv, 0xFFFF_FFFF, 33, 0xFFFF_FFFD),
    (Op::Binvi, 0x0000_0080, 7, 0),
    (Op::Bset, 0, 63, 0x8000_0000),
    (Op::Bset, 1, 0, 1),
    (Op::Bseti, 0x0000_0000, 16, 0x0001_0000),
];

fn is_bit_manipulation(op: Op) -> bool {
    matches!(op.spec().extension, Extension::Zba | Extension::Zbb | Extension::Zbs)
}

#[test]
fn results_are_those_worked_out_by_hand() {
    for &(op, a, b, expected) in VECTORS {
        assert_eq!(result(op, a, b), expected, "{} {a:#x}, {b:#x}", op.spec().mnemonic);
    }
}

#[test]
fn every_instruction_has_a_vector() {
    let mut instructions = 0;
    for spec in TABLE.iter().filter(|spec| is_bit_manipulation(spec.op)) {
        assert!(VECTORS.iter().any(|vector| vector.0 == spec.op), "{}", spec.mnemonic);
        instructions += 1;
    }
    // Zba has 3 instructions for RV32, Zbb 18, Zbs 8.
    assert_eq!(instructions, 3 + 18 + 8);
}

#[test]
fn a_hart_without_the_extension_refuses_its_instructions() {
    let without = |extension| {
        let full = HartConfig::full();
        match extension {
            Extension::Zba => HartConfig { zba: false, ..full },
            Extension::Zbb => HartConfig { zbb: false, ..full },
            _ => HartConfig { zbs: false, ..full },
        }
    };
    for spec in TABLE.iter().filter(|spec| is_bit_manipulation(spec.op)) {
        let mut iss = hart(Inst::new(spec.op), without(spec.extension));
        let retired = iss.step();
        let trap = retired.trap.expect(spec.mnemonic);
        assert_eq!((trap.cause, trap.tval), (cause::ILLEGAL_INSTRUCTION, spec.bits), "{}", spec.mnemonic);
        assert_eq!(retired.inst, None);
    }
}

#[test]
fn known_words_have_their_text() {
    for (word, text) in [
        (0x20C5_A533_u32, "sh1add a0, a1, a2"),
        (0x20C5_E533, "sh3add a0, a1, a2"),
        (0x40C5_F533, "andn a0, a1, a2"),
        (0x6005_9513, "clz a0, a1"),
        (0x6045_9513, "sext.b a0, a1"),
        (0x0805_C533, "zext.h a0, a1"),
        (0x0AC5_E533, "max a0, a1, a2"),
        (0x6075_D513, "rori a0, a1, 0x7"),
        (0x2875_D513, "orc.b a0, a1"),
        (0x6985_D513, "rev8 a0, a1"),
        (0x48C5_D533, "bext a0, a1, a2"),
        (0x2875_9513, "bseti a0, a1, 0x7"),
    ] {
        assert_eq!(decode(word).map(|inst| inst.to_string()).as_deref(), Some(text), "{word:#010x}");
    }
    // Neighbours that RV32 does not have: rev8 and zext.h of RV64, bclri with shamt[5], clz's other rs2 values.
    for word in [0x6B85_D513, 0x0805_C53B, 0x4A05_9513, 0x6035_9513, 0x0815_C533] {
        assert_eq!(decode(word), None, "{word:#010x}");
    }
}
