//! Accesses to CSRs.

use ferrite_model::isa::csr;
use ferrite_model::iss::{Privilege, cause};

use super::{Group, Observation, Past};
use crate::fuzz::Traits;

/// Accesses that are refused, behind those of existing CSRs.
const REFUSED: [&str; 4] = [
    "a CSR that does not exist is refused",
    "a write to a read-only CSR is refused",
    "machine mode's CSR is refused to user mode",
    "a counter is refused to user mode",
];

/// First number of the counters that user mode may be given.
const FIRST_UNPRIVILEGED: u16 = csr::CYCLE;
/// Numbers from here on belong to machine mode.
const FIRST_READ_ONLY_OF_MACHINE: u16 = 0xF00;

fn is_read_only(number: u16) -> bool {
    number >> 10 == 3
}

fn is_unprivileged(number: u16) -> bool {
    (FIRST_UNPRIVILEGED..FIRST_READ_ONLY_OF_MACHINE).contains(&number)
}

/// Registers that come in rows: the first one's number in the CSRs and in its name, and what the name begins and ends with.
const ROWS: [(u16, u16, &str, &str); 6] = [
    (csr::MHPMEVENT3, 3, "mhpmevent", ""),
    (csr::PMPADDR0, 0, "pmpaddr", ""),
    (csr::MHPMCOUNTER3, 3, "mhpmcounter", ""),
    (csr::MHPMCOUNTER3H, 3, "mhpmcounter", "h"),
    (csr::HPMCOUNTER3, 3, "hpmcounter", ""),
    (csr::HPMCOUNTER3H, 3, "hpmcounter", "h"),
];

fn name(number: u16) -> String {
    if let Some(name) = csr::name(number) {
        return name.to_string();
    }
    let in_row = |(first, _, _, _): &&(u16, u16, &str, &str)| (*first..first + 32).contains(&number);
    match ROWS.iter().find(in_row) {
        Some((first, index, begin, end)) => format!("{begin}{}{end}", number - first + index),
        None => format!("{number:#05x}"),
    }
}

/// Every CSR, read, written, and read by user mode; and every reason why not.
pub fn accesses(traits: &Traits) -> Group {
    let mut names: Vec<Option<String>> = Vec::new();
    for &number in &traits.csrs {
        let text = name(number);
        names.push(Some(format!("{text} is read")));
        names.push((!is_read_only(number)).then(|| format!("{text} is written")));
    }
    let user = traits.core.user_mode;
    let counters = user && traits.core.counters;
    let exists = [true, true, user, counters];
    names.extend(REFUSED.iter().zip(exists).map(|(text, exists)| exists.then(|| text.to_string())));
    names.push(counters.then(|| "a counter is given to user mode".to_string()));
    Group::new("CSRs", names)
}

pub fn observe(group: &mut Group, traits: &Traits, _: &Past, o: &Observation<'_>) {
    let others = 2 * traits.csrs.len();
    if let Some(access) = o.retired.csr {
        let Ok(place) = traits.csrs.binary_search(&access.csr) else { return };
        let reads = o.retired.inst.is_some_and(|inst| inst.rd.number() != 0);
        group.hit_if(2 * place, reads);
        group.hit_if(2 * place + 1, access.written.is_some());
        let given = o.retired.privilege == Privilege::User && is_unprivileged(access.csr);
        group.hit_if(others + REFUSED.len(), given);
        return;
    }
    let Some(inst) = o.retired.inst.filter(|inst| inst.op.spec().mnemonic.starts_with("csr")) else { return };
    if o.retired.trap.is_none_or(|trap| trap.cause != cause::ILLEGAL_INSTRUCTION) {
        return;
    }
    let reason = match (traits.csrs.binary_search(&inst.csr).is_ok(), o.retired.privilege) {
        (false, _) => 0,
        (true, Privilege::Machine) => 1,
        (true, Privilege::User) if is_unprivileged(inst.csr) => 3,
        (true, Privilege::User) => 2,
    };
    group.hit(others + reason);
}
