//! Fetch: mistakes that random programs have found (`ferrite fuzz --core`), each as a short program.

mod harness;

use ferrite_hw::core::{CoreConfig, Predictor};
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

/// Cycles of 60 rounds of a loop with a branch that is taken in every third round, when there has been time to learn.
fn cycles_of_every_third(history: u32) -> u64 {
    let mut asm = Asm::new(BASE);
    asm.li(A0, 0);
    asm.li(A1, 3);
    let (again, over) = (asm.local_here(), asm.local());
    asm.addi(A0, A0, 1);
    asm.nop();
    asm.nop();
    asm.bne(A0, A1, over);
    asm.li(A0, 0);
    asm.bind(over);
    asm.nop();
    asm.j(again);
    let predictor = Predictor::Btb { entries: 64, history };
    let config = CoreConfig { predictor, ..CoreConfig::FAST };
    let mut bench = Bench::new(&asm.finish().unwrap(), config, true, 1, 0);
    // Three rounds are 6 + 6 + 7 instructions.
    bench.run(2 + 50 * 19);
    let start = bench.cycle;
    bench.run(20 * 19);
    bench.cycle - start
}

#[test]
fn a_branch_with_a_pattern_is_foreseen_by_its_history() {
    let instructions = 20 * 19;
    assert_eq!(cycles_of_every_third(0), instructions + 20 * 4, "wrong once in three rounds");
    for history in [4, 7, 10] {
        assert_eq!(cycles_of_every_third(history), instructions, "a history of {history}");
    }
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
