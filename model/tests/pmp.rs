//! Physical memory protection, with expectations from RISC-V Privileged 20240411, 3.7.1.

#[path = "common/hart.rs"]
mod hart;

use ferrite_model::isa::{Inst, Op, csr, reg::*};
use ferrite_model::iss::{
    Access, HartConfig, Iss, Machine, Misaligned, Pmp, PmpRegions, Privilege, Trap, cause,
};
use hart::{BASE, enter_user_mode, hart, run_to_trap};

const R: u32 = 1;
const W: u32 = 2;
const X: u32 = 4;
const TOR: u32 = 1 << 3;
const NA4: u32 = 2 << 3;
const NAPOT: u32 = 3 << 3;
const L: u32 = 1 << 7;

use Access::{Execute, Read, Write};
use Privilege::{Machine as M, User as U};

/// Entries with these addresses and configurations, from entry 0 up.
fn pmp(entries: &[(u32, u32)]) -> Pmp {
    let mut pmp = Pmp::new(PmpRegions::Sixteen);
    for (place, (address, _)) in (0..).zip(entries) {
        pmp.write(csr::PMPADDR0 + place, *address);
    }
    for (word, four) in (0..).zip(entries.chunks(4)) {
        let value = four.iter().rev().fold(0, |value, (_, config)| value << 8 | config);
        pmp.write(csr::PMPCFG0 + word, value);
    }
    pmp
}

/// First and last word that user mode may read, by trying every word of the first 64 KiB.
fn readable(pmp: &Pmp) -> Option<(u32, u32)> {
    let mut words = (0..0x1_0000).step_by(4).filter(|&address| pmp.allows(address, 4, Read, U));
    let first = words.next()?;
    let last = words.next_back().unwrap_or(first);
    let count = (0..0x1_0000).step_by(4).filter(|&address| pmp.allows(address, 4, Read, U)).count() as u32;
    assert_eq!(count, (last - first) / 4 + 1, "one range");
    Some((first, last))
}

#[test]
fn a_range_is_where_its_encoding_puts_it() {
    let words = |entries: &[(u32, u32)]| readable(&pmp(entries));
    // NAPOT: the zero bit after n ones, of the address's bits 33:2, makes 2^(n+3) bytes (table 19).
    assert_eq!(words(&[(0x1000 >> 2, NA4 | R)]), Some((0x1000, 0x1000)));
    assert_eq!(words(&[(0b1_0000_0000, NAPOT | R)]), Some((0x400, 0x404)));
    assert_eq!(words(&[(0b1_0000_0001, NAPOT | R)]), Some((0x400, 0x40C)));
    assert_eq!(words(&[(0b1_0111_1111, NAPOT | R)]), Some((0x400, 0x7FC)));
    assert_eq!(words(&[(u32::MAX, NAPOT | R)]), Some((0, 0xFFFC)));
    assert_eq!(words(&[(u32::MAX >> 1, NAPOT | R)]), Some((0, 0xFFFC)));
    // TOR: from the address below (0 for entry 0), whatever that entry is, up to its own, exclusive.
    assert_eq!(words(&[(0x2000 >> 2, TOR | R)]), Some((0, 0x1FFC)));
    assert_eq!(words(&[(0x1000 >> 2, 0), (0x2000 >> 2, TOR | R)]), Some((0x1000, 0x1FFC)));
    assert_eq!(words(&[(0x1000 >> 2, TOR), (0x2000 >> 2, TOR | R)]), Some((0x1000, 0x1FFC)));
    assert_eq!(words(&[(0x1000 >> 2, NAPOT), (0x2000 >> 2, TOR | R)]), Some((0x1008, 0x1FFC)));
    // A range that ends before it begins, or where it begins, matches nothing.
    assert_eq!(words(&[(0x2000 >> 2, 0), (0x1000 >> 2, TOR | R)]), None);
    assert_eq!(words(&[(0x2000 >> 2, 0), (0x2000 >> 2, TOR | R)]), None);
    assert_eq!(words(&[(0, TOR | R)]), None);
    // Not even an access that lies across its place.
    let empty = pmp(&[(0x2000 >> 2, 0), (0x2000 >> 2, TOR), (u32::MAX, NAPOT | R)]);
    assert!(empty.allows(0x1FFE, 4, Read, U));
    assert_eq!(words(&[(0x1000 >> 2, R)]), None);
}

