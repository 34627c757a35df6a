//! The static prediction, made from the instruction alone: jumps and branches that go back are taken, and returns go where the return stack
//! says.

use ferrite_hdl::prelude::*;

use super::Fetched;
use super::return_stack::{ReturnStack, ReturnStackIn};
use crate::core::commit;
use crate::core::config::CoreConfig;

/// Opcode of `jal`.
const JAL: u32 = 0b110_1111;
/// Opcode of `jalr`.
const JALR: u32 = 0b110_0111;
/// Opcode of branches.
const BRANCH: u32 = 0b110_0011;

/// Where fetch goes on behind an instruction.
pub struct Guess {
    /// At `target`.
    pub taken: UInt,
    /// Of a direct jump or branch the only one there is; of a return, the likely one.
    pub target: UInt,
}

/// Where fetch goes on behind the instruction that alignment offers.
pub fn guess(
    m: &Builder,
    config: &CoreConfig,
    fetched: &Fetched<UInt>,
    returns: ReturnStackIn<UInt>,
) -> Guess {
    let insn = fetched.insn;
    let is = |opcode: u32| insn.slice(0, 7).eq(opcode);
    let (sign, zero) = (insn.bit(31), m.constant(Bits::zero(1)));
    wire!(m, jumps = is(JAL));
    // The immediates of both formats (Unprivileged 20240411, 2.3), which share bits 31:20 and 10:5.
    let offset = concat([
        sign.repeat(12),
        jumps.mux(insn.slice(12, 8), sign.repeat(8)),
        jumps.mux(insn.bit(20), insn.bit(7)),
        insn.slice(25, 6),
        jumps.mux(insn.slice(21, 4), insn.slice(8, 4)),
        zero,
    ]);
    let target = fetched.pc.wrapping_add(offset);
    let taken = jumps | (is(BRANCH) & sign);
    if config.return_stack == 0 {
        return Guess { taken: taken & !fetched.error, target };
    }
    let stack = m.instance("returns", &ReturnStack { places: config.return_stack }).connect(returns);
    wire!(m, is_return = is(JALR) & commit::is_return(insn));
    Guess { taken: (taken | is_return) & !fetched.error, target: is_return.mux(stack.top, target) }
}
