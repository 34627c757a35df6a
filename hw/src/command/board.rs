//! Who has to wait for whom.

use ferrite_hdl::library::{priority_encode, priority_grant};
use ferrite_hdl::prelude::*;

use super::order::{OrderStream, Regions};
use super::record::Part;
use crate::compute::ComputeConfig;
use crate::record::{of_word, to_word};

/// Orders of a kind that may wait or be under way.
const SLOTS: u32 = 4;
/// One lane for each part of the unit.
const LANES: u32 = Part::ALL.len() as u32;
const ALL_SLOTS: u32 = SLOTS * LANES;

/// Between the board and a part that carries out orders.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Lane<T> {
    /// An order is new; its operands are those of [`BoardIn::orders`].
    #[flip]
    pub enters: T,
    /// The next order may begin.
    #[flip]
    pub allowed: T,
    /// It begins.
    pub begins: T,
    /// The oldest order that has begun is done.
    pub done: T,
    /// Those that have begun are given up.
    pub abandons: T,
}

/// Ports of the board.
#[derive(Clone, Debug, Bundle)]
pub struct BoardIn<T> {
    /// Commands. Those that are refused go as they came.
    pub orders: OrderStream<T>,
    /// By part.
    pub lanes: Vec<Lane<T>>,
    /// Orders that have not begun are forgotten, and none enters.
    pub drops: T,
}

/// Outputs of the board.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct BoardOut<T> {
    /// Orders wait or are under way.
    pub busy: T,
    /// What keeps the array's next order from beginning.
    pub held: Held<T>,
}

/// Whom the array's next order waits for, itself or by way of an order that it waits for.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct Held<T> {
    /// A requantisation.
    pub by_output: T,
    /// A load.
    pub by_load: T,
    /// A store.
    pub by_store: T,
}

/// Keeps the ranges of all orders that are not done. A new one is compared with one of them in each cycle, those of its own lane left out, and remembers for which it has to
/// wait: older ones of other lanes with a range in common that one of the two writes. A lane begins its orders one after the other.
#[module]
pub struct Board {
    /// Sizes.
    pub config: ComputeConfig,
}

/// One lane's part of the board.
struct LaneState {
    /// One bit for each slot: an order is there.
    here: UInt,
    /// One bit for each slot: it has not begun.
    waits: UInt,
    /// Where the next new order goes.
    tail: UInt,
    /// The next one to begin.
    next: UInt,
    /// The oldest one.
    head: UInt,
}

impl LaneState {
    fn new(m: &Builder, lane: u32) -> LaneState {
        let of = |name: &str, width| m.reg(&format!("{name}_{lane}"), width).reset_to(0);
        let index = SLOTS.ilog2();
        LaneState {
            here: of("here", SLOTS),
            waits: of("waits", SLOTS),
            tail: of("tail", index),
            next: of("next", index),
            head: of("head", index),
        }
    }
}

/// The first order of a lane that has not begun.
struct Next {
    /// There is one.
    waits: UInt,
    /// Orders before it are under way.
    runs: UInt,
    /// By lane: it has to wait for one of its orders.
    waits_for: Vec<UInt>,
}

impl Held<Shape> {
    pub(crate) fn shape() -> Held<Shape> {
        Held { by_output: bit(), by_load: bit(), by_store: bit() }
    }
}

impl Held<UInt> {
    /// Where the array's order is not known yet, since one before it finds its lane `full`, that lane holds it.
    fn of(nexts: &[Next], full: impl Fn(Part) -> UInt) -> Held<UInt> {
        let next = |part: Part| &nexts[part as usize];
        let held = |by: Part| next(Part::Array).waits.mux(next(Part::Array).waits_for[by as usize], full(by));
        let (load, store, output) = (held(Part::Load), held(Part::Store), held(Part::Output));
        // What holds an order of a lane in which nothing is under way.
        let behind = |part: Part, by: Part| !next(part).runs & next(part).waits_for[by as usize];
        let load_by_store = load & behind(Part::Load, Part::Store);
        let output_by_load = output & behind(Part::Output, Part::Load);
        let output_by_store = output & behind(Part::Output, Part::Store);
        Held {
            by_output: output & !output_by_load & !output_by_store,
            by_load: (load & !load_by_store) | output_by_load,
            by_store: store | load_by_store | output_by_store,
        }
    }
}

/// A bit at an index, where `happens` is high; else none.
fn bit_at(m: &Builder, happens: UInt, index: UInt, width: u32) -> UInt {
    let bit = m.constant(Bits::from_u64(width, 1)).extend(width) << index;
    happens.mux(bit.truncate(width), m.constant(Bits::zero(width)))
}

impl Module for Board {
    type In = BoardIn<UInt>;
    type Out = BoardOut<UInt>;

