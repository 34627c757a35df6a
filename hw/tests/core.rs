//! The core against the golden model, instruction by instruction.

mod harness;

use ferrite_hw::core::Core;
use ferrite_model::isa::reg::*;
use ferrite_model::isa::{Asm, csr};
use harness::{BASE, Bench};

fn bench(asm: Asm, waits: u32) -> Bench {
    Bench::new(&asm.finish().unwrap(), true, 1, waits)
}

#[test]
fn the_core_elaborates_without_mistakes() {
    for has_coprocessor in [false, true] {
        let core = Core { reset_pc: 0x1000, hart_id: 0, has_coprocessor };
        if let Err(mistakes) = ferrite_hdl::elaborate(&core) {
            panic!("{mistakes}");
        }
    }
}

#[test]
fn straight_code_takes_one_cycle_per_instruction() {
    let mut asm = Asm::new(BASE);
    for k in 0..200 {
        asm.addi(A0, A0, k);
    }
    let mut bench = bench(asm, 0);
    bench.run(1);
    let start = bench.cycle;
    bench.run(199);
    assert_eq!(bench.cycle - start, 199);
}

#[test]
fn loads_and_stores_on_end_take_one_cycle_each() {
    let mut asm = Asm::new(BASE);
    asm.li(S0, (BASE + 0x9000) as i32);
    for k in 0..50 {
        asm.sw(S0, 4 * k, S0);
        asm.lw(A0, 4 * k, S0);
    }
    let mut bench = bench(asm, 0);
    bench.run(3);
    let start = bench.cycle;
    bench.run(99);
    assert_eq!(bench.cycle - start, 99);
}

#[test]
fn a_loop_sums_up() {
    let mut asm = Asm::new(BASE);
    asm.li(A0, 0);
    asm.li(A1, 100);
    let again = asm.here("again");
    asm.add(A0, A0, A1);
    asm.addi(A1, A1, -1);
    asm.bnez(A1, again);
    asm.ebreak();
    let mut bench = bench(asm, 2);
    bench.run(2 + 300);
    assert_eq!(bench.model().register(A0), 5050);
    assert!(bench.run(1)[0].trap.is_some());
}
#[test]
fn a_written_minstret_is_read_back() {
    let mut asm = Asm::new(BASE);
    asm.li(A0, 77);
    asm.csrw(csr::MINSTRET, A0);
    asm.csrr(A1, csr::MINSTRET);
    asm.csrr(A2, csr::MINSTRET);
    let mut bench = bench(asm, 0);
    bench.run(4);
    assert_eq!((bench.model().register(A1), bench.model().register(A2)), (77, 78));
}
