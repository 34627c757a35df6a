//! Machine and user mode, CSRs and traps, with expectations from RISC-V Privileged 20240411, chapters 2 and 3.

#[path = "common/hart.rs"]
mod hart;

use ferrite_model::isa::{Asm, Inst, Op, csr, reg::*};
use ferrite_model::iss::{
    Counters, HartConfig, Interrupt, Iss, Machine, Observed, PmpRegions, Privilege, Trap, cause, memory_map,
};
use hart::{BASE, enter_user_mode, hart, run_to_trap};

const HANDLER: u32 = BASE + 0x1000;
const MPRV: u32 = 1 << 17;
const TW: u32 = 1 << 21;

/// User mode may do everything; no PMP stands in its way.
fn open() -> HartConfig {
    HartConfig { pmp_regions: PmpRegions::None, ..HartConfig::full() }
}

fn without_user_mode() -> HartConfig {
    HartConfig { user_mode: false, ..HartConfig::full() }
}

/// What a CSR holds after `value` was written to it.
fn kept(config: HartConfig, csr: u16, value: u32) -> u32 {
    let mut iss = hart(config, |asm| asm.csrw(csr, A0));
    iss.set_register(A0, value);
    assert_eq!(iss.step().trap, None, "{csr:#x}");
    iss.csr(csr).expect("it exists")
}

#[test]
fn csrs_keep_what_their_rules_allow() {
    for (csr, when_ones, when_zeros) in [
        (csr::MSTATUS, 0x0022_1888, 0),
        (csr::MSTATUSH, 0, 0),
        // Bits B, C, I, M and U.
        (csr::MISA, 0x4010_1106, 0x4010_1106),
        (csr::MIE, 0x888, 0),
        (csr::MIP, 0, 0),
        (csr::MTVEC, 0xFFFF_FFC1, 0),
        (csr::MCOUNTEREN, 0xFFFF_FFFF, 0),
        (csr::MENVCFG, 0, 0),
        (csr::MENVCFGH, 0, 0),
        (csr::MSCRATCH, 0xFFFF_FFFF, 0),
        (csr::MEPC, 0xFFFF_FFFE, 0),
        (csr::MCAUSE, 0x8000_000F, 0),
        (csr::MTVAL, 0xFFFF_FFFF, 0),
        (csr::MCOUNTINHIBIT, 0xFFFF_FFFD, 0),
        (csr::MHPMEVENT3, 0xFFFF_FFFF, 0),
        (csr::MHPMCOUNTER3H, 0xFFFF_FFFF, 0),
        (csr::PMPADDR0, 0xFFFF_FFFF, 0),
    ] {
        let both = (kept(HartConfig::full(), csr, u32::MAX), kept(HartConfig::full(), csr, 0));
        assert_eq!(both, (when_ones, when_zeros), "{csr:#x}");
    }
    let machine_only = without_user_mode();
    assert_eq!(
        (kept(machine_only, csr::MSTATUS, u32::MAX), kept(machine_only, csr::MSTATUS, 0)),
        (0x1888, 0x1800)
    );
}

#[test]
fn mpp_holds_the_modes_that_there_are() {
    for (written, read) in [(0, 0), (1, 0), (2, 0), (3, 3)] {
        assert_eq!(kept(HartConfig::full(), csr::MSTATUS, written << 11) >> 11, read);
        assert_eq!(kept(without_user_mode(), csr::MSTATUS, written << 11) >> 11, 3);
    }
}

#[test]
fn misa_names_what_is_configured() {
    let full = HartConfig::full();
    assert_eq!(HartConfig::default().misa(), 1 << 30 | 1 << 12 | 1 << 8);
    assert_eq!(full.misa() & !HartConfig { c: false, ..full }.misa(), 1 << 2);
    assert_eq!(full.misa() & !HartConfig { m: false, ..full }.misa(), 1 << 12);
    assert_eq!(full.misa() & !HartConfig { zbs: false, ..full }.misa(), 1 << 1);
    assert_eq!(full.misa() & !HartConfig { user_mode: false, ..full }.misa(), 1 << 20);
}