    fn name(&self) -> String {
        format!("Board_{}", self.config.suffix())
    }
    fn inputs(&self) -> BoardIn<Shape> {
        let lane = Lane { enters: bit(), allowed: bit(), begins: bit(), done: bit(), abandons: bit() };
        BoardIn { orders: OrderStream::shape(&self.config), lanes: vec![lane; LANES as usize], drops: bit() }
    }
    fn outputs(&self) -> BoardOut<Shape> {
        BoardOut { busy: bit(), held: Held::shape() }
    }
    fn build(&self, m: &Builder, i: BoardIn<UInt>) -> BoardOut<UInt> {
        let states: Vec<LaneState> = (0..LANES).map(|lane| LaneState::new(m, lane)).collect();
        let shape = Regions::shape(&self.config);
        let width = shape.leaves().iter().map(|leaf| leaf.value.width).sum();
        let regions = m.memory("regions", ALL_SLOTS, width);
        // What a new order touches is looked at from the second cycle on.
        let mine = of_word(shape, m.delay("mine", to_word(i.orders.order.regions)));
        let part = i.orders.order.part;

        // What is done in this cycle; slot `s` of lane `l` is bit `SLOTS * l + s`.
        let done = states.iter().zip(&i.lanes).map(|(state, lane)| bit_at(m, lane.done, state.head, SLOTS));
        let done: Vec<UInt> = done.collect();
        wire!(m, all_done = concat(done.iter().rev().copied()));
        wire!(m, all_here = concat(states.iter().rev().map(|state| state.here)));

        // Comparing: one of the other lanes' orders in each cycle, which is chosen, read and compared, and then the new order takes its own slot.
        let compares = m.reg("compares", 1).reset_to(0);
        let compared = m.reg("compared", 1).reset_to(0);
        let to_compare = m.reg("to_compare", ALL_SLOTS);
        let slot = m.reg("slot", ALL_SLOTS.ilog2());
        let has_slot = m.reg("has_slot", 1);
        let blockers = m.reg("blockers", ALL_SLOTS);
        wire!(m, begins = i.orders.valid & !compares & !compared);
        wire!(m, other_lanes = concat((0..LANES).rev().map(|lane| part.ne(lane).repeat(SLOTS))));
        wire!(m, pending = compares.mux(to_compare, all_here & other_lanes));
        slot.set(priority_encode(pending));
        has_slot.set(pending.any());
        to_compare.set(pending & !priority_grant(pending));
        let theirs = of_word(shape, m.delay("theirs", regions.read_async("read", slot)));
        let looks_at = m.delay("looks_at", bit_at(m, has_slot & compares, slot, ALL_SLOTS));
        wire!(m, blocks = mine.conflict(&theirs));
        wire!(m, found = blocks.mux(looks_at & all_here, 0));
        let still = !all_done;
        m.when(begins, || {
            compares.set(1);
            blockers.set(0);
        });
        m.when(compares, || {
            blockers.set((blockers | found) & still);
            m.when(!has_slot, || {
                compares.set(0);
                compared.set(1);
            });
        });
        m.when(compared, || blockers.set(blockers & still));
        let own = |value: fn(&LaneState) -> UInt| {
            let all: Vec<UInt> = states.iter().map(value).collect();
            (1u32..).zip(&all[1..]).fold(all[0], |others, (lane, value)| part.eq(lane).mux(*value, others))
        };
        wire!(m, tail = own(|state| state.tail));
        // As it was a cycle ago: nothing can have come since, as an order is compared for longer.
        let taken = m.delay("taken", own(|state| state.here).bit_at(tail));
        wire!(m, enters = compared & i.orders.good & !taken & !i.drops);
        i.orders.ready.set(enters);
        m.when(enters, || {
            compared.set(0);
            regions.write(part.concat(tail), to_word(mine));
        });
        m.when(i.drops | !i.orders.valid, || {
            compares.set(0);
            compared.set(0);
        });

        let mut nexts = Vec::new();
        for ((number, lane), (state, done)) in (0u32..).zip(&i.lanes).zip(states.iter().zip(done)) {
            let enters_here = enters & part.eq(number);
            let bit = |index: UInt, happens: UInt| bit_at(m, happens, index, SLOTS);
            state.here.set((state.here | bit(state.tail, enters_here)) & !done);
            state.waits.set((state.waits | bit(state.tail, enters_here)) & !bit(state.next, lane.begins));
            m.when(enters_here, || state.tail.set(state.tail.wrapping_add(1)));
            m.when(lane.begins, || state.next.set(state.next.wrapping_add(1)));
            m.when(lane.done, || state.head.set(state.head.wrapping_add(1)));
            m.when(i.drops, || {
                state.here.set(state.here & !state.waits & !done);
                state.waits.set(0);
                state.tail.set(state.next);
            });
            m.when(lane.abandons, || {
                state.here.set(0);
                state.head.set(state.next);
            });
            let all_waits_for = (0..SLOTS).map(|slot| {
                let waits_for = m.reg(&format!("waits_for_{number}_{slot}"), ALL_SLOTS).reset_to(0);
                let free = m.reg(&format!("free_{number}_{slot}"), 1).reset_to(1);
                let enters = enters_here & state.tail.eq(slot);
                let waits_then =
                    m.node(&format!("waits_then_{number}_{slot}"), enters.mux(blockers, waits_for) & still);
                waits_for.set(waits_then);
                free.set(!waits_then.any());
                (waits_for, free)
            });
            let (all_waits_for, free): (Vec<UInt>, Vec<UInt>) = all_waits_for.unzip();
            let free = concat(free.into_iter().rev());
            let waits = state.waits.bit_at(state.next);
            lane.enters.set(enters_here);
            lane.allowed.set(waits & free.bit_at(state.next) & !i.drops);
            let runs = (state.here & !state.waits).any();
            let of_lane = |lane: u32| {
                let any = all_waits_for.iter().rev().map(|all| all.slice(SLOTS * lane, SLOTS).any());
                concat(any).bit_at(state.next) & waits
            };
            nexts.push(Next { waits, runs, waits_for: (0..LANES).map(of_lane).collect() });
            m.assert(&format!("begins_when_allowed_{number}"), !lane.begins | lane.allowed);
            m.assert(&format!("done_is_here_{number}"), !lane.done | state.here.bit_at(state.head));
        }
        let held = Held::of(&nexts, |lane| compared & taken & part.is(lane));
        BoardOut { busy: all_here.any() | compares | compared, held }
    }
}
