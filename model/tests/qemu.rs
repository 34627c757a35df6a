//! The same programs on QEMU and on the simulator.
//!
//! Kept out of the comparison, because the two differ by design:
//!
//! * Misaligned loads and stores: QEMU carries them out, the chip traps. Both are allowed.
//! * `misa`, `mvendorid`, `marchid`, `mimpid` and the other constants; extensions that the chip lacks are switched off
//!   on QEMU's command line, but S and U mode stay.
//! * Undefined SYSTEM instructions and absent CSRs: QEMU has more of both (supervisor mode, PMP, debug).
//! * `mstatus` outside of handlers: with user mode present, `mret` leaves MPP at U. Its other bits exist in QEMU
//!   only and are masked.
//! * Counters and the time: QEMU counts host time.
//! * `mtval` after `jal` or a branch with a misaligned target: QEMU 7.2 gives the jump's own address, where the
//!   specification wants the target's (Privileged 20240411, 3.1.16). After `jalr` they agree.
//! * `csrrs` and `csrrc` on a read-only CSR with a register that is not x0 but holds 0: QEMU 7.2 lets them pass, where
//!   the specification wants an illegal instruction (Unprivileged 20240411, 7.1).
//! * Words whose bits 1:0 are not 11, on a hart without compressed instructions: QEMU takes 16 of them into `mtval`, the
//!   chip all 32.
//! * `wfi` in user mode: with supervisor mode present, as in QEMU, it is illegal.
//! * PMP configurations with W and not R, which are reserved: QEMU 7.2 keeps them, the model drops W.

mod common;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{TestProgram, log_csrs, random};
use ferrite_model::isa::{Format, Inst, Op, Program, csr, reg::*};
use ferrite_model::iss::{Exit, HartConfig, Interrupt, Iss, Machine, MachineConfig, PmpRegions, memory_map};

const QEMU: &str = "qemu-system-riscv32";
/// RV32IM: everything else that can be switched off is.
const CPU: &str =
    "rv32,a=false,c=false,f=false,d=false,zba=false,zbb=false,zbc=false,zbs=false,mmu=false,pmp=false";
/// Everything that the model can have, but PMP: without it user mode may access all memory.
const FULL_CPU: &str =
    "rv32,a=false,c=true,f=false,d=false,zba=true,zbb=true,zbc=false,zbs=true,mmu=false,pmp=false";
/// The same with PMP.
const PMP_CPU: &str =
    "rv32,a=false,c=true,f=false,d=false,zba=true,zbb=true,zbc=false,zbs=true,mmu=false,pmp=true";
/// A hanging QEMU is ended after this.
const PATIENCE: Duration = Duration::from_secs(60);
/// Far more than any program here executes.
const BUDGET: u64 = 10_000_000;

/// Where the handler put the last trap's `mtval`, from `sp`.
const MTVAL_IN_LAST_LOG: i32 = -8;

/// True if QEMU can be used. Without it the test is skipped, or fails if `FERRITE_REQUIRE_TOOLS` is 1.
fn qemu_is_there() -> bool {
    let found = Command::new(QEMU).arg("--version").stdout(Stdio::null()).status().is_ok();
    let required = std::env::var("FERRITE_REQUIRE_TOOLS").is_ok_and(|value| value == "1");
    assert!(found || !required, "{QEMU} is missing; install the Debian package qemu-system-misc");
    if !found {
        eprintln!("SKIPPED: {QEMU} is missing; install the Debian package qemu-system-misc");
    }
    found
}

