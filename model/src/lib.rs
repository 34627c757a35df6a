//! Golden models of the Ferrite chip, written from the specifications and sharing no code with the hardware.
//!
//! * [`isa`]: one instruction table; decoder, disassembler and assembler derive from it.
//! * [`iss`]: an instruction-set simulator of one hart and the devices around it.
//! * [`lockstep`]: compares a core's RVFI port with the simulator, instruction by instruction.
//! * [`mod@unit`]: what the tensor unit computes (`docs/tensor-unit.md`, `docs/commands.md`).
//! * [`kernels`]: TensorFlow Lite's reference arithmetic for int8 networks.
//!
//! ```
//! use ferrite_model::isa::{Asm, reg::*};
//! use ferrite_model::iss::{Exit, HartConfig, Iss, Machine, MachineConfig, memory_map};
//!
//! let mut asm = Asm::new(memory_map::RAM_BASE);
//! asm.li(T0, memory_map::EXIT_BASE as i32);
//! asm.li(T1, 0x5555);
//! asm.sw(T1, 0, T0);
//! let program = asm.finish()?;
//!
//! let mut machine = Machine::new(MachineConfig::default());
//! machine.write_memory(program.base, &program.bytes)?;
//! let mut iss = Iss::new(machine, HartConfig::default());
//! assert_eq!(iss.run(100), Exit::Code(0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod isa;
pub mod iss;
pub mod kernels;
pub mod lockstep;
pub mod unit;
