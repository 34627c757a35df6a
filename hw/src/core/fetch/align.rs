//! Cutting words into instructions, of which compressed ones are expanded (RISC-V Unprivileged 20240411, chapter 27).

use ferrite_hdl::prelude::*;

use super::request::{Words, counts_words};
use super::{Fetched, Prediction, Redirect, sequential};
use crate::core::choose;
use crate::core::config::CoreConfig;
use crate::core::expand::{Expand, ExpandIn};

/// An instruction on offer.
pub struct Aligned {
    /// There is one.
    pub valid: UInt,
    /// The instruction. Its address is known even when there is none yet.
    pub fetched: Fetched<UInt>,
    /// What the instruction is if it is a compressed one, which is known late, and whether it is one. Else `fetched` knows it in time.
    pub expanded: Option<Expanded>,
}

/// A compressed instruction.
#[derive(Clone, Copy)]
pub struct Expanded {
    /// There is one.
    pub valid: UInt,
    /// Expanded.
    pub insn: UInt,
    /// The instruction if it is none.
    pub long: UInt,
}

/// Offers the instruction at the front of the words and, when it is `ready` to go, takes it away.
pub fn instructions(
    m: &Builder,
    config: &CoreConfig,
    words: Words,
    redirect: Redirect<UInt>,
    ready: UInt,
) -> Aligned {
    if counts_words(config) {
        let cut = words_only(m, &words, words.first_pc);
        words.pop.set(cut.valid & ready);
        words.pop_target.set(0);
        return Aligned { valid: cut.valid, fetched: cut.fetched, expanded: None };
    }
    let pc = m.reg("pc", 32).reset_to(config.reset_vector);
    // A branch that is predicted to be taken ended in the lower half of what was the second word: the rest of that goes too.
    let drops = m.reg("drops", 1).reset_to(0);
    let cut = if config.extensions.c { compressed(m, &words, pc) } else { words_only(m, &words, pc) };
    wire!(m, offers = cut.valid & !drops);
    wire!(m, goes = offers & ready);
    let taken = cut.fetched.prediction.taken;
    words.pop.set(words.first_valid & (drops | (ready & cut.pops)));
    words.pop_target.set(goes & taken);
    m.when(redirect.valid | words.first_valid, || {
        drops.set(!redirect.valid & goes & cut.reaches_second & taken)
    });
    m.when(redirect.valid, || pc.set(redirect.target))
        .otherwise_when(goes, || pc.set(taken.mux(words.target, sequential(m, pc, cut.fetched.halves))));
    Aligned { valid: offers, fetched: cut.fetched, expanded: cut.expanded }
}

/// An instruction, and what it uses up.
struct Cut {
    valid: UInt,
    fetched: Fetched<UInt>,
    /// See [`Aligned`].
    expanded: Option<Expanded>,
    /// If there is a first word: the instruction is there, and is the last of it.
    pops: UInt,
    /// It ends in the second word.
    reaches_second: UInt,
}

/// Every word is an instruction.
fn words_only(m: &Builder, words: &Words, pc: UInt) -> Cut {
    let zero = m.constant(Bits::zero(1));
    let word = words.first;
    let fetched = Fetched {
        pc,
        halves: m.constant(Bits::from_u64(2, 2)),
        insn: word.data,
        raw: word.data,
        error: word.error,
        error_in_second_half: zero,
        broken: zero,
        prediction: Prediction {
            hit: word.prediction.hit,
            counter: word.prediction.counter,
            taken: word.prediction.taken,
            history: word.prediction.history,
        },
    };
    let always = m.constant(Bits::from_bool(true));
    Cut { valid: words.first_valid, fetched, expanded: None, pops: always, reaches_second: zero }
}

/// An instruction begins at any half word.
fn compressed(m: &Builder, words: &Words, pc: UInt) -> Cut {
    let (first, second) = (words.first, words.second);
    wire!(m, upper = pc.bit(1));
    wire!(m, half = upper.mux(first.data.slice(16, 16), first.data.slice(0, 16)));
    wire!(m, is_long = upper.mux(first.long_upper, first.long_lower));
    wire!(m, needs_second = upper & first.long_upper & !first.error);

    // A prediction leads away behind the half word in which a branch ended when the program last came by. The program may have changed
    // since; then that half word may not be an instruction's end.
    let leaves_first = first.prediction.taken;
    let broken = leaves_first & is_long & first.prediction.upper.eq(upper) & !first.error;
    wire!(m, is_broken = broken);
    let ends_upper = !upper & is_long | upper & !is_long;
    let of_first = !needs_second & first.prediction.upper.eq(ends_upper);
    let of_second = needs_second & !second.prediction.upper;
    let hit = (of_first & first.prediction.hit) | (of_second & second.prediction.hit);
    let taken = ((of_first & leaves_first) | (of_second & second.prediction.taken)) & !is_broken;
    wire!(m, taken = taken);

    wire!(m, long = upper.mux(second.data.slice(0, 16), first.data.slice(16, 16)).concat(half));
    let expanded = m.instance("expand", &Expand {}).connect(ExpandIn { half });
    let fetched = Fetched {
        pc,
        halves: (is_long & !is_broken).concat(!is_long),
        insn: is_long.mux(long, expanded.insn),
        raw: is_long.mux(long.slice(16, 16), 0).concat(half),
        error: first.error | (needs_second & !is_broken & second.error),
        error_in_second_half: !first.error,
        broken: is_broken,
        prediction: Prediction {
            hit,
            counter: needs_second.mux(second.prediction.counter, first.prediction.counter),
            taken,
            history: choose(needs_second, second.prediction.history, first.prediction.history),
        },
    };
    // The words behind a broken instruction are not its own.
    let valid = words.first_valid & (!needs_second | words.second_valid | is_broken);
    // The same for either half, since `pops` is asked for soon.
    let lower_pops = first.long_lower | (leaves_first & !first.prediction.upper);
    let upper_pops =
        !first.long_upper | first.error | words.second_valid | (leaves_first & first.prediction.upper);
    let pops = upper.mux(upper_pops, lower_pops);
    let expanded = Expanded { valid: !is_long, insn: expanded.insn, long };
    Cut { valid, fetched, expanded: Some(expanded), pops, reaches_second: needs_second }
}
