//! The static prediction, made from the instruction alone: jumps and branches that go back are taken, and returns go where the return stack
//! says.

use ferrite_hdl::prelude::*;

use super::Fetched;
use super::return_stack::{ReturnStack, ReturnStackIn};
use crate::core::commit;
use crate::core::config::CoreConfig;
use crate::core::decode::{self, BRANCH, JAL, JALR};

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
    let opcode = insn.slice(0, 7);
    let is = |code: u32| opcode.eq(code);
    let target = fetched.pc.wrapping_add(decode::offset(m, opcode, insn));
    // What jumps to a misaligned address traps, and needs that address.
    let aligned = |bit: u32| if config.extensions.c { m.constant(Bits::ones(1)) } else { !insn.bit(bit) };
    let taken = (is(JAL) & aligned(21)) | (is(BRANCH) & insn.msb() & aligned(8));
    if config.return_stack == 0 {
        return Guess { taken: taken & !fetched.error, target };
    }
    let stack = m.instance("returns", &ReturnStack { places: config.return_stack }).connect(returns);
    wire!(m, is_return = is(JALR) & commit::is_return(insn));
    Guess { taken: (taken | is_return) & !fetched.error, target: is_return.mux(stack.top, target) }
}