/// The trap of a program that executes `inst` in a mode.
fn trap_in(privilege: Privilege, config: HartConfig, inst: Inst) -> Trap {
    let mut iss = hart(config, |asm| {
        if privilege == Privilege::User {
            enter_user_mode(asm);
        }
        asm.inst(inst);
        asm.ebreak();
    });
    run_to_trap(&mut iss).trap.expect("a trap")
}

/// True if a mode can read, or write, a CSR.
fn allowed(privilege: Privilege, config: HartConfig, csr: u16, op: Op) -> bool {
    let inst = Inst { rd: A1, csr, ..Inst::new(op) };
    match trap_in(privilege, config, inst) {
        Trap { cause: cause::BREAKPOINT, .. } => true,
        Trap { cause, tval } => {
            assert_eq!((cause, Ok(tval)), (cause::ILLEGAL_INSTRUCTION, inst.encode()));
            false
        }
    }
}

#[test]
fn of_all_4096_csrs_exactly_those_of_the_table_exist() {
    let exists = |config: HartConfig| -> Vec<u16> {
        (0..0x1000).filter(|&csr| allowed(Privilege::Machine, config, csr, Op::Csrrs)).collect()
    };
    let ranges = |ranges: &[(u16, u16)]| -> Vec<u16> { ranges.iter().flat_map(|&(a, b)| a..=b).collect() };
    let machine = [(0x300, 0x301), (0x304, 0x305)];
    let hpm = [(0x310, 0x310), (0x320, 0x320), (0x323, 0x33F), (0x340, 0x344)];
    let counters = [(0xB00, 0xB00), (0xB02, 0xB1F), (0xB80, 0xB80), (0xB82, 0xB9F)];
    let identity = [(0xF11, 0xF15)];
    assert_eq!(exists(HartConfig::default()), ranges(&[&machine[..], &hpm, &counters, &identity].concat()));
    let full = [
        (0x300, 0x301),
        (0x304, 0x306),
        (0x30A, 0x30A),
        (0x310, 0x310),
        (0x31A, 0x31A),
        (0x320, 0x320),
        (0x323, 0x33F),
        (0x340, 0x344),
        (0x3A0, 0x3A3),
        (0x3B0, 0x3BF),
        (0xB00, 0xB00),
        (0xB02, 0xB1F),
        (0xB80, 0xB80),
        (0xB82, 0xB9F),
        (0xC00, 0xC1F),
        (0xC80, 0xC9F),
        (0xF11, 0xF15),
    ];
    assert_eq!(exists(HartConfig::full()), ranges(&full));
    let no_counters =
        HartConfig { counters: Counters { machine: false, ..Counters::BASIC }, ..HartConfig::default() };
    let least = [(0x300, 0x301), (0x304, 0x305), (0x310, 0x310), (0x340, 0x344), (0xF11, 0xF15)];
    assert_eq!(exists(no_counters), ranges(&least));
}

#[test]
fn no_csr_whose_number_says_read_only_can_be_written_and_all_others_can() {
    for csr in (0..0x1000).filter(|&csr| allowed(Privilege::Machine, HartConfig::full(), csr, Op::Csrrs)) {
        let writable = allowed(Privilege::Machine, HartConfig::full(), csr, Op::Csrrw);
        // mtvec and mepc are not used before the break; pmpcfg and pmpaddr are written with 0.
        assert_eq!(writable, csr >> 10 != 3, "{csr:#x}");
    }
}

#[test]
fn user_mode_reaches_no_csr_but_the_counters_that_it_is_given() {
    for given in [0, 1, 2, 4, 8, 1 << 31, u32::MAX] {
        for csr in 0..0x1000 {
            let mut iss = hart(open(), |asm| {
                asm.csrw(csr::MCOUNTEREN, A0);
                enter_user_mode(asm);
                asm.csrr(A1, csr);
                asm.ebreak();
            });
            iss.set_register(A0, given);
            let read = run_to_trap(&mut iss).trap.is_some_and(|trap| trap.cause == cause::BREAKPOINT);
            let counter = matches!(csr, 0xC00..=0xC1F | 0xC80..=0xC9F);
            assert_eq!(read, counter && given >> (csr & 31) & 1 == 1, "{csr:#x}, mcounteren {given:#x}");
        }
    }
}

