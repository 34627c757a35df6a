//! Counters that know that they are at their end.

use ferrite_hdl::prelude::*;

/// What is left of something. Whether it has come to its end is a register: compared when it is asked for, a counter of many bits
/// would be in the way of all that goes on at an end.
pub(crate) struct Countdown {
    /// What is left.
    pub left: UInt,
    /// It is at its end.
    pub done: UInt,
    end: u32,
}

impl Countdown {
    /// A counter that ends at `end`, 0 or 1.
    #[track_caller]
    pub fn new(m: &Builder, name: &str, width: u32, end: u32) -> Countdown {
        Countdown {
            left: m.reg(&format!("{name}_left"), width),
            done: m.reg(&format!("{name}_done"), 1),
            end,
        }
    }

    /// At its end after the reset.
    pub fn reset_done(self) -> Countdown {
        let Countdown { left, done, end } = self;
        Countdown { left: left.reset_to(end), done: done.reset_to(1), end }
    }

    /// As many as `count` are left.
    pub fn load(&self, count: UInt) {
        self.left.set(count);
        self.done.set(count.eq(self.end));
    }

    /// One less is left.
    pub fn step(&self) {
        self.left.set(self.left.wrapping_sub(1));
        self.done.set(self.left.eq(self.end + 1));
    }

    /// One less is left, or as many as `count` if it was at its end.
    pub fn turn(&self, count: UInt) {
        self.left.set(self.done.mux(count, self.left.wrapping_sub(1)));
        self.done.set(self.done.mux(count.eq(self.end), self.left.eq(self.end + 1)));
    }
}
