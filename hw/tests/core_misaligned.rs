//! Loads and stores at any address, on cores that carry them out.

mod harness;

use ferrite_hw::core::{CoreConfig, Misaligned};
use ferrite_model::isa::reg::*;
use ferrite_model::isa::{Asm, Inst, Op, csr};
use ferrite_model::iss::{Trap, cause};
use harness::{BASE, Bench, RAM_BYTES};

const SMALL: CoreConfig = CoreConfig { misaligned: Misaligned::Handle, ..CoreConfig::SMALL };
const FAST: CoreConfig = CoreConfig { misaligned: Misaligned::Handle, pmp_regions: 4, ..CoreConfig::FAST };

const DATA: u32 = BASE + 0x9000;
const LOADS: [Op; 5] = [Op::Lb, Op::Lbu, Op::Lh, Op::Lhu, Op::Lw];
const STORES: [Op; 3] = [Op::Sb, Op::Sh, Op::Sw];

/// Bits of `pmpcfg`.
const READ: u32 = 1;
const WRITE: u32 = 2;
const TOR: u32 = 1 << 3;
const NA4: u32 = 2 << 3;
const NAPOT: u32 = 3 << 3;
const LOCKED: u32 = 1 << 7;

/// A load to `a0` or a store of `a1`, `imm` bytes behind `s0`.
fn access(asm: &mut Asm, op: Op, imm: i32) {
    asm.inst(Inst { rd: A0, rs1: S0, rs2: A1, imm, ..Inst::new(op) });
}

/// Every load and store at the addresses from 4 bytes before `s0` to 4 behind it; the words there are read again behind each store.
fn everything_around(asm: &mut Asm) {
    for imm in -4..=4 {
        for op in LOADS {
            access(asm, op, imm);
            asm.add(A2, A2, A0);
        }
        for op in STORES {
            asm.addi(A1, A1, 0x123);
            asm.xori(A1, A1, -1);
            access(asm, op, imm);
            for word in [-8, -4, 0, 4] {
                access(asm, Op::Lw, word);
            }
        }
    }
}

/// A program with a handler that reads `mcause` and `mtval` and goes on behind the instruction.
fn program(body: impl FnOnce(&mut Asm)) -> Asm {
    let mut asm = Asm::new(BASE);
    let (handler, over) = (asm.local(), asm.local());
    asm.la(T0, handler);
    asm.csrw(csr::MTVEC, T0);
    asm.j(over);
    asm.bind(handler);
    asm.csrr(T1, csr::MCAUSE);
    asm.csrr(T2, csr::MTVAL);
    asm.csrr(T0, csr::MEPC);
    asm.addi(T0, T0, 4);
    asm.csrw(csr::MEPC, T0);
    asm.mret();
    asm.bind(over);
    body(&mut asm);
    asm.ebreak();
    asm
}

/// Runs until `ebreak`, with wait states and without; gives the traps before, and what is in `a0` at the end.
fn run(asm: Asm, core: CoreConfig) -> (Vec<Trap>, u32) {
    let program = asm.finish().unwrap();
    let results = [0, 2, 5].map(|waits| {
        let mut bench = Bench::new(&program, core, false, 7, waits);
        let mut traps = Vec::new();
        loop {
            match bench.run(1)[0].trap {
                Some(trap) if trap.cause == cause::BREAKPOINT => return (traps, bench.model().register(A0)),
                trap => traps.extend(trap),
            }
        }
    });
    assert!(results.iter().all(|result| *result == results[0]), "wait states change the result");
    results[0].clone()
}

#[test]
fn every_load_and_store_is_carried_out_at_every_place() {
    for core in [SMALL, FAST] {
        let asm = program(|asm| {
            asm.li(S0, DATA as i32);
            everything_around(asm);
        });
        assert_eq!(run(asm, core).0, []);
    }
}

