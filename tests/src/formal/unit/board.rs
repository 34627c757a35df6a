//! The board: who waits for whom, and nobody for ever.

use ferrite_hdl::prelude::*;
use ferrite_hw::command::{Board, BoardIn, Lane, Part, Region, Regions};

use super::low_if_there;

/// Orders of a lane that may be there at once.
const SLOTS: u32 = 4;

/// Cycles until an order that is offered and was judged enters, if its lane has room: one for each slot of the board, and those around them.
pub const ENTERS_WITHIN: u32 = SLOTS * Part::ALL.len() as u32 + 2;

/// Bits that count orders of a lane.
const COUNT_BITS: u32 = 4;

/// What the solver chooses in every cycle.
#[derive(Clone, Debug, Bundle)]
pub struct ProvedIn<T> {
    /// All that comes to the board.
    pub board: BoardIn<T>,
    /// The order that enters now is the first of the two that are watched.
    pub marks_older: T,
    /// It is the second.
    pub marks_younger: T,
}

/// The board with its claims.
#[module]
pub struct Proved {
    /// The board.
    pub board: Board,
}

/// Whether both touch something that one of them writes: written from the description, not from the board.
fn conflict(a: &Regions<UInt>, b: &Regions<UInt>) -> UInt {
    let meet = |a: &Region<UInt>, b: &Region<UInt>| {
        let apart = a.last.lt(b.first) | b.last.lt(a.first);
        let only_read = !a.writes & !b.writes;
        a.valid & b.valid & !apart & !only_read
    };
    let words = |regions: &Regions<UInt>| [regions.data, regions.source, regions.second];
    let pairs = words(a).into_iter().flat_map(|a| words(b).map(|b| meet(&a, &b)));
    let scratchpad = concat(pairs.collect::<Vec<_>>()).any();
    scratchpad | meet(&a.accumulators, &b.accumulators) | meet(&a.external, &b.external)
}

/// Orders of a lane, from outside.
struct Count {
    /// Those that have entered and not begun.
    waiting: UInt,
    /// Those that have begun and are not done.
    running: UInt,
}

impl Count {
    fn new(m: &Builder, number: usize, lane: &Lane<UInt>) -> Count {
        let counter = |name: &str, up: UInt, down: UInt| {
            let count = m.reg(&format!("{name}_{number}"), COUNT_BITS).reset_to(0);
            count.set(count.wrapping_add(up.extend(COUNT_BITS)).wrapping_sub(down.extend(COUNT_BITS)));
            count
        };
        let waiting = counter("waiting", lane.enters, lane.begins);
        let running = counter("running", lane.begins, lane.done);
        // A part begins what it may, and is done with what it has begun.
        m.assume(&format!("begins_what_is_allowed_{number}"), !lane.begins | lane.allowed);
        m.assume(&format!("is_done_with_what_began_{number}"), !lane.done | running.any());
        Count { waiting, running }
    }

    fn here(&self) -> UInt {
        self.waiting.wrapping_add(self.running)
    }
}

/// One order that is watched.
struct Watched {
    /// It begins in this cycle.
    begins: UInt,
    /// It is done in this cycle or before.
    is_done: UInt,
    part: UInt,
    regions: Regions<UInt>,
}

impl Watched {
    fn new(m: &Builder, name: &str, marks: UInt, board: &BoardIn<UInt>, counts: &[Count]) -> Watched {
        let named = |what: &str| format!("{name}_{what}");
        let flag = |what: &str| m.reg(&named(what), 1).reset_to(0);
        let (here, done, begun) = (flag("here"), flag("is_done"), flag("has_begun"));
        let (ahead, running) = (m.reg(&named("ahead"), COUNT_BITS), m.reg(&named("running"), COUNT_BITS));
        let part = m.reg(&named("part"), board.orders.order.part.width());
        let mut number = 0;
        let regions = board.orders.order.regions.map(|leaf| {
            let kept = m.reg(&named(&format!("regions_{number}")), leaf.width());
            number += 1;
            m.when(marks, || kept.set(leaf));
            kept
        });
        m.when(marks, || part.set(board.orders.order.part));
        let of_lane = |part: UInt, value: &dyn Fn(usize) -> UInt| {
            let first = value(0);
            (1..counts.len()).fold(first, |others, lane| part.eq(lane as u32).mux(value(lane), others))
        };
        let offered = board.orders.order.part;
        let begin = of_lane(part, &|lane| board.lanes[lane].begins);
        let end = of_lane(part, &|lane| board.lanes[lane].done);
        let count = |flag: UInt| flag.extend(COUNT_BITS);
        // Orders of its lane that begin before it, and those that are done before it.
        let (lanes_waiting, lanes_here) = (
            of_lane(offered, &|lane| counts[lane].waiting.wrapping_sub(count(board.lanes[lane].begins))),
            of_lane(offered, &|lane| counts[lane].here().wrapping_sub(count(board.lanes[lane].done))),
        );
        let begins = m.node(&named("begins"), here & !begun & begin & ahead.eq(0));
        let ends = m.node(&named("ends"), here & end & running.eq(0));
        m.when(here & begin & ahead.any(), || ahead.set(ahead.wrapping_sub(1)));
        m.when(here & end & running.any(), || running.set(running.wrapping_sub(1)));
        m.when(begins, || begun.set(1));
        m.when(ends, || {
            here.set(0);
            done.set(1);
        });
        m.when(marks, || {
            here.set(1);
            ahead.set(lanes_waiting);
            running.set(lanes_here);
        });
        Watched { begins, is_done: done | ends, part, regions }
    }
}

