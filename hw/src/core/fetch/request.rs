//! Asking for words, and keeping those that alignment has not taken yet.

use ferrite_hdl::prelude::*;

use super::btb::{Btb, BtbIn, BtbUpdate, Origin};
use super::gshare::{self, Gshare, GshareIn};
use super::return_stack::ReturnStack;
use super::{FetchIn, history_shape, is_registered};
use crate::core::choose;
use crate::core::config::{CoreConfig, Predictor};

/// What was known about a word when it was asked for.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct WordPrediction<T> {
    /// The branch target buffer has an entry for an instruction that ends in it.
    pub hit: T,
    /// That instruction ends in the upper half.
    pub upper: T,
    /// The entry's counter, or the one that the history chooses.
    pub counter: T,
    /// Fetch went on at the entry's target.
    pub taken: T,
    /// That history, where there is one.
    pub history: Option<T>,
}

impl WordPrediction<Shape> {
    fn shape(history: Option<Shape>) -> WordPrediction<Shape> {
        WordPrediction { hit: bit(), upper: bit(), counter: bits(2), taken: bit(), history }
    }
}

/// A fetched word.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Word<T> {
    /// The word.
    pub data: T,
    /// What begins in its lower half is a long instruction.
    pub long_lower: T,
    /// What begins in its upper half is.
    pub long_upper: T,
    /// Nothing could be fetched there.
    pub error: T,
    /// What was predicted.
    pub prediction: WordPrediction<T>,
}

impl Word<Shape> {
    fn shape(history: Option<Shape>) -> Word<Shape> {
        Word {
            data: bits(32),
            long_lower: bit(),
            long_upper: bit(),
            error: bit(),
            prediction: WordPrediction::shape(history),
        }
    }
}

/// The words that are there, in the program's predicted order.
pub struct Words {
    /// Address of the first, in the core that [`counts_words`].
    pub first_pc: UInt,
    /// There is a word.
    pub first_valid: UInt,
    /// The first.
    pub first: Word<UInt>,
    /// There is another.
    pub second_valid: UInt,
    /// The second.
    pub second: Word<UInt>,
    /// The target of the first word among them that is predicted to be left.
    pub target: UInt,
    /// Alignment is through with the first word. To be driven.
    pub pop: UInt,
    /// Alignment went to `target`. To be driven.
    pub pop_target: UInt,
}