#[test]
fn ranges_reach_the_end_of_the_address_space_and_beyond() {
    let all = pmp(&[(0xFFFF_FFFF, TOR | R)]);
    assert!(all.allows(0xFFFF_FFFC, 4, Read, U));
    // Bits 31:30 of pmpaddr are address bits 33:32: such a range holds no address of 32 bits.
    let beyond = pmp(&[(0x4000_0000, NA4 | R)]);
    assert!(!beyond.allows(0, 4, Read, U));
    let last = pmp(&[(0x3FFF_FFFF, NA4 | R)]);
    assert!(last.allows(0xFFFF_FFFC, 4, Read, U) && !last.allows(0xFFFF_FFF8, 4, Read, U));
    let to_the_end = pmp(&[(0x4000_0000, TOR | R)]);
    assert!(to_the_end.allows(0xFFFF_FFFF, 1, Read, U));
}

#[test]
fn the_lowest_entry_that_matches_a_byte_decides_alone() {
    let both = pmp(&[(0x1000 >> 2, NA4), (u32::MAX, NAPOT | R | W | X)]);
    assert!(!both.allows(0x1000, 4, Read, U) && both.allows(0x1004, 4, Read, U));
    let other = pmp(&[(u32::MAX, NAPOT | R), (0x1000 >> 2, NA4)]);
    assert!(other.allows(0x1000, 4, Read, U));
}

#[test]
fn an_access_that_the_deciding_entry_matches_in_part_fails_for_everybody() {
    let part = pmp(&[(0x1000 >> 2, NA4 | R | W | X), (u32::MAX, NAPOT | R | W | X)]);
    for privilege in [U, M] {
        for (address, bytes, allowed) in [
            (0xFFC, 4, true),
            (0xFFD, 4, false),
            (0xFFF, 2, false),
            (0x1000, 4, true),
            (0x1001, 4, false),
            (0x1003, 2, false),
            (0xFFC, 8, false),
            (0x1000, 8, false),
            (0x1004, 4, true),
        ] {
            assert_eq!(part.allows(address, bytes, Read, privilege), allowed, "{address:#x} {bytes}");
        }
    }
}

#[test]
fn permissions_bind_user_mode_always_and_machine_mode_when_locked() {
    for bits in [0, R, X, R | W, R | X, R | W | X] {
        for (access, needed) in [(Read, R), (Write, W), (Execute, X)] {
            let open = pmp(&[(u32::MAX, NAPOT | bits)]);
            let locked = pmp(&[(u32::MAX, NAPOT | bits | L)]);
            let permitted = bits & needed != 0;
            assert_eq!(open.allows(0x1000, 4, access, U), permitted);
            assert!(open.allows(0x1000, 4, access, M));
            assert_eq!(locked.allows(0x1000, 4, access, U), permitted);
            assert_eq!(locked.allows(0x1000, 4, access, M), permitted);
        }
    }
}

#[test]
fn where_nothing_matches_machine_mode_may_and_user_mode_may_not() {
    let off = pmp(&[]);
    assert!(off.allows(0, 4, Read, M) && !off.allows(0, 4, Read, U));
    let without = Pmp::new(PmpRegions::None);
    assert!(without.allows(0, 4, Write, M) && without.allows(0, 4, Write, U));
}

#[test]
fn a_configuration_keeps_what_its_rules_allow() {
    let mut pmp = Pmp::new(PmpRegions::Sixteen);
    // Bits 6:5 read 0; W without R is reserved, and is dropped.
    pmp.write(csr::PMPCFG0, 0x7F_62_02_66);
    assert_eq!(pmp.read(csr::PMPCFG0), Some(0x1F_00_00_04));
    pmp.write(csr::PMPADDR0, u32::MAX);
    assert_eq!(pmp.read(csr::PMPADDR0), Some(u32::MAX));
}

#[test]
fn a_locked_entry_keeps_its_configuration_its_address_and_the_bottom_of_its_range() {
    // Entry 1: locked TOR. Entry 3: locked but off. Entry 5: locked NAPOT.
    let mut pmp = pmp(&[(1, R), (2, TOR | L | R), (3, 0), (4, L), (5, 0), (6, NAPOT | L), (7, 0)]);
    for entry in 0..7 {
        pmp.write(csr::PMPADDR0 + entry, 0x100);
    }
    pmp.write(csr::PMPCFG0, 0x1F1F_1F1F);
    pmp.write(csr::PMPCFG1, 0x001F_1F1F);
    let addresses: Vec<_> = (0..7).map(|entry| pmp.read(csr::PMPADDR0 + entry)).collect();
    assert_eq!(addresses, [1, 2, 0x100, 4, 0x100, 6, 0x100].map(Some));
    assert_eq!(pmp.read(csr::PMPCFG0), Some(0x801F_891F));
    assert_eq!(pmp.read(csr::PMPCFG1), Some(0x001F_981F));
}

