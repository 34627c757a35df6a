//! Loads and stores that cross the border of a word, in two accesses (RISC-V Unprivileged 20240411, 2.6), where the core handles them.
//!
//! A misaligned access within a word is one access like any other. One that crosses stays in execute for some cycles more:
//!
//! | step | what happens |
//! |---|---|
//! | `Prepare` | protection judges the first word; the address of the second is kept |
//! | `first` | protection judges the second word, and the first is asked for |
//! | `waits` | the first is answered |
//! | `second` | the second is asked for, and the instruction goes on to commit |
//!
//! Nothing is asked for before protection has allowed both words, so that a store which it refuses changes nothing. What the bus refuses is known only once
//! it has answered: when it refuses the second word, the first has been written, as the specification allows (Privileged 20240411, 3.7.1).
//! `mtval` then holds the address of the part that was refused (3.1.16).

use ferrite_hdl::prelude::*;

use super::bus::Bus;
use super::config::{CoreConfig, Misaligned};
use super::execute::{self, Results};
use super::memory;
use super::pipeline::{Commit, Execute};

/// What is known of the access that is carried out in two.
#[derive(Clone, Copy)]
pub struct Split {
    /// The first word is asked for.
    first: UInt,
    /// It is to be answered.
    waits: UInt,
    /// The second word is asked for.
    second: UInt,
    /// The bus has refused the first word.
    failed: UInt,
    /// Address of the second word, without the two lowest bits.
    next_word: UInt,
    /// The first word.
    first_data: UInt,
    /// The access in commit has come to its second word.
    c_second: UInt,
}

/// What the instruction in execute asks of memory, if it is a load or store.
#[derive(Clone, Copy)]
pub struct Part {
    /// It consists of two accesses.
    crosses: UInt,
    /// An access may be asked for now.
    pub asks: UInt,
    /// That is not the last one.
    pub holds: UInt,
    /// Address of the word, without the two lowest bits.
    pub word: UInt,
    /// The bytes of the word.
    pub mask: UInt,
    /// A store's bytes at their place in the word.
    pub data: UInt,
}

impl Split {
    /// The registers, where misaligned accesses are handled.
    pub fn new(m: &Builder, config: &CoreConfig) -> Option<Split> {
        (config.misaligned == Misaligned::Handle).then(|| Split {
            first: m.reg("x_first", 1).reset_to(0),
            waits: m.reg("x_waits_for_first", 1).reset_to(0),
            second: m.reg("x_second", 1).reset_to(0),
            failed: m.reg("x_failed", 1).reset_to(0),
            next_word: m.reg("next_word", 30),
            first_data: m.reg("first_data", 32),
            c_second: m.reg("c_second", 1).reset_to(0),
        })
    }

    /// The address that protection judges.
    pub fn judged(&self, address: UInt) -> UInt {
        (self.first | self.second).mux(self.second_address(), address)
    }

    /// Nothing has refused the access so far.
    pub fn goes_well(&self) -> UInt {
        !self.failed
    }

    /// What the access asks for in this cycle.
    pub fn part(&self, m: &Builder, x: Execute<UInt>, results: &Results) -> Part {
        let low = execute::low_address(x);
        let funct3 = results.funct3;
        wire!(m, x_crosses = (funct3.bit(1) & low.any()) | (funct3.bit(0) & low.all()));
        let bytes = memory::width_mask(m, funct3).extend(8) << low;
        Part {
            crosses: x_crosses,
            asks: !x_crosses | self.first | self.second,
            holds: x_crosses & !self.second,
            word: self.second.mux(self.next_word, results.address.slice(2, 30)),
            mask: self.second.mux(bytes.slice(4, 4), bytes.slice(0, 4)),
            data: rotated(x.b, low),
        }
    }

    /// Goes from step to step while the instruction `acts` as a load or store, until it `leaves` execute.
    pub fn advance(
        &self,
        m: &Builder,
        part: &Part,
        results: &Results,
        acts: UInt,
        leaves: UInt,
        dbus: Bus<UInt>,
    ) {
        m.when(acts & part.crosses, || {
            m.when(self.first, || {
                m.when(dbus.ready, || {
                    self.first.set(0);
                    self.waits.set(1);
                });
            })
            .otherwise_when(self.waits, || {
                m.when(dbus.response.valid, || {
                    self.waits.set(0);
                    self.second.set(!dbus.response.error);
                    self.failed.set(dbus.response.error);
                    self.first_data.set(dbus.response.data);
                });
            })
            .otherwise_when(!self.second, || {
                self.first.set(1);
                self.next_word.set(results.address.slice(2, 30).wrapping_add(1));
            });
        });
        m.when(leaves, || {
            self.c_second.set(self.first | self.second);
            self.first.set(0);
            self.second.set(0);
            self.failed.set(0);
        });
    }

    /// The loaded bytes from the access's own address on.
    pub fn loaded(&self, m: &Builder, c: &Commit<UInt>, word: UInt) -> UInt {
        let low = self.c_second.mux(self.first_data, word);
        memory::shifted(m, c.address, word.concat(low)).slice(0, 32)
    }

    /// Address of what the access in commit came to last.
    pub fn reached(&self, c: &Commit<UInt>) -> UInt {
        self.c_second.mux(self.second_address(), c.address)
    }

    fn second_address(&self) -> UInt {
        self.next_word.extend(32) << 2
    }
}

/// The value turned by so many bytes: its lowest byte stands at `place`, and what does not fit into the word begins the next one.
fn rotated(value: UInt, place: UInt) -> UInt {
    let by = |value: UInt, bits: u32| value.slice(0, 32 - bits).concat(value.slice(32 - bits, bits));
    let halves = place.bit(1).mux(by(value, 16), value);
    place.bit(0).mux(by(halves, 8), halves)
}
