//! The counters of cycles, instructions and events (RISC-V Privileged 20240411, 3.1.10 to 3.1.12).

use ferrite_hdl::prelude::*;

use super::super::config::CoreConfig;
use super::WriteBus;
use super::numbers::*;
use super::read::Readable;

/// What `mhpmcounter3` and following can count; the number is the event's bit in `mhpmevent3` and following.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A jump, or a branch that is taken.
    Taken = 0,
    /// A jump or branch that went elsewhere than fetch had guessed.
    Mispredicted = 1,
    /// A cycle in which an instruction waits for the result of a load before it.
    LoadUseWait = 2,
    /// A cycle in which a load or store waits for the data bus.
    DataBusWait = 3,
    /// A cycle in which the pipeline waits for an instruction.
    FetchWait = 4,
    /// A cycle in which a multiplication or division is waited for.
    MultiplyDivideWait = 5,
    /// An exception is taken.
    Exception = 6,
    /// An interrupt is taken.
    Interrupt = 7,
    /// A cycle in which an instruction waits for a CSR instruction, `fence.i` or `mret` before it to take effect.
    SystemWait = 8,
}

/// How many events there are.
pub const EVENTS: u32 = 9;

/// The counters.
pub struct Counters {
    /// `mcounteren`.
    pub allowed: UInt,
    /// `mcountinhibit`.
    pub inhibited: UInt,
    /// `minstret`.
    pub minstret: UInt,
    /// How they read.
    pub readables: Vec<Readable>,
}

/// All counters that are configured.
pub fn counters(m: &Builder, config: &CoreConfig, write: &WriteBus, retires: UInt, events: UInt) -> Counters {
    let zero = m.constant(Bits::zero(32));
    let counting = counting(config);
    let mut counters =
        Counters { allowed: zero, inhibited: zero, minstret: zero.extend(64), readables: Vec::new() };
    if counting.is_empty() {
        return counters;
    }
    if config.user_mode {
        counters.allowed = bit_for_each(m, "mcounteren", &counting, write, MCOUNTEREN);
        counters.readables.push(Readable::narrow([MCOUNTEREN], counters.allowed));
    }
    counters.inhibited = bit_for_each(m, "mcountinhibit", &counting, write, MCOUNTINHIBIT);
    counters.readables.push(Readable::narrow([MCOUNTINHIBIT], counters.inhibited));

    let selectors = event_selectors(m, config, write, events);
    for (selector, csr) in selectors.iter().zip(MHPMEVENT + FIRST_EVENT..) {
        counters.readables.push(Readable::narrow([csr], selector.value.extend(32)));
    }
    for index in counting {
        let counts = match index {
            CYCLES => m.constant(Bits::ones(1)),
            INSTRUCTIONS => retires,
            event => selectors[(event - FIRST_EVENT) as usize].happens,
        };
        let (low, high) = counter(m, index, write, counts & !counters.inhibited.bit(index));
        let numbers = |machine: u32, user: u32| match config.user_mode {
            true => vec![machine + index, user + index],
            false => vec![machine + index],
        };
        counters.readables.push(Readable::wide(numbers(MCOUNTER, COUNTER), low));
        counters.readables.push(Readable::wide(numbers(MCOUNTERH, COUNTERH), high));
        if index == INSTRUCTIONS {
            counters.minstret = high.concat(low);
        }
    }
    counters
}

/// What a counter of events counts.
struct Selector {
    /// `mhpmevent`: a bit for each event.
    value: UInt,
    /// One of these events happens.
    happens: UInt,
}

/// `mhpmevent3` and following.
fn event_selectors(m: &Builder, config: &CoreConfig, write: &WriteBus, events: UInt) -> Vec<Selector> {
    if config.event_counters == 0 {
        return Vec::new();
    }
    // Events come late in a cycle; that they count in the next one does not show.
    let happened = m.delay("events_q", events);
    let registers = (FIRST_EVENT..).take(config.event_counters as usize);
    let selectors = registers.map(|index| {
        let value = m.reg(&format!("mhpmevent{index}"), EVENTS).reset_to(0);
        m.when(write.to(MHPMEVENT + index), || value.set(write.value.slice(0, EVENTS)));
        Selector { value, happens: (value & happened).any() }
    });
    selectors.collect()
}

/// A CSR with a bit for each counter.
fn bit_for_each(m: &Builder, name: &str, counting: &[u32], write: &WriteBus, csr: u32) -> UInt {
    let written = write.to(csr);
    let bits = (0..32).map(|index| {
        if !counting.contains(&index) {
            return m.constant(Bits::zero(1));
        }
        let bit = m.reg(&format!("{name}_{index}"), 1).reset_to(0);
        m.when(written, || bit.set(write.value.bit(index)));
        bit
    });
    concat(bits.collect::<Vec<_>>().into_iter().rev())
}

/// The halves of a counter. One that is written does not count in that cycle: the next instruction reads what was written
/// (Privileged 20240411, 3.1.10).
fn counter(m: &Builder, index: u32, write: &WriteBus, counts: UInt) -> (UInt, UInt) {
    let name = match index {
        CYCLES => "mcycle".to_string(),
        INSTRUCTIONS => "minstret".to_string(),
        _ => format!("mhpmcounter{index}"),
    };
    let low = m.reg(&name, 32).reset_to(0);
    let high = m.reg(&format!("{name}h"), 32).reset_to(0);
    let next = m.node(&format!("{name}_next"), high.concat(low).wrapping_add(1));
    let low_written = m.node(&format!("{name}_written"), write.to(MCOUNTER + index));
    let high_written = m.node(&format!("{name}h_written"), write.to(MCOUNTERH + index));
    m.when(low_written, || low.set(write.value))
        .otherwise_when(counts & !high_written, || low.set(next.slice(0, 32)));
    m.when(high_written, || high.set(write.value))
        .otherwise_when(counts & !low_written, || high.set(next.slice(32, 32)));
    (low, high)
}