#[test]
fn entries_beyond_those_configured_read_zero_and_match_nothing() {
    for (regions, count) in [(PmpRegions::Four, 4), (PmpRegions::Eight, 8), (PmpRegions::Sixteen, 16)] {
        let mut pmp = Pmp::new(regions);
        for entry in 0..16 {
            pmp.write(csr::PMPADDR0 + entry, u32::MAX);
        }
        for word in 0..4 {
            pmp.write(csr::PMPCFG0 + word, 0x1F1F_1F1F);
        }
        for entry in 0..16 {
            let exists = entry < count;
            let address = if exists { u32::MAX } else { 0 };
            assert_eq!(pmp.read(csr::PMPADDR0 + entry), Some(address));
            let config = pmp.read(csr::PMPCFG0 + entry / 4).map(|word| word >> (8 * (entry % 4)) & 0xFF);
            assert_eq!(config, Some(if exists { 0x1F } else { 0 }));
        }
        // Of pmpcfg4 and pmpaddr16 and following there is nothing.
        assert_eq!((pmp.read(csr::PMPCFG0 + 4), pmp.read(csr::PMPADDR0 + 16)), (None, None));
    }
    let none = Pmp::new(PmpRegions::None);
    assert_eq!((none.read(csr::PMPCFG0), none.read(csr::PMPADDR0)), (None, None));
}

/// The range that the program's accesses are tried around: 16 bytes for NAPOT, 4 for NA4.
const EDGE: u32 = BASE + 0x2000;
/// Where user mode's code stands: a page of its own.
const CODE_ENTRY: u32 = (BASE >> 2) | 0x1FF;

/// A hart whose user mode may do `permissions` in the range at [`EDGE`] and executes `access` with the address in `a0`.
fn user_program(mode: u32, permissions: u32, access: Op, misaligned: Misaligned) -> Iss<Machine> {
    let config = HartConfig { pmp_regions: PmpRegions::Four, misaligned, ..HartConfig::full() };
    hart(config, |asm| {
        asm.li(T0, CODE_ENTRY as i32);
        asm.csrw(csr::PMPADDR0, T0);
        let (bottom, address) = match mode {
            TOR => (EDGE >> 2, (EDGE + 16) >> 2),
            NA4 => (0, EDGE >> 2),
            _ => (0, EDGE >> 2 | 1),
        };
        asm.li(T0, bottom as i32);
        asm.csrw(csr::PMPADDR0 + 1, T0);
        asm.li(T0, address as i32);
        asm.csrw(csr::PMPADDR0 + 2, T0);
        asm.li(T0, ((mode | permissions) << 16 | NAPOT | X) as i32);
        asm.csrw(csr::PMPCFG0, T0);
        enter_user_mode(asm);
        asm.inst(Inst { rd: A1, rs1: A0, rs2: A1, ..Inst::new(access) });
        asm.ecall();
    })
}

#[test]
fn no_access_passes_an_edge_of_a_region() {
    let kinds = [
        (Op::Lb, 1, R, cause::LOAD_ACCESS),
        (Op::Lbu, 1, R, cause::LOAD_ACCESS),
        (Op::Lh, 2, R, cause::LOAD_ACCESS),
        (Op::Lhu, 2, R, cause::LOAD_ACCESS),
        (Op::Lw, 4, R, cause::LOAD_ACCESS),
        (Op::Sb, 1, W, cause::STORE_ACCESS),
        (Op::Sh, 2, W, cause::STORE_ACCESS),
        (Op::Sw, 4, W, cause::STORE_ACCESS),
    ];
    for (mode, bytes) in [(TOR, 16), (NA4, 4), (NAPOT, 16)] {
        for permissions in [0, R, X, R | W, R | X, R | W | X] {
            for (op, width, needed, fault) in kinds {
                let ready = user_program(mode, permissions, op, Misaligned::Handled);
                for address in (EDGE - 6..EDGE + 6).chain(EDGE + bytes - 6..EDGE + bytes + 6) {
                    let mut iss = ready.clone();
                    iss.set_register(A0, address);
                    let allowed =
                        |byte: &u32| (EDGE..EDGE + bytes).contains(byte) && permissions & needed != 0;
                    let refused = (address..address + width).find(|byte| !allowed(byte));
                    let expected = match refused {
                        Some(byte) => Trap { cause: fault, tval: byte },
                        None => Trap { cause: cause::ECALL_USER, tval: 0 },
                    };
                    let what = format!("{op:?} at {address:#x}, {mode:#x} {permissions:#x}");
                    assert_eq!(run_to_trap(&mut iss).trap, Some(expected), "{what}");
                }
            }
        }
    }
}

