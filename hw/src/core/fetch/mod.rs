//! Instruction fetch: asks for words ahead of decode, guesses where the program goes on, and cuts the words into instructions.
//!
//! ```text
//!            pc --> request --> bus --> response --> words --> align, expand --> (register) --> decode
//!            ^  \-> branch target buffer --+            up to 3          |
//!            +------- predicted target ----+---- or static prediction <-+
//! ```

mod align;
mod btb;
mod fixed;
mod gshare;
mod request;
mod return_stack;

pub use btb::{Btb, BtbUpdate, Origin};
pub use gshare::{Gshare, Outcome};
pub use return_stack::{ReturnStack, ReturnStackIn};

use ferrite_hdl::prelude::*;

use align::Aligned;

use super::bus::Bus;
use super::choose;
use super::config::{CoreConfig, Predictor, RegisterFile};

/// Where to go on fetching.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Redirect<T> {
    /// What has been fetched so far is not wanted.
    pub valid: T,
    /// Address of the next instruction.
    pub target: T,
}

impl Redirect<Shape> {
    /// The widths.
    pub fn shape() -> Redirect<Shape> {
        Redirect { valid: bit(), target: bits(32) }
    }
}

/// What fetch will begin anew behind, as far as it is known soon; no more than a hint for the branch target buffer.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Anew<T> {
    /// Unless a load or store is refused, it is now that fetch begins anew.
    pub expected: T,
    /// What comes before the word with which it begins.
    pub origin: Origin<T>,
    /// It begins with the same instruction: what was known about it was wrong.
    pub same: T,
}

impl Anew<Shape> {
    /// The widths.
    pub fn shape() -> Anew<Shape> {
        Anew { expected: bit(), origin: Origin::shape(), same: bit() }
    }
}

/// What the branch target buffer knew about an instruction; goes along with it, so that the buffer can learn from the outcome.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Prediction<T> {
    /// There is an entry.
    pub hit: T,
    /// Its counter: 2 and 3 say taken.
    pub counter: T,
    /// Fetch went on at the entry's target.
    pub taken: T,
    /// The history that chose the counter, where there is one.
    pub history: Option<T>,
}

impl Prediction<Shape> {
    /// The widths.
    pub fn shape(history: Option<Shape>) -> Prediction<Shape> {
        Prediction { hit: bit(), counter: bits(2), taken: bit(), history }
    }
}

/// A fetched instruction.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Fetched<T> {
    /// Its address.
    pub pc: T,
    /// How many half words it is long: 1 or 2; 0 for a broken one, which is followed by itself.
    pub halves: T,
    /// The instruction; a compressed one expanded.
    pub insn: T,
    /// The instruction as it stands in memory; a compressed one in the lower half.
    pub raw: T,
    /// Nothing could be fetched there.
    pub error: T,
    /// Only its second half could not be fetched.
    pub error_in_second_half: T,
    /// A prediction led away from within it: it must be fetched again.
    pub broken: T,
    /// What was predicted.
    pub prediction: Prediction<T>,
}

/// The address of the instruction that stands behind one at `pc`.
pub fn sequential(m: &Builder, pc: UInt, halves: UInt) -> UInt {
    let zeros = |width: u32| m.constant(Bits::zero(width));
    pc.wrapping_add(concat([zeros(29), halves, zeros(1)]))
}

impl Fetched<Shape> {
    fn shape(history: Option<Shape>) -> Fetched<Shape> {
        Fetched {
            pc: bits(32),
            halves: bits(2),
            insn: bits(32),
            raw: bits(32),
            error: bit(),
            error_in_second_half: bit(),
            broken: bit(),
            prediction: Prediction::shape(history),
        }
    }
}

/// Inputs of the fetch unit.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct FetchIn<T> {
    /// The instruction bus.
    #[flip]
    pub bus: Bus<T>,
    /// A jump or trap that was not predicted.
    pub redirect: Redirect<T>,
    /// What comes before it.
    pub anew: Anew<T>,
    /// Decode takes the instruction on offer.
    pub ready: T,
    /// What the branch target buffer learns.
    pub update: BtbUpdate<T>,
    /// Calls and returns.
    pub returns: ReturnStackIn<T>,
    /// The word that is asked for may be executed.
    pub allowed: T,
}

/// Outputs of the fetch unit.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct FetchOut<T> {
    /// An instruction is on offer.
    pub valid: T,
    /// The instruction.
    pub fetched: Fetched<T>,
    /// Where fetch goes on behind it.
    pub next_pc: T,
    /// The instruction that will be on offer in the next cycle.
    pub next_insn: T,
    /// Address of the word that is asked for.
    pub asks_for: T,
}

/// The fetch unit.
///
/// With compressed instructions, a branch target buffer, registers in block RAM or the static prediction without a return stack, an instruction is on offer one cycle after its word's
/// response, else in the same cycle.
#[module]
pub struct Fetch {
    /// The core's parameters.
    pub config: CoreConfig,
}