/// The words, and the address that is asked for.
///
/// Straight on, or where the branch target buffer leads. Up to three words are kept (two without compressed instructions).
pub fn words(m: &Builder, config: &CoreConfig, i: &FetchIn<UInt>) -> (Words, UInt) {
    let FetchIn { bus, redirect, .. } = *i;
    let reset = config.reset_vector;
    let word_pc = m.reg("word_pc", 30).reset_to(reset >> 2);
    // Where in its word fetch begins, after a jump to the upper half.
    let begins_upper = m.reg("begins_upper", 1).reset_to(reset >> 1 & 1);
    let outstanding = m.reg("outstanding", 1).reset_to(0);
    let discard = m.reg("discard", 1).reset_to(0);
    let retarget = m.reg("retarget", 1).reset_to(0);
    let retarget_pc = m.reg("retarget_pc", 32);
    let depth = if config.extensions.c { 3 } else { 2 };
    let kept_valid: Vec<UInt> =
        (0..depth).map(|k| m.reg(&format!("kept_valid_{k}"), 1).reset_to(0)).collect();
    let kept: Vec<Word<UInt>> =
        (0..depth).map(|k| m.regs(&format!("kept_{k}"), Word::shape(history_shape(config)))).collect();
    let asked = m.regs("asked", WordPrediction::shape(history_shape(config)));
    let denied = m.reg("denied", 1).reset_to(0);
    let pop = m.wire("pop", 1);
    let pop_target = m.wire("pop_target", 1);

    // Room is judged as if alignment left the words of this cycle, which keeps `pop` off the path to the bus.
    wire!(m, answered = bus.response.valid | denied);
    wire!(m, room = !kept_valid[depth - 1] & !(kept_valid[depth - 2] & outstanding));
    wire!(m, asks = room & (!outstanding | answered));
    let allowed = allowed(m, config, i, asks);
    wire!(m, accepted = asks & (bus.ready | !allowed));
    let zeros = m.constant(Bits::zero(2));
    let address = word_pc.concat(zeros);
    bus.request.valid.set(asks & allowed);
    bus.request.addr.set(address);
    bus.request.write.set(0);
    bus.request.wdata.set(0);
    bus.request.mask.set(0b1111);

    let stale = redirect.valid | retarget;
    let place = Place {
        word_pc,
        begins_upper,
        goes: accepted & !stale,
        moves: redirect.valid | (accepted & !retarget),
    };
    let (prediction, target) = predict(m, config, i, place);
    let leaves = prediction.taken;
    // A request that waits for `ready` must not change: where to go instead is kept, and its response will be discarded. A redirect is
    // known late, so all else is chosen first.
    wire!(m, may_change = accepted | !asks);
    let straight_on = word_pc.wrapping_add(1).concat(m.constant(Bits::zero(1)));
    let predicted = leaves.mux(target.slice(1, 31), straight_on);
    wire!(m, onwards = retarget.mux(retarget_pc.slice(1, 31), predicted));
    let next = redirect.valid.mux(redirect.target.slice(1, 31), onwards);
    m.when(may_change & (redirect.valid | accepted), || {
        word_pc.set(next.slice(1, 30));
        begins_upper.set(next.bit(0));
    });
    m.when(redirect.valid & !may_change, || retarget_pc.set(redirect.target));
    retarget.set(!may_change & (redirect.valid | retarget));
    m.when(accepted, || {
        outstanding.set(1);
        denied.set(!allowed);
        m.connect(asked, prediction);
        discard.set(stale);
    })
    .otherwise_when(answered, || {
        outstanding.set(0);
        denied.set(0);
        discard.set(0);
    })
    .otherwise_when(redirect.valid, || discard.set(outstanding));

    wire!(m, arrives = outstanding & answered & !discard);
    let data = bus.response.data;
    let arriving = Word {
        data,
        long_lower: data.slice(0, 2).all(),
        long_upper: data.slice(16, 2).all(),
        error: denied | bus.response.error,
        prediction: asked,
    };

    // The words that are there are the kept ones and then the arriving one; `pop` takes the first away.
    let never = m.constant(Bits::zero(1));
    let kept_behind = |k: usize| kept_valid.get(k + 1).copied().unwrap_or(never);
    let there_valid = |k: usize| match k {
        0 => kept_valid[0] | arrives,
        k => kept_valid[k] | (kept_valid[k - 1] & arrives),
    };
    for k in 0..depth {
        let behind = if k + 1 < depth { there_valid(k + 1) } else { never };
        kept_valid[k].set(!redirect.valid & pop.mux(behind, there_valid(k)));
        m.when(pop | !kept_valid[k], || {
            let behind = kept.get(k + 1).copied().unwrap_or(arriving);
            m.connect(kept[k], choose(kept_behind(k), behind, arriving));
        });
    }

    let target = targets(m, config, redirect.valid, (accepted & leaves, !retarget), target, pop_target);
    let words = Words {
        first_pc: first_pc(m, word_pc, &kept_valid, outstanding & !discard),
        first_valid: there_valid(0),
        first: choose(kept_valid[0], kept[0], arriving),
        second_valid: there_valid(1),
        second: choose(kept_valid[1], kept[1], arriving),
        target,
        pop,
        pop_target,
    };
    (words, address)
}

/// Whether words follow one another in memory from the first one that is there to the one that is asked for next, and each is an instruction: then no register
/// is needed for the address of the first.
pub fn counts_words(config: &CoreConfig) -> bool {
    !config.extensions.c && (config.predictor == Predictor::None || config.guesses_direct_targets())
}

/// The address of the first word that is there or, if none is, on its way: the next one that is asked for is at `word_pc`.
fn first_pc(m: &Builder, word_pc: UInt, kept_valid: &[UInt], on_its_way: UInt) -> UInt {
    let (one, another) = (kept_valid[0], kept_valid[1]);
    let count = concat([another | (one & on_its_way), one ^ another ^ on_its_way]);
    word_pc.wrapping_sub(count.extend(30)).concat(m.constant(Bits::zero(2)))
}

/// Whether memory protection lets the request pass. One that waits for `ready` must not go away when the mode or the regions change; its
/// response will be discarded.
fn allowed(m: &Builder, config: &CoreConfig, i: &FetchIn<UInt>, asks: UInt) -> UInt {
    if config.pmp_regions == 0 {
        return i.allowed;
    }
    let waits = m.reg("waits_for_ready", 1).reset_to(0);
    wire!(m, may_pass = i.allowed | waits);
    waits.set(asks & may_pass & !i.bus.ready);
    may_pass
}

