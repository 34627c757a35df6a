//! The tensor unit with its DMA: commands in, AXI4 out (`docs/decisions/0014`).

mod counters;
mod verdict;

pub use counters::{Counters, CountersIn, CountersOut, CycleKind};
pub use verdict::{Fault, ORDER_BITS, Verdict, VerdictIn, VerdictOut};

use ferrite_hdl::library::Stream;
use ferrite_hdl::prelude::*;

use crate::axi::{AxiBus, AxiWidths};
use crate::command::{Board, Cause, Gather, Lane, Part, Prepare, Transfer};
use crate::compute::{Compute, ComputeConfig, ComputeIn, Convolution, OutputTask};
use crate::delay::late_bit;
use crate::dma::{DescriptorStream, DmaConfig, DmaRead, DmaStatus, DmaWrite};
use crate::record::RecordQueue;

/// Sizes of the unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UnitConfig {
    /// Of what computes.
    pub compute: ComputeConfig,
    /// Of the AXI4 port.
    pub axi: AxiWidths,
}

impl UnitConfig {
    /// Of the DMA engines.
    pub fn dma(&self) -> DmaConfig {
        DmaConfig::new(self.axi, self.compute.word_bytes(), self.compute.word_address_bits())
    }
}

/// Ports of the unit.
#[derive(Clone, Debug, Bundle)]
pub struct UnitIn<T> {
    /// Words of commands, two at a time.
    pub commands: Stream<T>,
    /// External memory.
    #[flip]
    pub axi: AxiBus<T>,
    /// Whatever is under way is given up, and all but the memories becomes as after reset.
    pub clear: T,
    /// An error behind the commands that have come: a [`Cause`], or 0 for none.
    pub refuse: T,
    /// Which counter is read.
    pub counter: T,
}

/// What the unit tells of itself.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct UnitOut<T> {
    /// Commands wait or are under way, or the unit is clearing.
    pub busy: T,
    /// An error stands; commands are dropped.
    pub error: T,
    /// Why: a [`Cause`].
    pub cause: T,
    /// Commands that were accepted since reset; if an error stands, the number of the one at fault.
    pub number: T,
    /// Where external memory answered a load or a store with an error.
    pub address: T,
    /// From the cycle after `clear` until all is done.
    pub clearing: T,
    /// The counter that is asked for; 0 if there is none.
    pub counter: T,
    /// An activation row enters the array.
    pub multiplies: T,
}

impl UnitOut<Shape> {
    /// The widths.
    pub fn shape() -> UnitOut<Shape> {
        UnitOut {
            busy: bit(),
            error: bit(),
            cause: Cause::shape(),
            number: bits(32),
            address: bits(32),
            clearing: bit(),
            counter: bits(32),
            multiplies: bit(),
        }
    }
}

/// The tensor unit: queues of commands, DMA, scratchpad, array and output stage.
#[module]
pub struct Unit {
    /// Sizes.
    pub config: UnitConfig,
}

/// Orders of a kind that wait for their turn.
const ORDERS: u32 = 4;

impl Module for Unit {
    type In = UnitIn<UInt>;
    type Out = UnitOut<UInt>;