/// The width of the history, where there is one.
pub fn history_shape(config: &CoreConfig) -> Option<Shape> {
    match config.predictor {
        Predictor::Btb { history, .. } if history > 0 => Some(bits(history)),
        _ => None,
    }
}

/// Whether instructions pass a register between alignment and decode.
pub fn is_registered(config: &CoreConfig) -> bool {
    config.extensions.c
        || matches!(config.predictor, Predictor::Btb { .. })
        || config.register_file == RegisterFile::BlockRam
        || config.guesses_direct_targets()
}

/// Whether a further instruction can wait between alignment and decode.
fn is_decoupled(config: &CoreConfig) -> bool {
    matches!(config.predictor, Predictor::Btb { .. })
}

impl Module for Fetch {
    type In = FetchIn<UInt>;
    type Out = FetchOut<UInt>;

    fn inputs(&self) -> FetchIn<Shape> {
        FetchIn {
            bus: Bus::shape(),
            redirect: Redirect::shape(),
            anew: Anew::shape(),
            ready: bit(),
            update: BtbUpdate::shape(history_shape(&self.config)),
            returns: ReturnStackIn::shape(),
            allowed: bit(),
        }
    }
    fn outputs(&self) -> FetchOut<Shape> {
        FetchOut {
            valid: bit(),
            fetched: Fetched::shape(history_shape(&self.config)),
            next_pc: bits(32),
            next_insn: bits(32),
            asks_for: bits(32),
        }
    }
    fn build(&self, m: &Builder, i: FetchIn<UInt>) -> FetchOut<UInt> {
        let aligned_ready = m.wire("aligned_ready", 1);
        let is_static = self.config.predictor == Predictor::Static;
        // What alignment itself guesses leads fetch away as a jump does that was not predicted.
        let redirect = if is_static { m.wires("anew", Redirect::shape()) } else { i.redirect };
        let (words, asks_for) = request::words(m, &self.config, &FetchIn { redirect, ..i });
        let mut aligned = align::instructions(m, &self.config, words, redirect, aligned_ready);
        let mut next_pc = sequential(m, aligned.fetched.pc, aligned.fetched.halves);
        if is_static {
            let guess = fixed::guess(m, &self.config, &aligned.fetched, i.returns);
            aligned.fetched.prediction.taken = guess.taken;
            next_pc = guess.taken.mux(guess.target, next_pc);
            redirect.valid.set(i.redirect.valid | (aligned.valid & aligned_ready & guess.taken));
            redirect.target.set(i.redirect.valid.mux(i.redirect.target, guess.target));
        }
        if !is_registered(&self.config) {
            aligned_ready.set(i.ready);
            return FetchOut {
                valid: aligned.valid,
                fetched: aligned.fetched,
                next_pc,
                next_insn: aligned.fetched.insn,
                asks_for,
            };
        }
        let offer_moves = m.wire("offer_moves", 1);
        let coming = match is_decoupled(&self.config) {
            true => self.spare(m, aligned, aligned_ready, (i.redirect.valid, offer_moves)),
            false => {
                aligned_ready.set(offer_moves);
                aligned
            }
        };
        let valid = m.reg("offered", 1).reset_to(0);
        let fetched = m.regs("offer", Fetched::shape(history_shape(&self.config)));
        offer_moves.set(!valid | i.ready);
        m.when(i.redirect.valid, || valid.set(0)).otherwise_when(offer_moves, || valid.set(coming.valid));
        m.when(offer_moves, || m.connect(fetched, coming.fetched));
        let next_insn = offer_moves.mux(coming.fetched.insn, fetched.insn);
        let next_pc = match self.config.guesses_direct_targets() {
            true => {
                let offer_next_pc = m.reg("offer_next_pc", 32);
                m.when(offer_moves, || offer_next_pc.set(next_pc));
                offer_next_pc
            }
            // The instruction that comes is the one behind that on offer.
            false => coming.fetched.pc,
        };
        FetchOut { valid, fetched, next_pc, next_insn, asks_for }
    }
}

impl Fetch {
    /// The next instruction for decode. One that alignment has offered while decode was waiting is kept: whether decode is ready is known late,
    /// and alignment need not know.
    fn spare(
        &self,
        m: &Builder,
        aligned: Aligned,
        aligned_ready: UInt,
        (redirected, offer_moves): (UInt, UInt),
    ) -> Aligned {
        let valid = m.reg("spare_valid", 1).reset_to(0);
        let spare = m.regs("spare", Fetched::shape(history_shape(&self.config)));
        aligned_ready.set(!valid);
        m.when(!valid, || m.connect(spare, aligned.fetched));
        let coming = valid | aligned.valid;
        valid.set(!redirected & !offer_moves & coming);
        let mut fetched = choose(valid, spare, aligned.fetched);
        if let Some(expanded) = aligned.expanded {
            // All else is chosen before.
            let other = valid.mux(spare.insn, expanded.long);
            fetched.insn = (expanded.valid & !valid).mux(expanded.insn, other);
        }
        Aligned { valid: coming, fetched, expanded: None }
    }
}
