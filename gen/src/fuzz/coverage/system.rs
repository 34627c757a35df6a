//! Memory protection, and what else the specification says about modes.

use ferrite_model::isa::{Op, csr};
use ferrite_model::iss::{Privilege, cause};

use super::{Group, Observation, Past};
use crate::fuzz::Traits;

const MPRV: u32 = 1 << 17;
const TW: u32 = 1 << 21;
/// The PMP refuses: accesses by mode.
const ACCESSES: [(u32, &str); 3] =
    [(cause::INSTRUCTION_ACCESS, "fetch"), (cause::LOAD_ACCESS, "load"), (cause::STORE_ACCESS, "store")];
const WHO: [&str; 2] = ["machine mode", "user mode"];
const OTHERS: usize = ACCESSES.len() * WHO.len();

const LEAVES: usize = OTHERS;
const ENTERS: usize = OTHERS + 1;
const WAITS_IN_USER: usize = OTHERS + 2;
const MUST_NOT_WAIT: usize = OTHERS + 3;
const BORROWED: usize = OTHERS + 4;
const WAITS: usize = OTHERS + 5;
const FENCES: usize = OTHERS + 6;
const BUS_FETCH: usize = OTHERS + 7;
const BUS_LOAD: usize = OTHERS + 8;
const BUS_STORE: usize = OTHERS + 9;

/// What the PMP refuses; modes, waiting and the bus's errors.
pub fn protection(traits: &Traits) -> Group {
    let (protected, user) = (traits.core.pmp_regions > 0, traits.core.user_mode);
    let mut names = Vec::new();
    for (_, access) in ACCESSES {
        for (who, mode) in WHO.iter().enumerate() {
            let exists = protected && (user || who == 0);
            names.push(exists.then(|| format!("the PMP refuses {mode} a {access}")));
        }
    }
    let of_user = |text: &str| user.then(|| text.to_string());
    names.extend([
        of_user("mret goes to user mode"),
        of_user("a trap comes from user mode"),
        of_user("user mode waits for an interrupt"),
        of_user("wfi is refused to user mode"),
        of_user("machine mode loads or stores with the rights of user mode"),
    ]);
    let all = |text: &str| Some(text.to_string());
    names.extend([
        all("machine mode waits for an interrupt"),
        all("fence.i"),
        all("the bus refuses a fetch"),
        all("the bus refuses a load"),
        all("the bus refuses a store"),
    ]);
    Group::new("protection and modes", names)
}

pub fn observe_protection(group: &mut Group, _: &Traits, _: &Past, o: &Observation<'_>) {
    let retired = o.retired;
    let is_user = retired.privilege == Privilege::User;
    if let Some(trap) = retired.trap {
        let (refused, bus_fault) = match trap.cause {
            cause::INSTRUCTION_ACCESS => (o.iss.bus.can_fetch(trap.tval), BUS_FETCH),
            cause::LOAD_ACCESS => (o.iss.bus.can_access(trap.tval), BUS_LOAD),
            cause::STORE_ACCESS => (o.iss.bus.can_access(trap.tval), BUS_STORE),
            _ => (false, FENCES),
        };
        if let Some(kind) = ACCESSES.iter().position(|(cause, _)| *cause == trap.cause) {
            // A bus that answers was not asked: the PMP has refused.
            let place = if refused { WHO.len() * kind + usize::from(is_user) } else { bus_fault };
            group.hit(place);
        }
        group.hit_if(ENTERS, is_user);
        let is_wait = retired.inst.is_some_and(|inst| inst.op == Op::Wfi);
        group.hit_if(MUST_NOT_WAIT, is_wait && is_user);
        return;
    }
    let Some(inst) = retired.inst else { return };
    let status = o.iss.csr(csr::MSTATUS).unwrap_or(0);
    match inst.op {
        Op::Mret => group.hit_if(LEAVES, o.iss.privilege() == Privilege::User),
        Op::Wfi if is_user => group.hit_if(WAITS_IN_USER, status & TW == 0),
        Op::Wfi => group.hit(WAITS),
        Op::FenceI => group.hit(FENCES),
        _ => {
            let borrows = !is_user && status & MPRV != 0 && status >> 11 & 3 == 0;
            group.hit_if(BORROWED, borrows && retired.memory.is_some());
        }
    }
}