#[test]
fn each_mode_has_its_causes() {
    let [ecall, mret, wfi, ebreak] = [Op::Ecall, Op::Mret, Op::Wfi, Op::Ebreak].map(Inst::new);
    let trap = |cause, tval| Trap { cause, tval };
    let user = |inst| trap_in(Privilege::User, open(), inst);
    assert_eq!(trap_in(Privilege::Machine, open(), ecall), trap(cause::ECALL_MACHINE, 0));
    assert_eq!(user(ecall), trap(cause::ECALL_USER, 0));
    assert_eq!(user(mret), trap(cause::ILLEGAL_INSTRUCTION, 0x3020_0073));
    assert_eq!(user(ebreak), trap(cause::BREAKPOINT, 0));
    assert_eq!(user(wfi), trap(cause::BREAKPOINT, 0));
}

#[test]
fn tw_makes_wfi_illegal_in_user_mode_only() {
    let with_tw = |to_user: bool| {
        let mut iss = hart(open(), |asm| {
            asm.csrw(csr::MSTATUS, A0);
            if to_user {
                enter_user_mode(asm);
            }
            asm.wfi();
            asm.ebreak();
        });
        iss.set_register(A0, TW);
        run_to_trap(&mut iss).trap
    };
    assert_eq!(with_tw(true), Some(Trap { cause: cause::ILLEGAL_INSTRUCTION, tval: 0x1050_0073 }));
    assert_eq!(with_tw(false), Some(Trap { cause: cause::BREAKPOINT, tval: 0 }));
}

/// Goes to user mode with `mstatus` and traps there; the handler holds `in_handler`.
fn user_trap(mstatus: u32, in_handler: impl FnOnce(&mut Asm)) -> Iss<Machine> {
    let mut iss = hart(open(), |asm| {
        asm.csrw(csr::MTVEC, A1);
        asm.csrw(csr::MSTATUS, A0);
        enter_user_mode(asm);
        asm.ecall();
        asm.align(4096);
        in_handler(asm);
    });
    iss.set_register(A0, mstatus);
    iss.set_register(A1, HANDLER);
    iss
}

#[test]
fn a_trap_saves_the_mode_and_mret_goes_back_to_it() {
    // MPIE set: interrupts are enabled after mret.
    let mut iss = user_trap(0x80, |asm| asm.mret());
    let trap = run_to_trap(&mut iss);
    assert_eq!((trap.privilege, iss.privilege()), (Privilege::User, Privilege::Machine));
    // MPP user, MPIE what MIE was, MIE 0.
    assert_eq!((iss.csr(csr::MSTATUS), iss.pc()), (Some(0x80), HANDLER));
    assert_eq!(iss.csr(csr::MEPC), Some(trap.pc));
    let mret = iss.step();
    assert_eq!((mret.privilege, iss.privilege()), (Privilege::Machine, Privilege::User));
    assert_eq!((iss.csr(csr::MSTATUS), iss.pc()), (Some(0x88), trap.pc));
}

#[test]
fn mret_to_user_mode_clears_mprv_and_mret_to_machine_mode_keeps_it() {
    for (mpp, after) in [(0, 0x80), (3 << 11, MPRV | 0x80)] {
        let mut iss = hart(open(), |asm| {
            asm.csrw(csr::MSTATUS, A0);
            asm.mret();
        });
        iss.set_register(A0, MPRV | mpp);
        iss.step();
        assert_eq!(iss.step().trap, None);
        assert_eq!(iss.csr(csr::MSTATUS), Some(after));
    }
}

