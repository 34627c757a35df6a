//! The program that tries accesses, on the model and on the hardware: what is tried stands in a table, and is replaced there by how it ended.

use ferrite_model::isa::{Asm, csr, reg::*};
use ferrite_model::iss::memory_map::EXIT_BASE;

use super::region::{Entry, Shape, X};
use super::trial::{Access, Outcome, Trial};
use super::{MEMORY_BYTES, RAM};

/// The program with its table, in a range that user mode can execute and nothing else.
const PROGRAM: u32 = RAM + (512 << 10);
/// As large as where it begins.
const PROGRAM_BYTES: u32 = 512 << 10;
/// The table.
const TABLE: u32 = PROGRAM + 0x2000;
/// Bytes of a trial, and of an outcome.
const RECORD: u32 = 16;
/// RAM that it needs.
pub const RAM_BYTES: u32 = 1 << 20;

/// Bytes from one stub to the next.
const STUB: u32 = 16;

/// The entry that lets user mode execute the program. Machine mode may do everything there.
pub fn program_entry() -> Entry {
    let start = u64::from(PROGRAM);
    Entry::new(Shape::Napot, start..start + u64::from(PROGRAM_BYTES), X, false)
}

/// The instructions that try an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stub {
    /// The access itself.
    pub first: u32,
    /// What is reached if it is allowed.
    pub ecall: u32,
}

/// Those for an access.
pub fn stub(access: Access) -> Stub {
    let place = Access::ALL.iter().position(|known| *known == access).expect("one of them") as u32;
    let first = PROGRAM + STUB * place;
    // Stores are followed by a load.
    let instructions = if matches!(access, Access::Store { .. }) { 2 } else { 1 };
    Stub { first, ecall: first + 4 * instructions }
}

fn stubs(asm: &mut Asm) {
    for (place, access) in (0..).zip(Access::ALL) {
        asm.space(STUB * place - (asm.address() - PROGRAM));
        match access {
            Access::Load { bytes: 1, signed: true } => asm.lb(A2, 0, A1),
            Access::Load { bytes: 1, .. } => asm.lbu(A2, 0, A1),
            Access::Load { bytes: 2, signed: true } => asm.lh(A2, 0, A1),
            Access::Load { bytes: 2, .. } => asm.lhu(A2, 0, A1),
            Access::Load { .. } => asm.lw(A2, 0, A1),
            Access::Store { bytes: 1 } => {
                asm.sb(A0, 0, A1);
                asm.lb(A2, 0, A1);
            }
            Access::Store { bytes: 2 } => {
                asm.sh(A0, 0, A1);
                asm.lh(A2, 0, A1);
            }
            Access::Store { .. } => {
                asm.sw(A0, 0, A1);
                asm.lw(A2, 0, A1);
            }
            Access::Jump => asm.jr(A1),
        }
        asm.ecall();
    }
}

fn write(asm: &mut Asm, csr: u16, value: u32) {
    asm.li(T0, value as i32);
    asm.csrw(csr, T0);
}

fn configs(entries: &[Entry], config: impl Fn(&Entry) -> u8) -> Vec<u32> {
    let bytes: Vec<u8> = entries.iter().map(config).collect();
    let word = |four: &[u8]| four.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
    bytes.chunks(4).map(word).collect()
}

fn protect(asm: &mut Asm, entries: &[Entry]) {
    for (k, entry) in (0..).zip(entries) {
        write(asm, csr::PMPADDR0 + k, entry.address());
    }
    for (k, word) in (0..).zip(configs(entries, Entry::config)) {
        write(asm, csr::PMPCFG0 + k, word);
    }
    // What is locked must stay.
    for (k, entry) in (0..).zip(entries).filter(|(_, entry)| entry.locked) {
        write(asm, csr::PMPADDR0 + k, !entry.address());
        if let Some(below) = k.checked_sub(1).filter(|_| entry.shape == Shape::Tor) {
            write(asm, csr::PMPADDR0 + below, !entries[usize::from(below)].address());
        }
    }
    let unlocking = |entry: &Entry| if entry.locked { !entry.config() & 0x1F } else { entry.config() };
    for (k, word) in (0..).zip(configs(entries, unlocking)) {
        write(asm, csr::PMPCFG0 + k, word);
    }
}

