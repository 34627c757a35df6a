//! What holds of everything that words enter and leave in order.

use ferrite_hdl::library::Stream;
use ferrite_hdl::prelude::*;

/// Bits that count words.
const COUNT_BITS: u32 = 6;

/// Something with two ends.
#[derive(Clone, Debug)]
pub struct Ends {
    /// Where words enter.
    pub enq: Stream<UInt>,
    /// Where they leave.
    pub deq: Stream<UInt>,
    /// Words that it holds.
    pub capacity: u32,
    /// A word can leave in the cycle in which it enters.
    pub passes_through: bool,
}

/// Claims that no word is lost, made up, doubled, changed or overtaken. One word that enters while `mark` is high is watched: whichever the
/// solver likes.
pub fn claim_order(m: &Builder, ends: &Ends, mark: UInt) {
    let Ends { enq, deq, capacity, passes_through } = ends;
    let (enters, leaves) = (enq.fires(), deq.fires());
    let of = |name: &str, width| m.reg(name, width).reset_to(0);
    let (inside, marked, ahead) = (of("words_inside", COUNT_BITS), of("marked", 1), of("ahead", COUNT_BITS));
    let word = m.reg("word", enq.data.width());
    let count = |flag: UInt| flag.extend(COUNT_BITS);
    inside.set(inside.wrapping_add(count(enters)).wrapping_sub(count(leaves)));

    // The marked word, and the words that leave before it does.
    wire!(m, marks = enters & mark & !marked);
    wire!(m, passes = marks & inside.eq(0) & leaves);
    wire!(m, is_first = marked & ahead.eq(0));
    m.when(marks & !passes, || {
        marked.set(1);
        ahead.set(inside.wrapping_sub(count(leaves)));
        word.set(enq.data);
    })
    .otherwise_when(is_first & leaves, || marked.set(0))
    .otherwise_when(marked & leaves, || ahead.set(ahead.wrapping_sub(1)));

    let possible = if *passes_through { inside.any() | enq.valid } else { inside.any() };
    m.assert("nothing_is_made_up", !deq.valid | possible);
    m.assert("what_is_inside_is_offered", !inside.any() | deq.valid);
    m.assert("order_is_kept", !(is_first & deq.valid) | deq.data.eq(word));
    m.assert("what_passes_is_what_entered", !passes | deq.data.eq(enq.data));
    m.assert("takes_words_while_there_is_room", enq.ready.eq(inside.lt(*capacity)));
    m.assert("is_never_overfull", inside.le(*capacity));
    let waits = of("waits", 1);
    waits.set(deq.valid & !deq.ready);
    let before = m.delay("offered_before", deq.data);
    m.assert("offer_stays", !waits | (deq.valid & deq.data.eq(before)));
}