#[test]
fn no_instruction_is_fetched_across_an_edge_of_a_region() {
    for (mode, bytes) in [(TOR, 16), (NA4, 4), (NAPOT, 16)] {
        for permissions in [0, R, X, R | W, R | X, R | W | X] {
            let ready = user_program(mode, permissions, Op::Jalr, Misaligned::Trap);
            let places = (EDGE - 4..EDGE + 4).chain(EDGE + bytes - 4..EDGE + bytes + 4).step_by(2);
            for (address, compressed) in places.flat_map(|address| [(address, true), (address, false)]) {
                let mut iss = ready.clone();
                iss.set_register(A0, address);
                // c.ebreak or ebreak: what is executed raises a breakpoint.
                let code = if compressed { vec![0x02, 0x90] } else { vec![0x73, 0x00, 0x10, 0x00] };
                iss.bus.write_memory(address, &code).expect("in RAM");
                let allowed = |half: &u32| (EDGE..EDGE + bytes).contains(half) && permissions & X != 0;
                let mut halves = (address..address + code.len() as u32).step_by(2);
                let expected = match halves.find(|half| !allowed(half)) {
                    Some(half) => Trap { cause: cause::INSTRUCTION_ACCESS, tval: half },
                    None => Trap { cause: cause::BREAKPOINT, tval: 0 },
                };
                let retired = run_to_trap(&mut iss);
                assert_eq!(
                    (retired.trap, retired.pc),
                    (Some(expected), address),
                    "{mode:#x} {permissions:#x}"
                );
            }
        }
    }
}

#[test]
fn a_store_that_is_refused_changes_nothing() {
    let mut iss = user_program(NAPOT, R, Op::Sw, Misaligned::Trap);
    iss.set_register(A0, EDGE);
    iss.set_register(A1, 0x1234_5678);
    assert_eq!(run_to_trap(&mut iss).trap, Some(Trap { cause: cause::STORE_ACCESS, tval: EDGE }));
    assert_eq!(iss.bus.read_memory(EDGE, 4), Ok([0; 4].as_slice()));
}

#[test]
fn a_misaligned_access_that_is_trapped_comes_before_protection() {
    let mut iss = user_program(NAPOT, 0, Op::Lw, Misaligned::Trap);
    iss.set_register(A0, EDGE + 1);
    assert_eq!(run_to_trap(&mut iss).trap, Some(Trap { cause: cause::LOAD_MISALIGNED, tval: EDGE + 1 }));
}

#[test]
fn mprv_gives_loads_and_stores_but_no_fetches_the_previous_privilege() {
    let run = |mpp: i32, op: Op| {
        let mut iss = hart(HartConfig::full(), |asm| {
            asm.li(T0, 3 << 11);
            asm.csrc(csr::MSTATUS, T0);
            asm.li(T0, 1 << 17 | mpp << 11);
            asm.csrs(csr::MSTATUS, T0);
            asm.inst(Inst { rd: A1, rs1: A0, ..Inst::new(op) });
            asm.ecall();
        });
        iss.set_register(A0, EDGE);
        run_to_trap(&mut iss).trap.expect("a trap").cause
    };
    // No entry matches: user mode may nothing, machine mode everything.
    assert_eq!((run(0, Op::Lw), run(0, Op::Sb)), (cause::LOAD_ACCESS, cause::STORE_ACCESS));
    assert_eq!((run(3, Op::Lw), run(3, Op::Sb)), (cause::ECALL_MACHINE, cause::ECALL_MACHINE));
    assert_eq!(run(0, Op::Fence), cause::ECALL_MACHINE);
}

#[test]
fn a_locked_entry_stops_machine_mode_itself() {
    let mut iss = hart(HartConfig::full(), |asm| {
        asm.li(T0, (EDGE >> 2) as i32);
        asm.csrw(csr::PMPADDR0, T0);
        asm.li(T0, (L | NA4 | R) as i32);
        asm.csrw(csr::PMPCFG0, T0);
        asm.csrw(csr::PMPCFG0, ZERO);
        asm.lw(A1, 0, A0);
        asm.sw(A1, 4, A0);
        asm.sw(A1, 0, A0);
    });
    iss.set_register(A0, EDGE);
    assert_eq!(run_to_trap(&mut iss).trap, Some(Trap { cause: cause::STORE_ACCESS, tval: EDGE }));
}
