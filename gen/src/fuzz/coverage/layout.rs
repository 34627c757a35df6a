//! How instructions and data lie in words.

use ferrite_model::isa::Op;
use ferrite_model::iss::{Trap, cause};

use super::{Group, Observation, Past, bytes};
use crate::fuzz::Traits;

/// Length and place, by the bits that tell them apart.
const PLACES: [&str; 4] = [
    "32 bits in a word",
    "32 bits across two words",
    "16 bits in the lower half",
    "16 bits in the upper half",
];
const WAYS: [&str; 3] = ["on its own", "jumped to", "behind an instruction of the other length"];
const SECOND_HALF_FAULTS: usize = PLACES.len() * WAYS.len();

/// How instructions lie.
pub fn instructions(traits: &Traits) -> Group {
    let halves = traits.has_halves();
    let exists = |place: usize, way: usize| halves || (place == 0 && way < 2);
    let mut names = Vec::new();
    for (place, text) in PLACES.iter().enumerate() {
        for (way, how) in WAYS.iter().enumerate() {
            names.push(exists(place, way).then(|| format!("{text}, {how}")));
        }
    }
    names.push(halves.then(|| "32 bits across two words, of which only the second is refused".to_string()));
    Group::new("layout of instructions", names)
}

pub fn observe_instruction(group: &mut Group, _: &Traits, past: &Past, o: &Observation<'_>) {
    let retired = o.retired;
    if let Some(trap) = retired.trap.filter(|trap| trap.cause == cause::INSTRUCTION_ACCESS) {
        group.hit_if(SECOND_HALF_FAULTS, trap.tval != retired.pc);
        return;
    }
    let is_narrow = bytes(retired) == 2;
    let place = 2 * usize::from(is_narrow) + usize::from(retired.pc & 2 != 0);
    let way = match past.last() {
        Some(last) if last.next_pc != last.pc.wrapping_add(last.bytes) => 1,
        Some(last) if last.bytes != bytes(retired) => 2,
        _ => 0,
    };
    group.hit(place * WAYS.len() + way);
}

const ACCESSES: [(Op, u32); 8] = [
    (Op::Lb, 1),
    (Op::Lbu, 1),
    (Op::Lh, 2),
    (Op::Lhu, 2),
    (Op::Lw, 4),
    (Op::Sb, 1),
    (Op::Sh, 2),
    (Op::Sw, 4),
];

/// Every load and store at every place in a word, and of those that cross its border, the refusal of each part.
pub fn accesses(traits: &Traits) -> Group {
    let at = ACCESSES.iter().flat_map(|(op, _)| {
        (0..4).map(move |offset| Some(format!("{} at byte {offset} of a word", op.spec().mnemonic)))
    });
    let refused = ACCESSES.iter().flat_map(|(op, width)| {
        let crosses = *width > 1 && traits.handles_misaligned();
        ["first", "second"].map(|part| {
            crosses
                .then(|| format!("{} across two words, the {part} of which is refused", op.spec().mnemonic))
        })
    });
    Group::new("accesses", at.chain(refused).collect())
}

/// Also those that trap, as misaligned ones may.
pub fn observe_access(group: &mut Group, _: &Traits, _: &Past, o: &Observation<'_>) {
    let Some(inst) = o.retired.inst else { return };
    let Some(op) = ACCESSES.iter().position(|(op, _)| *op == inst.op) else { return };
    let address = o.retired.rs_values.0.wrapping_add_signed(inst.imm);
    group.hit(4 * op + (address & 3) as usize);
    let width = ACCESSES[op].1;
    let access_fault = |trap: &Trap| matches!(trap.cause, cause::LOAD_ACCESS | cause::STORE_ACCESS);
    if let Some(trap) = o.retired.trap.filter(access_fault)
        && (address & 3) + width > 4
    {
        group.hit(4 * ACCESSES.len() + 2 * op + usize::from(trap.tval != address));
    }
}