#[test]
fn interrupts_reach_user_mode_even_while_mie_is_0() {
    let mut iss = hart(open(), |asm| {
        asm.csrw(csr::MTVEC, A1);
        asm.csrw(csr::MIE, A2);
        asm.li(T0, memory_map::CLINT_BASE as i32);
        asm.sw(A0, 0, T0);
        asm.nop();
        enter_user_mode(asm);
        (0..8).for_each(|_| asm.nop());
        asm.align(4096);
        (0..4).for_each(|_| asm.nop());
    });
    iss.set_register(A0, 1);
    iss.set_register(A1, HANDLER | 1);
    iss.set_register(A2, Interrupt::Software.bit());
    let retired = (0..30).map(|_| iss.step()).find(|retired| retired.interrupt.is_some());
    let retired = retired.expect("an interrupt");
    assert_eq!((retired.pc, retired.privilege), (HANDLER + 4 * 3, Privilege::Machine));
    assert_eq!(iss.csr(csr::MSTATUS).map(|mstatus| mstatus >> 11 & 3), Some(0));
    assert_eq!(iss.csr(csr::MCAUSE), Some(0x8000_0003));
}

#[test]
fn mtvec_may_be_any_word_unless_it_is_the_base_of_a_table() {
    assert_eq!(kept(HartConfig::full(), csr::MTVEC, 0x1234_567E), 0x1234_567C);
    assert_eq!(kept(HartConfig::full(), csr::MTVEC, 0x1234_567D), 0x1234_5641);
}

#[test]
fn without_a_time_reading_it_traps_and_it_cannot_be_given() {
    let full = HartConfig::full();
    let config = HartConfig { counters: Counters { time: false, ..full.counters }, ..full };
    for csr in [csr::TIME, csr::TIMEH] {
        assert!(!allowed(Privilege::Machine, config, csr, Op::Csrrs), "{csr:#x}");
    }
    for csr in [csr::CYCLE, csr::INSTRET, csr::HPMCOUNTER3H] {
        assert!(allowed(Privilege::Machine, config, csr, Op::Csrrs), "{csr:#x}");
    }
    assert_eq!(kept(config, csr::MCOUNTEREN, u32::MAX), !2);
}

#[test]
fn an_unimplemented_extension_makes_its_instructions_illegal() {
    let full = HartConfig::full();
    for (config, op) in [
        (HartConfig { m: false, ..full }, Op::Mul),
        (HartConfig { zicsr: false, ..full }, Op::Csrrw),
        (HartConfig { zifencei: false, ..full }, Op::FenceI),
    ] {
        let inst = Inst { csr: if op == Op::Csrrw { csr::MSCRATCH } else { 0 }, ..Inst::new(op) };
        let with = trap_in(Privilege::Machine, full, inst);
        let without = trap_in(Privilege::Machine, config, inst);
        assert_eq!((with.cause, without.cause), (cause::BREAKPOINT, cause::ILLEGAL_INSTRUCTION), "{op:?}");
    }
}

#[test]
fn a_stopped_counter_stands_still_from_the_next_instruction_on() {
    let mut iss = hart(HartConfig::full(), |asm| {
        asm.csrrwi(ZERO, csr::MCOUNTINHIBIT, 4);
        asm.csrr(A0, csr::MINSTRET);
        asm.csrr(A1, csr::INSTRET);
        asm.csrrwi(ZERO, csr::MCOUNTINHIBIT, 0);
        asm.csrr(A2, csr::MINSTRET);
        asm.csrr(A3, csr::MINSTRET);
        asm.ebreak();
    });
    run_to_trap(&mut iss);
    assert_eq!([A0, A1, A2, A3].map(|reg| iss.register(reg)), [1, 1, 1, 2]);
}

#[test]
fn the_time_is_the_buss_and_counters_of_events_depend_on_timing() {
    let mut iss = hart(HartConfig::full(), |asm| {
        asm.csrr(A0, csr::TIME);
        asm.csrr(A1, csr::HPMCOUNTER3);
        asm.csrr(A2, csr::CYCLEH);
        asm.csrr(A3, csr::INSTRET);
    });
    let observed = Observed { rd_value: Some(77), ..Observed::default() };
    let adopted: Vec<_> = (0..4).map(|_| iss.step_with(&observed).adopted).collect();
    assert_eq!(adopted, [Some(77), Some(77), Some(77), None]);
    let mut iss = hart(HartConfig::full(), |asm| asm.csrr(A0, csr::TIME));
    iss.step();
    assert_eq!(iss.register(A0), 1);
}
