//! Exceptions and interrupts, by mode.

use ferrite_model::isa::csr;
use ferrite_model::iss::{Interrupt, Privilege};

use super::{Group, Observation, Past};
use crate::fuzz::Traits;

/// Causes by their codes; those without a name cannot occur.
const CAUSES: [&str; 12] = [
    "instruction address misaligned",
    "instruction access fault",
    "illegal instruction",
    "breakpoint",
    "load address misaligned",
    "load access fault",
    "store address misaligned",
    "store access fault",
    "ecall from U",
    "",
    "",
    "ecall from M",
];
const MODES: [(Privilege, &str); 2] = [(Privilege::Machine, "M"), (Privilege::User, "U")];

fn mode_exists(traits: &Traits, mode: Privilege) -> bool {
    mode == Privilege::Machine || traits.core.user_mode
}

fn place_of(mode: Privilege) -> usize {
    usize::from(mode == Privilege::User)
}

/// Every exception in every mode.
pub fn exceptions(traits: &Traits) -> Group {
    let names = CAUSES.iter().enumerate().flat_map(|(code, name)| {
        MODES.map(|(mode, letter)| {
            let of_mode = match code {
                8 => mode == Privilege::User,
                11 => mode == Privilege::Machine,
                0 => !traits.has_halves(),
                4 | 6 => !traits.handles_misaligned(),
                _ => !name.is_empty(),
            };
            (of_mode && mode_exists(traits, mode)).then(|| format!("{name}, in mode {letter}"))
        })
    });
    Group::new("exceptions", names.collect())
}

pub fn observe_exception(group: &mut Group, _: &Traits, _: &Past, o: &Observation<'_>) {
    if let Some(trap) = o.retired.trap {
        group.hit(2 * trap.cause as usize + place_of(o.retired.privilege));
    }
}

/// Every interrupt in every mode, through both kinds of vector.
pub fn interrupts(traits: &Traits) -> Group {
    let mut names = Vec::new();
    for interrupt in Interrupt::BY_PRIORITY {
        for (mode, letter) in MODES {
            for vector in ["direct", "vectored"] {
                let exists = mode_exists(traits, mode);
                names.push(
                    exists.then(|| format!("{interrupt:?}, in mode {letter}, {vector}").to_lowercase()),
                );
            }
        }
    }
    Group::new("interrupts", names)
}

pub fn observe_interrupt(group: &mut Group, _: &Traits, _: &Past, o: &Observation<'_>) {
    let Some(interrupt) = o.retired.interrupt else { return };
    let rank = Interrupt::BY_PRIORITY.iter().position(|other| *other == interrupt).unwrap_or(0);
    let is_vectored = o.iss.csr(csr::MTVEC).is_some_and(|mtvec| mtvec & 1 == 1);
    group.hit(4 * rank + 2 * place_of(o.mode) + usize::from(is_vectored));
}
