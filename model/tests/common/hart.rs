//! A hart with a short program, for tests of single steps.

#![allow(dead_code)] // Every test crate uses a part of it.

use ferrite_model::isa::{Asm, csr, reg::*};
use ferrite_model::iss::{HartConfig, Iss, Machine, MachineConfig, Retired, memory_map};

/// Where the program starts.
pub const BASE: u32 = memory_map::RAM_BASE;
/// Bytes of RAM.
pub const RAM_BYTES: u32 = 64 << 10;
/// `mstatus.MPP`.
pub const MPP: i32 = 3 << 11;
/// Far more steps than a program here takes.
const PATIENCE: u32 = 1000;

/// A hart of this configuration that starts with the program. Compressed instructions may be written if it has them.
pub fn hart(config: HartConfig, write: impl FnOnce(&mut Asm)) -> Iss<Machine> {
    let mut asm = if config.c { Asm::with_compressed(BASE) } else { Asm::new(BASE) };
    write(&mut asm);
    let program = asm.finish().expect("a correct program");
    let mut machine =
        Machine::new(MachineConfig { ram_bytes: RAM_BYTES, external_bytes: 0, ..MachineConfig::default() });
    machine.write_memory(program.base, &program.bytes).expect("fits the RAM");
    Iss::new(machine, HartConfig { reset_pc: BASE, ..config })
}

/// Goes on in user mode with the next instruction; overwrites `t5` and `t6`.
pub fn enter_user_mode(asm: &mut Asm) {
    let user = asm.local();
    asm.la(T6, user);
    asm.csrw(csr::MEPC, T6);
    asm.li(T5, MPP);
    asm.csrc(csr::MSTATUS, T5);
    asm.mret();
    asm.bind(user);
}

/// Executes up to the first trap.
pub fn run_to_trap(iss: &mut Iss<Machine>) -> Retired {
    (0..PATIENCE).map(|_| iss.step()).find(|retired| retired.trap.is_some()).expect("a trap")
}