#[test]
fn an_access_of_which_the_bus_refuses_the_second_part_tells_where_that_begins() {
    let end = BASE + RAM_BYTES;
    for core in [SMALL, FAST] {
        let asm = program(|asm| {
            asm.li(S0, end as i32);
            everything_around(asm);
        });
        let (traps, _) = run(asm, core);
        for cause in [cause::LOAD_ACCESS, cause::STORE_ACCESS] {
            assert!(traps.contains(&Trap { cause, tval: end }), "{traps:x?}");
        }
        assert!(traps.iter().all(|trap| trap.tval >= end), "{traps:x?}");
    }
}

#[test]
fn an_access_of_which_the_bus_refuses_the_first_part_tells_its_own_address() {
    let accesses = [(Op::Sw, -3), (Op::Sw, -2), (Op::Sw, -1), (Op::Sh, -1), (Op::Lh, -1), (Op::Lw, -2)];
    // Behind the highest address comes address 0.
    for (core, edge) in [(SMALL, BASE), (FAST, BASE), (SMALL, 0)] {
        let asm = program(|asm| {
            asm.li(S0, edge as i32);
            asm.li(A1, -1);
            accesses.iter().for_each(|&(op, imm)| access(asm, op, imm));
            access(asm, Op::Lw, 0);
        });
        let (traps, _) = run(asm, core);
        let tvals: Vec<u32> = traps.iter().take(accesses.len()).map(|trap| trap.tval).collect();
        assert_eq!(tvals, accesses.map(|(_, imm)| edge.wrapping_add_signed(imm)));
    }
}

#[test]
fn a_store_of_which_the_bus_refuses_the_second_part_has_written_the_first() {
    let asm = program(|asm| {
        asm.li(S0, (BASE + RAM_BYTES) as i32);
        asm.li(A1, -1);
        access(asm, Op::Sw, -3);
        access(asm, Op::Lw, -4);
    });
    assert_eq!(run(asm, SMALL).1, 0xFFFF_FF00);
}

/// A locked region of the PMP as entry 1, with `bottom` as address of entry 0.
fn protect(asm: &mut Asm, bottom: u32, address: u32, config: u32) {
    for (csr, value) in
        [(csr::PMPADDR0, bottom), (csr::PMPADDR0 + 1, address), (csr::PMPCFG0, (LOCKED | config) << 8)]
    {
        asm.li(T0, value as i32);
        asm.csrw(csr, T0);
    }
}

#[test]
fn protection_judges_every_part_of_an_access() {
    for permissions in [0, READ, READ | WRITE] {
        for (address, mode, range) in [
            ((DATA + 4) >> 2, TOR, DATA..DATA + 4),
            (DATA >> 2, NA4, DATA..DATA + 4),
            (DATA >> 2 | 1, NAPOT, DATA..DATA + 16),
        ] {
            for edge in [range.start, range.end] {
                let asm = program(|asm| {
                    protect(asm, DATA >> 2, address, mode | permissions);
                    asm.li(S0, edge as i32);
                    everything_around(asm);
                });
                let (traps, _) = run(asm, FAST);
                assert_eq!(traps.is_empty(), permissions == READ | WRITE, "{mode:#x}, {permissions}");
                assert!(traps.iter().all(|trap| range.contains(&trap.tval)), "{traps:x?}");
                assert!(traps.iter().all(|trap| permissions == 0 || trap.cause == cause::STORE_ACCESS));
            }
        }
    }
}

#[test]
fn a_store_that_protection_refuses_in_either_part_changes_nothing() {
    for imm in [-3, 1] {
        let asm = program(|asm| {
            protect(asm, 0, DATA >> 2, NA4 | READ);
            asm.li(S0, DATA as i32);
            asm.li(A1, -1);
            access(asm, Op::Sw, imm);
            access(asm, Op::Lw, -4);
            asm.mv(A2, A0);
            access(asm, Op::Lw, 4);
            asm.or(A0, A0, A2);
        });
        let tval = DATA.wrapping_add_signed(imm.max(0));
        assert_eq!(run(asm, FAST), (vec![Trap { cause: cause::STORE_ACCESS, tval }], 0));
    }
}
