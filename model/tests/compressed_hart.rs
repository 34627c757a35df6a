//! A hart with compressed instructions: addresses, traps and lengths.

#[path = "common/hart.rs"]
mod hart;

use ferrite_model::isa::{Inst, Op, csr, decode_compressed, reg::*};
use ferrite_model::iss::{HartConfig, Misaligned, Trap, cause};
use hart::{BASE, RAM_BYTES, hart, run_to_trap};

fn compressed() -> HartConfig {
    HartConfig { c: true, ..HartConfig::default() }
}

#[test]
fn the_pc_goes_on_by_the_instructions_length_and_links_are_behind_it() {
    let mut iss = hart(compressed(), |asm| {
        let (first, second, third) = (asm.local(), asm.local(), asm.local());
        asm.c_jal(first);
        asm.bind(first);
        asm.c_nop();
        asm.jal(A0, second);
        asm.bind(second);
        asm.la(A1, third);
        asm.c_jalr(A1);
        asm.bind(third);
        asm.c_ebreak();
    });
    let places: Vec<_> =
        (0..6).map(|_| iss.step()).map(|retired| (retired.pc - BASE, retired.next_pc - BASE)).collect();
    assert_eq!(places, [(0, 2), (2, 4), (4, 8), (8, 12), (12, 16), (16, 18)]);
    assert_eq!((iss.register(A0), iss.register(RA)), (BASE + 8, BASE + 18));
    let retired = iss.step();
    assert_eq!((retired.word, retired.trap), (0x9002, Some(Trap { cause: cause::BREAKPOINT, tval: 0 })));
    assert_eq!(iss.csr(csr::MEPC), Some(BASE + 18));
}

#[test]
fn a_reserved_half_word_is_illegal_and_mtval_holds_its_16_bits() {
    let mut reserved = 0;
    for half in (0..=u16::MAX).filter(|half| half & 3 != 3 && decode_compressed(*half).is_none()) {
        // Sampled: every 16th.
        reserved += 1;
        if reserved % 16 != 0 && half != 0 {
            continue;
        }
        let mut iss = hart(compressed(), |asm| {
            asm.c_nop();
            asm.half(half);
            asm.half(0xFFFF);
        });
        iss.step();
        let retired = iss.step();
        let expected = Trap { cause: cause::ILLEGAL_INSTRUCTION, tval: half.into() };
        assert_eq!((retired.word, retired.trap), (half.into(), Some(expected)));
    }
}

#[test]
fn every_half_word_does_what_its_expansion_does() {
    for half in (0..=u16::MAX).step_by(7) {
        let Some(inst) = decode_compressed(half) else { continue };
        let run = |narrow: bool| {
            let mut iss = hart(compressed(), |asm| {
                asm.space(0x1000);
                if narrow { asm.half(half) } else { asm.inst(inst.expand()) }
            });
            for reg in ferrite_model::isa::Reg::all() {
                iss.set_register(reg, BASE + 0x2000 + 4 * reg.number());
            }
            // The program starts in the middle, so that jumps backwards stay in RAM.
            iss.set_register(T6, BASE + 0x1000);
            iss.bus.write_memory(BASE, &0x000F_8067u32.to_le_bytes()).expect("in RAM");
            iss.step();
            let retired = iss.step();
            let registers: Vec<_> = ferrite_model::isa::Reg::all().map(|reg| iss.register(reg)).collect();
            (retired, registers)
        };
        let ((narrow, narrow_registers), (wide, mut wide_registers)) = (run(true), run(false));
        assert_eq!((narrow.inst, narrow.trap, narrow.memory), (wide.inst, wide.trap, wide.memory), "{inst}");
        let jumps = matches!(inst.expand().op, Op::Jal | Op::Jalr);
        if jumps && inst.expand().rd == RA {
            wide_registers[1] -= 2;
        }
        assert_eq!(narrow_registers, wide_registers, "{inst}");
        let falls_through = wide.next_pc == wide.pc + 4 && !jumps && narrow.next_pc != wide.next_pc;
        assert_eq!(narrow.next_pc, if falls_through { wide.pc + 2 } else { wide.next_pc }, "{inst}");
    }
}