impl Module for Proved {
    type In = ProvedIn<UInt>;
    type Out = Empty<UInt>;

    fn inputs(&self) -> ProvedIn<Shape> {
        ProvedIn { board: self.board.inputs(), marks_older: bit(), marks_younger: bit() }
    }
    fn outputs(&self) -> Empty<Shape> {
        Empty::new()
    }
    fn build(&self, m: &Builder, i: ProvedIn<UInt>) -> Empty<UInt> {
        let board = &i.board;
        let out = m.instance("dut", &self.board).connect(board.clone());
        // What is claimed is the ordinary course, in which no order is forgotten.
        low_if_there(m, board, &["clear", "drops", "abandons"]);
        let counts: Vec<Count> =
            board.lanes.iter().enumerate().map(|(number, lane)| Count::new(m, number, lane)).collect();
        let fires = board.orders.valid & board.orders.ready;

        // Sources are only read.
        let offered = board.orders.order.regions;
        m.assume("sources_are_read", !(offered.source.writes | offered.second.writes));

        // What is offered stays, as every stream does.
        let refused = m.reg("refused", 1).reset_to(0);
        refused.set(board.orders.valid & !board.orders.ready);
        let order = concat(board.orders.order.leaves().into_iter().map(|leaf| leaf.value));
        let before = m.delay("order_before", order);
        m.assume("offers_stay", !refused | (board.orders.valid & order.eq(before)));

        // Two orders, the first one older.
        let flag = |name: &str| m.reg(name, 1).reset_to(0);
        let (has_older, has_younger) = (flag("has_older"), flag("has_younger"));
        let marks_older = m.node("older_enters", fires & i.marks_older & !has_older);
        let marks_younger = m.node("younger_enters", fires & i.marks_younger & has_older & !has_younger);
        m.when(marks_older, || has_older.set(1));
        m.when(marks_younger, || has_younger.set(1));
        let older = Watched::new(m, "older", marks_older, board, &counts);
        let younger = Watched::new(m, "younger", marks_younger, board, &counts);
        let conflicts = conflict(&older.regions, &younger.regions) & older.part.ne(younger.part);
        m.assert("no_order_begins_before_an_older_one_in_conflict_is_done", {
            // The cycle in which it is done is still too early.
            let over = m.delay("older_is_over", older.is_done);
            !(younger.begins & conflicts) | over
        });

        for (number, lane) in board.lanes.iter().enumerate() {
            let enters = fires & board.orders.order.part.eq(number as u32);
            m.assert(&format!("an_order_enters_its_lane_{number}"), lane.enters.eq(enters));
            m.assert(
                &format!("what_begins_has_entered_{number}"),
                !lane.allowed | counts[number].waiting.any(),
            );
            m.assert(&format!("lane_is_never_overfull_{number}"), counts[number].here().le(SLOTS));
        }
        m.assert("what_enters_was_judged", !fires | board.orders.good);
        let here: Vec<UInt> = counts.iter().map(|count| count.here().any()).collect();
        m.assert("busy_while_orders_are_here", !concat(here.iter().copied()).any() | out.busy);

        // Nobody waits for ever. An order that is alone may begin, and one that is offered enters.
        let total = counts.iter().map(|count| count.here()).reduce(|a, b| a.wrapping_add(b));
        let alone = total.expect("there are lanes").eq(1);
        let allowed = concat(board.lanes.iter().map(|lane| lane.allowed)).any();
        let waiting = concat(counts.iter().map(|count| count.waiting.any())).any();
        m.assert("who_is_alone_may_begin", !(alone & waiting) | allowed);
        let room = (counts.iter().enumerate())
            .map(|(lane, count)| board.orders.order.part.eq(lane as u32) & count.here().lt(SLOTS))
            .reduce(|a, b| a | b)
            .expect("there are lanes");
        let waited = m.reg("waited", 6).reset_to(0);
        m.when(board.orders.valid & board.orders.good & !fires & room, || waited.set(waited.wrapping_add(1)))
            .otherwise(|| waited.set(0));
        m.assert("who_is_offered_enters", waited.lt(ENTERS_WITHIN));
        m.cover("reached_two_orders_in_conflict", younger.begins & conflicts);
        Empty::new()
    }
}
