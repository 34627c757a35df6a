//! Weights out of the scratchpad, a row in every cycle, ahead of the array.

use ferrite_hdl::library::Queue;
use ferrite_hdl::prelude::*;

use super::banks::place;
use super::parts::bytes_at;
use super::pe::Shift;
use super::tiles::TileAddresses;
use super::{ComputeConfig, READ_LATENCY};
use crate::countdown::Countdown;
use crate::dma::WordRead;
use crate::record::RecordQueue;

/// Inputs of the module.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct WeightsIn<T> {
    /// Where tiles stand.
    pub tiles: TileAddresses<T>,
    /// The scratchpad; it is given [places](place) for addresses.
    #[flip]
    pub read: WordRead<T>,
    /// A tile is going to be used: [`Weights::NOTICE`] cycles later its swap enters the array.
    pub claims: T,
}

/// Outputs of the module.
#[derive(Clone, Debug, Bundle)]
pub struct WeightsOut<T> {
    /// A tile may be claimed.
    pub available: T,
    /// The swap enters the array.
    pub swap: T,
    /// A weight row for the array: one int8 for each column.
    pub weight: Vec<T>,
    /// It enters the array.
    pub shift: Shift<T>,
}

/// Reads tiles, the last row of each first, and puts them into the array as soon as the tile before is used.
#[module]
pub struct Weights {
    /// Sizes.
    pub config: ComputeConfig,
}

/// Which part of a word a row is, and whether it is its tile's first one, with which the tile is complete.
#[derive(Clone, Copy, Debug, Bundle)]
struct Mark<T> {
    offset: T,
    last: T,
}

impl Weights {
    /// Cycles from a claim to the swap.
    pub const NOTICE: u32 = READ_LATENCY + 1;

    /// Rows that wait: a tile, or some for the smallest arrays.
    fn depth(&self) -> u32 {
        self.config.rows.max(8)
    }
}

impl Module for Weights {
    type In = WeightsIn<UInt>;
    type Out = WeightsOut<UInt>;

    fn name(&self) -> String {
        format!("Weights_{}", self.config.suffix())
    }
    fn inputs(&self) -> WeightsIn<Shape> {
        WeightsIn { tiles: TileAddresses::shape(&self.config), read: self.config.word_read(), claims: bit() }
    }
    fn outputs(&self) -> WeightsOut<Shape> {
        WeightsOut {
            available: bit(),
            swap: bit(),
            weight: vec![signed(8); self.config.cols as usize],
            shift: Shift::shape(),
        }
    }
    fn build(&self, m: &Builder, i: WeightsIn<UInt>) -> WeightsOut<UInt> {
        let config = &self.config;
        let index_bits = config.rows.ilog2();

        // Reading: a mark is kept from the request until its row goes, so that its queue is full before that of the words can be.
        let mark = || Mark { offset: bits(config.offset_bits()), last: bit() };
        let marks = RecordQueue::counted(m, "marks", self.depth(), mark());
        let words = m.instance("row_words", &Queue { width: 8 * config.word_bytes(), depth: self.depth() });
        let reads = m.reg("reads", 1).reset_to(0);
        let address = m.reg("address", config.address_bits());
        let rows_behind = Countdown::new(m, "rows_behind", index_bits, 0);
        let read_last = rows_behind.done;
        wire!(m, asked = reads & marks.ready & i.read.ready);
        i.read.valid.set(reads & marks.ready);
        // The place of its word, found a cycle ahead, for the scratchpad's grants follow.
        let read_place = m.reg("read_place", config.word_address_bits());
        i.read.address.set(read_place);
        marks.put(
            reads & i.read.ready,
            Mark { offset: address.truncate(config.offset_bits()), last: read_last },
        );
        // The next tile waits in a register, so that its taking is not behind the scratchpad's grant.
        let next = m.reg("next_tile", config.address_bits());
        let has_next = m.reg("has_next", 1).reset_to(0);
        i.tiles.ready.set(!has_next);
        wire!(m, offered = has_next | i.tiles.valid);
        m.when(!has_next, || next.set(i.tiles.address));
        has_next.set(offered & reads & !(asked & read_last));
        wire!(m, first_read = has_next.mux(next, i.tiles.address));
        m.when(asked | !reads, || {
            wire!(m, row_before = address.wrapping_sub(config.cols));
            address.set(row_before);
            read_place.set(place(config.word_of(row_before)));
            rows_behind.step();
            m.when(read_last | !reads, || {
                reads.set(offered);
                address.set(first_read);
                read_place.set(place(config.word_of(first_read)));
                rows_behind.load(m.constant(Bits::ones(index_bits)));
            });
        });
        words.i.enq.valid.set(i.read.data_valid);
        words.i.enq.data.set(i.read.data);
        m.assert("room_for_words", !i.read.data_valid | words.i.enq.ready);

        // Loading: a tile may enter the array from the swap to the tile before on.
        let swaps = m.reg("swaps", Self::NOTICE).reset_to(0);
        swaps.set(swaps.slice(0, Self::NOTICE - 1).concat(i.claims));
        let swap = swaps.msb();
        let full = m.reg("full", 1).reset_to(0);
        let claimed = m.reg("claimed", 1).reset_to(0);
        let in_time = m.reg("in_time", 1).reset_to(0);
        let to_load = m.reg("to_load", index_bits + 1).reset_to(config.rows);
        let arrived = marks.valid & words.i.deq.valid;
        wire!(m, load = arrived & (!full | swap));
        let last = marks.front.last;
        marks.takes.set(load);
        words.i.deq.ready.set(load);
        m.when(swap, || {
            full.set(0);
            claimed.set(0);
        });
        m.when(load, || {
            to_load.set(to_load.wrapping_sub(1));
            m.when(last, || {
                full.set(1);
                to_load.set(config.rows);
            });
        });
        m.when(i.claims, || claimed.set(1));

        // A tile is in time for a swap if it is there, or if what is left of it waits already and is no more than the notice has cycles. That is
        // compared a cycle ahead: a row that is loaded now is neither left then nor does it wait, and one may come now.
        let width = words.o.count.width().max(to_load.width());
        let [left, waiting] = [to_load, words.o.count].map(|rows| rows.extend(width));
        wire!(m, all_wait = left.le(waiting) | (i.read.data_valid & left.eq(waiting.wrapping_add(1))));
        wire!(m, few = to_load.le(Self::NOTICE) | (load & to_load.eq(Self::NOTICE + 1)));
        wire!(m, completes = load & last);
        in_time.set(completes | (full & !swap) | (few & all_wait));
        wire!(m, available = !claimed & in_time);
        m.assert("a_claimed_tile_is_there", !swap | full);
        m.assert("claims_are_allowed", !i.claims | available);
        let weight = bytes_at(words.i.deq.data, marks.front.offset, config.cols);
        WeightsOut { available, swap, weight, shift: Shift { load, last: load & last } }
    }
}
