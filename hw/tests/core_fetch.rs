//! Fetch: mistakes that random programs have found (`ferrite fuzz --core`), each as a short program.

mod harness;

use ferrite_hw::core::CoreConfig;
use ferrite_model::isa::reg::*;
use ferrite_model::isa::{Asm, Inst, Op, csr};
use harness::{BASE, Bench, CODE_BYTES};

#[test]
fn an_error_of_a_word_that_is_only_guessed_is_not_that_of_the_instruction_at_hand() {
    let addi_a0_1: u32 = 0x0010_0513;
    let c_nop = 1;
    let mut asm = Asm::new(BASE);
    let (handler, again) = (asm.local(), asm.local());
    asm.la(T0, handler);
    asm.csrw(csr::MTVEC, T0);
    asm.la(A1, again);
    asm.bind(again);
    // So that fetch is far ahead of decode.
    asm.div(A3, A1, A1);
    asm.add(A4, A3, A3);
    // Nothing can be fetched where this goes. The branch target buffer learns that fetch goes there behind this word.
    let distance = (BASE + CODE_BYTES - asm.address()) as i32;
    asm.inst(Inst { imm: distance, ..Inst::new(Op::Jal) });
    asm.half(0);
    asm.half(c_nop);
    asm.ebreak();
    asm.bind(handler);
    // Then another instruction begins in the middle of the word and ends in the next one.
    asm.li(A2, c_nop.into());
    asm.sh(A2, 8, A1);
    asm.li(A2, addi_a0_1 as i32);
    asm.sh(A2, 10, A1);
    asm.srli(A2, A2, 16);
    asm.sh(A2, 12, A1);
    asm.fence_i();
    asm.jr(A1);
    let program = asm.finish().unwrap();
    let mut bench = Bench::new(&program, CoreConfig::FAST, true, 1, 0);
    let retired = bench.run(22);
    assert_eq!(retired.iter().filter(|record| record.trap.is_some()).count(), 1);
    assert_eq!(bench.model().register(A0), 1);
}

#[test]
fn a_fetch_that_waits_stays_up_when_the_mode_forbids_it() {
    let config = CoreConfig { pmp_regions: 4, ..CoreConfig::FAST };
    let mut asm = Asm::new(BASE);
    let handler = asm.local();
    asm.la(T0, handler);
    asm.csrw(csr::MTVEC, T0);
    asm.bind(handler);
    // User mode may fetch nothing, since no region lets it.
    asm.csrw(csr::MSTATUS, ZERO);
    asm.csrw(csr::MEPC, T0);
    asm.mret();
    let program = asm.finish().unwrap();
    // The bench looks at every request, and takes them late.
    for seed in 0..20 {
        Bench::new(&program, config, true, seed, 4).run(100);
    }
}