fn on_qemu(program: &Program, cpu: &str) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (image, output) = (folder.path().join("program.bin"), folder.path().join("uart.txt"));
    std::fs::write(&image, &program.bytes).expect("the image can be written");
    let mut child = Command::new(QEMU)
        .args([
            "-M", "virt", "-cpu", cpu, "-bios", "none", "-display", "none", "-monitor", "none", "-m", "16M",
        ])
        .arg("-serial")
        .arg(format!("file:{}", output.display()))
        .arg("-device")
        .arg(format!("loader,file={},addr={:#x},force-raw=on", image.display(), program.base))
        .stdin(Stdio::null())
        .spawn()
        .expect("QEMU starts");
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("QEMU can be waited for") {
            break status;
        }
        if start.elapsed() > PATIENCE {
            child.kill().expect("QEMU can be ended");
            child.wait().expect("QEMU ends");
            panic!("QEMU did not end within {PATIENCE:?}; it printed:\n{}", read(&output));
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(status.success(), "QEMU ended with {status}");
    read(&output)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn on_the_simulator(program: &Program, config: HartConfig) -> String {
    let mut machine = Machine::new(MachineConfig::default());
    machine.write_memory(program.base, &program.bytes).expect("the program fits the RAM");
    let mut iss = Iss::new(machine, config);
    assert_eq!(iss.run(BUDGET), Exit::Code(0));
    String::from_utf8(iss.bus.uart).expect("text")
}

/// Compares the signatures of the chip's hart; `what` is shown when they differ.
fn compare(what: &str, program: &Program) {
    compare_on(what, program, CPU, HartConfig::default());
}

/// Compares the signatures of two harts with the same features.
fn compare_on(what: &str, program: &Program, cpu: &str, config: HartConfig) {
    let (qemu, model) = (on_qemu(program, cpu), on_the_simulator(program, config));
    let words = ((program.symbols["signature_end"] - program.symbols["signature"]) / 4) as usize;
    assert_eq!(model.lines().count(), words, "{what}: the signature is incomplete");
    let differing: Vec<String> = qemu
        .lines()
        .zip(model.lines())
        .enumerate()
        .filter(|(_, (qemu, model))| qemu != model)
        .map(|(word, (qemu, model))| format!("word {word}: QEMU {qemu}, model {model}"))
        .take(20)
        .collect();
    assert!(differing.is_empty() && qemu.len() == model.len(), "{what}:\n{}", differing.join("\n"));
}

#[test]
fn random_programs_end_in_the_same_state() {
    if !qemu_is_there() {
        return;
    }
    for seed in 1..=6 {
        compare(&format!("random program, seed {seed}"), &random::program(seed, 3000));
    }
}

#[test]
fn random_programs_of_the_full_instruction_set_end_in_the_same_state() {
    if !qemu_is_there() {
        return;
    }
    let full = HartConfig { pmp_regions: PmpRegions::None, ..HartConfig::full() };
    for seed in 1..=3 {
        for user_mode in [false, true] {
            let what = format!("full instruction set, seed {seed}, user mode {user_mode}");
            compare_on(&what, &random::full_program(seed, 3000, user_mode), FULL_CPU, full);
        }
    }
}

/// Random regions in the scratch memory, then accesses around their edges with user mode's privilege (MPRV).
fn pmp_program(seed: u64) -> Program {
    const ACCESSES: u32 = 400;
    const MPRV: i32 = 1 << 17;
    let random = &mut random::Random::new(seed);
    let mut test = TestProgram::new(ACCESSES);
    let asm = &mut test.asm;
    for entry in 0..8 {
        // Within 256 bytes; the ones at the low end make NAPOT ranges of 8 to 64 bytes.
        asm.addi(T0, GP, 4 * random.below(64) as i32);
        asm.srli(T0, T0, 2);
        asm.ori(T0, T0, random.pick(&[0, 0, 1, 3, 7]));
        asm.csrw(csr::PMPADDR0 + entry, T0);
    }
    // Configurations of any mode, none with W and not R, none locked.
    for word in 0..2 {
        let bytes = [0; 4].map(|_: u8| random.pick(&[0u8, 1, 3, 4, 5, 7]) | (random.below(4) as u8) << 3);
        asm.li(T0, i32::from_le_bytes(bytes));
        asm.csrw(csr::PMPCFG0 + word, T0);
        asm.csrr(T1, csr::PMPCFG0 + word);
        asm.add(S1, S1, T1);
    }
    asm.li(T0, 3 << 11);
    asm.csrc(csr::MSTATUS, T0);
    asm.li(T0, MPRV);
    asm.csrs(csr::MSTATUS, T0);
    for _ in 0..ACCESSES {
        let (op, bytes) =
            random.pick(&[(Op::Lbu, 1), (Op::Lh, 2), (Op::Lw, 4), (Op::Sb, 1), (Op::Sh, 2), (Op::Sw, 4)]);
        let imm = (random.below(320) / bytes * bytes) as i32;
        let store = op.spec().format == Format::Store;
        asm.li(A0, random.value());
        asm.inst(Inst {
            rd: if store { ZERO } else { A0 },
            rs1: GP,
            rs2: if store { A0 } else { ZERO },
            imm,
            ..Inst::new(op)
        });
        asm.add(S2, S2, A0);
    }
    asm.li(T0, MPRV);
    asm.csrc(csr::MSTATUS, T0);
    test.finish()
}

#[test]
fn memory_protection_refuses_the_same_accesses() {
    if !qemu_is_there() {
        return;
    }
    for seed in 1..=6 {
        compare_on(&format!("PMP, seed {seed}"), &pmp_program(seed), PMP_CPU, HartConfig::full());
    }
}

#[test]
fn arithmetic_agrees_on_all_pairs_of_corner_values() {
    if !qemu_is_there() {
        return;
    }
    const CORNERS: [i32; 9] = [0, 1, -1, 2, i32::MAX, i32::MIN, i32::MIN + 1, 0x1_0001, 31];
    const OPS: [Op; 18] = [
        Op::Mul,
        Op::Mulh,
        Op::Mulhsu,
        Op::Mulhu,
        Op::Div,
        Op::Divu,
        Op::Rem,
        Op::Remu,
        Op::Add,
        Op::Sub,
        Op::Sll,
        Op::Srl,
        Op::Sra,
        Op::Slt,
        Op::Sltu,
        Op::Xor,
        Op::Or,
        Op::And,
    ];
    let mut test = TestProgram::new(1);
    // A hash of all results stays in s1; those of multiplication and division are kept one by one as well.
    const DIVIDING: usize = 8;
    for (pair, (a, b)) in CORNERS.iter().flat_map(|&a| CORNERS.map(|b| (a, b))).enumerate() {
        test.asm.li(A0, a);
        test.asm.li(A1, b);
        for (place, op) in OPS.into_iter().enumerate() {
            test.asm.inst(Inst { rd: A2, rs1: A0, rs2: A1, ..Inst::new(op) });
            test.asm.slli(T0, S1, 5);
            test.asm.add(S1, S1, T0);
            test.asm.xor(S1, S1, A2);
            if place < DIVIDING {
                test.asm.sw(A2, (pair * DIVIDING + place) as i32 * 4 - 2048, GP);
            }
        }
    }
    compare("corner values", &test.finish());
}

#[test]
fn jumps_link_and_trap_alike() {
    if !qemu_is_there() {
        return;
    }
    let mut test = TestProgram::new(16);
    let asm = &mut test.asm;
    let target = asm.label("target");
    // rd and rs1 the same register: the target comes from the old value.
    asm.la(A0, target);
    asm.jalr(A0, 0, A0);
    asm.li(A1, 1);
    asm.bind(target);
    // A misaligned target leaves rd alone and reports the target; a branch that is not taken reports nothing.
    asm.li(A2, 7);
    asm.la(A3, target);
    asm.jalr(A2, 6, A3);
    asm.jalr(A2, 7, A3);
    asm.inst(Inst { rd: A2, imm: 6, ..Inst::new(Op::Jal) });
    asm.sw(ZERO, MTVAL_IN_LAST_LOG, SP);
    asm.inst(Inst { rs1: ZERO, rs2: ZERO, imm: -6, ..Inst::new(Op::Beq) });
    asm.sw(ZERO, MTVAL_IN_LAST_LOG, SP);
    asm.inst(Inst { rs1: ZERO, rs2: ZERO, imm: 6, ..Inst::new(Op::Bne) });
    compare("jumps", &test.finish());
}

#[test]
fn csr_instructions_write_only_when_they_must() {
    if !qemu_is_there() {
        return;
    }
    let mut test = TestProgram::new(16);
    let asm = &mut test.asm;
    asm.li(A0, 0x0F0F_1234);
    asm.csrrw(A1, csr::MSCRATCH, A0);
    asm.csrrs(A2, csr::MSCRATCH, ZERO);
    asm.csrrc(A3, csr::MSCRATCH, A0);
    asm.csrrsi(A4, csr::MSCRATCH, 31);
    asm.csrrci(A5, csr::MSCRATCH, 1);
    asm.csrrwi(A6, csr::MSCRATCH, 0);
    asm.csrr(A7, csr::MSCRATCH);
    // Reading a read-only CSR is allowed in every form that does not write.
    asm.csrrs(S0, csr::MHARTID, ZERO);
    asm.csrrci(S3, csr::MHARTID, 0);
    asm.csrrs(S4, csr::MHARTID, A0);
    asm.csrrw(S5, csr::MHARTID, ZERO);
    asm.csrrwi(S6, csr::MHARTID, 0);
    // MIE, MPIE and the interrupt enables keep what is written to them.
    asm.li(T0, 0x888);
    asm.csrrw(S7, csr::MIE, T0);
    asm.csrrwi(S8, csr::MIE, 0);
    asm.li(T0, 0x80);
    asm.csrs(csr::MSTATUS, T0);
    asm.ecall();
    asm.csrr(S9, csr::MSTATUS);
    asm.andi(S9, S9, 0x88);
    compare("CSRs", &test.finish());
}

/// Raises `interrupt` while interrupts are disabled, enables them, and logs what the handler finds.
fn interrupt_program(interrupt: Interrupt, vectored: bool) -> Program {
    let mut test = TestProgram::new(4);
    let asm = &mut test.asm;
    let (vectors, end) = (asm.label("vectors"), asm.label("end"));
    let entries: Vec<_> = (0..12).map(|code| asm.label(format!("vector_{code}"))).collect();
    asm.la(T0, vectors);
    asm.ori(T0, T0, i32::from(vectored));
    asm.csrw(csr::MTVEC, T0);
    asm.li(T0, memory_map::CLINT_BASE as i32);
    if interrupt == Interrupt::Software {
        asm.li(T1, 1);
        asm.sw(T1, 0, T0);
    } else {
        // mtimecmp = 0: the time is past it.
        asm.li(T1, 0x4000);
        asm.add(T1, T0, T1);
        asm.sw(ZERO, 4, T1);
        asm.sw(ZERO, 0, T1);
    }
    asm.li(T1, interrupt.bit() as i32);
    asm.csrw(csr::MIE, T1);
    asm.csrrsi(ZERO, csr::MSTATUS, 8);
    asm.li(S3, 1);
    asm.li(S4, 2);
    asm.j(end);
    asm.align(64);
    asm.bind(vectors);
    for &entry in &entries {
        asm.j(entry);
    }
    for (code, &entry) in entries.iter().enumerate() {
        asm.bind(entry);
        asm.addi(S5, S5, 1 + code as i32);
        log_csrs(asm);
        asm.csrw(csr::MIE, ZERO);
        asm.mret();
    }
    asm.bind(end);
    test.finish()
}

#[test]
fn interrupts_are_taken_before_the_instruction_after_they_are_enabled() {
    if !qemu_is_there() {
        return;
    }
    for interrupt in [Interrupt::Software, Interrupt::Timer] {
        for vectored in [false, true] {
            compare(&format!("{interrupt:?}, vectored {vectored}"), &interrupt_program(interrupt, vectored));
        }
    }
}
