//! The tensor unit with its DMA: commands in, AXI4 out (`docs/decisions/0014`).

use ferrite_hdl::library::Stream;
use ferrite_hdl::prelude::*;

use crate::axi::{AxiBus, AxiWidths};
use crate::command::{Board, Cause, Gather, Lane, Part, Prepare, Transfer};
use crate::compute::{Compute, ComputeConfig, ComputeIn, Convolution, OutputTask};
use crate::dma::{DescriptorStream, DmaConfig, DmaRead, DmaWrite};
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
}

/// What the unit tells of itself.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct UnitOut<T> {
    /// Commands wait or are under way.
    pub busy: T,
    /// A command was refused; those after it are dropped.
    pub refused: T,
    /// Why.
    pub cause: T,
    /// Commands before it since reset.
    pub refused_number: T,
    /// A transfer met an error in external memory.
    pub failed: T,
    /// An activation row enters the array.
    pub multiplies: T,
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
        UnitIn { commands: Stream::of(bits(64)), axi: AxiBus::shape(self.config.axi) }
    }
    fn outputs(&self) -> UnitOut<Shape> {
        UnitOut {
            busy: bit(),
            refused: bit(),
            cause: Cause::shape(),
            refused_number: bits(32),
            failed: bit(),
            multiplies: bit(),
        }
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

        // Commands are judged in order; from the first one that is refused on they are dropped.
        m.connect(gather.pairs, i.commands);
        m.connect(prepare.i.records, gather.records);
        let judged = prepare.i.orders;
        let refused = m.reg("refused", 1).reset_to(0);
        let cause = m.reg("cause", Cause::shape()).reset_to(Cause::None);
        let number = m.reg("number", 32).reset_to(0);
        wire!(m, breaks = judged.order.cause.ne(Cause::None));
        wire!(m, drops = refused | breaks);
        board.i.orders.valid.set(judged.valid & !drops);
        m.connect(board.i.orders.order, judged.order);
        judged.ready.set(drops | board.i.orders.ready);
        m.when(judged.valid & judged.ready & !refused, || {
            m.when(breaks, || {
                refused.set(1);
                cause.set(judged.order.cause);
            })
            .otherwise(|| number.set(number.wrapping_add(1)));
        });

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

        // DMA.
        let begin = |lane: &Lane<UInt>, waits: UInt, valid: UInt, ready: UInt, takes: UInt, done: UInt| {
            let offered = lane.allowed & waits;
            valid.set(offered);
            lane.begins.set(offered & ready);
            takes.set(offered & ready);
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
        begin(load_lane, loads.valid, d.valid, d.ready, loads.takes, read.o.done);
        describe(d, loads.front);
        let d = write.i.descriptors;
        begin(store_lane, stores.valid, d.valid, d.ready, stores.takes, write.o.done);
        describe(d, stores.front);
        for (abort, clear) in [(read.i.abort, read.i.clear), (write.i.abort, write.i.clear)] {
            abort.set(0);
            clear.set(0);
        }

        // What computes, and its scratchpad.
        let ComputeIn { convolutions: c, outputs: r, fill, drain } = compute.i;
        begin(convolve_lane, convolutions.valid, c.valid, c.ready, convolutions.takes, compute.o.convolved);
        m.connect(c.next, convolutions.front);
        begin(
            requantise_lane,
            requantisations.valid,
            r.valid,
            r.ready,
            requantisations.takes,
            compute.o.put_out,
        );
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
        UnitOut {
            busy: prepare.o.busy | gather.records.valid | board.o.busy,
            refused,
            cause,
            refused_number: number,
            failed: read.o.status.error | write.o.status.error,
            multiplies: compute.o.multiplies,
        }
    }
}