/// The counter that the history chooses for a word with the entry `(hit, counter)`, and that history.
///
/// The history holds the branches that the branch target buffer knows, as they are predicted. Behind one that was predicted wrongly it is
/// made anew; what other reasons to begin anew have left in it only makes predictions worse for a while.
fn by_history(
    m: &Builder,
    i: &FetchIn<UInt>,
    place: Place,
    shape: Shape,
    (hit, entry): (UInt, UInt),
) -> (UInt, UInt) {
    let outcome = i.update.outcome.expect("a fetch unit with a history is told outcomes");
    let history = m.reg("history", shape).reset_to(0);
    let past = outcome.repairs.mux(gshare::after(outcome.history, outcome.taken), history);
    let gshare = m.instance("gshare", &Gshare { history: history.width() }).connect(GshareIn {
        word: place.word_pc,
        history: past,
        learnt: i.update.last.slice(2, 30),
        outcome,
    });
    // See `BtbUpdate::counter`.
    let counter = entry.bit(1).mux(entry, entry.bit(0).mux(gshare.counter, 0));
    history.set((place.goes & hit).mux(gshare::after(past, counter.bit(1)), past));
    (counter, past)
}

/// Where fetch is.
#[derive(Clone, Copy)]
struct Place {
    /// The word.
    word_pc: UInt,
    /// Where in it fetch begins.
    begins_upper: UInt,
    /// The word is asked for, and wanted.
    goes: UInt,
    /// The word that is wanted next is another.
    moves: UInt,
}

/// What the branch target buffer says of the word at `word_pc`, and the target.
fn predict(
    m: &Builder,
    config: &CoreConfig,
    i: &FetchIn<UInt>,
    place: Place,
) -> (WordPrediction<UInt>, UInt) {
    let Place { word_pc, begins_upper, moves, .. } = place;
    let zeros = |width: u32| m.constant(Bits::zero(width));
    let Predictor::Btb { entries, .. } = config.predictor else {
        let (hit, upper, counter, taken) = (zeros(1), zeros(1), zeros(2), zeros(1));
        let none = WordPrediction { hit, upper, counter, taken, history: None };
        return (none, zeros(32));
    };
    let btb = Btb { entries, halves: config.extensions.c };
    let leaves = m.wire("leaves", 1);
    let btb = m.instance("btb", &btb).connect(BtbIn {
        word: word_pc,
        moves,
        origin: choose(i.anew.expected, i.anew.origin, Origin::behind(word_pc, leaves)),
        forgets: i.anew.expected & i.anew.same,
        update: BtbUpdate { outcome: None, ..i.update },
    });
    let target = if config.return_stack > 0 {
        let stack = m.instance("returns", &ReturnStack { places: config.return_stack }).connect(i.returns);
        btb.returns.mux(stack.top, btb.target)
    } else {
        btb.target
    };
    // An instruction that ends in the lower half is not met by a jump to the upper one.
    let hit = btb.hit & !(begins_upper & !btb.upper);
    let (counter, history) = match history_shape(config) {
        None => (btb.counter, None),
        Some(shape) => {
            let (counter, history) = by_history(m, i, place, shape, (hit, btb.counter));
            (counter, Some(history))
        }
    };
    leaves.set(hit & counter.bit(1));
    (WordPrediction { hit, upper: btb.upper, counter, taken: leaves, history }, target)
}

/// The targets of the words that are there or on their way, first in, first out; there are no more than four words.
fn targets(
    m: &Builder,
    config: &CoreConfig,
    clear: UInt,
    (push, counts): (UInt, UInt),
    target: UInt,
    pop: UInt,
) -> UInt {
    if !matches!(config.predictor, Predictor::Btb { .. }) || !is_registered(config) {
        return target;
    }
    let write = m.reg("targets_write", 2).reset_to(0);
    let read = m.reg("targets_read", 2).reset_to(0);
    let targets = m.memory("targets", 4, 31);
    // What is written at a redirect counts for nothing.
    m.when(push, || targets.write(write, target.slice(1, 31)));
    m.when(clear, || {
        write.set(0);
        read.set(0);
    })
    .otherwise(|| {
        m.when(push & counts, || write.set(write.wrapping_add(1)));
        m.when(pop, || read.set(read.wrapping_add(1)));
    });
    targets.read_async("next_target", read).concat(m.constant(Bits::zero(1)))
}