/// What is put into the RAM: the first bytes of it, the program that protects memory by these entries, and the table.
///
/// # Panics
/// If there are more trials than the table can hold.
pub fn image(entries: &[Entry], trials: &[Trial], memory: &[u8]) -> Vec<(u32, Vec<u8>)> {
    assert!(TABLE + RECORD * trials.len() as u32 <= PROGRAM + PROGRAM_BYTES, "{} trials", trials.len());
    let mut asm = Asm::new(PROGRAM);
    stubs(&mut asm);
    let handler = asm.label("handler");
    let (next, done) = (asm.label("next"), asm.label("done"));
    asm.align(64);
    asm.here("start");
    asm.la(T0, handler);
    asm.csrw(csr::MTVEC, T0);
    protect(&mut asm, entries);
    asm.li(S0, TABLE as i32);
    asm.li(S1, (TABLE + RECORD * trials.len() as u32) as i32);
    asm.bind(next);
    asm.beq(S0, S1, done);
    asm.lw(T0, 0, S0);
    asm.lw(A1, 4, S0);
    asm.lw(T1, 8, S0);
    asm.lw(A0, 12, S0);
    asm.mv(A2, A0);
    asm.csrw(csr::MEPC, T0);
    asm.csrw(csr::MSTATUS, T1);
    asm.mret();
    asm.align(64);
    asm.bind(handler);
    for (place, csr) in [(0, csr::MCAUSE), (4, csr::MTVAL), (8, csr::MEPC)] {
        asm.csrr(T0, csr);
        asm.sw(T0, place, S0);
    }
    asm.sw(A2, 12, S0);
    asm.addi(S0, S0, RECORD as i32);
    asm.j(next);
    asm.bind(done);
    asm.li(T0, EXIT_BASE as i32);
    asm.li(T1, 0x5555);
    asm.sw(T1, 0, T0);
    let forever = asm.here("forever");
    asm.j(forever);
    let program = asm.finish().expect("a correct program");

    let record = |trial: &Trial| {
        let words = [stub(trial.access).first, trial.address, trial.mode.mstatus(), trial.data];
        words.map(u32::to_le_bytes).concat()
    };
    assert!(program.bytes.len() as u32 <= TABLE - PROGRAM, "the program lies below its table");
    vec![(RAM, memory.to_vec()), (PROGRAM, program.bytes), (TABLE, trials.iter().flat_map(record).collect())]
}

/// The jump to the program, with which the RAM begins.
pub fn boot() -> Vec<u8> {
    let mut asm = Asm::new(RAM);
    // The stubs come first, then the start.
    asm.li(T0, (PROGRAM + (STUB * Access::ALL.len() as u32).next_multiple_of(64)) as i32);
    asm.jr(T0);
    asm.finish().expect("a correct program").bytes
}

/// What a run leaves behind.
pub struct Left {
    /// How each trial ended.
    pub outcomes: Vec<Outcome>,
    /// The first bytes of the RAM.
    pub memory: Vec<u8>,
}

/// Reads that with a function that reads memory.
pub fn left(trials: usize, mut read: impl FnMut(u32, usize) -> Vec<u8>) -> Left {
    let table = read(TABLE, trials * RECORD as usize);
    let outcome = |record: &[u8]| {
        let mut words = record.chunks(4).map(|word| u32::from_le_bytes(word.try_into().expect("four bytes")));
        let mut word = || words.next().expect("four words");
        Outcome { cause: word(), value: word(), pc: word(), result: word() }
    };
    Left { outcomes: table.chunks(RECORD as usize).map(outcome).collect(), memory: read(RAM, MEMORY_BYTES) }
}