    fn name(&self) -> String {
        format!("Unit_{}_{}", self.config.compute.suffix(), self.config.axi.data_bits)
    }
    fn inputs(&self) -> UnitIn<Shape> {
        UnitIn {
            commands: Stream::of(bits(64)),
            axi: AxiBus::shape(self.config.axi),
            clear: bit(),
            refuse: Cause::shape(),
            counter: bits(counters::INDEX_BITS),
        }
    }
    fn outputs(&self) -> UnitOut<Shape> {
        UnitOut::shape()
    }
    fn build(&self, m: &Builder, i: UnitIn<UInt>) -> UnitOut<UInt> {
        let config = self.config.compute;
        let dma = self.config.dma();
        let gather = m.instance("gather", &Gather {}).i;
        let prepare = m.instance("prepare", &Prepare { config });
        let board = m.instance("board", &Board { config });
        let compute = m.instance("compute", &Compute { config });
        let read = m.instance("dma_read", &DmaRead { config: dma });
        let write = m.instance("dma_write", &DmaWrite { config: dma });
        let verdict = m.instance("verdict", &Verdict {});
        let counters = m.instance("counters", &Counters { config, dma });

        // Giving up: engines abort, convolutions are cut short, and orders that have not begun are forgotten. All is as after reset when nothing is left.
        let clearing = m.reg("clearing", 1).reset_to(0);
        let nothing_left = m.reg("nothing_left", 1).reset_to(0);
        wire!(m, cleared = clearing & nothing_left);
        m.when(cleared, || clearing.set(0));
        m.when(i.clear, || clearing.set(1));
        wire!(m, aborts = clearing & !cleared);
        wire!(m, stopped = (read.o.status.error | write.o.status.error) & !cleared);
        let drops = late_bit(m, "drops", i.clear | aborts | stopped, 1);
        board.i.drops.set(drops);
        gather.clear.set(clearing);
        prepare.i.clear.set(clearing);
        compute.i.halt.set(clearing);

        // Commands are judged in order; from an error on they are dropped.
        let error = verdict.o.error;
        wire!(m, holds = i.clear | clearing | verdict.o.waits);
        // What still comes in in the cycle in which an engine stops is dropped behind the gathering.
        wire!(m, discards = error | late_bit(m, "has_stopped", stopped, 1));
        gather.pairs.valid.set(i.commands.valid & !holds & !discards);
        gather.pairs.data.set(i.commands.data);
        i.commands.ready.set(!holds & (discards | gather.pairs.ready));
        m.connect(prepare.i.records, gather.records);
        wire!(m, has_commands = prepare.o.busy | gather.records.valid);
        let judged = prepare.i.orders;
        wire!(m, ignores = error | drops);
        wire!(m, offers = judged.valid & !ignores);
        board.i.orders.valid.set(offers);
        board.i.orders.good.set(judged.good & !error);
        board.i.orders.bad.set(judged.bad);
        m.connect(board.i.orders.order, judged.order);
        judged.ready.set(ignores | judged.bad | board.i.orders.ready);
        verdict.i.accepts.set(board.i.orders.ready);
        wire!(m, refuses = offers & judged.bad);
        verdict.i.refuses.set(refuses.mux(judged.order.cause, Bits::zero(judged.order.cause.width())));
        verdict.i.refuse.set(i.refuse);
        verdict.i.all_judged.set(!has_commands);
        verdict.i.clear.set(cleared);

        // A queue of orders for each lane.
        let [load_lane, store_lane, convolve_lane, requantise_lane] = &board.i.lanes[..] else {
            unreachable!("a lane for each of {} parts", Part::ALL.len())
        };
        let transfer = judged.order.transfer;
        let loads = RecordQueue::new(m, "loads", ORDERS, Transfer::shape(&config));
        let stores = RecordQueue::new(m, "stores", ORDERS, Transfer::shape(&config));
        loads.put(load_lane.enters, transfer);
        stores.put(store_lane.enters, transfer);
        let convolutions = RecordQueue::new(m, "convolutions", ORDERS, Convolution::shape(&config));
        convolutions.put(convolve_lane.enters, judged.order.convolution);
        let requantisations = RecordQueue::new(m, "requantisations", ORDERS, OutputTask::shape(&config));
        requantisations.put(requantise_lane.enters, judged.order.output);
        // The numbers of transfers that are not done.
        let numbers = [("load_numbers", load_lane), ("store_numbers", store_lane)].map(|(name, lane)| {
            let numbers = RecordQueue::new(m, name, ORDERS, bits(ORDER_BITS));
            numbers.put(lane.enters, verdict.o.number.truncate(ORDER_BITS));
            numbers.takes.set(lane.done | clearing);
            numbers
        });

        // DMA.
        let begin = |lane: &Lane<UInt>, valid: UInt, ready: UInt, takes: UInt, done: UInt| {
            valid.set(lane.allowed);
            lane.begins.set(lane.allowed & ready);
            takes.set((lane.allowed & ready) | drops);
            lane.done.set(done);
        };
        let describe = |to: DescriptorStream<UInt>, transfer: Transfer<UInt>| {
            let d = to.next;
            for (to, from) in [
                (d.external, transfer.external),
                (d.bytes, transfer.bytes),
                (d.n1, transfer.n1),
                (d.n2, transfer.n2),
                (d.s1, transfer.s1),
                (d.s2, transfer.s2),
                (d.local, transfer.local),
                (d.d1, transfer.d1),
                (d.d2, transfer.d2),
            ] {
                to.set(from);
            }
            if let Some(fill) = d.fill {
                fill.set(transfer.fill);
            }
        };
        let d = read.i.descriptors;
        begin(load_lane, d.valid, d.ready, loads.takes, read.o.done);
        describe(d, loads.front);
        let d = write.i.descriptors;
        begin(store_lane, d.valid, d.ready, stores.takes, write.o.done);
        describe(d, stores.front);
        let [load_numbers, store_numbers] = &numbers;
        let engines = [
            (
                "load_rests",
                load_lane,
                read.i.abort,
                read.i.clear,
                read.o.status,
                load_numbers,
                verdict.i.load,
            ),
            (
                "store_rests",
                store_lane,
                write.i.abort,
                write.i.clear,
                write.o.status,
                store_numbers,
                verdict.i.store,
            ),
        ];
        for (name, lane, abort, clear, status, numbers, fault) in engines {
            abort.set(aborts);
            clear.set(cleared);
            // A cycle after the engine has come to rest the last transfer that was finished is known to be.
            let DmaStatus { idle, halted, error, address, .. } = status;
            let rests = m.reg(name, 1).reset_to(0);
            rests.set(idle & halted & !cleared);
            fault.valid.set(rests & error);
            fault.order.set(numbers.front);
            fault.address.set(address);
            lane.abandons.set(rests & (fault.known | !error));
        }
        for lane in [convolve_lane, requantise_lane] {
            lane.abandons.set(0);
        }

        // What computes, and its scratchpad.
        let ComputeIn { convolutions: c, outputs: r, fill, drain, .. } = compute.i;
        begin(convolve_lane, c.valid, c.ready, convolutions.takes, compute.o.convolved);
        m.connect(c.next, convolutions.front);
        begin(requantise_lane, r.valid, r.ready, requantisations.takes, compute.o.put_out);
        m.connect(r.next, requantisations.front);
        let words = read.i.words;
        fill.valid.set(words.valid);
        fill.address.set(words.address);
        fill.data.set(words.data);
        fill.mask.set(Bits::ones(config.word_bytes()));
        words.ready.set(fill.ready);
        m.connect(drain, write.i.read);

        m.connect(i.axi.read(), read.i.axi);
        m.connect(i.axi.write(), write.i.axi);
        let waiting = [loads.valid, stores.valid, convolutions.valid, requantisations.valid];
        let lanes = [load_lane, store_lane, convolve_lane, requantise_lane];
        for (part, (lane, waits)) in Part::ALL.into_iter().zip(lanes.into_iter().zip(waiting)) {
            let name = format!("an_order_of_{part:?}_that_may_begin_waits").to_lowercase();
            m.assert(&name, !lane.allowed | waits);
        }
        let numbered = numbers.iter().map(|numbers| numbers.valid);
        wire!(m, has_orders = board.o.busy | concat(waiting.into_iter().chain(numbered)).any());
        let engines_rest = read.o.status.idle & write.o.status.idle;
        nothing_left.set(clearing & !has_orders & engines_rest);
        // Told a cycle late, but for what comes: that is told when it is there.
        let comes = i.commands.fires() | i.refuse.any();
        let stays = has_commands | board.o.busy | clearing | verdict.o.waits;
        let busy = late_bit(m, "busy", i.clear | ((comes | stays) & !cleared), 1);
        counters.i.clear.set(cleared);
        counters.i.idle.set(!busy);
        m.connect(counters.i.activity, compute.o.activity);
        m.connect(counters.i.held, board.o.held);
        m.connect(counters.i.loaded, read.o.moved);
        m.connect(counters.i.stored, write.o.moved);
        counters.i.index.set(i.counter);
        UnitOut {
            busy,
            error,
            cause: verdict.o.cause,
            number: verdict.o.number,
            address: verdict.o.address,
            clearing,
            counter: counters.o.value,
            multiplies: compute.o.activity.multiplies,
        }
    }
}
