//! The interrupt controller (RISC-V Platform-Level Interrupt Controller 1.0.0), for one context: machine mode of the one hart.

use super::slave::{answer, at, loads, stores};
use crate::core::Bus;
use crate::map::plic::{CLAIM, ENABLE, LAST_SOURCE, PENDING, PRIORITY, PRIORITY_BITS, REGION, THRESHOLD};
use ferrite_hdl::prelude::*;

/// Bits of a source's number.
const NUMBER_BITS: u32 = LAST_SOURCE.ilog2() + 1;

/// Ports of the interrupt controller.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct PlicIn<T> {
    /// The core's loads and stores.
    pub bus: Bus<T>,
    /// The sources' lines, a bit for each of [`Plic::sources`], the first lowest; a source interrupts while its line is 1.
    pub lines: T,
}

/// Interrupt line of the interrupt controller.
#[derive(Clone, Copy, Debug, Bundle)]
pub struct PlicOut<T> {
    /// A source of a priority above the threshold is enabled and pending, as seen one cycle ago.
    pub external: T,
}

/// Asks the core to interrupt for the most urgent of its sources, and tells it which one that is. Lines are levels: a source that is not
/// claimed is pending from when its line is 1, and stays so if the line falls (section 5, interrupt gateways).
#[module]
pub struct Plic {
    /// Numbers of the sources, from 1 to [`LAST_SOURCE`], the lowest first; one or more.
    pub sources: Vec<u32>,
}

/// A source's registers.
struct Source {
    number: u32,
    priority: UInt,
    enable: UInt,
    pending: UInt,
    /// The core works on it: it is not pending again before that is over.
    claimed: UInt,
}

impl Source {
    fn new(m: &Builder, number: u32) -> Source {
        let reg = |name: &str, bits: u32| m.reg(&format!("{name}_{number}"), bits).reset_to(0);
        Source {
            number,
            priority: reg("priority", PRIORITY_BITS),
            enable: reg("enable", 1),
            pending: reg("pending", 1),
            claimed: reg("claimed", 1),
        }
    }
}

impl Module for Plic {
    type In = PlicIn<UInt>;
    type Out = PlicOut<UInt>;

    fn inputs(&self) -> PlicIn<Shape> {
        PlicIn { bus: Bus::shape(), lines: bits(self.sources.len() as u32) }
    }
    fn outputs(&self) -> PlicOut<Shape> {
        PlicOut { external: bit() }
    }
    fn build(&self, m: &Builder, i: PlicIn<UInt>) -> PlicOut<UInt> {
        let request = i.bus.request;
        let sources: Vec<Source> = self.sources.iter().map(|number| Source::new(m, *number)).collect();
        let threshold = m.reg("threshold", PRIORITY_BITS).reset_to(0);
        let best = most_urgent(m, &sources);

        // Gateways.
        wire!(m, claims = loads(i.bus) & at(i.bus, REGION.size, CLAIM.offset));
        wire!(m, completes = stores(i.bus) & at(i.bus, REGION.size, CLAIM.offset) & request.mask.all());
        for (source, line) in sources.iter().zip(i.lines.to_bits()) {
            m.when(line & !source.claimed, || source.pending.set(1));
            m.when(claims & best.number.eq(source.number), || {
                source.pending.set(0);
                source.claimed.set(1);
            });
            // A number that is not one of an enabled source completes nothing (section 9).
            m.when(completes & request.wdata.eq(source.number) & source.enable, || source.claimed.set(0));
        }

        // Registers.
        let write = |offset: u32, byte: u32, body: &dyn Fn()| {
            m.when(stores(i.bus) & at(i.bus, REGION.size, offset) & request.mask.bit(byte), body);
        };
        let loaded = m.reg("loaded", 32);
        m.when(loads(i.bus), || loaded.set(0));
        let read = |offset: u32, word: UInt| {
            m.when(loads(i.bus) & at(i.bus, REGION.size, offset), || loaded.set(word.extend(32)));
        };
        let (pending, enable) = (m.wire("pending", 32), m.wire("enable", 32));
        pending.set(0);
        enable.set(0);
        for source in &sources {
            let Source { number, priority, .. } = *source;
            let offset = PRIORITY.offset + 4 * number;
            write(offset, 0, &|| priority.set(request.wdata.slice(0, PRIORITY_BITS)));
            read(offset, priority);
            write(ENABLE.offset, number / 8, &|| source.enable.set(request.wdata.bit(number)));
            pending.slice(number, 1).set(source.pending);
            enable.slice(number, 1).set(source.enable);
        }
        write(THRESHOLD.offset, 0, &|| threshold.set(request.wdata.slice(0, PRIORITY_BITS)));
        read(PENDING.offset, pending);
        read(ENABLE.offset, enable);
        read(THRESHOLD.offset, threshold);
        read(CLAIM.offset, best.number);
        answer(m, "answers", i.bus, loaded);

        let external = m.reg("external", 1).reset_to(0);
        external.set(best.priority.gt(threshold));
        PlicOut { external }
    }
}

/// The source to be claimed next.
struct Best {
    /// 0 if there is none.
    priority: UInt,
    /// 0 if there is none.
    number: UInt,
}

/// The most urgent of the sources that are enabled and pending; the lowest number among equals (section 5, interrupt notifications). A source of
/// priority 0 never is.
fn most_urgent(m: &Builder, sources: &[Source]) -> Best {
    let mut best =
        Best { priority: m.constant(Bits::zero(PRIORITY_BITS)), number: m.constant(Bits::zero(NUMBER_BITS)) };
    for source in sources {
        let waits = source.pending & source.enable;
        let is_better =
            m.node(&format!("prefers_{}", source.number), waits & source.priority.gt(best.priority));
        best.priority = is_better.mux(source.priority, best.priority);
        best.number = is_better.mux(Bits::from_u64(NUMBER_BITS, source.number.into()), best.number);
    }
    best
}
