//! Words in the order in which the program comes by, by which the branch target buffer finds its entries.

use ferrite_hdl::prelude::*;

use super::choose;
use super::config::{CoreConfig, Predictor};
use super::execute::Results;
use super::fetch::{Anew, Origin};
use super::pipeline::{Commit, Execute};

/// Where the instruction in commit stands in the program's course.
pub struct Trail {
    /// What came before the word in which it ends.
    pub origin: Origin<UInt>,
    /// What comes before the word behind it, should fetch begin anew there.
    pub anew: Anew<UInt>,
}

/// Follows the instructions from execute, which one of them `leaves` through commit. Fetch must see the same course, whether or not it guesses right.
pub fn follow(
    m: &Builder,
    config: &CoreConfig,
    (x, leaves): (Execute<UInt>, UInt),
    results: &Results,
    (c, c_valid): (Commit<UInt>, UInt),
) -> Trail {
    let zero = m.constant(Bits::zero(1));
    if !matches!(config.predictor, Predictor::Btb { .. }) {
        let origin = Origin::behind(c.pc.slice(2, 30), zero);
        return Trail { origin, anew: Anew { expected: zero, origin, same: zero } };
    }
    let (sequential_pc, jumps) = (results.sequential_pc, results.branch.taken);
    // Of the last instruction that came into commit.
    let origin = m.regs("trail_origin", Origin::shape());
    let is_broken = m.reg("trail_broken", 1);
    // Where the last one that was not broken ends, and how it is left.
    let last = m.regs("trail_last", Origin::shape());
    let word = |address: UInt| address.slice(2, 30);
    let broken = x.halves.eq(0);
    let (begins_upper, next_upper) = (x.pc.bit(1), sequential_pc.bit(1));
    wire!(m, x_is_split = begins_upper & next_upper & !broken);
    // What ends in the upper half of a word may have another before it there.
    let in_one = choose(begins_upper & !last.jumped, origin, last);
    m.when(leaves, || {
        m.connect(origin, choose(x_is_split, Origin::behind(word(x.pc), zero), in_one));
        is_broken.set(broken);
        m.when(!broken, || {
            m.connect(last, Origin::behind(x_is_split.mux(word(sequential_pc), word(x.pc)), jumps));
        });
    });
    wire!(m, stays = is_broken | (c.sequential_pc.bit(1) & !c.taken & !c.restarts));
    Trail {
        origin,
        anew: Anew {
            expected: c_valid & (c.restarts | c.mispredicted),
            origin: choose(stays, origin, last),
            same: is_broken,
        },
    }
}