#[test]
fn a_wide_instruction_may_lie_across_words_and_fault_in_its_second_half() {
    let mut iss = hart(compressed(), |asm| {
        asm.c_nop();
        asm.addi(A0, ZERO, 1234);
        asm.c_jr(A1);
    });
    let last = BASE + RAM_BYTES - 2;
    iss.bus.write_memory(last, &0x0513u16.to_le_bytes()).expect("in RAM");
    iss.set_register(A1, last);
    assert_eq!(iss.step().next_pc, BASE + 2);
    assert_eq!(iss.step().rd, Some((A0, 1234)));
    let retired = run_to_trap(&mut iss);
    let expected = Trap { cause: cause::INSTRUCTION_ACCESS, tval: last + 2 };
    assert_eq!((retired.pc, retired.trap), (last, Some(expected)));
    assert_eq!(iss.csr(csr::MEPC), Some(last));
}

#[test]
fn jump_targets_are_even_and_never_misaligned() {
    let mut iss = hart(compressed(), |asm| {
        asm.jalr(RA, 3, A0);
        asm.inst(Inst { rd: RA, imm: 6, ..Inst::new(Op::Jal) });
    });
    iss.set_register(A0, BASE + 1);
    assert_eq!(iss.step().next_pc, BASE + 4);
    assert_eq!(iss.step().next_pc, BASE + 10);
}

#[test]
fn mepc_holds_even_addresses_and_mret_goes_there() {
    let mut iss = hart(compressed(), |asm| {
        asm.csrw(csr::MEPC, A0);
        asm.mret();
    });
    iss.set_register(A0, BASE + 7);
    iss.step();
    assert_eq!(iss.csr(csr::MEPC), Some(BASE + 6));
    assert_eq!(iss.step().next_pc, BASE + 6);
}

#[test]
fn without_compressed_instructions_mtval_holds_the_word() {
    let mut iss = hart(HartConfig::default(), |asm| asm.word(0x1234_0001));
    let expected = Trap { cause: cause::ILLEGAL_INSTRUCTION, tval: 0x1234_0001 };
    assert_eq!(iss.step().trap, Some(expected));
}

#[test]
fn misaligned_accesses_are_carried_out_where_they_are_handled() {
    let config = HartConfig { misaligned: Misaligned::Handled, ..HartConfig::default() };
    let mut iss = hart(config, |asm| {
        asm.sw(A1, 1, A0);
        asm.lw(A2, 1, A0);
        asm.lh(A3, 3, A0);
        asm.lhu(A4, 4, A0);
        asm.sw(A1, 0, A5);
    });
    iss.set_register(A0, BASE + 0x1000);
    iss.set_register(A1, 0x89AB_CDEF);
    iss.set_register(A5, BASE + RAM_BYTES - 3);
    let store = iss.step().memory.expect("a store");
    assert_eq!((store.address, store.write_mask, store.write_data), (BASE + 0x1001, 0xF, 0x89AB_CDEF));
    (0..3).for_each(|_| assert_eq!(iss.step().trap, None));
    assert_eq!([A2, A3, A4].map(|reg| iss.register(reg)), [0x89AB_CDEF, 0xFFFF_89AB, 0x0089]);
    // The last byte lies behind the RAM; the three before it are written.
    let expected = Trap { cause: cause::STORE_ACCESS, tval: BASE + RAM_BYTES };
    assert_eq!(iss.step().trap, Some(expected));
    assert_eq!(iss.bus.read_memory(BASE + RAM_BYTES - 3, 3), Ok([0xEF, 0xCD, 0xAB].as_slice()));
}
